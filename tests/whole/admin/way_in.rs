//! The pages about the way in: who came, from which courses, and an address for trying.

use rstest::rstest;

use crate::support::{ADA, Gateway, Kind, PUBLIC_URL, Setup, Visitor, login_path, parameter};

const TRY: &str = "/admin/people/try";

#[rstest]
#[actix_web::test]
async fn an_address_to_try_is_taken_and_whoever_came_is_found(
    #[values(Kind::Postgres, Kind::Sqlite)] kind: Kind,
) {
    let gateway = Gateway::start(kind, Setup::default()).await;
    let ada = Visitor::signed_in(&gateway, ADA).await;
    assert!(ada.get("/admin/people").await.text("#empty").is_some());
    let hostile = "Bi'll %_<b>\"";
    let mut fields = vec![
        ("platform", "lams"),
        ("server", "moodle"),
        ("user", hostile),
        ("method", "learnerStrictAuth"),
        ("custom_csv", "bill,7,3,moodle"),
        ("course", "7"),
    ];
    let page = ada.post_form(TRY, TRY, &fields).await;
    assert_eq!(page.status, 422, "{}", page.body);
    assert!(page.text("#lesson-error").is_some(), "{}", page.body);
    assert_eq!(page.attributes("#user", "value"), [hostile]);
    fields.push(("lesson", "42"));
    let page = ada.post_form(TRY, TRY, &fields).await;
    assert_eq!(page.status, 200, "{}", page.body);
    assert!(!page.body.to_lowercase().contains("s3cretkey"));
    assert!(!page.body.contains("<b>"), "{}", page.body);
    let address = page.text("#address").unwrap();
    let path = address.strip_prefix(PUBLIC_URL).unwrap();
    let ts = parameter(&address, "ts").unwrap();
    let who = (ts.as_str(), hostile, "learnerStrictAuth");
    let right = login_path("moodle", "S3cretKey", who, &[("lsid", "42")]);
    assert_eq!(
        parameter(&address, "hash"),
        parameter(&format!("{PUBLIC_URL}{right}"), "hash")
    );
    gateway.get(path).await.location();
    for (search, is_found) in [
        ("%25_", true),
        ("BI%27LL", true),
        ("%25%25", false),
        ("%00", false),
    ] {
        let page = ada.get(&format!("/admin/people?search={search}")).await;
        let found = !page.attributes("[data-login]", "data-login").is_empty();
        assert_eq!(found, is_found, "{search}: {}", page.body);
    }
    let list = ada.get("/admin/people").await;
    let person = ada.get(&list.attributes("tbody a", "href")[0]).await;
    assert_eq!(person.text("#remembered").unwrap(), "bill,7,3,moodle");
    let courses = ada.get("/admin/people/courses?server=moodle").await;
    assert_eq!(courses.attributes("[data-course]", "data-course"), ["7"]);
}
