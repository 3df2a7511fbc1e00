//! The drawn timeline: a lane for each device, the server, the model, faults, the clock and notes.
//!
//! Invariant: each line of the transcript has one mark, and each path of marks names its lines in the same
//! order (`data-l`). The axis is not to scale: what happens at one moment stands side by side in its order,
//! and a pause is drawn by the logarithm of its length, so that a burst and five idle minutes fit in one
//! picture. The labels tell the times.

mod axis;
mod lane;
mod mark;

use std::fmt::Write as _;

use serde_json::Value;

use crate::{
    report::words,
    result::{Line, LineKind, ScenarioResult},
};
use axis::Axis;
use lane::{Lane, Lanes};

pub(super) use mark::Mark;

/// Width of the whole drawing and of the column with the names, in pixels.
const WIDTH: u32 = 920;
const NAMES: u32 = 112;

/// Heights of a lane and of the axis, in pixels.
const LANE: usize = 26;
const AXIS: usize = 26;

/// Room that the label of a moment needs, and a letter of any label, in pixels.
const MOMENT: f64 = 54.0;
const LETTER: f64 = 6.2;

/// Longest label of a mark, and the shortest that is left of one when room is short, in characters.
const LABEL: usize = 100;
const LABEL_LEAST: usize = 14;

/// Most events of a drawing; a longer story is not drawn.
pub(super) const EVENTS_MAX: usize = 10_000;

/// Most moments that are shown as a band behind their marks.
const BANDS: usize = 48;

/// Returns the drawing as SVG; nothing for an empty transcript, nor for one above [`EVENTS_MAX`].
pub(super) fn draw(scenario: &ScenarioResult) -> Option<String> {
    let end_us = scenario.transcript.last().filter(|_| scenario.transcript.len() <= EVENTS_MAX)?.at_us;
    let mut drawing = Drawing::new(scenario);
    drawing.moments();
    drawing.moves();
    drawing.names();
    drawing.exchanges();
    for lane in 0..drawing.lanes.all.len() {
        drawing.marks(lane);
        drawing.labels(lane);
    }
    drawing.proofs();
    Some(drawing.close(end_us))
}

/// Returns the kinds of marks that a drawing holds, for its legend.
pub(super) fn marks(scenario: &ScenarioResult) -> Vec<Mark> {
    let has = |mark: &Mark| scenario.transcript.iter().any(|line| Mark::of(line) == *mark);
    Mark::ALL.into_iter().filter(has).collect()
}

/// A timeline in the making.
struct Drawing<'a> {
    scenario: &'a ScenarioResult,
    lanes: Lanes<'a>,
    axis: Axis,
    svg: String,
}

impl<'a> Drawing<'a> {
    fn new(scenario: &'a ScenarioResult) -> Self {
        let story = &scenario.transcript;
        let lanes = Lanes::new(story);
        let groups: Vec<_> =
            story.iter().zip(&lanes.of).map(|(line, lane)| (*lane, Mark::of(line))).collect();
        let axis = Axis::new(story, &groups, (f64::from(NAMES) + 14.0, f64::from(WIDTH) - 14.0));
        Self { scenario, lanes, axis, svg: String::new() }
    }

    fn height(&self) -> usize {
        AXIS + LANE * self.lanes.all.len()
    }

    /// Draws a band for each moment, and the times of those that have room for it.
    fn moments(&mut self) {
        let height = self.height() - AXIS;
        if self.axis.moments.len() <= BANDS {
            let mut bands = String::new();
            for moment in &self.axis.moments {
                let (from, width) = (moment.from - 3.0, moment.to - moment.from + 6.0);
                _ = write!(bands, "M{from:.1} {AXIS}h{width:.1}v{height}h-{width:.1}z");
            }
            _ = write!(self.svg, "<path class=\"tm\" d=\"{bands}\"/>");
        }
        let mut free = 0.0;
        for moment in &self.axis.moments {
            let x = moment.from.min(f64::from(WIDTH) - MOMENT);
            if x >= free {
                let time = words::moment(moment.at_us);
                _ = write!(self.svg, "<text x=\"{x:.0}\" y=\"16\" class=\"ta\">{time}</text>");
                free = x + MOMENT;
            }
        }
    }

    /// Draws a line through all lanes where time was moved.
    fn moves(&mut self) {
        let (height, lines) = (self.height(), &self.scenario.transcript);
        let moved = lines.iter().zip(&self.axis.x).filter(|(line, _)| line.kind == LineKind::Clock);
        let path = moved.map(|(_, x)| format!("M{x:.1} {AXIS}V{height}")).collect::<Vec<_>>().concat();
        if !path.is_empty() {
            _ = write!(self.svg, "<path class=\"tc\" d=\"{path}\"/>");
        }
    }

    fn names(&mut self) {
        for (n, lane) in self.lanes.all.iter().enumerate() {
            let (y, name) = (middle(n), escape(&words::cut(&lane.name(), 17)));
            _ = write!(self.svg, "<text x=\"0\" y=\"{}\">{name}</text>", y + 4);
            _ = write!(self.svg, "<path class=\"tl\" d=\"M{NAMES} {y}H{WIDTH}\"/>");
        }
    }

