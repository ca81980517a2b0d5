//! What happened, on the pages: the list, its search, the list as it goes on, stories, charts, the first page.

use std::sync::Arc;

use rstest::rstest;
use sqlx::{Connection, Executor, PgConnection};

use crate::support::{
    ADA, Database, Gateway, Kind, LAUNCH_SECRET, Page, Setup, Visitor, parameter,
};

const LIST: &str = "/admin/launches";
const LEARN: &str = "/lams/tool/mdquiz10/learning.do?mode=learner&toolSessionID=2";

/// Each launch of a page: what it was and what it came to.
fn listed(page: &Page) -> Vec<String> {
    let kinds = page.attributes("[data-kind]", "data-kind");
    let outcomes = page.attributes("[data-kind]", "data-outcome");
    let pairs = kinds.into_iter().zip(outcomes);
    pairs
        .map(|(kind, outcome)| format!("{kind} {outcome}"))
        .collect()
}

/// The same of rows that come alone.
fn came(rows: Page) -> Vec<String> {
    let body = format!("<table>{}</table>", rows.body);
    assert_eq!(rows.status, 200, "{body}");
    listed(&Page { body, ..rows })
}

/// Content and a session, which Anna opens and ends; Eve tries it without a signature.
async fn lesson(kind: Kind) -> (Gateway, crate::support::Peer) {
    let (gateway, peer) = Gateway::with_session(kind, Setup::default()).await;
    let location = gateway.get_signed(LEARN, "mdl_Anna").await.location();
    let back = parameter(&location, "returnUrl").unwrap();
    assert_eq!(gateway.get_public(&back).await.status, 200);
    gateway
        .get(&format!("{LEARN}&ts=1&uid=mdl_Eve&sig=00ff"))
        .await
        .refused(401);
    let stored = || async {
        gateway
            .database
            .number("select count(*) from launches")
            .await
            == 5
    };
    Gateway::until("all of it is written down", stored).await;
    (gateway, peer)
}

#[rstest]
#[actix_web::test]
async fn launches_are_listed_and_found_by_whatever_is_known_of_them(
    #[values(Kind::Postgres, Kind::Sqlite)] kind: Kind,
) {
    let (gateway, _peer) = lesson(kind).await;
    let ada = Visitor::signed_in(&gateway, ADA).await;
    let page = ada.get(LIST).await;
    let all = [
        "learner refused",
        "return page",
        "learner redirected",
        "callback page",
        "author redirected",
    ];
    assert_eq!(listed(&page), all);
    let request = "select request_id from launches where kind = 'return'";
    let request = format!("request={}", gateway.database.text(request).await.unwrap());
    for (search, expected) in [
        ("user=mdl_Anna", &all[1..3]),
        ("user=+mdl_Anna+&outcome=page", &all[1..2]),
        ("session=2", &all[..3]),
        ("content=1", &all[1..]),
        ("content=1&session=2", &all[1..3]),
        ("server=moodle&outcome=redirected&user=mdl_bill", &all[4..]),
        ("tool=mdquiz10", &all[..]),
        ("tool=mdquiz10&server=moodle", &all[1..]),
        ("platform=lams", &all[..]),
        ("outcome=refused", &all[..1]),
        (&request, &all[1..2]),
        ("server=dotLRN", &[]),
        ("platform=elsewhere", &[]),
        ("tool=mdwiki10", &[]),
    ] {
        let page = ada.get(&format!("{LIST}?{search}")).await;
        assert_eq!(listed(&page), expected, "{search}");
        assert_eq!(
            page.text("#empty").is_some(),
            expected.is_empty(),
            "{search}"
        );
        // The form says what was asked.
        for (name, value) in url::form_urlencoded::parse(search.as_bytes()) {
            let boxes = page.attributes(&format!("input[name={name}]"), "value");
            let chosen = page.attributes(&format!("[name={name}] option[selected]"), "value");
            assert_eq!([boxes, chosen].concat(), [value.trim()], "{search}");
        }
    }
    // Reasons stand in the list.
    assert!(
        page.body.contains("The launch signature is wrong."),
        "{}",
        page.body
    );
}

