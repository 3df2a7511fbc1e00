//! Annotations: what did not hold, in the commands that CI systems read from a job's output.
//!
//! Invariant: a pure function of the run. A text of the wire cannot end a command or begin another: each system's
//! escapes are applied to everything that is not ours.

use super::words;
use crate::result::{ProofOutcome, Run, ScenarioResult, Verdict};

/// Most annotations of a run: GitHub shows ten of each kind for a step, and a list of hundreds is read by nobody.
const ANNOTATIONS: usize = 10;

/// Longest message, in characters.
const MESSAGE: usize = 400;

/// A CI system with commands of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// GitHub Actions, and what speaks its workflow commands (Gitea, Forgejo).
    GitHub,
    /// Azure Pipelines.
    Azure,
    /// `TeamCity`.
    TeamCity,
}

/// One thing that did not hold.
struct Annotation<'a> {
    /// Whether the run as a whole is red for it.
    is_error: bool,
    title: String,
    message: String,
    /// The scenario's file, if it is one of the reader's own.
    file: Option<&'a str>,
}

/// Returns the commands that show what did not hold, a line each; none if everything did.
pub fn annotations(run: &Run, service: Service) -> String {
    let all = found(run);
    let mut lines: Vec<String> = all.iter().take(ANNOTATIONS).map(|it| line(it, service)).collect();
    if let Some(more) = all.len().checked_sub(ANNOTATIONS).filter(|more| *more > 0) {
        let message =
            format!("{} not shown here; the report holds all of them", words::counted(more, "more finding"));
        let rest = Annotation { is_error: false, title: "gauntlet".to_owned(), message, file: None };
        lines.push(line(&rest, service));
    }
    lines.push(String::new());
    lines.join("\n")
}

/// Returns what did not hold, the worst first.
fn found(run: &Run) -> Vec<Annotation<'_>> {
    let mut broken: Vec<_> = run.scenarios.iter().filter(|it| it.verdict > Verdict::Skipped).collect();
    broken.sort_by_key(|scenario| std::cmp::Reverse(scenario.verdict));
    let mut all: Vec<_> = broken.into_iter().map(of_scenario).collect();
    let rows = run.proof.iter().flat_map(|proof| &proof.rows);
    all.extend(rows.filter(|row| row.outcome != ProofOutcome::Killed).map(|row| Annotation {
        is_error: true,
        title: format!("{} {}", row.scenario, words::outcome(row.outcome)),
        message: format!("{}: {}", row.sabotage, row.reason),
        file: None,
    }));
    if run.was_cut_short() {
        let message = words::headline(run);
        all.push(Annotation { is_error: true, title: "gauntlet".to_owned(), message, file: None });
    }
    all.sort_by_key(|annotation| !annotation.is_error);
    all
}

fn of_scenario(scenario: &ScenarioResult) -> Annotation<'_> {
    Annotation {
        is_error: scenario.verdict > Verdict::Inconclusive,
        title: format!("{} {}", scenario.id, scenario.verdict.word()),
        message: format!("{}: {}. Repeat: {}", scenario.name, scenario.reason, scenario.reproduce),
        file: (!crate::library::is_ours(&scenario.file)).then_some(scenario.file.as_str()),
    }
}

fn line(annotation: &Annotation<'_>, service: Service) -> String {
    let Annotation { is_error, title, file, .. } = annotation;
    let message: String = annotation.message.chars().take(MESSAGE).collect();
    match service {
        Service::GitHub => {
            let kind = if *is_error { "error" } else { "warning" };
            let file = file.map(|file| format!("file={},", github(file, true))).unwrap_or_default();
            format!("::{kind} {file}title={}::{}", github(title, true), github(&message, false))
        }
        Service::Azure => {
            let kind = if *is_error { "error" } else { "warning" };
            let file = file.map(|file| format!("sourcepath={};", azure(file))).unwrap_or_default();
            format!("##vso[task.logissue {file}type={kind}]{}: {}", azure(title), azure(&message))
        }
        Service::TeamCity if *is_error => {
            format!("##teamcity[buildProblem description='{}']", teamcity(&format!("{title}: {message}")))
        }
        Service::TeamCity => {
            let text = teamcity(&format!("{title}: {message}"));
            format!("##teamcity[message text='{text}' status='WARNING']")
        }
    }
}

