//! Whether PostgreSQL is there, and takes changes. Asked for a few times a second over a connection of its own,
//! so that nobody else has to wait for the answer: while it is away, whatever wants something of it is told so
//! at once, also what was waiting already. Connections from before are not used after it came back: they may
//! lead to a machine that is gone, or to one that is a standby now.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection, PgConnection};
use tokio::sync::watch;

/// How often it is asked for.
const PULSE: Duration = Duration::from_millis(250);
/// It has this long to answer; together with the pulse less than what a launch waits.
const PATIENCE: Duration = Duration::from_millis(1200);
/// Only the one that takes changes will do.
const IS_STANDBY: &str = "select pg_is_in_recovery()";

/// What is known of it, for all stores of a process. There, until [`keep`] finds it away.
#[derive(Debug, Clone)]
pub struct Presence(Arc<Known>);

#[derive(Debug)]
struct Known {
    away: watch::Sender<bool>,
    came_back: Mutex<Option<Instant>>,
}

impl Default for Presence {
    fn default() -> Self {
        Self(Arc::new(Known {
            away: watch::Sender::new(false),
            came_back: Mutex::default(),
        }))
    }
}

impl Presence {
    /// Whether it is away.
    pub(super) fn is_away(&self) -> bool {
        *self.0.away.borrow()
    }

    /// Does something with it, as long as it is there.
    pub(crate) async fn while_there<T>(
        &self,
        work: impl Future<Output = Result<T, sqlx::Error>>,
    ) -> Result<T, sqlx::Error> {
        let mut away = self.0.away.subscribe();
        tokio::select! {
            biased;
            _ = away.wait_for(|away| *away) => Err(is_away()),
            outcome = work => outcome,
        }
    }

    /// Whether a connection of this age was made since it came back.
    pub(super) fn trusts(&self, age: Duration) -> bool {
        let came_back = *self
            .0
            .came_back
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        !self.is_away() && came_back.is_none_or(|at| age < at.elapsed())
    }

    pub(super) fn turn(&self, why_away: Option<&str>) {
        if self.is_away() == why_away.is_some() {
            return;
        }
        if let Some(reason) = why_away {
            tracing::error!(reason, "the database is away");
        } else {
            tracing::warn!("the database is back");
            let mut came_back = self
                .0
                .came_back
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            *came_back = Some(Instant::now());
        }
        self.0.away.send_replace(why_away.is_some());
    }
}

/// An error that says so.
pub(super) fn is_away() -> sqlx::Error {
    sqlx::Error::Io(std::io::Error::new(
        std::io::ErrorKind::NotConnected,
        "it is away just now",
    ))
}

/// Finds out again and again whether it is there; never ends.
pub(super) async fn keep(presence: &Presence, options: &PgConnectOptions) {
    let mut connection = None;
    loop {
        match tokio::time::timeout(PATIENCE, ask(&mut connection, options)).await {
            Ok(Ok(false)) => presence.turn(None),
            Ok(Ok(true)) => presence.turn(Some("it is a standby, which takes no changes")),
            // It answers, though not to one more.
            Ok(Err(error)) if has_no_room(&error) => {}
            Ok(Err(error)) => presence.turn(Some(&error.to_string())),
            Err(_) => presence.turn(Some("it does not answer")),
        }
        tokio::time::sleep(PULSE).await;
    }
}

/// Whether it is a standby. Asks over a new connection where there is none, or it ended.
async fn ask(
    kept: &mut Option<PgConnection>,
    options: &PgConnectOptions,
) -> Result<bool, sqlx::Error> {
    if let Some(mut connection) = kept.take()
        && let Ok(false) = is_standby(&mut connection).await
    {
        *kept = Some(connection);
        return Ok(false);
    }
    let mut connection = PgConnection::connect_with(options).await?;
    let standby = is_standby(&mut connection).await?;
    if !standby {
        *kept = Some(connection);
    }
    Ok(standby)
}

async fn is_standby(connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar(IS_STANDBY).fetch_one(connection).await
}

/// Whether it refuses only because it has as many connections as it takes.
fn has_no_room(error: &sqlx::Error) -> bool {
    let refused = error.as_database_error();
    refused.is_some_and(|refused| refused.code().is_some_and(|code| code == "53300"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_waits_for_it_is_told_that_it_is_away() {
        let presence = Presence::default();
        let for_ever = presence.while_there(std::future::pending::<Result<(), _>>());
        let (told, ()) = futures_util::future::join(for_ever, async {
            presence.turn(Some("gone"));
        })
        .await;
        assert!(super::super::is_away(&told.unwrap_err()));
        assert!(presence.while_there(async { Ok(1) }).await.is_err());
        presence.turn(None);
        assert_eq!(presence.while_there(async { Ok(1) }).await.unwrap(), 1);
    }

    #[test]
    fn connections_from_before_it_went_away_are_not_used() {
        let presence = Presence::default();
        let hour = Duration::from_secs(3600);
        assert!(presence.trusts(hour));
        presence.turn(Some("gone"));
        assert!(!presence.trusts(Duration::ZERO));
        presence.turn(None);
        assert!(!presence.trusts(hour));
        assert!(presence.trusts(Duration::ZERO));
    }
}
