//! What earlier runs left, where the command asks for it: `--state`, `--defer`, `--favor-state`, `--defer-state`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Invocation, Resolved};
use crate::artifacts::{self, PreviousState};
use crate::cli::Command;
use crate::compile::Deferral;
use crate::diagnostic::Diagnostic;
use crate::graph::Comparand;
use crate::manifest::Json;
use crate::parse;

/// The folders that the flags name, read.
#[derive(Debug, Default)]
pub struct States {
    /// `--state`.
    compared: Option<Arc<PreviousState>>,
    /// `--defer-state`.
    deferred: Option<Arc<PreviousState>>,
}

impl States {
    /// Reads them. None: an artifact is broken, or of a version that cannot be read, which has been told.
    fn read(invocation: &Invocation) -> Option<Self> {
        let mut diagnostics = Vec::new();
        let mut read = |flag: &str| {
            let folder = PathBuf::from(invocation.request.text(flag)?);
            let path = invocation.project.root.join(&folder);
            if path == invocation.project.target_path {
                diagnostics.push(same_folder(&folder));
            }
            let (mut state, faults) = artifacts::read_state(&*invocation.fs, &path);
            state.folder = folder.display().to_string();
            if invocation.flag("state_modified_compare_more_unrendered_values", true)
                && let Some(manifest) = state.manifest.as_mut().map(Arc::make_mut)
            {
                rewrite_configs(manifest);
            }
            diagnostics.extend(faults);
            Some(Arc::new(state))
        };
        let states = Self { compared: read("state"), deferred: read("defer_state") };
        invocation.teller.tell(diagnostics).then_some(states)
    }
}

/// Other dbt versions keep the values of a `config` call in other words: where one of them wrote the manifest, they are read
/// from the nodes' code again, as dbt does.
fn rewrite_configs(manifest: &mut Json) {
    let version = manifest.pointer("/metadata/dbt_version").and_then(Json::as_str);
    if version.is_none_or(|version| version == artifacts::DBT_VERSION) {
        return;
    }
    let nodes = manifest.get_mut("nodes").and_then(Json::as_object_mut);
    for node in nodes.into_iter().flat_map(|nodes| nodes.values_mut()) {
        // These tests have code of their own that no `config` call stands in.
        let macros = node.pointer("/depends_on/macros").and_then(Json::as_array);
        let simple = ["macro.dbt.test_not_null", "macro.dbt.test_unique"];
        if macros.is_some_and(|macros| matches!(&macros[..], [one] if simple.iter().any(|simple| one == simple))) {
            continue;
        }
        let Some(code) = node.get("raw_code").and_then(Json::as_str).map(str::to_owned) else { continue };
        let config = node.get_mut("unrendered_config").and_then(Json::as_object_mut).filter(|config| !config.is_empty());
        if let Some(config) = config {
            config.extend(parse::unrendered_config(&code).unwrap_or_default());
        }
    }
}

fn same_folder(folder: &Path) -> Diagnostic {
    let message = format!(
        "The state and target directories are the same: '{}'. This could lead to missing changes due to overwritten state \
         including non-idempotent retries.",
        folder.display()
    );
    Diagnostic::warning("W0503", message)
        .event("WarnStateTargetEqual")
        .help("copy the earlier artifacts to a folder of their own")
}

impl Invocation<'_> {
    fn states(&self) -> Option<&States> {
        self.states.get_or_init(|| States::read(self)).as_ref()
    }

    /// The artifacts that `state:` and its like compare with: `Some(None)` without `--state`, None after an error, which has
    /// been told.
    #[expect(clippy::option_option, reason = "a fault, no state, a state")]
    pub(super) fn comparand(&self) -> Option<Option<Arc<Comparand>>> {
        let Some(earlier) = self.states()?.compared.clone() else { return Some(None) };
        let mut current_sources = None;
        if earlier.sources.is_some() {
            let (current, faults) = artifacts::read_state(&*self.fs, &self.project.target_path);
            current_sources = current.sources;
            if !self.teller.tell(faults) {
                return None;
            }
        }
        Some(Some(Arc::new(Comparand { earlier, current_sources })))
    }

    /// The other state's relations, where `--defer` or `clone` asks for them; None after an error, which has been told.
    pub(super) fn deferral(&self, resolved: &Resolved) -> Option<Deferral> {
        let clones = self.request.command == Command::Clone;
        let refs = self.flag("defer", false) && self.request.command != Command::RunOperation;
        if !refs && !clones {
            return Some(Deferral::default());
        }
        let states = self.states()?;
        let Some(state) = states.deferred.as_ref().or(states.compared.as_ref()) else {
            let message = "--state or --defer-state are required for deferral, but neither was provided";
            let help = "name the folder with the other state's manifest.json: --state prod-artifacts";
            self.teller.tell(vec![Diagnostic::error("E0813", message).help(help)]);
            return None;
        };
        let Some(manifest) = &state.manifest else {
            let message = format!("Could not find manifest in --state path: \"{}\"", state.folder);
            let help = "the folder must hold the manifest.json of the other state";
            self.teller.tell(vec![Diagnostic::error("E0811", message).help(help)]);
            return None;
        };
        let relations = artifacts::deferred(&resolved.manifest, manifest);
        Some(Deferral { relations, refs, favored: self.flag("favor_state", false), clones })
    }
}
