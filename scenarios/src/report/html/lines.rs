//! Transcript lines on the page: what is shown, what is folded into one line, what is left out.
//!
//! Invariant: a line keeps its number in `run.json`, whatever is folded or left out around it, and no
//! line that a check rests on is left out. Nothing here judges.

use std::ops::Range;

use serde::Serialize;
use serde_json::Value;

use crate::{
    report::words,
    result::{Check, Line, LineKind, ScenarioResult},
};

/// Evidence lines shown for one check.
const EVIDENCE: usize = 12;

/// Longest text of one transcript line, in characters.
pub(super) const TEXT: usize = 240;

/// Longest text of one transcript line of a scenario that passed, in characters.
pub(super) const TEXT_PASSED: usize = 110;

/// One or more transcript lines, shown as one.
#[derive(Debug, Serialize)]
pub(super) struct LineView<'a> {
    /// Index in the transcript, or the first and the last: `4` or `4–29`.
    number: String,
    at: String,
    actor: &'a str,
    kind: &'static str,
    text: String,
    /// Lines that were left out before this one, in words; empty for none.
    gap: String,
    /// First index of the transcript line, if it is evidence: half of its anchor.
    place: Option<usize>,
    /// Whether it proves a failure.
    is_proof: bool,
}

/// Returns the first and the last lines and all evidence, at most `limit` beside the evidence, and how
/// many lines of the transcript are not among them.
pub(super) fn transcript(
    scenario: &ScenarioResult,
    limit: usize,
    width: usize,
) -> (Vec<LineView<'_>>, usize) {
    let named = |check: &Check| check.evidence.iter().copied().take(EVIDENCE).collect::<Vec<_>>();
    let proofs: Vec<usize> = scenario.broken().flat_map(named).collect();
    let evidence: Vec<usize> = scenario.checks.iter().flat_map(named).collect();
    let pieces = pieces(scenario, 0..scenario.transcript.len());
    let head = limit.div_ceil(2);
    let tail = pieces.len().saturating_sub(limit - head);
    let (mut next, mut left_out) = (0, 0);
    let mut lines = Vec::new();
    for (index, piece) in pieces.iter().enumerate() {
        let is_evidence = evidence.iter().any(|index| piece.contains(index));
        let is_proof = proofs.iter().any(|index| piece.contains(index));
        if !(is_evidence || index < head || index >= tail) {
            left_out += piece.len();
            continue;
        }
        let gap = match piece.start - next {
            0 => String::new(),
            gap => words::counted(gap, "line"),
        };
        let place = is_evidence.then_some(piece.start);
        let line = view(scenario, piece, width);
        lines.extend(line.map(|line| LineView { gap, place, is_proof, ..line }));
        next = piece.end;
    }
    (lines, left_out)
}

/// Returns the lines that `check` rests on, each with its place in the transcript, and how many
/// more there are, in words; empty for none.
pub(super) fn evidence<'a>(scenario: &'a ScenarioResult, check: &Check) -> (Vec<LineView<'a>>, String) {
    let whole = pieces(scenario, 0..scenario.transcript.len());
    let shown = check.evidence.iter().copied().take(EVIDENCE);
    let lines = pieces(scenario, shown)
        .iter()
        .filter_map(|piece| {
            let place = whole.iter().find(|line| line.contains(&piece.start)).map(|line| line.start);
            view(scenario, piece, TEXT).map(|line| LineView { place, ..line })
        })
        .collect();
    let left_out = match check.evidence.len().saturating_sub(EVIDENCE) {
        0 => String::new(),
        count => words::counted(count, "line"),
    };
    (lines, left_out)
}

/// Splits `indices` into what is shown as one line; neighbours are folded only if they follow each other.
fn pieces(scenario: &ScenarioResult, indices: impl Iterator<Item = usize>) -> Vec<Range<usize>> {
    let mut pieces: Vec<Range<usize>> = Vec::new();
    for index in indices {
        match pieces.last_mut() {
            Some(last) if last.end == index && goes_on(&scenario.transcript, index) => last.end = index + 1,
            _ => pieces.push(index..index + 1),
        }
    }
    pieces
}

/// Tells whether the line at `index` is one more piece of the answer that the line before it is of.
fn goes_on(lines: &[Line], index: usize) -> bool {
    let (Some(before), Some(line)) = (index.checked_sub(1).and_then(|i| lines.get(i)), lines.get(index))
    else {
        return false;
    };
    let same = |name| field(before, name) == field(line, name);
    let answer = |line| field(line, "kind") == Some("answer") && field(line, "content").is_some();
    answer(before)
        && answer(line)
        && before.kind == LineKind::Frame
        && line.kind == LineKind::Frame
        && before.actor == line.actor
        && before.at_us / 1000 == line.at_us / 1000
        && same("type")
        && same("id")
}

