//! Jinja2's `cycler`, `joiner` and `lipsum`.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use minijinja::Value;

use crate::jinja::value::Instance;
use crate::jinja::{Args, Cx, Error};

/// Gives its items in turn.
#[derive(Debug)]
pub(in crate::jinja) struct Cycler {
    items: Vec<Value>,
    at: AtomicUsize,
}

impl Cycler {
    pub fn new(items: Vec<Value>) -> Self {
        Self { items, at: AtomicUsize::new(0) }
    }

    fn item(&self, number: usize) -> Value {
        self.items.get(number % self.items.len().max(1)).cloned().unwrap_or_default()
    }
}

impl Instance for Cycler {
    fn type_name(&self) -> &'static str {
        "Cycler"
    }

    fn text(&self) -> String {
        "<jinja2.utils.Cycler object>".to_owned()
    }

    fn attribute(&self, name: &str) -> Option<Value> {
        (name == "current").then(|| self.item(self.at.load(Ordering::Relaxed)))
    }

    fn call_method(&self, _cx: &mut Cx<'_>, name: &str, _args: Args) -> Result<Value, Error> {
        match name {
            "next" => Ok(self.item(self.at.fetch_add(1, Ordering::Relaxed))),
            "reset" => {
                self.at.store(0, Ordering::Relaxed);
                Ok(crate::jinja::none())
            }
            _ => Err(Error::missing_method(self.type_name(), name)),
        }
    }
}

/// Nothing on its first call, then its separator.
#[derive(Debug)]
pub(in crate::jinja) struct Joiner {
    separator: Value,
    used: AtomicBool,
}

impl Joiner {
    pub fn new(separator: Value) -> Self {
        Self { separator, used: AtomicBool::new(false) }
    }
}

impl Instance for Joiner {
    fn type_name(&self) -> &'static str {
        "Joiner"
    }

    fn text(&self) -> String {
        "<jinja2.utils.Joiner object>".to_owned()
    }

    fn is_callable(&self) -> bool {
        true
    }

    fn call(&self, _cx: &mut Cx<'_>, _args: Args) -> Result<Value, Error> {
        let used = self.used.swap(true, Ordering::Relaxed);
        Ok(if used { self.separator.clone() } else { Value::from("") })
    }
}

/// Filler text, in so many paragraphs.
pub(in crate::jinja) fn lipsum(paragraphs: i64) -> String {
    const TEXT: &str = "<p>Lorem ipsum dolor sit amet, consectetur adipiscing elit, sed do eiusmod tempor incididunt ut labore et \
                        dolore magna aliqua.</p>";
    vec![TEXT; usize::try_from(paragraphs).unwrap_or_default().min(1000)].join("\n")
}
