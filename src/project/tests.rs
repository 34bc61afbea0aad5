use std::path::Path;

use super::*;
use crate::diagnostic::Diagnostic;
use crate::fs::Memory;

fn options() -> LoadOptions {
    let env = HashMap::from([("HOME".to_owned(), "/home/me".to_owned())]);
    LoadOptions { profile_required: true, packages_required: true, env: Some(env), ..LoadOptions::default() }
}

fn load_in(fs: &Memory, cwd: &str, options: &LoadOptions) -> (Option<Project>, Vec<String>) {
    let (project, diagnostics) = load(fs, Path::new(cwd), options);
    let said = |diagnostic: &Diagnostic| match &diagnostic.help {
        Some(help) => format!("{diagnostic} [{help}]"),
        None => diagnostic.to_string(),
    };
    (project, diagnostics.iter().map(said).collect())
}

const PROFILES: &str = "p:\n  target: dev\n  outputs:\n    dev: {type: duckdb, path: data/my.db.duckdb, schema: analytics, threads: 4}\n    mem:\n      type: duckdb\n";

#[test]
fn a_project_is_found_upward_and_gets_all_defaults() {
    let fs = Memory::new([
        ("/w/p/dbt_project.yml", "name: shop\nprofile: p\n"),
        ("/home/me/.dbt/profiles.yml", PROFILES),
        ("/w/p/models/staging/a.sql", "select 1"),
    ]);
    let (project, said) = load_in(&fs, "/w/p/models/staging", &options());
    assert_eq!(said, [""; 0]);
    let project = project.unwrap();
    assert_eq!(project.root, Path::new("/w/p"));
    assert_eq!(project.target_path, Path::new("/w/p/target"));
    assert_eq!(project.profiles_dir, Path::new("/home/me/.dbt"));
    let config = &project.root_package().config;
    assert_eq!((&config.model_paths, &config.analysis_paths), (&vec!["models".to_owned()], &vec!["analyses".to_owned()]));
    assert_eq!((&config.clean_targets, &config.require_dbt_version), (&vec!["target".to_owned()], &vec![">=0.0.0".to_owned()]));
    let profile = &project.profile;
    assert_eq!((profile.database.as_deref(), &*profile.schema, profile.threads), (Some("my"), "analytics", 4));
    assert_eq!(profile.credentials["path"], "/w/p/data/my.db.duckdb");
    assert_eq!(
        serde_json::to_string(&profile.shown).unwrap(),
        concat!(
            r#"{"database":"my","schema":"analytics","path":"data/my.db.duckdb","config_options":null,"extensions":null,"#,
            r#""settings":{},"external_root":".","use_credential_provider":null,"attach":null,"filesystems":null,"remote":null,"#,
            r#""plugins":null,"disable_transactions":false,"type":"duckdb","threads":4,"name":"dev","target_name":"dev","profile_name":"p"}"#
        )
    );
    assert_eq!(&*project.root_package().files[0].original_path, "models/staging/a.sql");
    assert!(project.packages.iter().skip(1).all(|package| package.builtin));
}

#[test]
fn profiles_are_searched_as_dbt_does_and_the_command_line_chooses() {
    let fs = Memory::new([
        ("/w/p/dbt_project.yml", "name: shop\nprofile: p\n"),
        ("/w/p/profiles.yml", PROFILES),
        ("/elsewhere/profiles.yml", "q: {outputs: {default: {type: duckdb}}}\n"),
    ]);
    let with = |change: &dyn Fn(&mut LoadOptions)| {
        let mut options = options();
        change(&mut options);
        let (project, said) = load_in(&fs, "/w/p", &options);
        (
            project.map(|project| format!("{} {} {:?}", project.profile.name, project.profile.target, project.profile.database)),
            said,
        )
    };
    assert_eq!(with(&|_| {}).0.unwrap(), "p dev Some(\"my\")");
    assert_eq!(with(&|options| options.target = Some("mem".into())).0.unwrap(), "p mem Some(\"memory\")");
    let elsewhere = with(&|options| {
        options.profiles_dir = Some("/elsewhere".into());
        options.profile = Some("q".into());
    });
    assert_eq!(elsewhere.0.unwrap(), "q default Some(\"memory\")");
    let (_, said) = with(&|options| options.target = Some("dve".into()));
    assert_eq!(said, ["/w/p/profiles.yml:3:3: E0110 the profile 'p' has no target 'dve' [did you mean 'dev'?]"]);
    let (_, said) = with(&|options| options.profile = Some("x".into()));
    assert_eq!(said, ["E0110 there is no profile 'x' in /w/p/profiles.yml [it has: p]"]);
    let (_, said) = with(&|options| options.profiles_dir = Some("/nowhere".into()));
    assert!(said[0].starts_with("E0110 there is no profiles.yml in /nowhere"), "{said:?}");
}

