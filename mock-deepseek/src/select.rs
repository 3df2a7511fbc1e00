//! Chooses the rule that answers a request, and counts how often each has answered.
//!
//! Invariant: rules are tried in the order of the script, and a rule whose `times` are used up is
//! passed over. Counters begin anew with each script. Every throw of the dice depends on the seed, the
//! number of the request and the place of the rule, on nothing else. Replies, faults and paces are
//! shared, not copied.

use std::sync::{
    Arc,
    atomic::{AtomicU32, AtomicU64, Ordering},
};

use regex::RegexSet;

use crate::{
    chance::Chance,
    draft::Prepared,
    facts::Facts,
    fault::Fault,
    matching::{Condition, Patterns},
    pace::{Pace, Pacing},
    script::{Rule, Script, Then, Variant},
    state::Account,
};

/// A script that is ready to play, and its counters.
#[derive(Debug, Default)]
pub(crate) struct Selector {
    seed: u64,
    rules: Vec<PlayedRule>,
    /// For each rule a pattern that must match before the rule itself is looked at: of many rules most are passed over,
    /// and these few bytes of each lie side by side.
    gates: Vec<Option<usize>>,
    /// What the rules look for in the last user message.
    patterns: Option<Arc<RegexSet>>,
    default: Outcome,
    account: Arc<Account>,
    /// Requests seen.
    requests: AtomicU64,
}

/// What the script says about one request.
#[derive(Clone, Debug)]
pub(crate) struct Choice {
    /// Name of the rule, or its position (`rule 1`, …), or `None` for the default.
    pub(crate) rule: Option<Arc<str>>,
    pub(crate) reply: Arc<Prepared>,
    pub(crate) faults: Arc<[Fault]>,
    pub(crate) pacing: Pacing,
}

/// A rule with its counters.
#[derive(Debug)]
struct PlayedRule {
    conditions: Box<[Condition]>,
    /// Answers no more than so many.
    limit: u32,
    chance: Option<f64>,
    burst: u32,
    play: Play,
    /// How often it has answered.
    used: AtomicU32,
    /// How many answers are left of a burst.
    bursting: AtomicU32,
}

/// How the answers of a rule follow each other. Bounds are cumulative.
#[derive(Debug)]
enum Play {
    Always(Outcome),
    InTurn { steps: Vec<(u32, Outcome)>, then: Then },
    ByWeight(Vec<(f64, Outcome)>),
}

#[derive(Clone, Debug, Default)]
struct Outcome {
    name: Option<Arc<str>>,
    reply: Arc<Prepared>,
    faults: Arc<[Fault]>,
    pace: Arc<Pace>,
}

impl Selector {
    /// Prepares a script. `seed` is behind every throw of the dice.
    pub(crate) fn new(script: Script, seed: u64, under_way: Arc<AtomicU32>) -> Self {
        let default = Outcome {
            name: None,
            reply: Arc::new(Prepared::of(script.default.reply)),
            faults: script.default.faults.into(),
            pace: Arc::new(script.default.pace.unwrap_or_default()),
        };
        let mut patterns = Patterns::of(script.rules.iter().map(|rule| &rule.matches));
        let mut prepare = |(mut rule, position): (Rule, usize)| {
            let conditions = std::mem::take(&mut rule.matches).compile(&mut patterns);
            PlayedRule::new(rule, conditions, position, &default.pace)
        };
        let rules: Vec<_> = script.rules.into_iter().zip(1..).map(&mut prepare).collect();
        let gate = |rule: &PlayedRule| rule.conditions.iter().find_map(Condition::pattern);
        Self {
            seed,
            gates: rules.iter().map(gate).collect(),
            rules,
            patterns: patterns.set(),
            account: Arc::new(Account::new(script.limits, script.balance, under_way)),
            default,
            requests: AtomicU64::new(0),
        }
    }

    /// Begins to count anew.
    pub(crate) fn reset(&self) {
        self.requests.store(0, Ordering::Relaxed);
        self.rules.iter().for_each(PlayedRule::reset);
        self.account.reset();
    }

    /// Returns the account that requests are counted in.
    pub(crate) fn account(&self) -> &Arc<Account> {
        &self.account
    }

    /// Returns the faults that strike when no rule holds.
    pub(crate) fn default_faults(&self) -> &Arc<[Fault]> {
        &self.default.faults
    }

    /// Returns how many rules there are.
    pub(crate) fn rules(&self) -> usize {
        self.rules.len()
    }

    /// Counts the request and chooses its rule.
    pub(crate) fn choose(&self, facts: &Facts<'_>) -> Choice {
        let nth = self.requests.fetch_add(1, Ordering::Relaxed) + 1;
        let matched = self.patterns.as_ref().map(|set| facts.user_patterns(set));
        let open = |gate: Option<usize>| match (gate, matched) {
            (Some(pattern), Some(matched)) => matched.matched(pattern),
            _ => true,
        };
        let found = self.gates.iter().zip(1..).filter(|(gate, _)| open(**gate)).find_map(|(_, position)| {
            let rule = &self.rules[position - 1];
            if !rule.conditions.iter().all(|condition| condition.holds(nth, facts)) {
                return None;
            }
            rule.take(&mut Chance::new(self.seed ^ position as u64, nth))
        });
        let Outcome { name, reply, faults, pace } = found.unwrap_or(&self.default).clone();
        let seed = Chance::new(self.seed, nth).bits();
        Choice { rule: name, reply, faults, pacing: Pacing { pace, seed } }
    }
}

