//! Callbacks: a state counts once, however many come with it at the same moment.

use chrono::TimeDelta;
use futures_util::future::join_all;
use rstest::rstest;

use super::super::*;
use super::{Database, Kind, content_key, now, place, story};
use crate::domain::id::ExtId;

#[rstest]
#[actix_web::test]
async fn of_callbacks_with_one_state_at_one_moment_one_is_stored(
    #[values(Kind::Postgres, Kind::Sqlite)] kind: Kind,
) {
    let database = Database::new(kind).await;
    story::configured(&database.store).await;
    let key = content_key(7);
    database
        .store
        .content_or_new(&key, &place(), now())
        .await
        .unwrap();
    for round in 0..20_u8 {
        let nonce = [round; 12];
        let calls = (0..8).map(async |n| {
            // Two bring each external id.
            let ext_id = ExtId::stored((n / 2).to_string());
            let common = Common::of(&database.url);
            let store = match kind {
                Kind::Postgres => Store::open(&database.url, &common, Budget::COMMAND).unwrap(),
                Kind::Sqlite => database.store.clone(),
            };
            let outcome = store
                .store_callback(Callback {
                    content: &key,
                    ext_id: &ext_id,
                    state: Some((&nonce, now() + TimeDelta::days(1))),
                    at: now(),
                })
                .await;
            (ext_id, outcome.unwrap())
        });
        let outcomes = join_all(calls).await;
        let stored = database.store.content(&key).await.unwrap().unwrap().ext_id;
        let is_now = |outcome: &Stored| *outcome == Stored::Now(place().server);
        let now: Vec<_> = outcomes.iter().filter(|(_, it)| is_now(it)).collect();
        assert_eq!(now.len(), 1, "{outcomes:?}");
        assert_eq!(Some(&now[0].0), stored.as_ref());
        for (ext_id, outcome) in outcomes.iter().filter(|(_, it)| !is_now(it)) {
            let expected = if Some(ext_id) == stored.as_ref() {
                Stored::Before
            } else {
                Stored::StateUsedOtherwise
            };
            assert_eq!(*outcome, expected);
        }
    }
}

#[rstest]
#[actix_web::test]
async fn a_state_of_content_that_is_not_there_is_not_used_up(
    #[values(Kind::Postgres, Kind::Sqlite)] kind: Kind,
) {
    let database = Database::new(kind).await;
    let store = &database.store;
    story::configured(store).await;
    let (key, ext_id) = (content_key(7), ExtId::stored("5".into()));
    let callback = Callback {
        content: &key,
        ext_id: &ext_id,
        state: Some((&[7; 12], now() + TimeDelta::days(1))),
        at: now(),
    };
    for _ in 0..2 {
        assert_eq!(
            store.store_callback(callback).await.unwrap(),
            Stored::NoContent
        );
    }
    store.content_or_new(&key, &place(), now()).await.unwrap();
    let stored = store.store_callback(callback).await.unwrap();
    assert_eq!(stored, Stored::Now(place().server));
    // What is over is forgotten; then nothing keeps it from counting again but its own time.
    store.clean_states(now()).await.unwrap();
    assert_eq!(
        store.store_callback(callback).await.unwrap(),
        Stored::Before
    );
    store
        .clean_states(now() + TimeDelta::days(2))
        .await
        .unwrap();
    let stored = store.store_callback(callback).await.unwrap();
    assert_eq!(stored, Stored::Now(place().server));
}
