//! Tables from parts, and the operations on them that agate offers to macros.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;
use std::sync::Arc;

use super::{Cell, CellType, Table};

/// How a column is named by a caller: by its place (negative: from the end) or by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key<'a> {
    Index(i64),
    Name(&'a str),
}

/// Variants of [`Table::join`].
#[derive(Debug, Clone, Default)]
pub struct JoinOptions {
    pub inner: bool,
    pub full_outer: bool,
    /// Columns of the right table to take; all but its key when not given.
    pub columns: Option<Vec<String>>,
}

/// Column names as agate makes them: empty ones get a letter, repeated ones a number (`a`, `a_2`).
pub(super) fn unique_names<'a>(names: impl Iterator<Item = &'a str>) -> Vec<Arc<str>> {
    let mut seen: HashSet<String> = HashSet::new();
    let mut next: HashMap<String, usize> = HashMap::new();
    let mut out = Vec::new();
    for (index, name) in names.enumerate() {
        let base = if name.is_empty() { letter_name(index) } else { name.to_string() };
        let mut unique = base.clone();
        let number = next.entry(base.clone()).or_insert(2);
        while seen.contains(&unique) {
            unique = format!("{base}_{number}");
            *number += 1;
        }
        seen.insert(unique.clone());
        out.push(unique.into());
    }
    out
}

fn letter_name(index: usize) -> String {
    let letter = char::from(b'a' + u8::try_from(index % 26).unwrap_or(0));
    letter.to_string().repeat(index / 26 + 1)
}

