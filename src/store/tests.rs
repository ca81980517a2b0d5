//! Every statement prepared on both databases, the two migration folders compared, and one story told
//! on both.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use rstest::rstest;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, SqlSafeStr};

use super::*;
use crate::domain::content::{ContentKey, Place};
use crate::domain::id::ExtId;
use crate::domain::journal::{Entry, EntryKey, EntryState, Operation, Payload, Request};
use crate::domain::session::{Session, SessionKey};
use crate::settings::DatabaseUrl;

#[derive(Debug, Clone, Copy)]
enum Kind {
    Postgres,
    Sqlite,
}

/// A database of one test's own, with the tables of today.
struct Database {
    store: Store,
    url: DatabaseUrl,
    _folder: tempfile::TempDir,
}

impl Database {
    async fn new(kind: Kind) -> Self {
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
        let writer = SqliteWriter::of(&url);
        let store = Store::open(&url, &writer, Budget::COMMAND).unwrap();
        store.migrate(&url).await.unwrap();
        Self {
            store,
            url,
            _folder: folder,
        }
    }
}

fn statements() -> impl Iterator<Item = &'static (&'static str, &'static str)> {
    [
        super::STATEMENTS,
        super::configuration::STATEMENTS,
        super::contents::STATEMENTS,
        super::journal::STATEMENTS,
        super::removal::STATEMENTS,
        super::sessions::STATEMENTS,
        super::users::STATEMENTS,
    ]
    .into_iter()
    .flatten()
}

#[rstest]
#[actix_web::test]
async fn every_statement_can_be_prepared(#[values(Kind::Postgres, Kind::Sqlite)] kind: Kind) {
    let database = Database::new(kind).await;
    for (name, sql) in statements() {
        let sql = (*sql).into_sql_str();
        let outcome =
            on!(&database.store.write, pool => async { pool.prepare(sql).await.map(drop) });
        assert!(outcome.is_ok(), "{name}: {outcome:?}");
    }
}

#[test]
fn every_statement_is_declared() {
    // A statement written where it is run would escape the test above.
    let mut files = std::fs::read_dir("src/store")
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let found = files.find(|path| {
        let text = std::fs::read_to_string(path).unwrap();
        let name = path.file_name().unwrap();
        name != "tests.rs"
            && text
                .lines()
                .any(|line| line.contains("sqlx::query") && line.contains("(\""))
    });
    assert_eq!(found, None);
}

/// Tables, columns with type and null, and named constraints and indexes.
type Shape = BTreeMap<String, BTreeSet<String>>;

#[actix_web::test]
async fn both_folders_of_migrations_make_the_same_tables() {
    let postgres = shape_of_postgres(&Database::new(Kind::Postgres).await).await;
    let sqlite = shape_of_sqlite(&Database::new(Kind::Sqlite).await).await;
    assert!(postgres.len() >= 9, "{postgres:?}");
    assert_eq!(postgres, sqlite);
}

async fn shape_of_postgres(database: &Database) -> Shape {
    let Db::Postgres(pool) = &database.store.write else {
        panic!("not PostgreSQL")
    };
    let columns: Vec<(String, String, String, String)> = sqlx::query_as(
        "select table_name::text, column_name::text, data_type::text, is_nullable::text
         from information_schema.columns where table_schema = 'public'",
    )
    .fetch_all(pool)
    .await
    .unwrap();
    let named: Vec<(String, String, String)> = sqlx::query_as(
        "select conrelid::regclass::text, conname::text, contype::text from pg_constraint
         where connamespace = 'public'::regnamespace and contype <> 'n'
         union all
         select tablename::text, indexname::text, 'i' from pg_indexes
         where schemaname = 'public' and indexname not in (select conname from pg_constraint)",
    )
    .fetch_all(pool)
    .await
    .unwrap();
    let mut shape = Shape::new();
    for (table, column, kind, nullable) in columns {
        let kind = match kind.as_str() {
            "bytea" => "blob",
            "timestamp with time zone" => "datetime",
            other => other,
        };
        shape
            .entry(table)
            .or_default()
            .insert(format!("{column} {kind} {}", nullable == "YES"));
    }
    for (table, name, kind) in named {
        let kind = match kind.as_str() {
            "p" => "primary key",
            "u" => "unique",
            "f" => "foreign key",
            "c" => "check",
            _ => "index",
        };
        shape
            .entry(table)
            .or_default()
            .insert(format!("{name}: {kind}"));
    }
    shape.remove("_sqlx_migrations");
    shape
}

