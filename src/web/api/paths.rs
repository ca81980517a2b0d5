//! What the addresses of the API name: content, or a session, of a tool.

use serde::Deserialize;
use utoipa::IntoParams;

use super::caller::Caller;
use crate::domain::content::ContentKey;
use crate::domain::session::SessionKey;
use crate::flows::Refusal;

/// Content of a tool.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(super) struct ContentPath {
    /// The tool, by LAMS's word for it.
    #[param(pattern = "^[A-Za-z0-9_-]{1,32}$", example = "mdquiz10")]
    signature: String,
    /// The content's number on the platform, from 1 to 2^63-1.
    #[serde(rename = "toolContentID")]
    #[param(value_type = i64, minimum = 1, example = 1234)]
    id: String,
}

/// A session of a tool.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(super) struct SessionPath {
    /// The tool, by LAMS's word for it.
    #[param(pattern = "^[A-Za-z0-9_-]{1,32}$", example = "mdquiz10")]
    signature: String,
    /// The session's number on the platform, from 1 to 2^63-1.
    #[serde(rename = "toolSessionID")]
    #[param(value_type = i64, minimum = 1, example = 77)]
    id: String,
}

impl ContentPath {
    /// Which content of the caller's it is.
    pub(super) fn key(&self, caller: &Caller) -> Result<ContentKey, Refusal> {
        Ok(ContentKey {
            platform: caller.platform.id.clone(),
            signature: caller.tool(&self.signature)?,
            id: self.id.parse()?,
        })
    }
}

impl SessionPath {
    /// Which session of the caller's it is.
    pub(super) fn key(&self, caller: &Caller) -> Result<SessionKey, Refusal> {
        Ok(SessionKey {
            platform: caller.platform.id.clone(),
            signature: caller.tool(&self.signature)?,
            id: self.id.parse()?,
        })
    }
}
