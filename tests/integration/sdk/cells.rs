//! Every fault of the catalogue against both SDKs, streamed and not.
//!
//! Invariant: the committed table `docs/SDKS.md` is what the SDKs did just now, and each fault in it went over the wire.

use std::{env, fs, path::Path};

use mock_deepseek::{FaultInfo, Mode, catalogue};
use serde_json::json;

use super::{Run, Sdk, Seen, Task, program::TEXT};

/// The committed table, from the root.
const TABLE: &str = "docs/SDKS.md";
/// What stands around the rows that the test writes.
const BEGIN: &str = "<!-- rows: written by the test -->\n";
const END: &str = "<!-- end of rows -->\n";

/// Faults whose defaults take longer than a test should: everything shrinks, so that a fault that ends well does so
/// within the absolute limit of a cell.
const QUICK: [(&str, &str); 5] = [
    ("blank-lines-before-json", "every = \"300ms\""),
    ("keepalive-only-forever", "every = \"300ms\""),
    ("slow-first-token", "lasts = \"3s\""),
    ("sse-keepalive-comments", "every = \"300ms\""),
    ("token-drip", "every = \"300ms\""),
];

/// Faults that do something else worth knowing under other parameters.
const VARIANTS: [(&str, &str); 3] = [
    ("keepalive-only-forever", "every = \"300ms\", after_events = 3"),
    ("stall", "after_events = 0"),
    ("wrong-content-type", "value = \"\""),
];

/// Faults whose meaning changes for a client when it had asked to close the connection after the answer.
const CLOSING: [&str; 4] = ["bad-chunk-size", "chunked-cut", "eof-no-finish", "tcp-rst-mid-stream"];

/// The forms of a reply.
const FORMS: [(&str, Mode); 2] = [("stream", Mode::Stream), ("single", Mode::Single)];

/// A row of the table: a fault with its parameters.
struct Row {
    fault: &'static FaultInfo,
    parameters: &'static str,
    label: String,
    closing: bool,
}

impl Row {
    /// Returns all rows, each fault's together.
    fn all() -> Vec<Self> {
        catalogue().iter().flat_map(Self::of).collect()
    }

    fn of(fault: &'static FaultInfo) -> Vec<Self> {
        let parameters =
            QUICK.iter().find(|(id, _)| *id == fault.id).map_or("", |(_, parameters)| parameters);
        let mut rows = vec![Self { fault, parameters, label: format!("`{}`", fault.id), closing: false }];
        for (_, parameters) in VARIANTS.iter().filter(|(id, _)| *id == fault.id) {
            let label = format!("`{}`, `{parameters}`", fault.id);
            rows.push(Self { fault, parameters, label, closing: false });
        }
        if CLOSING.contains(&fault.id) {
            let label = format!("`{}`, `Connection: close`", fault.id);
            rows.push(Self { fault, parameters, label, closing: true });
        }
        rows
    }

    /// Says whether it can happen to a reply of this form.
    fn concerns(&self, form: Mode) -> bool {
        self.fault.mode == Mode::Any || self.fault.mode == form
    }

    fn name(&self, form: &str) -> String {
        format!("{} ({form})", self.label)
    }

    fn task(&self, call: &'static str) -> Task {
        let (id, comma) = (self.fault.id, if self.parameters.is_empty() { "" } else { ", " });
        let fault = format!("{{ id = \"{id}\"{comma}{} }}", self.parameters);
        let script =
            format!("[default]\nreply = {{ text = \"{TEXT}\", thinking = \"\" }}\nfaults = [{fault}]\n");
        Task { name: self.name(call), call, script, arguments: json!({"closing": self.closing}) }
    }

    /// Writes the row, with the columns of each run.
    fn text(&self, runs: &[&Run]) -> String {
        let cells = runs.iter().flat_map(|run| FORMS.map(|(form, _)| self.cell(run.get(&self.name(form)))));
        format!("| {} | {} |\n", self.label, cells.collect::<Vec<_>>().join(" | "))
    }

    /// Says what was seen; a dash stands for a fault that has no place in such a reply.
    fn cell(&self, seen: Option<&Seen>) -> String {
        let Some(Seen { saw, exchanges }) = seen else { return "—".to_owned() };
        assert_eq!(exchanges.len(), 1, "{}: retries are off", self.label);
        let fired = exchanges[0].faults.iter().all(|fault| fault.fired);
        if fired { saw.as_str().unwrap().to_owned() } else { "—".to_owned() }
    }
}

/// Returns a task for each cell of the table.
pub(super) fn tasks() -> Vec<Task> {
    let rows = Row::all();
    let cells = rows.iter().flat_map(|row| FORMS.iter().map(move |form| (row, form)));
    cells.filter(|(row, (_, form))| row.concerns(*form)).map(|(row, (call, _))| row.task(call)).collect()
}

/// Returns what both SDKs saw, if both are here. They run at the same time.
fn runs() -> Option<[&'static Run; 2]> {
    std::thread::scope(|scope| {
        let node = scope.spawn(|| Sdk::Node.run());
        let python = Sdk::Python.run();
        Some([python?, node.join().unwrap()?])
    })
}

/// Returns the lines of one text that are not in the other.
fn lines_missing<'a>(of: &'a str, within: &str) -> Vec<&'a str> {
    of.lines().filter(|line| !within.lines().any(|other| other == *line)).collect()
}

#[test]
fn the_committed_table_is_what_the_sdks_do_with_each_fault_m1() {
    let Some(runs) = runs() else { return };
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(TABLE);
    let document = fs::read_to_string(&path).unwrap();
    let (before, rest) = document.split_once(BEGIN).unwrap();
    let (committed, after) = rest.split_once(END).unwrap();

    let seen: String = Row::all().iter().map(|row| row.text(&runs)).collect();

    if env::var("INSTA_UPDATE").is_ok_and(|value| value == "always") {
        fs::write(&path, format!("{before}{BEGIN}{seen}{END}{after}")).unwrap();
        return;
    }
    let (gone, new) = (lines_missing(committed, &seen), lines_missing(&seen, committed));
    assert!(
        committed == seen,
        "{TABLE} says\n  {}\nand the SDKs do\n  {}\nINSTA_UPDATE=always writes what they do",
        gone.join("\n  "),
        new.join("\n  ")
    );
}
