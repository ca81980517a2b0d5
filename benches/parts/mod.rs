//! The pure parts of a launch, as both `instructions` and `pure` measure them. What they work on is made by
//! [`school`] before anything is measured; time and nonces are fixed, so that a part does the same whenever it runs.

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use toolgate::domain::base_url::BaseUrl;
use toolgate::domain::configuration::Configuration;
use toolgate::domain::content::Place;
use toolgate::domain::custom_csv::CustomCsv;
use toolgate::domain::hash::external_hash;
use toolgate::domain::id::{ExtId, ToolSessionId};
use toolgate::domain::launch_mode::LaunchMode;
use toolgate::domain::launch_signature::LaunchKey;
use toolgate::domain::person::Person;
use toolgate::domain::platform::{CallbackState, CsvSource, LaunchAuth, Platform};
use toolgate::domain::query::Query;
use toolgate::domain::redirect::{Redirect, SessionPage, SessionTarget};
use toolgate::domain::server::{Server, Signing};
use toolgate::domain::state_token::{Purpose, State, StateKeys, Subject};
use toolgate::domain::tool::Tool;

/// Hands every part, with what it makes, to a macro.
macro_rules! for_each_part {
    ($measured:ident) => {
        $measured! {
            custom_csv_typical -> CustomCsv,
            custom_csv_longest -> CustomCsv,
            query_parsed -> Query<'static>,
            launch_signature_checked -> &'static str,
            legacy_hash -> String,
            state_sealed -> String,
            state_opened -> State,
            redirect_legacy -> String,
            redirect_signature_2 -> String,
            whole_launch_legacy -> String,
            whole_launch_signature_2 -> String,
        }
    };
}
pub(crate) use for_each_part;

/// A platform, two servers that differ in how they check signatures, and a learner on the way to each.
pub struct School {
    configuration: Configuration,
    state_keys: StateKeys,
    launch_key: LaunchKey,
    sent: &'static str,
    query: Query<'static>,
    state: State,
    token: String,
    learner: Person,
    legacy: Place,
    two: Place,
    session: ExtId,
    longest_csv: String,
    now: DateTime<Utc>,
}

const PLATFORM: &str = "lams";
const TOOL: &str = "mdquiz10";
const SESSION: i64 = 4711;
const KEY: &str = "S3cretKeyOfThisMoodle";
const PUBLIC_URL: &str = "https://gate.example.org";
const CSV: &str = "bill.miller,1207,3,moodle";

/// Makes a school that stays, since its end would be measured too.
pub fn school() -> &'static School {
    let now = DateTime::from_timestamp_millis(1_795_772_968_272).unwrap();
    let launch_key = LaunchKey::new("S3cretOfLaunches");
    let path = format!("/{PLATFORM}/tool/{TOOL}/learning.do?mode=learner&toolSessionID={SESSION}");
    let sent = launch_key.sign(&path, "mdl_bill.miller", now);
    let sent: &'static str = Box::leak(sent.into_boxed_str());
    let learner = Person::Lams("mdl_bill.miller".into());
    let state_keys = StateKeys::derive([&[7; 32]]);
    let state = State {
        purpose: Purpose::Finish,
        expires_at: now + TimeDelta::days(30),
        nonce: [7; 12],
        person: Some(learner.clone()),
    };
    let servers = vec![
        server("moodle", Signing::Legacy),
        server("moodle-2", Signing::Two),
    ];
    let configuration = Configuration::new(vec![platform(launch_key.clone())], servers, Vec::new());
    let token = {
        let subject = subject(
            configuration.platform(PLATFORM).unwrap(),
            configuration.tool(TOOL).unwrap(),
        );
        state_keys.seal(&state, subject)
    };
    // A quotation mark is the dearest character: it is written twice.
    let field = format!("\"{}\"", "\"\"".repeat(255));
    Box::leak(Box::new(School {
        configuration,
        state_keys,
        launch_key,
        sent,
        query: Query::parse(query_of(sent)),
        state,
        token,
        learner,
        legacy: place("moodle"),
        two: place("moodle-2"),
        session: ExtId::stored("90210".to_owned()),
        longest_csv: format!("{field},{field},{field},{}", "m".repeat(64)),
        now,
    }))
}

fn platform(launch_key: LaunchKey) -> Platform {
    Platform {
        id: PLATFORM.parse().unwrap(),
        name: "LAMS".to_owned(),
        url: BaseUrl::parse("https://lams.example.org/lams/").unwrap(),
        launch_auth: LaunchAuth::Signed(Some(launch_key)),
        callback_state: CallbackState::Required,
        custom_csv: CsvSource::Accepted,
        finish_url: None,
        api_token_hash: None,
    }
}

fn server(id: &str, signing: Signing) -> Server {
    Server {
        id: id.parse().unwrap(),
        name: "Moodle".to_owned(),
        url: BaseUrl::parse("https://moodle.example.org/moodle/").unwrap(),
        key: Some(KEY.into()),
        prefix: Some("mdl".to_owned()),
        enabled: true,
        sign_redirects: true,
        signing,
        timeout: None,
        private_network: false,
        login_window_minutes: None,
        time_zone: Tz::UTC,
        tools: [TOOL.parse().unwrap()].into(),
        settings: Default::default(),
        lms: None,
    }
}

