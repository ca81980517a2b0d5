//! Calls to the gateway's API, as a platform's server makes them. Whatever goes wrong becomes a
//! [`Trouble`] with words, to be shown on the page.

use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::redirect::Policy;
use reqwest::{Client, Method, StatusCode};
use secrecy::ExposeSecret;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::LamsConfig;
use super::lesson::{Activity, Session};
use crate::domain::enc::enc;

/// The gateway's API, as one platform calls it.
#[derive(Clone)]
pub(super) struct Gateway {
    client: Client,
    api: String,
    token: String,
}

impl std::fmt::Debug for Gateway {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Gateway")
            .field("api", &self.api)
            .finish_non_exhaustive()
    }
}

/// A tool of the toolkit.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Tool {
    pub(super) signature: String,
    pub(super) title: String,
}

#[derive(Debug, Deserialize)]
struct Toolkit {
    tools: Vec<Tool>,
}

/// Content, as the gateway knows it.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Content {
    pub(super) ext_lms_id: String,
    pub(super) user: String,
    pub(super) course: String,
    pub(super) section: Option<String>,
    #[serde(rename = "extToolContentID")]
    pub(super) ext_tool_content_id: Option<String>,
    pub(super) define_later: bool,
    pub(super) run_offline: bool,
    pub(super) content_in_use: bool,
    pub(super) updated_at: Option<DateTime<Utc>>,
}

/// Why a call came to nothing: a title, and what there is to say about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Trouble {
    pub(super) title: String,
    pub(super) detail: String,
    /// The status, where there was an answer.
    pub(super) status: Option<u16>,
}

/// The part of an RFC 9457 problem document that people read.
#[derive(Debug, Deserialize)]
struct Problem {
    title: Option<String>,
    detail: Option<String>,
}

impl Gateway {
    pub(super) fn new(config: &LamsConfig) -> reqwest::Result<Self> {
        // Another part of the process may have installed it already, which is as good.
        rustls::crypto::ring::default_provider()
            .install_default()
            .ok();
        let client = Client::builder()
            .connect_timeout(Duration::from_secs(2))
            .timeout(Duration::from_secs(20))
            .redirect(Policy::none())
            .no_proxy()
            .build()?;
        let api = format!("{}/api/v1", config.gateway_url.trim_end_matches('/'));
        Ok(Self {
            client,
            api,
            token: config.api_token.expose_secret().to_owned(),
        })
    }

    /// The tools that a teacher, by their LAMS login, may add to the lesson: those of the server that they
    /// came from, which the gateway knows.
    pub(super) async fn toolkit(&self, login: &str) -> Result<Vec<Tool>, Trouble> {
        let address = format!("{}/toolkit?user={}", self.api, enc(login));
        let body = self.call(Method::GET, &address, None).await?;
        Ok(read::<Toolkit>(&body)?.tools)
    }

    /// What the gateway knows of an activity's content; none before it was first opened.
    pub(super) async fn content(&self, activity: &Activity) -> Result<Option<Content>, Trouble> {
        let address = format!(
            "{}/tools/{}/contents/{}",
            self.api, activity.signature, activity.tool_content_id
        );
        match self.call(Method::GET, &address, None).await {
            Ok(body) => read(&body).map(Some),
            Err(trouble) if trouble.status == Some(404) => Ok(None),
            Err(trouble) => Err(trouble),
        }
    }

    /// Makes a session: the copy of an activity for one group.
    pub(super) async fn create_session(
        &self,
        activity: &Activity,
        session: &Session,
    ) -> Result<(), Trouble> {
        let address = format!(
            "{}/tools/{}/sessions/{}",
            self.api, activity.signature, session.id
        );
        let body = serde_json::json!({
            "toolContentID": activity.tool_content_id,
            "name": session.name,
        });
        self.call(Method::PUT, &address, Some(body)).await?;
        Ok(())
    }

    async fn call(
        &self,
        method: Method,
        address: &str,
        body: Option<serde_json::Value>,
    ) -> Result<Vec<u8>, Trouble> {
        let mut request = self
            .client
            .request(method, address)
            .bearer_auth(&self.token);
        if let Some(body) = body {
            request = request
                .header("Content-Type", "application/json")
                .body(body.to_string());
        }
        let answer = request.send().await.map_err(|e| unreachable(&e))?;
        let status = answer.status();
        let body = answer.bytes().await.map_err(|e| unreachable(&e))?;
        if status.is_success() {
            Ok(body.to_vec())
        } else {
            Err(refused(status, &body))
        }
    }
}

fn unreachable(error: &reqwest::Error) -> Trouble {
    let detail = if error.is_timeout() {
        "It did not answer within 20 seconds. Try again in a moment."
    } else {
        "No connection could be made. Is it running?"
    };
    Trouble {
        title: "The gateway cannot be reached".to_owned(),
        detail: detail.to_owned(),
        status: None,
    }
}

/// What an answer other than success says: its problem document, or at least its status.
fn refused(status: StatusCode, body: &[u8]) -> Trouble {
    let problem = serde_json::from_slice::<Problem>(body).ok();
    let (title, detail) = problem.map_or((None, None), |p| (p.title, p.detail));
    Trouble {
        title: title.unwrap_or_else(|| format!("The gateway answered {status}")),
        detail: detail.unwrap_or_default(),
        status: Some(status.as_u16()),
    }
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Trouble> {
    serde_json::from_slice(body).map_err(|error| Trouble {
        title: "The gateway's answer could not be read".to_owned(),
        detail: error.to_string(),
        status: None,
    })
}
