//! Which macros a generic test sees while it is parsed: the test's own, `get_where_subquery`, and what these call.
//!
//! dbt hides all others there, so that calls of them in a test's arguments neither run nor count as dependencies.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::jinja::{Args, Cx, Engine, Error, Instance, Value, instance};
use crate::manifest::{Macro, UniqueId};

use super::macros::MacroResolver;

/// The macros that are seen, by id and by plain name.
#[derive(Debug, Default)]
pub struct TestNamespace {
    ids: HashSet<UniqueId>,
    by_name: HashMap<String, Arc<Macro>>,
}

impl TestNamespace {
    /// For tests of that macro. `custom_refs`: macros that replace `ref` and `source` are seen as well.
    pub fn new(resolver: &MacroResolver, test: Option<&UniqueId>, custom_refs: bool) -> Self {
        let mut namespace = Self::default();
        let mut begin: Vec<Arc<Macro>> = resolver.by_plain_name("get_where_subquery").into_iter().cloned().collect();
        begin.extend(test.and_then(|id| resolver.by_id(id)).cloned());
        if custom_refs {
            let replaced = ["ref", "source"].into_iter().filter_map(|name| resolver.by_plain_name(name));
            begin.extend(replaced.filter(|found| &*found.package_name != "dbt").cloned());
        }
        // Depth first, each once; of two macros with one name the last wins.
        let mut next: Vec<Arc<Macro>> = begin.into_iter().rev().collect();
        while let Some(found) = next.pop() {
            if namespace.ids.insert(found.unique_id.clone()) {
                next.extend(found.depends_on.iter().rev().filter_map(|id| resolver.by_id(id)).cloned());
                namespace.by_name.insert(found.name.clone(), found);
            }
        }
        namespace
    }

    /// Is a macro of that plain name seen?
    pub fn has(&self, name: &str) -> bool {
        self.by_name.contains_key(name)
    }

    /// What a name stands for as far as macros go: None where it is neither a macro's nor a package's.
    pub fn lookup(self: &Arc<Self>, engine: &Arc<Engine>, package: &str, name: &str) -> Option<Value> {
        if let Some(found) = self.by_name.get(name) {
            return engine.find_macro(&found.package_name, &found.name);
        }
        if engine.macros.packages.contains_key(name) {
            let package = Package { name: name.to_owned(), namespace: self.clone(), engine: engine.clone() };
            return Some(instance(Arc::new(package)));
        }
        engine.macros.find(package, name).map(|_| instance(Arc::new(Hidden)))
    }
}

/// `dbt_utils` in `dbt_utils.type_string()`.
struct Package {
    name: String,
    namespace: Arc<TestNamespace>,
    engine: Arc<Engine>,
}

impl std::fmt::Debug for Package {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "package {}", self.name)
    }
}

impl Instance for Package {
    fn type_name(&self) -> &'static str {
        "dict"
    }

    fn attribute(&self, name: &str) -> Option<Value> {
        let is_seen = self.namespace.ids.contains(format!("macro.{}.{name}", self.name).as_str());
        if is_seen { self.engine.find_macro(&self.name, name) } else { Some(instance(Arc::new(Hidden))) }
    }

    fn text(&self) -> String {
        format!("<package {}>", self.name)
    }
}

/// A macro that is not seen: like any undefined name at parse time, it can be called and asked for anything, and is nothing.
#[derive(Debug)]
struct Hidden;

impl Instance for Hidden {
    fn type_name(&self) -> &'static str {
        "Undefined"
    }

    fn attribute(&self, _name: &str) -> Option<Value> {
        Some(instance(Arc::new(Self)))
    }

    fn call_method(&self, _cx: &mut Cx<'_>, _name: &str, _args: Args) -> Result<Value, Error> {
        Ok(instance(Arc::new(Self)))
    }

    fn call(&self, _cx: &mut Cx<'_>, _args: Args) -> Result<Value, Error> {
        Ok(instance(Arc::new(Self)))
    }

    fn is_callable(&self) -> bool {
        true
    }

    fn text(&self) -> String {
        String::new()
    }

    fn truthy(&self) -> bool {
        false
    }

    fn items(&self) -> Option<Vec<Value>> {
        Some(Vec::new())
    }
}
