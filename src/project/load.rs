//! From a folder to a [`Project`]: the project file, vars, profile, packages and files, in dbt's order.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::context::{BaseContext, Given};
use super::files::Folder;
use super::packages::{self, PackageSpec};
use super::render::{late_in_project, render_yaml};
use super::{InvocationInfo, LoadOptions, PROJECT_FILE, Package, Profile, Project, ProjectConfig};
use super::{builtin, catalogs, config, environment, files, flags, profile};
use crate::diagnostic::{Diagnostic, SourceText, any_error};
use crate::fs::FileSystem;
use crate::manifest::{Json, JsonMap};
use crate::yaml::{self, Kind, Reader, Yaml};

/// Reads a project. Errors are collected; `None` only where nothing further can be said (no dbt_project.yml, broken YAML).
pub fn load(fs: &dyn FileSystem, cwd: &Path, options: &LoadOptions) -> (Option<Project>, Vec<Diagnostic>) {
    let mut loader = Loader { fs, cwd, options, diagnostics: Vec::new() };
    let project = loader.project();
    (project, loader.diagnostics)
}

struct Loader<'a> {
    fs: &'a dyn FileSystem,
    cwd: &'a Path,
    options: &'a LoadOptions,
    diagnostics: Vec<Diagnostic>,
}

/// dbt_project.yml as read.
struct ProjectFile {
    source: SourceText,
    yaml: Yaml,
}

