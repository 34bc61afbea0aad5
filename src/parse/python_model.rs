//! Python models, read without Python: which `dbt.ref`, `dbt.source` and `dbt.config` calls stand in them.
//!
//! As dbt does, their arguments must be literals, and nothing is run.

use crate::diagnostic::Span;
use crate::manifest::{Json, JsonMap};

use super::python_tokens::{Kind, Token, tokens};

/// A call of one of dbt's functions, arguments read.
#[derive(Debug, Clone, PartialEq)]
pub struct PythonCall {
    pub function: PythonFunction,
    pub positional: Vec<Json>,
    pub keyword: JsonMap,
    pub span: Span,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PythonFunction {
    Ref,
    Source,
    Config,
    ConfigGet,
    ConfigMetaGet,
}

/// What is wrong with a Python model, and where in its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PythonFault {
    pub message: String,
    pub span: Span,
}

fn fault(message: impl Into<String>, span: Span) -> PythonFault {
    PythonFault { message: message.into(), span }
}

/// All calls in order of appearance. Err is what dbt refuses: no `model(dbt, session)` function, Jinja in the text, arguments
/// that are not literals.
pub fn calls(text: &str) -> Result<Vec<PythonCall>, PythonFault> {
    if let Some(at) = ["{{", "{%", "{#"].iter().filter_map(|mark| text.find(mark)).min() {
        return Err(fault("a Python model is not rendered: it can have no Jinja", Span::new(at, at + 2)));
    }
    let tokens = tokens(text)?;
    check_model_function(text, &tokens)?;
    let mut found = Vec::new();
    collect(text, &tokens, &mut found)?;
    Ok(found)
}

fn check_model_function(text: &str, tokens: &[Token]) -> Result<(), PythonFault> {
    if tokens.is_empty() {
        return Ok(());
    }
    let is_name = |token: &Token, name: &str| token.kind == Kind::Name && token.text(text) == name;
    let definitions: Vec<usize> = tokens
        .windows(2)
        .enumerate()
        .filter(|(_, pair)| is_name(&pair[0], "def") && is_name(&pair[1], "model"))
        .map(|(at, _)| at)
        .collect();
    let [at] = definitions.as_slice() else {
        let message = format!("a Python model has one function named `model`, this file has {}", definitions.len());
        let place = definitions.last().and_then(|at| tokens.get(at + 1)).map(|token| token.span);
        return Err(fault(message, place.unwrap_or_default()));
    };
    let mut reader = Reader { text, tokens, at: at + 2 };
    let open = reader.span();
    reader.expect('(')?;
    let (mut names, mut depth) = (Vec::new(), 0_usize);
    let mut at_start = true;
    while let Some(token) = reader.next() {
        match token.kind {
            Kind::Mark(')') if depth == 0 => break,
            Kind::Mark('(' | '[' | '{') => depth += 1,
            Kind::Mark(')' | ']' | '}') => depth = depth.saturating_sub(1),
            Kind::Mark(',') if depth == 0 => at_start = true,
            Kind::Name if at_start && depth == 0 => {
                names.push(token.text(text));
                at_start = false;
            }
            _ => {}
        }
    }
    match names.as_slice() {
        ["dbt", _] => Ok(()),
        [_, _] => Err(fault("the first argument of `model` must be `dbt`", open)),
        _ => Err(fault("`model` must take two arguments: `dbt` and the session", open)),
    }
}

fn collect(text: &str, tokens: &[Token], found: &mut Vec<PythonCall>) -> Result<(), PythonFault> {
    let mut at = 0;
    while at < tokens.len() {
        if let Kind::Formatted(parts) = &tokens[at].kind {
            for part in parts {
                collect(text, part, found)?;
            }
        }
        let after_dot = at > 0 && tokens[at - 1].kind == Kind::Mark('.');
        let Some((function, length)) = (!after_dot).then(|| dbt_function(text, &tokens[at..])).flatten() else {
            at += 1;
            continue;
        };
        let mut reader = Reader { text, tokens, at: at + length };
        let (positional, keyword) = reader.arguments()?;
        let span = Span::new(tokens[at].span.start, reader.tokens[reader.at - 1].span.end);
        found.push(PythonCall { function, positional, keyword, span });
        at = reader.at;
    }
    Ok(())
}

