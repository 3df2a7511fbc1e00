//! The steps of a turn that take time: storage and the model.
//!
//! Invariants: a step fails by its [`Outcome`], never by a panic; causes go to the log here, once, and
//! without what users wrote. Every step has a limit of time, also when the store does not answer.

mod offer;
mod past;
mod question;
mod recall;
mod spending;

use std::{sync::Arc, time::Duration};

use clock::{Instant, timeout_at};
use jiff::Timestamp;
use tokio::sync::mpsc;

use super::{
    effect::{Reply, Step},
    event::{Outcome, Said},
    tuner::Tuner,
    turns::{TurnGuard, Turns},
    voice::Voice,
};
use crate::{
    audit::Audit,
    classify::Intent,
    consent::Consents,
    deadline::Deadline,
    facts::{self, Pen, Statement},
    ids::{SessionId, UserId},
    llm::{
        Failure, Meter, Question, Route, Routes,
        prompt::{self, Bounds, Material, Turn},
        pseudonym,
    },
    parts::Parts,
    storage::{Fact, FactSource, Message, NewMessage, Place, SharedStorage, StorageError, Stored},
};

pub(super) use recall::Recall;

/// How long the end of a turn may wait for the store: its reply, its facts, the end of its session.
const STORE_LIMIT: Duration = Duration::from_secs(5);

/// Does the steps of one user's turns.
#[derive(Debug)]
pub(super) struct Steps {
    pub(super) parts: Parts,
    pub(super) model: Arc<Routes>,
    pub(super) turns: Turns,
    pub(super) facts: Pen,
    pub(super) consents: Consents,
    /// What the user's answers have cost and is not stored yet.
    pub(super) meter: Arc<Meter>,
    /// Where entries are made by the user's standing wish, and nothing else is done.
    pub(super) entries: SharedStorage,
    /// Where that is noted.
    pub(super) audit: Audit,
    pub(super) user: UserId,
    /// Knows the user's language.
    pub(super) voice: Voice,
    pub(super) tuner: Arc<Tuner>,
    /// Knows what was said last.
    pub(super) recall: Recall,
}

/// How a step ended, with the turn that it may have begun.
#[derive(Debug)]
pub(super) struct Finished {
    pub(super) outcome: Outcome,
    pub(super) turn: Option<TurnGuard>,
}

impl Steps {
    /// Does a step. Dropping the future gives it up at once.
    pub(super) async fn run(self: Arc<Self>, step: Step, text: mpsc::Sender<String>) -> Finished {
        let outcome = match step {
            Step::Wait(said) => return self.wait(&said).await,
            Step::Consent(said) => self.consent(&said).await,
            Step::Open(said, safety) => self.open(&said, safety).await,
            Step::Offer(said, idea) => Ok(self.offer(&said, idea).await),
            Step::Ask(said, session) => Ok(self.ask(&said, session, &text).await),
            Step::Reply(reply) => self.within(self.store_by(), self.reply(reply)).await,
            Step::Learn(said) => Ok(self.learn_in_time(&said).await),
            Step::End => self.within(self.store_by(), self.end()).await.map(Outcome::Ended),
        };
        let outcome = outcome.unwrap_or_else(|error| {
            tracing::error!(%error, "turn could not be stored");
            Outcome::Broken
        });
        Finished { outcome, turn: None }
    }

    /// Gives up on the store at a moment.
    async fn within<T>(&self, moment: Instant, work: impl Future<Output = Stored<T>>) -> Stored<T> {
        let late = || StorageError::Other("store did not answer in the time of the turn".to_owned());
        timeout_at(&*self.parts.clock, moment, work).await.unwrap_or_else(|_| Err(late()))
    }

    /// Until when the step that begins now may wait for the store.
    fn store_by(&self) -> Instant {
        self.parts.clock.now() + STORE_LIMIT
    }

    fn deadline(&self, said: &Said) -> Deadline {
        Deadline::new(said.read_at, &self.parts.config.llm)
    }

    async fn wait(&self, said: &Said) -> Finished {
        let until = self.deadline(said).answer_by();
        match timeout_at(&*self.parts.clock, until, self.turns.begin(self.user)).await {
            Ok(turn) => Finished { outcome: Outcome::Granted, turn: Some(turn) },
            Err(_) => Finished { outcome: Outcome::TooLate, turn: None },
        }
    }

    async fn consent(&self, said: &Said) -> Stored<Outcome> {
        let until = self.deadline(said).answer_by();
        let agrees = self.within(until, self.consents.lets_ask(self.user)).await?;
        Ok(if agrees { Outcome::Agreed } else { Outcome::NotAgreed })
    }

    async fn ask(&self, said: &Said, session: Option<SessionId>, text: &mpsc::Sender<String>) -> Outcome {
        tokio::select! {
            biased;
            () = self.consents.until_withdrawn(self.user) => Outcome::NotAgreed,
            outcome = self.ask_model(said, session, text) => outcome,
        }
    }

    async fn ask_model(
        &self,
        said: &Said,
        session: Option<SessionId>,
        text: &mpsc::Sender<String>,
    ) -> Outcome {
        let deadline = self.deadline(said);
        let prepared = self.prepared(said, session);
        let prompt = timeout_at(&*self.parts.clock, deadline.answer_by(), prepared).await;
        let answered = match prompt.unwrap_or(Err(Failure::Late)) {
            Ok(prompt) => {
                let user_id = pseudonym(&self.parts.config.llm, self.user);
                let (user_id, meter, deadline) = (user_id.as_deref(), &self.meter, &deadline);
                self.answer(said, Question { prompt: &prompt, user_id, meter, deadline, text }).await
            }
            Err(failure) => Err(failure),
        };
        match answered {
            Ok(route) => Outcome::Answered(route),
            Err(failure) => {
                tracing::warn!(%failure, "model gave no whole answer");
                Outcome::Failed(failure)
            }
        }
    }

