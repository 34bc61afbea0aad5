//! Python's set.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use indexmap::IndexSet;
use minijinja::Value;
use minijinja::value::{Enumerator, Object, ObjectRepr};

use super::undefined::Undefined;
use super::{Bound, Key, repr};
use crate::jinja::methods;

/// A mutable set, in order of insertion (Python gives no order).
#[derive(Debug)]
pub struct Set {
    items: Mutex<IndexSet<Key>>,
}

impl Set {
    pub fn new(items: impl IntoIterator<Item = Value>) -> Self {
        Self { items: Mutex::new(items.into_iter().map(Key).collect()) }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, IndexSet<Key>> {
        self.items.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn snapshot(&self) -> Vec<Value> {
        self.lock().iter().map(|key| key.0.clone()).collect()
    }

    pub fn contains(&self, value: &Value) -> bool {
        self.lock().contains(&Key(value.clone()))
    }
}

impl Object for Set {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Iterable
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        Some(Undefined::missing("set object", key))
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        if methods::SET.contains(&key) {
            return Some(Bound::value(Value::from_dyn_object(self.clone()), key));
        }
        self.get_value(&Value::from(key))
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.snapshot())
    }

    fn enumerator_len(self: &Arc<Self>) -> Option<usize> {
        Some(self.lock().len())
    }

    fn call_method(
        self: &Arc<Self>,
        state: &mut minijinja::State<'_, '_>,
        method: &str,
        args: &[Value],
    ) -> Result<Value, minijinja::Error> {
        methods::set(state, self, method, args)
    }

    fn render(self: &Arc<Self>, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(&repr(&Value::from_dyn_object(self.clone())))
    }
}
