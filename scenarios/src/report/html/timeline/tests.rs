//! Tests of the drawn timeline.

use serde_json::json;

use super::{super::super::sample, *};

/// Returns the lines that the paths of marks name, in order.
fn marked(svg: &str) -> Vec<usize> {
    let lists = svg.split("data-l=\"").skip(1).filter_map(|rest| rest.split('"').next());
    let range = |text: &str| {
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        first.parse::<usize>().unwrap()..=last.parse().unwrap()
    };
    let mut marked: Vec<usize> = lists.flat_map(|list| list.split(' ').flat_map(range)).collect();
    marked.sort_unstable();
    marked
}

/// Returns how many marks the paths that name lines draw.
fn drawn(svg: &str) -> usize {
    let paths = svg.split("data-l=\"").skip(1).filter_map(|rest| rest.split("d=\"").nth(1));
    paths.filter_map(|rest| rest.split('"').next()).map(|path| path.matches('M').count()).sum()
}

fn line(at_us: u64, actor: &str, kind: LineKind, data: Option<Value>) -> Line {
    Line { at_us, actor: actor.to_owned(), kind, text: "text".to_owned(), data }
}

#[test]
fn each_event_has_one_mark_and_each_evidence_a_ring_s13() {
    let scenario = sample::run().scenarios.remove(1);

    let svg = draw(&scenario).unwrap();

    assert_eq!(marked(&svg), [0, 1, 2, 3, 4, 5]);
    assert_eq!(drawn(&svg), 6);
    assert_eq!(svg.matches("class=\"tp\"").count(), 4);
    assert!(
        svg.contains("Timeline: 6 events over 30.0s in 4 lanes: ana.phone, server, model, clock"),
        "{svg}"
    );
}

#[test]
fn devices_of_one_user_stand_side_by_side_above_the_server() {
    let actors = ["ana.phone", "bea.phone", "ana", "ana.tablet"];
    let mut lines: Vec<_> = actors.iter().map(|actor| line(0, actor, LineKind::Http, None)).collect();
    lines.push(line(0, "llm", LineKind::Upstream, None));
    lines.push(line(0, "harness", LineKind::Note, None));
    lines.push(line(0, "target", LineKind::Note, None));

    let names: Vec<_> = Lanes::new(&lines).all.iter().map(|lane| lane.name().into_owned()).collect();

    assert_eq!(names, ["ana.phone", "ana", "ana.tablet", "bea.phone", "server", "faults", "notes"]);
}

#[test]
fn an_exchange_is_a_bar_and_a_fault_has_its_own_lane_and_name() {
    let mut scenario = sample::run().scenarios.remove(0);
    let end = json!({"faults": ["crlf"], "request": 0});
    scenario.transcript =
        vec![line(0, "llm", LineKind::Upstream, None), line(5_000, "llm", LineKind::UpstreamEnd, Some(end))];

    let svg = draw(&scenario).unwrap();

    assert!(svg.contains("in 3 lanes: server, model, faults"), "{svg}");
    assert_eq!(svg.matches("class=\"tx\"").count(), 1);
    assert!(svg.contains("class=\"tt\">crlf</text>"), "{svg}");
    assert_eq!(marks(&scenario), [Mark::Asked, Mark::Fault]);
}

#[test]
fn marks_of_one_moment_stand_side_by_side_in_their_order() {
    let scenario = sample::run().scenarios.remove(1);
    let drawing = Drawing::new(&scenario);

    let x = &drawing.axis.x;

    assert!(x[2] < x[3] && x[4] < x[5], "{x:?}");
    assert_eq!(drawing.axis.moments.len(), 4);
}

#[test]
fn five_idle_minutes_do_not_squeeze_a_burst() {
    let mut scenario = sample::run().scenarios.remove(0);
    scenario.transcript.push(line(301_000_000, "ana.phone", LineKind::Sent, None));

    let x = Drawing::new(&scenario).axis.x;

    assert!(x[19] - x[0] > 300.0, "the burst has {} pixels", x[19] - x[0]);
    assert!(x[20] <= f64::from(WIDTH));
}

#[test]
fn a_long_history_of_a_crowd_is_drawn_whole_in_few_lanes() {
    let mut scenario = sample::run().scenarios.remove(0);
    let crowd = |n: u64| line(n * 1000, &format!("user{}.phone", n % 50), LineKind::Sent, None);
    scenario.transcript = (0..5000).map(crowd).collect();

    let svg = draw(&scenario).unwrap();

    assert_eq!(marked(&svg).len(), 5000);
    assert!(svg.contains(">38 more</text>"), "{svg}");
    assert!(svg.contains("in 13 lanes"), "{svg}");
}

#[test]
fn an_empty_transcript_is_not_drawn_nor_one_without_end() {
    let mut scenario = sample::run().scenarios.remove(2);
    assert!(draw(&scenario).is_none());

    scenario.transcript = vec![line(0, "ana.phone", LineKind::Sent, None); EVENTS_MAX + 1];
    assert!(draw(&scenario).is_none());
}
