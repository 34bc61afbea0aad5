//! The engine: macros of all packages, compiled on first use, and the ways to render.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use minijinja::value::Tuple;
use minijinja::{Environment, State, UndefinedBehavior, Value};

use super::macros::Macros;
use super::render::{Capturing, RenderState};
use super::root::{Job, Root};
use super::syntax::{Prepared, prepare_template};
use super::value::{is_defined, text, type_name, undefined_message};
use super::{Args, Cx, Error, ErrorKind, Host, Template, Undefined, fault, filters, methods, operators, tests_of_values};
use crate::diagnostic::{SourceText, Span};
use crate::manifest::MacroRegistry;

/// The template that only hands over the loader: what Rust runs macros by.
const ENTRY: &str = "\0entry";

/// Nested macros and includes count against it: about a thousand macros deep, as in Python.
const DEEPEST: usize = 4000;

/// The macros of a project, compiled on first use; one for each phase's way with undefined names. Cheap to share.
pub struct Engine {
    pub macros: Arc<MacroRegistry>,
    compiled: Arc<Macros>,
    environments: [OnceLock<Environment<'static>>; 3],
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Engine").finish_non_exhaustive()
    }
}

impl Engine {
    pub fn new(macros: Arc<MacroRegistry>) -> Self {
        let compiled = Arc::new(Macros::new(macros.clone()));
        Self { macros, compiled, environments: [const { OnceLock::new() }; 3] }
    }

    /// Renders a text. Macro calls and names go to the host; the first error ends it, with its whole trace.
    pub fn render(&self, template: &Template, host: Arc<dyn Host>) -> Result<String, Error> {
        let text = &template.source.text[template.span.start..template.span.end];
        if !has_jinja(text) && !text.contains('\r') {
            // What minijinja would do to a text without tags.
            return Ok(text.strip_suffix('\n').unwrap_or(text).to_owned());
        }
        let prepared = prepare_template(&template.source, template.span, false)
            .map_err(|fault| fault::syntax(fault, &template.source, None))?;
        self.run_template(&Arc::new(prepared), host).map(|(text, _)| text)
    }

    /// Renders a YAML value. A text that comes from one expression gives that expression's own value (constants give text, as
    /// in dbt); anything else gives text. `as_native`, `as_bool`, `as_number` turn text into what it stands for.
    pub fn render_native(&self, text: &str, source: &SourceText, span: Span, host: Arc<dyn Host>) -> Result<Value, Error> {
        if !has_jinja(text) {
            return Ok(Value::from(text));
        }
        // The value stands in its file as `span`, where it may be quoted or folded: errors point to the whole of it.
        let value = SourceText::new(source.name.clone(), text);
        let whole = Span::new(0, text.len());
        let outside = |mut error: Error| {
            for frame in error.trace.iter_mut().filter(|frame| frame.macro_id.is_none() && *frame.source.text == *text) {
                frame.source = source.clone();
                frame.span = span;
            }
            error
        };
        let prepared = prepare_template(&value, whole, true).map_err(|fault| outside(fault::syntax(fault, &value, None)))?;
        let (text, mut taken) = self.run_template(&Arc::new(prepared), host).map_err(outside)?;
        match taken.as_mut_slice() {
            [only] if text == "\0\u{1}0\0" => filters::native_value(std::mem::take(only)),
            _ => Ok(Value::from(filters::fill_taken(&text, &taken))),
        }
    }

    /// Calls a macro as code of `package` finds it: the value it returns, or the text it renders.
    pub fn call_macro(&self, package: &str, name: &str, args: Args, host: Arc<dyn Host>) -> Result<Value, Error> {
        let Some(callee) = self.compiled.find(package, name) else {
            return Err(Error::compilation(format!("No macro named '{name}' found in package '{package}'")));
        };
        self.call_value(&callee, args, host)
    }

    /// Calls any callable value in a render of its own.
    pub fn call_value(&self, callee: &Value, args: Args, host: Arc<dyn Host>) -> Result<Value, Error> {
        let callee = callee.clone();
        self.run(host, move |cx| cx.call(&callee, args))
    }

    /// Compiles a macro without running it: Err if its text is not Jinja.
    pub fn check_macro(&self, unique_id: &str) -> Result<(), Error> {
        let environment = self.environment(Undefined::Lenient);
        match environment.get_template(unique_id) {
            Ok(_) => Ok(()),
            Err(error) => Err(fault::from_native_in(&error, |name| self.compiled.prepared(name))),
        }
    }

    /// Compiles a text without running it: Err if it is not Jinja.
    pub fn check(&self, template: &Template) -> Result<(), Error> {
        let prepared = prepare_template(&template.source, template.span, false)
            .map_err(|fault| fault::syntax(fault, &template.source, None))?;
        let compiled = self.environment(Undefined::Lenient).template_from_named_str("", &prepared.text).map(|_| ());
        compiled.map_err(|error| fault::from_native_in(&error, |_| Some(&prepared)))
    }