#[test]
fn without_any_profile_there_is_an_embedded_database() {
    let fs = Memory::new([("/w/p/dbt_project.yml", "name: shop\nprofile: anything\n")]);
    let (project, said) = load_in(&fs, "/w/p", &options());
    assert_eq!(said, [""; 0]);
    let profile = project.unwrap().profile;
    assert!(profile.implied);
    assert_eq!((&profile.credentials["path"], &*profile.schema), (&"/w/p/lineal.duckdb".into(), "main"));
    assert_eq!(profile.shown["database"], "lineal");
}

#[test]
fn bad_targets_are_told_with_place_and_hint() {
    let check = |output: &str, expected: &[&str]| {
        let profiles = format!("p:\n  outputs:\n    default:\n{output}");
        let fs = Memory::new([("/w/dbt_project.yml", "name: shop\nprofile: p\n"), ("/w/profiles.yml", &profiles)]);
        let (_, said) = load_in(&fs, "/w", &options());
        assert_eq!(said, expected);
    };
    check(
        "      path: x\n",
        &["/w/profiles.yml:3:5: E0110 the target 'default' of the profile 'p' has no 'type' [write: type: duckdb]"],
    );
    check("      type: duckbd\n", &["/w/profiles.yml:4:13: E0110 lineal has no adapter 'duckbd' [did you mean 'duckdb'?]"]);
    check(
        "      type: duckdb\n      pth: x\n      threads: many\n      attach: [{alias: y}]\n",
        &[
            "/w/profiles.yml:6:16: E0110 'threads' must be a number above 0, not a text",
            "/w/profiles.yml:5:7: W0102 a duckdb target has no key 'pth' [did you mean 'path'?]",
            "/w/profiles.yml:7:16: E0110 each item of 'attach' must be a map with 'path', not a map",
        ],
    );
    check(
        "      type: duckdb\n      path: a.duckdb\n      database: b\n",
        &[
            "/w/profiles.yml:6:17: E0110 the database of the file 'a.duckdb' is called 'a', not 'b' [write 'database: a', or leave the key out]",
        ],
    );
}

#[test]
fn the_project_file_is_read_whole_and_every_fault_is_told() {
    let text = "name: my-shop\nversion: one\nmodle-paths: [models]\nsource-paths: [src]\nrequire-dbt-version: ['>=2.0.0']\ndispatch:\n  - macro_namespace: x\nvars: 3\nquoting: {identifer: true}\nlog-path: l\n";
    let fs = Memory::new([("/w/dbt_project.yml", text)]);
    let (project, said) = load_in(&fs, "/w", &options());
    assert_eq!(
        said,
        [
            "dbt_project.yml:3:1: W0102 dbt_project.yml has no key 'modle-paths'; it is ignored [did you mean 'model-paths'?]",
            "dbt_project.yml:1:7: E0103 'my-shop' is not a name for a project [use letters, digits and underscores, and start with a letter or an underscore]",
            "dbt_project.yml:2:10: E0103 'one' is not a version: at path ['version']: 'one' is not valid under any of the given schemas [write it like '1.0.0', or leave it out]",
            "dbt_project.yml:4:1: W0103 'source-paths' is the former name of 'model-paths' [rename the key]",
            "dbt_project.yml:10:1: W0103 'log-path' in dbt_project.yml is deprecated [use --log-path or the variable DBT_LOG_PATH]",
            "dbt_project.yml:8:7: E0103 'vars' must be a map, not a number [a map is written as `key: value`, each on a line of its own, deeper than the key above]",
            "dbt_project.yml:9:11: W0102 'quoting' has no key 'identifer'; it is ignored [did you mean 'identifier'?]",
            "dbt_project.yml:7:5: E0103 a dispatch entry needs 'macro_namespace' and a list 'search_order' [write: - macro_namespace: dbt_utils, and search_order: [my_project, dbt_utils]]",
            "dbt_project.yml:5:22: E0103 this project asks for dbt >=2.0.0, but lineal is compatible with dbt 1.12.6 [use another version of it, widen the range, or run with --no-version-check]",
        ]
    );
    assert_eq!(project.unwrap().root_package().config.model_paths, ["src"]);
}

