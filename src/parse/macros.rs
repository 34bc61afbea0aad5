//! The registry of macros of all packages, and which macros each of them calls.

use std::collections::HashMap;
use std::sync::Arc;

use indexmap::IndexMap;
use rayon::prelude::*;

use crate::diagnostic::Diagnostic;
use crate::jinja::{self, Block, BlockKind, StaticCall};
use crate::manifest::{Config, Docs, JsonMap, Macro, MacroArgument, MacroKind, MacroRegistry, UniqueId};
use crate::project::{self, FileKind, LibraryBlock, Package, Project, SourceFile};

/// A macro, and the calls in its text.
type Found = (Macro, Vec<StaticCall>);

/// Reads the macro files of all packages. Two macros of one name in one package are an error that shows both.
pub fn registry(project: &Project, now: f64) -> (MacroRegistry, Vec<Diagnostic>) {
    let files: Vec<(&Arc<Package>, &Arc<SourceFile>)> = project
        .packages
        .iter()
        .flat_map(|package| package.files.iter().map(move |file| (package, file)))
        .filter(|(_, file)| matches!(file.kind, FileKind::Macro | FileKind::GenericTest))
        .collect();
    let read: Vec<(Vec<Found>, Vec<Diagnostic>)> =
        files.par_iter().map(|(package, file)| macros_of_file(package, file, now)).collect();

    let mut diagnostics = Vec::new();
    let mut packages: IndexMap<Arc<str>, IndexMap<String, Arc<Macro>>> =
        project.packages.iter().map(|package| (package.name.clone(), IndexMap::new())).collect();
    let mut calls: HashMap<UniqueId, Vec<StaticCall>> = HashMap::with_capacity(read.iter().map(|(macros, _)| macros.len()).sum());
    for (macros, problems) in read {
        diagnostics.extend(problems);
        if let Some(known) = macros.first().and_then(|(first, _)| packages.get_mut(&first.package_name)) {
            known.reserve(macros.len());
        }
        for (found, called) in macros {
            let Some(known) = packages.get_mut(&found.package_name) else { continue };
            if let Some(first) = known.get(&found.name) {
                diagnostics.push(duplicate(first, &found));
                continue;
            }
            calls.insert(found.unique_id.clone(), called);
            known.insert(found.name.clone(), Arc::new(found));
        }
    }
    let registry = MacroRegistry {
        root: project.root_package().name.clone(),
        internal: project::namespaces(&project.profile.adapter).into_iter().map(Into::into).collect(),
        packages,
    };
    (with_dependencies(project, registry, &calls), diagnostics)
}

fn duplicate(first: &Macro, second: &Macro) -> Diagnostic {
    let message = format!(
        "dbt found multiple macros named \"{}\" in the project: the package '{}' has two",
        first.name, first.package_name
    );
    Diagnostic::error("E0310", message)
        .at(&second.source, second.span)
        .at_with(&first.source, first.span, "the other one")
        .help("rename or remove one of them")
}

/// The macros of a file, each with the calls in its text.
fn macros_of_file(package: &Package, file: &SourceFile, now: f64) -> (Vec<Found>, Vec<Diagnostic>) {
    if let Some(library) = file.library {
        let with_calls = |block: &LibraryBlock| Some((macro_of_block(package, file, block.block(), now)?, block.calls()));
        return (library.iter().filter_map(with_calls).collect(), Vec::new());
    }
    let (blocks, diagnostics) = jinja::blocks(&file.source);
    let only_tests = file.kind == FileKind::GenericTest;
    let macros = blocks
        .into_iter()
        .filter(|block| !only_tests || matches!(block.kind, BlockKind::Test { .. }))
        .filter_map(|block| macro_of_block(package, file, block, now))
        .map(|found| {
            let calls = jinja::macro_calls(found.macro_sql());
            (found, calls)
        })
        .collect();
    (macros, diagnostics)
}

/// None for blocks that define no macro.
fn macro_of_block(package: &Package, file: &SourceFile, block: Block, now: f64) -> Option<Macro> {
    let (name, kind, signature) = match block.kind {
        BlockKind::Macro { signature } => (block.name, MacroKind::Macro, signature),
        BlockKind::Test { signature } => (format!("test_{}", block.name), MacroKind::Test, signature),
        BlockKind::Materialization { adapter, supported_languages } => {
            let name = format!("materialization_{}_{adapter}", block.name);
            (name, MacroKind::Materialization { adapter, supported_languages }, Vec::new())
        }
        BlockKind::Snapshot | BlockKind::Docs => return None,
    };
    // dbt documents the signature of macros, not of tests in their own folder.
    let documented = file.kind == FileKind::Macro;
    let argument = |argument: &MacroArgument| MacroArgument { name: argument.name.clone(), ..MacroArgument::default() };
    Some(Macro {
        unique_id: UniqueId::new(format!("macro.{}.{name}", package.name)),
        package_name: package.name.clone(),
        name,
        kind,
        original_file_path: file.original_path.clone(),
        source: file.source.clone(),
        span: block.span,
        arguments: if documented { signature.iter().map(argument).collect() } else { Vec::new() },
        signature,
        depends_on: Vec::new(),
        description: String::new(),
        meta: JsonMap::new(),
        docs: Docs::default(),
        config: Config::default(),
        patch_path: None,
        created_at: now,
    })
}

