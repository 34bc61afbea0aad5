use std::collections::HashMap;
use std::path::Path;

use super::*;
use crate::fs::Memory;
use crate::project::{LoadOptions, load};

const ASKED: &str =
    "packages:\n  - local: ../packages/dbt-utils\n  - local: ../packages/dbt-date\n  - local: ../packages/dbt-audit-helper\n";

fn shop(packages: &str) -> Memory {
    Memory::new([
        ("/w/shop/dbt_project.yml", "name: shop\n"),
        ("/w/shop/packages.yml", packages),
        ("/w/packages/dbt-utils/dbt_project.yml", "name: dbt_utils\n"),
        ("/w/packages/dbt-utils/macros/m.sql", "x"),
        ("/w/packages/dbt-date/dbt_project.yml", "name: dbt_date\n"),
        ("/w/packages/dbt-audit-helper/dbt_project.yml", "name: audit_helper\n"),
        ("/w/packages/deep/dbt_project.yml", "name: deep\n"),
        ("/w/packages/deep/packages.yml", "packages: [{local: ../packages/dbt-utils}]\n"),
        ("/w/packages/twin/dbt_project.yml", "name: dbt_utils\n"),
    ])
}

/// Names of the installed packages, whether the lock file was written, what was said.
fn install(fs: &Memory, options: &DepsOptions) -> (Vec<String>, bool, Vec<String>) {
    let load_options = LoadOptions { env: Some(HashMap::new()), ..LoadOptions::default() };
    let project = load(fs, Path::new("/w/shop"), &load_options).0.expect("a project");
    let mut steps = Vec::new();
    let said = deps(fs, &project, options, &mut |step| steps.push(step));
    let installed = steps.iter().filter_map(|step| match step {
        Progress::Installing { package } => Some(package.clone()),
        _ => None,
    });
    let locked = steps.iter().any(|step| matches!(step, Progress::Locked { .. }));
    (installed.collect(), locked, said.iter().map(ToString::to_string).collect())
}

fn text(fs: &Memory, path: &str) -> String {
    String::from_utf8(fs.read(Path::new(path)).expect("a file")).expect("text")
}

#[test]
fn local_packages_are_locked_and_put_in_place() {
    let fs = shop(ASKED);
    let (installed, locked, said) = install(&fs, &DepsOptions::default());
    assert_eq!(said, [""; 0]);
    assert!(locked);
    assert_eq!(installed, ["../packages/dbt-utils", "../packages/dbt-date", "../packages/dbt-audit-helper"]);
    // As dbt 1.12.6 wrote it for the same three packages.
    assert_eq!(
        text(&fs, "/w/shop/package-lock.yml"),
        "packages:\n  - local: ../packages/dbt-utils\n    name: dbt_utils\n  - local: ../packages/dbt-date\n    name: dbt_date\n  - local: ../packages/dbt-audit-helper\n    name: audit_helper\nsha1_hash: a76aaf2398d4a18ce8cd073a0412e92594cb8320\n"
    );
    assert!(fs.exists(Path::new("/w/shop/dbt_packages/dbt_utils/macros/m.sql")));
    let (again, locked, _) = install(&fs, &DepsOptions::default());
    assert_eq!((again.len(), locked), (3, false));
    let (upgraded, locked, _) = install(&fs, &DepsOptions { upgrade: true, lock: true, ..DepsOptions::default() });
    assert_eq!((upgraded.len(), locked), (0, true));
}

#[test]
fn packages_of_packages_come_along() {
    let (installed, _, said) = install(&shop("packages: [{local: ../packages/deep}]\n"), &DepsOptions::default());
    assert_eq!(said, [""; 0]);
    assert_eq!(installed, ["../packages/deep", "../packages/dbt-utils"]);
}

