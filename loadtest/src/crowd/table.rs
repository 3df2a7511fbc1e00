//! The report as text: the verdict's parts first, then times, then what was used.

use std::fmt::Write as _;

use super::{
    figures::{self, Kind, SINGLE, Time},
    report::Report,
};

/// Statistics that are shown of each time.
const SHOWN: [&str; 6] = ["p50", "p90", "p99", "p99.9", "max", "count"];
/// Figures that are shown of each step.
pub(super) const STEP_SHOWN: [&str; 5] =
    ["turns_per_second", "p50(turn.first_token)", "p99(turn.first_token)", "cpu(target)", "rss(target)"];
/// Of an example, so many characters are shown.
const EXAMPLE_MAX: usize = 160;

/// Renders the whole report.
pub fn render(report: &Report) -> String {
    let mut text = head(report);
    text.push_str(&times(report));
    text.push_str(&singles(report));
    text.push_str(&troubles(report));
    text.push_str(&steps(report));
    for check in &report.checks {
        let _ = writeln!(text, "  {:<13} {}: {}", check.outcome.to_string(), check.text, check.found);
    }
    if let Some(limit) = report.limit() {
        let _ = writeln!(text, "\n{limit}");
    }
    let _ = writeln!(text, "\npromises broken: {}\nverdict: {}", report.broken(), report.outcome());
    text
}

fn head(report: &Report) -> String {
    let machine = &report.machine;
    format!(
        "{} · {} · {}\n{}\n{} users on `{}` for {:.0} s · seed {} · {} · {} cores · load {} before\n\n",
        report.tool,
        report.profile,
        report.started_at,
        report.about,
        report.users,
        report.target,
        report.sums.measured_s,
        report.seed,
        machine.processor.as_deref().unwrap_or("unknown processor"),
        machine.cores,
        machine.load_before.map_or_else(|| "?".to_owned(), |load| load.to_string()),
    )
}

fn times(report: &Report) -> String {
    let mut text = String::new();
    let heading: Vec<_> = SHOWN.iter().map(|statistic| format!("{statistic:>10}")).collect();
    let _ = writeln!(text, "  {:<22}{}", "", heading.concat());
    for time in Time::ALL {
        let cell = |statistic: &str| {
            let name = format!("{statistic}({})", time.name());
            let value = *report.figures.get(&name)?;
            Some(format!("{:>10}", shown(figures::kind(&name)?, value)))
        };
        let cells: Option<Vec<_>> = SHOWN.iter().map(|statistic| cell(statistic)).collect();
        if let Some(cells) = cells {
            let _ = writeln!(text, "  {:<22}{}", time.name(), cells.concat());
        }
    }
    text.push('\n');
    text
}

fn singles(report: &Report) -> String {
    let mut text = String::new();
    for (name, kind) in SINGLE {
        if let Some(value) = report.figures.get(name) {
            let _ = writeln!(text, "  {name:<22}{:>10}", shown(kind, *value));
        }
    }
    text.push('\n');
    text
}

/// A line for each step of a load that has several.
fn steps(report: &Report) -> String {
    let mut text = String::new();
    for (n, step) in report.steps.iter().enumerate() {
        let cells = STEP_SHOWN.iter().filter_map(|name| {
            let value = *step.figures.get(*name)?;
            Some(format!("{name} {}", shown(figures::kind(name)?, value)))
        });
        let outcome = step.outcome();
        let cells: Vec<_> = cells.collect();
        let _ = writeln!(
            text,
            "  step {:<3}{:>6} users  {:<13} {}",
            n + 1,
            step.users,
            outcome,
            cells.join("  ")
        );
    }
    if !text.is_empty() {
        text.push('\n');
    }
    text
}

fn troubles(report: &Report) -> String {
    let mut text = String::new();
    for (promise, count, example) in report.accusations() {
        let example: String = example.chars().take(EXAMPLE_MAX).collect();
        let _ = writeln!(text, "  BROKEN {count} x: {promise}\n    {example}");
    }
    for (code, count) in &report.refused {
        let _ = writeln!(text, "  refused {count} x: {code}");
    }
    for warning in &report.warnings {
        let _ = writeln!(text, "  {warning}");
    }
    if !text.is_empty() {
        text.push('\n');
    }
    text
}

/// Writes a value as people read it.
pub(crate) fn shown(kind: Kind, value: f64) -> String {
    match kind {
        Kind::Time if value < 0.001 => format!("{:.0} us", value * 1e6),
        Kind::Time if value < 0.1 => format!("{:.2} ms", value * 1e3),
        Kind::Time if value < 1.0 => format!("{:.0} ms", value * 1e3),
        Kind::Time => format!("{value:.2} s"),
        Kind::Bytes if value < 1_048_576.0 => format!("{:.1} KiB", value / 1024.0),
        Kind::Bytes => format!("{:.1} MiB", value / 1_048_576.0),
        Kind::Share => format!("{:.1} %", value * 100.0),
        Kind::Count if value.fract() == 0.0 => format!("{value:.0}"),
        Kind::Count => format!("{value:.1}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_written_as_people_read_them() {
        let all = [0.000_25, 0.001_5, 0.25, 1.5].map(|value| shown(Kind::Time, value));
        assert_eq!(all, ["250 us", "1.50 ms", "250 ms", "1.50 s"]);
        assert_eq!(shown(Kind::Bytes, 12_288.0), "12.0 KiB");
        assert_eq!((shown(Kind::Count, 7.0), shown(Kind::Count, 7.25)), ("7".to_owned(), "7.2".to_owned()));
        assert_eq!(shown(Kind::Share, 0.125), "12.5 %");
    }
}
