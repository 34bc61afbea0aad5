//! `deps`: resolves what the project asks for, writes package-lock.yml, and puts packages into packages-install-path.
//! Local packages only, so far; others are refused by name.

use std::collections::HashMap;
use std::fmt::Write;
use std::path::PathBuf;

use sha1::{Digest, Sha1};

use super::context::{BaseContext, Given};
use super::load::normal;
use super::packages::{self, LOCK_FILE, Origin, PackageSpec};
use super::{PROJECT_FILE, Project};
use crate::diagnostic::{Diagnostic, any_error};
use crate::fs::FileSystem;
use crate::manifest::{Json, JsonMap};

/// What `deps` was asked for.
#[derive(Debug, Clone, Copy, Default)]
pub struct InstallOptions {
    /// `--upgrade`: resolve again, even where the lock file still fits.
    pub upgrade: bool,
    /// `--lock`: write the lock file, install nothing.
    pub lock: bool,
}

/// One package put in place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstalledPackage {
    pub name: String,
    /// As the package file writes it: for a local one its folder.
    pub origin: String,
}

/// What `deps` did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Installation {
    /// Empty where the project asks for nothing, or with `--lock`.
    pub packages: Vec<InstalledPackage>,
    /// The lock file, where it was written.
    pub lock_file: Option<PathBuf>,
}

/// Installs the project's packages. With errors, packages-install-path is left as it was.
pub fn install_local(fs: &dyn FileSystem, project: &Project, options: InstallOptions) -> (Installation, Vec<Diagnostic>) {
    let mut deps = Deps { fs, project, diagnostics: Vec::new() };
    let installation = deps.run(options).unwrap_or_default();
    (installation, deps.diagnostics)
}

/// A resolved package: where it is, and what it is called.
struct Resolved {
    spec: PackageSpec,
    name: String,
    folder: PathBuf,
}

struct Deps<'a> {
    fs: &'a dyn FileSystem,
    project: &'a Project,
    diagnostics: Vec<Diagnostic>,
}

