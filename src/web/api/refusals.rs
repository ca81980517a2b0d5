//! What calls of the API may be refused with, for the document. Each operation names its kinds of calls;
//! examples are made of real refusals by the words that the front door gives them, so that they cannot
//! differ from what is answered.

use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::time::Duration;

use serde_json::json;
use utoipa::openapi::example::{Example, ExampleBuilder};
use utoipa::openapi::{
    ContentBuilder, Header, HeaderBuilder, ObjectBuilder, Ref, RefOr, Response, ResponseBuilder,
    Type,
};
use utoipa::{IntoResponses, ToSchema};

use crate::domain::configuration::ServerChoiceError;
use crate::domain::custom_csv::CustomCsvError;
use crate::domain::id::ServerId;
use crate::domain::lms::NoCourseId;
use crate::domain::query::QueryError;
use crate::domain::server::Signing;
use crate::flows::Refusal;
use crate::flows::archive::ArchiveError;
use crate::outbound::{Failure, LmsCode, LmsError, LmsFailure, OutboundError, SpoolError};
use crate::store::StoreError;
use crate::web::problem::Problem;
use crate::web::problem_document::{PROBLEM_JSON, ProblemDocument};
use crate::web::words;

/// What calls of one kind may be refused with.
pub(super) trait Kind {
    /// One problem of each code.
    fn problems() -> Vec<Problem>;
}

/// The refusals of every call, and of those of some kinds: one answer for each status, one example for each
/// code.
pub(super) struct Refused<K>(PhantomData<K>);

impl<K: Kind> IntoResponses for Refused<K> {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let mut problems = EveryCall::problems();
        problems.extend(K::problems());
        let mut answers: BTreeMap<u16, Vec<words::Words>> = BTreeMap::new();
        for words in problems.iter().map(words::for_programs) {
            answers
                .entry(words.status.as_u16())
                .or_default()
                .push(words);
        }
        let answer = |(status, words)| (u16::to_string(&status), answer(status, words).into());
        answers.into_iter().map(answer).collect()
    }
}

fn answer(status: u16, all: Vec<words::Words>) -> Response {
    let mut answer = ResponseBuilder::new().description(meaning(status));
    if all.iter().any(|words| words.retry_after.is_some()) {
        let seconds = ObjectBuilder::new()
            .schema_type(Type::Integer)
            .minimum(Some(1));
        answer = answer.header(
            "Retry-After",
            described(seconds, "Seconds after which it is worth trying again."),
        );
    }
    if status == 401 {
        let scheme = ObjectBuilder::new().schema_type(Type::String);
        answer = answer.header("WWW-Authenticate", described(scheme, "`Bearer`"));
    }
    let examples = all.into_iter().map(|words| {
        let example = Ref::new(format!("#/components/examples/{}", words.code));
        (words.code, RefOr::Ref::<Example>(example))
    });
    let content = ContentBuilder::new()
        .schema(Some(Ref::from_schema_name(ProblemDocument::name())))
        .examples_from_iter(examples);
    answer.content(PROBLEM_JSON, content.build()).build()
}

/// One example of each code.
pub(super) fn examples() -> BTreeMap<String, RefOr<Example>> {
    let example = |problem: &Problem| {
        let words = words::for_programs(problem);
        let document = ProblemDocument::of(&words, "9f86d081884c7d65".to_owned());
        let example = ExampleBuilder::new()
            .summary(words.title)
            .value(Some(json!(document)));
        (words.code.to_owned(), example.into())
    };
    all().iter().map(example).collect()
}

fn described(schema: ObjectBuilder, description: &str) -> Header {
    HeaderBuilder::new()
        .schema(Some(schema))
        .description(Some(description))
        .build()
}

fn meaning(status: u16) -> &'static str {
    match status {
        400 => "The call is not as it must be.",
        401 => "The API token is missing or unknown.",
        403 => "The server cannot be used for this. Nothing was sent to it.",
        404 => "What the call is about is not there.",
        409 => "It does not fit what is stored, or what was asked for before.",
        422 => "The link belongs to an LMS, but holds no course.",
        413 => "The body, or the file in it, is too long.",
        414 => "The address is longer than 16 KiB.",
        429 => {
            "More than 100 refused requests a minute from one address; a call with a known token is never limited \
             so. Or more calls of a platform in a minute than the operator allows, where a server is asked."
        }
        502 => "The server failed, or answered with something else than was asked for.",
        503 => "This cannot be done just now.",
        504 => "The server did not answer in time.",
        _ => "",
    }
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident: [$($problem:expr),+ $(,)?];)+) => {$(
        $(#[$doc])*
        pub(super) enum $kind {}

        impl Kind for $kind {
            fn problems() -> Vec<Problem> {
                vec![$(Problem::from($problem)),+]
            }
        }
    )+

        /// The problems of all kinds.
        fn all() -> Vec<Problem> {
            let mut all: Vec<Problem> = [$($kind::problems()),+].into_iter().flatten().collect();
            all.extend(OfLms::problems());
            all
        }
    };
}

