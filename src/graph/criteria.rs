//! What `--select` and selectors.yml say, read into one form: criteria and their unions, intersections and differences.

use super::IndirectSelection;
use crate::diagnostic::{Diagnostic, SourceText, Span};
use crate::manifest::Json;

/// dbt's selection methods.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Method {
    Fqn,
    Tag,
    Group,
    Access,
    Source,
    Path,
    File,
    Package,
    Config,
    TestName,
    TestType,
    ResourceType,
    State,
    Exposure,
    Metric,
    Result,
    SourceStatus,
    Version,
    SemanticModel,
    SavedQuery,
    UnitTest,
    Selector,
}

impl Method {
    pub(super) const ALL: [(&'static str, Self); 22] = [
        ("fqn", Self::Fqn),
        ("tag", Self::Tag),
        ("group", Self::Group),
        ("access", Self::Access),
        ("source", Self::Source),
        ("path", Self::Path),
        ("file", Self::File),
        ("package", Self::Package),
        ("config", Self::Config),
        ("test_name", Self::TestName),
        ("test_type", Self::TestType),
        ("resource_type", Self::ResourceType),
        ("state", Self::State),
        ("exposure", Self::Exposure),
        ("metric", Self::Metric),
        ("result", Self::Result),
        ("source_status", Self::SourceStatus),
        ("version", Self::Version),
        ("semantic_model", Self::SemanticModel),
        ("saved_query", Self::SavedQuery),
        ("unit_test", Self::UnitTest),
        ("selector", Self::Selector),
    ];

    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| *known == name).map(|(_, method)| *method)
    }

    pub(super) fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, method)| *method == self).map_or("", |(name, _)| name)
    }

    /// What a value without a method means: a path, a file, or a name.
    pub(super) fn implied_by(value: &str) -> Self {
        let lower = value.to_lowercase();
        if value.contains('/') || value.contains(std::path::MAIN_SEPARATOR) {
            Self::Path
        } else if [".sql", ".py", ".csv"].iter().any(|ending| lower.ends_with(ending)) {
            Self::File
        } else {
            Self::Fqn
        }
    }
}

/// Where a criterion was written.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Place {
    pub(super) source: SourceText,
    pub(super) span: Span,
}

impl Place {
    pub(super) fn new(source: &SourceText, span: Span) -> Self {
        Self { source: source.clone(), span }
    }

    pub(super) fn error(&self, code: &'static str, message: impl Into<String>) -> Diagnostic {
        Diagnostic::error(code, message).at(&self.source, self.span)
    }
}

/// A method with its value, and the relatives that come along.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Criterion {
    pub(super) method: Method,
    /// What stands behind dots in the method: the keys of `config.meta.owner`.
    pub(super) arguments: Vec<String>,
    /// Text on the command line; any scalar in selectors.yml.
    pub(super) value: Json,
    pub(super) relatives: Relatives,
    pub(super) indirect: IndirectSelection,
    pub(super) place: Place,
}

/// How far relatives are taken along.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Depth {
    All,
    Steps(usize),
}

impl Depth {
    /// None where there is no limit.
    pub(super) fn limit(self) -> Option<usize> {
        if let Self::Steps(steps) = self { Some(steps) } else { None }
    }
}

/// The graph operators around a criterion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Relatives {
    pub(super) childrens_parents: bool,
    pub(super) parents: Option<Depth>,
    pub(super) children: Option<Depth>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operation {
    Union,
    Intersection,
    Difference,
}

/// A tree of set operations over criteria.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Spec {
    One(Box<Criterion>),
    Group(Group),
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Group {
    pub(super) operation: Operation,
    pub(super) parts: Vec<Spec>,
    pub(super) indirect: IndirectSelection,
    /// The criterion as written, where matching nothing is worth a warning.
    pub(super) expected: Option<(String, Place)>,
}

impl Spec {
    pub(super) fn group(operation: Operation, parts: Vec<Self>) -> Self {
        Self::Group(Group { operation, parts, indirect: IndirectSelection::Eager, expected: None })
    }
}

