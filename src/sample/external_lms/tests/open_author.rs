//! The course's teacher goes into LAMS.

use chrono::TimeDelta;
use url::Url;

use super::*;
use crate::domain::login_request::hashed;
use crate::domain::query::Query;

const LOGIN_REQUEST: &str = "http://gate.example.org/lams/LoginRequest";

fn site_with_lams() -> Site {
    site_with(ExternalLmsConfig {
        login_request: Some(LOGIN_REQUEST.into()),
        ..ExternalLmsConfig::new("campus", "S3cretKey")
    })
}

#[actix_web::test]
async fn open_author_leads_to_a_login_hashed_now() {
    let site = site_with_lams();
    let home = site.get("").await.text().await.unwrap();
    assert!(home.contains("id=\"open-author\"") && home.contains("Solar system"));
    let answer = site.get("open-author").await;
    assert_eq!(answer.status(), 302);
    assert_eq!(answer.headers()["cache-control"], "no-store");
    let address = Url::parse(location(&answer)).unwrap();
    assert!(address.as_str().starts_with(&format!("{LOGIN_REQUEST}?")));
    let query = Query::parse(address.query().unwrap());
    for (name, value) in [
        ("uid", "Bill"),
        ("method", "author"),
        ("sid", "campus"),
        ("courseid", "7"),
        ("courseName", "Solar system"),
        ("customCSV", "Bill,7,3,campus"),
        ("requestSrc", "Sample Campus"),
    ] {
        assert_eq!(query.get(name), Some(value), "{name}");
    }
    let ts = query.get("ts").unwrap();
    let hash = hex::encode(hashed((ts, "Bill", "author"), "", ("campus", "S3cretKey")));
    assert_eq!(query.get("hash"), Some(hash.as_str()));
    let at = chrono::DateTime::from_timestamp_millis(ts.parse().unwrap()).unwrap();
    assert!((Utc::now() - at).abs() < TimeDelta::minutes(1));
}

#[actix_web::test]
async fn the_same_goes_as_a_form() {
    let site = site_with_lams();
    let page = site.get("open-author?method=post").await;
    let page = page.text().await.unwrap();
    assert!(page.contains(&format!(
        "<form method=\"post\" action=\"{LOGIN_REQUEST}\">"
    )));
    assert!(page.contains("name=\"customCSV\" value=\"Bill,7,3,campus\""));
    assert!(page.contains("name=\"hash\""));
}

#[actix_web::test]
async fn without_a_gateway_there_is_no_way_into_lams() {
    let site = site();
    let home = site.get("").await.text().await.unwrap();
    assert!(!home.contains("open-author"));
    assert_eq!(site.get("open-author").await.status(), 404);
}
