//! Code with its words marked, at build time: SQL with Jinja in it, Python, and anything else as it is.
//!
//! A lexer, no parser: comments, texts, numbers, keywords, functions, and Jinja's blocks. Marks are `<i class=…>`, one letter each,
//! to keep pages small: `c` comment, `s` text, `n` number, `k` keyword, `f` function, `j` Jinja.

use super::html::escape_into;
use crate::manifest::Language;

/// The code as HTML.
pub fn highlight(code: &str, language: Language) -> String {
    let mut lexer = Lexer { code, bytes: code.as_bytes(), at: 0, out: String::with_capacity(code.len() * 3 / 2) };
    match language {
        Language::Sql => lexer.sql(code.len(), true),
        Language::Python => lexer.python(),
        Language::Javascript => lexer.sql(code.len(), false),
    }
    lexer.out
}

struct Lexer<'a> {
    code: &'a str,
    bytes: &'a [u8],
    at: usize,
    out: String,
}

impl Lexer<'_> {
    /// SQL up to `end`, Jinja in it.
    fn sql(&mut self, end: usize, jinja: bool) {
        while self.at < end {
            let rest = &self.bytes[self.at..end];
            let (class, length) = match rest {
                [b'{', b'#', ..] if jinja => ("c", until(rest, b"#}")),
                [b'{', b'%' | b'{', ..] if jinja => {
                    self.jinja(end);
                    continue;
                }
                [b'-', b'-', ..] => ("c", line(rest)),
                [b'/', b'*', ..] => ("c", until(rest, b"*/")),
                [b'\'', ..] => ("s", quoted(rest, b'\'')),
                [b'"', ..] => ("", quoted(rest, b'"')),
                [b'0'..=b'9', ..] => ("n", number(rest)),
                [first, ..] if is_word(*first) => {
                    let length = word(rest);
                    (self.kind_of_word(length, end), length)
                }
                _ => ("", 1),
            };
            self.mark(class, length);
        }
    }

    /// A `{{ … }}` or `{% … %}`.
    fn jinja(&mut self, end: usize) {
        let close: &[u8] = if self.bytes[self.at + 1] == b'%' { b"%}" } else { b"}}" };
        self.mark("j", 2);
        while self.at < end {
            let rest = &self.bytes[self.at..end];
            if rest.starts_with(close) {
                self.mark("j", 2);
                return;
            }
            let (class, length) = match rest {
                [b'\'', ..] => ("s", quoted(rest, b'\'')),
                [b'"', ..] => ("s", quoted(rest, b'"')),
                [b'0'..=b'9', ..] => ("n", number(rest)),
                [first, ..] if is_word(*first) => {
                    let length = word(rest);
                    let text = &self.code[self.at..self.at + length];
                    let class = if JINJA.contains(&text) {
                        "k"
                    } else if self.bytes.get(self.at + length) == Some(&b'(') {
                        "f"
                    } else {
                        ""
                    };
                    (class, length)
                }
                _ => ("", 1),
            };
            self.mark(class, length);
        }
    }

    fn python(&mut self) {
        while self.at < self.bytes.len() {
            let rest = &self.bytes[self.at..];
            let (class, length) = match rest {
                [b'#', ..] => ("c", line(rest)),
                [b'"', b'"', b'"', ..] => ("s", 3 + until(&rest[3..], b"\"\"\"")),
                [b'\'', b'\'', b'\'', ..] => ("s", 3 + until(&rest[3..], b"'''")),
                [quote @ (b'"' | b'\''), ..] => ("s", python_text(rest, *quote)),
                [b'0'..=b'9', ..] => ("n", number(rest)),
                [first, ..] if is_word(*first) => {
                    let length = word(rest);
                    let text = &self.code[self.at..self.at + length];
                    let calls = self.bytes.get(self.at + length) == Some(&b'(');
                    (
                        if PYTHON.contains(&text) {
                            "k"
                        } else if calls {
                            "f"
                        } else {
                            ""
                        },
                        length,
                    )
                }
                _ => ("", 1),
            };
            self.mark(class, length);
        }
    }

    fn kind_of_word(&self, length: usize, end: usize) -> &'static str {
        let text = &self.code[self.at..self.at + length];
        let mut folded = [0_u8; 20];
        if text.len() <= folded.len() {
            let folded = &mut folded[..text.len()];
            folded.copy_from_slice(text.as_bytes());
            folded.make_ascii_lowercase();
            if SQL.binary_search_by(|keyword| keyword.as_bytes().cmp(folded)).is_ok() {
                return "k";
            }
        }
        let next = self.at + length;
        if next < end && self.bytes[next] == b'(' { "f" } else { "" }
    }

    /// The next bytes, with or without a mark. The length is widened to whole letters.
    fn mark(&mut self, class: &str, length: usize) {
        let mut end = (self.at + length.max(1)).min(self.code.len());
        while !self.code.is_char_boundary(end) {
            end += 1;
        }
        let text = &self.code[self.at..end];
        if class.is_empty() {
            escape_into(&mut self.out, text);
        } else {
            self.out.push_str("<i class=");
            self.out.push_str(class);
            self.out.push('>');
            escape_into(&mut self.out, text);
            self.out.push_str("</i>");
        }
        self.at = end;
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_' || byte >= 0x80
}

fn word(rest: &[u8]) -> usize {
    rest.iter().take_while(|byte| is_word(**byte) || byte.is_ascii_digit() || **byte == b'$').count()
}

