//! Whether JSON is what a JSON Schema says: the words that our schemas use, and no others.

use regex::Regex;
use serde_json::{Map, Value};

/// Words that describe and do not decide.
const SILENT: [&str; 7] =
    ["$schema", "title", "description", "default", "$defs", "examples", "discriminator"];

/// Returns what contradicts the schema, each with its place; a word that the checker does not know is one too.
pub(crate) fn contradictions(schema: &Value, json: &Value) -> Vec<String> {
    let mut checker = Checker { root: schema, is_strict: false, found: Vec::new() };
    checker.check(schema, Spot { json, at: "" });
    checker.found
}

/// The same for a schema that stands in a document, whose references lead there. A field that the schema of its object does
/// not name is a contradiction too.
pub(crate) fn strict_contradictions((root, schema): (&Value, &Value), json: &Value) -> Vec<String> {
    let mut checker = Checker { root, is_strict: true, found: Vec::new() };
    checker.check(schema, Spot { json, at: "" });
    checker.found
}

/// A value and where it stands.
#[derive(Clone, Copy)]
struct Spot<'a> {
    json: &'a Value,
    at: &'a str,
}

struct Checker<'a> {
    root: &'a Value,
    is_strict: bool,
    found: Vec<String>,
}

impl Checker<'_> {
    fn check(&mut self, schema: &Value, spot: Spot<'_>) {
        let Spot { json, at } = spot;
        let Some(words) = schema.as_object() else {
            if *schema == Value::Bool(false) {
                self.found.push(format!("{at}: nothing may be here"));
            }
            return;
        };
        for (word, says) in words.iter().filter(|(word, _)| !SILENT.contains(&word.as_str())) {
            match word.as_str() {
                "$ref" => {
                    let place = says.as_str().unwrap().trim_start_matches('#');
                    let other = self.root.pointer(place).unwrap_or_else(|| panic!("`{place}` leads nowhere"));
                    self.check(other, spot);
                }
                "type" => self.type_of(says, spot),
                "enum" => self.blame(says.as_array().unwrap().contains(json), at, &format!("one of {says}")),
                "const" => self.blame(says == json, at, &format!("{says}")),
                "format" => self.blame(is_of_format(says, json), at, &format!("the form of a {says}")),
                "pattern" | "minLength" | "maxLength" => self.text(word, says, spot),
                "minimum" => self.blame(
                    !json.is_number() || json.as_f64() >= says.as_f64(),
                    at,
                    &format!("{says} at least"),
                ),
                "maximum" => self.blame(
                    !json.is_number() || json.as_f64() <= says.as_f64(),
                    at,
                    &format!("{says} at most"),
                ),
                "anyOf" => self.some_of(says, spot, |fitting| fitting > 0),
                "oneOf" => self.some_of(says, spot, |fitting| fitting == 1),
                "required" => {
                    for name in says.as_array().unwrap().iter().filter_map(Value::as_str) {
                        let is_there = !json.is_object() || json.get(name).is_some();
                        self.blame(is_there, at, &format!("a field `{name}`"));
                    }
                }
                "properties" | "additionalProperties" => self.fields(word, words, spot),
                "items" | "prefixItems" | "minItems" | "maxItems" => self.items(word, says, spot),
                unknown => self.found.push(format!("the checker does not know the word `{unknown}`")),
            }
        }
    }

    fn blame(&mut self, fits: bool, at: &str, wanted: &str) {
        if !fits {
            self.found.push(format!("{at}: wanted {wanted}"));
        }
    }

    fn type_of(&mut self, says: &Value, Spot { json, at }: Spot<'_>) {
        let is = |name: &str| match name {
            "null" => json.is_null(),
            "boolean" => json.is_boolean(),
            "integer" => json.is_i64() || json.is_u64(),
            "number" => json.is_number(),
            "string" => json.is_string(),
            "array" => json.is_array(),
            "object" => json.is_object(),
            other => panic!("there is no type `{other}`"),
        };
        let fits = match says {
            Value::Array(names) => names.iter().filter_map(Value::as_str).any(is),
            name => name.as_str().is_some_and(is),
        };
        self.blame(fits, at, &format!("the type {says}"));
    }

    fn some_of(&mut self, says: &Value, spot: Spot<'_>, fits: impl Fn(usize) -> bool) {
        let tried = says.as_array().unwrap().iter().map(|schema| {
            let mut checker = Checker { root: self.root, is_strict: self.is_strict, found: Vec::new() };
            checker.check(schema, spot);
            checker.found
        });
        let tried: Vec<_> = tried.collect();
        let fitting = tried.iter().filter(|found| found.is_empty()).count();
        if fits(fitting) {
            return;
        }
        let Spot { json, at } = spot;
        self.blame(false, at, &format!("another of the choices; {fitting} of them fit {json}"));
        // What is wrong is most likely what keeps it from the choice that it is nearest to.
        self.found.extend(tried.into_iter().min_by_key(Vec::len).unwrap_or_default());
    }

    fn text(&mut self, word: &str, says: &Value, Spot { json, at }: Spot<'_>) {
        let Some(text) = json.as_str() else { return };
        let length = u64::try_from(text.chars().count()).unwrap();
        let fits = match word {
            "pattern" => Regex::new(says.as_str().unwrap()).unwrap().is_match(text),
            "minLength" => says.as_u64() <= Some(length),
            _ => says.as_u64() >= Some(length),
        };
        self.blame(fits, at, &format!("{word} {says}"));
    }

    fn fields(&mut self, word: &str, words: &Map<String, Value>, Spot { json, at }: Spot<'_>) {
        let known = words.get("properties").and_then(Value::as_object);
        for (name, value) in json.as_object().into_iter().flatten() {
            let place = format!("{at}/{name}");
            match (word, known.and_then(|known| known.get(name))) {
                ("properties", Some(schema)) => self.check(schema, Spot { json: value, at: &place }),
                ("additionalProperties", None) => self.check(&words[word], Spot { json: value, at: &place }),
                ("properties", None) if self.is_strict && !words.contains_key("additionalProperties") => {
                    self.found.push(format!("{place}: no such field is described"));
                }
                _ => {}
            }
        }
    }

    fn items(&mut self, word: &str, says: &Value, Spot { json, at }: Spot<'_>) {
        let Some(items) = json.as_array() else { return };
        let length = u64::try_from(items.len()).unwrap();
        match word {
            "minItems" => self.blame(says.as_u64() <= Some(length), at, &format!("{says} items at least")),
            "maxItems" => self.blame(says.as_u64() >= Some(length), at, &format!("{says} items at most")),
            "prefixItems" => {
                for (n, (schema, item)) in says.as_array().unwrap().iter().zip(items).enumerate() {
                    self.check(schema, Spot { json: item, at: &format!("{at}/{n}") });
                }
            }
            _ => {
                for (n, item) in items.iter().enumerate() {
                    self.check(says, Spot { json: item, at: &format!("{at}/{n}") });
                }
            }
        }
    }
}

/// Returns whether a text is of this form; forms of numbers are left to their bounds.
fn is_of_format(says: &Value, json: &Value) -> bool {
    let Some(text) = json.as_str() else { return true };
    match says.as_str() {
        Some("uuid") => text.parse::<uuid::Uuid>().is_ok(),
        Some("date-time") => text.parse::<jiff::Timestamp>().is_ok(),
        _ => true,
    }
}
