//! Addresses at which a client fails before it can ask for anything.
//!
//! What happens before there is a connection cannot be part of an answer. For a fault of
//! [`Layer::Address`](crate::Layer::Address) the client is pointed at a dead end instead of the mock.
//! Invariant: no packet leaves the machine, and nothing is served here: a dead end has no task.

use std::{
    io,
    net::{IpAddr, SocketAddr},
};

use serde::Deserialize;
use tokio::net::{TcpListener, TcpSocket, TcpStream};

use crate::{fault::Fault, mock::StartError};

/// A name that never resolves: `.invalid` is set aside for that (RFC 6761).
const NAME: &str = "api.deepseek.invalid";
/// What the queue of a silent port is asked to hold. Linux takes one connection more than that.
const QUEUE: u32 = 1;

/// What is wrong with the address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Kind {
    /// A name without an address.
    Name,
    /// A port on which nobody listens.
    Refusing,
    /// A port that answers no attempt to connect.
    Silent,
}

/// An address to point a client at, so that it fails as a fault of
/// [`Layer::Address`](crate::Layer::Address) says.
///
/// Its port is held until it is dropped, so that nobody else begins to listen there.
///
/// ```
/// # tokio::runtime::Runtime::new()?.block_on(async {
/// use mock_deepseek::{DeadEnd, Fault};
///
/// let address = "127.0.0.1:0".parse()?;
/// let dead_end = DeadEnd::open(&Fault::parse("connect-refused")?, address).await?;
/// println!("point a client at {}", dead_end.url());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct DeadEnd {
    url: String,
    /// Bound without listening: the system refuses whoever connects.
    _bound: Option<TcpSocket>,
    /// Listening without accepting.
    _listening: Option<TcpListener>,
    /// These fill the queue of the listener, so that the system drops every further attempt.
    _queued: Vec<TcpStream>,
}

/// There is no dead end.
#[derive(Debug, thiserror::Error)]
pub enum DeadEndError {
    /// The fault is part of an answer.
    #[error("fault `{0}` is part of an answer; name it in a script or in the header `x-mock-fault`")]
    Inside(&'static str),
    /// The port cannot be had.
    #[error(transparent)]
    Port(#[from] StartError),
}

impl DeadEnd {
    /// Opens the dead end of this fault; its port, if it has one, is that of `address`, 0 for a free one.
    ///
    /// A connection that is never made works as on Linux: a system that finds the queue of a listener
    /// full drops attempts to connect, and the client tries until its own limit (about two minutes if
    /// it has none).
    pub async fn open(fault: &Fault, address: SocketAddr) -> Result<Self, DeadEndError> {
        let kind = fault.behaviour().dead_end().ok_or_else(|| DeadEndError::Inside(fault.id()))?;
        let opened = match kind {
            Kind::Name => return Ok(Self::named()),
            Kind::Refusing => Self::refusing(address),
            Kind::Silent => Self::silent(address).await,
        };
        Ok(opened.map_err(|source| StartError::at(address, source))?)
    }

    /// Returns the base URL for clients, without a slash at the end.
    pub fn url(&self) -> &str {
        &self.url
    }

    fn named() -> Self {
        Self { url: format!("http://{NAME}"), _bound: None, _listening: None, _queued: Vec::new() }
    }

    fn refusing(address: SocketAddr) -> io::Result<Self> {
        let socket = bind(address)?;
        let url = format!("http://{}", socket.local_addr()?);
        Ok(Self { url, _bound: Some(socket), _listening: None, _queued: Vec::new() })
    }

    async fn silent(address: SocketAddr) -> io::Result<Self> {
        let listener = bind(address)?.listen(QUEUE)?;
        let address = listener.local_addr()?;
        let mut queued = Vec::new();
        for _ in 0..=QUEUE {
            queued.push(TcpStream::connect(address).await?);
        }
        Ok(Self {
            url: format!("http://{address}"),
            _bound: None,
            _listening: Some(listener),
            _queued: queued,
        })
    }
}

fn bind(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = match address.ip() {
        IpAddr::V4(_) => TcpSocket::new_v4()?,
        IpAddr::V6(_) => TcpSocket::new_v6()?,
    };
    socket.bind(address)?;
    Ok(socket)
}

/// Says what a client of such an address sees; no byte goes over the wire.
pub(crate) fn story(kind: Kind) -> &'static str {
    match kind {
        Kind::Name => "-- no connection: the name `api.deepseek.invalid` has no address\n",
        Kind::Refusing => "-- no connection: the attempt is answered with a reset\n",
        Kind::Silent => "-- no connection: the attempt is not answered, nor is any that follows\n",
    }
}
