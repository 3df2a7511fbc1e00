//! The floor of every first token: the model asked directly, all the while, by a client that does nothing else.
//!
//! It meets the same busy machine in the same seconds as the users do. What a turn takes longer than it, the target added.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use clock::timeout;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use super::{
    figures::Time,
    stage::{self, Stage},
};

/// Pause between two questions.
const EVERY: Duration = Duration::from_millis(50);
/// An answer may take so long to begin, beyond what the model was told to wait.
const FIRST_MAX: Duration = Duration::from_secs(10);
/// Longest beginning of an answer that is looked through.
const BYTES_MAX: usize = 64 * 1024;

/// Asks the model at `address` until it is over. A question that fails shows as one that is not counted.
pub(crate) async fn probe(stage: Arc<Stage>, address: SocketAddr) {
    let mark = stage::mark(0);
    let body = serde_json::json!({
        "model": "deepseek-flash",
        "messages": [{"role": "user", "content": mark}],
        "stream": true,
    })
    .to_string();
    let request = format!(
        "POST /chat/completions HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer sk-load\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let limit = stage.model.first_token + FIRST_MAX;
    while !stage.rest(EVERY).await {
        // The model that is gone shows in the users' turns.
        _ = timeout(stage.clock(), limit, ask(&stage, address, request.as_bytes())).await;
    }
}

/// Asks once, and hangs up at the first piece.
async fn ask(stage: &Stage, address: SocketAddr, request: &[u8]) -> io::Result<()> {
    let mut socket = TcpStream::connect(address).await?;
    socket.set_nodelay(true)?;
    let sent = stage.recorder.now();
    socket.write_all(request).await?;
    let mut answer = Vec::with_capacity(4096);
    while memchr::memmem::find(&answer, stage::mark(0).as_bytes()).is_none() {
        if socket.read_buf(&mut answer).await? == 0 || answer.len() > BYTES_MAX {
            return Ok(());
        }
    }
    stage.recorder.took(Time::Floor, sent, stage.recorder.now());
    Ok(())
}
