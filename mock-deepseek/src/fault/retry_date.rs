//! A date that says when to come back.

use std::time::Duration;

use clock::Timestamp;
use serde::Deserialize;

use super::{Behaviour, respond::Respond};
use crate::{
    answer::{Answer, Marks},
    duration,
};

/// How HTTP writes a date, as far as it differs from one to the next.
const DATE: &str = "%a, %d %b %Y %H:%M:%S";

/// Answers with something else and a `Retry-After` that is a date.
#[derive(Debug, Deserialize)]
pub(super) struct RetryDate {
    #[serde(deserialize_with = "duration::deserialize")]
    after: Duration,
    #[serde(flatten)]
    respond: Respond,
}

impl Behaviour for RetryDate {
    fn apply(&self, answer: &mut Answer, marks: Marks) {
        let Some(head) = &mut answer.head else { return };
        let date = head.headers.iter().find(|(name, _)| name == "date").map(|(_, value)| value.as_ref());
        let Some(later) = date.and_then(|date| later(date, self.after)) else { return };
        head.set("retry-after", Some(&later));
        self.respond.apply(answer, marks);
    }
}

/// Returns the date that is so long after another one.
fn later(date: &str, after: Duration) -> Option<String> {
    let date = date.strip_suffix(" GMT")?;
    let date = Timestamp::strptime(format!("{DATE} %z"), format!("{date} +0000")).ok()?;
    Some(format!("{} GMT", date.checked_add(after).ok()?.strftime(DATE)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_moves_on_over_midnight() {
        let date = later("Thu, 31 Dec 2026 23:59:50 GMT", Duration::from_secs(30));

        assert_eq!(date.as_deref(), Some("Fri, 01 Jan 2027 00:00:20 GMT"));
    }

    #[test]
    fn what_is_no_date_has_no_later_one() {
        assert_eq!(later("tomorrow", Duration::from_secs(30)), None);
        assert_eq!(later("Thu, 31 Dec 2026 23:59:50 GMT", Duration::MAX), None);
    }
}
