//! Suggestions, and the reminders that they become.

use server::{
    ids::{ReminderId, SuggestionId, UserId},
    storage::{
        Database, NewReminder, Offered, ReminderChange, ReminderOutcome, Storage, SuggestionLimits,
        SuggestionType,
    },
};

use super::{LIMITS, add_user, at, race, stories, suggestion};

stories!(
    suggestions_are_limited_by_type_hour_and_day,
    offers_that_race_stay_within_the_limit,
    a_suggestion_can_be_turned_down,
    a_suggestion_is_confirmed_in_time_by_its_owner,
    racing_confirmations_make_one_reminder,
    a_reminder_changes_for_its_owner_only,
);

fn reminder(user: UserId, suggestion: Option<SuggestionId>, seconds: i64) -> NewReminder {
    NewReminder {
        id: ReminderId::random(),
        user,
        title: "Midwife".to_owned(),
        description: "Bring the papers".to_owned(),
        time: at(seconds + 3600),
        offset_minutes: 120,
        suggestion,
        at: at(seconds),
    }
}

async fn suggestions_are_limited_by_type_hour_and_day(db: Database) {
    use SuggestionType::{Appointment, SymptomFollowup};

    let user = add_user(&db).await;
    let offer = async |kind, seconds| {
        let offered = db.offer_suggestion(suggestion(user, kind, seconds), LIMITS).await.unwrap();
        match offered {
            Offered::Stored(_) => "stored",
            Offered::Pending => "pending",
            Offered::HourFull => "hour",
            Offered::DayFull => "day",
        }
    };

    assert_eq!(offer(SymptomFollowup, 0).await, "stored");
    assert_eq!(offer(SymptomFollowup, 299).await, "pending");
    assert_eq!(offer(Appointment, 299).await, "stored");
    assert_eq!(offer(SymptomFollowup, 300).await, "stored");
    assert_eq!(offer(Appointment, 3599).await, "hour");
    assert_eq!(offer(Appointment, 3600).await, "stored");
    for hours in 2..8 {
        assert_eq!(offer(Appointment, hours * 3600).await, "stored");
    }
    assert_eq!(offer(Appointment, 86_399).await, "day");
    assert_eq!(offer(Appointment, 86_400).await, "stored");
}

async fn offers_that_race_stay_within_the_limit(db: Database) {
    let user = add_user(&db).await;
    let many = SuggestionLimits { pending_per_type: 100, ..LIMITS };

    let offered = race(&db, 20, move |db, _| async move {
        let new = suggestion(user, SuggestionType::Appointment, 0);
        db.offer_suggestion(new, many).await.unwrap()
    })
    .await;

    assert_eq!(offered.iter().filter(|o| matches!(o, Offered::Stored(_))).count(), 3);
    assert_eq!(db.pending_suggestions(user, at(0)).await.unwrap().len(), 3);
}

async fn a_suggestion_can_be_turned_down(db: Database) {
    let (user, other) = (add_user(&db).await, add_user(&db).await);
    let new = suggestion(user, SuggestionType::Appointment, 0);
    db.offer_suggestion(new.clone(), LIMITS).await.unwrap();
    assert!(db.dismiss_suggestion(other, new.id, at(1)).await.unwrap().is_none());
    assert!(db.dismiss_suggestion(user, new.id, at(300)).await.unwrap().is_none(), "it has expired");

    let dismissed = db.dismiss_suggestion(user, new.id, at(2)).await.unwrap().unwrap();

    assert_eq!(dismissed.dismissed_at, Some(at(2)));
    assert!(db.dismiss_suggestion(user, new.id, at(3)).await.unwrap().is_none());
    assert!(db.pending_suggestions(user, at(3)).await.unwrap().is_empty());
    let late = db.create_reminder(reminder(user, Some(new.id), 3)).await.unwrap();
    assert_eq!(late, ReminderOutcome::ExpiredSuggestion);
}

async fn a_suggestion_is_confirmed_in_time_by_its_owner(db: Database) {
    let (user, other) = (add_user(&db).await, add_user(&db).await);
    let new = suggestion(user, SuggestionType::Appointment, 0);
    db.offer_suggestion(new.clone(), LIMITS).await.unwrap();
    let confirm =
        async |user, id, seconds| db.create_reminder(reminder(user, Some(id), seconds)).await.unwrap();

    assert_eq!(confirm(other, new.id, 1).await, ReminderOutcome::UnknownSuggestion);
    assert_eq!(confirm(user, SuggestionId::random(), 1).await, ReminderOutcome::UnknownSuggestion);
    assert_eq!(confirm(user, new.id, 300).await, ReminderOutcome::ExpiredSuggestion);
    let ReminderOutcome::Created(made) = confirm(user, new.id, 299).await else { panic!("not created") };
    assert_eq!(confirm(user, new.id, 299).await, ReminderOutcome::UsedSuggestion(made.id));
    assert!(db.delete_reminder(user, made.id).await.unwrap());
    assert_eq!(confirm(user, new.id, 299).await, ReminderOutcome::UsedSuggestion(made.id));

    assert_eq!(made.suggestion, Some(new.id));
    assert!(db.pending_suggestions(user, at(299)).await.unwrap().is_empty());
    assert!(db.reminders(user).await.unwrap().is_empty());
}

async fn racing_confirmations_make_one_reminder(db: Database) {
    let user = add_user(&db).await;
    let new = suggestion(user, SuggestionType::Appointment, 0);
    db.offer_suggestion(new.clone(), LIMITS).await.unwrap();

    let outcomes = race(&db, 50, move |db, _| async move {
        db.create_reminder(reminder(user, Some(new.id), 1)).await.unwrap()
    })
    .await;

    let stored = db.reminders(user).await.unwrap();
    assert_eq!(stored.len(), 1);
    let created = outcomes.iter().filter(|o| **o == ReminderOutcome::Created(stored[0].clone())).count();
    let told = outcomes.iter().filter(|o| **o == ReminderOutcome::UsedSuggestion(stored[0].id)).count();
    assert_eq!((created, told), (1, 49));
}

async fn a_reminder_changes_for_its_owner_only(db: Database) {
    let (user, other) = (add_user(&db).await, add_user(&db).await);
    let later = db.create_reminder(reminder(user, None, 50)).await.unwrap();
    let ReminderOutcome::Created(made) = db.create_reminder(reminder(user, None, 0)).await.unwrap() else {
        panic!("not created")
    };
    let none = ReminderChange {
        id: made.id,
        user,
        title: None,
        description: None,
        time: None,
        is_completed: None,
        at: at(9),
    };
    let time = Some((at(10), -300));
    let change = ReminderChange { time, is_completed: Some(true), ..none.clone() };

    assert_eq!(db.update_reminder(ReminderChange { user: other, ..none }).await.unwrap(), None);
    assert_eq!(db.reminder(other, made.id).await.unwrap(), None);
    assert!(!db.delete_reminder(other, made.id).await.unwrap());
    let changed = db.update_reminder(change).await.unwrap().unwrap();

    assert_eq!((changed.title.as_str(), changed.created_at), ("Midwife", at(0)));
    assert_eq!((changed.time, changed.offset_minutes, changed.is_completed), (at(10), -300, true));
    assert_eq!(
        (db.reminder(user, made.id).await.unwrap(), changed.updated_at),
        (Some(changed.clone()), at(9))
    );
    let ReminderOutcome::Created(later) = later else { panic!("not created") };
    assert_eq!(db.reminders(user).await.unwrap(), [changed, later]);
    assert!(db.delete_reminder(user, made.id).await.unwrap());
}