async fn shape_of_sqlite(database: &Database) -> Shape {
    let Db::Sqlite(pool) = &database.store.write else {
        panic!("not SQLite")
    };
    let tables: Vec<(String, String, String, String)> = sqlx::query_as(
        "select type, tbl_name, name, sql from sqlite_master where sql is not null and name not like 'sqlite_%'",
    )
    .fetch_all(pool)
    .await
    .unwrap();
    let mut shape = Shape::new();
    for (kind, table, name, sql) in tables {
        let entry = shape.entry(table.clone()).or_default();
        if kind == "index" {
            entry.insert(format!("{name}: index"));
            continue;
        }
        for constraint in sql.split("constraint ").skip(1) {
            let (name, rest) = constraint.split_once(' ').unwrap();
            let kinds = ["primary key", "unique", "foreign key", "check"];
            let kind = kinds.iter().find(|kind| rest.starts_with(**kind)).unwrap();
            entry.insert(format!("{name}: {kind}"));
        }
        let columns: Vec<(String, String, bool)> =
            sqlx::query_as("select name, lower(type), \"notnull\" from pragma_table_info($1)")
                .bind(&table)
                .fetch_all(pool)
                .await
                .unwrap();
        for (column, kind, not_null) in columns {
            entry.insert(format!("{column} {kind} {}", !not_null));
        }
    }
    shape.remove("_sqlx_migrations");
    shape
}

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).unwrap()
}

fn content_key(id: i64) -> ContentKey {
    let (platform, signature) = ("lams".parse().unwrap(), "mdquiz10".parse().unwrap());
    ContentKey {
        platform,
        signature,
        id: crate::domain::id::ToolContentId::from_number(id).unwrap(),
    }
}