/// The pieces of one criterion's text: `@2+method.argument:value+3`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pieces<'a> {
    pub(super) method: Option<&'a str>,
    pub(super) value: &'a str,
    pub(super) childrens_parents: bool,
    /// The digits before a `+`, which may be none.
    pub(super) parents: Option<&'a str>,
    pub(super) children: Option<&'a str>,
}

/// Splits a text by dbt's grammar for criteria. None if it spans lines.
pub(super) fn pieces(text: &str) -> Option<Pieces<'_>> {
    let (childrens_parents, rest) = text.strip_prefix('@').map_or((false, text), |rest| (true, rest));
    let (parents, rest) = match rest.split_once('+') {
        Some((digits, after)) if is_digits(digits) => (Some(digits), after),
        _ => (None, rest),
    };
    let (method, rest) = match rest.split_once(':') {
        Some((method, after)) if is_method(method) => (Some(method), after),
        _ => (None, rest),
    };
    let (value, children) = match rest.rsplit_once('+') {
        Some((before, digits)) if is_digits(digits) => (before, Some(digits)),
        _ => (rest, None),
    };
    (!value.contains('\n')).then_some(Pieces { method, value, childrens_parents, parents, children })
}

fn is_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_method(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|letter| letter.is_alphanumeric() || letter == '_' || letter == '.')
}

/// Reads one criterion's text.
pub(super) fn criterion(text: &str, indirect: IndirectSelection, place: Place) -> Result<Criterion, Box<Diagnostic>> {
    let Some(pieces) = pieces(text) else {
        return Err(Box::new(place.error("E0502", format!("Invalid selector spec \"{text}\": it spans lines"))));
    };
    let (method, arguments) = method(pieces.method, pieces.value, &place)?;
    let depth = |digits: Option<&str>| match digits {
        None => Ok(None),
        Some("") => Ok(Some(Depth::All)),
        Some(digits) => digits
            .parse()
            .map(|steps| Some(Depth::Steps(steps)))
            .map_err(|_| Box::new(place.error("E0502", format!("`{digits}` is too deep: no graph has so many levels")))),
    };
    let relatives = Relatives {
        childrens_parents: pieces.childrens_parents,
        parents: depth(pieces.parents)?,
        children: depth(pieces.children)?,
    };
    let criterion = Criterion { method, arguments, value: pieces.value.into(), relatives, indirect, place };
    check(criterion, text)
}

/// Refuses what contradicts itself.
pub(super) fn check(criterion: Criterion, text: &str) -> Result<Criterion, Box<Diagnostic>> {
    if criterion.relatives.childrens_parents && criterion.relatives.children.is_some() {
        let message = format!("Invalid node spec {text}: the \"@\" prefix and the \"+\" suffix are incompatible");
        let help = "`@` takes all children already: leave the `+` behind it out";
        return Err(Box::new(criterion.place.error("E0502", message).help(help)));
    }
    Ok(criterion)
}

/// A method by its name with arguments, or by what the value looks like.
pub(super) fn method(name: Option<&str>, value: &str, place: &Place) -> Result<(Method, Vec<String>), Box<Diagnostic>> {
    let Some(name) = name else { return Ok((Method::implied_by(value), Vec::new())) };
    let mut parts = name.split('.');
    let first = parts.next().unwrap_or_default();
    let method = Method::named(first).ok_or_else(|| {
        let known: Vec<&str> = Method::ALL.iter().map(|(name, _)| *name).collect();
        let help = format!("the methods are {}", known.join(", "));
        Box::new(place.error("E0501", format!("'{first}' is not a valid method name")).help(help))
    })?;
    Ok((method, parts.map(ToString::to_string).collect()))
}