/// Which macro a name means where dbt looks without a node: for a macro's dependencies, and for the macro behind a test.
/// Unlike a node's own lookup, this finds macros of every installed package by their plain name.
pub struct MacroResolver {
    registry: Arc<MacroRegistry>,
    /// Root before installed packages (the last of them first) before built-in ones.
    by_name: HashMap<String, Arc<Macro>>,
}

impl MacroResolver {
    pub fn new(registry: Arc<MacroRegistry>) -> Self {
        let by_name = macros_by_name(&registry);
        Self { registry, by_name }
    }

    /// A name as code of `package` means it: its own macro first.
    pub fn find(&self, package: &str, name: &str) -> Option<&Arc<Macro>> {
        self.registry.in_package(package, name).or_else(|| self.by_name.get(name))
    }

    pub fn by_id(&self, id: &UniqueId) -> Option<&Arc<Macro>> {
        self.registry.by_id(id.as_str())
    }

    /// A name that belongs to no package's code.
    pub fn by_plain_name(&self, name: &str) -> Option<&Arc<Macro>> {
        self.by_name.get(name)
    }

    /// The macro that `adapter.dispatch(name, namespace)` comes to.
    fn dispatched(&self, project: &Project, name: &str, namespace: Option<&str>) -> Option<&Arc<Macro>> {
        let prefixes = [&*project.profile.adapter, "default"];
        for package in search_packages(project, namespace) {
            for prefix in prefixes {
                let candidate = format!("{prefix}__{name}");
                let found = match &package {
                    None => self.by_name.get(&candidate),
                    Some(package) if package == "dbt" => {
                        self.registry.internal.iter().find_map(|internal| self.registry.in_package(internal, &candidate))
                    }
                    Some(package) => self.registry.in_package(package, &candidate),
                };
                if found.is_some() {
                    return found;
                }
            }
        }
        None
    }
}

fn macros_by_name(registry: &MacroRegistry) -> HashMap<String, Arc<Macro>> {
    let installed = registry.packages.keys().filter(|name| !registry.internal.contains(name) && **name != registry.root);
    let order = registry.internal.iter().rev().chain(installed).chain([&registry.root]);
    let mut by_name = HashMap::with_capacity(registry.all().count());
    for found in order.filter_map(|package| registry.packages.get(package)).flat_map(IndexMap::values) {
        by_name.insert(found.name.clone(), found.clone());
    }
    by_name
}

/// The packages a dispatch looks in, in order; None stands for every package by dbt's own order.
pub fn search_packages(project: &Project, namespace: Option<&str>) -> Vec<Option<String>> {
    let Some(namespace) = namespace else { return vec![None] };
    let root = project.root_package();
    if let Some((_, order)) = root.config.dispatch.iter().find(|(name, _)| name == namespace) {
        return order.iter().cloned().map(Some).collect();
    }
    if project.package(namespace).is_some() {
        return vec![Some(root.name.to_string()), Some(namespace.to_owned())];
    }
    vec![None]
}

fn with_dependencies(project: &Project, registry: MacroRegistry, calls: &HashMap<UniqueId, Vec<StaticCall>>) -> MacroRegistry {
    let resolver = MacroResolver::new(Arc::new(registry));
    let called = |found: &Macro| calls.get(&found.unique_id).map_or(&[][..], Vec::as_slice);
    let all = resolver.registry.all();
    let depends_on: Vec<_> = all.map(|found| dependencies(project, &resolver, found, called(found))).collect();
    let MacroResolver { registry, by_name } = resolver;
    // Each macro has one owner again: nothing is copied from here on.
    drop(by_name);
    let mut registry = Arc::unwrap_or_clone(registry);
    let all = registry.packages.values_mut().flat_map(IndexMap::values_mut);
    for (found, depends_on) in all.zip(depends_on) {
        Arc::make_mut(found).depends_on = depends_on;
    }
    registry
}

/// The macros that a macro's text calls by name or through dispatch, each once, in order of appearance.
fn dependencies(project: &Project, resolver: &MacroResolver, of: &Macro, calls: &[StaticCall]) -> Vec<UniqueId> {
    let mut found: Vec<UniqueId> = Vec::new();
    let mut add = |macro_: Option<&Arc<Macro>>| {
        if let Some(macro_) = macro_
            && !found.contains(&macro_.unique_id)
        {
            found.push(macro_.unique_id.clone());
        }
    };
    for StaticCall { package, name, dispatch } in calls {
        let known = *name == of.name || is_context_name(name);
        match package {
            Some(package) if !dispatch => add(resolver.find(package, name)),
            namespace => {
                if !known {
                    add(resolver.find(&of.package_name, name));
                }
                if *dispatch {
                    add(resolver.dispatched(project, name, namespace.as_deref()));
                }
            }
        }
    }
    found
}

/// Names of dbt's general context: a call of one is never taken for a call of a macro.
fn is_context_name(name: &str) -> bool {
    const NAMES: [&str; 33] = [
        "ref",
        "source",
        "config",
        "var",
        "env_var",
        "return",
        "fromjson",
        "tojson",
        "fromyaml",
        "toyaml",
        "set",
        "set_strict",
        "zip",
        "zip_strict",
        "log",
        "run_started_at",
        "invocation_id",
        "thread_id",
        "modules",
        "flags",
        "print",
        "diff_of_two_dicts",
        "local_md5",
        "dbt_version",
        "target",
        "builtins",
        "context",
        "project_name",
        "try_or_compiler_error",
        "otel_trace_id",
        "otel_span_id",
        "debug",
        "dbt_metadata_envs",
    ];
    NAMES.contains(&name)
}
