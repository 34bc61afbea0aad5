//! From what is asked for to the packages themselves: versions chosen, repositories checked out, names known.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::download::{Downloads, Fault};
use super::hub::{Hub, HubPackage};
use super::request::{Asked, Request, Requests};
use super::{archive, git, package_context};
use crate::diagnostic::{Diagnostic, SourceText, any_error};
use crate::fs::FileSystem;
use crate::manifest::{Json, JsonMap};
use crate::project::load::normal;
use crate::project::packages::{self, PackageSpec};
use crate::project::version::{Bound, Range, installable};
use crate::project::{PROJECT_FILE, Project};

/// Where a package's files are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A folder of the user's: linked, not copied.
    Local(PathBuf),
    /// A folder of ours.
    Fetched(PathBuf),
    /// The address of an archive that is still to be fetched.
    Archive(String),
}

/// A package, chosen and named.
#[derive(Debug, Clone)]
pub struct Resolved {
    pub request: Request,
    /// The name in its dbt_project.yml: its folder's.
    pub name: String,
    /// A version of the hub, a commit; empty for others.
    pub version: String,
    /// The newest version on the hub that might be installed.
    pub latest: Option<String>,
    pub place: Place,
    /// What it asks for itself.
    packages: Arc<Vec<PackageSpec>>,
}

impl Resolved {
    pub fn title(&self) -> String {
        match &self.request.asked {
            Asked::Tarball { name, .. } => name.clone(),
            _ => self.request.title(),
        }
    }

    pub fn subdirectory(&self) -> Option<String> {
        let Asked::Git { subdirectory, .. } = &self.request.asked else { return None };
        subdirectory.clone()
    }

    /// Where it was installed from, in dbt's words.
    pub fn nice_version(&self) -> String {
        match &self.request.asked {
            Asked::Hub { .. } => format!("version {}", self.version),
            Asked::Git { .. } => format!("revision {}", self.version),
            Asked::Local { path } => format!("<local @ {path}>"),
            Asked::Tarball { url, .. } => format!("tarball (url: {url})"),
        }
    }

    pub fn shown_version(&self) -> String {
        match &self.request.asked {
            Asked::Hub { .. } | Asked::Git { .. } => self.version.clone(),
            _ => self.nice_version(),
        }
    }

    /// Its entry in the lock file; `written` is its origin as the project writes it.
    pub fn lock_entry(&self, written: &str) -> JsonMap {
        let spec = self.request.first();
        let mut entry = JsonMap::new();
        let mut set = |key: &str, value: &str| entry.insert(key.to_owned(), value.into());
        set(spec.origin.key(), written);
        set("name", &self.name);
        match &self.request.asked {
            Asked::Hub { .. } => {
                set("version", &self.version);
            }
            Asked::Git { subdirectory, .. } => {
                set("revision", &self.version);
                if let Some(subdirectory) = subdirectory {
                    set("subdirectory", subdirectory);
                }
                if let Some(provider) = spec.text("provider").filter(|provider| !provider.is_empty()) {
                    set("provider", &provider);
                }
            }
            Asked::Local { .. } | Asked::Tarball { .. } => {}
        }
        entry
    }
}

/// Chooses and fetches packages. Each version, commit and archive is fetched once.
pub struct Resolver<'a> {
    fs: &'a dyn FileSystem,
    project: &'a Project,
    downloads: Downloads<'a>,
    hub: Hub,
    /// Made when it is first needed, gone at the end.
    workspace: Option<tempfile::TempDir>,
    /// Packages by what identifies them.
    known: HashMap<String, Option<Resolved>>,
    /// Packages of the hub whose successor has been named.
    told: HashSet<String>,
    pub diagnostics: Vec<Diagnostic>,
}

impl<'a> Resolver<'a> {
    pub fn new(fs: &'a dyn FileSystem, project: &'a Project) -> Self {
        let env = &project.invocation.env;
        Self {
            fs,
            project,
            downloads: Downloads::new(fs, env),
            hub: Hub::new(env),
            workspace: None,
            known: HashMap::new(),
            told: HashSet::new(),
            diagnostics: Vec::new(),
        }
    }

