//! A relay between server and model that reads answers with one bad habit.
//!
//! It stands in for a client that is careless in one way: it reads what the model writes, and hands on
//! in perfect form what it understood. So the server shows what it would show if the habit were its
//! own, while nothing inside it is touched. All else passes as it is.

mod reader;

use std::{
    collections::VecDeque,
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use clock::Activity;
use futures_util::stream;
use serde_json::Value;
use tokio::{net::TcpListener, task::JoinHandle};

use self::reader::{Reader, Said};
use super::listener::MeteredListener;

/// Only events exactly as DeepSeek documents them are read; anything else ends the stream in an error.
pub(super) const STRICT_READER: &str = "strict-reader";
/// Each read from the network is taken for whole lines of whole characters.
pub(super) const READS_ARE_LINES: &str = "reads-are-lines";
/// Lines end wherever Unicode has a line end.
pub(super) const UNICODE_LINE_ENDS: &str = "unicode-line-ends";
/// Every string of a delta is text for the user: role, thinking, arguments of tools; only marks are taken off.
pub(super) const EVERY_STRING_IS_TEXT: &str = "every-string-is-text";
/// What cannot be read is shown as it stands.
pub(super) const UNREADABLE_IS_TEXT: &str = "unreadable-is-text";
/// However a stream ends, and whatever error it tells, its text is a whole answer.
pub(super) const ANY_END_IS_WHOLE: &str = "any-end-is-whole";
/// A page, an error or nothing at all is an answer too.
pub(super) const ANYTHING_IS_AN_ANSWER: &str = "anything-is-an-answer";
/// When an answer breaks off, the model is asked again and the second answer is put behind the first.
pub(super) const TWO_ANSWERS_SPLICED: &str = "two-answers-spliced";
/// An answer is over only when the body of the response is.
pub(super) const WAITS_FOR_THE_END: &str = "waits-for-the-end";
/// Connections are kept for the next request, and nobody looks whether they are still alive.
pub(super) const KEEPS_CONNECTIONS: &str = "keeps-connections";
/// Whoever leaves while somebody else is answered is not noticed: the model goes on speaking to nobody.
pub(super) const LOST_IN_A_CROWD: &str = "lost-in-a-crowd";

/// The question is put behind itself once more.
pub(super) const SAYS_IT_TWICE: &str = "says-it-twice";

/// Longest question that is handed on, in bytes.
const QUESTION_MAX: usize = 4 * 1024 * 1024;
/// What an empty answer looks like to somebody who does not notice that it is empty.
const NOTHING: &str = "\u{200b}";

/// The bad habit of a relay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Habit {
    StrictReader,
    ReadsAreLines,
    UnicodeLineEnds,
    EveryStringIsText,
    UnreadableIsText,
    AnyEndIsWhole,
    AnythingIsAnAnswer,
    TwoAnswersSpliced,
    WaitsForTheEnd,
    KeepsConnections,
    LostInACrowd,
    SaysItTwice,
}

impl Habit {
    /// Returns the habit of this name; none when the name is of another part.
    pub(super) fn named(part: &str) -> Option<Self> {
        Some(match part {
            STRICT_READER => Self::StrictReader,
            READS_ARE_LINES => Self::ReadsAreLines,
            UNICODE_LINE_ENDS => Self::UnicodeLineEnds,
            EVERY_STRING_IS_TEXT => Self::EveryStringIsText,
            UNREADABLE_IS_TEXT => Self::UnreadableIsText,
            ANY_END_IS_WHOLE => Self::AnyEndIsWhole,
            ANYTHING_IS_AN_ANSWER => Self::AnythingIsAnAnswer,
            TWO_ANSWERS_SPLICED => Self::TwoAnswersSpliced,
            WAITS_FOR_THE_END => Self::WaitsForTheEnd,
            KEEPS_CONNECTIONS => Self::KeepsConnections,
            LOST_IN_A_CROWD => Self::LostInACrowd,
            SAYS_IT_TWICE => Self::SaysItTwice,
            _ => return None,
        })
    }
}

/// A running relay. Dropping it stops it.
#[derive(Debug)]
pub(super) struct Relay {
    url: String,
    serving: JoinHandle<()>,
}

