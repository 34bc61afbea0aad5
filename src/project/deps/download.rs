//! HTTP for package downloads: the one module that talks to the network on its own (git does so as a program of its own).
//!
//! Proxies are taken from the environment as curl and Python's requests take them; further authorities, for networks with a
//! certificate of their own, from REQUESTS_CA_BUNDLE, CURL_CA_BUNDLE or SSL_CERT_FILE.

use std::collections::HashMap;
use std::fmt;
use std::io::Read;
use std::path::Path;
use std::time::Duration;

use ureq::http::Uri;
use ureq::http::uri::Authority;
use ureq::tls::{PemItem, RootCerts, TlsConfig, parse_pem};

use crate::fs::FileSystem;

/// How long to wait before each further attempt.
const PAUSES: [Duration; 4] =
    [Duration::from_millis(200), Duration::from_millis(400), Duration::from_millis(800), Duration::from_millis(1600)];
const TIMEOUT: Duration = Duration::from_secs(30);
const MOST_REDIRECTS: usize = 10;
/// More than any package; what is larger is refused.
const MOST_BYTES: u64 = 1 << 30;

/// Why an address gave nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// The server answered with this status.
    Status(u16),
    /// No answer: no network, no such host, a refusal, a proxy that does not let through.
    Unreachable(String),
    /// An answer that is not what was asked for.
    Damaged(String),
    /// The address, or a setting of the network, cannot be used.
    Unusable(String),
}

impl Fault {
    /// May another attempt succeed?
    fn is_passing(&self) -> bool {
        match self {
            Self::Status(status) => matches!(status, 408 | 425 | 429 | 500..=599),
            Self::Unreachable(_) | Self::Damaged(_) => true,
            Self::Unusable(_) => false,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status) => write!(out, "the server answered with status {status}"),
            Self::Unreachable(why) | Self::Damaged(why) | Self::Unusable(why) => out.write_str(why),
        }
    }
}

/// Fetches over HTTP, as an environment says.
pub struct Downloads<'a> {
    env: &'a HashMap<String, String>,
    tls: Result<TlsConfig, Fault>,
}

impl<'a> Downloads<'a> {
    pub fn new(fs: &dyn FileSystem, env: &'a HashMap<String, String>) -> Self {
        Self { env, tls: tls(fs, env) }
    }

    /// The content at an address, made into what is wanted by `read`. Both are tried again, with growing pauses, as long as the
    /// fault may pass.
    pub fn fetch<T>(&self, url: &str, read: impl Fn(&[u8]) -> Result<T, Fault>) -> Result<T, Fault> {
        let mut pauses = PAUSES.iter();
        loop {
            let done = self.get(url).and_then(|content| read(&content));
            match (done, pauses.next()) {
                (Err(fault), Some(pause)) if fault.is_passing() => std::thread::sleep(*pause),
                (done, _) => return done,
            }
        }
    }

    fn get(&self, url: &str) -> Result<Vec<u8>, Fault> {
        let mut url = url.to_owned();
        for _ in 0..=MOST_REDIRECTS {
            let uri: Uri = url.parse().map_err(|_| Fault::Unusable(format!("'{url}' is not an address")))?;
            let mut response = self.agent(&uri)?.get(uri.clone()).call().map_err(|error| fault(&error))?;
            let status = response.status().as_u16();
            if matches!(status, 301 | 302 | 303 | 307 | 308) {
                let location = response.headers().get("location").and_then(|value| value.to_str().ok());
                url = redirected(&uri, location.ok_or(Fault::Status(status))?);
                continue;
            }
            if !(200..300).contains(&status) {
                return Err(Fault::Status(status));
            }
            let mut content = Vec::new();
            let read = response.body_mut().as_reader().take(MOST_BYTES).read_to_end(&mut content);
            read.map_err(|error| Fault::Unreachable(format!("the connection broke: {error}")))?;
            return Ok(content);
        }
        Err(Fault::Unusable(format!("more than {MOST_REDIRECTS} redirects")))
    }

    fn agent(&self, uri: &Uri) -> Result<ureq::Agent, Fault> {
        let proxy = match proxy_for(self.env, uri) {
            Some((name, address)) => {
                let proxy = ureq::Proxy::new(&address);
                Some(proxy.map_err(|_| Fault::Unusable(format!("{name} is not the address of an HTTP proxy")))?)
            }
            None => None,
        };
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .proxy(proxy)
            .tls_config(self.tls.clone()?)
            .user_agent(concat!("lineal/", env!("CARGO_PKG_VERSION")))
            .timeout_connect(Some(TIMEOUT))
            .timeout_recv_response(Some(TIMEOUT))
            .timeout_recv_body(Some(TIMEOUT * 20));
        Ok(config.build().new_agent())
    }
}

fn fault(error: &ureq::Error) -> Fault {
    match error {
        ureq::Error::HostNotFound => Fault::Unreachable("the host's name is not known".to_owned()),
        ureq::Error::BadUri(_) | ureq::Error::Http(_) => Fault::Unusable(error.to_string()),
        other => Fault::Unreachable(other.to_string()),
    }
}

