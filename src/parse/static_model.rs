//! What dbt reads off a model without rendering it.
//!
//! dbt's static parser takes models that hold nothing but constant `ref`, `source` and `config` calls; what they configure
//! counts as unrendered as it is. Of every other text, the first `config` call is kept as written.

use crate::manifest::{Json, JsonMap};

use super::expression::{Arguments, Expression};
use super::expression_reader::{Reader, Token, string_end, tokens};

/// A tag of a text: `{{ … }}` or `{% … %}`.
struct Tag<'t> {
    is_expression: bool,
    /// Has a `-` or `+` at one of its ends.
    trims: bool,
    content: &'t str,
}

/// Would dbt's static parser read this text?
pub fn is_static(text: &str) -> bool {
    let Some(tags) = tags(text) else { return false };
    !text.ends_with('{')
        && tags
            .iter()
            .all(|tag| tag.is_expression && !tag.trims && tokens(tag.content).is_some_and(|tokens| is_constant_call(&tokens)))
}

/// The keywords of a text's first `config` call, each as dbt keeps it unrendered; None where there is no call with keywords.
pub fn unrendered_config(text: &str) -> Option<JsonMap> {
    if !text.contains("config(") {
        return None;
    }
    for tag in tags(text)? {
        let Some(tokens) = tokens(tag.content) else { continue };
        for at in 0..tokens.len() {
            let is_config = matches!(tokens.get(at..at + 2), Some([Token::Name(name), Token::Mark("(")]) if name == "config");
            let after_dot = at > 0 && tokens[at - 1] == Token::Mark(".");
            if !is_config || after_dot {
                continue;
            }
            let arguments = Reader::new(tokens.get(at + 2..)?).arguments()?;
            let config: JsonMap = arguments.keyword.into_iter().map(|(key, value)| (key, value.unrendered().into())).collect();
            return (!config.is_empty()).then_some(config);
        }
    }
    None
}

/// The tags of a text outside of comments and raw blocks; None where one is not closed.
fn tags(text: &str) -> Option<Vec<Tag<'_>>> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find('{') {
        rest = &rest[at + 1..];
        match rest.as_bytes().first() {
            Some(b'#') => rest = &rest[rest.find("#}")? + 2..],
            Some(open @ (b'{' | b'%')) => {
                let end = tag_end(&rest[1..], if *open == b'{' { "}}" } else { "%}" })?;
                let inner = &rest[1..=end];
                rest = &rest[end + 3..];
                let content = inner.trim_start_matches(['-', '+']).trim_end_matches(['-', '+']);
                let trims = content.len() != inner.len();
                if *open == b'%' && content.trim() == "raw" {
                    rest = after_raw(rest)?;
                }
                found.push(Tag { is_expression: *open == b'{', trims, content });
            }
            _ => {}
        }
    }
    Some(found)
}

