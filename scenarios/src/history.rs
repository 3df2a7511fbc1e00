//! Histories of concurrent writes, and what must hold of them.
//!
//! A verdict rests on what was acknowledged and on what is stored, never on the final value alone
//! (Jepsen's set accounting; every value is written once in its life). The checks are linear in time.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One write and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Operation {
    /// Who wrote it; one writer writes one thing after the other.
    pub writer: String,
    /// The value or word, unique in the run.
    pub value: String,
    /// What is known of it.
    pub outcome: Outcome,
}

/// What is known of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The server said that it is stored, under this version.
    Acknowledged(i64),
    /// The server said that it is not.
    Refused,
    /// Nobody knows: no answer came. It may have happened.
    Unknown,
}

/// A revision as the server tells it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Revision {
    /// Its number.
    pub version: i64,
    /// Its value.
    pub value: String,
}

/// A record of concurrent writes to one fact.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct FactHistory {
    /// The fact's key.
    pub key: String,
    /// All operations.
    pub operations: Vec<Operation>,
    /// What the server says was ever stored, oldest first.
    pub revisions: Vec<Revision>,
    /// The final value.
    pub last: String,
}

impl FactHistory {
    /// Returns how many writes were acknowledged.
    pub fn acknowledged(&self) -> usize {
        self.operations.iter().filter(|op| matches!(op.outcome, Outcome::Acknowledged(_))).count()
    }
}

/// Checks that every acknowledged write is stored exactly once under its version, that nothing else
/// is, and that the versions are one serial order without gaps. The error is the smallest proof.
pub fn serial_history(history: &FactHistory) -> Result<(), String> {
    let mut stored: BTreeMap<&str, i64> = BTreeMap::new();
    for (place, revision) in (1_i64..).zip(&history.revisions) {
        if revision.version != place {
            return Err(format!(
                "revision {place} of the stored history carries version {}",
                revision.version
            ));
        }
        if let Some(before) = stored.insert(&revision.value, revision.version) {
            return Err(format!(
                "`{}` is stored twice, as versions {before} and {}",
                revision.value, revision.version
            ));
        }
    }
    if let Some(last) = history.revisions.last().filter(|last| last.value != history.last) {
        return Err(format!(
            "`{}` is read though version {} holds `{}`: stale",
            history.last, last.version, last.value
        ));
    }
    let mut versions: BTreeMap<&str, i64> = BTreeMap::new();
    for operation in &history.operations {
        if let Outcome::Acknowledged(version) = operation.outcome {
            let before = versions.insert(&operation.writer, version).unwrap_or_default();
            if before >= version {
                return Err(format!(
                    "`{}` was acknowledged as version {version} after the same writer's version {before}",
                    operation.value
                ));
            }
        }
        let place = stored.remove(operation.value.as_str());
        match (operation.outcome, place) {
            (Outcome::Acknowledged(version), None) => {
                return Err(format!(
                    "`{}` was acknowledged as version {version} and is not stored: lost",
                    operation.value
                ));
            }
            (Outcome::Acknowledged(version), Some(found)) if version != found => {
                return Err(format!(
                    "`{}` was acknowledged as version {version} and is stored as {found}",
                    operation.value
                ));
            }
            (Outcome::Refused, Some(found)) => {
                return Err(format!("`{}` was refused and is stored as version {found}", operation.value));
            }
            _ => {}
        }
    }
    stored.iter().next().map_or(Ok(()), |(value, version)| {
        Err(format!("version {version} holds `{value}`, which nobody wrote"))
    })
}

/// Checks that every acknowledged append is a word of the final value exactly once, and that no other
/// word is. The error is the smallest proof.
pub fn no_lost_update(history: &FactHistory) -> Result<(), String> {
    let mut words: BTreeSet<&str> = BTreeSet::new();
    for word in history.last.split_whitespace() {
        if !words.insert(word) {
            return Err(format!("`{word}` is in the final value twice"));
        }
    }
    for operation in &history.operations {
        let is_there = words.remove(operation.value.as_str());
        match operation.outcome {
            Outcome::Acknowledged(version) if !is_there => {
                let overwriter = history.revisions.iter().find(|revision| {
                    revision.version > version
                        && !revision.value.split_whitespace().any(|w| w == operation.value)
                });
                let by =
                    overwriter.map(|r| format!(", overwritten by version {}", r.version)).unwrap_or_default();
                return Err(format!(
                    "`{}` was acknowledged as version {version} and is missing from the final value: lost update{by}",
                    operation.value
                ));
            }
            Outcome::Refused if is_there => {
                return Err(format!("`{}` was refused and is in the final value", operation.value));
            }
            _ => {}
        }
    }
    words.first().map_or(Ok(()), |word| Err(format!("`{word}` is in the final value and nobody wrote it")))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A valid history of `n` replacing writes.
    fn replaced(n: i64) -> FactHistory {
        let value = |i| format!("w{i}");
        FactHistory {
            key: "note".to_owned(),
            operations: (1..=n)
                .map(|i| Operation {
                    writer: (i % 3).to_string(),
                    value: value(i),
                    outcome: Outcome::Acknowledged(i),
                })
                .collect(),
            revisions: (1..=n).map(|i| Revision { version: i, value: value(i) }).collect(),
            last: value(n),
        }
    }

    /// A valid history of `n` appends.
    fn appended(n: i64) -> FactHistory {
        let words = |n: i64| (1..=n).map(|i| format!("w{i}")).collect::<Vec<_>>().join(" ");
        FactHistory {
            revisions: (1..=n).map(|i| Revision { version: i, value: words(i) }).collect(),
            last: words(n),
            ..replaced(n)
        }
    }

    #[test]
    fn an_unanswered_write_may_or_may_not_have_happened() {
        let mut history = replaced(3);
        history.operations[2].outcome = Outcome::Unknown;
        assert_eq!(serial_history(&history), Ok(()));

        history.revisions.pop();
        history.last = "w2".to_owned();

        assert_eq!(serial_history(&history), Ok(()));
    }

    #[test]
    fn a_lost_update_is_told_in_words() {
        let mut history = appended(3);
        history.revisions[2].value = "w1 w3".to_owned();
        history.last = "w1 w3".to_owned();

        let proof = no_lost_update(&history).unwrap_err();

        assert_eq!(
            proof,
            "`w2` was acknowledged as version 2 and is missing from the final value: lost update, overwritten by version 3"
        );
    }

    proptest! {
        #[test]
        fn every_planted_anomaly_is_seen(n in 2_i64..40, at in 0_usize..40, kind in 0..7) {
            let at = at % usize::try_from(n).unwrap();
            let mut history = replaced(n);
            match kind {
                0 => { history.revisions.remove(at); }
                1 => { let copy = history.revisions[at].clone(); history.revisions.push(Revision { version: n + 1, ..copy }); }
                2 => history.revisions.push(Revision { version: n + 1, value: "phantom".to_owned() }),
                3 => history.operations[at].outcome = Outcome::Refused,
                4 => history.operations[at].outcome = Outcome::Acknowledged(n + 7),
                5 => history.last = "stale".to_owned(),
                _ => history.revisions[at].version += 1,
            }
            prop_assert!(serial_history(&history).is_err());
        }

        #[test]
        fn sound_histories_are_never_accused(n in 1_i64..60) {
            prop_assert_eq!(serial_history(&replaced(n)), Ok(()));
            prop_assert_eq!(no_lost_update(&appended(n)), Ok(()));
        }
    }
}