    /// Draws a bar for each exchange with the model, from its request to its end.
    fn exchanges(&mut self) {
        let Some(y) = self.lanes.all.iter().position(|lane| *lane == Lane::Model).map(middle) else { return };
        let mut path = String::new();
        for (n, line) in self.scenario.transcript.iter().enumerate() {
            if let Some(from) = request(line).and_then(|request| self.axis.x.get(request)) {
                _ = write!(path, "M{from:.1} {y}H{:.1}", self.axis.x[n]);
            }
        }
        if !path.is_empty() {
            _ = write!(self.svg, "<path class=\"tx\" d=\"{path}\"/>");
        }
    }

    /// Draws the marks of a lane, a path for each kind.
    fn marks(&mut self, lane: usize) {
        let y = middle(lane);
        for mark in Mark::ALL {
            let (mut path, mut places) = (String::new(), Vec::new());
            for (n, line) in self.scenario.transcript.iter().enumerate() {
                if self.lanes.of[n] == lane && Mark::of(line) == mark {
                    _ = write!(path, "M{:.1} {y}{}", self.axis.x[n], mark.shape());
                    places.push(n);
                }
            }
            if !places.is_empty() {
                let places = ranges(&places);
                _ = write!(self.svg, "<path class=\"{}\" data-l=\"{places}\" d=\"{path}\"/>", mark.class());
            }
        }
    }

    /// Writes beside the marks of a lane what they are called, as far as there is room.
    fn labels(&mut self, lane: usize) {
        let (y, mut free) = (middle(lane) + 4, f64::from(NAMES));
        let here = (0..self.axis.x.len()).filter(|n| self.lanes.of[*n] == lane).collect::<Vec<_>>();
        for (place, n) in here.iter().enumerate() {
            let Some(label) = label(&self.scenario.transcript[*n]) else { continue };
            let x = self.axis.x[*n] + 9.0;
            let next = here.get(place + 1).map_or(f64::from(WIDTH), |next| self.axis.x[*next] - 6.0);
            let label = words::cut(&label, letters(next - x));
            let is_whole = !label.ends_with('…') || label.chars().count() >= LABEL_LEAST;
            if x >= free && is_whole {
                _ = write!(self.svg, "<text x=\"{x:.0}\" y=\"{y}\" class=\"tt\">{}</text>", escape(&label));
                free = x + LETTER * whole(label.chars().count());
            }
        }
    }

    /// Draws a ring around each line that proves a failure.
    fn proofs(&mut self) {
        for check in self.scenario.broken() {
            for place in check.evidence.iter().filter(|place| **place < self.axis.x.len()) {
                let (x, y) = (self.axis.x[*place], middle(self.lanes.of[*place]));
                _ = write!(self.svg, "<circle class=\"tp\" cx=\"{x:.1}\" cy=\"{y}\" r=\"9\"/>");
            }
        }
    }

    fn close(self, end_us: u64) -> String {
        let names: Vec<_> = self.lanes.all.iter().map(|lane| lane.name()).collect();
        format!(
            "<svg class=\"timeline\" viewBox=\"0 0 {WIDTH} {}\" role=\"img\" aria-label=\"Timeline: {} over {} in {}: {}\">{}</svg>",
            self.height(),
            words::counted(self.scenario.transcript.len(), "event"),
            words::span(end_us),
            words::counted(self.lanes.all.len(), "lane"),
            escape(&names.join(", ")),
            self.svg
        )
    }
}

/// Returns ascending places as ranges: `0-3 7`.
fn ranges(places: &[usize]) -> String {
    let follows = |a: &usize, b: &usize| a + 1 == *b;
    let told = places.chunk_by(follows).map(|run| match run {
        [first, .., last] => format!("{first}-{last}"),
        run => run.iter().map(ToString::to_string).collect(),
    });
    told.collect::<Vec<_>>().join(" ")
}

/// Returns what is written beside a mark: the name of a moment, what the harness did, a fault.
fn label(line: &Line) -> Option<String> {
    match Mark::of(line) {
        Mark::Note => {
            let name = line.text.strip_prefix("mark `").and_then(|rest| rest.strip_suffix('`'));
            Some(words::cut(name.unwrap_or(&line.text), LABEL))
        }
        Mark::Fault => match faults(line).join(", ").as_str() {
            "" => Some(words::cut(&line.text, LABEL)),
            faults => Some(words::cut(faults, LABEL)),
        },
        _ => None,
    }
}

/// Returns the place of the request that this line is the end of.
fn request(line: &Line) -> Option<usize> {
    usize::try_from(line.data.as_ref()?.get("request")?.as_u64()?).ok()
}

/// Returns the faults that went over the wire in the exchange that this line is the end of.
fn faults(line: &Line) -> Vec<&str> {
    let faults = line.data.as_ref().and_then(|data| data.get("faults")).and_then(Value::as_array);
    faults.into_iter().flatten().filter_map(Value::as_str).collect()
}

const fn middle(lane: usize) -> usize {
    AXIS + LANE * lane + LANE / 2
}

/// Returns how many letters have room in so many pixels.
fn letters(pixels: f64) -> usize {
    (1..=LABEL).take_while(|count| LETTER * whole(*count) <= pixels).count()
}

fn whole(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests;
