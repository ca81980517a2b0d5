//! Which LMS a link belongs to: what Joanie calls `get_all_lms` and `select_lms`.

use crate::domain::configuration::Configuration;
use crate::domain::lms::{Fate, Lms, NoCourseId, choose, course_id, not_a_link};
use crate::flows::{Gateway, Refusal};

/// The LMS of a link.
#[derive(Debug, Clone)]
pub struct Selected {
    /// It; nothing where none matches.
    pub lms: Option<Lms>,
    /// The course in the link.
    pub course: Option<String>,
    /// Why this LMS, or why none, in a sentence.
    pub why: String,
}

/// All LMSs of enabled servers, in the order in which links are tried.
pub fn all(gateway: &Gateway) -> Vec<Lms> {
    let configuration = gateway.configuration();
    configuration.connections().into_iter().cloned().collect()
}

/// The LMS that a link belongs to, and why.
pub fn select(gateway: &Gateway, link: &str) -> Selected {
    let configuration = gateway.configuration();
    let connections = configuration.connections();
    let Some(choice) = choose(&connections, Some(link)) else {
        let why = match not_a_link(link) {
            Some(why) => why.to_owned(),
            None if connections.is_empty() => "no LMS is configured".to_owned(),
            None => format!(
                "the link matches the selector of none of the {} LMSs",
                connections.len()
            ),
        };
        return Selected {
            lms: None,
            course: None,
            why,
        };
    };
    let course = course_id(choice.lms, link);
    let why = match &course {
        Ok(_) => choice.why,
        Err(error) => format!("{}; but {error}", choice.why),
    };
    Selected {
        lms: Some(choice.lms.clone()),
        course: course.ok(),
        why,
    }
}

/// What became of each LMS when a link was looked up, those of disabled servers included.
pub fn explain(gateway: &Gateway, link: &str) -> Vec<(Lms, String)> {
    let configuration = gateway.configuration();
    let fates = crate::domain::lms::explain(&configuration.connections(), link);
    let told = fates
        .into_iter()
        .filter(|(_, fate)| *fate != Fate::Chosen)
        .map(|(lms, fate)| (lms.clone(), fate.to_string()));
    let off = configuration.servers().filter(|server| !server.enabled);
    let off = off.filter_map(|server| server.lms.clone());
    told.chain(off.map(|lms| (lms, "its server is disabled".to_owned())))
        .collect()
}

/// The LMS and the course of a link that has to have both.
pub(super) fn found<'a>(
    configuration: &'a Configuration,
    link: &str,
) -> Result<(&'a Lms, String), Refusal> {
    let connections = configuration.connections();
    let lms = choose(&connections, Some(link)).ok_or(Refusal::NoLms)?.lms;
    // The connection lives as long as the configuration, not as the list of them.
    let server = configuration.server(lms.server.as_str());
    let lms = server
        .and_then(|server| server.lms.as_ref())
        .ok_or(Refusal::NoLms)?;
    let course = course_id(lms, link).map_err(|error: NoCourseId| Refusal::NoCourseId(error))?;
    Ok((lms, course))
}