    /// Returns the prompt, unless the user's answers cost too much already.
    async fn prepared(&self, said: &Said, session: Option<SessionId>) -> Result<Vec<Turn>, Failure> {
        self.within_budget().await?;
        Ok(self.prompt(said, session).await)
    }

    /// Asks the model; once more without what was said before, if moderation refuses the prompt: a message
    /// that it once refused must not silence the user for as long as it is remembered.
    async fn answer(&self, said: &Said, question: Question<'_>) -> Result<Route, Failure> {
        // Who may be in need gets a text of ours at once, and no second try.
        let may_be_cheaper = said.flag.is_none() && said.meaning.intent != Intent::SymptomReport;
        let answered = self.model.answer(question, may_be_cheaper).await;
        match (answered, prompt::without_history(question.prompt)) {
            (Err(Failure::Moderated), Some(bare)) => {
                self.model.answer(Question { prompt: &bare, ..question }, may_be_cheaper).await
            }
            (answered, _) => answered,
        }
    }

    /// Builds the prompt. What cannot be read is left out: an answer without memory is better than none.
    /// Without a session nothing is read.
    async fn prompt(&self, said: &Said, session: Option<SessionId>) -> Vec<Turn> {
        let at = self.parts.clock.wall();
        let (facts, history) = match session {
            Some(session) => self.remembered(said, session, at).await,
            None => Default::default(),
        };
        let language = self.voice.language();
        let terms = self.parts.languages.lexicon().glossary.lines(&said.text, &language);
        let material = Material {
            language: &language,
            facts: &facts,
            terms: &terms,
            history: &history,
            current: &said.text,
            at,
        };
        let settings = &self.parts.config.conversation;
        prompt::build(
            &material,
            &Bounds {
                tokens: settings.prompt_tokens,
                confidence: settings.fact_confidence,
                mask: self.parts.config.llm.mask,
            },
        )
    }

    /// Returns what is known of the user and what was said before.
    async fn remembered(&self, said: &Said, session: SessionId, at: Timestamp) -> (Vec<Fact>, Vec<Message>) {
        let (facts, history) = tokio::join!(self.facts_to_tell(at), self.history(session, at));
        let mut history = or_nothing(history, "history");
        // The question is stored already and comes back as the newest message.
        history.retain(|message| message.id != said.ids.question);
        (or_nothing(facts, "facts"), self.policy().window(history, at))
    }

    /// Reads what is known of the user, where it may be used.
    async fn facts_to_tell(&self, at: Timestamp) -> Stored<Vec<Fact>> {
        if self.consents.lets_remember(self.user).await {
            self.parts.storage.facts(self.user, at).await
        } else {
            Ok(Vec::new())
        }
    }

    async fn reply(&self, reply: Reply) -> Stored<Outcome> {
        let message = self.message(reply);
        // The session may have ended while the reply was running: it stays the reply's place.
        match self.append(message, Place::Last, None).await? {
            Some(_) => Ok(Outcome::Stored),
            None => Err(StorageError::Other("session of the reply is gone".to_owned())),
        }
    }

    async fn learn_in_time(&self, said: &Said) -> Outcome {
        let until = self.store_by();
        self.settle().await;
        if timeout_at(&*self.parts.clock, until, self.learn(said)).await.is_err() {
            tracing::error!("facts could not be stored in the time of the turn");
        }
        Outcome::Learned
    }

    async fn learn(&self, said: &Said) {
        let found = self.parts.extractor.extract(&said.text, said.at);
        if found.is_empty() || !self.consents.lets_remember(self.user).await {
            return;
        }
        for found in found {
            let statement = Statement {
                user: self.user,
                key: found.key.to_owned(),
                value: found.value,
                confidence: found.confidence,
                source: FactSource::Extracted,
                at: said.at,
            };
            match self.facts.write(statement).await {
                Ok(facts::Outcome::Contended) => tracing::warn!(key = found.key, "fact was contended"),
                Ok(_) => {}
                Err(error) => tracing::error!(%error, key = found.key, "fact could not be stored"),
            }
        }
    }

    /// Ends the open session; `None` when none was open.
    pub(super) async fn end(&self) -> Stored<Option<SessionId>> {
        let Some(session) = self.parts.storage.open_session(self.user).await? else {
            return Ok(None);
        };
        self.recall.forget();
        let has_ended = self.parts.storage.end_session(session.id, self.parts.clock.wall()).await?;
        tracing::info!(session = %session.id, "session ended by its user");
        Ok(has_ended.then_some(session.id))
    }

    fn message(&self, Reply { id, session, kind, text }: Reply) -> NewMessage {
        let (user, language) = (self.user, self.voice.language());
        NewMessage { id, session, user, kind, language, text, at: self.parts.clock.wall() }
    }
}

fn or_nothing<T>(read: Stored<Vec<T>>, what: &str) -> Vec<T> {
    read.unwrap_or_else(|error| {
        tracing::error!(%error, what, "prompt is built without something");
        Vec::new()
    })
}
