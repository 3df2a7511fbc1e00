//! The settings: typed, one section a file, checked before any port opens.
//!
//! Times are strings with a unit (`"30s"`, `"5m"`, `"500ms"`). Unknown keys are refused. The defaults
//! are the numbers of the requirements (FEATURES §4), so that an empty file is a sound configuration.
//!
//! Invariant: a [`Config`] that came out of [`Config::load`] or [`Config::with`] has passed
//! [`Config::validate`]. What it does not do: read the environment; whoever starts a server hands it in.

pub mod abuse;
pub mod auth;
pub mod calendar;
pub mod conversation;
pub mod database;
mod error;
pub mod http;
mod layer;
pub mod limits;
pub mod llm;
pub mod privacy;
mod profile;
pub mod redis;
mod secret;
pub mod span;
mod validate;

use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};

pub use abuse::Abuse;
pub use auth::Auth;
pub use calendar::Calendar;
pub use conversation::Conversation;
pub use database::DatabaseUrl;
pub use error::{ConfigError, Place, Snippet};
pub use http::Http;
pub use limits::Limits;
pub use llm::Llm;
pub use privacy::Privacy;
pub use profile::Profile;
pub use redis::RedisUrl;

/// All settings of a server.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Sockets, bodies, proxies, browsers.
    pub http: Http,
    /// Where the rows live.
    pub database: DatabaseUrl,
    /// What replicas share.
    pub redis: RedisUrl,
    /// Tokens and passwords.
    pub auth: Auth,
    /// Rate limits.
    pub limits: Limits,
    /// The model and how long it may take.
    pub llm: Llm,
    /// Sessions, memory and facts.
    pub conversation: Conversation,
    /// Suggestions and reminders.
    pub calendar: Calendar,
    /// What is asked before personal data goes anywhere.
    pub privacy: Privacy,
}

/// The keys whose values are not shown.
const SECRETS: [[&str; 2]; 6] = [
    ["auth", "secret"],
    ["llm", "api_key"],
    ["llm", "user_id_key"],
    ["database", "url"],
    ["database", "chat_url"],
    ["redis", "url"],
];

impl Config {
    /// Builds the settings from the defaults, then a TOML text (with the name to blame), then the
    /// environment; the later wins, key by key at every depth.
    ///
    /// Variables are named `GAUNTLET__SECTION__KEY`; `PORT`, `DATABASE_URL`, `REDIS_URL`, `JWT_SECRET` and
    /// `DEEPSEEK_API_KEY|BASE_URL|MODEL` are known too, and a secret may be in a file that the
    /// variable with `_FILE` after its name names. Other variables are none of our business.
    pub fn load<N, V>(
        text: Option<(&str, &str)>,
        env: impl IntoIterator<Item = (N, V)>,
    ) -> Result<Self, ConfigError>
    where
        N: AsRef<str>,
        V: AsRef<str>,
    {
        Self::load_for(Profile::Development, text, env)
    }

    /// The same with the settings of a profile beneath the text.
    pub fn load_for<N, V>(
        profile: Profile,
        text: Option<(&str, &str)>,
        env: impl IntoIterator<Item = (N, V)>,
    ) -> Result<Self, ConfigError>
    where
        N: AsRef<str>,
        V: AsRef<str>,
    {
        let mut layers = layer::Layers::new(Self::default());
        if let Some(settings) = profile.settings() {
            layers.file(profile.name(), settings)?;
        }
        if let Some((name, text)) = text {
            layers.file(name, text)?;
        }
        layers.environment(env)?;
        layers.finish()
    }

    /// Returns these settings with some changed: a table of tables as in a file, or with dots in its keys
    /// (`"llm.breaker.cooldown"`). What is not named stays.
    pub fn with(&self, overrides: &toml::Table) -> Result<Self, ConfigError> {
        let mut layers = layer::Layers::new(self.clone());
        layers.overrides(overrides)?;
        layers.finish()
    }

    /// Returns all settings in force, secrets hidden.
    pub fn settings(&self) -> serde_json::Value {
        serde_json::to_value(self).unwrap_or_default()
    }

