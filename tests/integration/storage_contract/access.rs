//! Devices, refresh tokens and tickets: each is used once, whoever races.

use jiff::Timestamp;
use server::{
    ids::{DeviceId, UserId},
    storage::{
        AccessStorage, DEVICES_MAX, Database, Device, NewDevice, NewTicket, Rotated, Rotation, SecretHash,
        StorageError, TICKETS_MAX, Ticket,
    },
};

use super::{add_user, at, race, stories};

stories!(
    a_refresh_token_is_followed_by_the_next_f143,
    a_refresh_token_that_is_used_twice_ends_its_device_f143,
    of_many_who_use_one_refresh_token_one_is_served_f143,
    a_refresh_token_ends_with_its_time_f143,
    devices_are_listed_and_ended_by_their_user_alone_f143,
    more_devices_than_there_may_be_end_the_oldest_f143,
    a_ticket_is_good_once_and_for_its_time_f145,
    unused_tickets_are_bounded_f145,
);

fn hash(name: &str) -> SecretHash {
    SecretHash(name.to_owned())
}

fn new_device(user: UserId, token: &str, seconds: i64) -> NewDevice {
    let device = Device {
        id: DeviceId::random(),
        user,
        name: "Ana's \0 phone".to_owned(),
        created_at: at(seconds),
        seen_at: at(seconds),
        expires_at: at(seconds + 1000),
        factor_at: None,
    };
    NewDevice { device, token: hash(token), token_expires_at: at(seconds + 1000) }
}

async fn add_device(db: &Database, user: UserId, token: &str) -> DeviceId {
    let new = new_device(user, token, 0);
    let id = new.device.id;
    db.add_device(new).await.unwrap();
    id
}

fn rotation(used: &str, next: &str, seconds: i64) -> Rotation {
    let token_expires_at = at(seconds + 1000);
    Rotation {
        used: hash(used),
        next: hash(next),
        at: at(seconds),
        token_expires_at,
        expires_at: token_expires_at,
    }
}

async fn a_refresh_token_is_followed_by_the_next_f143(db: Database) {
    let user = add_user(&db).await;
    let device = add_device(&db, user, "a").await;

    let first = db.rotate(rotation("a", "b", 10)).await.unwrap();
    let second = db.rotate(rotation("b", "c", 900)).await.unwrap();

    let Rotated::Next(found, owner) = first else { panic!("{first:?}") };
    assert_eq!((found.id, found.seen_at, found.expires_at, owner.id), (device, at(10), at(1010), user));
    assert_eq!(found.name, "Ana's \u{FFFD} phone");
    assert!(matches!(second, Rotated::Next(..)), "{second:?}");
    assert_eq!(db.rotate(rotation("never", "x", 0)).await.unwrap(), Rotated::Unknown);
    assert_eq!(db.standing(user, Some(device)).await.unwrap().unwrap().device.unwrap().seen_at, at(900));
}

async fn a_refresh_token_that_is_used_twice_ends_its_device_f143(db: Database) {
    let user = add_user(&db).await;
    let (stolen, other) = (add_device(&db, user, "a").await, add_device(&db, user, "z").await);
    db.rotate(rotation("a", "b", 10)).await.unwrap();

    let again = db.rotate(rotation("a", "x", 20)).await.unwrap();

    assert_eq!(again, Rotated::Reused(user, stolen));
    assert_eq!(db.rotate(rotation("b", "c", 30)).await.unwrap(), Rotated::Unknown);
    assert_eq!(db.rotate(rotation("x", "y", 30)).await.unwrap(), Rotated::Unknown);
    let standing = |id| db.standing(user, Some(id));
    assert_eq!(standing(stolen).await.unwrap().unwrap().device, None);
    assert_eq!(standing(other).await.unwrap().unwrap().device.unwrap().id, other);
}

async fn of_many_who_use_one_refresh_token_one_is_served_f143(db: Database) {
    let user = add_user(&db).await;
    add_device(&db, user, "a").await;

    let outcomes =
        race(
            &db,
            16,
            |db, n| async move { db.rotate(rotation("a", &format!("next {n}"), 10)).await.unwrap() },
        )
        .await;

    let served = outcomes.iter().filter(|outcome| matches!(outcome, Rotated::Next(..))).count();
    let caught = outcomes.iter().filter(|outcome| matches!(outcome, Rotated::Reused(..))).count();
    assert_eq!(served, 1, "{outcomes:?}");
    assert!(caught >= 1, "{outcomes:?}");
    assert_eq!(db.devices(user, at(20)).await.unwrap(), []);
}

