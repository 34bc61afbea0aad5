//! JSON that many renders read: a place in it, and fresh values made of it on demand.

use std::sync::Arc;

use minijinja::Value;

use super::{Dict, json, list};
use crate::manifest::Json;

/// A place within shared JSON.
#[derive(Debug, Clone)]
pub(super) struct SharedNode {
    root: Arc<Json>,
    path: Vec<Step>,
}

#[derive(Debug, Clone)]
enum Step {
    Key(Arc<str>),
    Index(usize),
}

impl SharedNode {
    pub fn new(root: Arc<Json>) -> Self {
        Self { root, path: Vec::new() }
    }

    fn json(&self) -> &Json {
        let mut at = &*self.root;
        for step in &self.path {
            let next = match step {
                Step::Key(key) => at.get(&**key),
                Step::Index(index) => at.get(*index),
            };
            at = next.unwrap_or(&Json::Null);
        }
        at
    }

    fn step(&self, step: Step) -> Self {
        let mut path = Vec::with_capacity(self.path.len() + 1);
        path.extend(self.path.iter().cloned());
        path.push(step);
        Self { root: self.root.clone(), path }
    }

    /// As a value of its own; a dict stays shared, a list is copied one level deep.
    pub fn value(&self) -> Value {
        match self.json() {
            Json::Object(_) => Value::from_object(Dict::shared(self.clone())),
            Json::Array(items) => {
                let value = |(at, item): (usize, &Json)| match item {
                    Json::Object(_) | Json::Array(_) => self.step(Step::Index(at)).value(),
                    _ => json::from_json(item),
                };
                list(items.iter().enumerate().map(value).collect())
            }
            scalar => json::from_json(scalar),
        }
    }

    pub fn child(&self, key: &str) -> Option<Value> {
        match self.json().get(key)? {
            Json::Object(_) | Json::Array(_) => Some(self.step(Step::Key(key.into())).value()),
            scalar => Some(json::from_json(scalar)),
        }
    }

    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.json().as_object().into_iter().flat_map(|map| map.keys().map(String::as_str))
    }

    pub fn len(&self) -> usize {
        self.json().as_object().map_or(0, serde_json::Map::len)
    }
}
