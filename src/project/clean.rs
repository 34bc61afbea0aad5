//! What `clean` deletes, and what it never touches.

use std::path::PathBuf;

use super::Project;
use super::load::normal;
use crate::diagnostic::Diagnostic;

/// The folders of clean-targets, absolute, each once. An error where one is a source folder of the project, or lies outside of
/// it (unless `outside_too`: `--no-clean-project-files-only`); then nothing is to be deleted.
pub fn clean(project: &Project, outside_too: bool) -> Result<Vec<PathBuf>, Vec<Diagnostic>> {
    let config = &project.root_package().config;
    let sources: Vec<PathBuf> = config.all_source_paths().iter().map(|path| normal(&project.root.join(path))).collect();
    let mut folders: Vec<PathBuf> = Vec::new();
    let mut diagnostics = Vec::new();
    for target in &config.clean_targets {
        let folder = normal(&project.root.join(target));
        let fault = if sources.iter().any(|source| source.starts_with(&folder)) {
            Some((format!("clean will not delete '{target}': the project's own files lie there"), "take it out of clean-targets"))
        } else if folder == project.root || (!folder.starts_with(&project.root) && !outside_too) {
            let help = "take it out of clean-targets, or run with --no-clean-project-files-only";
            Some((format!("clean will not delete '{target}': it is not within the project"), help))
        } else {
            None
        };
        match fault {
            Some((message, help)) => {
                let mut diagnostic = Diagnostic::error("E0140", message).help(help);
                if let Some(source) = &config.source
                    && let Some(span) = place(source, target)
                {
                    diagnostic = diagnostic.at(source, span);
                }
                diagnostics.push(diagnostic);
            }
            None if !folders.contains(&folder) => folders.push(folder),
            None => {}
        }
    }
    if diagnostics.is_empty() { Ok(folders) } else { Err(diagnostics) }
}

/// Where the project file names that target.
fn place(source: &crate::diagnostic::SourceText, target: &str) -> Option<crate::diagnostic::Span> {
    let (yaml, _) = crate::yaml::read(source);
    let yaml = yaml?;
    let targets = yaml.get("clean-targets")?;
    let named = targets.items().iter().find(|item| item.as_str() == Some(target));
    Some(named.unwrap_or(targets).span)
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::path::Path;

    use super::*;
    use crate::fs::Memory;
    use crate::project::{LoadOptions, load};

    fn cleaned(targets: &str, outside_too: bool) -> Result<Vec<PathBuf>, Vec<String>> {
        let text = format!("name: shop\nclean-targets: {targets}\n");
        let fs = Memory::new([("/w/p/dbt_project.yml", text.as_str())]);
        let options = LoadOptions { env: Some(HashMap::new()), ..LoadOptions::default() };
        let project = load(&fs, Path::new("/w/p"), &options).0.expect("a project");
        clean(&project, outside_too).map_err(|said| said.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn only_what_is_safe_is_deleted() {
        let folders = |paths: &[&str]| Ok(paths.iter().map(PathBuf::from).collect());
        assert_eq!(cleaned("[target, dbt_packages, ./target]", false), folders(&["/w/p/target", "/w/p/dbt_packages"]));
        assert_eq!(cleaned("[../other]", true), folders(&["/w/other"]));
        assert_eq!(
            cleaned("[target, models, ../other]", false),
            Err(vec![
                "dbt_project.yml:2:25: E0140 clean will not delete 'models': the project's own files lie there".to_owned(),
                "dbt_project.yml:2:33: E0140 clean will not delete '../other': it is not within the project".to_owned(),
            ])
        );
        assert!(cleaned("['.']", false).is_err());
        assert!(cleaned("['.']", true).is_err());
        assert!(cleaned("['..']", true).is_err());
    }
}
