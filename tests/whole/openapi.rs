//! The document of the API, against the API: every answer that it lists is one that is seen here, and what
//! is seen is of the form that it says.

mod book;
mod lms;

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::join_all;
use serde_json::json;

use crate::support::{Answer, Gateway, Kind, Peer, Setup, login_path};
use book::{Book, Call, Sent, call};
use lms::{Campuses, is_of_lms};

/// The tool of all calls: one whose content has options, which have to be asked for.
const TOOL: &str = "mdchce10";
/// Of a server that is mapped to it.
const MAPPED: &str = "tools = [\"mdchce10\"]";

/// Calls that make something on a server.
const MAKING: [&str; 3] = ["copyToolContent", "importToolContent", "createToolSession"];
/// Calls that ask a server for something.
const READING: [&str; 4] = [
    "exportToolContent",
    "getToolOutputDefinitions",
    "getToolOutput",
    "exportToolPortfolio",
];

fn outgoing() -> impl Iterator<Item = &'static str> {
    MAKING.into_iter().chain(READING)
}

/// A server of the tests: its content and session have its number.
#[derive(Clone, Copy)]
struct Server {
    name: &'static str,
    number: i64,
}

const WORKING: Server = server("working", 1);
const OFF: Server = server("off", 2);
const APART: Server = server("apart", 3);
const BROKEN: Server = server("broken", 4);
const DOWN: Server = server("down", 5);
/// One for each call: after five failures a server is not called any more.
const LATE: [Server; 7] = [
    server("late-1", 11),
    server("late-2", 12),
    server("late-3", 13),
    server("late-4", 14),
    server("late-5", 15),
    server("late-6", 16),
    server("late-7", 17),
];

const fn server(name: &'static str, number: i64) -> Server {
    Server { name, number }
}

fn all_servers() -> impl Iterator<Item = Server> {
    [WORKING, OFF, APART, BROKEN, DOWN].into_iter().chain(LATE)
}

impl Server {
    fn csv(self) -> String {
        format!("bill,7,3,{}", self.name)
    }

    /// An outgoing call that this server is asked for; what it makes is new.
    fn asked_by(self, operation: &'static str, new: i64) -> Call {
        match operation {
            "copyToolContent" => copy(new, &self.csv()),
            "importToolContent" => import(new, &self.csv(), b"exported"),
            "createToolSession" => session(new, self.number),
            _ => right(operation, self.number),
        }
    }

    /// Its part of the configuration, with `more` in it.
    fn file(self, adapter_page: &str, more: &str) -> String {
        let name = self.name;
        format!(
            r#"
[[servers]]
id = "{name}"
url = "http://{name}.example.org/"
key = "S3cretKey"
prefix = "{name}"
{more}
[servers.settings.{TOOL}]
adapter_page = "{adapter_page}"
"#
        )
    }
}

fn copy(id: i64, csv: &str) -> Call {
    call("copyToolContent", id).json(json!({"from": null, "customCSV": csv}))
}

fn import(id: i64, csv: &str, file: &[u8]) -> Call {
    call("importToolContent", id).form(&[("customCSV", csv.as_bytes()), ("file", file)])
}

fn session(id: i64, content: i64) -> Call {
    call("createToolSession", id).json(json!({"toolContentID": content, "name": "Group 1"}))
}

/// A call as it should be, for content or session `id`, which are there.
fn right(operation: &str, id: i64) -> Call {
    match operation {
        "copyToolContent" => copy(id, &WORKING.csv()),
        "importToolContent" => import(id, &WORKING.csv(), b"exported"),
        "createToolSession" => session(id, id),
        "setToolContentFlags" => call(operation, id).json(json!({"runOffline": true})),
        "leaveToolSession" => call(operation, id).json(json!({"user": "working_anna"})),
        "getToolkit" => call(operation, id).query("extLmsId=working"),
        _ if is_of_lms(operation) => lms::right(operation),
        "getToolOutput" | "exportToolPortfolio" => call(operation, id).query("user=working_anna"),
        _ => call(operation, id),
    }
}

