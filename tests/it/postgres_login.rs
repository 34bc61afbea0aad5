//! PostgreSQL: the ways in. TLS against certificates made here, client certificates, passwords from elsewhere, sockets.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::postgres_server::{Edition, PASSWORD, Server, fails, succeeds, write};
use crate::program::{lineal, lineal_with};

fn openssl(folder: &Path, words: &str) {
    let done = Command::new("openssl").args(words.split(' ')).current_dir(folder).stderr(Stdio::null()).status();
    assert!(done.expect("openssl").success(), "openssl {words}");
}

/// A certificate authority `ca.crt`, and certificates of it: each a name, its subject and its extensions. Without extensions they
/// are of X.509's first version.
fn certify(folder: &Path, ca: &str, issued: &[(&str, &str, &str)]) {
    openssl(folder, &format!("req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN={ca} -keyout {ca}.key -out {ca}.crt"));
    for (name, subject, extensions) in issued {
        write(folder, "extensions", extensions);
        openssl(folder, &format!("req -newkey rsa:2048 -nodes -subj /CN={subject} -keyout {name}.key -out {name}.csr"));
        let extended = if extensions.is_empty() { "" } else { " -extfile extensions" };
        openssl(
            folder,
            &format!("x509 -req -in {name}.csr -CA {ca}.crt -CAkey {ca}.key -CAcreateserial -days 2{extended} -out {name}.crt"),
        );
    }
}

/// A server that lets nobody in without TLS, and `certified` with a certificate alone.
fn guarded(certificates: &Path, name: &str) -> Server {
    let server = Server::prepared(Edition::Own);
    for file in ["ca.crt".to_owned(), format!("{name}.crt"), format!("{name}.key")] {
        let text = std::fs::read_to_string(certificates.join(&file)).expect("a file");
        server.put(&file.replace(name, "server"), &text);
    }
    let config = std::fs::read_to_string(server.data().join("postgresql.conf")).expect("a file");
    server.put("postgresql.conf", &format!("{config}\nssl = on\nssl_ca_file = 'ca.crt'\n"));
    server.put("pg_hba.conf", "local all all scram-sha-256\nhostssl all certified all cert\nhostssl all all all scram-sha-256\n");
    server.launched()
}

#[test]
fn certificates_are_looked_at_as_closely_as_the_target_says() {
    let scratch = tempfile::tempdir().expect("a folder");
    let folder = scratch.path();
    let plain = "basicConstraints=CA:FALSE";
    certify(folder, "other", &[]);
    certify(folder, "ca", &[("named", "whoever", "subjectAltName=DNS:localhost"), ("client", "certified", plain)]);
    let server = guarded(folder, "named");
    let project = server.project("");
    let debug = |host: &str, keys: &str| {
        let keys = format!("host: {host}, user: tester, password: \"{PASSWORD}\", retries: 0, {keys}");
        server.target(project.path(), &keys);
        lineal(project.path(), &["debug"])
    };
    let root = |ca: &str| format!("sslrootcert: {}", folder.join(ca).display());
    let (good, other) = (root("ca.crt"), root("other.crt"));

    succeeds(&debug("localhost", &format!("sslmode: verify-full, {good}")));
    for mode in ["verify-ca", "require", "prefer"] {
        succeeds(&debug("127.0.0.1", &format!("sslmode: {mode}, {good}")));
    }
    for mode in ["allow", "prefer", "require"] {
        succeeds(&debug("127.0.0.1", &format!("sslmode: {mode}")));
    }
    let said = fails(&debug("127.0.0.1", &format!("sslmode: verify-full, {good}")));
    assert!(said.contains("certificate not valid for name \"127.0.0.1\""), "{said}");
    for mode in ["verify-full", "verify-ca", "require"] {
        let said = fails(&debug("localhost", &format!("sslmode: {mode}, {other}")));
        assert!(said.contains("invalid peer certificate"), "{said}");
    }
    let said = fails(&debug("localhost", "sslmode: verify-full"));
    assert!(said.contains("root certificate file"), "{said}");
    let said = fails(&debug("127.0.0.1", "sslmode: disable"));
    assert!(said.contains("no encryption") && !said.contains("secret"), "{said}");

    let certified = format!(
        "host: localhost, user: certified, password: '', sslmode: verify-full, {good}, sslcert: {}, sslkey: {}",
        folder.join("client.crt").display(),
        folder.join("client.key").display()
    );
    server.ask("create role certified login");
    server.target(project.path(), &certified);
    succeeds(&lineal(project.path(), &["debug"]));
    server.target(
        project.path(),
        &format!("host: localhost, user: certified, password: '', retries: 0, sslmode: verify-full, {good}"),
    );
    let said = fails(&lineal(project.path(), &["debug"]));
    assert!(said.contains("client certificate"), "{said}");
}

