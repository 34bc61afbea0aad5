//! The sections of the site, as the side shows them on every page.

use super::site::Site;
use crate::manifest::ResourceType;

pub struct Section {
    pub key: &'static str,
    pub title: &'static str,
    pub url: &'static str,
}

pub struct Chapter {
    pub title: &'static str,
    pub sections: Vec<Section>,
}

/// Sections that the project has something for.
pub fn sections(site: &Site) -> Vec<Chapter> {
    let any = |kind: ResourceType| site.nodes.iter().any(|node| node.kind == kind);
    let section = |key, title, url| Section { key, title, url };
    let mut browse = vec![section("overview", "Overview", "index.html"), section("project", "Project", "project.html")];
    if site.nodes.iter().any(|node| node.schema.is_some()) {
        browse.push(section("database", "Database", "database.html"));
    }
    browse.push(section("lineage", "Lineage", "lineage.html"));
    let mut add = |there: bool, made: Section| {
        if there {
            browse.push(made);
        }
    };
    add(!site.relationships.is_empty(), section("erd", "Relationships", "erd.html"));
    add(any(ResourceType::Source), section("sources", "Sources", "sources.html"));
    add(any(ResourceType::Exposure), section("exposures", "Exposures", "exposures.html"));
    let semantic = [ResourceType::Metric, ResourceType::SemanticModel, ResourceType::SavedQuery].into_iter().any(any);
    add(semantic, section("metrics", "Metrics", "metrics.html"));
    add(site.nodes.iter().any(|node| !node.columns.is_empty()), section("columns", "Columns", "columns.html"));
    add(!site.macros.is_empty(), section("macros", "Macros", "macros.html"));
    add(site.nodes.iter().any(|node| !node.tags.is_empty()), section("tags", "Tags", "tags.html"));
    let owned = !site.groups.is_empty() || site.nodes.iter().any(|node| node.owner.is_some());
    add(owned, section("owners", "Owners", "owners.html"));
    add(site.packages.len() > 1, section("packages", "Packages", "packages.html"));
    let mut health = vec![section("runs", "Runs", "runs.html")];
    if !site.tests.is_empty() {
        health.push(section("tests", "Tests", "tests.html"));
    }
    if any(ResourceType::Source) {
        health.push(section("freshness", "Freshness", "freshness.html"));
    }
    health.push(section("changes", "Changes", "changes.html"));
    vec![Chapter { title: "Browse", sections: browse }, Chapter { title: "Health", sections: health }]
}

/// The navigation as it stands on a page: every page has it, so it is put together without a template.
pub fn html(chapters: &[Chapter], root: &str, section: &str, title: &str) -> String {
    let mut out = String::with_capacity(2000);
    for chapter in chapters {
        out.extend(["<p>", chapter.title, "</p>\n<ul>"]);
        for entry in &chapter.sections {
            let current = match entry.key == section {
                true if title == entry.title || entry.key == "overview" => " aria-current=\"page\"",
                true => " aria-current=\"true\"",
                false => "",
            };
            out.extend(["<li><a href=\"", root, entry.url, "\"", current, ">", entry.title, "</a></li>"]);
        }
        out.push_str("</ul>\n");
    }
    out
}
