//! What the types cannot say: names that must resolve, kinds that must be unique.

mod client;
mod network;
mod possible;
mod sabotage;
mod written;

use std::collections::BTreeSet;

use super::{FORMAT, Place, Problem, nearest};
use crate::{
    expr::{Expr, ExprError, Settings},
    invariant,
    model::{DeviceName, Expect, FrameMatch, Name, Scenario, Step, Subject, UpstreamMatch},
    target,
};

type Checked = Result<(), Problem>;

/// What names of a scenario may refer to.
struct Scope {
    devices: BTreeSet<String>,
    users: BTreeSet<String>,
    marks: BTreeSet<String>,
    calls: BTreeSet<String>,
    written: BTreeSet<String>,
    repeated: BTreeSet<String>,
    saved: BTreeSet<String>,
    decided: BTreeSet<String>,
    needs: BTreeSet<String>,
    settings: Settings,
}

/// Finds the first thing wrong with a scenario.
pub(super) fn check(scenario: &Scenario) -> Checked {
    let file = &scenario.tables;
    if file.schema != FORMAT {
        return wrong(
            format!("unknown format version `{}`", file.schema),
            format!("write `schema = {FORMAT}`"),
        );
    }
    if file.gap.is_some_and(|gap| !(1..=7).contains(&gap)) {
        return wrong("`gap` is not a testing gap".to_owned(), "there are seven, 1 to 7".to_owned());
    }
    possible::name(scenario)?;
    for capability in &file.needs {
        known(
            "capability",
            capability,
            &[target::CAPABILITIES, target::IMPLIED, target::BY_ITS_FILE].concat(),
        )?;
    }
    let scope = scope(scenario)?;
    steps(&file.steps, &scope)?;
    let mut ids = BTreeSet::new();
    for expect in &file.expect {
        expectation(expect, &scope)?;
        if !ids.insert(expect.id.get_ref().as_str()) {
            return at(
                &expect.id,
                format!("expectation `{}` is there twice", expect.id.get_ref()),
                "give it an id of its own",
            );
        }
    }
    if let Some(within) = &file.steady.recovers_within {
        duration(within, &scope)?;
    }
    ids.extend(invariant::IDS);
    sabotage::check(scenario, &ids)
}

fn scope(scenario: &Scenario) -> Result<Scope, Problem> {
    let file = &scenario.tables;
    let (mut users, mut devices) = (BTreeSet::new(), BTreeSet::new());
    for user in &file.users {
        let name = user.name.get_ref();
        if name == "probe" || !name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit()) {
            let help = "write lower-case letters and digits; `probe` is taken";
            return Err(problem(&user.name, format!("`{name}` cannot be the name of a user"), help));
        }
        if !users.insert(name.clone()) {
            let help = "give each user a name of their own";
            return Err(problem(&user.name, format!("user `{name}` is there twice"), help));
        }
        if user.admin && !file.needs.iter().any(|need| need == "admins") {
            let help = "add `needs = [\"admins\"]`";
            return Err(problem(&user.name, format!("`{name}` is an administrator"), help));
        }
        devices.extend(user.devices.iter().map(|device| format!("{name}.{device}")));
    }
    let (mut marks, mut calls) = (BTreeSet::from(["start".to_owned()]), BTreeSet::new());
    collect(&file.steps, &mut marks, &mut calls);
    Ok(Scope {
        devices,
        users,
        marks,
        calls,
        written: written::keys(&file.steps, |_| true),
        repeated: written::keys(&file.steps, |write| write.values.is_some()),
        saved: written::saved(&file.steps),
        decided: written::decided(&file.steps),
        needs: file.needs.iter().cloned().collect(),
        settings: target::default_settings(),
    })
}

/// Collects the names that steps give: of moments and of REST calls.
fn collect(steps: &[Step], marks: &mut BTreeSet<String>, calls: &mut BTreeSet<String>) {
    for step in steps {
        match step {
            Step::Mark { name } => drop(marks.insert(name.clone())),
            Step::Send(send) => marks.extend(send.mark.clone()),
            Step::Http(call) => calls.extend(call.step.clone()),
            Step::Repeat { steps, .. } => collect(steps, marks, calls),
            _ => {}
        }
    }
}

fn steps(steps: &[Step], scope: &Scope) -> Checked {
    steps.iter().try_for_each(|step| one_step(step, scope))
}

