//! Load: a folder becomes a [`Project`]. Renders configuration values only, never models or macros.

mod builtin;
mod catalogs;
mod clean;
mod config;
pub mod context;
mod credentials;
mod deps;
mod dispatch;
mod environment;
mod files;
mod flags;
mod init;
mod load;
mod packages;
mod profile;
mod profile_setup;
mod render;
#[cfg(test)]
mod tests;
mod version;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

pub use builtin::{LibraryBlock, namespaces};
pub use clean::clean;
pub use deps::{AddPackage, DepsOptions, Progress, deps};
pub use environment::with_dotenv;
pub use files::{FEW, checksum, sha256};
pub use init::{check_name, init, profile_of};
pub use load::load;
pub use packages::{Origin, PackageSpec};
pub use profile::{IMPLIED_DATABASE, PROFILES_FILE};
pub use profile_setup::{Ask, Filled, TEMPLATE_FILE, ask_for_profile, confirm, fill, has_profile, with_profile};
pub use render::{Step, late_in_property, render_yaml};
pub use version::DBT_VERSION;

use crate::diagnostic::SourceText;
use crate::manifest::{Json, JsonMap};
use crate::yaml::Yaml;

/// The file that makes a folder a project.
pub const PROJECT_FILE: &str = "dbt_project.yml";

/// What the command line (flags and their environment variables) says of loading.
#[derive(Debug, Clone, Default)]
pub struct LoadOptions {
    /// `--project-dir`; else the nearest folder upward with a dbt_project.yml.
    pub project_dir: Option<PathBuf>,
    pub profiles_dir: Option<PathBuf>,
    pub profile: Option<String>,
    pub target: Option<String>,
    /// `--vars`, as written (YAML).
    pub vars: Option<String>,
    pub threads: Option<usize>,
    pub target_path: Option<PathBuf>,
    pub log_path: Option<PathBuf>,
    /// Commands like deps, clean and ls of packages run without a working profile.
    pub profile_required: bool,
    /// `deps`, `clean`: packages need not be installed.
    pub packages_required: bool,
    /// Global flags of the command line (`warn_error`, `full_refresh`, …) over `flags:` of dbt_project.yml: shown as `flags` and
    /// `invocation_args_dict` in Jinja. Only what was given, and `which`.
    pub flags: JsonMap,
    /// The environment; None: the process's own. A `.env` file is added to it.
    pub env: Option<HashMap<String, String>>,
    /// None: a new one.
    pub invocation_id: Option<String>,
    /// None: now.
    pub started_at: Option<chrono::DateTime<chrono::Utc>>,
}

/// A loaded project: everything read from disk, nothing rendered but configuration.
#[derive(Debug, Default)]
pub struct Project {
    /// The folder of the root's dbt_project.yml, absolute.
    pub root: PathBuf,
    /// Root first, then installed packages in dbt's load order, then the built-in ones (`dbt`, `dbt_duckdb`).
    pub packages: Vec<Arc<Package>>,
    pub profile: Profile,
    /// `--vars`.
    pub cli_vars: JsonMap,
    /// `vars.yml`, where it is.
    pub vars_file: JsonMap,
    /// selectors.yml, read but not interpreted (`graph/` does).
    pub selectors: Option<(SourceText, Yaml)>,
    /// Flags in force: defaults, `flags:`, environment, command line; dbt's names in lower case.
    pub flags: JsonMap,
    /// Absolute: `target-path`, `log-path`, `packages-install-path`.
    pub target_path: PathBuf,
    pub log_path: PathBuf,
    pub packages_path: PathBuf,
    /// The folder profiles.yml was looked for in, or found.
    pub profiles_dir: PathBuf,
    /// What packages.yml or dependencies.yml asks for, and that file's name.
    pub dependencies: Vec<PackageSpec>,
    pub dependencies_file: &'static str,
    /// What all rendering contexts share (env_var, var, target, flags …).
    pub invocation: Arc<InvocationInfo>,
}

impl Project {
    /// The root project: loading always puts it first.
    pub fn root_package(&self) -> &Arc<Package> {
        &self.packages[0]
    }

    /// A flag that is on; unknown ones are off.
    pub fn flag(&self, name: &str) -> bool {
        self.flags.get(name).and_then(Json::as_bool).unwrap_or_default()
    }

    pub fn package(&self, name: &str) -> Option<&Arc<Package>> {
        self.packages.iter().find(|package| &*package.name == name)
    }
}

/// One package: the root project, an installed one, or a built-in one.
#[derive(Debug)]
pub struct Package {
    pub name: Arc<str>,
    /// Absolute; built-in packages have an empty one.
    pub root: PathBuf,
    pub builtin: bool,
    pub config: ProjectConfig,
    pub files: Vec<Arc<SourceFile>>,
}

