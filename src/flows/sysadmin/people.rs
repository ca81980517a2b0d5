//! Who the sysadmins are: list, add, remove, set a password. Each change stands in the audit.

use chrono::{DateTime, Utc};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;

use super::sign_in::{self, Guess};
use super::{new_id, ticket};
use crate::domain::audit::{Actor, Entry, MASK};
use crate::domain::sysadmin::{InvalidName, NewPassword, SysadminName, WeakPassword, name_key};
use crate::domain::ticket::Ticket;
use crate::flows::{Gateway, Refusal, audit};
use crate::store::{NewSysadmin, PasswordChange, Removed, StoreError, SysadminRecord};

/// A sysadmin as somebody typed it.
pub struct Wanted<'a> {
    /// The name.
    pub name: &'a str,
    /// The password.
    pub password: SecretString,
    /// The password once more.
    pub repeated: SecretString,
}

/// Why a sysadmin is not added, or a password not set: a mistake that whoever typed it can mend.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum NotSet {
    #[error(transparent)]
    Name(#[from] InvalidName),
    #[error("there is a sysadmin of this name already")]
    Taken,
    #[error(transparent)]
    Weak(#[from] WeakPassword),
    #[error("the two passwords differ")]
    Differ,
    #[error("this is not your password")]
    Wrong,
    #[error("too many wrong tries; the next is possible in {0} seconds")]
    TooEarly(u64),
    #[error(transparent)]
    Refusal(#[from] Refusal),
}

impl From<StoreError> for NotSet {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Duplicate(_) => NotSet::Taken,
            error => NotSet::Refusal(error.into()),
        }
    }
}

/// A sysadmin that may be made.
pub(super) struct Checked {
    pub(super) name: SysadminName,
    password: NewPassword,
}

/// A sysadmin about to be stored.
pub(super) struct Hashed {
    id: String,
    name: String,
    name_key: String,
    password_hash: String,
}

impl Hashed {
    pub(super) fn record(&self, at: DateTime<Utc>) -> NewSysadmin<'_> {
        NewSysadmin {
            id: &self.id,
            name: &self.name,
            name_key: &self.name_key,
            password_hash: &self.password_hash,
            at,
        }
    }
}

pub(super) fn check(wanted: Wanted<'_>) -> Result<Checked, NotSet> {
    let name = SysadminName::parse(wanted.name)?;
    let password = checked_password(wanted.password, &wanted.repeated, &name)?;
    Ok(Checked { name, password })
}

fn checked_password(
    password: SecretString,
    repeated: &SecretString,
    name: &SysadminName,
) -> Result<NewPassword, NotSet> {
    let same = password.expose_secret() == repeated.expose_secret();
    let password = NewPassword::parse(password, name)?;
    if same {
        Ok(password)
    } else {
        Err(NotSet::Differ)
    }
}

pub(super) async fn hashed(gateway: &Gateway, checked: &Checked) -> Result<Hashed, Refusal> {
    Ok(Hashed {
        id: new_id(),
        name: checked.name.as_str().to_owned(),
        name_key: checked.name.key(),
        password_hash: gateway.passwords().hash(&checked.password).await?,
    })
}

pub(super) fn added(actor: &Actor, name: &str, now: DateTime<Utc>) -> Entry {
    let after = json!({"name": name, "password": MASK});
    audit::entry(actor, "sysadmin.added", name, [None, Some(after)], now)
}

/// All sysadmins, by name.
pub async fn list(gateway: &Gateway) -> Result<Vec<SysadminRecord>, Refusal> {
    Ok(gateway.store.sysadmins().await?)
}

/// The sysadmin of an id.
pub async fn find(gateway: &Gateway, id: &str) -> Result<SysadminRecord, Refusal> {
    let found = gateway.store.sysadmin(id).await?;
    found.ok_or(Refusal::UnknownSysadmin)
}

/// The sysadmin of a name.
pub async fn named(gateway: &Gateway, name: &str) -> Result<SysadminRecord, Refusal> {
    let found = gateway.store.credentials(&name_key(name)).await?;
    find(gateway, &found.ok_or(Refusal::UnknownSysadmin)?.id).await
}

/// Adds a sysadmin.
pub async fn add(
    gateway: &Gateway,
    actor: &Actor,
    wanted: Wanted<'_>,
    now: DateTime<Utc>,
) -> Result<(), NotSet> {
    let checked = check(wanted)?;
    // Asked first, so that a name that is taken costs no hash; the database decides.
    let taken = gateway.store.credentials(&checked.name.key()).await?;
    if taken.is_some() {
        return Err(NotSet::Taken);
    }
    let new = hashed(gateway, &checked).await?;
    let audit = added(actor, checked.name.as_str(), now);
    Ok(gateway.store.add_sysadmin(&new.record(now), &audit).await?)
}

