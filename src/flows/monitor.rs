//! A monitor looks at an activity: `monitoring.do` (protocol 4): its sessions, a link to each, and who
//! has opened and finished them.

use std::collections::HashMap;

use chrono::{DateTime, Utc};

use super::admission::Visitor;
use super::results::Results;
use super::{Gateway, Refusal};
use crate::domain::content::Content;
use crate::domain::id::{ToolContentId, ToolSessionId};
use crate::domain::launch_record::Noted;
use crate::domain::own_address::tool_page;
use crate::domain::query::Query;
use crate::domain::redirect::{Redirect, SessionPage, SessionTarget};
use crate::domain::session::{Attendance, Session};
use crate::domain::state_token::Purpose;

/// What the monitor page shows.
#[derive(Debug)]
pub struct Monitoring {
    /// The tool's title.
    pub title: String,
    /// The server's name.
    pub server: String,
    /// The content.
    pub content: Content,
    /// Its sessions, by name.
    pub sessions: Vec<MonitoredSession>,
    /// What their learners have achieved, as the server says.
    pub results: Results,
}

/// One session on the monitor page.
#[derive(Debug)]
pub struct MonitoredSession {
    /// The session.
    pub session: Session,
    /// Where the monitor opens it.
    pub link: String,
    /// Who opened or finished it.
    pub people: Vec<Attendance>,
}

/// Gathers what a monitor sees. What is known of the launch goes to `noted`.
pub async fn open(
    gateway: &Gateway,
    visitor: &Visitor<'_>,
    query: &Query<'_>,
    now: DateTime<Utc>,
    noted: &mut Noted,
) -> Result<Monitoring, Refusal> {
    query.check()?;
    let id: ToolContentId = query.required("toolContentID")?.parse()?;
    noted.content = Some(id.get());
    noted.user = visitor.uid.as_ref().map(|person| person.name().to_owned());
    query.required("contentFolderID")?;
    let key = visitor.content_key(id);
    gateway.recorder().settle().await;
    let content = gateway
        .store
        .content(&key)
        .await?
        .ok_or(Refusal::UnknownContent)?;
    noted.server = Some(content.place.server.clone());
    let server = visitor
        .configuration
        .usable_server(content.place.server.as_str(), &visitor.tool.signature)?;
    let redirect =
        visitor.redirect(gateway, (server, &content.place), visitor.uid.as_ref(), now)?;
    let sessions = gateway.store.sessions_of(&key).await?;
    let mut people: HashMap<_, Vec<Attendance>> = HashMap::new();
    for (session, attendance) in gateway.store.attendance(&key).await? {
        people.entry(session).or_default().push(attendance);
    }

    let learners = sessions.iter().flat_map(|session| {
        let people = people.get(&session.key.id).into_iter().flatten();
        people.map(|person| (session.key.id, session.ext_id.clone(), person.name.clone()))
    });
    let results = Results::read(gateway, &content, learners.collect()).await;

    let sessions = sessions
        .into_iter()
        .map(|session| {
            let id = session.key.id;
            let link = if redirect.is_for_one_use() {
                // It would be over before the page is closed.
                way_to(gateway, visitor, id, now)
            } else {
                address_of(gateway, visitor, redirect, &session)
            };
            MonitoredSession {
                link,
                people: people.remove(&id).unwrap_or_default(),
                session,
            }
        })
        .collect();
    Ok(Monitoring {
        title: visitor.tool.title.clone(),
        server: server.name.clone(),
        content,
        sessions,
        results,
    })
}

/// The address of a session's page on the server, for who is sent there.
fn address_of(
    gateway: &Gateway,
    visitor: &Visitor<'_>,
    redirect: Redirect<'_>,
    session: &Session,
) -> String {
    let id = session.key.id;
    let until = gateway.expiry(Purpose::Look, redirect.now);
    let state = gateway.callback_state(visitor, Purpose::Look, id.get(), redirect.person, until);
    let target = SessionTarget {
        id,
        ext_id: session.ext_id.as_str(),
        finished: false,
    };
    redirect.session(SessionPage::Monitor, target, state.as_deref())
}

/// An address here that leads to a session's page on the server, signed when it is opened.
fn way_to(
    gateway: &Gateway,
    visitor: &Visitor<'_>,
    id: ToolSessionId,
    now: DateTime<Utc>,
) -> String {
    let (purpose, person) = (Purpose::Monitor, visitor.uid.as_ref());
    let until = gateway.expiry(purpose, now);
    let state = gateway.seal_state(visitor, purpose, id.get(), person, until);
    tool_page(
        gateway.public_url(),
        &visitor.platform.id,
        &visitor.tool.signature,
        &format!("monitoring.do?dispatch=openSession&toolSessionID={id}&state={state}"),
    )
}

/// Answers where a monitor goes who follows a link of the monitor's page, whose state names them. What is known of
/// it goes to `noted`.
pub async fn open_session(
    gateway: &Gateway,
    visitor: &Visitor<'_>,
    query: &Query<'_>,
    now: DateTime<Utc>,
    noted: &mut Noted,
) -> Result<String, Refusal> {
    let purposes = [Purpose::Monitor];
    let id = visitor.id_of_state::<ToolSessionId>(query, "toolSessionID", &purposes)?;
    let subject = visitor.subject(id.get());
    let opened = gateway
        .state_keys()
        .open(query.get("state"), &purposes, subject, now);
    let person = opened?.person;
    visitor.vouched.set(true);
    query.check()?;
    noted.session = Some(id.get());
    noted.user = person.as_ref().map(|person| person.name().to_owned());
    let key = visitor.session(id).to_key();
    let session = gateway.store.session(&key).await?;
    let session = session.ok_or(Refusal::UnknownSession)?;
    let content = gateway.store.content(&session.content_key()).await?;
    let content = content.ok_or(Refusal::UnknownSession)?;
    noted.content = Some(content.key.id.get());
    noted.server = Some(content.place.server.clone());
    let server = visitor
        .configuration
        .usable_server(content.place.server.as_str(), &visitor.tool.signature)?;
    let redirect = visitor.redirect(gateway, (server, &content.place), person.as_ref(), now)?;
    Ok(address_of(gateway, visitor, redirect, &session))
}
