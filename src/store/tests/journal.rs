//! The journal's entries: one owner at a time.

use chrono::TimeDelta;
use rstest::rstest;

use super::{Database, Kind, entry_of, now, session};
use crate::domain::id::ExtId;
use crate::domain::journal::{Entry, EntryState};
use crate::store::Lease;

#[rstest]
#[actix_web::test]
async fn an_entry_whose_owner_is_gone_is_unsettled_and_taken_up_once(
    #[values(Kind::Postgres, Kind::Sqlite)] kind: Kind,
) {
    let database = Database::new(kind).await;
    let store = &database.store;
    let entry = entry_of(&session(9, 7));
    let lease = |owner, seconds| Lease {
        owner,
        until: now() + TimeDelta::seconds(seconds),
    };
    assert!(
        store
            .begin_entry(&entry, lease("one", 6), None)
            .await
            .unwrap()
    );
    store
        .extend_lease(&entry.id, lease("one", 9))
        .await
        .unwrap();
    store
        .extend_lease(&entry.id, lease("two", 99))
        .await
        .unwrap();
    let calling = store.calling_entries().await.unwrap();
    let until = now() + TimeDelta::seconds(9);
    assert_eq!(calling, [(entry.id.clone(), "one".to_owned(), until)]);
    assert!(
        !store
            .retry_entry(&entry.id, lease("two", 20), &told(), now())
            .await
            .unwrap()
    );
    store.lose_entry(&entry.id, "two", now()).await.unwrap();
    assert_eq!(store.unsettled_entries().await.unwrap(), 0);
    store.lose_entry(&entry.id, "one", now()).await.unwrap();
    assert_eq!(store.unsettled_entries().await.unwrap(), 1);
    assert_eq!(
        store.open_entries().await.unwrap()[0].state,
        EntryState::Unsettled
    );

    // Taken up by one; who had it before has no say any more.
    assert!(
        store
            .retry_entry(&entry.id, lease("two", 20), &told(), now())
            .await
            .unwrap()
    );
    assert!(
        !store
            .retry_entry(&entry.id, lease("three", 20), &told(), now())
            .await
            .unwrap()
    );
    let id = ExtId::stored("700".into());
    assert!(
        !store
            .settle_entry(&entry, "one", Some(&id), now())
            .await
            .unwrap()
    );
    assert!(
        !store
            .adopt_entry(&entry, &id, &told(), now())
            .await
            .unwrap(),
        "it is not unsettled"
    );
    assert!(
        !store
            .give_up_entry(&entry.id, "given up", &told(), now())
            .await
            .unwrap()
    );
    let end = async |owner, tries| {
        let entry = Entry {
            tries,
            ..entry.clone()
        };
        store
            .end_entry(&entry, owner, EntryState::Failed, "refused", now())
            .await
            .unwrap()
    };
    assert!(!end("one", 1).await && !end("two", 1).await && end("two", 2).await);
    assert!(
        store.current_entry(&entry.key).await.unwrap().is_none(),
        "its key is free"
    );
    let again = Entry {
        id: "another".into(),
        ..entry.clone()
    };
    assert!(
        store
            .begin_entry(&again, lease("two", 6), None)
            .await
            .unwrap()
    );
    let failed = store.entry(&entry.id).await.unwrap().unwrap();
    assert_eq!(
        (failed.tries, failed.error.as_deref()),
        (2, Some("refused"))
    );
}

/// What the audit is told; each time anew.
fn told() -> crate::domain::audit::Entry {
    let id = uuid::Uuid::new_v4().to_string();
    let actor = crate::domain::audit::Actor::CommandLine;
    crate::domain::audit::Entry::new(id, now(), &actor, "journal.tried", "x", [None, None])
}
