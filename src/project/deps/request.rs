//! What is asked for, package by package: entries for the same package from several projects are joined.

use std::collections::HashMap;

use crate::diagnostic::Diagnostic;
use crate::manifest::Json;
use crate::project::packages::{Origin, PackageSpec};
use crate::project::version::Bound;

/// dbt's platform hands the addresses of private packages to its own runs in this variable.
const PLATFORM_PROVIDERS: &str = "DBT_ENV_PRIVATE_GIT_PROVIDER_INFO";

#[derive(Debug, Clone)]
pub enum Asked {
    Hub { package: String, bounds: Vec<Bound>, prereleases: bool },
    Git { url: String, revisions: Vec<String>, warn_unpinned: bool, subdirectory: Option<String> },
    Local { path: String },
    Tarball { url: String, name: String },
}

/// One package, and the entries that ask for it, the first of which names it.
#[derive(Debug, Clone)]
pub struct Request {
    pub asked: Asked,
    pub entries: Vec<PackageSpec>,
}

impl Request {
    fn new(spec: &PackageSpec, env: &HashMap<String, String>) -> Result<Self, Diagnostic> {
        let text = spec.origin.text().to_owned();
        let asked = match &spec.origin {
            Origin::Hub(_) => {
                let bounds: Result<Vec<Bound>, String> = spec.texts("version").iter().map(|text| version(text)).collect();
                let bounds = bounds.map_err(|message| {
                    let help = "write major.minor.patch, after >=, >, <=, < or nothing; several as a list";
                    Diagnostic::error("E0130", message).at(&spec.source, spec.span).help(help)
                })?;
                let prereleases = spec.rendered.get("install_prerelease").and_then(Json::as_bool).unwrap_or(false);
                Asked::Hub { package: text, bounds, prereleases }
            }
            Origin::Git(_) => git(text, spec),
            Origin::Private(_) => git(private_url(&text, spec, env)?, spec),
            Origin::Local(_) => Asked::Local { path: text },
            Origin::Tarball(_) => Asked::Tarball { url: text, name: spec.name.clone().unwrap_or_default() },
        };
        Ok(Self { asked, entries: vec![spec.clone()] })
    }

    pub fn first(&self) -> &PackageSpec {
        &self.entries[0]
    }

    /// What dbt calls it before its dbt_project.yml has been read.
    pub fn title(&self) -> String {
        match &self.asked {
            Asked::Hub { package, .. } => package.clone(),
            Asked::Git { url, subdirectory: Some(subdirectory), .. } => format!("{url}/{subdirectory}"),
            Asked::Git { url, .. } | Asked::Tarball { url, .. } => url.clone(),
            Asked::Local { path } => path.clone(),
        }
    }

    /// By which names it may be known already: a repository with `.git` at its end and without is the same.
    fn names(&self) -> Vec<String> {
        let mut names = vec![self.title()];
        if let Asked::Git { url, subdirectory, .. } = &self.asked {
            let other = url.strip_suffix(".git").map_or_else(|| format!("{url}.git"), str::to_owned);
            names.push(subdirectory.as_ref().map_or_else(|| other.clone(), |folder| format!("{other}/{folder}")));
        }
        names
    }

    /// An error about this package, at every entry that asks for it.
    pub fn error(&self, code: &'static str, message: impl Into<String>) -> Diagnostic {
        self.located(Diagnostic::error(code, message))
    }

    pub fn located(&self, mut diagnostic: Diagnostic) -> Diagnostic {
        for (index, entry) in self.entries.iter().enumerate() {
            let note = if index == 0 { "" } else { "and here" };
            let known = |label: &crate::diagnostic::Label| label.source.name == entry.source.name && label.span == entry.span;
            if !diagnostic.labels.iter().any(known) {
                diagnostic = diagnostic.at_with(&entry.source, entry.span, note);
            }
        }
        diagnostic
    }

