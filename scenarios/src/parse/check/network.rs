//! Lines that something is done to, and replicas that have to be there.

use super::{Checked, Scope, duration, wrong};
use crate::{
    line::{Link, REPLICAS, Replica},
    model::{Fault, Network},
};

/// Another replica than the first one has to be there.
pub(super) fn replica(replica: Replica, scope: &Scope) -> Checked {
    if replica.is_first() || scope.needs.contains(REPLICAS) {
        return Ok(());
    }
    let text = format!("`replica = {replica}` is about a target of several servers");
    wrong(text, format!("add `needs = [\"{REPLICAS}\"]`"))
}

pub(super) fn step(network: &Network, scope: &Scope) -> Checked {
    replica(network.replica, scope)?;
    let need = network.link.need();
    if !scope.needs.contains(need) {
        let text = format!("`network` is about the line to the {}", network.link.word());
        return wrong(text, format!("add `needs = [\"{need}\"]`"));
    }
    if network.by.is_some() != (network.r#do == Fault::Delay) {
        let text = "`by` belongs to `do = \"delay\"`".to_owned();
        return wrong(text, "write `do = \"delay\", by = \"300ms\"`".to_owned());
    }
    if network.r#do == Fault::Fill
        && (network.link != Link::Database || !scope.needs.contains("virtual-time"))
    {
        let text = "only the database of the built-in target can be full".to_owned();
        return wrong(text, "add `needs = [\"database-link\", \"virtual-time\"]`".to_owned());
    }
    network.by.iter().try_for_each(|expr| duration(expr, scope))
}
