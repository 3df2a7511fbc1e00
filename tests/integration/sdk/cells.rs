//! Every fault of the catalogue against both SDKs, streamed and not.
//!
//! Invariant: the committed table `docs/SDKS.md` is what the SDKs did just now, and each fault in it went over the wire.

use std::{env, fs, path::Path};

use mock_deepseek::{ApiProfile, Carrier, Fault, FaultInfo, Layer, Mode, catalogue};
use serde_json::json;

use super::{Run, Sdk, Seen, Server, Task, calls::says};

/// The committed table, from the root.
const TABLE: &str = "docs/SDKS.md";
/// What stands around the rows that the test writes.
const BEGIN: &str = "<!-- rows: written by the test -->\n";
const END: &str = "<!-- end of rows -->\n";

/// Faults that are not taken by their defaults. Most of these take longer than a test should: a fault that ends by
/// itself must do so within the absolute limit of a cell.
const SETTINGS: [(&str, &str); 14] = [
    ("blank-lines-before-json", "every = \"300ms\""),
    ("blank-lines-then-close", "every = \"100ms\""),
    ("early-headers-late-body", "lasts = \"3s\""),
    ("gateway-504", "after = \"500ms\""),
    ("gateway-524", "after = \"500ms\""),
    ("gzip-truncated", "percent = 40"),
    ("heartbeat-hides-stall", "every = \"300ms\""),
    ("idle-edge-close", "lasts = \"1s\""),
    ("keepalive-only-forever", "every = \"300ms\""),
    ("proxy-burst", "lasts = \"1s\""),
    ("slow-first-token", "lasts = \"3s\""),
    ("sse-keepalive-comments", "every = \"300ms\""),
    ("token-drip", "every = \"300ms\""),
    ("undici-300s", "lasts = \"3s\""),
];

/// Faults that do something else worth knowing under other parameters.
const VARIANTS: [(&str, &str); 18] = [
    ("blank-lines-before-json", "every = \"0ms\", count = 65536"),
    ("heartbeat-hides-stall", "sign = \"ping\""),
    ("idle-edge-close", "after_events = 3"),
    ("json-mode-blank", "text = \"nothing\""),
    ("keepalive-only-forever", "after_events = 3"),
    ("overloaded-in-200", "after_events = 3"),
    ("stale-keepalive-reuse", "end = \"reset\""),
    ("stall", "after_events = 0"),
    ("think-tag-leak", "tags = \"close\""),
    ("tls-handshake-stall", "lasts = \"1s\""),
    ("token-drip", "every = \"0ms\""),
    ("tool-index-broken", "broken = \"index-missing\""),
    ("tool-index-broken", "broken = \"id-blank\""),
    ("tool-index-broken", "broken = \"id-repeated\""),
    ("undici-300s", "place = \"before-head\""),
    ("wrong-content-type", "value = \"\""),
    ("wrong-language", "what = \"thinking\""),
    ("wrong-language", "what = \"mixed\""),
];

/// Faults whose meaning changes for a client when it had asked to close the connection after the answer.
const CLOSING: [&str; 4] = ["bad-chunk-size", "chunked-cut", "eof-no-finish", "tcp-rst-mid-stream"];

/// The forms of a reply.
const FORMS: [(&str, Mode); 2] = [("stream", Mode::Stream), ("single", Mode::Single)];

/// Faults that strike the second request on a connection.
const TWICE: [&str; 1] = ["stale-keepalive-reuse"];

/// Faults that make an SDK ask again by itself, without an end unless the rule of the script holds only once.
const ROUND: [&str; 1] = ["redirect-307"];

/// How often both SDKs go where they are sent.
const REDIRECTS_MAX: usize = 20;

/// A row of the table: a fault with its parameters.
struct Row {
    fault: &'static FaultInfo,
    label: String,
    /// As an inline table of a script has them, each after a comma.
    parameters: String,
    /// Whether the client asks to close the connection after the answer.
    closing: bool,
    /// Whether the fault happens to the first request only.
    once: bool,
}

impl Row {
    /// Returns all rows, each fault's together.
    fn all() -> Vec<Self> {
        catalogue().iter().flat_map(Self::of).collect()
    }

