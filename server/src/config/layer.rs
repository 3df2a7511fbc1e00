//! Settings over settings: defaults, file, environment, program.
//!
//! Each source is taken apart into single values, and each value is tried as soon as it is laid over the
//! others: so an error always knows whose fault it is.

use toml::{
    Table, Value,
    de::{DeTable, DeValue},
};

use super::{
    Config, SECRETS,
    error::{ConfigError, Place, hint},
};

/// Before every variable that names a key.
const PREFIX: &str = "GAUNTLET__";

/// After the name of a variable that names a file with the value.
const FILE_SUFFIX: &str = "_FILE";

/// Names that other programs know too, in the order of being laid.
const WELL_KNOWN: [(&str, &str); 7] = [
    ("PORT", "http.listen"),
    ("DATABASE_URL", "database.url"),
    ("REDIS_URL", "redis.url"),
    ("JWT_SECRET", "auth.secret"),
    ("DEEPSEEK_API_KEY", "llm.api_key"),
    ("DEEPSEEK_BASE_URL", "llm.base_url"),
    ("DEEPSEEK_MODEL", "llm.model"),
];

/// Settings under construction.
pub(super) struct Layers {
    table: Table,
    config: Config,
}

impl Layers {
    /// Begins with these settings.
    pub(super) fn new(base: Config) -> Self {
        Self { table: base.table(), config: base }
    }

    /// Lays a TOML text over what is there.
    pub(super) fn file(&mut self, name: &str, text: &str) -> Result<(), ConfigError> {
        let syntax = |error: toml::de::Error| ConfigError::Syntax {
            problem: error.message().to_owned(),
            place: Place::file(name, text, error.span().unwrap_or(0..0)),
        };
        let spans = DeTable::parse(text).map_err(syntax)?;
        let values: Table = toml::from_str(text).map_err(syntax)?;
        self.tables(&values, &mut Vec::new(), &|path| {
            Place::file(name, text, span_of(spans.get_ref(), path).unwrap_or(0..0))
        })
    }

    /// Lays the variables that concern us over what is there; order among them is by name.
    pub(super) fn environment<N, V>(
        &mut self,
        env: impl IntoIterator<Item = (N, V)>,
    ) -> Result<(), ConfigError>
    where
        N: AsRef<str>,
        V: AsRef<str>,
    {
        let env = env.into_iter().map(|(name, value)| (name.as_ref().to_owned(), value.as_ref().to_owned()));
        let mut env: Vec<(String, String)> = env.collect();
        env.sort();
        for (known, key) in WELL_KNOWN {
            let ours = env.iter().filter(|(name, _)| name.strip_suffix(FILE_SUFFIX).unwrap_or(name) == known);
            for (name, value) in ours.filter(|(name, _)| name == known || is_secret(&path_of(key))) {
                self.variable(name, &path_of(key), value)?;
            }
        }
        for (name, value) in &env {
            if let Some(key) = name.strip_prefix(PREFIX) {
                let key = key.to_lowercase().replace("__", ".");
                let secret = key.strip_suffix(&FILE_SUFFIX.to_lowercase()).map(path_of);
                let path = secret.filter(|path| is_secret(path)).unwrap_or_else(|| path_of(&key));
                self.variable(name, &path, value)?;
            }
        }
        Ok(())
    }

    /// Lays values of the program over what is there; keys may hold dots.
    pub(super) fn overrides(&mut self, overrides: &Table) -> Result<(), ConfigError> {
        self.tables(overrides, &mut Vec::new(), &|_| Place::Program)
    }

    /// Checks the whole.
    pub(super) fn finish(self) -> Result<Config, ConfigError> {
        self.config.validate()?;
        Ok(self.config)
    }

    /// Lays every value of `table` that stands below `path`.
    fn tables(
        &mut self,
        table: &Table,
        path: &mut Vec<String>,
        place: &dyn Fn(&[String]) -> Place,
    ) -> Result<(), ConfigError> {
        for (key, value) in table {
            let depth = path.len();
            path.extend(path_of(key));
            match (value, self.at(path)) {
                (Value::Table(inner), Some(Value::Table(_))) => self.tables(inner, path, place)?,
                _ => self.lay(path, value.clone(), || place(path))?,
            }
            path.truncate(depth);
        }
        Ok(())
    }

