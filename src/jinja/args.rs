//! Arguments of a call, as Python takes them apart.

use indexmap::IndexMap;
use minijinja::Value;
use minijinja::value::Kwargs;

use super::value::{is_defined, text};
use super::{Error, ErrorKind};

/// Arguments of a call from Jinja: keywords taken apart from positional ones.
#[derive(Debug, Clone, Default)]
pub struct Args {
    pub positional: Vec<Value>,
    pub keyword: IndexMap<String, Value>,
}

impl Args {
    pub fn new(positional: Vec<Value>) -> Self {
        Self { positional, keyword: IndexMap::new() }
    }

    #[must_use]
    pub fn with(mut self, name: &str, value: Value) -> Self {
        self.keyword.insert(name.to_owned(), value);
        self
    }

    /// The argument at that position or of that name, as a Python signature would bind it; None when absent.
    pub fn get(&self, position: usize, name: &str) -> Option<&Value> {
        self.positional.get(position).or_else(|| self.keyword.get(name))
    }

    /// The same, but Python's `None` and undefined values count as absent.
    pub fn given(&self, position: usize, name: &str) -> Option<&Value> {
        self.get(position, name).filter(|value| !value.is_none() && is_defined(value))
    }

    /// The argument as text, if it is given.
    pub fn text(&self, position: usize, name: &str) -> Option<String> {
        self.given(position, name).map(text)
    }

    /// Whether the argument is given and true.
    pub fn truth(&self, position: usize, name: &str) -> Option<bool> {
        self.get(position, name).map(Value::is_true)
    }

    /// The argument, or Python's error for a missing one.
    pub fn required(&self, function: &str, position: usize, name: &str) -> Result<&Value, Error> {
        self.get(position, name)
            .ok_or_else(|| Error::compilation(format!("{function}() missing 1 required positional argument: '{name}'")))
    }

    /// Checks against a signature without `*args` and `**kwargs`: too many, or unknown, arguments are an error.
    pub fn only(&self, function: &str, parameters: &[&str]) -> Result<(), Error> {
        if self.positional.len() > parameters.len() {
            let (takes, given) = (parameters.len(), self.positional.len());
            let message = format!("{function}() takes {takes} positional arguments but {given} were given");
            return Err(Error::compilation(message));
        }
        let unknown = |name: &&String| !parameters.contains(&name.as_str());
        match self.keyword.keys().find(unknown) {
            Some(name) => Err(Error::compilation(format!("{function}() got an unexpected keyword argument '{name}'"))),
            None => Ok(()),
        }
    }

    /// From the values of a call, where keywords come last, in one.
    pub(crate) fn from_values(values: &[Value]) -> Self {
        let (positional, keywords) = match values.split_last() {
            Some((last, rest)) if last.is_kwargs() => (rest, Some(last)),
            _ => (values, None),
        };
        let pairs = keywords.and_then(|keywords| keywords.as_object()?.try_iter_pairs());
        let keyword = pairs.into_iter().flatten().map(|(name, value)| (text(&name), value)).collect();
        Self { positional: positional.to_vec(), keyword }
    }

    pub(crate) fn into_values(self) -> Vec<Value> {
        let mut values = self.positional;
        if !self.keyword.is_empty() {
            values.push(Value::from(self.keyword.into_iter().collect::<Kwargs>()));
        }
        values
    }

    /// The first argument, of a filter its subject.
    pub(crate) fn subject(&self) -> &Value {
        const MISSING: &Value = &Value::UNDEFINED;
        self.positional.first().unwrap_or(MISSING)
    }

    /// A whole number, if given.
    pub(crate) fn whole(&self, position: usize, name: &str) -> Result<Option<i64>, Error> {
        let Some(value) = self.given(position, name) else { return Ok(None) };
        match i64::try_from(value.clone()) {
            Ok(number) => Ok(Some(number)),
            Err(_) => Err(Error::new(
                ErrorKind::Compilation,
                format!("'{}' object cannot be interpreted as an integer", super::value::type_name(value)),
            )),
        }
    }
}