impl Loader<'_> {
    fn project(&mut self) -> Option<Project> {
        let env = self.options.env.clone().unwrap_or_else(process_environment);
        let env = environment::with_dotenv(self.fs, self.cwd, env);
        let root = self.root()?;
        let file = self.project_file(&root, "")?;
        let home = env.get("HOME").or_else(|| env.get("USERPROFILE")).map(PathBuf::from);
        let from_env = ["DBT_ENGINE_PROFILES_DIR", "DBT_PROFILES_DIR"].iter().find_map(|name| env.get(*name));
        let asked = self.options.profiles_dir.clone().or_else(|| from_env.map(PathBuf::from));
        let places =
            profile::Places { fs: self.fs, cwd: self.cwd, root: &root, home: home.as_deref(), profiles_dir: asked.as_deref() };
        let of_project = self.project_flags(&file, &places);
        let cli_vars = self.cli_vars();
        let vars_file = self.vars_file(&root, &file);
        let of_user = self.user_flags(home.as_deref());
        let mut flags = self.flags(&of_user, &of_project, &cli_vars, &env);
        let mut invocation = self.invocation(&flags, env);

        let before = self.diagnostics.len();
        let profile = self.profile(&places, &file, &invocation, &cli_vars);
        let profiles_dir = normal(&places.folder());
        let profile_failed = any_error(&self.diagnostics[before..]);
        if profile_failed && !self.options.profile_required {
            self.diagnostics.truncate(before);
        }
        flags.insert("profiles_dir".to_owned(), profiles_dir.to_string_lossy().into());
        Self::note_flags(&mut invocation, &flags);

        let mut vars = vars_file.clone();
        vars.extend(cli_vars.clone());
        let profile = profile.unwrap_or_default();
        let context = self.context(&invocation, vars, &profile);
        let version_check = flags.get("version_check").and_then(Json::as_bool).unwrap_or(true);
        let config = self.config(&file, &context, version_check);

        let target_path = self.path(&root, self.options.target_path.as_deref(), config.target_path.as_deref(), "target");
        let log_path = self.path(&root, self.options.log_path.as_deref(), config.log_path.as_deref(), "logs");
        for (name, path) in [("project_dir", &root), ("log_path", &log_path)] {
            flags.insert(name.to_owned(), path.to_string_lossy().into());
        }
        Self::note_flags(&mut invocation, &flags);

        let (dependencies, dependencies_file, said) =
            packages::asked(self.fs, &root, "", &Self::package_context(&invocation, &cli_vars), true);
        self.diagnostics.extend(said);
        let packages_path = root.join(&config.packages_install_path);
        let mut project = Project {
            selectors: packages::yaml_file(self.fs, &root, "selectors.yml", "", &mut self.diagnostics),
            packages: vec![Arc::new(Package {
                name: config.name.as_str().into(),
                root: root.clone(),
                builtin: false,
                config,
                files: Vec::new(),
            })],
            root,
            profile,
            cli_vars,
            vars_file,
            flags,
            target_path,
            log_path,
            packages_path,
            profiles_dir,
            dependencies,
            dependencies_file,
            invocation,
        };
        self.render_selectors(&mut project, &context);
        if self.options.packages_required {
            self.catalogs(&project);
            self.packages(&mut project, version_check);
            self.files(&mut project);
            project.packages.extend(builtin::packages(&project.profile.adapter));
        }
        Some(project)
    }

    /// `--project-dir`, else the nearest folder upward that has a dbt_project.yml.
    fn root(&mut self) -> Option<PathBuf> {
        let has_file = |folder: &Path| self.fs.exists(&folder.join(PROJECT_FILE));
        let found = match &self.options.project_dir {
            Some(folder) => Some(normal(&self.cwd.join(folder))).filter(|folder| has_file(folder)),
            None => self.cwd.ancestors().find(|folder| has_file(folder)).map(Path::to_owned),
        };
        if found.is_none() {
            let (place, help) = match &self.options.project_dir {
                Some(folder) => (folder.display().to_string(), "correct --project-dir"),
                None => (
                    format!("{} or above it", self.cwd.display()),
                    "go to a project's folder, name it with --project-dir, or make one with 'lineal init'",
                ),
            };
            self.diagnostics.push(Diagnostic::error("E0100", format!("there is no {PROJECT_FILE} in {place}")).help(help));
        }
        found
    }

    fn project_file(&mut self, root: &Path, prefix: &str) -> Option<ProjectFile> {
        let (said, found) = {
            let mut said = Vec::new();
            let found = packages::yaml_file(self.fs, root, PROJECT_FILE, prefix, &mut said);
            (said, found)
        };
        let failed = any_error(&said);
        self.diagnostics.extend(said);
        let Some((source, yaml)) = found else {
            if !failed {
                let message = format!("{prefix}{PROJECT_FILE} is empty");
                self.diagnostics
                    .push(Diagnostic::error("E0103", message).help("it needs at least a line like: name: my_project"));
            }
            return None;
        };
        if !matches!(yaml.kind, Kind::Map(_)) {
            let mut reader = Reader { source: &source, code: "E0103", diagnostics: &mut self.diagnostics };
            reader.wrong_kind(&yaml, PROJECT_FILE, "a map of keys");
            return None;
        }
        Some(ProjectFile { source, yaml })
    }

    fn cli_vars(&mut self) -> JsonMap {
        let Some(text) = &self.options.vars else { return JsonMap::new() };
        let source = SourceText::new("--vars", text.as_str());
        let (yaml, said) = yaml::read(&source);
        let failed = any_error(&said);
        self.diagnostics.extend(said);
        match yaml.map(|yaml| (yaml.to_json(), yaml)) {
            Some((Json::Object(vars), _)) => vars,
            Some((_, yaml)) => {
                let message = format!("--vars must be a map, not {}", yaml.kind.noun());
                let help = "write it like: --vars '{start: 2024-01-01, full: true}'";
                self.diagnostics.push(Diagnostic::error("E0801", message).at(&source, yaml.span).help(help));
                JsonMap::new()
            }
            None => {
                debug_assert!(failed);
                JsonMap::new()
            }
        }
    }

    /// `vars:` of vars.yml; a project may give vars there or in dbt_project.yml, not in both.
    fn vars_file(&mut self, root: &Path, project: &ProjectFile) -> JsonMap {
        let Some((source, yaml)) = packages::yaml_file(self.fs, root, "vars.yml", "", &mut self.diagnostics) else {
            return JsonMap::new();
        };
        let mut reader = Reader { source: &source, code: "E0103", diagnostics: &mut self.diagnostics };
        let Some(vars) = yaml.get("vars") else { return JsonMap::new() };
        if reader.expect_map(vars, "'vars'").is_none_or(<[_]>::is_empty) {
            return JsonMap::new();
        }
        if let Some(entry) = project.yaml.entry("vars").filter(|entry| !entry.value.entries().is_empty()) {
            self.diagnostics.push(
                Diagnostic::error("E0103", format!("Variables cannot be defined in both vars.yml and {PROJECT_FILE}."))
                    .at(&project.source, entry.key_span)
                    .at_with(&source, vars.span, "and here")
                    .help("keep one of the two"),
            );
        }
        match vars.to_json() {
            Json::Object(vars) => vars,
            _ => JsonMap::new(),
        }
    }

    /// `flags:` of `~/.dbt/user_settings.yml`; a file that cannot be read counts for nothing, as in dbt.
    fn user_flags(&self, home: Option<&Path>) -> JsonMap {
        let path = home.map(|home| home.join(".dbt/user_settings.yml"));
        let bytes = path.filter(|path| self.fs.exists(path)).and_then(|path| self.fs.read(&path).ok());
        let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
        let read = text.and_then(|text| yaml::read(&SourceText::new("user_settings.yml", text)).0);
        read.and_then(|settings| settings.get("flags")?.to_json().as_object().cloned()).unwrap_or_default()
    }

    fn flags(&mut self, of_user: &JsonMap, of_project: &JsonMap, cli_vars: &JsonMap, env: &HashMap<String, String>) -> JsonMap {
        let mut given = self.options.flags.clone();
        let is_set = |name: &str| of_project.contains_key(name) || given.contains_key(name);
        if is_set("warn_error") && is_set("warn_error_options") {
            let message = "warn_error_options: not allowed with argument warn_error";
            let help = "keep one: `warn_error: true` is the same as `warn_error_options: {error: all}`";
            self.diagnostics.push(Diagnostic::error("E0801", message).help(help));
        }
        if env.get("DO_NOT_TRACK").is_some_and(|value| matches!(value.to_lowercase().as_str(), "1" | "t" | "true" | "y" | "yes"))
        {
            given.insert("send_anonymous_usage_stats".to_owned(), false.into());
        }
        given.insert("vars".to_owned(), Json::Object(cli_vars.clone()));
        if let Some(text) = given.get("warn_error_options").and_then(Json::as_str) {
            let source = SourceText::new("--warn-error-options", text);
            let (yaml, said) = yaml::read(&source);
            self.diagnostics.extend(said);
            let mut reader = Reader { source: &source, code: "E0801", diagnostics: &mut self.diagnostics };
            let options = yaml.filter(|yaml| reader.expect_map(yaml, "--warn-error-options").is_some());
            let options = options.map(|yaml| flags::warn_error_options(&yaml, &mut reader));
            given.insert("warn_error_options".to_owned(), options.unwrap_or_default());
        }
        flags::in_force(of_user, of_project, &given)
    }

    fn invocation(&self, flags: &JsonMap, env: HashMap<String, String>) -> Arc<InvocationInfo> {
        Arc::new(InvocationInfo {
            invocation_id: self.options.invocation_id.clone().unwrap_or_else(|| uuid::Uuid::new_v4().to_string()),
            run_started_at: self.options.started_at.unwrap_or_else(chrono::Utc::now),
            args: flags::arguments(flags),
            metadata_env: environment::metadata(&env),
            secrets: environment::secrets(&env, flags.get("vars").and_then(Json::as_object).unwrap_or(&JsonMap::new())),
            env,
        })
    }

    /// Flags that only become known on the way.
    fn note_flags(invocation: &mut Arc<InvocationInfo>, flags: &JsonMap) {
        let args = flags::arguments(flags);
        *invocation = Arc::new(InvocationInfo { args, ..InvocationInfo::clone(invocation) });
    }

    fn package_context(invocation: &Arc<InvocationInfo>, cli_vars: &JsonMap) -> BaseContext {
        let given = Given { target: None, secrets: true, vars_required: true };
        BaseContext::for_configuration(invocation, cli_vars.clone(), given)
    }

    /// What dbt_project.yml's values see: `deps` and `clean` are content without vars and target.
    fn context(&self, invocation: &Arc<InvocationInfo>, vars: JsonMap, profile: &Profile) -> BaseContext {
        let vars_required = self.options.flags.get("which").and_then(Json::as_str) != Some("deps");
        let given = Given { target: Some(profile.shown.clone()), secrets: false, vars_required };
        BaseContext::for_configuration(invocation, vars, given)
    }

    /// The project's `flags:`; where it has none, `config:` of profiles.yml, which is where they once were.
    fn project_flags(&mut self, file: &ProjectFile, places: &profile::Places<'_>) -> JsonMap {
        let own = file.yaml.entry("flags").filter(|entry| !entry.value.is_null());
        let former = places.flags();
        let (yaml, source) = match (own, &former) {
            (Some(own), Some((source, former))) if !own.value.entries().is_empty() => {
                self.diagnostics.push(
                    Diagnostic::error("E0104", format!("flags are given in {PROJECT_FILE} and under 'config:' of profiles.yml"))
                        .at(&file.source, own.key_span)
                        .at_with(source, former.span, "and here")
                        .help("keep the first: the second is their former place"),
                );
                (Some(&own.value), &file.source)
            }
            (None, Some((source, former))) => {
                let message = "'config:' of profiles.yml is the former place of a project's flags";
                let warning = Diagnostic::warning("W0103", message).at(source, former.span).event("ProjectFlagsMovedDeprecation");
                self.diagnostics.push(warning.help(format!("move them to 'flags:' of {PROJECT_FILE}")));
                (Some(former), source)
            }
            (own, _) => (own.map(|own| &own.value), &file.source),
        };
        let (flags, said) = flags::of_project(yaml, source);
        self.diagnostics.extend(said);
        flags
    }

    fn profile(
        &mut self,
        places: &profile::Places<'_>,
        file: &ProjectFile,
        invocation: &Arc<InvocationInfo>,
        cli_vars: &JsonMap,
    ) -> Option<Profile> {
        let context = Self::package_context(invocation, cli_vars);
        let (project_profile, said) = profile::project_profile(&file.yaml, &file.source, &context);
        let unrendered = any_error(&said) && self.options.profile.is_none();
        self.diagnostics.extend(said);
        if unrendered {
            return None;
        }
        let place = file.yaml.entry("profile").map_or_else(Default::default, |entry| entry.value.span);
        let (profile, said) = profile::load(&profile::Choice {
            places,
            profile: self.options.profile.as_deref(),
            target: self.options.target.as_deref(),
            threads: self.options.threads,
            project_profile,
            project_place: Some((file.source.clone(), place)),
            context: &context,
        });
        self.diagnostics.extend(said);
        profile
    }

    fn config(&mut self, file: &ProjectFile, context: &BaseContext, version_check: bool) -> ProjectConfig {
        let (rendered, said) = render_yaml(&file.yaml, &file.source, context, &late_in_project);
        self.diagnostics.extend(said);
        let (config, said) = config::read(&rendered, &file.yaml, &file.source, version_check);
        self.diagnostics.extend(said);
        config
    }

    /// A path of the command line starts at the current folder, one of the project at its root.
    fn path(&self, root: &Path, given: Option<&Path>, of_project: Option<&str>, default: &str) -> PathBuf {
        match given {
            Some(given) => normal(&self.cwd.join(given)),
            None => normal(&root.join(of_project.unwrap_or(default))),
        }
    }

    fn render_selectors(&mut self, project: &mut Project, context: &BaseContext) {
        if let Some((source, yaml)) = project.selectors.take() {
            let (rendered, said) = render_yaml(&yaml, &source, context, &|_| false);
            self.diagnostics.extend(said);
            project.selectors = Some((source, rendered));
        }
    }

    /// catalogs.yml, whose values see the environment, secrets among it, and `--vars`.
    fn catalogs(&mut self, project: &Project) {
        const FILE: &str = "catalogs.yml";
        if !self.fs.exists(&project.root.join(FILE)) {
            return;
        }
        let before = self.diagnostics.len();
        let Some((source, yaml)) = packages::yaml_file(self.fs, &project.root, FILE, "", &mut self.diagnostics) else {
            if !any_error(&self.diagnostics[before..]) {
                self.diagnostics.push(Diagnostic::error("E0143", format!("{FILE} is empty")).help("remove it, or fill it"));
            }
            return;
        };
        let context = Self::package_context(&project.invocation, &project.cli_vars);
        let (yaml, said) = render_yaml(&yaml, &source, &context, &|_| false);
        self.diagnostics.extend(said);
        let v2 = project.flags.get("use_catalogs_v2").and_then(Json::as_bool).unwrap_or(false);
        self.diagnostics.extend(catalogs::check(&source, &yaml, &project.profile.adapter, v2));
    }

    /// Adds the installed packages; each sees the target and the environment, but neither `--vars` nor the root's vars.
    fn packages(&mut self, project: &mut Project, version_check: bool) {
        let installed = packages::installed(self.fs, &project.packages_path);
        let root_config = &project.packages[0].config;
        let locked = packages::locked(self.fs, &project.root, None, &mut self.diagnostics);
        let locked = locked.map(|(specs, _)| specs).filter(|specs| !specs.is_empty());
        let asked: &[PackageSpec] = locked.as_deref().unwrap_or(&project.dependencies);
        let check = packages::check_installed(asked, &installed, project.dependencies_file, &root_config.packages_install_path);
        self.diagnostics.extend(check);
        let quoting = root_config.quoting.clone();
        let context = self.context(&project.invocation, JsonMap::new(), &project.profile);
        for folder in installed {
            let prefix = prefix(&project.root, &folder);
            let Some(file) = self.project_file(&folder, &prefix) else { continue };
            let mut config = self.config(&file, &context, version_check);
            config.quoting.clone_from(&quoting);
            if let Some(twin) = project.package(&config.name).filter(|_| !config.name.is_empty()) {
                let mut diagnostic = Diagnostic::error("E0132", format!("two packages are named '{}'", config.name));
                let name_span = |yaml: &Yaml| yaml.get("name").map(|name| name.span).unwrap_or_default();
                diagnostic = diagnostic.at(&file.source, name_span(&file.yaml));
                if let Some(source) = &twin.config.source {
                    let span = yaml::read(source).0.as_ref().map(name_span).unwrap_or_default();
                    diagnostic = diagnostic.at_with(source, span, "this one as well");
                }
                self.diagnostics.push(diagnostic.help("rename or remove one of them"));
                continue;
            }
            project.packages.push(Arc::new(Package {
                name: config.name.as_str().into(),
                root: folder,
                builtin: false,
                config,
                files: Vec::new(),
            }));
        }
    }

    /// Finds and reads the files of all packages.
    fn files(&mut self, project: &mut Project) {
        let (fs, flags, root) = (self.fs, &project.flags, &project.root);
        let read: Vec<_> = project
            .packages
            .iter()
            .map(|package| {
                let prefix = prefix(root, &package.root);
                files::read(&Folder { fs, root: &package.root, prefix: &prefix, config: &package.config, flags })
            })
            .collect();
        for (package, (files, said)) in project.packages.iter_mut().zip(read) {
            self.diagnostics.extend(said);
            if let Some(package) = Arc::get_mut(package) {
                package.files = files;
            }
        }
    }
}

/// Before the paths of a package's files: empty for the root.
fn prefix(root: &Path, package: &Path) -> String {
    if root == package {
        return String::new();
    }
    let shown = package.strip_prefix(root).unwrap_or(package);
    format!("{}/", shown.display())
}

fn process_environment() -> HashMap<String, String> {
    std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?))).collect()
}

/// Without `.` and, where they follow a name, `..`.
pub(super) fn normal(path: &Path) -> PathBuf {
    use std::path::Component;
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if matches!(out.components().next_back(), Some(Component::Normal(_))) => {
                out.pop();
            }
            part => out.push(part),
        }
    }
    out
}
