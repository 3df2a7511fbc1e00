//! A programmable DeepSeek: correct to the byte when asked, wrong in every way that has really happened.
//!
//! # Quick start
//!
//! ```
//! # tokio::runtime::Runtime::new()?.block_on(async {
//! use mock_deepseek::{Fault, MockDeepSeek, Script};
//!
//! let mock = MockDeepSeek::start().await?;
//! println!("point a client at {} with any key that begins with sk-", mock.url());
//!
//! mock.set_script(Script::with_faults([Fault::parse("stall;after_events=3;lasts=8s")?]));
//! // … let the client under test ask …
//! for exchange in mock.journal() {
//!     println!("{} {:?} {:?}", exchange.path, exchange.faults, exchange.end);
//! }
//! mock.stop().await;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Without a script every request gets a sound, deterministic reply at once. A [`Script`] says
//! otherwise, by rules in TOML or as values; `docs/SCRIPT.md` shows them by example. Time comes from the
//! clock handed to [`MockDeepSeek::builder`], so under a manual clock a stall of eight seconds takes none.
//!
//! # Who decides which faults happen
//!
//! The first of these that says anything decides alone; the reply and the pace always come from the
//! script:
//!
//! 1. the request header `x-mock-fault: crlf, stall;after_events=3` (empty: no fault at all);
//! 2. a suffix of the model name, `deepseek-flash+crlf+stall;after_events=3`;
//! 3. a suffix of the API key, `sk-test+crlf`;
//! 4. the faults that were ordered for every request over the control API;
//! 5. the first rule of the script that holds;
//! 6. the script's default.
//!
//! Faults compose. They act in the order of their [`Layer`]s, so the order in which they are named
//! does not matter. A fault that finds no place (a cut after a hundred events in a reply of ten)
//! does not happen, and the journal says so: [`PlannedFault::fired`].
//!
//! What strikes before there is a connection, such as a name that does not resolve or a port that stays
//! silent, is part of no answer: it is refused in all these places, and a client is pointed at a
//! [`DeadEnd`] instead.
//!
//! # One answer, stage by stage
//!
//! ```text
//! request ─► validate ─► select ─► draft ─► render ─► pace ─► program ─► write
//!            DeepSeek's   a rule    what the  what goes over   writes      on the socket,
//!            own words    of the    model     the wire, in     and waits   on the clock
//!                         script    says      pieces
//! ```
//!
//! `api` decides, `plan` lets the faults at the draft (what the model says) and at the answer (what
//! goes over the wire), `exchange` joins the two. `http1` reads requests and writes answers, byte for byte,
//! so that they can be wrong below HTTP. An answer without faults is rendered while it is written.
//!
//! Answers may come from elsewhere: [`Builder::record`] passes requests on to a real API and keeps what it
//! says, without secrets, in a [`Cassette`]; [`Builder::replay`] answers from one.
//!
//! # How to add a fault
//!
//! 1. Choose the id and write `faults/<id>.toml`: title, layer, place, kind, what goes over the wire,
//!    what it broke, sources. No source, no fault.
//! 2. Name the `behaviour` that does it, its fixed `[settings]`, and the `[parameters]` that users may set,
//!    each with default, unit and meaning. If a behaviour fits, this one file is all.
//! 3. If none fits, write `src/fault/<behaviour>.rs`: a struct that is read from settings and parameters,
//!    and [`Behaviour`](fault::Behaviour) for it. Mark whatever you put in. Add its line in `src/fault.rs`.
//! 4. Run the tests: the catalogue is read, the fault must write something that no other writes, and a
//!    raw socket compares what it sees with a snapshot in `src/wire_tests/snapshots/`.
//! 5. Read that snapshot as a client would. It is the fault.
//!
//! # From outside
//!
//! [`Builder::control`] serves a control API beside the mock: script, faults, journal (also live), expectations,
//! clock, [metrics](METRICS); `src/control/openapi.json` describes it. A page at `/`, on both ports, tells how
//! to point a client here. In Rust, [`MockDeepSeek::expect_that`] says what should be asked, and dropping the
//! mock verifies it.
//!
//! # Limits
//!
//! Bodies [`BODY_MAX`], uploads [`UPLOAD_MAX`] (their bytes are counted, not kept), files of a key [`FILES_MAX`], heads [`HEAD_MAX`], connections [`CONNECTIONS_MAX`], journal [`EXCHANGES_MAX`]
//! exchanges with [`WRITTEN_KEPT_MAX`] written bytes each, [`WRITTEN_KEPT_TOTAL_MAX`] written bytes and
//! [`BODIES_KEPT_MAX`] bytes of requests over all; recorded answers [`ANSWER_KEPT_MAX`], cassettes [`CASSETTE_MAX`].
//! Scripts [`SCRIPT_MAX`], regular expressions [`REGEX_SIZE_MAX`], pauses [`PAUSE_MAX`], signs of life
//! [`KEEP_ALIVES_MAX`] within one answer.
//! The control API: bodies [`CONTROL_BODY_MAX`], connections [`CONTROL_CONNECTIONS_MAX`], readers of the live
//! journal [`READERS_MAX`], each at most [`FEED_MAX`] messages behind.