#[rstest]
#[actix_web::test]
async fn a_search_goes_on_page_by_page_in_both_directions(
    #[values(Kind::Postgres, Kind::Sqlite)] kind: Kind,
) {
    let gateway = Gateway::start(kind, Setup::default()).await;
    let ada = Visitor::signed_in(&gateway, ADA).await;
    for n in 1..=240 {
        let user = if n % 2 == 0 {
            "mdl_Änna & Co"
        } else {
            "mdl_Bob"
        };
        let row = format!(
            "insert into launches (id, at, kind, request_id, platform_id, signature, user_name, outcome, status, ms,
                came_with) values ({n}, '2026-01-01T00:00:00+00:00', 'learner', '{n}', 'lams', 'mdquiz10', '{user}',
                'redirected', 302, 0.5, '/x')"
        );
        gateway.database.execute(&row).await;
    }
    let of_anna = format!("{LIST}?user=mdl_%C3%84nna+%26+Co");
    let (mut ids, mut next, mut last) = (Vec::new(), Some(of_anna), None);
    while let Some(path) = next {
        let page = ada.get(&path).await;
        ids.extend(page.attributes("[data-id]", "data-id"));
        next = page.attributes("#older", "href").pop();
        last = Some(page);
    }
    let expected: Vec<String> = (1..=120).rev().map(|n| (2 * n).to_string()).collect();
    assert_eq!(ids, expected);
    // Back to the beginning the same way.
    let mut back = Vec::new();
    let mut next = last.unwrap().attributes("#newer", "href").pop();
    while let Some(path) = next {
        let page = ada.get(&path).await;
        back = [page.attributes("[data-id]", "data-id"), back].concat();
        next = page.attributes("#newer", "href").pop();
    }
    assert_eq!(back, expected[..100]);
    // What is no place is the beginning.
    for odd in [
        "before=x",
        "before=-1",
        "after=0",
        "before=99999999999999999999",
        "after=%00",
        "before=",
    ] {
        let page = ada.get(&format!("{LIST}?{odd}")).await;
        assert_eq!(page.attributes("[data-id]", "data-id")[0], "240", "{odd}");
        assert!(page.attributes("#newest", "href").is_empty(), "{odd}");
    }
    let page = ada.get(&format!("{LIST}?before=1")).await;
    assert!(
        page.text("#empty").unwrap().contains("nothing more"),
        "{}",
        page.body
    );
}

#[rstest]
#[actix_web::test]
async fn an_odd_search_finds_nothing_and_is_no_error(
    #[values(Kind::Postgres, Kind::Sqlite)] kind: Kind,
) {
    let (gateway, _peer) = lesson(kind).await;
    let ada = Visitor::signed_in(&gateway, ADA).await;
    let huge = format!("user={}", "a".repeat(12_000));
    for odd in [
        "user='+or+1=1+--",
        "user=%00",
        "user=a%00b&outcome=page",
        "user=%ff%fe",
        "user=%zz",
        "user=%E2%80%AE%3Cscript%3Ealert(1)%3C/script%3E",
        "content=x",
        "content=99999999999999999999",
        "session=-2",
        "outcome=great",
        "server=..",
        "tool=%25",
        "platform=_",
        "request=*",
        &huge,
    ] {
        let page = ada.get(&format!("{LIST}?{odd}")).await;
        assert_eq!(page.status, 200, "{odd}: {}", page.body);
        assert!(
            page.text("#empty")
                .unwrap()
                .starts_with("Nothing is found."),
            "{odd}"
        );
        assert!(!page.body.contains("<script>alert"), "{odd}");
        let rows = ada.get(&format!("{LIST}/newer?{odd}&after=1")).await;
        assert_eq!(came(rows).len(), 0, "{odd}");
    }
    let page = ada.get(&format!("{LIST}?content=x")).await;
    assert!(page.text("#content-error").is_some(), "{}", page.body);
    assert_eq!(page.attributes("#content", "value"), ["x"]);
    // The first of two counts.
    let page = ada
        .get(&format!("{LIST}?user=mdl_Anna&user=mdl_bill"))
        .await;
    assert_eq!(listed(&page).len(), 2);
    ada.get(&format!("{LIST}?user={}", "a".repeat(20_000)))
        .await
        .refused(414);
}

