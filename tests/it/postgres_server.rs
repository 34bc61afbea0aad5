//! A real PostgreSQL server for a test: on a port of its own, in a folder of its own, stopped after it.

use std::net::{TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// Which PostgreSQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edition {
    /// The machine's own.
    Own,
    /// The oldest and the newest that lineal works with: `scripts/postgres-versions.sh` fetches them.
    Oldest,
    Newest,
}

/// A server with the superuser `tester`, whose password is `it's secret`.
pub struct Server {
    edition: Edition,
    process: Option<Child>,
    pub port: u16,
    pub folder: tempfile::TempDir,
}

pub const PASSWORD: &str = "it's secret";

/// Defines each test twice: on the oldest server and on the newest.
macro_rules! on_oldest_and_newest {
    ($($name:ident),* $(,)?) => {
        mod oldest {
            use crate::postgres_server::{Edition, Server};
            $(#[test] fn $name() { super::$name(&Server::of(Edition::Oldest)) })*
        }
        mod newest {
            use crate::postgres_server::{Edition, Server};
            $(#[test] fn $name() { super::$name(&Server::of(Edition::Newest)) })*
        }
    };
}
pub(crate) use on_oldest_and_newest;

impl Edition {
    /// Where the server's programs are: below the target folder, in the path, or where Debian puts them.
    fn program(self, name: &str) -> PathBuf {
        let fetched = |major: &str| Path::new(env!("CARGO_TARGET_TMPDIR")).join("../postgres").join(major).join("bin");
        let folders: Vec<PathBuf> = match self {
            Self::Oldest => vec![fetched("13")],
            Self::Newest => vec![fetched("18")],
            Self::Own => {
                let path = std::env::var_os("PATH").unwrap_or_default();
                let debian = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
                std::env::split_paths(&path).chain(debian.map(|version| version.path().join("bin"))).collect()
            }
        };
        let found = folders.into_iter().map(|folder| folder.join(name)).find(|path| path.exists());
        found.unwrap_or_else(|| panic!("{name} is missing: scripts/test-tools.sh installs what the tests need"))
    }
}

impl Edition {
    /// A new cluster, made once (`initdb` takes longer than most tests) and kept below the target folder: tests copy it.
    fn cluster(self, user: Option<(u32, u32)>) -> PathBuf {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("postgres-clusters");
        std::fs::create_dir_all(&folder).expect("a folder");
        let version = Command::new(self.program("initdb")).arg("--version").output().expect("initdb").stdout;
        let cluster = folder.join(String::from_utf8_lossy(&version).trim().replace(['/', ' '], "-"));
        let lock = std::fs::File::create(folder.join("lock")).expect("a file");
        lock.lock().expect("one at a time");
        if cluster.exists() {
            return cluster;
        }
        let made = tempfile::tempdir().expect("a folder");
        let secret = made.path().join("secret");
        std::fs::write(&secret, format!("{PASSWORD}\n")).expect("a file");
        give(made.path(), user);
        give(&secret, user);
        let status = as_user(&self.program("initdb"), user)
            .current_dir(made.path())
            .args(["--username=tester", "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-sync"])
            .args([format!("--pgdata={}", made.path().join("data").display()), format!("--pwfile={}", secret.display())])
            .status();
        assert!(status.expect("initdb").success(), "initdb");
        // Beside it first: the folder may be on another disk, and half a cluster is none.
        let beside = folder.join("new");
        let _ = std::fs::remove_dir_all(&beside);
        let copied = Command::new("cp").args([Path::new("-a"), &made.path().join("data"), &beside]).status();
        assert!(copied.expect("cp").success(), "cp");
        std::fs::rename(&beside, &cluster).expect("the cluster");
        cluster
    }
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
    /// The machine's own PostgreSQL.
    pub fn start() -> Self {
        Self::of(Edition::Own)
    }

    pub fn of(edition: Edition) -> Self {
        Self::prepared(edition).launched()
    }

    /// A cluster that does not run yet.
    pub fn prepared(edition: Edition) -> Self {
        let folder = tempfile::Builder::new().prefix("lineal-pg").tempdir().expect("a folder");
        let user = unprivileged();
        give(folder.path(), user);
        let copied =
            as_user(Path::new("cp"), user).args([Path::new("-a"), &edition.cluster(user), &folder.path().join("data")]).status();
        assert!(copied.expect("cp").success(), "a copy of the new cluster");
        let port = TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a free port").port();
        Self { edition, process: None, port, folder }
    }

    pub fn launched(mut self) -> Self {
        self.launch();
        self
    }

    /// Starts it, and waits until it takes connections.
    pub fn launch(&mut self) {
        let process = as_user(&self.edition.program("postgres"), unprivileged())
            .current_dir(self.folder.path())
            .args(["-D".to_owned(), self.data().display().to_string(), "-p".to_owned(), self.port.to_string()])
            .args(["-c", "listen_addresses=127.0.0.1", "-c", "fsync=off", "-c"])
            .arg(format!("unix_socket_directories={}", self.folder.path().display()))
            .spawn()
            .expect("postgres");
        self.process = Some(process);
        self.wait();
    }

    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Puts a file into the cluster's folder, as its user's own.
    pub fn put(&self, name: &str, text: &str) {
        let path = self.data().join(name);
        std::fs::write(&path, text).expect("a file");
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).expect("permissions");
        give(&path, unprivileged());
    }

    /// Stops it at once, sessions or not.
    pub fn stop(&mut self) {
        if let Some(mut process) = self.process.take() {
            // An interrupt is a fast shutdown: sessions are ended.
            let _ = Command::new("kill").args(["-INT", &process.id().to_string()]).status();
            let _ = process.wait();
        }
    }

    fn wait(&self) {
        let begun = Instant::now();
        let ready = Edition::Own.program("pg_isready");
        let port = self.port.to_string();
        while TcpStream::connect(("127.0.0.1", self.port)).is_err()
            || !as_user(&ready, None).args(["-h", "127.0.0.1", "-p", &port]).status().expect("pg_isready").success()
        {
            assert!(begun.elapsed() < Duration::from_mins(1), "the server does not start");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Runs SQL; the rows' values, with `|` between.
    pub fn ask(&self, sql: &str) -> String {
        let psql = Command::new(Edition::Own.program("psql"))
            .args(["-h", "127.0.0.1", "-p", &self.port.to_string(), "-U", "tester", "-d", "postgres", "-qtAc", sql])
            .env("PGPASSWORD", PASSWORD)
            .output()
            .expect("psql");
        assert!(psql.status.success(), "{}", String::from_utf8_lossy(&psql.stderr));
        String::from_utf8_lossy(&psql.stdout).trim().to_owned()
    }

    /// A project whose target is the server; `keys` are more of the target's.
    pub fn project(&self, keys: &str) -> tempfile::TempDir {
        let project = tempfile::tempdir().expect("a folder");
        write(project.path(), "dbt_project.yml", "name: shop\nversion: '1.0'\nprofile: shop\n");
        self.target(project.path(), &format!("host: 127.0.0.1, user: tester, password: \"{PASSWORD}\"{keys}"));
        project
    }

    /// Writes profiles.yml with one target, to which `keys` say how to get in.
    pub fn target(&self, folder: &Path, keys: &str) {
        let target = format!("type: postgres, port: {}, dbname: postgres, schema: shop, threads: 4, {keys}", self.port);
        write(folder, "profiles.yml", &format!("shop:\n  target: dev\n  outputs:\n    dev: {{{target}}}\n"));
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

fn give(path: &Path, user: Option<(u32, u32)>) {
    if let Some((uid, gid)) = user {
        std::os::unix::fs::chown(path, Some(uid), Some(gid)).expect("a change of owner");
    }
}

pub fn write(folder: &Path, path: &str, text: &str) {
    let path = folder.join(path);
    std::fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
    std::fs::write(path, text).expect("a file");
}

/// What the program said, after it succeeded.
pub fn succeeds(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    text
}

/// What the program said, after it failed.
pub fn fails(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success(), "{text}");
    text
}
