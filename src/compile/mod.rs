//! Compile: one node, at its turn, becomes its SQL, with ephemeral models as common table expressions. Materializes nothing.

pub mod adapter_object;
#[cfg(test)]
mod adapter_tests;
mod config_object;
pub mod ctes;
mod deferral;
pub mod foreign_keys;
pub mod host;
mod metric_reference;
pub mod microbatch;
mod plugins;
pub mod query_comment;
mod references;
pub mod relation_cache;
pub mod result_object;
pub mod run_context;
mod seed_file;
pub mod session;
pub mod statement;
mod test_kwargs;
pub mod unit_test;
pub mod warehouse;

use std::sync::Arc;

use indexmap::IndexMap;

use crate::artifacts;
use crate::diagnostic::{SourceText, Span};
use crate::event::Compiled;
use crate::jinja::{Error, ErrorKind, Template, Value};
use crate::manifest::{Detail, Language, Node, Overload, ResourceType, UniqueId};

pub use deferral::Deferral;
pub use host::{RuntimeHost, Scope};
pub use microbatch::Batch;
pub use run_context::{RunContext, RunOptions, RunParts};
pub use session::{Execution, Session};

/// Renders a node's code, puts the ephemeral models it refers to in, keeps the outcome for the artifacts and writes it under
/// `target/compiled`. `extra` wins over the node's own context (`results` and `schemas` in on-run-end hooks).
pub fn compile_node(
    run: &Arc<RunContext>,
    session: &Arc<Session>,
    node: &Arc<Node>,
    extra: IndexMap<String, Value>,
) -> Result<Arc<Compiled>, Error> {
    if node.resource_type == ResourceType::Seed {
        return Ok(Arc::default());
    }
    let compiled = render_node(run, session, node, extra, None)?;
    keep(run, node, compiled)
}

/// Renders a node's code (for one batch, where one is given) and puts the ephemeral models in; keeps and writes nothing.
fn render_node(
    run: &Arc<RunContext>,
    session: &Arc<Session>,
    node: &Arc<Node>,
    extra: IndexMap<String, Value>,
    batch: Option<Arc<Batch>>,
) -> Result<Compiled, Error> {
    let host_with = |extra| {
        let host = RuntimeHost::new(run, session, Scope::Node(node.clone()), extra);
        match &batch {
            Some(batch) => host.with_batch(batch.clone()),
            None => host,
        }
    };
    if node.language == Language::Python && node.resource_type == ResourceType::Model {
        return render_python(run, node, &host_with(extra));
    }
    let of_arguments = host_with(extra.clone());
    let extra = test_kwargs::add(run, &of_arguments, node, extra)?;
    let host = host_with(extra);
    let bare = run.engine.render(&template(run, node), host.shared())?;
    let overloads = render_overloads(run, node, &host)?;
    let mut used = of_arguments.ctes();
    used.extend(host.ctes());
    let mut compiled = with_ctes(run, session, &bare, &used)?;
    compiled.overloads = overloads;
    compiled.macros = of_arguments.macros().into_iter().chain(host.macros()).collect();
    Ok(compiled)
}

/// A function's overloads, each rendered as the function's own code is.
fn render_overloads(run: &RunContext, node: &Node, host: &RuntimeHost) -> Result<Vec<Arc<str>>, Error> {
    let Detail::Function(body) = &node.detail else { return Ok(Vec::new()) };
    let rendered = Overload::all(body).map(|overload| {
        let text = SourceText::new(overload.defined_in(), overload.raw_body());
        run.engine.render(&Template::whole(text), host.shared()).map(Arc::from)
    });
    rendered.collect()
}

