//! Jinja2's filters, and dbt's.

mod convert;
mod number;
mod sequence;
mod text;

use minijinja::value::{Rest, ValueOrKwargs};
use minijinja::{Environment, State, Value};

use super::value::{attribute, is_defined, item};
use super::{Args, Cx, Error};

pub(super) use convert::{fill_taken, json_text, native_value};
pub(super) use sequence::sort_by_key;

/// A filter: its subject is the first positional argument.
type Filter = fn(&mut Cx<'_>, &Args) -> Result<Value, Error>;

const TABLES: [&[(&str, Filter)]; 4] = [text::FILTERS, number::FILTERS, sequence::FILTERS, convert::FILTERS];

pub(super) fn register(environment: &mut Environment<'static>) {
    for (name, filter) in TABLES.into_iter().flatten() {
        environment.add_filter(*name, move |state: &mut State<'_, '_>, args: Rest<ValueOrKwargs>| {
            let values: Vec<Value> = args.0.into_iter().map(ValueOrKwargs::into_value).collect();
            filter(&mut Cx::new(state), &Args::from_values(&values)).map_err(minijinja::Error::from)
        });
    }
}

/// For `name is filter`.
pub(super) fn is_known(name: &str) -> bool {
    TABLES.into_iter().flatten().any(|(known, _)| *known == name && !known.starts_with('_'))
}

/// The arguments after the first `count`, as the arguments of what a filter applies.
fn after(args: &Args, count: usize) -> Args {
    Args { positional: args.positional.iter().skip(count).cloned().collect(), keyword: args.keyword.clone() }
}

/// The attribute that a filter like `map(attribute='a.b')` looks at.
struct Path(Vec<Value>);

impl Path {
    /// From a dotted name or a whole number.
    fn new(attribute: &Value) -> Self {
        let Some(dotted) = attribute.as_str() else { return Self(vec![attribute.clone()]) };
        let step = |part: &str| part.parse::<i64>().map_or_else(|_| Value::from(part), Value::from);
        Self(dotted.split('.').map(step).collect())
    }

    /// Items come before attributes, as in Jinja2. What is missing is undefined, or the default if one is given.
    fn of(&self, value: &Value, default: Option<&Value>) -> Result<Value, Error> {
        let mut found = value.clone();
        for step in &self.0 {
            let item = item(&found, step)?;
            found = match step.as_str() {
                Some(name) if !is_defined(&item) => attribute(&found, name).ok().filter(is_defined).unwrap_or(item),
                _ => item,
            };
            if !is_defined(&found)
                && let Some(default) = default
            {
                return Ok(default.clone());
            }
        }
        Ok(found)
    }
}

/// A text that is compared without regard to case.
fn folded(value: Value) -> Value {
    match value.as_str() {
        Some(text) => Value::from(text.to_lowercase()),
        None => value,
    }
}
