//! A limit on connecting, on our clock, and the knowledge whether there was any connecting.
//!
//! The limit covers name, TCP and TLS, and nothing after.

use std::{
    cell::Cell,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use clock::SharedClock;
use tower::{BoxError, Layer, Service};

tokio::task_local! {
    static HAS_CONNECTED: Cell<bool>;
}

/// Waits for a request, and tells whether a connection was opened for it or at least begun to be.
pub(super) async fn noticed<T>(request: impl Future<Output = T>) -> (T, bool) {
    let noticing = async { (request.await, HAS_CONNECTED.with(Cell::get)) };
    HAS_CONNECTED.scope(Cell::new(false), noticing).await
}

/// Wraps a connector with a time limit.
#[derive(Clone, Debug)]
pub(super) struct ConnectLimit {
    clock: SharedClock,
    limit: Duration,
}

impl ConnectLimit {
    pub(super) const fn new(clock: SharedClock, limit: Duration) -> Self {
        Self { clock, limit }
    }
}

impl<S> Layer<S> for ConnectLimit {
    type Service = Limited<S>;

    fn layer(&self, inner: S) -> Limited<S> {
        Limited { inner, limit: self.clone() }
    }
}

/// A connector with a time limit.
#[derive(Clone, Debug)]
pub(super) struct Limited<S> {
    inner: S,
    limit: ConnectLimit,
}

impl<S, T> Service<T> for Limited<S>
where
    S: Service<T, Error = BoxError>,
    S::Future: Send + 'static,
    S::Response: Send + 'static,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, target: T) -> Self::Future {
        // Outside of a request that is noticed there is nobody to tell.
        let _ = HAS_CONNECTED.try_with(|has_connected| has_connected.set(true));
        let ConnectLimit { clock, limit } = self.limit.clone();
        let connecting = self.inner.call(target);
        Box::pin(async move {
            clock::timeout(&*clock, limit, connecting)
                .await
                .map_err(|_| BoxError::from("no connection within the limit"))?
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use clock::{Clock, Lab, Timestamp};

    use super::*;

    #[test]
    fn a_connection_that_does_not_stand_in_time_is_given_up_on_our_clock() {
        let (runtime, lab) = Lab::new(Timestamp::UNIX_EPOCH).unwrap();
        let limit = ConnectLimit::new(Arc::new(lab.clock().clone()), Duration::from_secs(3));
        let mut connector =
            limit.layer(tower::service_fn(|()| std::future::pending::<Result<(), BoxError>>()));

        runtime.block_on(async {
            let connecting = tokio::spawn(connector.call(()));
            lab.advance(Duration::from_millis(2999)).await.unwrap();
            assert!(!connecting.is_finished());
            lab.advance(Duration::from_millis(1)).await.unwrap();
            assert!(connecting.await.unwrap().is_err());
        });

        assert_eq!(lab.clock().now().since_origin(), Duration::from_secs(3));
    }
}
