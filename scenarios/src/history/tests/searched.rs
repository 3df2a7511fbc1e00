//! The search for an order: right where a search without a memory and the fast checks are, and bounded.

use proptest::prelude::*;

use super::{
    super::*,
    drawn::{appended, few, register, span},
    proved, read, replaced, write,
};

fn searched(history: &FactHistory) -> Result<(), Proof> {
    proved(search::check(history))
}

/// Searches all orders, and remembers nothing: of the operations that no other ended before, one comes first.
pub(super) fn has_an_order(history: &FactHistory) -> bool {
    /// What it writes or reads, whether it is a write, whether it must have happened, and when.
    type Step<'a> = (Option<&'a str>, bool, bool, Span);
    fn search(left: &BTreeSet<usize>, now: Option<&str>, (all, how): (&[Step<'_>], Writing)) -> bool {
        if left.iter().all(|n| !all[*n].2) {
            return true;
        }
        let limit = left.iter().filter(|n| all[**n].2).map(|n| all[*n].3.to).min().unwrap_or_default();
        left.iter().any(|n| {
            let (value, is_write, _, span) = all[*n];
            let mut rest = left.clone();
            rest.remove(n);
            let then = match (is_write, how, now) {
                (true, Writing::Append, Some(text)) => Some(format!("{text} {}", value.unwrap_or_default())),
                (true, ..) => value.map(str::to_owned),
                (false, ..) => now.map(str::to_owned),
            };
            span.from < limit && (is_write || value == now) && search(&rest, then.as_deref(), (all, how))
        })
    }
    let writes = history
        .operations
        .iter()
        .filter(|write| write.outcome != Outcome::Refused)
        .map(|write| (Some(write.value.as_str()), true, write.outcome != Outcome::Unknown, write.span));
    let reads = history.reads.iter().map(|read| (read.value.as_deref(), false, true, read.span));
    let all: Vec<Step<'_>> = writes.chain(reads).collect();
    search(&(0..all.len()).collect(), history.before.as_deref(), (&all, history.how))
}

/// Lets reads bring what other reads brought, or what somebody wrote.
fn confused(mut history: FactHistory, wrong: &[(prop::sample::Index, usize)]) -> FactHistory {
    history.reads.truncate(4);
    for (at, value) in wrong {
        let values: Vec<_> = history.reads.iter().map(|read| read.value.clone()).collect();
        let place = at.index(values.len());
        let written = history.operations.get(*value).map(|write| write.value.clone());
        history.reads[place].value = values.get(*value).cloned().unwrap_or(written);
    }
    history
}

fn choices(most: usize) -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(0_u8..=255, 0..most)
}

fn wrongs() -> impl Strategy<Value = Vec<(prop::sample::Index, usize)>> {
    prop::collection::vec((any::<prop::sample::Index>(), 0_usize..6), 0..3)
}

