//! A gateway in front of a model, as strangers write them: sound, or broken in one way. A harness that judges other
//! people's back ends must accuse each of the broken ones, and never the sound one.

use std::{
    convert::Infallible,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::State,
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse as _, Response},
    routing::post,
};
use futures_util::{StreamExt as _, stream};
use serde_json::json;
use tokio::{net::TcpListener, sync::mpsc, task::JoinHandle, time::timeout};

/// What is wrong with a gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Defect {
    /// Nothing.
    None,
    /// It opens a stream and says nothing.
    NeverAnswers,
    /// It ends every answer twice.
    EndsTwice,
    /// It says something more after the end.
    SpeaksAfterTheEnd,
    /// It gives everybody what anybody asked for.
    MixesUsers,
    /// It forgets `[DONE]`.
    LosesTheEnd,
    /// It tells every answer as whole, also half of one.
    BelievesTheHalf,
    /// It sends some pieces twice.
    Doubles,
    /// It swaps pieces.
    Reorders,
    /// It puts an apology behind half an answer.
    Splices,
    /// It reads on when its client has left.
    HoldsTheModel,
    /// It collects the whole answer first.
    Collects,
    /// It tells errors of the model as answers.
    SoothesErrors,
    /// It tells every error of the model as its own.
    HidesTheStatus,
    /// It waits for a silent model for ever.
    IsPatient,
    /// It reads bytes as letters piece by piece.
    TearsLetters,
    /// It takes comments for data.
    ReadsComments,
    /// It passes on the last message only.
    ForgetsTheConversation,
}

/// So long the model may be silent.
pub(crate) const GAP: Duration = Duration::from_secs(1);

/// A running gateway; it ends with its task.
pub(crate) struct Gateway {
    pub(crate) address: SocketAddr,
    serving: JoinHandle<()>,
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

#[derive(Clone)]
struct Way {
    client: reqwest::Client,
    model: String,
    defect: Defect,
    /// Everybody who has asked.
    clients: Arc<Mutex<Vec<mpsc::Sender<String>>>>,
}

impl Gateway {
    /// Starts one in front of the model at this address.
    pub(crate) async fn start(model: SocketAddr, defect: Defect) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let way = Way {
            client,
            model: format!("http://{model}/chat/completions"),
            defect,
            clients: Arc::default(),
        };
        let router = Router::new().route("/v1/chat/completions", post(answer)).with_state(way);
        let serving = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { address, serving }
    }
}

