//! The running render, as functions and objects of Rust see it.

use std::sync::Arc;

use minijinja::{State, Value};

use super::render::RenderState;
use super::value::is_defined;
use super::{Args, Error, Host, fault};

/// The running render, as functions and objects of a host see it: they call back into it.
pub struct Cx<'a> {
    vm: &'a mut (dyn Vm + 'a),
}

/// What a render can do, without its lifetimes.
trait Vm {
    fn call(&mut self, callee: &Value, args: &[Value]) -> Result<Value, minijinja::Error>;
    fn call_method(&mut self, target: &Value, name: &str, args: &[Value]) -> Result<Value, minijinja::Error>;
    fn apply_filter(&mut self, name: &str, args: &[Value]) -> Result<Value, minijinja::Error>;
    fn apply_test(&mut self, name: &str, args: &[Value]) -> Result<bool, minijinja::Error>;
    fn lookup(&self, name: &str) -> Option<Value>;
    fn render_state(&self) -> Option<&RenderState>;
    fn render_state_mut(&mut self) -> Option<&mut RenderState>;
}

impl Vm for State<'_, '_> {
    fn call(&mut self, callee: &Value, args: &[Value]) -> Result<Value, minijinja::Error> {
        callee.call(self, args)
    }

    fn call_method(&mut self, target: &Value, name: &str, args: &[Value]) -> Result<Value, minijinja::Error> {
        target.call_method(self, name, args)
    }

    fn apply_filter(&mut self, name: &str, args: &[Value]) -> Result<Value, minijinja::Error> {
        State::apply_filter(self, name, args)
    }

    fn apply_test(&mut self, name: &str, args: &[Value]) -> Result<bool, minijinja::Error> {
        State::perform_test(self, name, args)
    }

    fn lookup(&self, name: &str) -> Option<Value> {
        State::lookup(self, name)
    }

    fn render_state(&self) -> Option<&RenderState> {
        self.get_extension()
    }

    fn render_state_mut(&mut self) -> Option<&mut RenderState> {
        self.get_extension_mut()
    }
}

impl<'a> Cx<'a> {
    pub(super) fn new(state: &'a mut State<'_, '_>) -> Self {
        Self { vm: state }
    }

    fn error(&self, error: &minijinja::Error) -> Error {
        fault::from_native(error, self.vm.render_state())
    }

    /// Calls a macro, function, method or class.
    pub fn call(&mut self, callee: &Value, args: Args) -> Result<Value, Error> {
        let result = self.vm.call(callee, &args.into_values());
        result.map_err(|error| self.error(&error))
    }

    /// Calls `target.name(…)`.
    pub fn call_method(&mut self, target: &Value, name: &str, args: Args) -> Result<Value, Error> {
        let result = self.vm.call_method(target, name, &args.into_values());
        result.map_err(|error| self.error(&error))
    }

    pub(super) fn filter(&mut self, name: &str, args: &[Value]) -> Result<Value, Error> {
        let result = self.vm.apply_filter(name, args);
        result.map_err(|error| self.error(&error))
    }

    pub(super) fn test(&mut self, name: &str, args: &[Value]) -> Result<bool, Error> {
        let result = self.vm.apply_test(name, args);
        result.map_err(|error| self.error(&error))
    }

    /// Calls a macro by name, as the rendered package sees it, or the macro of a package (`dbt` stands for all built-in ones).
    /// Gives the value it returns, or the text it renders.
    pub fn call_macro(&mut self, name: &str, package: Option<&str>, args: Args) -> Result<Value, Error> {
        if let Some(callee) = self.find_macro(name, package) {
            return self.call(&callee, args);
        }
        let place = package.map(|package| format!(" in package '{package}'")).unwrap_or_default();
        Err(Error::compilation(format!("No macro named '{name}' found{place}")))
    }

    /// [`Self::call_macro`] for what the rendered text did not ask for itself: the host hears of none of these calls.
    pub fn call_macro_apart(&mut self, name: &str, package: Option<&str>, args: Args) -> Result<Value, Error> {
        if let Some(render) = self.vm.render_state_mut() {
            render.apart += 1;
        }
        let answer = self.call_macro(name, package, args);
        if let Some(render) = self.vm.render_state_mut() {
            render.apart = render.apart.saturating_sub(1);
        }
        answer
    }

    /// The macro of that name, as the rendered package sees it, or of a package.
    pub fn find_macro(&self, name: &str, package: Option<&str>) -> Option<Value> {
        let render = self.vm.render_state()?;
        match package {
            Some(package) => render.macros.in_package(package, name),
            None => render.macros.find(render.host.package(), name),
        }
    }

    /// A macro of any package, where the host lets dispatch see them all.
    fn macro_anywhere(&self, name: &str) -> Option<Value> {
        let render = self.vm.render_state()?;
        if render.host.dispatches_anywhere() { render.macros.anywhere(name) } else { None }
    }

    /// `adapter.dispatch`: the first macro `<prefix>__<name>` over the packages to search (None: as the rendered package
    /// sees it), all prefixes in each. The error tells what was searched for.
    pub fn dispatch(
        &mut self,
        name: &str,
        namespace: Option<&str>,
        search: &[Option<&str>],
        prefixes: &[&str],
    ) -> Result<Value, Error> {
        if let Some((package, rest)) = name.split_once('.') {
            let message = format!(
                "In adapter.dispatch, got a macro name of \"{name}\", but \".\" is not a valid macro name component. Did you mean \
                 `adapter.dispatch(\"{rest}\", macro_namespace=\"{package}\")`?"
            );
            return Err(Error::compilation(message));
        }
        let mut attempts = Vec::new();
        for package in search {
            for prefix in prefixes {
                let candidate = format!("{prefix}__{name}");
                if let Some(found) = self.find_macro(&candidate, *package) {
                    return Ok(found);
                }
                attempts.push(package.map_or_else(|| format!("'{candidate}'"), |package| format!("'{package}.{candidate}'")));
            }
        }
        if search.contains(&None)
            && let Some(found) = prefixes.iter().find_map(|prefix| self.macro_anywhere(&format!("{prefix}__{name}")))
        {
            return Ok(found);
        }
        let namespace = namespace.unwrap_or("None");
        Err(Error::compilation(format!(
            "In dispatch: No macro named '{name}' found within namespace: '{namespace}'\n    Searched for: {}",
            attempts.join(", ")
        )))
    }

    /// What a name stands for here: a variable, macro, or part of the context.
    pub fn lookup(&self, name: &str) -> Option<Value> {
        self.vm.lookup(name).filter(is_defined)
    }

    /// The host of this render. None only outside of one.
    pub fn host(&self) -> Option<Arc<dyn Host>> {
        self.vm.render_state().map(|render| render.host.clone())
    }

    /// How many macros are running: 0 in the rendered text itself.
    pub fn depth(&self) -> usize {
        self.vm.render_state().map_or(0, |render| render.running.len())
    }

    /// The id of the macro that is running, if one is.
    pub fn current_macro(&self) -> Option<Arc<str>> {
        self.vm.render_state()?.running.last().map(|entry| entry.definition.unique_id.shared())
    }

    pub(super) fn render_state(&self) -> Option<&RenderState> {
        self.vm.render_state()
    }
}
