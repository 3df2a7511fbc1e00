//! Section `[http]`: sockets, bodies, proxies, browsers.

use std::{net::SocketAddr, time::Duration};

use serde::{Deserialize, Serialize};

use super::span;

/// How the server meets the network.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Http {
    /// Where to listen.
    pub listen: SocketAddr,
    /// Proxies whose `X-Forwarded-For` is believed, as addresses or networks (`10.0.0.0/8`).
    pub trusted_proxies: Vec<String>,
    /// Browser origins that may call; empty means any, without credentials.
    pub allowed_origins: Vec<String>,
    /// Largest request body, in bytes.
    pub body_bytes: usize,
    /// Largest WebSocket message, in bytes; a larger one closes that socket.
    pub frame_bytes: usize,
    /// How long a client may take to send the head of a request.
    #[serde(with = "span")]
    pub header_timeout: Duration,
    /// How often an open WebSocket is pinged.
    #[serde(with = "span")]
    pub ping_interval: Duration,
    /// How long a pong may take before the socket is closed.
    #[serde(with = "span")]
    pub pong_timeout: Duration,
    /// How long a client may take to take a frame before its socket is closed. A turn must have been taken whole so
    /// long after its `llm.total`.
    #[serde(with = "span")]
    pub write_timeout: Duration,
    /// How long a device of `chat.v1` may take to take a frame before its socket is closed as too slow.
    #[serde(with = "span")]
    pub slow_timeout: Duration,
    /// How long a client of `chat.v1` may take to send its first frame.
    #[serde(with = "span")]
    pub first_frame: Duration,
    /// What the system may keep for a client that does not read, in bytes; more waits with the server.
    pub send_buffer_bytes: u32,
    /// Open sockets of one user; the next is refused.
    pub sockets_per_user: usize,
    /// Open sockets from one network address (IPv6 by /64); the next is refused. People behind one router share one.
    pub sockets_per_address: usize,
    /// How long a stopping server waits for running replies.
    #[serde(with = "span")]
    pub drain: Duration,
}

impl Default for Http {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            trusted_proxies: Vec::new(),
            allowed_origins: Vec::new(),
            body_bytes: 64 * 1024,
            frame_bytes: 64 * 1024,
            header_timeout: Duration::from_secs(10),
            ping_interval: Duration::from_secs(25),
            pong_timeout: Duration::from_secs(8),
            write_timeout: Duration::from_secs(8),
            slow_timeout: Duration::from_secs(5),
            first_frame: Duration::from_secs(10),
            send_buffer_bytes: 64 * 1024,
            sockets_per_user: 20,
            sockets_per_address: 500,
            drain: Duration::from_secs(30),
        }
    }
}
