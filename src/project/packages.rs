//! Packages: what packages.yml or dependencies.yml asks for, and what is installed.

use std::path::{Path, PathBuf};

use super::PROJECT_FILE;
use super::context::BaseContext;
use super::render::render_yaml;
use crate::diagnostic::{Diagnostic, SourceText, Span, nearest};
use crate::fs::FileSystem;
use crate::manifest::{Json, JsonMap};
use crate::yaml::{self, Kind, Reader, Yaml};

pub const PACKAGES_FILE: &str = "packages.yml";
pub const DEPENDENCIES_FILE: &str = "dependencies.yml";
pub const LOCK_FILE: &str = "package-lock.yml";

/// Where a package comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A folder, as written.
    Local(String),
    Hub(String),
    Git(String),
    Tarball(String),
    Private(String),
}

impl Origin {
    /// The key under which it is written.
    pub fn key(&self) -> &'static str {
        match self {
            Self::Local(_) => "local",
            Self::Hub(_) => "package",
            Self::Git(_) => "git",
            Self::Tarball(_) => "tarball",
            Self::Private(_) => "private",
        }
    }

    /// The folder, name or address.
    pub fn text(&self) -> &str {
        match self {
            Self::Local(text) | Self::Hub(text) | Self::Git(text) | Self::Tarball(text) | Self::Private(text) => text,
        }
    }
}

/// One entry of a package file.
#[derive(Debug, Clone)]
pub struct PackageSpec {
    pub origin: Origin,
    /// `name`, where the entry gives one (lock files do).
    pub name: Option<String>,
    /// All keys, rendered.
    pub rendered: JsonMap,
    /// All keys as written.
    pub unrendered: JsonMap,
    pub source: SourceText,
    pub span: Span,
}

impl PackageSpec {
    /// A key's text; numbers as Python writes them.
    pub fn text(&self, key: &str) -> Option<String> {
        self.rendered.get(key).and_then(plain)
    }

    /// The text of a key, or of each item of its list.
    pub fn texts(&self, key: &str) -> Vec<String> {
        match self.rendered.get(key) {
            Some(Json::Array(items)) => items.iter().filter_map(plain).collect(),
            one => one.and_then(plain).into_iter().collect(),
        }
    }

    /// The folder, name or address before rendering: what a lock file says.
    pub fn written(&self) -> String {
        let written = self.unrendered.get(self.origin.key()).and_then(plain);
        written.unwrap_or_else(|| self.origin.text().to_owned())
    }
}

