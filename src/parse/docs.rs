//! Docs blocks: `{% docs name %}…{% enddocs %}` in markdown files.

use std::sync::Arc;

use indexmap::IndexMap;
use rayon::prelude::*;

use crate::diagnostic::{Diagnostic, SourceText};
use crate::jinja::{self, BlockKind, Engine, Error, Host, Message, Template, Undefined, Value};
use crate::manifest::{DocBlock, UniqueId};
use crate::project::{FileKind, Package, Project, SourceFile};

/// The docs blocks of all packages by id. Two blocks of one name in one package are an error that shows both.
pub fn blocks(project: &Project, engine: &Engine) -> (IndexMap<UniqueId, Arc<DocBlock>>, Vec<Diagnostic>) {
    let files: Vec<(&Arc<Package>, &Arc<SourceFile>)> = project
        .packages
        .iter()
        .flat_map(|package| package.files.iter().map(move |file| (package, file)))
        .filter(|(_, file)| file.kind == FileKind::Docs)
        .collect();
    let read: Vec<(Vec<Found>, Vec<Diagnostic>)> =
        files.par_iter().map(|(package, file)| blocks_of_file(engine, package, file)).collect();
    let (mut blocks, mut diagnostics) = (IndexMap::<UniqueId, Found>::new(), Vec::new());
    for (found, problems) in read {
        diagnostics.extend(problems);
        for block in found {
            match blocks.get(&block.doc.unique_id) {
                None => {
                    blocks.insert(block.doc.unique_id.clone(), block);
                }
                Some(first) => {
                    let (package, name) = (&block.doc.package_name, &block.doc.name);
                    let message = format!("the package `{package}` has two docs blocks named `{name}`");
                    let error = Diagnostic::error("E0311", message).at(&block.place.0, block.place.1);
                    diagnostics.push(error.at_with(&first.place.0, first.place.1, "the other one"));
                }
            }
        }
    }
    (blocks.into_iter().map(|(id, found)| (id, found.doc)).collect(), diagnostics)
}

struct Found {
    doc: Arc<DocBlock>,
    place: (SourceText, crate::diagnostic::Span),
}

fn blocks_of_file(engine: &Engine, package: &Package, file: &SourceFile) -> (Vec<Found>, Vec<Diagnostic>) {
    let (blocks, mut diagnostics) = jinja::blocks(&file.source);
    // Markdown may hold any tags.
    diagnostics.retain(Diagnostic::is_error);
    let mut found = Vec::new();
    for block in blocks.into_iter().filter(|block| block.kind == BlockKind::Docs) {
        let text = file.source.text.get(block.body.start..block.body.end).unwrap_or_default();
        let contents = if has_jinja(text) {
            let template = Template { source: file.source.clone(), span: block.body };
            engine.render(&template, Arc::new(DocsHost(package.name.clone()))).unwrap_or_else(|error| {
                diagnostics.push(error.diagnostic());
                text.to_owned()
            })
        } else {
            text.to_owned()
        };
        let doc = DocBlock {
            unique_id: UniqueId::new(format!("doc.{}.{}", package.name, block.name)),
            name: block.name,
            package_name: package.name.clone(),
            path: file.path.to_string(),
            original_file_path: file.original_path.clone(),
            block_contents: contents.trim().to_owned(),
        };
        found.push(Found { doc: Arc::new(doc), place: (file.source.clone(), block.span) });
    }
    (found, diagnostics)
}

/// Does a text hold anything that Jinja would look at?
pub fn has_jinja(text: &str) -> bool {
    ["{{", "{%", "{#"].iter().any(|mark| text.contains(mark))
}

/// Docs know nothing of the project: they are rendered only for their raw blocks and comments.
struct DocsHost(Arc<str>);

impl Host for DocsHost {
    fn package(&self) -> &str {
        &self.0
    }

    fn global(&self, _name: &str) -> Option<Value> {
        None
    }

    fn undefined(&self) -> Undefined {
        Undefined::Lenient
    }

    fn message(&self, _message: Message) -> Result<(), Error> {
        Ok(())
    }
}
