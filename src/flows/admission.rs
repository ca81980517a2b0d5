//! The first checks of every browser request, in the order of the interface: platform, signature,
//! tool. What comes after is each story's own.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::{Gateway, Refusal};
use crate::domain::configuration::Configuration;
use crate::domain::content::ContentKey;
use crate::domain::id::{ToolContentId, ToolSessionId};
use crate::domain::launch_signature::LaunchSignatureError;
use crate::domain::person::Person;
use crate::domain::platform::{CallbackState, LaunchAuth, Platform};
use crate::domain::query::Query;
use crate::domain::session::SessionKey;
use crate::domain::tool::Tool;

/// A browser request as it came.
#[derive(Debug, Clone, Copy)]
pub struct Arrival<'a> {
    /// The platform id in its path.
    pub platform: &'a str,
    /// The tool signature in its path.
    pub signature: &'a str,
    /// Path and query exactly as sent.
    pub path_and_query: &'a str,
    /// Its query, parsed.
    pub query: &'a Query<'a>,
}

/// Who came through: a request whose platform, signature and tool are right.
#[derive(Debug, Clone)]
pub struct Visitor {
    /// The configuration that the whole request is served with.
    pub configuration: Arc<Configuration>,
    /// The platform.
    pub platform: Arc<Platform>,
    /// The tool.
    pub tool: Arc<Tool>,
    /// The LAMS login that the launch names, where it names one.
    pub uid: Option<Person>,
    /// What vouches for the request.
    pub proof: Proof,
}

/// How a request comes in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entry {
    /// A launch: signed where the platform signs, or from the saved page, with a state in place of the
    /// signature.
    Launch,
    /// A callback, for which a state vouches.
    Callback,
}

/// What vouches for a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// The launch signature, which was checked.
    Signature,
    /// A state token, which the story itself has yet to check.
    State,
    /// Nothing: the platform is open.
    Nothing,
}

impl Gateway {
    /// Checks platform, signature and tool.
    pub fn admit(
        &self,
        arrival: Arrival<'_>,
        entry: Entry,
        now: DateTime<Utc>,
    ) -> Result<Visitor, Refusal> {
        let configuration = self.configuration();
        let platform = configuration
            .platform(arrival.platform)
            .ok_or(Refusal::UnknownPlatform)?
            .clone();
        let has = |name| arrival.query.get(name).is_some();
        let by_state = entry == Entry::Callback || (has("state") && !has("sig"));
        let named = arrival
            .query
            .get("uid")
            .filter(|uid| !uid.trim().is_empty());
        let (uid, proof) = match (&platform.launch_auth, by_state) {
            (LaunchAuth::Signed(key), false) => {
                let key = key.as_ref().ok_or(LaunchSignatureError::Wrong)?;
                (
                    Some(key.verify(arrival.path_and_query, arrival.query, now)?),
                    Proof::Signature,
                )
            }
            // A name beside a state is nobody's word, but where a platform asks for no states it is all
            // that a callback has.
            (LaunchAuth::Signed(_), true) => {
                let unasked =
                    entry == Entry::Callback && platform.callback_state == CallbackState::Off;
                (named.filter(|_| unasked), Proof::State)
            }
            (LaunchAuth::Open, true) => (named, Proof::State),
            (LaunchAuth::Open, false) => (named, Proof::Nothing),
        };
        let uid = uid.map(|uid| Person::Lams(uid.to_owned()));
        let tool = configuration
            .tool(arrival.signature)
            .ok_or(Refusal::UnknownTool)?
            .clone();
        Ok(Visitor {
            configuration,
            platform,
            tool,
            uid,
            proof,
        })
    }
}

impl Visitor {
    /// Content of the visitor's platform and tool.
    pub(super) fn content_key(&self, id: ToolContentId) -> ContentKey {
        let (platform, signature) = (self.platform.id.clone(), self.tool.signature.clone());
        ContentKey {
            platform,
            signature,
            id,
        }
    }

    /// A session of the visitor's platform and tool.
    pub(super) fn session_key(&self, id: ToolSessionId) -> SessionKey {
        let (platform, signature) = (self.platform.id.clone(), self.tool.signature.clone());
        SessionKey {
            platform,
            signature,
            id,
        }
    }
}
