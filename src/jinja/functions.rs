//! The parts of dbt's context that are the same in every phase.

use std::collections::HashMap;
use std::fmt::Write;
use std::sync::{Arc, LazyLock};

use md5::{Digest, Md5};
use minijinja::Value;
use minijinja::value::Kwargs;

use super::filters::json_text;
use super::methods::mapping_pairs;
use super::value::{
    Dict, Generator, Instance, Range, Set, dict, from_json, function, instance, is_defined, items, list, none, text, to_json,
    tuple, type_name,
};
use super::{Args, Cx, Error, Message, exceptions, modules};
use crate::manifest::Json;

/// The names that [`named`] knows.
pub(super) const NAMES: [&str; 27] = [
    "return",
    "log",
    "print",
    "exceptions",
    "modules",
    "tojson",
    "fromjson",
    "toyaml",
    "fromyaml",
    "set",
    "set_strict",
    "zip",
    "zip_strict",
    "local_md5",
    "diff_of_two_dicts",
    "try_or_compiler_error",
    "range",
    "dict",
    "namespace",
    "cycler",
    "joiner",
    "lipsum",
    "otel_trace_id",
    "otel_span_id",
    "adapter_macro",
    "context",
    "builtins",
];

type Functions = HashMap<&'static str, Value>;

static FUNCTIONS: LazyLock<Functions> = LazyLock::new(functions);

/// A function or object of the engine's own, by its name in dbt's context.
pub(super) fn named(name: &str) -> Option<Value> {
    FUNCTIONS.get(name).cloned()
}

fn functions() -> Functions {
    let mut all = Functions::new();
    let mut add = |name: &'static str, body: fn(&mut Cx<'_>, &Args) -> Result<Value, Error>| {
        all.insert(name, function(name, move |cx, args| body(cx, &args)));
    };
    add("return", |_, args| Err(Error::returning(args.get(0, "data").cloned().unwrap_or_else(none))));
    add("log", log);
    add("print", |cx, args| message(cx, Message::Print(text(args.required("print", 0, "msg")?))));
    add("tojson", to_json_text);
    add("fromjson", |_, args| {
        let source = text(args.required("fromjson", 0, "string")?);
        Ok(serde_json::from_str::<Json>(&source).map_or_else(|_| default(args), |json| from_json(&json)))
    });
    add("toyaml", to_yaml_text);
    add("fromyaml", |_, args| {
        let source = text(args.required("fromyaml", 0, "value")?);
        Ok(modules::yaml::read(&source).unwrap_or_else(|| default(args)))
    });
    add("set", |_, args| {
        let found = items(args.required("set", 0, "value")?);
        Ok(found.map_or_else(|| default(args), |items| Value::from_object(Set::new(items))))
    });
    add("set_strict", |_, args| {
        let value = args.required("set_strict", 0, "value")?;
        let items = items(value).ok_or_else(|| {
            let name = type_name(value);
            Error::compilation(format!("The value passed to the set_strict macro is invalid: '{name}' object is not iterable"))
        })?;
        Ok(Value::from_object(Set::new(items)))
    });
    add("zip", |_, args| Ok(zip(&args.positional).unwrap_or_else(|_| args.keyword.get("default").cloned().unwrap_or_else(none))));
    add("zip_strict", |_, args| zip(&args.positional));
    add("local_md5", |_, args| {
        let digest = Md5::digest(text(args.required("local_md5", 0, "value")?).as_bytes());
        let hex = digest.iter().fold(String::with_capacity(32), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        });
        Ok(Value::from(hex))
    });
    add("diff_of_two_dicts", |_, args| diff_of_two_dicts(args));
    add("try_or_compiler_error", try_or_compiler_error);
    add("range", |_, args| range(args));
    add("namespace", namespace);
    add("cycler", |_, args| {
        if args.positional.is_empty() {
            return Err(Error::compilation("at least one item has to be provided"));
        }
        Ok(instance(Arc::new(modules::cycle::Cycler::new(args.positional.clone()))))
    });
    add("joiner", |_, args| {
        let separator = args.get(0, "sep").cloned().unwrap_or_else(|| Value::from(", "));
        Ok(instance(Arc::new(modules::cycle::Joiner::new(separator))))
    });
    add("lipsum", |_, args| Ok(Value::from(modules::cycle::lipsum(args.whole(0, "n")?.unwrap_or(5)))));
    add("otel_trace_id", |_, _| Ok(Value::from("0".repeat(32))));
    add("otel_span_id", |_, _| Ok(Value::from("0".repeat(16))));
    add("adapter_macro", |_, args| {
        let name = args.text(0, "name").unwrap_or_default();
        Err(Error::compilation(format!(
            "\"adapter_macro\" is no longer there: find the macro with `adapter.dispatch` and call what it gives. \
             adapter_macro was called for: {name}"
        )))
    });
    all.insert("dict", instance(Arc::new(DictClass)));
    all.insert("exceptions", exceptions::exceptions());
    all.insert("modules", modules::modules());
    all
}

/// Python's `dict`.
#[derive(Debug)]
struct DictClass;

impl Instance for DictClass {
    fn type_name(&self) -> &'static str {
        "type"
    }

    fn text(&self) -> String {
        "<class 'dict'>".to_owned()
    }

    fn is_callable(&self) -> bool {
        true
    }

    fn call(&self, _cx: &mut Cx<'_>, args: Args) -> Result<Value, Error> {
        let mut pairs = args.positional.first().map(mapping_pairs).transpose()?.unwrap_or_default();
        pairs.extend(args.keyword.into_iter().map(|(name, value)| (Value::from(name), value)));
        Ok(Value::from_object(Dict::new(pairs)))
    }

    fn call_method(&self, cx: &mut Cx<'_>, name: &str, args: Args) -> Result<Value, Error> {
        match name {
            "fromkeys" => cx.call_method(&dict::<&str>([]), name, args),
            _ => Err(Error::missing_method(self.type_name(), name)),
        }
    }
}