/// Removes a sysadmin and ends all sessions; never the last one.
pub async fn remove(
    gateway: &Gateway,
    actor: &Actor,
    id: &str,
    now: DateTime<Utc>,
) -> Result<(), Refusal> {
    let sysadmin = find(gateway, id).await?;
    let before = json!({"name": sysadmin.name, "password": MASK});
    let audit = audit::entry(
        actor,
        "sysadmin.removed",
        &sysadmin.name,
        [Some(before), None],
        now,
    );
    match gateway.store.remove_sysadmin(id, &audit).await? {
        Removed::Done => Ok(()),
        Removed::Unknown => Err(Refusal::UnknownSysadmin),
        Removed::Last => Err(Refusal::LastSysadmin),
    }
}

/// Sets a forgotten password from the command line; ends all sessions of that sysadmin, and every
/// device has to prove itself anew.
pub async fn reset_password(
    gateway: &Gateway,
    name: &str,
    (password, repeated): (SecretString, SecretString),
    now: DateTime<Utc>,
) -> Result<(), NotSet> {
    let sysadmin = named(gateway, name).await?;
    let password = checked_password(password, &repeated, &SysadminName::parse(&sysadmin.name)?)?;
    let password_hash = gateway.passwords().hash(&password).await?;
    let change = PasswordChange {
        sysadmin: &sysadmin.id,
        password_hash: &password_hash,
        keep: None,
        device: None,
        at: now,
    };
    let audit = password_changed(&Actor::CommandLine, &sysadmin.name, now);
    if !gateway.store.set_password(&change, &audit).await? {
        return Err(Refusal::UnknownSysadmin.into());
    }
    // Whoever forgot it has tried in vain a few times.
    let subject = sign_in::subject_of_name(&sysadmin.name);
    gateway.store.forgive(&subject).await?;
    Ok(())
}

/// Who changes a password of their own, from where.
pub struct Changer<'a> {
    /// The sysadmin's id.
    pub sysadmin: &'a str,
    /// The name.
    pub name: &'a str,
    /// The session's id in lists.
    pub session: &'a str,
    /// The device, where it is known.
    pub device: Option<&'a Ticket>,
}

/// Changes one's own password. All other sessions end, and this one gets a new id: what somebody may have
/// copied of it is worth nothing.
pub async fn change_password(
    gateway: &Gateway,
    changer: Changer<'_>,
    [current, password, repeated]: [SecretString; 3],
    now: DateTime<Utc>,
) -> Result<Ticket, NotSet> {
    let name = SysadminName::parse(changer.name)?;
    let credentials = gateway.store.credentials(&name.key()).await?;
    let credentials = credentials.ok_or(Refusal::UnknownSysadmin)?;
    // Counted for the session alone: whoever guesses at the sign-in does not keep the owner from this.
    let subject = sign_in::subject_of_session(changer.session);
    let guess = Guess {
        subject,
        password: current,
        hash: Some(credentials.password_hash),
    };
    match sign_in::guess(gateway, guess, now).await? {
        sign_in::Guessed::Right => gateway.store.forgive(&subject).await?,
        sign_in::Guessed::Wrong(_) => return Err(NotSet::Wrong),
        sign_in::Guessed::TooEarly(seconds) => return Err(NotSet::TooEarly(seconds)),
    }
    let password = checked_password(password, &repeated, &name)?;
    let password_hash = gateway.passwords().hash(&password).await?;
    let renewed = ticket();
    let change = PasswordChange {
        sysadmin: changer.sysadmin,
        password_hash: &password_hash,
        keep: Some((changer.session, renewed.hash())),
        device: changer.device.map(Ticket::hash),
        at: now,
    };
    let audit = password_changed(&Actor::Sysadmin(changer.name.to_owned()), changer.name, now);
    if gateway.store.set_password(&change, &audit).await? {
        Ok(renewed)
    } else {
        Err(Refusal::UnknownSysadmin.into())
    }
}

fn password_changed(actor: &Actor, name: &str, now: DateTime<Utc>) -> Entry {
    let masked = || Some(json!({"password": MASK}));
    audit::entry(
        actor,
        "sysadmin.password-changed",
        name,
        [masked(), masked()],
        now,
    )
}
