//! The circuit against a table of facts and a small model.

use proptest::prelude::*;

use super::*;

fn at(seconds: f64) -> Instant {
    Instant::from_origin(Duration::from_secs_f64(seconds))
}

fn breaker() -> Breaker {
    Breaker::new(llm::Breaker::default())
}

/// One turn that begins and ends at the same moment; tells whether it was let through.
fn turn(breaker: &mut Breaker, seconds: f64, verdict: Verdict) -> bool {
    match breaker.admit(at(seconds)) {
        Ok(permit) => {
            breaker.report(&permit, verdict, at(seconds));
            true
        }
        Err(_) => false,
    }
}

fn open(breaker: &mut Breaker) {
    for _ in 0..5 {
        assert!(turn(breaker, 0.0, Verdict::Failure));
    }
    assert_eq!(breaker.state(), State::Open);
}

#[test]
fn the_fifth_failure_in_a_row_opens_it() {
    let mut breaker = breaker();
    for _ in 0..4 {
        turn(&mut breaker, 0.0, Verdict::Failure);
    }
    assert_eq!(breaker.state(), State::Closed);

    turn(&mut breaker, 0.0, Verdict::Failure);

    assert_eq!(breaker.state(), State::Open);
}

#[test]
fn a_success_between_failures_begins_the_count_anew() {
    let mut breaker = breaker();

    for verdict in [[Verdict::Failure; 4].as_slice(), &[Verdict::Success], &[Verdict::Failure; 4]].concat() {
        turn(&mut breaker, 0.0, verdict);
    }

    assert_eq!(breaker.state(), State::Closed);
}

#[test]
fn it_stays_open_for_the_cool_down_and_then_lets_one_turn_through() {
    let mut breaker = breaker();
    open(&mut breaker);

    assert_eq!(breaker.admit(at(299.9)).unwrap_err().cause, Cause::Open);
    let passed = (0..50).filter_map(|_| breaker.admit(at(300.0)).ok()).count();

    assert_eq!(passed, 1);
    assert_eq!(breaker.admit(at(301.0)), Err(Refusal { cause: Cause::Open, retry_after: None }));
}

#[test]
fn the_probe_decides() {
    let mut breaker = breaker();
    open(&mut breaker);
    assert!(turn(&mut breaker, 300.0, Verdict::Failure));
    assert!(!turn(&mut breaker, 599.9, Verdict::Success));
    assert!(turn(&mut breaker, 600.0, Verdict::Success));
    assert_eq!(breaker.state(), State::Closed);
}

#[test]
fn a_probe_that_its_user_cancels_frees_the_place() {
    let mut breaker = breaker();
    open(&mut breaker);
    let probe = breaker.admit(at(300.0)).unwrap();

    breaker.report(&probe, Verdict::Excluded, at(301.0));

    assert_eq!(breaker.state(), State::HalfOpen);
    assert!(turn(&mut breaker, 301.0, Verdict::Success));
}

#[test]
fn a_result_from_before_the_change_is_ignored() {
    let mut breaker = breaker();
    let early = breaker.admit(at(0.0)).unwrap();
    open(&mut breaker);

    breaker.report(&early, Verdict::Success, at(1.0));

    assert_eq!(breaker.state(), State::Open);
}

#[test]
fn a_hundred_users_who_hang_up_do_not_open_it() {
    let mut breaker = breaker();

    (0..100).for_each(|_| assert!(turn(&mut breaker, 0.0, Verdict::Excluded)));

    assert_eq!(breaker.state(), State::Closed);
}

#[test]
fn a_refused_account_opens_it_at_once() {
    let mut breaker = breaker();

    turn(&mut breaker, 0.0, Verdict::Locked);

    assert_eq!(breaker.state(), State::Open);
}

#[test]
fn a_request_for_fewer_calls_pauses_without_counting() {
    let mut breaker = breaker();
    for pause in 0..10 {
        assert!(turn(&mut breaker, f64::from(pause) * 10.0, Verdict::Slowed(None)));
    }

    assert_eq!(breaker.state(), State::Closed);
    assert_eq!(breaker.admit(at(99.9)).unwrap_err().cause, Cause::Slowed);
    assert!(breaker.admit(at(100.0)).is_ok());
}

#[test]
fn a_pause_of_hours_is_cut_to_the_cool_down() {
    let mut breaker = breaker();

    turn(&mut breaker, 0.0, Verdict::Slowed(Some(Duration::from_hours(1))));

    assert!(breaker.admit(at(299.0)).is_err());
    assert!(breaker.admit(at(300.0)).is_ok());
}

/// The same in the plainest words: turns one after the other, no concurrency.
#[derive(Default)]
struct Model {
    in_a_row: u32,
    open_until: Option<u32>,
    half_open: bool,
}

impl Model {
    fn turn(&mut self, now: u32, verdict: Verdict) -> bool {
        match self.open_until {
            Some(until) if now < until => return false,
            Some(_) => (self.open_until, self.half_open) = (None, true),
            None => {}
        }
        match verdict {
            Verdict::Success => *self = Self::default(),
            Verdict::Failure => self.in_a_row += 1,
            _ => {}
        }
        let trips = verdict == Verdict::Locked
            || verdict == Verdict::Failure && (self.half_open || self.in_a_row == 5);
        if trips {
            *self = Self { open_until: Some(now + 300), ..Self::default() };
        }
        true
    }
}

fn verdicts() -> impl Strategy<Value = Verdict> {
    prop_oneof![
        2 => Just(Verdict::Success),
        6 => Just(Verdict::Failure),
        1 => Just(Verdict::Excluded),
        1 => Just(Verdict::Locked),
    ]
}

proptest! {
    #[test]
    fn turns_in_a_row_pass_as_the_model_says(
        turns in proptest::collection::vec((0u32..200, verdicts()), 1..60),
    ) {
        let (mut breaker, mut model, mut now) = (breaker(), Model::default(), 0);

        for (pause, verdict) in turns {
            now += pause;
            let passed = turn(&mut breaker, f64::from(now), verdict);
            prop_assert_eq!(passed, model.turn(now, verdict), "at {} {:?}", now, verdict);
        }
    }

    #[test]
    fn it_is_never_closed_for_longer_than_the_cool_down_without_new_turns(
        turns in proptest::collection::vec((0u32..200, verdicts()), 1..60),
    ) {
        let (mut breaker, mut now) = (breaker(), 0);
        for (pause, verdict) in turns {
            now += pause;
            turn(&mut breaker, f64::from(now), verdict);
        }

        prop_assert!(breaker.admit(at(f64::from(now) + 300.0)).is_ok());
    }

    #[test]
    fn half_open_never_has_two_turns_under_way(asks in proptest::collection::vec(any::<bool>(), 1..40)) {
        let mut breaker = breaker();
        open(&mut breaker);
        let mut probe: Option<Permit> = None;

        for asks in asks {
            if asks {
                let admitted = breaker.admit(at(300.0));
                prop_assert_eq!(admitted.is_ok(), probe.is_none());
                probe = admitted.ok().or(probe);
            } else if let Some(permit) = probe.take() {
                breaker.report(&permit, Verdict::Excluded, at(300.0));
            }
        }
    }
}
