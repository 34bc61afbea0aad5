//! Functions and objects that Rust hands to Jinja.

use std::any::Any;
use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use minijinja::value::{Enumerator, Object, ObjectRepr};
use minijinja::{State, Value};

use super::Bound;
use super::undefined::Undefined;
use crate::jinja::render::captures;
use crate::jinja::{Args, Cx, Error};
use crate::manifest::Json;

/// An operator that an instance may answer to: see [`Instance::operate`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    FloorDivide,
    Modulo,
}

/// For [`downcast`]: implemented by every type.
pub trait AsAny {
    fn as_any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync>;
}

impl<T: Any + Send + Sync> AsAny for T {
    fn as_any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync> {
        self
    }
}

/// An object of Rust that Jinja sees: a relation, a column, a table, `adapter`, a date …
pub trait Instance: AsAny + fmt::Debug + Send + Sync + 'static {
    /// Python's class name, for messages: `DuckDBRelation`.
    fn type_name(&self) -> &str;

    /// `object.name`. None makes it undefined.
    fn attribute(&self, _name: &str) -> Option<Value> {
        None
    }

    /// `object[key]`: the attribute of that name, unless it is told otherwise. None makes it undefined.
    fn item(&self, key: &Value) -> Option<Value> {
        self.attribute(key.as_str()?)
    }

    /// Methods that may be taken as values, without a call: `{% set f = object.method %}`.
    fn methods(&self) -> &'static [&'static str] {
        &[]
    }

    /// `object.name(…)`: calls the attribute of that name, unless it is told otherwise.
    /// For an unknown name, give [`Error::missing_method`].
    fn call_method(&self, cx: &mut Cx<'_>, name: &str, args: Args) -> Result<Value, Error> {
        match self.attribute(name) {
            Some(value) => cx.call(&value, args),
            None => Err(Error::missing_method(self.type_name(), name)),
        }
    }

    /// `object(…)`.
    fn call(&self, _cx: &mut Cx<'_>, _args: Args) -> Result<Value, Error> {
        Err(Error::compilation(format!("'{}' object is not callable", self.type_name())))
    }

    /// For `is callable`.
    fn is_callable(&self) -> bool {
        false
    }

    /// As `{{ object }}` prints it.
    fn text(&self) -> String;

    /// As it stands within a printed list.
    fn repr(&self) -> String {
        format!("<{} {}>", self.type_name(), self.text())
    }

    fn truthy(&self) -> bool {
        true
    }

    /// What a loop over it sees; None if it cannot be looped over.
    fn items(&self) -> Option<Vec<Value>> {
        None
    }

    /// How many `items` there are.
    fn count(&self) -> Option<usize> {
        self.items().map(|items| items.len())
    }

    /// Whether `items` gives something: worth telling where making them is dear.
    fn is_iterable(&self) -> bool {
        self.items().is_some()
    }

    /// Whether `items` are the keys of a mapping whose values `item` gives.
    fn is_mapping(&self) -> bool {
        false
    }

    /// `object == other`.
    fn equals(&self, _other: &Value) -> bool {
        false
    }

    /// `object < other` and its like; None if they have no order.
    fn compare(&self, _other: &Value) -> Option<Ordering> {
        None
    }

    /// Equal objects have equal codes: for keys of dicts.
    fn hash_code(&self) -> u64 {
        0
    }

    /// `object + other`, or with `reversed` `other + object`; None if it does not know that operation.
    fn operate(&self, _operator: Operator, _other: &Value, _reversed: bool) -> Option<Result<Value, Error>> {
        None
    }

    /// As `tojson` writes it; None if it cannot.
    fn to_json(&self) -> Option<Json> {
        None
    }
}

/// Hands an instance to Jinja.
pub fn instance<T: Instance>(instance: Arc<T>) -> Value {
    Value::from_object(InstanceObject(instance))
}

