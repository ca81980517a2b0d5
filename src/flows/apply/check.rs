//! Checks of a file that need more than one of its values, on what is stored afterwards.

use std::collections::{BTreeMap, HashMap};

use chrono_tz::Tz;

use super::file::{File, FileError, PlatformEntry, ServerEntry};
use crate::domain::login_request::LONGEST_WINDOW;
use crate::domain::platform::FinishUrl;
use crate::domain::server::Signing;
use crate::domain::tool::{ADAPTER_PAGE, Tool, builtin_tools};
use crate::store::{ServerRecord, StoredConfiguration};

/// The longest time limit of a server, in milliseconds.
const LONGEST_TIMEOUT: i64 = 600_000;

/// Refuses what cannot work together.
pub(super) fn check(file: &File, merged: &StoredConfiguration) -> Result<(), FileError> {
    let builtin: Vec<Tool> = builtin_tools().collect();
    for entry in &file.tools {
        let signature = &entry.get_ref().signature;
        if builtin.iter().any(|tool| tool.signature == *signature) {
            let message =
                format!("{signature} is built in; a tool of one's own needs another signature");
            return Err(file.error(entry.span(), message));
        }
    }
    for entry in &file.tools {
        let tool = entry.get_ref();
        tool.check_title()
            .map_err(|message| file.error(entry.span(), message))?;
        check_users(tool, merged).map_err(|message| file.error(entry.span(), message))?;
    }
    let own = merged
        .tools
        .values()
        .filter_map(|record| Tool::from_toml(&record.definition).ok());
    let tools: HashMap<String, Tool> = builtin
        .into_iter()
        .chain(own)
        .map(|tool| (tool.signature.to_string(), tool))
        .collect();

    for entry in &file.platforms {
        check_platform(file, entry, merged)?;
    }
    for entry in &file.servers {
        check_server(file, entry, merged, &tools)?;
    }
    Ok(())
}

fn check_platform(
    file: &File,
    entry: &PlatformEntry,
    merged: &StoredConfiguration,
) -> Result<(), FileError> {
    if let Some(url) = &entry.finish_url {
        FinishUrl::parse(url.get_ref(), &entry.url)
            .map_err(|error| file.error(url.span(), format!("finish_url {error}")))?;
    }
    let id = entry.id.get_ref().as_str();
    let Some(token) = merged
        .platforms
        .get(id)
        .and_then(|record| record.api_token_hash.as_ref())
    else {
        return Ok(());
    };
    let same = |other: &&crate::store::PlatformRecord| {
        other.id != id && other.api_token_hash.as_ref() == Some(token)
    };
    match merged.platforms.values().find(same) {
        Some(other) => {
            let span = entry
                .api_token
                .as_ref()
                .map_or(entry.id.span(), |token| token.span());
            let message = format!(
                "platform {} has the same api_token; a token decides the platform",
                other.id
            );
            Err(file.error_about("api_token", span, message))
        }
        None => Ok(()),
    }
}

fn check_server(
    file: &File,
    entry: &ServerEntry,
    merged: &StoredConfiguration,
    tools: &HashMap<String, Tool>,
) -> Result<(), FileError> {
    let at = entry.id.span();
    let id = entry.id.get_ref().as_str();
    let Some(record) = merged.servers.get(id) else {
        return Ok(());
    };
    if let Some(prefix) = &entry.prefix {
        check_prefix(prefix.get_ref(), record, &merged.servers)
            .map_err(|message| file.error(prefix.span(), message))?;
    }
    if let Some(ms) = &entry.timeout_ms
        && !(1..=LONGEST_TIMEOUT).contains(ms.get_ref())
    {
        return Err(file.error(
            ms.span(),
            format!("timeout_ms must be 1 to {LONGEST_TIMEOUT}"),
        ));
    }
    if let Some(signature) = &entry.signature
        && Signing::of_number(*signature.get_ref()).is_none()
    {
        return Err(file.error(
            signature.span(),
            "signature must be 1 (SHA-1, legacy) or 2 (HMAC-SHA-256)",
        ));
    }
    if let Some(minutes) = &entry.login_window_minutes
        && !(0..=LONGEST_WINDOW).contains(minutes.get_ref())
    {
        return Err(file.error(
            minutes.span(),
            format!("login_window_minutes must be 0 to {LONGEST_WINDOW}; 0 takes any time"),
        ));
    }
    if let Some(zone) = &entry.time_zone
        && zone.get_ref().parse::<Tz>().is_err()
    {
        return Err(file.error(
            zone.span(),
            "time_zone must be a name of the time zone database, such as Europe/Berlin",
        ));
    }
    for tool in entry.tools.iter().flatten() {
        if !tools.contains_key(tool.get_ref().as_str()) {
            return Err(file.error(tool.span(), format!("there is no tool {}", tool.get_ref())));
        }
    }
    if let Some(about) = lacking(record).first().filter(|_| !record.tools.is_empty()) {
        return Err(file.error_about(about, at, format!("a server with tools needs a {about}")));
    }
    for (signature, items) in &entry.settings {
        let tool = tools.get(signature.get_ref().as_str()).ok_or_else(|| {
            file.error(
                signature.span(),
                format!("there is no tool {}", signature.get_ref()),
            )
        })?;
        if let Some(page) = items.get(ADAPTER_PAGE)
            && entry.url.join(page).is_err()
        {
            return Err(file.error(
                signature.span(),
                "adapter_page must be an http(s) address, or relative to url",
            ));
        }
        tool.check_items(items, true)
            .map_err(|error| file.error(signature.span(), error.to_string()))?;
    }
    // Tools without settings may need some all the same.
    let none = BTreeMap::new();
    for tool in record
        .tools
        .iter()
        .filter_map(|signature| tools.get(signature))
    {
        let items = record
            .settings
            .get(tool.signature.as_str())
            .unwrap_or(&none);
        tool.check_items(items, true)
            .map_err(|error| file.error(at.clone(), error.to_string()))?;
    }
    Ok(())
}

/// What a server needs before it can have tools.
pub(super) fn lacking(record: &ServerRecord) -> Vec<&'static str> {
    let needed = [
        ("key", record.server_key.is_none()),
        ("prefix", record.prefix.is_none()),
    ];
    let lacks = needed.into_iter().filter(|(_, lacks)| *lacks);
    lacks.map(|(about, _)| about).collect()
}

/// Whether servers that have the tool, or something set for it, can still have it as it is now.
fn check_users(tool: &Tool, merged: &StoredConfiguration) -> Result<(), String> {
    let signature = tool.signature.as_str();
    let none = BTreeMap::new();
    for server in merged.servers.values() {
        let mapped = server.tools.contains(signature);
        let items = server.settings.get(signature).unwrap_or(&none);
        tool.check_items(items, mapped)
            .map_err(|error| format!("server {} cannot have it so: {error}", server.id))?;
    }
    Ok(())
}

fn check_prefix(
    prefix: &str,
    record: &ServerRecord,
    servers: &BTreeMap<String, ServerRecord>,
) -> Result<(), String> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_');
    if !(1..=32).contains(&prefix.len()) || !prefix.bytes().all(plain) {
        return Err("a prefix is 1 to 32 letters, digits, '.', '-' or '_'".to_owned());
    }
    let same =
        |other: &&ServerRecord| other.id != record.id && other.prefix.as_deref() == Some(prefix);
    match servers.values().find(same) {
        Some(other) => Err(format!("server {} has the same prefix", other.id)),
        None => Ok(()),
    }
}
