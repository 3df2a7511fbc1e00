//! Why a command could not do what was asked: a text for people and a code for scripts.

use std::fmt::Display;

use crate::exit_code::ExitCode;

/// A command that ended early.
#[derive(Debug)]
pub(crate) struct Failure {
    /// How the program ends.
    pub(crate) code: ExitCode,
    /// What is printed on standard error.
    pub(crate) text: String,
}

impl Failure {
    /// The user asked for something that there is not.
    pub(crate) fn usage(message: impl Display) -> Self {
        Self { code: ExitCode::Usage, text: format!("error: {message}") }
    }

    /// The machine, the network or this program did not play along.
    pub(crate) fn environment(error: impl Into<anyhow::Error>) -> Self {
        Self { code: ExitCode::Broken, text: format!("error: {}", chain(&error.into())) }
    }

    /// A file is not valid; the diagnostic shows line and caret.
    #[cfg(feature = "lab")]
    pub(crate) fn invalid(diagnostic: impl miette::Diagnostic + Send + Sync + 'static) -> Self {
        Self { code: ExitCode::Usage, text: format!("{:?}", miette::Report::new(diagnostic)) }
    }
}

/// Writes an error with its causes, each once: many errors repeat their cause in their own words.
fn chain(error: &anyhow::Error) -> String {
    let mut text = error.to_string();
    for cause in error.chain().skip(1).map(ToString::to_string) {
        if !text.contains(&cause) {
            text.push_str("\n  cause: ");
            text.push_str(&cause);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use anyhow::{Context, anyhow};

    use super::*;

    #[test]
    fn causes_follow_and_none_is_told_twice() {
        let error = Err::<(), _>(anyhow!("permission denied"))
            .context("cannot open `x`: permission denied")
            .context("cannot start")
            .unwrap_err();

        let failure = Failure::environment(error);

        insta::assert_snapshot!(failure.text, @r"
        error: cannot start
          cause: cannot open `x`: permission denied
        ");
    }
}
