//! What all pages of sysadmins have: navigation, style, headers. `{% extends "admin/base.html" %}` and a
//! [`Frame`] make a page one of them.

use actix_web::http::{StatusCode, header};
use actix_web::{HttpResponse, HttpResponseBuilder};
use askama::Template;

use super::guard::SignedIn;
use crate::flows::Gateway;
use crate::web::assets::VERSION;
use crate::web::problem::Problem;
use crate::web::words::Words;

/// One entry of the navigation.
pub(super) struct Entry {
    /// Its path behind `/admin/`, of one segment.
    pub(super) path: &'static str,
    /// Its name.
    pub(super) name: &'static str,
    /// What it is for, on the first page.
    pub(super) about: &'static str,
}

/// The navigation, in its order. A new page is one more entry here.
pub(super) const NAVIGATION: &[Entry] = &[
    Entry {
        path: "servers",
        name: "Servers",
        about: "The external LMSs: connect one, see how it does, try its connection.",
    },
    Entry {
        path: "tools",
        name: "Tools",
        about: "What teachers are offered: on which servers, where it leads, and tools of your own.",
    },
    Entry {
        path: "platforms",
        name: "Platforms",
        about: "The LAMS instances: connect one, its secrets, a launch to try.",
    },
    Entry {
        path: "connections",
        name: "Connections",
        about: "How learners are enrolled in an LMS, and which one a link belongs to.",
    },
    Entry {
        path: "configuration",
        name: "Configuration",
        about: "All that is connected, as a file: download it, or apply one.",
    },
    Entry {
        path: "launches",
        name: "Launches",
        about: "What happened, and why a launch failed: search, charts, live.",
    },
    Entry {
        path: "people",
        name: "People",
        about: "Who came into LAMS from a server, from which courses, and an address to try it.",
    },
    Entry {
        path: "journal",
        name: "Journal",
        about: "Calls to servers whose outcome nobody knows, and how to settle them.",
    },
    Entry {
        path: "audit",
        name: "Audit",
        about: "Who changed which setting, and what it was before.",
    },
    Entry {
        path: "sysadmins",
        name: "Sysadmins",
        about: "Who may sign in here: add and remove.",
    },
    Entry {
        path: "account",
        name: "Account",
        about: "Your password, and where you are signed in.",
    },
];

/// What every page has.
pub(super) struct Frame<'a> {
    /// The path under which browsers reach the gateway, empty or with a slash at its beginning.
    pub(super) base: &'a str,
    pub(super) version: &'static str,
    /// The path of the navigation's entry that the page belongs to; empty for the first page.
    pub(super) here: &'static str,
    /// Who is signed in.
    pub(super) who: Option<&'a str>,
    /// What each form carries: `{% include "admin/form_token.html" %}`.
    pub(super) form_token: String,
    /// What was just done.
    pub(super) done: Option<&'static str>,
    pub(super) navigation: &'static [Entry],
}

impl<'a> Frame<'a> {
    /// The frame of a page that belongs to an entry of the navigation.
    pub(super) fn of(gateway: &'a Gateway, who: &'a SignedIn, here: &'static str) -> Self {
        Self {
            here,
            who: Some(&who.session.name),
            form_token: who.ticket.form_token(),
            ..Self::outside(Some(gateway))
        }
    }

    /// The frame of a page for somebody who is not signed in.
    pub(super) fn outside(gateway: Option<&'a Gateway>) -> Self {
        Self {
            base: gateway.map_or("", Gateway::public_path),
            version: &VERSION,
            here: "",
            who: None,
            form_token: String::new(),
            done: None,
            navigation: NAVIGATION,
        }
    }

    /// The same, with what was just done.
    pub(super) fn done(self, done: Option<&'static str>) -> Self {
        Self { done, ..self }
    }
}

#[derive(Template)]
#[template(path = "admin/refusal.html")]
struct RefusalPage<'a> {
    frame: Frame<'a>,
    words: &'a Words,
    request_id: &'a str,
}

/// A refusal in words.
pub(in crate::web) fn refusal(
    words: &Words,
    request_id: &str,
    gateway: Option<&Gateway>,
) -> HttpResponse {
    let template = RefusalPage {
        frame: Frame::outside(gateway),
        words,
        request_id,
    };
    page(words.status, &template).unwrap_or_else(|error| {
        tracing::error!(%error, request_id, "the page of a refusal cannot be made");
        HttpResponse::build(words.status).body(format!(
            "{}\n{}\nRequest {request_id}\n",
            words.title, words.detail
        ))
    })
}

/// No script or style but the gateway's own, in no frame, forms to nowhere else.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; \
                      connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// A page's status: this one where something on it is wrong.
pub(super) fn status_if(wrong: bool, status: StatusCode) -> StatusCode {
    if wrong { status } else { StatusCode::OK }
}

/// A page with the headers that all of them have.
pub(super) fn page(status: StatusCode, template: &impl Template) -> Result<HttpResponse, Problem> {
    page_with(HttpResponse::build(status), template)
}

/// The same, with more headers.
pub(super) fn page_with(
    mut response: HttpResponseBuilder,
    template: &impl Template,
) -> Result<HttpResponse, Problem> {
    Ok(response
        .content_type("text/html; charset=utf-8")
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::CONTENT_SECURITY_POLICY, POLICY))
        // With no-referrer a browser would say Origin: null of these pages' own forms.
        .insert_header((header::REFERRER_POLICY, "same-origin"))
        .body(template.render()?))
}
