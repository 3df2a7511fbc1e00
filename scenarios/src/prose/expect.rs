//! What must be seen, in words.

use super::{amount, subject, times};
use crate::model::{Always, Eventually, Expect, History, HistoryCheck, Sometimes};

/// Returns what an expectation asks for.
pub(super) fn tell(expect: &Expect) -> String {
    let never = expect.never.as_ref().map(|it| {
        format!("never{}: {}", between(it.after.as_deref(), it.before.as_deref()), subject(&it.on))
    });
    let kinds = [
        never,
        expect.sometimes.as_ref().map(sometimes),
        expect.eventually.as_ref().map(eventually),
        expect.always.as_ref().map(always),
        expect.history.as_ref().map(history),
    ];
    kinds.into_iter().flatten().next().unwrap_or_default() + "."
}

fn sometimes(it: &Sometimes) -> String {
    let count = match (&it.exactly, &it.at_least, &it.at_most) {
        (Some(count), _, _) => format!("exactly {}", times(count)),
        (None, Some(least), Some(most)) => format!("at least {} and at most {}", times(least), times(most)),
        (None, Some(least), None) => format!("at least {}", times(least)),
        (None, None, Some(most)) => format!("at most {}", times(most)),
        (None, None, None) => "at least once".to_owned(),
    };
    format!("{count}{}: {}", between(it.after.as_deref(), it.before.as_deref()), subject(&it.on))
}

fn eventually(it: &Eventually) -> String {
    let not_before = it.not_before.as_ref().map(|time| format!(" and not before {}", amount(time)));
    format!(
        "within {} of `{}`{}: {}",
        amount(&it.within),
        it.after,
        not_before.unwrap_or_default(),
        subject(&it.on)
    )
}

fn always(it: &Always) -> String {
    let after = between(it.after.as_deref(), None);
    let least = it.at_least.as_ref().map(|least| format!(", and there are {} at least", amount(least)));
    format!(
        "whenever there is{after} {}, it is {}{}",
        subject(&it.on),
        subject(&it.is),
        least.unwrap_or_default()
    )
}

fn history(it: &History) -> String {
    let what = match it.check {
        HistoryCheck::SerialHistory => {
            "every acknowledged write is stored once, and all of them in one serial order"
        }
        HistoryCheck::NoLostUpdate => "every acknowledged word is in the final value once, and no other",
        HistoryCheck::Linearizable => "all reads and writes could have happened one after the other",
        HistoryCheck::DecidedOnce => {
            return format!(
                "the suggestion `{}` is confirmed once or dismissed, and everybody hears the same; {} decisions are \
                 acknowledged at least",
                it.key,
                amount(&it.at_least)
            );
        }
    };
    let of = it.user.as_ref().map(|user| format!(" of {}", user.get_ref())).unwrap_or_default();
    format!("of the fact `{}`{of} {what}; {} writes are acknowledged at least", it.key, amount(&it.at_least))
}

fn between(after: Option<&str>, before: Option<&str>) -> String {
    match (after, before) {
        (None, None) => String::new(),
        (Some(after), None) => format!(" after `{after}`"),
        (None, Some(before)) => format!(" before `{before}`"),
        (Some(after), Some(before)) => format!(" between `{after}` and `{before}`"),
    }
}
