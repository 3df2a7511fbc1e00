//! Which model answers: the main one, or a cheaper one in its place.
//!
//! Invariants: another model is asked only while nothing of an answer was shown; each has a breaker of its own. Where a
//! cheaper one may answer, and is not left alone itself, the main one is not asked twice: the time goes to whoever may
//! still do it.

use clock::SharedClock;

use super::{
    failure::Failure,
    model::{Failed, Model, Question},
};
use crate::{breaker::SharedPolicy, config::Llm};

/// Who has answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// The main model.
    Main,
    /// The cheaper one, in its place.
    Cheaper,
}

impl Route {
    /// Returns the name, as in metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Main => "main",
            Self::Cheaper => "cheaper",
        }
    }
}

/// The models that there are.
#[derive(Debug)]
pub struct Routes {
    main: Model,
    cheaper: Option<Model>,
    retries: u32,
    clock: SharedClock,
}

impl Routes {
    /// Makes them by the settings; `policy` says what their breakers count, `seed` draws the pauses.
    pub fn new(settings: &Llm, clock: SharedClock, policy: &SharedPolicy, seed: u64) -> Self {
        let model = |name: &str| {
            let settings = Llm { model: name.to_owned(), ..settings.clone() };
            Model::new(&settings, SharedClock::clone(&clock), SharedPolicy::clone(policy), seed)
        };
        let cheaper = (!settings.cheaper_model.is_empty()).then(|| model(&settings.cheaper_model));
        Self { main: model(&settings.model), cheaper, retries: settings.retries, clock }
    }

    /// Asks the main model, and the cheaper one if that is allowed, nothing was shown and there is time. Cancellation
    /// drops the upstream connection at once.
    pub async fn answer(&self, question: Question<'_>, may_be_cheaper: bool) -> Result<Route, Failure> {
        let cheaper = self.cheaper.as_ref().filter(|_| may_be_cheaper);
        let retries = if cheaper.is_some_and(Model::is_open_to_all) { 0 } else { self.retries };
        let failed = match self.main.answer(question, retries).await {
            Ok(()) => return Ok(answered(Route::Main)),
            Err(failed) => failed,
        };
        let Some(cheaper) = cheaper.filter(|_| self.may_go_on(&failed, question)) else {
            return Err(failed.failure);
        };
        tracing::warn!(failure = %failed.failure, "a cheaper model is asked instead");
        match cheaper.answer(question, 0).await {
            Ok(()) => Ok(answered(Route::Cheaper)),
            // What the second failed with says what is shown: a torso of it, or that the first had failed.
            Err(second) if second.has_shown => Err(second.failure),
            Err(_) => Err(failed.failure),
        }
    }

    fn may_go_on(&self, failed: &Failed, question: Question<'_>) -> bool {
        !failed.has_shown
            && failed.failure.may_be_answered_elsewhere()
            && question.deadline.allows_retry(self.clock.now())
    }
}

fn answered(route: Route) -> Route {
    metrics::counter!("ai_answers_total", "route" => route.name()).increment(1);
    route
}
