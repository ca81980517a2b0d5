//! Sysadmins, their sessions and tries, and the audit.

use chrono::TimeDelta;
use rstest::rstest;
use serde_json::json;

use super::super::*;
use super::{Database, Kind, now};
use crate::domain::audit::{Actor, Entry, Filter};
use crate::domain::sysadmin::{LONGEST_WAIT, wait_after};

fn new<'a>(id: &'a str, name: &'a str) -> NewSysadmin<'a> {
    NewSysadmin {
        id,
        name,
        name_key: name,
        password_hash: "hash",
        at: now(),
    }
}

fn entry(id: &str, seconds: i64) -> Entry {
    let at = now() + TimeDelta::seconds(seconds);
    let after = Some(json!({"name": "ada", "password": "secret"}));
    Entry::new(
        id.into(),
        at,
        &Actor::CommandLine,
        "sysadmin.added",
        "ada",
        [None, after],
    )
}

/// The entry of a change that these tests are not about.
fn some_entry() -> Entry {
    entry(&uuid::Uuid::new_v4().to_string(), 0)
}

fn session<'a>(id: &'a str, hash: u8, password_hash: &'a str) -> NewSession<'a> {
    NewSession {
        id,
        id_hash: [hash; 32],
        sysadmin: "a",
        password_hash,
        instead_of: None,
        device: [hash; 32],
        tries: &[],
        user_agent: "Firefox/140.0",
        address: Some("::1".into()),
        at: now(),
    }
}

#[rstest]
#[actix_web::test]
async fn one_name_is_one_sysadmin(#[values(Kind::Postgres, Kind::Sqlite)] kind: Kind) {
    let database = Database::new(kind).await;
    let store = &database.store;
    store
        .add_sysadmin(&new("a", "ada"), &some_entry())
        .await
        .unwrap();
    let twice = store.add_sysadmin(&new("b", "ada"), &some_entry()).await;
    assert!(matches!(twice, Err(StoreError::Duplicate(_))), "{twice:?}");
    assert_eq!(store.sysadmins().await.unwrap().len(), 1);
    // Nor does the audit say what was not done.
    assert_eq!(
        store
            .audit(&Filter::default(), None, 10)
            .await
            .unwrap()
            .len(),
        1
    );
}

#[rstest]
#[actix_web::test]
async fn of_many_who_want_to_be_first_one_is(#[values(Kind::Postgres, Kind::Sqlite)] kind: Kind) {
    let database = Database::new(kind).await;
    let store = &database.store;
    let until = now() + TimeDelta::hours(1);
    for token in [1, 2] {
        store.put_first_start(&[token; 32], until).await.unwrap();
    }
    let ids: Vec<String> = (0..8).map(|n| n.to_string()).collect();
    let tries = ids.iter().enumerate().map(|(n, id)| {
        let token = [1 + (n % 2) as u8; 32];
        async move {
            store
                .add_first_sysadmin(&token, &new(id, id), &some_entry())
                .await
        }
    });
    let made = futures_util::future::join_all(tries).await;
    let made = made
        .into_iter()
        .filter(|made| *made.as_ref().unwrap())
        .count();
    assert_eq!((made, store.sysadmins().await.unwrap().len()), (1, 1));
    for token in [1, 2] {
        assert!(!store.is_first_start(&[token; 32], now()).await.unwrap());
    }
}

#[rstest]
#[actix_web::test]
async fn an_address_for_the_first_sysadmin_ends(
    #[values(Kind::Postgres, Kind::Sqlite)] kind: Kind,
) {
    let database = Database::new(kind).await;
    let store = &database.store;
    store.put_first_start(&[1; 32], now()).await.unwrap();
    let until = now() + TimeDelta::seconds(1);
    store.put_first_start(&[2; 32], until).await.unwrap();
    assert!(!store.is_first_start(&[1; 32], now()).await.unwrap());
    let first = |token| async move {
        store
            .add_first_sysadmin(&[token; 32], &new("a", "ada"), &some_entry())
            .await
            .unwrap()
    };
    assert!(!first(1).await);
    assert!(!first(3).await);
    // What was refused took nothing from the one that is good.
    assert!(store.is_first_start(&[2; 32], now()).await.unwrap());
    store
        .add_sysadmin(&new("b", "bob"), &some_entry())
        .await
        .unwrap();
    assert!(!first(2).await);
}

