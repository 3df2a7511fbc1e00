//! Checks a text that an administrator wrote, before anybody can read it.

use std::collections::BTreeSet;

use fluent_bundle::FluentResource;

use super::shape::{Shape, shapes};

/// Longest text, in characters.
pub const TEXT_CHARACTERS_MAX: usize = 1000;

/// Variables that a text may leave out: what they tell stands beside it too.
const OPTIONAL: [&str; 1] = ["when"];

/// Marks that turn the direction of writing and can make a text look like another one.
const DIRECTIONS: [std::ops::RangeInclusive<char>; 3] =
    ['\u{200e}'..='\u{200f}', '\u{202a}'..='\u{202e}', '\u{2066}'..='\u{2069}'];

/// Why a text is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TextProblem {
    /// There is nothing to read.
    #[error("text is empty; write what users shall read")]
    Empty,
    /// It is too long.
    #[error("text has {characters} characters and may have {TEXT_CHARACTERS_MAX}; shorten it")]
    TooLong {
        /// How many it has.
        characters: usize,
    },
    /// A character does something instead of being read.
    #[error("text holds the control character U+{:04X}; leave it out and write on one line", u32::from(*.found))]
    Control {
        /// The first such character.
        found: char,
    },
    /// It is no Fluent.
    #[error("text is not valid Fluent: {problem}; a brace that users shall read is written {{\"{{\"}}")]
    Syntax {
        /// What the parser says.
        problem: String,
    },
    /// It refers to something else.
    #[error("text refers to `{name}`; write out what users shall read")]
    Reference {
        /// To what.
        name: String,
    },
    /// The English text has a variable that this one lacks.
    #[error("variable `{{ ${name} }}` of the English text is missing; put it where its value belongs")]
    MissingVariable {
        /// Which.
        name: String,
    },
    /// Nobody sets this variable.
    #[error("variable `{{ ${name} }}` is not in the English text and would never be filled in; leave it out")]
    UnknownVariable {
        /// Which.
        name: String,
    },
}

/// Checks a text by the shape of the English one; says all that is wrong with it.
pub fn check(text: &str, english: &Shape) -> Result<(), Vec<TextProblem>> {
    let mut problems = Vec::new();
    if text.trim().is_empty() {
        return Err(vec![TextProblem::Empty]);
    }
    let characters = text.chars().count();
    if characters > TEXT_CHARACTERS_MAX {
        problems.push(TextProblem::TooLong { characters });
    }
    if let Some(found) = text.chars().find(|c| does_something(*c)) {
        problems.push(TextProblem::Control { found });
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let own = parse(text).map_err(|problem| vec![TextProblem::Syntax { problem }])?;
    problems.extend(own.references.iter().map(|name| TextProblem::Reference { name: name.clone() }));
    let missing =
        english.variables.difference(&own.variables).filter(|name| !OPTIONAL.contains(&name.as_str()));
    problems.extend(missing.map(|name| TextProblem::MissingVariable { name: name.clone() }));
    let unknown = own.variables.difference(&english.variables);
    problems.extend(unknown.map(|name| TextProblem::UnknownVariable { name: name.clone() }));
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

/// Returns a text as the Fluent source of its key.
pub fn source(key: &str, text: &str) -> String {
    match key.split_once('.') {
        Some((message, attribute)) => format!("{message} =\n    .{attribute} = {}\n", text.trim()),
        None => format!("{key} = {}\n", text.trim()),
    }
}

/// Reads a text by itself: the parser says then what is wrong with the text, and not with what surrounds it.
fn parse(text: &str) -> Result<Shape, String> {
    const ALONE: &str = "text";
    let resource = FluentResource::try_new(source(ALONE, text)).map_err(|(_, errors)| {
        let said: BTreeSet<_> = errors.iter().map(ToString::to_string).collect();
        said.into_iter().collect::<Vec<_>>().join("; ")
    })?;
    let mut shapes = shapes(&resource);
    match (shapes.len(), shapes.remove(ALONE)) {
        (1, Some(shape)) => Ok(shape),
        _ => Err("it holds more than one text".to_owned()),
    }
}

fn does_something(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{2028}' | '\u{2029}')
        || DIRECTIONS.iter().any(|range| range.contains(&c))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn wait() -> Shape {
        Shape { variables: ["seconds".to_owned()].into(), references: BTreeSet::new() }
    }

    fn problems(text: &str) -> String {
        let problems = check(text, &wait()).unwrap_err();
        problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn a_text_with_the_same_variables_is_taken_f61() {
        assert_eq!(check("Attendez { $seconds } s.", &wait()), Ok(()));
        assert_eq!(check(".bonjour = [x] *y", &Shape::default()), Ok(()));
    }

    #[test]
    fn each_way_to_be_wrong_has_its_own_words_f61() {
        let long = format!("{{ $seconds }}{}", "x".repeat(TEXT_CHARACTERS_MAX));
        let wrong = [
            "",
            " ",
            "Attendez.",
            "{ $seconds } { $name }",
            "{ $seconds",
            "{ $seconds } { other }",
            &long,
            "a\u{7}",
            "a\nb = c",
            "\u{202e}{ $seconds }",
        ];

        insta::assert_snapshot!(wrong.map(problems).join("\n"), @r#"
        text is empty; write what users shall read
        text is empty; write what users shall read
        variable `{ $seconds }` of the English text is missing; put it where its value belongs
        variable `{ $name }` is not in the English text and would never be filled in; leave it out
        text is not valid Fluent: Expected a token starting with "}"; a brace that users shall read is written {"{"}
        text refers to `other`; write out what users shall read
        text has 1012 characters and may have 1000; shorten it
        text holds the control character U+0007; leave it out and write on one line
        text holds the control character U+000A; leave it out and write on one line
        text holds the control character U+202E; leave it out and write on one line
        "#);
    }

    proptest! {
        #[test]
        fn what_is_taken_parses_as_that_one_key_f61(text in ".{0,60}|[a-z{}$.=\\[\\]* \"-]{0,40}") {
            if check(&text, &Shape::default()).is_ok() {
                let resource = FluentResource::try_new(source("a.b", &text)).unwrap();
                let shapes = shapes(&resource);
                prop_assert_eq!(shapes.keys().collect::<Vec<_>>(), ["a.b"]);
                prop_assert_eq!(&shapes["a.b"], &Shape::default());
            }
        }
    }
}
