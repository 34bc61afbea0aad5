//! Tables as text: agate's `print_table`, `print_structure`, `to_csv` and `to_json`.

use rust_decimal::{Decimal, RoundingStrategy};
use std::fmt::Write as _;

use super::number::max_precision;
use super::table::python_json;
use super::{Cell, CellType, Table};

/// agate's arguments of `print_table`; None lifts a limit.
#[derive(Debug, Clone, Copy)]
pub struct PrintOptions {
    pub max_rows: Option<usize>,
    pub max_columns: Option<usize>,
    pub max_column_width: Option<usize>,
    pub max_precision: Option<u32>,
}

impl Default for PrintOptions {
    fn default() -> Self {
        Self { max_rows: Some(20), max_columns: Some(6), max_column_width: Some(20), max_precision: Some(3) }
    }
}

/// How JSON is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Indent {
    None,
    Spaces(usize),
    /// One object a line.
    Lines,
}

impl Table {
    /// The table in agate's Markdown-like form, every line ended.
    pub fn print_table(&self, options: PrintOptions) -> String {
        let width = |text: String| match options.max_column_width {
            Some(most) if text.chars().count() > most => {
                let kept: String = text.chars().take(most.saturating_sub(3)).collect();
                format!("{kept}...")
            }
            _ => text,
        };
        let shown_columns = options.max_columns.unwrap_or(usize::MAX).min(self.column_names.len());
        let shown_rows = options.max_rows.unwrap_or(usize::MAX).min(self.rows.len());
        let cut = shown_columns < self.column_names.len();
        let mut lines: Vec<Vec<String>> = Vec::with_capacity(shown_rows + 1);
        let mut names: Vec<String> = self.column_names[..shown_columns].iter().map(|name| width(name.to_string())).collect();
        if cut {
            names.push("...".to_string());
        }
        let places: Vec<Option<(u32, bool)>> = (0..shown_columns).map(|index| self.places(index, shown_rows, options)).collect();
        for row in &self.rows[..shown_rows] {
            let mut line: Vec<String> = places.iter().zip(row).map(|(places, cell)| width(cell_text(cell, *places))).collect();
            if cut {
                line.push("...".to_string());
            }
            lines.push(line);
        }
        let mut widths: Vec<usize> = names.iter().map(|name| name.chars().count()).collect();
        for line in &lines {
            for (width, text) in widths.iter_mut().zip(line) {
                *width = (*width).max(text.chars().count());
            }
        }
        let mut out = self.printed_row(&names, &widths);
        let rules: Vec<String> = widths.iter().map(|width| "-".repeat(*width)).collect();
        let _ = writeln!(out, "| {} |", rules.join(" | "));
        for line in &lines {
            out.push_str(&self.printed_row(line, &widths));
        }
        if shown_rows < self.rows.len() {
            out.push_str(&self.printed_row(&vec!["...".to_string(); names.len()], &widths));
        }
        out
    }

    /// Decimal places of a number column, and whether they are cut; None for other columns.
    fn places(&self, index: usize, shown_rows: usize, options: PrintOptions) -> Option<(u32, bool)> {
        if self.column_types.get(index) != Some(&CellType::Number) {
            return None;
        }
        let places = max_precision(self.rows[..shown_rows].iter().filter_map(|row| row.get(index)));
        let most = options.max_precision.unwrap_or(u32::MAX);
        Some((places.min(most), places > most))
    }

    fn printed_row(&self, texts: &[String], widths: &[usize]) -> String {
        let cells = texts.iter().zip(widths).enumerate().map(|(index, (text, width))| {
            let pad = " ".repeat(width.saturating_sub(text.chars().count()));
            if matches!(self.column_types.get(index), Some(CellType::Text | CellType::Object)) {
                format!(" {text}{pad} ")
            } else {
                format!(" {pad}{text} ")
            }
        });
        format!("|{}|\n", cells.collect::<Vec<_>>().join("|"))
    }

    /// Column names and types, as `print(table)` shows them.
    pub fn structure(&self) -> String {
        let rows = self.column_names.iter().zip(&self.column_types);
        let table = Table {
            column_names: vec!["column".into(), "data_type".into()],
            column_types: vec![CellType::Text, CellType::Text],
            rows: rows.map(|(name, kind)| vec![Cell::Text(name.clone()), Cell::text(kind.as_str())]).collect(),
            path: None,
        };
        table.print_table(PrintOptions { max_rows: None, max_column_width: None, ..PrintOptions::default() })
    }

    /// All rows as JSON objects: a list, or one a line.
    pub fn json_text(&self, indent: Indent) -> String {
        let objects = self.rows.iter().map(|row| {
            let fields = self.column_names.iter().zip(&self.column_types).zip(row);
            let fields = fields.map(|((name, kind), cell)| (name.to_string(), cell.to_json(*kind)));
            serde_json::Value::Object(fields.collect())
        });
        match indent {
            Indent::Lines => objects.map(|object| json_line(&object) + "\n").collect(),
            Indent::None => {
                let objects: Vec<String> = objects.map(|object| json_line(&object)).collect();
                format!("[{}]", objects.join(", "))
            }
            Indent::Spaces(width) => indented(&objects.collect(), width, 0),
        }
    }

