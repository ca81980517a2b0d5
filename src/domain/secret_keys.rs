//! The gateway's own secret keys, and the vault that keeps other people's secrets under them.
//!
//! A value in the vault is version, length of key id, key id, nonce (24 bytes), ciphertext and tag of
//! XChaCha20-Poly1305. It is bound to the place where it is stored: moved to another row or column it
//! no longer opens.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use hmac::Mac;
use secrecy::{ExposeSecret, SecretString};

use super::launch_signature::hmac_of;
use super::state_token::StateKeys;

/// The keys, each with its id: the first seals, all open.
#[derive(Clone)]
pub struct SecretKeys(Vec<(String, [u8; 32])>);

/// Why a text holds no secret keys. Never says what the text was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSecretKeys {
    /// A key is not 32 bytes in base64.
    #[error("expected 32 bytes in base64, or a list id:base64,id:base64,…")]
    NotAKey,
    /// Two keys have one id, or an id is of the wrong form.
    #[error("expected each key with an id of its own, 1 to 32 letters, digits, '-' or '_'")]
    BadId,
}

/// The id of a key that is written without one.
const UNNAMED: &str = "default";

impl SecretKeys {
    /// Reads `base64` or `id:base64,id:base64,…`.
    pub fn parse(text: &str) -> Result<Self, InvalidSecretKeys> {
        let mut keys: Vec<(String, [u8; 32])> = Vec::new();
        for entry in text.trim().split(',') {
            let (id, key) = entry
                .trim()
                .split_once(':')
                .unwrap_or((UNNAMED, entry.trim()));
            let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
            let right = (1..=32).contains(&id.len()) && id.bytes().all(plain);
            if !right || keys.iter().any(|(other, _)| other == id) {
                return Err(InvalidSecretKeys::BadId);
            }
            keys.push((
                id.to_owned(),
                decode(key).ok_or(InvalidSecretKeys::NotAKey)?,
            ));
        }
        Ok(Self(keys))
    }

    /// One key, without a name.
    pub fn of_one(key: [u8; 32]) -> Self {
        Self(vec![(UNNAMED.to_owned(), key)])
    }

    /// One key from 32 random bytes, in the form that [`SecretKeys::parse`] reads.
    pub fn written(random: [u8; 32]) -> String {
        STANDARD.encode(random)
    }

    /// The keys of state tokens.
    pub fn state_keys(&self) -> StateKeys {
        StateKeys::derive(self.0.iter().map(|(_, key)| key))
    }

    /// The vault under these keys.
    pub fn vault(&self) -> Vault {
        let cipher = |key: &[u8; 32]| {
            let derived = hmac_of(key)
                .chain_update(b"toolgate stored secrets v1")
                .finalize();
            XChaCha20Poly1305::new(&derived.into_bytes())
        };
        Vault(
            self.0
                .iter()
                .map(|(id, key)| (id.clone(), cipher(key)))
                .collect(),
        )
    }
}

fn decode(text: &str) -> Option<[u8; 32]> {
    [STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD]
        .iter()
        .find_map(|form| form.decode(text).ok())?
        .try_into()
        .ok()
}

impl std::fmt::Debug for SecretKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list()
            .entries(self.0.iter().map(|(id, _)| id))
            .finish()
    }
}

/// Seals secrets for the database and opens them again.
#[derive(Clone)]
pub struct Vault(Vec<(String, XChaCha20Poly1305)>);

/// Where a secret is stored: table, row and column.
#[derive(Debug, Clone, Copy)]
pub struct Drawer<'a> {
    /// The table.
    pub table: &'static str,
    /// The row's id.
    pub row: &'a str,
    /// The column.
    pub column: &'static str,
}

/// A sealed secret does not open.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    /// It was sealed under a key that is not among the secret keys.
    #[error("it was sealed under the secret key {0:?}, which is not among the configured ones")]
    UnknownKey(String),
    /// It was changed, moved, or sealed under another key of the same id.
    #[error("it does not open: another secret key was used, or the stored value was changed")]
    DoesNotOpen,
}

const VERSION: u8 = 1;

