//! The report as one file for a browser: no script, nothing from elsewhere, readable when printed.

use std::fmt::Write as _;

use super::{
    figures,
    report::{Report, Second},
    table::{STEP_SHOWN, shown},
};
use crate::result::Outcome;

const STYLE: &str = "\
:root{color-scheme:light dark}body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}\
table{border-collapse:collapse;margin:1rem 0}td,th{padding:.2rem .8rem .2rem 0;text-align:left;vertical-align:top}\
td.n{text-align:right;font-variant-numeric:tabular-nums}h2{margin-top:2rem}.failed{color:#c22;font-weight:600}\
.inconclusive{color:#a60;font-weight:600}.held{color:#284}svg{width:100%;height:auto}svg text{font:11px system-ui;\
fill:currentColor}svg line{stroke:currentColor;stroke-opacity:.15}svg polyline{fill:none;stroke-width:1.5}";

/// Size of a picture, and the room for its labels on the left and below.
const WIDTH: f64 = 800.0;
const HEIGHT: f64 = 200.0;
const LEFT: f64 = 70.0;
const BELOW: f64 = 22.0;

/// A line in a picture.
struct Line<'a> {
    name: &'a str,
    colour: &'a str,
    value: fn(&Second) -> Option<f64>,
}

const fn line<'a>(name: &'a str, colour: &'a str, value: fn(&Second) -> Option<f64>) -> Line<'a> {
    Line { name, colour, value }
}

/// How values of a picture are placed and written.
struct Axis {
    is_log: bool,
    shown: fn(f64) -> String,
}

impl Report {
    /// Returns the report as a page.
    pub fn html(&self) -> String {
        let outcome = self.outcome();
        format!(
            "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><title>gauntlet load {profile}</title>\
             <style>{STYLE}</style>\n<h1>{profile}: <span class=\"{class}\">{outcome}</span></h1>\n<p>{about}</p>\n\
             <p>Promises broken: <b>{broken}</b>. {users} users on {target}, measured for {seconds:.0} s.</p>\n\
             {limit}{checks}{steps}{accusations}{warnings}{pictures}{figures}{origin}</html>\n",
            profile = escape(&self.profile),
            class = class(outcome),
            about = escape(&self.about),
            broken = self.broken(),
            users = self.users,
            target = escape(&self.target),
            seconds = self.sums.measured_s,
            limit = self.limit().map_or_else(String::new, |limit| format!("<p>{}</p>\n", escape(&limit))),
            checks = self.html_checks(),
            steps = self.html_steps(),
            accusations = self.html_accusations(),
            warnings = list("What makes figures doubtful", self.warnings.iter().cloned()),
            pictures = self.html_pictures(),
            figures = self.html_figures(),
            origin = self.html_origin(),
        )
    }

    fn html_checks(&self) -> String {
        let mut rows = String::new();
        for check in &self.checks {
            let _ = write!(
                rows,
                "<tr><td class=\"{}\">{}<td>{}<td>{}",
                class(check.outcome),
                check.outcome,
                escape(&check.text),
                escape(&check.found)
            );
        }
        format!("<h2>What must hold</h2>\n<table><tr><th><th>must<th>found{rows}</table>\n")
    }

    /// A line for each step of a load that has several.
    fn html_steps(&self) -> String {
        if self.steps.is_empty() {
            return String::new();
        }
        let mut rows = String::new();
        for step in &self.steps {
            let outcome = step.outcome();
            let _ =
                write!(rows, "<tr><td class=\"n\">{}<td class=\"{}\">{outcome}", step.users, class(outcome));
            for name in STEP_SHOWN {
                let kind = figures::kind(name).unwrap_or(figures::Kind::Count);
                let value = step.figures.get(name).map_or_else(String::new, |value| shown(kind, *value));
                let _ = write!(rows, "<td class=\"n\">{value}");
            }
        }
        let heads: Vec<_> = STEP_SHOWN.iter().map(|name| format!("<th>{name}")).collect();
        format!("<h2>Steps</h2>\n<table><tr><th>users<th>{}{rows}</table>\n", heads.concat())
    }

    fn html_accusations(&self) -> String {
        let broken = self
            .accusations()
            .map(|(promise, count, example)| format!("{count} times: {promise}. First: {example}"));
        let refused = self.refused.iter().map(|(code, count)| format!("{count} refused: {code}"));
        list("Broken promises", broken) + &list("Refusals", refused)
    }

    fn html_pictures(&self) -> String {
        let ms = Axis { is_log: true, shown: |ms| shown(figures::Kind::Time, ms / 1000.0) };
        let number = Axis { is_log: false, shown: |value| format!("{value:.0}") };
        let share = Axis { is_log: false, shown: |value| format!("{:.0} %", value * 100.0) };
        let bytes = Axis { is_log: false, shown: |value| shown(figures::Kind::Bytes, value) };
        #[expect(clippy::cast_precision_loss, reason = "counts of a second and bytes of a process")]
        let pictures = [
            (
                "First token, from when the question was due",
                vec![
                    line("p50", "#284", |second| second.first_p50_ms),
                    line("p99", "#26c", |second| second.first_p99_ms),
                    line("max", "#c22", |second| second.first_max_ms),
                ],
                ms,
            ),
            (
                "Turns and refusals in a second",
                vec![
                    line("turns", "#26c", |second| Some(second.turns as f64)),
                    line("refused", "#c22", |second| Some(second.refused as f64)),
                ],
                number,
            ),
            (
                "Processor time, as a share of a core",
                vec![
                    line("target", "#26c", |second| second.target_cpu),
                    line("generator", "#a60", |second| second.generator_cpu),
                ],
                share,
            ),
            (
                "Memory of the target",
                vec![line("RSS", "#26c", |second| second.target_rss.map(|it| it as f64))],
                bytes,
            ),
        ];
        pictures.iter().map(|(title, lines, axis)| self.picture(title, lines, axis)).collect()
    }

