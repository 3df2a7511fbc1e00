//! Where each line of a transcript lies.

use super::Mark;
use crate::result::Line;

/// Widest that one mark may be drawn, in pixels: a short story does not fill the page.
const WIDEST: f64 = 24.0;

/// Lines of one moment, side by side.
#[derive(Debug)]
pub(super) struct Moment {
    pub(super) at_us: u64,
    /// Where it begins and ends, in pixels.
    pub(super) from: f64,
    pub(super) to: f64,
}

/// The places of all lines.
#[derive(Debug)]
pub(super) struct Axis {
    /// The middle of each line's mark, in pixels.
    pub(super) x: Vec<f64>,
    /// The moments, ascending; a moment is a millisecond.
    pub(super) moments: Vec<Moment>,
}

impl Axis {
    /// Places `lines` between two ends. Marks of one group that follow each other at one moment share a
    /// room that grows with the root of their number: a flood leaves room for what comes of it.
    pub(super) fn new(lines: &[Line], groups: &[(usize, Mark)], (left, right): (f64, f64)) -> Self {
        let mut order: Vec<usize> = (0..lines.len()).collect();
        order.sort_by_key(|n| lines[*n].at_us);
        let mut axis = Self { x: vec![0.0; lines.len()], moments: Vec::new() };
        let millisecond = |n: usize| lines[n].at_us / 1000;
        let (mut reach, mut before) = (0.0, None);
        for moment in order.chunk_by(|a, b| millisecond(*a) == millisecond(*b)) {
            let at_us = lines[moment[0]].at_us;
            reach += before.map_or(0.0, |before| pause(at_us - before));
            before = Some(at_us);
            let from = reach;
            for run in moment.chunk_by(|a, b| groups[*a] == groups[*b]) {
                let step = 1.0 / count(run.len()).sqrt();
                for n in run {
                    axis.x[*n] = reach + step / 2.0;
                    reach += step;
                }
            }
            axis.moments.push(Moment { at_us, from, to: reach });
        }
        axis.scale(((right - left) / reach).min(WIDEST), left);
        axis
    }

    fn scale(&mut self, by: f64, left: f64) {
        let ends = self.moments.iter_mut().flat_map(|moment| [&mut moment.from, &mut moment.to]);
        for x in self.x.iter_mut().chain(ends) {
            *x = left + *x * by;
        }
    }
}

/// Returns how wide a pause is drawn, in marks.
fn pause(microseconds: u64) -> f64 {
    let milliseconds = u32::try_from(microseconds / 1000).unwrap_or(u32::MAX);
    0.4 + f64::from(milliseconds).ln_1p() / 3.0
}

fn count(n: usize) -> f64 {
    f64::from(u32::try_from(n).unwrap_or(u32::MAX))
}