    fn of(fault: &'static FaultInfo) -> Vec<Self> {
        let of_fault = |(id, _): &&(&str, &str)| *id == fault.id;
        let usual = SETTINGS.iter().find(of_fault).map_or("", |(_, parameters)| parameters);
        let row = |label: &str, parameters: &[&str]| {
            let label = format!("`{}`{label}", fault.id);
            let parameters =
                parameters.iter().filter(|text| !text.is_empty()).map(|text| format!(", {text}"));
            Self { fault, label, parameters: parameters.collect(), closing: false, once: false }
        };
        let mut rows = vec![row("", &[usual])];
        for (_, parameters) in VARIANTS.iter().filter(of_fault) {
            let key = |text: &'static str| text.split(" = ").next();
            let usual = if key(usual) == key(parameters) { "" } else { usual };
            rows.push(row(&format!(", `{parameters}`"), &[usual, parameters]));
        }
        if CLOSING.contains(&fault.id) {
            rows.push(Self { closing: true, ..row(", `Connection: close`", &[usual]) });
        }
        if ROUND.contains(&fault.id) {
            rows.push(Self { once: true, ..row(", `times = 1`", &[usual]) });
        }
        rows
    }

    /// Says whether it can happen to a reply of this form.
    fn concerns(&self, form: Mode) -> bool {
        // Neither SDK speaks HTTP/2.
        self.fault.carrier != Carrier::Http2 && (self.fault.mode == Mode::Any || self.fault.mode == form)
    }

    fn name(&self, form: &str) -> String {
        format!("{} ({form})", self.label)
    }

    fn twice(&self) -> bool {
        TWICE.contains(&self.fault.id)
    }

    /// Returns the most requests that it may make: retries are off.
    fn requests_max(&self) -> usize {
        match ROUND.contains(&self.fault.id) {
            true if self.once => 2,
            true => 1 + REDIRECTS_MAX,
            false => 1 + usize::from(self.twice()),
        }
    }

    fn is_dead_end(&self) -> bool {
        self.fault.layer == Layer::Address
    }

    /// Returns a task for each of its cells.
    fn tasks(&self) -> Vec<Task> {
        let forms = FORMS.into_iter().filter(|(_, form)| self.concerns(*form));
        forms.map(|(call, _)| self.task(call)).collect()
    }

    fn task(&self, call: &'static str) -> Task {
        let arguments = json!({"closing": self.closing, "twice": self.twice()});
        Task { name: self.name(call), call, server: self.server(), api: ApiProfile::Current, arguments }
    }

    fn server(&self) -> Server {
        let (id, parameters) = (self.fault.id, &self.parameters);
        if self.is_dead_end() {
            return Server::DeadEnd(Fault::new(id).unwrap());
        }
        let faults = format!("faults = [{{ id = \"{id}\"{parameters} }}]\n");
        let usual = says("");
        let script =
            if self.once { format!("[[rules]]\ntimes = 1\n{faults}{usual}") } else { usual + &faults };
        if self.fault.carrier == Carrier::Tls { Server::Secure(script) } else { Server::Mock(script) }
    }

    /// Writes the row, with the columns of each run.
    fn text(&self, runs: &[&Run]) -> String {
        let cells = runs.iter().flat_map(|run| FORMS.map(|(form, _)| self.cell(run.get(&self.name(form)))));
        format!("| {} | {} |\n", self.label, cells.collect::<Vec<_>>().join(" | "))
    }

    /// Says what was seen; a dash stands for a fault that has no place in such a reply.
    fn cell(&self, seen: Option<&Seen>) -> String {
        let Some(Seen { saw, exchanges }) = seen else { return "—".to_owned() };
        let requests = exchanges.iter().filter(|exchange| exchange.is_chat()).count();
        let most = self.requests_max();
        assert!(requests <= most, "{}: {requests} requests, though retries are off", self.label);
        let mut faults = exchanges.iter().flat_map(|exchange| &exchange.faults);
        if self.is_dead_end() || faults.any(|fault| fault.fired) {
            saw.as_str().unwrap().to_owned()
        } else {
            "—".to_owned()
        }
    }
}

/// Returns a task for each cell of the table.
pub(super) fn tasks() -> Vec<Task> {
    Row::all().iter().flat_map(Row::tasks).collect()
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

    let rows = Row::all();
    let writes = env::var("INSTA_UPDATE").is_ok_and(|value| value == "always");
    let is_doubted = |row: &Row| !writes && !committed.contains(&row.text(&runs));
    let doubted: Vec<_> = rows.iter().filter(|row| is_doubted(row)).flat_map(Row::tasks).collect();
    let again = [Sdk::Python, Sdk::Node].map(|sdk| sdk.run_again(&doubted));
    let text = |row: &Row| if is_doubted(row) { row.text(&again.each_ref()) } else { row.text(&runs) };
    let seen: String = rows.iter().map(text).collect();
    if writes {
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

#[test]
fn every_fault_that_the_lists_name_exists() {
    let named = SETTINGS.iter().chain(&VARIANTS).map(|(id, _)| *id).chain(CLOSING).chain(TWICE).chain(ROUND);
    let unknown: Vec<_> = named.filter(|id| catalogue().get(id).is_none()).collect();
    assert!(unknown.is_empty(), "no faults of the catalogue: {unknown:?}");
}
