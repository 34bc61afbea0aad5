//! `lineal history …`: the project over the run history, which the binary carries, is put beside the project's artifacts, and
//! the command runs there.

use std::collections::HashMap;
use std::path::Path;

use super::settings;
use crate::cli::Request;
use crate::diagnostic::{Diagnostic, SourceText};
use crate::fs::FileSystem;
use crate::manifest::Json;
use crate::project::{self, PROJECT_FILE};
use crate::yaml;

macro_rules! model {
    ($path:literal) => {
        ($path, include_str!(concat!("../../models/", $path)))
    };
}

/// The files of `models/`.
static MODELS: &[(&str, &str)] = &[
    model!("marts/executions.sql"),
    model!("marts/flaky_tests.sql"),
    model!("marts/invocations.sql"),
    model!("marts/marts.yml"),
    model!("marts/node_runs.sql"),
    model!("marts/test_failures_daily.sql"),
    model!("staging/staging.yml"),
    model!("staging/stg_history_invocations.sql"),
    model!("staging/stg_history_lines.sql"),
    model!("staging/stg_history_nodes.sql"),
];
static PROJECT: &str = include_str!("../../dbt_project.yml");
/// The tables are in a file of their own, beside the models.
const PROFILES: &str = "\
lineal_history:
  target: history
  outputs:
    history: {type: duckdb, path: history.duckdb}
";

/// Flags of the command that are about the user's own project and not about its history.
const OF_THE_PROJECT: [&str; 9] =
    ["profile", "target", "target_path", "log_path", "state", "defer", "defer_state", "favor_state", "profiles_dir"];

/// The same command for the history of the project that the request names. What cannot be written is among the warnings, as an
/// error.
pub fn request(fs: &dyn FileSystem, cwd: &Path, request: &Request, env: &HashMap<String, String>) -> Request {
    let mut options = settings::load_options(request, env.clone());
    (options.packages_required, options.profile_required) = (false, false);
    let (project, faults) = project::load(fs, cwd, &options);
    let mut own = request.clone();
    let Some(project) = project else {
        own.warnings.extend(faults);
        return own;
    };
    let folder = project.target_path.join("lineal-history");
    if let Err(error) = unpack(fs, &folder) {
        let message = format!("{} cannot be written: {error}", folder.display());
        let help = "check the folder's permissions, or give another with --target-path";
        own.warnings.push(Diagnostic::error("E0805", message).help(help));
    }
    for name in OF_THE_PROJECT {
        own.given.shift_remove(name);
    }
    let source = SourceText::new("--vars", request.text("vars").unwrap_or("{}"));
    // What is wrong with others the loader says.
    let Some(Json::Object(mut vars)) = yaml::read(&source).0.map(|vars| vars.to_json()) else { return own };
    let history = project.log_path.join("history").to_string_lossy().into_owned();
    vars.entry("history_path".to_owned()).or_insert(history.into());
    let folder = folder.to_string_lossy();
    own.given.insert("vars".to_owned(), Json::Object(vars).to_string().into());
    own.given.insert("project_dir".to_owned(), folder.as_ref().into());
    own.given.insert("profiles_dir".to_owned(), folder.as_ref().into());
    own
}

fn unpack(fs: &dyn FileSystem, folder: &Path) -> std::io::Result<()> {
    fs.write(&folder.join(PROJECT_FILE), PROJECT.as_bytes())?;
    fs.write(&folder.join(project::PROFILES_FILE), PROFILES.as_bytes())?;
    MODELS.iter().try_for_each(|(path, text)| fs.write(&folder.join("models").join(path), text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fs::Disk;

    #[test]
    fn all_models_are_carried() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("models");
        let mut there = Disk.walk(&folder).expect("walks");
        there.sort();
        let mut carried: Vec<_> = MODELS.iter().map(|(path, _)| folder.join(path)).collect();
        carried.sort();
        assert_eq!(there, carried);
    }
}
