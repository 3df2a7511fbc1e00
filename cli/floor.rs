//! `gauntlet floor`: the bare responder that `gauntlet load` measures beside the target. Not for people.

use std::{net::Ipv4Addr, sync::Arc};

use clock::SystemClock;
use loadtest::Recording;
use tokio::{io::AsyncReadExt as _, net::TcpListener, runtime};

use crate::{exit_code::ExitCode, failure::Failure, output};

/// Reads a recording from standard input and plays it to everybody, until the input ends.
pub(crate) fn run() -> Result<ExitCode, Failure> {
    let runtime =
        runtime::Builder::new_current_thread().enable_all().build().map_err(Failure::environment)?;
    let served = runtime.block_on(async {
        let mut input = tokio::io::stdin();
        let recording = Recording::read(&mut input).await.map_err(Failure::environment)?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(Failure::environment)?;
        let address = listener.local_addr().map_err(Failure::environment)?;
        output::print(&format!("floor listens on http://{address}\n"));
        let mut rest = [0];
        tokio::select! {
            () = loadtest::floor(listener, recording, Arc::new(SystemClock::new())) => {}
            // Whoever started it is gone.
            _ = input.read(&mut rest) => {}
        }
        Ok(ExitCode::Held)
    });
    // A read of standard input cannot be called off; the runtime would wait for it.
    runtime.shutdown_background();
    served
}
