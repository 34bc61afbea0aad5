//! What is known to stand in the warehouse: filled once a schema, kept right by the macros' own creates, renames and drops.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::ThreadId;

use indexmap::IndexMap;

use crate::agate::{Cell, Table};
use crate::manifest::{Dialect, Relation, RelationType};

/// Database and schema in lower case: names that differ by case only are one, as in dbt.
type SchemaKey = (Option<String>, String);

/// One cache a run, shared by all threads.
#[derive(Debug, Default)]
pub struct RelationCache(Mutex<Known>);

/// Schema and name.
type Key = (SchemaKey, String);

#[derive(Debug, Default)]
struct Known {
    listed: HashSet<SchemaKey>,
    relations: HashMap<SchemaKey, IndexMap<String, Relation>>,
    /// Relation → the views that read it, which a `drop … cascade` takes along.
    readers: HashMap<Key, Vec<Key>>,
    /// What each thread changed since it began to take notes, with what was there before.
    notes: HashMap<ThreadId, Vec<Note>>,
}

#[derive(Debug)]
enum Note {
    Relation(Key, Option<Relation>),
    Readers(Key, Option<Vec<Key>>),
}

fn lowered(text: Option<&str>) -> Option<String> {
    text.map(str::to_lowercase)
}

fn schema_key(database: Option<&str>, schema: Option<&str>) -> SchemaKey {
    (lowered(database), schema.unwrap_or_default().to_lowercase())
}

fn key_of(relation: &Relation) -> Key {
    let identifier = relation.identifier.as_deref().unwrap_or_default().to_lowercase();
    (schema_key(relation.database.as_deref(), relation.schema.as_deref()), identifier)
}

impl Known {
    /// Puts a relation in unless one of that name is there.
    fn add(&mut self, relation: Relation) {
        let key = key_of(&relation);
        self.listed.insert(key.0.clone());
        if self.relations.get(&key.0).is_none_or(|relations| !relations.contains_key(&key.1)) {
            self.note(Note::Relation(key.clone(), None));
            self.relations.entry(key.0).or_default().insert(key.1, relation);
        }
    }

    fn remove(&mut self, key: &Key) -> Option<Relation> {
        let removed = self.relations.get_mut(&key.0)?.shift_remove(&key.1);
        self.note(Note::Relation(key.clone(), removed.clone()));
        removed
    }

    fn set_readers(&mut self, key: &Key, readers: Option<Vec<Key>>) -> Option<Vec<Key>> {
        let before = match readers {
            Some(readers) => self.readers.insert(key.clone(), readers),
            None => self.readers.remove(key),
        };
        self.note(Note::Readers(key.clone(), before.clone()));
        before
    }

    fn note(&mut self, note: Note) {
        if let Some(notes) = self.notes.get_mut(&std::thread::current().id()) {
            notes.push(note);
        }
    }

    /// Nothing is read by that one any more.
    fn forget_reader(&mut self, gone: &Key) {
        let reads = |(_, readers): &(&Key, &Vec<Key>)| readers.contains(gone);
        let read: Vec<Key> = self.readers.iter().filter(reads).map(|(key, _)| key.clone()).collect();
        for key in read {
            let left = self.readers.get(&key).into_iter().flatten().filter(|reader| *reader != gone).cloned().collect();
            self.set_readers(&key, Some(left));
        }
    }

    /// A relation that got another name reads and is read under that one.
    fn rename_links(&mut self, from: &Key, to: &Key) {
        if let Some(readers) = self.set_readers(from, None) {
            self.set_readers(to, Some(readers));
        }
        let reads = |(_, readers): &(&Key, &Vec<Key>)| readers.contains(from);
        let read: Vec<Key> = self.readers.iter().filter(reads).map(|(key, _)| key.clone()).collect();
        for key in read {
            let renamed = |reader: &Key| if reader == from { to.clone() } else { reader.clone() };
            let readers = self.readers.get(&key).into_iter().flatten().map(renamed).collect();
            self.set_readers(&key, Some(readers));
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
            gone.extend(known.set_readers(&key, None).unwrap_or_default());
            known.remove(&key);
            known.forget_reader(&key);
        }
    }

