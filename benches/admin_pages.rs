//! How long sysadmins wait for their pages at 100,000 launches in the log, on both databases:
//! `tests/with-postgres cargo bench --bench admin_pages`. It fails where one takes 20 ms or more. Figures are
//! of one browser that asks for one page after the other; that searches use indexes is a test of the store.

#![expect(
    clippy::unwrap_used,
    reason = "a benchmark that cannot go on says where"
)]
#![expect(dead_code, reason = "it needs a part of what the tests start with")]

#[expect(unused_imports, reason = "see above")]
#[path = "../tests/whole/support/mod.rs"]
mod support;

use std::time::{Duration, Instant};

use chrono::Utc;
use support::{ADA, Answer, Gateway, Kind, Peer, Setup, Visitor};

const LAUNCHES: i64 = 100_000;
const WARM_UP: usize = 10;
const ASKED: usize = 200;
const MOST: Duration = Duration::from_millis(20);

fn main() {
    let late = actix_web::rt::System::new().block_on(async {
        let mut late = Vec::new();
        for kind in [Kind::Postgres, Kind::Sqlite] {
            println!(
                "\n{kind:?}\n{:<44} {:>9} {:>9} {:>6}",
                "page", "median ms", "p99 ms", "KiB"
            );
            late.extend(measure(kind).await);
        }
        late
    });
    assert!(late.is_empty(), "too slow: {late:?}");
}

/// What is asked for, in words and as an address.
const PAGES: &[(&str, &str)] = &[
    ("first page", "/admin/"),
    ("launches", "/admin/launches"),
    ("launches, far back", "/admin/launches?before={oldest}"),
    ("launches of a user", "/admin/launches?user=mdl_user77"),
    (
        "launches of the busiest user",
        "/admin/launches?user=mdl_busy",
    ),
    ("launches of a content", "/admin/launches?content=77"),
    ("launches of a session", "/admin/launches?session=77"),
    (
        "launches of the busiest server",
        "/admin/launches?server=moodle",
    ),
    ("launches of a rare server", "/admin/launches?server=rare"),
    ("launches of a tool", "/admin/launches?tool=mdquiz10"),
    ("launches of a rare tool", "/admin/launches?tool=mdwiki10"),
    (
        "launches of a tool on a server",
        "/admin/launches?tool=mdquiz10&server=moodle",
    ),
    (
        "launches of a rare tool on a server",
        "/admin/launches?tool=mdwiki10&server=moodle",
    ),
    ("launches of the platform", "/admin/launches?platform=lams"),
    (
        "launches of a rare platform",
        "/admin/launches?platform=other",
    ),
    (
        "launches of a tool on another platform, none",
        "/admin/launches?tool=mdquiz10&platform=other",
    ),
    (
        "launches of a server on another platform",
        "/admin/launches?server=dotLRN&platform=other",
    ),
    ("launches that failed", "/admin/launches?outcome=failed"),
    (
        "launches that failed, of a tool",
        "/admin/launches?outcome=failed&tool=mdquiz10",
    ),
    (
        "pages of a rare tool",
        "/admin/launches?outcome=page&tool=mdwiki10",
    ),
    (
        "redirects of a rare tool",
        "/admin/launches?outcome=redirected&tool=mdwiki10",
    ),
    ("launches of a request", "/admin/launches?request=r77777"),
    ("launches of nobody", "/admin/launches?user=nobody"),
    (
        "everything asked at once",
        "/admin/launches?user=mdl_busy&content=77&session=77&server=moodle&tool=mdquiz10&platform=lams&outcome=failed",
    ),
    (
        "rows of a live list",
        "/admin/launches/newer?after={newest}",
    ),
    ("story of a learner", "/admin/launches/{learner}"),
    ("story of an author", "/admin/launches/{author}"),
    ("charts", "/admin/launches/charts"),
    ("journal", "/admin/journal"),
    ("audit", "/admin/audit"),
    ("servers", "/admin/servers"),
    ("sysadmins", "/admin/sysadmins"),
    ("account", "/admin/account"),
];

/// Times each page; those that are too slow.
async fn measure(kind: Kind) -> Vec<String> {
    let peer = Peer::start(Answer::Ids(700)).await;
    let setup = Setup {
        adapter_page: peer.url.clone(),
        environment: vec![("TOOLGATE_LOG", "warn".to_owned())],
        ..Setup::default()
    };
    let gateway = Gateway::start(kind, setup).await;
    gateway.saved_content("mdquiz10", 1, "555").await;
    fill(&gateway).await;
    let id = async |of: &str| {
        let sql = format!("select id from launches where {of} limit 1");
        gateway.database.number(&sql).await.to_string()
    };
    let places = [
        ("{oldest}", id("request_id = 'r1000'").await),
        ("{newest}", id("id = (select max(id) from launches)").await),
        (
            "{learner}",
            id("kind = 'learner' and user_name = 'mdl_busy' and tool_session_id is not null").await,
        ),
        ("{author}", id("kind = 'author'").await),
    ];
    let ada = Visitor::signed_in(&gateway, ADA).await;
    let mut late = Vec::new();
    for (name, path) in PAGES {
        let path = places.iter().fold((*path).to_owned(), |path, (mark, id)| {
            path.replace(mark, id)
        });
        let (mut took, mut size) = (Vec::new(), 0);
        for _ in 0..WARM_UP + ASKED {
            let begun = Instant::now();
            let page = ada.get(&path).await;
            took.push(begun.elapsed());
            assert_eq!(page.status, 200, "{path}: {}", page.body);
            size = page.body.len() / 1024;
        }
        let mut took = took.split_off(WARM_UP);
        took.sort_unstable();
        let (median, most) = (took[ASKED / 2], took[ASKED * 99 / 100]);
        let ms = |time: Duration| time.as_secs_f64() * 1000.0;
        println!("{name:<44} {:>9.1} {:>9.1} {size:>6}", ms(median), ms(most));
        if median >= MOST {
            late.push(format!("{kind:?}: {name}"));
        }
    }
    late
}

