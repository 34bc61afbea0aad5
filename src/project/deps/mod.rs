//! `deps`: resolves what a project asks for, writes package-lock.yml, and puts packages into packages-install-path.
//!
//! Everything is fetched into a temporary folder; packages-install-path is replaced once all packages are there.

mod add;
mod archive;
mod download;
mod git;
mod hub;
mod lock;
mod request;
mod resolve;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use super::Project;
use super::context::{BaseContext, Given};
use super::packages::{self, LOCK_FILE, PackageSpec};
use crate::diagnostic::{Diagnostic, SourceText, any_error};
use crate::fs::FileSystem;
use crate::manifest::JsonMap;
use resolve::{Place, Resolved, Resolver};

/// What `deps` was asked for.
#[derive(Debug, Clone, Default)]
pub struct DepsOptions {
    /// `--upgrade`: resolve again, even where the lock file still fits.
    pub upgrade: bool,
    /// `--lock`: write the lock file, install nothing.
    pub lock: bool,
    /// `--dry-run`: resolve and say what would be installed; write nothing.
    pub dry_run: bool,
    /// `--add-package`.
    pub add: Option<AddPackage>,
}

/// `--add-package NAME@VERSION --source SOURCE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddPackage {
    pub name: String,
    pub version: Option<String>,
    /// `hub`, `git` or `local`.
    pub source: String,
}

/// A step of `deps`, told as it happens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    CreatedFile {
        file: &'static str,
    },
    /// An entry of the package file that the added one replaces.
    Replaced {
        entry: JsonMap,
    },
    Added {
        package: AddPackage,
        file: PathBuf,
    },
    NoPackages,
    Locked {
        file: PathBuf,
    },
    /// With `--dry-run`.
    WouldInstall {
        package: String,
        version: String,
    },
    Installing {
        package: String,
    },
    Installed {
        version: String,
        subdirectory: Option<String>,
    },
    /// The hub has no later version.
    UpToDate,
    UpdateAvailable {
        latest: String,
    },
    /// After all: packages with later versions.
    UpdatesAvailable {
        packages: Vec<String>,
    },
}

/// Installs the project's packages. With errors, packages-install-path is left as it was; the lock file is written once all
/// packages have been found.
pub fn deps(fs: &dyn FileSystem, project: &Project, options: &DepsOptions, tell: &mut dyn FnMut(Progress)) -> Vec<Diagnostic> {
    let mut deps = Deps { resolver: Resolver::new(fs, project), fs, project, options, tell };
    deps.run();
    deps.resolver.diagnostics
}

/// A package file with one more entry.
struct Added<'o> {
    add: &'o AddPackage,
    specs: Vec<PackageSpec>,
    text: String,
    replaced: Vec<JsonMap>,
    is_new: bool,
}

struct Deps<'a, 't> {
    resolver: Resolver<'a>,
    fs: &'a dyn FileSystem,
    project: &'a Project,
    options: &'a DepsOptions,
    tell: &'t mut dyn FnMut(Progress),
}

impl Deps<'_, '_> {
    fn run(&mut self) -> Option<()> {
        let added = match &self.options.add {
            Some(add) => Some(self.added(add)?),
            None => None,
        };
        let asked = added.as_ref().map_or(&self.project.dependencies, |added| &added.specs);
        let hash = lock::sha1_hash(asked);
        let (resolved, anew) = self.resolved(asked, &hash)?;
        if self.options.dry_run {
            for one in &resolved {
                (self.tell)(Progress::WouldInstall { package: one.title(), version: one.shown_version() });
            }
            return Some(());
        }
        if let Some(added) = added {
            self.write_added(added)?;
        }
        if anew {
            self.lock(&resolved, &hash)?;
        }
        if self.options.lock {
            return Some(());
        }
        if resolved.is_empty() {
            (self.tell)(Progress::NoPackages);
        }
        self.install(&resolved)
    }

    /// The packages to install: as the lock file says, where it fits; else resolved anew, which is the second value.
    fn resolved(&mut self, asked: &[PackageSpec], hash: &str) -> Option<(Vec<Resolved>, bool)> {
        let context = package_context(self.project);
        let locked = packages::locked(self.fs, &self.project.root, Some(&context), &mut self.resolver.diagnostics);
        let fits = locked.as_ref().is_some_and(|(_, known)| known.as_deref() == Some(hash));
        match locked {
            // Where nothing is asked for, the lock file stays in force: as in dbt.
            Some((specs, _)) if (fits && !self.options.upgrade) || asked.is_empty() => {
                Some((self.resolver.resolve(&specs, false)?, false))
            }
            _ if asked.is_empty() => Some((Vec::new(), false)),
            _ => Some((self.resolver.resolve(asked, true)?, true)),
        }
    }

