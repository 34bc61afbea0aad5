//! Changes to a text, and the way back from the new text to the old.

use std::ops::Range;

use crate::diagnostic::Span;

/// Changes collected while a text is read, applied at once.
#[derive(Debug, Default)]
pub(super) struct Edits {
    list: Vec<Edit>,
}

#[derive(Debug)]
struct Edit {
    at: usize,
    /// What belongs to the token before `at` comes first, then what opens something new, then replacements.
    class: Class,
    order: usize,
    delete: usize,
    insert: &'static str,
    owned: Option<Box<str>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Class {
    After,
    Before,
    Replace,
}

impl Edits {
    /// Inserts behind what ends at `at`.
    pub fn after(&mut self, at: usize, insert: &'static str) {
        self.push(at, Class::After, 0, insert, None);
    }

    /// Inserts before what begins at `at`; a later call there goes before the earlier ones.
    pub fn before(&mut self, at: usize, insert: &'static str) {
        self.push(at, Class::Before, 0, insert, None);
    }

    pub fn replace(&mut self, start: usize, end: usize, insert: &'static str) {
        self.push(start, Class::Replace, end - start, insert, None);
    }

    pub fn replace_with(&mut self, start: usize, end: usize, insert: String) {
        self.push(start, Class::Replace, end - start, "", Some(insert.into_boxed_str()));
    }

    /// Drops the changes noted for a range.
    pub fn forget(&mut self, start: usize, end: usize) {
        self.list.retain(|edit| edit.at < start || edit.at > end);
    }

    fn push(&mut self, at: usize, class: Class, delete: usize, insert: &'static str, owned: Option<Box<str>>) {
        let order = self.list.len();
        let order = if class == Class::Before { usize::MAX - order } else { order };
        self.list.push(Edit { at, class, order, delete, insert, owned });
    }

    /// The text of `range` with all changes, after `prefix`.
    pub fn apply(mut self, text: &str, range: Span, prefix: &str) -> (String, SourceMap) {
        self.list.sort_unstable_by_key(|edit| (edit.at, edit.class, edit.order));
        let mut out = String::with_capacity(prefix.len() + (range.end - range.start) + self.list.len() * 8);
        out.push_str(prefix);
        let mut map = SourceMap { pieces: Vec::with_capacity(self.list.len() + 1), end: range.end };
        let mut at = range.start;
        for edit in &self.list {
            if edit.at > at {
                map.pieces.push((out.len(), at));
                push_unix(&mut out, &text[at..edit.at], &mut map, at);
                at = edit.at;
            }
            out.push_str(edit.owned.as_deref().unwrap_or(edit.insert));
            at = at.max(edit.at + edit.delete);
        }
        map.pieces.push((out.len(), at));
        push_unix(&mut out, &text[at.min(range.end)..range.end], &mut map, at);
        (out, map)
    }
}

/// Appends with line ends as Jinja2 normalises them: `\r\n` and `\r` become `\n`.
fn push_unix(out: &mut String, part: &str, map: &mut SourceMap, start: usize) {
    let mut rest = part;
    while let Some(at) = rest.find('\r') {
        out.push_str(&rest[..at]);
        out.push('\n');
        let skip = if rest[at + 1..].starts_with('\n') { 2 } else { 1 };
        rest = &rest[at + skip..];
        map.pieces.push((out.len(), start + part.len() - rest.len()));
    }
    out.push_str(rest);
}

/// Where the parts of a rewritten text come from: (new offset, old offset), ascending.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct SourceMap {
    pieces: Vec<(usize, usize)>,
    end: usize,
}

impl SourceMap {
    /// The old place of a range of the new text.
    pub fn old(&self, new: Range<usize>) -> Span {
        let start = self.old_offset(new.start);
        Span::new(start, self.old_offset(new.end).max(start))
    }

    fn old_offset(&self, new: usize) -> usize {
        let next = self.pieces.partition_point(|(start, _)| *start <= new);
        let limit = self.pieces.get(next).map_or(self.end, |(_, old)| *old);
        match next.checked_sub(1).and_then(|at| self.pieces.get(at)) {
            Some((start, old)) => (old + (new - start)).min(limit),
            None => limit.min(self.pieces.first().map_or(0, |(_, old)| *old)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_at_one_place() {
        let mut edits = Edits::default();
        edits.before(2, "(");
        edits.replace(2, 3, "X");
        edits.before(2, "[");
        edits.after(2, ")");
        let (text, map) = edits.apply("abcd", Span::new(0, 4), "> ");
        assert_eq!(text, "> ab)[(Xd");
        assert_eq!(map.old(2..4), Span::new(0, 2));
        assert_eq!(map.old(8..9), Span::new(3, 4));
    }

    #[test]
    fn line_ends() {
        let (text, map) = Edits::default().apply("a\r\nb\rc", Span::new(0, 6), "");
        assert_eq!(text, "a\nb\nc");
        assert_eq!(map.old(2..3), Span::new(3, 4));
    }
}
