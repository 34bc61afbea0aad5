//! `modules.re`.

use std::sync::Arc;

use fancy_regex::{Captures, Regex};
use minijinja::Value;

use super::named;
use crate::jinja::value::{Generator, Instance, downcast, function, instance, list, none, repr, text, tuple};
use crate::jinja::{Args, Cx, Error};

const IGNORE_CASE: i64 = 2;
const MULTI_LINE: i64 = 8;
const DOT_ALL: i64 = 16;
const VERBOSE: i64 = 64;

pub(super) fn module() -> Value {
    let flags = [
        ("I", IGNORE_CASE),
        ("IGNORECASE", IGNORE_CASE),
        ("M", MULTI_LINE),
        ("MULTILINE", MULTI_LINE),
        ("S", DOT_ALL),
        ("DOTALL", DOT_ALL),
        ("X", VERBOSE),
        ("VERBOSE", VERBOSE),
        ("A", 256),
        ("ASCII", 256),
        ("U", 32),
        ("UNICODE", 32),
        ("L", 4),
        ("LOCALE", 4),
        ("NOFLAG", 0),
    ];
    let functions = ["match", "fullmatch", "search", "findall", "finditer", "split", "sub", "subn"];
    let call = |name: &'static str| (name, function(name, move |cx, args| on_text(cx, name, args)));
    let others = [
        ("compile", function("compile", |_, args| Ok(instance(compile(&args, 1)?)))),
        ("purge", function("purge", |_, _| Ok(none()))),
        ("escape", function("escape", |_, args| Ok(Value::from(escape(&args.text(0, "pattern").unwrap_or_default()))))),
    ];
    let flags = flags.into_iter().map(|(name, flag)| (name, Value::from(flag)));
    super::module("re", functions.into_iter().map(call).chain(others).chain(flags))
}

/// `re.match(pattern, string, …)` and its like.
fn on_text(cx: &mut Cx<'_>, name: &'static str, mut args: Args) -> Result<Value, Error> {
    // Flags come last: after the count of sub and split, after the text of the others.
    let flags_at = match name {
        "sub" | "subn" => 4,
        "split" => 3,
        _ => 2,
    };
    let pattern = compile(&args, flags_at)?;
    args.keyword.shift_remove("flags");
    args.keyword.shift_remove("pattern");
    if !args.positional.is_empty() {
        args.positional.remove(0);
    }
    args.positional.truncate(flags_at - 1);
    pattern.run(cx, name, &args)
}

/// Where each group of a match stands; the first is the whole.
type Groups = Vec<Option<(usize, usize)>>;

/// A compiled pattern.
#[derive(Debug)]
struct Pattern {
    source: String,
    flags: i64,
    regex: Regex,
}

fn compile(args: &Args, flags_at: usize) -> Result<Arc<Pattern>, Error> {
    let pattern = args.required("compile", 0, "pattern")?;
    if let Some(compiled) = downcast::<Pattern>(pattern) {
        return Ok(compiled);
    }
    let source = text(pattern);
    let flags = args.whole(flags_at, "flags")?.unwrap_or_default();
    let mut options = String::new();
    for (flag, letter) in [(IGNORE_CASE, 'i'), (MULTI_LINE, 'm'), (DOT_ALL, 's'), (VERBOSE, 'x')] {
        if flags & flag != 0 {
            options.push(letter);
        }
    }
    let translated = translate(&source);
    let full = if options.is_empty() { translated } else { format!("(?{options}){translated}") };
    match Regex::new(&full) {
        Ok(regex) => Ok(Arc::new(Pattern { source, flags, regex })),
        Err(error) => Err(Error::compilation(format!("'{source}' is not a regular expression: {error}"))),
    }
}

/// Python's spelling of what Rust spells otherwise.
fn translate(source: &str) -> String {
    let mut out = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        let code = rest[at + 1..].chars().next();
        match code {
            Some('Z') => out.push_str("\\z"),
            Some(code) => {
                out.push('\\');
                out.push(code);
            }
            None => out.push('\\'),
        }
        rest = &rest[at + 1 + code.map_or(0, char::len_utf8)..];
    }
    out.push_str(rest);
    out
}

