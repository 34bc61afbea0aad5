//! A PostgreSQL target of profiles.yml, completed as libpq does it: `PG…` variables, the password file, the user's
//! certificates.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::AdapterError;
use crate::fs::{Disk, FileSystem};
use crate::manifest::{Json, JsonMap};

/// How much of a server's certificate has to be right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SslMode {
    Disable,
    Allow,
    Prefer,
    Require,
    VerifyCa,
    VerifyFull,
}

/// The keys that matter here, checked. Names and meanings are dbt-postgres's.
#[derive(Debug, Clone)]
pub(super) struct Credentials {
    pub host: String,
    pub port: u16,
    pub user: String,
    pub password: Option<String>,
    pub database: String,
    pub connect_timeout: Option<Duration>,
    pub keepalives_idle: Option<Duration>,
    pub retries: u32,
    pub role: Option<String>,
    /// What the server is told when a session begins.
    pub startup: Vec<(String, String)>,
    pub ssl_mode: SslMode,
    pub ssl_cert: Option<PathBuf>,
    pub ssl_key: Option<PathBuf>,
    pub ssl_root_cert: Option<PathBuf>,
    pub autocommit: bool,
}

/// Reads a variable of the environment; a parameter, so that tests need none.
type Lookup<'a> = &'a dyn Fn(&str) -> Option<String>;

impl Credentials {
    /// # Errors
    /// An `sslmode` that libpq does not know, a port that is none.
    pub fn read(keys: &JsonMap) -> Result<Self, AdapterError> {
        Self::with(keys, &|name| std::env::var(name).ok().filter(|value| !value.is_empty()))
    }

    fn with(keys: &JsonMap, env: Lookup<'_>) -> Result<Self, AdapterError> {
        let given = |key: &str, variable: &str| text(keys, key).or_else(|| env(variable));
        let number = |key: &str| text(keys, key).and_then(|value| value.parse::<u64>().ok()).filter(|value| *value > 0);
        let home = env("HOME").map(PathBuf::from);
        let user = given("user", "PGUSER").or_else(|| env("USER")).unwrap_or_default();
        let port = given("port", "PGPORT").unwrap_or_else(|| "5432".to_owned());
        let port = port.parse().map_err(|_| wrong(format!("'{port}' is no port"), "Give a number from 1 to 65535."))?;
        let host = given("host", "PGHOST").unwrap_or_else(|| "/var/run/postgresql".to_owned());
        let database = given("database", "PGDATABASE").unwrap_or_else(|| user.clone());
        let ssl_mode = ssl_mode(&given("sslmode", "PGSSLMODE").unwrap_or_else(|| "prefer".to_owned()))?;
        let own = |file: &str| home.as_ref().map(|home| home.join(".postgresql").join(file)).filter(|path| Disk.exists(path));
        let file = |key: &str, variable: &str, default: &str| {
            given(key, variable).map(|path| expanded(&path, home.as_deref())).or_else(|| own(default))
        };
        let credentials = Self {
            password: given("password", "PGPASSWORD"),
            connect_timeout: text(keys, "connect_timeout")
                .map_or(Some(10), |_| number("connect_timeout"))
                .map(Duration::from_secs),
            keepalives_idle: number("keepalives_idle").map(Duration::from_secs),
            retries: text(keys, "retries").and_then(|retries| retries.parse().ok()).unwrap_or(1),
            role: text(keys, "role"),
            startup: startup(keys, env),
            ssl_mode,
            ssl_cert: file("sslcert", "PGSSLCERT", "postgresql.crt"),
            ssl_key: file("sslkey", "PGSSLKEY", "postgresql.key"),
            ssl_root_cert: file("sslrootcert", "PGSSLROOTCERT", "root.crt"),
            autocommit: keys.get("autocommit").and_then(Json::as_bool).unwrap_or(false),
            host,
            port,
            user,
            database,
        };
        Ok(credentials.with_password_file(env, home.as_deref()))
    }

    /// The password out of `.pgpass`, where none is given.
    fn with_password_file(mut self, env: Lookup<'_>, home: Option<&Path>) -> Self {
        let file = env("PGPASSFILE").map(PathBuf::from).or_else(|| home.map(|home| home.join(".pgpass")));
        if let Some(file) = file.filter(|_| self.password.is_none())
            && let Ok(text) = Disk.read(&file)
        {
            let host = if self.is_socket() { "localhost" } else { &self.host };
            let text = String::from_utf8_lossy(&text);
            self.password = password_of(&text, [host, &self.port.to_string(), &self.database, &self.user]);
        }
        self
    }

