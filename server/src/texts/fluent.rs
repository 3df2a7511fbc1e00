//! Texts from Fluent files.

use std::{collections::BTreeMap, fmt};

use fluent_bundle::{FluentArgs, FluentError, FluentResource, concurrent::FluentBundle};
use unic_langid::LanguageIdentifier;

use super::{
    Mark, Text, Texts, last_resort,
    lookup::lookup,
    shape::{Shape, shapes},
};

/// The language of last resort among the files.
const ENGLISH: &str = "en";
/// The files that are compiled in.
pub const SOURCES: [Source; 3] = [
    Source { language: "en", text: include_str!("en.ftl"), mark: Mark::Unreviewed },
    Source { language: "es", text: include_str!("es.ftl"), mark: Mark::Unreviewed },
    Source { language: "fr", text: include_str!("fr.ftl"), mark: Mark::Unreviewed },
];

/// The texts of a language as a file holds them. There is none without a mark: it would not compile.
#[derive(Clone, Copy, Debug)]
pub struct Source {
    /// The language's code.
    pub language: &'static str,
    /// The file's content, Fluent.
    pub text: &'static str,
    /// Whether somebody who speaks the language from birth has read it.
    pub mark: Mark,
}

/// A Fluent source that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("texts of language `{language}` cannot be read: {problem}; correct the Fluent source")]
pub struct BrokenText {
    /// The language's code.
    pub language: String,
    /// What is wrong.
    pub problem: String,
}

/// Texts from Fluent sources.
pub struct FluentTexts {
    bundles: BTreeMap<String, FluentBundle<FluentResource>>,
    shapes: BTreeMap<String, BTreeMap<String, Shape>>,
}

impl FluentTexts {
    /// Builds the texts that are compiled in.
    ///
    /// What of them cannot be read is left out (a test sees to it that all can).
    pub fn built_in() -> Self {
        let mut texts = Self::empty();
        for Source { language, text, .. } in SOURCES {
            let resource = FluentResource::try_new(text.to_owned()).unwrap_or_else(|(partial, _)| partial);
            // What cannot be used is as if it were not there.
            let _ = texts.add(language, resource);
        }
        texts
    }

    /// Builds texts from sources, one per language code; the last one of a code wins.
    pub fn from_sources<'a>(
        sources: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, BrokenText> {
        let mut texts = Self::empty();
        for (language, source) in sources {
            texts.add_source(language, source)?;
        }
        Ok(texts)
    }

    /// Returns no texts at all.
    pub(crate) const fn empty() -> Self {
        Self { bundles: BTreeMap::new(), shapes: BTreeMap::new() }
    }

    /// Adds the texts of a language, in the place of those that it had.
    pub(crate) fn add_source(&mut self, language: &str, source: &str) -> Result<(), BrokenText> {
        let broken = |problem: String| BrokenText { language: language.to_owned(), problem };
        let resource = FluentResource::try_new(source.to_owned()).map_err(|(_, errors)| {
            broken(errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
        })?;
        self.add(language, resource).map_err(broken)
    }

    fn add(&mut self, language: &str, resource: FluentResource) -> Result<(), String> {
        let shapes = shapes(&resource);
        self.bundles.insert(language.to_owned(), bundle(language, resource)?);
        self.shapes.insert(language.to_owned(), shapes);
        Ok(())
    }

    /// Returns the texts of a language by key, each with what stands in it beside words.
    pub fn keys(&self, language: &str) -> impl Iterator<Item = (&str, &Shape)> {
        self.shapes.get(language).into_iter().flatten().map(|(key, shape)| (key.as_str(), shape))
    }

    /// Tells whether there is a text of this key in this language.
    pub fn has(&self, language: &str, key: &str) -> bool {
        self.shapes.get(language).is_some_and(|texts| texts.contains_key(key))
    }

    /// Returns what stands in the English text of a key; `None` when there is no such key.
    pub fn english(&self, key: &str) -> Option<&Shape> {
        self.shapes.get(ENGLISH)?.get(key)
    }

    /// Returns the keys of English that have no text in this language.
    pub fn missing(&self, language: &str) -> Vec<String> {
        self.keys(ENGLISH)
            .filter(|(key, _)| !self.has(language, key))
            .map(|(key, _)| key.to_owned())
            .collect()
    }

    /// Formats a text if it is there and whole: with all its variables, and not blank.
    pub(crate) fn find(&self, key: &str, language: &str, arguments: &FluentArgs<'_>) -> Option<String> {
        let bundle = self.bundles.get(language)?;
        let (message, attribute) = key.split_once('.').unwrap_or((key, ""));
        let message = bundle.get_message(message)?;
        let pattern = match attribute {
            "" => message.value()?,
            attribute => message.get_attribute(attribute)?.value(),
        };
        let mut errors: Vec<FluentError> = Vec::new();
        let text = bundle.format_pattern(pattern, Some(arguments), &mut errors).into_owned();
        (errors.is_empty() && !text.trim().is_empty()).then_some(text)
    }

    /// Looks a tag up among the languages that have texts.
    fn lookup(&self, tag: &str) -> Option<String> {
        lookup(tag, |code| self.bundles.contains_key(code))
    }
}

impl Texts for FluentTexts {
    fn text(&self, key: &str, language: &str, arguments: &[(&str, String)]) -> Text {
        let arguments: FluentArgs<'_> =
            arguments.iter().map(|(name, value)| (*name, value.clone())).collect();
        let wanted = self.lookup(language);
        let is_other = wanted.is_none();
        if let Some(own) = &wanted
            && let Some(text) = self.find(key, own, &arguments)
        {
            return Text { text, language: own.clone(), fell_back: false };
        }
        count(wanted.as_deref().unwrap_or("other"), key);
        let in_english = (is_other || wanted.as_deref() != Some(ENGLISH))
            .then(|| self.find(key, ENGLISH, &arguments))
            .flatten();
        let text = in_english.unwrap_or_else(|| {
            count("last_resort", key);
            last_resort::sentence(key).to_owned()
        });
        Text { text, language: ENGLISH.to_owned(), fell_back: wanted.as_deref() != Some(ENGLISH) }
    }

    fn resolve(&self, tag: &str) -> String {
        self.lookup(tag).unwrap_or_else(|| ENGLISH.to_owned())
    }
}

impl fmt::Debug for FluentTexts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FluentTexts").field("languages", &self.bundles.keys()).finish_non_exhaustive()
    }
}

fn bundle(language: &str, resource: FluentResource) -> Result<FluentBundle<FluentResource>, String> {
    let id: LanguageIdentifier =
        language.parse().map_err(|_| format!("`{language}` is not a language code such as `en`"))?;
    let mut bundle = FluentBundle::new_concurrent(vec![id]);
    // The marks around variables are for mixed directions of writing and show up as boxes elsewhere.
    bundle.set_use_isolating(false);
    bundle.add_resource(resource).map_err(|errors| format!("{errors:?}"))?;
    Ok(bundle)
}

/// Both labels are bounded: languages by the files and the table, keys by the calls in this crate.
pub(crate) fn count(language: &str, key: &str) {
    metrics::counter!("i18n_fallback_total", "language" => language.to_owned(), "key" => key.to_owned())
        .increment(1);
    tracing::warn!(language, key, "text is missing");
}

#[cfg(test)]
mod tests;
