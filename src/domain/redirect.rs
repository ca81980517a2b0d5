//! The addresses that browsers are sent to: a tool's template, filled from what is stored, with the
//! gateway's own callback or return address within, and a signature at the end where the server wants one:
//! the legacy `un`, `ts`, `hs` (protocol 2 to 4 and 6.1, to the byte), or signature 2 ([`super::signature2`]).

use chrono::{DateTime, Utc};
use url::Url;

use super::content::PlaceRef;
use super::enc::push_enc;
use super::id::{ExtId, PlatformId, ToolContentId, ToolSessionId};
use super::own_address::{OwnAddress, OwnPage};
use super::person::Person;
use super::server::{Server, Signing};
use super::signature2::{self, NO_BODY, Nonce, Request};
use super::tool::{Address, Fill, Out, Signed, Source, Tool, Value};

/// What every address of one tool on one server is made with.
#[derive(Debug, Clone, Copy)]
pub struct Redirect<'a> {
    /// How browsers reach the gateway, without a slash at the end.
    pub public_url: &'a str,
    /// The platform that the browser came from.
    pub platform: &'a PlatformId,
    /// The tool.
    pub tool: &'a Tool,
    /// The server.
    pub server: &'a Server,
    /// Where the content lives there.
    pub place: PlaceRef<'a>,
    /// Who is sent, where that is known; only a known person is sent with a signature.
    pub person: Option<&'a Person>,
    /// The time of the signature.
    pub now: DateTime<Utc>,
    /// Makes the nonce of a signature 2.
    pub nonce: fn() -> Nonce,
}

/// Most addresses are no longer than this, in bytes.
const USUAL: usize = 512;

/// Which page of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionPage {
    /// A learner's.
    Learner,
    /// An author's preview.
    Preview,
    /// A teacher's view.
    Teacher,
    /// What a monitor opens.
    Monitor,
}

/// A session as its addresses need it.
#[derive(Debug, Clone, Copy)]
pub struct SessionTarget<'a> {
    /// Its number on the platform.
    pub id: ToolSessionId,
    /// Its id on the server.
    pub ext_id: &'a str,
    /// Whether the person has finished it.
    pub finished: bool,
}

