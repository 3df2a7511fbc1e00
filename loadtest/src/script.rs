//! The script that makes mock-deepseek answer as a case wants it.
//!
//! Invariant: it is text, as a user would write it; nothing here knows the mock's types.

use std::fmt::Write as _;

use crate::profile::{Case, Flush};

/// Events that are no text: the one that names the role and the one with the finish.
const FRAME: usize = 2;

/// Writes the script: exactly `chunks` events and `[DONE]`; the first request of all is answered without
/// gaps, so that it can be recorded. `rules` rules with a fault each stand before everything and match nothing.
pub(crate) fn write(case: &Case, rules: usize) -> String {
    let pieces = vec!["\" word\""; case.chunks.saturating_sub(FRAME)].join(", ");
    let reply = format!("reply = {{ thinking = \"\", pieces = [{pieces}] }}\n");
    let flush = match case.flush {
        Flush::Merge => "",
        Flush::Event => ", flush = \"event\"",
    };
    let mut script = String::new();
    for n in 0..rules {
        let _ = write!(
            script,
            "[[rules]]\nname = \"never {n}\"\nmatch = {{ contains = \"no message says {n}\" }}\n\
             faults = [{{ id = \"stall\", after_events = {n} }}]\n\n"
        );
    }
    let _ = write!(
        script,
        "[[rules]]\nname = \"recorded\"\nmatch = {{ nth = 1 }}\ntimes = 1\npace = {{ gap = \"0s\"{flush} }}\n{reply}\n\
         [default]\npace = {{ gap = \"{}ms\"{flush} }}\n{reply}",
        case.gap.as_secs_f64() * 1000.0
    );
    script
}
