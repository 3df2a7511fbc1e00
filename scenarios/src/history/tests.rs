//! Sound histories are never accused, each anomaly is, and small ones are judged as an exhaustive search judges them.

mod decisions;
mod drawn;
mod searched;

use drawn::{Anomaly, appended, history, register, span};
use proptest::prelude::*;
use searched::has_an_order;

use super::*;

fn write(writer: &str, value: &str, span: Span) -> Operation {
    Operation { writer: writer.to_owned(), value: value.to_owned(), outcome: Outcome::Acknowledged(1), span }
}

fn read(reader: &str, value: &str, span: Span) -> Read {
    Read { reader: reader.to_owned(), value: (!value.is_empty()).then(|| value.to_owned()), span }
}

fn replaced(operations: Vec<Operation>, reads: Vec<Read>) -> FactHistory {
    FactHistory { operations, reads, ..FactHistory::new("ana", "note", Writing::Replace) }
}

/// What was found; these histories are all small enough for that.
fn proved(found: Result<(), Doubt>) -> Result<(), Proof> {
    found.map_err(|doubt| match doubt {
        Doubt::Proved(proof) => proof,
        Doubt::Undecided(why) => panic!("{why}"),
    })
}

fn proof(history: &FactHistory) -> String {
    proved(linearizable(history)).unwrap_err().told
}

#[test]
fn an_unanswered_write_may_or_may_not_have_happened() {
    let mut history = history(3, Writing::Replace);
    history.operations[2].outcome = Outcome::Unknown;
    assert_eq!(serial_history(&history), Ok(()));

    history.revisions.pop();
    history.last = "w2".to_owned();

    assert_eq!(serial_history(&history), Ok(()));
}

#[test]
fn a_version_that_goes_back_in_time_is_told_in_words_s11() {
    let mut history = history(2, Writing::Replace);
    for (n, version) in [(0, 2), (1, 1)] {
        history.operations[n].outcome = Outcome::Acknowledged(version);
    }
    history.revisions.swap(0, 1);
    history.revisions[0].version = 1;
    history.revisions[1].version = 2;
    history.last = "w1".to_owned();

    insta::assert_snapshot!(serial_history(&history).unwrap_err(), @"`w2` was acknowledged as version 1 when `w1` had been as version 2 before it began (#3 to #4, 3 to 4 ms)");
}

#[test]
fn a_lost_update_is_told_in_words() {
    let mut history = history(3, Writing::Append);
    history.revisions[2].value = "w1 w3".to_owned();
    history.last = "w1 w3".to_owned();

    let proof = no_lost_update(&history).unwrap_err().told;

    assert_eq!(
        proof,
        "`w2` was acknowledged as version 2 (#3 to #4, 3 to 4 ms) and is missing from the final value: lost update, overwritten by version 3"
    );
}

#[test]
fn a_stale_read_is_proved_by_three_operations_s11() {
    let writes = vec![write("0", "a", span(1, 2)), write("1", "b", span(3, 4))];

    let proof = proof(&replaced(writes, vec![read("0", "a", span(5, 6))]));

    insta::assert_snapshot!(proof, @"writer 1 wrote `b` (#3 to #4, 3 to 4 ms) after writer 0 wrote `a` (#1 to #2, 1 to 2 ms), and yet reader 0 read `a` (#5 to #6, 5 to 6 ms): the read is stale");
}

#[test]
fn an_acknowledged_write_that_nobody_can_read_is_proved_by_two_operations_s11() {
    let proof = proof(&replaced(vec![write("0", "a", span(1, 2))], vec![read("0", "", span(3, 4))]));

    insta::assert_snapshot!(proof, @"writer 0 wrote `a` (#1 to #2, 1 to 2 ms), and yet reader 0 read nothing (#3 to #4, 3 to 4 ms): what was there is gone");
}

#[test]
fn a_read_that_goes_back_is_proved_though_no_write_was_answered_s11() {
    let mut writes = vec![write("0", "a", span(1, 2)), write("1", "b", span(3, 4))];
    writes[1].outcome = Outcome::Unknown;
    let reads = vec![read("0", "b", span(5, 6)), read("1", "a", span(7, 8))];

    insta::assert_snapshot!(proof(&replaced(writes, reads)), @"reader 0 read `b` (#5 to #6, 5 to 6 ms) after writer 0 wrote `a` (#1 to #2, 1 to 2 ms), and yet reader 1 read `a` (#7 to #8, 7 to 8 ms): the read went back");
}

#[test]
fn values_that_were_there_both_at_once_need_four_operations_s11() {
    let writes = vec![write("0", "a", span(1, 20)), write("1", "b", span(2, 21))];
    let reads = vec![
        read("0", "a", span(3, 6)),
        read("1", "b", span(4, 7)),
        read("2", "b", span(8, 12)),
        read("0", "a", span(9, 10)),
    ];

    insta::assert_snapshot!(proof(&replaced(writes, reads)), @"reader 1 read `b` (#4 to #7, 4 to 7 ms) and reader 2 read `b` (#8 to #12, 8 to 12 ms) after reader 0 read `a` (#3 to #6, 3 to 6 ms), and yet reader 0 read `a` (#9 to #10, 9 to 10 ms): the read went back");
}

