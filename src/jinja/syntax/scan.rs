//! Finds the tags of a template: text, comments, `{{ … }}`, `{% … %}`, raw blocks. Strings inside tags may hold anything.

use super::Fault;
use crate::diagnostic::Span;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SegmentKind {
    /// Text as it stands, comments and raw blocks included.
    Text,
    /// `{{ … }}`
    Print,
    /// `{% … %}`
    Tag,
}

/// A part of a template. Segments cover the text without gaps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Segment {
    pub kind: SegmentKind,
    pub span: Span,
    /// Without the delimiters and their `-` or `+`.
    pub inner: Span,
}

/// The segments of `text[range]`, in order. Positions are those of `text`.
pub(super) fn segments(text: &str, range: Span) -> Result<Vec<Segment>, Fault> {
    let mut scan = Scan { bytes: &text.as_bytes()[..range.end], at: range.start, segments: Vec::new() };
    scan.run(text)?;
    Ok(scan.segments)
}

struct Scan<'t> {
    bytes: &'t [u8],
    at: usize,
    segments: Vec<Segment>,
}

impl Scan<'_> {
    fn run(&mut self, text: &str) -> Result<(), Fault> {
        let mut text_start = self.at;
        while let Some(open) = self.next_delimiter(text) {
            let second = self.bytes[open + 1];
            self.at = open + 2;
            if second == b'#' {
                let end = self.find(b"#}", self.at);
                let Some(end) = end else { return Err(Fault::new("Missing end of comment tag", open, open + 2)) };
                self.at = end + 2;
                continue;
            }
            let kind = if second == b'{' { SegmentKind::Print } else { SegmentKind::Tag };
            let segment = self.tag(kind, open)?;
            if kind == SegmentKind::Tag && text[segment.inner.start..segment.inner.end].trim() == "raw" {
                self.skip_raw(text, open)?;
                continue;
            }
            self.push_text(text_start, open);
            self.segments.push(segment);
            text_start = self.at;
        }
        self.push_text(text_start, self.bytes.len());
        Ok(())
    }

    fn push_text(&mut self, start: usize, end: usize) {
        if start < end {
            let span = Span::new(start, end);
            self.segments.push(Segment { kind: SegmentKind::Text, span, inner: span });
        }
    }

    /// The next `{{`, `{%` or `{#`.
    fn next_delimiter(&self, text: &str) -> Option<usize> {
        let mut from = self.at;
        loop {
            let open = from + text.get(from..self.bytes.len())?.find('{')?;
            match self.bytes.get(open + 1) {
                Some(b'{' | b'%' | b'#') => return Some(open),
                Some(_) => from = open + 1,
                None => return None,
            }
        }
    }

    fn find(&self, needle: &[u8], from: usize) -> Option<usize> {
        let rest = self.bytes.get(from..)?;
        rest.windows(needle.len()).position(|window| window == needle).map(|at| from + at)
    }

    /// Reads to the tag's end, past strings and nested braces.
    fn tag(&mut self, kind: SegmentKind, open: usize) -> Result<Segment, Fault> {
        let mut start = self.at;
        if matches!(self.bytes.get(start), Some(b'-' | b'+')) {
            start += 1;
        }
        let close = if kind == SegmentKind::Print { b'}' } else { b'%' };
        let end = match self.close(start, close) {
            Some(end) => end,
            None => self.find(&[close, b'}'], start).ok_or_else(|| {
                let what = if kind == SegmentKind::Print { "print statement" } else { "statement block" };
                Fault::new(format!("unexpected end of template, expected token 'end of {what}'"), open, open + 2)
            })?,
        };
        let trimmed = end > start && matches!(self.bytes[end - 1], b'-' | b'+');
        let inner = Span::new(start, if trimmed { end - 1 } else { end });
        self.at = end + 2;
        Ok(Segment { kind, span: Span::new(open, self.at), inner })
    }

    /// Where `}}` or `%}` begins; None if a string or brace is left open.
    fn close(&self, start: usize, close: u8) -> Option<usize> {
        let mut at = start;
        let mut depth = 0_usize;
        while let Some(&byte) = self.bytes.get(at) {
            let ends = byte == close && self.bytes.get(at + 1) == Some(&b'}');
            match byte {
                b'\'' | b'"' => at = self.string_end(at)?,
                b'%' if ends => return Some(at),
                b'}' if ends && depth == 0 => return Some(at),
                b'{' => depth += 1,
                b'}' => depth = depth.saturating_sub(1),
                _ => {}
            }
            at += 1;
        }
        None
    }

    /// The closing quote of the string that opens at `at`.
    fn string_end(&self, at: usize) -> Option<usize> {
        let quote = self.bytes[at];
        let mut at = at + 1;
        loop {
            match self.bytes.get(at)? {
                b'\\' => at += 2,
                byte if *byte == quote => return Some(at),
                _ => at += 1,
            }
        }
    }

    fn skip_raw(&mut self, text: &str, open: usize) -> Result<(), Fault> {
        let mut from = self.at;
        while let Some(at) = self.find(b"{%", from) {
            let rest = text[at + 2..self.bytes.len()].trim_start_matches(['-', '+']).trim_start();
            if let Some(rest) = rest.strip_prefix("endraw") {
                let rest = rest.trim_start();
                let rest = rest.strip_prefix(['-', '+']).unwrap_or(rest);
                if let Some(rest) = rest.strip_prefix("%}") {
                    self.at = self.bytes.len() - rest.len();
                    return Ok(());
                }
            }
            from = at + 2;
        }
        Err(Fault::new("Missing end of raw directive", open, open + 2))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inner(text: &str) -> Vec<String> {
        let found = segments(text, Span::new(0, text.len())).expect("well-formed");
        found.iter().map(|segment| format!("{:?}:{}", segment.kind, &text[segment.inner.start..segment.inner.end])).collect()
    }

    #[test]
    fn strings_and_braces_hide_delimiters() {
        assert_eq!(inner("a{{ '}}' ~ {'x': {}} }}b"), ["Text:a", "Print: '}}' ~ {'x': {}} ", "Text:b"]);
        assert_eq!(inner("{%- if x == '%}' -%}"), ["Tag: if x == '%}' "]);
    }

    #[test]
    fn comments_and_raw_are_text() {
        assert_eq!(
            inner("{# {{ x }} #}{% raw %}{% if %}{%- endraw -%}{{y}}"),
            ["Text:{# {{ x }} #}{% raw %}{% if %}{%- endraw -%}", "Print:y"]
        );
    }

    #[test]
    fn what_is_left_open_is_a_fault() {
        let text = "ab {{ x";
        assert_eq!(segments(text, Span::new(0, text.len())).expect_err("open").span, Span::new(3, 5));
    }
}
