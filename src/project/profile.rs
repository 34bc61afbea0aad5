//! profiles.yml: which profile and target, its values rendered, and what the adapter's defaults make of them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::context::BaseContext;
use super::render::{self, render_yaml};
use super::{PROJECT_FILE, Profile};
use crate::diagnostic::{Diagnostic, SourceText, Span, nearest};
use crate::fs::FileSystem;
use crate::manifest::{Json, JsonMap};
use crate::yaml::{self, Kind, Reader, Yaml};

/// The file of all profiles.
pub const PROFILES_FILE: &str = "profiles.yml";
/// The database of projects that have no profile at all.
pub const IMPLIED_DATABASE: &str = "lineal.duckdb";

/// Where profiles.yml may lie.
pub(super) struct Places<'a> {
    pub fs: &'a dyn FileSystem,
    pub cwd: &'a Path,
    pub root: &'a Path,
    pub home: Option<&'a Path>,
    /// Asked for: no other is looked into then.
    pub profiles_dir: Option<&'a Path>,
}

/// What chooses a profile: the command line over the project.
pub(super) struct Choice<'a> {
    pub places: &'a Places<'a>,
    pub profile: Option<&'a str>,
    pub target: Option<&'a str>,
    pub threads: Option<usize>,
    /// dbt_project.yml's `profile`, rendered, and its place.
    pub project_profile: Option<String>,
    pub project_place: Option<(SourceText, Span)>,
    pub context: &'a BaseContext,
}

impl Places<'_> {
    /// Where dbt looks: the folder asked for alone, else the current one, else `~/.dbt`. lineal then tries the project's own.
    fn folders(&self) -> Vec<PathBuf> {
        if let Some(folder) = self.profiles_dir {
            return vec![self.cwd.join(folder)];
        }
        let home = self.home.map(|home| home.join(".dbt"));
        std::iter::once(self.cwd.to_owned()).chain(home).chain([self.root.to_owned()]).collect()
    }

    /// The folder of the profiles in use, whether it has a file or not.
    pub fn folder(&self) -> PathBuf {
        let folders = self.folders();
        let with_file = folders.iter().find(|folder| self.fs.exists(&folder.join(PROFILES_FILE)));
        with_file.or(folders.first()).cloned().unwrap_or_default()
    }

    /// The file in use; None where there is none, or it cannot be read.
    fn read(&self) -> (Option<(SourceText, Yaml)>, Vec<Diagnostic>) {
        self.read_in(&self.folder())
    }

    /// A later folder's file that has the profile, where the file in use lacks it: a project that brings its own profile also
    /// runs from a folder with another profiles.yml. (dbt gives up there.)
    fn elsewhere(&self, profile: &str) -> Option<(SourceText, Yaml)> {
        let used = self.folder();
        let others = self.folders().into_iter().filter(|folder| *folder != used && self.fs.exists(&folder.join(PROFILES_FILE)));
        others.filter_map(|folder| self.read_in(&folder).0).find(|(_, yaml)| yaml.entry(profile).is_some())
    }

    fn read_in(&self, folder: &Path) -> (Option<(SourceText, Yaml)>, Vec<Diagnostic>) {
        let path = folder.join(PROFILES_FILE);
        let name = path.display().to_string();
        let source = match self.fs.read(&path).map(String::from_utf8) {
            Ok(Ok(text)) => SourceText::new(name, text),
            Ok(Err(_)) => return (None, vec![Diagnostic::error("E0121", format!("{name} is not UTF-8 text"))]),
            Err(error) => return (None, vec![Diagnostic::error("E0111", format!("{name} cannot be read: {error}"))]),
        };
        let (yaml, diagnostics) = yaml::read(&source);
        (yaml.map(|yaml| (source, yaml)), diagnostics)
    }

    /// `config:` of profiles.yml, the former place of the project's `flags:`.
    pub fn flags(&self) -> Option<(SourceText, Yaml)> {
        if !self.fs.exists(&self.folder().join(PROFILES_FILE)) {
            return None;
        }
        let (source, yaml) = self.read().0?;
        let flags = yaml.get("config").filter(|flags| !flags.entries().is_empty())?;
        Some((source, flags.clone()))
    }
}

/// Reads and renders the chosen target. `None` where there is none to use; the diagnostics say why.
pub(super) fn load(choice: &Choice<'_>) -> (Option<Profile>, Vec<Diagnostic>) {
    let folder = choice.places.folder();
    if !choice.places.fs.exists(&folder.join(PROFILES_FILE)) {
        if choice.places.profiles_dir.is_some() {
            let message = format!("there is no {PROFILES_FILE} in {}", folder.display());
            let help = "correct --profiles-dir (or DBT_PROFILES_DIR), or leave it out to use an embedded DuckDB file";
            return (None, vec![Diagnostic::error("E0110", message).help(help)]);
        }
        return (Some(implied(choice)), Vec::new());
    }
    let (file, mut diagnostics) = choice.places.read();
    let Some((mut source, mut yaml)) = file else { return (None, diagnostics) };
    if let Some(wanted) = choice.profile.or(choice.project_profile.as_deref()).filter(|wanted| yaml.entry(wanted).is_none())
        && let Some(other) = choice.places.elsewhere(wanted)
    {
        (source, yaml) = other;
    }
    let mut file = File { choice, source: &source, diagnostics: &mut diagnostics };
    let profile = file.profile(&yaml);
    (profile, diagnostics)
}

