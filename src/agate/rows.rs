//! A table's rows: at hand, or in the text of a seed's file until someone looks at them.

use std::ops::Deref;
use std::sync::{Arc, OnceLock};

use super::{Cell, CsvRows};

/// Rows of cells, one as long as the other. Those of a file are made when they are looked at: loading a seed needs none.
#[derive(Debug, Clone, Default)]
pub struct Rows {
    file: Option<Arc<CsvRows>>,
    cells: OnceLock<Vec<Vec<Cell>>>,
}

impl Rows {
    pub fn len(&self) -> usize {
        self.file.as_ref().map_or_else(|| self.deref().len(), |file| file.len())
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The file that holds the same rows, if there is one.
    pub fn file(&self) -> Option<&CsvRows> {
        self.file.as_deref()
    }

    pub fn change(&mut self, change: impl FnOnce(&mut Vec<Vec<Cell>>)) {
        let mut cells = std::mem::take(self).into_cells();
        change(&mut cells);
        *self = cells.into();
    }

    fn into_cells(self) -> Vec<Vec<Cell>> {
        let file = self.file;
        self.cells.into_inner().unwrap_or_else(|| file.map_or_else(Vec::new, |file| file.cells()))
    }
}

impl Deref for Rows {
    type Target = Vec<Vec<Cell>>;

    fn deref(&self) -> &Self::Target {
        self.cells.get_or_init(|| self.file.as_ref().map_or_else(Vec::new, |file| file.cells()))
    }
}

impl From<Vec<Vec<Cell>>> for Rows {
    fn from(rows: Vec<Vec<Cell>>) -> Self {
        Self { file: None, cells: rows.into() }
    }
}

impl From<CsvRows> for Rows {
    fn from(file: CsvRows) -> Self {
        Self { file: Some(Arc::new(file)), cells: OnceLock::new() }
    }
}

impl FromIterator<Vec<Cell>> for Rows {
    fn from_iter<I: IntoIterator<Item = Vec<Cell>>>(rows: I) -> Self {
        Vec::from_iter(rows).into()
    }
}

impl<'a> IntoIterator for &'a Rows {
    type Item = &'a Vec<Cell>;
    type IntoIter = std::slice::Iter<'a, Vec<Cell>>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl PartialEq for Rows {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}
