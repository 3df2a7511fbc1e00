//! A gateway in front of a model, as strangers write them: sound, or broken in one way. A harness that judges other
//! people's back ends must accuse each of the broken ones, and never the sound one.

mod telling;
mod whole;

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
use futures_util::stream;
use serde_json::{Value, json};
use tokio::{
    net::TcpListener,
    sync::mpsc,
    task::{AbortHandle, JoinHandle},
};

use telling::Telling;

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
    /// It ends in good order where the model tells an error in a stream.
    SwallowsErrors,
    /// It passes on whatever comes with a good status.
    BelievesTheStatus,
}

impl Defect {
    /// Returns how long the model may be silent.
    const fn patience(self) -> Duration {
        if matches!(self, Self::IsPatient) { Duration::from_hours(1) } else { GAP }
    }
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
    let asked: Value = serde_json::from_slice(&body).unwrap_or_default();
    let body = if way.defect == Defect::ForgetsTheConversation { forgotten(&body) } else { body };
    if asked["stream"] != true {
        return whole::answer(way, body).await;
    }
    if way.defect == Defect::HoldsTheModel {
        // Its client may leave before the model has sent a header.
        return tokio::spawn(streamed(way, body)).await.unwrap();
    }
    streamed(way, body).await
}

impl Way {
    async fn ask(&self, body: Bytes) -> Result<reqwest::Response, reqwest::Error> {
        let request = self.client.post(&self.model).bearer_auth("sk-test");
        request.header(CONTENT_TYPE, "application/json").body(body).send().await
    }
}

async fn streamed(way: Way, body: Bytes) -> Response {
    let asked = match way.ask(body).await {
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
            Defect::BelievesTheStatus if status.is_success() => told(&[text]),
            _ if status.is_success() => refusal(StatusCode::BAD_GATEWAY, "the model sent no stream"),
            _ => refusal(status, &text),
        };
    }
    let (events, passed) = mpsc::channel(16);
    way.clients.lock().unwrap().push(events.clone());
    let telling = tokio::spawn(Telling::new(way.clone(), events).run(asked));
    let body = Body::from_stream(stream::unfold(
        (passed, Cut(telling.abort_handle(), way.defect)),
        |(mut passed, cut)| async move {
            let event: String = passed.recv().await?;
            Some((Ok::<_, Infallible>(event), (passed, cut)))
        },
    ));
    ([(CONTENT_TYPE, "text/event-stream")], body).into_response()
}

/// Ends what is done for a client when it has left.
struct Cut(AbortHandle, Defect);

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
