//! Macros as values: found by dbt's rules, loaded on first use, called with Python's arguments.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, OnceLock};

use minijinja::value::{Enumerator, Kwargs, Object, ObjectRepr};
use minijinja::{State, Value};

use super::render::RenderState;
use super::syntax::{Parameter, Prepared, prepare_macro};
use super::value::{Dict, Undefined, tuple, type_name};
use super::{Args, Error, fault};
use crate::manifest::{Macro, MacroRegistry};

/// dbt's name for the namespace of all built-in packages.
const BUILT_IN: &str = "dbt";

/// All macros of a project, shared by all renders.
pub(crate) struct Macros {
    registry: Arc<MacroRegistry>,
    packages: HashMap<Arc<str>, HashMap<String, Value>>,
    entries: HashMap<Arc<str>, Arc<Entry>>,
}

/// One macro, and its template once it was needed.
#[derive(Debug)]
pub(crate) struct Entry {
    pub definition: Arc<Macro>,
    /// Its place among all macros.
    number: usize,
    prepared: OnceLock<Result<Prepared, Error>>,
}

impl Entry {
    fn prepared(&self) -> Result<&Prepared, &Error> {
        let made = self.prepared.get_or_init(|| {
            let definition = &self.definition;
            let id = definition.unique_id.shared();
            prepare_macro(&definition.source, definition.span, id.clone())
                .map_err(|fault| fault::syntax(fault, &definition.source, Some(id)))
        });
        made.as_ref()
    }
}

impl Macros {
    pub fn new(registry: Arc<MacroRegistry>) -> Self {
        let mut packages = HashMap::with_capacity(registry.packages.len());
        let mut entries = HashMap::with_capacity(registry.all().count());
        for (package, macros) in &registry.packages {
            let mut named = HashMap::with_capacity(macros.len());
            for (name, definition) in macros {
                let number = entries.len();
                let entry = Arc::new(Entry { definition: definition.clone(), number, prepared: OnceLock::new() });
                entries.insert(definition.unique_id.shared(), entry.clone());
                named.insert(name.clone(), Value::from_object(MacroObject(entry)));
            }
            packages.insert(package.clone(), named);
        }
        Self { registry, packages, entries }
    }

    /// The text of a macro's template, for minijinja's loader.
    pub fn text(&self, id: &str) -> Result<Option<String>, minijinja::Error> {
        let Some(entry) = self.entries.get(id) else { return Ok(None) };
        match entry.prepared() {
            Ok(prepared) => Ok(Some(prepared.text.clone())),
            Err(error) => Err(error.clone().into()),
        }
    }

    pub fn prepared(&self, id: &str) -> Option<&Prepared> {
        self.entries.get(id)?.prepared().ok()
    }

    fn is_internal(&self, package: &str) -> bool {
        self.registry.internal.iter().any(|internal| **internal == *package)
    }

    /// A plain name as code of `package` sees it: that package, the root project, the built-in packages.
    pub fn find(&self, package: &str, name: &str) -> Option<Value> {
        let own = self.packages.get(package).and_then(|macros| macros.get(name));
        own.or_else(|| self.packages.get(&*self.registry.root)?.get(name)).or_else(|| self.internal(name)).cloned()
    }

    fn internal(&self, name: &str) -> Option<&Value> {
        self.registry.internal.iter().find_map(|package| self.packages.get(package)?.get(name))
    }

    /// A macro of a package; `dbt` holds those of all built-in packages.
    pub fn in_package(&self, package: &str, name: &str) -> Option<Value> {
        if package == BUILT_IN {
            return self.internal(name).or_else(|| self.packages.get(package)?.get(name)).cloned();
        }
        self.packages.get(package)?.get(name).cloned()
    }

    /// The first macro of that name in any package.
    pub fn anywhere(&self, name: &str) -> Option<Value> {
        self.registry.packages.keys().find_map(|package| self.packages.get(package)?.get(name)).cloned()
    }

