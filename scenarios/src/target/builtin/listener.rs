//! A listener whose sockets report to the laboratory.

use std::net::SocketAddr;

use axum::serve::Listener;
use clock::{Activity, Metered};
use tokio::net::TcpListener;

/// Accepts connections and counts their bytes.
#[derive(Debug)]
pub(super) struct MeteredListener {
    listener: TcpListener,
    activity: Activity,
}

impl MeteredListener {
    pub(super) fn new(listener: TcpListener, activity: Activity) -> Self {
        Self { listener, activity }
    }
}

impl Listener for MeteredListener {
    type Io = Metered;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Metered, SocketAddr) {
        loop {
            // A connection that is gone before it was accepted is nobody's loss.
            let Ok((stream, peer)) = self.listener.accept().await else { continue };
            if stream.set_nodelay(true).is_err() {
                continue;
            }
            if let Ok(stream) = self.activity.metered(stream) {
                return (stream, peer);
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}
