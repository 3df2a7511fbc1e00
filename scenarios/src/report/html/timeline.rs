//! The drawn timeline: a lane for each actor over the scenario's clock.
//!
//! Invariant: everything that is drawn also stands in the transcript. The axis is not to scale: a gap is
//! drawn by the logarithm of its length, so that a burst and five idle minutes fit in one picture, and
//! the labels tell the times. Marks of one kind at one moment in one lane fall together.

use std::fmt::Write as _;

use crate::{
    report::words,
    result::{Line, LineKind, ScenarioResult},
};

/// Width of the whole drawing and of the column with the names, in pixels.
const WIDTH: usize = 920;
const NAMES: usize = 120;

/// Heights of a lane and of the axis, in pixels.
const LANE: usize = 26;
const AXIS: usize = 24;

/// Room that a label needs, in pixels.
const LABEL: f64 = 62.0;

/// Lanes that are drawn; the others are counted.
const LANES: usize = 12;

/// Moments told apart; a longer history is drawn in so many equal steps of its order.
const MOMENTS: usize = 240;

/// What has a mark, from the back to the front.
const KINDS: [LineKind; 7] = [
    LineKind::Socket,
    LineKind::Sent,
    LineKind::Frame,
    LineKind::Http,
    LineKind::Upstream,
    LineKind::UpstreamEnd,
    LineKind::Note,
];

/// Returns the drawing as SVG; nothing for an empty transcript.
pub(super) fn draw(scenario: &ScenarioResult) -> Option<String> {
    let end_us = scenario.transcript.last()?.at_us;
    let mut drawing = Drawing::new(scenario);
    drawing.clock();
    for lane in 0..drawing.actors.len() {
        drawing.lane(lane);
    }
    drawing.proofs();
    Some(drawing.close(end_us))
}

/// A timeline in the making.
struct Drawing<'a> {
    scenario: &'a ScenarioResult,
    axis: Axis,
    /// The actors that have a lane, in the order of their first deed.
    actors: Vec<&'a str>,
    /// How many have none.
    hidden: usize,
    marks: String,
}

impl<'a> Drawing<'a> {
    fn new(scenario: &'a ScenarioResult) -> Self {
        let mut actors: Vec<&str> = Vec::new();
        for line in scenario.transcript.iter().filter(|line| line.kind != LineKind::Clock) {
            if !actors.contains(&line.actor.as_str()) {
                actors.push(&line.actor);
            }
        }
        let hidden = actors.len().saturating_sub(LANES);
        actors.truncate(LANES);
        Self { scenario, axis: Axis::new(&scenario.transcript), actors, hidden, marks: String::new() }
    }

    fn height(&self) -> usize {
        AXIS + LANE * self.actors.len()
    }

    /// Draws the labels of the axis, and a line through all lanes where time was moved.
    fn clock(&mut self) {
        let height = self.height();
        let mut path = String::new();
        let moved = self.scenario.transcript.iter().filter(|line| line.kind == LineKind::Clock);
        for x in self.axis.marks(moved) {
            _ = write!(path, "M{x:.0} {AXIS}V{height}");
        }
        _ = write!(self.marks, "<path class=\"tc\" d=\"{path}\"/>");
        let mut free = 0.0;
        for (moment, x) in &self.axis.places {
            if *x >= free {
                _ = write!(
                    self.marks,
                    "<text x=\"{x:.0}\" y=\"14\" class=\"ta\">{}</text>",
                    words::moment(*moment)
                );
                free = x + LABEL;
            }
        }
    }

    fn lane(&mut self, lane: usize) {
        let (y, actor) = (middle(lane), self.actors[lane]);
        let name = escape(&words::cut(actor, 18));
        _ = write!(self.marks, "<text x=\"0\" y=\"{}\">{name}</text>", y + 4);
        _ = write!(self.marks, "<path class=\"tl\" d=\"M{NAMES} {y}H{WIDTH}\"/>");
        for kind in KINDS {
            let lines =
                self.scenario.transcript.iter().filter(|line| line.kind == kind && line.actor == actor);
            let (class, mark) = shape(kind);
            let mut path = String::new();
            for x in self.axis.marks(lines) {
                _ = write!(path, "M{x:.0} {y}{mark}");
            }
            if !path.is_empty() {
                _ = write!(self.marks, "<path class=\"{class}\" d=\"{path}\"/>");
            }
        }
    }

    /// Draws a ring around each line that proves a failure.
    fn proofs(&mut self) {
        let scenario = self.scenario;
        for (lane, actor) in self.actors.iter().enumerate() {
            let lines = scenario.broken().flat_map(|check| words::evidence(scenario, check));
            for x in self.axis.marks(lines.filter(|line| line.actor == *actor)) {
                let y = middle(lane);
                _ = write!(self.marks, "<circle class=\"tp\" cx=\"{x:.0}\" cy=\"{y}\" r=\"9\"/>");
            }
        }
    }