    /// What a name of code in `package` stands for: a macro of it or of the root project, a package, a built-in macro.
    pub fn visible(self: &Arc<Self>, package: &str, name: &str) -> Option<Value> {
        let near = [package, &self.registry.root];
        let own = near.iter().find_map(|package| self.packages.get(*package)?.get(name)).cloned();
        own.or_else(|| self.namespace(name)).or_else(|| self.internal(name).cloned())
    }

    fn namespace(self: &Arc<Self>, name: &str) -> Option<Value> {
        let known = name == BUILT_IN || (self.packages.contains_key(name) && !self.is_internal(name));
        known.then(|| self.namespace_with(name, HashMap::new()))
    }

    /// The macros of a package, some of them replaced.
    pub fn namespace_with(self: &Arc<Self>, package: &str, replaced: HashMap<String, Value>) -> Value {
        Value::from_object(Namespace { macros: self.clone(), package: package.to_owned(), replaced })
    }
}

/// The macros of one package: `dbt_utils.star`.
struct Namespace {
    macros: Arc<Macros>,
    package: String,
    replaced: HashMap<String, Value>,
}

impl Namespace {
    fn find(&self, name: &str) -> Option<Value> {
        self.replaced.get(name).cloned().or_else(|| self.macros.in_package(&self.package, name))
    }
}

impl fmt::Debug for Namespace {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "<macros of {}>", self.package)
    }
}

impl Object for Namespace {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let found = key.as_str().and_then(|name| self.find(name));
        Some(found.unwrap_or_else(|| Undefined::missing("dict object", key)))
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        let names = self.macros.packages.get(&*self.package).map(HashMap::keys);
        Enumerator::Values(names.into_iter().flatten().map(|name| Value::from(name.as_str())).collect())
    }

    fn call_method(self: &Arc<Self>, state: &mut State<'_, '_>, method: &str, args: &[Value]) -> Result<Value, minijinja::Error> {
        if let Some(callee) = self.find(method) {
            return callee.call(state, args);
        }
        if method == "get" {
            let args = Args::from_values(args);
            let found = args.subject().as_str().and_then(|name| self.find(name));
            return Ok(found.or_else(|| args.get(1, "default").cloned()).unwrap_or_else(super::none));
        }
        Undefined::missing("dict object", &Value::from(method)).call(state, args)
    }

    fn render(self: &Arc<Self>, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{self:?}")
    }
}

/// A macro as a value.
pub(crate) struct MacroObject(Arc<Entry>);

impl fmt::Debug for MacroObject {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "<macro {}>", self.0.definition.unique_id)
    }
}

impl Object for MacroObject {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        let definition = &self.0.definition;
        match key {
            "name" => Some(Value::from(definition.name.as_str())),
            "unique_id" => Some(Value::from(definition.unique_id.as_str())),
            "package_name" => Some(Value::from(&*definition.package_name)),
            _ => Some(Undefined::missing("MacroGenerator object", &Value::from(key))),
        }
    }

    fn call(self: &Arc<Self>, state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, minijinja::Error> {
        let entry = &self.0;
        let (native, prepared) = match load(state, entry) {
            Ok(loaded) => loaded,
            Err(error) => return Err(at_boundary(state, &error)),
        };
        let args = Args::from_values(args);
        let in_call_block = args.keyword.contains_key("caller");
        let args = bind(prepared, entry, args)?;
        if let Some(render) = state.get_extension_mut::<RenderState>() {
            if render.apart == 0 {
                render.host.macro_called(entry.definition.unique_id.as_str(), render.running.len());
            }
            render.running.push(entry.clone());
        }
        let result = native.call(state, &args);
        if let Some(render) = state.get_extension_mut::<RenderState>() {
            render.running.pop();
        }
        match result {
            Ok(text) => Ok(text),
            Err(error) => match fault::returned(&error) {
                // Jinja2 writes what a call block gives without making text of it.
                Some(value) if in_call_block && value.as_str().is_none() => {
                    let name = type_name(&value);
                    Err(Error::compilation(format!("sequence item 0: expected str instance, {name} found")).into())
                }
                Some(value) => Ok(value),
                None => Err(at_boundary(state, &error)),
            },
        }
    }

    fn render(self: &Arc<Self>, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{self:?}")
    }
}