fn plain(value: &Json) -> Option<String> {
    match value {
        Json::String(text) => Some(text.clone()),
        Json::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// A project file beside dbt_project.yml: its YAML, where it is there and not empty.
pub(super) fn yaml_file(
    fs: &dyn FileSystem,
    root: &Path,
    name: &str,
    prefix: &str,
    diagnostics: &mut Vec<Diagnostic>,
) -> Option<(SourceText, Yaml)> {
    let path = root.join(name);
    if !fs.exists(&path) {
        return None;
    }
    let shown = format!("{prefix}{name}");
    let text = match fs.read(&path).map(String::from_utf8) {
        Ok(Ok(text)) => text,
        Ok(Err(_)) => {
            diagnostics.push(Diagnostic::error("E0121", format!("{shown} is not UTF-8 text")).help("save the file as UTF-8"));
            return None;
        }
        Err(error) => {
            diagnostics.push(Diagnostic::error("E0120", format!("{shown} cannot be read: {error}")));
            return None;
        }
    };
    let source = SourceText::new(shown, text);
    let (yaml, said) = yaml::read(&source);
    diagnostics.extend(said);
    yaml.filter(|yaml| !yaml.is_null()).map(|yaml| (source, yaml))
}

/// What a project asks for, and the name of the file that says so. The root's dependencies.yml is read as it stands, any other
/// file is rendered.
pub(super) fn asked(
    fs: &dyn FileSystem,
    root: &Path,
    prefix: &str,
    context: &BaseContext,
    of_root: bool,
) -> (Vec<PackageSpec>, &'static str, Vec<Diagnostic>) {
    let mut diagnostics = Vec::new();
    let packages = yaml_file(fs, root, PACKAGES_FILE, prefix, &mut diagnostics);
    let dependencies = yaml_file(fs, root, DEPENDENCIES_FILE, prefix, &mut diagnostics);
    let entry = |file: &Option<(SourceText, Yaml)>, key: &str| {
        file.as_ref().and_then(|(source, yaml)| yaml.entry(key).map(|entry| (source.clone(), entry.key_span)))
    };
    if let Some((source, span)) = entry(&packages, "projects") {
        let message = format!("'projects' cannot stand in {PACKAGES_FILE}");
        diagnostics.push(Diagnostic::error("E0130", message).at(&source, span).help(format!("move it to {DEPENDENCIES_FILE}")));
    }
    if let (Some((source, span)), Some((other, there))) = (entry(&packages, "packages"), entry(&dependencies, "packages")) {
        let message = format!("'packages' is given in {PACKAGES_FILE} and in {DEPENDENCIES_FILE}");
        let diagnostic = Diagnostic::error("E0130", message).at(&source, span).at_with(&other, there, "and here");
        diagnostics.push(diagnostic.help("keep one of them"));
    }
    let from_dependencies = entry(&dependencies, "packages").is_some();
    let (file, name) = if from_dependencies { (dependencies, DEPENDENCIES_FILE) } else { (packages, PACKAGES_FILE) };
    let Some((source, yaml)) = file else { return (Vec::new(), name, diagnostics) };
    let rendered = if from_dependencies && of_root {
        yaml.clone()
    } else {
        let (rendered, said) = render_yaml(&yaml, &source, context, &|_| false);
        diagnostics.extend(said);
        rendered
    };
    let specs = specs(&source, &yaml, &rendered, &mut diagnostics);
    (specs, name, diagnostics)
}

/// The lock file's entries, rendered where a context is given; None where there is none, or it is empty.
pub(super) fn locked(
    fs: &dyn FileSystem,
    root: &Path,
    context: Option<&BaseContext>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Option<(Vec<PackageSpec>, Option<String>)> {
    let (source, yaml) = yaml_file(fs, root, LOCK_FILE, "", diagnostics)?;
    let hash = yaml.get("sha1_hash").and_then(Yaml::as_str).map(str::to_owned);
    let rendered = match context {
        Some(context) => {
            let (rendered, said) = render_yaml(&yaml, &source, context, &|_| false);
            diagnostics.extend(said);
            rendered
        }
        None => yaml.clone(),
    };
    Some((specs(&source, &yaml, &rendered, diagnostics), hash))
}

/// The entries of a file's `packages:`.
pub(super) fn specs(
    source: &SourceText,
    unrendered: &Yaml,
    rendered: &Yaml,
    diagnostics: &mut Vec<Diagnostic>,
) -> Vec<PackageSpec> {
    let mut reader = Reader { source, code: "E0130", diagnostics };
    let Some(_) = reader.expect_map(rendered, &format!("{}", source.name)) else { return Vec::new() };
    reader.unknown_keys(rendered.entries(), &["packages", "projects", "sha1_hash"], &source.name, None);
    let Some(list) = rendered.get("packages") else { return Vec::new() };
    let Some(items) = reader.expect_list(list, "'packages'") else { return Vec::new() };
    let written = unrendered.get("packages").map(Yaml::items).unwrap_or_default();
    let each = items.iter().enumerate();
    each.filter_map(|(index, item)| spec(source, written.get(index).unwrap_or(item), item, reader.diagnostics)).collect()
}

/// What an entry may say, by where it comes from.
fn keys(origin: &str) -> &'static [&'static str] {
    match origin {
        "local" => &["local", "name", "unrendered"],
        "package" => &["package", "version", "install_prerelease", "name", "unrendered"],
        "git" => &["git", "revision", "warn-unpinned", "subdirectory", "name", "unrendered"],
        "tarball" => &["tarball", "name", "unrendered"],
        _ => &["private", "provider", "revision", "warn-unpinned", "subdirectory", "name", "unrendered"],
    }
}

fn spec(source: &SourceText, unrendered: &Yaml, rendered: &Yaml, diagnostics: &mut Vec<Diagnostic>) -> Option<PackageSpec> {
    type Make = fn(String) -> Origin;
    const ORIGINS: [(&str, Make); 5] = [
        ("local", Origin::Local),
        ("package", Origin::Hub),
        ("git", Origin::Git),
        ("tarball", Origin::Tarball),
        ("private", Origin::Private),
    ];
    let mut fault = |span: Span, message: String, help: &str| {
        diagnostics.push(Diagnostic::error("E0130", message).at(source, span).help(help));
        None
    };
    let given = ORIGINS.iter().find_map(|(key, make)| rendered.entry(key).map(|entry| (*key, *make, entry)));
    let Some((key, make, entry)) = given else {
        let help = "give one of: package, git, local, tarball, private";
        return fault(rendered.span, "this package does not say where it comes from".to_owned(), help);
    };
    let Kind::Str(text) = &entry.value.kind else {
        return fault(entry.value.span, format!("'{key}' must be a text, not {}", entry.value.kind.noun()), "");
    };
    if text.is_empty() {
        let kind = if key == "package" { "hub" } else { key };
        let message = format!("A {kind} package is missing the value. It is a required property.");
        return fault(entry.value.span, message, "say where the package is");
    }
    let known = keys(key);
    if let Some(unknown) = rendered.entries().iter().find(|entry| !known.contains(&&*entry.key)) {
        let help = match nearest(&unknown.key, known.iter().copied()) {
            Some(meant) => format!("'{meant}' was probably meant"),
            None => format!("known keys are: {}", known.join(", ")),
        };
        let message = format!(
            "The {} file in this project is malformed: '{}' is no key of a package by '{key}:'",
            source.name, unknown.key
        );
        return fault(unknown.key_span, message, &help);
    }
    if key == "tarball" && rendered.get("name").is_none_or(|name| name.as_str().is_none()) {
        let message = format!("The {} file in this project is malformed: the package '{text}' has no name", source.name);
        return fault(entry.value.span, message, "add 'name:', the package's name");
    }
    if key == "package" {
        if rendered.get("version").is_none_or(Yaml::is_null) {
            return fault(
                entry.value.span,
                format!("the package '{text}' has no version"),
                "add 'version:', such as [\">=1.0.0\", \"<2.0.0\"]",
            );
        }
        if !text.contains('/') {
            return fault(
                entry.value.span,
                format!("'{text}' is not a package of the hub"),
                "write its owner too: dbt-labs/dbt_utils",
            );
        }
    }
    let object = |yaml: &Yaml| match yaml.to_json() {
        Json::Object(map) => map,
        _ => JsonMap::new(),
    };
    Some(PackageSpec {
        origin: make(text.to_string()),
        name: rendered.get("name").and_then(Yaml::as_str).map(str::to_owned),
        rendered: object(rendered),
        unrendered: object(unrendered),
        source: source.clone(),
        span: rendered.span,
    })
}

/// Folders of installed packages, sorted.
pub(super) fn installed(fs: &dyn FileSystem, folder: &Path) -> Vec<PathBuf> {
    let is_package = |path: &PathBuf| {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        !name.starts_with("__") && fs.is_dir(path)
    };
    fs.entries(folder).unwrap_or_default().into_iter().filter(is_package).collect()
}

/// Are as many packages installed as are asked for? dbt's check, by number; the names help to say which are missing.
pub(super) fn check_installed(specs: &[PackageSpec], installed: &[PathBuf], file: &str, folder: &str) -> Option<Diagnostic> {
    if specs.len() == installed.len() {
        return None;
    }
    let stem = |path: &PathBuf| path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
    let there: Vec<String> = installed.iter().filter_map(stem).collect();
    let missing: Vec<&str> =
        specs.iter().filter_map(|spec| spec.name.as_deref()).filter(|name| !there.iter().any(|known| known == name)).collect();
    let mut message = format!("{} asked for by {file}, {} installed in {folder}", packages(specs.len()), there.len());
    if !missing.is_empty() {
        message = format!("{message}; missing: {}", missing.join(", "));
    }
    // dbt refuses a surplus too; it harms nothing.
    let surplus = specs.len() < installed.len() && missing.is_empty();
    let diagnostic = if surplus { Diagnostic::warning("W0131", message) } else { Diagnostic::error("E0131", message) };
    let mut diagnostic = diagnostic.help("run 'lineal deps'");
    if let Some(first) = specs.first() {
        diagnostic = diagnostic.at(&first.source, first.span);
    }
    Some(diagnostic)
}

fn packages(number: usize) -> String {
    if number == 1 { "1 package is".to_owned() } else { format!("{number} packages are") }
}

/// A project's name as its dbt_project.yml gives it; None where there is no such file, or no name in it.
pub(super) fn project_name(fs: &dyn FileSystem, root: &Path) -> Option<String> {
    let (_, yaml) = yaml_file(fs, root, PROJECT_FILE, "", &mut Vec::new())?;
    yaml.get("name").and_then(Yaml::as_str).map(str::to_owned)
}