fn escape(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len());
    for character in pattern.chars() {
        if "()[]{}?*+-|^$\\.&~# \t\n\r\u{b}\u{c}".contains(character) {
            out.push('\\');
        }
        out.push(character);
    }
    out
}

impl Pattern {
    fn captures<'t>(&self, subject: &'t str, from: usize) -> Result<Option<Captures<'t, str>>, Error> {
        self.regex.captures_from_pos(subject, from).map_err(|error| Error::compilation(error.to_string()))
    }

    /// All matches from left to right, as (start, end) of each group.
    fn all(&self, subject: &str) -> Result<Vec<Groups>, Error> {
        let mut found = Vec::new();
        for captures in self.regex.captures_iter(subject) {
            let captures = captures.map_err(|error| Error::compilation(error.to_string()))?;
            found.push(spans(&captures));
        }
        Ok(found)
    }

    fn matched(self: &Arc<Self>, subject: &Arc<str>, groups: Groups) -> Value {
        instance(Arc::new(Match { pattern: self.clone(), subject: subject.clone(), groups }))
    }

    fn run(self: &Arc<Self>, cx: &mut Cx<'_>, name: &str, args: &Args) -> Result<Value, Error> {
        if matches!(name, "sub" | "subn") {
            return self.substitute(cx, name, args);
        }
        let subject = args.required(name, 0, "string")?;
        let subject: Arc<str> = match subject.as_str() {
            Some(subject) => subject.into(),
            None => return Err(Error::compilation("expected string or bytes-like object")),
        };
        match name {
            "search" | "match" | "fullmatch" => {
                let found = self.anchored(&subject, name)?;
                Ok(found.map_or_else(none, |groups| self.matched(&subject, groups)))
            }
            "finditer" => {
                let all = self.all(&subject)?.into_iter().map(|groups| self.matched(&subject, groups)).collect();
                Ok(Generator::value("finditer", all))
            }
            "findall" => {
                let part = |span: &Option<(usize, usize)>| span.map_or("", |(start, end)| &subject[start..end]);
                let item = |groups: Groups| match groups.as_slice() {
                    [whole] => Value::from(part(whole)),
                    [_, only] => Value::from(part(only)),
                    [_, many @ ..] => tuple(many.iter().map(|span| Value::from(part(span))).collect()),
                    [] => Value::from(""),
                };
                Ok(list(self.all(&subject)?.into_iter().map(item).collect()))
            }
            "split" => {
                let most = usize::try_from(args.whole(1, "maxsplit")?.unwrap_or_default()).unwrap_or_default();
                self.split(&subject, most)
            }
            _ => Err(Error::missing_method("re.Pattern", name)),
        }
    }

    /// `search` anywhere, `match` at the start, `fullmatch` to the end as well.
    fn anchored(&self, subject: &str, name: &str) -> Result<Option<Groups>, Error> {
        if name == "search" {
            return Ok(self.captures(subject, 0)?.map(|captures| spans(&captures)));
        }
        let end = if name == "fullmatch" { "\\z" } else { "" };
        let anchored = format!("\\A(?:{}){end}", self.regex.as_str());
        let regex = Regex::new(&anchored).map_err(|error| Error::compilation(error.to_string()))?;
        let found = regex.captures(subject).map_err(|error| Error::compilation(error.to_string()))?;
        Ok(found.map(|captures| spans(&captures)))
    }

    fn split(&self, subject: &str, most: usize) -> Result<Value, Error> {
        let (mut parts, mut at) = (Vec::new(), 0);
        for (number, groups) in self.all(subject)?.into_iter().enumerate() {
            if most > 0 && number >= most {
                break;
            }
            let Some(Some((start, end))) = groups.first().copied() else { continue };
            parts.push(Value::from(&subject[at..start]));
            let group = |span: &Option<(usize, usize)>| span.map_or_else(none, |(from, to)| Value::from(&subject[from..to]));
            parts.extend(groups.iter().skip(1).map(group));
            at = end;
        }
        parts.push(Value::from(&subject[at..]));
        Ok(list(parts))
    }

    fn substitute(self: &Arc<Self>, cx: &mut Cx<'_>, name: &str, args: &Args) -> Result<Value, Error> {
        let replacement = args.required(name, 0, "repl")?.clone();
        let subject: Arc<str> = text(args.required(name, 1, "string")?).into();
        let most = usize::try_from(args.whole(2, "count")?.unwrap_or_default()).unwrap_or_default();
        let template = replacement.as_str().map(str::to_owned);
        let (mut out, mut at, mut count) = (String::new(), 0, 0_usize);
        for groups in self.all(&subject)? {
            if most > 0 && count >= most {
                break;
            }
            let Some(Some((start, end))) = groups.first().copied() else { continue };
            out.push_str(&subject[at..start]);
            if let Some(template) = &template {
                self.expand(&mut out, template, &subject, &groups)?;
            } else {
                let matched = self.matched(&subject, groups);
                out.push_str(&text(&cx.call(&replacement, Args::new(vec![matched]))?));
            }
            at = end;
            count += 1;
        }
        out.push_str(&subject[at..]);
        Ok(if name == "subn" { tuple(vec![Value::from(out), Value::from(count)]) } else { Value::from(out) })
    }

    /// A replacement with `\1`, `\g<name>` and escapes.
    fn expand(&self, out: &mut String, template: &str, subject: &str, groups: &[Option<(usize, usize)>]) -> Result<(), Error> {
        let push = |out: &mut String, number: usize| match groups.get(number) {
            Some(span) => {
                out.push_str(span.map_or("", |(start, end)| &subject[start..end]));
                Ok(())
            }
            None => Err(Error::compilation(format!("invalid group reference {number}"))),
        };
        let mut rest = template;
        while let Some(at) = rest.find('\\') {
            out.push_str(&rest[..at]);
            rest = &rest[at + 1..];
            let digits = rest.bytes().take(2).take_while(u8::is_ascii_digit).count();
            if digits > 0 {
                push(out, rest[..digits].parse().unwrap_or_default())?;
                rest = &rest[digits..];
            } else if let Some((reference, after)) = rest.strip_prefix("g<").and_then(|rest| rest.split_once('>')) {
                push(out, self.group_number(reference)?)?;
                rest = after;
            } else {
                let Some(code) = rest.chars().next() else { break };
                match code {
                    'n' => out.push('\n'),
                    't' => out.push('\t'),
                    'r' => out.push('\r'),
                    '\\' => out.push('\\'),
                    other => out.extend(['\\', other]),
                }
                rest = &rest[code.len_utf8()..];
            }
        }
        out.push_str(rest);
        Ok(())
    }

    fn group_number(&self, reference: &str) -> Result<usize, Error> {
        if let Ok(number) = reference.parse() {
            return Ok(number);
        }
        let found = self.regex.capture_names().position(|name| name == Some(reference));
        found.ok_or_else(|| Error::compilation(format!("unknown group name '{reference}'")))
    }
}

