//! Whether JSON is what a JSON Schema says: the words that our schemas use, and no others.

use serde_json::{Map, Value};

/// Words that describe and do not decide.
const SILENT: [&str; 7] = ["$schema", "title", "description", "default", "format", "$defs", "examples"];

/// Returns what contradicts the schema, each with its place; a word that the checker does not know is one too.
pub(crate) fn contradictions(schema: &Value, json: &Value) -> Vec<String> {
    let mut checker = Checker { root: schema, found: Vec::new() };
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
        let root = self.root;
        let is_fitting = |schema: &&Value| {
            let mut checker = Checker { root, found: Vec::new() };
            checker.check(schema, spot);
            checker.found.is_empty()
        };
        let fitting = says.as_array().unwrap().iter().filter(is_fitting).count();
        let Spot { json, at } = spot;
        self.blame(fits(fitting), at, &format!("another of the choices; {fitting} of them fit {json}"));
    }

    fn fields(&mut self, word: &str, words: &Map<String, Value>, Spot { json, at }: Spot<'_>) {
        let known = words.get("properties").and_then(Value::as_object);
        for (name, value) in json.as_object().into_iter().flatten() {
            let place = format!("{at}/{name}");
            match (word, known.and_then(|known| known.get(name))) {
                ("properties", Some(schema)) => self.check(schema, Spot { json: value, at: &place }),
                ("additionalProperties", None) => self.check(&words[word], Spot { json: value, at: &place }),
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
