//! The frames of `chat.v1` as a JSON Schema.

use schemars::generate::SchemaSettings;
use serde_json::{Value, json};

use super::{Incoming, Outgoing};

/// Returns the schema: `ClientFrame` and `ServerFrame` among its definitions, either of them at its root. A durable
/// frame of the server has an `offset` beside what is told here.
pub fn schema() -> Value {
    let settings = SchemaSettings::draft2020_12();
    let client = settings.clone().for_deserialize().into_generator().into_root_schema_for::<Incoming>();
    let server = settings.for_serialize().into_generator().into_root_schema_for::<Outgoing>();
    let mut definitions = serde_json::Map::new();
    for (name, schema) in [("ClientFrame", client), ("ServerFrame", server)] {
        let mut schema = schema.to_value();
        if let Some(Value::Object(inner)) = schema.as_object_mut().and_then(|keys| keys.remove("$defs")) {
            definitions.extend(inner);
        }
        definitions.insert(name.to_owned(), schema);
    }
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "chat.v1",
        "anyOf": [{"$ref": "#/$defs/ClientFrame"}, {"$ref": "#/$defs/ServerFrame"}],
        "$defs": definitions,
    })
}