fn spans(captures: &Captures<'_, str>) -> Groups {
    captures.iter().map(|group| group.map(|group| (group.start(), group.end()))).collect()
}

impl Instance for Pattern {
    fn type_name(&self) -> &'static str {
        "re.Pattern"
    }

    fn attribute(&self, name: &str) -> Option<Value> {
        match name {
            "pattern" => Some(Value::from(self.source.as_str())),
            "flags" => Some(Value::from(self.flags | 32)),
            "groups" => Some(Value::from(self.regex.captures_len().saturating_sub(1))),
            _ => None,
        }
    }

    fn call_method(&self, cx: &mut Cx<'_>, name: &str, args: Args) -> Result<Value, Error> {
        let shared = Arc::new(Self { source: self.source.clone(), flags: self.flags, regex: self.regex.clone() });
        shared.run(cx, name, &args)
    }

    fn text(&self) -> String {
        format!("re.compile({})", repr(&Value::from(self.source.as_str())))
    }

    fn repr(&self) -> String {
        self.text()
    }
}

/// What a pattern found.
#[derive(Debug)]
struct Match {
    pattern: Arc<Pattern>,
    subject: Arc<str>,
    groups: Groups,
}

impl Match {
    fn group(&self, number: usize) -> Result<Value, Error> {
        match self.groups.get(number) {
            Some(Some((start, end))) => Ok(Value::from(&self.subject[*start..*end])),
            Some(None) => Ok(none()),
            None => Err(Error::compilation("no such group")),
        }
    }

