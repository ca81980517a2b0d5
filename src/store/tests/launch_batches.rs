//! Batches: what is packed is filed once, whoever files it, and what is not known stays.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use rstest::rstest;
use sqlx::{AssertSqlSafe, Executor};

use super::super::*;
use super::launches::{launch, opens};
use super::{Database, Kind, content_key, now, place};
use crate::domain::launch_record::{About, CallRecord, LaunchRecord};

/// All kinds of records.
fn happened(from: i64, to: i64) -> Happened {
    let call = |n: i64| CallRecord {
        at: now(),
        about: About {
            platform: "lams".parse().unwrap(),
            signature: "mdquiz10".parse().unwrap(),
            content: Some(n),
            session: None,
        },
        server: "moodle".parse().unwrap(),
        method: "clone".into(),
        outcome: "ok".into(),
        reason: Some("é".to_owned()),
        ms: 12.5,
    };
    Happened {
        in_use: [content_key(7)].into(),
        launches: (from..to).map(launch).collect(),
        calls: (0..3).map(call).collect(),
    }
}

async fn all(store: &Store) -> Vec<StoredLaunch> {
    let mut all = store
        .launches(&LaunchFilter::default(), 1000)
        .await
        .unwrap();
    all.reverse();
    all
}

/// Without what tells when it was stored.
fn without_ids(launches: Vec<StoredLaunch>) -> Vec<StoredLaunch> {
    let none = |launch| StoredLaunch { id: 0, ..launch };
    launches.into_iter().map(none).collect()
}

#[rstest]
#[actix_web::test]
async fn what_was_packed_and_filed_is_what_would_have_been_stored_at_once(
    #[values(Kind::Postgres, Kind::Sqlite)] kind: Kind,
) {
    let (direct, packed) = (Database::new(kind).await, Database::new(kind).await);
    direct
        .store
        .store_happened(&[happened(0, 60)])
        .await
        .unwrap();
    let store = &packed.store;
    let (id, launches) = store.pack(&[happened(0, 60)]).await.unwrap()[0];
    assert_eq!(launches, 60);
    assert_eq!(store.launches_waiting().await.unwrap(), 60);
    assert!(all(store).await.is_empty());
    let filed = store
        .file_batch(id, &BTreeSet::new())
        .await
        .unwrap()
        .unwrap();
    assert!(filed.outcome.is_ok());
    assert_eq!((filed.id, filed.launches), (id, 60));
    let (one, other) = (all(&direct.store).await, all(store).await);
    assert_eq!(other[0].id, id, "it happened when it was packed");
    assert_eq!(without_ids(one), without_ids(other));
    for since in [0, 1_000_000] {
        let (one, other) = (direct.store.launch_hours(since), store.launch_hours(since));
        assert_eq!(one.await.unwrap(), other.await.unwrap());
    }
    assert_eq!(
        direct.store.launches_by_tool(0).await.unwrap(),
        store.launches_by_tool(0).await.unwrap()
    );
    assert_eq!(store.launches_waiting().await.unwrap(), 0);
    assert_eq!(store.batches_left(i64::MAX).await.unwrap(), [0; 0]);
    assert!(
        store
            .file_batch(i64::MAX, &BTreeSet::new())
            .await
            .unwrap()
            .is_none()
    );
}

#[rstest]
#[actix_web::test]
async fn two_instances_that_file_at_once_file_each_batch_once(
    #[values(Kind::Postgres, Kind::Sqlite)] kind: Kind,
) {
    let database = Database::new(kind).await;
    for n in 0..20 {
        database
            .store
            .pack(&[happened(n * 10, n * 10 + 10)])
            .await
            .unwrap();
    }
    let instances = (0..3).map(|_| async {
        let common = Common::of(&database.url);
        let store = Store::open(&database.url, &common, Budget::COMMAND).unwrap();
        let mut launches = 0;
        while let Some(filed) = store.file_batch(i64::MAX, &BTreeSet::new()).await.unwrap() {
            filed.outcome.unwrap();
            launches += filed.launches;
        }
        launches
    });
    let filed = futures_util::future::join_all(instances).await;
    assert_eq!(filed.iter().sum::<i64>(), 200);
    let mut requests: Vec<_> = all(&database.store).await;
    requests.sort_by(|a, b| a.request_id.cmp(&b.request_id));
    requests.dedup_by(|a, b| a.request_id == b.request_id);
    assert_eq!(requests.len(), 200);
    assert_eq!(all(&database.store).await.len(), 200);
    let hours = database.store.launch_hours(0).await.unwrap();
    assert_eq!(hours.iter().map(|hour| hour.launches).sum::<i64>(), 200);
    assert_eq!(database.store.batches_left(i64::MAX).await.unwrap(), [0; 0]);
}

