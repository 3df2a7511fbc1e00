//! Suggestions, and the reminders that they become.

use server::{
    ids::SuggestionId,
    storage::{
        Database, NewReminder, NewSuggestion, Offered, Origin, Priority, ReminderChange, ReminderOutcome,
        Storage, SuggestionLimits, SuggestionType, TimeRule, TypeReception,
    },
};

use super::{LIMITS, add_user, at, race, reminder, stories, suggestion};

stories!(
    suggestions_are_limited_by_type_hour_and_day,
    offers_that_race_stay_within_the_limit,
    a_suggestion_can_be_turned_down,
    a_suggestion_is_confirmed_in_time_by_its_owner,
    racing_confirmations_make_one_reminder,
    ignored_suggestions_bring_a_pause_f80,
    a_type_that_is_never_wanted_is_held_back_until_that_is_forgotten_f80,
    it_is_counted_how_each_type_was_received_f80,
    beside_many_open_reminders_nothing_is_suggested_f80,
    an_appointment_needs_a_confirmed_time_and_policy_may_make_low_ones_only_f77_f82,
);

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
            Offered::OpenFull => "open",
            Offered::Paused => "paused",
            Offered::Unwanted => "unwanted",
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
    assert!(db.delete_reminder(user, made.id, at(299)).await.unwrap());
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

async fn ignored_suggestions_bring_a_pause_f80(db: Database) {
    let user = add_user(&db).await;
    let limits = SuggestionLimits { ignored_in_row: 3, per_hour: 100, per_day: 100, ..LIMITS };
    let offer = async |seconds| {
        let new = suggestion(user, SuggestionType::SymptomFollowup, seconds);
        (new.id, db.offer_suggestion(new, limits).await.unwrap())
    };
    let stored = |(_, offered)| matches!(offered, Offered::Stored(_));
    let day = 24 * 3600;

    assert!(stored(offer(0).await) && stored(offer(300).await));
    let (answered, _) = offer(600).await;
    db.dismiss_suggestion(user, answered, at(601)).await.unwrap().unwrap();
    assert!(stored(offer(900).await) && stored(offer(1200).await) && stored(offer(1500).await));
    assert_eq!(offer(1800).await.1, Offered::Paused);
    assert_eq!(offer(1799 + day).await.1, Offered::Paused);
    assert!(stored(offer(1800 + day).await), "the pause is over");
    assert_eq!(offer(2101 + day).await.1, Offered::Paused, "that one was ignored too");
}

async fn a_type_that_is_never_wanted_is_held_back_until_that_is_forgotten_f80(db: Database) {
    use SuggestionType::{Appointment, SymptomFollowup};

    let user = add_user(&db).await;
    let limits = SuggestionLimits { quality_min: 0.15, per_hour: 100, per_day: 100, ..LIMITS };
    let offer = async |kind, seconds| {
        let new = suggestion(user, kind, seconds);
        (new.id, db.offer_suggestion(new, limits).await.unwrap())
    };
    for seconds in 0..5 {
        let (id, offered) = offer(SymptomFollowup, seconds).await;
        assert!(matches!(offered, Offered::Stored(_)), "{seconds}: {offered:?}");
        db.dismiss_suggestion(user, id, at(seconds)).await.unwrap().unwrap();
    }

    assert_eq!(offer(SymptomFollowup, 5).await.1, Offered::Unwanted);
    let (other, offered) = offer(Appointment, 5).await;
    assert!(matches!(offered, Offered::Stored(_)), "another type: {offered:?}");
    db.create_reminder(reminder(user, Some(other), 6)).await.unwrap();
    let month = 30 * 24 * 3600;
    assert_eq!(offer(SymptomFollowup, month - 1).await.1, Offered::Unwanted);
    assert!(matches!(offer(SymptomFollowup, month).await.1, Offered::Stored(_)), "the first is forgotten");
}