fn number(rest: &[u8]) -> usize {
    rest.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'.' || **byte == b'_').count()
}

fn line(rest: &[u8]) -> usize {
    rest.iter().take_while(|byte| **byte != b'\n').count()
}

/// Up to and with `close`, or all.
fn until(rest: &[u8], close: &[u8]) -> usize {
    rest.windows(close.len()).position(|window| window == close).map_or(rest.len(), |at| at + close.len())
}

/// A text in quotes that are doubled within it.
fn quoted(rest: &[u8], quote: u8) -> usize {
    rest.iter().skip(1).position(|byte| *byte == quote).map_or(rest.len(), |at| at + 2)
}

/// A text in quotes that a backslash escapes, on one line.
fn python_text(rest: &[u8], quote: u8) -> usize {
    let mut at = 1;
    while let Some(byte) = rest.get(at) {
        match byte {
            b'\\' => at += 2,
            b'\n' => return at,
            byte if *byte == quote => return at + 1,
            _ => at += 1,
        }
    }
    rest.len()
}

/// Sorted.
const SQL: [&str; 104] = [
    "all",
    "alter",
    "and",
    "any",
    "array",
    "as",
    "asc",
    "asof",
    "between",
    "bigint",
    "boolean",
    "by",
    "case",
    "cast",
    "create",
    "cross",
    "cube",
    "current",
    "date",
    "decimal",
    "delete",
    "desc",
    "distinct",
    "double",
    "drop",
    "else",
    "end",
    "except",
    "exclude",
    "exists",
    "extract",
    "false",
    "fetch",
    "filter",
    "first",
    "float",
    "following",
    "for",
    "from",
    "full",
    "function",
    "group",
    "grouping",
    "having",
    "if",
    "ilike",
    "in",
    "inner",
    "insert",
    "int",
    "integer",
    "intersect",
    "interval",
    "into",
    "is",
    "join",
    "last",
    "lateral",
    "left",
    "like",
    "limit",
    "materialized",
    "merge",
    "natural",
    "not",
    "null",
    "nulls",
    "numeric",
    "offset",
    "on",
    "or",
    "order",
    "outer",
    "over",
    "partition",
    "pivot",
    "preceding",
    "qualify",
    "range",
    "recursive",
    "replace",
    "right",
    "rollup",
    "row",
    "rows",
    "select",
    "set",
    "struct",
    "table",
    "then",
    "timestamp",
    "true",
    "unbounded",
    "union",
    "unnest",
    "unpivot",
    "update",
    "using",
    "values",
    "varchar",
    "view",
    "when",
    "where",
    "with",
];

const JINJA: [&str; 26] = [
    "and",
    "block",
    "call",
    "do",
    "elif",
    "else",
    "endblock",
    "endcall",
    "endfilter",
    "endfor",
    "endif",
    "endmacro",
    "endraw",
    "endset",
    "endsnapshot",
    "endtest",
    "filter",
    "for",
    "if",
    "in",
    "is",
    "macro",
    "not",
    "or",
    "set",
    "snapshot",
];

const PYTHON: [&str; 33] = [
    "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class", "continue", "def", "del", "elif", "else",
    "except", "finally", "for", "from", "global", "if", "import", "in", "is", "lambda", "not", "or", "pass", "raise", "return",
    "try", "while", "with",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keywords_are_sorted() {
        assert!(SQL.is_sorted());
    }

    #[test]
    fn sql_and_jinja() {
        assert_eq!(
            highlight("Select count(*), 'it''s' -- x\nfrom {{ ref('a') }} where a<1.5", Language::Sql),
            "<i class=k>Select</i> <i class=f>count</i>(*), <i class=s>&#39;it&#39;</i><i class=s>&#39;s&#39;</i> <i class=c>-- x</i>\n\
             <i class=k>from</i> <i class=j>{{</i> <i class=f>ref</i>(<i class=s>&#39;a&#39;</i>) <i class=j>}}</i> <i class=k>where</i> a&lt;<i class=n>1.5</i>"
        );
    }

    #[test]
    fn python() {
        assert_eq!(
            highlight("def f(x):  # é\n  return \"a\\\"b\"", Language::Python),
            "<i class=k>def</i> <i class=f>f</i>(x):  <i class=c># é</i>\n  <i class=k>return</i> <i class=s>&quot;a\\&quot;b&quot;</i>"
        );
    }

    #[test]
    fn no_text_is_lost_or_let_through() {
        for code in ["{{ '", "{% if <script>", "/* <b>", "'<i>", "é€{#", "\"\"\"<x>", "{{ \u{1F600} }}", "'''", "1é", "a\u{300}("]
        {
            for language in [Language::Sql, Language::Python] {
                let html = highlight(code, language);
                let text: String = html.replace("</i>", "");
                let mut plain = String::new();
                let mut rest = text.as_str();
                while let Some(at) = rest.find("<i class=") {
                    plain.push_str(&rest[..at]);
                    rest = &rest[at + 11..];
                }
                plain.push_str(rest);
                assert!(!plain.contains('<'), "{html}");
                let back = plain
                    .replace("&lt;", "<")
                    .replace("&gt;", ">")
                    .replace("&quot;", "\"")
                    .replace("&#39;", "'")
                    .replace("&amp;", "&");
                assert_eq!(back, code);
            }
        }
    }
}