#![warn(missing_docs)]

mod answer;
mod api;
mod cache;
mod caret;
mod cassette;
mod catalogue;
mod chance;
mod chunks;
mod control;
mod dead_end;
mod delay;
mod draft;
mod duration;
mod events;
mod exchange;
mod expectation;
mod facts;
mod fault;
mod files;
mod headers;
mod http1;
mod http2;
mod inbox;
mod journal;
mod limits;
mod matching;
mod metrics;
mod misread;
mod mock;
mod money;
mod notation;
mod notice;
mod orders;
mod pace;
mod page;
mod plan;
mod profile;
mod program;
mod record;
mod reload;
mod render;
mod replay;
mod request;
mod script;
mod scrub;
mod select;
mod server;
mod shared;
mod socket;
mod stage;
mod state;
mod summary;
mod texts;
mod tls;
mod tokens;
mod transcript;
mod upload;
mod validate;
mod watch;
mod wire;
mod write;

pub use cassette::{CASSETTE_MAX, CASSETTE_VERSION, Cassette, CassetteError};
pub use catalogue::{
    Carrier, Catalogue, FaultInfo, FaultKind, Layer, Mode, Parameter, Place, Source, UnknownName, catalogue,
    catalogue_page,
};
pub use control::{
    ADVANCE_MAX, CONTROL_BODY_MAX, CONTROL_CONNECTIONS_MAX, LISTED_DEFAULT, LISTED_IN_DETAIL_MAX, READERS_MAX,
};
pub use dead_end::{DeadEnd, DeadEndError};
pub use delay::{Delay, Distribution, PAUSE_MAX, Per, Tail};
pub use exchange::BODY_MAX;
pub use expectation::{Expectation, LISTED_MAX, Times, Unmet};
pub use facts::Surface;
pub use fault::{Fault, FaultError};
pub use files::FILES_MAX;
pub use inbox::HEAD_MAX;
pub use journal::{
    BODIES_KEPT_MAX, EXCHANGES_MAX, Ended, Exchange, How, PlannedFault, WRITTEN_KEPT_MAX,
    WRITTEN_KEPT_TOTAL_MAX, Written,
};
pub use matching::{
    Count, HeaderName, JsonMatch, KeyMatch, Match, MessageMatch, Pattern, Pointer, REGEX_SIZE_MAX,
    RoleCounts, TextMatch,
};
pub use metrics::{METRICS, Metric};
pub use mock::{Builder, MockDeepSeek, StartError};
pub use money::Money;
pub use pace::{Flush, KEEP_ALIVE_MIN, KEEP_ALIVES_MAX, Pace, UnknownLatency};
pub use profile::{ApiProfile, NoSuchProfile};
pub use record::{
    ANSWER_KEPT_MAX, RecordError, Recorded, Recording, UPSTREAM_HEAD_MAX, UPSTREAM_SILENCE_MAX,
};
pub use reload::{RELOAD_EVERY, ScriptFileError};
pub use replay::{AfterLast, Replay};
pub use script::{
    DefaultRule, FinishReason, Reply, Rule, SCRIPT_MAX, Script, ScriptError, ScriptedCall, Then,
    UnknownProfile, Variant,
};
pub use server::CONNECTIONS_MAX;
pub use stage::{LoadError, ScriptStatus};
pub use state::{Balance, Concurrency, Currency, Limits, Prices, Step};
pub use tls::{Tls, TlsError};
pub use transcript::{stream_bytes, transcript};
pub use upload::UPLOAD_MAX;
pub use watch::FEED_MAX;

#[cfg(test)]
mod wire_tests;