    /// Returns all settings in force as TOML, secrets hidden.
    pub fn to_toml(&self) -> String {
        toml::to_string(self).unwrap_or_default()
    }

    /// Returns all settings in force with the secrets in clear, to build other settings from.
    fn table(&self) -> toml::Table {
        let mut table = toml::Table::try_from(self).unwrap_or_default();
        let (auth, llm, database) = (&self.auth, &self.llm, &self.database);
        let secrets = [
            &auth.secret,
            &llm.api_key,
            &llm.user_id_key,
            &database.url,
            &database.chat_url,
            &self.redis.url,
        ];
        for ([section, key], secret) in SECRETS.into_iter().zip(secrets) {
            if let Some(toml::Value::Table(section)) = table.get_mut(section) {
                section.insert(key.to_owned(), secret.expose_secret().into());
            }
        }
        table
    }
}

#[cfg(test)]
mod tests {
    use std::{num::NonZeroU32, time::Duration};

    use super::*;

    const NO_ENV: [(&str, &str); 0] = [];

    fn load(text: &str) -> Result<Config, ConfigError> {
        Config::load(Some(("gauntlet.toml", text)), NO_ENV)
    }

    fn from_env(env: &[(&str, &str)]) -> Result<Config, ConfigError> {
        Config::load(None, env.iter().copied())
    }

    #[test]
    fn nothing_at_all_gives_the_numbers_of_the_requirements() {
        let config = load("").unwrap();

        assert_eq!(config.to_toml(), include_str!("config/defaults.toml"));
    }

    #[test]
    fn a_part_of_a_table_leaves_the_rest_of_it_alone() {
        let config = load("[limits.messages]\nrate = 20\n\n[llm]\nbreaker.cooldown = \"2s\"").unwrap();

        let messages = &config.limits.messages;
        assert_eq!(
            (messages.rate, messages.burst),
            (NonZeroU32::new(20).unwrap(), NonZeroU32::new(10).unwrap())
        );
        assert_eq!(config.llm.breaker.cooldown, Duration::from_secs(2));
        assert_eq!(config.llm.breaker.failures, 5);
    }

    #[test]
    fn production_asks_for_consent_unless_somebody_says_otherwise_f114() {
        let asks = |text| {
            let config = Config::load_for(Profile::Production, Some(("gauntlet.toml", text)), NO_ENV);
            config.unwrap().privacy.ask_consent
        };

        assert!(!load("").unwrap().privacy.ask_consent);
        assert!(asks(""));
        assert!(!asks("privacy.ask_consent = false"));
    }

    #[test]
    fn the_environment_wins_over_the_file() {
        let env =
            [("PORT", "9000"), ("GAUNTLET__LLM__BASE_URL", "http://m"), ("GAUNTLET__LLM__TEMPERATURE", "1")];

        let config = Config::load(Some(("f", "[llm]\nbase_url = \"x\"\nmodel = \"m\"")), env).unwrap();

        assert_eq!(config.http.listen.to_string(), "127.0.0.1:9000");
        assert_eq!((config.llm.base_url.as_str(), config.llm.model.as_str()), ("http://m", "m"));
        assert!((config.llm.temperature - 1.0).abs() < f64::EPSILON);
    }

    #[test]
    fn the_exact_name_wins_over_the_well_known_one() {
        let config = from_env(&[("GAUNTLET__LLM__MODEL", "b"), ("DEEPSEEK_MODEL", "a"), ("HOME", "/")]);

        assert_eq!(config.unwrap().llm.model, "b");
    }

    #[test]
    fn a_list_and_a_truth_can_come_from_the_environment() {
        let config = from_env(&[
            ("GAUNTLET__HTTP__TRUSTED_PROXIES", "10.0.0.0/8, fd00::1"),
            ("GAUNTLET__AUTH__QUERY_TOKEN", "false"),
        ])
        .unwrap();

        assert_eq!(config.http.trusted_proxies, ["10.0.0.0/8", "fd00::1"]);
        assert!(!config.auth.query_token);
    }