/// The arguments of `--select` or `--exclude`: a space is a union, a comma an intersection. With `expected`, each criterion
/// that matches nothing warns.
pub(super) fn union(
    flag: &str,
    texts: &[String],
    indirect: IndirectSelection,
    expected: bool,
    diagnostics: &mut Vec<Diagnostic>,
) -> Spec {
    let mut parts = Vec::new();
    for text in texts {
        let source = SourceText::new(flag, text.as_str());
        for (start, piece) in split_with_offsets(text, ' ') {
            let mut common = Vec::new();
            for (inner, one) in split_with_offsets(piece, ',') {
                let span = Span::new(start + inner, start + inner + one.len());
                match criterion(one, indirect, Place::new(&source, span)) {
                    Ok(criterion) => common.push(Spec::One(Box::new(criterion))),
                    Err(diagnostic) => diagnostics.push(*diagnostic),
                }
            }
            let place = Place::new(&source, Span::new(start, start + piece.len()));
            let expected = expected.then(|| (piece.to_string(), place));
            parts.push(Spec::Group(Group { operation: Operation::Intersection, parts: common, indirect, expected }));
        }
    }
    Spec::Group(Group { operation: Operation::Union, parts, indirect, expected: None })
}

fn split_with_offsets(text: &str, separator: char) -> impl Iterator<Item = (usize, &str)> {
    let mut start = 0;
    text.split(separator).map(move |piece| {
        let here = start;
        start += piece.len() + separator.len_utf8();
        (here, piece)
    })
}

#[cfg(test)]
mod tests {
    use super::{Method, Pieces, Place, criterion, pieces};
    use crate::diagnostic::{SourceText, Span};
    use crate::graph::IndirectSelection;

    fn read(text: &str) -> Result<super::Criterion, String> {
        let place = Place::new(&SourceText::new("--select", text), Span::new(0, text.len()));
        criterion(text, IndirectSelection::Eager, place).map_err(|diagnostic| diagnostic.message)
    }

    #[test]
    fn operators_method_and_value_come_apart() {
        let plain = Pieces { method: None, value: "orders", childrens_parents: false, parents: None, children: None };
        assert_eq!(pieces("orders"), Some(plain.clone()));
        assert_eq!(pieces("+orders"), Some(Pieces { parents: Some(""), ..plain.clone() }));
        assert_eq!(pieces("2+orders+13"), Some(Pieces { parents: Some("2"), children: Some("13"), ..plain.clone() }));
        assert_eq!(pieces("@orders"), Some(Pieces { childrens_parents: true, ..plain.clone() }));
        assert_eq!(
            pieces("@+config.meta.owner:a+b+"),
            Some(Pieces {
                method: Some("config.meta.owner"),
                value: "a+b",
                childrens_parents: true,
                parents: Some(""),
                children: Some(""),
            })
        );
        assert_eq!(pieces("tag:a:b"), Some(Pieces { method: Some("tag"), value: "a:b", ..plain.clone() }));
        assert_eq!(pieces("+"), Some(Pieces { value: "", parents: Some(""), ..plain.clone() }));
        assert_eq!(pieces("a+1x"), Some(Pieces { value: "a+1x", ..plain }));
        assert_eq!(pieces("a\nb"), None);
    }

    #[test]
    fn the_method_follows_from_the_value() {
        for (text, method) in [
            ("orders", Method::Fqn),
            ("shop.marts.*", Method::Fqn),
            ("models/marts", Method::Path),
            ("models/marts/orders.sql", Method::Path),
            ("orders.sql", Method::File),
            ("+orders.SQL+", Method::File),
            ("orders.py", Method::File),
            ("raw.csv", Method::File),
            ("file:orders.yml", Method::File),
            ("unit_test:x", Method::UnitTest),
        ] {
            assert_eq!(read(text).map(|criterion| criterion.method), Ok(method), "{text}");
        }
    }

    #[test]
    fn contradictions_and_unknown_methods_are_refused() {
        assert_eq!(read("tags:x"), Err("'tags' is not a valid method name".to_string()));
        assert!(read("@orders+").is_err_and(|message| message.contains("incompatible")));
        assert!(read("99999999999999999999999+orders").is_err());
    }
}
