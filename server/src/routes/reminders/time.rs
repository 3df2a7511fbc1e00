//! Times of reminders: RFC 3339, with the offset from UTC kept as it was given.

use jiff::{Timestamp, fmt::temporal::Pieces, tz::Offset};

use crate::error::ApiError;

/// Farthest offset from UTC, in seconds, that RFC 3339 can write: 23:59.
const OFFSET_MAX: i32 = (23 * 60 + 59) * 60;

/// Earliest time of a reminder: the first that RFC 3339 can write, 0000-01-01T00:00:00Z.
const TIME_MIN: Timestamp = Timestamp::constant(-62_167_219_200, 0);

/// Latest time of a reminder, 9999-12-30T22:00:00Z: what comes later is beyond year 9999 somewhere.
const TIME_MAX: Timestamp = Timestamp::constant(253_402_207_200, 0);

/// Reads a time with its offset, in minutes; a refusal names the field.
pub(super) fn read(field: &str, text: &str) -> Result<(Timestamp, i32), ApiError> {
    parse(text).map_err(|allowed| {
        let text: String = text.chars().take(40).collect();
        ApiError::invalid(format!("`{field}` is `{text}`, {allowed}"))
    })
}

/// Reads a time with its offset, in minutes, or tells what would be one.
fn parse(text: &str) -> Result<(Timestamp, i32), String> {
    let malformed = || "expected RFC 3339 with an offset, such as `2026-03-01T14:00:00+02:00`".to_owned();
    let pieces = Pieces::parse(text).map_err(|_| malformed())?;
    let offset = pieces.to_numeric_offset().filter(|_| ends_in_offset(text)).ok_or_else(malformed)?;
    pieces.time().ok_or_else(malformed)?;
    if offset.seconds().abs() > OFFSET_MAX {
        return Err("allowed are offsets from `-23:59` to `+23:59`".to_owned());
    }
    let time = text.parse().ok().filter(|time| (TIME_MIN..=TIME_MAX).contains(time));
    let time = time.ok_or_else(|| format!("allowed is `{TIME_MIN}` to `{TIME_MAX}`"))?;
    Ok((time, offset.seconds() / 60))
}

/// Tells whether a text ends as RFC 3339 has it, in `Z` or `+hh:mm`.
fn ends_in_offset(text: &str) -> bool {
    let hours_and_minutes = text.as_bytes().last_chunk().is_some_and(|[sign, h1, h2, colon, m1, m2]| {
        matches!(sign, b'+' | b'-') && *colon == b':' && [h1, h2, m1, m2].iter().all(|d| d.is_ascii_digit())
    });
    hours_and_minutes || text.ends_with(['Z', 'z'])
}

/// Writes a time in the offset that it was given in.
pub(super) fn print(time: Timestamp, offset_minutes: i32) -> String {
    match Offset::from_seconds(offset_minutes.saturating_mul(60)) {
        Ok(offset) if offset_minutes != 0 => time.display_with_offset(offset).to_string(),
        _ => time.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_comes_back_in_the_offset_it_was_given_in() {
        let texts = [
            "2026-03-01T14:00:00+02:00",
            "2026-03-01T14:00:00Z",
            "2026-03-01T14:00:00-03:30",
            "1969-12-31T23:59:59.5Z",
        ];

        for text in texts {
            let (time, offset) = parse(text).unwrap();
            assert_eq!(print(time, offset), text);
        }
    }

    #[test]
    fn a_time_without_offset_or_sense_is_refused() {
        for text in
            ["", "tomorrow", "2026-03-01", "2026-03-01T14:00:00", "2026-02-30T14:00:00Z", "1800000000"]
        {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_wrong_with_a_time_is_told() {
        let refusal = |text: &str| parse(text).expect_err(text);

        insta::assert_snapshot!(
            [
                "2026-03-01T14:00:00+25:00",
                "2026-03-01T14:00:00+02",
                "2026-03-01T14:00:00+02:00[Europe/Paris]",
                "9999-12-31T23:59:59Z",
                "-000001-12-31T23:59:59Z",
            ]
            .map(refusal)
            .join("\n"),
            @"
        allowed are offsets from `-23:59` to `+23:59`
        expected RFC 3339 with an offset, such as `2026-03-01T14:00:00+02:00`
        expected RFC 3339 with an offset, such as `2026-03-01T14:00:00+02:00`
        allowed is `0000-01-01T00:00:00Z` to `9999-12-30T22:00:00Z`
        allowed is `0000-01-01T00:00:00Z` to `9999-12-30T22:00:00Z`
        "
        );
    }
}
