//! What all pages have, and how LAMS leads there.

use rstest::rstest;

use crate::support::{ADA, Gateway, Kind, Setup, Visitor};

const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; \
                      connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

#[actix_web::test]
async fn every_page_has_its_headers_and_no_script_or_style_within() {
    let gateway = Gateway::start(Kind::Sqlite, Setup::default()).await;
    let address = gateway.first_start().await;
    let nobody = Visitor::new(&gateway);
    let first = nobody.get(&address).await;
    let ada = Visitor::signed_in(&gateway, ADA).await;
    let mut pages = vec![
        first,
        nobody.get("/admin/sign-in").await,
        ada.get("/admin/nowhere").await,
    ];
    let home = ada.get("/admin/").await;
    let navigation = home.attributes("nav a", "href");
    assert_eq!(home.attributes(".tile a", "href"), navigation);
    assert!(navigation.contains(&"/admin/servers".to_owned()));
    for path in &navigation {
        let page = ada.get(path).await;
        assert_eq!(page.status, 200, "{path}: {}", page.body);
        assert_eq!(page.attributes("nav a", "href"), navigation);
        let current = page.attributes("nav [aria-current=page]", "href");
        assert_eq!(current, [path.as_str()]);
        pages.push(page);
    }
    pages.push(home);
    for page in pages {
        assert_eq!(page.headers["content-security-policy"], POLICY);
        assert_eq!(page.headers["cache-control"], "no-store");
        assert_eq!(page.headers["referrer-policy"], "same-origin");
        assert_eq!(page.headers["x-content-type-options"], "nosniff");
        assert_eq!(
            page.attributes("script:not([src]), style, [style]", "class"),
            [""; 0]
        );
        assert_eq!(page.attributes("a.skip", "href"), ["#main"]);
        // What changes something is posted, with its token; a search is not, and carries none.
        let tokens = page.attributes("form[method=post] [name=form_token]", "value");
        assert!(
            page.attributes("form[method=get] [name=form_token]", "value")
                .is_empty()
        );
        let signed_in = !page.attributes("#sign-out", "class").is_empty();
        if signed_in {
            assert_eq!(
                page.attributes("form[method=post]", "method").len(),
                tokens.len()
            );
        }
        for method in page.attributes("form", "method") {
            assert!(["post", "get"].contains(&method.as_str()), "{method}");
        }
    }
    for file in ["admin.css", "admin.js"] {
        assert_eq!(gateway.get(&format!("/static/{file}")).await.status, 200);
    }
}

#[actix_web::test]
async fn addresses_that_lead_nowhere_are_refused_in_words_for_sysadmins() {
    let gateway = Gateway::start(Kind::Sqlite, Setup::default()).await;
    let visitor = Visitor::new(&gateway);
    let page = visitor.get("/admin/nowhere").await;
    assert_eq!(page.refused(404), "There is no such page");
    assert_eq!(
        page.text("#advice").as_deref(),
        Some("Go on from the first page.")
    );
    visitor.get("/admin/sign-out").await.refused(405);
    assert_eq!(visitor.get("/admin").await.see_other(), "/admin/");
    visitor
        .post("/admin/sign-in", &[("name", &"a".repeat(70_000))])
        .await
        .refused(413);
}

#[rstest]
#[case("http://gate.example.org", "/admin/")]
#[case("https://school.example.org/tools", "/tools/admin/")]
#[actix_web::test]
async fn a_tools_own_page_for_sysadmins_leads_here(#[case] url: &str, #[case] to: &str) {
    let setup = Setup {
        environment: vec![("TOOLGATE_PUBLIC_URL", url.to_owned())],
        ..Setup::default()
    };
    let gateway = Gateway::start(Kind::Sqlite, setup).await;
    let page = gateway.get("/lams/tool/mdquiz10/mdquiz10admin.do").await;
    assert_eq!(page.location(), to);
    for (path, title) in [
        (
            "/lams/tool/mdquiz10/mdforum10admin.do",
            "There is no such page",
        ),
        (
            "/other/tool/mdquiz10/mdquiz10admin.do",
            "This LAMS is not known here",
        ),
        (
            "/other/tool/nosuch10/nosuch10admin.do",
            "This LAMS is not known here",
        ),
        (
            "/lams/tool/nosuch10/nosuch10admin.do",
            "This tool is not known here",
        ),
    ] {
        assert_eq!(gateway.get(path).await.refused(404), title, "{path}");
    }
}

#[actix_web::test]
async fn launch_pages_know_nothing_of_the_cookie() {
    let gateway = Gateway::start(Kind::Sqlite, Setup::default()).await;
    let ada = Visitor::signed_in(&gateway, ADA).await;
    ada.get("/lams/tool/mdquiz10/learning.do?mode=learner&toolSessionID=1")
        .await
        .refused(401);
    assert_eq!(ada.set_cookies(), [""; 0]);
}

#[rstest]
#[actix_web::test]
async fn the_audit_goes_on_page_by_page(#[values(Kind::Postgres, Kind::Sqlite)] kind: Kind) {
    let gateway = Gateway::start(kind, Setup::default()).await;
    let ada = Visitor::signed_in(&gateway, ADA).await;
    for n in 0..120 {
        let at = format!("2026-01-01T00:{:02}:00+00:00", n / 2);
        let row = format!(
            "insert into audit (id, happened_at, actor, action, subject)
             values ('{n:03x}', '{at}', 'Ada', 'server.changed', 's{n}')"
        );
        gateway.database.execute(&row).await;
    }
    let mut subjects = Vec::new();
    let mut next = Some("/admin/audit".to_owned());
    while let Some(path) = next {
        let page = ada.get(&path).await;
        subjects.extend(page.attributes("[data-subject]", "data-subject"));
        next = page.attributes("#older", "href").pop();
    }
    let expected: Vec<_> = (0..120).rev().map(|n| format!("s{n}")).collect();
    assert_eq!(subjects[0], ADA);
    // Before those came the configuration that the gateway started with.
    let [.., last] = expected.as_slice() else {
        panic!("nothing is expected")
    };
    assert_eq!(subjects.last(), Some(last));
    assert_eq!(subjects[4..], expected);
    // What is no place is the beginning.
    let page = ada.get("/admin/audit?before='or'1").await;
    assert_eq!(page.attributes("[data-subject]", "data-subject")[0], ADA);
}
