//! What is known to stand in the warehouse: filled once a schema, kept right by the macros' own creates, renames and drops.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use indexmap::IndexMap;

use crate::agate::{Cell, Table};
use crate::manifest::{Dialect, Relation, RelationType};

/// Database and schema in lower case: names that differ by case only are one, as in dbt.
type SchemaKey = (Option<String>, String);

/// One cache a run, shared by all threads.
#[derive(Debug, Default)]
pub struct RelationCache(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    listed: HashSet<SchemaKey>,
    relations: HashMap<SchemaKey, IndexMap<String, Relation>>,
    /// Relation → the views that read it, which a `drop … cascade` takes along.
    readers: HashMap<(SchemaKey, String), Vec<(SchemaKey, String)>>,
}

fn lowered(text: Option<&str>) -> Option<String> {
    text.map(str::to_lowercase)
}

fn schema_key(database: Option<&str>, schema: Option<&str>) -> SchemaKey {
    (lowered(database), schema.unwrap_or_default().to_lowercase())
}

fn key_of(relation: &Relation) -> (SchemaKey, String) {
    let identifier = relation.identifier.as_deref().unwrap_or_default().to_lowercase();
    (schema_key(relation.database.as_deref(), relation.schema.as_deref()), identifier)
}

impl Known {
    /// Puts a relation in unless one of that name is there.
    fn add(&mut self, relation: Relation) {
        let (schema, identifier) = key_of(&relation);
        self.listed.insert(schema.clone());
        self.relations.entry(schema).or_default().entry(identifier).or_insert(relation);
    }

    fn remove(&mut self, relation: &Relation) -> Option<Relation> {
        let (schema, identifier) = key_of(relation);
        self.relations.get_mut(&schema)?.shift_remove(&identifier)
    }
}

impl Known {
    /// A relation that got another name reads and is read under that one.
    fn rename_links(&mut self, from: &(SchemaKey, String), to: &(SchemaKey, String)) {
        if let Some(readers) = self.readers.remove(from) {
            self.readers.insert(to.clone(), readers);
        }
        for reader in self.readers.values_mut().flatten().filter(|reader| *reader == from) {
            reader.clone_from(to);
        }
    }
}

impl RelationCache {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has the schema been listed (or something put into it)?
    pub fn has_schema(&self, database: Option<&str>, schema: &str) -> bool {
        self.known().listed.contains(&schema_key(database, Some(schema)))
    }

    /// Takes what `list_relations_without_caching` gave for a schema: rows of database, name, schema, type.
    pub fn fill(&self, schema: &Relation, rows: &Table) {
        let relations = listed(rows, schema.dialect);
        let mut known = self.known();
        known.listed.insert(schema_key(schema.database.as_deref(), schema.schema.as_deref()));
        for relation in relations {
            known.add(relation);
        }
    }

    /// A relation was made. One that is known already stays as it is.
    pub fn add(&self, relation: Relation) {
        self.known().add(relation);
    }

    /// A relation was dropped, with all that reads it; an unknown one is no fault.
    pub fn remove(&self, relation: &Relation) {
        let mut known = self.known();
        let mut gone = vec![key_of(relation)];
        while let Some(key) = gone.pop() {
            gone.extend(known.readers.remove(&key).unwrap_or_default());
            if let Some(relations) = known.relations.get_mut(&key.0) {
                relations.shift_remove(&key.1);
            }
            for readers in known.readers.values_mut() {
                readers.retain(|reader| *reader != key);
            }
        }
    }

    /// A view reads a relation. Only relations of schemas that are known count.
    pub fn link(&self, read: &Relation, reader: &Relation) {
        let mut known = self.known();
        let (read, of_reader) = (key_of(read), key_of(reader));
        if !known.listed.contains(&read.0) {
            return;
        }
        if !known.listed.contains(&of_reader.0) {
            known.add(Relation { kind: Some(RelationType::External), ..reader.clone() });
        }
        known.readers.entry(read).or_default().push(of_reader);
    }

    /// A schema was dropped with all that is in it.
    pub fn drop_schema(&self, database: Option<&str>, schema: Option<&str>) {
        let key = schema_key(database, schema);
        let mut known = self.known();
        known.relations.remove(&key);
        known.listed.remove(&key);
    }

