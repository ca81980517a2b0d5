//! Somebody comes back from a session: `learning.do?dispatch=finishActivity` (protocol 3).

use chrono::{DateTime, Utc};

use super::admission::Visitor;
use super::{Gateway, Refusal};
use crate::domain::id::ToolSessionId;
use crate::domain::launch_record::Noted;
use crate::domain::query::Query;
use crate::domain::state_token::Purpose;

/// What happens to the browser of one who came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Back {
    /// A learner goes on to where the platform wants.
    GoesOn(String),
    /// A learner is told that the activity is finished.
    Finished,
    /// A teacher, a monitor, or one whose name nobody knows, is told that nobody was marked.
    Looked,
}

/// Marks the learner as finished, unless it was a teacher or monitor who came back: those mark nobody.
/// The same return again changes nothing. What is known of it goes to `noted`.
pub async fn finish_activity(
    gateway: &Gateway,
    visitor: &Visitor<'_>,
    query: &Query<'_>,
    now: DateTime<Utc>,
    noted: &mut Noted,
) -> Result<Back, Refusal> {
    let purposes = [Purpose::Finish, Purpose::Look];
    let id: ToolSessionId = visitor.id_of_state(query, "toolSessionID", &purposes)?;
    noted.session = Some(id.get());
    let state = gateway.open_callback_state(visitor, query, &purposes, id.get(), now)?;
    query.check()?;

    let session = visitor.session(id);
    let looked = state
        .as_ref()
        .is_some_and(|state| state.purpose == Purpose::Look);
    // Without a state, which the platform then does not ask for, `uid` alone says who.
    let person = match state {
        Some(state) => state.person,
        None => visitor.uid.clone(),
    };
    noted.user = person.as_ref().map(|person| person.name().to_owned());
    let marked = person.filter(|_| !looked);
    match &marked {
        Some(person)
            if gateway
                .store
                .mark_finished(&session.to_key(), person.name(), now)
                .await? => {}
        Some(_) => return Err(Refusal::UnknownSession),
        None => drop(gateway.session_facts(session).await?),
    }
    // What is in memory anyway.
    if let Some(facts) = gateway.sessions().get(session) {
        noted.server = facts.texts().server.parse().ok();
        noted.content = Some(facts.content().get());
    }
    let goes_on = visitor.platform.finish_url.as_ref().filter(|_| !looked);
    Ok(match (goes_on, &marked) {
        (Some(url), marked) => {
            Back::GoesOn(url.fill(id, marked.as_ref().map_or("", |person| person.name())))
        }
        (None, Some(_)) => Back::Finished,
        (None, None) => Back::Looked,
    })
}
