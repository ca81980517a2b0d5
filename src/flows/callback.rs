//! An author saved on the external server, which sends the browser back with the external content id:
//! `authoring.do?dispatch=updateContent` (protocol 2.3).

use chrono::{DateTime, Utc};

use super::admission::Visitor;
use super::{Gateway, Refusal};
use crate::domain::enc::push_enc;
use crate::domain::id::{ExtId, ToolContentId};
use crate::domain::launch_record::Noted;
use crate::domain::own_address::tool_page;
use crate::domain::platform::LaunchAuth;
use crate::domain::query::Query;
use crate::domain::state_token::Purpose;
use crate::store::{Callback, Stored};

/// What the saved page shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Saved {
    /// Its external id.
    pub ext_id: ExtId,
    /// Where it can be edited again; `None` where only the platform can send somebody there.
    pub edit_again: Option<String>,
}

/// Stores the external id. A state counts once: the same callback again shows the same page, another
/// external id with it is refused. What is known of it goes to `noted`.
pub async fn update_content(
    gateway: &Gateway,
    visitor: &Visitor<'_>,
    query: &Query<'_>,
    now: DateTime<Utc>,
    noted: &mut Noted,
) -> Result<Saved, Refusal> {
    let purposes = [Purpose::Update];
    let id: ToolContentId = visitor.id_of_state(query, "toolContentID", &purposes)?;
    noted.content = Some(id.get());
    let state = gateway.open_callback_state(visitor, query, &purposes, id.get(), now)?;
    let person = state.as_ref().and_then(|state| state.person.as_ref());
    noted.user = person
        .or(visitor.uid.as_ref())
        .map(|person| person.name().to_owned());
    query.check()?;
    let ext_id = visitor
        .tool
        .id_form
        .parse(query.required("extToolContentID")?.trim())?;

    let content = visitor.content_key(id);
    let used = state
        .as_ref()
        .map(|state| (state.nonce.as_slice(), state.expires_at));
    let callback = Callback {
        content: &content,
        ext_id: &ext_id,
        state: used,
        at: now,
    };
    match gateway.store.store_callback(callback).await? {
        Stored::Now(server) => noted.server = Some(server),
        Stored::Before => {}
        Stored::StateUsedOtherwise => return Err(Refusal::StateUsedOtherwise),
        Stored::NoContent => return Err(Refusal::UnknownContent),
    }

    // A link that opens the author page stands for a launch signature, so it is given only to one who
    // came with a state, or where launches are open to all.
    let vouched = state.is_some() || matches!(visitor.platform.launch_auth, LaunchAuth::Open);
    // Not longer than the state that brought it: else a callback's address would open the author's account for ever.
    let until = state.as_ref().map(|state| state.expires_at);
    let until = until.unwrap_or_else(|| gateway.expiry(Purpose::EditAgain, now));
    let person = state
        .and_then(|state| state.person)
        .or_else(|| visitor.uid.clone());
    let edit_again = vouched.then(|| {
        let (purpose, person) = (Purpose::EditAgain, person.as_ref());
        let state = gateway.seal_state(visitor, purpose, id.get(), person, until);
        let page = format!("authoring.do?toolContentID={id}&contentFolderID=0&state=");
        let (platform, signature) = (&visitor.platform.id, &visitor.tool.signature);
        let mut address = tool_page(gateway.public_url(), platform, signature, &page);
        push_enc(&mut address, &state);
        address
    });
    Ok(Saved { ext_id, edit_again })
}
