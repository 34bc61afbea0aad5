//! Relationships between tables: from relationships tests and foreign keys.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::docs::site::Site;

/// So many are written into the page itself; the graph has all.
const ROWS: usize = 300;

/// One relationship as the page's table says it.
#[derive(Serialize)]
pub(super) struct Row {
    from: String,
    from_url: String,
    from_column: String,
    to: String,
    to_url: String,
    to_column: String,
    known: &'static str,
}

/// The rows of the page, and how many more there are.
pub(super) fn rows(site: &Site) -> (Vec<Row>, usize) {
    let rows = site.relationships.iter().take(ROWS).map(|relation| {
        let (from, to) = (&site.nodes[relation.from], &site.nodes[relation.to]);
        Row {
            from: from.name.clone(),
            from_url: from.url.clone(),
            from_column: relation.from_column.clone(),
            to: to.name.clone(),
            to_url: to.url.clone(),
            to_column: relation.to_column.clone(),
            known: match (relation.enforced, relation.test) {
                (true, Some(_)) => "foreign key and test",
                (true, None) => "foreign key",
                (false, _) => "test",
            },
        }
    });
    (rows.collect(), site.relationships.len().saturating_sub(ROWS))
}

#[derive(Serialize)]
struct Relation<'a> {
    from: usize,
    from_column: &'a str,
    to: usize,
    to_column: &'a str,
    enforced: bool,
}

#[derive(Serialize)]
struct Table<'a> {
    node: usize,
    columns: Vec<Key<'a>>,
    /// How many other columns it has.
    more: usize,
}

#[derive(Serialize, Clone, Copy)]
struct Key<'a> {
    name: &'a str,
    primary: bool,
    foreign: bool,
}

#[derive(Serialize)]
struct Tables<'a> {
    relations: Vec<Relation<'a>>,
    tables: Vec<Table<'a>>,
}

/// What `data/erd.js` holds: JSON of the relationships and the tables with their key columns.
pub(super) fn tables(site: &Site) -> Vec<u8> {
    let relations = site.relationships.iter().map(|relation| Relation {
        from: relation.from,
        from_column: &relation.from_column,
        to: relation.to,
        to_column: &relation.to_column,
        enforced: relation.enforced,
    });
    let mut keys: BTreeMap<usize, Vec<Key>> = BTreeMap::new();
    for relation in &site.relationships {
        note(keys.entry(relation.to).or_default(), Key { name: &relation.to_column, primary: false, foreign: false });
        note(keys.entry(relation.from).or_default(), Key { name: &relation.from_column, primary: false, foreign: true });
    }
    let tables = keys.into_iter().map(|(node, mut columns)| {
        let all = &site.nodes[node].columns;
        for column in all.iter().filter(|column| column.primary) {
            note(&mut columns, Key { name: &column.name, primary: true, foreign: false });
        }
        columns.sort_by_key(|key| !key.primary);
        let more = all.iter().filter(|column| columns.iter().all(|key| !key.name.eq_ignore_ascii_case(&column.name))).count();
        Table { node, columns, more }
    });
    serde_json::to_vec(&Tables { relations: relations.collect(), tables: tables.collect() }).unwrap_or_default()
}

fn note<'a>(columns: &mut Vec<Key<'a>>, new: Key<'a>) {
    match columns.iter_mut().find(|known| known.name.eq_ignore_ascii_case(new.name)) {
        Some(known) => {
            known.primary |= new.primary;
            known.foreign |= new.foreign;
        }
        None => columns.push(new),
    }
}
