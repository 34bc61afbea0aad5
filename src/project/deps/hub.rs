//! The hub: a web server with one JSON file for each package, which names its versions.

use std::collections::HashMap;
use std::sync::Arc;

use super::download::{Downloads, Fault};
use crate::manifest::{Json, JsonMap};
use crate::project::version::{Bound, suits_our_dbt};

const ADDRESS: &str = "https://hub.getdbt.com/";

/// What the hub says about a package.
#[derive(Debug, Clone, PartialEq)]
pub struct HubPackage {
    pub versions: Vec<HubVersion>,
    /// The package that took its place: `owner/name`.
    pub successor: Option<String>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct HubVersion {
    pub version: String,
    /// The name in its dbt_project.yml.
    pub name: String,
    /// What it asks for itself: entries of a package file.
    pub packages: Json,
    pub tarball: String,
    /// Its `require-dbt-version`.
    required: Vec<String>,
}

impl HubVersion {
    /// Does it go with the dbt that we are compatible with?
    pub fn suits_our_dbt(&self) -> bool {
        let bounds: Result<Vec<Bound>, String> = self.required.iter().map(|text| Bound::parse(text)).collect();
        bounds.is_ok_and(|bounds| bounds.is_empty() || suits_our_dbt(&bounds))
    }
}

/// Asks the hub, once for each package.
pub struct Hub {
    address: String,
    known: HashMap<String, Arc<HubPackage>>,
}

impl Hub {
    pub fn new(env: &HashMap<String, String>) -> Self {
        let named = env.get("DBT_PACKAGE_HUB_URL").filter(|address| !address.is_empty());
        let address = named.map_or(ADDRESS, String::as_str);
        Self { address: format!("{}/", address.trim_end_matches('/')), known: HashMap::new() }
    }

    /// The file that speaks of a package.
    pub fn url(&self, package: &str) -> String {
        format!("{}api/v1/{package}.json", self.address)
    }

    pub fn package(&mut self, package: &str, downloads: &Downloads<'_>) -> Result<Arc<HubPackage>, Fault> {
        if let Some(known) = self.known.get(package) {
            return Ok(known.clone());
        }
        let found = Arc::new(downloads.fetch(&self.url(package), read)?);
        self.known.insert(package.to_owned(), found.clone());
        Ok(found)
    }
}

fn read(content: &[u8]) -> Result<HubPackage, Fault> {
    let strange = |what: &str| Fault::Damaged(format!("the answer is not a hub's description of a package: {what}"));
    let json: JsonMap = serde_json::from_slice(content).map_err(|error| strange(&error.to_string()))?;
    let owner = |key: &str| json.get(key).and_then(Json::as_str);
    let (Some(name), Some(versions)) = (owner("name"), json.get("versions").and_then(Json::as_object)) else {
        return Err(strange("it lacks 'name' or 'versions'"));
    };
    let given = |key: &str| owner(key).filter(|text| !text.is_empty());
    let moved = json.contains_key("redirectnamespace") || json.contains_key("redirectname");
    let successor = moved.then(|| {
        let namespace = given("redirectnamespace").or_else(|| given("namespace")).unwrap_or_default();
        format!("{namespace}/{}", given("redirectname").unwrap_or(name))
    });
    let versions: Option<Vec<HubVersion>> = versions.iter().map(|(version, json)| read_version(version, json)).collect();
    Ok(HubPackage { versions: versions.ok_or_else(|| strange("a version lacks 'name', 'packages' or 'downloads'"))?, successor })
}

fn read_version(version: &str, json: &Json) -> Option<HubVersion> {
    let required = match json.get("require_dbt_version") {
        Some(Json::String(text)) if !text.is_empty() => vec![text.clone()],
        Some(Json::Array(items)) => items.iter().filter_map(Json::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    };
    Some(HubVersion {
        version: version.to_owned(),
        name: json.get("name")?.as_str()?.to_owned(),
        packages: json.get("packages")?.clone(),
        tarball: json.get("downloads")?.get("tarball")?.as_str()?.to_owned(),
        required,
    })
}
