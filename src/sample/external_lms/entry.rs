//! How people come in: with an address that the gateway signed (protocol 6.1), or with the ticket that
//! they were given then. Nothing of an address is believed before its signature is checked.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use chrono::Utc;
use secrecy::ExposeSecret;
use subtle::ConstantTimeEq;

use super::activity::{Activity, Kind};
use super::refusal::Refusal;
use super::ticket::Purpose;
use super::{ExternalLms, author, learner, way_back};
use crate::domain::hash::external_hash;
use crate::domain::query::Query;
use crate::domain::server::Signing;
use crate::domain::signature2::{self, NO_BODY};
use crate::sample::page;

/// Somebody who is known, and what they came for.
#[derive(Debug)]
pub(super) struct Visit {
    /// The number of their ticket.
    pub(super) ticket: String,
    /// Their login.
    pub(super) user: String,
    /// What they came for.
    pub(super) purpose: Purpose,
    /// Whether they came with an address that is good once.
    once: bool,
}

/// A GET, as a signature covers it.
pub(super) fn get(request: &HttpRequest) -> signature2::Request<'_> {
    signature2::Request {
        method: request.method().as_str(),
        path: request.path(),
        query: request.query_string(),
        body: NO_BODY,
    }
}

impl ExternalLms {
    /// Who signed a request: the checked `un`.
    pub(super) fn signed_user<'q>(
        &self,
        sent: signature2::Request<'_>,
        query: &'q Query<'_>,
    ) -> Result<&'q str, Refusal> {
        match self.config.signing {
            Signing::Legacy => self.by_hash(query),
            Signing::Two => self.by_signature2(sent, query),
        }
    }

    fn by_signature2<'q>(
        &self,
        sent: signature2::Request<'_>,
        query: &'q Query<'_>,
    ) -> Result<&'q str, Refusal> {
        let (key, id) = (
            self.config.server_key.expose_secret(),
            &self.config.server_id,
        );
        let verified = signature2::verify(key, id, sent, Utc::now())?;
        if !self.lock().take_nonce(verified) {
            return Err(Refusal::CameBefore);
        }
        query.required("un").map_err(|_| Refusal::NotSigned)
    }

    fn by_hash<'q>(&self, query: &'q Query<'_>) -> Result<&'q str, Refusal> {
        let given = |name| query.required(name).map_err(|_| Refusal::NotSigned);
        let (un, ts, hs) = (given("un")?, given("ts")?, given("hs")?);
        let key = self.config.server_key.expose_secret();
        let expected = external_hash(ts, un, &self.config.server_id, key);
        if bool::from(hs.as_bytes().ct_eq(expected.as_bytes())) {
            Ok(un)
        } else {
            Err(Refusal::WrongHash)
        }
    }

    /// Lets somebody in: by the ticket in the address, or by its signature and for what `purpose` reads
    /// from it.
    pub(super) fn visit(
        &self,
        request: &HttpRequest,
        query: &Query<'_>,
        purpose: impl FnOnce(&Query<'_>) -> Result<Purpose, Refusal>,
    ) -> Result<Visit, Refusal> {
        if let Some(number) = query.get("ticket") {
            return self.visit_again(number);
        }
        let user = self.signed_user(get(request), query)?;
        query.check()?;
        let purpose = purpose(query)?;
        let ticket = self.lock().issue_ticket(user, purpose.clone());
        Ok(Visit {
            ticket,
            user: user.to_owned(),
            purpose,
            once: self.config.signing == Signing::Two,
        })
    }

    /// Lets somebody in who was here before.
    pub(super) fn visit_again(&self, number: &str) -> Result<Visit, Refusal> {
        let state = self.lock();
        let ticket = state.ticket(number).ok_or(Refusal::NoTicket)?;
        Ok(Visit {
            ticket: number.to_owned(),
            user: ticket.user.clone(),
            purpose: ticket.purpose.clone(),
            once: false,
        })
    }

    /// The activity that the parameter `id` names, of a kind if one is asked for.
    pub(super) fn named(&self, query: &Query<'_>, kind: Option<Kind>) -> Result<Activity, Refusal> {
        let id = query.required("id")?;
        id.trim()
            .parse()
            .ok()
            .and_then(|id| self.activity(id))
            .filter(|activity| kind.is_none_or(|kind| activity.kind == kind))
            .ok_or_else(|| Refusal::NoActivity {
                kind,
                id: id.chars().take(40).collect(),
            })
    }

    /// An activity that a ticket is for.
    pub(super) fn ticketed(&self, id: u64) -> Result<Activity, Refusal> {
        self.activity(id).ok_or(Refusal::NoActivity {
            kind: None,
            id: id.to_string(),
        })
    }

    /// The checked `returnUrl`.
    pub(super) fn way_back(&self, query: &Query<'_>) -> Result<String, Refusal> {
        way_back::return_address(query.required("returnUrl")?, self.return_base())
    }

    /// What somebody wants of `lamsframes.php`: to author with `lamsUpdateURL`, else to learn.
    fn purpose_of_frames(&self, query: &Query<'_>) -> Result<Purpose, Refusal> {
        let Some(update_url) = query.get("lamsUpdateURL") else {
            if query.get("returnUrl").is_none() {
                return Err(Refusal::NoWayBack);
            }
            return Ok(Purpose::Learn {
                id: self.named(query, None)?.id,
                back: self.way_back(query)?,
                finished: query.get("isFinished") == Some("true"),
            });
        };
        let update_address = way_back::update_address(update_url, self.return_base())?;
        if query.get("id").is_some_and(|id| id != "0") {
            let id = self.named(query, None)?.id;
            return Ok(Purpose::Edit { id, update_address });
        }
        let add = query.required("add")?;
        Ok(Purpose::Create {
            kind: Kind::of_add(add).ok_or(Refusal::UnknownAdd)?,
            course: course(query),
            update_address,
        })
    }
}

impl Visit {
    /// The same page under an address that may be reloaded, for who came with one that may not.
    pub(super) fn goes_on(&self, request: &HttpRequest) -> Option<HttpResponse> {
        let address = || format!("{}?ticket={}", request.path(), self.ticket);
        self.once
            .then(|| page::redirect(StatusCode::SEE_OTHER, &address()))
    }
}

/// The course that an address names; the adapters write `null` where they know none.
pub(super) fn course(query: &Query<'_>) -> String {
    let named = query.get("course").or(query.get("cs")).unwrap_or_default();
    let named = if named == "null" { "" } else { named };
    named.chars().take(100).collect()
}

/// `GET /course/lamsframes.php`: authors and learners.
pub(super) async fn lams_frames(
    request: HttpRequest,
    lms: web::Data<ExternalLms>,
) -> Result<HttpResponse, Refusal> {
    let query = Query::parse(request.query_string());
    let visit = lms.visit(&request, &query, |query| lms.purpose_of_frames(query))?;
    if let Some(on) = visit.goes_on(&request) {
        return Ok(on);
    }
    match &visit.purpose {
        Purpose::Create { .. } | Purpose::Edit { .. } => author::form(&lms, &visit),
        Purpose::Learn { .. } => learner::page(&lms, &visit),
        Purpose::Monitor { .. } | Purpose::Look { .. } => Err(Refusal::NoTicket),
    }
}