/// Where a redirect leads: an address, a path of the same host, or one beside the page.
fn redirected(from: &Uri, location: &str) -> String {
    let origin = format!("{}://{}", from.scheme_str().unwrap_or("https"), from.authority().map_or("", Authority::as_str));
    if location.contains("://") {
        location.to_owned()
    } else if let Some(rest) = location.strip_prefix("//") {
        format!("{}://{rest}", from.scheme_str().unwrap_or("https"))
    } else if location.starts_with('/') {
        format!("{origin}{location}")
    } else {
        let folder = from.path().rsplit_once('/').map_or("", |(folder, _)| folder);
        format!("{origin}{folder}/{location}")
    }
}

/// The proxy for an address, and the variable that names it.
fn proxy_for(env: &HashMap<String, String>, uri: &Uri) -> Option<(String, String)> {
    let set = |name: &str| {
        let names = [name.to_owned(), name.to_uppercase()];
        names.into_iter().find_map(|name| env.get(&name).filter(|value| !value.is_empty()).map(|value| (name, value.clone())))
    };
    let excepted = set("no_proxy").map(|(_, hosts)| hosts).unwrap_or_default();
    if excepted.split(',').any(|entry| excepts(entry.trim(), uri)) {
        return None;
    }
    set(&format!("{}_proxy", uri.scheme_str().unwrap_or("https"))).or_else(|| set("all_proxy"))
}

/// Does an entry of NO_PROXY speak of that address's host?
fn excepts(entry: &str, uri: &Uri) -> bool {
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']).to_lowercase();
    let entry = entry.to_lowercase();
    let (name, port) = match entry.rsplit_once(':') {
        Some((name, port)) if !name.contains(':') => (name, port.parse().ok()),
        _ => (entry.as_str(), None),
    };
    let port_fits = port.is_none_or(|port: u16| uri.port_u16() == Some(port));
    let name = name.trim_start_matches('*').trim_start_matches('.');
    entry == "*" || (!name.is_empty() && port_fits && (host == name || host.ends_with(&format!(".{name}"))))
}

fn tls(fs: &dyn FileSystem, env: &HashMap<String, String>) -> Result<TlsConfig, Fault> {
    let named = ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"].iter().find_map(|name| {
        let path = env.get(*name).filter(|path| !path.is_empty())?;
        Some((name, path))
    });
    let Some((name, path)) = named else { return Ok(TlsConfig::default()) };
    let unusable = |why: String| Fault::Unusable(format!("the certificates that {name} names cannot be read: {why}"));
    let text = fs.read(Path::new(path)).map_err(|error| unusable(error.to_string()))?;
    let mut certificates = Vec::new();
    for item in parse_pem(&text) {
        match item {
            Ok(PemItem::Certificate(certificate)) => certificates.push(certificate),
            Ok(_) => {}
            Err(error) => return Err(unusable(error.to_string())),
        }
    }
    if certificates.is_empty() {
        return Err(unusable(format!("{path} holds none")));
    }
    Ok(TlsConfig::builder().root_certs(RootCerts::new_with_certs(&certificates)).build())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxy(env: &[(&str, &str)], url: &str) -> Option<String> {
        let env = env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        proxy_for(&env, &url.parse().expect("an address")).map(|(_, address)| address)
    }

    #[test]
    fn proxies_are_chosen_by_scheme_and_host() {
        let both = [("HTTPS_PROXY", "http://s:1"), ("http_proxy", "http://p:2"), ("NO_PROXY", "local, .corp.test,*.x.org,h:81")];
        let expect = |url: &str, expected: Option<&str>| assert_eq!(proxy(&both, url).as_deref(), expected, "{url}");
        expect("https://hub.getdbt.com/api", Some("http://s:1"));
        expect("http://hub.getdbt.com/api", Some("http://p:2"));
        expect("https://a.corp.test/", None);
        expect("https://corp.test/", None);
        expect("https://notcorp.test/", Some("http://s:1"));
        expect("https://a.x.org/", None);
        expect("https://local/", None);
        expect("http://h:81/", None);
        expect("http://h:82/", Some("http://p:2"));
        assert_eq!(proxy(&[("ALL_PROXY", "http://a:3")], "https://x.test/").as_deref(), Some("http://a:3"));
        assert_eq!(proxy(&[("ALL_PROXY", "http://a:3"), ("no_proxy", "*")], "https://x.test/"), None);
        assert_eq!(proxy(&[("HTTPS_PROXY", "")], "https://x.test/"), None);
    }

    #[test]
    fn redirects_lead_where_they_say() {
        let from: Uri = "https://hub.test/a/b.json".parse().unwrap();
        assert_eq!(redirected(&from, "https://o.test/c"), "https://o.test/c");
        assert_eq!(redirected(&from, "/c"), "https://hub.test/c");
        assert_eq!(redirected(&from, "c"), "https://hub.test/a/c");
        assert_eq!(redirected(&from, "//o.test/c"), "https://o.test/c");
    }
}
