//! Deletes, long after their end, facts that nobody is told any more.
//!
//! From the moment of its end a fact is nowhere but in its history (F45); here that goes, too. Every replica does this;
//! what one has deleted the others do not find.

use std::time::Duration;

use crate::parts::Parts;

/// How often it is looked for.
const INTERVAL: Duration = Duration::from_hours(1);

/// Most facts of one transaction.
const BATCH: u32 = 500;

/// Most transactions in a row; what is left waits for the next look.
const BATCHES_MAX: u32 = 200;

/// Looks for such facts from time to time, for ever.
pub(crate) async fn purge(parts: &Parts) {
    loop {
        parts.clock.sleep(INTERVAL).await;
        look(parts).await;
    }
}

async fn look(parts: &Parts) {
    let ended_by = parts.clock.wall() - parts.config.conversation.fact_retention;
    for _ in 0..BATCHES_MAX {
        match parts.storage.purge_facts(ended_by, BATCH).await {
            Ok(0) => return,
            Ok(gone) => {
                metrics::counter!("facts_purged_total").increment(u64::try_from(gone).unwrap_or(u64::MAX));
                tracing::info!(gone, "facts that had ended are deleted");
            }
            Err(error) => return tracing::warn!(%error, "facts that had ended could not be deleted"),
        }
    }
}
