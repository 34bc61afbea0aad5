//! agate's `TableSet`: what `group_by` gives, a table for each value of a column.

use std::sync::Arc;

use super::super::super::{Args, Cx, Error, ErrorKind, Instance, Value, instance, none, text, tuple};
use super::super::no_method;
use super::{cell_value, data_type, index_of, place};
use crate::agate::{Cell, CellType, Table};

#[derive(Debug)]
struct TableSet {
    key_name: String,
    key_type: CellType,
    tables: Vec<(Cell, Arc<Table>)>,
}

/// The table's rows by the values of a column.
pub(super) fn value(table: &Table, column: usize, key_name: Option<String>) -> Value {
    let name = table.column_names.get(column).map(ToString::to_string).unwrap_or_default();
    instance(Arc::new(TableSet {
        key_name: key_name.unwrap_or(name),
        key_type: table.column_types.get(column).copied().unwrap_or(CellType::Text),
        tables: table.group_by(column).into_iter().map(|(key, table)| (key, Arc::new(table))).collect(),
    }))
}

impl TableSet {
    fn tables(&self) -> Vec<Value> {
        self.tables.iter().map(|(_, table)| super::value(table.clone())).collect()
    }

    fn keys(&self) -> Vec<Value> {
        self.tables.iter().map(|(key, _)| cell_value(key)).collect()
    }

    fn at_key(&self, key: &Value) -> Option<Value> {
        let wanted = text(key);
        self.tables.iter().find(|(key, _)| text(&cell_value(key)) == wanted).map(|(_, table)| super::value(table.clone()))
    }

    /// All tables in one, with the key as the first column.
    fn merged(&self) -> Result<Table, Error> {
        let keyed = self.tables.iter().map(|(key, table)| {
            let mut keyed = Table::clone(table);
            keyed.column_names.insert(0, self.key_name.as_str().into());
            keyed.column_types.insert(0, self.key_type);
            keyed.rows.change(|rows| rows.iter_mut().for_each(|row| row.insert(0, key.clone())));
            keyed
        });
        let keyed: Vec<Table> = keyed.collect();
        Table::merge(&keyed.iter().collect::<Vec<_>>()).map_err(|message| Error::new(ErrorKind::Runtime, message))
    }
}

impl Instance for TableSet {
    fn type_name(&self) -> &'static str {
        "TableSet"
    }

    fn attribute(&self, name: &str) -> Option<Value> {
        match name {
            "key_name" => Some(self.key_name.as_str().into()),
            "key_type" => Some(data_type(self.key_type)),
            "column_names" => {
                let table = self.tables.first().map(|(_, table)| table.clone())?;
                Some(tuple(table.column_names.iter().map(|name| Value::from(&**name)).collect()))
            }
            _ => None,
        }
    }

    fn item(&self, key: &Value) -> Option<Value> {
        match index_of(key) {
            Some(index) => self.tables().get(place(index, self.tables.len())?).cloned(),
            None => self.at_key(key).or_else(|| self.attribute(key.as_str()?)),
        }
    }

    fn methods(&self) -> &'static [&'static str] {
        &["keys", "values", "items", "get", "merge"]
    }

    fn call_method(&self, _: &mut Cx<'_>, name: &str, args: Args) -> Result<Value, Error> {
        Ok(match name {
            "keys" => tuple(self.keys()),
            "values" => tuple(self.tables()),
            "items" => tuple(self.keys().into_iter().zip(self.tables()).map(|(key, table)| tuple(vec![key, table])).collect()),
            "get" => {
                let found = args.get(0, "key").and_then(|key| self.at_key(key));
                found.or_else(|| args.get(1, "default").cloned()).unwrap_or_else(none)
            }
            "merge" => super::value(self.merged()?),
            _ => return Err(no_method("TableSet", name)),
        })
    }

    fn text(&self) -> String {
        let rows = self.tables.iter().map(|(key, table)| vec![Cell::text(key.to_string()), Cell::text(table.len().to_string())]);
        Table::from_result(["table", "rows"].into_iter(), rows.collect()).print_table(crate::agate::PrintOptions::default())
    }

    fn repr(&self) -> String {
        "<agate.TableSet>".to_string()
    }

    fn truthy(&self) -> bool {
        !self.tables.is_empty()
    }

    fn is_iterable(&self) -> bool {
        true
    }

    fn items(&self) -> Option<Vec<Value>> {
        Some(self.tables())
    }
}