fn session(id: i64, content: i64) -> Session {
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

fn place() -> Place {
    Place {
        server: "moodle".parse().unwrap(),
        user: "bill".into(),
        course: "7".into(),
        section: Some(String::new()),
        course_url: None,
    }
}

fn entry_of(session: &Session) -> Entry {
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
    assert!(store.begin_entry(&entry, lease("one", 6)).await.unwrap());
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
            .retry_entry(&entry.id, lease("two", 20), now())
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
            .retry_entry(&entry.id, lease("two", 20), now())
            .await
            .unwrap()
    );
    assert!(
        !store
            .retry_entry(&entry.id, lease("three", 20), now())
            .await
            .unwrap()
    );
    let id = ExtId::stored("700".into());
    assert!(
        !store
            .settle_entry(&entry, Some("one"), &id, now())
            .await
            .unwrap()
    );
    assert!(
        !store.settle_entry(&entry, None, &id, now()).await.unwrap(),
        "it is not unsettled"
    );
    assert!(
        !store
            .give_up_entry(&entry.id, "given up", now())
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
    assert!(store.begin_entry(&again, lease("two", 6)).await.unwrap());
    let failed = store.entry(&entry.id).await.unwrap().unwrap();
    assert_eq!(
        (failed.tries, failed.error.as_deref()),
        (2, Some("refused"))
    );
}

async fn configured(store: &Store) {
    let platform = PlatformRecord {
        id: "lams".into(),
        name: "LAMS".into(),
        url: "http://lams.example/".into(),
        launch_auth: "signed".into(),
        launch_secret: Some(vec![1, 2]),
        callback_state: "required".into(),
        api_token_hash: Some(vec![3; 32]),
        finish_url: None,
    };
    let server = ServerRecord {
        id: "moodle".into(),
        name: "Moodle".into(),
        url: "http://moodle.example/".into(),
        server_key: Some(vec![0, 255]),
        prefix: Some("mdl".into()),
        enabled: true,
        sign_redirects: false,
        timeout_ms: Some(10_000),
        private_network: true,
        tools: ["mdquiz10".to_owned()].into(),
        settings: [(
            "mdquiz10".to_owned(),
            [("adapter_page".to_owned(), "x".to_owned())].into(),
        )]
        .into(),
    };
    let after = StoredConfiguration {
        platforms: [("lams".to_owned(), platform)].into(),
        servers: [("moodle".to_owned(), server)].into(),
        tools: [(
            "own".to_owned(),
            ToolRecord {
                signature: "own".into(),
                definition: "…".into(),
            },
        )]
        .into(),
    };
    let before = store.configuration_version().await.unwrap();
    let change = store.change_configuration().await.unwrap();
    change.commit(&after, now()).await.unwrap();
    assert_eq!(store.configuration_version().await.unwrap(), before + 1);
    let stored = store.configuration().await.unwrap();
    assert!(stored.platforms == after.platforms && stored.servers == after.servers);
    assert_eq!(stored.tools, after.tools);
}

#[rstest]
#[actix_web::test]
async fn the_story_of_one_activity(#[values(Kind::Postgres, Kind::Sqlite)] kind: Kind) {
    let database = Database::new(kind).await;
    let store = &database.store;
    configured(store).await;

    // A change that is given up changes nothing.
    let version = store.configuration_version().await.unwrap();
    drop(store.change_configuration().await.unwrap());
    assert_eq!(store.configuration_version().await.unwrap(), version);

    // Content is stored once; the first one stays.
    let key = content_key(7);
    assert!(store.content(&key).await.unwrap().is_none());
    store.insert_content(&key, &place(), now()).await.unwrap();
    store
        .insert_content(
            &key,
            &Place {
                course: "8".into(),
                ..place()
            },
            now(),
        )
        .await
        .unwrap();
    let content = store.content(&key).await.unwrap().unwrap();
    assert_eq!(
        (content.place, content.ext_id, content.created_at),
        (place(), None, now())
    );

    // A lock ends with the callback, whose state counts once.
    store
        .lock_content(&key, now() + TimeDelta::minutes(30))
        .await
        .unwrap();
    assert!(
        store
            .content(&key)
            .await
            .unwrap()
            .unwrap()
            .is_not_ready(now())
    );
    let nonce = [5; 12];
    let (first, other) = (ExtId::stored("555".into()), ExtId::stored("557".into()));
    let elsewhere = content_key(8);
    let call = |content, ext_id| {
        let state = Some((nonce.as_slice(), now()));
        store.store_callback(Callback {
            content,
            ext_id,
            state,
            at: now(),
        })
    };
    assert_eq!(call(&elsewhere, &first).await.unwrap(), Stored::NoContent);
    assert_eq!(call(&key, &first).await.unwrap(), Stored::Now);
    assert_eq!(call(&key, &first).await.unwrap(), Stored::Before);
    assert_eq!(
        call(&key, &other).await.unwrap(),
        Stored::StateUsedOtherwise
    );
    let content = store.content(&key).await.unwrap().unwrap();
    assert_eq!(
        (content.ext_id, content.locked_until, content.define_later),
        (Some(first), None, false)
    );

    // Flags, and a session with its people.
    assert!(
        store
            .set_flags(&key, Some(true), None, now())
            .await
            .unwrap()
    );
    assert!(
        !store
            .set_flags(&content_key(8), Some(true), Some(true), now())
            .await
            .unwrap()
    );
    let session = session(9, 7);
    let entry = entry_of(&session);
    let lease = Lease {
        owner: "one",
        until: now(),
    };
    assert!(store.begin_entry(&entry, lease).await.unwrap());
    let again = Entry {
        id: "another".into(),
        ..entry.clone()
    };
    assert!(
        !store.begin_entry(&again, lease).await.unwrap(),
        "its key is taken"
    );
    assert_eq!(
        store.current_entry(&entry.key).await.unwrap().as_ref(),
        Some(&entry)
    );
    assert!(
        store
            .settle_entry(&entry, Some("one"), &session.ext_id, now())
            .await
            .unwrap()
    );
    assert!(
        !store
            .settle_entry(&entry, Some("one"), &session.ext_id, now())
            .await
            .unwrap(),
        "it settles once"
    );
    assert_eq!(
        store.session(&session.key).await.unwrap().as_ref(),
        Some(&session)
    );
    assert_eq!(
        store.sessions_of(&key).await.unwrap(),
        std::slice::from_ref(&session)
    );
    let anna = "mdl_Anna".to_owned();
    let opened = [
        (session.key.clone(), anna.clone(), now()),
        (super::tests::session(99, 7).key, anna.clone(), now()),
    ];
    store
        .record_launches(&opened, std::slice::from_ref(&key))
        .await
        .unwrap();
    store.record_launches(&opened, &[]).await.unwrap();
    let later = now() + TimeDelta::hours(1);
    assert!(
        store
            .mark_finished(&session.key, &anna, later)
            .await
            .unwrap()
    );
    assert!(
        store
            .mark_finished(&session.key, &anna, later + TimeDelta::hours(1))
            .await
            .unwrap()
    );
    assert!(
        !store
            .mark_finished(&super::tests::session(99, 7).key, &anna, later)
            .await
            .unwrap()
    );
    let attendance = store.attendance(&key).await.unwrap();
    assert_eq!(attendance.len(), 1);
    let (of, anna_was) = &attendance[0];
    assert_eq!(
        (*of, anna_was.opened_at, anna_was.finished_at),
        (session.key.id, Some(now()), Some(later))
    );
    let flags = store.flags(&session, &anna).await.unwrap().unwrap();
    assert!(flags.define_later && flags.content_in_use && !flags.run_offline);
    assert_eq!(flags.finished_at, Some(later));
    assert_eq!(
        store
            .flags(&session, "mdl_Ben")
            .await
            .unwrap()
            .unwrap()
            .finished_at,
        None
    );
    assert!(
        store
            .flags(&super::tests::session(99, 7), &anna)
            .await
            .unwrap()
            .is_none()
    );
}

#[rstest]
#[actix_web::test]
async fn several_instances_may_start_at_once(#[values(Kind::Postgres, Kind::Sqlite)] kind: Kind) {
    let database = Database::new(kind).await;
    let migrations = (0..8).map(|_| async {
        let writer = SqliteWriter::of(&database.url);
        let store = Store::open(&database.url, &writer, Budget::COMMAND).unwrap();
        store.migrate(&database.url).await
    });
    for outcome in futures_util::future::join_all(migrations).await {
        outcome.unwrap();
    }
}

#[actix_web::test]
async fn a_database_that_is_away_is_told_apart_from_a_defect() {
    let url = DatabaseUrl::Postgres("postgres://nobody@127.0.0.1:1/none".into());
    let store = Store::open(&url, &SqliteWriter::of(&url), Budget::COMMAND).unwrap();
    assert!(matches!(
        store.ping().await,
        Err(StoreError::Unavailable(_))
    ));
}
