//! Where settings come from: environment and file, merged to named texts with their source.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;

const PREFIX: &str = "TOOLGATE_";

/// Why the settings cannot be read. Never repeats a value: it may be a secret.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The file named by `--config` cannot be read.
    #[error("cannot read {file}: {error}")]
    File {
        /// Its path.
        file: String,
        /// What the system says.
        error: std::io::Error,
    },
    /// The file is no TOML.
    #[error("{file}, line {line}: {message}")]
    Toml {
        /// Its path.
        file: String,
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        message: String,
    },
    /// A setting has another form than it must have.
    #[error("{name}: expected {expected}")]
    Malformed {
        /// The setting, and the file where it stands in one.
        name: String,
        /// The form it must have.
        expected: &'static str,
    },
    /// The file sets one thing in two spellings; one of them would not count.
    #[error("{name}: {other} sets the same; leave one of them out")]
    Doubled {
        /// The setting, and the file where it stands.
        name: String,
        /// The other spelling.
        other: String,
    },
    /// There is no setting of this name.
    #[error("{name}: there is no such setting{}", near.as_ref().map(|near| format!("; did you mean {near}?")).unwrap_or_default())]
    Unknown {
        /// The name that was found.
        name: String,
        /// A setting of a similar name.
        near: Option<String>,
    },
}

/// The values found, by setting (`LISTEN`), each with the name that its source gave it.
#[derive(Debug, Default)]
pub(super) struct Values {
    found: BTreeMap<String, (String, String)>,
    known: Vec<&'static str>,
}

impl Values {
    /// Reads file and environment.
    pub(super) fn load(
        file: Option<&Path>,
        environment: impl Iterator<Item = (OsString, OsString)>,
    ) -> Result<Self, SettingsError> {
        let mut values = Self::default();
        if let Some(path) = file {
            values.read_file(path)?;
        }
        for (name, value) in environment {
            let Some(name) = name.to_str().filter(|name| name.starts_with(PREFIX)) else {
                continue;
            };
            let value = value.into_string().map_err(|_| SettingsError::Malformed {
                name: name.to_owned(),
                expected: "a text in UTF-8",
            })?;
            let setting = name[PREFIX.len()..].to_owned();
            values.found.insert(setting, (name.to_owned(), value));
        }
        Ok(values)
    }

    fn read_file(&mut self, path: &Path) -> Result<(), SettingsError> {
        let file = path.display().to_string();
        let text = std::fs::read_to_string(path).map_err(|error| SettingsError::File {
            file: file.clone(),
            error,
        })?;
        let table: toml::Table = toml::from_str(&text).map_err(|error| SettingsError::Toml {
            line: error
                .span()
                .map_or(1, |span| text[..span.start].matches('\n').count() + 1),
            message: error.message().to_owned(),
            file,
        })?;
        let short = path
            .file_name()
            .map(|name| name.to_string_lossy())
            .unwrap_or_default();
        for (key, value) in table {
            let name = format!("{key} ({short})");
            let value = plain_text(&value).ok_or(SettingsError::Malformed {
                name: name.clone(),
                expected: "a text, a number or a list of texts",
            })?;
            let setting = key.to_uppercase();
            let setting = setting.strip_prefix(PREFIX).unwrap_or(&setting).to_owned();
            if let Some((other, _)) = self.found.remove(&setting) {
                return Err(SettingsError::Doubled { name, other });
            }
            self.found.insert(setting, (name, value));
        }
        Ok(())
    }

    /// Takes the setting `name`, read by `parse`; `None` where it is not set.
    pub(super) fn get<T>(
        &mut self,
        name: &'static str,
        expected: &'static str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, SettingsError> {
        self.known.push(name);
        let Some((source, value)) = self.found.remove(name) else {
            return Ok(None);
        };
        match parse(value.trim()) {
            Some(value) => Ok(Some(value)),
            None => Err(SettingsError::Malformed {
                name: source,
                expected,
            }),
        }
    }

    /// Refuses what nothing has taken.
    pub(super) fn refuse_unknown(self) -> Result<(), SettingsError> {
        let Some((setting, (name, _))) = self.found.into_iter().next() else {
            return Ok(());
        };
        let near = self.known.iter().find(|known| is_near(known, &setting));
        Err(SettingsError::Unknown {
            name,
            near: near.map(|known| format!("{PREFIX}{known}")),
        })
    }
}

fn plain_text(value: &toml::Value) -> Option<String> {
    match value {
        toml::Value::String(text) => Some(text.clone()),
        toml::Value::Integer(number) => Some(number.to_string()),
        toml::Value::Array(values) => {
            let texts: Option<Vec<_>> = values.iter().map(|value| value.as_str()).collect();
            texts.map(|texts| texts.join(","))
        }
        _ => None,
    }
}

/// Whether one name is the other with a letter or two missing, added or changed.
fn is_near(known: &str, found: &str) -> bool {
    let from_start = known
        .bytes()
        .zip(found.bytes())
        .take_while(|(a, b)| a == b)
        .count();
    let from_end = known
        .bytes()
        .rev()
        .zip(found.bytes().rev())
        .take_while(|(a, b)| a == b)
        .count();
    known.len().abs_diff(found.len()) <= 2
        && from_start + from_end + 2 >= known.len().max(found.len())
}