/// dbt_project.yml, rendered. Resource trees (`models:` …) stay YAML, to keep their places, with values rendered.
#[derive(Debug, Clone, Default)]
pub struct ProjectConfig {
    pub name: String,
    pub version: Option<String>,
    pub profile: Option<String>,
    pub source: Option<SourceText>,
    pub model_paths: Vec<String>,
    pub seed_paths: Vec<String>,
    pub snapshot_paths: Vec<String>,
    pub analysis_paths: Vec<String>,
    pub test_paths: Vec<String>,
    pub macro_paths: Vec<String>,
    pub docs_paths: Option<Vec<String>>,
    pub function_paths: Vec<String>,
    pub osi_paths: Vec<String>,
    pub asset_paths: Vec<String>,
    pub clean_targets: Vec<String>,
    pub target_path: Option<String>,
    pub log_path: Option<String>,
    pub packages_install_path: String,
    pub require_dbt_version: Vec<String>,
    /// `models`, `seeds`, `snapshots`, `sources`, `data_tests` (`tests` folded in), `unit_tests`, `exposures`, `metrics`,
    /// `semantic-models`, `saved-queries`, `analyses`, `functions`: the trees, values rendered, with places.
    pub resource_configs: Vec<(String, Yaml)>,
    /// The same trees before rendering, for `unrendered_config`.
    pub unrendered_resource_configs: Vec<(String, Yaml)>,
    pub vars: JsonMap,
    /// macro_namespace → search_order.
    pub dispatch: Vec<(String, Vec<String>)>,
    pub on_run_start: Vec<String>,
    pub on_run_end: Vec<String>,
    /// As given: {database, schema, identifier}. Packages have the root's.
    pub quoting: JsonMap,
    /// An object with what the project gives of `comment`, `append` and `job-label`: no `comment` means dbt's own comment, an
    /// empty one means none.
    pub query_comment: Json,
    pub flags: JsonMap,
    pub restrict_access: bool,
}

impl ProjectConfig {
    pub fn resource_config(&self, kind: &str) -> Option<&Yaml> {
        self.resource_configs.iter().find(|(name, _)| name == kind).map(|(_, tree)| tree)
    }

    /// Every folder that property files may lie in: models, seeds, snapshots, analyses, macros, tests, functions; each once.
    pub fn all_source_paths(&self) -> Vec<String> {
        let lists = [
            &self.model_paths,
            &self.seed_paths,
            &self.snapshot_paths,
            &self.analysis_paths,
            &self.macro_paths,
            &self.test_paths,
            &self.function_paths,
        ];
        let mut paths: Vec<String> = Vec::new();
        for path in lists.into_iter().flatten().map(|path| path.trim_end_matches('/')) {
            if !paths.iter().any(|known| known == path) {
                paths.push(path.to_owned());
            }
        }
        paths
    }
}

/// The chosen target of a profile.
#[derive(Debug, Clone, Default)]
pub struct Profile {
    pub name: String,
    pub target: String,
    /// `duckdb`, `postgres`.
    pub adapter: Arc<str>,
    pub threads: usize,
    /// The target's keys, rendered, secrets included: never shown; for `adapter/`. DuckDB's `path` is absolute.
    pub credentials: JsonMap,
    /// Jinja's `target`: no secrets.
    pub shown: JsonMap,
    /// With the adapter's defaults: DuckDB's database is the file's stem.
    pub database: Option<String>,
    pub schema: String,
    /// No profiles.yml was found: an embedded `lineal.duckdb` is used.
    pub implied: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FileKind {
    Macro,
    Model,
    Analysis,
    SingularTest,
    /// `tests/generic/`: macros files as well.
    GenericTest,
    Snapshot,
    Seed,
    /// `.yml`/`.yaml` in any resource folder.
    Properties,
    /// `.md`.
    Docs,
    /// Unit tests' `fixtures/*.csv` / `.sql`.
    Fixture,
    Function,
    /// `osi/*.json`: semantic models and metrics in the form that tools exchange.
    Osi,
}

/// One file of a package, read.
#[derive(Debug)]
pub struct SourceFile {
    pub kind: FileKind,
    /// Relative to the package's root: `models/staging/stg_orders.sql` (dbt's original_file_path).
    pub original_path: Arc<str>,
    /// Relative to its resource folder: `staging/stg_orders.sql` (dbt's path).
    pub path: Arc<str>,
    /// The resource folder: `models`.
    pub search_path: Arc<str>,
    /// Named for people (prefixed with the package's folder when it isn't the root's). The whole file as it is; dbt strips
    /// white space at both ends before it uses a text. Seeds' text is not kept (empty).
    pub source: SourceText,
    /// sha256, dbt's way (`FileHash.from_contents` of the stripped text; seeds: from path above 1 MiB).
    pub checksum: crate::manifest::Checksum,
    pub modified: Option<f64>,
    /// Of a built-in file, its blocks: they need not be looked for.
    pub library: Option<&'static [LibraryBlock]>,
}

/// What every context of an invocation shares.
#[derive(Debug, Clone, Default)]
pub struct InvocationInfo {
    pub invocation_id: String,
    /// UTC.
    pub run_started_at: chrono::DateTime<chrono::Utc>,
    /// `which`, and all flags: dbt's `invocation_args_dict`.
    pub args: JsonMap,
    /// The environment, `.env` included.
    pub env: HashMap<String, String>,
    /// `DBT_ENV_CUSTOM_ENV_*`, prefix stripped.
    pub metadata_env: JsonMap,
    /// Values of `DBT_ENV_SECRET_*`: scrubbed from everything shown or written.
    pub secrets: Vec<String>,
}
