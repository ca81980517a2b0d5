//! What a launch would do, told part by part and done by nobody: how a customCSV is read, and the addresses
//! that a tool makes of it, by the very code that launches use.
//!
//! It stores nothing and makes nothing. What it shows cannot be used: a placeholder stands for the state, and
//! signatures are made with no server's key, and masked.

mod question;

use std::sync::Arc;

use chrono::{DateTime, Utc};
use secrecy::SecretString;

use question::Ids;
pub use question::{Question, QuestionPart, Refused};

use super::admission::lams_login;
use super::author::{is_same_login, place_on};
use super::{Gateway, Refusal, random};
use crate::domain::audit::MASK;
use crate::domain::configuration::{Configuration, ServerChoiceError};
use crate::domain::content::Place;
use crate::domain::custom_csv::{CustomCsv, Reading};
use crate::domain::person::Person;
use crate::domain::platform::{CallbackState, CsvSource, LaunchAuth, Platform};
use crate::domain::redirect::{Redirect, SessionPage, SessionTarget};
use crate::domain::server::Server;
use crate::domain::tool::{Part, Signed, Source, Tool};

/// What stands in place of a state.
pub const STATE: &str = "STATE";

/// A page of a tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Page {
    /// The author's, of content without an external id.
    AuthorNew,
    /// The author's, of content with one.
    AuthorSaved,
    /// A page of a session.
    Session(SessionPage),
}

/// All of them, in the order of a lesson.
const PAGES: [Page; 6] = [
    Page::AuthorNew,
    Page::AuthorSaved,
    Page::Session(SessionPage::Learner),
    Page::Session(SessionPage::Preview),
    Page::Session(SessionPage::Teacher),
    Page::Session(SessionPage::Monitor),
];

impl Page {
    /// Its name in a definition.
    pub fn name(self) -> &'static str {
        match self {
            Page::AuthorNew => "author_new",
            Page::AuthorSaved => "author_saved",
            Page::Session(SessionPage::Learner) => "learner",
            Page::Session(SessionPage::Preview) => "preview",
            Page::Session(SessionPage::Teacher) => "teacher",
            Page::Session(SessionPage::Monitor) => "monitor",
        }
    }
}

/// The address of a page.
pub struct Addressed {
    /// The page.
    pub page: Page,
    /// The address, part by part.
    pub parts: Vec<Part>,
}

/// What a launch would do.
pub struct Preview {
    /// How customCSV is read.
    pub reading: Reading,
    /// Where it leads, where it leads anywhere.
    pub server: Option<Arc<Server>>,
    /// Why there are no addresses.
    pub refused: Option<Refused>,
    /// What else keeps a launch from coming through, or is worth knowing.
    pub remarks: Vec<Remark>,
    /// The addresses; none where there is a refusal.
    pub addresses: Vec<Addressed>,
}

/// Something worth knowing.
#[derive(Debug)]
pub enum Remark {
    /// Launches are refused, though addresses can be shown.
    Refused(Refusal),
    /// customCSV names a server, so the one beside it does not count.
    OtherServer(String),
    /// customCSV names another user than the one who launches, which refuses authors on a platform that signs.
    OtherUser,
    /// The platform takes only a customCSV that the person's login brought.
    Remembered,
    /// Nobody is named, so that pages of sessions are not signed.
    Nobody,
    /// The server has no key, so that nothing is signed.
    NoKey,
    /// The server does not want signed redirects.
    NotSigned,
}

/// Answers a question about a tool, which need not be saved.
pub fn preview(
    gateway: &Gateway,
    configuration: &Configuration,
    tool: &Tool,
    question: &Question,
    now: DateTime<Utc>,
) -> Preview {
    let mut preview = Preview {
        reading: Reading::of(&question.custom_csv, &tool.custom_csv),
        server: None,
        refused: None,
        remarks: Vec::new(),
        addresses: Vec::new(),
    };
    preview.refused = preview
        .fill((gateway, configuration), tool, question, now)
        .err();
    preview
}

impl Preview {
    fn fill(
        &mut self,
        (gateway, configuration): (&Gateway, &Configuration),
        tool: &Tool,
        question: &Question,
        now: DateTime<Utc>,
    ) -> Result<(), Refused> {
        let csv = CustomCsv::parse(&question.custom_csv, &tool.custom_csv)
            .map_err(QuestionPart::CustomCsv.refused())?;
        let server = self
            .choose(configuration, tool, &csv, question)
            .map_err(QuestionPart::Server.refused())?;
        let place = place_on(&server, &csv).map_err(QuestionPart::CustomCsv.refused())?;
        let platform = configuration
            .platform(&question.platform)
            .ok_or(Refusal::NotConfigured("platform"))
            .map_err(QuestionPart::Platform.refused())?;
        let ids = Ids::read(question, tool)?;
        let login = question.login.trim();
        let launcher = (!login.is_empty())
            .then(|| lams_login("uid", login))
            .transpose()
            .map_err(QuestionPart::Login.refused())?;
        self.remark_on(&server, platform, &csv, launcher.as_ref());
        let at = At {
            public_url: gateway.public_url(),
            platform,
            tool,
            server: &without_key(&server),
            place: &place,
            launcher: launcher.as_ref(),
            now,
        };
        self.addresses = PAGES
            .into_iter()
            .map(|page| Addressed {
                page,
                parts: at.parts(page, &ids, question.finished),
            })
            .collect();
        self.server = Some(server);
        Ok(())
    }

