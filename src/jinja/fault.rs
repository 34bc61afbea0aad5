//! Errors on their way through minijinja: ours travel as the source of its own, and come back with every place they passed.

use std::fmt;
use std::ops::Range;

use minijinja::Value;

use super::render::RenderState;
use super::syntax::{Fault, Prepared};
use super::{Error, ErrorKind, Frame};
use crate::diagnostic::SourceText;

/// One of our errors inside of minijinja's.
#[derive(Debug)]
struct Carried(Error);

impl fmt::Display for Carried {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0.message)
    }
}

impl std::error::Error for Carried {}

/// The value of `return(…)` on its way out of a macro.
#[derive(Debug)]
struct Returned(Value);

impl fmt::Display for Returned {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("return() outside of a macro")
    }
}

impl std::error::Error for Returned {}

impl From<Error> for minijinja::Error {
    fn from(error: Error) -> Self {
        if let Some(value) = error.returned {
            return Self::new(minijinja::ErrorKind::InvalidOperation, "return").with_source(Returned(*value));
        }
        Self::new(minijinja::ErrorKind::InvalidOperation, String::new()).with_source(Carried(error))
    }
}

/// The value that an error carries out of a macro, if it is a `return(…)`.
pub(super) fn returned(error: &minijinja::Error) -> Option<Value> {
    let mut source = std::error::Error::source(error);
    while let Some(inner) = source {
        if let Some(returned) = inner.downcast_ref::<Returned>() {
            return Some(returned.0.clone());
        }
        source = inner.source();
    }
    None
}

/// A fault of a text as an error with its place.
pub(super) fn syntax(fault: Fault, source: &SourceText, macro_id: Option<std::sync::Arc<str>>) -> Error {
    let mut error = Error::new(ErrorKind::Syntax, fault.message);
    error.help = fault.help.map(Into::into);
    error.trace.push(Frame { source: source.clone(), span: fault.span, macro_id });
    error
}

/// Our error again, with the places that minijinja knows, innermost first.
pub(super) fn from_native(error: &minijinja::Error, render: Option<&RenderState>) -> Error {
    from_native_in(error, |name| render.and_then(|render| render.prepared(name)))
}

/// The same, where templates are looked up by name otherwise: the rendered text's name is empty.
pub(super) fn from_native_in<'p>(error: &minijinja::Error, prepared: impl Fn(&str) -> Option<&'p Prepared>) -> Error {
    let mut natives = vec![error];
    let mut carried = None;
    let mut returned = None;
    let mut source = std::error::Error::source(error);
    while let Some(inner) = source {
        if let Some(native) = inner.downcast_ref::<minijinja::Error>() {
            natives.push(native);
        } else if let Some(found) = inner.downcast_ref::<Carried>() {
            carried = Some(found.0.clone());
            break;
        } else if let Some(found) = inner.downcast_ref::<Returned>() {
            returned = Some(found.0.clone());
            break;
        }
        source = inner.source();
    }
    if let Some(value) = returned {
        return Error::returning(value);
    }
    let fresh = carried.is_none();
    let mut error =
        carried.unwrap_or_else(|| natives.last().map_or_else(|| Error::compilation("error"), |native| translate(native)));
    for native in natives.iter().rev() {
        let (Some(name), Some(range)) = (native.name(), native.range()) else { continue };
        let Some(prepared) = prepared(name) else { continue };
        let range = whole(&prepared.text, range);
        let span = prepared.map.old(range.clone());
        if fresh && error.trace.is_empty() && error.kind == ErrorKind::Undefined && error.message.is_empty() {
            error.message = undefined_at(prepared.text.get(range).unwrap_or_default());
        }
        let frame = Frame { source: prepared.source.clone(), span, macro_id: prepared.macro_id.clone() };
        let known = error.trace.last().is_some_and(|last| last.span == frame.span && last.source.name == frame.source.name);
        if !known {
            error.trace.push(frame);
        }
    }
    error
}

/// minijinja's own errors in Jinja2's words.
fn translate(native: &minijinja::Error) -> Error {
    use minijinja::ErrorKind as Native;
    let detail = native.detail().unwrap_or_default();
    let quoted = |suffix: &str| detail.split_whitespace().nth(1).unwrap_or(suffix).to_owned();
    match native.kind() {
        Native::SyntaxError => Error::new(ErrorKind::Syntax, detail),
        Native::UndefinedError => Error::new(ErrorKind::Undefined, ""),
        Native::UnknownFilter => Error::new(ErrorKind::Syntax, format!("No filter named '{}'.", quoted("?"))),
        Native::UnknownTest => Error::new(ErrorKind::Syntax, format!("No test named '{}'.", quoted("?"))),
        Native::UnknownFunction => {
            let name = detail.split_whitespace().next().unwrap_or_default();
            Error::new(ErrorKind::Undefined, format!("'{name}' is undefined"))
        }
        Native::InvalidOperation if detail.starts_with("value of type undefined is not callable") => {
            Error::new(ErrorKind::Undefined, "the called value is undefined")
        }
        Native::InvalidOperation if detail.starts_with("recursion limit") => {
            Error::compilation(detail).help("A macro that calls itself needs a case in which it does not.")
        }
        kind if detail.is_empty() => Error::compilation(kind.to_string()),
        _ => Error::compilation(detail),
    }
}

/// minijinja's places begin at the last step of `a.b.c`: from where its expression begins.
fn whole(text: &str, range: Range<usize>) -> Range<usize> {
    if !text.get(range.clone()).is_some_and(|text| text.starts_with(['.', '[', '('])) {
        return range;
    }
    let part = |character: char| character == '_' || character == '.' || character.is_alphanumeric();
    let start = text[..range.start].trim_end_matches(part).len();
    start..range.end
}

/// What was missing where minijinja refused to go on: the text of the place without its last step.
fn undefined_at(text: &str) -> String {
    let text = text.trim();
    let end = text.rfind(['.', '[', '(']).filter(|at| *at > 0).unwrap_or(text.len());
    let base = &text[..end];
    match base.rsplit_once('.') {
        Some((owner, name)) => match owner {
            "none" | "None" => format!("'None' has no attribute '{name}'"),
            _ => format!("'{owner}' has no attribute '{name}'"),
        },
        None => format!("'{base}' is undefined"),
    }
}