#[actix_web::test]
async fn every_documented_answer_is_one_that_is_seen() {
    let (peers, file) = peers().await;
    let (campuses, of_lms) = Campuses::start().await;
    let environment = vec![("TOOLGATE_ARCHIVE_MAX_MIB", "1".to_owned())];
    let setup = Setup {
        more: file + &of_lms,
        environment,
        ..Setup::default()
    };
    let mut gateway = Gateway::start(Kind::Sqlite, setup).await;
    let book = Book::of(&gateway).await;
    what_is_done(&book, &gateway).await;
    wrong_calls(&book, &gateway).await;
    campuses.answer(&book, &gateway).await;
    gateway.stop();

    // The same servers, some of them not to be used any more, some not to be reached.
    let (unreachable, _held) = Peer::unreachable();
    let impatient = format!("{MAPPED}\ntimeout_ms = 100");
    gateway.setup.more = [
        WORKING.file(&peers[0].url, MAPPED),
        OFF.file(&peers[1].url, &format!("{MAPPED}\nenabled = false")),
        APART.file(&peers[2].url, "tools = []"),
        BROKEN.file(&peers[3].url, MAPPED),
        DOWN.file(&peers[4].url, MAPPED),
        LATE.map(|late| late.file(&unreachable, &impatient))
            .concat(),
    ]
    .concat();
    let applied = crate::support::apply(&gateway.database, &gateway.setup.file(), &[]);
    assert!(applied.status.success());
    let gateway = Gateway::start_on(gateway.database.clone(), gateway.setup.clone());
    servers_that_cannot_be_used(&book, &gateway).await;
    servers_that_fail(&book, &gateway, &peers).await;
    too_many(&book, &gateway).await;
    too_fast(&book).await;
    without_a_database(&book).await;

    book.compare();
}

async fn peers() -> (Vec<Peer>, String) {
    let mut file = String::new();
    let mut peers = Vec::new();
    for server in all_servers() {
        let peer = Peer::start(Answer::Works(server.number * 1000)).await;
        file.push_str(&server.file(&peer.url, MAPPED));
        peers.push(peer);
    }
    (peers, file)
}

/// What is done, and is there already; every server gets content and a session.
async fn what_is_done(book: &Book, gateway: &Gateway) {
    for server in all_servers() {
        let number = server.number;
        book.tries(gateway, copy(number, &server.csv()), 201, "")
            .await;
        book.tries(gateway, session(number, number), 201, "").await;
    }
    let csv = WORKING.csv();
    for (call, status) in [
        (copy(1, &csv), 200),
        (session(1, 1), 200),
        (import(100, &csv, b"exported"), 201),
        (import(100, &csv, b"exported"), 200),
        (right("getToolkit", 0), 200),
        (right("getToolContent", 1), 200),
        (right("setToolContentFlags", 1), 200),
        (right("exportToolContent", 1), 200),
        (right("getToolOutputDefinitions", 1), 200),
        (right("getToolSession", 1), 200),
        (right("getToolOutput", 1), 200),
        (
            right("getToolOutput", 1).query("user=working_anna&name=old"),
            200,
        ),
        (right("exportToolPortfolio", 1), 200),
        (right("leaveToolSession", 1), 200),
        (copy(101, &csv), 201),
        (session(101, 101), 201),
        (right("removeToolSession", 101), 204),
        (right("removeToolContent", 101), 204),
    ] {
        book.tries(gateway, call, status, "").await;
    }
}

