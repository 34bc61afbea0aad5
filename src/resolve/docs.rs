//! Descriptions: `doc(…)` and other Jinja in them, rendered once everything is known.

use std::collections::HashMap;
use std::sync::Arc;

use indexmap::IndexMap;
use rayon::prelude::*;

use crate::diagnostic::Diagnostic;
use crate::manifest::{ColumnInfo, DocBlock, Json, JsonMap, Macro, Node, Source, UniqueId};

use super::host::DocsHost;
use super::nearest;
use super::nodes::Shared;
use super::refs::Origin;

/// Docs blocks by name and package.
pub struct Docs {
    root: Arc<str>,
    own_package_first: bool,
    blocks: HashMap<String, IndexMap<Arc<str>, Arc<DocBlock>>>,
}

/// A description's owner, for lookups and messages.
pub struct Whose<'a> {
    pub unique_id: &'a UniqueId,
    pub package: &'a str,
    pub path: &'a str,
    pub origin: Option<&'a Origin>,
}

impl Docs {
    pub fn new(shared: &Shared<'_>, docs: &IndexMap<UniqueId, Arc<DocBlock>>) -> Self {
        let mut blocks: HashMap<String, IndexMap<Arc<str>, Arc<DocBlock>>> = HashMap::new();
        for block in docs.values() {
            blocks.entry(block.name.clone()).or_default().insert(block.package_name.clone(), block.clone());
        }
        Self {
            root: shared.project.root_package().name.clone(),
            own_package_first: shared.flag("require_ref_searches_node_package_before_root"),
            blocks,
        }
    }

    /// The block that `doc(package, name)` means for a resource of a package.
    pub fn find(&self, package: Option<&str>, name: &str, of_package: &str) -> Option<&Arc<DocBlock>> {
        let named = self.blocks.get(name)?;
        if let Some(package) = package {
            return named.get(package);
        }
        let (first, second) = if self.own_package_first { (of_package, &*self.root) } else { (&*self.root, of_package) };
        named.get(first).or_else(|| named.get(second)).or_else(|| named.values().next())
    }

    /// Renders one description in place. Gives the blocks it names.
    pub fn render(
        self: &Arc<Self>,
        shared: &Shared<'_>,
        whose: &Whose<'_>,
        text: &mut String,
        diagnostics: &mut Vec<Diagnostic>,
    ) -> Vec<UniqueId> {
        if !has_jinja(text) {
            return Vec::new();
        }
        match self.calls_only(whose, text) {
            Some(Ok((rendered, blocks))) => {
                *text = rendered;
                blocks
            }
            Some(Err(missing)) => {
                diagnostics.push(self.missing(whose, &missing));
                Vec::new()
            }
            None => {
                let named = self.plain_calls(whose, text);
                let (rendered, blocks) = DocsHost::render(shared.project, &shared.engine, self, whose, text);
                match rendered {
                    Ok(rendered) => *text = rendered,
                    Err(error) => diagnostics.push(error.diagnostic().node(whose.unique_id.shared())),
                }
                named.unwrap_or(blocks)
            }
        }
    }

    /// A text whose only Jinja is `{{ doc('…') }}`: filled in without the engine. None where there is more.
    fn calls_only(&self, whose: &Whose<'_>, text: &str) -> Option<Result<(String, Vec<UniqueId>), String>> {
        if text.contains("{%") || text.contains("{#") {
            return None;
        }
        let text = text.strip_suffix('\n').unwrap_or(text);
        let mut out = String::with_capacity(text.len());
        let mut blocks = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("{{") {
            out.push_str(before);
            let (inside, tail) = after.split_once("}}")?;
            let (package, name) = doc_call(inside)?;
            let Some(block) = self.find(package, name, whose.package) else { return Some(Err(name.to_owned())) };
            out.push_str(&block.block_contents);
            blocks.push(block.unique_id.clone());
            rest = tail;
        }
        out.push_str(rest);
        Some(Ok((out, blocks)))
    }

    /// The blocks that count for `doc_blocks` in a text with more Jinja than calls of `doc`: those that an output names plainly,
    /// not within a larger expression. None where there are statements.
    fn plain_calls(&self, whose: &Whose<'_>, text: &str) -> Option<Vec<UniqueId>> {
        if text.contains("{%") {
            return None;
        }
        let inside = text.split("{{").skip(1).filter_map(|after| after.split_once("}}").map(|(inside, _)| inside));
        let named = inside.filter_map(doc_call).filter_map(|(package, name)| self.find(package, name, whose.package));
        Some(named.map(|block| block.unique_id.clone()).collect())
    }

    /// What is told of a docs block that is not there.
    pub fn missing_message(unique_id: &UniqueId, name: &str) -> String {
        format!("Documentation for '{unique_id}' depends on doc '{name}' which was not found")
    }

