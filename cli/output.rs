//! The two streams: results on standard output, everything else on standard error.

use std::io::{self, Write};

/// Prints a result. A reader that has gone away (`gauntlet list | head`) is no failure.
pub(crate) fn print(text: &str) {
    let mut out = io::stdout().lock();
    _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// Prints a line that is not a result.
pub(crate) fn warn(text: &str) {
    _ = writeln!(io::stderr().lock(), "{}", text.trim_end());
}

/// Says how many there are, in words that fit one too.
#[cfg(feature = "lab")]
pub(crate) fn counted(count: u64, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// Returns the properties of standard output: its width, and colour unless `NO_COLOR` forbids it.
#[cfg(feature = "lab")]
pub(crate) fn screen() -> scenarios::report::terminal::Screen {
    screen_of(&console::Term::stdout())
}

/// Returns the properties of standard error.
#[cfg(feature = "lab")]
pub(crate) fn side_screen() -> scenarios::report::terminal::Screen {
    screen_of(&console::Term::stderr())
}

#[cfg(feature = "lab")]
fn screen_of(term: &console::Term) -> scenarios::report::terminal::Screen {
    use scenarios::report::terminal::{Colour, Screen};

    if !term.is_term() {
        return Screen::PLAIN;
    }
    let (_, columns) = term.size();
    // `console` asks NO_COLOR and TERM.
    let colour =
        if term.features().colors_supported() && !no_color() { Colour::Always } else { Colour::Never };
    Screen { width: usize::from(columns).min(Screen::PLAIN.width), colour }
}

#[cfg(feature = "lab")]
#[expect(clippy::disallowed_methods, reason = "the CLI reads the environment")]
fn no_color() -> bool {
    std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
}
