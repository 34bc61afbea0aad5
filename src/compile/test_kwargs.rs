//! A generic test's arguments, rendered: what its test macro is called with.

use std::sync::Arc;

use indexmap::IndexMap;

use super::host::RuntimeHost;
use super::run_context::RunContext;
use crate::diagnostic::{SourceText, Span};
use crate::jinja::{self, Error, Value};
use crate::manifest::{Json, Node};

/// The name under which the arguments stand in the test's context.
pub const NAME: &str = "_dbt_generic_test_kwargs";

/// Adds a generic test's arguments to its context; other nodes' contexts stay as they are. Texts are rendered to native
/// values, all but the column's name; a text that is itself a call of `ref` and its like is one.
pub fn add(
    run: &Arc<RunContext>,
    host: &RuntimeHost,
    node: &Node,
    mut extra: IndexMap<String, Value>,
) -> Result<IndexMap<String, Value>, Error> {
    let Some(metadata) = node.test().and_then(|test| test.metadata.as_ref()) else { return Ok(extra) };
    let mut rendered = IndexMap::new();
    for (key, value) in &metadata.kwargs {
        let value = if key == "column_name" { jinja::from_json(value) } else { render(run, host, node, value)? };
        rendered.insert(key.clone(), value);
    }
    extra.insert(NAME.to_owned(), jinja::dict(rendered));
    Ok(extra)
}

fn render(run: &Arc<RunContext>, host: &RuntimeHost, node: &Node, value: &Json) -> Result<Value, Error> {
    match value {
        Json::String(text) => {
            let text = if jinja::is_bare_call(text) { format!("{{{{ {text} }}}}") } else { text.clone() };
            if !text.contains("{{") && !text.contains("{%") && !text.contains("{#") {
                return Ok(text.into());
            }
            let source = SourceText::new(node.original_file_path.as_str(), text);
            {
                let span = Span::new(0, source.text.len());
                run.engine.render_native(&source.text, &source, span, host.shared())
            }
        }
        Json::Array(items) => Ok(jinja::list(items.iter().map(|item| render(run, host, node, item)).collect::<Result<_, _>>()?)),
        Json::Object(map) => {
            let items = map.iter().map(|(key, item)| Ok((key.clone(), render(run, host, node, item)?)));
            Ok(jinja::dict(items.collect::<Result<IndexMap<_, _>, Error>>()?))
        }
        other => Ok(jinja::from_json(other)),
    }
}
