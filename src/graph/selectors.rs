//! selectors.yml: named selections, read and checked with the places they were written at.

use super::IndirectSelection;
use super::criteria::{self, Criterion, Depth, Operation, Place, Relatives, Spec};
use crate::diagnostic::{Diagnostic, SourceText};
use crate::project::Project;
use crate::yaml::{Entry, Kind, Yaml};

/// The definitions of selectors.yml, by name.
#[derive(Debug, Default)]
pub(super) struct Selectors {
    definitions: Vec<Definition>,
    /// Is there a file at all?
    pub(super) present: bool,
}

#[derive(Debug)]
pub(super) struct Definition {
    pub(super) name: String,
    pub(super) default: bool,
    pub(super) spec: Spec,
    place: Place,
}

impl Selectors {
    pub(super) fn get(&self, name: &str) -> Option<&Definition> {
        self.definitions.iter().find(|definition| definition.name == name)
    }

    /// The one with `default: true`.
    pub(super) fn default_one(&self) -> Option<&Definition> {
        self.definitions.iter().find(|definition| definition.default)
    }

    /// Sorted by name.
    pub(super) fn sorted(&self) -> Vec<&Definition> {
        let mut definitions: Vec<&Definition> = self.definitions.iter().collect();
        definitions.sort_by(|left, right| left.name.cmp(&right.name));
        definitions
    }

    pub(super) fn names(&self) -> Vec<&str> {
        self.definitions.iter().map(|definition| definition.name.as_str()).collect()
    }

    /// Reads all definitions; one that is broken is reported and left out. `indirect` is what the command line says, for
    /// definitions that say nothing of their own.
    pub(super) fn read(project: &Project, indirect: IndirectSelection) -> (Self, Vec<Diagnostic>) {
        let Some((source, root)) = &project.selectors else { return (Self::default(), Vec::new()) };
        let mut reader = Reader { source, indirect, diagnostics: Vec::new() };
        let definitions = reader.file(root);
        (Self { definitions, present: true }, reader.diagnostics)
    }
}

struct Reader<'a> {
    source: &'a SourceText,
    indirect: IndirectSelection,
    diagnostics: Vec<Diagnostic>,
}

