//! `target/index.html`, where dbt's readers look: it leads to the site beside it, and shows manifest.json and catalog.json where
//! nothing else was taken along. And `static_index.html`: the same with both inside.

use std::collections::BTreeMap;

use serde::Serialize;
use sha2::{Digest, Sha256};

use super::pages::Pages;
use super::site::Node;
use super::templates::{File, Templates};
use super::{assets, html, shard};
use crate::diagnostic::Diagnostic;
use crate::manifest::{Json, ResourceType};

/// Keys of a resource that the page shows.
const KEPT: [&str; 26] = [
    "unique_id",
    "resource_type",
    "name",
    "source_name",
    "version",
    "package_name",
    "original_file_path",
    "description",
    "columns",
    "depends_on",
    "tags",
    "meta",
    "config",
    "group",
    "owner",
    "relation_name",
    "raw_code",
    "compiled_code",
    "macro_sql",
    "docs",
    "data_type",
    "index",
    "type",
    "comment",
    "materialized",
    "nodes",
];
/// Parts of manifest.json that have resources with pages.
const PARTS: [&str; 8] = ["nodes", "sources", "exposures", "metrics", "semantic_models", "saved_queries", "functions", "macros"];

#[derive(Serialize)]
struct View {
    redirects: bool,
    style: &'static str,
    style_hash: String,
    script: String,
    script_source: String,
    data: Option<String>,
}

/// `index.html`.
pub fn index(templates: &Templates) -> Result<File, Diagnostic> {
    page(templates, "index.html", None)
}

/// `static_index.html`, of the texts of manifest.json and catalog.json.
pub fn single(templates: &Templates, manifest: &[u8], catalog: &[u8]) -> Result<File, Diagnostic> {
    let json = |bytes: &[u8]| serde_json::from_slice::<Json>(bytes).unwrap_or_default();
    let data = serde_json::json!({"manifest": slim_manifest(json(manifest)), "catalog": slim_catalog(json(catalog))});
    page(templates, "static_index.html", Some(html::script_json(&data.to_string())))
}

fn page(templates: &Templates, name: &str, data: Option<String>) -> Result<File, Diagnostic> {
    let style = assets::text("entry.css");
    let script = [assets::text("entry-markdown.js"), assets::text("entry.js")].concat();
    let own = if data.is_none() { " 'self'" } else { "" };
    let view = View {
        redirects: data.is_none(),
        style,
        style_hash: hash(style),
        script_source: format!("'{}'{own}", hash(&script)),
        script,
        data,
    };
    templates.page("entry.html", name, "", "", &view)
}

/// As a content security policy names a text.
fn hash(text: &str) -> String {
    format!("sha256-{}", shard::base64(&Sha256::digest(text.as_bytes())))
}

fn slim_manifest(mut manifest: Json) -> Json {
    let project = manifest.pointer("/metadata/project_name").cloned().unwrap_or_default();
    let mut slim = serde_json::Map::new();
    for part in PARTS {
        let Some(Json::Object(mut resources)) = manifest.get_mut(part).map(Json::take) else { continue };
        resources.retain(|id, resource| {
            let package = resource.get("package_name").and_then(Json::as_str).unwrap_or_default();
            let is_test = id.starts_with("test.") || id.starts_with("operation.");
            !is_test
                && (part != "macros" || !(package == "dbt" || package.starts_with("dbt_")) || Some(package) == project.as_str())
        });
        resources.values_mut().for_each(|resource| keep(resource, 0));
        slim.insert(part.to_owned(), Json::Object(resources));
    }
    let docs = manifest.get("docs").and_then(Json::as_object).into_iter().flatten();
    let overview = docs.filter(|(id, _)| id.ends_with(".__overview__")).map(|(id, block)| (id.clone(), block.clone()));
    slim.insert("docs".to_owned(), Json::Object(overview.collect()));
    slim.insert("metadata".to_owned(), serde_json::json!({ "project_name": project }));
    Json::Object(slim)
}

fn slim_catalog(mut catalog: Json) -> Json {
    let mut slim = serde_json::Map::new();
    for part in ["nodes", "sources"] {
        let Some(Json::Object(mut tables)) = catalog.get_mut(part).map(Json::take) else { continue };
        tables.values_mut().for_each(|table| keep(table, 0));
        slim.insert(part.to_owned(), Json::Object(tables));
    }
    Json::Object(slim)
}

/// Drops the keys of a resource that nothing shows. Maps within it are by name: those stay whole.
fn keep(resource: &mut Json, depth: usize) {
    let Json::Object(map) = resource else { return };
    if depth == 0 {
        map.retain(|key, value| KEPT.contains(&key.as_str()) && !value.is_null());
        for key in ["config", "depends_on"] {
            map.get_mut(key).into_iter().for_each(|inner| keep(inner, 1));
        }
    } else {
        map.retain(|key, _| matches!(key.as_str(), "materialized" | "nodes" | "macros"));
    }
}

/// `data/pages.js`: pages whose address does not follow from the resource's id, for dbt's old addresses.
pub fn addresses(pages: &Pages) -> File {
    let nodes = pages.site.nodes.iter().filter(|node| node.url != plain(node)).map(|node| (node.id.as_str(), node.url.as_str()));
    let macros = pages.site.macros.iter().map(|entry| (entry.of.unique_id.as_str(), entry.url.as_str()));
    let macros = macros.filter(|(id, url)| *url != format!("{}.html", id.replacen('.', "/", 2)));
    let special: BTreeMap<&str, &str> = nodes.chain(macros).collect();
    let json = serde_json::json!({ "special": special }).to_string();
    File::new("data/pages.js", format!("lineal.data.pages={};\n", html::script_json(&json)))
}

/// The address that entry.js makes of an id.
fn plain(node: &Node) -> String {
    let folder = match node.kind {
        ResourceType::Model | ResourceType::Seed | ResourceType::Snapshot | ResourceType::Source => "node",
        other => other.as_str(),
    };
    let name = node.id.as_str().splitn(3, '.').nth(2).unwrap_or_default();
    format!("{folder}/{}/{name}.html", node.package)
}
