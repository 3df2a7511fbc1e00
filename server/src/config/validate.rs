//! Which values make sense together.
//!
//! Invariant: every refusal names the key, what was found, and what is allowed.

use std::time::Duration;

use secrecy::ExposeSecret;

use super::{Config, ConfigError, span};
use crate::{
    limit::{Policy, address::Proxies},
    storage::UNDO_HOURS_MAX,
};

/// Shortest secret that signs tokens, in bytes: the output of the hash below (RFC 7518 §3.2).
const SECRET_BYTES_MIN: usize = 32;

/// Shortest key of the hash that stands for a user at the provider, in bytes: nobody tries all of 128 bits.
const USER_ID_KEY_MIN: usize = 16;

/// Most requests to a model at once: more sockets than a process has.
const CONCURRENCY_MAX: usize = 100_000;

/// Least memory of a password hash, in KiB: eight blocks per lane, which argon2 itself demands.
const ARGON2_MEMORY_MIN: u32 = 8;

/// Longest time until an empty bucket is full; beyond it the arithmetic of limits could overflow.
const REFILL_MAX: Duration = Duration::from_hours(366 * 24);

/// Longest of any duration, so that sums of a few stay representable everywhere.
const DURATION_MAX: Duration = Duration::from_hours(100 * 366 * 24);

/// Least buffer of a socket, in bytes: what systems give to whoever asks for less.
const SEND_BUFFER_MIN: usize = 4096;

/// Longest room of an entry in a calendar.
const SLOT_MAX: Duration = Duration::from_hours(24);

/// Longest time for which something can be undone.
const UNDO_MAX: Duration = Duration::from_hours(UNDO_HOURS_MAX.unsigned_abs());

impl Config {
    /// Checks that the settings make sense; the first that does not is named.
    pub fn validate(&self) -> Result<(), ConfigError> {
        self.check_durations()?;
        self.check_http()?;
        self.check_auth()?;
        policy("limits.http", &self.limits.http)?;
        policy("limits.user", &self.limits.user)?;
        policy("limits.messages", &self.limits.messages)?;
        policy("limits.login", &self.limits.login)?;
        policy("limits.admin", &self.limits.admin)?;
        policy("limits.tickets", &self.limits.tickets)?;
        policy("limits.sockets", &self.limits.sockets)?;
        policy("limits.reminders", &self.limits.reminders)?;
        self.check_abuse()?;
        self.check_llm()?;
        self.check_conversation()?;
        self.check_calendar()
    }

    /// No wait may be zero (it would never end, or never begin) or beyond measure.
    fn check_durations(&self) -> Result<(), ConfigError> {
        let (http, llm, talk) = (&self.http, &self.llm, &self.conversation);
        let durations = [
            ("http.header_timeout", http.header_timeout),
            ("http.ping_interval", http.ping_interval),
            ("http.pong_timeout", http.pong_timeout),
            ("http.write_timeout", http.write_timeout),
            ("auth.token_life", self.auth.token_life),
            ("auth.access_life", self.auth.access_life),
            ("auth.refresh_life", self.auth.refresh_life),
            ("auth.recheck", self.auth.recheck),
            ("auth.ticket_life", self.auth.ticket_life),
            ("auth.admin_idle", self.auth.admin_idle),
            ("limits.sweep_interval", self.limits.sweep_interval),
            ("llm.total", llm.total),
            ("llm.connect", llm.connect),
            ("llm.first_token", llm.first_token),
            ("llm.gap", llm.gap),
            ("llm.breaker.cooldown", llm.breaker.cooldown),
            ("llm.breaker.rate_limit_cooldown", llm.breaker.rate_limit_cooldown),
            ("conversation.idle", talk.idle),
            ("conversation.window_age", talk.window_age),
            ("conversation.transient_life", talk.transient_life),
            ("conversation.preference_life", talk.preference_life),
            ("conversation.fact_retention", talk.fact_retention),
            ("conversation.fact_write_deadline", talk.fact_write_deadline),
            ("calendar.suggestion_life", self.calendar.suggestion_life),
            ("calendar.ignored_pause", self.calendar.ignored_pause),
            ("calendar.quality_window", self.calendar.quality_window),
            ("calendar.reply_life", self.calendar.reply_life),
            ("database.patience", self.database.patience),
            ("redis.patience", self.redis.patience),
            ("http.slow_timeout", http.slow_timeout),
            ("http.first_frame", http.first_frame),
            ("conversation.resume_life", talk.resume_life),
        ];
        for (key, duration) in durations {
            waitable(key, duration)?;
        }
        check(http.drain <= DURATION_MAX, "http.drain", span::print(http.drain), "at most 100 years")
    }

