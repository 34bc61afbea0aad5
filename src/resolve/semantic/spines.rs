//! Time spines against the time dimensions that are joined to them.

use super::Semantics;
use super::validate::{Checks, granularity, is_time, list, name};
use crate::diagnostic::Diagnostic;
use crate::manifest::Node;
use crate::resolve::time_spine;
use crate::semantic::GRANULARITIES;

fn rank(granularity: &str) -> Option<usize> {
    GRANULARITIES.iter().position(|known| *known == granularity)
}

impl Checks<'_> {
    /// Each granularity has one time spine, and none is coarser than the finest time dimension.
    pub(super) fn spines(&mut self, nodes: &[Node]) {
        self.ungrained();
        let spines = time_spine::spines(nodes);
        let Some(first) = self.models.first().filter(|_| !spines.is_empty()) else { return };
        for granularity in GRANULARITIES {
            let of = |spine: &&(&Node, String)| spine.1 == granularity;
            let names: Vec<&str> = spines.iter().filter(of).filter_map(|(node, _)| node.relation_name.as_deref()).collect();
            if names.len() > 1 {
                let all = names.join(", ");
                self.warn(first, format!("Only one time spine is supported per granularity. {granularity} has several: {all}"));
            }
        }
        let dimensions = self.models.iter().flat_map(|model| list(model, "dimensions"));
        let finest = dimensions.filter_map(|own| rank(granularity(own)?)).min();
        let spine = spines.iter().filter_map(|(_, granularity)| rank(granularity)).min();
        match (finest, spine) {
            (None, _) => {
                let message = "No time dimensions configured. To avoid unexpected query errors, give a time spine the \
                               granularity of the finest time dimension, or a finer one.";
                self.warn(first, message.to_owned());
            }
            (Some(finest), Some(spine)) if finest < spine => {
                let message = format!(
                    "The finest time dimension has the granularity {}, the finest time spine {}: queries may fail. Configure a \
                     time spine at or below the smallest time dimension granularity.",
                    GRANULARITIES[finest], GRANULARITIES[spine]
                );
                self.warn(first, message);
            }
            _ => {}
        }
    }

    fn ungrained(&mut self) {
        for model in self.models {
            for dimension in list(model, "dimensions").iter().filter(|own| is_time(own)) {
                if granularity(dimension).is_none() {
                    let message = format!(
                        "In semantic model `{}`, time dimension `{}` must have a time granularity set.",
                        model.of.name,
                        name(dimension)
                    );
                    self.deprecated(model, message, "TimeDimensionsRequireGranularityDeprecation");
                }
            }
        }
    }
}

/// A time spine that only its name makes one. Nothing is looked at where a project has only models or only metrics.
pub fn unconfigured_spine(semantics: &Semantics, nodes: &[Node]) -> Option<Diagnostic> {
    let enabled = |all: &[super::Written]| all.iter().any(|one| one.of.config.enabled());
    if !enabled(&semantics.models) || !enabled(&semantics.metrics) {
        return None;
    }
    let node = time_spine::by_name(nodes)?;
    if time_spine::spines(nodes).iter().any(|(_, granularity)| granularity == "day") {
        return None;
    }
    let message = format!("The time spine '{}' has no `time_spine:` in a property file, which will be needed", node.name);
    let help = "give the model a `time_spine:`, and its date column `granularity: day`";
    let diagnostic = Diagnostic::warning("W0262", message).event("MFTimespineWithoutYamlConfigurationDeprecation");
    Some(diagnostic.help(help).node(node.unique_id.shared()))
}
