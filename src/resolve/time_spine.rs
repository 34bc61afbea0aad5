//! A model that is a time spine.

use serde_json::json;

use crate::diagnostic::Diagnostic;
use crate::manifest::{Json, Node};
use crate::yaml::Yaml;

use super::columns;
use super::patch::Patch;
use super::semantic::Semantics;

/// `time_spine:` of a model; its columns must be documented, the standard one with a granularity.
pub fn read(patch: &Patch, diagnostics: &mut Vec<Diagnostic>) -> Option<Json> {
    let spine = patch.entry.get("time_spine").filter(|spine| !spine.is_null())?;
    let standard = columns::text(spine.get("standard_granularity_column")).unwrap_or_default();
    let documented = patch.columns();
    let find = |name: &str| documented.iter().find(|column| columns::text(column.get("name")).as_deref() == Some(name));
    let mut fail = |message: String| diagnostics.push(Diagnostic::error("E0262", message).at(&patch.file.source, spine.span));
    match find(&standard) {
        None => fail(format!(
            "Time spine standard granularity column must be defined on the model. Got invalid column name '{standard}' for \
             model '{}'",
            patch.name
        )),
        Some(column) if columns::text(column.get("granularity")).is_none() => fail(format!(
            "Time spine standard granularity column must have a granularity defined. Please add one for column '{standard}' \
             in model '{}'",
            patch.name
        )),
        Some(_) => {}
    }
    let mut custom = Vec::new();
    for entry in spine.get("custom_granularities").map(Yaml::items).unwrap_or_default() {
        let name = columns::text(entry.get("name")).unwrap_or_default();
        let column = columns::text(entry.get("column_name"));
        let wanted = column.as_deref().unwrap_or(&name);
        if find(wanted).is_none() {
            fail(format!("Time spine custom granularity column '{wanted}' does not exist in model '{}'", patch.name));
        }
        custom.push(json!({"name": name, "column_name": column}));
    }
    Some(json!({"standard_granularity_column": standard, "custom_granularities": custom}))
}

/// From the finest: those up to a day are fine enough.
const FINE: [&str; 7] = ["nanosecond", "microsecond", "millisecond", "second", "minute", "hour", "day"];

/// The model that is a time spine by its name.
const LEGACY: &str = "metricflow_time_spine";

/// The models that are time spines by their property file, each with its granularity.
pub fn spines(nodes: &[Node]) -> Vec<(&Node, String)> {
    let spine = |node: &'_ Node| -> Option<String> {
        let model = node.model().filter(|_| node.config.enabled())?;
        let standard = model.time_spine.as_ref()?.get("standard_granularity_column")?.as_str()?;
        Some(node.columns.get(standard)?.granularity.as_ref()?.to_lowercase())
    };
    nodes.iter().filter_map(|node| Some((node, spine(node)?))).collect()
}

/// The model that is a time spine by its name, and has no configuration of its own as one.
pub fn by_name(nodes: &[Node]) -> Option<&Node> {
    let unconfigured = |node: &&Node| node.model().is_some_and(|model| model.time_spine.is_none());
    nodes.iter().find(|node| node.name == LEGACY && node.config.enabled() && unconfigured(node))
}

/// The granularities that time spines add to the standard ones.
pub fn custom_granularities(nodes: &[Node]) -> Vec<String> {
    let spines = nodes.iter().filter(|node| node.config.enabled()).filter_map(|node| node.model()?.time_spine.as_ref());
    let custom = spines.filter_map(|spine| spine.get("custom_granularities")?.as_array()).flatten();
    custom.filter_map(|own| own.get("name")?.as_str()).map(str::to_owned).collect()
}

/// Semantic models need a time spine of days, or finer.
pub fn require(semantics: &Semantics, nodes: &[Node]) -> Option<Diagnostic> {
    let first = semantics.models.iter().find(|written| written.of.config.enabled())?;
    let named = |node: &Node| node.name == LEGACY && node.model().is_some() && node.config.enabled();
    if nodes.iter().any(named) || spines(nodes).iter().any(|(_, granularity)| FINE.contains(&granularity.as_str())) {
        return None;
    }
    let message = "The semantic layer requires a time spine model with granularity DAY or smaller in the project, \
                   but none was found.";
    let help = "give a model with one row a day a `time_spine:`, and its date column `granularity: day`";
    Some(Diagnostic::error("E0297", message).at(&first.file.source, first.span).help(help))
}
