//! How the API says that a call is refused: a problem document of RFC 9457. What is sent and what the API's
//! document describes is one struct.

use serde::Serialize;
use utoipa::ToSchema;

use super::words::Words;

/// The media type of problem documents.
pub(super) const PROBLEM_JSON: &str = "application/problem+json";

/// Why a call is refused, and what to do.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Problem)]
pub(super) struct ProblemDocument {
    /// `urn:toolgate:problem:` and the code.
    #[serde(rename = "type")]
    kind: String,
    /// The kind of problem, in words.
    title: &'static str,
    /// The status of the answer.
    #[schema(minimum = 400, maximum = 599)]
    status: u16,
    /// What is wrong with this call.
    detail: String,
    /// What to do.
    advice: &'static str,
    /// The kind of problem, for programs: it stays when words change.
    code: &'static str,
    /// Names the call in the gateway's log; also in the header `X-Request-Id`.
    #[schema(pattern = "^[0-9a-f]{16}$")]
    request_id: String,
    /// The journal's entry that it is about, for `toolgate journal`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    journal_entry: Option<String>,
    /// Whether the same call may succeed later, where an LMS failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    retryable: Option<bool>,
    /// The LMS's own words.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    lms_message: Option<String>,
    /// The LMS's own code.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    lms_code: Option<String>,
}

impl ProblemDocument {
    /// The document of a refusal's words.
    pub(super) fn of(words: &Words, request_id: String) -> Self {
        Self {
            kind: format!("urn:toolgate:problem:{}", words.code),
            title: words.title,
            status: words.status.as_u16(),
            detail: words.detail.clone(),
            advice: words.advice,
            code: words.code,
            request_id,
            journal_entry: words.entry.clone(),
            retryable: words.lms.as_ref().map(|lms| lms.retryable),
            lms_message: words.lms.as_ref().and_then(|lms| lms.said.clone()),
            lms_code: words.lms.as_ref().and_then(|lms| lms.lms_code.clone()),
        }
    }
}
