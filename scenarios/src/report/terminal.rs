//! The terminal: the verdict table at the end of a run, gaps first, then what broke and how to repeat it.
//!
//! Invariant: a pure function of the run and of the [`Screen`]; whoever prints it decides where to and
//! whether in colour. Without colour the same words stand alone.

use super::words;
use crate::result::{Check, Proof, ProofOutcome, ProofRow, Run, ScenarioResult, Verdict};

/// Evidence lines shown for one check.
const EVIDENCE: usize = 3;

/// Narrowest screen that the table is laid out for.
const NARROWEST: usize = 60;

/// Width of the verdict column: the longest word and two spaces.
const VERDICT: usize = 14;

/// Widths of the last two columns.
const NUMBERS: usize = 20;

/// Where a report is to be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Screen {
    /// Characters in a line.
    pub width: usize,
    /// Whether colour may be used.
    pub colour: Colour,
}

impl Screen {
    /// A file or a pipe: wide and without colour.
    pub const PLAIN: Self = Self { width: 120, colour: Colour::Never };
}

/// Whether to use colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colour {
    /// ANSI sequences.
    Always,
    /// Words only.
    Never,
}

impl Colour {
    /// Returns `text` in the colour of `verdict`, or as it is.
    pub fn verdict(self, verdict: Verdict, text: &str) -> String {
        self.paint(tone(verdict), text)
    }

    fn paint(self, code: &str, text: &str) -> String {
        match self {
            Self::Always => format!("\u{1b}[{code}m{text}\u{1b}[0m"),
            Self::Never => text.to_owned(),
        }
    }

    fn bold(self, text: &str) -> String {
        self.paint("1", text)
    }

    fn dim(self, text: &str) -> String {
        self.paint("2", text)
    }
}

const fn tone(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "32",
        Verdict::Skipped => "2",
        Verdict::Inconclusive => "33",
        Verdict::Fail => "1;31",
        Verdict::Error => "1;35",
    }
}

/// Returns the verdict table of `run` and what there is to explain; ends with a line break.
pub fn render(run: &Run, screen: Screen) -> String {
    let mut lines = Vec::new();
    let (gaps, rest): (Vec<_>, Vec<_>) = run.scenarios.iter().partition(|scenario| scenario.gap.is_some());
    table(&mut lines, "Testing gaps", &gaps, screen);
    if let Some(proof) = &run.proof {
        matrix(&mut lines, proof, screen);
    }
    table(&mut lines, "Scenarios", &rest, screen);
    for scenario in run.scenarios.iter().filter(|scenario| needs_words(scenario)) {
        explain(&mut lines, scenario, screen);
    }
    closing(&mut lines, run, screen);
    lines.push(String::new());
    lines.join("\n")
}

/// Returns one line on a finished scenario, for output as it comes.
pub fn line(scenario: &ScenarioResult, screen: Screen) -> String {
    let width = screen.width.max(NARROWEST) - VERDICT - NUMBERS;
    let gap = scenario.gap.as_ref().map(|gap| format!("{}. ", gap.number)).unwrap_or_default();
    let name = words::cut(&format!("{gap}{}", scenario.name), width);
    let verdict = format!("{:<VERDICT$}", scenario.verdict.word());
    let numbers = format!("{:>8} {:>11}", words::held(scenario), words::span(scenario.clock_us));
    let verdict = screen.colour.verdict(scenario.verdict, &verdict);
    format!("{verdict}{name:<width$}{}", screen.colour.dim(&numbers))
}

/// Returns one line on a finished twin, for output as it comes.
pub fn proof_line(row: &ProofRow, screen: Screen) -> String {
    columns(row, (0, 0), screen)
}

/// Returns a row with its scenario and its sabotage brought to these widths.
fn columns(row: &ProofRow, (scenario, sabotage): (usize, usize), screen: Screen) -> String {
    let verdict = if row.outcome == ProofOutcome::Killed { Verdict::Pass } else { Verdict::Fail };
    let outcome = format!("{:<VERDICT$}", words::outcome(row.outcome));
    let told = match row.outcome {
        ProofOutcome::Killed => format!("by {}", row.caught_by),
        _ => row.reason.clone(),
    };
    let text = format!("{:<scenario$}  {:<sabotage$}", row.scenario, row.sabotage);
    format!("{}{text}  {}", screen.colour.verdict(verdict, &outcome), screen.colour.dim(&told))
}

fn table(lines: &mut Vec<String>, title: &str, scenarios: &[&ScenarioResult], screen: Screen) {
    if scenarios.is_empty() {
        return;
    }
    let width = screen.width.max(NARROWEST) - NUMBERS;
    let numbers = format!("{:>8} {:>11}", "checks", "clock");
    lines.push(String::new());
    lines.push(format!("{}{}", screen.colour.bold(&format!("{title:<width$}")), screen.colour.dim(&numbers)));
    lines.extend(scenarios.iter().map(|scenario| line(scenario, screen)));
}

/// Tells whether the table alone leaves a question open.
fn needs_words(scenario: &ScenarioResult) -> bool {
    scenario.verdict != Verdict::Pass
}

fn explain(lines: &mut Vec<String>, scenario: &ScenarioResult, screen: Screen) {
    let word = screen.colour.verdict(scenario.verdict, scenario.verdict.word());
    lines.push(String::new());
    lines.push(format!("{word} {}: {}", screen.colour.bold(&scenario.id), scenario.name));
    if !scenario.reason.is_empty() {
        lines.push(field("reason", &scenario.reason, screen));
    }
    for check in scenario.broken() {
        explain_check(lines, scenario, check, screen);
    }
    if scenario.verdict != Verdict::Skipped {
        lines.push(field("repeat", &scenario.reproduce, screen));
    }
}

