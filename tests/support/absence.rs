//! What becomes of a test whose surroundings lack something that it needs.

use std::{env, io::Write as _};

/// Says that tests are skipped, past the test runner, which keeps what a test prints to itself.
///
/// # Panics
/// When `GAUNTLET_REQUIRE` lists the name of what is absent.
#[expect(clippy::disallowed_methods, reason = "what must be there is said by the environment")]
pub(crate) fn skip(name: &str, absent: &str, remedy: &str) {
    let required = env::var("GAUNTLET_REQUIRE").unwrap_or_default();
    assert!(
        !required.split(',').any(|listed| listed.trim() == name),
        "GAUNTLET_REQUIRE lists `{name}`, but there is {absent}: {remedy}"
    );
    // Nobody is left to tell if even this fails.
    drop(writeln!(std::io::stderr(), "skipped: there is {absent}; to test with it, {remedy}"));
}
