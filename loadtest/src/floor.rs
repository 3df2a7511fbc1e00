//! The floor: a responder that does nothing but write known bytes at known times.
//!
//! It finds the end of a request and plays a [`Recording`]. What the target costs above it is the
//! target's own work; below it nobody gets with one thread, tokio and a socket. Invariant: it allocates
//! nothing per chunk but the timer.

use std::{io, sync::Arc};

use clock::SharedClock;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

use crate::recording::Recording;

/// The longest request; a longer one is cut off.
const REQUEST_MAX: usize = 64 * 1024;

/// Answers every request with the recording. Never ends; drop it to stop. Connections are tasks of the
/// runtime and end with it.
pub async fn serve(listener: TcpListener, recording: Recording, clock: SharedClock) {
    let recording = Arc::new(recording);
    loop {
        // A connection that cannot be accepted shows at the client.
        let Ok((socket, _)) = listener.accept().await else { continue };
        tokio::spawn(converse(socket, Arc::clone(&recording), Arc::clone(&clock)));
    }
}

async fn converse(mut socket: TcpStream, recording: Arc<Recording>, clock: SharedClock) -> io::Result<()> {
    socket.set_nodelay(true)?;
    let mut buffer = [0; 2048];
    let mut request = Vec::new();
    loop {
        while request_length(&request).is_none_or(|length| request.len() < length) {
            let count = socket.read(&mut buffer).await?;
            if count == 0 || request.len() > REQUEST_MAX {
                return Ok(());
            }
            request.extend_from_slice(&buffer[..count]);
        }
        request.clear();
        let mut due = clock.now();
        for (wait, bytes) in &recording.pieces {
            if !wait.is_zero() {
                due = due + *wait;
                clock.sleep_until(due).await;
            }
            socket.write_all(bytes).await?;
        }
    }
}

/// Returns the length of the request, once its head is there.
fn request_length(bytes: &[u8]) -> Option<usize> {
    let head = memchr::memmem::find(bytes, b"\r\n\r\n")? + 4;
    // Our own client writes the name just so.
    let length = memchr::memmem::find(&bytes[..head], b"content-length: ").and_then(|at| {
        let digits = &bytes[at + 16..];
        let end = memchr::memchr(b'\r', digits)?;
        str::from_utf8(&digits[..end]).ok()?.parse().ok()
    });
    Some(head + length.unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_request_is_found_and_not_before_its_head_is_there() {
        let request = b"POST / HTTP/1.1\r\ncontent-length: 3\r\nx: y\r\n\r\nabc";

        assert_eq!(request_length(request), Some(request.len()));
        assert_eq!(request_length(&request[..30]), None);
        assert_eq!(request_length(b"GET / HTTP/1.1\r\n\r\n"), Some(18));
    }
}