    #[test]
    fn a_secret_may_be_in_a_file_and_is_never_shown() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("secret");
        std::fs::write(&file, "0123456789-0123456789-0123456789\n").unwrap();

        let config = from_env(&[("JWT_SECRET_FILE", file.to_str().unwrap())]).unwrap();

        assert_eq!(config.auth.secret.expose_secret(), "0123456789-0123456789-0123456789");
        let shown = format!("{config:?}{}{}", config.settings(), config.to_toml());
        assert!(!shown.contains("0123456789-"));
    }

    #[test]
    fn overrides_keep_what_they_do_not_name_and_the_secrets() {
        let config = from_env(&[("DEEPSEEK_API_KEY", "sk-1")]).unwrap();
        let overrides = toml::toml! {
            "llm.breaker.cooldown" = "2s"
            [limits.messages]
            rate = 7
        };

        let changed = config.with(&overrides).unwrap();

        assert_eq!(changed.llm.api_key.expose_secret(), "sk-1");
        assert_eq!(changed.llm.breaker.cooldown, Duration::from_secs(2));
        assert_eq!(changed.limits.messages.rate.get(), 7);
        assert_eq!(changed.limits.messages.burst.get(), 10);
    }

    #[test]
    fn an_unknown_key_is_shown_where_it_stands() {
        let error = load("[llm]\nmodel = \"m\"\n\n[limits.mesages]\nrate = 1\n").unwrap_err();

        insta::assert_snapshot!(error, @"
        unknown key `limits.mesages`, expected one of `abuse`, `admin`, `http`, `login`, `messages`, `rate_limit_fields`, `reminders`, `sockets`, `sweep_interval`, `tickets`, `tokens_per_day`, `user`
         --> gauntlet.toml:4:9
          |
        4 | [limits.mesages]
          |         ^^^^^^^
        did you mean `messages`?
        ");
    }

    #[test]
    fn a_wrong_value_is_shown_where_it_stands() {
        let error = load("[llm]\ntotal = \"30\"\n").unwrap_err();

        insta::assert_snapshot!(error, @r#"
        `llm.total` is wrong: `30` is not a duration; write a number with a unit, such as `500ms`, `30s` or `5m`
         --> gauntlet.toml:2:9
          |
        2 | total = "30"
          |         ^^^^
        "#);
    }

    #[test]
    fn text_that_is_no_toml_is_shown_where_it_breaks() {
        let error = load("[llm]\nmodel = m\n").unwrap_err();

        insta::assert_snapshot!(error, @"
        not valid TOML: string values must be quoted, expected literal string
         --> gauntlet.toml:2:9
          |
        2 | model = m
          |         ^
        ");
    }

    #[test]
    fn a_wrong_variable_is_named() {
        let message = |env| from_env(&[env]).unwrap_err().to_string();

        insta::assert_snapshot!(message(("GAUNTLET__LLM__MODLE", "m")), @"
        unknown key `llm.modle`, expected one of `api_key`, `base_url`, `breaker`, `cheaper_model`, `concurrency`, `concurrency_wait`, `connect`, `first_token`, `foreign_letters`, `gap`, `line_bytes`, `malformed_chunks`, `mask`, `max_tokens`, `model`, `reserve`, `retries`, `retry_budget`, `retry_floor`, `stream_end`, `temperature`, `total`, `user_id_key`
         --> variable GAUNTLET__LLM__MODLE
        did you mean `model`?
        ");
        insta::assert_snapshot!(message(("PORT", "http")), @"
        `http.listen` is wrong: `http` is not a port; write a number up to 65535
         --> variable PORT
        ");
        insta::assert_snapshot!(message(("JWT_SECRET_FILE", "/nowhere")), @"
        `auth.secret` is wrong: file `/nowhere` cannot be read: No such file or directory (os error 2)
         --> variable JWT_SECRET_FILE
        ");
        insta::assert_snapshot!(message(("GAUNTLET__CALENDAR__PER_DAY", "many")), @r#"
        `calendar.per_day` is wrong: invalid type: string "many", expected u32
         --> variable GAUNTLET__CALENDAR__PER_DAY
        "#);
    }
}
