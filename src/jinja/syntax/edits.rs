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
        let mut map = SourceMap { pieces: Vec::with_capacity(self.list.len() * 2 + 1) };
        let mut at = range.start;
        for edit in &self.list {
            if edit.at > at {
                push_unix(&mut out, &text[at..edit.at], &mut map, at);
                at = edit.at;
            }
            map.pieces.push(Piece { new: out.len(), old: edit.at, inserted: Some(edit.at + edit.delete) });
            out.push_str(edit.owned.as_deref().unwrap_or(edit.insert));
            at = at.max(edit.at + edit.delete);
        }
        push_unix(&mut out, &text[at.min(range.end)..range.end], &mut map, at);
        (out, map)
    }
}

/// Appends with line ends as Jinja2 normalises them: `\r\n` and `\r` become `\n`.
fn push_unix(out: &mut String, part: &str, map: &mut SourceMap, start: usize) {
    let mut rest = part;
    map.pieces.push(Piece { new: out.len(), old: start, inserted: None });
    while let Some(at) = rest.find('\r') {
        out.push_str(&rest[..at]);
        out.push('\n');
        let skip = if rest[at + 1..].starts_with('\n') { 2 } else { 1 };
        rest = &rest[at + skip..];
        map.pieces.push(Piece { new: out.len(), old: start + part.len() - rest.len(), inserted: None });
    }
    out.push_str(rest);
}

/// Where the parts of a rewritten text come from, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct SourceMap {
    pieces: Vec<Piece>,
}

/// From `new` on, the text stems from `old` on; or it was inserted, in place of `old` to that end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Piece {
    new: usize,
    old: usize,
    inserted: Option<usize>,
}

impl SourceMap {
    /// The old place of a range of the new text.
    pub fn old(&self, new: Range<usize>) -> Span {
        let start = self.piece(new.start).map_or(0, |piece| match piece.inserted {
            Some(_) => piece.old,
            None => piece.old + (new.start - piece.new),
        });
        let last = new.end.saturating_sub(1).max(new.start);
        let end = self.piece(last).map_or(0, |piece| match piece.inserted {
            Some(end) => end,
            None => piece.old + (new.end - piece.new),
        });
        Span::new(start, end)
    }

    fn piece(&self, new: usize) -> Option<Piece> {
        let next = self.pieces.partition_point(|piece| piece.new <= new);
        let found = self.pieces.get(next.saturating_sub(1)).copied();
        // What was put before all else belongs to the beginning.
        found.map(|piece| if next == 0 { Piece { inserted: Some(piece.old), ..piece } } else { piece })
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
        assert_eq!(map.old(7..8), Span::new(2, 3));
        assert_eq!(map.old(8..9), Span::new(3, 4));
        assert_eq!(map.old(0..1), Span::new(0, 0));
    }

    #[test]
    fn line_ends() {
        let (text, map) = Edits::default().apply("a\r\nb\rc", Span::new(0, 6), "");
        assert_eq!(text, "a\nb\nc");
        assert_eq!(map.old(2..3), Span::new(3, 4));
    }
}