impl Redirect<'_> {
    /// The author page: for content with `ext_id` the one that edits it. `state` goes into the
    /// callback address.
    pub fn author(&self, id: ToolContentId, ext_id: Option<&ExtId>, state: Option<&str>) -> String {
        let mut address = String::with_capacity(USUAL);
        self.push_author(&mut address, id, ext_id, state);
        address
    }

    /// The same, appended to `out`.
    pub fn push_author(
        &self,
        out: &mut impl Out,
        id: ToolContentId,
        ext_id: Option<&ExtId>,
        state: Option<&str>,
    ) {
        let id = id.to_string();
        let named = self.tool.callback_names_content.then_some(&*id);
        let callback = self.own(OwnPage::Callback(named), state);
        let (template, ext_id) = match ext_id {
            Some(ext_id) => (&self.tool.author_saved, ext_id.as_str()),
            None => (&self.tool.author_new, ""),
        };
        self.push_filled(out, template, |value| match value {
            Value::UpdateUrl => Fill::Own(&callback),
            Value::ToolContentId => Fill::Text(&id),
            Value::ExtToolContentId => Fill::Text(ext_id),
            _ => Fill::Text(""),
        });
    }

    /// A page of a session. `state` goes into the return address.
    pub fn session(
        &self,
        page: SessionPage,
        session: SessionTarget<'_>,
        state: Option<&str>,
    ) -> String {
        let mut address = String::with_capacity(USUAL);
        self.push_session(&mut address, page, session, state);
        address
    }

    /// The same, appended to `out`.
    pub fn push_session(
        &self,
        out: &mut impl Out,
        page: SessionPage,
        session: SessionTarget<'_>,
        state: Option<&str>,
    ) {
        let id = session.id.to_string();
        let back = self.own(OwnPage::Return(&id), state);
        let template = match page {
            SessionPage::Learner => &self.tool.learner,
            SessionPage::Preview => &self.tool.preview,
            SessionPage::Teacher => &self.tool.teacher,
            SessionPage::Monitor => &self.tool.monitor,
        };
        self.push_filled(out, template, |value| match value {
            Value::ReturnUrl => Fill::Own(&back),
            Value::ToolSessionId => Fill::Text(&id),
            Value::ExtSessionId => Fill::Text(session.ext_id),
            Value::IsFinished if session.finished => Fill::Text("true"),
            Value::IsFinished => Fill::Text("false"),
            _ => Fill::Text(""),
        });
    }

    fn own<'a>(&'a self, page: OwnPage<'a>, state: Option<&'a str>) -> OwnAddress<'a> {
        OwnAddress {
            public_url: self.public_url,
            platform: self.platform,
            signature: &self.tool.signature,
            page,
            state,
        }
    }

    fn push_filled<'v>(
        &'v self,
        out: &mut impl Out,
        template: &Address,
        own: impl Fn(&Value) -> Fill<'v>,
    ) {
        template.push(out, |value| {
            Fill::Text(match value {
                Value::Server => self.server.url.as_str(),
                Value::CourseUrl => self.place.course_url.unwrap_or_default(),
                Value::User => self.place.user,
                Value::Course => self.place.course,
                Value::Section => self.place.section.unwrap_or_default(),
                Value::Config(name) => self.server.item(self.tool, name),
                Value::ExtLmsId => self.server.id.as_str(),
                value => return own(value),
            })
        });
        self.push_signature(out);
    }

    /// Whether addresses are signed by signature 2, each for five minutes and one use.
    pub fn is_for_one_use(&self) -> bool {
        let server = self.server;
        server.signing == Signing::Two
            && server.sign_redirects
            && server.key.is_some()
            && self.person.is_some()
    }

    /// Appends a signature where the server wants one and the person is known.
    fn push_signature(&self, out: &mut impl Out) {
        let Some(person) = self.person.filter(|_| self.server.sign_redirects) else {
            return;
        };
        let un = person.external_login(self.server);
        match self.server.signing {
            Signing::Legacy => self.push_legacy(out, un),
            Signing::Two => self.push_signature2(out, un),
        }
    }

    fn push_legacy(&self, out: &mut impl Out, un: &str) {
        let ts = self.now.timestamp_millis().to_string();
        let Some(hs) = self.server.hash(&ts, un) else {
            return;
        };
        push_login(out, un);
        out.put(|| Source::Signature(Signed::Time), &ts, behind("&ts="));
        out.put(|| Source::Signature(Signed::Hash), &hs, behind("&hs="));
    }

    fn push_signature2(&self, out: &mut impl Out, un: &str) {
        if self.server.key.is_none() {
            return;
        }
        push_login(out, un);
        let [(_, ts), (_, nonce), (_, version)] = signature2::stamp(self.now, (self.nonce)());
        out.put(|| Source::Signature(Signed::Time), &ts, behind("&ts="));
        out.put(
            || Source::Signature(Signed::Nonce),
            &nonce,
            behind("&nonce="),
        );
        out.put(
            || Source::Signature(Signed::Version),
            &version,
            behind("&sv="),
        );
        // Path and query as a browser makes them of this address.
        let Ok(url) = Url::parse(&out.text()) else {
            return;
        };
        let request = Request {
            method: "GET",
            path: url.path(),
            query: url.query().unwrap_or_default(),
            body: NO_BODY,
        };
        if let Some(sig) = self.server.signature2(request) {
            out.put(
                || Source::Signature(Signed::Signature2),
                &sig,
                behind("&sig="),
            );
        }
    }
}

fn push_login(out: &mut impl Out, un: &str) {
    let first = if out.has_query() { "&un=" } else { "?un=" };
    out.put(
        || Source::Signature(Signed::Login),
        un,
        |text, un| {
            text.push_str(first);
            push_enc(text, un);
        },
    );
}

/// Writes digits behind their name.
fn behind(name: &'static str) -> impl FnOnce(&mut String, &str) {
    move |text, digits| {
        text.push_str(name);
        text.push_str(digits);
    }
}

#[cfg(test)]
mod tests;
