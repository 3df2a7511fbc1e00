//! The report as text: ratios first, then the figures, then the verdict.

use std::fmt::Write as _;

use crate::result::{CaseResult, Figure, Metric, Report, SubjectResult};

/// A column: heading, metric, digits after the point, factor.
struct Column {
    heading: &'static str,
    metric: Metric,
    digits: usize,
    factor: f64,
    /// Whether the spread is shown.
    spread: bool,
}

const fn column(heading: &'static str, metric: Metric, digits: usize) -> Column {
    Column { heading, metric, digits, factor: 1.0, spread: false }
}

const COLUMNS: [Column; 14] = [
    Column { spread: true, ..column("CPU us/unit", Metric::CpuUsPerUnit, 2) },
    Column { spread: true, ..column("units/s", Metric::UnitsPerSecond, 0) },
    column("answer p50 ms", Metric::AnswerP50Ms, 2),
    column("p99", Metric::AnswerP99Ms, 2),
    column("p99.9", Metric::AnswerP999Ms, 2),
    column("first p50 ms", Metric::FirstP50Ms, 2),
    column("p99", Metric::FirstP99Ms, 2),
    column("gap p50 ms", Metric::GapP50Ms, 2),
    column("p99", Metric::GapP99Ms, 2),
    column("RSS MiB", Metric::RssMib, 1),
    column("KiB/conn", Metric::RssKibPerConnection, 1),
    Column { factor: 100.0, ..column("busy %", Metric::TargetBusy, 0) },
    Column { factor: 100.0, ..column("client busy %", Metric::ClientBusy, 0) },
    column("client us/unit", Metric::ClientUsPerUnit, 2),
];

/// Metrics of which a ratio to the floor means something.
const RATIOS: [Metric; 8] = [
    Metric::CpuUsPerUnit,
    Metric::UnitsPerSecond,
    Metric::AnswerP50Ms,
    Metric::AnswerP99Ms,
    Metric::GapP50Ms,
    Metric::GapP99Ms,
    Metric::RssMib,
    Metric::RssKibPerConnection,
];

/// Renders the whole report.
pub fn render(report: &Report) -> String {
    let mut text = head(report);
    for case in &report.cases {
        text.push('\n');
        text.push_str(&render_case(case));
    }
    let _ = writeln!(text, "\nverdict: {}", report.outcome());
    text
}

fn head(report: &Report) -> String {
    let machine = &report.machine;
    let cores = report.cores.map_or_else(
        || "ONE CORE FOR ALL".to_owned(),
        |cores| format!("target on core {}, client on core {}", cores.target, cores.client),
    );
    format!(
        "{} · {} · {}\n{}\n{} · {} cores · Linux {} · load {} before · {cores}\n",
        report.tool,
        report.profile,
        report.started_at,
        report.about,
        machine.processor.as_deref().unwrap_or("unknown processor"),
        machine.cores,
        machine.kernel.as_deref().unwrap_or("?"),
        machine.load_before.map_or_else(|| "?".to_owned(), |load| load.to_string()),
    )
}

fn render_case(case: &CaseResult) -> String {
    let mut text = format!("{}  {} (unit: {})\n", case.case.name, case.case.title, case.case.unit());
    let shown: Vec<&Column> = COLUMNS.iter().filter(|column| measured(case, column.metric)).collect();
    let mut rows = vec![heading(&shown)];
    rows.extend(case.subjects.iter().filter_map(|result| ratio_row(result, &shown)));
    rows.extend(case.subjects.iter().rev().map(|result| figure_row(result, &shown)));
    text.push_str(&align(&rows));
    for check in &case.checks {
        let _ = writeln!(text, "   {:<12}  {}: {}", check.outcome.to_string(), check.text, check.found);
    }
    for result in case.subjects.iter().filter(|result| result.unjudged > 0) {
        let _ = writeln!(
            text,
            "   {:<12}  {}: {} answers were cut at the end",
            "not judged", result.name, result.unjudged
        );
    }
    for warning in &case.warnings {
        let _ = writeln!(text, "   {:<12}  {warning}", "WARNING");
    }
    text
}

fn measured(case: &CaseResult, metric: Metric) -> bool {
    case.subjects.iter().any(|result| result.figures.contains_key(&metric))
}

fn heading(columns: &[&Column]) -> Vec<String> {
    std::iter::once(String::new()).chain(columns.iter().map(|column| column.heading.to_owned())).collect()
}

/// The ratio to the floor, with its spread.
fn ratio_row(result: &SubjectResult, columns: &[&Column]) -> Option<Vec<String>> {
    if result.to_floor.is_empty() {
        return None;
    }
    let cell = |column: &&Column| match result.to_floor.get(&column.metric) {
        Some(figure) if RATIOS.contains(&column.metric) => {
            format!("x{}", with_spread(figure, 2, 1.0, column.spread))
        }
        _ => String::new(),
    };
    Some(std::iter::once(format!("{} / floor", result.name)).chain(columns.iter().map(cell)).collect())
}

