//! The step that proposes a calendar entry.
//!
//! Invariant: nothing is entered here that its user has not asked for, by a standing wish that the user can see and
//! take back; the model is not asked and has no say.

use clock::{Instant, timeout_at};
use jiff::Timestamp;

use super::{Outcome, Said, Steps, or_nothing};
use crate::{
    audit::Act,
    calendar::{self, Idea, Occasion, policy},
    ids::ReminderId,
    storage::{Actor, Choices, NewReminder, Offered, Origin, ReminderOutcome, Stored, Suggestion},
};

impl Steps {
    pub(super) async fn offer(&self, said: &Said, idea: Idea) -> Outcome {
        let until = self.deadline(said).answer_by();
        let at = self.parts.clock.wall();
        let choices = self.choices(until).await;
        let busy = if choices.smart_scheduling { self.busy(until, at).await } else { Vec::new() };
        let (settings, language) = (&self.parts.config.calendar, self.voice.language());
        let occasion = Occasion {
            user: self.user,
            language: &language,
            said: &said.text,
            choices: &choices,
            busy: &busy,
            slot: settings.slot,
            at,
            life: settings.suggestion_life,
        };
        let offer = calendar::build(idea, &occasion, &*self.parts.texts);
        let offering = self.parts.storage.offer_suggestion(offer, calendar::limits(settings));
        let (outcome, suggestion) = outcome(self.within(until, offering).await);
        metrics::counter!("suggestions_total", "outcome" => outcome).increment(1);
        let suggestion = match suggestion {
            Some(suggestion) if policy::is_auto_created(suggestion.kind, suggestion.priority, &choices) => {
                Some(self.enter(suggestion, &choices, until).await)
            }
            suggestion => suggestion,
        };
        Outcome::Offered(suggestion)
    }

    /// Reads what the user chose. What cannot be read is as if nothing were chosen: then nothing is made unasked.
    async fn choices(&self, until: Instant) -> Choices {
        let read = self.within(until, self.parts.storage.preferences(self.user)).await;
        match read {
            Ok(preferences) => preferences.choices,
            Err(error) => {
                tracing::error!(%error, "proposal is made by the default preferences");
                Choices::default()
            }
        }
    }

    /// Reads when the user has something else: what is entered and not done, and what is proposed.
    async fn busy(&self, until: Instant, at: Timestamp) -> Vec<Timestamp> {
        let storage = &self.parts.storage;
        let reminders = or_nothing(self.within(until, storage.reminders(self.user)).await, "reminders");
        let pending = self.within(until, storage.pending_suggestions(self.user, at)).await;
        let pending =
            or_nothing(pending, "suggestions").into_iter().map(|suggestion| suggestion.suggested_time);
        let open = reminders.into_iter().filter(|reminder| !reminder.is_completed);
        open.map(|reminder| reminder.time).chain(pending).collect()
    }

    /// Enters what its user wants entered without asking. If that fails the proposal stays open.
    async fn enter(&self, suggestion: Suggestion, choices: &Choices, until: Instant) -> Suggestion {
        let at = self.parts.clock.wall();
        let local = choices.time_zone.at(suggestion.suggested_time);
        let reminder = NewReminder {
            id: ReminderId::random(),
            user: self.user,
            title: suggestion.title.clone(),
            description: suggestion.description.clone(),
            time: suggestion.suggested_time,
            offset_minutes: local.offset().seconds() / 60,
            priority: None,
            origin: Origin::Policy,
            suggestion: Some(suggestion.id),
            unconfirmed: Some(policy::AUTO_RULE),
            request: None,
            at,
        };
        match self.within(until, self.entries.create_reminder(reminder)).await {
            Ok(ReminderOutcome::Created(made)) => {
                metrics::counter!("reminders_auto_created_total").increment(1);
                let act = Act::new(Actor::Policy, "make reminder", "ok");
                let (subject, target) = (Some(self.user), made.id.to_string());
                // What is late is stored with the next row of anybody.
                let noted = self.audit.record(Act { subject, target, ..act });
                let _ = timeout_at(&*self.parts.clock, until, noted).await;
                Suggestion { confirmed_at: Some(at), reminder: Some(made.id), ..suggestion }
            }
            Ok(refused) => {
                tracing::warn!(?refused, "reminder could not be made without asking");
                suggestion
            }
            Err(error) => {
                tracing::error!(%error, "reminder could not be made without asking");
                suggestion
            }
        }
    }
}

fn outcome(offered: Stored<Offered>) -> (&'static str, Option<Suggestion>) {
    match offered {
        Ok(Offered::Stored(suggestion)) => ("stored", Some(suggestion)),
        Ok(Offered::Pending) => ("pending", None),
        Ok(Offered::HourFull) => ("hour_full", None),
        Ok(Offered::DayFull) => ("day_full", None),
        Ok(Offered::OpenFull) => ("open_full", None),
        Ok(Offered::Unwanted) => ("unwanted", None),
        Ok(Offered::Paused) => ("paused", None),
        Err(error) => {
            tracing::error!(%error, "suggestion could not be stored");
            ("failed", None)
        }
    }
}
