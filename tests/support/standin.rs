//! A chat with a memory, as strangers write it: sound, or broken in one way. A harness that judges other people's back
//! ends must accuse each of the broken ones, and never the sound one.
//!
//! It speaks protocol v0 on a WebSocket and a small part of the REST API, and keeps everything in memory.

mod calendar;
mod facts;
mod model;
mod talk;
mod turn;

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard},
};

use axum::{
    Json, Router,
    extract::{FromRequestParts, State},
    http::{StatusCode, header::AUTHORIZATION, request::Parts},
    response::{IntoResponse as _, Response},
    routing::{get, post},
};
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::mpsc, task::JoinHandle};

/// What is wrong with a stand-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Defect {
    /// Nothing.
    None,
    /// It answers once, and never again.
    NeverAnswers,
    /// It ends every turn twice.
    EndsTwice,
    /// It says something more after the end.
    SpeaksAfterTheEnd,
    /// It sends everybody what anybody asked for.
    MixesUsers,
    /// It does not tell the end of a turn.
    LosesTheEnd,
    /// It tells every answer as whole, also half of one.
    BelievesTheHalf,
    /// It sends some pieces twice.
    Doubles,
    /// It swaps pieces.
    Reorders,
    /// It acknowledges every twentieth write of a fact, and forgets it.
    DropsWrites,
    /// It writes a fact whatever version the writer has seen.
    LastWriterWins,
    /// It reads facts from a copy that is renewed now and then.
    ReadsFromACopy,
    /// It finds facts by their key alone: those of whoever came first.
    MixesFacts,
    /// It puts an apology behind half an answer.
    Splices,
    /// It counts messages by socket.
    LimitsEachSocket,
    /// It shows what it cannot read.
    ShowsTheWire,
    /// It reads on when the turn is over.
    HoldsTheModel,
    /// It tells the model the last message only.
    Forgets,
    /// It remembers half an answer as an answer.
    KeepsTheHalf,
    /// It makes a reminder of a suggestion that has one.
    ConfirmsTwice,
    /// It makes a reminder of a suggestion that was dismissed.
    ForgetsDismissals,
    /// It acknowledges a reminder that it does not keep.
    LosesReminders,
    /// It lets anybody confirm what was suggested to somebody.
    AnybodyConfirms,
    /// It refuses everybody when one user sends too much.
    OneLimitForAll,
    /// It closes all sockets when one of them brings a bad frame.
    ClosesAllSockets,
    /// It takes whoever comes for the one who left last.
    TakesOverTheSession,
    /// It tells the model what everybody said.
    OneConversation,
    /// It forgets to tell the end of a turn that ends while another one runs.
    LosesTheEndInACrowd,
}

/// Messages that a user may send.
const BURST: usize = 10;

/// Largest frame.
const FRAME_BYTES: usize = 65_536;

/// A running stand-in; it ends with its task.
pub(crate) struct StandIn {
    pub(crate) address: SocketAddr,
    serving: JoinHandle<()>,
}

impl Drop for StandIn {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl StandIn {
    /// Starts one that asks the model at this address.
    pub(crate) async fn start(model: SocketAddr, defect: Defect) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let model = format!("http://{model}/chat/completions");
        let house = House { client, model, defect, rooms: Arc::default() };
        let router = Router::new()
            .route("/api/auth/register", post(enter))
            .route("/api/auth/login", post(enter))
            .route("/ws/chat", get(talk::open))
            .route("/api/users/me/facts/{key}", get(facts::read).put(facts::write))
            .route("/api/users/me/facts/{key}/history", get(facts::history))
            .route("/api/suggestions", get(calendar::pending))
            .route("/api/suggestions/{id}/dismiss", post(calendar::dismiss))
            .route("/api/reminders", get(calendar::list).post(calendar::create))
            .with_state(house);
        let serving = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { address, serving }
    }
}

/// Everything that it is made of.
#[derive(Clone)]
struct House {
    client: reqwest::Client,
    model: String,
    defect: Defect,
    rooms: Arc<Mutex<Rooms>>,
}

/// What it knows.
#[derive(Default)]
struct Rooms {
    people: Vec<Person>,
    /// Where frames for each open socket go.
    doors: Vec<mpsc::Sender<Value>>,
    /// Who left last.
    left: Option<usize>,
    /// Turns so far.
    turns: usize,
    /// Those that run.
    running: usize,
    /// Messages so far, whoever sent them.
    messages: usize,
    facts: facts::Facts,
    calendar: calendar::Calendar,
}

/// A user.
#[derive(Default)]
struct Person {
    email: String,
    messages: usize,
    /// Roles and texts.
    said: Vec<(&'static str, String)>,
}

impl House {
    fn rooms(&self) -> MutexGuard<'_, Rooms> {
        self.rooms.lock().unwrap()
    }
}

/// Who asks.
struct Caller(usize);

impl FromRequestParts<House> for Caller {
    type Rejection = (StatusCode, Json<Value>);

    async fn from_request_parts(parts: &mut Parts, house: &House) -> Result<Self, Self::Rejection> {
        let header = parts.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let number = header.and_then(|value| value.strip_prefix("Bearer token-")?.parse().ok());
        let person = number.filter(|person| *person < house.rooms().people.len());
        person.map(Self).ok_or_else(|| (StatusCode::UNAUTHORIZED, Json(json!({"error": "who are you?"}))))
    }
}

fn refusal(status: StatusCode, body: Value) -> Response {
    (status, Json(body)).into_response()
}

/// Registers somebody, or lets them in again.
async fn enter(State(house): State<House>, Json(form): Json<Value>) -> Json<Value> {
    let email = form["email"].as_str().unwrap_or_default().to_owned();
    let people = &mut house.rooms().people;
    let known = people.iter().position(|person| person.email == email);
    let person = known.unwrap_or_else(|| {
        people.push(Person { email, ..Person::default() });
        people.len() - 1
    });
    Json(json!({"token": format!("token-{person}")}))
}
