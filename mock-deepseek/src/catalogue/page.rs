//! The catalogue as a page for people, in Markdown.
//!
//! Invariant: a pure function of the fault files, so that the page in the repository can be compared.

use std::fmt::Write as _;

use crate::catalogue::{FaultInfo, FaultKind, Layer, Place, Source, catalogue};

/// Renders the page.
pub fn catalogue_page() -> String {
    let faults: Vec<_> = catalogue().iter().collect();
    let mut page = BEGIN.to_owned();
    kinds(&mut page, &faults);
    layers(&mut page, &faults);
    places(&mut page);
    page.push_str(HOW);
    overview(&mut page, &faults);
    page.push_str("## One by one\n");
    for fault in faults {
        section(&mut page, fault);
    }
    page
}

const BEGIN: &str = "\
# Faults

What mock-deepseek can do wrong, where each of it was seen, and how to ask for it. `gauntlet faults page` writes this
page from the files in [mock-deepseek/faults](../mock-deepseek/faults); change those, not this.

## What a fault is

A fault is one way in which an answer differs from a sound one: in its bytes, in when they come, or in how the
connection ends. Each was seen in public or measured with real clients; without a source there is no fault. Each is
tested on a socket; the bytes, their times and the end of most are snapshots in
[mock-deepseek/src/wire_tests/snapshots](../mock-deepseek/src/wire_tests/snapshots).

";

const HOW: &str = "
## How to ask for one

The first of these that says anything decides alone which faults happen:

| Where | How |
|---|---|
| A header of the request | `x-mock-fault: stall;after_events=3, crlf`; an empty value means no fault at all |
| The model, for clients that can set nothing else | `deepseek-flash+stall;after_events=3+crlf` |
| The API key, for clients that can set only that | `sk-test+crlf` |
| The control API, for every request while the mock runs | `curl -X PUT http://127.0.0.1:4011/__mock/fault -d crlf` |
| A rule of a script, else its default | `faults = [\"crlf\", { id = \"stall\", after_events = 3 }]` |
| The command line, for every request | `gauntlet mock --fault crlf --fault 'stall;after_events=3'` |

Parameters stand behind the id and have defaults. Faults compose, in the order of their layers. One that finds no place
(a cut after a hundred events in a reply of ten) does not happen, and the journal says so.

```sh
gauntlet faults list --layer sse
gauntlet faults show stall
gauntlet mock --fault 'stall;after_events=3;lasts=8s'
```

A fault of the layer `address` strikes before there is a connection. It cannot be part of an answer: point the client at
the address that `gauntlet mock --fault ID` prints for it.

";

fn kinds(page: &mut String, faults: &[&FaultInfo]) {
    page.push_str("| Kind | Meaning | Faults |\n|---|---|---:|\n");
    for kind in FaultKind::ALL {
        let count = faults.iter().filter(|fault| fault.kind == kind).count();
        let _ = writeln!(page, "| {kind} | {} | {count} |", why(kind));
    }
}

const fn why(kind: FaultKind) -> &'static str {
    match kind {
        FaultKind::Legitimate => "Unusual, but the answer is all there: a sound client must succeed",
        FaultKind::Failure => {
            "Something is missing or wrong: a sound client must notice, and not take it for an answer"
        }
    }
}

fn layers(page: &mut String, faults: &[&FaultInfo]) {
    page.push_str("\nIt breaks one layer of the exchange.\n\n| Layer | What is wrong there | Faults |\n|---|---|---:|\n");
    for layer in Layer::ALL {
        let count = of(layer, faults).count();
        if count > 0 {
            let _ =
                writeln!(page, "| [{layer}](#{}) | {} | {count} |", anchor(layer), capital(layer.meaning()));
        }
    }
}

fn places(page: &mut String) {
    page.push_str("\nIt strikes at one place.\n\n| Place | When |\n|---|---|\n");
    for place in Place::ALL {
        let _ = writeln!(page, "| {place} | {} |", capital(place.meaning()));
    }
}

fn overview(page: &mut String, faults: &[&FaultInfo]) {
    let _ = writeln!(page, "## All {}, by layer\n", faults.len());
    for layer in Layer::ALL.into_iter().filter(|layer| of(*layer, faults).next().is_some()) {
        let _ = writeln!(page, "### Layer {layer}\n\n{}.\n", capital(layer.meaning()));
        page.push_str("| Fault | What happens | Place | Kind |\n|---|---|---|---|\n");
        for FaultInfo { id, title, place, kind, .. } in of(layer, faults) {
            let _ = writeln!(page, "| [{id}](#{id}) | {} | {place} | {kind} |", cell(title));
        }
        page.push('\n');
    }
}

fn section(page: &mut String, fault: &FaultInfo) {
    let FaultInfo { id, title, layer, place, kind, wire, broke, .. } = fault;
    let _ = writeln!(page, "\n### {id}\n\n**{title}.** {}: {}.", capital(kind.name()), kind.meaning());
    let _ = writeln!(
        page,
        "Layer [{layer}](#{}), {}; happens to {}.\n",
        anchor(*layer),
        place.meaning(),
        fault.reach()
    );
    let _ = writeln!(page, "- On the wire: {wire}\n- What it broke: {broke}");
    let _ = writeln!(
        page,
        "- Seen at: {}",
        fault.sources().map(|source| link(&source)).collect::<Vec<_>>().join(", ")
    );
    if !fault.parameters.is_empty() {
        page.push_str("\n| Parameter | Default | Counted in | Meaning |\n|---|---|---|---|\n");
    }
    for (name, parameter) in &fault.parameters {
        let value = parameter.value();
        let value = if value.is_empty() { "empty".to_owned() } else { format!("`{value}`") };
        let _ = writeln!(
            page,
            "| `{name}` | {} | {} | {} |",
            cell(&value),
            cell(&parameter.unit),
            cell(&capital(&parameter.about))
        );
    }
}

fn of<'a>(layer: Layer, faults: &'a [&'a FaultInfo]) -> impl Iterator<Item = &'a FaultInfo> {
    faults.iter().copied().filter(move |fault| fault.layer == layer)
}

/// Returns the anchor of the heading of a layer.
fn anchor(layer: Layer) -> String {
    format!("layer-{layer}")
}

fn link(Source { text, url }: &Source<'_>) -> String {
    url.as_ref().map_or_else(|| (*text).to_owned(), |url| format!("[{text}]({url})"))
}

/// Makes text fit for a cell of a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

fn capital(text: &str) -> String {
    let mut rest = text.chars();
    rest.next().map(|first| first.to_uppercase().chain(rest).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_has_a_line_and_a_section_with_its_sources_m6() {
        let page = catalogue_page();

        for info in catalogue().iter() {
            let id = info.id;
            assert!(
                page.contains(&format!("| [{id}](#{id}) |")) && page.contains(&format!("\n### {id}\n")),
                "{id}"
            );
            assert!(info.sources().all(|source| page.contains(&link(&source))), "{id}");
        }
    }

    #[test]
    fn every_link_within_the_page_leads_to_a_heading() {
        let page = catalogue_page();
        let anchors: Vec<_> = page
            .lines()
            .filter_map(|line| line.strip_prefix("### "))
            .map(|heading| heading.to_lowercase().replace(' ', "-"))
            .collect();

        for target in page.split("](#").skip(1).filter_map(|rest| rest.split(')').next()) {
            assert!(anchors.iter().any(|anchor| anchor == target), "{target}");
        }
    }

    #[test]
    fn a_cell_keeps_its_bars() {
        assert_eq!(cell("a | b"), "a \\| b");
    }
}
