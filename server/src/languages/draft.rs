//! Drafts of translations by the model. What it writes is a suggestion to people, never a text to users.

use fluent_bundle::FluentResource;

use super::english_name;
use crate::{
    llm::prompt::Turn,
    texts::{SOURCES, shape::written},
};

/// What the model is asked for a draft.
#[derive(Clone, Debug)]
pub struct Order {
    /// The messages to send.
    pub prompt: Vec<Turn>,
}

impl Order {
    /// Asks for the English text of `key` in the language of this code; `None` when either is unknown, or the text is
    /// more than words and variables.
    pub fn new(key: &str, code: &str) -> Option<Self> {
        let english = SOURCES.iter().find(|source| source.language == super::ENGLISH)?;
        let resource = FluentResource::try_new(english.text.to_owned()).ok()?;
        let name = english_name(code)?;
        let system = format!(
            "Translate a text that a companion for pregnant people shows, from English into {name}. Keep each \
             placeholder such as {{ $seconds }} as it stands. Answer with the translation alone, on one line."
        );
        let turn = |role, content| Turn { role, content };
        Some(Self { prompt: vec![turn("system", system), turn("user", written(&resource, key)?)] })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::languages::Languages;

    #[test]
    fn every_text_can_be_ordered_with_its_placeholders_f62() {
        for (key, shape) in Languages::built_in().keys() {
            let order = Order::new(key, "pt").unwrap();

            assert!(order.prompt[0].content.contains("into Portuguese"), "{key}");
            for variable in &shape.variables {
                assert!(order.prompt[1].content.contains(&format!("{{ ${variable} }}")), "{key}");
            }
        }
        assert!(Order::new("no.key", "pt").is_none() && Order::new("canned.greeting", "xx").is_none());
    }
}
