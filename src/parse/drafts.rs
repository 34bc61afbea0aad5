//! Source files become drafts: models, seeds, snapshots, analyses, singular tests, functions, and the on-run hooks.

use std::sync::Arc;

use indexmap::IndexSet;

use crate::diagnostic::{Diagnostic, SourceText, Span};
use crate::jinja::{self, BlockKind, Template};
use crate::manifest::{Language, ResourceType, UniqueId};
use crate::project::{self, FileKind, Package, SourceFile};

use super::capture::Captures;
use super::{Capture, CaptureNode, Draft, static_model};

/// What came of a file: drafts, and what is to be told about it. A render that failed keeps what it captured.
pub type Drafted = (Vec<Draft>, Vec<Diagnostic>);

/// The drafts of one source file; property files, macros and docs have none.
pub fn of_file(captures: &Captures, package: &Arc<Package>, file: &Arc<SourceFile>) -> Drafted {
    let kind = match file.kind {
        FileKind::Model => ResourceType::Model,
        FileKind::Analysis => ResourceType::Analysis,
        FileKind::SingularTest => ResourceType::Test,
        FileKind::Seed => ResourceType::Seed,
        FileKind::Function => ResourceType::Function,
        FileKind::Snapshot => return snapshots(captures, package, file),
        FileKind::Macro | FileKind::GenericTest | FileKind::Properties | FileKind::Docs | FileKind::Fixture | FileKind::Osi => {
            return Drafted::default();
        }
    };
    let name = file_stem(captures, &file.path);
    let path = match kind {
        ResourceType::Analysis if !captures.flag("require_corrected_analysis_fqns") => format!("analysis/{}", file.path),
        ResourceType::Test => format!("{}{name}.sql", folder(&file.path)),
        _ => file.path.to_string(),
    };
    let mut fqn = fqn_prefix(&package.name, &path);
    fqn.push(name.clone());
    let draft = Draft { fqn, path, ..new_draft(kind, name, package, file, trimmed(&file.source.text)) };
    if kind == ResourceType::Seed {
        return (vec![draft], Vec::new());
    }
    let (draft, problem) = rendered(captures, draft);
    (vec![draft], problem.into_iter().collect())
}

/// Every `{% snapshot %}` block of a file.
fn snapshots(captures: &Captures, package: &Arc<Package>, file: &Arc<SourceFile>) -> Drafted {
    let (blocks, mut diagnostics) = jinja::blocks(&file.source);
    let mut drafts = Vec::new();
    for block in blocks.into_iter().filter(|block| block.kind == BlockKind::Snapshot) {
        // Of a snapshot, the file's own name is part of its place as well.
        let mut fqn = vec![package.name.to_string()];
        fqn.extend(without_extension(&file.path).split('/').map(str::to_owned));
        fqn.push(block.name.clone());
        let draft = new_draft(ResourceType::Snapshot, block.name, package, file, block.body);
        let (draft, problem) = rendered(captures, Draft { fqn, ..draft });
        drafts.push(draft);
        diagnostics.extend(problem);
    }
    (drafts, diagnostics)
}

/// The entries of `on-run-start` and `on-run-end`.
pub fn operations(captures: &Captures, package: &Arc<Package>) -> Drafted {
    let hooks = [("on-run-start", &package.config.on_run_start), ("on-run-end", &package.config.on_run_end)];
    if hooks.iter().all(|(_, texts)| texts.is_empty()) {
        return Drafted::default();
    }
    let project_file = project_file(package);
    let mut found = Drafted::default();
    for (hook, texts) in hooks {
        for (index, text) in texts.iter().enumerate() {
            let name = format!("{}-{hook}-{index}", package.name);
            let source = SourceText::new(project_file.source.name.clone(), text.as_str());
            let whole = Span::new(0, text.len());
            let draft = Draft {
                path: format!("hooks/{name}.sql"),
                fqn: vec![package.name.to_string(), "hooks".to_owned(), name.clone()],
                raw_code: text.as_str().into(),
                operation: Some((hook, index)),
                span: Span::default(),
                ..new_draft(ResourceType::Operation, name, package, &project_file, whole)
            };
            let (capture, problem) = captures.render(&node_of(captures, &draft), &Template { source, span: whole });
            found.0.push(Draft { capture, ..draft });
            // The text stands somewhere in the project file; its own places would mislead.
            found.1.extend(problem.map(|problem| in_project_file(problem, &project_file.source, text)));
        }
    }
    found
}

/// Moves a problem of a hook's text to where that text stands in dbt_project.yml, as far as it can be found.
fn in_project_file(mut problem: Diagnostic, source: &SourceText, text: &str) -> Diagnostic {
    let start = source.text.find(text.trim()).unwrap_or_default();
    let length = if start == 0 { 0 } else { text.trim().len() };
    for label in problem.labels.iter_mut().filter(|label| label.source.name == source.name) {
        label.source = source.clone();
        label.span = Span::new(start, start + length);
    }
    problem
}

