//! The outermost names of a render: macros, then the host's context, then the engine's own functions.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use minijinja::value::{Enumerator, Object, ObjectRepr};
use minijinja::{State, Value};

use super::macros::Macros;
use super::render::RenderState;
use super::syntax::Prepared;
use super::value::{Undefined, is_defined, none};
use super::{Args, Cx, Host, functions};

/// Rust code to run in the render instead of a text.
pub(super) type Job = Box<dyn FnOnce(&mut Cx<'_>) + Send>;

/// One for each render.
pub(crate) struct Root {
    host: Arc<dyn Host>,
    macros: Arc<Macros>,
    text: Option<Arc<Prepared>>,
    job: Mutex<Option<Job>>,
    names: Mutex<HashMap<Box<str>, Value>>,
    taken: Mutex<Vec<Value>>,
}

impl fmt::Debug for Root {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("<context>")
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Root {
    pub fn new(host: Arc<dyn Host>, macros: Arc<Macros>, text: Option<Arc<Prepared>>, job: Option<Job>) -> Self {
        Self { host, macros, text, job: Mutex::new(job), names: Mutex::new(HashMap::new()), taken: Mutex::new(Vec::new()) }
    }

    /// The values of a native render's expressions, in order.
    pub fn taken(&self) -> Vec<Value> {
        std::mem::take(&mut lock(&self.taken))
    }

    /// Keeps a value of a native render; gives its number.
    pub fn take(&self, value: Value) -> usize {
        let mut taken = lock(&self.taken);
        taken.push(value);
        taken.len() - 1
    }

    fn find(self: &Arc<Self>, name: &str) -> Option<Value> {
        if let Some(own) = self.own(name) {
            return Some(own);
        }
        if let Some(known) = lock(&self.names).get(name) {
            return Some(known.clone()).filter(is_defined);
        }
        // Not under the lock: a host may look names up itself.
        let visible = || self.macros.visible(self.host.package(), name);
        let found = self.host.before_macros(name).or_else(visible).or_else(|| self.builtin(name));
        let value = found.unwrap_or_else(|| Undefined::name(name));
        lock(&self.names).insert(name.into(), value.clone());
        Some(value).filter(is_defined)
    }

    fn builtin(&self, name: &str) -> Option<Value> {
        self.host.global(name).or_else(|| functions::named(name))
    }

    /// Names that the rewriting of texts introduces, and dbt's `context` and `builtins`.
    fn own(self: &Arc<Self>, name: &str) -> Option<Value> {
        match name {
            "context" => Some(Value::from_object(Context { root: self.clone(), builtins: false })),
            "builtins" => Some(Value::from_object(Context { root: self.clone(), builtins: true })),
            _ if !name.starts_with('_') => None,
            "_enter" => Some(Value::from_object(Enter(self.clone()))),
            "_define" => Some(Value::from_object(Define)),
            "_do" => Some(Value::from_object(Do)),
            "_no_caller" => Some(Undefined::saying("No caller defined")),
            _ => None,
        }
    }
}

impl Object for Root {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        Some(self.find(key).unwrap_or_else(|| Undefined::name(key)))
    }
}

/// `_enter(_load)`: begins the render.
#[derive(Debug)]
struct Enter(Arc<Root>);

impl Object for Enter {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn call(self: &Arc<Self>, state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, minijinja::Error> {
        let root = &self.0;
        state.get_or_insert_extension_with(|| RenderState {
            host: root.host.clone(),
            macros: root.macros.clone(),
            loader: args.first().cloned().unwrap_or_default(),
            loaded: HashMap::new(),
            defined: None,
            running: Vec::new(),
            apart: 0,
            text: root.text.clone(),
            root: root.clone(),
        });
        let job = lock(&root.job).take();
        if let Some(job) = job {
            job(&mut Cx::new(state));
        }
        Ok(none())
    }
}

/// `_define(_macro)`: ends a macro's template.
#[derive(Debug)]
struct Define;

impl Object for Define {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn call(self: &Arc<Self>, state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, minijinja::Error> {
        if let Some(render) = state.get_extension_mut::<RenderState>() {
            render.defined = args.first().cloned();
        }
        Ok(none())
    }
}

/// `_do(expression)`: for `{% do … %}` of what is no call.
#[derive(Debug)]
struct Do;

impl Object for Do {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn call(self: &Arc<Self>, _state: &mut State<'_, '_>, _args: &[Value]) -> Result<Value, minijinja::Error> {
        Ok(none())
    }
}

/// dbt's `context` (all names) and `builtins` (without macros), as mappings.
#[derive(Debug)]
struct Context {
    root: Arc<Root>,
    builtins: bool,
}

impl Context {
    fn find(&self, name: &str) -> Option<Value> {
        if self.builtins { self.root.builtin(name) } else { self.root.find(name) }
    }
}

impl Object for Context {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        Some(key.as_str().and_then(|name| self.find(name)).unwrap_or_else(|| Undefined::missing("dict object", key)))
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(functions::NAMES.iter().map(|name| Value::from(*name)).collect())
    }

    fn call_method(self: &Arc<Self>, state: &mut State<'_, '_>, method: &str, args: &[Value]) -> Result<Value, minijinja::Error> {
        let found = self.find(method);
        if let Some(callee) = found {
            return callee.call(state, args);
        }
        if method != "get" {
            return Err(minijinja::ErrorKind::UnknownMethod.into());
        }
        let args = Args::from_values(args);
        let found = args.subject().as_str().and_then(|name| self.find(name));
        Ok(found.or_else(|| args.get(1, "default").cloned()).unwrap_or_else(none))
    }

    fn render(self: &Arc<Self>, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(if self.builtins { "<builtins>" } else { "<context>" })
    }
}