/// The instance that was handed to Jinja by [`instance`], if the value is one of that type.
pub fn downcast<T: Instance>(value: &Value) -> Option<Arc<T>> {
    let object = value.downcast_object_ref::<InstanceObject>()?;
    object.0.clone().as_any().downcast::<T>().ok()
}

/// An instance as minijinja sees it.
#[derive(Debug)]
pub(crate) struct InstanceObject(pub Arc<dyn Instance>);

impl InstanceObject {
    fn missing(&self, key: &Value) -> Value {
        let name = format!("{} object", self.0.type_name());
        Undefined::missing(&name, key)
    }
}

impl Object for InstanceObject {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        if self.0.is_mapping() {
            ObjectRepr::Map
        } else if self.0.is_iterable() {
            ObjectRepr::Iterable
        } else {
            ObjectRepr::Plain
        }
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        Some(self.0.item(key).unwrap_or_else(|| self.missing(key)))
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        if let Some(value) = self.0.attribute(key) {
            return Some(value);
        }
        if self.0.methods().contains(&key) {
            return Some(Bound::value(Value::from_dyn_object(self.clone()), key));
        }
        self.get_value(&Value::from(key))
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        self.0.items().map_or(Enumerator::NonEnumerable, Enumerator::Values)
    }

    fn enumerator_len(self: &Arc<Self>) -> Option<usize> {
        self.0.count()
    }

    fn is_true(self: &Arc<Self>) -> bool {
        self.0.truthy()
    }

    fn call(self: &Arc<Self>, state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, minijinja::Error> {
        Ok(self.0.call(&mut Cx::new(state), Args::from_values(args))?)
    }

    fn call_method(self: &Arc<Self>, state: &mut State<'_, '_>, method: &str, args: &[Value]) -> Result<Value, minijinja::Error> {
        let result = self.0.call_method(&mut Cx::new(state), method, Args::from_values(args));
        match result {
            Err(error) if captures() && error.is_missing_method(self.0.type_name(), method) => {
                Ok(self.missing(&Value::from(method)))
            }
            result => Ok(result?),
        }
    }

    fn render(self: &Arc<Self>, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0.text())
    }
}

/// Makes an attribute's value.
type Maker = dyn Fn() -> Value + Send + Sync;

type Body = dyn Fn(&mut Cx<'_>, Args) -> Result<Value, Error> + Send + Sync;

/// A function of Rust.
pub struct Function {
    pub name: Arc<str>,
    body: Box<Body>,
    /// The one attribute that it has: dbt's `builtins.ref.config`.
    attribute: Option<(&'static str, Box<Maker>)>,
}

/// Hands a function to Jinja.
pub fn function(
    name: impl Into<Arc<str>>,
    body: impl Fn(&mut Cx<'_>, Args) -> Result<Value, Error> + Send + Sync + 'static,
) -> Value {
    Value::from_object(Function { name: name.into(), body: Box::new(body), attribute: None })
}

/// Hands a function to Jinja that has an attribute, which is made when it is asked for.
pub fn function_with(
    name: impl Into<Arc<str>>,
    attribute: (&'static str, impl Fn() -> Value + Send + Sync + 'static),
    body: impl Fn(&mut Cx<'_>, Args) -> Result<Value, Error> + Send + Sync + 'static,
) -> Value {
    Value::from_object(Function {
        name: name.into(),
        body: Box::new(body),
        attribute: Some((attribute.0, Box::new(attribute.1))),
    })
}

impl fmt::Debug for Function {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "<function {}>", self.name)
    }
}

impl Object for Function {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        self.attribute.as_ref().filter(|(name, _)| *name == key).map(|(_, value)| value())
    }

    fn call(self: &Arc<Self>, state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, minijinja::Error> {
        Ok((self.body)(&mut Cx::new(state), Args::from_values(args))?)
    }

    fn render(self: &Arc<Self>, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "<function {}>", self.name)
    }
}

impl fmt::Display for InstanceObject {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0.text())
    }
}