#[test]
fn what_cannot_be_installed_is_said_and_nothing_is_touched() {
    let asked = "packages:\n  - local: ../nowhere\n  - package: dbt-labs/dbt_utils\n    version: 1.0\n";
    let fs = shop(asked);
    fs.write(Path::new("/w/shop/dbt_packages/old/x"), b"").unwrap();
    let (installed, locked, said) = install(&fs, &DepsOptions::default());
    assert_eq!((installed.len(), locked), (0, false));
    assert_eq!(
        said,
        [
            "packages.yml:3:5: E0130 \"1.0\" is not a valid semantic version.",
            "packages.yml:2:5: E0133 there is no dbt_project.yml in /w/nowhere",
        ]
    );
    assert!(fs.exists(Path::new("/w/shop/dbt_packages/old/x")));
    let twins = shop("packages:\n  - local: ../packages/dbt-utils\n  - local: ../packages/twin\n");
    let (_, _, said) = install(&twins, &DepsOptions::default());
    assert_eq!(said, ["packages.yml:3:5: E0132 Found duplicate project \"dbt_utils\""]);
}

#[test]
fn private_packages_of_the_platform_are_refused_by_name() {
    let fs = shop("packages: [{private: acme/kit, provider: bitbucket}]\n");
    let (_, _, said) = install(&fs, &DepsOptions::default());
    assert_eq!(said, ["packages.yml:1:12: E0134 'bitbucket' is no provider of private packages"]);
}

fn hash(packages: &str) -> String {
    let fs = shop(packages);
    let load_options = LoadOptions { env: Some(HashMap::new()), ..LoadOptions::default() };
    let (project, said) = load(&fs, Path::new("/w/shop"), &load_options);
    assert_eq!(said, []);
    lock::sha1_hash(&project.expect("a project").dependencies)
}

/// As dbt 1.12.6 computes them.
#[test]
fn the_hash_is_dbts() {
    let cases = [
        ("{package: a/b, version: 1.0.0}", "fbe59819b389dd3c16eebc554e4ec5b3ce2924bc"),
        ("{package: a/b, version: ['>=1.0.0', '<2.0.0'], install_prerelease: true}", "2f1e65f127f70e78eee5cc777c72e694c037f479"),
        ("{package: a/b, version: 1.0}", "bbcacd8a45bfe08b1b0e318c1c09cccb5c12fe57"),
        ("{git: x, revision: 1.0, warn-unpinned: false}", "9539d95ed0de8d1caaec3508f7407a9d1c6da7e5"),
        ("{git: x}", "b82016a84c457e8e4e2535aab60632d81483d77e"),
        ("{git: x, revision: 1.10, subdirectory: s, name: n}", "401979a78b54868353f41ae09bee54e554c548bd"),
        ("{tarball: x, name: y}", "f8c28aa6c070b2b0dce8667ca339c493f36b7373"),
        ("{private: x/y, provider: github, revision: v1}", "67760b3269f2cb66c6ac6ff4b6071976cad5cae8"),
        ("{local: x, name: y}", "0a51ea9a5ee7cdfd4918545f0606afe3481c9be6"),
        ("{local: x, name: null}", "17eef6e93f0d1e528e3721c3e058d02afd18db35"),
    ];
    for (entry, expected) in cases {
        assert_eq!(hash(&format!("packages: [{entry}]\n")), expected, "{entry}");
    }
}

#[test]
fn an_added_package_replaces_others_of_its_name() {
    let add = |name: &str, version: &str| AddPackage {
        name: name.to_owned(),
        version: Some(version.to_owned()),
        source: "hub".to_owned(),
    };
    let old = SourceText::new(
        "packages.yml",
        "packages:\n  - git: https://github.com/dbt-labs/dbt-utils.git\n    warn-unpinned: false\n  - package: dbt-labs/dbt_utils_more\n    version: 1.0.0\n",
    );
    let (text, replaced) = add::added(Some(&old), &add("dbt-labs/dbt_utils", ">=1.0.0,<2.0.0"));
    assert_eq!(
        text,
        "packages:\n  - package: dbt-labs/dbt_utils_more\n    version: 1.0.0\n  - package: dbt-labs/dbt_utils\n    version:\n      - '>=1.0.0'\n      - <2.0.0\n"
    );
    assert_eq!(replaced.len(), 1);
    assert_eq!(add::added(None, &add("a/b", "1.0.0")).0, "packages:\n  - package: a/b\n    version: 1.0.0\n");
}