    fn join(&mut self, other: Self) -> Result<(), Box<Diagnostic>> {
        match (&mut self.asked, &other.asked) {
            (Asked::Hub { bounds, .. }, Asked::Hub { bounds: more, .. }) => bounds.extend(more.iter().cloned()),
            (Asked::Git { revisions, warn_unpinned, .. }, Asked::Git { revisions: more, warn_unpinned: warns, .. }) => {
                revisions.extend(more.iter().cloned());
                *warn_unpinned &= *warns;
            }
            (Asked::Local { .. }, Asked::Local { .. }) | (Asked::Tarball { .. }, Asked::Tarball { .. }) => {}
            _ => {
                let (ours, theirs) = (self.first().origin.key(), other.first().origin.key());
                let message = format!("'{}' is asked for by '{ours}:' and by '{theirs}:': mismatched types", other.title());
                let diagnostic = other.located(self.error("E0142", message));
                return Err(Box::new(diagnostic.help("ask for it in one way")));
            }
        }
        self.entries.extend(other.entries);
        Ok(())
    }
}

fn version(text: &str) -> Result<Bound, String> {
    Bound::parse(text).map_err(|_| format!("\"{text}\" is not a valid semantic version."))
}

fn git(url: String, spec: &PackageSpec) -> Asked {
    Asked::Git {
        url,
        revisions: spec.text("revision").into_iter().collect(),
        warn_unpinned: spec.rendered.get("warn-unpinned").and_then(Json::as_bool) != Some(false),
        subdirectory: spec.text("subdirectory").filter(|folder| !folder.is_empty()),
    }
}

/// Where a private package is, outside of dbt's platform: its provider's address for ssh.
fn private_url(name: &str, spec: &PackageSpec, env: &HashMap<String, String>) -> Result<String, Diagnostic> {
    let refused = |message: String, help: &str| Err(Diagnostic::error("E0134", message).at(&spec.source, spec.span).help(help));
    if env.get(PLATFORM_PROVIDERS).is_some_and(|text| !matches!(text.trim(), "" | "[]")) {
        let message = format!("lineal does not install packages by 'private:' with {PLATFORM_PROVIDERS}: {name}");
        return refused(message, "it belongs to dbt's platform: write 'git:' and the address, or unset it to use ssh");
    }
    let provider = spec.text("provider");
    match provider.as_deref().unwrap_or("github") {
        "github" => Ok(format!("git@github.com:{name}.git")),
        "gitlab" => Ok(format!("git@gitlab.com:{name}.git")),
        "ado" | "azure_devops" if name.split('/').count() >= 3 => Ok(format!("git@ssh.dev.azure.com:v3/{name}")),
        "ado" | "azure_devops" => {
            refused(format!("'{name}' is no private package of Azure DevOps"), "write organization/project/repository")
        }
        other => {
            refused(format!("'{other}' is no provider of private packages"), "providers are github, gitlab, ado and azure_devops")
        }
    }
}

/// Packages in the order in which they were first asked for.
#[derive(Debug, Default)]
pub struct Requests(pub Vec<Request>);

impl Requests {
    /// Adds what a project asks for; what cannot be read or joined is reported.
    pub fn add_all(&mut self, specs: &[PackageSpec], env: &HashMap<String, String>, diagnostics: &mut Vec<Diagnostic>) {
        for spec in specs {
            match Request::new(spec, env) {
                Ok(request) => {
                    self.add(request, diagnostics);
                }
                Err(diagnostic) => diagnostics.push(diagnostic),
            }
        }
    }

    /// Adds one; where it stands now.
    pub fn add(&mut self, request: Request, diagnostics: &mut Vec<Diagnostic>) -> Option<usize> {
        let names = request.names();
        let known = names.iter().find_map(|name| self.0.iter().position(|known| known.title() == *name));
        if let Some(at) = known {
            if let Err(diagnostic) = self.0[at].join(request) {
                diagnostics.push(*diagnostic);
                return None;
            }
            return Some(at);
        }
        self.0.push(request);
        Some(self.0.len() - 1)
    }
}
