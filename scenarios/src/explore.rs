//! Search: schedules of user actions, faults and clock steps are drawn until one breaks an invariant; what breaks it is
//! shrunk to the few steps that matter, and written down as a scenario.
//!
//! Everything is drawn from a seed, so that the same search finds the same again. Only the built-in target is searched:
//! a schedule must mean the same each time.

mod schedule;

use rand::{SeedableRng as _, rngs::StdRng};

use crate::{
    Options, Scenario,
    engine::judge_once,
    parse::ParseError,
    result::{Check, ScenarioResult, Verdict},
};
use schedule::Schedule;

/// What to search.
#[derive(Clone, Debug)]
pub struct Search {
    /// So many schedules are tried at most.
    pub schedules: u32,
    /// Seed of the first; the others follow from it.
    pub seed: u64,
    /// A part of the server that is replaced by a weaker one: a bug that is to be found.
    pub part: Option<String>,
}

/// A schedule that breaks an invariant.
#[derive(Clone, Debug)]
pub struct Found {
    /// Which schedule it was, from 1.
    pub schedule: u32,
    /// How many steps were drawn.
    pub drawn: usize,
    /// How many of them are needed.
    pub steps: usize,
    /// The check that breaks.
    pub check: Check,
    /// The scenario that shows it.
    pub scenario: Scenario,
}

/// Tries schedules until one breaks an invariant; tells `on` the number of each. `None` when all held.
///
/// Fails where the part is not known. Blocks; makes its own runtimes.
pub fn explore(search: &Search, on: &dyn Fn(u32)) -> Result<Option<Found>, Box<ParseError>> {
    for number in 1..=search.schedules {
        on(number);
        let seed = search.seed.wrapping_add(u64::from(number) - 1);
        let drawn = Schedule::draw(&mut StdRng::seed_from_u64(seed));
        if let Some(check) = broken(&drawn, search)? {
            let needed = shrink(drawn.clone(), &check, search)?;
            let scenario = needed.scenario(search.part.as_deref(), &check.id)?;
            let (drawn, steps) = (drawn.acts.len(), needed.acts.len());
            return Ok(Some(Found { schedule: number, drawn, steps, check, scenario }));
        }
    }
    Ok(None)
}

/// Plays a schedule; returns the first check that breaks.
fn broken(schedule: &Schedule, search: &Search) -> Result<Option<Check>, Box<ParseError>> {
    let scenario = schedule.scenario(search.part.as_deref(), crate::invariant::ONE_END)?;
    let sabotage = scenario.tables.sabotage.first().filter(|_| search.part.is_some());
    let options = Options { seed: search.seed, ..Options::default() };
    let result: ScenarioResult = judge_once(&scenario, sabotage, &options);
    // A schedule that cannot be played shows nothing about the server.
    let first = result.broken().next().cloned();
    Ok(first.filter(|_| result.verdict == Verdict::Fail))
}

/// Leaves out what is not needed to break the same check: halves first, then single acts, until nothing can go.
fn shrink(mut schedule: Schedule, check: &Check, search: &Search) -> Result<Schedule, Box<ParseError>> {
    let mut size = schedule.acts.len().div_ceil(2);
    while size > 0 {
        let mut start = 0;
        while start < schedule.acts.len() {
            let mut fewer = schedule.clone();
            fewer.acts.drain(start..(start + size).min(schedule.acts.len()));
            match broken(&fewer, search)? {
                Some(still) if still.id == check.id => schedule = fewer,
                _ => start += size,
            }
        }
        size /= 2;
    }
    Ok(schedule)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn search(part: Option<&str>) -> Search {
        Search { schedules: 8, seed: 1, part: part.map(ToOwned::to_owned) }
    }

    #[test]
    fn a_planted_bug_that_needs_an_interleaving_is_found_shrunk_and_found_again_s14() {
        let find = || explore(&search(Some("lost-in-a-crowd")), &|_| {}).unwrap().expect("it is found");

        let (found, same) = (find(), find());

        assert!(found.steps <= 6 && found.steps < found.drawn, "{found:?}");
        assert_eq!((found.schedule, &found.scenario.source), (same.schedule, &same.scenario.source));
        let again = judge_once(&found.scenario, found.scenario.tables.sabotage.first(), &Options::default());
        assert!(again.broken().any(|check| check.id == found.check.id), "the file shows it again");
    }

    #[test]
    fn the_sound_server_is_not_accused_s14() {
        let found = explore(&search(None), &|_| {}).unwrap();

        assert!(found.is_none(), "{found:?}");
    }

    #[test]
    fn an_unknown_part_is_refused_s14() {
        assert!(explore(&search(Some("nonsense")), &|_| {}).is_err());
    }
}
