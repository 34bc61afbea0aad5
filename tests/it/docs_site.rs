//! The documentation site: written, read back, and opened in a browser.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output};
use std::time::{Duration, Instant};

use crate::program::{copy, lineal_with};

const SECRET: &str = "s3cr3t-word";
const OF_THE_MACHINE: &str = "value-of-the-environment";

/// A project of the repository's, with the files of other folders over it.
fn project(scratch: &Path, folders: &[&str]) -> PathBuf {
    let folder = scratch.canonicalize().expect("it is there").join("project");
    for from in folders {
        copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join(from), &folder);
    }
    // What builds of the project left, where there were any.
    for made in ["target", "logs"] {
        let _ = std::fs::remove_dir_all(folder.join(made));
    }
    folder
}

fn lineal(folder: &Path, words: &[&str]) -> Output {
    lineal_that_ends_with(0, folder, words)
}

fn lineal_that_ends_with(code: i32, folder: &Path, words: &[&str]) -> Output {
    let database = folder.with_file_name("elsewhere.duckdb");
    let variables = [
        ("DBT_ENV_SECRET_WORD", SECRET),
        ("SOMETHING_OF_THE_MACHINE", OF_THE_MACHINE),
        ("FERRIES_DATABASE", &*database.to_string_lossy()),
    ];
    let output = lineal_with(folder, words, &variables);
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "lineal {}:\n{said}", words.join(" "));
    output
}

/// Every file of a folder with its bytes and when it was written.
fn files(folder: &Path) -> BTreeMap<PathBuf, (Vec<u8>, std::time::SystemTime)> {
    let entries = walkdir::WalkDir::new(folder).into_iter().filter_map(Result::ok).filter(|entry| entry.file_type().is_file());
    let read = |path: &Path| {
        let written = std::fs::metadata(path).and_then(|known| known.modified()).expect("a time");
        (std::fs::read(path).expect("readable"), written)
    };
    entries.map(|entry| (entry.path().to_owned(), read(entry.path()))).collect()
}

/// Runs the browser's tests on a site.
fn browse(site: &Path, only: &[&str]) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let modules = Path::new(env!("CARGO_TARGET_TMPDIR")).join("../test-browser/node_modules");
    assert!(modules.exists(), "{} is missing: `make test` installs it", modules.display());
    let output = Command::new("node")
        .arg(root.join("tests/docs-site/run.mjs"))
        .arg(site)
        .arg(modules)
        .args(only)
        .output()
        .expect("node starts");
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}");
}

#[test]
fn the_example_is_searched_and_walked() {
    let scratch = tempfile::tempdir().expect("a folder");
    let folder = project(scratch.path(), &["examples/jaffle_shop"]);
    lineal(&folder, &["build", "-q"]);
    lineal(&folder, &["source", "freshness", "-q"]);
    lineal(&folder, &["docs", "generate", "-q"]);
    let target = folder.join("target");
    let first = files(&target.join("lineal-docs"));
    // Nothing changed: nothing is written.
    lineal(&folder, &["docs", "generate", "-q"]);
    assert_eq!(files(&target.join("lineal-docs")), first, "the same site in other bytes, or written again");
    browse(&target.join("lineal-docs"), &["lineage", "search"]);
}

/// A site with every kind of page, of a project whose texts try to get out of their pages.
#[test]
fn all_pages_hold_together_and_let_nothing_out() {
    let scratch = tempfile::tempdir().expect("a folder");
    let folder = project(scratch.path(), &["tests/docs-site/ferries", "tests/docs-site/inject"]);
    let odd = folder.join("models/<img src=x onerror=window.injected=1>");
    std::fs::create_dir(&odd).expect("a folder");
    std::fs::write(odd.join("inject_below.sql"), "select 1 as \"<b>\"").expect("a model");
    lineal(&folder, &["deps", "-q"]);
    lineal_that_ends_with(1, &folder, &["build", "-q", "--exclude", "resource_type:function", "--vars", "broken: true"]);
    lineal(&folder, &["source", "freshness", "-q", "--select", "source:weather"]);
    lineal(&folder, &["docs", "generate", "-q", "--static"]);
    let target = folder.join("target");
    let machine = folder.parent().expect("it has one").to_string_lossy().into_owned();
    for (path, (content, _)) in files(&target.join("lineal-docs")) {
        let text = String::from_utf8_lossy(&content);
        for told in [machine.as_str(), SECRET, OF_THE_MACHINE] {
            assert!(!text.contains(told), "{} tells {told}", path.display());
        }
    }
    browse(&target.join("lineal-docs"), &["pages", "entry"]);
}

