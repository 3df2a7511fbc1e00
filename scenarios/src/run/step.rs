//! Does the steps of a scenario, one after the other.

use std::time::Duration;

use futures_util::future::join_all;
use reqwest::Method as HttpMethod;
use serde_json::Value;
use sqlx::{AnyConnection, AssertSqlSafe, Connection as _};
use tokio::task::{JoinError, JoinHandle};

use super::{at_once, people::People};
use crate::device::Naming;
use crate::{
    expr::Expr,
    line::Weather,
    matching,
    model::{Await, Call, Doing, Fault, Method, Network, Send, SendRaw, Step},
    record::{Answer, What},
    rest::Request,
    world::Broken,
};

/// How long a wait may last when the scenario does not say, beyond the longest turn.
const PATIENCE: Duration = Duration::from_secs(1);

/// Most messages that a device sends without looking up. What is sent at once must not depend on what is read meanwhile,
/// nor on how fast the machine is.
const BREATH_MAX: usize = 1000;

/// Does all the steps. Each is over when the program has settled.
pub(super) async fn run(steps: &[Step], people: &mut People<'_>) -> Result<(), Broken> {
    for step in steps {
        Box::pin(one(step, people)).await?;
        people.world.settle().await?;
        people.close_step();
    }
    Ok(())
}

