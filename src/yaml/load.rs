//! Builds [`Yaml`] values from the parser's events: anchors, merge keys, tags, duplicate keys, and byte spans.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span as CharSpan, StrInput, Tag};

use super::{Entry, Kind, Yaml, scalar};
use crate::diagnostic::{Diagnostic, SourceText, Span};

/// Deeper nesting is refused: later phases walk values recursively.
const DEEPEST: usize = 200;
/// Aliases copy what they stand for; a document may not grow beyond this many values through them.
const MOST_ALIASED: usize = 2_000_000;

/// Reads the text as dbt hands it to PyYAML: without white space at the end.
pub(super) fn document(source: &SourceText) -> (Option<Yaml>, Vec<Diagnostic>) {
    let skipped = if source.text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    let mut text = Cow::Borrowed(source.text[skipped..].trim_end());
    let mut inserted: Vec<Inserted> = Vec::new();
    loop {
        let mut loader = Loader {
            source,
            events: Parser::new_from_str(&text),
            offsets: Offsets::new(&text, skipped, &inserted),
            anchors: HashMap::new(),
            aliased: 0,
            brackets: 0,
            read_to: 0,
            diagnostics: Vec::new(),
        };
        match loader.document() {
            Ok(value) => return (Some(value), loader.diagnostics),
            Err(Stop::Fault(fault)) => return (None, vec![*fault]),
            Err(Stop::Indentation { lines, fault }) => {
                let Some((repaired, new)) = lines.and_then(|lines| indented(&text, lines)) else { return (None, vec![*fault]) };
                text = Cow::Owned(repaired);
                inserted = joined(&inserted, &new);
            }
        }
    }
}

/// Why reading stops.
enum Stop {
    Fault(Box<Diagnostic>),
    /// The parser follows YAML 1.2, where what stands in brackets or quotes must be indented; in PyYAML it need not be. The
    /// range starts in the first line that lacks it and ends behind the last bracket or quote; None where that isn't found.
    Indentation {
        lines: Option<Range<usize>>,
        fault: Box<Diagnostic>,
    },
}

/// Blanks that were put into a text: how many, and where they start in the new one.
#[derive(Debug, Clone, Copy)]
struct Inserted {
    at: usize,
    length: usize,
}

/// Deeper than any collection that people write.
const INDENT: usize = 2 * DEEPEST;

/// Indents the lines of a range. None where that would change nothing.
fn indented(text: &str, lines: Range<usize>) -> Option<(String, Vec<Inserted>)> {
    let start = text[..lines.start].rfind('\n').map_or(0, |end| end + 1);
    let blanks = " ".repeat(INDENT);
    let mut repaired = text[..start].to_owned();
    let mut inserted = Vec::new();
    for (index, line) in text[start..lines.end].split_inclusive('\n').enumerate() {
        if index == 0 && line.starts_with(&blanks) {
            return None;
        }
        inserted.push(Inserted { at: repaired.len(), length: INDENT });
        repaired.push_str(&blanks);
        repaired.push_str(line);
    }
    repaired.push_str(&text[lines.end..]);
    Some((repaired, inserted))
}