/// A Python model: its own text as it is, and behind it what `dbt` means in there.
fn render_python(run: &RunContext, node: &Node, host: &RuntimeHost) -> Result<Compiled, Error> {
    let behind = Template::whole(SourceText::new(node.original_file_path.as_str(), "{{ py_script_postfix(model) }}"));
    let behind = run.engine.render(&behind, host.shared())?;
    let code: Arc<str> = format!("{}\n\n{behind}", node.raw_code).into();
    Ok(Compiled { bare: code.clone(), code, macros: host.macros(), ..Compiled::default() })
}

/// Keeps what a node was compiled to for the artifacts, and writes it below `target/compiled`.
fn keep(run: &RunContext, node: &Node, mut compiled: Compiled) -> Result<Arc<Compiled>, Error> {
    let path = artifacts::output_path(node);
    compiled.foreign_keys = references::foreign_keys(run, node)?;
    compiled.compiled_path = Some(shown_path(run, "compiled", &path).into());
    let compiled = Arc::new(compiled);
    run.keep_compiled(&node.unique_id, compiled.clone());
    if run.options.write_files {
        write_file(run, "compiled", &path, &compiled.code)?;
    }
    Ok(compiled)
}

/// The SQL with the CTEs of the ephemeral models that were referred to, each preceded by what it reads itself.
fn with_ctes(run: &Arc<RunContext>, session: &Arc<Session>, bare: &str, used: &[UniqueId]) -> Result<Compiled, Error> {
    let mut extra_ctes = IndexMap::new();
    if run.options.inject_ephemeral_ctes {
        for id in used {
            let Some(model) = run.manifest.nodes.get(id.as_str()) else { continue };
            let inner = match run.compiled(id.as_str()) {
                Some(done) => done,
                None => compile_node(run, session, model, IndexMap::new())?,
            };
            for (id, sql) in &inner.extra_ctes {
                extra_ctes.entry(id.clone()).or_insert_with(|| sql.clone());
            }
            extra_ctes.entry(id.clone()).or_insert_with(|| ctes::cte(&references::cte_name(&model.alias), &inner.bare));
        }
    }
    let texts: Vec<String> = extra_ctes.values().cloned().collect();
    let code = ctes::inject(bare, &texts);
    Ok(Compiled { code: code.into(), extra_ctes: extra_ctes.into_iter().collect(), bare: bare.into(), ..Compiled::default() })
}

/// The node's code with its place: in its own file where it stands there as it is, else (generic tests, hooks) as a text of
/// its own under the file's name.
fn template(run: &RunContext, node: &Node) -> Template {
    if let Some(file) = run.file(node) {
        let end = node.source_offset + node.raw_code.len();
        if file.source.text.get(node.source_offset..end) == Some(&*node.raw_code) {
            return Template { source: file.source.clone(), span: Span::new(node.source_offset, end) };
        }
    }
    Template::whole(SourceText::new(node.original_file_path.as_str(), node.raw_code.clone()))
}

/// Writes a text to `target/<kind>/<path>`, the path being a node's `<package>/<path>`.
fn write_file(run: &RunContext, kind: &str, path: &str, text: &str) -> Result<(), Error> {
    let path = run.project.target_path.join(kind).join(path);
    run.fs
        .write(&path, text.as_bytes())
        .map_err(|error| Error::new(ErrorKind::Runtime, format!("{} cannot be written: {error}", path.display())))
}

/// A written file's path as artifacts show it: `target/compiled/<package>/<path of the node>`.
fn shown_path(run: &RunContext, kind: &str, path: &str) -> String {
    let target = run.project.target_path.strip_prefix(&run.project.root).unwrap_or(&run.project.target_path);
    target.join(kind).join(path).to_string_lossy().into_owned()
}

/// Renders a text that is no node's (`show --inline`), with the ephemeral models it refers to.
pub fn compile_text(
    run: &Arc<RunContext>,
    session: &Arc<Session>,
    template: &Template,
    host: &RuntimeHost,
) -> Result<Compiled, Error> {
    let bare = run.engine.render(template, host.shared())?;
    with_ctes(run, session, &bare, &host.ctes())
}
