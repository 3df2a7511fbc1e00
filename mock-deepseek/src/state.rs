//! What depends on other requests: how many are under way, and how much money is left (DEEPSEEK A8).
//!
//! Invariant: what the script does not limit is not counted. Whatever was counted in is counted out
//! when its [`Seat`] is dropped, however the exchange ended.

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicU32, Ordering},
};

use serde::{Deserialize, Deserializer};
use serde_json::json;

use crate::{
    money::Money,
    notation::{self, Notation, Short},
    notice::Notice,
    tokens::Usage,
};

/// What the account allows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// So many requests to a model at once; further ones get a 429. No limit when it is left out.
    pub concurrency: Option<Concurrency>,
}

/// The most requests at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Concurrency {
    /// Always so many.
    Fixed(u32),
    /// By the balance that is left; in order of the balances.
    ByBalance(Vec<Step>),
}

/// A step of a limit that depends on the balance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// From this balance on.
    pub from: Money,
    /// So many at once.
    pub limit: u32,
}

/// The money of the account.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Balance {
    /// What there is at the beginning and after a reset.
    pub start: Money,
    /// Its currency.
    #[serde(default)]
    pub currency: Currency,
    /// How much of the start is a gift.
    #[serde(default)]
    pub granted: Money,
    /// What a million tokens cost.
    pub price_per_million: Prices,
}

/// The currencies of DeepSeek.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub enum Currency {
    /// US dollars.
    #[default]
    #[serde(rename = "USD")]
    Usd,
    /// Yuan.
    #[serde(rename = "CNY")]
    Cny,
}

/// What a million tokens of each kind cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prices {
    /// Of the prompt, found in the cache.
    pub cache_hit: Money,
    /// Of the prompt, not found there.
    pub cache_miss: Money,
    /// Of the reply, thinking included.
    pub output: Money,
}

impl Prices {
    fn of(&self, usage: &Usage) -> i64 {
        let bills = [
            self.cache_hit.of_a_million(usage.prompt.cached),
            self.cache_miss.of_a_million(usage.prompt.tokens - usage.prompt.cached),
            self.output.of_a_million(usage.completion),
        ];
        bills.iter().fold(0, |sum: i64, bill| sum.saturating_add(*bill))
    }
}

/// The account that all keys belong to.
#[derive(Debug, Default)]
pub(crate) struct Account {
    limits: Limits,
    balance: Option<Balance>,
    purse: Mutex<Purse>,
    /// Requests under way; shared with the accounts of earlier scripts.
    under_way: Arc<AtomicU32>,
}

/// The money that is left.
#[derive(Clone, Copy, Debug, Default)]
struct Purse {
    /// In parts of [`Money`].
    left: i64,
    /// Counts how often it was filled: a bill is paid from the purse of its time.
    filled: u64,
}

impl Account {
    pub(crate) fn new(limits: Limits, balance: Option<Balance>, under_way: Arc<AtomicU32>) -> Self {
        let account = Self { limits, balance, purse: Mutex::default(), under_way };
        account.reset();
        account
    }

    /// Sets the balance back to its start. Requests under way stay counted; what they cost is not paid any more.
    pub(crate) fn reset(&self) {
        let mut purse = self.purse();
        let left = self.balance.as_ref().map_or(0, |balance| balance.start.parts());
        *purse = Purse { left, filled: purse.filled + 1 };
    }

    fn purse(&self) -> MutexGuard<'_, Purse> {
        self.purse.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets a request in, or says why not.
    pub(crate) fn admit(self: &Arc<Self>) -> Result<Seat, Refusal> {
        if self.balance.is_some() && self.left() <= Money::default() {
            return Err(Refusal::NoBalance);
        }
        let limit = self.limits.concurrency.as_ref().map(|limit| limit.at(self.left()));
        if limit.is_none() && self.balance.is_none() {
            return Ok(Seat::default());
        }
        let limit = limit.unwrap_or(u32::MAX);
        let room = |under_way| (under_way < limit).then_some(under_way + 1);
        match self.under_way.fetch_update(Ordering::Relaxed, Ordering::Relaxed, room) {
            Ok(_) => Ok(Seat { account: Some(Arc::clone(self)), filled: self.purse().filled, bill: 0 }),
            Err(under_way) => Err(Refusal::TooMany { current: under_way.saturating_add(1), limit }),
        }
    }

    fn left(&self) -> Money {
        Money::from_parts(self.purse().left)
    }

