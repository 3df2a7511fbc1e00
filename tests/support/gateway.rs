//! A gateway in front of a model, as strangers write them: sound, or broken in one way. A harness that judges other
//! people's back ends must accuse each of the broken ones, and never the sound one.

use std::{convert::Infallible, net::SocketAddr, time::Duration};

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
    /// It gives each client what was said last to anybody.
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
    last: std::sync::Arc<std::sync::Mutex<Vec<String>>>,
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
            last: Default::default(),
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
                told(vec![piece("Sorry, something went wrong."), finish(), DONE.to_owned()])
            }
            Defect::HidesTheStatus => refusal(StatusCode::INTERNAL_SERVER_ERROR, &text),
            _ if status.is_success() => refusal(StatusCode::BAD_GATEWAY, "the model sent no stream"),
            _ => refusal(status, &text),
        };
    }
    let (events, passed) = mpsc::channel(16);
    let telling = tokio::spawn(tell(way.clone(), asked, events));
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

fn told(events: Vec<String>) -> Response {
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

/// Passes the events of the model on, as its defect wants it.
async fn tell(way: Way, asked: reqwest::Response, events: mpsc::Sender<String>) {
    let defect = way.defect;
    let (mut bytes, mut rest, mut kept) = (asked.bytes_stream(), Vec::new(), Vec::new());
    let (mut finished, mut done, mut count) = (false, false, 0);
    let patience = if defect == Defect::IsPatient { Duration::from_secs(3600) } else { GAP };
    if defect == Defect::NeverAnswers {
        return std::future::pending().await;
    }
    while let Ok(Some(Ok(more))) = timeout(patience, bytes.next()).await {
        if defect == Defect::TearsLetters {
            rest.extend_from_slice(String::from_utf8_lossy(&more).as_bytes());
        } else {
            rest.extend_from_slice(&more);
        }
        while let Some(end) = rest.windows(2).position(|pair| pair == b"\n\n") {
            let event = String::from_utf8_lossy(&rest.drain(..end + 2).collect::<Vec<_>>()).into_owned();
            if event.starts_with(':') {
                if defect == Defect::ReadsComments {
                    send(&events, format!("data: {}", event.trim_start_matches(": "))).await;
                }
                continue;
            }
            done |= event.contains("[DONE]");
            finished |= event.contains(r#""finish_reason":"stop""#);
            if done || event.contains(r#""error""#) {
                if !done {
                    send(&events, event).await;
                    return;
                }
                break;
            }
            count += 1;
            kept.push(event.clone());
            match defect {
                Defect::Collects => {}
                Defect::Doubles if count % 3 == 0 => {
                    send(&events, event.clone()).await;
                    send(&events, event).await;
                }
                Defect::Reorders if count % 4 == 2 => {}
                Defect::Reorders if count % 4 == 3 => {
                    send(&events, event).await;
                    send(&events, kept[kept.len() - 2].clone()).await;
                }
                Defect::MixesUsers => {
                    let mut last = { way.last.lock().unwrap().clone() };
                    let mine = last.get(count).cloned().unwrap_or(event.clone());
                    last.push(event);
                    way.last.lock().unwrap().push(last.pop().unwrap());
                    send(&events, mine).await;
                }
                _ => send(&events, event).await,
            }
        }
        if done {
            break;
        }
    }
    if defect == Defect::Collects {
        for event in kept {
            send(&events, event).await;
        }
    }
    close(defect, finished && done, &events).await;
}

/// Ends the stream.
async fn close(defect: Defect, whole: bool, events: &mpsc::Sender<String>) {
    match (defect, whole) {
        (Defect::LosesTheEnd, true) => {}
        (Defect::EndsTwice, true) => {
            send(events, DONE.to_owned()).await;
            send(events, DONE.to_owned()).await;
        }
        (Defect::SpeaksAfterTheEnd, true) => {
            send(events, DONE.to_owned()).await;
            send(events, piece("By the way")).await;
        }
        (Defect::BelievesTheHalf, false) => {
            send(events, finish()).await;
            send(events, DONE.to_owned()).await;
        }
        (Defect::Splices, false) => {
            send(events, piece("Sorry, please try again.")).await;
            send(events, finish()).await;
            send(events, DONE.to_owned()).await;
        }
        (_, true) => send(events, DONE.to_owned()).await,
        (_, false) => {
            let error = json!({"error": {"message": "the model broke off"}});
            send(events, format!("data: {error}\n\n")).await;
        }
    }
}

async fn send(events: &mpsc::Sender<String>, event: String) {
    // Fails only when the client has left.
    let _ = events.send(event).await;
}
