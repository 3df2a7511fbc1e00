//! Markdown for a CI summary or a comment: the verdict table first, details folded.
//!
//! Invariant: never longer than [`Format::MARKDOWN_BYTES`]; what had to be left out is counted at the end.

use super::{Format, words};
use crate::result::{Check, Proof, Run, ScenarioResult, Verdict};

/// Bytes kept free for the closing lines.
const RESERVE: usize = 400;

/// Evidence lines shown for one check.
const EVIDENCE: usize = 5;

pub(super) fn render(run: &Run) -> String {
    let mut page = Page::default();
    page.push(&format!("# gauntlet: {}\n\n", words::headline(run)));
    page.push(&format!(
        "Target `{}`, seed `{}`, {} in {}.\n",
        run.target,
        run.seed,
        words::progress(run),
        words::span(run.elapsed_ms.saturating_mul(1000))
    ));
    if let Some(unjudged) = words::unjudged(run) {
        page.push(&format!("\n{}\n", words::sentence(&unjudged)));
    }
    let (gaps, rest): (Vec<_>, Vec<_>) = run.scenarios.iter().partition(|scenario| scenario.gap.is_some());
    table(&mut page, "The testing gaps", &gaps);
    if let Some(proof) = &run.proof {
        matrix(&mut page, proof);
    }
    broken(&mut page, run);
    table(&mut page, "All other scenarios", &rest);
    page.close(run)
}

/// A text that takes whole blocks as long as there is room.
#[derive(Default)]
struct Page {
    text: String,
    left_out: usize,
}

impl Page {
    fn push(&mut self, block: &str) {
        if self.text.len() + block.len() <= Format::MARKDOWN_BYTES - RESERVE {
            self.text.push_str(block);
        } else {
            self.left_out += 1;
        }
    }

    /// Adds a fold around what `fill` writes; `open` and `close` are kept together with it.
    fn fold(&mut self, summary: &str, body: &str) {
        self.push(&format!("\n<details><summary>{summary}</summary>\n\n{body}\n</details>\n"));
    }

    fn close(mut self, run: &Run) -> String {
        if self.left_out > 0 {
            let count = words::counted(self.left_out, "part");
            self.text.push_str(
                &format_args!(
                    "\n_{count} left out to stay under {} bytes; `run.json` holds everything._\n",
                    Format::MARKDOWN_BYTES
                )
                .to_string(),
            );
        }
        self.text.push_str(&format_args!("\nReproduce: `{}`\n", words::cut(&run.command, 200)).to_string());
        self.text
    }
}

fn table(page: &mut Page, title: &str, scenarios: &[&ScenarioResult]) {
    if scenarios.is_empty() {
        return;
    }
    page.push(&format!("\n## {title}\n\n| Verdict | Scenario | Checks | Clock |\n|---|---|---:|---:|\n"));
    for scenario in scenarios {
        page.push(&row(scenario));
    }
}

fn row(scenario: &ScenarioResult) -> String {
    let gap = scenario.gap.as_ref().map(|gap| format!("{}. ", gap.number)).unwrap_or_default();
    let reason = match scenario.verdict {
        Verdict::Pass => String::new(),
        _ => format!("<br>{}", escape(&scenario.reason)),
    };
    format!(
        "| {} | {gap}{} (`{}`){reason} | {} | {} |\n",
        verdict(scenario.verdict),
        escape(&scenario.name),
        scenario.id,
        words::held(scenario),
        words::span(scenario.clock_us)
    )
}

/// Adds a fold for each scenario that has something to explain.
fn broken(page: &mut Page, run: &Run) {
    for scenario in run.scenarios.iter().filter(|scenario| scenario.broken().next().is_some()) {
        let checks: String = scenario.broken().map(|check| explain(scenario, check)).collect();
        let body =
            format!("{}\n\n{checks}\nReproduce: `{}`\n", escape(&scenario.hypothesis), scenario.reproduce);
        page.fold(&format!("{}: {}", scenario.verdict.word(), escape(&scenario.name)), &body);
    }
}

fn explain(scenario: &ScenarioResult, check: &Check) -> String {
    let mut text = format!(
        "- `{}`\n  - expected: {}\n  - observed: {}\n",
        check.id,
        escape(&check.expected),
        escape(&check.observed)
    );
    for line in words::evidence(scenario, check).take(EVIDENCE) {
        let said = format!("{} {} {}", words::moment(line.at_us), line.actor, words::cut(&line.text, 300));
        text.push_str(&format_args!("  - evidence: {}\n", escape(&said)).to_string());
    }
    text
}