fn one_step(step: &Step, scope: &Scope) -> Checked {
    match step {
        Step::Connect(connect) => client::connect(connect, scope),
        Step::Disconnect(hangup) => device(&hangup.device, scope),
        Step::Send(send) => {
            client::send(send, scope)?;
            send.count.iter().try_for_each(|expr| count(expr, scope))?;
            send.over.iter().try_for_each(|expr| duration(expr, scope))
        }
        Step::Stop(whose) => client::stop(&whose.device, scope),
        Step::SendRaw(raw) => client::send_raw(raw, scope),
        Step::SendFrames(frames) => client::send_frames(frames, scope),
        Step::Client(step) => client::behave(step, scope),
        Step::Await(wait) => {
            if wait.frame.is_some() == wait.upstream.is_some() {
                return wrong(
                    "`await` needs either `frame` or `upstream`".to_owned(),
                    "give one of them".to_owned(),
                );
            }
            wait.frame.iter().try_for_each(|frame| frame_match(frame, scope))?;
            wait.upstream.iter().try_for_each(|upstream| upstream_match(upstream, scope))?;
            wait.count.iter().try_for_each(|expr| count(expr, scope))?;
            wait.within.iter().try_for_each(|expr| duration(expr, scope))
        }
        Step::Advance { by } => duration(by, scope),
        Step::Http(call) => {
            call.user.iter().try_for_each(|name| user(name, scope))?;
            network::replica(call.replica, scope)?;
            if let (Some(_), Some(text)) = (&call.body, &call.text) {
                let message = format!("`http` sends either `body` or `text`, not both: {text:?}");
                return wrong(message, "leave one of them out".to_owned());
            }
            call.within.iter().try_for_each(|expr| duration(expr, scope))?;
            call.count.iter().chain(&call.at_once).try_for_each(|expr| count(expr, scope))
        }
        Step::Process { .. } if !scope.needs.contains("process") => wrong(
            "`process` is about a target that was started here".to_owned(),
            "add `needs = [\"process\"]`".to_owned(),
        ),
        Step::Network(step) => network::step(step, scope),
        Step::Sql { .. } if !scope.needs.contains("database-sql") => wrong(
            "`sql` is about a database that can be written to by hand".to_owned(),
            "add `needs = [\"database-sql\"]`".to_owned(),
        ),
        // The mock's own types have checked the faults of a script.
        Step::Mark { .. } | Step::Llm(_) | Step::Process { .. } | Step::Sql { .. } => Ok(()),
        Step::Repeat { times, steps: inner } => {
            count(times, scope)?;
            steps(inner, scope)
        }
        Step::WriteFacts(write) => written::step(write, scope),
        Step::Decide(decide) => written::decide(decide, scope),
    }
}

fn expectation(expect: &Expect, scope: &Scope) -> Checked {
    let kinds = [
        expect.never.is_some(),
        expect.sometimes.is_some(),
        expect.eventually.is_some(),
        expect.always.is_some(),
        expect.history.is_some(),
    ];
    if kinds.iter().filter(|is_given| **is_given).count() != 1 {
        return at(
            &expect.id,
            format!("expectation `{}` must have exactly one kind", expect.id.get_ref()),
            "give one of `never`, `sometimes`, `eventually`, `always`, `history`",
        );
    }
    if let Some(never) = &expect.never {
        subject(&never.on, scope)?;
        marks(&expect.id, [&never.after, &never.before], scope)?;
    }
    if let Some(some) = &expect.sometimes {
        subject(&some.on, scope)?;
        marks(&expect.id, [&some.after, &some.before], scope)?;
        let counts = some.exactly.iter().chain(&some.at_least).chain(&some.at_most);
        counts.clone().try_for_each(|expr| count(expr, scope))?;
        possible::counts(&expect.id, some, scope)?;
    }
    if let Some(always) = &expect.always {
        subject(&always.on, scope)?;
        subject(&always.is, scope)?;
        marks(&expect.id, [&always.after, &None], scope)?;
        always.at_least.iter().try_for_each(|expr| count(expr, scope))?;
    }
    if let Some(eventually) = &expect.eventually {
        subject(&eventually.on, scope)?;
        marks(&expect.id, [&Some(eventually.after.clone()), &None], scope)?;
        duration(&eventually.within, scope)?;
        possible::times(&expect.id, eventually, scope)?;
        eventually.not_before.iter().try_for_each(|expr| duration(expr, scope))?;
    }
    expect.history.iter().try_for_each(|wanted| written::history(wanted, scope))
}

fn subject(subject: &Subject, scope: &Scope) -> Checked {
    match subject {
        Subject::Frame(frame) => frame_match(frame, scope),
        Subject::Upstream(upstream) => upstream_match(upstream, scope),
        Subject::Socket(socket) => socket.device.iter().try_for_each(|name| someone(name, scope)),
        Subject::Http(http) => http.step.iter().try_for_each(|step| named("call", step, &scope.calls)),
        Subject::Log(_) if scope.needs.contains("log") => Ok(()),
        Subject::Log(log) => {
            let help = "add `needs = [\"log\"]`".to_owned();
            about(&log.contains, "not every target shows its log".to_owned(), help)
        }
        Subject::Metric(metric) if scope.needs.contains("metrics") => {
            named("metric", &metric.name, &target::METRICS.iter().map(|name| (*name).to_owned()).collect())
        }
        Subject::Metric(metric) => {
            let help = "add `needs = [\"metrics\"]`".to_owned();
            about(&metric.name, "not every target shows its metrics".to_owned(), help)
        }
    }
}

