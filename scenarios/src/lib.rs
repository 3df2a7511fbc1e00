//! Declarative experiments with verdicts and evidence.
//!
//! Parse → model (valid by construction) → run → events → result → reports; each arrow is a module,
//! and reports see only results.
//!
//! - [`parse()`](parse::parse) makes a [`Scenario`] of a file, [`library()`](library::library) knows the built-in ones;
//! - [`prose`] puts one into plain words;
//! - [`run()`](engine::run) and [`prove()`](engine::prove) run them against a [`Target`];
//! - [`Backend`] is a target for others than scenarios: a load run;
//! - [`check_target()`](checkup::check_target) looks whether a back end can be judged at all;
//! - [`result`] holds what they found, [`report`] renders it;
//! - [`evidence`] keeps what was seen, [`replay`] judges it again.
//!
//! The harness reads the server's protocol as JSON, like a stranger: a silent rename there must break a
//! scenario here. Only `target/builtin` knows the server's crate, to start it.

#![warn(missing_docs)]

pub mod expr;
pub mod model;
pub mod parse;

mod library;
pub mod prose;
mod target;

mod device;
pub mod line;
mod matching;
mod record;
mod rest;
mod run;
mod wire;
mod world;

pub mod history;
mod invariant;
mod judge;
mod observation;
mod redact;
mod transcript;

mod backend;
mod checkup;
pub mod compare;
mod engine;
pub mod evidence;
pub mod explore;
pub mod replay;
pub mod report;
pub mod result;

pub use backend::{Backend, BackendError, Guest, Wish};
pub use checkup::{Finding, check_target};
pub use engine::{Listener, Options, planned, prove, run};
pub use library::{completions, library, processes};
pub use model::Scenario;
pub use parse::{ParseError, parse};
pub use target::{
    Auth, AuthCall, Calls, Environment, Jwt, Kind, Links, Seed, Start, Target, TargetError, TargetFile, Via,
    Wanted,
};

/// Returns the JSON Schema of a scenario file, for editors.
pub fn schema() -> schemars::Schema {
    schemars::schema_for!(model::File)
}

/// Turns dotted names of a table into nested objects: `{"a.b" = 1}` becomes `{"a": {"b": 1}}`.
pub(crate) fn nest(table: &toml::Table) -> serde_json::Value {
    let mut nested = serde_json::Map::new();
    for (name, value) in table {
        let value = serde_json::to_value(value).unwrap_or_default();
        insert(&mut nested, name, value);
    }
    serde_json::Value::Object(nested)
}

fn insert(into: &mut serde_json::Map<String, serde_json::Value>, name: &str, value: serde_json::Value) {
    let Some((head, rest)) = name.split_once('.') else {
        into.insert(name.to_owned(), value);
        return;
    };
    let inner =
        into.entry(head.to_owned()).or_insert_with(|| serde_json::Value::Object(serde_json::Map::new()));
    if let Some(fields) = inner.as_object_mut() {
        insert(fields, rest, value);
    }
}
