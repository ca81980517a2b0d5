//! Secrets of the file: a text, `{ env = "NAME" }` or `{ file = "PATH" }`.

use secrecy::SecretString;
use serde::Deserialize;

use super::Sources;
use crate::domain::object;

/// A secret as the file gives it.
#[derive(Clone, Deserialize)]
#[serde(
    untagged,
    expecting = "a secret is a text, { env = \"NAME\" } or { file = \"PATH\" }"
)]
pub(super) enum Secret {
    Text(SecretText),
    Env(#[serde(deserialize_with = "object::one")] FromEnv),
    File(#[serde(deserialize_with = "object::one")] FromFile),
}

#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub(super) struct SecretText(String);

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FromEnv {
    env: String,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FromFile {
    file: String,
}

impl Secret {
    /// The secret itself; a line end after it in a file does not count.
    pub(super) fn reveal(&self, sources: Sources) -> Result<SecretString, String> {
        let text = match self {
            Secret::Text(SecretText(text)) => text.clone(),
            Secret::Env(_) | Secret::File(_) if sources == Sources::TextOnly => {
                return Err(
                    "{ env = … } and { file = … } are read by toolgate apply, on the gateway's machine; \
                     leave the secret out to keep what is stored, or write its text"
                        .to_owned(),
                );
            }
            Secret::Env(FromEnv { env }) => std::env::var(env)
                .map_err(|_| format!("the environment variable {env} is not set"))?,
            Secret::File(FromFile { file }) => std::fs::read_to_string(file)
                .map_err(|error| format!("cannot read {file}: {error}"))?
                .trim_end_matches(['\r', '\n'])
                .to_owned(),
        };
        if text.trim().is_empty() {
            return Err("a secret must not be empty".to_owned());
        }
        Ok(SecretString::from(text))
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}
