//! Filters of text.

use std::fmt::Write;

use minijinja::Value;

use super::{Filter, Path};
use crate::jinja::value::{items, pairs, text, write_text};
use crate::jinja::{Args, Cx, Error, format, methods};

pub(super) const FILTERS: &[(&str, Filter)] = &[
    ("upper", |_, args| Ok(Value::from(text(args.subject()).to_uppercase()))),
    ("lower", |_, args| Ok(Value::from(text(args.subject()).to_lowercase()))),
    ("capitalize", |_, args| Ok(Value::from(methods::capitalize(&text(args.subject()))))),
    ("title", |_, args| Ok(Value::from(title(&text(args.subject()))))),
    ("trim", |_, args| {
        let subject = text(args.subject());
        Ok(Value::from(match args.text(1, "chars") {
            Some(characters) => subject.trim_matches(|character| characters.contains(character)),
            None => subject.trim(),
        }))
    }),
    ("replace", replace),
    ("string", |_, args| {
        let subject = args.subject();
        Ok(if subject.as_str().is_some() { subject.clone() } else { Value::from(text(subject)) })
    }),
    ("safe", |_, args| Ok(args.subject().clone())),
    ("escape", |_, args| Ok(Value::from(escape(&text(args.subject()))))),
    ("e", |_, args| Ok(Value::from(escape(&text(args.subject()))))),
    ("forceescape", |_, args| Ok(Value::from(escape(&text(args.subject()))))),
    ("striptags", |_, args| Ok(Value::from(strip_tags(&text(args.subject()))))),
    ("format", |_, args| {
        let values = if args.keyword.is_empty() {
            crate::jinja::tuple(args.positional.iter().skip(1).cloned().collect())
        } else {
            crate::jinja::dict(args.keyword.iter().map(|(name, value)| (name.as_str(), value.clone())))
        };
        Ok(Value::from(format::percent(&text(args.subject()), &values)?))
    }),
    ("indent", indent),
    ("center", |_, args| {
        let subject = text(args.subject());
        let width = usize::try_from(args.whole(1, "width")?.unwrap_or(80)).unwrap_or_default().min(1_000_000);
        let missing = width.saturating_sub(subject.chars().count());
        let left = missing / 2 + (missing & width & 1);
        Ok(Value::from([" ".repeat(left), subject, " ".repeat(missing - left)].concat()))
    }),
    ("truncate", truncate),
    ("wordcount", |_, args| {
        let subject = text(args.subject());
        let words = subject.split(|character: char| !(character.is_alphanumeric() || character == '_'));
        Ok(Value::from(words.filter(|word| !word.is_empty()).count()))
    }),
    ("wordwrap", word_wrap),
    ("urlencode", |_, args| Ok(Value::from(url_encode(args)))),
    ("urlize", |_, args| Ok(Value::from(text(args.subject())))),
    ("xmlattr", xml_attributes),
    ("join", join),
];

fn title(subject: &str) -> String {
    let mut out = String::with_capacity(subject.len());
    let mut start = true;
    for character in subject.chars() {
        if start {
            out.extend(character.to_uppercase());
        } else {
            out.extend(character.to_lowercase());
        }
        start = character.is_whitespace() || "-({[<".contains(character);
    }
    out
}

fn replace(_cx: &mut Cx<'_>, args: &Args) -> Result<Value, Error> {
    let subject = text(args.subject());
    let (old, new) = (text(args.required("replace", 1, "old")?), text(args.required("replace", 2, "new")?));
    let replaced = match args.whole(3, "count")?.map(usize::try_from) {
        Some(Ok(count)) => subject.replacen(&old, &new, count),
        _ => subject.replace(&old, &new),
    };
    Ok(Value::from(replaced))
}

fn escape(subject: &str) -> String {
    let mut out = String::with_capacity(subject.len());
    for character in subject.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\'' => out.push_str("&#39;"),
            '"' => out.push_str("&#34;"),
            _ => out.push(character),
        }
    }
    out
}