/// `dbt.ref(` and its like: which one, and how many tokens stand before the parenthesis.
fn dbt_function(text: &str, tokens: &[Token]) -> Option<(PythonFunction, usize)> {
    let name = |at: usize| tokens.get(at).filter(|token| token.kind == Kind::Name).map(|token| token.text(text));
    let is_mark = |at: usize, mark: char| tokens.get(at).is_some_and(|token| token.kind == Kind::Mark(mark));
    if name(0) != Some("dbt") || !is_mark(1, '.') {
        return None;
    }
    let plain = match name(2)? {
        "ref" => PythonFunction::Ref,
        "source" => PythonFunction::Source,
        "config" => PythonFunction::Config,
        _ => return None,
    };
    if is_mark(3, '(') {
        return Some((plain, 3));
    }
    if plain != PythonFunction::Config || !is_mark(3, '.') || !is_mark(5, '(') {
        return None;
    }
    match name(4)? {
        "get" => Some((PythonFunction::ConfigGet, 5)),
        "meta_get" => Some((PythonFunction::ConfigMetaGet, 5)),
        _ => None,
    }
}

/// Reads literals: what Python's `ast.literal_eval` accepts.
struct Reader<'t> {
    text: &'t str,
    tokens: &'t [Token],
    at: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<&Kind> {
        self.tokens.get(self.at).map(|token| &token.kind)
    }

    fn next(&mut self) -> Option<Token> {
        let token = self.tokens.get(self.at).cloned();
        self.at += 1;
        token
    }

    fn span(&self) -> Span {
        let end = Span::new(self.text.len(), self.text.len());
        self.tokens.get(self.at).map_or(end, |token| token.span)
    }

    fn skip(&mut self, mark: char) -> bool {
        let found = self.peek() == Some(&Kind::Mark(mark));
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, mark: char) -> Result<(), PythonFault> {
        let place = self.span();
        if self.skip(mark) { Ok(()) } else { Err(fault(format!("`{mark}` is missing here"), place)) }
    }

    fn arguments(&mut self) -> Result<(Vec<Json>, JsonMap), PythonFault> {
        let (mut positional, mut keyword) = (Vec::new(), JsonMap::new());
        self.expect('(')?;
        while !self.skip(')') {
            let is_keyword = self.peek() == Some(&Kind::Name)
                && self.tokens.get(self.at + 1).is_some_and(|token| token.kind == Kind::Mark('='));
            if is_keyword && let Some(name) = self.next() {
                self.at += 1;
                keyword.insert(name.text(self.text).to_owned(), self.literal()?);
            } else {
                positional.push(self.literal()?);
            }
            if !self.skip(',') {
                self.expect(')')?;
                break;
            }
        }
        Ok((positional, keyword))
    }

    fn literal(&mut self) -> Result<Json, PythonFault> {
        let place = self.span();
        let not_literal = || fault("arguments of dbt's functions must be literals in a Python model", place);
        let token = self.next().ok_or_else(not_literal)?;
        let value = match &token.kind {
            Kind::Text(text) => {
                let mut whole = text.clone();
                while let Some(Kind::Text(more)) = self.peek() {
                    whole.push_str(more);
                    self.at += 1;
                }
                Json::String(whole)
            }
            Kind::Number => number(token.text(self.text)).ok_or_else(not_literal)?,
            Kind::Mark('-') => match self.literal()? {
                Json::Number(given) => number(&format!("-{given}")).ok_or_else(not_literal)?,
                _ => return Err(not_literal()),
            },
            Kind::Mark('+') => self.literal()?,
            Kind::Name => match token.text(self.text) {
                "True" => true.into(),
                "False" => false.into(),
                "None" => Json::Null,
                _ => return Err(not_literal()),
            },
            Kind::Mark('[') => self.items(']')?.0.into(),
            Kind::Mark('(') => match self.items(')')? {
                (mut items, false) if items.len() == 1 => items.remove(0),
                (items, _) => items.into(),
            },
            Kind::Mark('{') => self.map_or_set()?,
            _ => return Err(not_literal()),
        };
        match self.peek() {
            None | Some(Kind::Mark(',' | ')' | ']' | '}' | ':')) => Ok(value),
            _ => Err(not_literal()),
        }
    }

    /// Items up to the closing bracket, and whether a comma followed the last one.
    fn items(&mut self, close: char) -> Result<(Vec<Json>, bool), PythonFault> {
        let (mut items, mut comma) = (Vec::new(), false);
        while !self.skip(close) {
            items.push(self.literal()?);
            comma = self.skip(',');
            if !comma {
                self.expect(close)?;
                break;
            }
        }
        Ok((items, comma))
    }

    fn map_or_set(&mut self) -> Result<Json, PythonFault> {
        let (mut map, mut set) = (JsonMap::new(), Vec::new());
        while !self.skip('}') {
            let key = self.literal()?;
            if self.skip(':') {
                map.insert(super::python::text(&key), self.literal()?);
            } else {
                set.push(key);
            }
            if !self.skip(',') {
                self.expect('}')?;
                break;
            }
        }
        Ok(if set.is_empty() { Json::Object(map) } else { set.into() })
    }
}

