//! Suggestions and reminders as a weakened storage keeps them.

use clock::Timestamp;
use jiff::SignedDuration;
use server::{
    ids::{SuggestionId, UserId},
    storage::{NewReminder, ReminderOutcome, Stored, Suggestion},
};

use super::{Twist, WatchedStorage};

/// So much longer a suggestion can be confirmed where that is weakened.
const LATE: SignedDuration = SignedDuration::from_mins(10);

impl WatchedStorage {
    pub(super) async fn confirm(&self, reminder: NewReminder) -> Stored<ReminderOutcome> {
        let unbound = NewReminder { suggestion: None, ..reminder.clone() };
        match self.twist {
            Twist::ConfirmedManyTimes => self.inner.create_reminder(unbound).await,
            Twist::LateConfirmation => {
                let at = reminder.at.saturating_sub(LATE).unwrap_or(reminder.at);
                self.inner.create_reminder(NewReminder { at, ..reminder }).await
            }
            Twist::UsedIsGone => match self.inner.create_reminder(reminder).await? {
                ReminderOutcome::UsedSuggestion(_) => Ok(ReminderOutcome::ExpiredSuggestion),
                outcome => Ok(outcome),
            },
            Twist::AnybodyConfirms => match self.inner.create_reminder(reminder).await? {
                ReminderOutcome::UnknownSuggestion => self.inner.create_reminder(unbound).await,
                outcome => Ok(outcome),
            },
            Twist::ReminderForgotten => {
                let outcome = self.inner.create_reminder(reminder).await?;
                if let ReminderOutcome::Created(created) = &outcome {
                    self.inner.delete_reminder(created.user, created.id).await?;
                }
                Ok(outcome)
            }
            _ => self.inner.create_reminder(reminder).await,
        }
    }

    /// Says that a suggestion is dismissed, and leaves it open.
    pub(super) async fn forget_dismissal(
        &self,
        (user, id): (UserId, SuggestionId),
        at: Timestamp,
    ) -> Stored<Option<Suggestion>> {
        let pending = self.inner.pending_suggestions(user, at).await?;
        Ok(pending.into_iter().find(|suggestion| suggestion.id == id))
    }
}