fn upstream_match(upstream: &UpstreamMatch, scope: &Scope) -> Checked {
    upstream.messages.iter().try_for_each(|expr| count(expr, scope))?;
    let Some(id) = &upstream.fault else { return Ok(()) };
    if mock_deepseek::catalogue().get(id).is_some() {
        return Ok(());
    }
    about(id, format!("unknown fault `{id}`"), "`gauntlet faults list` shows what there is".to_owned())
}

/// A device, or a user for all of its devices.
fn someone(name: &str, scope: &Scope) -> Checked {
    let candidates = || scope.devices.iter().chain(&scope.users).map(String::as_str);
    if candidates().any(|candidate| candidate == name) {
        return Ok(());
    }
    let help = nearest(name, candidates()).map_or_else(
        || "devices are written `user.device`".to_owned(),
        |nearest| format!("did you mean `{nearest}`?"),
    );
    about(name, format!("nobody has a device `{name}`"), help)
}

fn named(kind: &str, word: &str, candidates: &BTreeSet<String>) -> Checked {
    let words: Vec<&str> = candidates.iter().map(String::as_str).collect();
    known(kind, word, &words)
}

fn frame_match(frame: &FrameMatch, scope: &Scope) -> Checked {
    frame.device.iter().try_for_each(|name| someone(name, scope))?;
    if let Some(pattern) = &frame.matches
        && let Err(error) = regex::Regex::new(pattern)
    {
        return about(
            pattern,
            format!("`{pattern}` is not a regular expression: {error}"),
            "see the syntax of the crate `regex`".to_owned(),
        );
    }
    Ok(())
}

fn marks(id: &Name, names: [&Option<String>; 2], scope: &Scope) -> Checked {
    for name in names.into_iter().flatten() {
        if !scope.marks.contains(name) {
            let help = nearest(name, scope.marks.iter().map(String::as_str)).map_or_else(
                || "give a step that name with `mark`".to_owned(),
                |nearest| format!("did you mean `{nearest}`?"),
            );
            return at(id, format!("no step is marked `{name}`"), &help);
        }
    }
    Ok(())
}

/// What an expression must come to.
#[derive(Clone, Copy)]
enum Unit {
    Duration,
    Count,
}

fn duration(expr: &Expr, scope: &Scope) -> Checked {
    expression(expr, Unit::Duration, scope)
}

fn count(expr: &Expr, scope: &Scope) -> Checked {
    expression(expr, Unit::Count, scope)
}

fn expression(expr: &Expr, unit: Unit, scope: &Scope) -> Checked {
    let outcome = match unit {
        Unit::Duration => expr.duration(&scope.settings).map(drop),
        Unit::Count => expr.count(&scope.settings).map(drop),
    };
    let Err(error) = outcome else { return Ok(()) };
    match error {
        ExprError::Unknown { name, nearest } => {
            let help = nearest.map_or_else(
                || "`gauntlet config print` shows the settings".to_owned(),
                |nearest| format!("did you mean `{nearest}`?"),
            );
            about(&name, format!("there is no setting `{name}`"), help)
        }
        other => {
            about(&expr.to_string(), other.to_string(), "durations are written `30s`, counts `10`".to_owned())
        }
    }
}

fn device(name: &Name, scope: &Scope) -> Checked {
    if let Err(error) = name.get_ref().parse::<DeviceName>() {
        return at(name, error, "devices belong to users");
    }
    known_in("device", name, scope.devices.iter().map(String::as_str))
}

fn user(name: &Name, scope: &Scope) -> Checked {
    known_in("user", name, scope.users.iter().map(String::as_str))
}

fn known_in<'a>(kind: &str, name: &Name, candidates: impl Iterator<Item = &'a str> + Clone) -> Checked {
    let word = name.get_ref();
    if candidates.clone().any(|candidate| candidate == word) {
        return Ok(());
    }
    let help = nearest(word, candidates.clone()).map_or_else(
        || format!("there is: {}", candidates.collect::<Vec<_>>().join(", ")),
        |nearest| format!("did you mean `{nearest}`?"),
    );
    at(name, format!("unknown {kind} `{word}`"), &help)
}

fn known(kind: &str, word: &str, candidates: &[&str]) -> Checked {
    if candidates.contains(&word) {
        return Ok(());
    }
    let help = nearest(word, candidates.iter().copied()).map_or_else(
        || format!("there is: {}", candidates.join(", ")),
        |nearest| format!("did you mean `{nearest}`?"),
    );
    about(word, format!("unknown {kind} `{word}`"), help)
}

/// Something is wrong with the file as a whole.
fn wrong(message: String, help: String) -> Checked {
    Err(Problem { message, help: Some(help), place: Place::File })
}

/// Something is wrong with a word that stands somewhere in the file.
fn about(word: &str, message: String, help: String) -> Checked {
    Err(Problem { message, help: Some(help), place: Place::Word(word.to_owned()) })
}

fn at(name: &Name, message: String, help: &str) -> Checked {
    Err(problem(name, message, help))
}

fn problem(name: &Name, message: String, help: &str) -> Problem {
    Problem { message, help: Some(help.to_owned()), place: Place::Span(name.span()) }
}
