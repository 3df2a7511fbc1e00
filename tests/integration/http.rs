//! The server over HTTP, as a client meets it: statuses, bodies, limits, bad input.

mod accounts;
mod admin;
mod api;
mod audit;
mod browsers;
mod calendar;
mod consents;
mod conversations;
mod devices;
mod facts;
mod feed;
mod languages;
mod limits;
mod orders;
mod reminders;
mod service;
mod sweep;
mod texts;
mod words;

use std::sync::Arc;

use clock::{Lab, SystemClock, Timestamp};
use serde_json::{Value, json};

use crate::support::server::Server;

/// Starts a server on the machine's clock, without limits in the way.
async fn start() -> Server {
    let unlimited = toml::toml! {
        limits.http.mode = "off"
        limits.user.mode = "off"
        limits.login.mode = "off"
        limits.admin.mode = "off"
        limits.tickets.mode = "off"
        limits.sockets.mode = "off"
        limits.reminders.mode = "off"
    };
    Server::start(Arc::new(SystemClock::new()), unlimited).await
}

/// Runs a story on a server whose time stands still until the story moves it.
fn in_the_lab<F: Future<Output = ()>>(settings: toml::Table, story: impl FnOnce(Lab, Server) -> F) {
    let (runtime, lab) = Lab::new(Timestamp::from_second(1_800_000_000).unwrap()).unwrap();
    runtime.block_on(async {
        let server = Server::start(Arc::new(lab.clock().clone()), settings).await;
        story(lab, server).await;
    });
}

/// Replaces what differs from run to run.
fn redacted(mut value: Value, fields: &[&str]) -> Value {
    for field in fields {
        if let Some(found) = value.pointer_mut(field) {
            *found = json!("…");
        }
    }
    value
}