    /// Packages; with `deep` also those that these ask for, and so on. None after an error.
    pub fn resolve(&mut self, specs: &[PackageSpec], deep: bool) -> Option<Vec<Resolved>> {
        let env = &self.project.invocation.env;
        let (mut chosen, mut expanded, mut failed) = (Requests::default(), HashSet::new(), HashSet::new());
        let mut pending = Requests::default();
        pending.add_all(specs, env, &mut self.diagnostics);
        while !pending.0.is_empty() {
            let mut next = Requests::default();
            for request in pending.0 {
                let Some(at) = chosen.add(request, &mut self.diagnostics) else { continue };
                if !deep || failed.contains(&at) {
                    continue;
                }
                let Some(one) = self.resolve_one(&chosen.0[at]) else {
                    failed.insert(at);
                    continue;
                };
                if expanded.insert((at, one.version.clone())) {
                    next.add_all(&one.packages, env, &mut self.diagnostics);
                }
            }
            pending = next;
        }
        if any_error(&self.diagnostics) {
            return None;
        }
        let resolved: Vec<Resolved> = chosen.0.iter().filter_map(|request| self.resolve_one(request)).collect();
        self.check_names(&resolved);
        (!any_error(&self.diagnostics)).then_some(resolved)
    }

    fn check_names(&mut self, resolved: &[Resolved]) {
        let mut names: HashMap<&str, &Resolved> = HashMap::new();
        for one in resolved {
            let name = one.name.as_str();
            let diagnostic = if name.is_empty() || name == "." || name == ".." || name.contains(['/', '\\']) {
                let message = format!("Invalid package name '{name}': resolves outside of the packages-install-path");
                one.request.error("E0133", message)
            } else if *name == *self.project.root_package().name {
                let message =
                    format!("Found a dependency with the same name as the root project \"{name}\". Package names must be unique");
                one.request.error("E0132", message).help("rename one of them")
            } else if let Some(twin) = names.insert(name, one) {
                let diagnostic = one.request.error("E0132", format!("Found duplicate project \"{name}\""));
                let first = twin.request.first();
                diagnostic.at_with(&first.source, first.span, "this one as well").help("remove one of them")
            } else {
                continue;
            };
            self.diagnostics.push(diagnostic);
        }
    }

    fn resolve_one(&mut self, request: &Request) -> Option<Resolved> {
        match &request.asked {
            Asked::Hub { package, bounds, prereleases } => self.of_hub(request, package, bounds, *prereleases),
            Asked::Git { revisions, .. } => {
                let mut wanted: Vec<&String> = revisions.iter().collect();
                wanted.sort();
                wanted.dedup();
                if let [_, _, ..] = wanted[..] {
                    let wanted: Vec<String> = wanted.iter().map(|revision| format!("'{revision}'")).collect();
                    let message = format!(
                        "git dependencies should contain exactly one version. {} contains: {}",
                        request.title(),
                        wanted.join(", ")
                    );
                    self.diagnostics.push(request.error("E0142", message).help("ask for one revision everywhere"));
                    return None;
                }
                let revision = wanted.first().map_or("HEAD", |revision| revision.as_str());
                self.once(request, format!("git {} {revision}", request.title()), |this| this.of_git(request, revision))
            }
            Asked::Local { path } => self.once(request, format!("local {path}"), |this| this.of_folder(request, path)),
            Asked::Tarball { url, name } => {
                self.once(request, format!("tarball {url} {name}"), |this| this.of_tarball(request, url, name))
            }
        }
    }

    fn once(&mut self, request: &Request, key: String, find: impl FnOnce(&mut Self) -> Option<Resolved>) -> Option<Resolved> {
        if !self.known.contains_key(&key) {
            let found = find(self);
            self.known.insert(key.clone(), found);
        }
        let known = self.known.get(&key)?.clone();
        known.map(|known| Resolved { request: request.clone(), ..known })
    }