fn explain_check(lines: &mut Vec<String>, scenario: &ScenarioResult, check: &Check, screen: Screen) {
    lines.push(field("check", &check.id, screen));
    lines.push(field("expected", &check.expected, screen));
    lines.push(field("observed", &check.observed, screen));
    let width = screen.width.max(NARROWEST) - 12;
    for line in words::evidence(scenario, check).take(EVIDENCE) {
        let said = format!("{:>9} {}: {}", words::moment(line.at_us), line.actor, line.text);
        lines.push(field("evidence", &words::cut(&said, width), screen));
    }
    let more = words::evidence(scenario, check).count().saturating_sub(EVIDENCE);
    if more > 0 {
        lines.push(field("", &format!("and {}, see the report", words::counted(more, "more line")), screen));
    }
}

fn field(name: &str, text: &str, screen: Screen) -> String {
    // Text of the wire must not steer the terminal.
    let text: String = text.chars().filter(|letter| !letter.is_control()).collect();
    format!("  {} {}", screen.colour.dim(&format!("{name:<9}")), text.trim_end())
}

fn matrix(lines: &mut Vec<String>, proof: &Proof, screen: Screen) {
    lines.push(String::new());
    lines.push(screen.colour.bold("Proof that each scenario can fail"));
    let widest = |name: fn(&ProofRow) -> &String| {
        proof.rows.iter().map(|row| name(row).chars().count()).max().unwrap_or_default()
    };
    let widths = (widest(|row| &row.scenario), widest(|row| &row.sabotage));
    lines.extend(proof.rows.iter().map(|row| columns(row, widths, screen)));
}

fn closing(lines: &mut Vec<String>, run: &Run, screen: Screen) {
    let time = words::span(run.elapsed_ms.saturating_mul(1000));
    let mut findings = words::findings(run);
    if let Some(last) = findings.last_mut() {
        last.push_str(&format_args!(" [{time}, seed {}]", run.seed).to_string());
    }
    let verdict = words::verdict(run);
    lines.push(String::new());
    lines.extend(words::unjudged(run));
    lines.extend(findings.iter().map(|finding| screen.colour.verdict(verdict, finding)));
}

#[cfg(test)]
mod tests {
    use super::{super::sample, *};

    #[test]
    fn gaps_stand_first_and_what_broke_is_explained() {
        insta::assert_snapshot!(render(&sample::run(), Screen { width: 90, colour: Colour::Never }), @r#"

        Testing gaps                                                            checks       clock
        pass          1. Of 100 messages in one second ten are answered            2/2        1.0s
        fail          2. A silent model ends in a fallback                         1/2       30.0s

        Proof that each scenario can fail
        killed        flood    no-flood-limit    by ten_handled
        survived      timeout  no-deadline       all checks held without a deadline
        wrong reason  timeout  deadline-on-head  `one_end` broke in place of `falls_back`

        Scenarios                                                               checks       clock
        pass          A greeting does not hide an emergency                          –        1.0s
        inconclusive  Line ends do not matter                                        –        1.0s
        error         A restart loses nothing                                        –        1.0s
        skipped       A killed server comes back                                     –        1.0s

        fail timeout: A silent model ends in a fallback
          reason    `falls_back` did not hold
          check     falls_back
          expected  a fallback within 30s | 1 frame
          observed  none in 30s
          evidence     0.001s ana.phone: send "is <b>cheese</b> safe?"
          evidence     0.002s llm: stalls after 2 events
          evidence    30.000s clock: 30s later
                    and 1 more line, see the report
          repeat    gauntlet run timeout --seed 7

        inconclusive crlf: Line ends do not matter
          reason    fault `crlf` never fired
          repeat    gauntlet run crlf --seed 7

        error restart: A restart loses nothing
          reason    the target closed the connection
          repeat    gauntlet run restart --seed 7

        skipped killed: A killed server comes back
          reason    needs `kill`, which target `builtin` has not

        2 of 6 scenarios held, 1 failed, 1 ended in an error, 1 was inconclusive, 1 was skipped
        1 of 7 testing gaps closed
        1 of 3 sabotages caught by the check named for it [1.8s, seed 7]
        "#);
    }

    #[test]
    fn a_run_that_was_cut_short_never_ends_in_green() {
        let run = Run { planned: 38, scenarios: vec![sample::run().scenarios.remove(2)], ..sample::run() };

        let text = render(&Run { proof: None, ..run }, Screen { width: 80, colour: Colour::Always });

        let last = text.lines().last().unwrap();
        assert_eq!(
            last,
            "\u{1b}[33mstopped early: 1 of 38 scenarios ran, 1 of them held [1.8s, seed 7]\u{1b}[0m"
        );
    }

    #[test]
    fn a_line_keeps_to_the_width_of_the_screen() {
        let run = sample::run();

        for width in [60, 80, 200] {
            let screen = Screen { width, colour: Colour::Never };
            assert!(run.scenarios.iter().all(|scenario| line(scenario, screen).chars().count() <= width));
        }
    }

    #[test]
    fn without_colour_there_is_no_escape_sequence_and_with_it_the_same_words() {
        let run = sample::run();

        let plain = render(&run, Screen { width: 80, colour: Colour::Never });
        let painted = render(&run, Screen { width: 80, colour: Colour::Always });

        assert!(!plain.contains('\u{1b}'));
        let codes = regex::Regex::new("\u{1b}\\[[0-9;]*m").unwrap();
        assert_eq!(codes.replace_all(&painted, ""), plain);
    }
}
