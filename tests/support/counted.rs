//! What the metrics of a test's own thread have counted.

use std::collections::BTreeMap;

use metrics_util::debugging::{DebugValue, Snapshotter};

/// Returns what was counted since it was last asked for, without what was not: the name and the labels, such as
/// `rate_limited_total user shadow`, and how often.
pub(crate) fn counted(metrics: &Snapshotter) -> BTreeMap<String, u64> {
    let all = metrics.snapshot().into_vec().into_iter();
    let counters = all.filter_map(|(key, _, _, value)| {
        let DebugValue::Counter(count @ 1..) = value else { return None };
        let labels = key.key().labels().map(metrics::Label::value);
        let name = std::iter::once(key.key().name()).chain(labels).collect::<Vec<_>>().join(" ");
        Some((name, count))
    });
    counters.collect()
}