    fn of_hub(&mut self, request: &Request, package: &str, bounds: &[Bound], prereleases: bool) -> Option<Resolved> {
        let Some(range) = Range::of(bounds) else {
            let options: Vec<String> = bounds.iter().map(|bound| format!("'{bound}'")).collect();
            let message = format!(
                "Version error for package {package}: Could not find a satisfactory version from options: [{}]",
                options.join(", ")
            );
            self.diagnostics.push(request.error("E0136", message).help("no version satisfies all of them: widen one"));
            return None;
        };
        let known = self.hub_package(request, package)?;
        let check = self.project.flags.get("version_check").and_then(Json::as_bool).unwrap_or(true);
        let suitable = known.versions.iter().filter(|version| !check || version.suits_our_dbt());
        let prereleases = prereleases || bounds.iter().any(Bound::is_prerelease);
        let versions = installable(suitable.map(|version| version.version.as_str()), prereleases);
        let chosen = range.highest(&versions).and_then(|chosen| known.versions.iter().find(|one| one.version == chosen.text));
        let Some(chosen) = chosen else {
            let there: Vec<String> = versions.iter().map(|version| format!("'{}'", version.text)).collect();
            let message = format!(
                "Could not find a matching compatible version for package {package}\n  Requested range: {range}\n  \
                 Compatible versions: [{}]",
                there.join(", ")
            );
            let diagnostic = request.error("E0136", message);
            self.diagnostics.push(if check {
                diagnostic.help("versions for another dbt are not shown: 'lineal --no-version-check deps' takes them too")
            } else {
                diagnostic
            });
            return None;
        };
        let source = SourceText::new(format!("{package} {}", chosen.version), packages_text(&chosen.packages));
        let packages = match crate::yaml::read(&source).0 {
            Some(yaml) => packages::specs(&source, &yaml, &yaml, &mut self.diagnostics),
            None => Vec::new(),
        };
        Some(Resolved {
            request: request.clone(),
            name: chosen.name.clone(),
            version: chosen.version.clone(),
            latest: versions.last().map(|version| version.text.clone()),
            place: Place::Archive(chosen.tarball.clone()),
            packages: Arc::new(packages),
        })
    }

    fn hub_package(&mut self, request: &Request, package: &str) -> Option<Arc<HubPackage>> {
        match self.hub.package(package, &self.downloads) {
            Ok(known) => {
                if let Some(successor) = known.successor.as_ref().filter(|_| self.told.insert(package.to_owned())) {
                    let message = format!("the package '{package}' is deprecated in favor of '{successor}'");
                    let warning = Diagnostic::warning("W0137", message).event("PackageRedirectDeprecation");
                    self.diagnostics.push(request.located(warning).help(format!("ask for '{successor}' instead")));
                }
                Some(known)
            }
            Err(Fault::Status(404)) => {
                let message = format!("Package {package} was not found in the package index");
                let help = format!("{} does not exist: check the owner's and the package's name", self.hub.url(package));
                self.diagnostics.push(request.error("E0137", message).help(help));
                None
            }
            Err(fault) => {
                let url = self.hub.url(package);
                self.diagnostics.push(not_fetched(request, &url, &fault));
                None
            }
        }
    }

    fn of_git(&mut self, request: &Request, revision: &str) -> Option<Resolved> {
        let Asked::Git { url, warn_unpinned, subdirectory, .. } = &request.asked else { return None };
        let folder = self.work_folder()?;
        let wanted = git::Wanted { url, revision, subdirectory: subdirectory.as_deref() };
        let commit = match git::checkout(wanted, &folder) {
            Ok(commit) => commit,
            Err(fault) => {
                self.diagnostics.push(not_checked_out(request, url, revision, fault));
                return None;
            }
        };
        if *warn_unpinned && matches!(revision, "HEAD" | "main" | "master") {
            let what = match revision {
                "HEAD" => "not pinned, using HEAD (default branch)".to_owned(),
                branch => format!("pinned to the \"{branch}\" branch"),
            };
            let warning = Diagnostic::warning("W0138", format!("The git package \"{url}\" is {what}")).event("DepsUnpinned");
            let help = "give a tag or a commit as 'revision:', or say 'warn-unpinned: false'";
            self.diagnostics.push(request.located(warning).help(help));
        }
        let folder = subdirectory.as_ref().map_or_else(|| folder.clone(), |inner| folder.join(inner));
        let name = self.name_of(request, &folder, &request.title())?;
        let packages = self.asked_by(request, &folder);
        let place = Place::Fetched(folder);
        Some(Resolved { request: request.clone(), name, version: commit, latest: None, place, packages })
    }

    fn of_folder(&mut self, request: &Request, written: &str) -> Option<Resolved> {
        let home = self.project.invocation.env.get("HOME");
        let expanded = match (written.strip_prefix("~/"), home) {
            (Some(rest), Some(home)) => PathBuf::from(home).join(rest),
            _ => PathBuf::from(written),
        };
        // Of a package's own local packages, too, the path starts at the root project: as in dbt.
        let folder = normal(&self.project.root.join(expanded));
        let name = self.name_of(request, &folder, &folder.display().to_string())?;
        let packages = self.asked_by(request, &folder);
        let place = Place::Local(folder);
        Some(Resolved { request: request.clone(), name, version: String::new(), latest: None, place, packages })
    }