    fn check_http(&self) -> Result<(), ConfigError> {
        let http = &self.http;
        let proxies = Proxies::parse(&http.trusted_proxies).map(drop);
        proxies.map_err(|error| ConfigError::Value {
            key: "http.trusted_proxies".to_owned(),
            problem: error.to_string(),
            place: super::Place::Program,
        })?;
        for origin in &http.allowed_origins {
            let (scheme, host) = origin.split_once("://").unwrap_or_default();
            let plain = origin.is_ascii() && !host.is_empty() && !host.contains('/');
            let fits = plain && matches!(scheme, "http" | "https");
            check(
                fits,
                "http.allowed_origins",
                quoted(origin),
                "origins such as `https://chat.example.org`",
            )?;
        }
        at_least("http.body_bytes", http.body_bytes, 1)?;
        at_least("http.frame_bytes", http.frame_bytes, 1)?;
        at_least("http.send_buffer_bytes", http.send_buffer_bytes as usize, SEND_BUFFER_MIN)?;
        at_least("http.sockets_per_user", http.sockets_per_user, 1)?;
        at_least("http.sockets_per_address", http.sockets_per_address, 1)?;
        at_least("database.connections", self.database.connections as usize, 1)?;
        self.check_chat_database()
    }

    /// Roles are PostgreSQL's: with another engine a second URL would be a second database.
    fn check_chat_database(&self) -> Result<(), ConfigError> {
        let is_postgres = |url: &str| url.starts_with("postgres://") || url.starts_with("postgresql://");
        let (url, chat) = (self.database.url.expose_secret(), self.database.chat_url.expose_secret());
        let fits = chat.is_empty() || (is_postgres(url) && is_postgres(chat));
        let allowed = "empty, or the `postgres://` URL of another role where `database.url` is one too";
        check(fits, "database.chat_url", "another kind of URL".to_owned(), allowed)
    }

    fn check_auth(&self) -> Result<(), ConfigError> {
        let auth = &self.auth;
        let bytes = auth.secret.expose_secret().len();
        let found = format!("{bytes} bytes long");
        check(bytes == 0 || bytes >= SECRET_BYTES_MIN, "auth.secret", found, "32 bytes or more, or empty")?;
        let memory = auth.argon2_memory_kib;
        check(memory >= ARGON2_MEMORY_MIN, "auth.argon2_memory_kib", memory.to_string(), "8 or more")?;
        at_least("auth.argon2_passes", auth.argon2_passes as usize, 1)
    }

    fn check_abuse(&self) -> Result<(), ConfigError> {
        let abuse = &self.limits.abuse;
        let durations = [
            ("limits.abuse.window", abuse.window),
            ("limits.abuse.strike_life", abuse.strike_life),
            ("limits.abuse.block", abuse.block),
        ];
        durations.into_iter().try_for_each(|(key, duration)| waitable(key, duration))?;
        at_least("limits.abuse.rejections", abuse.rejections, 1)?;
        at_least("limits.abuse.strikes", abuse.strikes, 1)
    }

    fn check_llm(&self) -> Result<(), ConfigError> {
        let llm = &self.llm;
        let web = llm.base_url.starts_with("http://") || llm.base_url.starts_with("https://");
        check(web, "llm.base_url", quoted(&llm.base_url), "a URL that begins with `http://` or `https://`")?;
        check(!llm.model.is_empty(), "llm.model", quoted(&llm.model), "a name")?;
        between("llm.temperature", llm.temperature, 0.0, 2.0)?;
        between("llm.retry_budget", llm.retry_budget, 0.0, 1.0)?;
        at_least("llm.max_tokens", llm.max_tokens as usize, 1)?;
        at_least("llm.line_bytes", llm.line_bytes, 1)?;
        at_least("llm.concurrency", llm.concurrency, 1)?;
        check(
            llm.concurrency <= CONCURRENCY_MAX,
            "llm.concurrency",
            llm.concurrency.to_string(),
            "at most 100000",
        )?;
        let key = llm.user_id_key.expose_secret().len();
        let fits = key == 0 || key >= USER_ID_KEY_MIN;
        check(fits, "llm.user_id_key", format!("{key} bytes"), "16 bytes or more, or none")?;
        at_least("llm.breaker.failures", llm.breaker.failures as usize, 1)?;
        let total = format!("less than `llm.total` ({})", span::print(llm.total));
        check(llm.reserve < llm.total, "llm.reserve", span::print(llm.reserve), &total)?;
        let total = format!("at most `llm.total` ({})", span::print(llm.total));
        let parts = [
            ("llm.connect", llm.connect),
            ("llm.first_token", llm.first_token),
            ("llm.gap", llm.gap),
            ("llm.retry_floor", llm.retry_floor),
            ("llm.concurrency_wait", llm.concurrency_wait),
        ];
        for (key, part) in parts {
            check(part <= llm.total, key, span::print(part), &total)?;
        }
        Ok(())
    }

