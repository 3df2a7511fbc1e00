//! Full buckets are forgotten while a server runs.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use clock::{Lab, SharedClock, Timestamp};
use server::{
    Config, Parts,
    limit::{Caller, LimitStore, MemoryLimits, Policy, PolicyName, Taking},
    storage::Database,
};

use crate::support::server::until_ready;

/// Counts how often it was swept.
#[derive(Debug)]
struct Swept {
    limits: MemoryLimits,
    times: AtomicUsize,
}

#[async_trait::async_trait]
impl LimitStore for Swept {
    fn take<'a>(&'a self, name: PolicyName, policy: &'a Policy, caller: &'a Caller) -> Taking<'a> {
        self.limits.take(name, policy, caller)
    }

    async fn sweep(&self) {
        self.times.fetch_add(1, Ordering::Relaxed);
        self.limits.sweep().await;
    }
}

#[test]
fn buckets_are_swept_every_five_minutes_f4() {
    let (runtime, lab) = Lab::new(Timestamp::from_second(1_800_000_000).unwrap()).unwrap();
    runtime.block_on(async {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}/chat.db", folder.path().display());
        let db = Database::open(&url, 1).await.unwrap();
        let clock: SharedClock = Arc::new(lab.clock().clone());
        let limits = MemoryLimits::new(Arc::clone(&clock));
        let swept = Arc::new(Swept { limits, times: AtomicUsize::new(0) });
        let usual = Parts::usual(Config::default(), clock, Arc::new(db.clone()));
        let parts = Parts { limits: Arc::clone(&swept) as _, ..usual };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = tokio::spawn(server::run(listener, parts, std::future::pending()));
        until_ready(address).await;
        let after = async |span| {
            lab.advance(span).await.unwrap();
            swept.times.load(Ordering::Relaxed)
        };

        assert_eq!(after(Duration::from_secs(299)).await, 0);
        assert_eq!(after(Duration::from_secs(2)).await, 1);
        assert_eq!(after(Duration::from_mins(30)).await, 7);

        server.abort();
        db.close().await;
    });
}
