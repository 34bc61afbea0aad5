//! Names and attributes that are not there: Jinja2's `Undefined`, and the one dbt parses with.

use std::sync::Arc;

use minijinja::value::{Enumerator, Object, ObjectRepr};
use minijinja::{State, Value};

use super::repr;
use crate::jinja::render::captures;
use crate::jinja::{Error, ErrorKind};

/// What stands for something that is not there. It prints as nothing and is false; using it is an error that tells what was
/// missing, but while a render captures, it gives itself for every attribute, item and call.
#[derive(Debug)]
pub struct Undefined {
    message: Arc<str>,
}

impl Undefined {
    /// A name that nobody defines.
    pub(crate) fn name(name: &str) -> Value {
        Self::saying(&format!("'{name}' is undefined"))
    }

    /// With a message of its own.
    pub(crate) fn saying(message: &str) -> Value {
        Value::from_object(Self { message: message.into() })
    }

    /// An item or attribute that an object of that type does not have.
    pub(crate) fn missing(type_name: &str, key: &Value) -> Value {
        let message = match key.as_str() {
            Some(name) => format!("'{type_name}' has no attribute '{name}'"),
            None => format!("{type_name} has no element {}", repr(key)),
        };
        Self::saying(&message)
    }

    pub fn message(&self) -> &str {
        &self.message
    }

    fn error(&self) -> minijinja::Error {
        Error::new(ErrorKind::Undefined, self.message.to_string()).into()
    }
}

/// What was missing, if that value stands for something missing.
pub(crate) fn undefined_message(value: &Value) -> Option<String> {
    if value.is_undefined() {
        return Some("the value is undefined".to_owned());
    }
    value.downcast_object_ref::<Undefined>().map(|undefined| undefined.message.to_string())
}

/// False for what stands for a missing name, attribute or item.
pub fn is_defined(value: &Value) -> bool {
    !value.is_undefined() && value.downcast_object_ref::<Undefined>().is_none()
}

impl Object for Undefined {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Iterable
    }

    fn get_value(self: &Arc<Self>, _key: &Value) -> Option<Value> {
        Some(if captures() { Value::from_dyn_object(self.clone()) } else { Value::from(self.error()) })
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Empty
    }

    fn is_true(self: &Arc<Self>) -> bool {
        false
    }

    fn call(self: &Arc<Self>, _state: &mut State<'_, '_>, _args: &[Value]) -> Result<Value, minijinja::Error> {
        if captures() { Ok(Value::from_dyn_object(self.clone())) } else { Err(self.error()) }
    }

    fn call_method(
        self: &Arc<Self>,
        state: &mut State<'_, '_>,
        _method: &str,
        _args: &[Value],
    ) -> Result<Value, minijinja::Error> {
        self.call(state, &[])
    }

    fn render(self: &Arc<Self>, _out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        Ok(())
    }
}