async fn a_refresh_token_ends_with_its_time_f143(db: Database) {
    let user = add_user(&db).await;
    add_device(&db, user, "a").await;

    assert_eq!(db.rotate(rotation("a", "b", 1000)).await.unwrap(), Rotated::Expired);
    assert!(matches!(db.rotate(rotation("a", "b", 999)).await.unwrap(), Rotated::Next(..)));
}

async fn devices_are_listed_and_ended_by_their_user_alone_f143(db: Database) {
    let (user, stranger) = (add_user(&db).await, add_user(&db).await);
    let (old, new) = (add_device(&db, user, "a").await, add_device(&db, user, "b").await);
    add_device(&db, stranger, "s").await;
    db.rotate(rotation("b", "c", 5)).await.unwrap();
    let ids = async |now| {
        db.devices(user, now).await.unwrap().into_iter().map(|device| device.id).collect::<Vec<_>>()
    };

    assert_eq!(ids(at(10)).await, [new, old]);
    assert_eq!(ids(at(1000)).await, [new], "the other has expired");
    assert!(!db.remove_device(stranger, old).await.unwrap());
    assert!(db.remove_device(user, old).await.unwrap());
    assert!(!db.remove_device(user, old).await.unwrap());
    assert_eq!(db.standing(stranger, Some(new)).await.unwrap().unwrap().device, None, "not theirs");
    assert_eq!(db.remove_devices(user).await.unwrap(), 1);
    assert_eq!(ids(at(10)).await, []);
    assert_eq!(db.devices(stranger, at(10)).await.unwrap().len(), 1);
}

async fn more_devices_than_there_may_be_end_the_oldest_f143(db: Database) {
    let user = add_user(&db).await;
    let mut ids = Vec::new();
    for n in 0..=i64::from(DEVICES_MAX) {
        let new = new_device(user, &format!("{n}"), n);
        ids.push(new.device.id);
        db.add_device(new).await.unwrap();
    }

    let kept: Vec<_> = db.devices(user, at(60)).await.unwrap().into_iter().map(|device| device.id).collect();

    ids.remove(0);
    ids.reverse();
    assert_eq!(kept, ids);
}

fn ticket(user: UserId, name: &str, at: Timestamp) -> NewTicket {
    let ticket = Ticket { user, device: Some(DeviceId::random()), token_expires_at: at };
    let expires_at = at.checked_add(std::time::Duration::from_secs(30)).unwrap();
    NewTicket { ticket, hash: hash(name), at, expires_at }
}

async fn a_ticket_is_good_once_and_for_its_time_f145(db: Database) {
    let user = add_user(&db).await;
    let (new, late) = (ticket(user, "a", at(0)), ticket(user, "late", at(0)));
    db.add_ticket(new.clone()).await.unwrap();
    db.add_ticket(late).await.unwrap();

    let taken = race(&db, 8, |db, _| async move { db.take_ticket(&hash("a"), at(29)).await.unwrap() }).await;

    assert_eq!(taken.into_iter().flatten().collect::<Vec<_>>(), [new.ticket]);
    assert_eq!(db.take_ticket(&hash("late"), at(30)).await.unwrap(), None);
    assert_eq!(db.take_ticket(&hash("never"), at(0)).await.unwrap(), None);
}

async fn unused_tickets_are_bounded_f145(db: Database) {
    let user = add_user(&db).await;
    for n in 0..TICKETS_MAX {
        db.add_ticket(ticket(user, &format!("{n}"), at(0))).await.unwrap();
    }

    let one_more = db.add_ticket(ticket(user, "more", at(29))).await;

    assert!(matches!(one_more, Err(StorageError::TooMany { most: TICKETS_MAX, .. })), "{one_more:?}");
    db.add_ticket(ticket(user, "later", at(30))).await.unwrap();
    db.add_ticket(ticket(add_user(&db).await, "other", at(0))).await.unwrap();
}
