//! Looks at somebody's back end step by step, before the first scenario: what works, and what to do about what does not.

use std::{sync::Arc, time::Duration};

use clock::{Activity, Clock as _, SharedClock, SystemClock};
use mock_deepseek::MockDeepSeek;
use tokio::net::TcpStream;

use crate::{
    TargetFile,
    device::{Device, Door, Naming, Seat},
    matching,
    model::Manner,
    record::{Recorder, What},
    rest::Rest,
    target::{Ends, Process, Visitor},
    world::World,
};

/// What is asked; no back end has an answer of its own to it.
const QUESTION: &str = "Which vegetables are rich in folate?";
/// So long the answer may take.
const ANSWER_MAX: Duration = Duration::from_mins(1);
/// Pause between two looks at what has come.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// So long a connection may take.
const CONNECT_MAX: Duration = Duration::from_secs(5);
/// Of what somebody said, so many characters are shown.
const SHOWN_MAX: usize = 200;

/// What was found at one step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What was looked at.
    pub step: &'static str,
    /// What was seen, or what is wrong.
    pub told: String,
    /// What to do about it; `None` where all is well.
    pub hint: Option<&'static str>,
}

impl Finding {
    /// Says whether all is well.
    pub const fn is_fine(&self) -> bool {
        self.hint.is_none()
    }
}

/// Looks at a target, and tells each finding as it comes; ends at the first that is not fine. Says whether all are, or
/// nothing if `stop` came first. A target that was started here has ended by then.
///
/// Needs a tokio runtime. When it is dropped, the target is killed, and its end not waited for.
pub async fn check_target(
    file: &TargetFile,
    tell: &mut (dyn FnMut(Finding) + Send),
    stop: impl Future<Output = ()>,
) -> Option<bool> {
    let mut process = None;
    let examined = tokio::select! {
        examined = examine(file, &mut process, tell) => Some(examined),
        () = stop => None,
    };
    if let Some(process) = process {
        process.stop().await;
    }
    Some(match examined? {
        Ok(()) => true,
        Err(finding) => {
            tell(finding);
            false
        }
    })
}

type Examined<T> = Result<T, Finding>;

fn wrong(step: &'static str, told: impl Into<String>, hint: &'static str) -> Finding {
    Finding { step, told: told.into(), hint: Some(hint) }
}

async fn examine(
    file: &TargetFile,
    process: &mut Option<Process>,
    tell: &mut (dyn FnMut(Finding) + Send),
) -> Examined<()> {
    let mut well = |step, told: String| tell(Finding { step, told, hint: None });
    let clock: SharedClock = Arc::new(SystemClock::new());
    let llm = mock(file, &clock).await?;
    well("mock", format!("listens on {}", llm.url()));
    let hint = "choose other addresses in `[links]`, or stop what listens there";
    let means = (Arc::clone(&clock), Activity::unwatched());
    let begun = file.links.begin(&llm.url(), means).await;
    let (_lines, ends) = begun.map_err(|error| wrong("links", error, hint))?;
    reach(file, &ends, process).await?;
    well("target", format!("is ready at {}", file.url));
    let (door, user) = enter(file, &clock).await?;
    well("sign-in", user);
    let recorder = Recorder::new(Arc::clone(&clock));
    let mut device = open(&door, &recorder).await?;
    well("chat", "is open".to_owned());
    device.send(&[QUESTION.to_owned()], Naming::default()).await;
    let said = answer(&recorder, &clock).await?;
    well("answer", format!("is whole: {}", shown(&said)));
    well("model", asked(&llm, &said)?);
    device.hang_up().await;
    Ok(())
}

async fn mock(file: &TargetFile, clock: &SharedClock) -> Examined<MockDeepSeek> {
    let hint = "choose another `llm` address in the target file, or stop what listens there";
    let builder = MockDeepSeek::builder().clock(Arc::clone(clock)).address(file.llm);
    builder.start().await.map_err(|error| wrong("mock", error.to_string(), hint))
}

/// Starts the target, or sees whether somebody has.
async fn reach(file: &TargetFile, ends: &Ends, process: &mut Option<Process>) -> Examined<()> {
    if let Some(start) = &file.start {
        let hint = "try `start.command` by hand; `start.health` must be a path that answers below 400, within `start.within`";
        let prepared = Process::new(file, start, ends).map_err(|error| wrong("target", error, hint))?;
        return process.insert(prepared).start().await.map_err(|error| wrong("target", error, hint));
    }
    let hint = "start your back end, or let gauntlet start it by `[start]`; `url` must be where it listens";
    let clock = SystemClock::new();
    let reached = tokio::select! {
        reached = TcpStream::connect(file.address()) => reached.map_err(|error| error.to_string()),
        () = clock.sleep(CONNECT_MAX) => Err(format!("no connection within {CONNECT_MAX:?}")),
    };
    reached.map(drop).map_err(|error| wrong("target", format!("`{}`: {error}", file.url), hint))
}