    fn of_tarball(&mut self, request: &Request, url: &str, name: &str) -> Option<Resolved> {
        let folder = self.download(request, url)?;
        self.name_of(request, &folder, url)?;
        let packages = self.asked_by(request, &folder);
        let place = Place::Fetched(folder);
        Some(Resolved { request: request.clone(), name: name.to_owned(), version: String::new(), latest: None, place, packages })
    }

    /// Fetches an archive and unpacks it into a folder of ours.
    pub fn download(&mut self, request: &Request, url: &str) -> Option<PathBuf> {
        let folder = self.work_folder()?;
        match self.downloads.fetch(url, |content| archive::unpack(self.fs, content, &folder)) {
            Ok(folder) => Some(folder),
            Err(fault) => {
                self.diagnostics.push(not_fetched(request, url, &fault));
                None
            }
        }
    }

    fn name_of(&mut self, request: &Request, folder: &Path, shown: &str) -> Option<String> {
        let name = packages::project_name(self.fs, folder);
        if name.is_none() {
            let message = if self.fs.exists(&folder.join(PROJECT_FILE)) {
                format!("the {PROJECT_FILE} in {shown} gives no name")
            } else {
                format!("there is no {PROJECT_FILE} in {shown}")
            };
            let help = match request.asked {
                Asked::Local { .. } => "a local package's path starts at the root project's folder",
                Asked::Git { .. } => "where the package is in a folder of the repository, give it as 'subdirectory:'",
                _ => "the archive's folder must be a dbt project",
            };
            self.diagnostics.push(request.error("E0133", message).help(help));
        }
        name
    }

    fn asked_by(&mut self, request: &Request, folder: &Path) -> Arc<Vec<PackageSpec>> {
        let prefix = format!("{}/", request.title().trim_end_matches('/'));
        let (specs, _, said) = packages::asked(self.fs, folder, &prefix, &package_context(self.project), false);
        self.diagnostics.extend(said);
        Arc::new(specs)
    }

    /// A folder of our own that does not exist yet, in `DBT_DOWNLOADS_DIR` where that is given.
    fn work_folder(&mut self) -> Option<PathBuf> {
        if self.workspace.is_none() {
            let mut builder = tempfile::Builder::new();
            builder.prefix("dbt-downloads-");
            let given = self.project.invocation.env.get("DBT_DOWNLOADS_DIR").filter(|folder| !folder.is_empty());
            let made = given.map_or_else(|| builder.tempdir(), |folder| builder.tempdir_in(self.project.root.join(folder)));
            match made {
                Ok(folder) => self.workspace = Some(folder),
                Err(error) => {
                    let message = format!("no folder for downloads can be made: {error}");
                    self.diagnostics.push(Diagnostic::error("E0133", message));
                    return None;
                }
            }
        }
        let number = self.known.len();
        self.workspace.as_ref().map(|folder| folder.path().join(format!("{number}-{}", uuid::Uuid::new_v4())))
    }
}

/// A hub's list of packages as the text of a package file, so that faults in it can be shown.
fn packages_text(packages: &Json) -> String {
    let mut whole = JsonMap::new();
    whole.insert("packages".to_owned(), packages.clone());
    serde_json::to_string_pretty(&Json::Object(whole)).unwrap_or_default()
}

fn not_fetched(request: &Request, url: &str, fault: &Fault) -> Diagnostic {
    let (code, help) = match fault {
        Fault::Unreachable(_) => (
            "E0135",
            "check the network, HTTPS_PROXY and NO_PROXY; DBT_PACKAGE_HUB_URL names another hub; 'local:' needs no network",
        ),
        Fault::Status(_) => ("E0135", "check the address, and whether it may be read"),
        Fault::Damaged(_) | Fault::Unusable(_) => ("E0139", "try again later, or check the address and the network's settings"),
    };
    request.error(code, format!("{url} could not be fetched: {fault}")).help(help)
}

fn not_checked_out(request: &Request, url: &str, revision: &str, fault: git::Fault) -> Diagnostic {
    let message = match fault {
        git::Fault::NoGit(why) => {
            return request.error("E0138", format!("git cannot be run: {why}")).help("install git: packages by 'git:' need it");
        }
        git::Fault::NoRevision => {
            let message = format!("{url} has no tag, branch or commit '{revision}'");
            return request.error("E0138", message).help("correct 'revision:'; commits are written with all 40 digits");
        }
        git::Fault::Said(said) => format!("Error checking out spec='{revision}' for repo {url}: {said}"),
    };
    request.error("E0138", message).help("check the address, the network and your access: 'git ls-remote' asks the same")
}
