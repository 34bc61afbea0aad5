//! Python's dict: shared, mutable, in order of insertion; over shared JSON it copies only what is changed.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use indexmap::IndexMap;
use minijinja::Value;
use minijinja::value::{Enumerator, Object, ObjectRepr};

use super::compare::TextKey;
use super::shared::SharedNode;
use super::undefined::Undefined;
use super::{Bound, Key, repr};
use crate::jinja::methods;

/// A dict that `update` and its like change in place. Its lock is never held across a call.
#[derive(Debug)]
pub struct Dict {
    data: Mutex<Data>,
}

#[derive(Debug)]
pub(crate) enum Data {
    Own(IndexMap<Key, Value>),
    /// Not changed yet, but for what hangs below the keys that were read.
    Shared {
        node: SharedNode,
        read: IndexMap<Arc<str>, Value>,
    },
}

impl Dict {
    pub fn new(pairs: impl IntoIterator<Item = (Value, Value)>) -> Self {
        Self { data: Mutex::new(Data::Own(pairs.into_iter().map(|(key, value)| (Key(key), value)).collect())) }
    }

    pub(super) fn shared(node: SharedNode) -> Self {
        Self { data: Mutex::new(Data::Shared { node, read: IndexMap::new() }) }
    }

    fn lock(&self) -> MutexGuard<'_, Data> {
        self.data.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn get(&self, key: &Value) -> Option<Value> {
        match &mut *self.lock() {
            Data::Own(map) => match key.as_str() {
                Some(text) => map.get(&TextKey(text)).cloned(),
                None => map.get(&Key(key.clone())).cloned(),
            },
            Data::Shared { node, read } => {
                let key = key.as_str()?;
                if let Some(found) = read.get(key) {
                    return Some(found.clone());
                }
                let found = node.child(key)?;
                if found.as_object().is_some() {
                    read.insert(key.into(), found.clone());
                }
                Some(found)
            }
        }
    }

    /// Changes the dict's own map; what was shared is copied first, this level only.
    pub(crate) fn change<T>(&self, change: impl FnOnce(&mut IndexMap<Key, Value>) -> T) -> T {
        let mut data = self.lock();
        if let Data::Shared { node, read } = &mut *data {
            let own = node.keys().map(|key| {
                let value = read.get(key).cloned().or_else(|| node.child(key)).unwrap_or_default();
                (Key(Value::from(key)), value)
            });
            let own = own.collect();
            *data = Data::Own(own);
        }
        match &mut *data {
            Data::Own(map) => change(map),
            Data::Shared { .. } => change(&mut IndexMap::new()),
        }
    }

    pub fn insert(&self, key: Value, value: Value) {
        self.change(|map| map.insert(Key(key), value));
    }

    pub fn len(&self) -> usize {
        match &*self.lock() {
            Data::Own(map) => map.len(),
            Data::Shared { node, .. } => node.len(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub fn keys(&self) -> Vec<Value> {
        match &*self.lock() {
            Data::Own(map) => map.keys().map(|key| key.0.clone()).collect(),
            Data::Shared { node, .. } => node.keys().map(Value::from).collect(),
        }
    }

    pub fn pairs(&self) -> Vec<(Value, Value)> {
        if let Data::Own(map) = &*self.lock() {
            return map.iter().map(|(key, value)| (key.0.clone(), value.clone())).collect();
        }
        self.keys().into_iter().filter_map(|key| self.get(&key).map(|value| (key, value))).collect()
    }
}

impl Object for Dict {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        Some(self.get(key).unwrap_or_else(|| Undefined::missing("dict object", key)))
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        if methods::DICT.contains(&key) {
            return Some(Bound::value(Value::from_dyn_object(self.clone()), key));
        }
        self.get_value(&Value::from(key))
    }

    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Map
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.keys())
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
        methods::dict(state, self, method, args)
    }

    fn render(self: &Arc<Self>, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(&repr(&Value::from_dyn_object(self.clone())))
    }
}