fn default(args: &Args) -> Value {
    args.get(1, "default").cloned().unwrap_or_else(none)
}

fn message(cx: &Cx<'_>, message: Message) -> Result<Value, Error> {
    if let Some(host) = cx.host() {
        host.message(message)?;
    }
    Ok(Value::from(""))
}

fn log(cx: &mut Cx<'_>, args: &Args) -> Result<Value, Error> {
    args.only("log", &["msg", "info"])?;
    let said = text(args.required("log", 0, "msg")?);
    let info = args.truth(1, "info").unwrap_or_default();
    message(cx, if info { Message::Info(said) } else { Message::Debug(said) })
}

fn to_json_text(_cx: &mut Cx<'_>, args: &Args) -> Result<Value, Error> {
    let value = args.required("tojson", 0, "value")?;
    let json = to_json(value)?;
    let sorted = args.truth(2, "sort_keys").unwrap_or_default();
    Ok(Value::from(json_text(&json, sorted, None)))
}

fn to_yaml_text(_cx: &mut Cx<'_>, args: &Args) -> Result<Value, Error> {
    let value = args.required("toyaml", 0, "value")?;
    let Ok(json) = to_json(value) else { return Ok(default(args)) };
    let sorted = args.truth(2, "sort_keys").unwrap_or_default();
    Ok(Value::from(modules::yaml::write(&json, sorted)))
}

fn zip(iterables: &[Value]) -> Result<Value, Error> {
    let mut columns = Vec::with_capacity(iterables.len());
    for (at, iterable) in iterables.iter().enumerate() {
        let items = items(iterable).ok_or_else(|| {
            let name = type_name(iterable);
            Error::compilation(format!("zip argument #{} must support iteration, got '{name}'", at + 1))
        })?;
        columns.push(items.into_iter());
    }
    let mut rows = Vec::new();
    while !columns.is_empty() {
        let row: Vec<Value> = columns.iter_mut().map_while(Iterator::next).collect();
        if row.len() < columns.len() {
            break;
        }
        rows.push(tuple(row));
    }
    Ok(Generator::value("zip", rows))
}

/// What of `dict_a` is not in `dict_b`, whatever the case of keys and items.
fn diff_of_two_dicts(args: &Args) -> Result<Value, Error> {
    let (a, b) = (args.required("diff_of_two_dicts", 0, "dict_a")?, args.required("diff_of_two_dicts", 1, "dict_b")?);
    let lower = |value: &Value| text(value).to_lowercase();
    let known: HashMap<String, Vec<String>> = mapping_pairs(b)?
        .iter()
        .map(|(key, value)| (lower(key), items(value).unwrap_or_default().iter().map(lower).collect()))
        .collect();
    let mut kept = Vec::new();
    for (key, value) in mapping_pairs(a)? {
        let Some(without) = known.get(&lower(&key)) else {
            kept.push((key, value));
            continue;
        };
        let left: Vec<Value> =
            items(&value).unwrap_or_default().into_iter().filter(|item| !without.contains(&lower(item))).collect();
        if !left.is_empty() {
            kept.push((key, list(left)));
        }
    }
    Ok(dict(kept))
}

/// `try_or_compiler_error(message, function, *args, **kwargs)`.
fn try_or_compiler_error(cx: &mut Cx<'_>, args: &Args) -> Result<Value, Error> {
    let said = text(args.required("try_or_compiler_error", 0, "message_if_exception")?);
    let callee = args.required("try_or_compiler_error", 1, "func")?.clone();
    let rest = Args { positional: args.positional.iter().skip(2).cloned().collect(), keyword: args.keyword.clone() };
    cx.call(&callee, rest).map_err(|_| Error::compilation(said))
}

fn range(args: &Args) -> Result<Value, Error> {
    let bound = |at: usize| -> Result<i64, Error> { Ok(args.whole(at, "")?.unwrap_or_default()) };
    let (start, stop, step) = match args.positional.len() {
        0 => return Err(Error::compilation("range expected at least 1 argument, got 0")),
        1 => (0, bound(0)?, 1),
        2 => (bound(0)?, bound(1)?, 1),
        _ => (bound(0)?, bound(1)?, bound(2)?),
    };
    if step == 0 {
        return Err(Error::compilation("range() arg 3 must not be zero"));
    }
    let range = Range { start, stop, step };
    if range.len() > 10_000_000 {
        return Err(Error::compilation(format!("{range} is too long to loop over")));
    }
    Ok(Value::from_object(range))
}

/// minijinja's own namespace object, the only one that `{% set namespace.name = … %}` takes.
fn namespace(cx: &mut Cx<'_>, args: &Args) -> Result<Value, Error> {
    static NATIVE: LazyLock<Value> = LazyLock::new(|| Value::from_function(minijinja::functions::namespace));
    let mut pairs = args.positional.first().filter(|value| is_defined(value)).map(mapping_pairs).transpose()?.unwrap_or_default();
    pairs.extend(args.keyword.iter().map(|(name, value)| (Value::from(name.as_str()), value.clone())));
    let keywords: Kwargs = pairs.into_iter().map(|(name, value)| (text(&name), value)).collect();
    cx.call(&NATIVE, Args::new(vec![Value::from(keywords)]))
}