    /// Lays the value of a variable, or what the file that it names holds.
    fn variable(&mut self, name: &str, path: &[String], value: &str) -> Result<(), ConfigError> {
        let place = || Place::Variable(name.to_owned());
        let wrong = |problem| ConfigError::Value { key: path.join("."), problem, place: place() };
        let mut value = value.to_owned();
        if name.ends_with(FILE_SUFFIX) && is_secret(path) {
            let read = std::fs::read_to_string(&value);
            value = read.map_err(|cause| wrong(format!("file `{value}` cannot be read: {cause}")))?;
            value.truncate(value.trim_end_matches(['\r', '\n']).len());
        }
        if name == "PORT" {
            let port = value
                .parse()
                .map_err(|_| wrong(format!("`{value}` is not a port; write a number up to 65535")))?;
            let mut listen = self.config.http.listen;
            listen.set_port(port);
            value = listen.to_string();
        }
        let typed = typed(self.at(path), value);
        self.lay(path, typed, place)
    }

    /// Lays one value and tries it.
    fn lay(&mut self, path: &[String], value: Value, place: impl Fn() -> Place) -> Result<(), ConfigError> {
        let key = path.join(".");
        self.known(path, &place)?;
        let mut table = self.table.clone();
        if let Some(slot) = slot(&mut table, path) {
            *slot = value;
        }
        match Config::deserialize_table(table.clone()) {
            Ok(config) => (self.table, self.config) = (table, config),
            Err(problem) => return Err(ConfigError::Value { key, problem, place: place() }),
        }
        Ok(())
    }

    /// Refuses a path that leads nowhere, with the names that are known where it leaves the map.
    fn known(&self, path: &[String], place: impl Fn() -> Place) -> Result<(), ConfigError> {
        let mut here = &self.table;
        for (depth, name) in path.iter().enumerate() {
            let Some(next) = here.get(name) else {
                let known: Vec<_> = here.keys().map(|known| format!("`{known}`")).collect();
                return Err(ConfigError::Unknown {
                    key: path.get(..=depth).unwrap_or(path).join("."),
                    known: known.join(", "),
                    hint: hint(name, here.keys().map(String::as_str)),
                    place: place(),
                });
            };
            let Value::Table(next) = next else { return Ok(()) };
            here = next;
        }
        Ok(())
    }

    fn at(&self, path: &[String]) -> Option<&Value> {
        let (last, front) = path.split_last()?;
        let mut here = &self.table;
        for name in front {
            here = here.get(name)?.as_table()?;
        }
        here.get(last)
    }
}

impl Config {
    fn deserialize_table(table: Table) -> Result<Self, String> {
        table.try_into().map_err(|error: toml::de::Error| error.message().to_owned())
    }
}

fn path_of(key: &str) -> Vec<String> {
    key.split('.').map(str::to_owned).collect()
}

fn is_secret(path: &[String]) -> bool {
    SECRETS.iter().any(|secret| path == secret)
}

fn slot<'a>(table: &'a mut Table, path: &[String]) -> Option<&'a mut Value> {
    let (last, front) = path.split_last()?;
    let mut here = table;
    for name in front {
        here = here.get_mut(name)?.as_table_mut()?;
    }
    here.get_mut(last)
}

/// Reads a variable as the type that its key has now; what cannot be read so stays text, and is refused
/// later with a message that names the type.
fn typed(now: Option<&Value>, text: String) -> Value {
    let read = match now {
        Some(Value::Integer(_)) => text.parse().ok().map(Value::Integer),
        Some(Value::Float(_)) => text.parse().ok().map(Value::Float),
        Some(Value::Boolean(_)) => text.parse().ok().map(Value::Boolean),
        Some(Value::Array(_)) => {
            let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
            Some(Value::Array(items.map(Value::from).collect()))
        }
        _ => None,
    };
    read.unwrap_or(Value::String(text))
}

/// Finds the bytes of a path: of the value if it is one, of the last key if that is a table or unknown.
fn span_of(table: &DeTable<'_>, path: &[String]) -> Option<std::ops::Range<usize>> {
    let (first, rest) = path.split_first()?;
    let (key, value) = table.iter().find(|(key, _)| key.get_ref() == first)?;
    match value.get_ref() {
        DeValue::Table(inner) if !rest.is_empty() => span_of(inner, rest),
        DeValue::Table(_) => Some(key.span()),
        _ => Some(value.span()),
    }
}
