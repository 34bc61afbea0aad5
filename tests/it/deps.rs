//! `deps` against a hub of our own on loopback, a git repository and archives: no network.
//!
//! The lock files are what dbt 1.12.6 wrote for the same files and the same hub.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Output};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

/// Files by path, and the paths asked for so far. As a proxy it lets every host through to its own files.
#[derive(Clone)]
struct Server {
    address: String,
    files: Arc<Mutex<HashMap<String, Vec<u8>>>>,
    asked: Arc<Mutex<Vec<String>>>,
    /// How many answers still fail.
    faults: Arc<Mutex<usize>>,
}

impl Server {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = format!("http://{}", listener.local_addr().expect("an address"));
        let server = Self { address, files: Arc::default(), asked: Arc::default(), faults: Arc::default() };
        let serving = server.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let server = serving.clone();
                std::thread::spawn(move || server.answer(stream));
            }
        });
        server
    }

    fn answer(&self, mut stream: TcpStream) {
        let mut reader = BufReader::new(stream.try_clone().expect("a second handle"));
        loop {
            let mut request = String::new();
            if reader.read_line(&mut request).unwrap_or(0) == 0 {
                return;
            }
            let mut header = String::new();
            while reader.read_line(&mut header).unwrap_or(0) > 2 {
                header.clear();
            }
            self.asked.lock().unwrap().push(request.trim_end_matches(" HTTP/1.1\r\n").to_owned());
            if request.starts_with("CONNECT ") {
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
                continue;
            }
            let path = request.split(' ').nth(1).unwrap_or_default().to_owned();
            let content = self.files.lock().unwrap().get(&path).cloned();
            let mut faults = self.faults.lock().unwrap();
            let (status, content) = match content {
                _ if *faults > 0 => ("503 Unavailable", Vec::new()),
                Some(content) => ("200 OK", content),
                None => ("404 Not Found", Vec::new()),
            };
            *faults = faults.saturating_sub(1);
            let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", content.len());
            let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&content));
            return;
        }
    }

    fn put(&self, path: &str, content: Vec<u8>) {
        self.files.lock().unwrap().insert(path.to_owned(), content);
    }

    /// A package of the hub: (version, what it asks for, its require_dbt_version).
    fn package(&self, name: &str, more: &Value, versions: &[(&str, Value, Value)]) {
        let mut listed = serde_json::Map::new();
        for (version, packages, required) in versions {
            let path = format!("/{name}-{version}.tar.gz");
            let text = format!("name: {name}\nversion: '{version}'\n");
            self.put(&path, archive(&format!("{name}-abc"), &[("dbt_project.yml", &text)]));
            let tarball = format!("{}{path}", self.address);
            let entry =
                json!({"name": name, "packages": packages, "downloads": {"tarball": tarball}, "require_dbt_version": required});
            listed.insert((*version).to_owned(), entry);
        }
        let mut whole = json!({"name": name, "namespace": "acme", "versions": listed});
        for (key, value) in more.as_object().into_iter().flatten() {
            whole[key] = value.clone();
        }
        self.put(&format!("/api/v1/acme/{name}.json"), whole.to_string().into_bytes());
    }

    fn hub() -> Self {
        let server = Self::start();
        let any = || (json!([]), Value::Null);
        let versions = |versions: &[(&'static str, (Value, Value))]| -> Vec<(&'static str, Value, Value)> {
            versions.iter().map(|(version, (packages, required))| (*version, packages.clone(), required.clone())).collect()
        };
        let money = versions(&[
            ("0.9.0", any()),
            ("1.0.0", any()),
            ("1.1.0", (json!([]), json!([">=1.0.0", "<2.0.0"]))),
            ("1.2.0-rc1", any()),
            ("1.3.0", (json!([]), json!([">=2.0.0"]))),
        ]);
        server.package("money", &json!({}), &money);
        let needs = json!([{"package": "acme/money", "version": [">=0.9.0", "<1.1.0"]}]);
        let dates = versions(&[("1.0.0", any()), ("1.0.1", (needs, Value::Null)), ("2.0.0", any())]);
        server.package("dates", &json!({"redirectname": "calendar", "redirectnamespace": "acme"}), &dates);
        server
    }

    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut *self.asked.lock().unwrap())
    }
}

/// A `.tar.gz` with one folder.
fn archive(folder: &str, files: &[(&str, &str)]) -> Vec<u8> {
    let mut builder = tar::Builder::new(flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast()));
    for (path, text) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, format!("{folder}/{path}"), text.as_bytes()).expect("an entry");
    }
    builder.into_inner().and_then(flate2::write::GzEncoder::finish).expect("an archive")
}