impl Table {
    /// A query's result as dbt makes it (`table_from_data_flat`): lists and structs become JSON texts, column types come from
    /// the values, repeated names get a number.
    pub fn from_result<'a>(names: impl Iterator<Item = &'a str>, mut rows: Vec<Vec<Cell>>) -> Self {
        let column_names = unique_names(names);
        let mut column_types = vec![None; column_names.len()];
        for row in &mut rows {
            for (cell, known) in row.iter_mut().zip(&mut column_types) {
                let kind = flatten(cell);
                *known = merge_types(*known, kind);
            }
        }
        let column_types: Vec<CellType> = column_types.into_iter().map(|kind| kind.unwrap_or(CellType::Integer)).collect();
        for (index, kind) in column_types.iter().enumerate() {
            if *kind == CellType::Text {
                for row in &mut rows {
                    let Some(cell) = row.get_mut(index) else { continue };
                    if !matches!(cell, Cell::Null | Cell::Text(_)) {
                        *cell = Cell::text(cell.to_string());
                    }
                }
            }
        }
        Self { column_names, column_types, rows: rows.into(), path: None }
    }

    /// Without columns or rows: what dbt gives where a statement's result was not fetched.
    pub fn empty() -> Self {
        Self::default()
    }

    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// The place of a column.
    pub fn position(&self, key: Key<'_>) -> Option<usize> {
        match key {
            Key::Name(name) => self.column_names.iter().position(|known| &**known == name),
            Key::Index(index) if index >= 0 => usize::try_from(index).ok().filter(|index| *index < self.column_names.len()),
            Key::Index(index) => self.column_names.len().checked_sub(usize::try_from(index.unsigned_abs()).ok()?),
        }
    }

    /// A cell by row and column name, None where either is not there.
    pub fn get(&self, row: usize, column: &str) -> Option<&Cell> {
        self.rows.get(row)?.get(self.position(Key::Name(column))?)
    }

    /// A column's values.
    pub fn column(&self, index: usize) -> impl Iterator<Item = &Cell> {
        self.rows.iter().filter_map(move |row| row.get(index))
    }

    fn with_rows(&self, rows: Vec<Vec<Cell>>) -> Self {
        Self {
            column_names: self.column_names.clone(),
            column_types: self.column_types.clone(),
            rows: rows.into(),
            path: self.path.clone(),
        }
    }

    /// Only those columns, in that order.
    #[must_use]
    pub fn select(&self, columns: &[usize]) -> Self {
        let pick = |row: &Vec<Cell>| columns.iter().filter_map(|index| row.get(*index).cloned()).collect();
        Self {
            column_names: columns.iter().filter_map(|index| self.column_names.get(*index).cloned()).collect(),
            column_types: columns.iter().filter_map(|index| self.column_types.get(*index).copied()).collect(),
            rows: self.rows.iter().map(pick).collect(),
            path: None,
        }
    }

    /// All columns but those.
    #[must_use]
    pub fn exclude(&self, columns: &[usize]) -> Self {
        let kept: Vec<usize> = (0..self.column_names.len()).filter(|index| !columns.contains(index)).collect();
        self.select(&kept)
    }

    /// The rows for which the test holds, by row number.
    #[must_use]
    pub fn filter(&self, mut keep: impl FnMut(usize) -> bool) -> Self {
        let rows = self.rows.iter().enumerate().filter(|(index, _)| keep(*index)).map(|(_, row)| row.clone()).collect();
        self.with_rows(rows)
    }

    /// The rows with these numbers, in that order.
    #[must_use]
    pub fn take(&self, rows: &[usize]) -> Self {
        self.with_rows(rows.iter().filter_map(|index| self.rows.get(*index).cloned()).collect())
    }

    /// Sorted by columns, nulls last (first when reversed); equal rows keep their order.
    #[must_use]
    pub fn order_by(&self, columns: &[usize], reverse: bool) -> Self {
        let mut rows = self.rows.to_vec();
        rows.sort_by(|left, right| {
            let differ = columns.iter().map(|index| match (left.get(*index), right.get(*index)) {
                (Some(left), Some(right)) => left.order(right),
                _ => std::cmp::Ordering::Equal,
            });
            let order = differ.into_iter().find(|order| order.is_ne()).unwrap_or(std::cmp::Ordering::Equal);
            if reverse { order.reverse() } else { order }
        });
        self.with_rows(rows)
    }

    /// The first row of each different combination of those columns; of whole rows when none are given.
    #[must_use]
    pub fn distinct(&self, columns: &[usize]) -> Self {
        let mut seen = HashSet::new();
        self.filter(|index| seen.insert(self.identity(index, columns)))
    }

    /// Something equal for rows that are equal in those columns (in all, when none are given).
    fn identity(&self, row: usize, columns: &[usize]) -> Vec<String> {
        let Some(row) = self.rows.get(row) else { return Vec::new() };
        let all: Vec<usize> = if columns.is_empty() { (0..row.len()).collect() } else { columns.to_vec() };
        all.iter().filter_map(|index| row.get(*index)).map(cell_identity).collect()
    }

    /// One table for each value of a column, in order of first appearance.
    pub fn group_by(&self, column: usize) -> Vec<(Cell, Table)> {
        let mut places: HashMap<String, usize> = HashMap::new();
        let mut groups: Vec<(Cell, Vec<Vec<Cell>>)> = Vec::new();
        for row in &self.rows {
            let Some(value) = row.get(column) else { continue };
            let place = *places.entry(cell_identity(value)).or_insert_with(|| {
                groups.push((value.clone(), Vec::new()));
                groups.len() - 1
            });
            groups[place].1.push(row.clone());
        }
        groups.into_iter().map(|(value, rows)| (value, self.with_rows(rows))).collect()
    }

    /// The same rows under other names; fewer names leave the rest as they are.
    #[must_use]
    pub fn rename(&self, names: &[String]) -> Self {
        let mut table = self.clone();
        let rest = self.column_names.iter().skip(names.len()).map(|name| &**name);
        table.column_names = unique_names(names.iter().map(String::as_str).chain(rest));
        table
    }

    /// Rows from `start` (inclusive) to `stop` (exclusive), each `step`th.
    #[must_use]
    pub fn limit(&self, start: usize, stop: usize, step: usize) -> Self {
        let stop = stop.min(self.rows.len());
        let rows = self.rows.get(start.min(stop)..stop).unwrap_or_default();
        self.with_rows(rows.iter().step_by(step.max(1)).cloned().collect())
    }

    /// Rows of both tables with equal keys; agate's `join` on one column each.
    #[must_use]
    pub fn join(&self, right: &Table, left_key: usize, right_key: usize, options: &JoinOptions) -> Self {
        let wanted = |index: usize, name: &str| match &options.columns {
            _ if options.full_outer => true,
            Some(columns) => columns.iter().any(|column| column == name),
            None => index != right_key,
        };
        let taken: Vec<usize> =
            (0..right.column_names.len()).filter(|index| wanted(*index, &right.column_names[*index])).collect();
        let added = right.select(&taken);
        let mut names = self.column_names.clone();
        for name in &added.column_names {
            let clash = self.column_names.contains(name);
            names.push(if clash { format!("{name}2").into() } else { name.clone() });
        }
        let mut by_key: HashMap<String, Vec<usize>> = HashMap::new();
        for (index, row) in right.rows.iter().enumerate() {
            by_key.entry(row.get(right_key).map(cell_identity).unwrap_or_default()).or_default().push(index);
        }
        let mut rows = Vec::new();
        let mut matched = HashSet::new();
        for row in &self.rows {
            let key = row.get(left_key).map(cell_identity).unwrap_or_default();
            if let Some(found) = by_key.get(&key) {
                rows.extend(found.iter().map(|index| [row.as_slice(), &added.rows[*index]].concat()));
                matched.insert(key);
            } else if !options.inner {
                rows.push([row.as_slice(), &vec![Cell::Null; taken.len()]].concat());
            }
        }
        if options.full_outer {
            for (index, row) in right.rows.iter().enumerate() {
                if !matched.contains(&row.get(right_key).map(cell_identity).unwrap_or_default()) {
                    rows.push([vec![Cell::Null; self.column_names.len()].as_slice(), &added.rows[index]].concat());
                }
            }
        }
        let column_types = [self.column_types.as_slice(), &added.column_types].concat();
        Self { column_names: unique_names(names.iter().map(|name| &**name)), column_types, rows: rows.into(), path: None }
    }

    /// All rows of several tables; columns by name, nulls where a table lacks one. Err names a column whose types differ.
    pub fn merge(tables: &[&Table]) -> Result<Self, String> {
        let mut names: Vec<Arc<str>> = Vec::new();
        let mut types: Vec<Option<CellType>> = Vec::new();
        for table in tables {
            for (index, name) in table.column_names.iter().enumerate() {
                let empty = table.column(index).all(Cell::is_null);
                let kind = table.column_types.get(index).copied().filter(|_| !empty);
                let Some(place) = names.iter().position(|known| known == name) else {
                    names.push(name.clone());
                    types.push(kind);
                    continue;
                };
                types[place] = match (types[place], kind) {
                    (known, None) => known,
                    (None, kind) => kind,
                    (Some(known), Some(kind)) if known == kind => Some(known),
                    (Some(CellType::Number), Some(CellType::Integer)) | (Some(CellType::Integer), Some(CellType::Number)) => {
                        Some(CellType::Number)
                    }
                    (Some(known), Some(kind)) => {
                        let (known, kind) = (known.as_str(), kind.as_str());
                        return Err(format!("column {name} is {known} in one table and {kind} in another"));
                    }
                };
            }
        }
        let mut rows = Vec::new();
        for table in tables {
            let places: Vec<Option<usize>> = names.iter().map(|name| table.position(Key::Name(name))).collect();
            rows.extend(table.rows.iter().map(|row| {
                places.iter().map(|place| place.and_then(|index| row.get(index)).cloned().unwrap_or(Cell::Null)).collect()
            }));
        }
        let column_types = types.into_iter().map(|kind| kind.unwrap_or(CellType::Integer)).collect();
        Ok(Self { column_names: names, column_types, rows: rows.into(), path: None })
    }
}

