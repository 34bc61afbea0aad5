//! Python's list: shared and mutable.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use minijinja::Value;
use minijinja::value::{Enumerator, Object, ObjectRepr};

use super::undefined::Undefined;
use super::{Bound, repr};
use crate::jinja::methods;

/// A list that `append` and its like change in place. Its lock is never held across a call.
#[derive(Debug)]
pub struct List {
    items: Mutex<Vec<Value>>,
}

impl List {
    pub fn new(items: Vec<Value>) -> Self {
        Self { items: Mutex::new(items) }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Vec<Value>> {
        self.items.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The items as they are now.
    pub fn snapshot(&self) -> Vec<Value> {
        self.lock().clone()
    }

    pub fn len(&self) -> usize {
        self.lock().len()
    }

    pub fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }
}

impl Object for List {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Seq
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        if let Some(found) = key.as_usize().and_then(|at| self.lock().get(at).cloned()) {
            return Some(found);
        }
        Some(Undefined::missing("list object", key))
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        if methods::LIST.contains(&key) {
            return Some(Bound::value(Value::from_dyn_object(self.clone()), key));
        }
        Some(Undefined::missing("list object", &Value::from(key)))
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.snapshot())
    }

    fn enumerator_len(self: &Arc<Self>) -> Option<usize> {
        Some(self.len())
    }

    fn call_method(
        self: &Arc<Self>,
        state: &mut minijinja::State<'_, '_>,
        method: &str,
        args: &[Value],
    ) -> Result<Value, minijinja::Error> {
        methods::list(state, self, method, args)
    }

    fn render(self: &Arc<Self>, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(&repr(&Value::from_dyn_object(self.clone())))
    }
}
