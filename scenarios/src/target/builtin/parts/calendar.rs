//! Suggestions and reminders as a weakened storage keeps them.

use clock::Timestamp;
use jiff::SignedDuration;
use server::{
    ids::{ReminderId, SuggestionId, UserId},
    storage::{
        NewFeed, NewReminder, NewSuggestion, Offered, Preferences, PreferencesOutcome, PreferencesWrite,
        Priority, ReminderOutcome, Restoration, RestoreOutcome, Rollback, Stored, Suggestion,
        SuggestionLimits, SuggestionType, Zone,
    },
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
                let at = reminder.at;
                let outcome = self.inner.create_reminder(reminder).await?;
                if let ReminderOutcome::Created(created) = &outcome {
                    self.inner.delete_reminder(created.user, created.id, at).await?;
                }
                Ok(outcome)
            }
            Twist::AnyTimeIsConfirmed => {
                self.inner.create_reminder(NewReminder { unconfirmed: None, ..reminder }).await
            }
            Twist::KeysForgotten => {
                self.inner.create_reminder(NewReminder { request: None, ..reminder }).await
            }
            _ => self.inner.create_reminder(reminder).await,
        }
    }

    pub(super) async fn offer(&self, offer: NewSuggestion, limits: SuggestionLimits) -> Stored<Offered> {
        let trifle =
            |offer| NewSuggestion { kind: SuggestionType::Reminder, priority: Priority::Low, ..offer };
        match self.twist {
            Twist::EverythingIsATrifle => self.inner.offer_suggestion(trifle(offer), limits).await,
            _ => self.inner.offer_suggestion(offer, limits).await,
        }
    }

    pub(super) async fn choices(&self, user: UserId) -> Stored<Preferences> {
        let mut stored = self.inner.preferences(user).await?;
        let choices = &mut stored.choices;
        match self.twist {
            Twist::EverybodyInUtc => choices.time_zone = Zone::UTC,
            Twist::NeverQuiet => choices.quiet = None,
            Twist::NothingElseThere => choices.smart_scheduling = false,
            Twist::MadeUnasked => choices.auto_create_low_priority = true,
            _ => {}
        }
        Ok(stored)
    }

    /// Writes preferences; the route has looked at the version before, so that is hidden as well.
    pub(super) async fn write_choices(&self, write: PreferencesWrite) -> Stored<PreferencesOutcome> {
        match self.twist {
            Twist::ChoicesOverAny => {
                self.inner.write_preferences(PreferencesWrite { expected: None, ..write }).await
            }
            _ => self.inner.write_preferences(write).await,
        }
    }

    pub(super) async fn roll_back(&self, rollback: Rollback) -> Stored<Vec<ReminderId>> {
        if self.twist != Twist::RollsBackAll {
            return self.inner.roll_back_reminders(rollback).await;
        }
        let all = self.inner.reminders(rollback.user).await?;
        for reminder in &all {
            self.inner.delete_reminder(rollback.user, reminder.id, rollback.at).await?;
        }
        Ok(all.into_iter().map(|reminder| reminder.id).collect())
    }

    pub(super) async fn restore(&self, restoration: Restoration) -> Stored<RestoreOutcome> {
        match self.twist {
            Twist::DeletedForGood => Ok(RestoreOutcome::Unknown),
            _ => self.inner.restore_reminder(restoration).await,
        }
    }

    pub(super) async fn replace_feed(&self, feed: NewFeed) -> Stored<()> {
        let has_one = self.inner.feed(feed.user).await?.is_some();
        match self.twist {
            Twist::OldFeedsStay if has_one => Ok(()),
            _ => self.inner.open_feed(feed).await,
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
