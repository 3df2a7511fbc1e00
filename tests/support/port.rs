//! Ports for what binds them later: below those that the system gives to whoever asks for any, so that nobody is given
//! one in between.

use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener},
    sync::atomic::{AtomicU16, Ordering},
};

/// The first of them. The system gives away from 32768 on.
const FIRST: u16 = 20_000;
/// Each test process begins elsewhere; so many are its own before another one's begin.
const OWN: u16 = 100;

/// Returns an address of this machine that nobody listens at, another one each time.
pub(crate) fn free() -> SocketAddr {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let block = u16::try_from(std::process::id() % u32::from(OWN)).unwrap();
    loop {
        let port = FIRST + block * OWN + NEXT.fetch_add(1, Ordering::Relaxed);
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        if TcpListener::bind(address).is_ok() {
            return address;
        }
    }
}