    fn check_conversation(&self) -> Result<(), ConfigError> {
        let talk = &self.conversation;
        let window = talk.window_messages;
        check((2..=50).contains(&window), "conversation.window_messages", window.to_string(), "2 to 50")?;
        at_least("conversation.session_messages", talk.session_messages as usize, 2)?;
        at_least("conversation.message_characters", talk.message_characters, 1)?;
        at_least("conversation.prompt_tokens", talk.prompt_tokens, 1)?;
        at_least("conversation.queue", talk.queue, 1)?;
        between("conversation.shift_confidence", talk.shift_confidence, 0.0, 1.0)?;
        between("conversation.fact_confidence", talk.fact_confidence, 0.0, 1.0)
    }

    fn check_calendar(&self) -> Result<(), ConfigError> {
        let calendar = &self.calendar;
        at_least("calendar.per_hour", calendar.per_hour as usize, 1)?;
        at_least("calendar.per_day", calendar.per_day as usize, 1)?;
        at_least("calendar.pending_per_type", calendar.pending_per_type as usize, 1)?;
        at_least("calendar.open_reminders", calendar.open_reminders as usize, 1)?;
        at_least("calendar.ignored_in_row", calendar.ignored_in_row as usize, 1)?;
        between("calendar.quality_min", calendar.quality_min, 0.0, 0.5)?;
        let windows = [
            ("calendar.slot", calendar.slot, SLOT_MAX),
            ("calendar.undo_window", calendar.undo_window, UNDO_MAX),
        ];
        for (key, window, most) in windows {
            let fits = !window.is_zero() && window <= most;
            check(
                fits,
                key,
                span::print(window),
                &format!("more than `0s` and at most {}", span::print(most)),
            )?;
        }
        Ok(())
    }
}

fn waitable(key: &'static str, duration: Duration) -> Result<(), ConfigError> {
    let fits = !duration.is_zero() && duration <= DURATION_MAX;
    check(fits, key, span::print(duration), "more than `0s` and at most 100 years")
}

fn policy(key: &'static str, policy: &Policy) -> Result<(), ConfigError> {
    let refill = policy.period.checked_mul(policy.burst.get()).map(|whole| whole / policy.rate.get());
    let fits = !policy.period.is_zero() && refill.is_some_and(|refill| refill <= REFILL_MAX);
    let found = format!("{} of {} per {}", policy.burst, policy.rate, span::print(policy.period));
    check(fits, key, found, "a period over `0s` in which an empty bucket is full again within a year")
}

fn at_least(key: &'static str, found: usize, least: usize) -> Result<(), ConfigError> {
    check(found >= least, key, found.to_string(), &format!("{least} or more"))
}

fn between(key: &'static str, found: f64, least: f64, most: f64) -> Result<(), ConfigError> {
    check((least..=most).contains(&found), key, found.to_string(), &format!("{least} to {most}"))
}

fn check(fits: bool, key: &'static str, found: String, allowed: &str) -> Result<(), ConfigError> {
    if fits { Ok(()) } else { Err(ConfigError::Invalid { key, found, allowed: allowed.to_owned() }) }
}