/// Where a learner is sent, in SQL, as long as it is in life.
const SENT_TO: &str = "'http://moodle.example.org/moodle/course/lamsframes.php?id=' || i ||
    '&returnUrl=http%3A%2F%2Fgate.example.org%3A8080%2Flams%2Ftool%2Fmdquiz10%2Flearning.do%3FtoolSessionID%3D' || i ||
    '%26dispatch%3DfinishActivity%26state%3D…&dest=mod%2Fquiz%2Fview.php&is_learner=1&isFinished=false' ||
    '&un=bill&ts=1795772968280&hs=…'";

/// Thirty days of a school: launches with the calls about them, the journal and the audit.
async fn fill(gateway: &Gateway) {
    let first = (Utc::now() - chrono::TimeDelta::days(30)).timestamp();
    let step = 30 * 86_400 / LAUNCHES + 1;
    let at = match gateway.database.kind {
        Kind::Postgres => format!("to_timestamp({first} + i * {step} - {LAUNCHES})"),
        Kind::Sqlite => {
            format!(
                "strftime('%Y-%m-%dT%H:%M:%S+00:00', {first} + i * {step} - {LAUNCHES}, 'unixepoch')"
            )
        }
    };
    let id = format!("({first} + i * {step} - {LAUNCHES}) * 1024000000");
    let numbers = |most: i64| {
        format!(
            "with recursive n(i) as (select cast(1 as bigint) union all select i + 1 from n where i < {most})"
        )
    };
    let server =
        "case when i % 1000 = 1 then 'rare' when i % 10 = 0 then 'dotLRN' else 'moodle' end";
    let tool = "case when i % 5000 = 3 then 'mdwiki10' when i % 10 = 0 then 'dlfrum10' when i % 3 = 0 then 'mdfrum10' else 'mdquiz10' end";
    let platform = "case when i % 20000 = 7 then 'other' else 'lams' end";
    let user = "case when i % 50 = 2 then 'mdl_busy' else 'mdl_user' || i % 5000 end";
    let csv = "customCSV=bill%2C7%2C3%2Cmoodle";
    let launches = format!(
        "insert into launches (id, at, kind, request_id, platform_id, signature, server_id, user_name, tool_content_id,
            tool_session_id, outcome, status, ms, came_with, sent_to, reason, code)
        {} select {id}, {at},
            case when i % 40 = 5 then 'author' when i % 40 = 6 then 'callback' when i % 3 = 0 then 'return' else 'learner' end,
            'r' || i, {platform}, {tool}, {server}, {user}, i % 2000 + 1,
            case when i % 40 in (5, 6) then null else i % 8000 + 1 end,
            case when i % 25 = 4 then 'failed' when i % 17 = 4 then 'refused' when i % 3 = 0 then 'page' else 'redirected' end,
            302, 0.5, '/lams/tool/mdquiz10/learning.do?mode=learner&toolSessionID=' || i || '&{csv}&ts=1795772968272&uid=mdl_bill&sig=…',
            {SENT_TO}, case when i % 25 = 4 then 'the server moodle: it did not answer within 15 s' end,
            case when i % 25 = 4 then 'server-late' end
        from n",
        numbers(LAUNCHES)
    );
    let calls = format!(
        "insert into outgoing_calls (id, at, platform_id, signature, tool_content_id, tool_session_id, server_id, method,
            outcome, reason, ms)
        {} select {id} + 1, {at}, {platform}, {tool}, i % 2000 + 1, i % 8000 + 1, {server}, 'output', 'ok', null, 12.5
        from n where i % 5 = 0",
        numbers(LAUNCHES)
    );
    let hours = "insert into launch_hours (hour, server_id, outcome, launches)
        select id / 3686400000000, server_id, outcome, count(*) from launches where request_id like 'r%'
        group by 1, 2, 3 on conflict do nothing";
    let journal = format!(
        "insert into journal (id, platform_id, server_id, signature, operation, local_id, request, payload, state, owner,
            lease_until, tries, ext_id, error, created_at, updated_at)
        {} select 'e' || i, 'lams', 'moodle', 'mdquiz10', 'session', i, '{{\"make\":\"session\",\"content\":1}}',
            '{{\"source\":\"555\",\"place\":{{\"server\":\"moodle\",\"user\":\"bill\",\"course\":\"7\",\"section\":\"3\",\"course_url\":null}},\"name\":\"Group 1\"}}',
            case when i % 500 = 1 then 'unsettled' when i % 4 = 0 then 'failed' else 'done' end, 'nobody', {at}, 1,
            case when i % 4 > 0 and i % 500 <> 1 then '700' end,
            case when i % 4 = 0 or i % 500 = 1 then 'the server moodle: it did not answer within 15 s' end, {at}, {at}
        from n",
        numbers(8_000)
    );
    let audit = format!(
        "insert into audit (id, happened_at, actor, action, subject, before_json, after_json)
        {} select 'a' || i, {at}, 'Ada', 'server.changed', 's' || i, '{{\"name\":\"A\"}}', '{{\"name\":\"B\"}}' from n",
        numbers(10_000)
    );
    for sql in [
        launches.as_str(),
        &calls,
        hours,
        &journal,
        &audit,
        "analyze",
    ] {
        gateway.database.execute(sql).await;
    }
}
