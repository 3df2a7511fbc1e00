//! What several replicas share quickly: one Redis.
//!
//! Nobody waits for it longer than its patience, and nothing fails because of it: whoever asks gets an answer or
//! [`Unreachable`], and has a way of its own for that. After a failure it is left alone for [`REST`], so that a Redis that is
//! gone costs one wait and not one for each call.
//!
//! Invariant: the time of a decision is our clock's, moved by what Redis's own clock differed from it when the
//! connection was made: replicas whose clocks disagree share limits all the same.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use clock::{Instant, SharedClock, timeout};
use redis::{
    Client, FromRedisValue, RedisResult, Script, ToRedisArgs,
    aio::{ConnectionManager, ConnectionManagerConfig, PubSub},
};
use secrecy::{ExposeSecret, SecretString};

/// So long it is left alone after it did not answer.
pub const REST: Duration = Duration::from_secs(1);
/// Tries of the library to connect before a call fails; who calls comes again anyway.
const TRIES: usize = 1;

/// The shared store. `Clone` shares the connection.
#[derive(Clone)]
pub struct Redis {
    client: Client,
    connection: ConnectionManager,
    clock: SharedClock,
    patience: Duration,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    /// Until when it is left alone.
    rests_until: Option<Instant>,
    /// Redis's time less ours, in microseconds; unknown until it was asked on this connection.
    ahead: Option<i64>,
}

/// The URL is none of Redis.
#[derive(Debug, thiserror::Error)]
#[error("setting `redis.url` cannot be used: {0}; write `redis://host:port`")]
pub struct UrlError(redis::RedisError);

/// What replicas share did not answer in time, or refused. What it was asked for may have happened or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("what the replicas share does not answer")]
pub struct Unreachable;

impl Redis {
    /// Takes the URL; the connection is made when it is first used. Needs a tokio runtime.
    pub fn new(url: &SecretString, clock: SharedClock, patience: Duration) -> Result<Self, UrlError> {
        let config = ConnectionManagerConfig::new()
            .set_number_of_retries(TRIES)
            // Answers are waited for on our clock.
            .set_response_timeout(None)
            .set_connection_timeout(Some(REST));
        let client = Client::open(url.expose_secret()).map_err(UrlError)?;
        let connection = client.get_connection_manager_lazy(config).map_err(UrlError)?;
        Ok(Self { client, connection, clock, patience, state: Arc::default() })
    }

    /// Returns how long a call may take.
    pub const fn patience(&self) -> Duration {
        self.patience
    }

    /// Makes a connection of its own to hear what is published; the caller limits how long that may take.
    pub(crate) async fn hearing(&self) -> RedisResult<PubSub> {
        self.client.get_async_pubsub().await
    }

    /// Runs a script on these keys; its first argument is the time in microseconds.
    pub async fn run<T: FromRedisValue>(
        &self,
        script: &Script,
        keys: &[String],
        arguments: &[impl ToRedisArgs + Sync],
    ) -> Result<T, Unreachable> {
        if self.rests() {
            return Err(Unreachable);
        }
        let mut connection = self.connection.clone();
        let running = async {
            let now = self.now(&mut connection).await?;
            let mut invocation = script.prepare_invoke();
            for key in keys {
                invocation.key(key);
            }
            invocation.arg(now);
            for argument in arguments {
                invocation.arg(argument);
            }
            invocation.invoke_async(&mut connection).await
        };
        self.settled(timeout(&*self.clock, self.patience, running).await.ok())
    }

    /// Returns Redis's time by our clock, in microseconds.
    async fn now(&self, connection: &mut ConnectionManager) -> RedisResult<i64> {
        let known = self.state().ahead;
        if let Some(ahead) = known {
            return Ok(self.clock.wall().as_microsecond() + ahead);
        }
        let (seconds, micros): (i64, i64) = redis::cmd("TIME").query_async(connection).await?;
        let now = seconds * 1_000_000 + micros;
        self.state().ahead = Some(now - self.clock.wall().as_microsecond());
        Ok(now)
    }

    fn rests(&self) -> bool {
        let now = self.clock.now();
        self.state().rests_until.is_some_and(|until| now < until)
    }

    /// Takes note of how a call went; nothing came in time if there is no result.
    fn settled<T>(&self, result: Option<RedisResult<T>>) -> Result<T, Unreachable> {
        let problem = match result {
            Some(Ok(value)) => {
                if self.state().rests_until.take().is_some() {
                    tracing::info!("Redis answers again");
                }
                return Ok(value);
            }
            Some(Err(error)) => error.to_string(),
            None => format!("no answer within {:?}", self.patience),
        };
        metrics::counter!("redis_lost_total").increment(1);
        let rest = State { rests_until: Some(self.clock.now() + REST), ahead: None };
        let before = std::mem::replace(&mut *self.state(), rest);
        if before.rests_until.is_none() {
            tracing::warn!(%problem, "Redis does not answer; each replica decides alone until it does");
        }
        Err(Unreachable)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Redis {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Redis").field("patience", &self.patience).finish_non_exhaustive()
    }
}