fn place(server: &str) -> Place {
    Place {
        server: server.parse().unwrap(),
        user: "ada.author".to_owned(),
        course: "1207".to_owned(),
        section: Some("3".to_owned()),
        course_url: None,
    }
}

fn subject<'a>(platform: &'a Platform, tool: &'a Tool) -> Subject<'a> {
    Subject {
        platform: &platform.id,
        signature: &tool.signature,
        id: SESSION,
    }
}

fn query_of(sent: &str) -> &str {
    sent.split_once('?').map_or("", |(_, query)| query)
}

impl School {
    fn platform(&self) -> &Platform {
        self.configuration.platform(PLATFORM).unwrap()
    }

    fn tool(&self) -> &Tool {
        self.configuration.tool(TOOL).unwrap()
    }
}

/// customCSV as an external LMS makes it.
pub fn custom_csv_typical(school: &School) -> CustomCsv {
    CustomCsv::parse(CSV, &school.tool().custom_csv).unwrap()
}

/// The longest that is taken: three fields of 255 quotation marks and the longest server id.
pub fn custom_csv_longest(school: &School) -> CustomCsv {
    CustomCsv::parse(&school.longest_csv, &school.tool().custom_csv).unwrap()
}

/// The query of a learner's launch, parsed and checked.
pub fn query_parsed(school: &'static School) -> Query<'static> {
    let query = Query::parse(query_of(school.sent));
    query.check().unwrap();
    query
}

/// Its signature and time, checked.
pub fn launch_signature_checked(school: &'static School) -> &'static str {
    school
        .launch_key
        .verify(school.sent, &school.query, school.now)
        .unwrap()
}

/// `hs` for the learner.
pub fn legacy_hash(_: &School) -> String {
    external_hash("1795772968272", "bill.miller", "moodle", KEY)
}

/// The state token that goes into the return address.
pub fn state_sealed(school: &School) -> String {
    let subject = subject(school.platform(), school.tool());
    school.state_keys.seal(&school.state, subject)
}

/// The same token, when the learner comes back.
pub fn state_opened(school: &School) -> State {
    let subject = subject(school.platform(), school.tool());
    school
        .state_keys
        .open(
            Some(&school.token),
            &[Purpose::Finish, Purpose::Look],
            subject,
            school.now,
        )
        .unwrap()
}

/// The learner's address on a server that checks `hs`.
pub fn redirect_legacy(school: &School) -> String {
    redirect(school, &school.legacy)
}

/// The same on a server that checks signature 2.
pub fn redirect_signature_2(school: &School) -> String {
    redirect(school, &school.two)
}

fn redirect(school: &School, place: &Place) -> String {
    let (platform, tool) = (school.platform(), school.tool());
    let server = school.configuration.server(place.server.as_str()).unwrap();
    address(
        school,
        (platform, tool, server, place),
        &school.learner,
        &school.token,
    )
}

fn address(
    school: &School,
    (platform, tool, server, place): (&Platform, &Tool, &Server, &Place),
    learner: &Person,
    token: &str,
) -> String {
    let redirect = Redirect {
        public_url: PUBLIC_URL,
        platform: &platform.id,
        tool,
        server,
        place: place.into(),
        person: Some(learner),
        now: school.now,
        nonce: || [7; 16],
    };
    let target = SessionTarget {
        id: ToolSessionId::from_number(SESSION).unwrap(),
        ext_id: school.session.as_str(),
        finished: false,
    };
    redirect.session(SessionPage::Learner, target, Some(token))
}

/// All that is pure in a learner's launch, in the order of `flows/admission.rs` and `flows/learn.rs`.
pub fn whole_launch_legacy(school: &School) -> String {
    whole_launch(school, &school.legacy)
}

/// The same to a server that checks signature 2.
pub fn whole_launch_signature_2(school: &School) -> String {
    whole_launch(school, &school.two)
}

fn whole_launch(school: &School, place: &Place) -> String {
    let query = Query::parse(query_of(school.sent));
    assert!(query.get("dispatch").is_none());
    let platform = school.configuration.platform(PLATFORM).unwrap();
    let LaunchAuth::Signed(Some(key)) = &platform.launch_auth else {
        unreachable!("the school's platform signs");
    };
    let uid = key.verify(school.sent, &query, school.now).unwrap();
    let tool = school.configuration.tool(TOOL).unwrap();
    let learner = Person::Lams(uid.into());
    query.check().unwrap();
    let mode: LaunchMode = query.required("mode").unwrap().parse().unwrap();
    assert_eq!(mode, LaunchMode::Learner);
    let id: ToolSessionId = query.required("toolSessionID").unwrap().parse().unwrap();
    assert_eq!(id.get(), SESSION);
    let server = school
        .configuration
        .usable_server(place.server.as_str(), &tool.signature)
        .unwrap();
    let state = State {
        purpose: Purpose::Finish,
        expires_at: school.now + TimeDelta::days(30),
        nonce: [7; 12],
        person: Some(learner.clone()),
    };
    let token = school.state_keys.seal(&state, subject(platform, tool));
    address(school, (platform, tool, server, place), &learner, &token)
}
