//! deps, clean, init, debug: what works without a parsed project.

use std::collections::HashMap;
use std::path::Path;

use super::Invocation;
use crate::cli::{Outcome, Request};
use crate::diagnostic::Diagnostic;
use crate::event::Event;
use crate::fs::FileSystem;
use crate::manifest::JsonMap;
use crate::project;

/// Installs the packages that packages.yml and dependencies.yml name.
pub fn deps(invocation: &Invocation) -> Outcome {
    let options = project::InstallOptions { lock: invocation.request.is("lock"), upgrade: invocation.request.is("upgrade") };
    let (installed, diagnostics) = project::install_local(&*invocation.fs, &invocation.project, options);
    let fine = invocation.teller.tell(diagnostics);
    for package in &installed.packages {
        note(invocation, "DepsInstallInfo", "M016", format!("Installed {}", package.name));
    }
    if installed.packages.is_empty() && fine {
        note(invocation, "DepsNoPackagesFound", "M013", "Warning: No packages were found in packages.yml".to_owned());
    }
    if fine { Outcome::Success } else { Outcome::Unusable }
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

/// Writes a new project into a folder of its name. Files that are there already are left alone, and that is an error.
pub fn init(fs: &dyn FileSystem, cwd: &Path, request: &Request, env: HashMap<String, String>) -> Outcome {
    let options = super::settings::load_options(request, env);
    let reporter = crate::report::Reporter::new(super::settings::report_options(None, &options, cwd));
    let events = reporter.events();
    let outcome = match written(fs, cwd, request) {
        Ok(name) => {
            let text = format!("Your new project \"{name}\" was created!\n\n  cd {name}\n  lineal build\n");
            events.emit(Event::Note { name: "ProjectCreated", code: "A025", level: "info", text, data: JsonMap::new() });
            Outcome::Success
        }
        Err(diagnostic) => {
            events.emit(Event::Diagnostic(Box::new(diagnostic)));
            Outcome::Unusable
        }
    };
    reporter.finish();
    outcome
}

fn written(fs: &dyn FileSystem, cwd: &Path, request: &Request) -> Result<String, Diagnostic> {
    let name = request.words.first().ok_or_else(|| {
        Diagnostic::error("E0807", "init needs the name of the new project").help("for example: lineal init my_project")
    })?;
    let folder = cwd.join(name);
    if fs.exists(&folder) {
        let message = format!("A project called {name} already exists here.");
        return Err(Diagnostic::error("E0809", message).help("choose another name, or another folder"));
    }
    for (path, text) in project::init(name, request.text("profile"))? {
        let path = folder.join(path);
        let fault = |error: std::io::Error| Diagnostic::error("E0805", format!("{} cannot be written: {error}", path.display()));
        fs.write(&path, text.as_bytes()).map_err(fault)?;
    }
    Ok(name.clone())
}

fn note(invocation: &Invocation, name: &'static str, code: &'static str, text: String) {
    invocation.events.emit(Event::Note { name, code, level: "info", text, data: JsonMap::new() });
}
