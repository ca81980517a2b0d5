//! The first checks of every browser request, in the order of the interface: platform, signature,
//! tool. What comes after is each story's own.

use std::cell::Cell;

use chrono::{DateTime, Utc};

use super::{Gateway, Refusal, random};
use crate::domain::base_url::is_within;
use crate::domain::configuration::Configuration;
use crate::domain::content::{ContentKey, PlaceRef};
use crate::domain::custom_csv::Field;
use crate::domain::id::{ToolContentId, ToolSessionId};
use crate::domain::launch_signature::LaunchSignatureError;
use crate::domain::person::Person;
use crate::domain::platform::{CallbackState, LaunchAuth, Platform};
use crate::domain::query::Query;
use crate::domain::redirect::Redirect;
use crate::domain::server::Server;
use crate::domain::session::SessionRef;
use crate::domain::state_token::{Purpose, State};
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
///
/// References, since many launches at once would else count up and down the same few counters on all processors.
#[derive(Debug, Clone)]
pub struct Visitor<'a> {
    /// The configuration that the whole request is served with.
    pub configuration: &'a Configuration,
    /// The platform.
    pub platform: &'a Platform,
    /// The tool.
    pub tool: &'a Tool,
    /// The LAMS login that the launch names, where it names one.
    pub uid: Option<Person>,
    /// What vouches for the request.
    pub proof: Proof,
    /// Set once something vouches for it, whatever it comes to: such a request is never limited.
    pub vouched: &'a Cell<bool>,
}

/// How a request comes in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entry {
    /// A launch: signed where the platform signs.
    Launch,
    /// The saved page's link back to editing: a state in place of the signature, which is checked here.
    EditAgain,
    /// A callback, for which a state vouches that its story opens.
    Callback,
}

/// What vouches for a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proof {
    /// The launch signature.
    Signature,
    /// The state of the saved page, with the author for whom it was made.
    EditAgain(State),
    /// Nothing yet: the platform is open, or it is a callback.
    Nothing,
}

impl Gateway {
    /// Checks platform, signature, tool and, in its place, the state of the saved page.
    pub fn admit<'a>(
        &self,
        configuration: &'a Configuration,
        vouched: &'a Cell<bool>,
        arrival: Arrival<'_>,
        entry: Entry,
        now: DateTime<Utc>,
    ) -> Result<Visitor<'a>, Refusal> {
        let platform = configuration
            .platform(arrival.platform)
            .ok_or(Refusal::UnknownPlatform)?;
        arrival.query.check_count()?;
        let named = arrival
            .query
            .get("uid")
            .filter(|uid| !uid.trim().is_empty());
        let (uid, proof) = match (&platform.launch_auth, entry) {
            (LaunchAuth::Signed(key), Entry::Launch) => {
                let key = key.as_ref().ok_or(LaunchSignatureError::Wrong)?;
                let uid = key.verify(arrival.path_and_query, arrival.query, now)?;
                vouched.set(true);
                (Some(uid), Proof::Signature)
            }
            (LaunchAuth::Open, _) => (named, Proof::Nothing),
            // A name beside a state is nobody's word, but where a platform asks for no states it is all
            // that a callback has.
            (LaunchAuth::Signed(_), Entry::Callback) => (
                named.filter(|_| platform.callback_state == CallbackState::Off),
                Proof::Nothing,
            ),
            (LaunchAuth::Signed(_), Entry::EditAgain) => (None, Proof::Nothing),
        };
        let tool = configuration
            .tool(arrival.signature)
            .ok_or(Refusal::UnknownTool)?;
        let uid = uid.map(|uid| lams_login("uid", uid));
        let mut visitor = Visitor {
            configuration,
            platform,
            tool,
            uid: None,
            proof,
            vouched,
        };
        if entry == Entry::EditAgain {
            visitor.proof = Proof::EditAgain(self.open_edit_again(&visitor, arrival.query, now)?);
        }
        visitor.uid = uid.transpose()?;
        Ok(visitor)
    }

    /// The author for whom the saved page made its link.
    fn open_edit_again(
        &self,
        visitor: &Visitor<'_>,
        query: &Query<'_>,
        now: DateTime<Utc>,
    ) -> Result<State, Refusal> {
        let purposes = [Purpose::EditAgain];
        let id = visitor.id_of_state::<ToolContentId>(query, "toolContentID", &purposes)?;
        let token = query.get("state");
        let subject = visitor.subject(id.get());
        let state = self.state_keys().open(token, &purposes, subject, now)?;
        visitor.vouched.set(true);
        Ok(state)
    }
}

/// A LAMS login as a request names it: what can be stored and shown.
pub(super) fn lams_login(parameter: &'static str, login: &str) -> Result<Person, Refusal> {
    let is_long = login.len() > LONGEST_LOGIN && login.chars().count() > LONGEST_LOGIN;
    if is_long || login.chars().any(char::is_control) {
        return Err(Refusal::Login(parameter));
    }
    Ok(Person::Lams(login.into()))
}

/// The longest login, in characters: what LAMS's own column takes.
const LONGEST_LOGIN: usize = 255;

impl Visitor<'_> {
    /// What every address of the visitor's tool on a server is made with.
    pub(super) fn redirect<'a>(
        &'a self,
        gateway: &'a Gateway,
        (server, place): (&'a Server, impl Into<PlaceRef<'a>>),
        person: Option<&'a Person>,
        now: DateTime<Utc>,
    ) -> Result<Redirect<'a>, Refusal> {
        let place = place.into();
        // Since the content was stored its server may have moved, or its tool may have come to need an address.
        let is_there = match place.course_url {
            Some(address) => is_within(address, server.url.origin()),
            None => !self.tool.custom_csv.fields.contains(&Field::CourseUrl),
        };
        if !is_there {
            return Err(Refusal::CourseUrl(server.id.clone()));
        }
        Ok(Redirect {
            public_url: gateway.public_url(),
            platform: &self.platform.id,
            tool: self.tool,
            server,
            place,
            person,
            now,
            nonce: random::bytes,
        })
    }

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
    pub(super) fn session(&self, id: ToolSessionId) -> SessionRef<'_> {
        SessionRef {
            platform: &self.platform.id,
            signature: &self.tool.signature,
            id,
        }
    }
}
