//! What is shown while users chat: on a terminal a line that moves, second by second; elsewhere what is done, in words.

use std::{io::IsTerminal as _, time::Duration};

use indicatif::{ProgressBar, ProgressStyle};
use loadtest::crowd::{Listener, Progress, report::Second};

use crate::output;

/// How often the sign turns that says that something is going on.
const TURN: Duration = Duration::from_millis(120);

/// Returns what listens to a load. Where a program reads the output nothing is shown: some keep both outputs as one.
pub(super) fn listener(is_quiet: bool) -> Listener {
    if is_quiet {
        return Listener::new(|_| {});
    }
    if !std::io::stderr().is_terminal() {
        return Listener::new(|progress| {
            if let Progress::Told(words) = progress {
                output::warn(&words);
            }
        });
    }
    let line = ProgressBar::new_spinner();
    if let Ok(style) = ProgressStyle::with_template("{spinner} {wide_msg}") {
        line.set_style(style);
    }
    line.enable_steady_tick(TURN);
    Listener::new(move |progress| match progress {
        Progress::Told(words) => line.println(words),
        Progress::Second { second, broken } => line.set_message(shown(&second, broken)),
    })
}

/// Writes a second in one line.
fn shown(second: &Second, broken: u64) -> String {
    let mut parts = vec![
        format!("{} sockets", second.sockets),
        format!("{} turns/s", second.turns),
        format!("{} refused", second.refused),
    ];
    if let (Some(p50), Some(p99)) = (second.first_p50_ms, second.first_p99_ms) {
        parts.push(format!("first token p50 {p50:.1} ms, p99 {p99:.1} ms"));
    }
    if let (Some(cpu), Some(rss)) = (second.target_cpu, second.target_rss) {
        parts.push(format!("target {:.0} %, {} MiB", cpu * 100.0, rss / 1_048_576));
    }
    if let Some(cpu) = second.generator_cpu {
        parts.push(format!("generator {:.0} %", cpu * 100.0));
    }
    parts.push(format!("{broken} broken"));
    parts.join(" · ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_is_one_line_without_what_was_not_measured_l7() {
        let idle = Second { sockets: 3, ..Second::default() };
        let busy = Second {
            turns: 7,
            first_p50_ms: Some(1.25),
            first_p99_ms: Some(9.0),
            target_cpu: Some(0.5),
            target_rss: Some(64 << 20),
            ..idle.clone()
        };

        assert_eq!(shown(&idle, 0), "3 sockets · 0 turns/s · 0 refused · 0 broken");
        assert_eq!(
            shown(&busy, 2),
            "3 sockets · 7 turns/s · 0 refused · first token p50 1.2 ms, p99 9.0 ms · target 50 %, 64 MiB · 2 broken"
        );
    }
}