    /// Draws lines over the measured seconds; nothing where nothing was measured.
    fn picture(&self, title: &str, lines: &[Line<'_>], axis: &Axis) -> String {
        let values = lines.iter().flat_map(|line| self.seconds.iter().filter_map(line.value));
        let (least, most) = values.fold((f64::MAX, f64::MIN), |(a, b), value| (a.min(value), b.max(value)));
        if self.seconds.len() < 2 || least > most {
            return String::new();
        }
        let scale = |value: f64| if axis.is_log { value.max(0.001).log10() } else { value };
        let bottom = if axis.is_log { scale(least) } else { 0.0 };
        let height = (scale(most) - bottom).max(f64::EPSILON);
        let span = self.seconds.last().map_or(1.0, |second| second.at_s).max(f64::EPSILON);
        let x = |at: f64| LEFT + at / span * (WIDTH - LEFT);
        let y = |value: f64| HEIGHT - BELOW - (scale(value) - bottom) / height * (HEIGHT - BELOW - 10.0);
        let mut drawn = String::new();
        for value in [if axis.is_log { least } else { 0.0 }, most] {
            let (y, label) = (y(value), (axis.shown)(value));
            let _ = write!(
                drawn,
                "<line x1=\"{LEFT}\" x2=\"{WIDTH}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/><text x=\"0\" y=\"{y:.1}\">{label}</text>"
            );
        }
        for (n, line) in (0_u8..).zip(lines) {
            let points = self.seconds.iter().filter_map(|second| Some((second.at_s, (line.value)(second)?)));
            let points: Vec<_> = points.map(|(at, value)| format!("{:.1},{:.1}", x(at), y(value))).collect();
            let _ = write!(
                drawn,
                "<polyline stroke=\"{}\" points=\"{}\"/><text x=\"{}\" y=\"{}\" style=\"fill:{}\">{}</text>",
                line.colour,
                points.join(" "),
                LEFT + 90.0 * f64::from(n),
                HEIGHT - 5.0,
                line.colour,
                line.name
            );
        }
        let label = format!("{title}, over {span:.0} seconds");
        format!(
            "<h2>{title}</h2>\n<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{label}\">{drawn}</svg>\n"
        )
    }

    fn html_figures(&self) -> String {
        let mut rows = String::new();
        for (name, value) in &self.figures {
            let kind = figures::kind(name).unwrap_or(figures::Kind::Count);
            let _ = write!(rows, "<tr><td>{}<td class=\"n\">{}", escape(name), shown(kind, *value));
        }
        format!("<h2>All figures</h2>\n<table>{rows}</table>\n")
    }

    fn html_origin(&self) -> String {
        let machine = &self.machine;
        let processor = machine.processor.as_deref().unwrap_or("unknown processor");
        list(
            "Where they come from",
            [
                format!("{}, {}", self.tool, self.started_at),
                format!("{processor}, {} cores", machine.cores),
                format!("seed {}", self.seed),
                self.command.clone(),
            ]
            .into_iter(),
        )
    }
}

const fn class(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Held => "held",
        Outcome::Inconclusive => "inconclusive",
        Outcome::Failed => "failed",
    }
}

/// Returns a heading and a list; nothing for no lines.
fn list(heading: &str, lines: impl Iterator<Item = String>) -> String {
    let items: Vec<_> = lines.map(|line| format!("<li>{}", escape(&line))).collect();
    if items.is_empty() {
        String::new()
    } else {
        format!("<h2>{heading}</h2>\n<ul>{}</ul>\n", items.concat())
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crowd::report::sample;

    #[test]
    fn a_page_shows_percentiles_over_time_and_asks_nobody_for_anything_l6() {
        let second = |at: u8| Second {
            at_s: f64::from(at),
            first_p50_ms: Some(1.0),
            first_p99_ms: Some(f64::from(at)),
            first_max_ms: Some(40.0),
            ..Second::default()
        };

        let page = Report { seconds: vec![second(1), second(2), second(3)], ..sample() }.html();

        assert!(page.contains("<h2>First token, from when the question was due</h2>"), "{page}");
        // Three lines of times and two of counts; processor time and memory were not measured.
        assert_eq!(page.matches("<polyline").count(), 5);
        assert!(!page.contains("http") && !page.contains("<script"), "{page}");
    }

    #[test]
    fn what_strangers_said_is_shown_as_text_l6() {
        let page = sample().html();

        assert!(page.contains("read &lt;b&gt;") && !page.contains("read <b>"), "{page}");
    }
}
