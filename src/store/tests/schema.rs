//! Every statement prepared on both databases, and the two migration folders compared.

use std::collections::{BTreeMap, BTreeSet};

use rstest::rstest;
use sqlx::{Executor, SqlSafeStr};

use super::super::*;
use super::{Database, Kind};

fn statements() -> impl Iterator<Item = &'static (&'static str, &'static str)> {
    [
        crate::store::STATEMENTS,
        crate::store::audit::STATEMENTS,
        crate::store::bulk::STATEMENTS,
        crate::store::configuration::STATEMENTS,
        crate::store::contents::STATEMENTS,
        crate::store::disconnect::STATEMENTS,
        crate::store::journal::STATEMENTS,
        crate::store::launch_batches::STATEMENTS,
        crate::store::launch_search::STATEMENTS,
        crate::store::launches::STATEMENTS,
        crate::store::lms_connections::STATEMENTS,
        crate::store::logins::STATEMENTS,
        crate::store::removal::STATEMENTS,
        crate::store::sessions::STATEMENTS,
        crate::store::sign_in::STATEMENTS,
        crate::store::sysadmins::STATEMENTS,
        crate::store::users::STATEMENTS,
    ]
    .into_iter()
    .flatten()
}

#[rstest]
#[actix_web::test]
async fn every_statement_can_be_prepared(#[values(Kind::Postgres, Kind::Sqlite)] kind: Kind) {
    let database = Database::new(kind).await;
    let own = match kind {
        Kind::Postgres => vec![
            crate::store::launches::POSTGRES_STATEMENTS,
            crate::store::bulk::POSTGRES_STATEMENTS,
            crate::store::changes::POSTGRES_STATEMENTS,
            crate::store::contents::POSTGRES_STATEMENTS,
            crate::store::launch_batches::POSTGRES_STATEMENTS,
            crate::store::users::POSTGRES_STATEMENTS,
        ],
        Kind::Sqlite => vec![
            crate::store::changes::SQLITE_STATEMENTS,
            crate::store::disk::SQLITE_STATEMENTS,
            crate::store::launches::SQLITE_STATEMENTS,
            crate::store::users::SQLITE_STATEMENTS,
        ],
    };
    for (name, sql) in statements().chain(own.into_iter().flatten()) {
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
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file());
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
    let Db::Postgres(pool, _) = &database.store.write else {
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
    let Db::Sqlite(pool, _) = &database.store.write else {
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
    // PostgreSQL has notifications in its place.
    shape.remove("told_changes");
    shape.remove("_sqlx_migrations");
    shape
}
