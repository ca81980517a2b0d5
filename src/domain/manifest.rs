//! What an exported archive says of itself: `manifest.json` beside the payload. Read strictly, since
//! an archive comes from outside.

use serde::{Deserialize, Serialize};

use super::content::Content;
use super::id::{PlatformId, ServerId, Signature};
use super::tool::Tool;

/// What makes a manifest ours.
const FORMAT: &str = "toolgate-content";
/// The version that is written, and the newest that is read.
const VERSION: u32 = 1;

/// A manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    format: String,
    version: u32,
    /// The tool that the content is of.
    pub signature: Signature,
    /// What people call the tool.
    pub title: String,
    /// How learners meet the content.
    pub flags: Flags,
    /// Where it was exported.
    pub origin: Origin,
    /// What the external server exported of it; nothing where it was never saved there.
    pub payload: Option<Payload>,
}

/// The flags of content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Flags {
    /// See [`Content::define_later`].
    pub define_later: bool,
    /// See [`Content::run_offline`].
    pub run_offline: bool,
}

/// Where content was exported. Nobody is named.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Origin {
    /// The platform.
    pub platform: PlatformId,
    /// The server.
    pub ext_lms_id: ServerId,
    /// The content's number on the platform.
    #[serde(rename = "toolContentID")]
    pub tool_content_id: i64,
    /// Its id on the server.
    #[serde(rename = "extToolContentID")]
    pub ext_tool_content_id: Option<String>,
    /// Its course there.
    pub course: String,
    /// When, RFC 3339.
    pub exported_at: String,
}

/// What the external server exported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Payload {
    /// How many bytes it has.
    pub bytes: u64,
    /// Its SHA-256, in lower-case hexadecimal.
    pub sha256: String,
}

/// Why a text is no manifest that can be read here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    /// It is not of the form.
    #[error("its manifest.json cannot be read: {0}")]
    Form(String),
    /// It is of something else.
    #[error("its manifest.json is not one of Toolgate's")]
    Format,
    /// It was written by a later version.
    #[error("its manifest.json is of version {0}, which this gateway is too old for")]
    Version(u32),
    /// It is of another tool.
    #[error("it holds content of the tool {0}")]
    Tool(Signature),
}

impl Manifest {
    /// The manifest of content.
    pub fn of(
        content: &Content,
        tool: &Tool,
        payload: Option<Payload>,
        exported_at: String,
    ) -> Self {
        Self {
            format: FORMAT.to_owned(),
            version: VERSION,
            signature: tool.signature.clone(),
            title: tool.title.clone(),
            flags: Flags {
                define_later: content.define_later,
                run_offline: content.run_offline,
            },
            origin: Origin {
                platform: content.key.platform.clone(),
                ext_lms_id: content.place.server.clone(),
                tool_content_id: content.key.id.get(),
                ext_tool_content_id: content.ext_id.as_ref().map(ToString::to_string),
                course: content.place.course.clone(),
                exported_at,
            },
            payload,
        }
    }

    /// Reads a manifest of content of `tool`.
    pub fn read(text: &[u8], tool: &Signature) -> Result<Self, ManifestError> {
        let form = |error: serde_json::Error| ManifestError::Form(error.to_string());
        let value: serde_json::Value = serde_json::from_slice(text).map_err(form)?;
        if value.get("format").and_then(|format| format.as_str()) != Some(FORMAT) {
            return Err(ManifestError::Format);
        }
        let version = value.get("version").and_then(serde_json::Value::as_u64);
        match version.and_then(|version| u32::try_from(version).ok()) {
            Some(1..=VERSION) => {}
            Some(later) => return Err(ManifestError::Version(later)),
            None => return Err(ManifestError::Format),
        }
        let manifest: Self = serde_json::from_value(value).map_err(form)?;
        if manifest.signature != *tool {
            return Err(ManifestError::Tool(manifest.signature));
        }
        Ok(manifest)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use super::*;
    use crate::domain::content::{ContentKey, Place};
    use crate::domain::id::{ExtId, ToolContentId};
    use crate::domain::tool::builtin_tools;
    use proptest::prelude::*;

    fn content(
        tool: &Tool,
        course: String,
        flags: (bool, bool),
        ext_id: Option<String>,
    ) -> Content {
        let at = chrono::DateTime::UNIX_EPOCH;
        Content {
            key: ContentKey {
                platform: "lams".parse().unwrap(),
                signature: tool.signature.clone(),
                id: ToolContentId::from_number(7).unwrap(),
            },
            place: Place {
                server: "moodle".parse().unwrap(),
                user: "bill".into(),
                course,
                section: None,
                course_url: None,
            },
            ext_id: ext_id.map(ExtId::stored),
            define_later: flags.0,
            locked_until: None,
            run_offline: flags.1,
            in_use: true,
            created_at: at,
            updated_at: at,
        }
    }

    /// Read once, not for each of thousands of cases.
    static TOOLS: LazyLock<Vec<Tool>> = LazyLock::new(|| builtin_tools().collect());

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        #[test]
        fn what_is_written_is_read_for_every_adapter(
            which in 0_usize..10, course in ".*", flags: (bool, bool), ext_id: Option<String>, payload: Option<(u64, [u8; 32])>,
        ) {
            let tool = &TOOLS[which];
            let payload = payload.map(|(bytes, sum)| Payload { bytes, sha256: hex::encode(sum) });
            let content = content(tool, course, flags, ext_id);
            let written = Manifest::of(&content, tool, payload, "2026-01-01T00:00:00Z".into());
            let text = serde_json::to_vec(&written).unwrap();
            prop_assert_eq!(Manifest::read(&text, &tool.signature), Ok(written));
        }

        #[test]
        fn nothing_makes_reading_panic(text: Vec<u8>) {
            let _ = Manifest::read(&text, &"mdquiz10".parse().unwrap());
        }
    }

    #[test]
    fn what_is_of_another_kind_is_named() {
        let tool = builtin_tools().next().unwrap();
        let content = content(&tool, "7".into(), (false, false), None);
        let right =
            serde_json::to_string(&Manifest::of(&content, &tool, None, String::new())).unwrap();
        let read = |text: &str| Manifest::read(text.as_bytes(), &tool.signature);
        let changed = |from: &str, to: &str| read(&right.replace(from, to)).unwrap_err();
        assert_eq!(
            changed("\"version\":1", "\"version\":2"),
            ManifestError::Version(2)
        );
        assert_eq!(
            changed("\"version\":1", "\"version\":\"1\""),
            ManifestError::Format
        );
        assert_eq!(changed("toolgate-content", "zip"), ManifestError::Format);
        assert_eq!(
            changed("mdfrum10", "mdquiz10"),
            ManifestError::Tool("mdquiz10".parse().unwrap())
        );
        assert!(matches!(changed("false", "0"), ManifestError::Form(_)));
        assert!(matches!(read("[]"), Err(ManifestError::Format)));
    }
}
