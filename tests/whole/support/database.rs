//! A database of one test's own, gone when the test ends.

use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, SqliteConnection};

/// Which of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Postgres,
    Sqlite,
}

pub struct Database {
    pub kind: Kind,
    pub url: String,
    pub folder: tempfile::TempDir,
    name: String,
}

const TABLES: [&str; 4] = ["contents", "sessions", "session_users", "used_states"];

impl Database {
    pub async fn new(kind: Kind) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let name = format!("test_{}", uuid::Uuid::new_v4().simple());
        let url = match kind {
            Kind::Sqlite => format!("sqlite://{}", folder.path().join("test.db").display()),
            Kind::Postgres => {
                run(&admin(), format!("create database {name}"))
                    .await
                    .unwrap();
                admin().replace("/postgres?", &format!("/{name}?"))
            }
        };
        Self {
            kind,
            url,
            folder,
            name,
        }
    }

    /// How many rows each table of launches holds: what a refused request must not change.
    pub async fn rows(&self) -> Vec<(String, i64)> {
        let mut rows = Vec::new();
        for table in TABLES {
            let count = self.number(&format!("select count(*) from {table}")).await;
            rows.push((table.to_owned(), count));
        }
        rows
    }

    /// One number, asked of the database itself.
    pub async fn number(&self, sql: &str) -> i64 {
        let query = sqlx::AssertSqlSafe(sql.to_owned());
        match self.kind {
            Kind::Postgres => {
                let mut connection = PgConnection::connect(&self.url).await.unwrap();
                sqlx::query_scalar(query)
                    .fetch_one(&mut connection)
                    .await
                    .unwrap()
            }
            Kind::Sqlite => {
                let mut connection = SqliteConnection::connect(&self.url).await.unwrap();
                sqlx::query_scalar(query)
                    .fetch_one(&mut connection)
                    .await
                    .unwrap()
            }
        }
    }

    /// One text, asked of the database itself.
    pub async fn text(&self, sql: &str) -> Option<String> {
        let query = sqlx::AssertSqlSafe(sql.to_owned());
        match self.kind {
            Kind::Postgres => {
                let mut connection = PgConnection::connect(&self.url).await.unwrap();
                sqlx::query_scalar(query)
                    .fetch_one(&mut connection)
                    .await
                    .unwrap()
            }
            Kind::Sqlite => {
                let mut connection = SqliteConnection::connect(&self.url).await.unwrap();
                sqlx::query_scalar(query)
                    .fetch_one(&mut connection)
                    .await
                    .unwrap()
            }
        }
    }

    /// Takes PostgreSQL away from everybody on this database: connections end, new ones are refused.
    pub async fn lock_out(&self) {
        run(
            &admin(),
            format!("alter database {} with allow_connections false", self.name),
        )
        .await
        .unwrap();
        let end = format!(
            "select pg_terminate_backend(pid) from pg_stat_activity where datname = '{}'",
            self.name
        );
        run(&admin(), end).await.unwrap();
    }

    /// Undoes [`Database::lock_out`].
    pub async fn let_in(&self) {
        run(
            &admin(),
            format!("alter database {} with allow_connections true", self.name),
        )
        .await
        .unwrap();
    }

    /// Changes something behind the gateway's back.
    pub async fn execute(&self, sql: &str) {
        match self.kind {
            Kind::Postgres => run(&self.url, sql.to_owned()).await.unwrap(),
            Kind::Sqlite => {
                let mut connection = SqliteConnection::connect(&self.url).await.unwrap();
                connection
                    .execute(AssertSqlSafe(sql.to_owned()))
                    .await
                    .unwrap();
            }
        }
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if self.kind == Kind::Sqlite {
            return;
        }
        let drop = format!("drop database if exists {} with (force)", self.name);
        // Drop cannot wait on the test's own runtime.
        let dropped = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(run(&admin(), drop))
        });
        if let Ok(Err(error)) = dropped.join() {
            eprintln!("a test database stays behind: {error}");
        }
    }
}

fn admin() -> String {
    std::env::var("TEST_POSTGRES_URL").expect("run ./test, which starts PostgreSQL")
}

async fn run(url: &str, sql: String) -> Result<(), sqlx::Error> {
    let mut connection = PgConnection::connect(url).await?;
    connection.execute(AssertSqlSafe(sql)).await?;
    connection.close().await
}
