//! A server that takes signature 2.

use reqwest::header::CONTENT_TYPE;
use reqwest::multipart::{Form, Part};
use sha2::{Digest, Sha256};

use super::*;
use crate::domain::signature2::{NO_BODY, Request, signature, stamp};

const FORUM: &str = r#"{"kind":"forum","settings":{"title":"Plants","intro":"","questions":[]}}"#;

fn site_of_two() -> Site {
    site_with(ExternalLmsConfig {
        signing: Signing::Two,
        return_base: Some("http://gate.example.org".into()),
        ..ExternalLmsConfig::new("campus", "S3cretKey")
    })
}

/// A page and query with the signature of now.
fn signed(method: &str, page_and_query: &str, body: &str) -> String {
    let (page, query) = page_and_query.split_once('?').unwrap();
    let mut query = format!("{query}&un=Bill");
    for (name, value) in stamp(Utc::now(), *uuid::Uuid::new_v4().as_bytes()) {
        query.push_str(&format!("&{name}={value}"));
    }
    let request = Request {
        method,
        path: &format!("/{page}"),
        query: &query,
        body,
    };
    let sig = signature("S3cretKey", "campus", request);
    format!("{page}?{query}&sig={sig}")
}

#[actix_web::test]
async fn an_address_is_good_once_and_the_page_behind_it_may_be_reloaded() {
    let site = site_of_two();
    let made = site
        .get(&signed(
            "GET",
            "mod/lamstwo/tooladapter_forum.php?method=clone&extToolContentID=0",
            NO_BODY,
        ))
        .await;
    assert_eq!(made.text().await.unwrap(), "501");
    for page in [
        format!("course/lamsframes.php?&id=501&returnUrl={}", enc(BACK)),
        format!(
            "course/lamsframes.php?&lamsUpdateURL={}&add=Forum",
            enc(UPDATE)
        ),
        format!(
            "course/modedit-lams.php?&update=501&id=501&returnUrl={}",
            enc(BACK)
        ),
        format!("mod/forum/view.php?&id=501&returnUrl={}", enc(BACK)),
    ] {
        let address = signed("GET", &page, NO_BODY);
        let answer = site.get(&address).await;
        assert_eq!(answer.status(), 303, "{page}");
        let to = location(&answer).trim_start_matches('/').to_owned();
        assert!(!to.contains("sig="), "{to}");
        for _ in 0..2 {
            assert_eq!(site.get(&to).await.status(), 200, "{to}");
        }
        let again = site.get(&address).await;
        assert_eq!(again.status(), 401, "{page}");
        assert!(again.text().await.unwrap().contains("good once"));
    }
}

#[actix_web::test]
async fn the_legacy_hash_and_whatever_was_changed_is_refused() {
    let site = site_of_two();
    let page = "mod/lamstwo/tooladapter_forum.php?method=clone&extToolContentID=0";
    assert_eq!(site.open(page, "Bill").await.status(), 401);
    let address = signed("GET", page, NO_BODY);
    for changed in [
        address.replace("clone", "delete"),
        address.replace("_forum", "_quiz"),
        address.replace("Bill", "Ann"),
        format!("{address}&un=Ann"),
    ] {
        assert_eq!(site.get(&changed).await.status(), 401, "{changed}");
    }
    assert!(site.lms().activities().is_empty());
    assert_eq!(site.get(&address).await.status(), 200);
}

#[actix_web::test]
async fn a_file_counts_only_as_it_was_signed_and_alone() {
    let site = site_of_two();
    let sum = hex::encode(Sha256::digest(FORUM));
    let page = "mod/lamstwo/tooladapter_forum.php?method=import&cs=7";
    let upload = async |form: Form, file: &str| {
        let part = Part::text(file.to_owned()).file_name("ext_tool.txt");
        let address = format!("{}{}", site.running.base_url(), signed("POST", page, &sum));
        let request = site
            .client
            .post(address)
            .multipart(form.part("upload_file", part));
        request.send().await.unwrap()
    };
    let another = FORUM.replace("Plants", "Plantz");
    assert_eq!(upload(Form::new(), &another).await.status(), 401);
    let stray = Form::new().text("method", "import");
    assert_eq!(upload(stray, FORUM).await.status(), 401);
    let address = format!("{}{}", site.running.base_url(), signed("POST", page, &sum));
    let raw = site
        .client
        .post(address)
        .header(CONTENT_TYPE, "text/plain")
        .body(FORUM);
    assert!(raw.send().await.unwrap().status().is_client_error());
    assert!(site.lms().activities().is_empty());
    let taken = upload(Form::new(), FORUM).await;
    assert_eq!(taken.text().await.unwrap(), "501");
}
