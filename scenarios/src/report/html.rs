//! One self-contained page: no script, no font, no image, nothing from anywhere else.
//!
//! Invariant: it reads well without JavaScript, in light and dark and on paper, and says in words what
//! it shows in colour. Transcripts are shortened until the page fits [`Format::HTML_BYTES`], and each
//! says how many lines it left out; `run.json` holds them all.

mod lines;
mod timeline;
mod view;

use minijinja::{Environment, syntax::SyntaxConfig, value::Serde};

use super::{Format, RenderError, words};
use crate::result::Run;
use view::{PageView, ProofView, RunView, ScenarioView};

/// Most transcript lines of a scenario that did not pass, and of one that did; the first pair that fits
/// is taken.
const LINES: [(usize, usize); 6] = [(400, 120), (300, 60), (200, 40), (100, 24), (60, 12), (24, 6)];

pub(super) fn render(run: &Run) -> Result<String, RenderError> {
    let mut pages = Environment::new();
    pages.set_syntax(SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build()?);
    pages.add_template("page.html", include_str!("html/page.html"))?;
    let mut page = String::new();
    for (broken, passed) in LINES {
        page = fill(&pages, run, broken, passed)?;
        if page.len() <= Format::HTML_BYTES {
            break;
        }
    }
    Ok(page)
}

fn fill(pages: &Environment<'_>, run: &Run, broken: usize, passed: usize) -> Result<String, RenderError> {
    let (gaps, rest) = run
        .scenarios
        .iter()
        .enumerate()
        .map(|(index, scenario)| ScenarioView::new(index, scenario, broken, passed))
        .partition(|scenario| scenario.gap.is_some());
    let page = PageView {
        style: include_str!("html/style.css"),
        headline: sentence(run),
        verdict: words::verdict(run).word(),
        run: RunView::new(run),
        gaps,
        rest,
        proof: run.proof.as_ref().map(|proof| proof.rows.iter().map(ProofView::new).collect()),
    };
    Ok(pages.get_template("page.html")?.render(Serde(page))?)
}

/// Returns the headline as a sentence.
fn sentence(run: &Run) -> String {
    let headline = words::headline(run);
    let mut letters = headline.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).chain(['.']).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{super::sample, *};

    #[test]
    fn the_page_asks_for_nothing_from_outside() {
        let page = render(&sample::run()).unwrap();

        for reach in ["http://", "https://", "<script", "<link", "@import", "url(", "<img", "<iframe"] {
            assert!(!page.contains(reach), "the page holds `{reach}`");
        }
    }

    #[test]
    fn text_of_the_wire_is_shown_and_not_obeyed() {
        let page = render(&sample::run()).unwrap();

        assert!(page.contains("&lt;b&gt;cheese&lt;"), "the frame is not shown");
        assert!(!page.contains("<b>cheese"));
    }

    #[test]
    fn the_parts_stand_in_the_order_of_a_reader() {
        let page = render(&sample::run()).unwrap();

        let places: Vec<_> =
            ["<h1", "id=\"gaps\"", "id=\"proof\"", "id=\"scenarios\"", "id=\"s0\"", "id=\"environment\""]
                .iter()
                .map(|part| page.find(part).unwrap_or_else(|| panic!("`{part}` is not there")))
                .collect();
        assert!(places.is_sorted(), "{places:?}");
    }

    #[test]
    fn a_run_that_was_cut_short_is_not_green() {
        let run = Run { scenarios: vec![sample::run().scenarios.remove(0)], proof: None, ..sample::run() };

        let page = render(&run).unwrap();

        assert!(
            page.contains("<h1 class=\"inconclusive\">Stopped early: 1 of 6 scenarios ran, 1 of them held;"),
            "{}",
            words::headline(&run)
        );
    }

    #[test]
    fn evidence_leads_to_its_line_of_the_transcript() {
        let page = render(&sample::run()).unwrap();

        for place in [1, 3, 4, 5] {
            assert!(page.contains(&format!("<a href=\"#s1-{place}\">{place}</a>")), "{place}");
            assert!(page.contains(&format!("<li id=\"s1-{place}\" class=\"p\">")), "{place}");
        }
    }

    #[test]
    fn every_table_has_a_caption_and_every_drawing_a_text() {
        let page = render(&sample::run()).unwrap();

        assert!(page.starts_with("<!doctype html>\n<html lang=\"en\">"));
        assert_eq!(page.matches("<table").count(), page.matches("<caption>").count());
        assert_eq!(
            page.matches("<svg").count(),
            page.matches("role=\"img\" aria-label=").count() + page.matches("aria-hidden=\"true\"").count()
        );
        assert_eq!(page.matches("<details").count(), page.matches("<summary").count());
    }

    #[test]
    fn forty_scenarios_with_long_transcripts_fit_and_say_what_was_left_out() {
        let mut run = sample::run();
        let mut long = run.scenarios[0].clone();
        long.transcript = (0..2000).map(|n| long.transcript[n % 20].clone()).collect();
        run.scenarios = (0..40).map(|_| long.clone()).collect();

        let page = render(&run).unwrap();

        assert!(page.len() <= Format::HTML_BYTES, "{} bytes", page.len());
        assert!(page.contains("lines left out"), "nothing is said about the cut");
    }
}
