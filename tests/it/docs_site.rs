//! The documentation site: written, read back, and opened in a browser.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use crate::program::copy;

const SECRET: &str = "s3cr3t-word";

/// The example, with a model whose texts try to get out of their page, and a secret among what they say.
fn project(scratch: &Path) -> PathBuf {
    let folder = scratch.canonicalize().expect("it is there").join("shop");
    copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/jaffle_shop"), &folder);
    // What builds of the example left, where there were any.
    for made in ["target", "logs"] {
        let _ = std::fs::remove_dir_all(folder.join(made));
    }
    let write = |path: &str, text: &str| std::fs::write(folder.join(path), text).expect("a file");
    write(
        "models/inject.sql",
        "-- inject-me </code></pre><script>window.injected = 1</script>\nselect 1 as id, '<img src=x onerror=window.injected=1>' as \"a\"\"b<i>\"\n",
    );
    write(
        "models/inject.yml",
        r#"
models:
  - name: inject
    description: |
      inject-me <script>window.injected = 1</script> <img src=x onerror="window.injected=1">
      [click](javascript:window.injected=1) ![x](x.png" onerror="window.injected=1) <svg/onload=window.injected=1>
    config:
      tags: ['"><script>window.injected=1</script>', 'a/../b']
      meta: {owner: '<b onclick="window.injected=1">inject-me</b>', '<i>k</i>': '</script><script>window.injected=1</script>'}
    columns:
      - name: id
        description: "inject-me </td><script>window.injected=1</script>"
        data_tests:
          - not_null:
              name: 'a"test"<script>window.injected=1'
          - accepted_values:
              arguments: {values: [2]}
              config: {severity: warn}
"#,
    );
    folder
}

fn lineal(folder: &Path, words: &[&str]) -> Output {
    let output = Command::new(env!("CARGO_BIN_EXE_lineal"))
        .args(words)
        .current_dir(folder)
        .env("HOME", folder)
        .env("NO_COLOR", "1")
        .env("DBT_ENV_SECRET_WORD", SECRET)
        .output()
        .expect("the program starts");
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(0), "lineal {}:\n{said}", words.join(" "));
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
        .env("EXPECT_INJECTION", "1")
        .output()
        .expect("node starts");
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}");
}

#[test]
fn the_site_holds_together_and_lets_nothing_out() {
    let scratch = tempfile::tempdir().expect("a folder");
    let folder = project(scratch.path());
    lineal(&folder, &["build", "-q"]);
    lineal(&folder, &["test", "-q", "--select", "orders"]);
    lineal(&folder, &["source", "freshness", "-q"]);
    lineal(&folder, &["docs", "generate", "-q", "--static"]);
    let target = folder.join("target");
    let first = files(&target.join("lineal-docs"));
    for name in ["index.html", "static_index.html", "manifest.json", "catalog.json"] {
        assert!(target.join(name).exists(), "{name} is missing");
    }
    let machine = scratch.path().canonicalize().expect("it is there").to_string_lossy().into_owned();
    for (path, (content, _)) in &first {
        let text = String::from_utf8_lossy(content);
        assert!(!text.contains(&machine) && !text.contains(SECRET), "{} tells of this machine", path.display());
    }
    // Nothing changed: nothing is written.
    lineal(&folder, &["docs", "generate", "-q"]);
    assert_eq!(files(&target.join("lineal-docs")), first, "the same site in other bytes, or written again");
    browse(&target.join("lineal-docs"), &[]);
}

#[test]
fn changes_are_told_and_stale_pages_go() {
    let scratch = tempfile::tempdir().expect("a folder");
    let folder = project(scratch.path());
    let read = |path: &str| std::fs::read_to_string(folder.join("target").join(path)).expect(path);
    lineal(&folder, &["docs", "generate", "-q", "--empty-catalog", "--no-compile"]);
    assert!(read("lineal-docs/changes.html").contains("No earlier build"));
    copy(&folder.join("target"), &folder.join("before"));
    std::fs::rename(folder.join("models/inject.sql"), folder.join("models/renamed.sql")).expect("renamed");
    std::fs::remove_file(folder.join("models/inject.yml")).expect("removed");
    lineal(&folder, &["docs", "generate", "-q", "--empty-catalog", "--no-compile"]);
    assert!(!folder.join("target/lineal-docs/node/jaffle_shop/inject.html").exists());
    let changes = read("lineal-docs/changes.html");
    assert!(changes.contains("1 new, 4 gone, 0 changed") || changes.contains("1 new, 3 gone, 0 changed"), "{changes}");
    std::fs::write(folder.join("models/renamed.sql"), "select 1 as id, 2 as more").expect("written");
    lineal(&folder, &["docs", "generate", "-q", "--empty-catalog", "--no-compile"]);
    assert!(read("lineal-docs/changes.html").contains("0 new, 0 gone, 1 changed"));
    lineal(&folder, &["docs", "generate", "-q", "--empty-catalog", "--no-compile", "--state", "before"]);
    let changes = read("lineal-docs/changes.html");
    assert!(changes.contains("1 new") && changes.contains("0 changed"), "{changes}");
}

#[test]
fn the_site_is_served_and_tells_of_changes() {
    let scratch = tempfile::tempdir().expect("a folder");
    let folder = project(scratch.path());
    lineal(&folder, &["docs", "generate", "-q", "--empty-catalog", "--no-compile"]);
    let port = std::net::TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port").port();
    let mut server = Command::new(env!("CARGO_BIN_EXE_lineal"))
        .args(["docs", "serve", "--no-browser", "--port", &port.to_string()])
        .current_dir(&folder)
        .env("HOME", &folder)
        .stdout(std::process::Stdio::null())
        .spawn()
        .expect("it starts");
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
        while !text.contains("data: ") {
            let read = events.read(&mut buffer).expect("an event");
            assert!(read > 0, "the server ended the events");
            text.push_str(&String::from_utf8_lossy(&buffer[..read]));
        }
        text.split("data: ").nth(1).unwrap_or_default().trim().to_owned()
    };
    let first = next();
    std::fs::write(folder.join("models/inject.sql"), "select 2 as id").expect("written");
    lineal(&folder, &["docs", "generate", "-q", "--empty-catalog", "--no-compile"]);
    assert_ne!(next(), first);
    server.kill().expect("it ends");
    let _ = server.wait();
}
