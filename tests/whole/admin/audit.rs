//! Looking for something in the audit.

use rstest::rstest;

use crate::support::{ADA, Gateway, Kind, Page, Setup, Visitor};

fn subjects(page: &Page) -> Vec<String> {
    page.attributes("[data-subject]", "data-subject")
}

/// Entries of four days by two people: s0 to s119, thirty a day.
async fn filled(kind: Kind) -> Gateway {
    let gateway = Gateway::start(kind, Setup::default()).await;
    for n in 0..120 {
        let (day, minute) = (n / 30 + 1, n % 30);
        let actor = if n % 2 == 0 {
            "Ada"
        } else {
            "Mr. O''Hara & Co"
        };
        let action = ["server.changed", "platform.added", "platforms.x"][n % 3];
        let row = format!(
            "insert into audit (id, happened_at, actor, action, subject)
             values ('{n:03x}', '2026-01-0{day}T00:{minute:02}:00+00:00', '{actor}', '{action}', 's{n}')"
        );
        gateway.database.execute(&row).await;
    }
    gateway
}

#[rstest]
#[actix_web::test]
async fn entries_are_found_by_each_thing_and_by_all_together(
    #[values(Kind::Postgres, Kind::Sqlite)] kind: Kind,
) {
    let gateway = filled(kind).await;
    let ada = Visitor::signed_in(&gateway, ADA).await;
    let of = |fact: fn(usize) -> bool| -> Vec<String> {
        let found = (0..120).rev().filter(|n| fact(*n));
        found.map(|n| format!("s{n}")).collect()
    };
    for (query, expected) in [
        ("subject=s7", of(|n| n == 7)),
        ("from=2026-01-04&to=2026-01-04", of(|n| n >= 90)),
        ("to=2026-01-01", of(|n| n < 30)),
        (
            "who=Mr.+O%27Hara+%26+Co&to=2026-01-01",
            of(|n| n < 30 && n % 2 == 1),
        ),
        ("action=platform.added", of(|n| n % 3 == 1)),
        (
            "action=platform&to=2026-01-02",
            of(|n| n < 60 && n % 3 == 1),
        ),
        (
            "who=Ada&action=server&from=2026-01-02&to=2026-01-02",
            of(|n| (30..60).contains(&n) && n % 6 == 0),
        ),
        ("subject=s7&who=Ada", Vec::new()),
        ("subject=%25", Vec::new()),
        ("who=%00", Vec::new()),
    ] {
        let page = ada
            .get(&format!("/admin/audit?{query}&to=2026-01-09"))
            .await;
        let page = if query.contains("to=") {
            ada.get(&format!("/admin/audit?{query}")).await
        } else {
            page
        };
        assert_eq!(page.status, 200, "{query}: {}", page.body);
        assert_eq!(subjects(&page), expected, "{query}");
        assert_eq!(page.text("#empty").is_some(), expected.is_empty());
        assert_eq!(page.attributes("#everything", "href"), ["/admin/audit"]);
    }
}

#[rstest]
#[actix_web::test]
async fn a_search_goes_on_page_by_page(#[values(Kind::Postgres, Kind::Sqlite)] kind: Kind) {
    let gateway = filled(kind).await;
    let ada = Visitor::signed_in(&gateway, ADA).await;
    let mut found = Vec::new();
    let first = "/admin/audit?who=Mr.+O%27Hara+%26+Co&from=2026-01-01&to=2026-01-04";
    let mut next = Some(first.to_owned());
    while let Some(path) = next {
        let page = ada.get(&path).await;
        assert_eq!(page.attributes("[name=who]", "value"), ["Mr. O'Hara & Co"]);
        found.extend(subjects(&page));
        if path != first {
            let newest = page.attributes("#newest", "href").pop().unwrap();
            assert_eq!(subjects(&ada.get(&newest).await)[0], "s119");
        }
        next = page.attributes("#older", "href").pop();
    }
    let expected: Vec<_> = (0..120).rev().filter(|n| n % 2 == 1).collect();
    assert_eq!(
        found,
        Vec::from_iter(expected.iter().map(|n| format!("s{n}")))
    );
    // What an entry says is a way to look for more of it.
    let page = ada.get(first).await;
    for link in page.attributes("[data-subject=s119] a", "href") {
        assert!(
            subjects(&ada.get(&link).await).contains(&"s119".to_owned()),
            "{link}"
        );
    }
}

#[actix_web::test]
async fn a_day_that_is_none_is_told_at_its_field() {
    let gateway = Gateway::start(Kind::Sqlite, Setup::default()).await;
    let ada = Visitor::signed_in(&gateway, ADA).await;
    for (query, field) in [
        ("from=31.1.2026", "from"),
        ("to=2026-02-30", "to"),
        ("from=2026-02-02&to=2026-02-01", "to"),
    ] {
        let page = ada.get(&format!("/admin/audit?subject=x&{query}")).await;
        assert_eq!(page.status, 422);
        assert!(page.text(&format!("#{field}-error")).is_some(), "{query}");
        assert_eq!(page.attributes("[name=subject]", "value"), ["x"]);
        assert_eq!(subjects(&page), [""; 0]);
    }
    let script = "/admin/audit?who=%22%3E%3Cscript%3Ealert(1)%3C/script%3E";
    assert!(!ada.get(script).await.body.contains("<script>alert"));
}