impl Vault {
    /// Seals a secret for its drawer; `nonce` must be random.
    pub fn seal(&self, secret: &str, drawer: Drawer<'_>, nonce: [u8; 24]) -> Vec<u8> {
        let (id, cipher) = self.0.first().expect("there is always a key that seals");
        let associated = drawer.associated(id);
        let payload = Payload {
            msg: secret.as_bytes(),
            aad: &associated,
        };
        let sealed = cipher
            .encrypt(&XNonce::from(nonce), payload)
            .expect("XChaCha20-Poly1305 seals any text that fits into memory");
        let mut value = Vec::with_capacity(2 + id.len() + 24 + sealed.len());
        value.push(VERSION);
        value.push(id.len() as u8);
        value.extend(id.as_bytes());
        value.extend(nonce);
        value.extend(sealed);
        value
    }

    /// Opens a sealed secret from its drawer.
    pub fn open(&self, value: &[u8], drawer: Drawer<'_>) -> Result<SecretString, VaultError> {
        let (id, nonce, sealed) = parts(value).ok_or(VaultError::DoesNotOpen)?;
        let (_, cipher) = self
            .0
            .iter()
            .find(|(known, _)| known == id)
            .ok_or_else(|| VaultError::UnknownKey(id.to_owned()))?;
        let associated = drawer.associated(id);
        let payload = Payload {
            msg: sealed,
            aad: &associated,
        };
        let opened = cipher
            .decrypt(&XNonce::from(nonce), payload)
            .map_err(|_| VaultError::DoesNotOpen)?;
        String::from_utf8(opened)
            .map(SecretString::from)
            .map_err(|_| VaultError::DoesNotOpen)
    }

    /// The id of the key that seals.
    pub fn first(&self) -> &str {
        self.0.first().map_or("", |(id, _)| id)
    }

    /// The id of the key under which a value was sealed.
    pub fn key_of(value: &[u8]) -> Option<&str> {
        parts(value).map(|(id, _, _)| id)
    }

    /// Whether a sealed value holds this secret.
    pub fn holds(&self, value: &[u8], drawer: Drawer<'_>, secret: &SecretString) -> bool {
        self.open(value, drawer).is_ok_and(|open| {
            let (open, secret) = (
                open.expose_secret().as_bytes(),
                secret.expose_secret().as_bytes(),
            );
            subtle::ConstantTimeEq::ct_eq(open, secret).into()
        })
    }
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Vault(…)")
    }
}

impl Drawer<'_> {
    fn associated(&self, key_id: &str) -> Vec<u8> {
        format!("{}\0{}\0{}\0{key_id}", self.table, self.row, self.column).into_bytes()
    }
}

