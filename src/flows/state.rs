//! Making and opening the state tokens of one platform's tool.

use std::str::FromStr;

use chrono::{DateTime, Utc};

use super::admission::Visitor;
use super::{Gateway, Refusal, random};
use crate::domain::id::InvalidId;
use crate::domain::person::Person;
use crate::domain::platform::CallbackState;
use crate::domain::query::Query;
use crate::domain::state_token::{Purpose, State, StateError, Subject, may_be_state};

impl Gateway {
    /// Until when a token for `purpose` counts that is made now.
    pub(super) fn expiry(&self, purpose: Purpose, now: DateTime<Utc>) -> DateTime<Utc> {
        now + match purpose {
            Purpose::Update | Purpose::EditAgain | Purpose::Monitor => self.lifetimes().author,
            Purpose::Finish | Purpose::Look => self.lifetimes().learner,
        }
    }

    /// A token for `purpose` on content or session `id`.
    pub(super) fn seal_state(
        &self,
        visitor: &Visitor<'_>,
        purpose: Purpose,
        id: i64,
        person: Option<&Person>,
        expires_at: DateTime<Utc>,
    ) -> String {
        let state = State {
            purpose,
            expires_at,
            nonce: random::bytes(),
            person: person.cloned(),
        };
        self.state_keys().seal(&state, visitor.subject(id))
    }

    /// The same, where the platform's callbacks carry one.
    pub(super) fn callback_state(
        &self,
        visitor: &Visitor<'_>,
        purpose: Purpose,
        id: i64,
        person: Option<&Person>,
        expires_at: DateTime<Utc>,
    ) -> Option<String> {
        (visitor.platform.callback_state == CallbackState::Required)
            .then(|| self.seal_state(visitor, purpose, id, person, expires_at))
    }

    /// Opens the token of a callback. `None` where there is none and the platform needs none; one that
    /// is given is checked either way.
    pub(super) fn open_callback_state(
        &self,
        visitor: &Visitor<'_>,
        query: &Query<'_>,
        purposes: &[Purpose],
        id: i64,
        now: DateTime<Utc>,
    ) -> Result<Option<State>, StateError> {
        match self
            .state_keys()
            .open(query.get("state"), purposes, visitor.subject(id), now)
        {
            Err(StateError::Missing) if visitor.platform.callback_state == CallbackState::Off => {
                Ok(None)
            }
            outcome => {
                let state = outcome?;
                visitor.vouched.set(true);
                Ok(Some(state))
            }
        }
    }
}

impl Visitor<'_> {
    /// The id that a state is bound to. Where the address gives none, a state that is missing or is none
    /// of these purposes is told first.
    pub(super) fn id_of_state<T: FromStr<Err = InvalidId>>(
        &self,
        query: &Query<'_>,
        name: &'static str,
        purposes: &[Purpose],
    ) -> Result<T, Refusal> {
        let id = query
            .required(name)
            .map_err(Refusal::from)
            .and_then(|text| Ok(text.parse()?));
        let required = self.platform.callback_state == CallbackState::Required;
        match query.get("state").filter(|token| !token.is_empty()) {
            None if required => Err(StateError::Missing.into()),
            Some(token) if id.is_err() && !may_be_state(token, purposes) => {
                Err(StateError::Wrong.into())
            }
            _ => id,
        }
    }

    pub(super) fn subject(&self, id: i64) -> Subject<'_> {
        Subject {
            platform: &self.platform.id,
            signature: &self.tool.signature,
            id,
        }
    }
}