/// Escapes a message, or a property, in which `:` and `,` mean something too.
fn github(text: &str, is_property: bool) -> String {
    let text = text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A");
    if is_property { text.replace(':', "%3A").replace(',', "%2C") } else { text }
}

fn azure(text: &str) -> String {
    let text = text.replace('%', "%AZP25").replace('\r', "%0D").replace('\n', "%0A");
    text.replace(']', "%5D").replace(';', "%3B")
}

fn teamcity(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '|' | '\'' | '[' | ']' => escaped.extend(['|', letter]),
            '\n' => escaped.push_str("|n"),
            '\r' => escaped.push_str("|r"),
            letter => escaped.push(letter),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::{super::sample, *};

    #[test]
    fn github_shows_what_did_not_hold_the_worst_first_s16() {
        insta::assert_snapshot!(annotations(&sample::run(), Service::GitHub), @r"
        ::error title=restart error::A restart loses nothing: the target closed the connection. Repeat: gauntlet run restart --seed 7
        ::error title=timeout fail::A silent model ends in a fallback: `falls_back` did not hold. Repeat: gauntlet run timeout --seed 7
        ::error title=timeout survived::no-deadline: all checks held without a deadline
        ::error title=timeout wrong reason::deadline-on-head: `one_end` broke in place of `falls_back`
        ::warning title=crlf inconclusive::Line ends do not matter: fault `crlf` never fired. Repeat: gauntlet run crlf --seed 7
        ");
    }

    #[test]
    fn azure_and_teamcity_have_words_of_their_own_s16() {
        let mut run = sample::run();
        run.scenarios.truncate(2);
        (run.planned, run.proof) = (2, None);

        let shown = [Service::Azure, Service::TeamCity].map(|service| annotations(&run, service));

        insta::assert_snapshot!(shown.concat(), @r"
        ##vso[task.logissue type=error]timeout fail: A silent model ends in a fallback: `falls_back` did not hold. Repeat: gauntlet run timeout --seed 7
        ##teamcity[buildProblem description='timeout fail: A silent model ends in a fallback: `falls_back` did not hold. Repeat: gauntlet run timeout --seed 7']
        ");
    }

    #[test]
    fn text_of_the_wire_begins_no_command_s16() {
        let mut run = sample::run();
        run.scenarios.retain(|scenario| scenario.verdict == Verdict::Fail);
        run.scenarios[0].reason = "a\n::error::b\r]##vso[x]|' 100%".to_owned();
        (run.planned, run.proof) = (1, None);

        for service in [Service::GitHub, Service::Azure, Service::TeamCity] {
            let text = annotations(&run, service);

            assert_eq!(text.lines().count(), 1, "{text}");
            assert!(!text.trim_end().contains('\r'), "{text}");
        }
        assert!(annotations(&run, Service::Azure).contains("%5D##vso[x%5D|' 100%AZP25"));
        assert!(annotations(&run, Service::TeamCity).contains("|]##vso|[x|]||"));
    }

    #[test]
    fn a_red_library_is_not_a_hundred_annotations_s16() {
        let mut run = sample::run();
        run.proof = None;
        run.scenarios = (0..30).map(|_| run.scenarios[1].clone()).collect();
        run.planned = 30;

        let text = annotations(&run, Service::GitHub);

        assert_eq!(text.lines().count(), ANNOTATIONS + 1);
        assert!(text.ends_with("20 more findings not shown here; the report holds all of them\n"), "{text}");
    }

    #[test]
    fn a_run_that_held_says_nothing_and_a_file_of_ones_own_is_named_s16() {
        let mut run = sample::run();
        (run.planned, run.proof) = (1, None);
        run.scenarios = vec![sample::scenario("mine", "it holds", Verdict::Pass)];
        assert_eq!(annotations(&run, Service::GitHub), "");

        run.scenarios = vec![sample::scenario("mine", "it holds", Verdict::Fail)];
        run.scenarios[0].file = "checks/mine.toml".to_owned();
        assert!(
            annotations(&run, Service::GitHub).starts_with("::error file=checks/mine.toml,title=mine fail::")
        );
    }
}