    /// All rows as CSV, with a header.
    pub fn csv_text(&self) -> String {
        let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::Any(b'\n')).from_writer(Vec::new());
        let text = |cell: &Cell| match cell {
            Cell::Null => String::new(),
            Cell::DateTime(..) => cell.to_json(CellType::DateTime).as_str().unwrap_or_default().to_string(),
            other => other.to_string(),
        };
        let _ = writer.write_record(self.column_names.iter().map(|name| name.as_bytes()));
        for row in &self.rows {
            let _ = writer.write_record(row.iter().map(text));
        }
        writer.into_inner().ok().and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default()
    }
}

fn cell_text(cell: &Cell, places: Option<(u32, bool)>) -> String {
    match (cell, places) {
        (Cell::Null, _) => String::new(),
        (Cell::Int(value), Some(places)) => {
            Decimal::try_from_i128_with_scale(*value, 0).map_or_else(|_| value.to_string(), |value| number_text(value, places))
        }
        (Cell::Decimal(value), Some(places)) => number_text(*value, places),
        (Cell::Float(value), Some(places)) => match value.to_string().parse() {
            Ok(value) => number_text(value, places),
            Err(_) => cell.to_string(),
        },
        _ => cell.to_string(),
    }
}

/// `1,234.50`, rounded half to even; `…` where digits are cut.
fn number_text(value: Decimal, (places, cut): (u32, bool)) -> String {
    let rounded = value.round_dp_with_strategy(places, RoundingStrategy::MidpointNearestEven);
    let text = format!("{:.*}", places as usize, rounded.abs());
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let mut out = String::new();
    if rounded.is_sign_negative() && !rounded.is_zero() {
        out.push('-');
    }
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    if !fraction.is_empty() {
        out.push('.');
        out.push_str(fraction);
    }
    if cut {
        out.push('…');
    }
    out
}

/// Python's `json.dumps(…, ensure_ascii=False)`.
fn json_line(value: &serde_json::Value) -> String {
    use serde_json::Value;
    match value {
        Value::Array(items) => format!("[{}]", items.iter().map(json_line).collect::<Vec<_>>().join(", ")),
        Value::Object(fields) => {
            let fields = fields.iter().map(|(name, value)| format!("{}: {}", Value::from(name.as_str()), json_line(value)));
            format!("{{{}}}", fields.collect::<Vec<_>>().join(", "))
        }
        Value::String(_) => value.to_string(),
        other => python_json(other),
    }
}

fn indented(value: &serde_json::Value, width: usize, depth: usize) -> String {
    use serde_json::Value;
    let outer = " ".repeat(width * depth);
    let inner = " ".repeat(width * (depth + 1));
    match value {
        Value::Array(items) if !items.is_empty() => {
            let items = items.iter().map(|item| format!("{inner}{}", indented(item, width, depth + 1)));
            format!("[\n{}\n{outer}]", items.collect::<Vec<_>>().join(",\n"))
        }
        Value::Object(fields) if !fields.is_empty() => {
            let fields = fields
                .iter()
                .map(|(name, value)| format!("{inner}{}: {}", Value::from(name.as_str()), indented(value, width, depth + 1)));
            format!("{{\n{}\n{outer}}}", fields.collect::<Vec<_>>().join(",\n"))
        }
        other => json_line(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Table {
        let rows = vec![
            vec![Cell::Int(1), Cell::Decimal(Decimal::new(123_450, 2)), Cell::text("a long text that is cut somewhere")],
            vec![Cell::Null, Cell::Decimal(Decimal::new(5, 1)), Cell::Null],
        ];
        Table::from_result(["id", "amount", "note"].into_iter(), rows)
    }

    #[test]
    fn a_printed_table_aligns_numbers_right_and_texts_left() {
        let expected = [
            "| id |  amount | note                 |",
            "| -- | ------- | -------------------- |",
            "|  1 | 1,234.5 | a long text that ... |",
            "|    |     0.5 |                      |",
            "",
        ]
        .join("\n");
        assert_eq!(sample().print_table(PrintOptions::default()), expected);
    }

    #[test]
    fn rows_and_columns_beyond_the_limits_become_dots() {
        let options = PrintOptions { max_rows: Some(1), max_columns: Some(1), ..PrintOptions::default() };
        let text = sample().print_table(options);
        assert_eq!(text, "| id | ... |\n| -- | --- |\n|  1 | ... |\n| ... | ... |\n");
    }

    #[test]
    fn structure_lists_columns() {
        assert_eq!(
            sample().structure(),
            "| column | data_type |\n| ------ | --------- |\n| id     | Integer   |\n| amount | Number    |\n| note   | Text      |\n"
        );
    }

    #[test]
    fn json_and_csv() {
        let table = sample().select(&[0, 1]);
        assert_eq!(table.json_text(Indent::None), r#"[{"id": 1, "amount": 1234.5}, {"id": null, "amount": 0.5}]"#);
        assert_eq!(table.json_text(Indent::Lines).lines().count(), 2);
        assert!(table.json_text(Indent::Spaces(2)).starts_with("[\n  {\n    \"id\": 1,"));
        assert_eq!(table.csv_text(), "id,amount\n1,1234.50\n,0.5\n");
    }
}
