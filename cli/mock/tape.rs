//! Recording a real API, and answering from what was recorded.

use std::path::PathBuf;

use clap::Args;
use mock_deepseek::{AfterLast, Builder, Cassette, CassetteError, MockDeepSeek, Recording, Replay};

use crate::{failure::Failure, output};

/// Where answers come from, if not from the script.
#[derive(Debug, Args)]
pub(super) struct Tape {
    /// Base URL of a real API: requests go on to it, and its answers into the cassette, without secrets
    #[arg(long, value_name = "URL", requires = "cassette", conflicts_with_all = ["replay", "script", "profile", "fault"])]
    record: Option<String>,
    /// File that is recorded into; what it holds already stays
    #[arg(long, value_name = "FILE", requires = "record")]
    cassette: Option<PathBuf>,
    /// Record compressed answers as they are; they cannot be scrubbed
    #[arg(long, requires = "record")]
    keep_compressed: bool,
    /// Leave out headers by which the API could find the exchange in its log
    #[arg(long, requires = "record")]
    drop_trace_ids: bool,
    /// Answer from this cassette, without network
    #[arg(long, value_name = "FILE")]
    replay: Option<PathBuf>,
    /// How much faster than recorded; 0 leaves no pauses
    #[arg(long, value_name = "FACTOR", requires = "replay", default_value = "1", value_parser = speed)]
    replay_speed: f64,
    /// JSON pointer, such as `/temperature`, to what does not count when requests are compared; may be given more than once
    #[arg(long, value_name = "POINTER", requires = "replay", value_parser = pointer)]
    replay_ignore: Vec<String>,
    /// Answer a request that is asked more often than it was recorded with an error, not with the last answer
    #[arg(long, requires = "replay")]
    replay_once: bool,
}

impl Tape {
    /// Says whether answers come from a cassette.
    pub(super) fn replays(&self) -> bool {
        self.replay.is_some()
    }

    /// Sets up recording or replay, if either is asked for.
    pub(super) fn thread(&self, builder: Builder) -> Result<Builder, Failure> {
        if let (Some(url), Some(path)) = (&self.record, &self.cassette) {
            let recording = Recording::new(url, path);
            let recording = if self.keep_compressed { recording.keep_compressed() } else { recording };
            let recording = if self.drop_trace_ids { recording.without_traces() } else { recording };
            return Ok(builder.recording(recording));
        }
        let Some(path) = &self.replay else { return Ok(builder) };
        let cassette = Cassette::read(path).map_err(|error| match error {
            CassetteError::Damaged { .. } => Failure::usage(format_args!("`{}`: {error}", path.display())),
            error => Failure::usage(error),
        })?;
        let after_last = if self.replay_once { AfterLast::Miss } else { AfterLast::Repeat };
        let replay = Replay::new(cassette).speed(self.replay_speed).after_last(after_last);
        Ok(builder.replay(self.replay_ignore.iter().fold(replay, Replay::ignore)))
    }

    /// Says what was recorded.
    pub(super) fn report(&self, mock: &MockDeepSeek) {
        let (Some(recorded), Some(path)) = (mock.recorded(), &self.cassette) else { return };
        let kept = output::counted(recorded.kept, "exchange");
        output::warn(&format!("recorded {kept} into `{}`", path.display()));
        if let Some(reason) = recorded.reason {
            output::warn(&format!("left out {}, the last because {reason}", recorded.left_out));
        }
    }
}

fn speed(text: &str) -> Result<f64, String> {
    let factor = text.parse::<f64>().ok().filter(|factor| factor.is_finite() && *factor >= 0.0);
    factor.ok_or_else(|| "expected a factor such as `2`, `0.5`, or `0` for no pauses".to_owned())
}

fn pointer(text: &str) -> Result<String, String> {
    if text.starts_with('/') {
        Ok(text.to_owned())
    } else {
        Err("expected a JSON pointer such as `/temperature`".to_owned())
    }
}