/// Equal for equal values; numbers of different kinds count as equal, as in Python.
fn cell_identity(cell: &Cell) -> String {
    match cell {
        Cell::Null => "0".to_string(),
        Cell::Text(text) => format!("t{text}"),
        Cell::Int(value) => format!("n{value}"),
        Cell::Decimal(value) => format!("n{}", value.normalize()),
        Cell::Float(value) => format!("n{value}"),
        other => format!("o{other}"),
    }
}

/// The type of one value; lists and structs are made JSON texts on the way.
fn flatten(cell: &mut Cell) -> Option<CellType> {
    if let Cell::List(_) | Cell::Struct(_) = cell {
        *cell = Cell::text(python_json(&cell.to_json(CellType::Object)));
    }
    Some(match cell {
        Cell::Null => return None,
        Cell::Bool(_) => CellType::Boolean,
        Cell::Int(_) => CellType::Integer,
        Cell::Decimal(_) | Cell::Float(_) => CellType::Number,
        Cell::Date(_) => CellType::Date,
        Cell::DateTime(..) => CellType::DateTime,
        _ => CellType::Text,
    })
}

fn merge_types(known: Option<CellType>, kind: Option<CellType>) -> Option<CellType> {
    match (known, kind) {
        (None, kind) => kind,
        (known, None) => known,
        (Some(known), Some(kind)) if known == kind => Some(known),
        (Some(CellType::Integer | CellType::Number), Some(CellType::Integer | CellType::Number)) => Some(CellType::Number),
        _ => Some(CellType::Text),
    }
}