/// A project that asks for packages.
struct Shop {
    folder: tempfile::TempDir,
    env: Vec<(String, String)>,
}

impl Shop {
    fn new(server: &Server, packages: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let shop = Self { folder, env: vec![("DBT_PACKAGE_HUB_URL".to_owned(), server.address.clone())] };
        shop.write("dbt_project.yml", "name: shop\n");
        shop.write("packages.yml", packages);
        shop
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn write(&self, file: &str, text: &str) {
        std::fs::write(self.path().join(file), text).expect("a file");
    }

    fn read(&self, file: &str) -> String {
        std::fs::read_to_string(self.path().join(file)).unwrap_or_default()
    }

    fn set(&mut self, name: &str, value: &str) {
        self.env.push((name.to_owned(), value.to_owned()));
    }

    fn run(&self, words: &[&str]) -> (i32, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lineal"));
        command.args(words).current_dir(self.path()).env_clear();
        for kept in ["PATH", "TMPDIR", "LD_LIBRARY_PATH"] {
            if let Some(value) = std::env::var_os(kept) {
                command.env(kept, value);
            }
        }
        command.env("HOME", self.path()).env("NO_COLOR", "1").envs(self.env.iter().cloned());
        told(&command.output().expect("the program starts"))
    }

    fn installed(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.path().join("dbt_packages")).into_iter().flatten().flatten();
        let mut names: Vec<String> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }
}

fn told(output: &Output) -> (i32, String) {
    (output.status.code().unwrap_or(-1), String::from_utf8_lossy(&output.stdout).into_owned())
}

const HUB: &str = "packages:\n  - package: acme/dates\n    version: [\">=1.0.0\", \"<2.0.0\"]\n  - package: acme/money\n    version: \">=0.9.0\"\n";
const HUB_LOCK: &str = "packages:\n  - name: dates\n    package: acme/dates\n    version: 1.0.1\n  - name: money\n    package: acme/money\n    version: 1.0.0\nsha1_hash: 42c3d22bae523c1e6b53e70f8683d20d72be8926\n";