/// Calls that are not as they must be, and those that do not fit what is there.
async fn wrong_calls(book: &Book, gateway: &Gateway) {
    let long = format!("a={}", "x".repeat(17 * 1024));
    for operation in book.operations() {
        let call = || right(&operation, 1);
        book.tries(gateway, call().token(None), 401, "api-token")
            .await;
        book.tries(gateway, call().token(Some("guessed")), 401, "api-token")
            .await;
        book.tries(gateway, call().query(&long), 414, "address-too-long")
            .await;
        book.tries(gateway, call().query("a=1&a=2"), 400, "parameter")
            .await;
        if operation == "getToolkit" {
            book.tries(gateway, call().query("extLmsId=%zz"), 400, "parameter")
                .await;
            continue;
        }
        if is_of_lms(&operation) {
            book.tries(gateway, call().query("username=%zz"), 400, "parameter")
                .await;
        } else {
            book.tries(gateway, call().tool("nosuch10"), 404, "unknown-tool")
                .await;
            book.tries(gateway, right(&operation, 0), 400, "parameter")
                .await;
        }
        for code in ["unknown-content", "unknown-session"] {
            if book.documents(&operation, 404, code) {
                book.tries(gateway, right(&operation, 999), 404, code).await;
            }
        }
        let (nonsense, long) = match call().sent {
            Sent::Nothing => continue,
            Sent::Json(_) => (
                call().json(json!({"nonsense": true})),
                call().json(json!("x".repeat(65 * 1024))),
            ),
            Sent::Form(_) => (
                call().form(&[("nonsense", b"true")]),
                import(1, &"x".repeat(65 * 1024), b"exported"),
            ),
        };
        book.tries(gateway, nonsense, 400, "body").await;
        let long = match operation.as_str() {
            "setEnrollments" => call().json(json!("x".repeat((8 << 20) + 1))),
            _ => long,
        };
        book.tries(gateway, long, 413, "body-too-long").await;
    }
    gateway.author("mdquiz10", 30).await;
    for (user, from, csv) in [
        ("carl", "working", "carl,7,3,working"),
        ("carl", "broken", "carl,7,3,broken"),
        ("dora", "working", "dora,7,3,broken"),
        ("emil", "working", "fred,7,3,working"),
    ] {
        let more = [("customCSV", csv), ("usePrefix", "false")];
        let login = login_path(from, "S3cretKey", ("1262304000000", user, "author"), &more);
        gateway.get(&login).await.location();
    }
    for (user, status, code) in [
        ("nobody", 400, "nothing-remembered"),
        ("carl", 400, "several-remembered"),
        ("dora", 403, "remembered-elsewhere"),
        ("emil", 403, "somebody-else"),
    ] {
        let json = json!({"from": null, "user": user});
        let copy = call("copyToolContent", 40).json(json);
        book.tries(gateway, copy, status, code).await;
        let form = [("user", user.as_bytes()), ("file", b"exported")];
        let import = call("importToolContent", 40).form(&form);
        book.tries(gateway, import, status, code).await;
    }
    let csv = WORKING.csv();
    let unsaved = call("createToolSession", 31).tool("mdquiz10");
    let unsaved = unsaved.json(json!({"toolContentID": 30}));
    let remove = right("removeToolContent", 1);
    for (call, status, code) in [
        (copy(40, "bill"), 400, "custom-csv"),
        (copy(40, "bill,7,3"), 400, "server-ambiguous"),
        (import(40, "bill", b"exported"), 400, "custom-csv"),
        (import(40, "bill,7,3", b"exported"), 400, "server-ambiguous"),
        (import(40, &csv, b""), 400, "archive"),
        (
            import(40, &csv, &[b'x'; (1 << 20) + 1]),
            413,
            "archive-too-long",
        ),
        (
            remove.clone().query("removeSessionData=perhaps"),
            400,
            "parameter",
        ),
        (remove, 409, "has-sessions"),
        (copy(1, "anna,7,3,working"), 409, "there-already"),
        (import(1, &csv, b"exported"), 409, "there-already"),
        (session(1, 2), 409, "there-already"),
        (unsaved, 409, "not-saved-yet"),
    ] {
        book.tries(gateway, call, status, code).await;
    }
}

async fn servers_that_cannot_be_used(book: &Book, gateway: &Gateway) {
    for (server, code) in [(OFF, "server-disabled"), (APART, "server-not-mapped")] {
        for operation in outgoing() {
            book.tries(gateway, server.asked_by(operation, 50), 403, code)
                .await;
        }
    }
    for operation in ["copyToolContent", "importToolContent"] {
        let call = server("nobody", 0).asked_by(operation, 50);
        book.tries(gateway, call, 403, "server-unknown").await;
    }
}

async fn servers_that_fail(book: &Book, gateway: &Gateway, peers: &[Peer]) {
    let [working, _, _, broken, down, ..] = peers else {
        panic!("there are fewer peers than servers");
    };
    working.answers(Answer::Says(200, String::new()));
    let nothing = right("exportToolPortfolio", WORKING.number);
    book.tries(gateway, nothing, 404, "no-portfolio").await;

    // What a server made that failed is not known, so the same call is not sent again.
    broken.answers(Answer::Says(500, "it is broken".to_owned()));
    for (new, operation) in (60..).zip(MAKING) {
        let call = BROKEN.asked_by(operation, new);
        book.tries(gateway, call.clone(), 502, "server-failed")
            .await;
        book.tries(gateway, call, 409, "unsettled").await;
    }
    broken.answers(Answer::Says(401, String::new()));
    for operation in READING {
        let call = BROKEN.asked_by(operation, 0);
        book.tries(gateway, call, 502, "server-failed").await;
    }

    // Each try is a failure, and a reading call is tried three times.
    down.answers(Answer::HangsUp);
    let reads = || DOWN.asked_by("getToolOutput", 0);
    book.tries(gateway, reads(), 502, "server-failed").await;
    book.sends(gateway, &reads()).await;
    for (new, operation) in (70..).zip(outgoing()) {
        let call = DOWN.asked_by(operation, new);
        book.tries(gateway, call, 503, "server-down").await;
    }

    let late = outgoing().zip(LATE).zip(80..);
    let late = late.map(|((operation, server), new)| server.asked_by(operation, new));
    join_all(late.map(|call| book.tries(gateway, call, 504, "server-late"))).await;
}