#[test]
fn a_certificate_without_names_is_its_subjects() {
    let scratch = tempfile::tempdir().expect("a folder");
    let folder = scratch.path();
    certify(folder, "ca", &[("unnamed", "localhost", "basicConstraints=CA:FALSE")]);
    let server = guarded(folder, "unnamed");
    let project = server.project("");
    let debug = |host: &str| {
        let root = folder.join("ca.crt");
        let keys = format!(
            "host: {host}, user: tester, password: \"{PASSWORD}\", sslmode: verify-full, sslrootcert: {}",
            root.display()
        );
        server.target(project.path(), &keys);
        lineal(project.path(), &["debug"])
    };
    succeeds(&debug("localhost"));
    let said = fails(&debug("127.0.0.1"));
    assert!(said.contains("not valid for name"), "{said}");
}

/// PostgreSQL's own instructions make certificates of X.509's first version.
#[test]
fn certificates_of_the_first_version_will_do() {
    let scratch = tempfile::tempdir().expect("a folder");
    let folder = scratch.path();
    certify(folder, "other", &[]);
    certify(folder, "ca", &[("first", "localhost", ""), ("client", "certified", "")]);
    let server = guarded(folder, "first");
    server.ask("create role certified login");
    let project = server.project("");
    let debug = |host: &str, ca: &str, mode: &str, key: &str| {
        let file = |name: &str| folder.join(name).display().to_string();
        let keys = format!(
            "host: {host}, user: certified, password: '', retries: 0, sslmode: {mode}, sslrootcert: {}, sslcert: {}, sslkey: {}",
            file(ca),
            file("client.crt"),
            file(key)
        );
        server.target(project.path(), &keys);
        lineal(project.path(), &["debug"])
    };
    succeeds(&debug("localhost", "ca.crt", "verify-full", "client.key"));
    succeeds(&debug("127.0.0.1", "ca.crt", "verify-ca", "client.key"));
    succeeds(&debug("127.0.0.1", "other.crt", "prefer", "client.key"));
    let said = fails(&debug("127.0.0.1", "ca.crt", "verify-full", "client.key"));
    assert!(said.contains("certificate not valid for name \"127.0.0.1\""), "{said}");
    let said = fails(&debug("localhost", "other.crt", "verify-ca", "client.key"));
    assert!(said.contains("invalid peer certificate: UnknownIssuer"), "{said}");
    // Another authority that has the same name.
    openssl(folder, "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=ca -keyout twin.key -out twin.crt");
    let said = fails(&debug("localhost", "twin.crt", "verify-ca", "client.key"));
    assert!(said.contains("invalid peer certificate: BadSignature"), "{said}");
    openssl(folder, "pkey -in client.key -aes256 -passout pass:word -out locked.key");
    let said = fails(&debug("localhost", "ca.crt", "verify-full", "locked.key"));
    assert!(said.contains("locked.key: the key is encrypted") && said.contains("openssl pkey -in"), "{said}");
    let said = fails(&debug("localhost", "ca.crt", "verify-full", "ca.key"));
    assert!(said.contains("certificate does not match private key file") && said.contains("ca.key"), "{said}");
}