impl Deps<'_> {
    fn run(&mut self, options: InstallOptions) -> Option<Installation> {
        let project = self.project;
        let lock_path = project.root.join(LOCK_FILE);
        let hash = sha1_hash(&project.dependencies);
        let locked = packages::locked(self.fs, &project.root, &mut self.diagnostics);
        let mut installation = Installation::default();
        let fits = locked.as_ref().is_some_and(|(_, known)| known.as_deref() == Some(&hash));
        let resolved = match locked {
            Some((specs, _)) if fits && !options.upgrade => self.resolve_all(&specs, false)?,
            _ if project.dependencies.is_empty() => Vec::new(),
            _ => {
                let resolved = self.resolve_all(&project.dependencies, true)?;
                let text = lock_text(&resolved, &hash);
                if let Err(error) = self.fs.write(&lock_path, text.as_bytes()) {
                    self.fault(format!("{} cannot be written: {error}", lock_path.display()));
                    return None;
                }
                installation.lock_file = Some(lock_path);
                resolved
            }
        };
        if options.lock {
            return Some(installation);
        }
        self.place(&resolved)?;
        let placed =
            resolved.into_iter().map(|one| InstalledPackage { name: one.name, origin: one.spec.origin.text().to_owned() });
        installation.packages = placed.collect();
        Some(installation)
    }

    fn fault(&mut self, message: String) {
        self.diagnostics.push(Diagnostic::error("E0133", message));
    }

    /// Packages, then with `deep` the packages that those ask for, and so on; each origin once, in that order.
    fn resolve_all(&mut self, specs: &[PackageSpec], deep: bool) -> Option<Vec<Resolved>> {
        let mut resolved: Vec<Resolved> = Vec::new();
        let mut names: HashMap<String, usize> = HashMap::new();
        let mut pending: Vec<PackageSpec> = specs.to_vec();
        while !pending.is_empty() {
            let mut next = Vec::new();
            for spec in pending {
                if resolved.iter().any(|known| known.spec.origin == spec.origin) {
                    continue;
                }
                let Some(one) = self.resolve(spec) else { continue };
                self.check_name(&one, &names, &resolved);
                names.insert(one.name.clone(), resolved.len());
                if deep {
                    next.extend(self.asked_by(&one));
                }
                resolved.push(one);
            }
            pending = next;
        }
        (!any_error(&self.diagnostics)).then_some(resolved)
    }

    fn resolve(&mut self, spec: PackageSpec) -> Option<Resolved> {
        let Origin::Local(written) = &spec.origin else {
            let message = format!("lineal does not install packages by '{}:' yet: {}", spec.origin.key(), spec.origin.text());
            let help = "download it, and write 'local: <its folder>' instead; or install it with dbt deps";
            self.diagnostics.push(Diagnostic::error("E0134", message).at(&spec.source, spec.span).help(help));
            return None;
        };
        let home = self.project.invocation.env.get("HOME");
        let expanded = match (written.strip_prefix("~/"), home) {
            (Some(rest), Some(home)) => PathBuf::from(home).join(rest),
            _ => PathBuf::from(written),
        };
        // Of a package's own local packages, too, the path starts at the root project: as in dbt.
        let folder = normal(&self.project.root.join(expanded));
        let name = packages::project_name(self.fs, &folder);
        if name.is_none() {
            let message = if self.fs.exists(&folder.join(PROJECT_FILE)) {
                format!("the {PROJECT_FILE} in {} gives no name", folder.display())
            } else {
                format!("there is no {PROJECT_FILE} in {}", folder.display())
            };
            let help = "a local package's path starts at the root project's folder";
            self.diagnostics.push(Diagnostic::error("E0133", message).at(&spec.source, spec.span).help(help));
        }
        Some(Resolved { name: name?, spec, folder })
    }

    fn check_name(&mut self, one: &Resolved, names: &HashMap<String, usize>, resolved: &[Resolved]) {
        let (source, span) = (&one.spec.source, one.spec.span);
        if *one.name == *self.project.root_package().name {
            let message = format!("this package is named '{}', like the project itself", one.name);
            self.diagnostics.push(Diagnostic::error("E0132", message).at(source, span).help("rename one of them"));
        } else if let Some(twin) = names.get(&one.name).and_then(|at| resolved.get(*at)) {
            let message = format!("two packages are named '{}'", one.name);
            let diagnostic = Diagnostic::error("E0132", message).at(source, span);
            self.diagnostics
                .push(diagnostic.at_with(&twin.spec.source, twin.spec.span, "this one as well").help("remove one of them"));
        }
    }

    fn asked_by(&mut self, one: &Resolved) -> Vec<PackageSpec> {
        let given = Given { target: None, secrets: true, vars_required: false };
        let context = BaseContext::for_configuration(&self.project.invocation, self.project.cli_vars.clone(), given);
        let prefix = format!("{}/", one.spec.origin.text().trim_end_matches('/'));
        let (specs, _, said) = packages::asked(self.fs, &one.folder, &prefix, &context);
        self.diagnostics.extend(said);
        specs
    }

    fn place(&mut self, resolved: &[Resolved]) -> Option<()> {
        let folder = &self.project.packages_path;
        if let Err(error) = self.fs.remove(folder) {
            self.fault(format!("{} cannot be emptied: {error}", folder.display()));
            return None;
        }
        for one in resolved {
            let at = folder.join(&one.name);
            if let Err(error) = self.fs.link(&one.folder, &at) {
                self.fault(format!("{} cannot be made: {error}", at.display()));
                return None;
            }
        }
        Some(())
    }
}

