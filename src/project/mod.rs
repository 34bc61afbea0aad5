//! Load: a folder becomes a [`Project`]. Renders configuration values only, never models or macros.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::diagnostic::{Diagnostic, SourceText};
use crate::fs::FileSystem;
use crate::manifest::{Json, JsonMap};
use crate::yaml::Yaml;

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
    /// `invocation_args_dict` in Jinja.
    pub flags: JsonMap,
}

/// A loaded project: everything read from disk, nothing rendered but configuration.
#[derive(Debug)]
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
    /// What all rendering contexts share (env_var, var, target, flags …).
    pub invocation: Arc<InvocationInfo>,
}

impl Project {
    pub fn root_package(&self) -> &Arc<Package> {
        &self.packages[0]
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
    pub asset_paths: Vec<String>,
    pub clean_targets: Vec<String>,
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
    /// As given: {database, schema, identifier}.
    pub quoting: JsonMap,
    pub query_comment: Json,
    pub flags: JsonMap,
    pub restrict_access: bool,
}

impl ProjectConfig {
    pub fn resource_config(&self, kind: &str) -> Option<&Yaml> {
        self.resource_configs.iter().find(|(name, _)| name == kind).map(|(_, tree)| tree)
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
    /// The target's keys, rendered, secrets included: never shown; for `adapter/`.
    pub credentials: JsonMap,
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
    /// Named for people (prefixed with the package's folder when it isn't the root's). Seeds' text is not read (empty).
    pub source: SourceText,
    /// sha256, dbt's way (`FileHash.from_contents` of the stripped text; seeds: from path above 1 MiB).
    pub checksum: crate::manifest::Checksum,
    pub modified: Option<f64>,
}

/// What every context of an invocation shares.
#[derive(Debug, Default)]
pub struct InvocationInfo {
    pub invocation_id: String,
    /// UTC.
    pub run_started_at: chrono::DateTime<chrono::Utc>,
    /// `which`, and all flags: dbt's `invocation_args_dict`.
    pub args: JsonMap,
    /// The environment, `.env` included.
    pub env: std::collections::HashMap<String, String>,
    /// `DBT_ENV_CUSTOM_ENV_*`, prefix stripped.
    pub metadata_env: JsonMap,
    /// Values of `DBT_ENV_SECRET_*`: scrubbed from everything shown or written.
    pub secrets: Vec<String>,
}

/// Reads a project. Errors are collected; `None` only where nothing further can be said (no dbt_project.yml, broken YAML).
pub fn load(_fs: &dyn FileSystem, _cwd: &Path, _options: &LoadOptions) -> (Option<Project>, Vec<Diagnostic>) {
    (None, Vec::new())
}
