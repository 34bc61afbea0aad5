//! Relations of another state: what `ref` reads with `--defer`, what `clone` copies.

use std::collections::HashMap;
use std::sync::Arc;

use super::adapter_object;
use super::host::Inner;
use super::run_context::{RunContext, quoting};
use crate::artifacts::Deferred;
use crate::jinja::{Cx, Error};
use crate::manifest::{Node, Relation, UniqueId};

/// The other state's relations, and what they are used for.
#[derive(Debug, Clone, Default)]
pub struct Deferral {
    pub relations: HashMap<UniqueId, Arc<Deferred>>,
    /// `--defer`: refs read them where the node's own relation is missing.
    pub refs: bool,
    /// `--favor-state`: refs to nodes that are not selected read them even where the node's own relation is there.
    pub favored: bool,
    /// `clone`: a node's code is a select from the other relation.
    pub clones: bool,
}

impl RunContext {
    /// Where a node stands in the other state; None without one.
    pub fn deferred(&self, node: &Node) -> Option<Relation> {
        self.deferral.relations.get(&node.unique_id).map(|deferred| {
            let mut relation = Relation::new(deferred.database.as_deref(), &deferred.schema, &deferred.alias);
            relation.dialect = self.dialect();
            relation.quote = quoting(self.quote, &deferred.quoting);
            relation
        })
    }

    /// What `clone` selects from: the other relation, as the other state's manifest writes it.
    pub(super) fn clone_code(&self, node: &Node) -> Option<String> {
        let deferred = self.deferral.relations.get(&node.unique_id).filter(|_| self.deferral.clones)?;
        let name = deferred.relation_name.clone().or_else(|| self.deferred(node).map(|relation| relation.name()));
        name.map(|name| format!("select * from {name}"))
    }
}

/// The relation that a reference to a node reads: its own, or the other state's.
pub(super) fn read(inner: &Inner, cx: &mut Cx<'_>, target: &Node) -> Result<Relation, Error> {
    let run = &inner.run;
    let own = run.relation(target);
    let Some(other) = run.deferred(target).filter(|_| run.deferral.refs) else { return Ok(own) };
    let favored = run.deferral.favored && run.selected.binary_search(&target.unique_id).is_err();
    let is_there = |cx: &mut Cx<'_>| adapter_object::exists(&inner.session, cx, &own);
    Ok(if favored || !is_there(cx)? { other } else { own })
}
