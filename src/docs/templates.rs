//! The templates of `docs-site/`, and what all pages share.

use serde::Serialize;
use tera::{Context, Tera};

use super::site::Site;
use super::{assets, links, nav};
use crate::diagnostic::Diagnostic;

/// A file of the site: its path below the site's folder, and its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    pub path: String,
    pub content: Vec<u8>,
}

impl File {
    pub fn new(path: impl Into<String>, content: impl Into<Vec<u8>>) -> Self {
        Self { path: path.into(), content: content.into() }
    }
}

pub struct Templates {
    tera: Tera,
    nav: Vec<nav::Chapter>,
}

impl Templates {
    /// Reads all templates. They belong to lineal: a fault in one is a fault of ours.
    pub fn new(site: &Site) -> Result<Self, Diagnostic> {
        let mut tera = Tera::new();
        let templates = assets::FILES.iter().copied().filter(|(name, _)| name.ends_with(".html"));
        tera.add_raw_templates(templates).map_err(|error| fault(&error))?;
        let global = tera.global_context();
        global.insert("project", &site.project);
        Ok(Self { tera, nav: nav::sections(site) })
    }

    /// A page. `section` is the entry of the navigation that it belongs to; `view` is what its template shows.
    pub fn page(&self, template: &str, url: &str, section: &str, title: &str, view: &impl Serialize) -> Result<File, Diagnostic> {
        let mut context = Context::new();
        let root = links::root(url);
        context.insert("nav", &nav::html(&self.nav, &root, section, title));
        context.insert("root", &root);
        context.insert("title", title);
        context.insert("view", view);
        let text = self.tera.render(template, &context).map_err(|error| fault(&error))?;
        Ok(File::new(url, text))
    }
}

fn fault(error: &tera::Error) -> Diagnostic {
    Diagnostic::error("E0820", format!("a page of the documentation cannot be made: {error}"))
        .help("this is a fault of lineal: please report it")
}