/// Signs a user in; returns the door, and how that went in words.
async fn enter(file: &TargetFile, clock: &SharedClock) -> Examined<(Door, String)> {
    let hint = "`[auth]` must say how users of your back end get a token: `none`, `token`, `jwt` or `calls`";
    let wall = clock.wall();
    let (entrance, from) = (file.entrance(), World::address(0));
    let user = format!("checkup.{}", wall.as_microsecond());
    let visitor = Visitor { user: &user, language: "en", now: wall };
    let rest = Rest::new(&file.url, entrance.host.as_deref(), from)
        .map_err(|error| wrong("sign-in", error, hint))?;
    let token = entrance.auth.sign_in(&rest, visitor).await;
    let token = token.map_err(|error| wrong("sign-in", error, hint))?;
    let told = if token.is_some() { format!("`{user}` has a token") } else { "nobody asks".to_owned() };
    Ok((
        Door {
            target: file.address(),
            host: entrance.host,
            from,
            chat: entrance.chat,
            token,
            manner: Manner::default(),
            seat: Seat::default(),
        },
        told,
    ))
}

async fn open(door: &Door, recorder: &Recorder) -> Examined<Device> {
    let hint = "`kind` and `chat` must name the protocol and the path of your chat; a refusal may mean a wrong token";
    match Device::open("checkup.phone", door, recorder, &Activity::default()).await {
        Ok(Some(device)) => Ok(device),
        Ok(None) => Err(wrong("chat", refusal(recorder), hint)),
        Err(error) => Err(wrong("chat", error, hint)),
    }
}

fn refusal(recorder: &Recorder) -> String {
    let status = recorder.snapshot().iter().find_map(|event| match event.what {
        What::Refused(status) => Some(status),
        _ => None,
    });
    format!("the upgrade was refused with status {}", status.unwrap_or_default())
}

/// Waits for a whole answer.
async fn answer(recorder: &Recorder, clock: &SharedClock) -> Examined<String> {
    let hint =
        "look into the log of your back end: does its model URL point at `llm`, and does its key matter?";
    let limit = clock.now() + ANSWER_MAX;
    let mut said = String::new();
    let mut next = 0;
    loop {
        let events = recorder.ask(next, <[_]>::to_vec);
        next += events.len();
        for event in events {
            match event.what {
                What::Frame(frame) if frame.field("type") == "error" => {
                    let told =
                        format!("is an error: {} {}", frame.field("code"), shown(frame.field("content")));
                    return Err(wrong("answer", told, hint));
                }
                What::Frame(frame) if frame.is_end() && said.is_empty() => {
                    return Err(wrong("answer", "is empty", hint));
                }
                What::Frame(frame) if frame.is_end() => return Ok(said),
                What::Frame(frame) if frame.field("type") == "message" => {
                    said.push_str(frame.field("content"));
                }
                What::Closed { code, .. } => {
                    return Err(wrong(
                        "answer",
                        format!("does not come: the chat was closed with {code}"),
                        hint,
                    ));
                }
                _ => {}
            }
        }
        if clock.now() >= limit {
            let told = format!("is not over within {ANSWER_MAX:?}; so far: {}", shown(&said));
            return Err(wrong("answer", told, hint));
        }
        tokio::select! {
            () = recorder.changed() => {}
            // What came between the look and the wait was not announced to it.
            () = clock.sleep(LOOK_EVERY) => {}
        }
    }
}

/// Says what the model was asked; the answer must be the model's.
fn asked(llm: &MockDeepSeek, said: &str) -> Examined<String> {
    let hint = "the model URL of your back end must point at `llm`: what answered was not the mock";
    let journal = llm.journal();
    let chats: Vec<_> = journal.iter().filter(|exchange| exchange.is_chat()).collect();
    let Some(chat) =
        chats.iter().find(|chat| matching::prompt(chat).iter().any(|(_, text)| text.contains(QUESTION)))
    else {
        let told = format!("the mock was asked {} times, and never this question", chats.len());
        return Err(wrong("model", told, hint));
    };
    let written = String::from_utf8_lossy(&chat.written_bytes()).into_owned();
    let first = said.split_whitespace().next().unwrap_or_default();
    if !written.contains(first) {
        return Err(wrong("model", format!("the mock did not say {}", shown(said)), hint));
    }
    Ok(format!("was asked {} times over `{}`; the answer is its own", chats.len(), chat.path))
}

fn shown(text: &str) -> String {
    let short: String = text.chars().take(SHOWN_MAX).collect();
    format!("{short:?}")
}