    /// Returns the answer of `/user/balance`; `None` when no balance is set.
    pub(crate) fn statement(&self) -> Option<Notice> {
        let balance = self.balance.as_ref()?;
        let left = self.left();
        // What was granted is used up first (api-docs.deepseek.com/quick_start/pricing).
        let paid = Money::from_parts((balance.start.parts() - balance.granted.parts()).max(0));
        let topped_up = paid.min(left);
        let granted = Money::from_parts(left.parts() - topped_up.parts());
        let currency = match balance.currency {
            Currency::Usd => "USD",
            Currency::Cny => "CNY",
        };
        let info = json!({
            "currency": currency, "total_balance": left.to_string(),
            "granted_balance": granted.to_string(), "topped_up_balance": topped_up.to_string(),
        });
        let is_available = left > Money::default();
        Some(Notice::ok(&json!({"is_available": is_available, "balance_infos": [info]})))
    }
}

/// Why a request is not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// Too many are under way.
    TooMany { current: u32, limit: u32 },
    /// The balance is used up.
    NoBalance,
}

impl Refusal {
    /// Returns DeepSeek's words.
    pub(crate) fn notice(self) -> Notice {
        match self {
            Self::TooMany { current, limit } => Notice::json(
                429,
                "rate_limit_error",
                &format!(
                    "Too many requests. Your current concurrency is {current}, which exceeds your concurrency limit of {limit} based on your remaining balance. Please top up to increase your concurrency limit."
                ),
            ),
            Self::NoBalance => Notice::json(402, "unknown_error", "Insufficient Balance"),
        }
    }

    /// Returns the part of the script that refuses, as the journal names rules.
    pub(crate) const fn rule(self) -> &'static str {
        match self {
            Self::TooMany { .. } => "limits.concurrency",
            Self::NoBalance => "balance",
        }
    }
}

/// The place of a request among those under way; dropping it gives the place up and pays the bill.
#[derive(Debug, Default)]
pub(crate) struct Seat {
    account: Option<Arc<Account>>,
    /// The filling of the purse that it pays from.
    filled: u64,
    bill: i64,
}

impl Seat {
    /// Sets what is paid in the end. The whole planned reply is paid, also when its client leaves
    /// early: the model has done its work.
    pub(crate) fn bill(&mut self, usage: &Usage) {
        if let Some(balance) = self.account.as_ref().and_then(|account| account.balance.as_ref()) {
            self.bill = balance.price_per_million.of(usage);
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let Some(account) = &self.account else { return };
        account.under_way.fetch_sub(1, Ordering::Relaxed);
        let mut purse = account.purse();
        if purse.filled == self.filled {
            purse.left = purse.left.saturating_sub(self.bill);
        }
    }
}

impl Concurrency {
    /// Returns the limit at this balance.
    fn at(&self, left: Money) -> u32 {
        match self {
            Self::Fixed(limit) => *limit,
            Self::ByBalance(steps) => {
                let below = steps.partition_point(|step| step.from <= left);
                below.checked_sub(1).and_then(|index| steps.get(index)).map_or(0, |step| step.limit)
            }
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LongConcurrency {
    by_balance: Vec<Step>,
}

impl<'de> Deserialize<'de> for Concurrency {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        notation::read(deserializer)
    }
}

impl Notation for Concurrency {
    type Long = LongConcurrency;
    const EXPECTED: &'static str = "a whole number, or a table such as `{ by_balance = [{ from = \"0\", limit = 5 }, { from = \"10\", limit = 25 }] }`";

    fn short(short: Short<'_>) -> Option<Result<Self, String>> {
        let Short::Whole(number) = short else { return None };
        let limit = u32::try_from(number).map(Self::Fixed);
        Some(limit.map_err(|_| format!("`{number}` is not a limit: write a number from 0 to {}", u32::MAX)))
    }

    fn long(long: LongConcurrency) -> Result<Self, String> {
        let mut steps = long.by_balance;
        steps.sort_by_key(|step| step.from);
        match steps.first() {
            Some(first) if first.from == Money::default() => Ok(Self::ByBalance(steps)),
            _ => Err("`by_balance` needs a step `{ from = \"0\", limit = … }` for the last money".to_owned()),
        }
    }
}

/// Checks what two tables say together. A limit by balance needs a balance.
pub(crate) fn check<E: serde::de::Error>(limits: &Limits, balance: Option<&Balance>) -> Result<(), E> {
    match (&limits.concurrency, balance) {
        (Some(Concurrency::ByBalance(_)), None) => Err(E::custom(
            "`by_balance` needs a balance: add `[balance]` with `start` and `price_per_million`",
        )),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
