//! How a teacher comes in.

use super::*;
use crate::domain::login_request::hashed;

/// What Moodle would write as a time.
const TS: &str = "January 01,2010 12:00 am";

/// A LoginRequest of Bill's, with its hash right.
fn login(method: &str) -> String {
    let hash = hex::encode(hashed((TS, "Bill", method), "", ("campus", "S3cretKey")));
    let ts = "January+01%2C2010+12%3A00+am";
    format!(
        "uid=Bill&method={method}&ts={ts}&sid=campus&hash={hash}&courseid=7&courseName=Solar+system&customCSV=Bill%2C7%2C3%2Ccampus"
    )
}

fn empty_site() -> Site {
    let stand_in = StandIn::default();
    let gateway = Running::serve(port_0(), stand_in.clone(), StandIn::routes).unwrap();
    empty_site_at(config(gateway.base_url(), "t0ken"), stand_in)
}

#[actix_web::test]
async fn before_anybody_came_in_the_page_says_how_to_begin() {
    let site = empty_site();
    let page = site.lesson().await;
    assert!(page.contains("id=\"begin\"") && page.contains("http://campus.example.org/"));
    assert!(!page.contains("data-notice") && !page.contains("id=\"toolkit\""));
    for (page, body) in [("add", "signature=mdfrum10"), ("start/1001", "")] {
        let answer = site.post(page, body).await;
        assert_eq!(answer.status(), 401, "{page}");
        assert!(answer.text().await.unwrap().contains("Nobody came in yet."));
    }
}

#[actix_web::test]
async fn a_teacher_comes_in_and_is_named_also_when_the_login_is_replayed() {
    let site = empty_site();
    for _ in 0..2 {
        let answer = site.get(&format!("LoginRequest?{}", login("author"))).await;
        assert_eq!(answer.status(), 302);
        assert_eq!(answer.headers()[LOCATION], "/");
    }
    let page = site.lesson().await;
    assert!(page.contains("data-login=\"cmp_Bill\" data-course=\"7\""));
    assert!(page.contains("course Solar system,") && page.contains("id=\"add-mdfrum10\""));
}

#[actix_web::test]
async fn a_login_by_form_counts_as_one_by_address_and_both_halves_are_one() {
    let site = empty_site();
    let answer = site.post("LoginRequest", login("author")).await;
    assert_eq!(answer.status(), 302);
    assert!(site.lesson().await.contains("data-login=\"cmp_Bill\""));
    let answer = site.post("LoginRequest?usePrefix=false", login("author"));
    assert_eq!(answer.await.status(), 302);
    let teacher = site.running.state().teacher().clone().unwrap();
    assert_eq!(teacher.login, "Bill");
    let doubled = site.post("LoginRequest?courseid=8", login("author")).await;
    assert_eq!(doubled.status(), 400);
    let large = "x".repeat(LARGEST_LOGIN + 1);
    for page in ["LoginRequest", "add"] {
        assert_eq!(site.post(page, large.clone()).await.status(), 413);
    }
}

#[actix_web::test]
async fn a_login_that_is_not_right_is_refused_and_nobody_comes_in() {
    let site = empty_site();
    let right = login("author");
    let (status_400, status_401) = ("This login is not right", "This login cannot be trusted");
    for (wrong, status, title) in [
        (right.replace("hash=", "hash=0"), 401, status_401),
        (right.replace("uid=Bill", "uid=Anna"), 401, status_401),
        (
            right.replace("method=author", "method=monitor"),
            401,
            status_401,
        ),
        (right.replace("sid=campus", "sid=nobody"), 401, status_401),
        (right.replace("&hash=", "&hsh="), 400, status_400),
        (right.replace("uid=Bill", "uid="), 400, status_400),
        (format!("{right}&courseid=8"), 400, status_400),
        (login("monitor"), 400, status_400),
        (String::new(), 400, status_400),
    ] {
        let answer = site.get(&format!("LoginRequest?{wrong}")).await;
        assert_eq!(answer.status(), status, "{wrong}");
        assert!(answer.text().await.unwrap().contains(title), "{wrong}");
    }
    assert!(site.lesson().await.contains("id=\"begin\""));
}