/// A project without any profiles.yml runs on a DuckDB file beside dbt_project.yml.
fn implied(choice: &Choice<'_>) -> Profile {
    let file = choice.places.root.join(IMPLIED_DATABASE);
    let credentials = serde_json::json!({"path": file.to_string_lossy(), "schema": "main", "database": "lineal"});
    let mut profile = Profile {
        name: choice.profile.map(str::to_owned).or_else(|| choice.project_profile.clone()).unwrap_or_else(|| "lineal".to_owned()),
        target: choice.target.unwrap_or("dev").to_owned(),
        adapter: Arc::from("duckdb"),
        threads: choice.threads.unwrap_or(4),
        credentials: credentials.as_object().cloned().unwrap_or_default(),
        database: Some("lineal".to_owned()),
        schema: "main".to_owned(),
        implied: true,
        ..Profile::default()
    };
    profile.shown = shown(&profile, &profile.credentials);
    profile
}

struct File<'a> {
    choice: &'a Choice<'a>,
    source: &'a SourceText,
    diagnostics: &'a mut Vec<Diagnostic>,
}

impl File<'_> {
    fn error(&mut self, span: Span, message: String, help: String) {
        self.diagnostics.push(Diagnostic::error("E0110", message).at(self.source, span).help(help));
    }

    fn profile(&mut self, file: &Yaml) -> Option<Profile> {
        let name = self.name()?;
        let names: Vec<&str> = file.entries().iter().map(|entry| &*entry.key).filter(|key| *key != "config").collect();
        let Some(profile) = file.entry(&name) else {
            let place = self.choice.project_place.clone().filter(|_| self.choice.profile.is_none());
            let mut diagnostic = Diagnostic::error("E0110", format!("there is no profile '{name}' in {}", self.source.name));
            if let Some((source, span)) = place {
                diagnostic = diagnostic.at(&source, span);
            }
            let help = match nearest(&name, names.iter().copied()) {
                Some(near) => format!("did you mean '{near}'?"),
                None if names.is_empty() => format!("{} has no profile at all", self.source.name),
                None => format!("it has: {}", names.join(", ")),
            };
            self.diagnostics.push(diagnostic.help(help));
            return None;
        };
        let outputs = profile.value.entry("outputs").filter(|outputs| !outputs.value.entries().is_empty());
        let Some(outputs) = outputs else {
            self.error(profile.key_span, format!("the profile '{name}' has no targets"), "give them under 'outputs:'".to_owned());
            return None;
        };
        let target = self.target(&profile.value)?;
        let Some(output) = outputs.value.entry(&target) else {
            let names: Vec<&str> = outputs.value.entries().iter().map(|entry| &*entry.key).collect();
            let written = profile.value.entry("target").filter(|_| self.choice.target.is_none());
            let span = written.map_or(outputs.key_span, |entry| entry.value.span);
            let help = nearest(&target, names.iter().copied())
                .map_or_else(|| format!("it has: {}", names.join(", ")), |near| format!("did you mean '{near}'?"));
            self.error(span, format!("the profile '{name}' has no target '{target}'"), help);
            return None;
        };
        if !matches!(output.value.kind, Kind::Map(_)) {
            let message = format!("the target '{target}' of the profile '{name}' must be a map");
            self.error(output.value.span, message, "give its 'type:', 'path:' and so on below it".to_owned());
            return None;
        }
        self.output(name, target, &output.value, output.key_span)
    }

    /// The profile's name: the command line's, else the project's.
    fn name(&mut self) -> Option<String> {
        if let Some(name) = self.choice.profile {
            return Some(name.to_owned());
        }
        if self.choice.project_profile.is_none() {
            let mut diagnostic = Diagnostic::error("E0110", format!("{PROJECT_FILE} names no profile"));
            if let Some((source, span)) = &self.choice.project_place {
                diagnostic = diagnostic.at(source, *span);
            }
            let help = format!("add 'profile: <name>' with a name of {}, or run with --profile", self.source.name);
            self.diagnostics.push(diagnostic.help(help));
        }
        self.choice.project_profile.clone()
    }

    fn target(&mut self, profile: &Yaml) -> Option<String> {
        if let Some(target) = self.choice.target {
            return Some(target.to_owned());
        }
        let Some(target) = profile.get("target") else { return Some("default".to_owned()) };
        let (rendered, diagnostics) = render_yaml(target, self.source, self.choice.context, &|_| false);
        let failed = !diagnostics.is_empty();
        self.diagnostics.extend(diagnostics);
        match rendered.kind {
            _ if failed => None,
            Kind::Str(text) => Some(text.to_string()),
            Kind::Int(number) => Some(number.to_string()),
            kind => {
                self.error(
                    target.span,
                    format!("'target' must be a text, not {}", kind.noun()),
                    "name one of 'outputs'".to_owned(),
                );
                None
            }
        }
    }

    fn output(&mut self, name: String, target: String, output: &Yaml, place: Span) -> Option<Profile> {
        let (rendered, faults) = self.render(output);
        if !faults.is_empty() {
            self.diagnostics.extend(faults);
            return None;
        }
        let Some(kind) = rendered.get("type").and_then(Yaml::as_str).map(str::to_owned) else {
            let message = format!("the target '{target}' of the profile '{name}' has no 'type'");
            self.error(place, message, "write: type: duckdb".to_owned());
            return None;
        };
        let before = self.diagnostics.len();
        let threads = self.threads(&rendered);
        let mut profile = Profile { name, target, adapter: kind.as_str().into(), threads, ..Profile::default() };
        match kind.as_str() {
            "duckdb" => {
                super::credentials::duckdb(&mut profile, &rendered, self.source, self.choice.places.root, self.diagnostics);
            }
            "postgres" => super::credentials::postgres(&mut profile, &rendered, self.source, self.diagnostics),
            _ => {
                let span = rendered.get("type").map_or(place, |value| value.span);
                let help = nearest(&kind, ["duckdb", "postgres"])
                    .map_or_else(|| "lineal has: duckdb, postgres".to_owned(), |near| format!("did you mean '{near}'?"));
                self.error(span, format!("lineal has no adapter '{kind}'"), help);
            }
        }
        let credentials = profile.shown.clone();
        profile.shown = shown(&profile, &credentials);
        let failed = self.diagnostics[before..].iter().any(Diagnostic::is_error);
        (!failed).then_some(profile)
    }

    fn threads(&mut self, output: &Yaml) -> usize {
        if let Some(threads) = self.choice.threads {
            return threads;
        }
        let Some(value) = output.get("threads").filter(|value| !value.is_null()) else { return 1 };
        // `"{{ env_var('THREADS') }}"` is a text.
        let number = value.as_i64().or_else(|| value.as_str().and_then(|text| text.trim().parse().ok()));
        let number = number.and_then(|number| usize::try_from(number).ok()).filter(|number| *number > 0);
        number.unwrap_or_else(|| {
            let mut reader = Reader { source: self.source, code: "E0110", diagnostics: self.diagnostics };
            reader.wrong_kind(value, "'threads'", "a number above 0");
            1
        })
    }

    /// Passwords that look like Jinja but aren't stay as they are.
    fn render(&self, output: &Yaml) -> (Yaml, Vec<Diagnostic>) {
        let (rendered, faults) = render_yaml(output, self.source, self.choice.context, &|_| false);
        let is_password = |fault: &Diagnostic| {
            let span = fault.labels.first().map(|label| label.span);
            output.entries().iter().any(|entry| matches!(&*entry.key, "password" | "pass") && Some(entry.value.span) == span)
        };
        (rendered, faults.into_iter().filter(|fault| !is_password(fault)).collect())
    }
}

