//! Blocks, roles, second factors, API keys, and the audit log.

use server::{
    ids::{ApiKeyId, DeviceId, UserId},
    storage::{
        API_KEYS_MAX, AccessStorage, Actor, ApiKey, AuditEntry, Block, Database, Device, FactorUse,
        NewDevice, RoleOutcome, SecondFactor, SecretHash, Storage, StorageError,
    },
};

use super::{add_user, at, race, stories};

stories!(
    a_block_holds_until_its_end_or_until_it_is_lifted_f9,
    the_last_administrator_stays_whoever_races_f144,
    a_second_factor_counts_once_it_is_confirmed_f144,
    a_one_time_password_is_used_once_in_a_race_f144,
    an_api_key_is_found_until_it_ends_f144,
    api_keys_of_a_user_are_bounded_f144,
    the_audit_log_is_read_backwards_page_by_page_f107,
    rows_of_the_audit_log_have_no_gaps_in_a_race_f107,
);

async fn a_block_holds_until_its_end_or_until_it_is_lifted_f9(db: Database) {
    let (ana, bea) = (add_user(&db).await, add_user(&db).await);
    let block =
        |user, from, until| Block { user, reason: "flood".to_owned(), at: at(from), until: at(until) };
    db.block(block(ana, 0, 100)).await.unwrap();
    db.block(block(bea, 5, 50)).await.unwrap();
    db.block(block(ana, 10, 200)).await.unwrap();

    let standing = db.standing(ana, None).await.unwrap().unwrap();

    assert_eq!((standing.user.id, standing.blocked_until), (ana, Some(at(200))));
    assert_eq!(db.blocks(at(49)).await.unwrap(), [block(ana, 10, 200), block(bea, 5, 50)]);
    assert_eq!(db.blocks(at(50)).await.unwrap(), [block(ana, 10, 200)]);
    assert!(!db.unblock(bea, at(50)).await.unwrap());
    assert!(db.unblock(ana, at(50)).await.unwrap());
    assert!(!db.unblock(ana, at(50)).await.unwrap());
    assert_eq!(db.standing(ana, None).await.unwrap().unwrap().blocked_until, None);
    assert_eq!(db.standing(UserId::random(), None).await.unwrap(), None);
}

async fn the_last_administrator_stays_whoever_races_f144(db: Database) {
    let (ana, bea) = (add_user(&db).await, add_user(&db).await);
    for user in [ana, bea] {
        assert!(
            matches!(db.set_admin(user, true).await.unwrap(), RoleOutcome::Changed(user) if user.is_admin)
        );
    }
    assert_eq!(db.set_admin(UserId::random(), true).await.unwrap(), RoleOutcome::Unknown);

    let outcomes =
        race(&db, 2, |db, n| async move { db.set_admin([ana, bea][n], false).await.unwrap() }).await;

    let last = outcomes.iter().filter(|outcome| **outcome == RoleOutcome::LastAdmin).count();
    assert_eq!(last, 1, "{outcomes:?}");
    let admin = async |id| db.user(id).await.unwrap().unwrap().is_admin;
    assert_eq!(usize::from(admin(ana).await) + usize::from(admin(bea).await), 1);
}

async fn add_device(db: &Database, user: UserId) -> DeviceId {
    let id = DeviceId::random();
    let device = Device {
        id,
        user,
        name: "phone".to_owned(),
        created_at: at(0),
        seen_at: at(0),
        expires_at: at(1000),
        factor_at: None,
    };
    let token = SecretHash(id.to_string());
    db.add_device(NewDevice { device, token, token_expires_at: at(1000) }).await.unwrap();
    id
}

async fn a_second_factor_counts_once_it_is_confirmed_f144(db: Database) {
    let user = add_user(&db).await;
    let device = add_device(&db, user).await;
    let factor = |secret: &str| SecondFactor { user, secret: secret.to_owned(), confirmed_at: None };
    let given = |step, seconds| db.use_factor(FactorUse { user, device, step, at: at(seconds) });
    let seen = async || db.standing(user, Some(device)).await.unwrap().unwrap().device.unwrap().factor_at;
    assert!(!given(1, 0).await.unwrap(), "there is none");

    assert!(db.offer_factor(factor("A")).await.unwrap());
    assert!(db.offer_factor(factor("B")).await.unwrap());
    assert_eq!(db.second_factor(user).await.unwrap(), Some(factor("B")));
    assert_eq!(seen().await, None);
    assert!(given(7, 10).await.unwrap());

    assert_eq!(seen().await, Some(at(10)));
    assert_eq!(db.second_factor(user).await.unwrap().unwrap().confirmed_at, Some(at(10)));
    assert!(!db.offer_factor(factor("C")).await.unwrap(), "not in the place of a confirmed one");
    assert!(!given(7, 11).await.unwrap() && !given(6, 11).await.unwrap());
    assert!(given(8, 20).await.unwrap());
    db.touch_factor(device, at(30)).await.unwrap();
    db.touch_factor(device, at(25)).await.unwrap();
    assert_eq!(seen().await, Some(at(30)));
    assert_eq!(db.second_factor(user).await.unwrap().unwrap().confirmed_at, Some(at(10)));
    assert!(db.remove_factor(user).await.unwrap());
    assert!(!db.remove_factor(user).await.unwrap());
}