    fn close(self, end_us: u64) -> String {
        let more = match self.hidden {
            0 => String::new(),
            hidden => format!(", {} not drawn", words::counted(hidden, "more lane")),
        };
        format!(
            "<svg viewBox=\"0 0 {WIDTH} {}\" role=\"img\" aria-label=\"Timeline: {} over {} in {}{more}\">{}</svg>",
            self.height(),
            words::counted(self.scenario.transcript.len(), "event"),
            words::span(end_us),
            words::counted(self.actors.len(), "lane"),
            self.marks
        )
    }
}

/// Where each moment lies.
struct Axis {
    /// Moments in microseconds with their places in pixels, ascending.
    places: Vec<(u64, f64)>,
}

impl Axis {
    fn new(lines: &[Line]) -> Self {
        let mut moments: Vec<u64> = lines.iter().map(|line| line.at_us).collect();
        moments.sort_unstable();
        moments.dedup();
        let step = moments.len().div_ceil(MOMENTS).max(1);
        let mut reach = 0.0;
        let mut before = moments.first().copied().unwrap_or(0);
        let mut places = Vec::new();
        for moment in moments.into_iter().step_by(step) {
            reach += weight(moment - before);
            places.push((moment, reach));
            before = moment;
        }
        let room = whole(WIDTH - NAMES - 40);
        let scale = if reach > 0.0 { room / reach } else { 0.0 };
        for (_, x) in &mut places {
            *x = whole(NAMES + 20) + *x * scale;
        }
        Self { places }
    }

    /// Returns the place of the last known moment that is not later.
    fn x(&self, at_us: u64) -> f64 {
        let after = self.places.partition_point(|(moment, _)| *moment <= at_us);
        after.checked_sub(1).and_then(|index| self.places.get(index)).map_or(whole(NAMES), |(_, x)| *x)
    }

    /// Returns the places of some lines, in whole pixels, each once.
    fn marks<'a>(&self, lines: impl Iterator<Item = &'a Line>) -> Vec<f64> {
        let mut places: Vec<f64> = lines.map(|line| self.x(line.at_us).round()).collect();
        places.sort_by(f64::total_cmp);
        places.dedup();
        places
    }
}

/// Returns how wide a gap is drawn: nothing for none, else by its logarithm.
fn weight(gap_us: u64) -> f64 {
    let milliseconds = u32::try_from(gap_us / 1000).unwrap_or(u32::MAX);
    if gap_us == 0 { 0.0 } else { 0.5 + f64::from(milliseconds).ln_1p() }
}

fn whole(pixels: usize) -> f64 {
    f64::from(u32::try_from(pixels).unwrap_or(u32::MAX))
}

const fn middle(lane: usize) -> usize {
    AXIS + LANE * lane + LANE / 2
}

/// Returns the class and the path of a mark around the place where the pen stands.
const fn shape(kind: LineKind) -> (&'static str, &'static str) {
    match kind {
        LineKind::Sent => ("ts", "m-4-5 9 5-9 5z"),
        LineKind::Frame => ("tf", "h0"),
        LineKind::Http => ("th", "m-4-4h8v8h-8z"),
        LineKind::Upstream => ("tu", "m-6 0 6-6 6 6-6 6z"),
        LineKind::UpstreamEnd => ("te", "m-4-4 8 8m0-8-8 8"),
        LineKind::Socket => ("to", "m0-8v16"),
        LineKind::Note | LineKind::Clock => ("tn", "h0"),
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::{super::super::sample, *};

    #[test]
    fn each_actor_has_a_lane_and_each_evidence_a_ring() {
        let scenario = sample::run().scenarios.remove(1);

        let svg = draw(&scenario).unwrap();

        assert!(svg.contains("aria-label=\"Timeline: 6 events over 30.0s in 2 lanes\""), "{svg}");
        assert_eq!(svg.matches("class=\"tl\"").count(), 2);
        assert_eq!(svg.matches("class=\"tp\"").count(), 3, "the clock has no lane");
    }

    #[test]
    fn five_idle_minutes_do_not_squeeze_a_burst() {
        let mut scenario = sample::run().scenarios.remove(0);
        let mut late = scenario.transcript[0].clone();
        late.at_us = 301_000_000;
        scenario.transcript.push(late);

        let axis = Axis::new(&scenario.transcript);

        assert!(axis.x(190_000) - axis.x(0) > 400.0, "the burst has {} pixels", axis.x(190_000) - axis.x(0));
        assert!(axis.x(301_000_000) <= whole(WIDTH - 20));
    }

    #[test]
    fn a_long_history_stays_a_small_drawing() {
        let mut scenario = sample::run().scenarios.remove(0);
        scenario.transcript = (0..100_000)
            .map(|n| Line {
                at_us: n * 1000,
                actor: format!("user {}", n % 50),
                ..scenario.transcript[0].clone()
            })
            .collect();

        let svg = draw(&scenario).unwrap();

        assert!(svg.len() < 100_000, "{} bytes", svg.len());
        assert!(svg.contains("38 more lanes not drawn"));
    }

    #[test]
    fn an_empty_transcript_is_not_drawn() {
        assert!(draw(&sample::run().scenarios[2]).is_none());
    }
}
