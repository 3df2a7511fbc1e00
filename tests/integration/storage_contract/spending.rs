//! Tokens of a user's day.

use server::storage::{Database, SpendingStore as _};

use super::{add_user, race, stories};

stories!(
    tokens_add_up_within_a_day_and_begin_anew_with_the_next_f109,
    tokens_of_all_replicas_are_counted_f109
);

async fn tokens_add_up_within_a_day_and_begin_anew_with_the_next_f109(db: Database) {
    let (user, other) = (add_user(&db).await, add_user(&db).await);
    let spent = async |user, day| db.spent_tokens(user, day).await.unwrap();
    assert_eq!(spent(user, 7).await, 0);

    db.spend_tokens(user, 7, 40).await.unwrap();
    db.spend_tokens(user, 7, 2).await.unwrap();
    db.spend_tokens(other, 7, 1).await.unwrap();
    assert_eq!((spent(user, 7).await, spent(other, 7).await, spent(user, 8).await), (42, 1, 0));
    db.spend_tokens(user, 8, 5).await.unwrap();
    db.spend_tokens(user, 7, 6).await.unwrap();

    assert_eq!((spent(user, 7).await, spent(user, 8).await), (0, 11));
}

async fn tokens_of_all_replicas_are_counted_f109(db: Database) {
    let user = add_user(&db).await;

    race(&db, 20, move |db, _| async move { db.spend_tokens(user, 7, 3).await.unwrap() }).await;

    assert_eq!(db.spent_tokens(user, 7).await.unwrap(), 60);
}
