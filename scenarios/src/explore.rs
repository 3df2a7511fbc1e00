//! Search: schedules of user actions, faults and clock steps are drawn until one breaks an invariant; what breaks it is
//! shrunk to the few steps that matter, and written down as a scenario.
//!
//! Everything is drawn from a seed: on the built-in target the same search finds the same again. Elsewhere time is real, and
//! what depends on it may be found one time and not the other.

mod reach;
mod schedule;

use rand::{SeedableRng as _, rngs::StdRng};

use tokio_util::sync::CancellationToken;

use crate::{
    Options, Scenario, Target,
    engine::{self, judge_once},
    invariant::ONE_END,
    parse::ParseError,
    result::{Check, Verdict},
};
use reach::Reach;
use schedule::Schedule;

/// What to search.
#[derive(Clone, Debug)]
pub struct Search {
    /// So many schedules are tried at most.
    pub schedules: u32,
    /// Seed of the first; the others follow from it.
    pub seed: u64,
    /// What is judged.
    pub target: Target,
    /// A part of the built-in server that is replaced by a weaker one: a bug that is to be found.
    pub part: Option<String>,
    /// Ends the search before its time, without a finding.
    pub stop: CancellationToken,
}

/// A schedule that breaks an invariant.
#[derive(Clone, Debug)]
pub struct Found {
    /// Which schedule it was, from 1.
    pub schedule: u32,
    /// The seed of all that was left to chance.
    pub seed: u64,
    /// How many steps were drawn.
    pub drawn: usize,
    /// How many of them are needed.
    pub steps: usize,
    /// The check that breaks.
    pub check: Check,
    /// The scenario that shows it.
    pub scenario: Scenario,
}

/// What a search came to.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// So many schedules were played.
    pub tried: u32,
    /// Why some of them could not be judged, each with its seed.
    pub unjudged: Vec<(u64, String)>,
    /// The first that broke an invariant.
    pub found: Option<Found>,
}

/// Tries schedules until one breaks an invariant; tells `on` the number of each.
///
/// Fails where the part is not known. Blocks; makes its own runtimes.
pub fn explore(search: &Search, on: &dyn Fn(u32)) -> Result<Outcome, Box<ParseError>> {
    let reach = Reach::of(&search.target);
    let explorer = Explorer { search, reach };
    let mut outcome = Outcome { tried: 0, unjudged: Vec::new(), found: None };
    while outcome.tried < search.schedules && !search.stop.is_cancelled() {
        outcome.tried += 1;
        on(outcome.tried);
        let seed = search.seed.wrapping_add(u64::from(outcome.tried) - 1);
        let drawn = Schedule::draw(&mut StdRng::seed_from_u64(seed), &explorer.reach);
        match explorer.play(&drawn, seed)? {
            Seen::Held => {}
            Seen::Nothing(reason) => outcome.unjudged.push((seed, reason)),
            Seen::Broken(check) => match explorer.found(outcome.tried, seed, (&drawn, check))? {
                Some(found) => {
                    outcome.found = Some(found);
                    break;
                }
                None => outcome.unjudged.push((seed, "it broke once, and not again".to_owned())),
            },
        }
    }
    Ok(outcome)
}

/// What a schedule shows.
enum Seen {
    Held,
    /// It could not be played to its end, for this reason.
    Nothing(String),
    /// The first check that breaks.
    Broken(Check),
}

struct Explorer<'a> {
    search: &'a Search,
    reach: Reach,
}

