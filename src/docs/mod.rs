//! Docs: a resolved project, its catalog and its run history become a static site, which opens by a double click as well as from any
//! server. Everything is made here; `docs-site/` has the templates, styles and scripts.

mod assets;
mod collect;
mod columns;
mod entry;
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
mod search;
mod serve;
mod shard;
mod site;
mod templates;

use std::path::Path;

use crate::artifacts::{self, CatalogTable, CompiledNodes};
use crate::diagnostic::Diagnostic;
use crate::fs::FileSystem;
use crate::manifest::Manifest;
use crate::project::Project;

pub use output::Written;
pub use serve::Server;

/// Past invocations that the site tells of, and how much of their files is read at most.
const RUNS: usize = 50;
const HISTORY_BYTES: u64 = 48 << 20;
/// The site's folder in the target folder.
pub const FOLDER: &str = "lineal-docs";
/// A mark of all its files, in that folder: it changes when one of them does.
const STAMP: &str = "stamp.txt";
/// Beside it: what this build and the one before are made of.
const BUILDS: &str = "lineal-docs.builds.json";

/// What a site is made from.
pub struct Request<'a> {
    pub fs: &'a dyn FileSystem,
    pub project: &'a Project,
    pub manifest: &'a Manifest,
    pub compiled: &'a CompiledNodes,
    pub catalog: Vec<CatalogTable>,
    /// The folder of artifacts to compare with; None: the build before.
    pub state: Option<&'a Path>,
    /// Write `static_index.html` as well.
    pub is_static: bool,
}

/// Writes the site to `lineal-docs/` in the target folder, and `index.html` beside manifest.json and catalog.json, which must be there
/// already. Files that are as they should be are left alone, files of pages that are no more go.
pub fn generate(request: Request) -> Result<Written, Diagnostic> {
    let Request { fs, project, .. } = request;
    let target = &project.target_path;
    let scrub = scrub::Scrub::new(project);
    let site = collect::collect(collect::Sources {
        project,
        manifest: request.manifest,
        compiled: request.compiled,
        catalog: request.catalog,
        runs: artifacts::past_runs(fs, &project.log_path.join("history"), RUNS, HISTORY_BYTES),
        freshness: artifacts::read_sources(fs, target),
        readme: readme(fs, &project.root),
        scrub: &scrub,
    });
    let builds = artifacts::read_builds(fs, &target.join(BUILDS)).followed_by(pages::build(&site));
    let compared = request.state.map(|folder| artifacts::build_of_state(fs, folder)).transpose()?;
    let templates = templates::Templates::new(&site)?;
    let graph = graph::Graph::new(&site);
    let folders = folders::Folders::new(&site);
    let previous = compared.as_ref().or(builds.previous.as_ref());
    let current = &builds.current;
    let folder = target.join(FOLDER);
    let written = output::write(fs, &folder, &scrub, |out| {
        let pages = pages::Pages { site: &site, templates: &templates, graph: &graph, folders: &folders, current, previous, out };
        let (of_pages, of_rest) = rayon::join(
            || pages.all(),
            || {
                let (of_graph, of_search) = rayon::join(|| graph.pages(&site, &templates), || search::files(&pages));
                out.put_all(of_graph?.into_iter().chain(of_search))
            },
        );
        of_pages.and(of_rest)?;
        out.put(entry::addresses(&pages))?;
        out.put_all(assets::assets().map(|(name, text)| templates::File::new(format!("assets/{name}"), text.into_owned())))
    })?;
    output::replace(fs, &target.join(BUILDS), builds.text().as_bytes())?;
    let read = |name: &str| fs.read(&target.join(name)).unwrap_or_default();
    let mut entries = vec![entry::index(&templates)?];
    if request.is_static {
        entries.push(entry::single(&templates, &read("manifest.json"), &read("catalog.json"))?);
    }
    for file in entries {
        output::replace(fs, &target.join(&file.path), &output::scrubbed(file, &scrub))?;
    }
    copy_assets(fs, project)?;
    Ok(written)
}

/// Copies the project's `asset-paths` beside index.html, as dbt does.
fn copy_assets(fs: &dyn FileSystem, project: &Project) -> Result<(), Diagnostic> {
    for folder in &project.root_package().config.asset_paths {
        let (from, to) = (project.root.join(folder), project.target_path.join(folder));
        if !fs.is_dir(&from) || to == project.target_path {
            continue;
        }
        fs.remove(&to).map_err(|error| output::fault(&to, &error))?;
        for file in fs.walk(&from).map_err(|error| output::fault(&from, &error))? {
            let path = to.join(file.strip_prefix(&from).unwrap_or(&file));
            fs.read(&file).and_then(|content| fs.write(&path, &content)).map_err(|error| output::fault(&path, &error))?;
        }
    }
    Ok(())
}

fn readme(fs: &dyn FileSystem, root: &Path) -> Option<String> {
    let path = ["README.md", "readme.md", "Readme.md"].iter().map(|name| root.join(name)).find(|path| fs.exists(path))?;
    fs.read(&path).ok().map(|text| String::from_utf8_lossy(&text).into_owned())
}
