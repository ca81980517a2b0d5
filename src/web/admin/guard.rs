//! Who may see and change what is under `/admin/`: only who is signed in, and only from a form that these
//! pages made for that very session.
//!
//! A change passes three locks, each enough against a page of another site: the browser's own word where
//! the request comes from, the cookie that is not sent along from elsewhere (`SameSite=Strict`), and the
//! form's token, which nobody can read or make but the session's owner.

use actix_web::body::BoxBody;
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::{Method, header};
use actix_web::middleware::Next;
use actix_web::{Error, FromRequest, HttpRequest, web};
use chrono::Utc;
use futures_util::future::LocalBoxFuture;
use url::Url;

use super::cookies::Cookie;
use super::forms::Fields;
use super::{address, next};
use crate::domain::audit::Actor;
use crate::domain::ticket::Ticket;
use crate::flows::Gateway;
use crate::flows::sysadmin::sessions;
use crate::store::SessionRecord;
use crate::web::front_door::vouch;
use crate::web::problem::Problem;

/// The field of every form that carries its token.
const FORM_TOKEN: &str = "form_token";

/// A sysadmin who is signed in. Taken by a handler that shows something; one that changes something takes
/// [`Posted`].
pub(super) struct SignedIn {
    /// The session's id, which the browser holds.
    pub(super) ticket: Ticket,
    /// The session, and whose it is.
    pub(super) session: SessionRecord,
}

impl SignedIn {
    /// Who acts, for the audit.
    pub(super) fn actor(&self) -> Actor {
        Actor::Sysadmin(self.session.name.clone())
    }

    /// Whether a form was made for this session.
    fn check(&self, form_token: &str) -> Result<(), Problem> {
        if self.ticket.made_form_token(form_token) {
            Ok(())
        } else {
            Err(Problem::FormToken)
        }
    }

    async fn of(request: &HttpRequest) -> Result<Option<Self>, Problem> {
        let gateway = gateway(request)?;
        let Some(ticket) = Cookie::Session.of(request, gateway) else {
            return Ok(None);
        };
        let session = sessions::current(gateway, &ticket, Utc::now()).await?;
        Ok(session.map(|session| {
            vouch(request);
            Self { ticket, session }
        }))
    }
}

impl FromRequest for SignedIn {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            if !is_safe(request.method()) {
                let defect = "a handler that changes something did not ask for the form's token";
                return Err(Problem::Defect(defect.to_owned()));
            }
            let gateway = gateway(&request)?;
            Self::of(&request).await?.ok_or_else(|| {
                let wanted = request
                    .uri()
                    .path_and_query()
                    .map_or("", |uri| uri.as_str());
                Problem::SignInFirst(address(gateway, &next::sign_in_and_then(wanted)))
            })
        })
    }
}

/// A sysadmin who is signed in, if it is one.
pub(super) struct MaybeSignedIn(pub(super) Option<SignedIn>);

impl FromRequest for MaybeSignedIn {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move { Ok(Self(SignedIn::of(&request).await?)) })
    }
}

/// A sysadmin whose page asks by itself for what is new: that keeps no session open.
pub(super) struct Watching;

impl FromRequest for Watching {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let gateway = gateway(&request)?;
            let ticket = Cookie::Session.of(&request, gateway);
            let ticket = ticket.ok_or(Problem::SignedOut)?;
            let session = sessions::still(gateway, &ticket, Utc::now()).await?;
            session.ok_or(Problem::SignedOut)?;
            vouch(&request);
            Ok(Self)
        })
    }
}

/// A form that a sysadmin sent, its token checked.
pub(super) struct Posted {
    /// Who sent it.
    pub(super) who: SignedIn,
    /// What it holds.
    pub(super) fields: Fields,
}

impl FromRequest for Posted {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let fields = Fields::from_request(request, payload);
        let request = request.clone();
        Box::pin(async move {
            let who = SignedIn::of(&request).await?.ok_or(Problem::SignedOut)?;
            let fields = fields.await?;
            who.check(fields.get(FORM_TOKEN))?;
            Ok(Self { who, fields })
        })
    }
}

/// The middleware of all these pages: what changes something has to come from one of them.
pub(super) async fn same_origin(
    request: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let allowed = is_safe(request.method())
        || gateway(request.request())
            .is_ok_and(|gateway| comes_from_us(request.request(), gateway.public_url()));
    if allowed {
        next.call(request).await
    } else {
        Ok(request.error_response(Problem::CrossSite))
    }
}

fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD)
}

/// Whether the browser says that a request comes from a page of the gateway. `Sec-Fetch-Site` says it
/// best, but is sent to https and loopback addresses only; every browser sends `Origin` with a form. A
/// request with neither is no browser's.
fn comes_from_us(request: &HttpRequest, public_url: &str) -> bool {
    let said = |name: &str| request.headers().get(name).map(|value| value.as_bytes());
    match (said("sec-fetch-site"), said(header::ORIGIN.as_str())) {
        (Some(site), _) => site == b"same-origin" || site == b"none",
        (None, Some(origin)) => Url::parse(public_url)
            .is_ok_and(|url| url.origin().ascii_serialization().as_bytes() == origin),
        (None, None) => false,
    }
}

fn gateway(request: &HttpRequest) -> Result<&Gateway, Problem> {
    request
        .app_data::<web::Data<Gateway>>()
        .map(|gateway| gateway.get_ref())
        .ok_or_else(|| Problem::Defect("the application has no gateway".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    fn from_us(headers: &[(&'static str, &'static str)]) -> bool {
        let mut request = TestRequest::post();
        for header in headers {
            request = request.insert_header(*header);
        }
        comes_from_us(&request.to_http_request(), "https://gate.example.org/tools")
    }

    #[test]
    fn the_browsers_word_counts_first() {
        assert!(from_us(&[("sec-fetch-site", "same-origin")]));
        assert!(from_us(&[("sec-fetch-site", "none")]));
        for site in ["cross-site", "same-site", ""] {
            let origin = ("origin", "https://gate.example.org");
            assert!(!from_us(&[("sec-fetch-site", site), origin]), "{site}");
        }
    }

    #[test]
    fn without_it_the_origin_has_to_be_ours() {
        assert!(from_us(&[("origin", "https://gate.example.org")]));
        for origin in [
            "https://evil.example",
            "http://gate.example.org",
            "https://gate.example.org:8443",
            "https://gate.example.org.evil.example",
            "https://gate.example.org/tools",
            "null",
            "",
        ] {
            assert!(!from_us(&[("origin", origin)]), "{origin}");
        }
        assert!(!from_us(&[]));
    }
}
