//! What is done, in words.

use super::{amount, client, listed, model, owner, plain, quoted, subject, times};
use crate::{
    line::Replica,
    model::{
        Await, Call, Decide, Device, Doing, Fault, Method, Network, Protocol, Resume, Send, SendRaw, Step,
        WriteFacts, Writing,
    },
};

/// Puts steps into words, a line for each, steps within steps indented by `depth`.
pub(super) fn tell(steps: &[Step], depth: usize, lines: &mut Vec<String>) {
    let indent = "  ".repeat(depth);
    for step in steps {
        lines.push(format!("{indent}{}", sentence(step)));
        match step {
            Step::Repeat { steps, .. } => tell(steps, depth + 1, lines),
            Step::Llm(script) => {
                lines.extend(model::script(script).into_iter().map(|line| format!("{indent}  {line}")));
            }
            _ => {}
        }
    }
}

fn sentence(step: &Step) -> String {
    match step {
        Step::Connect(device) => connect(device),
        Step::Disconnect(device) => format!("{} hangs up.", owner(device.device.get_ref())),
        Step::Send(send) => says(send),
        Step::Stop(whose) => format!("{} stops the answer.", owner(whose.device.get_ref())),
        Step::SendRaw(raw) => sends(raw),
        Step::Await(wait) => waits(wait),
        Step::Advance { by } => format!("Let {} pass.", amount(by)),
        Step::Http(call) => calls(call),
        Step::Mark { name } => format!("This moment is called `{name}`."),
        Step::Llm(_) => "From here on the model does something else:".to_owned(),
        Step::Repeat { times: count, .. } => format!("The following happens {}:", times(count)),
        Step::WriteFacts(write) => writes(write),
        Step::SendFrames(send) => client::sends(send),
        Step::Client(step) => client::does(step),
        Step::Decide(decide) => decides(decide),
        Step::Process { r#do } => process(*r#do).to_owned(),
        Step::Network(step) => network(step),
        Step::Sql { text } => format!("Somebody writes into the database by hand: {}.", quoted(text)),
    }
}

fn connect(device: &Device) -> String {
    let token = |token: &String| match token.as_str() {
        "" => "no token".to_owned(),
        token => format!("the token {}", quoted(token)),
    };
    let mut with: Vec<_> = device.token.iter().map(token).collect();
    with.extend(device.query.as_ref().map(|query| format!("the query `{query}`")));
    with.extend(device.headers.iter().map(|(name, value)| format!("the header `{name}: {value}`")));
    with.extend(device.receive_buffer.map(|bytes| format!("a buffer of {bytes} bytes")));
    let with = if with.is_empty() { String::new() } else { format!(" with {}", listed(&with)) };
    let by = if device.protocol == Protocol::V1 { " by `chat.v1`" } else { "" };
    let from = device.resume.as_ref().map(resumes).unwrap_or_default();
    let to = at(device.replica);
    format!("{} connects{to}{by}{with}{from}.", owner(device.device.get_ref()))
}

/// Says at which replica, if not at the first.
fn at(replica: Replica) -> String {
    if replica.is_first() { String::new() } else { format!(" at replica {replica}") }
}

fn resumes(resume: &Resume) -> String {
    let shift = match resume.shift {
        0 => String::new(),
        later @ 1.. => format!(", {later} frames later"),
        earlier => format!(", {} frames earlier", earlier.unsigned_abs()),
    };
    let stream =
        resume.epoch.as_ref().map_or("its stream".to_owned(), |it| format!("the stream {}", quoted(it)));
    format!(" and takes up {stream} where it was{shift}")
}

fn says(send: &Send) -> String {
    let mut parts = vec![format!("{} says {}", owner(send.device.get_ref()), quoted(&send.text))];
    parts.extend(send.count.as_ref().map(times));
    parts.extend(send.id.as_ref().map(|id| format!("by the id {}", quoted(id))));
    parts.extend(send.replaces.as_ref().map(|id| format!("in the place of {}", quoted(id))));
    if send.text.contains("{n}") {
        parts.push("each with its number".to_owned());
    }
    match (&send.over, &send.count) {
        (Some(over), _) => parts.push(format!("spread over {}", amount(over))),
        (None, Some(_)) => parts.push("all at once".to_owned()),
        (None, None) => {}
    }
    let mark = send.mark.as_ref().map(|mark| format!("; this moment is called `{mark}`"));
    parts.join(", ") + &mark.unwrap_or_default() + "."
}

fn sends(raw: &SendRaw) -> String {
    let owner = owner(raw.device.get_ref());
    match (&raw.text, raw.characters) {
        (Some(text), _) => format!("{owner} sends the frame {} as it stands.", quoted(text)),
        (None, characters) => {
            format!("{owner} sends a message of {} characters.", characters.unwrap_or_default())
        }
    }
}

fn waits(wait: &Await) -> String {
    let what = match (&wait.frame, &wait.upstream) {
        (Some(frame), _) => subject::frame(frame),
        (None, Some(request)) => subject::upstream(request),
        (None, None) => return "Wait until everything has settled.".to_owned(),
    };
    let count = wait.count.as_ref().map(|count| format!(", {}", times(count))).unwrap_or_default();
    let within = wait.within.as_ref().map(|within| format!(", for {} at most", amount(within)));
    format!("Wait for this{count}{}: {what}.", within.unwrap_or_default())
}

fn calls(call: &Call) -> String {
    let who = call.user.as_ref().map_or("Somebody without a token", |user| user.get_ref());
    let method = match call.method {
        Method::Get => "GET",
        Method::Post => "POST",
        Method::Put => "PUT",
        Method::Delete => "DELETE",
    };
    let text = call.text.as_ref().map(|text| format!(" with the text {}", quoted(text)));
    let with = call.body.as_ref().map(|body| format!(" with {}", plain(body))).or(text).unwrap_or_default();
    let to = at(call.replica);
    let mut parts = vec![format!("{who} calls {method} `{}`{to}{with}", call.path)];
    parts.extend(call.headers.iter().map(|(name, value)| format!("header `{name}: {value}`")));
    parts.extend(call.count.as_ref().map(times));
    parts.extend(call.at_once.as_ref().map(|at_once| format!("{} at once", amount(at_once))));
    parts.extend(
        call.within.as_ref().map(|within| format!("and time passes for it, {} at most", amount(within))),
    );
    let mut sentences = vec![parts.join(", ")];
    if !call.save.is_empty() {
        let saved = call.save.iter().map(|(name, pointer)| format!("`{pointer}` as `{name}`"));
        sentences.push(format!("of the answer it keeps {}", listed(&saved.collect::<Vec<_>>())));
    }
    sentences.extend(call.step.as_ref().map(|step| format!("this call is `{step}`")));
    sentences.join("; ") + "."
}

fn writes(write: &WriteFacts) -> String {
    let how = match (write.how, write.values) {
        (Writing::Replace, None) => "a new value each time".to_owned(),
        (Writing::Replace, Some(values)) => format!("one of {values} values each time"),
        (Writing::Append, values) => {
            let word = values.map_or("word".to_owned(), |values| format!("of {values} words"));
            format!("the stored value with one {word} more, on condition of its version")
        }
    };
    let fact = |user: &str, key: &str| format!("`{key}` of {user}");
    let mut facts = vec![fact(write.user.get_ref(), &write.key)];
    facts.extend(write.also.iter().map(|other| fact(other.user.get_ref(), &other.key)));
    let readers =
        if write.readers > 0 { format!(", beside {} readers", write.readers) } else { String::new() };
    format!(
        "{} writers at once write the fact {}, {} times each{readers}: {how}.",
        write.writers,
        listed(&facts),
        write.each
    )
}

fn decides(decide: &Decide) -> String {
    let stranger = decide.stranger.as_ref().map(|name| format!(", and as often by {}", name.get_ref()));
    format!(
        "The suggestion `{}` of {} is confirmed {} times and dismissed {} times at once{}.",
        decide.suggestion.get_ref(),
        decide.user.get_ref(),
        decide.confirm,
        decide.dismiss,
        stranger.unwrap_or_default()
    )
}

fn network(step: &Network) -> String {
    let link = format!("{}{}", step.link.word(), at(step.replica));
    match (step.r#do, &step.by) {
        (Fault::Cut, _) => format!("The line to the {link} is cut."),
        (Fault::Stall, _) => {
            format!("Nothing passes any more on the line to the {link}, which stays connected.")
        }
        (Fault::Delay, by) => {
            let by = by.as_ref().map(amount).unwrap_or_default();
            format!("All on the line to the {link} takes {by} longer, in each direction.")
        }
        (Fault::Fill, _) => format!("The {link} is full: it can be read and not written."),
        (Fault::Restore, _) => format!("The line to the {link} is as before."),
    }
}

const fn process(doing: Doing) -> &'static str {
    match doing {
        Doing::Kill => "The target is killed, with no time to put anything in order.",
        Doing::Stop => "The target is asked to end.",
        Doing::Start => "The target is started again, and is ready.",
        Doing::Pause => "The target stands still, all its connections open.",
        Doing::Resume => "The target goes on.",
    }
}
