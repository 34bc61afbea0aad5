//! osi_document.json, and what it cannot say.

use crate::diagnostic::Diagnostic;
use crate::manifest::Manifest;
use crate::semantic::{Loss, to_osi};

use super::Invocation;

/// Writes the document, and tells what it does not say; where there can be none, the reason is told. False where it cannot be
/// written, or a warning counts as an error.
pub(super) fn write(invocation: &Invocation<'_>, manifest: &Manifest) -> bool {
    match to_osi(manifest) {
        Ok(made) => {
            let told = made.losses.iter().map(|(loss, element)| lost(*loss, element)).collect();
            invocation.teller.tell(told) && invocation.write("osi_document.json", made.document.to_json())
        }
        Err(reason) => {
            let message = format!("OSI document could not be generated: {reason}");
            invocation.teller.tell(vec![Diagnostic::warning("W0226", message).event("SemanticValidationFailure")])
        }
    }
}

fn lost(loss: Loss, element: &str) -> Diagnostic {
    let message = match loss {
        Loss::ConversionMetric => format!("Metric '{element}' is not in the OSI document: the format has no conversion metrics"),
        Loss::PrivateMetric => format!("Metric '{element}' is not in the OSI document: private metrics are left out"),
        Loss::NaturalEntity => {
            format!("Entity '{element}' joins nothing in the OSI document: the format has no natural entities")
        }
        Loss::CumulativeSemantics => {
            format!("Metric '{element}' is in the OSI document without its window and grain: the format cannot say them")
        }
    };
    Diagnostic::warning("W0225", message).event("MFConverterIssue")
}
