//! Which way the databases go for what the pages about launches look for: by an index that begins with it, in
//! the order that is wanted, however many launches there are.

use sqlx::{AssertSqlSafe, Executor, Row};

use super::super::*;
use super::{Database, Kind};
use crate::store::launch_search::STATEMENTS;

/// Enough rows that going through all of them never pays.
const FILL: &str =
    "insert into launches (id, at, kind, request_id, platform_id, signature, server_id, user_name,
        tool_content_id, tool_session_id, outcome, status, ms, came_with)
    with recursive n(i) as (select 1 union all select i + 1 from n where i < 20000)
    select i, '2026-01-01T00:00:00+00:00', 'learner', 'r' || i, 'lams' || i % 20, 'tool' || i % 20,
        'server' || i % 20, 'user' || i % 1000, i % 1000, i % 1000,
        case when i % 200 = 0 then 'failed' else 'redirected' end, 302, 0.5, '/lams/tool/x'
    from n";
const FILL_CALLS: &str = "insert into outgoing_calls (id, at, platform_id, signature, tool_content_id, tool_session_id,
        server_id, method, outcome, ms)
    select id, at, platform_id, signature, tool_content_id, tool_session_id, server_id, 'output', 'ok', 0.5
    from launches";

async fn filled(kind: Kind) -> Database {
    let database = Database::new(kind).await;
    let fill = match kind {
        Kind::Postgres => FILL.replace(
            "'2026-01-01T00:00:00+00:00'",
            "timestamptz '2026-01-01 00:00:00+00'",
        ),
        Kind::Sqlite => FILL.to_owned(),
    };
    // An embedded database is never analyzed.
    let analyze = matches!(kind, Kind::Postgres).then_some("analyze");
    for sql in [fill.as_str(), FILL_CALLS].into_iter().chain(analyze) {
        let sql = AssertSqlSafe(sql.to_owned());
        on!(&database.store.write, pool => async { pool.execute(sql).await.map(drop) }).unwrap();
    }
    database
}

/// What a statement's parameters may be, as PostgreSQL reads them: of a search only what it looks by, which is
/// something rare. For what is frequent, to go through all may be the shorter way.
fn values(sql: &str) -> String {
    let Some((_, rest)) = sql.split_once("$1 and ").filter(|_| sql.contains("$10")) else {
        let values = match sql {
            sql if sql.contains("$6") => "3, 'lams3', 'tool3', 10000, 'user3', 12",
            sql if sql.contains("$2") => "3, 'lams3', 'tool3', 10000, 12",
            _ => "3",
        };
        return values.to_owned();
    };
    let looks_by = rest.split("and (cast").next().unwrap_or_default();
    let values = [
        ("$4", "'rare'"),
        ("$5", "'rare'"),
        ("$6", "'rare'"),
        ("$7", "'rare'"),
        ("$8", "-1"),
        ("$9", "-1"),
        ("$10", "'rare'"),
    ];
    let values = values.map(|(name, value)| match looks_by.contains(name) {
        true => value,
        false => "null",
    });
    format!("10000, null, 50, {}", values.join(", "))
}

/// How the index begins that a search has to use, where it is one alone.
fn index_of(name: &str) -> Option<String> {
    match name.strip_prefix("OF_") {
        Some("TOOL_ON_SERVER") => None,
        Some(of) => Some(format!("launches_{} ", of.to_lowercase())),
        None => ["PAGES", "REFUSED", "FAILED"]
            .iter()
            .any(|outcome| name.starts_with(outcome))
            .then(|| "launches_not_redirected".to_owned()),
    }
}

/// Whether a search finds so few that they are put in order afterwards.
fn finds_few(name: &str) -> bool {
    name.starts_with("OF_REQUEST") || name.starts_with("OF_TOOL_ON_SERVER")
}

#[actix_web::test]
async fn postgres_finds_launches_by_index_in_their_order() {
    let database = filled(Kind::Postgres).await;
    let Db::Postgres(pool, _) = &database.store.write else {
        panic!("not PostgreSQL")
    };
    let mut connection = pool.acquire().await.unwrap();
    let mut wrong = Vec::new();
    for (name, sql) in STATEMENTS {
        let prepare = AssertSqlSafe(format!("prepare looked as {sql}"));
        sqlx::raw_sql(prepare)
            .execute(&mut *connection)
            .await
            .unwrap();
        // Of a few rows it rather puts those that it finds in order; that it need not is what counts.
        let sort = if finds_few(name) { "on" } else { "off" };
        let ways = format!(
            "set plan_cache_mode = force_custom_plan; set enable_bitmapscan = off; set enable_sort = {sort}"
        );
        sqlx::raw_sql(AssertSqlSafe(ways))
            .execute(&mut *connection)
            .await
            .unwrap();
        let explain = AssertSqlSafe(format!("explain execute looked({})", values(sql)));
        let rows = sqlx::raw_sql(explain)
            .fetch_all(&mut *connection)
            .await
            .unwrap();
        let lines = rows.iter().map(|row| row.get::<String, _>(0));
        let plan = lines.collect::<Vec<_>>().join("\n");
        let by_index = plan.contains("Index Scan") && !plan.contains("Seq Scan");
        let index = index_of(name).is_none_or(|index| plan.contains(&index));
        if !by_index || !index || plan.contains("Sort") && !finds_few(name) {
            wrong.push(format!("{name}: {plan}"));
        }
        sqlx::raw_sql("deallocate looked")
            .execute(&mut *connection)
            .await
            .unwrap();
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[actix_web::test]
async fn sqlite_finds_launches_by_index_in_their_order() {
    let database = filled(Kind::Sqlite).await;
    let Db::Sqlite(pool, _) = &database.store.write else {
        panic!("not SQLite")
    };
    let mut wrong = Vec::new();
    for (name, sql) in STATEMENTS {
        let explain = AssertSqlSafe(format!("explain query plan {sql}"));
        let rows = sqlx::query(explain).fetch_all(pool).await.unwrap();
        let lines = rows.iter().map(|row| row.get::<String, _>(3));
        let plan = lines.collect::<Vec<_>>().join("\n");
        let by_index = plan.contains("USING INDEX") && !plan.contains("SCAN");
        let index = index_of(name).is_none_or(|index| plan.contains(&index));
        if !by_index || !index || plan.contains("TEMP B-TREE") && !finds_few(name) {
            wrong.push(format!("{name}: {plan}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