fn figure_row(result: &SubjectResult, columns: &[&Column]) -> Vec<String> {
    let cell = |column: &&Column| match result.figures.get(&column.metric) {
        Some(figure) => with_spread(figure, column.digits, column.factor, column.spread),
        None => "-".to_owned(),
    };
    std::iter::once(result.name.clone()).chain(columns.iter().map(cell)).collect()
}

fn with_spread(figure: &Figure, digits: usize, factor: f64, spread: bool) -> String {
    let [median, min, max] = [figure.median, figure.min, figure.max].map(|value| value * factor);
    if spread {
        format!("{median:.digits$} ({min:.digits$}-{max:.digits$})")
    } else {
        format!("{median:.digits$}")
    }
}

/// Puts cells under each other; the first column to the left, the others to the right.
fn align(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width =
        |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
    let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or(0)).collect();
    let mut text = String::new();
    for row in rows {
        let mut line = String::from("   ");
        for (position, (cell, width)) in row.iter().zip(&widths).enumerate() {
            let _ = match position {
                0 => write!(line, "{cell:<width$}"),
                _ => write!(line, "  {cell:>width$}"),
            };
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        machine::{Cores, Machine},
        profile::Profile,
        result::{Check, Outcome, Subject, Window, figures, ratios},
    };

    fn subject(subject: Subject, name: &str, cpu: f64) -> SubjectResult {
        let metrics =
            [(Metric::CpuUsPerUnit, cpu), (Metric::UnitsPerSecond, 49_300.0), (Metric::ClientBusy, 0.31)];
        let windows = vec![Window { seconds: 1.0, units: 49_300, metrics: metrics.into() }];
        SubjectResult {
            subject,
            name: name.to_owned(),
            figures: figures(&windows),
            to_floor: std::collections::BTreeMap::new(),
            windows,
            whole: 1000,
            broken: std::collections::BTreeMap::new(),
            unjudged: 0,
            reopened: 0,
        }
    }

    fn report() -> Report {
        let profile = Profile::parse("mock-streams", crate::built_in("mock-streams").unwrap()).unwrap();
        let floor = subject(Subject::Floor, "floor", 4.0);
        let mut mock = subject(Subject::Target, "mock", 10.0);
        mock.to_floor = ratios(&mock.windows, &floor.windows);
        let check = Check {
            text: "mock: every answer is whole".to_owned(),
            found: "1000 whole, broken: 0".to_owned(),
            outcome: Outcome::Held,
        };
        Report {
            schema_version: crate::result::SCHEMA_VERSION,
            tool: "gauntlet 0.1.0".to_owned(),
            command: "gauntlet load mock-streams".to_owned(),
            started_at: "2026-01-01T00:00:00Z".to_owned(),
            machine: Machine { processor: None, cores: 2, kernel: None, memory_mib: None, load_before: None },
            cores: Some(Cores { target: 0, client: 1 }),
            profile: "mock-streams".to_owned(),
            about: profile.about.clone(),
            request: profile.request.clone(),
            cases: vec![CaseResult {
                case: profile.cases[3].clone(),
                subjects: vec![floor, mock],
                checks: vec![check],
                warnings: vec!["others took 30 % of its core".to_owned()],
            }],
        }
    }

    #[test]
    fn ratios_stand_first_and_the_verdict_last_m18() {
        insta::assert_snapshot!(render(&report()), @r"
        gauntlet 0.1.0 · mock-streams · 2026-01-01T00:00:00Z
        What one core of mock-deepseek carries: answers, bursts, paced streams, a crowd
        unknown processor · 2 cores · Linux ? · load ? before · target on core 0, client on core 1

        c  1,000 streams x 200 chunks at 20 ms (unit: chunk)
                                 CPU us/unit              units/s  client busy %
           mock / floor    x2.50 (2.50-2.50)    x1.00 (1.00-1.00)
           mock          10.00 (10.00-10.00)  49300 (49300-49300)             31
           floor            4.00 (4.00-4.00)  49300 (49300-49300)             31
           held          mock: every answer is whole: 1000 whole, broken: 0
           WARNING       others took 30 % of its core

        verdict: held
        ");
    }

    #[test]
    fn the_json_has_a_version_and_names_of_its_metrics() {
        let json: serde_json::Value = serde_json::from_str(&report().json()).unwrap();

        assert_eq!(json["schema_version"], 1);
        assert_eq!(json["cases"][0]["subjects"][1]["to_floor"]["cpu_us_per_unit"]["median"], 2.5);
        assert_eq!(json["cases"][0]["case"]["gap"], 20.0);
    }
}