fn quoted(text: &str) -> String {
    format!("`{text}`")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(line: &str) -> String {
        let env: [(&str, &str); 0] = [];
        let error = Config::load(Some(("f", line)), env).expect_err(line).to_string();
        error.lines().next().unwrap_or_default().to_owned()
    }

    #[test]
    fn values_without_sense_are_refused_by_name() {
        let lines = [
            "limits.http.rate = 0",
            "limits.messages.burst = 0",
            "limits.user.rate = -1",
            "limits.user.period = \"0s\"",
            "limits.user.burst = 4000000000",
            "conversation.window_messages = 1",
            "conversation.window_messages = 51",
            "conversation.shift_confidence = -1.0",
            "conversation.fact_confidence = 1.5",
            "llm.total = \"400ms\"",
            "llm.gap = \"31s\"",
            "llm.retry_floor = \"31s\"",
            "llm.base_url = \"api.deepseek.com\"",
            "auth.secret = \"short\"",
            "http.trusted_proxies = [\"10.0.0.0/40\"]",
            "http.allowed_origins = [\"chat.example.org\"]",
            "http.ping_interval = \"0s\"",
            "http.write_timeout = \"0s\"",
            "http.send_buffer_bytes = 100",
            "http.sockets_per_user = 0",
            "http.sockets_per_address = 0",
            "limits.abuse.rejections = 0",
            "limits.abuse.block = \"0s\"",
            "database.connections = 0",
            "database.chat_url = \"postgres://chat@db/chat\"",
        ];

        insta::assert_snapshot!(lines.map(refusal).join("\n"), @"
        `limits.http.rate` is wrong: invalid value: integer `0`, expected a nonzero u32
        `limits.messages.burst` is wrong: invalid value: integer `0`, expected a nonzero u32
        `limits.user.rate` is wrong: invalid value: integer `-1`, expected a nonzero u32
        `limits.user` is 100 of 500 per 0s, allowed is a period over `0s` in which an empty bucket is full again within a year
        `limits.user` is 4000000000 of 500 per 1h, allowed is a period over `0s` in which an empty bucket is full again within a year
        `conversation.window_messages` is 1, allowed is 2 to 50
        `conversation.window_messages` is 51, allowed is 2 to 50
        `conversation.shift_confidence` is -1, allowed is 0 to 1
        `conversation.fact_confidence` is 1.5, allowed is 0 to 1
        `llm.reserve` is 500ms, allowed is less than `llm.total` (400ms)
        `llm.gap` is 31s, allowed is at most `llm.total` (30s)
        `llm.retry_floor` is 31s, allowed is at most `llm.total` (30s)
        `llm.base_url` is `api.deepseek.com`, allowed is a URL that begins with `http://` or `https://`
        `auth.secret` is 5 bytes long, allowed is 32 bytes or more, or empty
        `http.trusted_proxies` is wrong: `10.0.0.0/40` is neither an address nor a network; write `10.0.0.7`, `10.0.0.0/8` or `fd00::/8`
        `http.allowed_origins` is `chat.example.org`, allowed is origins such as `https://chat.example.org`
        `http.ping_interval` is 0s, allowed is more than `0s` and at most 100 years
        `http.write_timeout` is 0s, allowed is more than `0s` and at most 100 years
        `http.send_buffer_bytes` is 100, allowed is 4096 or more
        `http.sockets_per_user` is 0, allowed is 1 or more
        `http.sockets_per_address` is 0, allowed is 1 or more
        `limits.abuse.rejections` is 0, allowed is 1 or more
        `limits.abuse.block` is 0s, allowed is more than `0s` and at most 100 years
        `database.connections` is 0, allowed is 1 or more
        `database.chat_url` is another kind of URL, allowed is empty, or the `postgres://` URL of another role where `database.url` is one too
        ");
    }

    #[test]
    fn values_of_a_calendar_without_sense_are_refused_by_name() {
        let lines = [
            "calendar.slot = \"0s\"",
            "calendar.undo_window = \"192h\"",
            "calendar.ignored_in_row = 0",
            "calendar.quality_min = 0.6",
            "calendar.quality_min = nan",
            "calendar.quality_window = \"0s\"",
        ];

        insta::assert_snapshot!(lines.map(refusal).join("\n"), @"
        `calendar.slot` is 0s, allowed is more than `0s` and at most 24h
        `calendar.undo_window` is 192h, allowed is more than `0s` and at most 168h
        `calendar.ignored_in_row` is 0, allowed is 1 or more
        `calendar.quality_min` is 0.6, allowed is 0 to 0.5
        `calendar.quality_min` is NaN, allowed is 0 to 0.5
        `calendar.quality_window` is 0s, allowed is more than `0s` and at most 100 years
        ");
    }
}
