//! Who is in a room, and which rooms are forgotten.

use clock::{Clock, ManualClock};

use super::*;
use crate::chat::protocol::Finish;

/// The end of an answer.
pub(super) fn done(message_id: MessageId) -> Outgoing {
    Outgoing::Done {
        message_id: Some(message_id),
        replaces: None,
        client_msg_id: None,
        finish_reason: Finish::Answered,
        degraded: false,
        used_fallback: false,
        code: None,
        action: None,
        retry_after_ms: None,
        session: None,
        at: jiff::Timestamp::UNIX_EPOCH,
    }
}

fn rooms(most: usize) -> (ManualClock, Rooms) {
    let clock = ManualClock::new(jiff::Timestamp::UNIX_EPOCH);
    let window = Window { frames: 10, life: std::time::Duration::from_mins(1) };
    (clock.clone(), Rooms::new(Arc::new(clock), (window, most), None))
}

#[test]
fn rooms_that_nobody_uses_are_forgotten_when_there_are_too_many_f89() {
    let (clock, rooms) = rooms(3);
    let users: Vec<_> = (0..4).map(|_| UserId::random()).collect();
    let kept = rooms.enter(users[0]);
    for user in &users[1..] {
        clock.jump(clock.now() + std::time::Duration::from_secs(1));
        rooms.enter(*user);
    }

    assert!(rooms.find(users[0]).is_some(), "it is in use");
    assert!(rooms.find(users[1]).is_none(), "of the others it was left first");
    assert!(rooms.find(users[2]).is_some() && rooms.find(users[3]).is_some());
    drop(kept);
    assert!(clock.now() > Instant::ZERO);
}

#[test]
fn a_hundred_thousand_users_who_come_and_go_leave_so_many_rooms_and_no_more_f47() {
    let (_, rooms) = rooms(1000);

    for _ in 0..100_000 {
        rooms.enter(UserId::random());
        assert!(rooms.rooms().len() <= 1000);
    }
}

#[test]
fn a_room_is_attended_by_one_until_its_last_device_has_left() {
    let (_, rooms) = rooms(3);
    let room = rooms.enter(UserId::random());
    let mut first = room.open();
    assert!(first.unattended.take().is_some(), "somebody has to attend to it");
    let own = first.commands.clone();
    let second = room.open();
    assert!(second.unattended.is_none(), "somebody does");

    let own = room.close(own).expect("two devices are there");
    drop((first, second));
    assert!(room.close(own).is_none());

    assert!(room.open().unattended.is_some());
}
