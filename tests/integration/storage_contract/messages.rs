//! Messages of a session: their places, how many there may be, and who reads them.

use server::{
    ids::{MessageId, SessionId, UserId},
    storage::{
        Database, LanguageStore as _, MessageKind, NewMessage, Page, Place, Replaced, Replacing, Role,
        Storage,
    },
};

use super::{add_user, at, new_session, race, said, stories};

stories!(
    a_question_that_is_asked_again_takes_the_place_of_itself_and_its_torso_f24,
    what_is_answered_replaced_or_somebody_elses_is_not_replaced_f24,
    a_question_is_replaced_once_however_many_try_f24,
    a_text_may_hold_anything,
    messages_get_places_and_mark_the_session_active,
    a_full_or_ended_session_takes_no_message,
    a_session_never_exceeds_its_capacity_in_a_race,
    a_place_that_is_known_to_be_the_next_is_taken_once,
    a_message_whose_storing_is_given_up_is_there_whole_or_not_at_all,
    context_is_what_was_said_and_answered,
    messages_are_paged_for_their_owner_only,
);

async fn a_text_may_hold_anything(db: Database) {
    let user = add_user(&db).await;
    let session = db.begin_session(new_session(user, None)).await.unwrap().id;

    let stored =
        db.append_message(said(user, session, "a\0b '; -- $1 ? 👶\u{1F3FD} ñ"), Place::Last).await.unwrap();

    assert_eq!(stored.unwrap().text, "a\u{FFFD}b '; -- $1 ? 👶\u{1F3FD} ñ");
}

async fn messages_get_places_and_mark_the_session_active(db: Database) {
    let user = add_user(&db).await;
    let session = db.begin_session(new_session(user, None)).await.unwrap().id;
    let answer = NewMessage { kind: MessageKind::Answer, at: at(7), ..said(user, session, "Of course.") };

    let first = db.append_message(said(user, session, "May I?"), Place::Within(100)).await.unwrap().unwrap();
    let second = db.append_message(answer, Place::Within(100)).await.unwrap().unwrap();

    assert_eq!((first.position, first.role), (1, Role::User));
    assert_eq!((second.position, second.role), (2, Role::Assistant));
    assert_eq!(db.message(second.id).await.unwrap(), Some(second));
    assert_eq!(db.message(MessageId::random()).await.unwrap(), None);
    let open = db.open_session(user).await.unwrap().unwrap();
    assert_eq!((open.messages, open.active_at), (2, at(7)));
}

async fn a_full_or_ended_session_takes_no_message(db: Database) {
    let user = add_user(&db).await;
    let session = db.begin_session(new_session(user, None)).await.unwrap().id;
    let append = async |place| db.append_message(said(user, session, "x"), place).await.unwrap();
    assert!(append(Place::Within(1)).await.is_some());

    assert!(append(Place::Within(1)).await.is_none());
    db.end_session(session, at(1)).await.unwrap();
    assert!(append(Place::Within(100)).await.is_none());
    let late = append(Place::Last).await;

    assert_eq!(late.map(|message| message.position), Some(2), "a running reply still finds its place");
    let foreign = db.append_message(said(add_user(&db).await, session, "x"), Place::Last).await.unwrap();
    assert_eq!(foreign, None);
}

async fn a_session_never_exceeds_its_capacity_in_a_race(db: Database) {
    let user = add_user(&db).await;
    let session = db.begin_session(new_session(user, None)).await.unwrap().id;

    let stored = race(&db, 40, move |db, _| async move {
        db.append_message(said(user, session, "x"), Place::Within(25)).await.unwrap()
    })
    .await;

    let mut places: Vec<_> = stored.into_iter().flatten().map(|message| message.position).collect();
    places.sort_unstable();
    assert_eq!(places, (1..=25).collect::<Vec<_>>());
    assert_eq!(db.open_session(user).await.unwrap().unwrap().messages, 25);
}

async fn a_place_that_is_known_to_be_the_next_is_taken_once(db: Database) {
    let user = add_user(&db).await;
    let session = db.begin_session(new_session(user, None)).await.unwrap().id;
    let append = async |place| db.append_message(said(user, session, "x"), place).await.unwrap();
    assert!(append(Place::At(2)).await.is_none(), "there would be a gap");
    assert!(append(Place::At(1)).await.is_some());
    assert!(append(Place::At(1)).await.is_none(), "it is taken");

    let stored = race(&db, 20, move |db, _| async move {
        db.append_message(said(user, session, "x"), Place::At(2)).await.unwrap()
    })
    .await;

    assert_eq!(stored.into_iter().flatten().count(), 1);
    let open = db.open_session(user).await.unwrap().unwrap();
    assert_eq!(open.messages, 2, "who is turned away takes no place");
    let counts = db.language_use().await.unwrap();
    assert_eq!(counts.iter().map(|language| language.messages).sum::<u64>(), 2, "and is not counted");
    db.end_session(session, at(9)).await.unwrap();
    assert!(append(Place::At(3)).await.is_none(), "the session has ended");
}

async fn a_message_whose_storing_is_given_up_is_there_whole_or_not_at_all(db: Database) {
    let user = add_user(&db).await;
    let session = db.begin_session(new_session(user, None)).await.unwrap().id;

    for polls in 0..200 {
        let mut storing = db.append_message(said(user, session, "x"), Place::Last);
        for _ in 0..polls % 20 {
            if futures_util::poll!(&mut storing).is_ready() {
                break;
            }
            tokio::task::yield_now().await;
        }
    }

    let last = db.append_message(said(user, session, "last"), Place::Last).await.unwrap().unwrap();
    let page = Page { user, session, after: 0, limit: 1000 };
    let places: Vec<_> = db.messages(page).await.unwrap().iter().map(|message| message.position).collect();
    assert_eq!(places, (1..=last.position).collect::<Vec<_>>());
    assert_eq!(db.open_session(user).await.unwrap().unwrap().messages, last.position);
    let counts = db.language_use().await.unwrap();
    assert_eq!(counts.iter().map(|language| language.messages).sum::<u64>(), u64::from(last.position));
}