#[test]
fn changes_are_told_and_stale_pages_go() {
    let scratch = tempfile::tempdir().expect("a folder");
    let folder = project(scratch.path(), &["examples/jaffle_shop"]);
    let write = |path: &str, text: &str| std::fs::write(folder.join(path), text).expect("a file");
    write("models/extra.sql", "select 1 as id");
    write("models/extra.yml", "models: [{name: extra, columns: [{name: id, data_tests: [unique, not_null]}]}]");
    let read = |path: &str| std::fs::read_to_string(folder.join("target").join(path)).expect(path);
    lineal(&folder, &["docs", "generate", "-q", "--empty-catalog", "--no-compile"]);
    assert!(read("lineal-docs/changes.html").contains("No earlier build"));
    copy(&folder.join("target"), &folder.join("before"));
    std::fs::rename(folder.join("models/extra.sql"), folder.join("models/renamed.sql")).expect("renamed");
    std::fs::remove_file(folder.join("models/extra.yml")).expect("removed");
    lineal(&folder, &["docs", "generate", "-q", "--empty-catalog", "--no-compile"]);
    assert!(!folder.join("target/lineal-docs/node/jaffle_shop/extra.html").exists());
    let changes = read("lineal-docs/changes.html");
    assert!(changes.contains("1 new, 3 gone, 0 changed"), "{changes}");
    write("models/renamed.sql", "select 1 as id, 2 as more");
    lineal(&folder, &["docs", "generate", "-q", "--empty-catalog", "--no-compile"]);
    assert!(read("lineal-docs/changes.html").contains("0 new, 0 gone, 1 changed"));
    lineal(&folder, &["docs", "generate", "-q", "--empty-catalog", "--no-compile", "--state", "before"]);
    let changes = read("lineal-docs/changes.html");
    assert!(changes.contains("1 new") && changes.contains("0 changed"), "{changes}");
}

/// A program that ends with the test, also with one that fails.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn the_site_is_served_and_tells_of_changes() {
    let scratch = tempfile::tempdir().expect("a folder");
    let folder = project(scratch.path(), &["examples/jaffle_shop"]);
    lineal(&folder, &["docs", "generate", "-q", "--empty-catalog", "--no-compile"]);
    let port = std::net::TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port").port();
    let server = Command::new(env!("CARGO_BIN_EXE_lineal"))
        .args(["docs", "serve", "--no-browser", "--port", &port.to_string()])
        .current_dir(&folder)
        .env("HOME", &folder)
        .stdout(std::process::Stdio::null())
        .spawn()
        .expect("it starts");
    let _server = Server(server);
    let ask = |path: &str| {
        let until = Instant::now() + Duration::from_secs(20);
        let mut stream = loop {
            match TcpStream::connect(("127.0.0.1", port)) {
                Ok(stream) => break stream,
                Err(error) => assert!(Instant::now() < until, "{error}"),
            }
            std::thread::sleep(Duration::from_millis(50));
        };
        write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n").expect("asked");
        stream
    };
    let answer = |path: &str| {
        let mut text = String::new();
        ask(path).read_to_string(&mut text).expect("an answer");
        text
    };
    assert!(answer("/").contains("lineal-docs/index.html"));
    assert!(answer("/lineal-docs/node/jaffle_shop/orders.html").contains("/__lineal/live.js"));
    assert!(answer("/manifest.json").contains("application/json"));
    assert!(answer("/lineal-docs/none.html").starts_with("HTTP/1.1 404"));
    let mut events = ask("/__lineal/events");
    events.set_read_timeout(Some(Duration::from_secs(20))).expect("set");
    let mut next = || {
        let mut buffer = [0; 400];
        let mut text = String::new();
        // An event is whole at the end of its line.
        while text.split_once("data: ").is_none_or(|(_, event)| !event.contains('\n')) {
            let read = events.read(&mut buffer).expect("an event");
            assert!(read > 0, "the server ended the events");
            text.push_str(&String::from_utf8_lossy(&buffer[..read]));
        }
        text.split("data: ").nth(1).unwrap_or_default().trim().to_owned()
    };
    let first = next();
    std::fs::write(folder.join("models/extra.sql"), "select 2 as id").expect("written");
    lineal(&folder, &["docs", "generate", "-q", "--empty-catalog", "--no-compile"]);
    assert_ne!(next(), first);
}