#[rstest]
#[actix_web::test]
async fn a_batch_whose_ids_another_instance_has_given_too_is_filed_under_others(
    #[values(Kind::Postgres, Kind::Sqlite)] kind: Kind,
) {
    let database = Database::new(kind).await;
    let store = &database.store;
    let (id, _) = store.pack(&[happened(0, 10)]).await.unwrap()[0];
    store.store_happened(&[happened(10, 11)]).await.unwrap();
    let collides = AssertSqlSafe(format!("update launches set id = {}", id + 1024));
    on!(&store.write, pool => async { pool.execute(collides).await.map(drop) }).unwrap();
    let filed = store
        .file_batch(i64::MAX, &BTreeSet::new())
        .await
        .unwrap()
        .unwrap();
    assert!(filed.outcome.is_ok());
    assert_eq!(all(store).await.len(), 11);
}

#[rstest]
#[actix_web::test]
async fn a_batch_of_an_unknown_form_stays_for_who_knows_it(
    #[values(Kind::Postgres, Kind::Sqlite)] kind: Kind,
) {
    let database = Database::new(kind).await;
    let store = &database.store;
    store.pack(&[happened(0, 10)]).await.unwrap();
    let body = match kind {
        Kind::Postgres => r"'\x03aa'::bytea",
        Kind::Sqlite => "x'03aa'",
    };
    let newer = AssertSqlSafe(format!("insert into launch_batches values (1, 5, {body})"));
    on!(&store.write, pool => async { pool.execute(newer).await.map(drop) }).unwrap();
    let filed = store
        .file_batch(i64::MAX, &BTreeSet::new())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(filed.launches, 10, "it keeps no other one waiting");
    assert!(
        store
            .file_batch(i64::MAX, &BTreeSet::new())
            .await
            .unwrap()
            .is_none()
    );
    assert_eq!(store.launches_waiting().await.unwrap(), 5);
}

#[rstest]
#[actix_web::test]
async fn a_batch_of_the_form_before_is_filed_too(
    #[values(Kind::Postgres, Kind::Sqlite)] kind: Kind,
) {
    let (direct, older) = (Database::new(kind).await, Database::new(kind).await);
    direct
        .store
        .store_happened(&[happened(0, 60)])
        .await
        .unwrap();
    let launches: Vec<LaunchRecord> = (0..60).map(launch).collect();
    let both = postcard::to_extend(&(&launches, &happened(0, 0).calls), Vec::new()).unwrap();
    let mut body = vec![1];
    body.extend(lz4_flex::compress_prepend_size(&both));
    let digits = hex::encode(body);
    let body = match kind {
        Kind::Postgres => format!(r"'\x{digits}'::bytea"),
        Kind::Sqlite => format!("x'{digits}'"),
    };
    let stored = AssertSqlSafe(format!("insert into launch_batches values (1, 60, {body})"));
    let store = &older.store;
    on!(&store.write, pool => async { pool.execute(stored).await.map(drop) }).unwrap();
    assert_eq!(store.newest_batch().await.unwrap(), Some(1));
    assert_eq!(store.batches_left(1).await.unwrap(), [1]);
    let filed = store.file_batch(1, &BTreeSet::new()).await.unwrap();
    filed.unwrap().outcome.unwrap();
    let (one, other) = (all(&direct.store).await, all(store).await);
    assert_eq!(without_ids(one), without_ids(other));
}

/// More than fit into one block, and several batches of several threads.
#[rstest]
#[actix_web::test]
async fn batches_of_many_blocks_are_filed_as_they_came(
    #[values(Kind::Postgres, Kind::Sqlite)] kind: Kind,
) {
    let (direct, packed) = (Database::new(kind).await, Database::new(kind).await);
    let several = || [happened(0, 400), happened(400, 401), happened(401, 900)];
    direct.store.store_happened(&several()).await.unwrap();
    let store = &packed.store;
    let launches: Vec<_> = store.pack(&several()).await.unwrap();
    let launches: Vec<_> = launches.iter().map(|(_, launches)| *launches).collect();
    assert_eq!(launches, [400, 1, 499]);
    while let Some(filed) = store.file_batch(i64::MAX, &BTreeSet::new()).await.unwrap() {
        filed.outcome.unwrap();
    }
    let (one, other) = (all(&direct.store).await, all(store).await);
    assert_eq!(one.len(), 900);
    assert_eq!(without_ids(one), without_ids(other));
}

#[rstest]
#[actix_web::test]
async fn what_several_threads_recorded_is_stored_in_the_order_of_time(
    #[values(Kind::Postgres, Kind::Sqlite)] kind: Kind,
) {
    let database = Database::new(kind).await;
    let at = |seconds: i64| LaunchRecord {
        at: now() + TimeDelta::seconds(seconds),
        request_id: seconds.to_string(),
        ..launch(1)
    };
    let thread = |seconds: [i64; 2]| Happened {
        launches: seconds.into_iter().map(at).collect(),
        ..Happened::default()
    };
    let happened = [thread([1, 4]), thread([2, 3])];
    database.store.store_happened(&happened).await.unwrap();
    let launches = all(&database.store).await;
    let order: Vec<_> = launches.iter().map(|one| &*one.request_id).collect();
    assert_eq!(order, ["1", "2", "3", "4"]);
}