#[test]
fn no_project_is_an_error() {
    let fs = Memory::new([("/w/x", "")]);
    let (project, said) = load_in(&fs, "/w", &options());
    assert!(project.is_none());
    assert!(said[0].starts_with("E0100 there is no dbt_project.yml in /w or above it"), "{said:?}");
    for text in ["", "- a\n", "a: [\n"] {
        let fs = Memory::new([("/w/dbt_project.yml", text)]);
        let (project, said) = load_in(&fs, "/w", &options());
        assert!(project.is_none());
        assert_eq!(said.len(), 1, "{said:?}");
    }
}

#[test]
fn vars_come_from_one_file_and_the_command_line_wins() {
    let project = "name: shop\nvars:\n  a: 1\n  shop: {b: 2}\n  other: {b: 3}\n";
    let fs = Memory::new([
        ("/w/dbt_project.yml", project),
        ("/w/packages.yml", "packages: [{local: ../other}]\n"),
        ("/w/dbt_packages/other/dbt_project.yml", "name: other\nvars: {c: 4, a: 9, b: 9}\n"),
        ("/w/dbt_packages/other/models/m.sql", "select 1"),
    ]);
    let mut options = options();
    options.vars = Some("{d: 5}".into());
    let (project, said) = load_in(&fs, "/w", &options);
    assert_eq!(said, [""; 0]);
    let project = project.unwrap();
    let vars = project.vars_of("shop");
    assert_eq!((&vars["a"], &vars["b"], &vars["d"], vars.contains_key("c")), (&1.into(), &2.into(), &5.into(), false));
    let vars = project.vars_of("other");
    assert_eq!((&vars["a"], &vars["b"], &vars["c"], &vars["d"]), (&1.into(), &3.into(), &4.into(), &5.into()));
    let file = &project.package("other").unwrap().files[0];
    assert_eq!((&*file.source.name, &*file.original_path), ("dbt_packages/other/models/m.sql", "models/m.sql"));

    let fs = Memory::new([("/w/dbt_project.yml", "name: shop\nvars: {a: 1}\n"), ("/w/vars.yml", "vars: {a: 2}\n")]);
    let (_, said) = load_in(&fs, "/w", &options);
    assert_eq!(
        said,
        ["dbt_project.yml:2:1: E0103 Variables cannot be defined in both vars.yml and dbt_project.yml. [keep one of the two]"]
    );
    options.vars = Some("[1]".into());
    let fs = Memory::new([("/w/dbt_project.yml", "name: shop\n")]);
    let (_, said) = load_in(&fs, "/w", &options);
    assert!(said[0].starts_with("--vars:1:1: E0801 --vars must be a map, not a list"), "{said:?}");
}

#[test]
fn packages_must_be_installed_and_have_names_of_their_own() {
    let fs = Memory::new([
        ("/w/dbt_project.yml", "name: shop\n"),
        ("/w/packages.yml", "packages:\n  - package: dbt-labs/dbt_utils\n    version: 1.0.0\n"),
        (
            "/w/package-lock.yml",
            "packages:\n  - package: dbt-labs/dbt_utils\n    version: 1.0.0\n    name: dbt_utils\nsha1_hash: x\n",
        ),
    ]);
    let (_, said) = load_in(&fs, "/w", &options());
    assert_eq!(
        said,
        [
            "package-lock.yml:2:5: E0131 1 package is asked for by packages.yml, 0 installed in dbt_packages; missing: dbt_utils [run 'lineal deps']"
        ]
    );
    let mut without = options();
    without.packages_required = false;
    assert_eq!(load_in(&fs, "/w", &without).1, [""; 0]);
    let fs = Memory::new([
        ("/w/dbt_project.yml", "name: shop\n"),
        ("/w/packages.yml", "packages: [{local: ../a}]\n"),
        ("/w/dbt_packages/a/dbt_project.yml", "name: shop\n"),
    ]);
    let (_, said) = load_in(&fs, "/w", &options());
    assert_eq!(said, ["dbt_packages/a/dbt_project.yml:1:7: E0132 two packages are named 'shop' [rename or remove one of them]"]);
}

#[test]
fn a_project_brings_its_own_profile_to_a_folder_with_another() {
    let output = "  target: dev\n  outputs:\n    dev: {type: duckdb, path: x.duckdb}\n";
    let (ours, theirs) = (format!("shop:\n{output}"), format!("other:\n{output}"));
    let fs = Memory::new([
        ("/w/p/dbt_project.yml", "name: shop\nprofile: shop\n"),
        ("/w/p/profiles.yml", ours.as_str()),
        ("/w/profiles.yml", theirs.as_str()),
    ]);
    let mut options = options();
    options.project_dir = Some("/w/p".into());
    let (project, said) = load_in(&fs, "/w", &options);
    assert_eq!(said, Vec::<String>::new());
    assert_eq!(project.map(|project| project.profile.name).as_deref(), Some("shop"));
}

