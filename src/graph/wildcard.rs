//! Patterns as Python's `fnmatch` and `pathlib` read them: what dbt's selection methods compare with.

/// `fnmatch.fnmatchcase`: `*` any text, `?` one character, `[abc]`, `[a-z]`, `[!x]`; an open `[` stands for itself.
pub(super) fn matches(text: &str, pattern: &str) -> bool {
    if !is_pattern(pattern) {
        return text == pattern;
    }
    let text: Vec<char> = text.chars().collect();
    let tokens = tokens(pattern);
    let (mut at, mut token) = (0, 0);
    // After the last `*`: its token, and where the text it swallows ends.
    let mut star: Option<(usize, usize)> = None;
    while at < text.len() {
        match tokens.get(token) {
            Some(Token::Any) => {
                star = Some((token, at));
                token += 1;
            }
            Some(other) if other.accepts(text[at]) => {
                at += 1;
                token += 1;
            }
            _ => {
                let Some((star_token, swallowed)) = star else { return false };
                star = Some((star_token, swallowed + 1));
                at = swallowed + 1;
                token = star_token + 1;
            }
        }
    }
    tokens[token.min(tokens.len())..].iter().all(|rest| matches!(rest, Token::Any))
}

/// Does it have any character that patterns give a meaning?
pub(super) fn is_pattern(text: &str) -> bool {
    text.contains(['*', '?', '[', ']'])
}

enum Token {
    Any,
    One,
    Literal(char),
    /// Ranges, and whether they are what must not match.
    Class(Vec<(char, char)>, bool),
}

impl Token {
    fn accepts(&self, letter: char) -> bool {
        match self {
            Self::Any => false,
            Self::One => true,
            Self::Literal(literal) => *literal == letter,
            Self::Class(ranges, negated) => ranges.iter().any(|(first, last)| (*first..=*last).contains(&letter)) != *negated,
        }
    }
}

fn tokens(pattern: &str) -> Vec<Token> {
    let letters: Vec<char> = pattern.chars().collect();
    let mut tokens = Vec::with_capacity(letters.len());
    let mut at = 0;
    while let Some(letter) = letters.get(at) {
        at += 1;
        match letter {
            '*' => tokens.push(Token::Any),
            '?' => tokens.push(Token::One),
            '[' => match class(&letters[at..]) {
                Some((class, length)) => {
                    tokens.push(class);
                    at += length;
                }
                None => tokens.push(Token::Literal('[')),
            },
            other => tokens.push(Token::Literal(*other)),
        }
    }
    tokens
}

/// What follows a `[`: the class, and how many characters it takes with its `]`. None if it is never closed.
fn class(letters: &[char]) -> Option<(Token, usize)> {
    let negated = letters.first() == Some(&'!');
    let start = usize::from(negated);
    // A `]` in the first place belongs to the class.
    let close = letters.iter().enumerate().skip(start + 1).find(|(_, letter)| **letter == ']')?.0;
    let inside = &letters[start..close];
    let mut ranges = Vec::new();
    let mut at = 0;
    while let Some(first) = inside.get(at) {
        if let (Some('-'), Some(last)) = (inside.get(at + 1), inside.get(at + 2)) {
            ranges.push((*first, *last));
            at += 3;
        } else {
            ranges.push((*first, *first));
            at += 1;
        }
    }
    Some((Token::Class(ranges, negated), close + 1))
}

/// A pattern for paths below the project, as `Path.glob` takes it: matched part by part, `**` for any number of folders.
pub(super) struct PathPattern {
    parts: Vec<String>,
    folders_only: bool,
}

impl PathPattern {
    pub(super) fn new(pattern: &str) -> Self {
        let parts: Vec<String> =
            pattern.split('/').filter(|part| !part.is_empty() && *part != ".").map(ToString::to_string).collect();
        let folders_only = pattern.ends_with('/') || parts.last().is_some_and(|last| last == "**");
        Self { parts, folders_only }
    }

    /// Does it name exactly this file?
    pub(super) fn names_file(&self, path: &str) -> bool {
        !self.folders_only && names(&self.parts, &path_parts(path))
    }

    /// Does it name exactly this folder?
    pub(super) fn names_folder(&self, path: &str) -> bool {
        names(&self.parts, &path_parts(path))
    }
}

fn path_parts(path: &str) -> Vec<&str> {
    path.split('/').filter(|part| !part.is_empty() && *part != ".").collect()
}

fn names(pattern: &[String], path: &[&str]) -> bool {
    match pattern.split_first() {
        None => path.is_empty(),
        Some((first, rest)) if first == "**" => (0..=path.len()).any(|skipped| names(rest, &path[skipped..])),
        Some((first, rest)) => path.split_first().is_some_and(|(part, below)| matches(part, first) && names(rest, below)),
    }
}

#[cfg(test)]
mod tests {
    use super::{PathPattern, matches};

    #[test]
    fn patterns_match_as_in_python() {
        for (text, pattern, expected) in [
            ("stg_orders", "stg_*", true),
            ("stg_orders", "*orders", true),
            ("stg_orders", "stg_?rders", true),
            ("stg_orders", "s*g*r?s", false),
            ("stg_orders", "s*g*e?s", true),
            ("stg_orders", "stg", false),
            ("a.b.c", "a.*", true),
            ("abc", "[a-c]b[!d]", true),
            ("abd", "[a-c]b[!d]", false),
            ("a]c", "a[]]c", true),
            ("a[c", "a[c", true),
            ("", "*", true),
            ("", "?", false),
            ("ab", "a**b", true),
            ("Äb", "?b", true),
            ("Orders", "orders", false),
        ] {
            assert_eq!(matches(text, pattern), expected, "{text:?} against {pattern:?}");
        }
    }

    #[test]
    fn paths_match_by_file_or_folder() {
        for (path, pattern, expected) in [
            ("models/staging/a.sql", "models/staging", true),
            ("models/staging/a.sql", "models/staging/", true),
            ("models/staging/a.sql", "./models//staging", true),
            ("models/staging/a.sql", "models/stag", false),
            ("models/staging/a.sql", "models/staging/a.sql", true),
            ("models/staging/a.sql", "models/staging/a.sql/", false),
            ("models/staging/a.sql", "models/*/a.sql", true),
            ("models/staging/a.sql", "models/*.sql", false),
            ("models/staging/deep/a.sql", "models/**/a.sql", true),
            ("models/a.sql", "models/**/a.sql", true),
            ("models/a.sql", "models/**", true),
            ("seeds/a.csv", "models/**", false),
            ("models/a.sql", "**", true),
            ("models/a.sql", "*/a.sql", true),
        ] {
            let read = PathPattern::new(pattern);
            let mut folders = std::iter::once("").chain(path.match_indices('/').map(|(at, _)| &path[..at]));
            let selected = read.names_file(path) || folders.any(|folder| read.names_folder(folder));
            assert_eq!(selected, expected, "{path:?} against {pattern:?}");
        }
    }
}