    fn missing(&self, whose: &Whose<'_>, name: &str) -> Diagnostic {
        let message = Self::missing_message(whose.unique_id, name);
        let mut diagnostic = Diagnostic::error("E0409", message).node(whose.unique_id.shared());
        if let Some((source, span)) = whose.origin.and_then(|origin| origin.doc_place(name)) {
            diagnostic = diagnostic.at(&source, span);
        }
        diagnostic.help = nearest::hint(name, self.blocks.keys().map(String::as_str))
            .or_else(|| Some(format!("define it with {{% docs {name} %}} … {{% enddocs %}} in a .md file")));
        diagnostic
    }

    fn columns(
        self: &Arc<Self>,
        shared: &Shared<'_>,
        whose: &Whose<'_>,
        columns: &mut IndexMap<String, ColumnInfo>,
        diagnostics: &mut Vec<Diagnostic>,
    ) {
        for column in columns.values_mut() {
            column.doc_blocks = self.render(shared, whose, &mut column.description, diagnostics);
        }
    }

    /// Descriptions of nodes and their columns, in parallel.
    pub fn nodes(self: &Arc<Self>, shared: &Shared<'_>, nodes: &mut [Node], origins: &[Origin]) -> Vec<Diagnostic> {
        let each = nodes.par_iter_mut().zip(origins).filter(|(node, _)| node.config.enabled()).map(|(node, origin)| {
            let mut diagnostics = Vec::new();
            let (id, package, path) = (node.unique_id.clone(), node.package_name.clone(), node.original_file_path.clone());
            let whose = Whose { unique_id: &id, package: &package, path: &path, origin: Some(origin) };
            node.doc_blocks = self.render(shared, &whose, &mut node.description, &mut diagnostics);
            self.columns(shared, &whose, &mut node.columns, &mut diagnostics);
            diagnostics
        });
        each.flatten().collect()
    }

    pub fn source(self: &Arc<Self>, shared: &Shared<'_>, source: &mut Source, diagnostics: &mut Vec<Diagnostic>) {
        let (id, package, path) = (source.unique_id.clone(), source.package_name.clone(), source.original_file_path.clone());
        let whose = Whose { unique_id: &id, package: &package, path: &path, origin: None };
        source.doc_blocks = self.render(shared, &whose, &mut source.description, diagnostics);
        self.render(shared, &whose, &mut source.source_description, diagnostics);
        self.columns(shared, &whose, &mut source.columns, diagnostics);
    }

    pub fn of_macro(self: &Arc<Self>, shared: &Shared<'_>, own: &mut Macro, diagnostics: &mut Vec<Diagnostic>) {
        let (id, package, path) = (own.unique_id.clone(), own.package_name.clone(), own.original_file_path.clone());
        let whose = Whose { unique_id: &id, package: &package, path: &path, origin: None };
        self.render(shared, &whose, &mut own.description, diagnostics);
        for argument in &mut own.arguments {
            self.render(shared, &whose, &mut argument.description, diagnostics);
        }
    }

    /// Descriptions within a semantic model's body.
    pub fn body(self: &Arc<Self>, shared: &Shared<'_>, whose: &Whose<'_>, body: &mut JsonMap, diagnostics: &mut Vec<Diagnostic>) {
        for key in ["dimensions", "measures", "entities"] {
            for element in body.get_mut(key).and_then(Json::as_array_mut).into_iter().flatten() {
                if let Some(Json::String(text)) = element.get_mut("description") {
                    self.render(shared, whose, text, diagnostics);
                }
            }
        }
    }
}

/// Is there anything for Jinja to do?
fn has_jinja(text: &str) -> bool {
    ["{{", "{%", "{#", "}}", "%}", "#}"].iter().any(|mark| text.contains(mark))
}

/// `doc('name')` or `doc('package', 'name')` with constants.
fn doc_call(inside: &str) -> Option<(Option<&str>, &str)> {
    let call = inside.trim().strip_prefix("doc")?.trim_start().strip_prefix('(')?.trim_end().strip_suffix(')')?;
    let words: Vec<&str> = call.split(',').map(|word| constant(word.trim())).collect::<Option<_>>()?;
    match words[..] {
        [name] => Some((None, name)),
        [package, name] => Some((Some(package), name)),
        _ => None,
    }
}

fn constant(word: &str) -> Option<&str> {
    let quote = word.chars().next().filter(|quote| matches!(quote, '\'' | '"'))?;
    let inner = word.strip_prefix(quote)?.strip_suffix(quote)?;
    (!inner.contains(quote) && !inner.contains('\\')).then_some(inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doc_calls_are_read() {
        assert_eq!(doc_call(" doc('a') "), Some((None, "a")));
        assert_eq!(doc_call("doc( \"p\", 'a' )"), Some((Some("p"), "a")));
        assert_eq!(doc_call("doc(name)"), None);
        assert_eq!(doc_call("doc('a') ~ 'x'"), None);
        assert!(has_jinja("{{ doc('a') }}") && !has_jinja("{ plain }"));
    }
}
