//! Signatures of macros, generic tests and materializations.

use super::Fault;
use super::expression::{Reader, Shape};
use super::literal;
use super::token::Kind;

/// A parameter of a macro.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Parameter {
    pub name: String,
    /// As annotated: `Optional[int]`.
    pub annotation: Option<String>,
    pub optional: bool,
}

/// A parameter's places, for the rewriting of its signature.
pub(super) struct Place {
    pub parameter: Parameter,
    pub start: usize,
    /// The end of the name, then of its annotation.
    pub name_end: usize,
    pub annotation_end: usize,
    /// Of the `=`, where there is one; then whether the default mentions no name.
    pub assign: Option<(usize, usize)>,
    pub constant: bool,
    /// The end of the default, or of all.
    pub end: usize,
    /// Whether a comma follows.
    pub comma: bool,
}

/// A signature's places.
pub(super) struct Signature {
    pub places: Vec<Place>,
    /// Behind the opening parenthesis.
    pub open: usize,
    /// The closing one.
    pub close: (usize, usize),
}

/// Reads `(a, b: int = 2)`; the reader stands before the parenthesis and ends behind it.
pub(super) fn read(reader: &mut Reader<'_>) -> Result<Signature, Fault> {
    let open = reader.expect(Kind::ParenOpen, "(")?;
    let mut places: Vec<Place> = Vec::new();
    while reader.peek() != Some(Kind::ParenClose) {
        let name = reader.expect(Kind::Name, "name")?;
        let mut place = Place {
            parameter: Parameter { name: name.text(reader.text).to_owned(), annotation: None, optional: false },
            start: name.start,
            name_end: name.end,
            annotation_end: name.end,
            assign: None,
            constant: true,
            end: name.end,
            comma: false,
        };
        if let Some(colon) = reader.skip(Kind::Colon) {
            place.annotation_end = annotation(reader)?;
            place.end = place.annotation_end;
            place.parameter.annotation = Some(reader.text[colon.end..place.annotation_end].trim().to_owned());
        }
        if let Some(assign) = reader.skip(Kind::Assign) {
            place.assign = Some((assign.start, assign.end));
            place.parameter.optional = true;
            place.constant = reader.ternary()? == Shape::Constant;
            place.end = reader.tokens[reader.at - 1].end;
        } else if places.last().is_some_and(|last| last.parameter.optional) {
            return Err(Fault::new("non-default argument follows default argument", name.start, name.end));
        }
        place.comma = reader.skip(Kind::Comma).is_some();
        let more = place.comma;
        places.push(place);
        if !more {
            break;
        }
    }
    let close = reader.expect(Kind::ParenClose, ")")?;
    Ok(Signature { places, open: open.end, close: (close.start, close.end) })
}

/// `Dict[str, List[int]]`; gives its end.
fn annotation(reader: &mut Reader<'_>) -> Result<usize, Fault> {
    let name = reader.expect(Kind::Name, "name")?;
    if reader.skip(Kind::BracketOpen).is_none() {
        return Ok(name.end);
    }
    while reader.peek() != Some(Kind::BracketClose) {
        annotation(reader)?;
        if reader.skip(Kind::Comma).is_none() {
            break;
        }
    }
    Ok(reader.expect(Kind::BracketClose, "]")?.end)
}

/// What stands behind a materialization's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct MaterializationHead {
    pub adapter: String,
    pub languages: Vec<String>,
    /// Where the list of languages stands, as written.
    pub languages_span: Option<(usize, usize)>,
}

/// Reads `, adapter='duckdb', supported_languages=['sql']` up to the tag's end.
pub(super) fn read_materialization(reader: &mut Reader<'_>, name: &str) -> Result<MaterializationHead, Fault> {
    let mut head = MaterializationHead { adapter: "default".into(), languages: vec!["sql".into()], languages_span: None };
    while reader.skip(Kind::Comma).is_some() {
        let key = reader.expect(Kind::Name, "name")?;
        match key.text(reader.text) {
            "default" => {}
            "adapter" => {
                reader.expect(Kind::Assign, "=")?;
                let value = reader.expect(Kind::Text, "string")?;
                head.adapter = literal::unquote(value.text(reader.text));
            }
            "supported_languages" => {
                reader.expect(Kind::Assign, "=")?;
                let first = reader.at;
                reader.ternary()?;
                let tokens = &reader.tokens[first..reader.at];
                let texts = tokens.iter().filter(|token| token.kind == Kind::Text);
                head.languages = texts.map(|token| literal::unquote(token.text(reader.text))).collect();
                head.languages_span = tokens.first().zip(tokens.last()).map(|(first, last)| (first.start, last.end));
            }
            other => {
                let message = format!("materialization '{name}' received unknown argument '{other}'.");
                return Err(Fault::new(message, key.start, key.end));
            }
        }
    }
    Ok(head)
}
