//! JSON: the run as it is, and the schema of it.
//!
//! Invariant: what is written reads back as the same run.

use schemars::{Schema, schema_for};

use super::RenderError;
use crate::result::Run;

pub(super) fn render(run: &Run) -> Result<String, RenderError> {
    let mut text = serde_json::to_string_pretty(run)?;
    text.push('\n');
    Ok(text)
}

/// Returns the JSON Schema of `run.json`.
pub fn schema() -> Schema {
    schema_for!(Run)
}

#[cfg(test)]
mod tests {
    use super::{super::sample, *};

    #[test]
    fn what_is_written_reads_back() {
        let text = render(&sample::run()).unwrap();

        let back: Run = serde_json::from_str(&text).unwrap();

        assert_eq!(render(&back).unwrap(), text);
    }

    #[test]
    fn the_schema_asks_for_every_field_of_a_run() {
        let schema = serde_json::to_value(schema()).unwrap();

        let written = serde_json::to_value(sample::run()).unwrap();
        let fields = written.as_object().unwrap().keys();
        for field in fields {
            assert!(schema["properties"].get(field).is_some(), "`{field}` is not in the schema");
        }
    }
}