async fn one(step: &Step, people: &mut People<'_>) -> Result<(), Broken> {
    match step {
        Step::Connect(connect) => people.connect(connect).await,
        Step::Disconnect(hangup) => {
            people.hang_up(hangup.device.get_ref()).await;
            Ok(())
        }
        Step::Send(send) => self::send(send, people).await,
        Step::Stop(whose) => people.socket(whose.device.get_ref())?.stop().await.map_err(Broken::Other),
        Step::SendRaw(raw) => send_raw(raw, people).await,
        Step::SendFrames(frames) => {
            people.last_sending = (people.world.recorder.len(), people.world.llm.journal().len());
            let device = people.socket(frames.device.get_ref())?;
            device.send_frames(frames).await.map_err(Broken::Other)
        }
        Step::Client(client) => {
            let device = people.socket(client.device.get_ref())?;
            device.behave(client.r#do, client.times.unwrap_or(1)).await.map_err(Broken::Other)
        }
        Step::Await(wait) => self::wait(wait, people).await,
        Step::Advance { by } => {
            let by = span(by, people)?;
            people.world.advance(by).await?;
            people.world.recorder.note("clock", What::Advanced);
            Ok(())
        }
        Step::Http(call) => http(call, people).await,
        Step::Mark { name } => {
            people.mark(name);
            Ok(())
        }
        Step::Llm(script) => {
            people.world.llm.set_script((**script).clone());
            let asked = people.world.llm.journal().len();
            people.world.recorder.note("harness", What::Script(asked));
            Ok(())
        }
        Step::Repeat { times, steps } => {
            for _ in 0..count(times, people)? {
                run(steps, people).await?;
            }
            Ok(())
        }
        Step::WriteFacts(write) => at_once::write_facts(write, people).await,
        Step::Decide(decide) => at_once::decide(decide, people).await,
        Step::Process { r#do } => process(*r#do, people).await,
        Step::Network(step) => network(step, people),
        Step::Sql { text } => sql(text, people).await,
    }
}

/// Writes into the database of the target over a connection of its own.
async fn sql(text: &str, people: &People<'_>) -> Result<(), Broken> {
    let failed = |error: sqlx::Error| Broken::Other(format!("`sql` failed: {error}"));
    let absent = || Broken::Other("the target has no database that can be written to by hand".to_owned());
    let url = people.world.database_url.as_ref().ok_or_else(absent)?;
    let mut connection = AnyConnection::connect(url).await.map_err(failed)?;
    sqlx::raw_sql(AssertSqlSafe(text)).execute(&mut connection).await.map_err(failed)?;
    connection.close().await.map_err(failed)?;
    people.world.recorder.note("harness", What::Note(format!("wrote by hand: {text}")));
    Ok(())
}

async fn process(doing: Doing, people: &People<'_>) -> Result<(), Broken> {
    let world = people.world;
    let absent = || Broken::Other("the target was not started here, so nothing can be done to it".to_owned());
    let process = world.process.as_ref().ok_or_else(absent)?;
    let told = match doing {
        Doing::Kill => {
            process.kill().await.map_err(Broken::Other)?;
            "killed the target"
        }
        Doing::Stop => {
            process.stop_in_order().await;
            "asked the target to end"
        }
        Doing::Start => {
            process.start_again().await.map_err(Broken::Other)?;
            "started the target"
        }
        Doing::Pause => {
            process.pause().await.map_err(Broken::Other)?;
            "let the target stand still"
        }
        Doing::Resume => {
            process.resume().await.map_err(Broken::Other)?;
            "let the target go on"
        }
    };
    world.recorder.note("target", What::Note(told.to_owned()));
    Ok(())
}

fn network(step: &Network, people: &People<'_>) -> Result<(), Broken> {
    let (world, far) = (people.world, step.link.word());
    let absent = || Broken::Other(format!("nothing can be done to the line to the {far}"));
    let line = world.lines.get((step.replica, step.link)).ok_or_else(absent)?;
    let by = step.by.as_ref().map_or(Ok(Duration::ZERO), |by| span(by, people))?;
    let (weather, told) = match step.r#do {
        Fault::Cut => (Weather::Cut, format!("cut the line to the {far}")),
        Fault::Stall => (Weather::Stalled, format!("let nothing pass to the {far}")),
        Fault::Delay => (Weather::Delayed(by), format!("delayed all to and from the {far} by {by:?}")),
        Fault::Fill => (Weather::Full, format!("filled the {far}")),
        Fault::Restore => (Weather::Clear, format!("restored the line to the {far}")),
    };
    let of = if step.replica.is_first() { String::new() } else { format!(" at replica {}", step.replica) };
    line.set(weather);
    world.recorder.note("network", What::Note(told + &of));
    if weather != Weather::Clear && world.lines.is_unused((step.replica, step.link)) {
        let told =
            format!("nothing went over the line to the {far} so far: it is not the one that the target uses");
        world.recorder.note("network", What::Missing(told));
    }
    Ok(())
}

fn span(expr: &Expr, people: &People<'_>) -> Result<Duration, Broken> {
    expr.duration(&people.world.settings).map_err(|error| Broken::Other(error.to_string()))
}

fn count(expr: &Expr, people: &People<'_>) -> Result<u64, Broken> {
    expr.count(&people.world.settings).map_err(|error| Broken::Other(error.to_string()))
}

fn optional_count(expr: Option<&Expr>, people: &People<'_>) -> Result<u64, Broken> {
    expr.map_or(Ok(1), |expr| count(expr, people))
}

async fn send(send: &Send, people: &mut People<'_>) -> Result<(), Broken> {
    let (n, device) = (optional_count(send.count.as_ref(), people)?, send.device.get_ref());
    let over = send.over.as_ref().map_or(Ok(Duration::ZERO), |expr| span(expr, people))?;
    let pause = over / u32::try_from(n).unwrap_or(u32::MAX).max(1);
    people.last_sending = (people.world.recorder.len(), people.world.llm.journal().len());
    if let Some(mark) = &send.mark {
        people.mark(mark);
    }
    let called = Naming { id: send.id.as_deref(), replaces: send.replaces.as_deref() };
    let mut texts = (1..=n).map(|number| send.text.replace("{n}", &number.to_string()));
    let in_a_breath = if pause.is_zero() { BREATH_MAX } else { 1 };
    loop {
        let breath: Vec<_> = texts.by_ref().take(in_a_breath).collect();
        if breath.is_empty() {
            return Ok(());
        }
        people.socket(device)?.send(&breath, called).await;
        if !pause.is_zero() {
            people.world.advance(pause).await?;
        }
    }
}

async fn send_raw(raw: &SendRaw, people: &mut People<'_>) -> Result<(), Broken> {
    let text = match (&raw.text, raw.characters) {
        (Some(text), _) => text.clone(),
        (None, length) => serde_json::json!({"content": "a".repeat(length.unwrap_or_default())}).to_string(),
    };
    people.last_sending = (people.world.recorder.len(), people.world.llm.journal().len());
    people.socket(raw.device.get_ref())?.send_raw(text).await;
    Ok(())
}

/// Waits for evidence; that it did not come is told in the transcript, and judged by expectations.
async fn wait(wait: &Await, people: &mut People<'_>) -> Result<(), Broken> {
    let world = people.world;
    let n = optional_count(wait.count.as_ref(), people)?;
    let n = usize::try_from(n).unwrap_or(usize::MAX);
    let within = match &wait.within {
        Some(within) => span(within, people)?,
        None => world.settings_span("llm.total").unwrap_or_default() + PATIENCE,
    };
    let (event, exchange) = people.last_sending;
    let came = world
        .until(within, || match (&wait.frame, &wait.upstream) {
            (Some(frame), _) => {
                world.recorder.ask(event, |events| {
                    let hits = events.iter().filter(
                        |e| matches!(&e.what, What::Frame(found) if matching::frame(frame, &e.actor, found)),
                    );
                    hits.count()
                }) >= n
            }
            (None, Some(wanted)) => {
                let journal = world.llm.journal();
                let since = journal.iter().skip(exchange);
                since.filter(|found| matching::upstream(wanted, found, &world.settings)).count() >= n
            }
            (None, None) => true,
        })
        .await?;
    if !came {
        let what = if wait.frame.is_some() { "frames" } else { "requests to the model" };
        world
            .recorder
            .note("harness", What::Missing(format!("the awaited {what} did not come within {within:?}")));
    }
    Ok(())
}

async fn http(call: &Call, people: &mut People<'_>) -> Result<(), Broken> {
    let times = optional_count(call.count.as_ref(), people)?;
    let at_once = optional_count(call.at_once.as_ref(), people)?.max(1);
    let mut left = times.max(if call.at_once.is_some() { at_once } else { 0 });
    while left > 0 {
        let batch = at_once.min(left);
        left -= batch;
        let calls = (0..batch).map(|_| one_call(call, people)).collect::<Result<Vec<_>, _>>()?;
        let mut answers = match &call.within {
            None => join_all(calls).await,
            Some(within) => in_time(calls, span(within, people)?, people).await?,
        }
        .into_iter()
        .collect::<Result<Vec<_>, _>>()
        .map_err(Broken::Other)?;
        // Calls made at once have no order of their own.
        answers.sort_by_key(|answer| answer.status);
        for mut answer in answers {
            answer.step = call.step.clone().unwrap_or_default();
            save(call, &answer, people);
            let actor = call.user.as_ref().map_or("anybody", |name| name.get_ref());
            people.world.recorder.note(actor, What::Http(answer));
        }
    }
    Ok(())
}

/// Lets time pass until all calls are answered, at most `within`; those that are not are told in the transcript.
async fn in_time(
    calls: Vec<Called>,
    within: Duration,
    people: &People<'_>,
) -> Result<Vec<Result<Answer, String>>, Broken> {
    let world = people.world;
    let mut calls: Vec<_> = calls.into_iter().map(tokio::spawn).collect();
    if !world.until(within, || calls.iter().all(JoinHandle::is_finished)).await? {
        let told = format!(
            "{} calls were not answered within {within:?}",
            calls.iter().filter(|call| !call.is_finished()).count()
        );
        world.recorder.note("harness", What::Missing(told));
        calls.retain(|call| {
            call.is_finished() || {
                call.abort();
                false
            }
        });
    }
    let broke = |error: JoinError| Broken::Other(format!("a call broke: {error}"));
    join_all(calls).await.into_iter().map(|answer| answer.map_err(broke)).collect()
}

type Called = futures_util::future::BoxFuture<'static, Result<Answer, String>>;

fn one_call(call: &Call, people: &People<'_>) -> Result<Called, Broken> {
    let person = match &call.user {
        Some(name) => people.person(name.get_ref())?,
        None => people.anybody()?,
    };
    let fill = |text: &str| people.fill(text, person.token.as_deref());
    let body = call.body.as_ref().map(|body| serde_json::to_value(body).unwrap_or_default());
    let request = Request {
        method: match call.method {
            Method::Get => HttpMethod::GET,
            Method::Post => HttpMethod::POST,
            Method::Put => HttpMethod::PUT,
            Method::Delete => HttpMethod::DELETE,
        },
        path: fill(&call.path),
        token: call.user.as_ref().and_then(|_| person.token.clone()),
        headers: call.headers.iter().map(|(name, value)| (name.clone(), fill(value))).collect(),
        body: body.map(|body| fill_strings(body, &fill)),
        text: call.text.as_deref().map(fill),
    };
    let rest = person.rest.at(people.world.base_of(call.replica)?);
    Ok(Box::pin(async move { rest.call(request).await }))
}

fn fill_strings(value: Value, fill: &impl Fn(&str) -> String) -> Value {
    match value {
        Value::String(text) => Value::String(fill(&text)),
        Value::Array(items) => items.into_iter().map(|item| fill_strings(item, fill)).collect(),
        Value::Object(fields) => {
            Value::Object(fields.into_iter().map(|(name, value)| (name, fill_strings(value, fill))).collect())
        }
        other => other,
    }
}

fn save(call: &Call, answer: &Answer, people: &mut People<'_>) {
    for (name, pointer) in &call.save {
        let value = match answer.body.pointer(pointer) {
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
            None => continue,
        };
        people.saved.insert(name.clone(), value);
    }
}