/// An address that is refused a hundred times a minute has to wait; a known token never has.
async fn too_many(book: &Book, gateway: &Gateway) {
    let guess = right("getToolkit", 0).token(None);
    for _ in 0..100 {
        book.sends(gateway, &guess).await;
    }
    for operation in book.operations() {
        let call = right(&operation, 1).token(None);
        book.tries(gateway, call, 429, "too-many").await;
    }
    book.tries(gateway, right("getToolkit", 0), 200, "").await;
}

/// A platform that may make one call a minute.
async fn too_fast(book: &Book) {
    let environment = ["TOOLGATE_CALLS_A_MINUTE", "TOOLGATE_FILES_A_MINUTE"];
    let setup = Setup {
        environment: environment.map(|name| (name, "1".to_owned())).into(),
        ..Setup::default()
    };
    let gateway = Gateway::start(Kind::Sqlite, setup).await;
    for first in ["createToolSession", "exportToolContent"] {
        assert_ne!(book.sends(&gateway, &right(first, 1)).await.status, 429);
    }
    for operation in outgoing().chain(lms::ASKING) {
        let call = right(operation, 1);
        book.tries(&gateway, call, 429, "too-fast").await;
    }
    // What asks no server goes on.
    book.tries(&gateway, right("getToolkit", 0), 200, "").await;
}

async fn without_a_database(book: &Book) {
    let more = WORKING.file("http://127.0.0.1:1/nobody", MAPPED);
    let setup = Setup {
        more,
        ..Setup::default()
    };
    let gateway = Gateway::start(Kind::Postgres, setup).await;
    gateway.database.lock_out().await;
    for operation in book.operations() {
        let asks = lms::LISTS.contains(&operation.as_str()) || !is_of_lms(&operation);
        if asks {
            let call = match operation.as_str() {
                "getToolkit" => right(&operation, 1).query("user=working_anna"),
                _ => right(&operation, 1),
            };
            book.tries(&gateway, call, 503, "database-away").await;
        }
    }
}

#[actix_web::test]
async fn an_address_names_the_methods_that_it_takes() {
    let gateway = Gateway::start(Kind::Sqlite, Setup::default()).await;
    let book = Book::of(&gateway).await;
    let mut takes = BTreeMap::<&str, BTreeSet<&str>>::new();
    for (_, method, path) in book.addresses() {
        takes.entry(path).or_default().insert(method);
    }
    for (path, methods) in takes {
        let page = gateway.call_page("OPTIONS", path).await;
        assert_eq!(page.refused(405), "method", "{path}");
        let named = page.headers["allow"].split(", ").collect::<BTreeSet<_>>();
        assert_eq!(named, methods, "{path}");
    }
}

#[actix_web::test]
async fn examples_are_of_the_forms_that_they_are_examples_of() {
    let gateway = Gateway::start(Kind::Sqlite, Setup::default()).await;
    let book = Book::of(&gateway).await;
    assert!(book.examples() > 20);
}

#[actix_web::test]
async fn the_page_shows_every_call_and_every_answer() {
    let gateway = Gateway::start(Kind::Sqlite, Setup::default()).await;
    let book = Book::of(&gateway).await;
    let page = gateway.get("/api/docs").await;
    assert_eq!(page.status, 200);
    let policy = &page.headers["content-security-policy"];
    assert!(policy.starts_with("default-src 'none'"), "{policy}");
    assert!(!page.body.contains("<script") && !page.body.contains("style="));
    for (operation, method, path) in book.addresses() {
        let section = format!("#{operation}[data-method='{method}'][data-path='{path}']");
        let shown = page.attributes(&format!("{section} tr[data-status]"), "data-status");
        assert_eq!(shown, book.statuses(&operation), "{operation}");
    }
    // No link leads nowhere.
    let ids = page.attributes("[id]", "id");
    for link in page.attributes("a[href^='#']", "href") {
        assert!(ids.iter().any(|id| link[1..] == *id), "{link}");
    }
}