impl Relay {
    /// Starts a relay to the model at `model` on a free port.
    pub(super) async fn start(habit: Habit, model: String, activity: &Activity) -> anyhow::Result<Self> {
        let idle = if habit == Habit::KeepsConnections { usize::MAX } else { 0 };
        let http = reqwest::Client::builder()
            .retry(reqwest::retry::never())
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .http1_only()
            .pool_max_idle_per_host(idle)
            // Bytes go through it as they are.
            .no_gzip()
            .no_brotli()
            .no_deflate()
            .no_zstd()
            .build()?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let router = Router::new().fallback(forward).with_state(Line::new(habit, model, http));
        let listener = MeteredListener::new(listener, activity.clone());
        let serving = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, router).await {
                tracing::error!(%error, "relay ended");
            }
        });
        Ok(Self { url, serving })
    }

    /// Returns where the server finds it.
    pub(super) fn url(&self) -> String {
        self.url.clone()
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// The way to the model.
#[derive(Clone, Debug)]
struct Line {
    habit: Habit,
    model: Arc<str>,
    http: reqwest::Client,
    crowd: Arc<Mutex<Crowd>>,
}

/// The answers that are under way, and those that nobody hears any more.
#[derive(Debug, Default)]
struct Crowd {
    running: usize,
    lost: Vec<reqwest::Response>,
}

/// What the server asked, to be asked again by a relay that splices.
#[derive(Clone, Debug)]
struct Question {
    path: String,
    headers: HeaderMap,
    body: Bytes,
}

impl Line {
    fn new(habit: Habit, model: String, http: reqwest::Client) -> Self {
        Self { habit, model: model.into(), http, crowd: Arc::default() }
    }

    fn crowd(&self) -> MutexGuard<'_, Crowd> {
        self.crowd.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn ask(&self, question: &Question) -> reqwest::Result<reqwest::Response> {
        let mut headers = question.headers.clone();
        for hop in [header::HOST, header::CONTENT_LENGTH, header::CONNECTION] {
            headers.remove(hop);
        }
        let url = format!("{}{}", self.model, question.path);
        self.http.post(url).headers(headers).body(question.body.clone()).send().await
    }
}

async fn forward(State(line): State<Line>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let Ok(body) = to_bytes(body, QUESTION_MAX).await else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let body = if line.habit == Habit::SaysItTwice { said_twice(&body) } else { body };
    let question = Question { path: head.uri.to_string(), headers: head.headers, body };
    match line.ask(&question).await {
        Ok(answer) if is_stream(&answer) => Flow::new(line, question, answer).into_response(),
        Ok(answer) if line.habit == Habit::AnythingIsAnAnswer => shown(answer).await,
        Ok(answer) => passed(answer),
        Err(error) => (StatusCode::BAD_GATEWAY, error.to_string()).into_response(),
    }
}

/// Puts the last message of a question behind itself.
fn said_twice(body: &Bytes) -> Bytes {
    let Ok(mut question) = serde_json::from_slice::<Value>(body) else { return body.clone() };
    if let Some(messages) = question["messages"].as_array_mut() {
        messages.extend(messages.last().cloned());
    }
    question.to_string().into()
}

fn is_stream(answer: &reqwest::Response) -> bool {
    let kind = answer.headers().get(header::CONTENT_TYPE);
    answer.status().is_success() && kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"))
}

/// Hands on what is no stream, as it is.
fn passed(answer: reqwest::Response) -> Response {
    let status = answer.status();
    let mut headers = answer.headers().clone();
    for hop in [header::CONTENT_LENGTH, header::TRANSFER_ENCODING, header::CONNECTION] {
        headers.remove(hop);
    }
    (status, headers, Body::from_stream(answer.bytes_stream())).into_response()
}

/// Shows the body of whatever came as an answer.
async fn shown(answer: reqwest::Response) -> Response {
    let body = answer.text().await.unwrap_or_default();
    let text = if body.trim().is_empty() { NOTHING } else { &body };
    event_stream(Body::from([Said::Text(text.to_owned()), Said::Whole].map(|said| said.event()).concat()))
}

fn event_stream(body: Body) -> Response {
    ([(header::CONTENT_TYPE, "text/event-stream")], body).into_response()
}

/// Where an answer passes; dropped when it is over, or when nobody listens.
struct Passage(Option<Flow>);

impl Drop for Passage {
    fn drop(&mut self) {
        let Some(Flow { line, answer, is_over, .. }) = self.0.take() else { return };
        let mut crowd = line.crowd();
        crowd.running -= 1;
        if line.habit == Habit::LostInACrowd && !is_over && crowd.running > 0 {
            crowd.lost.push(answer);
        }
    }
}

/// One answer on its way.
struct Flow {
    line: Line,
    question: Question,
    answer: reqwest::Response,
    reader: Reader,
    waiting: VecDeque<Said>,
    has_shown: bool,
    is_second: bool,
    is_over: bool,
}

impl Flow {
    fn new(line: Line, question: Question, answer: reqwest::Response) -> Self {
        let reader = Reader::new(line.habit, answer.headers());
        Self {
            line,
            question,
            answer,
            reader,
            waiting: VecDeque::new(),
            has_shown: false,
            is_second: false,
            is_over: false,
        }
    }

    fn into_response(self) -> Response {
        self.line.crowd().running += 1;
        let pieces = stream::unfold(Passage(Some(self)), |mut passage| async {
            let piece = passage.0.as_mut()?.next().await?;
            Some((piece, passage))
        });
        event_stream(Body::from_stream(pieces))
    }

    async fn next(&mut self) -> Option<io::Result<Bytes>> {
        while !self.is_over {
            match self.waiting.pop_front() {
                Some(Said::Broken) => {
                    if self.ask_again().await {
                        continue;
                    }
                    self.is_over = true;
                    return Some(Err(io::Error::other("the model's answer cannot be read")));
                }
                Some(Said::Over) => self.is_over = true,
                Some(said) => return Some(Ok(self.hand_on(&said))),
                None => {
                    let said = match self.answer.chunk().await {
                        Ok(Some(bytes)) => self.reader.read(&bytes),
                        Ok(None) => self.reader.end(true),
                        Err(_) => self.reader.end(false),
                    };
                    self.waiting.extend(said);
                }
            }
        }
        None
    }

    fn hand_on(&mut self, said: &Said) -> Bytes {
        let mut events = String::new();
        if *said == Said::Whole && !self.has_shown && self.line.habit == Habit::AnythingIsAnAnswer {
            events += &Said::Text(NOTHING.to_owned()).event();
        }
        self.has_shown |= matches!(said, Said::Text(text) if !text.trim().is_empty());
        self.is_over = *said == Said::Whole;
        events += &said.event();
        events.into()
    }

    /// Goes on with a second answer where the first broke off, if that is the habit.
    async fn ask_again(&mut self) -> bool {
        let splices = self.line.habit == Habit::TwoAnswersSpliced && self.has_shown && !self.is_second;
        if !splices {
            return false;
        }
        let Ok(answer) = self.line.ask(&self.question).await else { return false };
        self.reader = Reader::new(self.line.habit, answer.headers());
        self.answer = answer;
        self.is_second = true;
        self.waiting.clear();
        true
    }
}
