//! Money and places, without sockets.

use super::*;
use crate::{Script, tokens::PromptUsage};

fn account(script: &str) -> Arc<Account> {
    let script = Script::from_toml(script).unwrap_or_else(|error| panic!("{error}"));
    Arc::new(Account::new(script.limits, script.balance, Arc::default()))
}

/// A thousand tokens cost one thousandth of the price of a million.
fn usage() -> Usage {
    Usage { prompt: PromptUsage { tokens: 3000, cached: 1000 }, completion: 1000, reasoning: None }
}

/// Asks once, and pays.
fn pay(account: &Arc<Account>) -> Result<(), Refusal> {
    account.admit().map(|mut seat| seat.bill(&usage()))
}

fn shown(account: &Account) -> String {
    account.statement().unwrap().body(None)
}

const BALANCE: &str = r#"
    [balance]
    start = "0.10"
    granted = "0.04"
    price_per_million = { cache_hit = "1", cache_miss = 2, output = 25.0 }
"#;

#[test]
fn what_is_not_limited_is_not_counted() {
    let account = account("");

    let seats: Vec<_> = (0..100).map(|_| account.admit().unwrap()).collect();

    assert_eq!((seats.len(), account.under_way.load(Ordering::Relaxed)), (100, 0));
    assert!(account.statement().is_none());
}

#[test]
fn a_seat_that_is_given_up_can_be_taken_again_m9() {
    let account = account("[limits]\nconcurrency = 2\n");
    let (first, _second) = (account.admit().unwrap(), account.admit().unwrap());
    let refused = Refusal::TooMany { current: 3, limit: 2 };
    assert_eq!(account.admit().unwrap_err(), refused);
    assert_eq!(account.admit().unwrap_err(), refused, "who is refused is not under way");

    drop(first);

    let _third = account.admit().unwrap();
    assert_eq!(account.admit().unwrap_err(), refused);
}

#[test]
fn a_balance_runs_down_by_usage_to_402_and_a_reset_fills_it_m9() {
    let account = account(BALANCE);

    // 1000 + 2 × 2000 + 25 × 1000 millionths: 0.03.
    let paid = (0..10).take_while(|_| pay(&account).is_ok()).count();

    assert_eq!((paid, pay(&account)), (4, Err(Refusal::NoBalance)));
    account.reset();
    assert_eq!(pay(&account), Ok(()));
}

#[test]
fn what_was_under_way_at_a_reset_is_not_paid_from_the_new_money_m9() {
    let account = account(BALANCE);
    let full = shown(&account);
    let mut seat = account.admit().unwrap();
    seat.bill(&usage());

    account.reset();
    drop(seat);

    assert_eq!((shown(&account), account.under_way.load(Ordering::Relaxed)), (full, 0));
}

#[test]
fn the_balance_is_shown_in_strings_and_the_gift_goes_first_m9() {
    let account = account(BALANCE);
    let before = shown(&account);

    for _ in 0..2 {
        pay(&account).unwrap();
    }

    insta::assert_snapshot!(before, @r#"{"is_available":true,"balance_infos":[{"currency":"USD","total_balance":"0.10","granted_balance":"0.04","topped_up_balance":"0.06"}]}"#);
    insta::assert_snapshot!(shown(&account), @r#"{"is_available":true,"balance_infos":[{"currency":"USD","total_balance":"0.04","granted_balance":"0.00","topped_up_balance":"0.04"}]}"#);
    for _ in 0..2 {
        pay(&account).unwrap();
    }
    insta::assert_snapshot!(shown(&account), @r#"{"is_available":false,"balance_infos":[{"currency":"USD","total_balance":"-0.02","granted_balance":"0.00","topped_up_balance":"-0.02"}]}"#);
}

#[test]
fn a_limit_follows_the_balance_m9() {
    let steps = r#"
        [limits]
        concurrency = { by_balance = [{ from = "0.05", limit = 3 }, { from = "0", limit = 1 }] }
    "#;
    let account = account(&[BALANCE, steps].concat());
    let most = || {
        let seats: Vec<_> =
            std::iter::repeat_with(|| account.admit()).take(5).filter_map(Result::ok).collect();
        seats.len()
    };

    assert_eq!(most(), 3);
    for _ in 0..2 {
        pay(&account).unwrap();
    }
    assert_eq!(most(), 1);
}

#[test]
fn refusals_have_the_words_that_the_faults_show_m9() {
    for (refusal, fault) in [
        (Refusal::TooMany { current: 26, limit: 25 }, "concurrency-429"),
        (Refusal::NoBalance, "balance-402"),
    ] {
        let notice = refusal.notice();

        let shown = crate::transcript(&[crate::Fault::new(fault).unwrap()]);
        assert!(shown.contains(&notice.body(None)), "{shown}\n{}", notice.body(None));
        assert!(shown.contains(&format!("HTTP/1.1 {}", notice.status)), "{shown}");
    }
}