/// Where a tag's closing delimiter stands: not within a text or a bracket.
fn tag_end(text: &str, close: &str) -> Option<usize> {
    let (mut at, mut depth) = (0, 0_usize);
    while let Some(letter) = text[at..].chars().next() {
        if depth == 0 && text[at..].starts_with(close) {
            return Some(at);
        }
        match letter {
            '\'' | '"' => {
                at += string_end(&text[at..], letter)?;
                continue;
            }
            '{' | '[' | '(' => depth += 1,
            '}' | ']' | ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        at += letter.len_utf8();
    }
    None
}

fn after_raw(text: &str) -> Option<&str> {
    let mut rest = text;
    loop {
        rest = &rest[rest.find("{%")? + 2..];
        let word = rest.trim_start_matches(['-', '+']).trim_start();
        if let Some(after) = word.strip_prefix("endraw") {
            return Some(&after[after.find("%}")? + 2..]);
        }
    }
}

fn is_constant_call(tokens: &[Token]) -> bool {
    // Of Python's spellings and Jinja's, that parser knows the first only.
    if tokens.iter().any(|token| matches!(token, Token::Name(name) if ["true", "false", "none"].contains(&name.as_str()))) {
        return false;
    }
    let mut reader = Reader::new(tokens);
    let Some(expression) = reader.expression().filter(|_| reader.is_done()) else { return false };
    match &expression {
        Expression::Call(callee, arguments) => match &**callee {
            Expression::Name(name) => is_constant(name, arguments),
            _ => false,
        },
        Expression::Const(Json::String(_) | Json::Number(_)) => true,
        other => is_config_value(other),
    }
}

fn is_constant(function: &str, arguments: &Arguments) -> bool {
    let Arguments { positional, keyword, star, double_star } = arguments;
    let is_text = |value: &Expression| matches!(value, Expression::Const(Json::String(_)));
    let is_version = |value: &Expression| matches!(value, Expression::Const(Json::String(_) | Json::Number(_)));
    if star.is_some() || double_star.is_some() {
        return false;
    }
    match function {
        "ref" => {
            let version = match keyword.as_slice() {
                [] => true,
                [(key, value)] => matches!(key.as_str(), "v" | "version") && is_version(value),
                _ => false,
            };
            version && matches!(positional.len(), 1 | 2) && positional.iter().all(is_text)
        }
        "source" => {
            let named = ["source_name", "table_name"];
            let expected = named.iter().skip(positional.len());
            positional.len() + keyword.len() == 2
                && positional.iter().all(is_text)
                && keyword.iter().zip(expected).all(|((key, value), name)| key == name && is_text(value))
        }
        "config" => {
            let plain = |key: &str| !matches!(key, "pre_hook" | "post_hook");
            positional.is_empty()
                && !keyword.is_empty()
                && keyword.iter().all(|(key, value)| plain(key) && is_config_value(value))
        }
        _ => false,
    }
}

/// Texts, `True` and `False`, and lists and maps of such.
fn is_config_value(value: &Expression) -> bool {
    match value {
        Expression::Const(Json::String(_) | Json::Bool(_)) => true,
        Expression::List(items) => items.iter().all(is_config_value),
        Expression::Dict(pairs) => {
            pairs.iter().all(|(key, value)| matches!(key, Expression::Const(Json::String(_))) && is_config_value(value))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn static_texts_are_told_from_others() {
        let yes = [
            "select 1",
            "{{ ref('a') }} {{ ref('p', \"a\", v=1) }} {# {{ x }} #}",
            "{{ config(a='x', b=True, c=['y', {'k': [False]}], d={}) }} {{ source('a', table_name='b') }}",
            "{{ config(a=\"{{ this }}\")}}",
            "{{ 'a' }} }} x",
        ];
        let no = [
            "{{ config(a=3) }}",
            "{{ config(a=true) }}",
            "{{ config(pre_hook='x') }}",
            "{{- ref('a') }}",
            "{% if true %}{% endif %}",
            "{{ ref('a') | upper }}",
            "{{ ref(name='a') }}",
            "{{ ref('a', x=1) }}",
            "{{ var('a') }}",
            "{{ x }}",
            "{{ config() }}",
            "{{ open",
        ];
        for text in yes {
            assert!(is_static(text), "{text}");
        }
        for text in no {
            assert!(!is_static(text), "{text}");
        }
    }

    #[test]
    fn the_first_config_call_is_kept_as_written() {
        let text = "{# config(x=1) #}{{ config(a=1, b='x', c=True, d=none, e=[1,'y'], f={'k': var('z', 3)}, g=-1, h=1.50,\n \
                    i=x.y['z'], j=not a and b or c, k=a-b, l=x|upper, m='q' if t == 1 else 'r') }} {{ config(b='z') }}";
        let expected = json!({
            "a": "1", "b": "x", "c": "True", "d": "None", "e": "[1, 'y']", "f": "{'k': var('z', 3)}", "g": "-1", "h": "1.5",
            "i": "x.y['z']", "j": "not a and b or c",
            "k": "Sub(left=Name(name='a', ctx='load'), right=Name(name='b', ctx='load'))",
            "l": "Filter(node=Name(name='x', ctx='load'), name='upper', args=[], kwargs=[], dyn_args=None, dyn_kwargs=None)",
            "m": "CondExpr(test=Compare(expr=Name(name='t', ctx='load'), ops=[Operand(op='eq', expr=Const(value=1))]), \
                  expr1=Const(value='q'), expr2=Const(value='r'))",
        });
        assert_eq!(unrendered_config(text).map(Json::Object), Some(expected));
        assert_eq!(unrendered_config("{{ config({'a': 1}) }}"), None);
        assert_eq!(unrendered_config("{{ x.config(a=1) }}"), None);
    }
}