impl Explorer<'_> {
    fn part(&self) -> Option<&str> {
        self.search.part.as_deref()
    }

    fn play(&self, schedule: &Schedule, seed: u64) -> Result<Seen, Box<ParseError>> {
        let scenario = schedule.scenario(&self.reach, (self.part(), ONE_END))?;
        let options = Options { seed, stop: self.search.stop.clone(), ..Options::default() };
        let result = match &self.search.target {
            Target::Builtin => Some(judge_once(&scenario, scenario.tables.sabotage.first(), &options)),
            target @ Target::External(_) => {
                engine::run(&[scenario], target, &options, &|_| {}).scenarios.pop()
            }
        };
        Ok(match result {
            // A fault that was drawn and met nobody is no loss.
            Some(result) if !result.checks.is_empty() && result.broken().next().is_none() => Seen::Held,
            Some(result) if result.verdict == Verdict::Fail => {
                result.broken().next().cloned().map_or(Seen::Nothing(result.reason.clone()), Seen::Broken)
            }
            Some(result) => Seen::Nothing(result.reason),
            None => Seen::Nothing("it was stopped".to_owned()),
        })
    }

    /// Shrinks what was drawn, and writes it down; nothing if what is left does not break the same check once more. Whoever
    /// stops the search gets what there is by then.
    fn found(
        &self,
        schedule: u32,
        seed: u64,
        (drawn, check): (&Schedule, Check),
    ) -> Result<Option<Found>, Box<ParseError>> {
        let needed = self.shrink(drawn.clone(), seed, &check)?;
        let scenario = needed.scenario(&self.reach, (self.part(), &check.id))?;
        let again = self.search.stop.is_cancelled()
            || matches!(self.play(&needed, seed)?, Seen::Broken(still) if still.id == check.id);
        let (drawn, steps) = (drawn.acts.len(), needed.acts.len());
        Ok(again.then_some(Found { schedule, seed, drawn, steps, check, scenario }))
    }

    /// Leaves out what is not needed to break the same check: halves first, then single acts, until nothing can go.
    fn shrink(&self, mut schedule: Schedule, seed: u64, check: &Check) -> Result<Schedule, Box<ParseError>> {
        let mut size = schedule.acts.len().div_ceil(2);
        while size > 0 {
            let before = schedule.acts.len();
            let mut start = 0;
            while start < schedule.acts.len() && !self.search.stop.is_cancelled() {
                let mut fewer = schedule.clone();
                fewer.acts.drain(start..(start + size).min(schedule.acts.len()));
                match self.play(&fewer, seed)? {
                    Seen::Broken(still) if still.id == check.id => schedule = fewer,
                    _ => start += size,
                }
            }
            // What goes makes room for more to go, down to single acts.
            size = if schedule.acts.len() < before && size == 1 { 1 } else { size / 2 };
        }
        Ok(schedule)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn search(part: Option<&str>, seed: u64) -> Search {
        let (target, part) = (Target::Builtin, part.map(ToOwned::to_owned));
        Search { schedules: 8, seed, target, part, stop: CancellationToken::new() }
    }

    #[test]
    fn a_planted_bug_that_needs_an_interleaving_is_found_shrunk_and_found_again_s14() {
        let find =
            || explore(&search(Some("lost-in-a-crowd"), 40), &|_| {}).unwrap().found.expect("it is found");

        let (found, same) = (find(), find());

        assert!(found.steps <= 6 && found.steps < found.drawn, "{found:?}");
        assert_eq!((found.schedule, &found.scenario.source), (same.schedule, &same.scenario.source));
        let options = Options { seed: found.seed, ..Options::default() };
        let again = judge_once(&found.scenario, found.scenario.tables.sabotage.first(), &options);
        assert!(again.broken().any(|check| check.id == found.check.id), "the file shows it again");
    }

    #[test]
    fn the_sound_server_is_not_accused_s14() {
        let outcome = explore(&search(None, 1), &|_| {}).unwrap();

        assert!(outcome.found.is_none(), "{outcome:?}");
        assert!(outcome.tried == 8 && outcome.unjudged.len() < 4, "{outcome:?}");
    }

    #[test]
    fn an_unknown_part_is_refused_s14() {
        assert!(explore(&search(Some("nonsense"), 1), &|_| {}).is_err());
    }
}
