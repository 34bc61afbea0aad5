//! The semantic layer's own languages: what filters name (`{{ Dimension('order__status') }}`), and OSI documents, made
//! from a manifest's semantic models and metrics or turned into them.

mod from_osi;
mod items;
mod simple_metrics;
mod to_osi;

pub use from_osi::{Element, FromOsi, Made, OsiSemanticMetric, OsiSemanticModel, from_osi};
pub use items::{Item, ItemKind, Items, Place};
pub use to_osi::{Loss, ToOsi, to_osi};

/// The standard granularities, from the finest.
pub const GRANULARITIES: [&str; 11] =
    ["nanosecond", "microsecond", "millisecond", "second", "minute", "hour", "day", "week", "month", "quarter", "year"];