/// Jinja's `target`: the adapter's keys that may be shown, then dbt's own.
fn shown(profile: &Profile, credentials: &JsonMap) -> JsonMap {
    let mut target = credentials.clone();
    let own: [(&str, Json); 5] = [
        ("type", (&*profile.adapter).into()),
        ("threads", profile.threads.into()),
        ("name", profile.target.as_str().into()),
        ("target_name", profile.target.as_str().into()),
        ("profile_name", profile.name.as_str().into()),
    ];
    target.extend(own.map(|(key, value)| (key.to_owned(), value)));
    target
}

/// The project's profile name as its text renders; None where it has none or it cannot be rendered.
pub(super) fn project_profile(project: &Yaml, source: &SourceText, context: &BaseContext) -> (Option<String>, Vec<Diagnostic>) {
    let Some(value) = project.get("profile").filter(|value| !value.is_null()) else { return (None, Vec::new()) };
    let text = match &value.kind {
        Kind::Str(text) if render::is_jinja(text) => match context.render_native(text) {
            Ok(json) => json.as_str().map_or_else(|| json.to_string(), str::to_owned),
            Err(error) => return (None, vec![render::fault(&error, source, value)]),
        },
        Kind::Str(text) => text.to_string(),
        Kind::Int(number) => number.to_string(),
        kind => {
            let message = format!("'profile' must be a text, not {}", kind.noun());
            return (None, vec![Diagnostic::error("E0103", message).at(source, value.span)]);
        }
    };
    (Some(text), Vec::new())
}