    /// A relation got another name. An unknown one (a temporary table) is known under the new name from then on.
    ///
    /// # Errors
    /// The new name is taken: dbt's sign that two truncated names collide.
    pub fn rename(&self, from: &Relation, to: &Relation) -> Result<(), String> {
        let mut known = self.known();
        let (schema, identifier) = key_of(to);
        if known.relations.get(&schema).is_some_and(|relations| relations.contains_key(&identifier)) {
            return Err(format!("While renaming {from} to {to}: a relation of that name is already there"));
        }
        known.rename_links(&key_of(from), &key_of(to));
        let renamed = match known.remove(from) {
            Some(mut relation) => {
                relation.database.clone_from(&to.database);
                relation.schema.clone_from(&to.schema);
                relation.identifier.clone_from(&to.identifier);
                relation
            }
            None => to.clone(),
        };
        known.add(renamed);
        Ok(())
    }

    /// All that is known of a schema, in the order it was found.
    pub fn list(&self, database: Option<&str>, schema: &str) -> Vec<Relation> {
        let known = self.known();
        let relations = known.relations.get(&schema_key(database, Some(schema)));
        relations.map(|relations| relations.values().cloned().collect()).unwrap_or_default()
    }

    /// The relation of that name, whatever its case; a fast way for the usual question.
    pub fn get(&self, database: Option<&str>, schema: &str, identifier: &str) -> Option<Relation> {
        let known = self.known();
        known.relations.get(&schema_key(database, Some(schema)))?.get(&identifier.to_lowercase()).cloned()
    }

    pub fn clear(&self) {
        *self.known() = Known::default();
    }
}

/// Relations out of rows of database, name, schema, type; a type that dbt does not know is `external`.
pub fn listed(rows: &Table, dialect: Dialect) -> Vec<Relation> {
    let text = |row: &[Cell], index: usize| row.get(index).filter(|cell| !cell.is_null()).map(ToString::to_string);
    let read = |row: &Vec<Cell>| Relation {
        database: text(row, 0).map(Into::into),
        identifier: text(row, 1).map(Into::into),
        schema: text(row, 2).map(Into::into),
        kind: Some(text(row, 3).and_then(|kind| RelationType::parse(&kind)).unwrap_or(RelationType::External)),
        dialect,
        ..Relation::default()
    };
    rows.rows.iter().map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn relation(name: &str) -> Relation {
        Relation { kind: Some(RelationType::Table), ..Relation::new(Some("db"), "main", name) }
    }

    fn names(cache: &RelationCache) -> Vec<String> {
        cache.list(Some("DB"), "MAIN").iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_listed_schema_is_known_even_when_empty() {
        let cache = RelationCache::default();
        assert!(!cache.has_schema(Some("db"), "main"));
        cache.fill(&relation("ignored"), &Table::default());
        assert!(cache.has_schema(Some("Db"), "Main"));
        assert!(names(&cache).is_empty());
    }

    #[test]
    fn rows_become_relations_with_their_type() {
        let row = |name: &str, kind: &str| ["db", name, "main", kind].map(Cell::text).to_vec();
        let rows =
            Table::from_result(["database", "name", "schema", "type"].into_iter(), vec![row("a", "view"), row("b", "odd")]);
        let cache = RelationCache::default();
        cache.fill(&relation("ignored"), &rows);
        let kinds: Vec<_> = cache.list(Some("db"), "main").into_iter().map(|relation| relation.kind).collect();
        assert_eq!(kinds, [Some(RelationType::View), Some(RelationType::External)]);
    }

    #[test]
    fn swapping_by_rename_keeps_names_and_types_right() {
        let cache = RelationCache::default();
        cache.add(Relation { kind: Some(RelationType::View), ..relation("t") });
        cache.rename(&relation("t"), &relation("t__backup")).expect("a free name");
        cache.rename(&relation("t__tmp"), &relation("t")).expect("a free name");
        cache.remove(&relation("t__backup"));
        cache.remove(&relation("never_there"));
        assert_eq!(names(&cache), ["\"db\".\"main\".\"t\""]);
        assert_eq!(cache.get(Some("db"), "main", "T").and_then(|relation| relation.kind), Some(RelationType::Table));
        cache.add(relation("u"));
        assert!(cache.rename(&relation("u"), &relation("t")).is_err());
    }

    #[test]
    fn a_dropped_schema_has_to_be_listed_again() {
        let cache = RelationCache::default();
        cache.add(relation("a"));
        cache.drop_schema(Some("db"), Some("main"));
        assert!(!cache.has_schema(Some("db"), "main") && names(&cache).is_empty());
    }
}
