//! The store on both databases: its statements and tables, the story of one activity, the journal.

mod callbacks;
mod disk;
mod journal;
mod launch_batches;
pub(crate) mod launches;
mod plans;
mod schema;
pub(crate) mod story;
mod sysadmins;

use chrono::{DateTime, Utc};
use rstest::rstest;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};

use super::*;
use crate::domain::content::{ContentKey, Place};
use crate::domain::id::ExtId;
use crate::domain::journal::{Entry, EntryKey, EntryState, Operation, Payload, Request};
use crate::domain::session::{Session, SessionKey};
use crate::settings::DatabaseUrl;

#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    Postgres,
    Sqlite,
}

/// A database of one test's own, with the tables of today.
pub(crate) struct Database {
    pub(crate) store: Store,
    url: DatabaseUrl,
    _folder: tempfile::TempDir,
}

impl Database {
    pub(crate) async fn new(kind: Kind) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = match kind {
            Kind::Sqlite => DatabaseUrl::Sqlite(folder.path().join("test.db")),
            Kind::Postgres => {
                let admin = std::env::var("TEST_POSTGRES_URL")
                    .expect("run ./test, which starts PostgreSQL");
                let name = format!("store_{}", uuid::Uuid::new_v4().simple());
                let mut connection = PgConnection::connect(&admin).await.unwrap();
                let create = AssertSqlSafe(format!("create database {name}"));
                connection.execute(create).await.unwrap();
                DatabaseUrl::Postgres(admin.replace("/postgres?", &format!("/{name}?")))
            }
        };
        let common = Common::of(&url);
        let store = Store::open(&url, &common, Budget::COMMAND).unwrap();
        store.migrate(&url).await.unwrap();
        Self {
            store,
            url,
            _folder: folder,
        }
    }
}

pub(crate) fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).unwrap()
}

pub(crate) fn content_key(id: i64) -> ContentKey {
    let (platform, signature) = ("lams".parse().unwrap(), "mdquiz10".parse().unwrap());
    ContentKey {
        platform,
        signature,
        id: crate::domain::id::ToolContentId::from_number(id).unwrap(),
    }
}

pub(crate) fn session(id: i64, content: i64) -> Session {
    let key = content_key(content);
    Session {
        key: SessionKey {
            platform: key.platform,
            signature: key.signature,
            id: crate::domain::id::ToolSessionId::from_number(id).unwrap(),
        },
        content: key.id,
        name: "Group é".into(),
        ext_id: ExtId::stored("556".into()),
        created_at: now(),
    }
}

pub(crate) fn place() -> Place {
    Place {
        server: "moodle".parse().unwrap(),
        user: "bill".into(),
        course: "7".into(),
        section: Some(String::new()),
        course_url: None,
    }
}

pub(crate) fn entry_of(session: &Session) -> Entry {
    Entry {
        id: "d5b6a3a8-0000-4000-8000-000000000000".into(),
        key: EntryKey {
            platform: session.key.platform.clone(),
            signature: session.key.signature.clone(),
            operation: Operation::Session,
            local_id: session.key.id.get(),
        },
        server: place().server,
        request: Request::Session {
            content: session.content.get(),
        },
        payload: Payload {
            source: "555".into(),
            place: place(),
            name: session.name.clone(),
        },
        state: EntryState::Calling,
        tries: 1,
        ext_id: None,
        error: None,
        created_at: now(),
        updated_at: now(),
    }
}

#[rstest]
#[actix_web::test]
async fn several_instances_may_start_at_once(#[values(Kind::Postgres, Kind::Sqlite)] kind: Kind) {
    let database = Database::new(kind).await;
    let migrations = (0..8).map(|_| async {
        let common = Common::of(&database.url);
        let store = Store::open(&database.url, &common, Budget::COMMAND).unwrap();
        store.migrate(&database.url).await
    });
    for outcome in futures_util::future::join_all(migrations).await {
        outcome.unwrap();
    }
}

#[actix_web::test]
async fn a_database_that_is_away_is_told_apart_from_a_defect() {
    let url = DatabaseUrl::Postgres("postgres://nobody@127.0.0.1:1/none".into());
    let store = Store::open(&url, &Common::of(&url), Budget::COMMAND).unwrap();
    assert!(matches!(
        store.ping().await,
        Err(StoreError::Unavailable(_))
    ));
}