    fn number(&self, reference: Option<&Value>) -> Result<usize, Error> {
        match reference {
            None => Ok(0),
            Some(reference) => self.pattern.group_number(&text(reference)),
        }
    }

    /// A place in characters.
    fn place(&self, reference: Option<&Value>, end: bool) -> Result<Value, Error> {
        match self.groups.get(self.number(reference)?) {
            Some(Some(span)) => {
                let at = if end { span.1 } else { span.0 };
                Ok(Value::from(self.subject[..at].chars().count()))
            }
            Some(None) => Ok(Value::from(-1)),
            None => Err(Error::compilation("no such group")),
        }
    }

    /// Groups that took no part, with what stands for them.
    fn all(&self, args: &Args) -> Vec<Value> {
        let default = args.get(0, "default").cloned().unwrap_or_else(none);
        let numbers = 1..self.groups.len();
        numbers
            .map(|number| self.group(number).ok().filter(|value| !value.is_none()).unwrap_or_else(|| default.clone()))
            .collect()
    }
}

impl Instance for Match {
    fn type_name(&self) -> &'static str {
        "re.Match"
    }

    fn attribute(&self, name: &str) -> Option<Value> {
        match name {
            "string" => Some(Value::from(&*self.subject)),
            "lastindex" => {
                let last = self.groups.iter().rposition(Option::is_some).filter(|at| *at > 0);
                Some(last.map_or_else(none, Value::from))
            }
            _ => None,
        }
    }

    fn item(&self, key: &Value) -> Option<Value> {
        self.group(self.number(Some(key)).ok()?).ok()
    }

    fn call_method(&self, _cx: &mut Cx<'_>, name: &str, args: Args) -> Result<Value, Error> {
        match name {
            "group" => match args.positional.as_slice() {
                [] => self.group(0),
                [only] => self.group(self.number(Some(only))?),
                many => {
                    let parts: Result<Vec<Value>, Error> =
                        many.iter().map(|reference| self.group(self.number(Some(reference))?)).collect();
                    Ok(tuple(parts?))
                }
            },
            "groups" => Ok(tuple(self.all(&args))),
            "groupdict" => {
                let names = self.pattern.regex.capture_names().skip(1).zip(self.all(&args));
                Ok(named(names.filter_map(|(name, value)| Some((name?.to_owned(), value))).collect()))
            }
            "start" => self.place(args.positional.first(), false),
            "end" => self.place(args.positional.first(), true),
            "span" => {
                let reference = args.positional.first();
                Ok(tuple(vec![self.place(reference, false)?, self.place(reference, true)?]))
            }
            "expand" => {
                let mut out = String::new();
                let template = args.text(0, "template").unwrap_or_default();
                self.pattern.expand(&mut out, &template, &self.subject, &self.groups)?;
                Ok(Value::from(out))
            }
            _ => Err(Error::missing_method(self.type_name(), name)),
        }
    }

    fn text(&self) -> String {
        let whole = self.group(0).unwrap_or_default();
        let (start, end) = (self.place(None, false).unwrap_or_default(), self.place(None, true).unwrap_or_default());
        format!("<re.Match object; span=({start}, {end}), match={}>", repr(&whole))
    }

    fn repr(&self) -> String {
        self.text()
    }
}