async fn answer(State(way): State<Way>, body: Bytes) -> Response {
    let body = if way.defect == Defect::ForgetsTheConversation { forgotten(&body) } else { body };
    let request = way.client.post(&way.model).bearer_auth("sk-test").header(CONTENT_TYPE, "application/json");
    let asked = match request.body(body).send().await {
        Ok(asked) => asked,
        Err(error) => return refusal(StatusCode::BAD_GATEWAY, &error.to_string()),
    };
    let status = asked.status();
    let is_stream = asked
        .headers()
        .get(CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"));
    if !status.is_success() || !is_stream {
        let text = asked.text().await.unwrap_or_default();
        return match way.defect {
            Defect::SoothesErrors => {
                told(&[piece("Sorry, something went wrong."), finish(), DONE.to_owned()])
            }
            Defect::HidesTheStatus => refusal(StatusCode::INTERNAL_SERVER_ERROR, &text),
            _ if status.is_success() => refusal(StatusCode::BAD_GATEWAY, "the model sent no stream"),
            _ => refusal(status, &text),
        };
    }
    let (events, passed) = mpsc::channel(16);
    way.clients.lock().unwrap().push(events.clone());
    let telling = Telling { way: way.clone(), events, kept: Vec::new(), is_finished: false, is_done: false };
    let telling = tokio::spawn(telling.run(asked));
    let body = Body::from_stream(stream::unfold(
        (passed, Cut(telling, way.defect)),
        |(mut passed, cut)| async move {
            let event: String = passed.recv().await?;
            Some((Ok::<_, Infallible>(event), (passed, cut)))
        },
    ));
    ([(CONTENT_TYPE, "text/event-stream")], body).into_response()
}

/// Ends what is told when the client has left.
struct Cut(JoinHandle<()>, Defect);

impl Drop for Cut {
    fn drop(&mut self) {
        if self.1 != Defect::HoldsTheModel {
            self.0.abort();
        }
    }
}

const DONE: &str = "data: [DONE]\n\n";

fn refusal(status: StatusCode, text: &str) -> Response {
    (status, axum::Json(json!({"error": {"message": text}}))).into_response()
}

fn told(events: &[String]) -> Response {
    ([(CONTENT_TYPE, "text/event-stream")], events.concat()).into_response()
}

fn piece(text: &str) -> String {
    format!(
        "data: {}\n\n",
        json!({"id": "own", "choices": [{"index": 0, "delta": {"content": text}, "finish_reason": null}]})
    )
}

fn finish() -> String {
    format!(
        "data: {}\n\n",
        json!({"id": "own", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
    )
}

fn forgotten(body: &Bytes) -> Bytes {
    let mut json: serde_json::Value = serde_json::from_slice(body).unwrap();
    let last = json["messages"].as_array_mut().unwrap().pop().unwrap();
    json["messages"] = json!([last]);
    json.to_string().into()
}

/// An answer that is passed on.
struct Telling {
    way: Way,
    events: mpsc::Sender<String>,
    /// What was passed on, or will be.
    kept: Vec<String>,
    is_finished: bool,
    is_done: bool,
}

impl Telling {
    /// Passes the events of the model on, as the defect wants it.
    async fn run(mut self, asked: reqwest::Response) {
        let (mut bytes, mut rest) = (asked.bytes_stream(), Vec::new());
        let patience = if self.way.defect == Defect::IsPatient { Duration::from_hours(1) } else { GAP };
        while !self.is_done
            && let Ok(Some(Ok(more))) = timeout(patience, bytes.next()).await
        {
            match self.way.defect {
                Defect::NeverAnswers => return std::future::pending().await,
                Defect::TearsLetters => rest.extend_from_slice(String::from_utf8_lossy(&more).as_bytes()),
                _ => rest.extend_from_slice(&more),
            }
            while let Some(end) = rest.windows(2).position(|pair| pair == b"\n\n") {
                let event = String::from_utf8_lossy(&rest.drain(..end + 2).collect::<Vec<_>>()).into_owned();
                if event.contains(r#""error""#) {
                    return self.send(event).await;
                }
                self.event(event).await;
            }
        }
        self.close().await;
    }

    async fn event(&mut self, event: String) {
        let defect = self.way.defect;
        if event.starts_with(':') {
            if defect == Defect::ReadsComments {
                self.send(format!("data: {}", event.trim_start_matches(": "))).await;
            }
            return;
        }
        if event.contains("[DONE]") {
            self.is_done = true;
            return;
        }
        self.is_finished |= event.contains(r#""finish_reason":"stop""#);
        self.kept.push(event.clone());
        match (defect, self.kept.len() % 4) {
            (Defect::Collects, _) | (Defect::Reorders, 2) => {}
            (Defect::Reorders, 3) => {
                self.send(event).await;
                self.send(self.kept[self.kept.len() - 2].clone()).await;
            }
            (Defect::Doubles, 3) => {
                self.send(event.clone()).await;
                self.send(event).await;
            }
            _ => self.send(event).await,
        }
    }

    async fn send(&self, event: String) {
        let all = self.way.clients.lock().unwrap().clone();
        for client in if self.way.defect == Defect::MixesUsers { all } else { vec![self.events.clone()] } {
            // Fails only when the client has left.
            let _ = client.send(event.clone()).await;
        }
    }

    /// Ends the stream.
    async fn close(self) {
        if self.way.defect == Defect::Collects {
            for event in &self.kept {
                self.send(event.clone()).await;
            }
        }
        let broken = || format!("data: {}\n\n", json!({"error": {"message": "the model broke off"}}));
        let done = || DONE.to_owned();
        let last = match (self.way.defect, self.is_finished && self.is_done) {
            (Defect::LosesTheEnd, true) => vec![],
            (Defect::EndsTwice, true) => vec![done(), done()],
            (Defect::SpeaksAfterTheEnd, true) => vec![done(), piece("By the way")],
            (Defect::BelievesTheHalf, false) => vec![finish(), done()],
            (Defect::Splices, false) => vec![piece("Sorry, please try again."), finish(), done()],
            (_, true) => vec![done()],
            (_, false) => vec![broken()],
        };
        for event in last {
            self.send(event).await;
        }
    }
}