    /// Is the host a folder with a Unix socket?
    pub fn is_socket(&self) -> bool {
        self.host.starts_with('/')
    }
}

/// What is said at the start of a session beside user and database.
fn startup(keys: &JsonMap, env: Lookup<'_>) -> Vec<(String, String)> {
    let mut startup = vec![("client_encoding".to_owned(), "UTF8".to_owned())];
    startup.push(("application_name".to_owned(), text(keys, "application_name").unwrap_or_else(|| "dbt".to_owned())));
    match text(keys, "search_path") {
        Some(path) => startup.push(("search_path".to_owned(), path)),
        None => startup.extend(env("PGOPTIONS").map(|options| ("options".to_owned(), options))),
    }
    startup.extend(env("PGTZ").map(|zone| ("timezone".to_owned(), zone)));
    startup
}

fn wrong(message: String, help: &str) -> AdapterError {
    AdapterError::Profile { message: format!("the postgres target: {message}"), help: Some(help.to_owned()) }
}

fn ssl_mode(name: &str) -> Result<SslMode, AdapterError> {
    Ok(match name {
        "disable" => SslMode::Disable,
        "allow" => SslMode::Allow,
        "prefer" => SslMode::Prefer,
        "require" => SslMode::Require,
        "verify-ca" => SslMode::VerifyCa,
        "verify-full" => SslMode::VerifyFull,
        other => {
            let help = "Known modes: disable, allow, prefer, require, verify-ca, verify-full.";
            return Err(wrong(format!("`sslmode` is '{other}'"), help));
        }
    })
}

/// A key's text; an empty one counts as not given.
fn text(keys: &JsonMap, key: &str) -> Option<String> {
    match keys.get(key)? {
        Json::String(text) => Some(text.clone()).filter(|text| !text.is_empty()),
        Json::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// `~/x` in the user's home.
fn expanded(path: &str, home: Option<&Path>) -> PathBuf {
    match (path.strip_prefix("~/"), home) {
        (Some(rest), Some(home)) => home.join(rest),
        _ => PathBuf::from(path),
    }
}

/// The password of the first line `host:port:database:user:password` that fits; `*` fits all, `\` escapes.
fn password_of(file: &str, wanted: [&str; 4]) -> Option<String> {
    file.lines().filter(|line| !line.starts_with('#')).find_map(|line| {
        let mut fields = vec![String::new()];
        let mut chars = line.chars();
        while let Some(char) = chars.next() {
            let last = fields.len() - 1;
            match char {
                '\\' => fields[last].extend(chars.next()),
                ':' if last < 4 => fields.push(String::new()),
                char => fields[last].push(char),
            }
        }
        let fits = fields.len() == 5 && fields.iter().zip(wanted).all(|(field, wanted)| field == "*" || field == wanted);
        if fits { fields.pop() } else { None }
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(keys: serde_json::Value, env: &[(&str, &str)]) -> Result<Credentials, AdapterError> {
        let lookup = |name: &str| env.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        Credentials::with(keys.as_object().expect("a mapping"), &lookup)
    }

    #[test]
    fn the_profile_beats_the_environment() {
        let env = [("PGHOST", "elsewhere"), ("PGPASSWORD", "secret"), ("PGUSER", "me"), ("PGSSLMODE", "require")];
        let read = read(json!({"host": "here", "port": 5433, "password": "", "search_path": "a, b"}), &env).expect("good keys");
        assert_eq!((read.host.as_str(), read.port, read.user.as_str()), ("here", 5433, "me"));
        assert_eq!((read.password.as_deref(), read.ssl_mode), (Some("secret"), SslMode::Require));
        assert!(read.startup.contains(&("search_path".to_owned(), "a, b".to_owned())));
        assert_eq!(read.database, "me");
    }

    #[test]
    fn odd_values_are_refused() {
        assert!(read(json!({"sslmode": "maybe"}), &[]).is_err());
        assert!(read(json!({"port": 70000}), &[]).is_err());
    }

    #[test]
    fn passwords_come_from_the_first_line_that_fits() {
        let file = "# a comment\nother:5432:*:me:no\nhere:*:db:me:a\\:b:c\n*:*:*:*:last\n";
        assert_eq!(password_of(file, ["here", "5432", "db", "me"]).as_deref(), Some("a:b:c"));
        assert_eq!(password_of(file, ["here", "5432", "x", "me"]).as_deref(), Some("last"));
        assert_eq!(password_of("short:line", ["a", "b", "c", "d"]), None);
    }
}
