//! The report for other programs: seconds as CSV, figures as Prometheus reads them.

use std::fmt::Write as _;

use super::report::Report;

impl Report {
    /// Returns the measured seconds, a line for each; what was not measured is left empty.
    pub fn csv(&self) -> String {
        let mut text = String::from(
            "at_s,turns,refused,first_p50_ms,first_p99_ms,first_max_ms,sockets,target_cpu,target_rss,generator_cpu\n",
        );
        let cell = |value: Option<f64>| value.map_or_else(String::new, |value| format!("{value:.3}"));
        for second in &self.seconds {
            let _ = writeln!(
                text,
                "{:.3},{},{},{},{},{},{},{},{},{}",
                second.at_s,
                second.turns,
                second.refused,
                cell(second.first_p50_ms),
                cell(second.first_p99_ms),
                cell(second.first_max_ms),
                second.sockets,
                cell(second.target_cpu),
                second.target_rss.map_or_else(String::new, |bytes| bytes.to_string()),
                cell(second.generator_cpu),
            );
        }
        text
    }

    /// Returns the figures in the text format of Prometheus, for its collector of text files.
    pub fn prometheus(&self) -> String {
        let mut text = String::from(
            "# HELP gauntlet_load Figures of a load, in seconds, bytes, numbers and shares of a core.\n\
             # TYPE gauntlet_load gauge\n",
        );
        let profile = label(&self.profile);
        for (figure, value) in &self.figures {
            let _ =
                writeln!(text, "gauntlet_load{{profile=\"{profile}\",figure=\"{}\"}} {value}", label(figure));
        }
        text.push_str(
            "# HELP gauntlet_load_promises_broken How often a promise was broken.\n\
             # TYPE gauntlet_load_promises_broken gauge\n",
        );
        let _ = writeln!(text, "gauntlet_load_promises_broken{{profile=\"{profile}\"}} {}", self.broken());
        text
    }
}

/// Writes a text so that it may stand in a label.
fn label(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crowd::report::{Second, sample};

    #[test]
    fn seconds_are_lines_and_what_was_not_measured_is_empty_l6() {
        let seconds = vec![Second { at_s: 1.0, turns: 7, sockets: 2, ..Second::default() }];

        let csv = Report { seconds, ..sample() }.csv();

        assert_eq!(csv.lines().nth(1), Some("1.000,7,0,,,,2,,,"));
    }

    #[test]
    fn figures_are_samples_with_their_names_as_labels_l6() {
        let text = Report { profile: "a \"b\"".to_owned(), ..sample() }.prometheus();

        let line = r#"gauntlet_load{profile="a \"b\"",figure="p99(turn.first_token)"} 0.25"#;
        assert!(text.lines().any(|it| it == line), "{text}");
        assert!(text.ends_with("gauntlet_load_promises_broken{profile=\"a \\\"b\\\"\"} 1\n"), "{text}");
    }
}