async fn context_is_what_was_said_and_answered(db: Database) {
    let user = add_user(&db).await;
    let session = db.begin_session(new_session(user, None)).await.unwrap().id;
    let kinds = [
        MessageKind::Said,
        MessageKind::Answer,
        MessageKind::Fallback,
        MessageKind::Interrupted,
        MessageKind::Safety,
        MessageKind::Said,
    ];
    for (i, kind) in (0..).zip(kinds) {
        let message = NewMessage { kind, at: at(i), ..said(user, session, &i.to_string()) };
        db.append_message(message, Place::Within(100)).await.unwrap().unwrap();
    }

    let texts = async |since, limit| -> Vec<String> {
        let found = db.context(session, at(since), limit).await.unwrap();
        found.into_iter().map(|message| message.text).collect()
    };

    assert_eq!(texts(0, 10).await, ["0", "1", "5"]);
    assert_eq!(texts(0, 2).await, ["1", "5"]);
    assert_eq!(texts(1, 10).await, ["1", "5"]);
    assert_eq!(texts(6, 10).await, Vec::<String>::new());
}

async fn messages_are_paged_for_their_owner_only(db: Database) {
    let (user, other) = (add_user(&db).await, add_user(&db).await);
    let session = db.begin_session(new_session(user, None)).await.unwrap().id;
    for i in 1..=5 {
        db.append_message(said(user, session, &i.to_string()), Place::Last).await.unwrap().unwrap();
    }

    let page = async |user, after, limit| -> Vec<String> {
        let page = Page { user, session, after, limit };
        db.messages(page).await.unwrap().into_iter().map(|message| message.text).collect()
    };

    assert_eq!(page(user, 0, 2).await, ["1", "2"]);
    assert_eq!(page(user, 2, 9).await, ["3", "4", "5"]);
    assert_eq!(page(other, 0, 9).await, Vec::<String>::new());
}

/// Stores a question with a reply of some kind.
async fn turn(db: &Database, (user, session): (UserId, SessionId), kind: MessageKind) -> Replaced {
    let question = said(user, session, "May I?");
    let reply = NewMessage { id: question.id.reply(), kind, ..said(user, session, "You") };
    let old = Replaced { question: question.id, reply: reply.id };
    db.append_message(question, Place::Last).await.unwrap();
    db.append_message(reply, Place::Last).await.unwrap();
    old
}

async fn a_question_that_is_asked_again_takes_the_place_of_itself_and_its_torso_f24(db: Database) {
    for kind in [MessageKind::Interrupted, MessageKind::Fallback] {
        let user = add_user(&db).await;
        let session = db.begin_session(new_session(user, None)).await.unwrap().id;
        let old = turn(&db, (user, session), kind).await;
        let again = said(user, session, "May I?");
        let id = again.id;

        assert_eq!(db.replace_message(again.clone(), 2, old).await.unwrap(), Replacing::NoRoom);
        assert_eq!(db.message(old.question).await.unwrap().unwrap().replaced_by, None);
        let replacing = db.replace_message(again, 100, old).await.unwrap();

        let Replacing::Stored(stored) = replacing else { panic!("{replacing:?}") };
        assert_eq!((stored.id, stored.position, stored.replaced_by), (id, 3, None));
        for replaced in [old.question, old.reply] {
            assert_eq!(db.message(replaced).await.unwrap().unwrap().replaced_by, Some(id));
        }
        assert_eq!(db.context(session, at(0), 10).await.unwrap(), [stored]);
    }
}

async fn what_is_answered_replaced_or_somebody_elses_is_not_replaced_f24(db: Database) {
    let (user, eve) = (add_user(&db).await, add_user(&db).await);
    let session = db.begin_session(new_session(user, None)).await.unwrap().id;
    let evil = db.begin_session(new_session(eve, None)).await.unwrap().id;
    let answered = turn(&db, (user, session), MessageKind::Answer).await;
    let broken = turn(&db, (user, session), MessageKind::Interrupted).await;
    let unknown = Replaced { question: MessageId::random(), reply: MessageId::random() };
    let reply_for_question = Replaced { question: broken.reply, reply: broken.reply.reply() };
    let put = async |message, old| db.replace_message(message, 100, old).await.unwrap();

    for old in [answered, unknown, reply_for_question] {
        assert_eq!(put(said(user, session, "again"), old).await, Replacing::NotThere, "{old:?}");
    }
    assert_eq!(put(said(eve, evil, "mine"), broken).await, Replacing::NotThere);
    assert!(matches!(put(said(user, session, "again"), broken).await, Replacing::Stored(_)));
    assert_eq!(put(said(user, session, "and again"), broken).await, Replacing::NotThere);
    assert_eq!(db.open_session(user).await.unwrap().unwrap().messages, 5, "what is refused takes no place");
}

async fn a_question_is_replaced_once_however_many_try_f24(db: Database) {
    let user = add_user(&db).await;
    let session = db.begin_session(new_session(user, None)).await.unwrap().id;
    let old = turn(&db, (user, session), MessageKind::Interrupted).await;

    let outcomes = race(&db, 20, move |db, _| async move {
        db.replace_message(said(user, session, "again"), 100, old).await.unwrap()
    })
    .await;

    let stored = outcomes.iter().filter(|outcome| matches!(outcome, Replacing::Stored(_))).count();
    assert_eq!((stored, db.open_session(user).await.unwrap().unwrap().messages), (1, 3));
}