/// dbt_project.yml as the file that operations stand in.
fn project_file(package: &Package) -> Arc<SourceFile> {
    let source = package.config.source.clone().unwrap_or_else(|| SourceText::new("dbt_project.yml", ""));
    let checksum = project::checksum(&source.text);
    Arc::new(SourceFile {
        kind: FileKind::Properties,
        original_path: "./dbt_project.yml".into(),
        path: "dbt_project.yml".into(),
        search_path: ".".into(),
        source,
        checksum,
        modified: None,
        library: None,
    })
}

/// A draft with everything that follows from its file and name.
pub fn new_draft(kind: ResourceType, name: String, package: &Arc<Package>, file: &Arc<SourceFile>, span: Span) -> Draft {
    let language = match file.path.rsplit_once('.') {
        Some((_, "py")) => Language::Python,
        Some((_, "js")) => Language::Javascript,
        _ => Language::Sql,
    };
    Draft {
        unique_id: UniqueId::new(format!("{kind}.{}.{name}", package.name)),
        resource_type: kind,
        name,
        package: package.clone(),
        file: file.clone(),
        span,
        fqn: Vec::new(),
        path: file.path.to_string(),
        original_file_path: file.original_path.to_string(),
        raw_code: file.source.text.get(span.start..span.end).unwrap_or_default().into(),
        language,
        capture: Capture::default(),
        test: None,
        operation: None,
    }
}

/// Renders a draft's own text.
fn rendered(captures: &Captures, draft: Draft) -> (Draft, Option<Diagnostic>) {
    let node = node_of(captures, &draft);
    let (capture, problem) = match (draft.resource_type, draft.language) {
        (ResourceType::Model, Language::Python) => captures.read_python(&node, &draft),
        _ => captures.render(&node, &Template { source: draft.file.source.clone(), span: draft.span }),
    };
    let mut capture = with_unrendered_config(captures, &draft, capture);
    let repeats = (1..capture.sources.len()).any(|at| capture.sources[..at].contains(&capture.sources[at]));
    if repeats && draft.resource_type == ResourceType::Model && captures.reads_statically(&draft.package.name, &draft.raw_code) {
        // dbt's static parser gives each source once, its rendering as often as it was asked for.
        capture.sources = capture.sources.into_iter().collect::<IndexSet<_>>().into_iter().collect();
    }
    (Draft { capture, ..draft }, problem)
}

/// Adds the configuration as written, where dbt keeps it: not of what its static parser reads.
pub fn with_unrendered_config(captures: &Captures, draft: &Draft, capture: Capture) -> Capture {
    if capture.config_calls.is_empty() || (draft.language != Language::Sql && draft.resource_type != ResourceType::Function) {
        return capture;
    }
    let as_written = captures.flag("state_modified_compare_more_unrendered_values");
    // In the root project nothing is laid over what its models say: there it does not matter who read it.
    if !as_written && captures.is_root(&draft.package.name) {
        return capture;
    }
    if draft.resource_type == ResourceType::Model && captures.reads_statically(&draft.package.name, &draft.raw_code) {
        return Capture { read_statically: true, ..capture };
    }
    if !as_written {
        return capture;
    }
    Capture { unrendered_config_calls: static_model::unrendered_config(&draft.raw_code).into_iter().collect(), ..capture }
}

/// The draft as its own render sees it: under the target's schema and its plain name, since nothing is configured yet.
pub fn node_of(captures: &Captures, draft: &Draft) -> CaptureNode {
    CaptureNode {
        unique_id: draft.unique_id.clone(),
        resource_type: draft.resource_type,
        name: draft.name.clone(),
        package: draft.package.clone(),
        fqn: draft.fqn.clone(),
        path: draft.path.clone(),
        original_file_path: draft.original_file_path.clone(),
        raw_code: draft.raw_code.clone(),
        language: draft.language,
        relation: (draft.resource_type != ResourceType::Operation).then(|| captures.default_relation(&draft.name)),
    }
}

/// The text without white space at its ends: what dbt reads of a file.
fn trimmed(text: &str) -> Span {
    let start = text.len() - text.trim_start().len();
    Span::new(start, start + text.trim().len())
}

/// The package's name and the folders of a path.
pub fn fqn_prefix(package: &str, path: &str) -> Vec<String> {
    let folders = folder(path);
    let folders = folders.strip_suffix('/').into_iter().flat_map(|folders| folders.split('/'));
    std::iter::once(package).chain(folders).map(str::to_owned).collect()
}

/// The part up to and with the last `/`.
fn folder(path: &str) -> &str {
    path.rfind('/').map_or("", |at| &path[..=at])
}

fn without_extension(path: &str) -> &str {
    let name_start = folder(path).len();
    match path[name_start..].rfind('.') {
        Some(at) if at > 0 => &path[..name_start + at],
        _ => path,
    }
}

/// A node's name from its file: the extension taken off, and `.j2`, `.jinja`, `.jinja2` before it where the project allows them.
fn file_stem(captures: &Captures, path: &str) -> String {
    let mut path = path;
    if captures.flag("allow_jinja_file_extensions") {
        for extension in [".j2", ".jinja2", ".jinja"] {
            path = path.strip_suffix(extension).unwrap_or(path);
        }
    }
    without_extension(path)[folder(path).len()..].to_owned()
}