proptest! {
    #[test]
    fn histories_of_few_values_are_never_accused_s11(choices in choices(150), values in 1_u64..4) {
        for how in [Writing::Replace, Writing::Append] {
            prop_assert_eq!(searched(&few(values, how, &choices)), Ok(()));
        }
    }

    #[test]
    fn a_search_with_a_memory_finds_what_one_without_finds_s11(
        choices in choices(18), wrong in wrongs(), values in 1_u64..4
    ) {
        for how in [Writing::Replace, Writing::Append] {
            let history = confused(few(values, how, &choices), &wrong);
            prop_assert_eq!(searched(&history).is_ok(), has_an_order(&history), "{:?}", searched(&history));
        }
    }

    #[test]
    fn a_search_finds_what_the_fast_checks_find_s11(choices in choices(60), wrong in wrongs()) {
        for history in [register(&choices), appended(&choices)] {
            let history = confused(history, &wrong);
            // What the confusion has doubled may be too much for the bound of the general search.
            let (found, fast) = (search::check(&history), linearizable(&history));
            let is_open = |found: &Result<(), Doubt>| matches!(found, Err(Doubt::Undecided(_)));
            prop_assume!(!is_open(&found) && !is_open(&fast));
            let (found, fast) = (proved(found), proved(fast));
            prop_assert_eq!(found.is_ok(), fast.is_ok(), "{:?} {:?}", found, fast);
        }
    }

    #[test]
    fn a_proof_is_small_and_proves_it_alone_s11(choices in choices(100), wrong in wrongs(), values in 1_u64..4) {
        let history = confused(few(values, Writing::Replace, &choices), &wrong);
        let Err(proof) = searched(&history) else { return Ok(()) };
        prop_assert!(proof.operations.len() <= 5, "{}", proof);
        let mut alone = history.clone();
        alone.reads.retain(|read| proof.operations.contains(&read.shown()));
        let end = alone.reads.iter().map(|read| read.span.to).max().unwrap();
        alone.operations.retain(|write| write.span.from <= end);
        let shown: Vec<_> = alone.operations.iter().filter(|write| proof.operations.contains(&write.shown())).cloned().collect();
        let is_alike = |write: &Operation| shown.iter().any(|other| other.value == write.value);
        for write in alone.operations.iter_mut().filter(|write| !is_alike(write)) {
            (write.outcome, write.span) = (Outcome::Unknown, span(0, 0));
        }
        let is_short = alone.operations.len() + alone.reads.len() <= 11;
        prop_assert!(!is_short || !has_an_order(&alone), "{}", proof);
    }

    #[test]
    fn planted_in_histories_of_few_values_each_anomaly_is_found_s11(choices in choices(100), kind in 0..4) {
        let mut history = few(2, Writing::Replace, &choices);
        let last = history.reads.last().unwrap().span;
        let is_written = history.acknowledged() > 0;
        let value = match kind {
            0 => Some("ghost".to_owned()),
            1 if is_written => None,
            2 => {
                history.elsewhere.insert("alien".to_owned(), "`note` of `bea`".to_owned());
                Some("alien".to_owned())
            }
            3 if is_written => {
                let mut refused = write("9", "refused", span(last.from.place - 1, last.to.place));
                refused.outcome = Outcome::Refused;
                history.operations.push(refused);
                Some("refused".to_owned())
            }
            _ => return Ok(()),
        };
        history.reads.last_mut().unwrap().value = value;

        let proof = searched(&history).unwrap_err();

        let word = ["phantom", "whatever else had happened", "leak", "when 0 writes of it"][usize::try_from(kind).unwrap()];
        prop_assert!(proof.told.contains(word), "{}", proof);
        prop_assert!(proof.operations.len() <= 2, "{}", proof);
    }
}

#[test]
fn a_value_that_comes_back_without_being_written_again_is_proved_by_three_operations_s11() {
    let writes = vec![
        write("0", "a", span(1, 2)),
        write("1", "b", span(3, 4)),
        write("0", "a", span(5, 6)),
        write("1", "b", span(7, 8)),
        write("2", "a", span(30, 31)),
    ];
    let reads = vec![read("0", "b", span(9, 10)), read("0", "a", span(11, 12)), read("1", "a", span(32, 33))];

    insta::assert_snapshot!(super::proof(&replaced(writes, reads)), @"writer 0 wrote `a` (#5 to #6, 5 to 6 ms), the last of 2 such writes, and reader 0 read `b` (#9 to #10, 9 to 10 ms), and reader 0 read `a` (#11 to #12, 11 to 12 ms): there is no such order, whatever else had happened by then");
}

#[test]
fn words_that_are_written_twice_may_be_there_twice_s11() {
    let writes = vec![write("0", "a", span(1, 2)), write("1", "a", span(3, 4))];
    let mut history = FactHistory {
        operations: writes,
        reads: vec![read("0", "a a", span(5, 6))],
        ..FactHistory::new("ana", "list", Writing::Append)
    };
    assert_eq!(linearizable(&history), Ok(()));

    history.reads[0].value = Some("a".to_owned());

    insta::assert_snapshot!(super::proof(&history), @"writer 1 wrote `a` (#3 to #4, 3 to 4 ms), the last of 2 such writes, and reader 0 read `a` (#5 to #6, 5 to 6 ms): there is no such order, whatever else had happened by then");
}

/// Writers all at once, and two reads that no order explains.
fn wide(writers: u64) -> FactHistory {
    let mut operations: Vec<_> =
        (0..writers).map(|n| write(&n.to_string(), &format!("w{n}"), span(1 + n, 100 + n))).collect();
    operations.push(write("0", "w0", span(50, 99)));
    let reads = vec![read("0", "w1", span(300, 301)), read("0", "w2", span(302, 303))];
    replaced(operations, reads)
}

#[test]
fn what_is_beyond_the_bound_is_undecided_and_not_accused_s11() {
    let undecided = |history: &FactHistory| match linearizable(history) {
        Err(Doubt::Undecided(why)) => why,
        other => panic!("{other:?}"),
    };
    let mut long = replaced(Vec::new(), Vec::new());
    long.operations = (1..=1001).map(|n| write("0", "w", span(2 * n, 2 * n + 1))).collect();

    assert!(super::proof(&wide(8)).contains("no such order"));
    insta::assert_snapshot!(undecided(&wide(20)), @"something was written more than once, and no order of 23 operations was found within 100000 states");
    insta::assert_snapshot!(undecided(&long), @"something was written more than once, and an order of 1001 operations is not searched for; 1000 at most");
}
