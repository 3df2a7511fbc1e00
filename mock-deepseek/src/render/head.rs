//! The head of an answer: status and headers as captured in public (DEEPSEEK A8).

use std::{borrow::Cow, time::Duration};

use super::Stamp;
use crate::answer::{Framing, Head, Marks};

/// Makes the head of a JSON answer; callers change what differs.
pub(super) fn head(status: u16, stamp: &Stamp) -> Head {
    let fixed = |name: &'static str, value: &'static str| (Cow::Borrowed(name), Cow::Borrowed(value));
    let headers = vec![
        (Cow::Borrowed("date"), Cow::Owned(stamp.date.as_ref().to_owned())),
        fixed("content-type", "application/json"),
        fixed("vary", "origin, access-control-request-method, access-control-request-headers"),
        fixed("access-control-allow-credentials", "true"),
        (Cow::Borrowed("x-ds-trace-id"), Cow::Owned(stamp.trace.clone())),
        fixed("strict-transport-security", "max-age=31536000; includeSubDomains; preload"),
        fixed("x-content-type-options", "nosniff"),
        fixed("server", "elb"),
    ];
    let (marks, held) = (Marks::default(), Marks::default());
    Head { status, headers, framing: Framing::Chunked, marks, wait: Duration::ZERO, held }
}