fn matrix(page: &mut Page, proof: &Proof) {
    page.push("\n## Proof that each scenario can fail\n\n| Outcome | Scenario | Sabotage | To be caught by | Broke |\n|---|---|---|---|---|\n");
    for row in &proof.rows {
        let reason =
            if row.reason.is_empty() { String::new() } else { format!("<br>{}", escape(&row.reason)) };
        page.push(&format!(
            "| {}{reason} | `{}` | `{}` | `{}` | {} |\n",
            words::outcome(row.outcome),
            row.scenario,
            row.sabotage,
            row.caught_by,
            escape(&row.broken.join(", "))
        ));
    }
}

/// Returns the verdict's word, loud when it is not good news.
fn verdict(verdict: Verdict) -> String {
    match verdict {
        Verdict::Pass | Verdict::Skipped => verdict.word().to_owned(),
        Verdict::Inconclusive | Verdict::Fail | Verdict::Error => format!("**{}**", verdict.word()),
    }
}

/// Makes text of the wire harmless inside a table, a list or a fold.
fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '|' | '`' | '*' | '_' | '[' | ']' | '\\' => safe.extend(['\\', letter]),
            '\n' | '\r' => safe.push(' '),
            letter if letter.is_control() => {}
            letter => safe.push(letter),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::{super::sample, *};

    #[test]
    fn the_verdicts_come_first_and_the_details_are_folded() {
        insta::assert_snapshot!(render(&sample::run()), @r#"
        # gauntlet: 2 of 6 scenarios held, 1 failed, 1 ended in an error, 1 was inconclusive, 1 was skipped; 1 of 7 testing gaps closed; 1 of 3 sabotages caught by the check named for it

        Target `builtin`, seed `7`, 6 scenarios in 1.8s.

        ## The testing gaps

        | Verdict | Scenario | Checks | Clock |
        |---|---|---:|---:|
        | pass | 1. Of 100 messages in one second ten are answered (`flood`) | 2/2 | 1.0s |
        | **fail** | 2. A silent model ends in a fallback (`timeout`)<br>\`falls\_back\` did not hold | 1/2 | 30.0s |

        ## Proof that each scenario can fail

        | Outcome | Scenario | Sabotage | To be caught by | Broke |
        |---|---|---|---|---|
        | killed | `flood` | `no-flood-limit` | `ten_handled` | ten\_handled |
        | survived<br>all checks held without a deadline | `timeout` | `no-deadline` | `falls_back` |  |
        | wrong reason<br>\`one\_end\` broke in place of \`falls\_back\` | `timeout` | `deadline-on-head` | `falls_back` | one\_end |

        <details><summary>fail: A silent model ends in a fallback</summary>

        The server keeps its word.

        - `falls_back`
          - expected: a fallback within 30s \| 1 frame
          - observed: none in 30s
          - evidence: 0.001s ana.phone send "is &lt;b&gt;cheese&lt;/b&gt; safe?"
          - evidence: 0.002s llm stalls after 2 events
          - evidence: 30.000s clock 30s later
          - evidence: 30.000s ana.phone message "Cheese"

        Reproduce: `gauntlet run timeout --seed 7`

        </details>

        ## All other scenarios

        | Verdict | Scenario | Checks | Clock |
        |---|---|---:|---:|
        | pass | A greeting does not hide an emergency (`greeting_hides_nothing`) | – | 1.0s |
        | **inconclusive** | Line ends do not matter (`crlf`)<br>fault \`crlf\` never fired | – | 1.0s |
        | **error** | A restart loses nothing (`restart`)<br>the target closed the connection | – | 1.0s |
        | skipped | A killed server comes back (`killed`)<br>needs \`kill\`, which target \`builtin\` has not | – | 1.0s |

        Reproduce: `gauntlet run --seed 7`
        "#);
    }

    #[test]
    fn a_run_that_was_cut_short_says_so() {
        let run = Run { planned: 38, scenarios: vec![sample::run().scenarios.remove(2)], ..sample::run() };

        let text = render(&Run { proof: None, ..run });

        assert!(
            text.starts_with("# gauntlet: stopped early: 1 of 38 scenarios ran, 1 of them held\n"),
            "{text}"
        );
        assert!(text.contains(", 1 of 38 scenarios in 1.8s.\n"), "{text}");
    }

    #[test]
    fn text_of_the_wire_cannot_break_out_of_its_cell() {
        assert_eq!(escape("a|b\n</details>`*"), "a\\|b &lt;/details&gt;\\`\\*");
    }

    #[test]
    fn a_long_report_is_cut_and_says_so() {
        let mut run = sample::run();
        run.scenarios = (0..2000).map(|_| run.scenarios[1].clone()).collect();

        let text = render(&run);

        assert!(text.len() <= Format::MARKDOWN_BYTES, "{} bytes", text.len());
        assert!(text.contains("left out to stay under 60000 bytes; `run.json` holds everything"));
        assert!(text.ends_with("Reproduce: `gauntlet run --seed 7`\n"));
    }
}
