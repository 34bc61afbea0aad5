//! A seed's CSV file as Jinja's `load_agate_table` gives it.

use crate::agate::{self, CsvOptions, Rows};
use crate::diagnostic::Diagnostic;
use crate::event::Event;
use crate::jinja::{Error, Frame, Value, objects};
use crate::manifest::Node;

use super::run_context::RunContext;

/// Reads the file; columns of `column_types` stay text. Names in `column_types` that the file lacks are a warning.
pub fn load(run: &RunContext, node: &Node) -> Result<Value, Error> {
    let package = run.project.package(&node.package_name);
    let path = package.map(|package| package.root.join(&node.original_file_path)).unwrap_or_default();
    let content =
        run.fs.read(&path).map_err(|error| Error::compilation(format!("{} cannot be read: {error}", node.original_file_path)))?;
    let types = node.config.object("column_types").cloned().unwrap_or_default();
    let delimiter = delimiter(node)?;
    let text_columns: Vec<String> = types.keys().cloned().collect();
    let wrong = |diagnostic: &Diagnostic| Error::compilation(diagnostic.to_string());
    let text = agate::decode_utf8(&node.original_file_path, content).map_err(|diagnostic| wrong(&diagnostic))?;
    let options = CsvOptions { delimiter, text_columns };
    let mut table = agate::read_csv(&node.original_file_path, text, &options).map_err(|faults| {
        let told: Vec<String> = faults.iter().map(|fault| fault.message.clone()).collect();
        let mut error = Error::compilation(told.join("\n"));
        let places = faults.iter().flat_map(|fault| &fault.labels).take(1);
        error.help = faults.first().and_then(|fault| fault.help.as_deref().map(Into::into));
        error.trace = places.map(|label| Frame { source: label.source.clone(), span: label.span, macro_id: None }).collect();
        error
    })?;
    let unknown: Vec<&str> =
        types.keys().map(String::as_str).filter(|name| !table.column_names.iter().any(|column| &**column == *name)).collect();
    if !unknown.is_empty() {
        let message = format!(
            "Column types specified for non-existent columns in seed '{}' (file: {}): {}. They have no effect.",
            node.name,
            node.original_file_path,
            unknown.join(", ")
        );
        run.events.emit(Event::Diagnostic(Box::new(Diagnostic::warning("W0207", message).event("JinjaLogWarning"))));
    }
    if run.options.empty {
        table.rows = Rows::default();
    }
    Ok(objects::table::value(table))
}

/// The config `delimiter`, which has to be one character.
fn delimiter(node: &Node) -> Result<char, Error> {
    let mut characters = node.config.text("delimiter").unwrap_or(",").chars();
    match (characters.next(), characters.next()) {
        (Some(character), None) => Ok(character),
        _ => Err(Error::compilation("\"delimiter\" must be a 1-character string")),
    }
}