/// JSON with the blanks that Python's `json.dumps` puts after `,` and `:`, and its escapes for what is not ASCII.
pub(super) fn python_json(value: &serde_json::Value) -> String {
    use serde_json::Value;
    match value {
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(python_json).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(fields) => {
            let fields: Vec<String> =
                fields.iter().map(|(name, value)| format!("{}: {}", ascii_json(name), python_json(value))).collect();
            format!("{{{}}}", fields.join(", "))
        }
        Value::String(text) => ascii_json(text),
        other => other.to_string(),
    }
}

fn ascii_json(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    if quoted.is_ascii() {
        return quoted;
    }
    let mut out = String::with_capacity(quoted.len());
    let mut units = [0; 2];
    for char in quoted.chars() {
        if char.is_ascii() {
            out.push(char);
        } else {
            for unit in char.encode_utf16(&mut units) {
                let _ = write!(out, "\\u{unit:04x}");
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use rust_decimal::Decimal;

    use super::*;

    fn table(names: &[&str], rows: Vec<Vec<Cell>>) -> Table {
        Table::from_result(names.iter().copied(), rows)
    }

    fn people() -> Table {
        table(
            &["id", "name"],
            vec![vec![Cell::Int(2), Cell::text("b")], vec![Cell::Null, Cell::text("a")], vec![Cell::Int(1), Cell::text("b")]],
        )
    }

    #[test]
    fn results_get_dbts_types() {
        let list = Cell::List(vec![Cell::Int(1), Cell::text("é")]);
        let result = table(
            &["n", "n", "l", "empty", "d", "t"],
            vec![
                vec![Cell::Int(1), Cell::Float(1.5), list, Cell::Null, Cell::Decimal(Decimal::new(15, 1)), Cell::Bool(true)],
                vec![Cell::Null, Cell::Int(1), Cell::Null, Cell::Null, Cell::Null, Cell::text("x")],
            ],
        );
        let types: Vec<&str> = result.column_types.iter().map(|kind| kind.as_str()).collect();
        assert_eq!(types, ["Integer", "Number", "Text", "Integer", "Number", "Text"]);
        assert_eq!(&*result.column_names[1], "n_2");
        assert_eq!(result.rows[0][2], Cell::text("[1, \"\\u00e9\"]"));
        assert_eq!(result.rows[0][5], Cell::text("True"));
    }

    #[test]
    fn order_puts_nulls_last_and_reversed_first() {
        let ids = |table: &Table| table.column(0).map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(ids(&people().order_by(&[0], false)), ["1", "2", "None"]);
        assert_eq!(ids(&people().order_by(&[0], true)), ["None", "2", "1"]);
    }

    #[test]
    fn groups_keep_the_order_of_first_appearance() {
        let groups = people().group_by(1);
        assert_eq!(
            groups.iter().map(|(key, table)| (key.to_string(), table.len())).collect::<Vec<_>>(),
            [("b".to_string(), 2), ("a".to_string(), 1)]
        );
        assert_eq!(people().distinct(&[1]).len(), 2);
        assert_eq!(people().distinct(&[]).len(), 3);
    }

    #[test]
    fn joins_take_matching_rows() {
        let right = table(&["key", "name"], vec![vec![Cell::Int(1), Cell::text("one")], vec![Cell::Int(9), Cell::text("nine")]]);
        let inner = people().join(&right, 0, 0, &JoinOptions { inner: true, ..JoinOptions::default() });
        assert_eq!(inner.len(), 1);
        assert_eq!(&*inner.column_names[2], "name2");
        assert_eq!(people().join(&right, 0, 0, &JoinOptions::default()).len(), 3);
        assert_eq!(people().join(&right, 0, 0, &JoinOptions { full_outer: true, ..JoinOptions::default() }).len(), 4);
    }

    #[test]
    fn merging_widens_whole_numbers_and_refuses_clashes() {
        let numbers = table(&["id"], vec![vec![Cell::Float(0.5)]]);
        let merged = Table::merge(&[&people(), &numbers]).expect("numbers fit");
        assert_eq!((merged.column_types[0], merged.len()), (CellType::Number, 4));
        let texts = table(&["id"], vec![vec![Cell::text("x")]]);
        assert!(Table::merge(&[&people(), &texts]).is_err());
    }

    #[test]
    fn columns_are_found_from_either_end() {
        assert_eq!(people().position(Key::Index(-1)), Some(1));
        assert_eq!(people().position(Key::Index(2)), None);
        assert_eq!(people().position(Key::Index(-3)), None);
        assert_eq!(people().select(&[1]).column_names.len(), 1);
        assert_eq!(&*people().exclude(&[1]).column_names[0], "id");
        assert_eq!(people().limit(1, 9, 2).len(), 1);
    }
}
