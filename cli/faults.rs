//! `gauntlet faults`: the catalogue, with the bytes and the sources.

use std::fmt::Write as _;

use clap::{Args, Subcommand};
use mock_deepseek::{Fault, FaultInfo, FaultKind, Layer, Place, catalogue};

use crate::{exit_code::ExitCode, failure::Failure, output};

/// Which faults to tell about.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List the faults by layer
    List(Selection),
    /// Explain a fault: what goes over the wire, what it broke, where it was seen, how to ask for it
    Show {
        /// Id of the fault, or `ID;parameter=value` to see other bytes
        #[arg(value_name = "ID")]
        fault: String,
    },
    /// Print the page of all faults, docs/FAULTS.md
    Page,
}

/// Which faults to list; all, when nothing is said.
#[derive(Clone, Debug, Default, Args)]
struct Selection {
    /// Only those that break this layer: semantics, json, sse, head, time, body, tls, tcp, state or address
    #[arg(long, value_name = "LAYER")]
    layer: Option<Layer>,
    /// Only those of this kind: legitimate or failure
    #[arg(long, value_name = "KIND")]
    kind: Option<FaultKind>,
}

pub(crate) fn run(arguments: Arguments) -> Result<ExitCode, Failure> {
    match arguments.action.unwrap_or_else(|| Action::List(Selection::default())) {
        Action::List(selection) => output::print(&list(&selection)),
        Action::Show { fault } => output::print(&show(&Fault::parse(&fault).map_err(Failure::usage)?)),
        Action::Page => output::print(&mock_deepseek::catalogue_page()),
    }
    Ok(ExitCode::Held)
}

impl Selection {
    fn holds(&self, fault: &FaultInfo) -> bool {
        self.layer.is_none_or(|layer| layer == fault.layer) && self.kind.is_none_or(|kind| kind == fault.kind)
    }
}

fn list(selection: &Selection) -> String {
    let faults: Vec<_> = catalogue().iter().filter(|fault| selection.holds(fault)).collect();
    let ids = faults.iter().map(|fault| fault.id.len()).max().unwrap_or_default();
    let places = faults.iter().map(|fault| fault.place.name().len()).max().unwrap_or_default();
    let mut text = String::new();
    for layer in Layer::ALL {
        let mut rows = faults.iter().filter(|fault| fault.layer == layer).peekable();
        if rows.peek().is_some() {
            _ = writeln!(text, "{layer}: {}", layer.meaning());
        }
        for FaultInfo { id, kind, place, title, .. } in rows {
            _ = writeln!(text, "  {id:ids$}  {kind:10}  {place:places$}  {title}");
        }
    }
    let of = |kind| faults.iter().filter(|fault| fault.kind == kind).count();
    let (legitimate, failures) = (of(FaultKind::Legitimate), of(FaultKind::Failure));
    _ = writeln!(
        text,
        "{}{} faults, {legitimate} legitimate and {failures} failures; `gauntlet faults show ID` explains one",
        if text.is_empty() { "" } else { "\n" },
        faults.len()
    );
    text
}

fn show(fault: &Fault) -> String {
    let info = fault.info();
    let mut text = format!("{}: {}\n\n", info.id, info.title);
    about(&mut text, info);
    ask(&mut text, info);
    let bytes = mock_deepseek::transcript(std::slice::from_ref(fault));
    let heading = if info.layer == Layer::Address {
        format!("Point a client at what `gauntlet mock --fault {}` prints, and it sees", info.id)
    } else {
        "Bytes of a sample answer".to_owned()
    };
    _ = write!(text, "\n{heading}\n\n{bytes}");
    if !text.ends_with('\n') {
        text.push('\n');
    }
    text
}

fn about(text: &mut String, info: &FaultInfo) {
    let FaultInfo { layer, place, kind, wire, broke, .. } = info;
    _ = writeln!(text, "Wire       {wire}");
    _ = writeln!(text, "Layer      {layer}: {}", layer.meaning());
    _ = writeln!(text, "Place      {place}: {}", place.meaning());
    _ = writeln!(text, "Happens to {}", info.reach());
    _ = writeln!(text, "Kind       {kind}: {}", kind.meaning());
    _ = writeln!(text, "Broke      {broke}");
    for source in info.sources() {
        let url = source.url.map(|url| format!("  {url}")).unwrap_or_default();
        _ = writeln!(text, "Seen at    {}{url}", source.text);
    }
    for (name, parameter) in &info.parameters {
        let (default, unit) = (&parameter.default, &parameter.unit);
        _ = writeln!(text, "Parameter  {name} = {default} ({unit}): {}", parameter.about);
    }
}

/// Returns whether a request can ask for it: it cannot ask for what comes before it.
fn asked_by_request(info: &FaultInfo) -> bool {
    info.layer != Layer::Address && info.place != Place::Handshake
}

/// Tells the ways to ask for it, each ready to be copied.
fn ask(text: &mut String, info: &FaultInfo) {
    let example = info.example();
    _ = writeln!(text, "\nHow to ask for it\n");
    if asked_by_request(info) {
        _ = writeln!(text, "  header  x-mock-fault: {example}");
        _ = writeln!(text, "  model   deepseek-flash+{example}");
        _ = writeln!(text, "  key     sk-test+{example}");
    }
    if info.layer != Layer::Address {
        _ = writeln!(text, "  script  faults = [{example:?}]");
    }
    _ = writeln!(text, "  alone   gauntlet mock --fault '{example}'");
}