fn parts(value: &[u8]) -> Option<(&str, [u8; 24], &[u8])> {
    let (&[version, length], rest) = value.split_first_chunk::<2>()?;
    let (id, rest) = rest.split_at_checked(length.into())?;
    let (nonce, sealed) = rest.split_first_chunk::<24>()?;
    let id = std::str::from_utf8(id).ok()?;
    (version == VERSION).then_some((id, *nonce, sealed))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DRAWER: Drawer<'static> = Drawer {
        table: "servers",
        row: "moodle",
        column: "server_key",
    };

    fn keys(text: &str) -> SecretKeys {
        SecretKeys::parse(text).unwrap()
    }

    fn written(byte: u8) -> String {
        SecretKeys::written([byte; 32])
    }

    #[test]
    fn keys_are_one_or_a_list_with_ids() {
        assert!(SecretKeys::parse(&written(1)).is_ok());
        assert!(SecretKeys::parse(&format!("a:{}, b:{}", written(1), written(2))).is_ok());
        assert!(SecretKeys::parse(&format!("a_b-2:{}", written(1))).is_ok());
        for id in ["", "a!", "a b", "ü", &"a".repeat(33)] {
            let named = SecretKeys::parse(&format!("{id}:{}", written(1)));
            assert_eq!(named.unwrap_err(), InvalidSecretKeys::BadId, "{id}");
        }
        let two = keys(&format!("a:{}, b:{}", written(1), written(2)));
        assert_eq!(format!("{two:?}"), "[\"a\", \"b\"]");
        let twice = format!("a:{},a:{}", written(1), written(2));
        assert_eq!(
            SecretKeys::parse(&twice).unwrap_err(),
            InvalidSecretKeys::BadId
        );
        for wrong in [
            "",
            "short",
            "AAAA",
            &format!("a:{},", written(1)),
            &format!("{}A", written(1)),
        ] {
            assert!(SecretKeys::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_secret_opens_in_its_own_drawer_alone() {
        let vault = keys(&written(1)).vault();
        let sealed = vault.seal("S3cretKey", DRAWER, [9; 24]);
        assert_eq!(
            vault.open(&sealed, DRAWER).unwrap().expose_secret(),
            "S3cretKey"
        );
        assert!(!sealed.windows(6).any(|w| w == b"S3cret"));
        let holds = |secret: &str| vault.holds(&sealed, DRAWER, &secret.into());
        assert!(holds("S3cretKey"));
        assert!(!holds("s3cretkey") && !holds("") && !holds("S3cretKey2"));
        assert!(!vault.holds(b"", DRAWER, &"S3cretKey".into()));
        assert_eq!(format!("{vault:?}"), "Vault(…)");
        for other in [
            Drawer {
                row: "other",
                ..DRAWER
            },
            Drawer {
                column: "other",
                ..DRAWER
            },
            Drawer {
                table: "other",
                ..DRAWER
            },
        ] {
            assert_eq!(
                vault.open(&sealed, other).unwrap_err(),
                VaultError::DoesNotOpen
            );
        }
    }

    #[test]
    fn any_changed_bit_keeps_it_shut() {
        let vault = keys(&written(1)).vault();
        let sealed = vault.seal("S3cretKey", DRAWER, [9; 24]);
        for at in 0..sealed.len() * 8 {
            let mut changed = sealed.clone();
            changed[at / 8] ^= 1 << (at % 8);
            assert!(vault.open(&changed, DRAWER).is_err(), "bit {at}");
        }
        assert!(vault.open(&sealed[..20], DRAWER).is_err());
        assert!(vault.open(&[], DRAWER).is_err());
    }

    #[test]
    fn state_tokens_of_older_keys_are_believed_until_those_are_gone() {
        use crate::domain::state_token::{Purpose, State, StateError, Subject};
        let (platform, signature) = ("lams".parse().unwrap(), "mdquiz10".parse().unwrap());
        let subject = Subject {
            platform: &platform,
            signature: &signature,
            id: 1,
        };
        let now = chrono::DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let state = State {
            purpose: Purpose::Update,
            expires_at: now + chrono::TimeDelta::hours(1),
            nonce: [7; 12],
            person: None,
        };
        let old = keys(&written(1)).state_keys().seal(&state, subject);
        let open = |text: &str, token: &str| {
            keys(text)
                .state_keys()
                .open(Some(token), &[Purpose::Update], subject, now)
        };
        // What was made before the key had a name, and what is made under the new one.
        let both = format!("new:{},default:{}", written(2), written(1));
        assert_eq!(open(&both, &old).unwrap(), state);
        let new = keys(&both).state_keys().seal(&state, subject);
        assert_eq!(open(&format!("new:{}", written(2)), &new).unwrap(), state);
        let gone = open(&format!("new:{}", written(2)), &old);
        assert_eq!(gone.unwrap_err(), StateError::Wrong);
    }

    #[test]
    fn older_keys_still_open_and_unknown_ones_are_named() {
        let sealed = keys(&format!("old:{}", written(1)))
            .vault()
            .seal("x", DRAWER, [9; 24]);
        let both = keys(&format!("new:{},old:{}", written(2), written(1))).vault();
        assert_eq!(both.open(&sealed, DRAWER).unwrap().expose_secret(), "x");
        assert_eq!((both.first(), Vault::key_of(&sealed)), ("new", Some("old")));
        let new = keys(&format!("new:{}", written(2))).vault();
        assert_eq!(
            new.open(&sealed, DRAWER).unwrap_err(),
            VaultError::UnknownKey("old".into())
        );
    }
}