/// Just behind the bracket that closes the outermost of those that are open at `beyond`, counted from `from`, where `open` of
/// them are. Quotes and comments are skipped.
fn closing_bracket(text: &str, from: usize, open: usize, beyond: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let (mut at, mut open) = (from, open);
    while open > 0 || at <= beyond {
        match *bytes.get(at)? {
            b'[' | b'{' => open += 1,
            b']' | b'}' => open = open.checked_sub(1)?,
            b'#' if at == 0 || bytes[at - 1].is_ascii_whitespace() => {
                at += text.get(at..)?.find('\n').unwrap_or(text.len() - at);
                continue;
            }
            b'"' | b'\'' if at == 0 || b" \t\n,:[{".contains(&bytes[at - 1]) => {
                at = closing_quote(bytes, at)?;
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    Some(at)
}

/// Just behind the quote that closes the one at `at`.
fn closing_quote(bytes: &[u8], at: usize) -> Option<usize> {
    let quote = *bytes.get(at)?;
    let mut at = at + 1;
    loop {
        let byte = *bytes.get(at)?;
        let doubled = byte == b'\'' && bytes.get(at + 1) == Some(&b'\'');
        if byte == quote && !(quote == b'\'' && doubled) {
            return Some(at + 1);
        }
        at += if (quote == b'"' && byte == b'\\') || (quote == b'\'' && doubled) { 2 } else { 1 };
    }
}

/// The blanks of two repairs after each other, both as they stand in the last text.
fn joined(before: &[Inserted], new: &[Inserted]) -> Vec<Inserted> {
    let shift = |old: &Inserted| {
        let mut at = old.at;
        for insert in new {
            if insert.at <= at {
                at += insert.length;
            }
        }
        Inserted { at, length: old.length }
    };
    let mut all: Vec<Inserted> = before.iter().map(shift).chain(new.iter().copied()).collect();
    all.sort_by_key(|insert| insert.at);
    all
}

/// Character positions, as the parser counts, to bytes of the file.
struct Offsets<'a> {
    text: &'a str,
    skipped: usize,
    /// The byte offset of every 64th character; empty for ASCII, where both counts agree.
    marks: Vec<usize>,
    /// Each with the length of all up to it.
    inserted: Vec<(Inserted, usize)>,
}

const STRIDE: usize = 64;

impl<'a> Offsets<'a> {
    fn new(text: &'a str, skipped: usize, inserted: &[Inserted]) -> Self {
        let marks = if text.is_ascii() { Vec::new() } else { text.char_indices().step_by(STRIDE).map(|(at, _)| at).collect() };
        let with_sum = inserted.iter().scan(0, |sum, insert| {
            *sum += insert.length;
            Some((*insert, *sum))
        });
        Self { text, skipped, marks, inserted: with_sum.collect() }
    }

    /// In the text as the parser sees it.
    fn parsed(&self, chars: usize) -> usize {
        if self.marks.is_empty() {
            return chars.min(self.text.len());
        }
        let Some(&mark) = self.marks.get(chars / STRIDE) else { return self.text.len() };
        let tail = &self.text[mark..];
        mark + tail.char_indices().nth(chars % STRIDE).map_or(tail.len(), |(at, _)| at)
    }

    fn byte(&self, chars: usize) -> usize {
        let parsed = self.parsed(chars);
        let before = self.inserted.partition_point(|(insert, _)| insert.at < parsed);
        let Some((last, sum)) = before.checked_sub(1).and_then(|index| self.inserted.get(index)) else {
            return parsed + self.skipped;
        };
        // Within blanks: where they were put.
        let beyond = (last.at + last.length).saturating_sub(parsed);
        parsed + beyond - sum + self.skipped
    }

    /// Where the file's text ends.
    fn end(&self) -> usize {
        self.text.len() + self.skipped - self.inserted.last().map_or(0, |(_, sum)| *sum)
    }

    fn span(&self, span: CharSpan) -> Span {
        Span::new(self.byte(span.start.index()), self.byte(span.end.index()))
    }
}

struct Loader<'a> {
    source: &'a SourceText,
    events: Parser<'a, StrInput<'a>>,
    offsets: Offsets<'a>,
    /// Finished anchored values, and how many values each holds.
    anchors: HashMap<usize, (Yaml, usize)>,
    aliased: usize,
    /// Brackets that are open, and where the last event ended, in characters.
    brackets: usize,
    read_to: usize,
    diagnostics: Vec<Diagnostic>,
}

type Loaded<T> = Result<T, Stop>;
type CowTag<'a> = Option<Cow<'a, Tag>>;

/// A map's key as read: its text, and whether it is the plain `<<` of a merge.
struct Key {
    text: Arc<str>,
    span: Span,
    merge: bool,
}

impl<'a> Loader<'a> {
    fn document(&mut self) -> Loaded<Yaml> {
        let mut root = None;
        loop {
            let (event, span) = self.next()?;
            match event {
                Event::StreamEnd => break,
                Event::DocumentStart(_) if root.is_some() => {
                    return Err(self.stop(
                        "E0102",
                        self.offsets.span(span),
                        "this file holds more than one YAML document",
                        "remove the line '---', or move what follows it into a file of its own",
                    ));
                }
                Event::StreamStart | Event::DocumentStart(_) | Event::DocumentEnd | Event::Nothing => {}
                event => root = Some(self.value(event, span, 0)?),
            }
        }
        Ok(root.unwrap_or(Yaml { kind: Kind::Null, span: Span::default() }))
    }

    fn next(&mut self) -> Loaded<(Event<'a>, CharSpan)> {
        match self.events.next_event() {
            Some(Ok((event, span))) => {
                self.read_to = self.read_to.max(span.end.index());
                Ok((event, span))
            }
            Some(Err(error)) => Err(self.stopped(&error)),
            None => Ok((Event::StreamEnd, CharSpan::default())),
        }
    }

    fn value(&mut self, event: Event<'a>, span: CharSpan, depth: usize) -> Loaded<Yaml> {
        let place = self.offsets.span(span);
        if depth > DEEPEST {
            let help = format!("at most {DEEPEST} levels are read");
            return Err(self.stop("E0102", place, "this YAML is nested too deeply", help));
        }
        let (value, anchor) = match event {
            Event::Alias(anchor) => return self.alias(anchor, place),
            Event::Scalar(text, style, anchor, tag) => {
                let kind = self.scalar(self.at_end(text, style, place), style, tag.as_deref(), place)?;
                (Yaml { kind, span: place }, anchor)
            }
            Event::SequenceStart(anchor, tag) => {
                self.check_tag(tag, &["seq"], place)?;
                (self.sequence(place, depth)?, anchor)
            }
            Event::MappingStart(anchor, tag) => {
                self.check_tag(tag, &["map"], place)?;
                (self.mapping(place, depth)?, anchor)
            }
            _ => return Err(self.stop("E0102", place, "a value was expected here", "")),
        };
        if anchor != 0 {
            let size = count(&value);
            self.anchors.insert(anchor, (value.clone(), size));
        }
        Ok(value)
    }

    fn alias(&mut self, anchor: usize, place: Span) -> Loaded<Yaml> {
        let Some((value, size)) = self.anchors.get(&anchor) else {
            return Err(self.stop("E0102", place, "this alias stands within the value that it names", ""));
        };
        self.aliased += size;
        if self.aliased > MOST_ALIASED {
            return Err(self.stop("E0102", place, "aliases make this document too large", ""));
        }
        Ok(value.clone())
    }

    fn sequence(&mut self, start: Span, depth: usize) -> Loaded<Yaml> {
        let mut items = Vec::new();
        let is_flow = self.is_flow(start);
        self.brackets += usize::from(is_flow);
        let end = loop {
            match self.next()? {
                (Event::SequenceEnd, span) => break span,
                (event, span) => items.push(self.value(event, span, depth + 1)?),
            }
        };
        self.brackets -= usize::from(is_flow);
        let span = self.extent(start, end, items.last().map(|item: &Yaml| item.span));
        Ok(Yaml { kind: Kind::Seq(items), span })
    }

    fn mapping(&mut self, start: Span, depth: usize) -> Loaded<Yaml> {
        let mut own: Vec<Entry> = Vec::new();
        let mut merged: Vec<Entry> = Vec::new();
        let mut index: HashMap<Arc<str>, usize> = HashMap::new();
        let mut last = None;
        let is_flow = self.is_flow(start);
        self.brackets += usize::from(is_flow);
        let end = loop {
            let (event, span) = self.next()?;
            if matches!(event, Event::MappingEnd) {
                break span;
            }
            let key = self.key(event, span, depth)?;
            let (event, span) = self.next()?;
            let value = self.value(event, span, depth + 1)?;
            last = Some(if value.span.end > key.span.end { value.span } else { key.span });
            if key.merge {
                self.merge(&mut merged, &value)?;
            } else {
                self.insert(&mut own, &mut index, Entry { key: key.text, key_span: key.span, value });
            }
        };
        self.brackets -= usize::from(is_flow);
        let span = self.extent(start, end, last);
        let entries = if merged.is_empty() { own } else { join(merged, own) };
        Ok(Yaml { kind: Kind::Map(entries), span })
    }

    /// Large maps are indexed, small ones searched.
    fn insert(&mut self, entries: &mut Vec<Entry>, index: &mut HashMap<Arc<str>, usize>, entry: Entry) {
        const SEARCHED: usize = 12;
        let known = if entries.len() < SEARCHED {
            entries.iter().position(|known| known.key == entry.key)
        } else {
            if index.is_empty() {
                index.extend(entries.iter().enumerate().map(|(at, known)| (known.key.clone(), at)));
            }
            index.get(&entry.key).copied()
        };
        let Some(first) = known.and_then(|at| entries.get_mut(at)) else {
            if !index.is_empty() {
                index.insert(entry.key.clone(), entries.len());
            }
            entries.push(entry);
            return;
        };
        self.diagnostics.push(
            Diagnostic::warning("W0203", format!("the key '{}' is given twice; the last one counts", entry.key))
                .at(self.source, entry.key_span)
                .at_with(self.source, first.key_span, "first given here")
                .help("remove one of the two, or join what they hold")
                .event("DuplicateYAMLKeysDeprecation"),
        );
        *first = entry;
    }

    fn key(&mut self, event: Event<'a>, span: CharSpan, depth: usize) -> Loaded<Key> {
        let plain_merge = matches!(&event, Event::Scalar(text, ScalarStyle::Plain, _, None) if text == "<<");
        let place = self.offsets.span(span);
        let written = self.source.text.get(place.start..place.end).unwrap_or_default();
        let braces = self.source.text.get(place.start..).is_some_and(|rest| rest.starts_with('{'));
        let value = self.value(event, span, depth + 1)?;
        let Some(text) = scalar::key_text(&value.kind, written) else {
            let (message, help) = if braces {
                ("'{{' starts a YAML map here, not Jinja", "put quotes around it: \"{{ … }}\"")
            } else {
                ("a map or a list cannot be a key", "")
            };
            return Err(self.stop("E0102", value.span, message, help));
        };
        Ok(Key { text, span: place, merge: plain_merge })
    }

    /// `<<: *one` or `<<: [*one, *two]`; of several, the earlier wins.
    fn merge(&mut self, merged: &mut Vec<Entry>, value: &Yaml) -> Loaded<()> {
        match &value.kind {
            Kind::Map(entries) => merged.extend(entries.iter().cloned()),
            Kind::Seq(items) if items.iter().all(|item| matches!(item.kind, Kind::Map(_))) => {
                for item in items.iter().rev() {
                    merged.extend(item.entries().iter().cloned());
                }
            }
            _ => {
                return Err(self.stop(
                    "E0102",
                    value.span,
                    "'<<' merges a map, or a list of maps",
                    "name an anchored map: <<: *name",
                ));
            }
        }
        Ok(())
    }

    /// A block at the end of a text without a last line break has none either, as PyYAML reads it.
    fn at_end(&self, text: Cow<'a, str>, style: ScalarStyle, place: Span) -> Cow<'a, str> {
        let block = matches!(style, ScalarStyle::Literal | ScalarStyle::Folded);
        if !block || place.end < self.source.text.len() || self.source.text.ends_with('\n') {
            return text;
        }
        match text.strip_suffix('\n') {
            Some(cut) => Cow::Owned(cut.to_owned()),
            None => text,
        }
    }

    fn scalar(&mut self, text: Cow<'a, str>, style: ScalarStyle, tag: Option<&Tag>, place: Span) -> Loaded<Kind> {
        let Some(tag) = tag else {
            return Ok(match style {
                ScalarStyle::Plain => scalar::resolve(&text),
                // The parser ends a block with a newline even where the file ends without one.
                ScalarStyle::Literal | ScalarStyle::Folded if place.end >= self.offsets.end() => {
                    Kind::Str(text.trim_end_matches('\n').into())
                }
                _ => Kind::Str(text.into()),
            });
        };
        let known = match (tag.is_yaml_core_schema(), tag.suffix.as_str()) {
            (true, "str") => Some(Kind::Str(text.into())),
            (false, suffix) if format!("{}{suffix}", tag.handle) == "!" => Some(Kind::Str(text.into())),
            (true, "null") => Some(Kind::Null),
            (true, "bool") => scalar::boolean(&text).map(Kind::Bool),
            (true, "int") => scalar::integer(&text).flatten().map(Kind::Int),
            (true, "float") => scalar::float(&text).or_else(|| text.parse().ok()).map(Kind::Float),
            (true, "timestamp") => Some(scalar::resolve(&text)),
            _ => None,
        };
        known.ok_or_else(|| {
            self.stop(
                "E0102",
                place,
                format!("the tag '{tag}' is not understood for this value"),
                "remove the tag, or put quotes around the text",
            )
        })
    }

    fn check_tag(&mut self, tag: CowTag<'a>, known: &[&str], place: Span) -> Loaded<()> {
        match tag {
            Some(tag) if !(tag.is_yaml_core_schema() && known.contains(&tag.suffix.as_str())) => {
                Err(self.stop("E0102", place, format!("the tag '{tag}' is not understood"), "remove the tag"))
            }
            _ => Ok(()),
        }
    }

    fn is_flow(&self, start: Span) -> bool {
        self.source.text.as_bytes().get(start.start).is_some_and(|byte| matches!(byte, b'{' | b'['))
    }

    /// A flow collection ends at its bracket; a block one where its last value ends.
    fn extent(&self, start: Span, end: CharSpan, last: Option<Span>) -> Span {
        let end = if self.is_flow(start) { self.offsets.byte(end.end.index()) } else { last.map_or(start.end, |last| last.end) };
        Span::new(start.start, end)
    }

    fn fault(&self, code: &'static str, place: Span, message: impl Into<String>, help: impl Into<String>) -> Diagnostic {
        let diagnostic = Diagnostic::error(code, message).at(self.source, place);
        let help = help.into();
        if help.is_empty() { diagnostic } else { diagnostic.help(help) }
    }

    fn stop(&self, code: &'static str, place: Span, message: impl Into<String>, help: impl Into<String>) -> Stop {
        Stop::Fault(Box::new(self.fault(code, place, message, help)))
    }

    fn stopped(&self, error: &ScanError) -> Stop {
        let fault = Box::new(self.syntax_error(error));
        let text = self.offsets.text;
        let at = self.offsets.parsed(error.marker().index());
        let lines = match error.info() {
            "invalid indentation in quoted scalar" => {
                let end = closing_quote(text.as_bytes(), at);
                let next = text.get(at..).and_then(|rest| rest.find('\n')).map(|line| at + line + 1);
                next.zip(end).map(|(next, end)| next..end)
            }
            "invalid indentation" | "invalid indentation in flow construct" => {
                let from = self.offsets.parsed(self.read_to).min(at);
                closing_bracket(text, from, self.brackets, at).map(|end| at..end)
            }
            _ => return Stop::Fault(fault),
        };
        Stop::Indentation { lines: lines.filter(|lines| lines.start <= lines.end), fault }
    }

    fn syntax_error(&self, error: &ScanError) -> Diagnostic {
        let at = self.offsets.byte(error.marker().index());
        let start = self.source.text[..at].rfind('\n').map_or(0, |end| end + 1);
        let line = self.source.text[start..].lines().next().unwrap_or_default();
        let indent = &line[..line.len() - line.trim_start().len()];
        let help = if indent.contains('\t') {
            "indent with spaces: YAML does not allow tabs there"
        } else if line.contains("{{") || line.contains("{%") {
            "put quotes around values that hold Jinja: \"{{ … }}\""
        } else if error.info().contains("mapping values are not allowed") {
            "put quotes around a text that holds ': ', and check the indentation"
        } else if error.info().contains("unknown anchor") {
            "define the anchor (&name) above its first use"
        } else {
            "check the indentation, quotes and brackets here and on the line before"
        };
        self.fault("E0101", Span::new(at, at), format!("this is not valid YAML: {}", error.info()), help)
    }
}

/// Merged entries first, own ones over them; a key stays where it first stood, as in a Python dict.
fn join(merged: Vec<Entry>, own: Vec<Entry>) -> Vec<Entry> {
    let mut joined: indexmap::IndexMap<Arc<str>, Entry> = indexmap::IndexMap::new();
    for entry in merged.into_iter().chain(own) {
        joined.insert(entry.key.clone(), entry);
    }
    joined.into_values().collect()
}

fn count(value: &Yaml) -> usize {
    match &value.kind {
        Kind::Seq(items) => 1 + items.iter().map(count).sum::<usize>(),
        Kind::Map(entries) => 1 + entries.iter().map(|entry| count(&entry.value)).sum::<usize>(),
        _ => 1,
    }
}
