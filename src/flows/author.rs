//! An author opens an activity: `authoring.do` (protocol 2.1 and 2.2).

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use super::admission::{Proof, Visitor};
use super::remembered::{self, Whose};
use super::{Gateway, Refusal};
use crate::domain::base_url::is_within;
use crate::domain::configuration::Configuration;
use crate::domain::content::Place;
use crate::domain::custom_csv::{CustomCsv, NamedServer};
use crate::domain::id::ToolContentId;
use crate::domain::launch_mode::LaunchMode;
use crate::domain::launch_record::Noted;
use crate::domain::person::{Person, login_key};
use crate::domain::platform::CsvSource;
use crate::domain::query::Query;
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
    visitor: &Visitor<'_>,
    query: &Query<'_>,
    now: DateTime<Utc>,
    noted: &mut Noted,
) -> Result<String, Refusal> {
    query.check()?;
    let id: ToolContentId = query.required("toolContentID")?.parse()?;
    noted.content = Some(id.get());
    query.required("contentFolderID")?;
    let again = match &visitor.proof {
        Proof::EditAgain(state) => Some(state),
        Proof::Signature | Proof::Nothing => None,
    };
    // The state of the saved page's link covers no mode, and no place for new content.
    let mode = query.get("mode").filter(|_| again.is_none());
    let mode = mode.map(str::parse::<LaunchMode>).transpose()?;
    let csv = match query.get("customCSV") {
        Some(text) => Some(CustomCsv::parse(text, &visitor.tool.custom_csv)?),
        None => None,
    };

    let proven = visitor.proof != Proof::Nothing;
    let launcher = again
        .and_then(|state| state.person.clone())
        .or_else(|| visitor.uid.clone());
    let named_user = csv.as_ref().map(|csv| csv.user.as_str());
    noted.user = launcher
        .as_ref()
        .map(Person::name)
        .or(named_user)
        .map(str::to_owned);
    let key = visitor.content_key(id);
    let check_person = |server: &Server, csv: &CustomCsv| match &launcher {
        Some(launcher) if proven && !is_same_login(launcher.external_login(server), &csv.user) => {
            Err(Refusal::SomebodyElse)
        }
        _ => Ok(()),
    };
    let check_given =
        |server: &Server| csv.as_ref().map_or(Ok(()), |csv| check_person(server, csv));
    let place_of_new = |counts: &CustomCsv, named: Option<&str>| {
        let (server, place) = place_of(visitor.configuration, visitor.tool, counts, named)?;
        check_given(&server)?;
        check_person(&server, counts)?;
        Ok::<_, Refusal>(place)
    };
    let named = query.get("extLmsId").filter(|id| !id.trim().is_empty());
    // Where the address says all of where new content would go, it is looked for and stored at once.
    let place = match (visitor.platform.custom_csv, &csv) {
        (CsvSource::Accepted, Some(csv)) if again.is_none() => place_of_new(csv, named).ok(),
        _ => None,
    };
    let stored = match place {
        Some(place) => gateway.store.content_or_new(&key, &place, now).await?,
        None => gateway.store.content(&key).await?,
    };
    let content = match stored {
        Some(content) => {
            if let (CsvSource::Remembered, Some(csv), Some(launcher)) =
                (visitor.platform.custom_csv, &csv, &launcher)
            {
                let whose = Whose {
                    platform: &key.platform,
                    lams_login: launcher.name(),
                    server: None,
                };
                remembered::is_one_of(gateway, csv, visitor.tool, whose, now).await?;
            }
            content
        }
        None if again.is_some() => return Err(Refusal::UnknownContent),
        None => {
            let given = Given {
                csv: csv.as_ref(),
                server: named,
                launcher: launcher.as_ref(),
            };
            let (counts, named) = counting(gateway, visitor, given, now, noted).await?;
            let place = place_of_new(&counts, named.as_deref())?;
            let content = gateway.store.content_or_new(&key, &place, now).await?;
            content.ok_or(Refusal::UnknownContent)?
        }
    };
    noted.server = Some(content.place.server.clone());
    let server = visitor
        .configuration
        .usable_server(content.place.server.as_str(), &visitor.tool.signature)?;
    check_given(server)?;
    let person = launcher.or_else(|| csv.map(|csv| Person::External(csv.user.into())));
    let until = again.map(|state| state.expires_at);
    let until = until.unwrap_or_else(|| gateway.expiry(Purpose::Update, now));
    let state = gateway.callback_state(visitor, Purpose::Update, id.get(), person.as_ref(), until);
    let redirect = visitor.redirect(gateway, (server, &content.place), person.as_ref(), now)?;
    if mode == Some(LaunchMode::Teacher) {
        gateway.store.lock_content(&key, now + EDIT_LOCK).await?;
    }
    Ok(redirect.author(id, content.ext_id.as_ref(), state.as_deref()))
}

/// What an author's launch says of where new content goes.
#[derive(Clone, Copy)]
struct Given<'a> {
    csv: Option<&'a CustomCsv>,
    /// `extLmsId`.
    server: Option<&'a str>,
    launcher: Option<&'a Person>,
}

/// The customCSV that counts for new content, and the server that is named beside it: the one in the address,
/// else the one that the author's login brought; the latter alone where the platform wants that.
async fn counting(
    gateway: &Gateway,
    visitor: &Visitor<'_>,
    given: Given<'_>,
    now: DateTime<Utc>,
    noted: &mut Noted,
) -> Result<(CustomCsv, Option<String>), Refusal> {
    let policy = visitor.platform.custom_csv;
    if let (CsvSource::Accepted, Some(csv)) = (policy, given.csv) {
        return Ok((csv.clone(), given.server.map(str::to_owned)));
    }
    // Nobody came by a login whom the launch does not name.
    let launcher = given.launcher.ok_or(Refusal::CustomCsvMissing)?;
    let of_csv = given.csv.and_then(|csv| match &csv.server {
        Some(NamedServer::Id(id)) => Some(id.as_str()),
        _ => None,
    });
    let whose = Whose {
        platform: &visitor.platform.id,
        lams_login: launcher.name(),
        server: given.server.or(of_csv),
    };
    let (configuration, tool) = (&visitor.configuration, &visitor.tool);
    let recalled = remembered::recall(gateway, configuration, tool, whose, now).await?;
    if given.csv.is_some_and(|csv| *csv != recalled.csv) {
        return Err(Refusal::NotAsRemembered);
    }
    noted.remembered = Some(recalled.from);
    Ok((recalled.csv, Some(recalled.server)))
}

/// Whether two names are of one login: LAMS and its servers do not regard case.
pub(super) fn is_same_login(one: &str, other: &str) -> bool {
    login_key(one) == login_key(other)
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