#[rstest]
#[actix_web::test]
async fn sysadmins_who_remove_each_other_at_once_leave_one(
    #[values(Kind::Postgres, Kind::Sqlite)] kind: Kind,
) {
    let database = Database::new(kind).await;
    let store = &database.store;
    for id in ["a", "b"] {
        store
            .add_sysadmin(&new(id, id), &some_entry())
            .await
            .unwrap();
    }
    let (one, other) = (some_entry(), some_entry());
    let both = futures_util::future::join(
        store.remove_sysadmin("a", &one),
        store.remove_sysadmin("b", &other),
    );
    let both = both.await;
    let mut both = [both.0.unwrap(), both.1.unwrap()];
    both.sort_by_key(|removed| *removed == Removed::Last);
    assert_eq!(both, [Removed::Done, Removed::Last]);
    assert_eq!(store.sysadmins().await.unwrap().len(), 1);
    let unknown = store.remove_sysadmin("c", &some_entry()).await.unwrap();
    assert_eq!(unknown, Removed::Unknown);
}

#[rstest]
#[actix_web::test]
async fn tries_at_once_are_counted_each_and_make_the_next_wait(
    #[values(Kind::Postgres, Kind::Sqlite)] kind: Kind,
) {
    let database = Database::new(kind).await;
    let store = &database.store;
    let attempt = |subject: u8, at| async move {
        store
            .count_try(&[subject; 32], at, wait_after)
            .await
            .unwrap()
    };
    let many = (0..20).map(|_| attempt(1, now()));
    let counted = futures_util::future::join_all(many).await;
    let counted = counted
        .iter()
        .filter(|tried| matches!(tried, Tried::Counted(_)))
        .count();
    assert_eq!(counted, 5);
    let until = now() + TimeDelta::seconds(1);
    assert_eq!(attempt(1, now()).await, Tried::TooEarly { until });
    assert_eq!(attempt(1, until).await, Tried::Counted(6));
    let then = until + TimeDelta::seconds(2);
    assert_eq!(attempt(1, until).await, Tried::TooEarly { until: then });
    // Another's tries are another's.
    assert_eq!(attempt(2, now()).await, Tried::Counted(1));
    store.forgive(&[1; 32]).await.unwrap();
    assert_eq!(attempt(1, until).await, Tried::Counted(1));
}

#[rstest]
#[actix_web::test]
async fn a_wait_that_a_clock_which_was_ahead_wrote_keeps_nobody_out(
    #[values(Kind::Postgres, Kind::Sqlite)] kind: Kind,
) {
    let database = Database::new(kind).await;
    let attempt = async |at| {
        let tried = database.store.count_try(&[1; 32], at, wait_after).await;
        tried.unwrap()
    };
    let ahead = now() + TimeDelta::days(365);
    for n in 1..=5 {
        assert_eq!(attempt(ahead).await, Tried::Counted(n));
    }
    // What is written now is of this clock again, and counts.
    assert_eq!(attempt(now()).await, Tried::Counted(6));
    let until = now() + TimeDelta::seconds(2);
    assert_eq!(attempt(now()).await, Tried::TooEarly { until });
    // The longest there is counts also for a try that began a moment before the one that has to be waited for.
    let longest = |_| Some(LONGEST_WAIT);
    let another = async |at| {
        let tried = database.store.count_try(&[2; 32], at, longest).await;
        tried.unwrap()
    };
    assert_eq!(another(now()).await, Tried::Counted(1));
    let until = now() + LONGEST_WAIT;
    let before = now() - TimeDelta::seconds(1);
    assert_eq!(another(before).await, Tried::TooEarly { until });
}

#[rstest]
#[actix_web::test]
async fn a_session_begins_under_the_password_that_was_checked_alone(
    #[values(Kind::Postgres, Kind::Sqlite)] kind: Kind,
) {
    let database = Database::new(kind).await;
    let store = &database.store;
    store
        .add_sysadmin(&new("a", "ada"), &some_entry())
        .await
        .unwrap();
    assert!(
        !store
            .begin_session(&session("s", 1, "another hash"))
            .await
            .unwrap()
    );
    assert!(store.sysadmin_session(&[1; 32]).await.unwrap().is_none());

    assert!(store.begin_session(&session("s", 1, "hash")).await.unwrap());
    let again = NewSession {
        instead_of: Some([1; 32]),
        ..session("t", 2, "hash")
    };
    assert!(store.begin_session(&again).await.unwrap());
    assert!(store.sysadmin_session(&[1; 32]).await.unwrap().is_none());
    assert_eq!(
        store
            .sysadmin_session(&[2; 32])
            .await
            .unwrap()
            .unwrap()
            .name,
        "ada"
    );
    assert_eq!(
        store.sysadmin("a").await.unwrap().unwrap().last_sign_in_at,
        Some(now())
    );
}