async fn it_is_counted_how_each_type_was_received_f80(db: Database) {
    use SuggestionType::{Appointment, SymptomFollowup};

    let many = SuggestionLimits { per_hour: 100, pending_per_type: 100, ..LIMITS };
    let mut ids = Vec::new();
    for kind in [SymptomFollowup, SymptomFollowup, SymptomFollowup, SymptomFollowup, Appointment] {
        let user = add_user(&db).await;
        let new = suggestion(user, kind, 10);
        ids.push((user, new.id));
        db.offer_suggestion(new, many).await.unwrap();
    }
    db.dismiss_suggestion(ids[0].0, ids[0].1, at(11)).await.unwrap().unwrap();
    for (user, id) in &ids[1..3] {
        db.create_reminder(reminder(*user, Some(*id), 12)).await.unwrap();
    }

    let counted = async |since, now| {
        let received = db.suggestions_received(at(since), at(now)).await.unwrap();
        let line = |TypeReception { kind, pending, over }: &TypeReception| {
            format!("{kind:?} {pending} {} {} {}", over.confirmed, over.dismissed, over.ignored)
        };
        received.iter().map(line).collect::<Vec<_>>()
    };

    assert_eq!(counted(9, 309).await, ["Appointment 1 0 0 0", "SymptomFollowup 1 2 1 0"]);
    assert_eq!(counted(9, 310).await, ["Appointment 0 0 0 1", "SymptomFollowup 0 2 1 1"]);
    assert_eq!(counted(10, 310).await, [""; 0]);
}

async fn beside_many_open_reminders_nothing_is_suggested_f80(db: Database) {
    let user = add_user(&db).await;
    let limits = SuggestionLimits { open_reminders: 2, per_hour: 100, ..LIMITS };
    let mut made = Vec::new();
    for seconds in 0..2 {
        let new = suggestion(user, SuggestionType::SymptomFollowup, seconds);
        db.offer_suggestion(new.clone(), limits).await.unwrap();
        let outcome = db.create_reminder(reminder(user, Some(new.id), seconds)).await.unwrap();
        let ReminderOutcome::Created(reminder) = outcome else { panic!("not created") };
        made.push(reminder.id);
    }
    let offer = async |seconds| {
        db.offer_suggestion(suggestion(user, SuggestionType::SymptomFollowup, seconds), limits).await.unwrap()
    };

    assert_eq!(offer(10).await, Offered::OpenFull);
    let done = ReminderChange { is_completed: Some(true), ..super::reminders::no_change(user, made[0]) };
    db.update_reminder(done).await.unwrap().unwrap();
    assert!(matches!(offer(11).await, Offered::Stored(_)));
}

async fn an_appointment_needs_a_confirmed_time_and_policy_may_make_low_ones_only_f77_f82(db: Database) {
    let user = add_user(&db).await;
    let many = SuggestionLimits { per_hour: 100, pending_per_type: 100, ..LIMITS };
    let strict = Some(TimeRule { appointments: true, urgent: true });
    let offer = async |kind, priority| {
        let new = NewSuggestion { priority, ..suggestion(user, kind, 0) };
        db.offer_suggestion(new.clone(), many).await.unwrap();
        new.id
    };
    let enter = async |id, origin, unconfirmed| {
        let new = NewReminder { origin, unconfirmed, ..reminder(user, Some(id), 1) };
        db.create_reminder(new).await.unwrap()
    };

    let visit = offer(SuggestionType::Appointment, Priority::Low).await;
    let urgent = offer(SuggestionType::SymptomFollowup, Priority::Urgent).await;
    let medium = offer(SuggestionType::Reminder, Priority::Medium).await;
    let low = offer(SuggestionType::Reminder, Priority::Low).await;

    assert_eq!(enter(visit, Origin::User, strict).await, ReminderOutcome::UnconfirmedTime);
    assert_eq!(enter(urgent, Origin::User, strict).await, ReminderOutcome::UnconfirmedTime);
    assert_eq!(enter(visit, Origin::Policy, strict).await, ReminderOutcome::UnconfirmedTime);
    // Whatever a caller says, the server makes nothing above low by itself.
    assert_eq!(enter(medium, Origin::Policy, None).await, ReminderOutcome::UnconfirmedTime);
    let ReminderOutcome::Created(made) = enter(low, Origin::Policy, strict).await else {
        panic!("not created")
    };
    assert_eq!((made.origin, made.priority), (Origin::Policy, Priority::Low));
    let ReminderOutcome::Created(made) = enter(urgent, Origin::User, None).await else {
        panic!("not created")
    };
    assert_eq!((made.origin, made.priority), (Origin::User, Priority::Urgent));
}