fn field<'a>(line: &'a Line, name: &str) -> Option<&'a str> {
    line.data.as_ref()?.get(name).and_then(Value::as_str)
}

fn view<'a>(scenario: &'a ScenarioResult, piece: &Range<usize>, width: usize) -> Option<LineView<'a>> {
    let lines = scenario.transcript.get(piece.clone())?;
    let first = lines.first()?;
    let (number, text) = if lines.len() == 1 {
        (piece.start.to_string(), words::cut(&first.text, width))
    } else {
        (format!("{}–{}", piece.start, piece.end - 1), folded(lines, width))
    };
    Some(LineView {
        number,
        at: words::moment(first.at_us),
        actor: &first.actor,
        kind: kind(first.kind),
        text,
        gap: String::new(),
        place: None,
        is_proof: false,
    })
}

/// Returns the texts of some pieces of an answer as one.
fn folded(lines: &[Line], width: usize) -> String {
    let content: String = lines.iter().filter_map(|line| field(line, "content")).collect();
    let name = lines.first().and_then(|line| field(line, "type")).unwrap_or("frame");
    let content = words::cut(&content, width);
    format!("{name} answer “{content}” ({})", words::counted(lines.len(), "piece"))
}

const fn kind(kind: LineKind) -> &'static str {
    match kind {
        LineKind::Socket => "socket",
        LineKind::Sent => "sent",
        LineKind::Frame => "received",
        LineKind::Http => "http",
        LineKind::Upstream => "request",
        LineKind::UpstreamEnd => "ended",
        LineKind::Clock => "clock",
        LineKind::Note => "note",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{super::super::sample, *};

    /// Returns a broken scenario whose lines 1 to 4 are an answer in pieces, the last one later.
    fn answered(evidence: Vec<usize>) -> ScenarioResult {
        let mut scenario = sample::run().scenarios.remove(1);
        scenario.checks[1].evidence = evidence;
        let piece = |at_us, content: &str| Line {
            at_us,
            actor: "ana.phone".to_owned(),
            kind: LineKind::Frame,
            text: format!("message answer “{content}”"),
            data: Some(json!({"type": "message", "kind": "answer", "content": content, "id": "[id 1]"})),
        };
        let first = scenario.transcript.remove(0);
        scenario.transcript =
            vec![first, piece(0, "Thanks"), piece(0, " for"), piece(0, " telling"), piece(9_000, " me.")];
        scenario
    }

    fn told(lines: &[LineView<'_>]) -> Vec<String> {
        let told = |line: &LineView<'_>| format!("{} {} {:?}", line.number, line.text, line.place);
        lines.iter().map(told).collect()
    }

    #[test]
    fn pieces_of_one_answer_at_one_moment_are_one_line() {
        let scenario = answered(Vec::new());

        let (lines, left_out) = transcript(&scenario, 400, 80);

        assert_eq!(
            told(&lines),
            [
                "0 opened None",
                "1–3 message answer “Thanks for telling” (3 pieces) None",
                "4 message answer “ me.” None"
            ]
        );
        assert_eq!(left_out, 0);
    }

    #[test]
    fn answers_of_two_turns_are_not_one() {
        let mut scenario = answered(Vec::new());
        scenario.transcript[2].data =
            Some(json!({"type": "message", "kind": "answer", "content": "No", "id": "[id 2]"}));

        let (lines, _) = transcript(&scenario, 400, 80);

        assert_eq!(lines.len(), 5);
    }

    #[test]
    fn evidence_inside_a_fold_keeps_its_number_and_points_at_the_fold() {
        let scenario = answered(vec![2, 4]);

        let (proofs, _) = evidence(&scenario, &scenario.checks[1]);
        let (lines, _) = transcript(&scenario, 0, 80);

        assert_eq!(told(&proofs), ["2 message answer “ for” Some(1)", "4 message answer “ me.” Some(4)"]);
        assert_eq!(
            told(&lines),
            ["1–3 message answer “Thanks for telling” (3 pieces) Some(1)", "4 message answer “ me.” Some(4)"]
        );
    }

    #[test]
    fn a_cut_transcript_keeps_both_ends_and_the_evidence() {
        let mut scenario = sample::run().scenarios.remove(0);
        scenario.checks[0].held = false;
        scenario.checks[0].evidence = vec![10];

        let (lines, left_out) = transcript(&scenario, 4, 80);

        let shown: Vec<_> =
            lines.iter().map(|line| (line.number.as_str(), line.gap.as_str(), line.place)).collect();
        assert_eq!(
            shown,
            [
                ("0", "", None),
                ("1", "", None),
                ("10", "8 lines", Some(10)),
                ("18", "7 lines", None),
                ("19", "", None)
            ]
        );
        assert_eq!(left_out, 15);
    }
}
