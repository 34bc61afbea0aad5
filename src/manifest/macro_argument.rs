//! An argument of a macro. On its own, since the build script reads the built-in macros with the same code.

/// An argument as documented (`macros:` in a property file) or as the signature gives it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MacroArgument {
    pub name: String,
    pub kind: Option<String>,
    pub description: String,
}
