//! Hashing passwords: Argon2id, slow and large on purpose, hence on a thread of its own and at most two
//! at once in the process.

use std::sync::Arc;
use std::time::Duration;

use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::domain::sysadmin::NewPassword;
use crate::flows::Refusal;

/// So many at once; each takes 19 MiB.
const AT_ONCE: usize = 2;
/// So long one waits for its turn.
const PATIENCE: Duration = Duration::from_secs(10);

/// Hashes and checks passwords, each in its turn.
pub struct Passwords(Arc<Semaphore>);

/// Somebody's turn to hash or check.
pub struct Turn(#[expect(dead_code, reason = "held until it is dropped")] OwnedSemaphorePermit);

impl Default for Passwords {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(AT_ONCE)))
    }
}

impl Passwords {
    /// Waits for a turn; not for ever, however many others wait.
    pub async fn turn(&self) -> Result<Turn, Refusal> {
        let permit = Arc::clone(&self.0).acquire_owned();
        match tokio::time::timeout(PATIENCE, permit).await {
            Ok(Ok(permit)) => Ok(Turn(permit)),
            _ => Err(Refusal::PasswordsBusy),
        }
    }

    /// The hash of a password that is to be set, as a PHC string.
    pub async fn hash(&self, password: &NewPassword) -> Result<String, Refusal> {
        let turn = self.turn().await?;
        let password = password.secret().clone();
        turn.work(move || {
            let hash = hasher().hash_password(password.expose_secret().as_bytes());
            hash.map(|hash| hash.to_string())
                .map_err(|_| Refusal::PasswordsBusy)
        })
        .await?
    }
}

impl Turn {
    /// Whether a password is the one of a stored hash. Without a hash it takes the same time, and is not.
    pub async fn check(
        self,
        password: SecretString,
        hash: Option<String>,
    ) -> Result<bool, Refusal> {
        self.work(move || {
            let known = hash.is_some();
            let hash = hash.unwrap_or_else(|| OF_NOBODY.to_owned());
            let right = PasswordHash::new(&hash).is_ok_and(|hash| {
                let password = password.expose_secret().as_bytes();
                hasher().verify_password(password, &hash).is_ok()
            });
            known && right
        })
        .await
    }

    /// Works on a thread of its own. The turn ends when that is done, not when nobody waits for it any more.
    async fn work<T: Send + 'static>(
        self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Refusal> {
        let work = tokio::task::spawn_blocking(move || {
            let _turn = self;
            work()
        });
        work.await.map_err(|_| Refusal::Stopped)
    }
}

/// What the password of an unknown name is checked with: as costly as any other, and no password's hash.
const OF_NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// The figures are OWASP's least for Argon2id.
fn hasher() -> Argon2<'static> {
    let params =
        Params::new(19 * 1024, 2, 1, None).expect("these figures are within Argon2's limits");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;
    use crate::domain::sysadmin::SysadminName;

    #[actix_web::test]
    async fn a_password_is_known_again_and_no_other() {
        let passwords = Passwords::default();
        let name = SysadminName::parse("ada").unwrap();
        let password = NewPassword::parse("correct horse".into(), &name).unwrap();
        let hash = passwords.hash(&password).await.unwrap();
        assert!(
            hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{hash}"
        );
        assert_ne!(hash, passwords.hash(&password).await.unwrap());
        for (given, right) in [
            ("correct horse", true),
            ("correct horsf", false),
            ("", false),
        ] {
            let turn = passwords.turn().await.unwrap();
            assert_eq!(
                turn.check(given.into(), Some(hash.clone())).await.unwrap(),
                right
            );
        }
    }

    #[actix_web::test]
    async fn the_password_of_nobody_is_checked_as_any_other_and_never_right() {
        let parsed = PasswordHash::new(OF_NOBODY).unwrap();
        assert_eq!(Params::try_from(&parsed).unwrap().m_cost(), 19 * 1024);
        let turn = Passwords::default();
        let turn = turn.turn().await.unwrap();
        assert!(!turn.check("".into(), None).await.unwrap());
    }

    #[actix_web::test]
    async fn two_are_checked_at_once_and_the_third_waits_for_its_turn() {
        let passwords = Passwords::default();
        let first = passwords.turn().await.unwrap();
        let _second = passwords.turn().await.unwrap();
        assert!(passwords.0.try_acquire().is_err());
        drop(first);
        assert!(passwords.0.try_acquire().is_ok());
    }

    #[actix_web::test]
    async fn a_turn_lasts_as_long_as_its_work_also_where_nobody_waits_for_that() {
        let passwords = Passwords::default();
        let _other = passwords.turn().await.unwrap();
        let (go_on, told) = std::sync::mpsc::channel();
        let turn = passwords.turn().await.unwrap();
        let work = turn.work(move || told.recv());
        assert!(work.now_or_never().is_none());
        assert!(passwords.0.try_acquire().is_err());
        go_on.send(()).unwrap();
        assert!(passwords.turn().await.is_ok());
    }
}
