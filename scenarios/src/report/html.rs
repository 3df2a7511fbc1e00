//! One self-contained page: no font, no image, nothing from anywhere else.
//!
//! Invariant: it reads well without JavaScript, in light and dark and on paper, and says in words what
//! it shows in colour. Its small script filters, listens to keys and copies commands; it asks nobody
//! anything, and the page's own policy would not let it. A fragment opens one scenario alone; that is
//! done by the style sheet. Transcripts are shortened until the page fits [`Format::HTML_BYTES`], and each
//! says how many lines it left out; `run.json` holds them all.

mod lines;
mod scenario;
mod timeline;
mod view;

use minijinja::{Environment, syntax::SyntaxConfig, value::Serde};

use super::{Format, RenderError, words};
use crate::result::Run;
use scenario::Limits;
use view::{MatrixView, PageView, RunView};

/// Most transcript lines; the first that fits is taken.
const LIMITS: [Limits; 6] = [
    Limits { broken: 400, passed: 120 },
    Limits { broken: 300, passed: 60 },
    Limits { broken: 200, passed: 40 },
    Limits { broken: 100, passed: 24 },
    Limits { broken: 60, passed: 12 },
    Limits { broken: 24, passed: 6 },
];

pub(super) fn render(run: &Run) -> Result<String, RenderError> {
    let mut pages = Environment::new();
    pages.set_syntax(SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build()?);
    pages.add_template("page.html", include_str!("html/page.html"))?;
    pages.add_template("scenario.html", include_str!("html/scenario.html"))?;
    let mut page = String::new();
    for limits in LIMITS {
        page = fill(&pages, run, limits)?;
        if page.len() <= Format::HTML_BYTES {
            break;
        }
    }
    Ok(page)
}

fn fill(pages: &Environment<'_>, run: &Run, limits: Limits) -> Result<String, RenderError> {
    let page = PageView {
        style: include_str!("html/style.css"),
        script: include_str!("html/script.js"),
        headline: words::sentence(&words::headline(run)),
        unjudged: words::unjudged(run).map(|names| words::sentence(&names)),
        verdict: words::verdict(run).word(),
        run: RunView::new(run),
        counts: view::counts(run),
        gaps: view::gaps(run),
        tags: view::tags(run),
        marks: scenario::marks(),
        scenarios: scenario::all(run, limits),
        proof: run.proof.as_ref().map(|proof| MatrixView::new(&proof.rows)),
    };
    Ok(pages.get_template("page.html")?.render(Serde(page))?)
}

#[cfg(test)]
mod tests {
    use super::{super::sample, *};
    use crate::result::ScenarioResult;

    #[test]
    fn the_page_asks_for_nothing_from_outside() {
        let page = render(&sample::run()).unwrap();

        for reach in ["http://", "https://", " src=", "<link", "@import", "url(", "<img", "<iframe", "fetch("]
        {
            assert!(!page.contains(reach), "the page holds `{reach}`");
        }
        assert_eq!(page.matches("<script").count(), 1);
        assert!(page.contains(
            "content=\"default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'\""
        ));
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

        let places: Vec<_> = [
            "<h1",
            "id=\"broken\"",
            "id=\"gaps\"",
            "id=\"proof\"",
            "id=\"scenarios\"",
            "id=\"environment\"",
            "id=\"s-flood\"",
        ]
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
            assert!(page.contains(&format!("<a href=\"#s-timeout-{place}\">{place}</a>")), "{place}");
            assert!(page.contains(&format!("<li id=\"s-timeout-{place}\" class=\"p\">")), "{place}");
        }
    }

    #[test]
    fn every_table_has_a_caption_and_every_drawing_a_text() {
        let page = render(&sample::run()).unwrap();

        assert!(page.starts_with("<!doctype html>\n<html lang=\"en\">"));
        assert_eq!(page.matches("<table").count(), page.matches("<caption>").count());
        assert_eq!(
            page.matches("<svg").count(),
            page.matches("role=\"img\" aria-label=").count()
                + page.matches("<svg class=\"key\" aria-hidden=\"true\">").count()
                + page.matches("<svg class=\"off\" aria-hidden=\"true\">").count()
        );
        assert_eq!(page.matches("<details").count(), page.matches("<summary").count());
    }

    #[test]
    fn what_a_check_that_held_rests_on_is_linked_too() {
        let mut run = sample::run();
        run.scenarios[0].checks[0].evidence = vec![3];

        let page = render(&run).unwrap();

        assert!(page.contains("line <a href=\"#s-flood-3\">3</a>"), "no link");
        assert!(page.contains("<li id=\"s-flood-3\">"), "no line");
    }

    #[test]
    fn many_scenarios_with_long_transcripts_fit_and_say_what_was_left_out() {
        let mut run = sample::run();
        let mut long = run.scenarios[0].clone();
        long.transcript = (0..200).map(|n| long.transcript[n % 20].clone()).collect();
        run.scenarios = (0..150).map(|n| ScenarioResult { id: format!("s{n}"), ..long.clone() }).collect();

        let page = render(&run).unwrap();

        assert!(page.len() <= Format::HTML_BYTES, "{} bytes", page.len());
        assert!(page.contains("lines left out"), "nothing is said about the cut");
    }
}