fn strip_tags(subject: &str) -> String {
    let (mut out, mut within) = (String::new(), false);
    for character in subject.chars() {
        match character {
            '<' => within = true,
            '>' if within => within = false,
            _ if !within => out.push(character),
            _ => {}
        }
    }
    out.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn indent(_cx: &mut Cx<'_>, args: &Args) -> Result<Value, Error> {
    let subject = text(args.subject());
    let by = match args.given(1, "width") {
        None => " ".repeat(4),
        Some(value) => match value.as_str() {
            Some(text) => text.to_owned(),
            None => " ".repeat(usize::try_from(args.whole(1, "width")?.unwrap_or(4)).unwrap_or_default().min(1_000_000)),
        },
    };
    let (first, blank) = (args.truth(2, "first").unwrap_or_default(), args.truth(3, "blank").unwrap_or_default());
    let mut out = String::with_capacity(subject.len() + by.len() * 4);
    let ends = subject.ends_with('\n');
    for (at, line) in subject.lines().enumerate() {
        if at > 0 {
            out.push('\n');
        }
        if if at == 0 { first } else { blank || !line.is_empty() } {
            out.push_str(&by);
        }
        out.push_str(line);
    }
    if ends {
        out.push('\n');
        if blank {
            out.push_str(&by);
        }
    }
    Ok(Value::from(out))
}

fn truncate(_cx: &mut Cx<'_>, args: &Args) -> Result<Value, Error> {
    let subject = text(args.subject());
    let length = usize::try_from(args.whole(1, "length")?.unwrap_or(255)).unwrap_or_default();
    let kill = args.truth(2, "killwords").unwrap_or_default();
    let end = args.get(3, "end").map_or_else(|| "...".to_owned(), text);
    let leeway = usize::try_from(args.whole(4, "leeway")?.unwrap_or(5)).unwrap_or_default();
    let characters: Vec<char> = subject.chars().collect();
    if characters.len() <= length + leeway {
        return Ok(Value::from(subject));
    }
    let keep = length.saturating_sub(end.chars().count());
    let kept: String = characters.iter().take(keep).collect();
    let kept = if kill { kept.as_str() } else { kept.rsplit_once(' ').map_or(kept.as_str(), |(before, _)| before) };
    Ok(Value::from([kept, &end].concat()))
}

fn word_wrap(_cx: &mut Cx<'_>, args: &Args) -> Result<Value, Error> {
    let subject = text(args.subject());
    let width = usize::try_from(args.whole(1, "width")?.unwrap_or(79)).unwrap_or(79).max(1);
    let break_long = args.truth(2, "break_long_words").unwrap_or(true);
    let wrap = args.text(3, "wrapstring").unwrap_or_else(|| "\n".to_owned());
    let mut lines = Vec::new();
    for paragraph in subject.lines() {
        let mut line = String::new();
        for word in paragraph.split_whitespace() {
            let mut word = word.to_owned();
            let used = line.chars().count();
            if used > 0 && used + 1 + word.chars().count() > width {
                lines.push(std::mem::take(&mut line));
            } else if used > 0 {
                line.push(' ');
            }
            while break_long && line.is_empty() && word.chars().count() > width {
                lines.push(word.chars().take(width).collect());
                word = word.chars().skip(width).collect();
            }
            line.push_str(&word);
        }
        lines.push(line);
    }
    Ok(Value::from(lines.join(&wrap)))
}

fn url_quote(out: &mut String, text: &str, safe: &str) {
    for byte in text.bytes() {
        let character = char::from(byte);
        if byte.is_ascii_alphanumeric() || "_.-~".contains(character) || safe.contains(character) {
            // Within a query, a space is a plus.
            out.push(if character == ' ' { '+' } else { character });
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
}

fn url_encode(args: &Args) -> String {
    let subject = args.subject();
    let mut out = String::new();
    let listed = match pairs(subject) {
        Some(pairs) => Some(pairs),
        None if subject.as_str().is_none() && subject.as_object().is_some() => methods::mapping_pairs(subject).ok(),
        None => None,
    };
    match listed {
        Some(pairs) => {
            for (at, (key, value)) in pairs.iter().enumerate() {
                if at > 0 {
                    out.push('&');
                }
                url_quote(&mut out, &text(key), " ");
                out.push('=');
                url_quote(&mut out, &text(value), " ");
            }
        }
        None => url_quote(&mut out, &text(subject), "/"),
    }
    out
}

fn xml_attributes(_cx: &mut Cx<'_>, args: &Args) -> Result<Value, Error> {
    let pairs = methods::mapping_pairs(args.subject())?;
    let shown = |value: &Value| !value.is_none() && crate::jinja::is_defined(value);
    let written: Vec<String> = pairs
        .iter()
        .filter(|(_, value)| shown(value))
        .map(|(key, value)| format!("{}=\"{}\"", escape(&text(key)), escape(&text(value))))
        .collect();
    let space = if args.truth(1, "autospace").unwrap_or(true) && !written.is_empty() { " " } else { "" };
    Ok(Value::from(format!("{space}{}", written.join(" "))))
}

fn join(_cx: &mut Cx<'_>, args: &Args) -> Result<Value, Error> {
    let subject = args.subject();
    let separator = args.text(1, "d").unwrap_or_default();
    let Some(all) = items(subject) else { return Err(super::sequence::not_iterable(subject)) };
    let path = args.given(2, "attribute").map(Path::new);
    let mut out = String::new();
    for (at, item) in all.iter().enumerate() {
        if at > 0 {
            out.push_str(&separator);
        }
        match &path {
            Some(path) => out.push_str(&text(&path.of(item, None)?)),
            None => write_text(&mut out, item),
        }
    }
    Ok(Value::from(out))
}