/// dbt's hash of what a project asks for: of each entry's JSON, keys sorted, entries sorted.
fn sha1_hash(specs: &[PackageSpec]) -> String {
    let mut texts: Vec<String> = specs.iter().map(|spec| python_json(&as_dbt(spec))).collect();
    texts.sort();
    let digest = Sha1::digest(texts.join("\n").as_bytes());
    digest.iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// An entry with the keys that dbt gives to a package of its origin.
fn as_dbt(spec: &PackageSpec) -> Json {
    let mut map = spec.rendered.clone();
    map.insert("unrendered".to_owned(), Json::Object(spec.unrendered.clone()));
    let defaults: &[(&str, Json)] = match spec.origin {
        Origin::Local(_) | Origin::Tarball(_) => &[],
        Origin::Hub(_) => &[("install_prerelease", Json::Bool(false))],
        Origin::Git(_) => &[("revision", Json::Null), ("warn-unpinned", Json::Null), ("subdirectory", Json::Null)],
        Origin::Private(_) => {
            &[("provider", Json::Null), ("revision", Json::Null), ("warn-unpinned", Json::Null), ("subdirectory", Json::Null)]
        }
    };
    for (key, value) in defaults {
        map.entry(*key).or_insert_with(|| value.clone());
    }
    Json::Object(map)
}

/// JSON as Python's `json.dumps(…, sort_keys=True)` writes it: blanks after commas and colons, ASCII only.
fn python_json(value: &Json) -> String {
    match value {
        Json::Object(map) => {
            let mut entries: Vec<(&String, &Json)> = map.iter().collect();
            entries.sort_by_key(|(key, _)| *key);
            let entries: Vec<String> =
                entries.iter().map(|(key, value)| format!("{}: {}", python_text(key), python_json(value))).collect();
            format!("{{{}}}", entries.join(", "))
        }
        Json::Array(items) => format!("[{}]", items.iter().map(python_json).collect::<Vec<_>>().join(", ")),
        Json::String(text) => python_text(text),
        other => other.to_string(),
    }
}

fn python_text(text: &str) -> String {
    let mut out = String::new();
    for letter in Json::from(text).to_string().chars() {
        if letter.is_ascii() {
            out.push(letter);
        } else {
            let mut units = [0; 2];
            for unit in letter.encode_utf16(&mut units) {
                let _ = write!(out, "\\u{unit:04x}");
            }
        }
    }
    out
}

/// package-lock.yml as dbt writes it.
fn lock_text(resolved: &[Resolved], hash: &str) -> String {
    let mut out = String::from("packages:\n");
    for one in resolved {
        let keys: JsonMap = [(one.spec.origin.key(), one.spec.origin.text()), ("name", &one.name)]
            .into_iter()
            .map(|(key, value)| (key.to_owned(), value.into()))
            .collect();
        let text = serde_yaml::to_string(&keys).unwrap_or_default();
        for (index, line) in text.lines().enumerate() {
            out.push_str(if index == 0 { "  - " } else { "    " });
            out.push_str(line);
            out.push('\n');
        }
    }
    let _ = writeln!(out, "sha1_hash: {hash}");
    out
}

#[cfg(test)]
mod tests {
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

    fn install(fs: &Memory, options: InstallOptions) -> (Installation, Vec<String>) {
        let load_options = LoadOptions { env: Some(HashMap::new()), ..LoadOptions::default() };
        let project = load(fs, Path::new("/w/shop"), &load_options).0.expect("a project");
        let (installation, diagnostics) = install_local(fs, &project, options);
        (installation, diagnostics.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn local_packages_are_locked_and_put_in_place() {
        let fs = shop(ASKED);
        let (installation, said) = install(&fs, InstallOptions::default());
        assert_eq!(said, [""; 0]);
        let names: Vec<&str> = installation.packages.iter().map(|package| package.name.as_str()).collect();
        assert_eq!(names, ["dbt_utils", "dbt_date", "audit_helper"]);
        let lock = String::from_utf8(fs.read(Path::new("/w/shop/package-lock.yml")).unwrap()).unwrap();
        // As dbt 1.12.6 wrote it for the same three packages.
        assert_eq!(
            lock,
            "packages:\n  - local: ../packages/dbt-utils\n    name: dbt_utils\n  - local: ../packages/dbt-date\n    name: dbt_date\n  - local: ../packages/dbt-audit-helper\n    name: audit_helper\nsha1_hash: a76aaf2398d4a18ce8cd073a0412e92594cb8320\n"
        );
        assert!(fs.exists(Path::new("/w/shop/dbt_packages/dbt_utils/macros/m.sql")));
        let (again, _) = install(&fs, InstallOptions::default());
        assert_eq!((again.lock_file, again.packages.len()), (None, 3));
        let (upgraded, _) = install(&fs, InstallOptions { upgrade: true, lock: true });
        assert_eq!((upgraded.lock_file.is_some(), upgraded.packages.len()), (true, 0));
    }

    #[test]
    fn packages_of_packages_come_along() {
        let (installation, said) = install(&shop("packages: [{local: ../packages/deep}]\n"), InstallOptions::default());
        assert_eq!(said, [""; 0]);
        let names: Vec<&str> = installation.packages.iter().map(|package| package.name.as_str()).collect();
        assert_eq!(names, ["deep", "dbt_utils"]);
    }

    #[test]
    fn what_cannot_be_installed_is_said_and_nothing_is_touched() {
        let text = "packages:\n  - local: ../packages/dbt-utils\n  - local: ../packages/twin\n  - local: ../nowhere\n  - package: dbt-labs/dbt_utils\n    version: 1.0.0\n";
        let fs = shop(text);
        fs.write(Path::new("/w/shop/dbt_packages/old/x"), b"").unwrap();
        let (installation, said) = install(&fs, InstallOptions::default());
        assert_eq!(installation, Installation::default());
        assert_eq!(
            said,
            [
                "packages.yml:3:5: E0132 two packages are named 'dbt_utils'",
                "packages.yml:4:5: E0133 there is no dbt_project.yml in /w/nowhere",
                "packages.yml:5:5: E0134 lineal does not install packages by 'package:' yet: dbt-labs/dbt_utils",
            ]
        );
        assert!(fs.exists(Path::new("/w/shop/dbt_packages/old/x")));
    }
}