    /// The server of a launch; also one that a launch would be refused for, with a remark.
    fn choose(
        &mut self,
        configuration: &Configuration,
        tool: &Tool,
        csv: &CustomCsv,
        question: &Question,
    ) -> Result<Arc<Server>, Refusal> {
        let beside = Some(question.server.as_str()).filter(|id| !id.is_empty());
        let server = match configuration.choose_server(&tool.signature, csv, beside) {
            Ok(server) => server,
            Err(error @ (ServerChoiceError::Disabled(_) | ServerChoiceError::NotMapped(_))) => {
                let (ServerChoiceError::Disabled(id) | ServerChoiceError::NotMapped(id)) = &error
                else {
                    return Err(error.into());
                };
                let server = configuration.server(id.as_str());
                let server = server.ok_or(ServerChoiceError::Unknown)?;
                self.remarks.push(Remark::Refused(error.into()));
                server
            }
            Err(error) => return Err(error.into()),
        };
        if beside.is_some_and(|beside| beside != server.id.as_str()) {
            self.remarks.push(Remark::OtherServer(server.name.clone()));
        }
        Ok(server.clone())
    }

    fn remark_on(
        &mut self,
        server: &Server,
        platform: &Platform,
        csv: &CustomCsv,
        launcher: Option<&Person>,
    ) {
        let other =
            launcher.is_some_and(|person| !is_same_login(person.external_login(server), &csv.user));
        if other && matches!(platform.launch_auth, LaunchAuth::Signed(_)) {
            self.remarks.push(Remark::OtherUser);
        }
        if platform.custom_csv == CsvSource::Remembered {
            self.remarks.push(Remark::Remembered);
        }
        if !server.sign_redirects {
            self.remarks.push(Remark::NotSigned);
        } else if server.key.is_none() {
            self.remarks.push(Remark::NoKey);
        } else if launcher.is_none() {
            self.remarks.push(Remark::Nobody);
        }
    }
}

/// The server with a key that is none in place of its own: what is made with it opens nothing.
fn without_key(server: &Server) -> Server {
    Server {
        key: server.key.as_ref().map(|_| SecretString::from("no key")),
        ..server.clone()
    }
}

/// What all addresses of one preview are made with.
struct At<'a> {
    public_url: &'a str,
    platform: &'a Platform,
    tool: &'a Tool,
    server: &'a Server,
    place: &'a Place,
    launcher: Option<&'a Person>,
    now: DateTime<Utc>,
}

impl At<'_> {
    fn parts(&self, page: Page, ids: &Ids, finished: bool) -> Vec<Part> {
        let user = Person::External(self.place.user.as_str().into());
        // An author whom nobody names is the user of customCSV.
        let author = self.launcher.unwrap_or(&user);
        let state = (self.platform.callback_state == CallbackState::Required).then_some(STATE);
        let redirect = Redirect {
            public_url: self.public_url,
            platform: &self.platform.id,
            tool: self.tool,
            server: self.server,
            place: self.place.into(),
            person: match page {
                Page::Session(_) => self.launcher,
                Page::AuthorNew | Page::AuthorSaved => Some(author),
            },
            now: self.now,
            nonce: random::bytes,
        };
        let mut parts: Vec<Part> = Vec::new();
        match page {
            Page::AuthorNew => redirect.push_author(&mut parts, ids.content, None, state),
            Page::AuthorSaved => {
                redirect.push_author(&mut parts, ids.content, Some(&ids.ext_content), state);
            }
            Page::Session(page) => {
                let session = SessionTarget {
                    id: ids.session,
                    ext_id: ids.ext_session.as_str(),
                    finished,
                };
                redirect.push_session(&mut parts, page, session, state);
            }
        }
        for part in &mut parts {
            let name = match part.source {
                Source::Signature(Signed::Hash) => "hs",
                Source::Signature(Signed::Signature2) => "sig",
                _ => continue,
            };
            part.plain = MASK.to_owned();
            part.text = format!("&{name}={MASK}");
        }
        parts
    }
}