/// Takes an error's places so far, so that the call's own place comes next.
fn at_boundary(state: &State<'_, '_>, error: &minijinja::Error) -> minijinja::Error {
    fault::from_native(error, super::engine::render_state(state)).into()
}

/// minijinja's macro of this render: loaded through its template on first use.
fn load<'e>(state: &mut State<'_, '_>, entry: &'e Arc<Entry>) -> Result<(Value, &'e Prepared), minijinja::Error> {
    let prepared = entry.prepared().map_err(Error::clone)?;
    let Some(render) = state.get_extension::<RenderState>() else {
        return Err(Error::compilation("a macro was called outside of a render").into());
    };
    if let Some(native) = render.loaded.get(&entry.number) {
        return Ok((native.clone(), prepared));
    }
    let loader = render.loader.clone();
    loader.call(state, &[Value::from(entry.definition.unique_id.as_str())])?;
    let defined = state.get_extension_mut::<RenderState>().and_then(|render| {
        let defined = render.defined.take()?;
        render.loaded.insert(entry.number, defined.clone());
        Some(defined)
    });
    let missing = || Error::compilation(format!("macro '{}' does not define itself", entry.definition.name));
    Ok((defined.ok_or_else(missing)?, prepared))
}

/// Binds arguments as Jinja2's macros do. Defaults are left to the macro.
fn bind(prepared: &Prepared, entry: &Entry, args: Args) -> Result<Vec<Value>, Error> {
    let Args { positional, mut keyword } = args;
    let parameters = &prepared.parameters;
    let caller = keyword.shift_remove("caller");
    let mut values = Vec::with_capacity(parameters.len() + 3);
    let mut positional = positional.into_iter();
    for parameter in parameters {
        values.push(match positional.next() {
            Some(value) => value,
            None => named(parameter, &mut keyword),
        });
    }
    let rest: Vec<Value> = positional.collect();
    let name = || format!("dbt_macro__{}", entry.definition.name);
    if prepared.mentions.varargs {
        values.push(tuple(rest));
    } else if !rest.is_empty() {
        let message = format!("macro '{}' takes not more than {} argument(s)", name(), parameters.len());
        return Err(Error::compilation(message));
    }
    if prepared.mentions.kwargs {
        let pairs = keyword.into_iter().map(|(name, value)| (Value::from(name), value));
        values.push(Value::from_object(Dict::new(pairs)));
    } else if let Some((unknown, _)) = keyword.first() {
        let given = parameters.iter().any(|parameter| parameter.name == *unknown);
        let message = if given {
            format!("macro '{}' got multiple values for argument '{unknown}'", name())
        } else {
            format!("macro '{}' takes no keyword argument '{unknown}'", name())
        };
        let near = crate::diagnostic::nearest(unknown, parameters.iter().map(|parameter| parameter.name.as_str()));
        let takes: Vec<&str> = parameters.iter().map(|parameter| parameter.name.as_str()).collect();
        return Err(Error::compilation(message).help(match near {
            Some(near) if !given => format!("did you mean '{near}'?"),
            _ if takes.is_empty() => "it takes no arguments".to_owned(),
            _ => format!("it takes: {}", takes.join(", ")),
        }));
    }
    match (caller, prepared.mentions.caller) {
        (Some(caller), true) => values.push(Value::from(Kwargs::from_iter([("caller", caller)]))),
        (None, true) => {
            values.push(Value::from(Kwargs::from_iter([("caller", Undefined::saying("No caller defined"))])));
        }
        (Some(_), false) => {
            return Err(Error::compilation(format!("macro '{}' takes no keyword argument 'caller'", name())));
        }
        (None, false) => {}
    }
    Ok(values)
}

fn named(parameter: &Parameter, keyword: &mut indexmap::IndexMap<String, Value>) -> Value {
    match keyword.shift_remove(&parameter.name) {
        Some(value) => value,
        // minijinja gives the default for its own undefined value.
        None if parameter.optional => Value::UNDEFINED,
        None => Undefined::saying(&format!("parameter '{}' was not provided", parameter.name)),
    }
}