#[rstest]
#[actix_web::test]
async fn a_new_password_ends_all_but_what_it_names(
    #[values(Kind::Postgres, Kind::Sqlite)] kind: Kind,
) {
    let database = Database::new(kind).await;
    let store = &database.store;
    store
        .add_sysadmin(&new("a", "ada"), &some_entry())
        .await
        .unwrap();
    for (id, hash) in [("s", 1), ("t", 2)] {
        assert!(
            store
                .begin_session(&session(id, hash, "hash"))
                .await
                .unwrap()
        );
    }
    let change = PasswordChange {
        sysadmin: "a",
        password_hash: "new hash",
        keep: Some(("s", [3; 32])),
        device: Some([1; 32]),
        at: now(),
    };
    assert!(store.set_password(&change, &some_entry()).await.unwrap());
    for (hash, left) in [(1, None), (2, None), (3, Some("s"))] {
        let session = store.sysadmin_session(&[hash; 32]).await.unwrap();
        assert_eq!(session.as_ref().map(|s| s.id.as_str()), left);
    }
    let long_ago = now() - TimeDelta::days(1);
    for (hash, left) in [(1, Some("a".to_owned())), (2, None)] {
        assert_eq!(
            store.owner_of_device(&[hash; 32], long_ago).await.unwrap(),
            left
        );
    }
    let reset = PasswordChange {
        password_hash: "third hash",
        keep: None,
        device: None,
        ..change
    };
    assert!(store.set_password(&reset, &some_entry()).await.unwrap());
    assert_eq!(store.sysadmin_sessions("a").await.unwrap(), []);
    assert_eq!(
        store.owner_of_device(&[1; 32], long_ago).await.unwrap(),
        None
    );
}

#[rstest]
#[actix_web::test]
async fn what_is_over_is_forgotten_and_nothing_else(
    #[values(Kind::Postgres, Kind::Sqlite)] kind: Kind,
) {
    let database = Database::new(kind).await;
    let store = &database.store;
    store
        .add_sysadmin(&new("a", "ada"), &some_entry())
        .await
        .unwrap();
    assert!(store.begin_session(&session("s", 1, "hash")).await.unwrap());
    let at = |seconds| now() + TimeDelta::seconds(seconds);
    let before = |seconds| Stale {
        session_seen: at(seconds),
        session_created: at(seconds),
        device_used: at(seconds),
        tried: at(seconds),
        first_start_expired: at(seconds),
    };
    store.count_try(&[1; 32], now(), wait_after).await.unwrap();
    store.forget_stale(before(0)).await.unwrap();
    let seconds = TimeDelta::seconds(1);
    assert!(store.sysadmin_session(&[1; 32]).await.unwrap().is_some());
    assert!(
        store
            .owner_of_device(&[1; 32], now() - seconds)
            .await
            .unwrap()
            .is_some()
    );
    let second = store.count_try(&[1; 32], now(), wait_after).await.unwrap();
    assert_eq!(second, Tried::Counted(2));
    store.forget_stale(before(1)).await.unwrap();
    assert!(store.sysadmin_session(&[1; 32]).await.unwrap().is_none());
    assert!(
        store
            .owner_of_device(&[1; 32], now() - seconds)
            .await
            .unwrap()
            .is_none()
    );
    let first = store.count_try(&[1; 32], now(), wait_after).await.unwrap();
    assert_eq!(first, Tried::Counted(1));
}

#[rstest]
#[actix_web::test]
async fn the_audit_is_read_page_by_page_the_newest_first(
    #[values(Kind::Postgres, Kind::Sqlite)] kind: Kind,
) {
    let database = Database::new(kind).await;
    let store = &database.store;
    // Two of one moment, in the order of their ids.
    for (id, seconds) in [("c", 1), ("a", 1), ("b", 2), ("d", 0)] {
        store.record(&entry(id, seconds)).await.unwrap();
    }
    let all = Filter::default();
    let first = store.audit(&all, None, 2).await.unwrap();
    let ids = |page: &[Entry]| page.iter().map(|e| e.id.clone()).collect::<Vec<_>>();
    assert_eq!(ids(&first), ["b", "c"]);
    assert_eq!(first[1], entry("c", 1));
    let place = first[1].place().to_string().parse().unwrap();
    assert_eq!(
        ids(&store.audit(&all, Some(&place), 2).await.unwrap()),
        ["a", "d"]
    );
    assert_eq!(
        first[0].after.as_deref(),
        Some(r#"{"name":"ada","password":"•••"}"#)
    );
}