#[rstest]
#[actix_web::test]
async fn a_batch_that_is_broken_is_kept_and_left_out(
    #[values(Kind::Postgres, Kind::Sqlite)] kind: Kind,
    // A length that is not there; blocks of a length that cannot be; no block; of the form before.
    #[values("02aa", "020c00000008000000ffffffffaabbccdd", "0200000000", "01aa")] body: &str,
) {
    let database = Database::new(kind).await;
    let store = &database.store;
    store.pack(&[happened(0, 10)]).await.unwrap();
    let body = match kind {
        Kind::Postgres => format!(r"'\x{body}'::bytea"),
        Kind::Sqlite => format!("x'{body}'"),
    };
    let broken = AssertSqlSafe(format!("insert into launch_batches values (1, 5, {body})"));
    on!(&store.write, pool => async { pool.execute(broken).await.map(drop) }).unwrap();
    let mut left_out = BTreeSet::new();
    let filed = store
        .file_batch(i64::MAX, &left_out)
        .await
        .unwrap()
        .unwrap();
    assert!(matches!(filed.outcome, Err(StoreError::Unreadable(_))));
    left_out.insert(filed.id);
    let filed = store
        .file_batch(i64::MAX, &left_out)
        .await
        .unwrap()
        .unwrap();
    assert!(filed.outcome.is_ok());
    assert!(
        store
            .file_batch(i64::MAX, &left_out)
            .await
            .unwrap()
            .is_none()
    );
    assert_eq!(store.batches_left(i64::MAX).await.unwrap(), [1]);
}

#[rstest]
#[actix_web::test]
async fn a_launch_of_a_session_that_was_removed_is_filed_all_the_same(
    #[values(Kind::Postgres, Kind::Sqlite)] kind: Kind,
) {
    let database = Database::new(kind).await;
    let store = &database.store;
    let launches: Vec<LaunchRecord> = vec![opens(&super::session(99, 7).key, "mdl_Anna", now())];
    let happened = Happened {
        launches: launches.into_iter().collect(),
        ..Happened::default()
    };
    store.pack(&[happened]).await.unwrap();
    let filed = store
        .file_batch(i64::MAX, &BTreeSet::new())
        .await
        .unwrap()
        .unwrap();
    assert!(filed.outcome.is_ok());
    assert_eq!(all(store).await.len(), 1);
    assert!(store.attendance(&content_key(7)).await.unwrap().is_empty());
}

#[rstest]
#[actix_web::test]
async fn many_at_once_are_what_each_alone_would_be(
    #[values(Kind::Postgres, Kind::Sqlite)] kind: Kind,
) {
    let (alone, at_once) = (Database::new(kind).await, Database::new(kind).await);
    let many = 1..=120_i64;
    for database in [&alone, &at_once] {
        let store = &database.store;
        super::story::configured(store).await;
        for n in many.clone() {
            let key = content_key(n);
            store.content_or_new(&key, &place(), now()).await.unwrap();
            super::story::with_session(store, &super::session(n, n)).await;
        }
    }
    let happened = |range: std::ops::RangeInclusive<i64>| {
        let opening = |n: i64| opens(&super::session(n, n).key, &format!("mdl_{n}"), now());
        Happened {
            in_use: range.clone().map(content_key).collect(),
            launches: range
                .clone()
                .map(launch)
                .chain(range.map(opening))
                .collect(),
            calls: Vec::new(),
        }
    };
    for n in many.clone() {
        alone
            .store
            .store_happened(&[happened(n..=n)])
            .await
            .unwrap();
    }
    at_once
        .store
        .store_happened(&[happened(many.clone())])
        .await
        .unwrap();
    let sorted = |mut launches: Vec<StoredLaunch>| {
        launches.sort_by_key(|launch| {
            (
                launch.request_id.clone(),
                launch.came_with.clone(),
                launch.at,
            )
        });
        launches
    };
    let (one, other) = (all(&alone.store).await, all(&at_once.store).await);
    assert_eq!(one.len(), 240);
    assert_eq!(sorted(without_ids(one)), sorted(without_ids(other)));
    for n in many {
        let mut found = Vec::new();
        for store in [&alone.store, &at_once.store] {
            let content = store.content(&content_key(n)).await.unwrap().unwrap();
            assert!(content.in_use, "{n}");
            found.push(store.attendance(&content_key(n)).await.unwrap());
        }
        assert_eq!(found[0], found[1]);
        let names = found[0].iter().map(|(_, who)| (&*who.name, who.opened_at));
        assert!(
            names
                .into_iter()
                .any(|one| one == (&*format!("mdl_{n}"), Some(now())))
        );
    }
}
