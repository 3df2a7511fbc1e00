//! `gauntlet talk`: a small client of the v0 WebSocket, to see with one's own eyes.
//!
//! It reads frames as JSON, like a stranger. The words of a reply go to standard output as they come;
//! whatever is not the model's answer is marked in brackets.

use std::{
    io::{self, BufRead as _},
    time::Duration,
};

use anyhow::{Context as _, bail};
use clap::Args;
use clock::SystemClock;
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::{net::TcpStream, runtime};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Message, client::IntoClientRequest as _, http::HeaderValue},
};

use crate::{exit_code::ExitCode, failure::Failure, output};

/// Longest wait for the next frame of a turn; a turn has 30 s by default.
const PATIENCE: Duration = Duration::from_mins(1);

/// Whom to talk to, and what to say.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// What to say, a turn each; lines of standard input if nothing is given
    #[arg(value_name = "MESSAGE")]
    messages: Vec<String>,
    /// Socket of the server
    #[arg(long, value_name = "URL", default_value = "ws://127.0.0.1:8080/ws/chat")]
    url: String,
    /// Token from `/api/auth/register` or `/api/auth/login`
    #[arg(long, env = "GAUNTLET_TOKEN", hide_env_values = true)]
    token: String,
}

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let runtime =
        runtime::Builder::new_current_thread().enable_all().build().map_err(Failure::environment)?;
    runtime.block_on(talk(arguments)).map_err(Failure::environment)?;
    Ok(ExitCode::Held)
}

async fn talk(arguments: &Arguments) -> anyhow::Result<()> {
    let mut socket = open(arguments).await?;
    for message in &arguments.messages {
        turn(&mut socket, message).await?;
    }
    if arguments.messages.is_empty() {
        for line in io::stdin().lock().lines() {
            turn(&mut socket, &line?).await?;
        }
    }
    socket.close(None).await.context("the server did not take the goodbye")
}

async fn open(arguments: &Arguments) -> anyhow::Result<Socket> {
    let url = &arguments.url;
    let mut request =
        url.as_str().into_client_request().with_context(|| format!("`{url}` is not a WebSocket URL"))?;
    let bearer =
        HeaderValue::try_from(format!("Bearer {}", arguments.token)).context("the token is not a header")?;
    request.headers_mut().insert("authorization", bearer);
    let (socket, _) = connect_async(request).await.with_context(|| {
        format!("cannot open `{url}`; is `gauntlet serve` running, and is the token its own?")
    })?;
    Ok(socket)
}

/// Says one thing and shows the answer to its end.
async fn turn(socket: &mut Socket, message: &str) -> anyhow::Result<()> {
    socket.send(Message::text(json!({ "content": message }).to_string())).await.context("cannot send")?;
    let clock = SystemClock::new();
    loop {
        let frame = clock::timeout(&clock, PATIENCE, socket.next())
            .await
            .with_context(|| format!("no frame in {} s", PATIENCE.as_secs()))?;
        match frame.context("the server closed the socket")?? {
            Message::Text(text) => {
                let frame: Value =
                    serde_json::from_str(&text).context("the server sent a frame that is not JSON")?;
                output::print(&shown(&frame));
                if ends(&frame) {
                    return Ok(());
                }
            }
            Message::Close(reason) => bail!("the server closed the socket: {reason:?}"),
            _ => {}
        }
    }
}

fn ends(frame: &Value) -> bool {
    matches!(frame["type"].as_str(), Some("done" | "error"))
}

/// Returns what a person is shown of a frame.
fn shown(frame: &Value) -> String {
    let content = frame["content"].as_str().unwrap_or_default();
    match frame["type"].as_str() {
        Some("message") => match frame["kind"].as_str() {
            None | Some("answer") => content.to_owned(),
            Some(kind) => format!("[{kind}] {content}"),
        },
        Some("calendar") => format!("[calendar] {}\n", frame["data"]["title"].as_str().unwrap_or_default()),
        Some("error") => format!("[error] {content}\n"),
        Some("done") => "\n".to_owned(),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_shown_as_it_is_and_everything_else_is_marked() {
        let frames = [
            json!({"type": "calendar", "data": {"title": "Follow up"}}),
            json!({"type": "message", "content": "All "}),
            json!({"type": "message", "content": "well.", "kind": "answer"}),
            json!({"type": "done"}),
            json!({"type": "message", "content": "Try again.", "kind": "fallback"}),
            json!({"type": "error", "content": "too many messages"}),
            json!({"type": "news"}),
        ];

        let text: String = frames.iter().map(shown).collect();

        insta::assert_snapshot!(text, @r"
        [calendar] Follow up
        All well.
        [fallback] Try again.[error] too many messages
        ");
    }

    #[test]
    fn a_turn_ends_with_done_or_with_an_error() {
        assert!(ends(&json!({"type": "done"})) && ends(&json!({"type": "error"})));
        assert!(!ends(&json!({"type": "message", "content": "done"})));
    }
}