#[test]
fn a_read_of_what_nobody_wrote_is_told_from_one_of_somebody_elses_s11() {
    let mut history = replaced(vec![], vec![read("0", "x", span(1, 2))]);
    let phantom = proof(&history);
    history.elsewhere.insert("x".to_owned(), "`note` of `bea`".to_owned());

    insta::assert_snapshot!(phantom + "\n" + &proof(&history), @"
    reader 0 read `x` (#1 to #2, 1 to 2 ms), and nobody wrote it: phantom
    reader 0 read `x` (#1 to #2, 1 to 2 ms), and it belongs to `note` of `bea`: leak
    ");
}

#[test]
fn what_was_refused_must_not_be_read_s11() {
    let mut refused = write("0", "a", span(1, 2));
    refused.outcome = Outcome::Refused;

    insta::assert_snapshot!(proof(&replaced(vec![refused], vec![read("0", "a", span(3, 4))])), @"reader 0 read `a` (#3 to #4, 3 to 4 ms), though writing it was refused (#1 to #2, 1 to 2 ms)");
}

#[test]
fn words_that_are_gone_doubled_or_in_two_orders_are_told_s11() {
    let told = |reads: Vec<Read>| {
        let operations = vec![write("0", "a", span(1, 2)), write("1", "b", span(3, 4))];
        let new = FactHistory::new("ana", "list", Writing::Append);
        proof(&FactHistory { operations, reads, ..new })
    };

    insta::assert_snapshot!(
        [
            told(vec![read("0", "a", span(5, 6))]),
            told(vec![read("0", "a a", span(5, 6))]),
            told(vec![read("0", "b a", span(5, 6)), read("1", "a b", span(5, 7))]),
        ]
        .join("\n"),
        @"
        `b` was acknowledged (#4), and later reader 0 read 1 word (#5 to #6, 5 to 6 ms) without it: it is gone
        reader 0 read 2 words (#5 to #6, 5 to 6 ms) with `a` twice: duplicate
        word 1 is `b` when reader 0 read 2 words (#5 to #6, 5 to 6 ms), and `a` when reader 1 read 2 words (#5 to #7, 5 to 7 ms): two orders
        "
    );
}

proptest! {
    #[test]
    fn every_planted_anomaly_of_what_is_stored_is_seen(n in 2_i64..40, at in 0_usize..40, kind in 0..7) {
        let at = at % usize::try_from(n).unwrap();
        let mut history = history(n, Writing::Replace);
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
    fn histories_of_a_sound_register_are_never_accused_s11(choices in prop::collection::vec(0_u8..=255, 0..400)) {
        let history = register(&choices);
        prop_assert_eq!(linearizable(&history), Ok(()));
        prop_assert_eq!(serial_history(&history), Ok(()));
    }

    #[test]
    fn histories_of_a_sound_list_are_never_accused_s11(choices in prop::collection::vec(0_u8..=255, 0..400)) {
        let history = appended(&choices);
        prop_assert_eq!(linearizable(&history), Ok(()));
        prop_assert_eq!(no_lost_update(&history), Ok(()));
    }

    #[test]
    fn writes_one_after_the_other_are_never_accused(n in 1_i64..60) {
        prop_assert_eq!(serial_history(&history(n, Writing::Replace)), Ok(()));
        prop_assert_eq!(no_lost_update(&history(n, Writing::Append)), Ok(()));
    }

    #[test]
    fn each_kind_of_anomaly_is_found_and_named_s11(
        choices in prop::collection::vec(0_u8..=255, 60..400), at in any::<prop::sample::Index>(), which in 0..Anomaly::ALL.len()
    ) {
        let anomaly = Anomaly::ALL[which];
        let Some(history) = anomaly.planted(&choices, at) else { return Ok(()) };
        let found = proved(linearizable(&history)).and_then(|()| match history.how {
            Writing::Replace => serial_history(&history),
            Writing::Append => no_lost_update(&history),
        });
        let proof = found.expect_err("planted");
        prop_assert!(proof.told.contains(anomaly.word()), "{:?}: {}", anomaly, proof);
    }

    #[test]
    fn small_histories_are_judged_as_by_a_search_of_all_orders_s11(
        choices in prop::collection::vec(0_u8..=255, 0..24), wrong in prop::collection::vec((any::<prop::sample::Index>(), 0_usize..4), 0..3)
    ) {
        let mut history = register(&choices);
        history.reads.truncate(4);
        for (at, value) in wrong {
            let value = history.operations.get(value).map(|write| write.value.clone());
            let place = at.index(history.reads.len());
            history.reads[place].value = value;
        }
        prop_assert_eq!(linearizable(&history).is_ok(), has_an_order(&history), "{:?}", linearizable(&history));
    }
}

#[test]
fn a_hundred_thousand_operations_are_judged_s11() {
    let mut history = history(50_000, Writing::Replace);
    history.reads = (1..=50_000).map(|n| read("0", &format!("w{n}"), span(2 * n, 2 * n + 1))).collect();
    assert_eq!(linearizable(&history), Ok(()));

    history.reads[40_000].value = Some("w9".to_owned());

    assert!(proof(&history).contains("the read "));
}
