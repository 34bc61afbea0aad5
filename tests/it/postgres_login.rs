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

/// A certificate authority `ca.crt`, and certificates of it: each a name, its subject and its extensions.
fn certify(folder: &Path, ca: &str, issued: &[(&str, &str, &str)]) {
    openssl(folder, &format!("req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN={ca} -keyout {ca}.key -out {ca}.crt"));
    for (name, subject, extensions) in issued {
        write(folder, "extensions", extensions);
        openssl(folder, &format!("req -newkey rsa:2048 -nodes -subj /CN={subject} -keyout {name}.key -out {name}.csr"));
        openssl(
            folder,
            &format!(
                "x509 -req -in {name}.csr -CA {ca}.crt -CAkey {ca}.key -CAcreateserial -days 2 -extfile extensions -out {name}.crt"
            ),
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
