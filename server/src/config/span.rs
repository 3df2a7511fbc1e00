//! Durations as people write them: `"30s"`, `"1h 30m"`, `"500ms"`.

use std::time::Duration;

use jiff::SignedDuration;
use serde::{Deserialize, Deserializer, Serializer, de::Error};

/// Writes a duration as text with units.
pub fn serialize<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&print(*duration))
}

/// Reads a duration from text with units.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    parse(&text).map_err(D::Error::custom)
}

/// Parses a duration; the error says what a good one looks like.
pub fn parse(text: &str) -> Result<Duration, String> {
    let wrong =
        || format!("`{text}` is not a duration; write a number with a unit, such as `500ms`, `30s` or `5m`");
    let signed: SignedDuration = text.parse().map_err(|_| wrong())?;
    Duration::try_from(signed).map_err(|_| wrong())
}

/// Prints a duration in a form that [`parse`] reads.
pub fn print(duration: Duration) -> String {
    SignedDuration::try_from(duration).map_or_else(|_| "forever".to_owned(), |signed| format!("{signed:#}"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn durations_are_read_with_their_units() {
        assert_eq!(parse("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(parse("1h 30m"), Ok(Duration::from_mins(90)));
        assert_eq!(parse("0s"), Ok(Duration::ZERO));
    }

    #[test]
    fn what_is_no_duration_is_refused_with_an_example() {
        for wrong in ["", "30", "-3s", "s", "3 parsecs", "soon"] {
            let message = parse(wrong).unwrap_err();
            assert!(message.contains(wrong) && message.contains("`30s`"), "{message}");
        }
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read_back(nanos in 0_u64..) {
            let duration = Duration::from_nanos(nanos);

            prop_assert_eq!(parse(&print(duration)), Ok(duration));
        }
    }
}
