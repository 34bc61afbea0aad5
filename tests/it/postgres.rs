//! PostgreSQL, a real one: started by each test on a port of its own, in a folder of its own, and stopped after it.

use std::net::{TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use crate::program::lineal;

/// A running server with the superuser `tester`, whose password is `it's secret`.
struct Server {
    process: Child,
    port: u16,
    folder: tempfile::TempDir,
}

/// Where the server's programs are: in the path, or where Debian puts them.
fn program(name: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let debian = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    folders.extend(debian.map(|version| version.path().join("bin")));
    let found = folders.into_iter().map(|folder| folder.join(name)).find(|path| path.exists());
    found.unwrap_or_else(|| panic!("{name} is missing: scripts/test-tools.sh installs what the tests need"))
}

/// The server refuses to run as root: then an unprivileged user's ids.
fn unprivileged() -> Option<(u32, u32)> {
    let id = Command::new("id").arg("-u").output().expect("id");
    if String::from_utf8_lossy(&id.stdout).trim() != "0" {
        return None;
    }
    let users = std::fs::read_to_string("/etc/passwd").expect("users");
    let ids = |name: &str| {
        let line = users.lines().find(|line| line.starts_with(&format!("{name}:")))?;
        let mut fields = line.split(':').skip(2);
        Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
    };
    Some(ids("postgres").or_else(|| ids("nobody")).expect("an unprivileged user"))
}

fn as_user(program: &Path, user: Option<(u32, u32)>) -> Command {
    let mut command = Command::new(program);
    if let Some((uid, gid)) = user {
        command.uid(uid).gid(gid);
    }
    command.stdout(Stdio::null()).stderr(Stdio::null()).stdin(Stdio::null());
    command
}

impl Server {
    fn start() -> Self {
        let folder = tempfile::Builder::new().prefix("lineal-pg").tempdir().expect("a folder");
        let user = unprivileged();
        let data = folder.path().join("data");
        let secret = folder.path().join("secret");
        std::fs::write(&secret, "it's secret\n").expect("a file");
        if let Some((uid, gid)) = user {
            for path in [folder.path(), &secret] {
                std::os::unix::fs::chown(path, Some(uid), Some(gid)).expect("a change of owner");
            }
        }
        let made = as_user(&program("initdb"), user)
            .current_dir(folder.path())
            .args(["--username=tester", "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-sync"])
            .args([format!("--pgdata={}", data.display()), format!("--pwfile={}", secret.display())])
            .status();
        assert!(made.expect("initdb").success(), "initdb");
        let port = TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a free port").port();
        let process = as_user(&program("postgres"), user)
            .current_dir(folder.path())
            .args(["-D".to_owned(), data.display().to_string(), "-p".to_owned(), port.to_string()])
            .args(["-c", "listen_addresses=127.0.0.1", "-c", "fsync=off", "-c"])
            .arg(format!("unix_socket_directories={}", folder.path().display()))
            .spawn()
            .expect("postgres");
        let server = Self { process, port, folder };
        server.wait();
        server
    }

    fn wait(&self) {
        let begun = Instant::now();
        let ready = program("pg_isready");
        let port = self.port.to_string();
        while TcpStream::connect(("127.0.0.1", self.port)).is_err()
            || !as_user(&ready, None).args(["-h", "127.0.0.1", "-p", &port]).status().expect("pg_isready").success()
        {
            assert!(begun.elapsed() < Duration::from_secs(60), "the server does not start");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// The first column of a query's rows.
    fn ask(&self, sql: &str) -> String {
        let psql = Command::new(program("psql"))
            .args(["-h", "127.0.0.1", "-p", &self.port.to_string(), "-U", "tester", "-d", "postgres", "-tAc", sql])
            .env("PGPASSWORD", "it's secret")
            .output()
            .expect("psql");
        assert!(psql.status.success(), "{}", String::from_utf8_lossy(&psql.stderr));
        String::from_utf8_lossy(&psql.stdout).trim().to_owned()
    }

    /// A project whose target is the server; `keys` are more of the target's.
    fn project(&self, keys: &str) -> tempfile::TempDir {
        let project = tempfile::tempdir().expect("a folder");
        write(project.path(), "dbt_project.yml", "name: shop\nversion: '1.0'\nprofile: shop\n");
        let target = format!(
            "type: postgres, host: 127.0.0.1, port: {}, user: tester, password: \"it's secret\", dbname: postgres, schema: shop, \
             threads: 4{keys}",
            self.port
        );
        write(project.path(), "profiles.yml", &format!("shop:\n  target: dev\n  outputs:\n    dev: {{{target}}}\n"));
        project
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // An interrupt is a fast shutdown: sessions are ended.
        let _ = Command::new("kill").args(["-INT", &self.process.id().to_string()]).status();
        let _ = self.process.wait();
        let _ = &self.folder;
    }
}

fn write(folder: &Path, path: &str, text: &str) {
    let path = folder.join(path);
    std::fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
    std::fs::write(path, text).expect("a file");
}

fn succeeds(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    text
}

fn shop(server: &Server) -> tempfile::TempDir {
    let project = server.project("");
    let folder = project.path();
    write(folder, "seeds/orders.csv", "id,customer,amount,at\n1,ann,1.5,2020-01-02\n2,\"b,ob\",2,2020-02-03\n3,,,\n");
    write(folder, "models/paid.sql", "select * from {{ ref('orders') }} where amount is not null");
    write(
        folder,
        "models/totals.sql",
        "{{ config(materialized='table', indexes=[{'columns': ['customer'], 'unique': true, 'type': 'btree'}]) }}\n\
         select customer, sum(amount) as total from {{ ref('paid') }} group by 1",
    );
    write(
        folder,
        "models/events.sql",
        "{{ config(materialized='incremental', unique_key='id') }}\n\
         select id, {{ 'now()' if is_incremental() else \"'2000-01-01'::timestamptz\" }} as seen from {{ ref('paid') }}\n\
         {% if is_incremental() %} where id > 1 {% endif %}",
    );
    write(folder, "models/kept.sql", "{{ config(materialized='materialized_view') }} select * from {{ ref('totals') }}");
    write(
        folder,
        "models/schema.yml",
        "models:\n  - name: totals\n    description: What each pays\n    config:\n      persist_docs: {relation: true}\n      \
         grants: {select: [reader]}\n    columns:\n      - name: customer\n        data_tests: [unique, not_null]\n",
    );
    project
}

#[test]
fn a_project_is_built_twice_and_documented() {
    let server = Server::start();
    server.ask("create role reader");
    let project = shop(&server);
    let folder = project.path();
    let text = succeeds(&lineal(folder, &["build"]));
    assert!(text.contains("SELECT 2") && text.contains("CREATE VIEW"), "{text}");
    succeeds(&lineal(folder, &["build"]));
    assert_eq!(
        server.ask("select string_agg(customer || ' ' || total, '; ' order by customer) from shop.totals"),
        "ann 1.5; b,ob 2"
    );
    assert_eq!(server.ask("select count(*) || ' ' || count(*) filter (where seen > '2001-01-01') from shop.events"), "2 1");
    assert_eq!(server.ask("select count(*) from shop.kept"), "2");
    assert_eq!(server.ask("select obj_description('shop.totals'::regclass)"), "What each pays");
    assert_eq!(server.ask("select has_table_privilege('reader', 'shop.totals', 'select')"), "t");
    assert_eq!(server.ask("select indisunique from pg_index where indrelid = 'shop.totals'::regclass"), "t");
    assert_eq!(server.ask("select count(*) from pg_class where relname like '%\\_\\_dbt\\_%'"), "0");
    succeeds(&lineal(folder, &["docs", "generate"]));
    let catalog = std::fs::read_to_string(folder.join("target/catalog.json")).expect("a catalog");
    assert!(catalog.contains("MATERIALIZED VIEW") && catalog.contains("double precision"), "{catalog}");
}

#[test]
fn an_interrupt_reaches_the_server() {
    let server = Server::start();
    let project = server.project("");
    write(project.path(), "models/slow.sql", "{{ config(materialized='table') }} select pg_sleep(600)::text as slept");
    let mut child = Command::new(env!("CARGO_BIN_EXE_lineal"))
        .arg("run")
        .current_dir(project.path())
        .env("HOME", project.path())
        .stdout(Stdio::null())
        .spawn()
        .expect("the program starts");
    let sleeping =
        "select count(*) from pg_stat_activity where query like '%pg_sleep%' and state = 'active' and pid <> pg_backend_pid()";
    let begun = Instant::now();
    while server.ask(sleeping) != "1" {
        assert!(begun.elapsed() < Duration::from_secs(60), "the model does not start");
        std::thread::sleep(Duration::from_millis(50));
    }
    Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill");
    assert!(!child.wait().expect("it ends").success());
    assert_eq!(server.ask(sleeping), "0");
    assert_eq!(server.ask("select count(*) from pg_class where relname like 'slow%'"), "0");
}

#[test]
fn a_refused_connection_is_told_once() {
    let server = Server::start();
    let project = server.project(", retries: 0");
    let wrong = std::fs::read_to_string(project.path().join("profiles.yml")).expect("a profile").replace("it's secret", "wrong");
    write(project.path(), "profiles.yml", &wrong);
    for name in ["a", "b", "c"] {
        write(project.path(), &format!("models/{name}.sql"), "select 1 as id");
    }
    let output = lineal(project.path(), &["run"]);
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(text.matches("password authentication failed for user \"tester\"").count(), 1, "{text}");
    assert!(!output.status.success());
}
