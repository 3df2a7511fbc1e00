//! Tools that the model may call, and whether it must.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{Error as _, MapAccess, Visitor, value::MapAccessDeserializer},
};
use serde_json::Value;

#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum Tool {
    Function { function: Function },
}

/// A function and the JSON Schema of its arguments.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Function {
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) description: Option<String>,
    #[serde(default)]
    pub(crate) parameters: Option<Value>,
    #[serde(default)]
    pub(crate) strict: Option<bool>,
}

/// Which tool is to be called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ToolChoice {
    None,
    Auto,
    Required,
    Named(String),
}

impl<'de> Deserialize<'de> for ToolChoice {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Named {
            function: Name,
        }

        #[derive(Deserialize)]
        struct Name {
            name: String,
        }

        struct Choice;

        impl<'de> Visitor<'de> for Choice {
            type Value = ToolChoice;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("one of `none`, `auto`, `required` or a tool")
            }

            fn visit_str<E: serde::de::Error>(self, word: &str) -> Result<ToolChoice, E> {
                match word {
                    "none" => Ok(ToolChoice::None),
                    "auto" => Ok(ToolChoice::Auto),
                    "required" => Ok(ToolChoice::Required),
                    _ => Err(E::custom("expected one of `none`, `auto`, `required` or a tool")),
                }
            }

            fn visit_map<A: MapAccess<'de>>(self, tool: A) -> Result<ToolChoice, A::Error> {
                let named = Named::deserialize(MapAccessDeserializer::new(tool));
                let wrong = |_| A::Error::custom("expected one of `none`, `auto`, `required` or a tool");
                named.map(|named| ToolChoice::Named(named.function.name)).map_err(wrong)
            }
        }

        deserializer.deserialize_any(Choice)
    }
}