    fn lock(&mut self, resolved: &[Resolved], hash: &str) -> Option<()> {
        let secrets = &self.project.invocation.secrets;
        let mut entries = Vec::with_capacity(resolved.len());
        for one in resolved {
            let written = one.request.first().written();
            let scrubbed = secrets.iter().fold(written.clone(), |text, secret| text.replace(secret, "*****"));
            if scrubbed != written {
                let message = format!("a secret is part of '{scrubbed}': the lock file is written without it");
                let help = "read it with env_var() in packages.yml; with this lock file, run deps with --upgrade";
                let warning = Diagnostic::warning("W0133", message).event("DepsScrubbedPackageName").help(help);
                self.resolver.diagnostics.push(one.request.located(warning));
            }
            entries.push(one.lock_entry(&scrubbed));
        }
        let file = self.project.root.join(LOCK_FILE);
        self.write(&file, &lock::lock_text(entries, hash))?;
        (self.tell)(Progress::Locked { file });
        Some(())
    }

    /// The package file with `--add-package`'s entry; not written yet.
    fn added<'o>(&mut self, add: &'o AddPackage) -> Option<Added<'o>> {
        let name = self.project.dependencies_file;
        let text = self.fs.read(&self.project.root.join(name)).ok().and_then(|text| String::from_utf8(text).ok());
        let old = text.map(|text| SourceText::new(name, text));
        let (text, replaced) = add::added(old.as_ref(), add);
        let source = SourceText::new(name, text.as_str());
        let yaml = crate::yaml::read(&source).0?;
        let mut specs = packages::specs(&source, &yaml, &yaml, &mut self.resolver.diagnostics);
        // dbt's hash of a list that it has just made itself leaves out what is written.
        for spec in &mut specs {
            spec.unrendered = JsonMap::new();
        }
        (!any_error(&self.resolver.diagnostics)).then_some(Added { add, specs, text, replaced, is_new: old.is_none() })
    }

    fn write_added(&mut self, added: Added<'_>) -> Option<()> {
        let name = self.project.dependencies_file;
        let file = self.project.root.join(name);
        self.write(&file, &added.text)?;
        if added.is_new {
            (self.tell)(Progress::CreatedFile { file: name });
        }
        for entry in added.replaced {
            (self.tell)(Progress::Replaced { entry });
        }
        (self.tell)(Progress::Added { package: added.add.clone(), file });
        Some(())
    }

    fn write(&mut self, file: &Path, text: &str) -> Option<()> {
        let written = self.fs.write(file, text.as_bytes());
        written.map_err(|error| self.fault(format!("{} cannot be written: {error}", file.display()))).ok()
    }

    fn fault(&mut self, message: String) {
        self.resolver.diagnostics.push(Diagnostic::error("E0133", message));
    }

    /// Puts all packages into a folder beside packages-install-path, which then takes its place.
    fn install(&mut self, resolved: &[Resolved]) -> Option<()> {
        let folder = &self.project.packages_path;
        let name = folder.file_name().unwrap_or_default().to_string_lossy();
        let beside = folder.with_file_name(format!(".{name}.{}.part", std::process::id()));
        let mut later = Vec::new();
        for one in resolved {
            (self.tell)(Progress::Installing { package: one.title() });
            if self.place(one, &beside.join(&one.name)).is_none() {
                let _ = self.fs.remove(&beside);
                return None;
            }
            (self.tell)(Progress::Installed { version: one.nice_version(), subdirectory: one.subdirectory() });
            match &one.latest {
                Some(latest) if *latest != one.version => {
                    later.push(one.title());
                    (self.tell)(Progress::UpdateAvailable { latest: latest.clone() });
                }
                Some(_) => (self.tell)(Progress::UpToDate),
                None => {}
            }
        }
        let replaced =
            self.fs.remove(folder).and_then(|()| if resolved.is_empty() { Ok(()) } else { self.fs.relocate(&beside, folder) });
        if let Err(error) = replaced {
            let message = format!("{} cannot be replaced: {error}", folder.display());
            let _ = self.fs.remove(&beside);
            self.fault(message);
            return None;
        }
        if !later.is_empty() {
            (self.tell)(Progress::UpdatesAvailable { packages: later });
        }
        Some(())
    }

    fn place(&mut self, one: &Resolved, at: &Path) -> Option<()> {
        let placed = match &one.place {
            Place::Local(folder) => self.fs.link(folder, at),
            Place::Fetched(folder) => self.fs.relocate(folder, at),
            Place::Archive(url) => {
                let folder = self.resolver.download(&one.request, url)?;
                self.fs.relocate(&folder, at)
            }
        };
        placed.map_err(|error| self.fault(format!("{} cannot be made: {error}", at.display()))).ok()
    }
}

/// What package files see.
fn package_context(project: &Project) -> BaseContext {
    let given = Given { target: None, secrets: true, vars_required: false };
    BaseContext::for_configuration(&project.invocation, project.cli_vars.clone(), given)
}
