//! The top-level blocks of a file: macros, tests, materializations, snapshots, docs.

use super::Fault;
use super::edits::Edits;
use super::expression::{Facts, Reader};
use super::scan::{Segment, SegmentKind, segments};
use super::signature;
use super::token::{Kind, tokenize};
use crate::diagnostic::{Diagnostic, SourceText, Span};
use crate::manifest::MacroArgument;

/// A top-level block of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// `macro`, `test` (also `data_test`), `materialization`, `snapshot`, `docs`.
    pub kind: BlockKind,
    pub name: String,
    /// Tags included, and the body alone.
    pub span: Span,
    pub body: Span,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BlockKind {
    Macro { signature: Vec<MacroArgument> },
    Test { signature: Vec<MacroArgument> },
    Materialization { adapter: String, supported_languages: Vec<String> },
    Snapshot,
    Docs,
}

const BLOCKS: [&str; 6] = ["macro", "test", "data_test", "materialization", "snapshot", "docs"];

/// Finds the blocks of a file. What is misplaced, misnested or left open is reported with its place.
pub(in crate::jinja) fn blocks(source: &SourceText) -> (Vec<Block>, Vec<Diagnostic>) {
    let text = &*source.text;
    let mut finder =
        Finder { text, found: Vec::new(), faults: Vec::new(), open: None, control: Vec::new(), unexpected: Vec::new() };
    match segments(text, Span::new(0, text.len())) {
        Ok(segments) => {
            for segment in segments.iter().filter(|segment| segment.kind == SegmentKind::Tag) {
                finder.tag(segment);
            }
            finder.finish();
        }
        Err(fault) => finder.faults.push(fault),
    }
    let error =
        |fault: Fault| Diagnostic { help: fault.help, ..Diagnostic::error("E0301", fault.message).at(source, fault.span) };
    let unexpected = |(tag, span): (&str, Span)| {
        Diagnostic::warning("W0305", format!("Found unexpected '{tag}' block tag: outside of a block it has no effect"))
            .at(source, span)
            .help("take it out, or move it into the block that it belongs to")
            .event("UnexpectedJinjaBlockDeprecation")
    };
    let diagnostics = finder.faults.into_iter().map(error).chain(finder.unexpected.into_iter().map(unexpected)).collect();
    (finder.found, diagnostics)
}

struct Finder<'t> {
    text: &'t str,
    found: Vec<Block>,
    faults: Vec<Fault>,
    open: Option<(Segment, &'t str)>,
    /// Open `if` and `for` tags outside of blocks.
    control: Vec<(&'t str, Span)>,
    /// Other tags there.
    unexpected: Vec<(&'t str, Span)>,
}

impl Finder<'_> {
    fn tag(&mut self, tag: &Segment) {
        let keyword = first_word(&self.text[tag.inner.start..tag.inner.end]);
        if let Some((open, kind)) = self.open {
            if keyword.strip_prefix("end") == Some(kind) {
                self.close(&open, kind, tag);
                self.open = None;
            } else if BLOCKS.contains(&keyword) {
                let message = format!("a '{keyword}' block stands inside of a '{kind}' block: close the outer one first");
                self.faults.push(Fault::new(message, tag.span.start, tag.span.end));
            }
            return;
        }
        if !BLOCKS.contains(&keyword) {
            self.unexpected.push((keyword, tag.span));
        }
        match keyword {
            "if" | "for" => self.control.push((keyword, tag.span)),
            "endif" | "endfor" => self.end_control(keyword, tag),
            _ if BLOCKS.contains(&keyword) => {
                if let Some((control, _)) = self.control.last() {
                    let message =
                        format!("a '{keyword}' block must stand at the top level of its file, not inside of '{control}'");
                    self.faults.push(Fault::new(message, tag.span.start, tag.span.end));
                }
                self.open = Some((*tag, keyword));
            }
            _ => {}
        }
    }

    fn end_control(&mut self, keyword: &str, tag: &Segment) {
        let matches = self.control.pop().is_some_and(|(open, _)| keyword.strip_prefix("end") == Some(open));
        if !matches {
            let message = format!("'{keyword}' without the tag that it ends");
            self.faults.push(Fault::new(message, tag.span.start, tag.span.end));
        }
    }

    fn finish(&mut self) {
        if let Some((open, kind)) = self.open {
            let message = format!("Reached EOF without finding a close tag for {kind}: 'end{kind}' is missing");
            let help = format!("close it with {{% end{kind} %}}; the text from here to the end of the file would belong to it");
            self.faults.push(Fault::new(message, open.span.start, open.span.end).help(help));
        }
    }

    fn close(&mut self, open: &Segment, kind: &str, end: &Segment) {
        let span = Span::new(open.span.start, end.span.end);
        let body = Span::new(open.span.end, end.span.start);
        match self.head(open, kind) {
            Ok((name, kind)) => self.found.push(Block { kind, name, span, body }),
            Err(fault) => self.faults.push(fault),
        }
    }

    fn head(&self, open: &Segment, kind: &str) -> Result<(String, BlockKind), Fault> {
        let (mut tokens, mut edits, mut facts) = (Vec::new(), Edits::default(), Facts::default());
        tokenize(self.text, open.inner, &mut tokens)?;
        let mut reader = Reader::new(self.text, &tokens, open.inner.end, &mut edits, &mut facts);
        reader.expect(Kind::Name, "block tag")?;
        let name = reader.expect(Kind::Name, "name")?.text(self.text).to_owned();
        let kind = match kind {
            "snapshot" => BlockKind::Snapshot,
            "docs" => BlockKind::Docs,
            "materialization" => {
                let head = signature::read_materialization(&mut reader, &name)?;
                BlockKind::Materialization { adapter: head.adapter, supported_languages: head.languages }
            }
            _ => {
                let places = signature::read(&mut reader)?.places;
                let signature = places.into_iter().map(|place| argument(place.parameter)).collect();
                if kind == "macro" { BlockKind::Macro { signature } } else { BlockKind::Test { signature } }
            }
        };
        Ok((name, kind))
    }
}

fn argument(parameter: signature::Parameter) -> MacroArgument {
    MacroArgument { name: parameter.name, kind: parameter.annotation, description: String::new() }
}

fn first_word(inner: &str) -> &str {
    let inner = inner.trim_start();
    let end = inner.find(|character: char| !(character.is_alphanumeric() || character == '_')).unwrap_or(inner.len());
    &inner[..end]
}
