//! Generic tests and the nodes they are attached to.

use std::collections::HashMap;

use crate::manifest::{Detail, Node, ResourceType};
use crate::parse::{Draft, TestTarget};

/// Sets `attached_node` and the group of each test from what it tests, which may be disabled.
pub fn attach<'a>(files: &[Node], tests: &mut [Node], drafts: impl Iterator<Item = &'a Draft>) {
    let mut by_name: HashMap<&str, Vec<&Node>> = HashMap::new();
    let refable = |node: &&Node| matches!(node.resource_type, ResourceType::Model | ResourceType::Seed | ResourceType::Snapshot);
    for node in files.iter().filter(refable) {
        by_name.entry(node.name.as_str()).or_default().push(node);
    }
    for (test, draft) in tests.iter_mut().zip(drafts) {
        let Some(TestTarget::Node { name, version, .. }) = draft.test.as_ref().map(|test| &test.target) else { continue };
        let named = by_name.get(name.as_str()).map(Vec::as_slice).unwrap_or_default();
        let fits = |node: &&&Node| {
            let own = node.model().and_then(|model| model.version.as_ref());
            match (version, own) {
                (Some(version), Some(own)) => version.text == own.text,
                (None, Some(own)) => {
                    node.model().and_then(|model| model.latest_version.as_ref()).is_some_and(|latest| latest.text == own.text)
                }
                (wanted, None) => wanted.is_none(),
            }
        };
        let own_package = |node: &&&Node| node.package_name == test.package_name;
        let found = named
            .iter()
            .filter(fits)
            .find(|node| own_package(node) && node.config.enabled())
            .or_else(|| named.iter().filter(fits).find(|node| !node.config.enabled()));
        let Some(found) = found else { continue };
        test.group.clone_from(&found.group);
        if let Detail::Test(detail) = &mut test.detail {
            detail.attached_node = Some(found.unique_id.clone());
        }
    }
}