impl Reader<'_> {
    fn place(&self, yaml: &Yaml) -> Place {
        Place::new(self.source, yaml.span)
    }

    fn error(&mut self, yaml: &Yaml, message: impl Into<String>, help: &str) {
        let diagnostic = self.place(yaml).error("E0504", message).help(help);
        self.diagnostics.push(diagnostic);
    }

    fn unknown_key(&mut self, entry: &Entry, known: &str) {
        let message = format!("unknown key `{}` in selectors.yml", entry.key);
        let diagnostic = Diagnostic::warning("W0512", message).at(self.source, entry.key_span).help(known);
        self.diagnostics.push(diagnostic);
    }

    fn file(&mut self, root: &Yaml) -> Vec<Definition> {
        if root.is_null() {
            return Vec::new();
        }
        for entry in root.entries().iter().filter(|entry| !["selectors", "version"].contains(&&*entry.key)) {
            self.unknown_key(entry, "the file has the keys `selectors` and `version`");
        }
        let Some(list @ Yaml { kind: Kind::Seq(_), .. }) = root.get("selectors") else {
            self.error(root, "selectors.yml has no list `selectors`", "begin the file with `selectors:` and a list below it");
            return Vec::new();
        };
        let mut found: Vec<Definition> = Vec::new();
        for item in list.items() {
            let Some(definition) = self.definition(item) else { continue };
            if let Some(first) = found.iter().find(|earlier| earlier.default && definition.default) {
                let message = format!("Found multiple selectors with `default: true`: {} and {}", first.name, definition.name);
                let diagnostic =
                    definition.place.error("E0504", message).at_with(self.source, first.place.span, "the first one is here");
                self.diagnostics.push(diagnostic);
            }
            if let Some(at) = found.iter().position(|earlier| earlier.name == definition.name) {
                let message = format!("the selector `{}` is defined twice: the last one is used", definition.name);
                let place = &definition.place;
                self.diagnostics.push(Diagnostic::warning("W0513", message).at(&place.source, place.span));
                found.remove(at);
            }
            found.push(definition);
        }
        found
    }

    fn definition(&mut self, item: &Yaml) -> Option<Definition> {
        let known = ["name", "definition", "description", "default"];
        for entry in item.entries().iter().filter(|entry| !known.contains(&&*entry.key)) {
            self.unknown_key(entry, "a selector has the keys `name`, `definition`, `description` and `default`");
        }
        let Some(name) = item.get("name").and_then(Yaml::as_str) else {
            self.error(item, "a selector has no name", "give it a `name:` with a text");
            return None;
        };
        let default = match item.get("default") {
            None => false,
            Some(value) => value.as_bool().unwrap_or_else(|| {
                self.error(value, format!("`default` of the selector `{name}` is not true or false"), "write true or false");
                false
            }),
        };
        let Some(definition) = item.get("definition") else {
            self.error(item, format!("the selector `{name}` has no definition"), "give it a `definition:`");
            return None;
        };
        if let Kind::Map(entries) = &definition.kind
            && entries.len() > 1
            && entries.iter().any(|entry| ["union", "intersection"].contains(&&*entry.key))
        {
            let keys: Vec<&str> = entries.iter().map(|entry| &*entry.key).collect();
            let message = format!(
                "Only a single 'union' or 'intersection' key is allowed in a root level selector definition; found {}",
                keys.join(",")
            );
            self.error(definition, message, "put the other keys into the list of the union");
            return None;
        }
        let spec = self.spec(definition)?;
        let place = item.get("name").map_or_else(|| self.place(item), |name| self.place(name));
        Some(Definition { name: name.to_string(), default, spec, place })
    }

    /// A definition at any level: a text as on the command line, a set operation, or a method with a value.
    fn spec(&mut self, definition: &Yaml) -> Option<Spec> {
        let place = self.place(definition);
        match &definition.kind {
            Kind::Str(text) => match criteria::criterion(text, self.indirect, place) {
                Ok(criterion) => Some(Spec::One(Box::new(criterion))),
                Err(diagnostic) => {
                    self.diagnostics.push(*diagnostic);
                    None
                }
            },
            Kind::Map(_) => {
                if let Some(parts) = definition.get("union") {
                    self.set(Operation::Union, parts)
                } else if let Some(parts) = definition.get("intersection") {
                    self.set(Operation::Intersection, parts)
                } else {
                    self.method(definition)
                }
            }
            _ => {
                let help = "write a text as for --select, a method with a value, or a `union` or `intersection` with a list";
                self.error(definition, "this is no selector definition", help);
                None
            }
        }
    }

    /// The parts of a union or intersection; one of them may be an `exclude`, which is taken off the whole.
    fn set(&mut self, operation: Operation, list: &Yaml) -> Option<Spec> {
        let Kind::Seq(items) = &list.kind else {
            self.error(list, "a union or intersection needs a list", "put each part behind a `-`");
            return None;
        };
        let mut parts = Vec::new();
        let mut excluded: Option<Spec> = None;
        let mut complete = true;
        for item in items {
            let Some(exclusion) = item.entry("exclude") else {
                match self.spec(item) {
                    Some(part) => parts.push(part),
                    None => complete = false,
                }
                continue;
            };
            if excluded.is_some() {
                let help = "put all exclusions into the list of one `exclude`";
                self.error(item, "You cannot provide multiple exclude arguments to the same selector set operator", help);
                complete = false;
                continue;
            }
            for entry in item.entries().iter().filter(|entry| &*entry.key != "exclude") {
                let message = format!("`{}` beside an `exclude` in a list has no effect", entry.key);
                let help = "give the exclusion an item of its own in the list";
                self.diagnostics.push(Diagnostic::warning("W0514", message).at(self.source, entry.key_span).help(help));
            }
            excluded = self.exclusions(&exclusion.value)?;
        }
        if !complete {
            return None;
        }
        Some(minus(Spec::group(operation, parts), excluded))
    }

    /// Some(None) where the list is empty; None where something is broken.
    #[expect(clippy::option_option, reason = "broken, nothing excluded, something excluded")]
    fn exclusions(&mut self, list: &Yaml) -> Option<Option<Spec>> {
        let Kind::Seq(items) = &list.kind else {
            self.error(list, "Invalid value for key \"exclude\". Expected a list.", "put each part behind a `-`");
            return None;
        };
        let parts: Vec<Option<Spec>> = items.iter().map(|item| self.spec(item)).collect();
        let mut parts = parts.into_iter().collect::<Option<Vec<Spec>>>()?;
        Some(if parts.len() > 1 { Some(Spec::group(Operation::Union, parts)) } else { parts.pop() })
    }

    /// `{tag: nightly}` or `{method: tag, value: nightly, children: true, …}`.
    fn method(&mut self, definition: &Yaml) -> Option<Spec> {
        let (name, value) = self.method_and_value(definition)?;
        let excluded = match definition.get("exclude") {
            Some(list) => self.exclusions(list)?,
            None => None,
        };
        match self.criterion(definition, &name, value) {
            Ok(criterion) => Some(minus(Spec::One(Box::new(criterion)), excluded)),
            Err(diagnostic) => {
                self.diagnostics.push(*diagnostic);
                None
            }
        }
    }

    fn method_and_value<'y>(&mut self, definition: &'y Yaml) -> Option<(String, &'y Yaml)> {
        if let (Some(method), Some(value)) = (definition.get("method"), definition.get("value")) {
            let Some(name) = method.as_str() else {
                self.error(method, "`method` is not a text", "name one of the selection methods");
                return None;
            };
            return Some((name.to_string(), value));
        }
        if let [only] = definition.entries() {
            return Some((only.key.to_string(), &only.value));
        }
        let keys: Vec<String> = definition.entries().iter().map(|entry| format!("'{}'", entry.key)).collect();
        let message = format!("Expected either 1 key or else \"method\" and \"value\" keys, but got [{}]", keys.join(", "));
        self.error(definition, message, "write `method:` and `value:`, or one method with its value");
        None
    }

    fn criterion(&mut self, definition: &Yaml, name: &str, value: &Yaml) -> Result<Criterion, Box<Diagnostic>> {
        let place = self.place(definition);
        let (method, arguments) = criteria::method(Some(name), "", &place)?;
        let mut relatives = Relatives::default();
        let mut indirect = self.indirect;
        let long_form = definition.get("method").is_some();
        for entry in definition.entries().iter().filter(|_| long_form) {
            match &*entry.key {
                "childrens_parents" => relatives.childrens_parents = is_set(&entry.value),
                "parents" if is_set(&entry.value) => relatives.parents = Some(self.depth(definition, "parents_depth")?),
                "children" if is_set(&entry.value) => relatives.children = Some(self.depth(definition, "children_depth")?),
                "method" | "value" | "exclude" | "parents" | "children" | "parents_depth" | "children_depth" => {}
                "indirect_selection" => indirect = self.indirect(&entry.value)?,
                _ => self.unknown_key(
                    entry,
                    "beside `method` and `value` there are `parents`, `parents_depth`, `children`, `children_depth`, \
                     `childrens_parents`, `indirect_selection` and `exclude`",
                ),
            }
        }
        let text = value.as_str().map_or_else(|| name.to_string(), |value| format!("{name}:{value}"));
        let value = value.to_json();
        criteria::check(Criterion { method, arguments, value, relatives, indirect, place }, &text)
    }

    /// A depth as a number or a text of digits; nothing and 0 are no limit.
    fn depth(&self, definition: &Yaml, key: &str) -> Result<Depth, Box<Diagnostic>> {
        let Some(value) = definition.get(key) else { return Ok(Depth::All) };
        let depth = match &value.kind {
            Kind::Null | Kind::Bool(false) | Kind::Int(0) => return Ok(Depth::All),
            Kind::Int(number) => usize::try_from(*number).ok(),
            Kind::Str(text) if text.is_empty() => return Ok(Depth::All),
            Kind::Str(text) => text.parse().ok(),
            _ => None,
        };
        depth.map(Depth::Steps).ok_or_else(|| {
            Box::new(self.place(value).error("E0504", format!("`{key}` is not a number of steps")).help("write a whole number"))
        })
    }

    fn indirect(&self, value: &Yaml) -> Result<IndirectSelection, Box<Diagnostic>> {
        value.as_str().and_then(IndirectSelection::named).ok_or_else(|| {
            let help = "it is one of eager, cautious, buildable, empty";
            Box::new(self.place(value).error("E0504", "this is no mode of indirect selection").help(help))
        })
    }
}

fn minus(spec: Spec, excluded: Option<Spec>) -> Spec {
    match excluded {
        Some(excluded) => Spec::group(Operation::Difference, vec![spec, excluded]),
        None => spec,
    }
}

/// True as Python takes a value for true.
fn is_set(value: &Yaml) -> bool {
    match &value.kind {
        Kind::Null | Kind::Bool(false) | Kind::Int(0) => false,
        Kind::Str(text) => !text.is_empty(),
        Kind::Seq(items) => !items.is_empty(),
        Kind::Map(entries) => !entries.is_empty(),
        Kind::Bool(true) | Kind::Int(_) | Kind::Float(_) => true,
    }
}
