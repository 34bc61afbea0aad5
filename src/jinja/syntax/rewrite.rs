//! Turns dbt's Jinja into a template that minijinja runs, and keeps the way back to the source.

use std::sync::Arc;

use super::Fault;
use super::edits::{Edits, SourceMap};
use super::expression::{Facts, Mentions, Reader, Shape};
use super::scan::{Segment, SegmentKind, segments};
use super::signature::{self, Parameter, Signature};
use super::statement::{Open, statement, tag};
use super::token::{Kind, tokenize};
use crate::diagnostic::{SourceText, Span};

/// Every rendered text begins so: it hands over a macro by which others are loaded into the running render.
pub(crate) const LOADER: &str = "{%macro _load(_name)%}{%include _name%}{%endmacro%}{%do _enter(_load)%}";

/// A text ready for minijinja.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub text: String,
    pub map: SourceMap,
    pub source: SourceText,
    /// Of a macro, its id and how it takes arguments.
    pub macro_id: Option<Arc<str>>,
    pub parameters: Vec<Parameter>,
    pub mentions: Mentions,
    /// Whether its expressions hand out their values.
    pub native: bool,
}

/// Prepares the text of `span` for a render. With `native`, each `{{ … }}` also hands out its value.
pub(crate) fn prepare_template(source: &SourceText, span: Span, native: bool) -> Result<Prepared, Fault> {
    let text = &*source.text;
    let (mut edits, mut facts) = (Edits::default(), Facts::default());
    body(text, &segments(text, span)?, native, &mut edits, &mut facts)?;
    let (out, map) = edits.apply(text, span, LOADER);
    let (parameters, mentions) = (Vec::new(), Mentions::default());
    Ok(Prepared { text: out, map, source: source.clone(), macro_id: None, parameters, mentions, native })
}

/// Prepares a macro, test or materialization block as a template that defines `_macro` and hands it over.
pub(crate) fn prepare_macro(source: &SourceText, span: Span, id: Arc<str>) -> Result<Prepared, Fault> {
    let text = &*source.text;
    let segments = segments(text, span)?;
    let tags = |segment: &&Segment| segment.kind == SegmentKind::Tag;
    let (Some(first), Some(last)) = (segments.iter().find(tags), segments.iter().rev().find(tags)) else {
        return Err(Fault::new("expected a block", span.start, span.end));
    };
    let (mut edits, mut facts) = (Edits::default(), Facts::default());
    let from = segments.iter().position(|segment| segment == first).map_or(0, |at| at + 1);
    let to = segments.iter().rposition(|segment| segment == last).unwrap_or(segments.len()).max(from);
    body(text, &segments[from..to], false, &mut edits, &mut facts)?;
    let mentions = facts.mentions;
    let parameters = head(text, first, mentions, &mut edits, &mut facts)?;
    edits.replace(last.inner.start, last.inner.end, " endmacro ");
    edits.after(last.span.end, "{%do _define(_macro)%}");
    let (out, map) = edits.apply(text, span, "");
    Ok(Prepared { text: out, map, source: source.clone(), macro_id: Some(id), parameters, mentions, native: false })
}

/// Notes the changes of all tags in these segments.
pub(super) fn body(text: &str, segments: &[Segment], native: bool, edits: &mut Edits, facts: &mut Facts) -> Result<(), Fault> {
    let mut tokens = Vec::with_capacity(32);
    let mut open = Open::default();
    for segment in segments {
        if segment.kind == SegmentKind::Text {
            continue;
        }
        tokens.clear();
        tokenize(text, segment.inner, &mut tokens)?;
        let mut reader = Reader::new(text, &tokens, segment.inner.end, edits, facts);
        if segment.kind == SegmentKind::Tag {
            statement(&mut reader, &mut open)?;
            continue;
        }
        let shape = reader.tuple(true)?;
        if reader.at < tokens.len() {
            return Err(reader.expected("end of print statement"));
        }
        if native && shape != Shape::Constant {
            edits.before(segment.inner.start, "(");
            edits.after(segment.inner.end, ")|_take");
        }
    }
    open.end(text)
}

