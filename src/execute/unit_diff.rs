//! What a unit test expected against what came: the rows in any order, the differing ones shown.

use crate::agate::{Cell, Table};

/// Compares the rows marked `actual` with those marked `expected` (column `actual_or_expected`). None where they agree;
/// else a text table: `+++` came but was not expected, `---` was expected but did not come, `→` marks a changed cell.
pub fn compare(table: &Table) -> Option<String> {
    let marker = table.column_names.iter().position(|name| name.eq_ignore_ascii_case("actual_or_expected"))?;
    let columns: Vec<usize> = (0..table.column_names.len()).filter(|column| *column != marker).collect();
    let rows_of = |which: &str| {
        let mut rows: Vec<Vec<String>> = table
            .rows
            .iter()
            .filter(|row| matches!(&row[marker], Cell::Text(text) if &**text == which))
            .map(|row| columns.iter().map(|column| row[*column].to_string()).collect())
            .collect();
        rows.sort();
        rows
    };
    let (mut missing, mut extra) = (rows_of("expected"), Vec::new());
    for row in rows_of("actual") {
        match missing.iter().position(|expected| *expected == row) {
            Some(same) => {
                missing.remove(same);
            }
            None => extra.push(row),
        }
    }
    if missing.is_empty() && extra.is_empty() {
        return None;
    }
    let header: Vec<String> = columns.iter().map(|column| table.column_names[*column].to_lowercase()).collect();
    Some(format!("\n\nactual differs from expected:\n\n{}\n", drawn(header, missing, extra)))
}

/// Pairs each missing row with the extra row most like it, and draws them as a table.
fn drawn(header: Vec<String>, missing: Vec<Vec<String>>, mut extra: Vec<Vec<String>>) -> String {
    let mut lines: Vec<Vec<String>> = vec![std::iter::once("@@".to_owned()).chain(header).collect()];
    for expected in missing {
        let likeness = |row: &Vec<String>| row.iter().zip(&expected).filter(|(a, b)| a == b).count();
        let best = extra.iter().enumerate().map(|(place, row)| (likeness(row), place)).filter(|(same, _)| *same > 0).max();
        if let Some((_, place)) = best {
            let actual = extra.remove(place);
            let cells =
                expected.iter().zip(&actual).map(|(old, new)| if old == new { old.clone() } else { format!("{old}→{new}") });
            lines.push(std::iter::once("→".to_owned()).chain(cells).collect());
        } else {
            lines.push(std::iter::once("---".to_owned()).chain(expected).collect());
        }
    }
    lines.extend(extra.into_iter().map(|row| std::iter::once("+++".to_owned()).chain(row).collect()));
    let widths: Vec<usize> = (0..lines[0].len())
        .map(|column| lines.iter().filter_map(|line| line.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0))
        .collect();
    let draw = |line: &Vec<String>| {
        let cells = line.iter().zip(&widths).map(|(cell, width)| format!("{cell}{}", " ".repeat(width - cell.chars().count())));
        cells.collect::<Vec<_>>().join(" | ").trim_end().to_owned()
    };
    lines.iter().map(draw).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agate::CellType;

    fn table(rows: &[(&str, i64, &str)]) -> Table {
        Table {
            column_names: vec!["actual_or_expected".into(), "id".into(), "name".into()],
            column_types: vec![CellType::Text, CellType::Integer, CellType::Text],
            rows: rows
                .iter()
                .map(|(which, id, name)| vec![Cell::Text((*which).into()), Cell::Int((*id).into()), Cell::Text((*name).into())])
                .collect(),
            ..Table::default()
        }
    }

    #[test]
    fn order_does_not_matter_but_number_does() {
        assert_eq!(compare(&table(&[("actual", 1, "a"), ("actual", 2, "b"), ("expected", 2, "b"), ("expected", 1, "a")])), None);
        assert!(compare(&table(&[("actual", 1, "a"), ("actual", 1, "a"), ("expected", 1, "a")])).is_some());
    }

    #[test]
    fn a_changed_cell_is_marked() {
        let text = compare(&table(&[("actual", 1, "a"), ("expected", 1, "b")])).unwrap();
        assert!(text.contains("1  | b→a"), "{text}");
    }
}