#[rstest]
#[actix_web::test]
async fn rows_that_came_since_are_sent_alone_and_keep_no_session_open(
    #[values(Kind::Postgres, Kind::Sqlite)] kind: Kind,
) {
    let (gateway, _peer) = lesson(kind).await;
    let ada = Visitor::signed_in(&gateway, ADA).await;
    let live = ada.get(&format!("{LIST}?live=1&user=mdl_Carl")).await;
    assert!(live.text("#live").is_some(), "{}", live.body);
    assert!(live.text("#empty").is_some(), "{}", live.body);
    let newer = live.attributes("[data-newer]", "data-newer").remove(0);
    let after = live.attributes("[data-newer]", "data-after").remove(0);
    let newer = format!("{newer}&after={after}");
    assert_eq!(came(ada.get(&newer).await).len(), 0);
    for user in ["mdl_Carl", "mdl_Anna"] {
        gateway.get_signed(LEARN, user).await.location();
    }
    let carl = "select count(*) from launches where user_name = 'mdl_Carl'";
    let stored = || async { gateway.database.number(carl).await == 1 };
    Gateway::until("it is written down", stored).await;
    let rows = ada.get(&newer).await;
    assert!(rows.body.trim_start().starts_with("<tr "), "{}", rows.body);
    assert_eq!(rows.headers["cache-control"], "no-store");
    assert_eq!(came(rows), ["learner redirected"]);
    // What is long past does not come again.
    let old = "update launches set id = id - 1024000000000 where user_name = 'mdl_Carl'";
    gateway.database.execute(old).await;
    assert_eq!(came(ada.get(&newer).await).len(), 0);

    let seen = "update sysadmin_sessions set last_seen_at = '2026-01-01T00:00:00+00:00'";
    let is_old =
        "select count(*) from sysadmin_sessions where last_seen_at < '2026-01-02T00:00:00+00:00'";
    let minutes_ago = chrono::Utc::now() - chrono::TimeDelta::minutes(5);
    let minutes_ago = minutes_ago.to_rfc3339_opts(chrono::SecondsFormat::Secs, false);
    let waited = format!("update sysadmin_sessions set last_seen_at = '{minutes_ago}'");
    let unseen =
        format!("select count(*) from sysadmin_sessions where last_seen_at <= '{minutes_ago}'");
    gateway.database.execute(&waited).await;
    assert_eq!(ada.get(&newer).await.status, 200);
    assert_eq!(gateway.database.number(&unseen).await, 1);
    ada.get(LIST).await;
    assert_eq!(gateway.database.number(&unseen).await, 0);
    gateway.database.execute(seen).await;
    assert_eq!(gateway.database.number(is_old).await, 1);
    ada.get(&newer).await.refused(401);
    Visitor::new(&gateway).get(&newer).await.refused(401);
}

#[rstest]
#[actix_web::test]
async fn a_launch_is_told_as_its_story(#[values(Kind::Postgres, Kind::Sqlite)] kind: Kind) {
    let (gateway, _peer) = lesson(kind).await;
    let ada = Visitor::signed_in(&gateway, ADA).await;
    let anna = ada
        .get(&format!("{LIST}?user=mdl_Anna&outcome=redirected"))
        .await;
    let id = anna.attributes("[data-id]", "data-id").remove(0);
    let story = ada.get(&format!("{LIST}/{id}")).await;
    assert_eq!(story.status, 200, "{}", story.body);
    let moments = story.attributes("[data-moment]", "data-moment");
    assert_eq!(moments, ["call", "learner", "return"]);
    assert_eq!(
        story.attributes("#timeline [aria-current] [data-moment]", "data-moment"),
        ["learner"]
    );
    let came_in = story.text("#came-in").unwrap();
    for told in ["toolSessionID", "mdl_Anna", "sig", "…"] {
        assert!(came_in.contains(told), "{came_in}");
    }
    // The address to come back to is taken apart within the one where the browser was sent.
    let sent_to = story.text("#sent-to").unwrap();
    assert!(
        sent_to.contains("finishActivity") && sent_to.contains("hs"),
        "{sent_to}"
    );
    assert!(!story.attributes("#sent-to .depth-1", "class").is_empty());
    assert_eq!(
        story.attributes("#all-of-user", "href"),
        ["/admin/launches?user=mdl_Anna"]
    );
    assert_eq!(
        story.attributes("#all-of-content", "href"),
        ["/admin/launches?content=1"]
    );
    assert_eq!(
        story.attributes("#server", "href"),
        ["/admin/servers/edit?id=moodle"]
    );
    let entry = story.attributes("[data-entry]", "href").remove(0);
    assert_eq!(
        ada.get(&entry).await.text("#ext-id").as_deref(),
        Some("700")
    );
    assert!(!story.body.contains(LAUNCH_SECRET));

    // Of the author: how customCSV was read.
    let bill = ada
        .get(&format!("{LIST}?user=mdl_bill&outcome=redirected"))
        .await;
    let id = bill.attributes("[data-id]", "data-id").remove(0);
    let story = ada.get(&format!("{LIST}/{id}")).await;
    let csv = story.text("#csv").unwrap();
    assert!(
        csv.contains("user") && csv.contains("bill") && csv.contains("server id"),
        "{csv}"
    );
    assert_eq!(story.text("#csv-mistake"), None);

    // Of somebody who was refused: why.
    let csv =
        "/lams/tool/mdquiz10/authoring.do?toolContentID=9&contentFolderID=f&customCSV=%3Cb%3E,7";
    gateway.get_signed(csv, "mdl_bill").await.refused(400);
    let refused = ada.get(&format!("{LIST}?content=9")).await;
    let id = refused.attributes("[data-id]", "data-id").remove(0);
    let story = ada.get(&format!("{LIST}/{id}")).await;
    assert!(story.text("#csv-mistake").is_some(), "{}", story.body);
    assert!(
        story.text("#csv").unwrap().contains("missing"),
        "{}",
        story.body
    );
    assert!(
        story.text("#reason").is_some() && !story.body.contains("<b>"),
        "{}",
        story.body
    );
    let said = gateway
        .database
        .text("select request_id from launches where tool_content_id = 9")
        .await;
    assert_eq!(story.text("#request-of-launch"), said);
    for nowhere in ["0", "-1", "x", "99999999999999999999", "%00", "1"] {
        ada.get(&format!("{LIST}/{nowhere}")).await.refused(404);
    }
}