#[test]
fn hub_packages_are_resolved_locked_and_installed() {
    let server = Server::hub();
    let shop = Shop::new(&server, HUB);
    let (code, said) = shop.run(&["deps"]);
    assert_eq!(code, 0, "{said}");
    assert_eq!(shop.read("package-lock.yml"), HUB_LOCK);
    assert_eq!(shop.installed(), ["dates", "money"]);
    assert_eq!(shop.read("dbt_packages/money/dbt_project.yml"), "name: money\nversion: '1.0.0'\n");
    for part in ["Installed from version 1.0.1", "Updated version available: 2.0.0", "W0137", "'acme/calendar'"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    // One question for each package, and its archive; no list of all packages.
    let expected =
        ["GET /api/v1/acme/dates.json", "GET /api/v1/acme/money.json", "GET /dates-1.0.1.tar.gz", "GET /money-1.0.0.tar.gz"];
    assert_eq!(server.asked(), expected);
    assert_eq!(shop.run(&["parse"]).0, 0);
    std::fs::remove_dir_all(shop.path().join("dbt_packages/money")).expect("a package to remove");
    let (code, said) = shop.run(&["parse"]);
    assert_eq!(code, 2);
    assert!(said.contains("E0131") && said.contains("missing: money"), "{said}");
}

#[test]
fn the_lock_file_is_used_until_the_packages_or_upgrade_ask_for_more() {
    let server = Server::hub();
    let shop = Shop::new(&server, "packages: [{package: acme/money, version: ['>=0.9.0', '<3.0.0']}]\n");
    assert_eq!(shop.run(&["deps", "--lock"]).0, 0);
    assert!(shop.installed().is_empty());
    assert!(shop.read("package-lock.yml").contains("version: 1.1.0\n"));
    let none = (json!([]), Value::Null);
    server.package("money", &json!({}), &[("1.1.0", none.0.clone(), none.1.clone()), ("1.4.0", none.0, none.1)]);
    let (_, said) = shop.run(&["deps"]);
    assert!(said.contains("Installed from version 1.1.0") && said.contains("Updated version available: 1.4.0"), "{said}");
    let (_, said) = shop.run(&["deps", "--upgrade"]);
    assert!(said.contains("Installed from version 1.4.0") && said.contains("Up to date!"), "{said}");
    shop.write("packages.yml", "packages: [{package: acme/money, version: 1.1.0}]\n");
    let (_, said) = shop.run(&["deps", "--dry-run"]);
    assert!(said.contains("Would install acme/money 1.1.0"), "{said}");
    assert!(shop.read("package-lock.yml").contains("version: 1.4.0\n"));
    let (_, said) = shop.run(&["deps"]);
    assert!(said.contains("Updating lock file") && said.contains("Installed from version 1.1.0"), "{said}");
}

#[test]
fn a_package_is_added_as_dbt_adds_it() {
    let server = Server::hub();
    let shop = Shop::new(&server, HUB);
    let (code, said) = shop.run(&["deps", "--add-package", "acme/money@1.0.0"]);
    assert_eq!(code, 0, "{said}");
    let expected = "packages:\n  - package: acme/dates\n    version:\n      - '>=1.0.0'\n      - <2.0.0\n  - package: acme/money\n    version: 1.0.0\n";
    assert_eq!(shop.read("packages.yml"), expected);
    let hash = |shop: &Shop| shop.read("package-lock.yml").lines().last().unwrap_or_default().to_owned();
    assert_eq!(hash(&shop), "sha1_hash: 1089c886064ae3e0679f81dfca5dca4507b9c671");
    assert_eq!(shop.run(&["deps", "--lock"]).0, 0);
    assert_eq!(hash(&shop), "sha1_hash: 2857918a80e1895d80e8aae8824cb005c23ad523");
    // What cannot be had changes nothing.
    let (code, said) = shop.run(&["deps", "--add-package", "acme/money@7.0.0"]);
    assert_eq!((code, shop.read("packages.yml").as_str()), (2, expected), "{said}");
    let (code, said) = shop.run(&["deps", "--add-package", "acme/money"]);
    assert!(code == 2 && said.contains("E0812"), "{said}");
}

#[test]
fn versions_that_do_not_go_together_are_said_with_who_asks() {
    let server = Server::hub();
    let asks = |entries: &str| Shop::new(&server, &format!("packages:\n{entries}"));
    let shop = asks("  - package: acme/dates\n    version: 1.0.1\n  - package: acme/money\n    version: 1.1.0\n");
    let (code, said) = shop.run(&["deps"]);
    assert_eq!(code, 2);
    for part in [
        "Version error for package acme/money: Could not find a satisfactory version from options: ['=1.1.0', '>=0.9.0', '<1.1.0']",
        "packages.yml:4:5",
        "acme/dates 1.0.1:",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert!(shop.installed().is_empty() && shop.read("package-lock.yml").is_empty());
    let shop = asks("  - package: acme/money\n    version: 1.3.0\n");
    let (code, said) = shop.run(&["deps"]);
    assert!(code == 2 && said.contains("Compatible versions: ['0.9.0', '1.0.0', '1.1.0']"), "{said}");
    assert_eq!(shop.run(&["--no-version-check", "deps"]).0, 0);
    let (code, said) = asks("  - package: acme/none\n    version: 1.0.0\n").run(&["deps"]);
    assert!(code == 2 && said.contains("Package acme/none was not found in the package index"), "{said}");
    let shop = asks("  - package: acme/money\n    version: '>1.0.0'\n    install_prerelease: true\n");
    assert_eq!(shop.run(&["deps"]).0, 0);
    assert!(shop.read("package-lock.yml").contains("version: 1.2.0-rc1\n"));
}

/// git with a fixed author and date: commits have the same ids everywhere.
fn git(folder: &Path, words: &[&str]) {
    let mut command = Command::new("git");
    command.args(["-c", "commit.gpgsign=false"]).args(words).current_dir(folder).env("GIT_CONFIG_GLOBAL", "/dev/null");
    for who in ["AUTHOR", "COMMITTER"] {
        command.env(format!("GIT_{who}_NAME"), "a").env(format!("GIT_{who}_EMAIL"), "a@a.test");
        command.env(format!("GIT_{who}_DATE"), "2024-01-01T00:00:00Z");
    }
    let output = command.output().expect("git starts");
    assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// A repository with a package at its root and one in a folder; a tag before its second commit, a branch after it.
fn gauge() -> tempfile::TempDir {
    let repository = tempfile::tempdir().expect("a folder");
    let at = repository.path();
    git(at, &["init", "-q", "-b", "main"]);
    std::fs::create_dir_all(at.join("inner/macros")).expect("a folder");
    std::fs::write(at.join("dbt_project.yml"), "name: gauge\n").expect("a file");
    std::fs::write(at.join("inner/dbt_project.yml"), "name: inner_gauge\n").expect("a file");
    git(at, &["add", "-A"]);
    git(at, &["commit", "-qm", "one"]);
    git(at, &["tag", "v1"]);
    std::fs::write(at.join("dbt_project.yml"), "name: gauge\nversion: 2.0.0\n").expect("a file");
    git(at, &["commit", "-qam", "two"]);
    git(at, &["branch", "side"]);
    repository
}

#[test]
fn packages_come_from_repositories_and_archives_through_a_proxy() {
    let server = Server::hub();
    let files =
        [("dbt_project.yml", "name: kit\n"), ("packages.yml", "packages:\n  - package: acme/money\n    version: 1.0.0\n")];
    server.put("/files/kit.tar.gz", archive("kit-1.0", &files));
    let mut shop = Shop::new(
        &server,
        "packages:\n  - git: \"{{ env_var('REPO') }}/gauge.git\"\n    revision: v1\n  - git: \"{{ env_var('REPO') }}/gauge.git\"\n    subdirectory: inner\n    revision: side\n    warn-unpinned: false\n  - tarball: http://files.test/files/kit.tar.gz\n    name: kit\n",
    );
    let repository = gauge();
    let at = repository.path();
    shop.set("REPO", "https://git.test/acme");
    shop.set("GIT_CONFIG_COUNT", "1");
    shop.set("GIT_CONFIG_KEY_0", &format!("url.{}.insteadOf", at.display()));
    shop.set("GIT_CONFIG_VALUE_0", "https://git.test/acme/gauge.git");
    shop.set("HTTP_PROXY", &server.address);
    shop.set("NO_PROXY", "127.0.0.1");
    let (code, said) = shop.run(&["deps"]);
    assert_eq!(code, 0, "{said}");
    let expected = "packages:
  - git: '{{ env_var(''REPO'') }}/gauge.git'
    name: gauge
    revision: 3dae24c527f89ee47f8d0609ebf12f89d0177a6e
  - git: '{{ env_var(''REPO'') }}/gauge.git'
    name: inner_gauge
    revision: 4a72457f61ad4d8bb2712489fe5497a39cc942db
    subdirectory: inner
  - name: kit
    tarball: http://files.test/files/kit.tar.gz
  - name: money
    package: acme/money
    version: 1.0.0
sha1_hash: 23c51d8fc95764c071aafaf1be10d0d9c8672baa
";
    assert_eq!(shop.read("package-lock.yml"), expected);
    assert_eq!(shop.installed(), ["gauge", "inner_gauge", "kit", "money"]);
    assert_eq!(shop.read("dbt_packages/gauge/dbt_project.yml"), "name: gauge\n");
    let proxied = server.asked().iter().filter(|line| *line == "CONNECT files.test:80").count();
    assert_eq!(proxied, 1);
    // By commit, as locked.
    assert_eq!(shop.run(&["deps"]).0, 0);
    assert_eq!(shop.read("dbt_packages/gauge/dbt_project.yml"), "name: gauge\n");
    shop.write("packages.yml", "packages:\n  - git: https://git.test/acme/gauge.git\n");
    let (code, said) = shop.run(&["deps"]);
    assert!(code == 0 && said.contains("is not pinned, using HEAD"), "{said}");
    shop.write("packages.yml", "packages:\n  - git: https://git.test/acme/gauge.git\n    revision: v9\n");
    let (code, said) = shop.run(&["deps"]);
    assert!(code == 2 && said.contains("has no tag, branch or commit 'v9'"), "{said}");
    assert_eq!(shop.installed(), ["gauge"]);
}

#[test]
fn without_a_network_nothing_is_touched_and_it_is_said_what_was_asked() {
    let server = Server::hub();
    let mut shop = Shop::new(&server, HUB);
    std::fs::create_dir_all(shop.path().join("dbt_packages/old")).expect("a folder");
    shop.set("DBT_PACKAGE_HUB_URL", "http://127.0.0.1:1");
    let (code, said) = shop.run(&["deps"]);
    assert_eq!(code, 2);
    for part in ["E0135", "http://127.0.0.1:1/api/v1/acme/dates.json could not be fetched", "packages.yml:2:5", "HTTPS_PROXY"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert_eq!(shop.installed(), ["old"]);
    assert!(shop.read("package-lock.yml").is_empty());
}

#[test]
fn passing_faults_of_a_server_are_tried_again() {
    let server = Server::hub();
    *server.faults.lock().unwrap() = 2;
    let shop = Shop::new(&server, "packages: [{package: acme/money, version: 1.0.0}]\n");
    let (code, said) = shop.run(&["deps"]);
    assert_eq!((code, server.asked().len()), (0, 4), "{said}");
    // A broken archive is no passing fault for ever: it is said, and what was installed stays.
    server.put("/money-1.0.0.tar.gz", b"no archive".to_vec());
    let (code, said) = shop.run(&["deps"]);
    assert!(code == 2 && said.contains("E0139"), "{said}");
    assert_eq!(shop.installed(), ["money"]);
}
