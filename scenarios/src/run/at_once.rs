//! Steps in which many do something at once, and of which a history is kept.

use std::time::Duration;

use tokio::task::JoinSet;

use super::{
    deciders::{self, Matter},
    people::People,
    writers::{self, Pen},
};
use crate::{
    history::SuggestionHistory,
    model::{Decide, WriteFacts},
    record::What,
    target::Process,
    world::Broken,
};

/// Virtual time that all of them may take.
const LIMIT: Duration = Duration::from_mins(10);

/// Lets writers write and readers read, and notes what they did.
pub(super) async fn write_facts(step: &WriteFacts, people: &mut People<'_>) -> Result<(), Broken> {
    let pens = pens(step, people)?;
    let mut writing = JoinSet::new();
    for (n, pen) in pens.iter().cloned().enumerate() {
        let step = step.clone();
        writing.spawn(async move { (n, writers::write(step, pen).await) });
    }
    let writing = tokio::spawn(writing.join_all());
    if let Some(writes) = &step.killed_after {
        let writes =
            writes.count(&people.world.settings).map_err(|error| Broken::Other(error.to_string()))?;
        kill_after(writes, people, || writing.is_finished()).await?;
    }
    people.world.until(LIMIT, || writing.is_finished()).await?;
    let mut histories = writing.await.map_err(|error| Broken::Other(format!("writers broke: {error}")))?;
    if step.killed_after.is_some() {
        process(people)?.start_again().await.map_err(Broken::Other)?;
        people.world.recorder.note("harness", What::Note("started the target".to_owned()));
    }
    histories.sort_by_key(|(n, _)| *n);
    for ((_, mut history), pen) in histories.into_iter().zip(&pens) {
        writers::finish(&mut history, pen).await.map_err(Broken::Other)?;
        let told = format!(
            "{} writers wrote `{}` of `{}`: {} of {} acknowledged, {} reads",
            step.writers,
            history.key,
            history.user,
            history.acknowledged(),
            history.operations.len(),
            history.reads.len()
        );
        people.world.recorder.note("harness", What::Note(told));
        people.histories.push(history);
    }
    Ok(())
}

fn pens(step: &WriteFacts, people: &People<'_>) -> Result<Vec<Pen>, Broken> {
    let first = [(step.user.get_ref(), &step.key)];
    let others = step.also.iter().map(|other| (other.user.get_ref(), &other.key));
    let pen = |(n, (user, key)): (usize, (&String, &String))| {
        let person = people.person(user)?;
        Ok(Pen {
            rest: person.rest.clone(),
            token: person.token.clone(),
            user: user.clone(),
            key: key.clone(),
            prefix: writers::prefix(people.histories.len() + n),
            order: people.order.clone(),
        })
    };
    first.into_iter().chain(others).enumerate().map(pen).collect()
}

/// Kills the target's process when so many writes were acknowledged.
async fn kill_after(writes: u64, people: &People<'_>, is_over: impl Fn() -> bool) -> Result<(), Broken> {
    let before = people.order.acknowledged();
    let is_due = || people.order.acknowledged() - before >= writes;
    people.world.until(LIMIT, || is_due() || is_over()).await?;
    process(people)?.kill().await.map_err(Broken::Other)?;
    people.world.recorder.note("harness", What::Note("killed the target".to_owned()));
    Ok(())
}

fn process<'a>(people: &People<'a>) -> Result<&'a Process, Broken> {
    let absent = || Broken::Other("the target was not started here, so it cannot be killed".to_owned());
    people.world.process.as_ref().ok_or_else(absent)
}

/// Lets devices decide upon a suggestion, and notes what they were told.
pub(super) async fn decide(step: &Decide, people: &mut People<'_>) -> Result<(), Broken> {
    let name = step.suggestion.get_ref();
    let missing = || Broken::Other(format!("nothing was saved as `{name}`, so nobody can decide upon it"));
    let matter = Matter {
        own: people.person(step.user.get_ref())?.clone(),
        stranger: step.stranger.as_ref().map(|name| people.person(name.get_ref())).transpose()?.cloned(),
        suggestion: people.saved.get(name).cloned().ok_or_else(missing)?,
        order: people.order.clone(),
    };
    let before = people.decisions.iter().position(|history| history.name == *name);
    let history = before.map(|place| people.decisions.remove(place));
    let history =
        history.unwrap_or_else(|| SuggestionHistory { name: name.clone(), ..SuggestionHistory::default() });
    let deciding = tokio::spawn(deciders::decide(step.clone(), matter, history));
    people.world.until(LIMIT, || deciding.is_finished()).await?;
    let history = deciding.await.map_err(|error| Broken::Other(format!("deciders broke: {error}")))?;
    let history = history.map_err(Broken::Other)?;
    let (made, all) = (history.acknowledged(), history.decisions.len());
    let told = format!("{all} decisions upon `{name}` so far: {made} acknowledged");
    people.world.recorder.note("harness", What::Note(told));
    people.decisions.push(history);
    Ok(())
}
