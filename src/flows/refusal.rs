//! Every reason for which a flow refuses a request. `web` gives each a status and words; a refused
//! request has stored nothing.

use super::archive::ArchiveError;
use crate::domain::configuration::ServerChoiceError;
use crate::domain::custom_csv::CustomCsvError;
use crate::domain::id::{InvalidId, ServerId};
use crate::domain::launch_mode::UnknownMode;
use crate::domain::launch_signature::LaunchSignatureError;
use crate::domain::lms::NoCourseId;
use crate::domain::login_request::LoginError;
use crate::domain::query::QueryError;
use crate::domain::state_token::StateError;
use crate::domain::tool::NotAnExtId;
use crate::outbound::{LmsError, OutboundError, SpoolError};
use crate::store::StoreError;

/// Why a request is refused.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum Refusal {
    #[error("no platform has this address")]
    UnknownPlatform,
    #[error("no tool has this address")]
    UnknownTool,
    #[error(transparent)]
    LaunchSignature(#[from] LaunchSignatureError),
    #[error("the API token is missing or unknown")]
    ApiToken,
    #[error(transparent)]
    State(#[from] StateError),
    #[error(transparent)]
    Query(#[from] QueryError),
    #[error(transparent)]
    Id(#[from] InvalidId),
    #[error(transparent)]
    Mode(#[from] UnknownMode),
    #[error("{0} must be 1 to 255 characters, none a control character")]
    Login(&'static str),
    #[error("extToolContentID is not an id: {0}")]
    ExtId(#[from] NotAnExtId),
    #[error("dispatch is {0:?}, which does not exist here")]
    UnknownDispatch(String),
    #[error("customCSV is missing, and this activity was not opened with one before")]
    CustomCsvMissing,
    #[error(transparent)]
    CustomCsv(#[from] CustomCsvError),
    #[error("nothing is remembered of a course from which this person came")]
    NothingRemembered,
    #[error("this person came from {0} servers that have this tool, and none is named")]
    SeveralRemembered(usize),
    #[error("the remembered {0}")]
    RememberedCsv(CustomCsvError),
    #[error("the remembered customCSV names another server than {0}, from which it came")]
    RememberedElsewhere(String),
    #[error("customCSV is not what came with the login")]
    NotAsRemembered,
    #[error(transparent)]
    LoginRequest(#[from] LoginError),
    #[error("the course address in customCSV is not one of the server {0}")]
    CourseUrl(ServerId),
    #[error("the request's body is not as it must be: {0}")]
    Body(String),
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    #[error(transparent)]
    Spool(#[from] SpoolError),
    #[error("name must be 1 to {0} characters")]
    OutputName(usize),
    #[error("the link belongs to no LMS that is configured here")]
    NoLms,
    #[error("there is no such list of enrollments")]
    UnknownBulk,
    #[error(transparent)]
    NoCourseId(#[from] NoCourseId),
    #[error(transparent)]
    Lms(Box<LmsError>),
    #[error("the external system has no portfolio of this")]
    NoPortfolio,
    #[error(transparent)]
    Server(#[from] ServerChoiceError),
    #[error("customCSV names another user than the one who launched")]
    SomebodyElse,
    #[error("there is no such content here")]
    UnknownContent,
    #[error("there is no such session here")]
    UnknownSession,
    #[error("the activity was not saved on the external server yet")]
    NotSavedYet,
    #[error("this callback was used before, with another external id")]
    StateUsedOtherwise,
    #[error("the content has sessions, and removeSessionData is not true")]
    HasSessions,
    #[error("this number is taken already, by another call")]
    ThereAlready,
    #[error("it is not known what an earlier call made; the journal's entry is {0}")]
    Unsettled(String),
    #[error("the same call is still under way; the journal's entry is {0}")]
    UnderWay(String),
    #[error("the file that is to be sent is not there")]
    NoFile,
    #[error("the gateway was stopped before this was done")]
    Stopped,
    #[error("this address makes no sysadmin any more")]
    FirstStartOver,
    #[error("there is no such sysadmin")]
    UnknownSysadmin,
    #[error("the last sysadmin cannot be removed")]
    LastSysadmin,
    #[error("a sysadmin cannot remove themselves")]
    OwnSysadmin,
    #[error("there is no such {0}")]
    NotConfigured(&'static str),
    #[error("somebody else changed it in the meantime")]
    ChangedMeanwhile,
    #[error("it cannot be so: {0}")]
    NotInOrder(String),
    #[error("too many passwords are being checked just now")]
    PasswordsBusy,
    #[error(transparent)]
    Outbound(#[from] OutboundError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<LmsError> for Refusal {
    fn from(error: LmsError) -> Self {
        Refusal::Lms(Box::new(error))
    }
}