#[test]
fn package_files_are_checked() {
    let text = "packages:\n  - package: dbt_utils\n    version: 1\n  - package: a/b\n  - local: ''\n  - where: x\n  - git: 3\n";
    let fs = Memory::new([("/w/dbt_project.yml", "name: shop\n"), ("/w/packages.yml", text)]);
    let mut options = options();
    options.packages_required = false;
    let (_, said) = load_in(&fs, "/w", &options);
    let starts = [
        "packages.yml:2:14: E0130",
        "packages.yml:4:14: E0130",
        "packages.yml:5:12: E0130",
        "packages.yml:6:5: E0130",
        "packages.yml:7:10: E0130",
    ];
    assert_eq!(said.len(), starts.len(), "{said:?}");
    assert!(said.iter().zip(starts).all(|(said, start)| said.starts_with(start)), "{said:?}");
}

#[test]
fn flags_may_stand_in_their_former_place() {
    let profiles = format!("config: {{fail_fast: true}}\n{PROFILES}");
    let project = "name: shop\nprofile: p\n";
    let fs = Memory::new([("/w/dbt_project.yml", project), ("/w/profiles.yml", &profiles)]);
    let (loaded, said) = load_in(&fs, "/w", &options());
    assert!(loaded.unwrap().flag("fail_fast"));
    assert!(said[0].contains("W0103 'config:' of profiles.yml"), "{said:?}");
    let both = format!("{project}flags: {{fail_fast: false}}\n");
    let fs = Memory::new([("/w/dbt_project.yml", both.as_str()), ("/w/profiles.yml", &profiles)]);
    let (_, said) = load_in(&fs, "/w", &options());
    assert!(said[0].starts_with("dbt_project.yml:3:1: E0104"), "{said:?}");
}

#[test]
fn configuration_is_rendered_with_vars_environment_and_target() {
    let project = "name: shop\nprofile: \"{{ env_var('PROFILE') }}\"\nmodels:\n  shop:\n    +schema: \"{{ target.name }}_{{ var('suffix') }}\"\n    +enabled: \"{{ var('on', true) }}\"\n    +pre-hook: \"{{ this }}\"\non-run-end: \"{{ x() }}\"\nvars: {late: \"{{ y }}\"}\nseeds: {+bad: \"{{ var('no') }}\"}\n";
    let profiles = "p:\n  target: \"{{ env_var('TARGET') }}\"\n  outputs:\n    dev:\n      type: duckdb\n      threads: \"{{ env_var('THREADS') | as_number }}\"\n      settings: {s3_secret_access_key: \"{{ env_var('DBT_ENV_SECRET_KEY') }}\"}\n    other: {type: duckdb, path: \"{{ env_var('UNSET') }}\"}\n";
    let fs =
        Memory::new([("/w/dbt_project.yml", project), ("/w/profiles.yml", profiles), ("/w/.env", "THREADS=3\nTARGET=dev\n")]);
    let mut options = options();
    let env = options.env.get_or_insert_default();
    env.extend([("PROFILE", "p"), ("DBT_ENV_SECRET_KEY", "k3y")].map(|(name, value)| (name.to_owned(), value.to_owned())));
    options.vars = Some("suffix: x".to_owned());
    let (loaded, said) = load_in(&fs, "/w", &options);
    assert_eq!(
        said,
        [
            "dbt_project.yml:10:15: E0303 this value cannot be rendered: Required var 'no' not found in config:\nVars supplied to <Configuration> = {\n    \"suffix\": \"x\"\n} [give it with --vars, under `vars:` in dbt_project.yml, or a default: var('name', 'value')]"
        ]
    );
    let loaded = loaded.unwrap();
    assert_eq!(loaded.profile.threads, 3);
    assert_eq!(loaded.profile.credentials["settings"]["s3_secret_access_key"], "k3y");
    assert_eq!(loaded.profile.shown["settings"], serde_json::json!({}));
    assert_eq!(loaded.invocation.secrets, ["k3y"]);
    let config = &loaded.root_package().config;
    let models = config.resource_config("models").unwrap().to_json();
    assert_eq!(models, serde_json::json!({"shop": {"+schema": "dev_x", "+enabled": true, "+pre-hook": "{{ this }}"}}));
    assert_eq!((&config.on_run_end, &config.vars["late"]), (&vec!["{{ x() }}".to_owned()], &"{{ y }}".into()));
    assert_eq!(config.unrendered_resource_configs[0].1.to_json()["shop"]["+enabled"], "{{ var('on', true) }}");
}