async fn a_one_time_password_is_used_once_in_a_race_f144(db: Database) {
    let user = add_user(&db).await;
    let device = add_device(&db, user).await;
    let factor = SecondFactor { user, secret: "A".to_owned(), confirmed_at: None };
    db.offer_factor(factor).await.unwrap();

    let outcomes = race(&db, 8, |db, _| async move {
        db.use_factor(FactorUse { user, device, step: 9, at: at(0) }).await.unwrap()
    })
    .await;

    assert_eq!(outcomes.iter().filter(|is_fresh| **is_fresh).count(), 1);
}

fn api_key(user: UserId, seconds: i64) -> ApiKey {
    ApiKey {
        id: ApiKeyId::random(),
        user,
        name: "report".to_owned(),
        prefix: "gk_12345678".to_owned(),
        scopes: vec!["audit:read".to_owned(), "blocks:write".to_owned()],
        created_at: at(seconds),
        expires_at: at(seconds + 100),
    }
}

async fn an_api_key_is_found_until_it_ends_f144(db: Database) {
    let user = add_user(&db).await;
    let (first, second) = (api_key(user, 0), api_key(user, 1));
    let hash = |name: &str| SecretHash(name.to_owned());
    db.add_api_key(first.clone(), hash("a")).await.unwrap();
    db.add_api_key(second.clone(), hash("b")).await.unwrap();

    assert_eq!(db.api_key(&hash("a"), at(99)).await.unwrap(), Some(first.clone()));
    assert_eq!(db.api_key(&hash("a"), at(100)).await.unwrap(), None);
    assert_eq!(db.api_key(&hash("c"), at(0)).await.unwrap(), None);
    assert_eq!(db.api_keys().await.unwrap(), [second, first.clone()]);
    assert!(db.remove_api_key(first.id).await.unwrap());
    assert!(!db.remove_api_key(first.id).await.unwrap());
    assert_eq!(db.api_key(&hash("a"), at(0)).await.unwrap(), None);
}

async fn api_keys_of_a_user_are_bounded_f144(db: Database) {
    let user = add_user(&db).await;
    for n in 0..API_KEYS_MAX {
        db.add_api_key(api_key(user, 0), SecretHash(n.to_string())).await.unwrap();
    }

    let one_more = db.add_api_key(api_key(user, 0), SecretHash("more".to_owned())).await;

    assert!(matches!(one_more, Err(StorageError::TooMany { most: API_KEYS_MAX, .. })), "{one_more:?}");
}

fn entry(actor: Actor, action: &str) -> AuditEntry {
    AuditEntry {
        at: at(0),
        actor,
        subject: None,
        action: action.to_owned(),
        target: "/a\0b".to_owned(),
        outcome: "ok".to_owned(),
        address: "10.0.0.7".to_owned(),
    }
}

async fn the_audit_log_is_read_backwards_page_by_page_f107(db: Database) {
    let user = UserId::random();
    let actors = [
        Actor::Nobody,
        Actor::Policy,
        Actor::User(user),
        Actor::Admin(user),
        Actor::ApiKey(user),
        Actor::Server,
        Actor::Operator,
    ];
    for (n, actor) in actors.into_iter().enumerate() {
        db.append_audit(&[entry(actor, &n.to_string())]).await.unwrap();
    }

    let newest = db.audit(None, 4).await.unwrap();
    let rest = db.audit(newest.last().map(|row| row.position), 4).await.unwrap();

    let all: Vec<_> = newest.iter().chain(&rest).collect();
    assert_eq!(all.iter().map(|row| row.position).collect::<Vec<_>>(), [7, 6, 5, 4, 3, 2, 1]);
    assert!(all.iter().rev().zip(actors).all(|(row, actor)| row.entry.actor == actor));
    let stored = AuditEntry { target: "/a\u{FFFD}b".to_owned(), ..entry(Actor::Operator, "6") };
    assert_eq!(newest[0].entry, stored);
    assert_eq!(db.audit(Some(1), 4).await.unwrap(), []);
}

async fn rows_of_the_audit_log_have_no_gaps_in_a_race_f107(db: Database) {
    race(&db, 32, |db, n| async move {
        let both = [entry(Actor::Server, &n.to_string()), entry(Actor::Server, "second")];
        db.append_audit(&both).await.unwrap();
    })
    .await;

    let rows = db.audit(None, 200).await.unwrap();

    let second = rows.iter().step_by(2).all(|row| row.entry.action == "second");
    assert!(second, "what was given together stands together: {rows:?}");
    assert_eq!(rows.iter().map(|row| row.position).collect::<Vec<_>>(), (1..=64).rev().collect::<Vec<_>>());
}