#[rstest]
#[actix_web::test]
async fn charts_and_the_first_page_count_what_happened(
    #[values(Kind::Postgres, Kind::Sqlite)] kind: Kind,
) {
    let (gateway, _peer) = lesson(kind).await;
    let ada = Visitor::signed_in(&gateway, ADA).await;
    let charts = ada.get("/admin/launches/charts").await;
    assert_eq!(charts.status, 200, "{}", charts.body);
    for chart in ["hours", "days"] {
        let counted = charts.attributes(&format!("#{chart}"), "data-launches");
        assert_eq!(counted, ["5"]);
        let told = charts.text(&format!("#{chart}-desc")).unwrap();
        assert!(
            told.starts_with("5 launches, 1 refused, 0 failed"),
            "{told}"
        );
        assert!(
            !charts
                .attributes(&format!("#{chart} rect.refused"), "x")
                .is_empty()
        );
    }
    // moodle, and what was refused before its server was known.
    let servers = charts.attributes(".charts figure", "data-launches");
    assert_eq!(servers, ["4", "1"]);
    assert!(charts.body.contains("/admin/launches?server=moodle"));

    let home = ada.get("/admin/").await;
    assert_eq!(home.text("#day").as_deref(), Some("5"));
    assert_eq!(home.text("#unsettled").as_deref(), Some("0"));
    assert_eq!(home.text("#first-steps"), None);
}

#[actix_web::test]
async fn who_begins_is_told_what_to_do_first() {
    let database = Arc::new(Database::new(Kind::Sqlite).await);
    let gateway = Gateway::start_on(database, Setup::default());
    let ada = Visitor::signed_in(&gateway, ADA).await;
    let home = ada.get("/admin/").await;
    assert!(
        home.text("#first-steps")
            .unwrap()
            .contains("Connect an external LMS")
    );
    for empty in [
        LIST,
        "/admin/launches?live=1",
        "/admin/launches/charts",
        "/admin/journal",
    ] {
        assert_eq!(ada.get(empty).await.status, 200, "{empty}");
    }
    assert!(
        ada.get(LIST)
            .await
            .text("#empty")
            .unwrap()
            .starts_with("Nothing happened yet.")
    );
}

#[actix_web::test]
async fn launches_that_are_not_filed_yet_are_told_of() {
    let (gateway, _peer) = lesson(Kind::Postgres).await;
    let ada = Visitor::signed_in(&gateway, ADA).await;
    let story = ada.get(LIST).await.attributes("[data-kind] a", "href");
    // Another instance is at a batch, and takes its time.
    let batch = r"insert into launch_batches values (1, 12345, '\x01')";
    gateway.database.execute(batch).await;
    let mut other = PgConnection::connect(&gateway.database.url).await.unwrap();
    let at_it = "begin; select 1 from launch_batches for update";
    other.execute(sqlx::raw_sql(at_it)).await.unwrap();
    for address in [LIST, story[0].as_str()] {
        let told = ada.get(address).await.text("#unfiled");
        let expected =
            "12345 launches of the last minutes are still being filed; reload in a moment.";
        assert_eq!(told.as_deref(), Some(expected), "{address}");
    }
    other
        .execute(sqlx::raw_sql("delete from launch_batches; commit"))
        .await
        .unwrap();
    assert_eq!(ada.get(LIST).await.text("#unfiled"), None);
}
