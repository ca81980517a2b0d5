//! The recorder on a real database: whatever comes, and however fast, is in the tables when a reader was told so.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::TimeDelta;
use rstest::rstest;

use super::inbox::ROOM;
use super::*;
use crate::domain::session::Session;
use crate::store::tests::launches::{launch, opens};
use crate::store::tests::{Database, Kind, content_key, now, place, session, story};
use crate::store::{Happened, LaunchFilter};

/// Ten minutes are for ever.
const LONG: Duration = Duration::from_secs(600);

/// Content 7 with sessions 1 to 10.
async fn with_sessions(kind: Kind) -> (Database, Vec<Session>) {
    let database = Database::new(kind).await;
    let store = &database.store;
    story::configured(store).await;
    store
        .content_or_new(&content_key(7), &place(), now())
        .await
        .unwrap();
    let sessions: Vec<_> = (1..=10).map(|id| session(id, 7)).collect();
    for session in &sessions {
        story::with_session(store, session).await;
    }
    (database, sessions)
}

/// Launch `n` of many: 50 learners open ten sessions, again and again.
fn opening(n: usize, sessions: &[Session]) -> LaunchRecord {
    let (session, name) = (&sessions[n % 10], format!("mdl_{}", n % 50));
    let seconds = i64::try_from(n).unwrap();
    LaunchRecord {
        request_id: format!("{n:016x}"),
        ..opens(&session.key, &name, now() + TimeDelta::seconds(seconds))
    }
}

/// That the first so many of [`opening`] are in the tables, each once, and counted.
async fn assert_all_there(store: &Store, many: usize) {
    let most = i64::try_from(many * 2).unwrap();
    let launches = store
        .launches(&LaunchFilter::default(), most)
        .await
        .unwrap();
    let mut requests: Vec<_> = launches.iter().map(|one| one.request_id.clone()).collect();
    requests.sort();
    let expected: Vec<_> = (0..many).map(|n| format!("{n:016x}")).collect();
    assert_eq!(requests, expected);
    let hours = store.launch_hours(0).await.unwrap();
    let counted: i64 = hours.iter().map(|hour| hour.launches).sum();
    assert_eq!(usize::try_from(counted).unwrap(), many);
    // Learner n was first there at second n.
    let attendance = store.attendance(&content_key(7)).await.unwrap();
    let found: BTreeMap<_, _> = attendance
        .into_iter()
        .map(|(session, who)| ((session.get(), who.name), who.opened_at))
        .collect();
    let expected = (0..50_i64).map(|n| {
        let at = now() + TimeDelta::seconds(n);
        ((n % 10 + 1, format!("mdl_{n}")), Some(at))
    });
    assert_eq!(found, expected.collect());
}

#[rstest]
#[actix_web::test]
async fn a_flood_is_in_the_tables_once_a_reader_was_told_so(
    #[values(Kind::Postgres, Kind::Sqlite)] kind: Kind,
) {
    let (database, sessions) = with_sessions(kind).await;
    let (recorder, task) = Recorder::start(database.store.clone());
    for n in 0..3000 {
        recorder.launch(&opening(n, &sessions));
    }
    recorder.in_use(content_key(7));
    assert!(recorder.settled_within(LONG).await);
    assert_all_there(&database.store, 3000).await;
    assert_eq!(recorder.waiting(), 0);
    let content = database.store.content(&content_key(7)).await.unwrap();
    assert!(content.unwrap().in_use);
    task.abort();
}

#[rstest]
#[actix_web::test]
async fn what_little_comes_is_stored_at_once(#[values(Kind::Postgres, Kind::Sqlite)] kind: Kind) {
    let (database, sessions) = with_sessions(kind).await;
    let (recorder, task) = Recorder::start(database.store.clone());
    for n in 0..50 {
        recorder.launch(&opening(n, &sessions));
    }
    assert!(recorder.stored_within(LONG).await);
    assert_all_there(&database.store, 50).await;
    assert_eq!(database.store.launches_waiting().await.unwrap(), 0);
    task.abort();
}

#[rstest]
#[actix_web::test]
async fn which_contents_are_in_use_is_known_also_where_launches_are_packed(
    #[values(Kind::Postgres, Kind::Sqlite)] kind: Kind,
) {
    let (database, sessions) = with_sessions(kind).await;
    let happened = Happened {
        launches: [opening(0, &sessions)].into_iter().collect(),
        in_use: [content_key(7)].into(),
        ..Happened::default()
    };
    database.store.pack(&[happened]).await.unwrap();
    assert_eq!(database.store.launches_waiting().await.unwrap(), 1);
    let content = database.store.content(&content_key(7)).await.unwrap();
    assert!(content.unwrap().in_use);
}

#[rstest]
#[actix_web::test]
async fn what_a_dead_instance_has_packed_is_filed_by_another_for_its_reader(
    #[values(Kind::Postgres, Kind::Sqlite)] kind: Kind,
) {
    let (database, sessions) = with_sessions(kind).await;
    let store = &database.store;
    for from in [0, 500] {
        let happened = Happened {
            launches: (from..from + 500).map(|n| opening(n, &sessions)).collect(),
            ..Happened::default()
        };
        store.pack(&[happened]).await.unwrap();
    }
    let (recorder, task) = Recorder::start(store.clone());
    assert!(recorder.settled_within(LONG).await);
    assert_all_there(store, 1000).await;
    task.abort();
}

#[rstest]
#[actix_web::test]
async fn what_is_stored_when_an_instance_dies_is_neither_lost_nor_doubled(
    #[values(Kind::Postgres, Kind::Sqlite)] kind: Kind,
) {
    let (database, sessions) = with_sessions(kind).await;
    let (first, task) = Recorder::start(database.store.clone());
    for n in 0..3000 {
        first.launch(&opening(n, &sessions));
    }
    assert!(first.stored_within(LONG).await);
    task.abort();
    assert!(task.await.unwrap_err().is_cancelled());
    let (second, task) = Recorder::start(database.store.clone());
    assert!(second.settled_within(LONG).await);
    assert_all_there(&database.store, 3000).await;
    task.abort();
}

#[actix_web::test]
async fn what_there_is_no_room_for_is_counted() {
    let database = Database::new(Kind::Sqlite).await;
    let (recorder, task) = Recorder::start(database.store.clone());
    // Nothing is taken out before the first await.
    let room = i64::try_from(ROOM).unwrap();
    for n in 0..room + 3 {
        recorder.launch(&launch(n));
    }
    assert_eq!(recorder.waiting(), room);
    assert_eq!(recorder.losses.all(), 3);
    task.abort();
}