kinds! {
    /// Any call.
    EveryCall: [
        Refusal::Query(QueryError::Doubled("user".to_owned())),
        Refusal::ApiToken,
        Problem::AddressTooLong,
        Problem::TooMany { retry_after: 42 },
    ];
    /// Calls for a tool; they ask the database.
    OfTool: [Refusal::UnknownTool, Refusal::Store(StoreError::late())];
    /// Calls for content that has to be there.
    OfContent: [Refusal::UnknownContent];
    /// Calls for a session that has to be there.
    OfSession: [Refusal::UnknownSession];
    /// Calls with a body.
    WithBody: [
        Refusal::Body("unknown field `runOfline`, expected `defineLater` or `runOffline`".to_owned()),
        Problem::BodyTooLong,
    ];
    /// Calls with an archive.
    WithArchive: [
        Refusal::Archive(ArchiveError::NoManifest),
        Refusal::Spool(SpoolError::TooLong(64 << 20)),
    ];
    /// Calls that need the server of what is stored.
    OnItsServer: [
        Refusal::Server(ServerChoiceError::Disabled(moodle())),
        Refusal::Server(ServerChoiceError::NotMapped(moodle())),
    ];
    /// Calls that a customCSV comes with, which says who, where and on which server.
    WithCustomCsv: [
        Refusal::CustomCsv(CustomCsvError::Empty("user")),
        Refusal::NothingRemembered,
        Refusal::SeveralRemembered(2),
        Refusal::RememberedElsewhere("moodle".to_owned()),
        Refusal::SomebodyElse,
        Refusal::Server(ServerChoiceError::Ambiguous(2)),
        Refusal::Server(ServerChoiceError::Unknown),
        Refusal::Server(ServerChoiceError::Disabled(moodle())),
        Refusal::Server(ServerChoiceError::NotMapped(moodle())),
    ];
    /// Calls that ask a server.
    Outgoing: [
        failed(Failure::HashRefused(Signing::Legacy)),
        failed(Failure::Open(Duration::from_secs(27))),
        failed(Failure::TimedOut(Duration::from_secs(15))),
        Problem::TooFast { retry_after: 42 },
    ];
    /// Calls that make something, once.
    Making: [
        Refusal::ThereAlready,
        Refusal::Unsettled("4c9f2f5e-2a4b-4d0c-9a57-6a1d1f4e8b21".to_owned()),
    ];
    /// Calls for content that has to be saved on its server.
    OfSaved: [Refusal::NotSavedYet];
    /// Calls for content that nobody may be working with.
    WithoutSessions: [Refusal::HasSessions];
    /// Calls that may have to make an account on an LMS.
    Enrolling: [lms_failed(LmsCode::Account)];
    /// Calls for a list of enrollments.
    OfBulk: [Refusal::UnknownBulk];
    /// Calls that need the database.
    Stored: [Refusal::Store(StoreError::late())];
    /// Calls for grades.
    Grading: [lms_failed(LmsCode::NoGrades)];
    /// Calls for a portfolio.
    OfPortfolio: [Refusal::NoPortfolio];
}

macro_rules! together {
    ($($kind:ident)+) => {
        impl<$($kind: Kind),+> Kind for ($($kind,)+) {
            fn problems() -> Vec<Problem> {
                [$($kind::problems()),+].into_iter().flatten().collect()
            }
        }
    };
}

impl Kind for () {
    fn problems() -> Vec<Problem> {
        Vec::new()
    }
}
together!(A B);
together!(A B C);
together!(A B C D);
together!(A B C D E);
together!(A B C D E F);
together!(A B C D E F G);

fn moodle() -> ServerId {
    let parsed = "moodle".parse();
    parsed.expect("these are letters of a server id")
}

/// Calls that ask the LMS of a link.
pub(super) enum OfLms {}

impl Kind for OfLms {
    fn problems() -> Vec<Problem> {
        let of_all = |code: &LmsCode| !matches!(code, LmsCode::Account | LmsCode::NoGrades);
        let codes = LmsCode::ALL.iter().copied().filter(of_all);
        let failed = codes.map(lms_failed);
        let before = [Refusal::NoLms, Refusal::NoCourseId(NoCourseId::NoId)];
        let too_fast = Problem::TooFast { retry_after: 42 };
        let refused = before.into_iter().chain(failed).map(Problem::from);
        refused.chain([too_fast]).collect()
    }
}

fn lms_failed(code: LmsCode) -> Refusal {
    let error = LmsError {
        server: moodle(),
        failure: LmsFailure::example(code),
    };
    error.into()
}

fn failed(failure: Failure) -> Refusal {
    let server = moodle();
    OutboundError { server, failure }.into()
}