impl PlayedRule {
    fn new(rule: Rule, conditions: Box<[Condition]>, position: usize, pace: &Arc<Pace>) -> Self {
        let name = rule.name.clone().unwrap_or_else(|| format!("rule {position}"));
        let base = Outcome {
            name: Some(name.as_str().into()),
            reply: Arc::new(Prepared::of(rule.reply)),
            faults: rule.faults.into(),
            pace: rule.pace.map_or_else(|| Arc::clone(pace), Arc::new),
        };
        let play = Play::new(base, rule.sequence, rule.choose, rule.then.unwrap_or_default());
        Self {
            conditions,
            limit: rule.times.unwrap_or(u32::MAX).min(play.limit()),
            chance: rule.chance,
            burst: rule.burst.unwrap_or(1),
            play,
            used: AtomicU32::new(0),
            bursting: AtomicU32::new(0),
        }
    }

    fn reset(&self) {
        self.used.store(0, Ordering::Relaxed);
        self.bursting.store(0, Ordering::Relaxed);
    }

    /// Takes the request, unless the dice or the counters say otherwise.
    fn take(&self, chance: &mut Chance) -> Option<&Outcome> {
        if !self.strikes(chance) {
            return None;
        }
        let room = |used: u32| (used < self.limit).then(|| used.saturating_add(1));
        let used = self.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, room).ok()?;
        Some(self.play.outcome(used, chance))
    }

    fn strikes(&self, chance: &mut Chance) -> bool {
        let Some(share) = self.chance else { return true };
        let goes_on = |left: u32| left.checked_sub(1);
        if self.bursting.fetch_update(Ordering::Relaxed, Ordering::Relaxed, goes_on).is_ok() {
            return true;
        }
        let strikes = chance.unit() < share;
        if strikes {
            self.bursting.store(self.burst.saturating_sub(1), Ordering::Relaxed);
        }
        strikes
    }
}

impl Play {
    fn new(base: Outcome, sequence: Option<Vec<Variant>>, choose: Option<Vec<Variant>>, then: Then) -> Self {
        let outcome = |variant: Variant, position: usize| base.with(variant, position);
        // A rule that was made as a value may have no variants; it is then as if none were meant.
        let some = |variants: Option<Vec<Variant>>| variants.filter(|variants| !variants.is_empty());
        let (sequence, choose) = (some(sequence), some(choose));
        match (sequence, choose) {
            (Some(sequence), _) => {
                let mut end = 0_u32;
                let steps = sequence.into_iter().zip(1..).map(|(variant, position)| {
                    end = end.saturating_add(variant.times.unwrap_or(1));
                    (end, outcome(variant, position))
                });
                Self::InTurn { steps: steps.collect(), then }
            }
            (None, Some(choose)) => {
                let mut end = 0.0;
                let options = choose.into_iter().zip(1..).map(|(variant, position)| {
                    end += variant.weight.unwrap_or(1.0);
                    (end, outcome(variant, position))
                });
                Self::ByWeight(options.collect())
            }
            (None, None) => Self::Always(base),
        }
    }

    /// Returns how many answers there are before another rule is tried.
    fn limit(&self) -> u32 {
        match self {
            Self::InTurn { steps, then: Then::FallThrough } => steps.last().map_or(0, |(end, _)| *end),
            _ => u32::MAX,
        }
    }

    fn outcome(&self, used: u32, chance: &mut Chance) -> &Outcome {
        match self {
            Self::Always(outcome) => outcome,
            Self::InTurn { steps, then } => {
                let all = steps.last().map_or(1, |(end, _)| *end).max(1);
                let turn = if *then == Then::StartOver { used % all } else { used.min(all - 1) };
                let index = steps.partition_point(|(end, _)| *end <= turn);
                &steps[index.min(steps.len() - 1)].1
            }
            Self::ByWeight(options) => {
                let throw = chance.unit() * options.last().map_or(0.0, |(end, _)| *end);
                let index = options.partition_point(|(end, _)| *end <= throw);
                &options[index.min(options.len() - 1)].1
            }
        }
    }
}

impl Outcome {
    /// Replaces what the variant says; `position` stands for its name.
    fn with(&self, variant: Variant, position: usize) -> Self {
        let rule = self.name.as_deref().unwrap_or_default();
        let name = match &variant.name {
            Some(name) => format!("{rule}/{name}"),
            None => format!("{rule}/{position}"),
        };
        Self {
            name: Some(name.into()),
            reply: variant
                .reply
                .map_or_else(|| Arc::clone(&self.reply), |reply| Arc::new(Prepared::of(reply))),
            faults: variant.faults.map_or_else(|| Arc::clone(&self.faults), Into::into),
            pace: variant.pace.map_or_else(|| Arc::clone(&self.pace), Arc::new),
        }
    }
}

#[cfg(test)]
mod tests;