    /// A relation took the place and the readers of another one, which was dropped; so were those readers that are `gone`.
    pub fn replace(&self, old: &Relation, new: &Relation, gone: &[Relation]) {
        let mut known = self.known();
        let (old, new) = (key_of(old), key_of(new));
        if let Some(readers) = known.set_readers(&old, None) {
            known.set_readers(&new, Some(readers));
        }
        for key in gone.iter().map(key_of).chain([old]) {
            known.set_readers(&key, None);
            known.remove(&key);
            known.forget_reader(&key);
        }
    }

    /// From now on the calling thread's changes are noted, until it asks again, to be taken back.
    pub fn note_changes(&self) {
        self.known().notes.insert(std::thread::current().id(), Vec::new());
    }

    /// Takes back what the calling thread changed since: the warehouse kept nothing of it.
    pub fn undo_changes(&self) {
        let mut known = self.known();
        for note in known.notes.remove(&std::thread::current().id()).unwrap_or_default().into_iter().rev() {
            match note {
                Note::Relation(key, before) => {
                    let relations = known.relations.entry(key.0).or_default();
                    match before {
                        Some(relation) => relations.insert(key.1, relation),
                        None => relations.shift_remove(&key.1),
                    };
                }
                Note::Readers(key, Some(readers)) => {
                    known.readers.insert(key, readers);
                }
                Note::Readers(key, None) => {
                    known.readers.remove(&key);
                }
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
        let mut readers = known.readers.get(&read).cloned().unwrap_or_default();
        readers.push(of_reader);
        known.set_readers(&read, Some(readers));
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
        let renamed = match known.remove(&key_of(from)) {
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
    fn the_readers_of_a_replaced_relation_read_the_new_one() {
        let cache = RelationCache::default();
        for name in ["t", "reader", "lost"] {
            cache.add(relation(name));
        }
        cache.link(&relation("t"), &relation("reader"));
        cache.link(&relation("t"), &relation("lost"));
        cache.rename(&relation("t"), &relation("t__backup")).expect("a free name");
        cache.rename(&relation("t__tmp"), &relation("t")).expect("a free name");
        cache.replace(&relation("t__backup"), &relation("t"), &[relation("lost")]);
        assert_eq!(names(&cache), ["\"db\".\"main\".\"reader\"", "\"db\".\"main\".\"t\""]);
        cache.remove(&relation("t"));
        assert!(names(&cache).is_empty());
    }

    #[test]
    fn changes_are_taken_back() {
        let cache = RelationCache::default();
        for name in ["t", "reader", "other"] {
            cache.add(relation(name));
        }
        cache.link(&relation("t"), &relation("reader"));
        cache.note_changes();
        cache.rename(&relation("t"), &relation("t__backup")).expect("a free name");
        cache.add(relation("t"));
        cache.remove(&relation("t__backup"));
        assert_eq!(names(&cache), ["\"db\".\"main\".\"other\"", "\"db\".\"main\".\"t\""]);
        cache.undo_changes();
        let mut left = names(&cache);
        left.sort();
        assert_eq!(left, ["other", "reader", "t"].map(|name| format!("\"db\".\"main\".\"{name}\"")));
        cache.remove(&relation("t"));
        assert_eq!(names(&cache), ["\"db\".\"main\".\"other\""]);
    }

    #[test]
    fn a_dropped_schema_has_to_be_listed_again() {
        let cache = RelationCache::default();
        cache.add(relation("a"));
        cache.drop_schema(Some("db"), Some("main"));
        assert!(!cache.has_schema(Some("db"), "main") && names(&cache).is_empty());
    }
}