/// A server that signed its certificate itself is trusted by that certificate.
#[test]
fn a_certificate_may_be_its_own_root() {
    let scratch = tempfile::tempdir().expect("a folder");
    let folder = scratch.path();
    for name in ["ca", "other"] {
        openssl(
            folder,
            &format!("req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -keyout {name}.key -out {name}.crt"),
        );
    }
    for end in ["crt", "key"] {
        std::fs::copy(folder.join(format!("ca.{end}")), folder.join(format!("own.{end}"))).expect("a file");
    }
    let server = guarded(folder, "own");
    let project = server.project("");
    let debug = |host: &str, root: &str| {
        let root = folder.join(root).display().to_string();
        let keys = format!(
            "host: {host}, user: tester, password: \"{PASSWORD}\", retries: 0, sslmode: verify-full, sslrootcert: {root}"
        );
        server.target(project.path(), &keys);
        lineal(project.path(), &["debug"])
    };
    succeeds(&debug("localhost", "own.crt"));
    let said = fails(&debug("127.0.0.1", "own.crt"));
    assert!(said.contains("not valid for name"), "{said}");
    let said = fails(&debug("localhost", "other.crt"));
    assert!(said.contains("invalid peer certificate"), "{said}");
}

#[test]
fn passwords_and_sessions_are_as_the_target_and_libpq_say() {
    let server = Server::start();
    server.ask("create role owner; grant all on database postgres to owner; create role guest login password 'guest:word'");
    let project = server.project("");
    let folder = project.path();
    write(folder, "models/one.sql", "select 1 as id");
    let show = |what: &str, variables: &[(&str, &str)]| {
        succeeds(&lineal_with(folder, &["show", "--inline", &format!("select {what} as shown"), "--output", "json"], variables))
    };
    // A socket's folder, a role, a search path, a name.
    let socket = server.folder.path().display();
    let keys = format!(
        "host: {socket}, user: tester, password: \"{PASSWORD}\", role: owner, search_path: \"shop, public\", keepalives_idle: 5, \
         application_name: nightly"
    );
    server.target(folder, &keys);
    let shown = show("concat_ws(' ', current_user, current_setting('search_path'), current_setting('application_name'))", &[]);
    assert!(shown.contains("owner shop, public nightly"), "{shown}");
    // The password is in the user's file, then in the environment.
    server.target(folder, "host: 127.0.0.1, user: guest, password: ''");
    let said = fails(&lineal(folder, &["debug"]));
    assert!(said.contains("no password supplied"), "{said}");
    write(folder, ".pgpass", &format!("127.0.0.1:{}:*:guest:guest\\:word\n", server.port));
    assert!(show("concat(current_user, ' ', current_setting('application_name'))", &[]).contains("guest dbt"));
    std::fs::remove_file(folder.join(".pgpass")).expect("a file");
    assert!(show("current_user", &[("PGPASSWORD", "guest:word")]).contains("guest"));
    write(folder, "elsewhere", &format!("*:{}:postgres:*:guest\\:word\n", server.port));
    assert!(show("current_user", &[("PGPASSFILE", &folder.join("elsewhere").display().to_string())]).contains("guest"));
    // What is wrong is said without the secret, on the console and in the log.
    let said = fails(&lineal_with(folder, &["run", "--debug"], &[("PGPASSWORD", "wrong-secret")]));
    let log = std::fs::read_to_string(folder.join("logs/dbt.log")).expect("a log");
    assert!(said.contains("password authentication failed") && !said.contains("wrong-secret") && !log.contains("wrong-secret"));
}

#[test]
fn a_server_that_says_nothing_is_given_up() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = silent.local_addr().expect("its address").port();
    let project = tempfile::tempdir().expect("a folder");
    write(project.path(), "dbt_project.yml", "name: shop\nversion: '1.0'\nprofile: shop\n");
    let target = format!("type: postgres, host: 127.0.0.1, port: {port}, user: me, password: x, dbname: a, schema: b");
    let profile = format!("shop:\n  outputs:\n    default: {{{target}, connect_timeout: 2, retries: 0}}\n");
    write(project.path(), "profiles.yml", &profile);
    let begun = Instant::now();
    let said = fails(&lineal(project.path(), &["debug"]));
    assert!(said.contains("timeout expired"), "{said}");
    assert!(begun.elapsed() < Duration::from_secs(10));
}