fn number(text: &str) -> Option<Json> {
    let plain = text.replace('_', "");
    let (sign, digits) = plain.strip_prefix('-').map_or((1, plain.as_str()), |digits| (-1, digits));
    for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] {
        if let Some(digits) = digits.to_ascii_lowercase().strip_prefix(prefix) {
            return i64::from_str_radix(digits, radix).ok().map(|value| (sign * value).into());
        }
    }
    plain.parse::<i64>().map(Json::from).ok().or_else(|| plain.parse::<f64>().ok().map(Json::from))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn found(body: &str) -> Result<Vec<(PythonFunction, Json, Json)>, String> {
        let text = format!("import pandas\n\ndef model(dbt, session):\n{body}\n");
        let calls = calls(&text).map_err(|fault| fault.message)?;
        Ok(calls.into_iter().map(|call| (call.function, call.positional.into(), Json::Object(call.keyword))).collect())
    }

    #[test]
    fn calls_are_found_with_their_literals() {
        let body = r#"
    dbt.config(materialized="table", tags=['a', "b" 'c'], n=-1, options={"k": None, 'on': True})
    # dbt.ref("commented")
    text = 'dbt.ref("quoted")'
    orders = dbt.ref("orders", v=2).df()
    frames = [dbt.source('raw', "it's"), other.dbt.ref("no")]
    print(f"{dbt.config.get('limit', 10)} rows")
    return orders"#;
        assert_eq!(
            found(body).unwrap(),
            [
                (
                    PythonFunction::Config,
                    json!([]),
                    json!({"materialized": "table", "tags": ["a", "bc"], "n": -1, "options": {"k": null, "on": true}})
                ),
                (PythonFunction::Ref, json!(["orders"]), json!({"v": 2})),
                (PythonFunction::Source, json!(["raw", "it's"]), json!({})),
                (PythonFunction::ConfigGet, json!(["limit", 10]), json!({})),
            ]
        );
    }

    #[test]
    fn what_dbt_refuses_is_refused() {
        assert!(found("    return dbt.ref(name)").unwrap_err().contains("literals"));
        assert!(calls("def model(session):\n    pass").unwrap_err().message.contains("two arguments"));
        assert!(calls("def model(session, dbt):\n    pass").unwrap_err().message.contains("first argument"));
        assert!(calls("x = 1").unwrap_err().message.contains("has 0"));
        assert!(calls("def model(dbt, session):\n    return '{{ x }}'").unwrap_err().message.contains("Jinja"));
        assert!(calls("def model(dbt, session):\n    return 'open").unwrap_err().message.contains("not closed"));
    }
}
