//! An author opens an activity: `authoring.do` (protocol 2.1 and 2.2).

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use super::admission::{Proof, Visitor};
use super::{Gateway, Refusal};
use crate::domain::base_url::is_within;
use crate::domain::configuration::Configuration;
use crate::domain::content::{Content, ContentKey, Place};
use crate::domain::custom_csv::CustomCsv;
use crate::domain::id::ToolContentId;
use crate::domain::launch_mode::LaunchMode;
use crate::domain::launch_record::Noted;
use crate::domain::person::Person;
use crate::domain::query::Query;
use crate::domain::redirect::Redirect;
use crate::domain::server::Server;
use crate::domain::state_token::Purpose;
use crate::domain::tool::Tool;

/// How long learners wait for a teacher who edits a running activity and never saves.
const EDIT_LOCK: TimeDelta = TimeDelta::minutes(30);

/// Opens the author page: stores content that is new, and answers where the browser goes.
///
/// What is known of the launch goes to `noted`, also where it is refused.
/// Saved values win over a later, different customCSV; its form and person are checked all the same.
pub async fn open(
    gateway: &Gateway,
    visitor: &Visitor,
    query: &Query<'_>,
    now: DateTime<Utc>,
    noted: &mut Noted,
) -> Result<String, Refusal> {
    query.check()?;
    let id: ToolContentId = query.required("toolContentID")?.parse()?;
    noted.content = Some(id.get());
    query.required("contentFolderID")?;
    let mode = query
        .get("mode")
        .map(str::parse::<LaunchMode>)
        .transpose()?;
    let csv = match query.get("customCSV") {
        Some(text) => Some(CustomCsv::parse(text, &visitor.tool.custom_csv)?),
        None => None,
    };

    let (proven, launcher) = match &visitor.proof {
        Proof::Signature => (true, visitor.uid.clone()),
        Proof::EditAgain(author) => (true, author.clone().or_else(|| visitor.uid.clone())),
        Proof::Nothing => (false, visitor.uid.clone()),
    };
    let named_user = csv.as_ref().map(|csv| csv.user.as_str());
    noted.user = launcher
        .as_ref()
        .map(Person::name)
        .or(named_user)
        .map(str::to_owned);
    let key = visitor.content_key(id);
    let stored = gateway.store.content(&key).await?;
    let check_person = |server: &Server| match (&launcher, &csv) {
        (Some(launcher), Some(csv))
            if proven && !is_same_login(launcher.external_login(server), &csv.user) =>
        {
            Err(Refusal::SomebodyElse)
        }
        _ => Ok(()),
    };
    let content = match stored {
        Some(content) => content,
        None => {
            let csv = csv.as_ref().ok_or(Refusal::CustomCsvMissing)?;
            let named = query.get("extLmsId").filter(|id| !id.trim().is_empty());
            let (server, place) = place_of(&visitor.configuration, &visitor.tool, csv, named)?;
            check_person(&server)?;
            gateway.insert_content(&key, &place, now).await?
        }
    };
    noted.server = Some(content.place.server.clone());
    let server = visitor
        .configuration
        .usable_server(content.place.server.as_str(), &visitor.tool.signature)?;
    check_person(server)?;
    if mode == Some(LaunchMode::Teacher) {
        gateway.store.lock_content(&key, now + EDIT_LOCK).await?;
    }

    let person = launcher.or_else(|| csv.map(|csv| Person::External(csv.user)));
    let state = gateway.callback_state(visitor, Purpose::Update, id.get(), person.as_ref(), now);
    let redirect = Redirect {
        public_url: gateway.public_url(),
        platform: &visitor.platform.id,
        tool: &visitor.tool,
        server,
        place: &content.place,
        person: person.as_ref(),
        now,
    };
    Ok(redirect.author(id, content.ext_id.as_ref(), state.as_deref()))
}

/// Whether two names are of one login: LAMS and its servers do not regard case.
pub(super) fn is_same_login(one: &str, other: &str) -> bool {
    one.trim().to_lowercase() == other.trim().to_lowercase()
}

/// Where new content goes, by what its customCSV says.
pub(super) fn place_of(
    configuration: &Configuration,
    tool: &Tool,
    csv: &CustomCsv,
    ext_lms_id: Option<&str>,
) -> Result<(Arc<Server>, Place), Refusal> {
    let server = configuration
        .choose_server(&tool.signature, csv, ext_lms_id)?
        .clone();
    let place = place_on(&server, csv)?;
    Ok((server, place))
}

/// Where new content goes on its server.
pub(super) fn place_on(server: &Server, csv: &CustomCsv) -> Result<Place, Refusal> {
    let address = csv.course_url.as_deref();
    if address.is_some_and(|address| !is_within(address, server.url.origin())) {
        return Err(Refusal::CourseUrl(server.id.clone()));
    }
    Ok(Place {
        server: server.id.clone(),
        user: csv.user.clone(),
        course: csv.course.clone(),
        section: csv.section.clone(),
        course_url: csv.course_url.clone(),
    })
}

impl Gateway {
    /// Stores new content, or answers what another request stored first.
    async fn insert_content(
        &self,
        key: &ContentKey,
        place: &Place,
        now: DateTime<Utc>,
    ) -> Result<Content, Refusal> {
        self.store.insert_content(key, place, now).await?;
        self.store
            .content(key)
            .await?
            .ok_or(Refusal::UnknownContent)
    }
}