    /// The macro that code of `package` gets by a plain name.
    pub fn find_macro(&self, package: &str, name: &str) -> Option<Value> {
        self.compiled.find(package, name)
    }

    /// The macro of that name in a package; `dbt` holds those of all built-in packages.
    pub fn macro_in(&self, package: &str, name: &str) -> Option<Value> {
        self.compiled.in_package(package, name)
    }

    /// A package's macros as a value, some of them replaced.
    pub fn namespace(&self, package: &str, replaced: HashMap<String, Value>) -> Value {
        self.compiled.namespace_with(package, replaced)
    }

    /// Runs Rust code in a render of its own: for several calls that share it.
    pub fn run<T: Send + 'static>(
        &self,
        host: Arc<dyn Host>,
        job: impl FnOnce(&mut Cx<'_>) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let slot = Arc::new(Mutex::new(None));
        let fill = slot.clone();
        let job: Job = Box::new(move |cx| {
            let result = job(cx);
            *fill.lock().unwrap_or_else(PoisonError::into_inner) = Some(result);
        });
        let undefined = host.undefined();
        let _guard = Capturing::set(undefined == Undefined::Capture);
        let environment = self.environment(undefined);
        let root = Root::new(host, self.compiled.clone(), None, Some(job));
        let rendered = environment.get_template(ENTRY).and_then(|template| template.render(Value::from_object(root)));
        let result = slot.lock().unwrap_or_else(PoisonError::into_inner).take();
        match (result, rendered) {
            (Some(result), _) => result,
            (None, Err(error)) => Err(fault::from_native_in(&error, |name| self.compiled.prepared(name))),
            (None, Ok(_)) => Err(Error::compilation("the render ended before it began")),
        }
    }

    fn run_template(&self, prepared: &Arc<Prepared>, host: Arc<dyn Host>) -> Result<(String, Vec<Value>), Error> {
        let undefined = host.undefined();
        let _guard = Capturing::set(undefined == Undefined::Capture);
        let environment = self.environment(undefined);
        let root = Arc::new(Root::new(host, self.compiled.clone(), Some(prepared.clone()), None));
        let result = environment
            .template_from_named_str("", &prepared.text)
            .and_then(|template| template.render(Value::from_dyn_object(root.clone())));
        match result {
            Ok(text) => Ok((text, root.taken())),
            Err(error) => Err(fault::from_native_in(&error, |name| match name {
                "" => Some(&**prepared),
                id => self.compiled.prepared(id),
            })),
        }
    }

    fn environment(&self, undefined: Undefined) -> &Environment<'static> {
        let slot = match undefined {
            Undefined::Capture => 0,
            Undefined::Lenient => 1,
            Undefined::Strict => 2,
        };
        self.environments[slot].get_or_init(|| environment(undefined, self.compiled.clone()))
    }
}

/// Whether there is anything for Jinja to do.
fn has_jinja(text: &str) -> bool {
    let mut rest = text;
    while let Some(at) = rest.find('{') {
        rest = &rest[at + 1..];
        if rest.starts_with(['{', '%', '#']) {
            return true;
        }
    }
    false
}

fn environment(undefined: Undefined, macros: Arc<Macros>) -> Environment<'static> {
    let mut environment = Environment::empty();
    environment.set_debug(false);
    environment.set_recursion_limit(DEEPEST);
    environment.set_undefined_behavior(match undefined {
        Undefined::Capture => UndefinedBehavior::Chainable,
        Undefined::Lenient | Undefined::Strict => UndefinedBehavior::Lenient,
    });
    let strict = undefined == Undefined::Strict;
    environment.set_formatter(move |out, _, value| {
        if let Some(text) = value.as_str() {
            return out.write_str(text).map_err(Into::into);
        }
        if strict && !is_defined(value) {
            return Err(Error::new(ErrorKind::Undefined, undefined_message(value).unwrap_or_default()).into());
        }
        out.write_str(&text(value)).map_err(Into::into)
    });
    environment.set_unknown_method_callback(unknown_method);
    environment.set_loader(move |name| match name {
        ENTRY => Ok(Some(super::syntax::LOADER.to_owned())),
        id => macros.text(id),
    });
    operators::register(&mut environment);
    filters::register(&mut environment);
    tests_of_values::register(&mut environment);
    environment
}

/// Methods of text, numbers and tuples, which are no objects of ours.
fn unknown_method(state: &mut State<'_, '_>, target: &Value, method: &str, args: &[Value]) -> Result<Value, minijinja::Error> {
    if let Some(text) = target.as_str() {
        return methods::text(state, text, method, args);
    }
    if target.downcast_object_ref::<Tuple>().is_some() {
        return methods::tuple(target, method, args);
    }
    let own = target.as_object().and_then(|object| object.get_value(&Value::from(method)));
    if own.is_some() || (target.as_object().is_some() && is_defined(target)) {
        return Err(minijinja::ErrorKind::UnknownMethod.into());
    }
    methods::missing(target, &type_name(target), method)
}

pub(super) fn render_state<'s>(state: &'s State<'_, '_>) -> Option<&'s RenderState> {
    state.get_extension()
}
