//! Docs: a resolved project, its catalog and its run history become a static site, which opens by a double click as well as from any
//! server. Everything is made here; `docs-site/` has the templates, styles and scripts.

mod assets;
mod collect;
mod columns;
mod folders;
mod format;
mod graph;
mod highlight;
mod html;
mod links;
mod markdown;
mod nav;
mod output;
mod pages;
mod relationships;
mod scrub;
mod site;
mod templates;

use std::path::Path;

use crate::artifacts::{self, CatalogTable, CompiledNodes};
use crate::diagnostic::Diagnostic;
use crate::fs::FileSystem;
use crate::manifest::Manifest;
use crate::project::Project;

pub use output::Written;

/// Past invocations that the site tells of, and how much of their files is read at most.
const RUNS: usize = 50;
const HISTORY_BYTES: u64 = 48 << 20;
/// The site's folder in the target folder.
const FOLDER: &str = "lineal-docs";

/// What a site is made from.
pub struct Request<'a> {
    pub fs: &'a dyn FileSystem,
    pub project: &'a Project,
    pub manifest: &'a Manifest,
    pub compiled: &'a CompiledNodes,
    pub catalog: Vec<CatalogTable>,
}

/// Writes the site to `lineal-docs/` in the target folder. Files that are as they should be are left alone, files of pages that
/// are no more go.
pub fn generate(request: Request) -> Result<Written, Diagnostic> {
    let Request { fs, project, .. } = request;
    let scrub = scrub::Scrub::new(project);
    let site = collect::collect(collect::Sources {
        project,
        manifest: request.manifest,
        compiled: request.compiled,
        catalog: request.catalog,
        runs: artifacts::past_runs(fs, &project.log_path.join("history"), RUNS, HISTORY_BYTES),
        freshness: artifacts::read_sources(fs, &project.target_path),
        readme: readme(fs, &project.root),
        scrub: &scrub,
    });
    let templates = templates::Templates::new(&site)?;
    let graph = graph::Graph::new(&site);
    let folders = folders::Folders::new(&site);
    let pages = pages::Pages { site: &site, templates: &templates, graph: &graph, folders: &folders };
    let mut files = pages.all()?;
    files.extend(graph.pages(&site, &templates)?);
    files.extend(assets::assets().map(|(name, text)| templates::File::new(format!("assets/{name}"), text)));
    output::write(fs, &project.target_path.join(FOLDER), files, &scrub)
}

fn readme(fs: &dyn FileSystem, root: &Path) -> Option<String> {
    let path = ["README.md", "readme.md", "Readme.md"].iter().map(|name| root.join(name)).find(|path| fs.exists(path))?;
    fs.read(&path).ok().map(|text| String::from_utf8_lossy(&text).into_owned())
}
