//! Calls as they stand in a text, without running it: what a macro may depend on.

use super::literal;
use super::token::{Kind, Token};

/// A call of a plain name, of `package.name`, or `adapter.dispatch('name', 'namespace')`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StaticCall {
    pub package: Option<String>,
    pub name: String,
    /// True for `adapter.dispatch`: then `name` is its first argument and `package` its macro namespace, where these are literals.
    pub dispatch: bool,
}

impl StaticCall {
    /// `callee` are the tokens before the opening parenthesis.
    pub(super) fn of(text: &str, callee: &[Token]) -> Option<Self> {
        match callee {
            [name] if name.kind == Kind::Name => Some(Self { package: None, name: name.text(text).to_owned(), dispatch: false }),
            [package, dot, name] if package.kind == Kind::Name && dot.kind == Kind::Dot && name.kind == Kind::Name => {
                let (package, name) = (package.text(text), name.text(text));
                let dispatch = package == "adapter" && name == "dispatch";
                if package == "adapter" && !dispatch {
                    return None;
                }
                Some(Self { package: Some(package.to_owned()), name: name.to_owned(), dispatch })
            }
            _ => None,
        }
    }

    /// Takes name and namespace of a dispatch from its arguments, parentheses included.
    pub(super) fn read_dispatch(&mut self, text: &str, arguments: &[Token]) {
        if !self.dispatch || self.package.as_deref() != Some("adapter") {
            return;
        }
        let (mut name, mut namespace) = (None, None);
        let inner = arguments.get(1..arguments.len().saturating_sub(1)).unwrap_or_default();
        for (position, argument) in split(inner).into_iter().enumerate() {
            let (keyword, value) = match argument {
                [keyword, assign, value] if assign.kind == Kind::Assign => (Some(keyword.text(text)), value),
                [value] => (None, value),
                _ => continue,
            };
            if value.kind != Kind::Text {
                continue;
            }
            let value = literal::unquote(value.text(text));
            match (keyword, position) {
                (Some("macro_name"), _) | (None, 0) => name = Some(value),
                (Some("macro_namespace"), _) | (None, 1) => namespace = Some(value),
                _ => {}
            }
        }
        self.name = name.unwrap_or_default();
        self.package = namespace;
    }
}

/// Whether a text without Jinja's braces is nothing but a call of `ref` and its like on one line, as a generic test's
/// arguments may be: they are then rendered as if they had braces.
pub fn is_bare_call(text: &str) -> bool {
    let text = text.trim();
    let name = text.find(|c: char| c.is_whitespace() || c == '(').unwrap_or(text.len());
    let (name, call) = text.split_at(name);
    let inner = call.trim_start().strip_prefix('(').and_then(|call| call.strip_suffix(')'));
    matches!(name, "env_var" | "ref" | "var" | "source" | "doc")
        && inner.is_some_and(|inner| !inner.is_empty() && !inner.contains('\n'))
}

/// The arguments between commas that stand in no bracket.
fn split(tokens: &[Token]) -> Vec<&[Token]> {
    let (mut found, mut depth, mut start) = (Vec::new(), 0_usize, 0);
    for (at, token) in tokens.iter().enumerate() {
        match token.kind {
            Kind::ParenOpen | Kind::BracketOpen | Kind::BraceOpen => depth += 1,
            Kind::ParenClose | Kind::BracketClose | Kind::BraceClose => depth = depth.saturating_sub(1),
            Kind::Comma if depth == 0 => {
                found.push(&tokens[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    if start < tokens.len() {
        found.push(&tokens[start..]);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::is_bare_call;

    #[test]
    fn a_call_of_a_known_name_on_one_line_is_one() {
        for text in ["ref('a')", " source ('a', 'b') ", "var(\n'x')".replace('\n', " ").as_str(), "ref('a') + ref('b')"] {
            assert!(is_bare_call(text), "{text}");
        }
        for text in ["ref()", "ref", "refs('a')", "my ref('a')", "ref('a') b", "ref(\n'a')", "ref('a'"] {
            assert!(!is_bare_call(text), "{text}");
        }
    }
}
