//! deps, clean, debug: what works without a parsed project.

use super::Invocation;
use crate::cli::Outcome;
use crate::diagnostic::Diagnostic;
use crate::event::Event;
use crate::manifest::{Json, JsonMap};
use crate::project::{self, AddPackage, DepsOptions, Progress};

/// Installs the packages that packages.yml or dependencies.yml names.
pub fn deps(invocation: &Invocation) -> Outcome {
    let request = invocation.request;
    let source = request.text("source").unwrap_or("hub").to_owned();
    let add = request.text("add_package").map(|text| {
        let (name, version) = match text.split_once('@') {
            Some((name, version)) if !version.contains('@') => (name, Some(version.to_owned())),
            _ => (text, None),
        };
        AddPackage { name: name.to_owned(), version: version.filter(|version| !version.is_empty()), source: source.clone() }
    });
    if add.as_ref().is_some_and(|add| add.version.is_none() && add.source != "local") {
        let message = format!("Version is required in --add-package when source is {source}");
        invocation.teller.tell(vec![Diagnostic::error("E0812", message).help("write --add-package name@version")]);
        return Outcome::Unusable;
    }
    let options = DepsOptions { lock: request.is("lock"), upgrade: request.is("upgrade"), dry_run: request.is("dry_run"), add };
    let diagnostics = project::deps(&*invocation.fs, &invocation.project, &options, &mut |step| progress(invocation, step));
    if invocation.teller.tell(diagnostics) { Outcome::Success } else { Outcome::Unusable }
}

/// Tells a step of `deps` under dbt's name for it.
fn progress(invocation: &Invocation, step: Progress) {
    let text_of = |value: &Json| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let (name, code, text) = match step {
        Progress::CreatedFile { file } => ("Formatting", "Z017", format!("Created {file}")),
        Progress::Replaced { entry } => {
            let entry: Vec<String> = entry.iter().map(|(key, value)| format!("{key}: {}", text_of(value))).collect();
            let text = format!("Found duplicate package in packages.yml, removing: {}", entry.join(", "));
            ("DepsFoundDuplicatePackage", "M033", text)
        }
        Progress::Added { package, file } => {
            let version = package.version.map(|version| format!("@{version}")).unwrap_or_default();
            ("DepsAddPackage", "M032", format!("Added new package {}{version} to {}", package.name, file.display()))
        }
        Progress::NoPackages => ("DepsNoPackagesFound", "M013", "Warning: No packages were found in packages.yml".to_owned()),
        Progress::Locked { file } => ("DepsLockUpdating", "M031", format!("Updating lock file in file path: {}", file.display())),
        Progress::WouldInstall { package, version } => ("Formatting", "Z017", format!("Would install {package} {version}")),
        Progress::Installing { package } => ("DepsStartPackageInstall", "M014", format!("Installing {package}")),
        Progress::Installed { version, subdirectory } => {
            note(invocation, "DepsInstallInfo", "M015", format!("Installed from {version}"));
            let Some(subdirectory) = subdirectory else { return };
            ("DepsListSubdirectory", "M018", format!("and subdirectory {subdirectory}"))
        }
        Progress::UpToDate => ("DepsUpToDate", "M017", "Up to date!".to_owned()),
        Progress::UpdateAvailable { latest } => ("DepsUpdateAvailable", "M016", format!("Updated version available: {latest}")),
        Progress::UpdatesAvailable { packages } => {
            let text =
                format!("Updates available for packages: {}\nraise their versions, then run deps again", packages.join(", "));
            ("DepsNotifyUpdatesAvailable", "M019", text)
        }
    };
    note(invocation, name, code, text);
}

/// Deletes the folders of `clean-targets`, none outside the project.
pub fn clean(invocation: &Invocation) -> Outcome {
    let outside_too = !invocation.flag("clean_project_files_only", true);
    let folders = match project::clean(&invocation.project, outside_too) {
        Ok(folders) => folders,
        Err(diagnostics) => {
            invocation.teller.tell(diagnostics);
            return Outcome::Unusable;
        }
    };
    let mut fine = true;
    for folder in folders {
        match invocation.fs.remove(&folder) {
            Ok(()) => note(invocation, "ConfirmCleanPath", "Z042", format!("Cleaned {}", folder.display())),
            Err(error) => {
                let message = format!("{} cannot be deleted: {error}", folder.display());
                fine &= invocation.teller.tell(vec![Diagnostic::error("E0805", message)]);
            }
        }
    }
    if fine {
        note(invocation, "FinishedCleanPaths", "Z044", "Finished cleaning all paths.".to_owned());
    }
    if fine { Outcome::Success } else { Outcome::Unusable }
}

/// Says what was found of profile, project and connection, and tries the connection.
pub fn debug(invocation: &Invocation) -> Outcome {
    let project = &invocation.project;
    if invocation.request.is("config_dir") {
        let folder = project.profiles_dir.display().to_string();
        note(invocation, "OpenCommand", "Z037", format!("To view your profiles.yml file, run:\n\nopen {folder}"));
        return Outcome::Success;
    }
    let line = |text: String| note(invocation, "DebugCmdOut", "Z047", text);
    line(format!("lineal version: {}, compatible with dbt 1.12.6", env!("CARGO_PKG_VERSION")));
    line(format!("Using profiles dir at {}", project.profiles_dir.display()));
    line(format!("Using dbt_project.yml file at {}", project.root.join("dbt_project.yml").display()));
    line(format!("adapter type: {}", project.profile.adapter));
    line("Configuration:\n  profiles.yml file [OK found and valid]\n  dbt_project.yml file [OK found and valid]".to_owned());
    let Some(adapter) = invocation.adapter() else { return Outcome::Failure };
    let shown: Vec<String> = adapter.shown_credentials().iter().map(|(key, value)| format!("  {key}: {value}")).collect();
    line(format!("Connection:\n{}", shown.join("\n")));
    match adapter.connect("debug").and_then(|mut connection| connection.query("select 1 as id", Some(1))) {
        Ok(_) => {
            line("  Connection test: [OK connection ok]\n\nAll checks passed!".to_owned());
            Outcome::Success
        }
        Err(error) => {
            line("  Connection test: [ERROR]".to_owned());
            invocation.teller.tell(vec![super::settings::adapter_fault(&error)]);
            Outcome::Failure
        }
    }
}

fn note(invocation: &Invocation, name: &'static str, code: &'static str, text: String) {
    invocation.events.emit(Event::Note { name, code, level: "info", text, data: JsonMap::new() });
}
