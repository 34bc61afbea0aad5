//! `init`: the files of a new project, small and ready to be built.

use std::path::PathBuf;

use super::config::{is_identifier, is_reserved};
use super::{IMPLIED_DATABASE, PROJECT_FILE};
use crate::diagnostic::{Diagnostic, SourceText};
use crate::yaml;

/// The files of a new project named `name`, relative to the folder it goes into (its name's). An error where that is no name
/// for a project. Without a profile of that name it runs on an embedded DuckDB file.
pub fn init(name: &str, profile: Option<&str>) -> Result<Vec<(PathBuf, String)>, Box<Diagnostic>> {
    check_name(name)?;
    let profile = profile.unwrap_or(name);
    let files: [(&str, String); 8] = [
        (PROJECT_FILE, project_file(name, profile)),
        (".gitignore", format!("target/\ndbt_packages/\nlogs/\n{IMPLIED_DATABASE}\n")),
        ("README.md", readme(name)),
        ("seeds/fruits.csv", "id,name,price_cents\n1,apple,45\n2,pear,60\n3,quince,120\n".to_owned()),
        ("models/staging/stg_fruits.sql", STAGING.to_owned()),
        ("models/marts/fruit_prices.sql", MART.to_owned()),
        ("models/models.yml", MODELS.to_owned()),
        (
            "tests/no_free_fruit.sql",
            "-- Fails with the rows it finds.\nselect * from {{ ref('fruit_prices') }} where price <= 0\n".to_owned(),
        ),
    ];
    Ok(files.into_iter().map(|(path, text)| (PathBuf::from(path), text)).collect())
}

/// Whether a project can have that name.
pub fn check_name(name: &str) -> Result<(), Box<Diagnostic>> {
    if is_identifier(name) && !is_reserved(name) && !matches!(name, "dbt" | "dbt_duckdb" | "dbt_postgres") {
        return Ok(());
    }
    let message = format!("'{name}' is not a name for a project");
    Err(Box::new(Diagnostic::error("E0141", message).help("use letters, digits and underscores, and start with a letter")))
}

/// The profile that a dbt_project.yml names.
pub fn profile_of(file: &str) -> Option<String> {
    let (yaml, _) = yaml::read(&SourceText::new(PROJECT_FILE, file));
    let profile = yaml?.get("profile")?.to_json();
    profile.as_str().map(str::to_owned)
}

fn project_file(name: &str, profile: &str) -> String {
    format!(
        "name: {name}\nversion: '1.0.0'\nconfig-version: 2\n\n# A profile of profiles.yml. Where there is no such file, {IMPLIED_DATABASE} beside this one is used.\n\
         profile: {profile}\n\nmodels:\n  {name}:\n    staging:\n      +materialized: view\n    marts:\n      +materialized: table\n"
    )
}

fn readme(name: &str) -> String {
    format!(
        "# {name}\n\n- `lineal build` loads the seed, builds the models and tests them.\n\
         - `lineal show --select fruit_prices` shows the result.\n- `lineal docs generate` writes the documentation to `target/`.\n"
    )
}

const STAGING: &str =
    "select\n    id as fruit_id,\n    name as fruit_name,\n    price_cents / 100.0 as price\nfrom {{ ref('fruits') }}\n";

const MART: &str = "select\n    fruit_id,\n    fruit_name,\n    price,\n    rank() over (order by price desc) as price_rank\nfrom {{ ref('stg_fruits') }}\n";

const MODELS: &str = "models:\n  - name: stg_fruits\n    description: One row for each fruit on sale.\n    columns:\n      - name: fruit_id\n        description: The fruit's number.\n        data_tests: [unique, not_null]\n  - name: fruit_prices\n    description: Fruits by price, dearest first.\n    columns:\n      - name: fruit_id\n        data_tests:\n          - relationships:\n              arguments:\n                to: ref('stg_fruits')\n                field: fruit_id\n";

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::path::Path;

    use super::*;
    use crate::fs::{FileSystem, Memory};
    use crate::project::{LoadOptions, load};

    #[test]
    fn a_new_project_loads_without_a_word() {
        let fs = Memory::default();
        for (path, text) in init("market", None).unwrap() {
            fs.write(&Path::new("/w/market").join(path), text.as_bytes()).unwrap();
        }
        let options =
            LoadOptions { env: Some(HashMap::new()), packages_required: true, profile_required: true, ..LoadOptions::default() };
        let (project, said) = load(&fs, Path::new("/w/market"), &options);
        assert_eq!(said, []);
        let project = project.unwrap();
        assert_eq!((project.root_package().files.len(), project.profile.implied), (5, true));
        for name in ["my-shop", "1st", "", "ref", "dbt"] {
            assert!(init(name, None).is_err(), "{name}");
        }
    }
}
