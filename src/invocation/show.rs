//! show: rows of nodes, or of a query given on the command line.

use std::sync::Arc;

use indexmap::IndexMap;

use super::nodes::{self, Told};
use super::operation::{Operation, told};
use super::{Invocation, Resolved};
use crate::agate::{Indent, PrintOptions, Table};
use crate::cli::Outcome;
use crate::compile::{self, RunContext, RuntimeHost, Scope, Session};
use crate::diagnostic::{Diagnostic, SourceText};
use crate::graph::Selection;
use crate::jinja::{Args, Error, Template, Value};
use crate::manifest::{Node, ResourceType};

/// `show --select …` and `show --inline …`.
pub fn run(invocation: &Invocation, resolved: &Resolved) -> Outcome {
    if let Some(inline) = invocation.request.text("inline") {
        return show_inline(invocation, resolved, inline);
    }
    if invocation.request.list("select").is_empty() && invocation.request.text("selector").is_none() {
        let help = "for example: lineal show --select orders --limit 20";
        invocation.teller.tell(vec![Diagnostic::error("E0807", "Either --select or --inline must be passed to show").help(help)]);
        return Outcome::Unusable;
    }
    let types = nodes::narrowed(
        invocation,
        &[ResourceType::Model, ResourceType::Seed, ResourceType::Snapshot, ResourceType::Test, ResourceType::Analysis],
    );
    let Some(selection) = invocation.select(resolved, types) else { return Outcome::Unusable };
    let Some(run) = invocation.run_context(resolved, &selection) else { return Outcome::Unusable };
    let session = Session::with(&run.warehouse, "show");
    let named = invocation.request.list("select").join(" ");
    let asked =
        selection.ids.iter().filter_map(|id| run.manifest.nodes.get(id.as_str())).filter(|node| named.contains(&node.name));
    let mut outcome = Outcome::Success;
    for node in asked.cloned().collect::<Vec<_>>() {
        session.work_for(Some(&node.unique_id), node.unique_id.as_str());
        match rows(invocation, &run, &session, &node) {
            Ok(table) => tell(invocation, (&node.versioned_name(), node.unique_id.as_str()), &table, false),
            Err(error) => outcome = told(invocation, &error),
        }
    }
    outcome
}

/// Rows of one node: its query, limited by the macro `get_show_sql`; a seed's own table.
fn rows(invocation: &Invocation, run: &Arc<RunContext>, session: &Arc<Session>, node: &Arc<Node>) -> Result<Table, Error> {
    let sql = if node.resource_type == ResourceType::Seed {
        format!("select * from {}", run.relation(node))
    } else {
        compile::compile_node(run, session, node, IndexMap::new())?.code.to_string()
    };
    let host = RuntimeHost::new(run, session, Scope::Node(node.clone()), IndexMap::new());
    limited(invocation, run, session, &host, &sql)
}

fn show_inline(invocation: &Invocation, resolved: &Resolved, inline: &str) -> Outcome {
    let Some(run) = invocation.run_context(resolved, &Selection::default()) else { return Outcome::Unusable };
    let session = Session::with(&run.warehouse, "show");
    let host = RuntimeHost::new(&run, &session, Scope::Inline, IndexMap::new());
    let shown = compile::compile_text(&run, &session, &Template::whole(SourceText::new("--inline", inline)), &host)
        .and_then(|compiled| limited(invocation, &run, &session, &host, &compiled.code));
    match shown {
        Ok(table) => {
            tell(invocation, nodes::INLINE, &table, true);
            Outcome::Success
        }
        Err(error) => unparsable(invocation, error),
    }
}

/// `compile --inline …`: the query's SQL, as it would run.
pub fn compile_inline(invocation: &Invocation, resolved: &Resolved, inline: &str) -> Outcome {
    let Some(run) = invocation.run_context(resolved, &Selection::default()) else { return Outcome::Unusable };
    let session = Session::with(&run.warehouse, "compile");
    let host = RuntimeHost::new(&run, &session, Scope::Inline, IndexMap::new());
    let operation = Operation::begin(std::iter::empty());
    let compiled = compile::compile_text(&run, &session, &Template::whole(SourceText::new("--inline", inline)), &host);
    match compiled.and_then(|compiled| session.release().map(|()| compiled)) {
        Ok(compiled) => {
            nodes::tell_query(invocation, Told::Sql, nodes::INLINE, true, compiled.code.to_string());
            operation.note(invocation, resolved, compiled);
            Outcome::Success
        }
        Err(error) => unparsable(invocation, error),
    }
}

/// An inline query that does not compile: dbt's words for it come before what is wrong with it.
fn unparsable(invocation: &Invocation, mut error: Error) -> Outcome {
    if !error.database {
        error.message = format!("Error parsing inline query: {}", error.message);
    }
    told(invocation, &error)
}

fn limited(
    invocation: &Invocation,
    run: &Arc<RunContext>,
    session: &Arc<Session>,
    host: &RuntimeHost,
    sql: &str,
) -> Result<Table, Error> {
    let limit = limit(invocation);
    let limit_value = limit.map_or(crate::jinja::none(), |limit| Value::from(i64::try_from(limit).unwrap_or(i64::MAX)));
    let args = Args::new(vec![sql.into(), crate::jinja::none(), limit_value]);
    let root = run.project.root_package().name.clone();
    let sql = run.engine.call_macro(&root, "get_show_sql", args, host.shared())?;
    session.peek(&crate::jinja::text(&sql), limit.unwrap_or(NO_LIMIT))
}

/// The most rows that SQL can ask for.
const NO_LIMIT: usize = usize::MAX >> 1;

/// `--limit`: 5 unless given; a negative one is none.
fn limit(invocation: &Invocation) -> Option<usize> {
    match invocation.request.number("limit") {
        None => Some(5),
        Some(limit) => usize::try_from(limit).ok(),
    }
}

/// `show --inline-direct …`: the SQL as it is, without reading the project's models.
pub fn direct(invocation: &Invocation) -> Outcome {
    let sql = invocation.request.text("inline_direct").unwrap_or_default();
    let Some(adapter) = invocation.adapter() else { return Outcome::Unusable };
    let rows = adapter.connect("show").and_then(|mut connection| connection.query(sql, limit(invocation)));
    match rows {
        Ok((_, table)) => {
            tell(invocation, ("direct-query", "direct-query"), &table, true);
            Outcome::Success
        }
        Err(error) => {
            invocation.teller.tell(vec![super::settings::adapter_fault(&error)]);
            Outcome::Unusable
        }
    }
}

fn tell(invocation: &Invocation, of: (&str, &str), table: &Table, inline: bool) {
    let preview = if nodes::wants_json(invocation) {
        table.json_text(Indent::None)
    } else {
        table.print_table(PrintOptions { max_rows: None, ..PrintOptions::default() })
    };
    nodes::tell_query(invocation, Told::Rows, of, inline, preview);
}