/// Notes the calls in one segment, whatever else it is: faults are reported where the text is compiled.
pub(super) fn calls(text: &str, segment: &Segment, edits: &mut Edits, facts: &mut Facts) {
    let mut tokens = Vec::new();
    if segment.kind == SegmentKind::Text || tokenize(text, segment.inner, &mut tokens).is_err() {
        return;
    }
    let mut reader = Reader::new(text, &tokens, segment.inner.end, edits, facts);
    if segment.kind == SegmentKind::Print {
        let _ = reader.tuple(true);
    } else if ["macro", "test", "data_test"].iter().any(|kind| reader.is_name(kind)) {
        // The defaults of a signature call, too.
        reader.at += 2;
        let _ = signature::read(&mut reader);
    } else {
        let _ = tag(&mut reader);
    }
}

/// Rewrites the first tag of a block into `macro _macro(…)`.
fn head(text: &str, tag: &Segment, mentions: Mentions, edits: &mut Edits, facts: &mut Facts) -> Result<Vec<Parameter>, Fault> {
    let mut tokens = Vec::new();
    tokenize(text, tag.inner, &mut tokens)?;
    let mut reader = Reader::new(text, &tokens, tag.inner.end, edits, facts);
    let keyword = reader.expect(Kind::Name, "block tag")?;
    let name = reader.expect(Kind::Name, "name")?;
    if keyword.text(text) == "materialization" {
        return materialization(reader, tag, name.text(text));
    }
    reader.edits.replace(keyword.start, name.end, "macro _macro");
    let signature = signature::read(&mut reader)?;
    super::statement::colon(&mut reader);
    if reader.at < reader.tokens.len() {
        return Err(reader.expected("end of statement block"));
    }
    let more = match (mentions.varargs, mentions.kwargs) {
        (true, true) => "varargs=none,kwargs=none",
        (true, false) => "varargs=none",
        (false, true) => "kwargs=none",
        (false, false) => "",
    };
    if signature.places.iter().all(|place| place.constant) {
        constant_signature(&signature, more, edits);
    } else {
        preamble_signature(&signature, more, edits);
    }
    Ok(signature.places.into_iter().map(|place| place.parameter).collect())
}

/// Defaults stay where they are.
fn constant_signature(Signature { places, close, .. }: &Signature, more: &'static str, edits: &mut Edits) {
    for place in places {
        edits.replace(place.name_end, place.annotation_end, "");
    }
    if !more.is_empty() {
        if places.last().is_some_and(|place| !place.comma) {
            edits.before(close.0, ",");
        }
        edits.replace(close.0, close.0, more);
    }
}

/// Defaults may name earlier parameters, which minijinja does not see there: they move into the body, in place.
fn preamble_signature(Signature { places, open, close }: &Signature, more: &'static str, edits: &mut Edits) {
    let mut names: Vec<&str> = places.iter().map(|place| place.parameter.name.as_str()).collect();
    names.extend(more.split(',').filter(|part| !part.is_empty()).map(|part| part.trim_end_matches("=none")));
    let first = places.first().map_or(close.0, |place| place.start);
    edits.replace_with(*open, first, format!("{})%}}", names.join(",")));
    for (at, place) in places.iter().enumerate() {
        if let Some((_, end)) = place.assign {
            let name = &place.parameter.name;
            edits.replace_with(place.start, end, format!("{{%if {name} is _missing%}}{{%set {name}="));
            edits.after(place.end, "%}{%endif%}");
        } else {
            edits.replace(place.start, place.end, "");
        }
        match places.get(at + 1) {
            Some(next) => edits.replace(place.end, next.start, ""),
            None => edits.replace(place.end, close.1, "{%set _ready=true"),
        }
    }
}

fn materialization(mut reader: Reader<'_>, tag: &Segment, name: &str) -> Result<Vec<Parameter>, Fault> {
    let head = signature::read_materialization(&mut reader, name)?;
    if reader.at < reader.tokens.len() {
        return Err(reader.expected("end of statement block"));
    }
    let languages: Vec<String> = head.languages.iter().map(|language| super::literal::quote(language)).collect();
    let text = format!(" macro _macro(supported_languages=([{}]|_list)) ", languages.join(","));
    // The head's own expressions are spelled anew: their edits must not apply.
    if let Some((start, end)) = head.languages_span {
        reader.edits.forget(start, end);
    }
    reader.edits.replace_with(tag.inner.start, tag.inner.end, text);
    Ok(vec![Parameter { name: "supported_languages".into(), annotation: None, optional: true }])
}
