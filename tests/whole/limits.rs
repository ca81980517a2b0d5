//! Whatever can be guessed: who is refused a hundred times a minute is told to wait, and nobody else is.

use rstest::rstest;

use crate::support::{API_TOKEN, Gateway, Kind, PUBLIC_URL, Page, Setup, callback_of, login_path};

/// A request from an address.
async fn from(gateway: &Gateway, address: &str, path: &str, token: &str) -> Page {
    let request = gateway.client().get(format!("{}{path}", gateway.base));
    let request = request.header("X-Forwarded-For", address);
    let request = request.bearer_auth(token);
    Page::read(request.send().await.unwrap()).await
}

#[rstest]
#[case("/api/v1/toolkit", "guessed", 401)]
#[case(
    "/lams/LoginRequest?uid=Bill&method=author&ts=1&sid=moodle&hash=00",
    "",
    401
)]
#[case(
    "/lams/tool/mdquiz10/authoring.do?dispatch=updateContent&toolContentID=1&state=x",
    "",
    401
)]
#[case(
    "/admin/first?token=0000000000000000000000000000000000000000000000000000000000000000",
    "",
    410
)]
#[case(
    "/lams/tool/mdquiz10/learning.do?mode=learner&toolSessionID=2&ts=1&uid=x&sig=00",
    "",
    401
)]
#[actix_web::test]
async fn who_guesses_is_told_to_wait(
    #[case] guess: &str,
    #[case] token: &str,
    #[case] status: u16,
) {
    let setup = Setup {
        environment: vec![("TOOLGATE_TRUSTED_PROXIES", "127.0.0.0/8".to_owned())],
        ..Setup::default()
    };
    let gateway = Gateway::start(Kind::Sqlite, setup).await;
    for _ in 0..100 {
        let page = from(&gateway, "192.0.2.1", guess, token).await;
        page.refused(status);
    }
    let page = from(&gateway, "192.0.2.1", guess, token).await;
    page.refused(429);
    let seconds: u64 = page.headers["retry-after"].parse().unwrap();
    assert!((1..=61).contains(&seconds), "{seconds}");
    // No program can open an activity again.
    let of_a_program = guess.starts_with("/api/");
    assert!(
        !(of_a_program && page.body.contains("activity")),
        "{}",
        page.body
    );
    from(&gateway, "192.0.2.2", guess, token)
        .await
        .refused(status);
    // What is signed is no guess: it is told what is wrong with it.
    let path = "/lams/tool/mdquiz10/learning.do?mode=learner&toolSessionID=2";
    let signed = gateway.sign(path, "mdl_Anna");
    from(&gateway, "192.0.2.1", &signed, "").await.refused(404);
    let unknown = gateway.sign(&path.replace("mdquiz10", "nothing10"), "mdl_Anna");
    from(&gateway, "192.0.2.1", &unknown, "").await.refused(404);
    let nobody = gateway.sign(path, &"x".repeat(300));
    from(&gateway, "192.0.2.1", &nobody, "").await.refused(400);
    let author = gateway.author("mdquiz10", 1).await.location();
    let callback = format!("{}&extToolContentID=0", callback_of(&author));
    let callback = callback.strip_prefix(PUBLIC_URL).unwrap();
    from(&gateway, "192.0.2.1", callback, "").await.refused(400);
    // A school is one address: what is right comes through from there all the same.
    let login = login_path(
        "moodle",
        "S3cretKey",
        ("1262304000000", "Bill", "author"),
        &[],
    );
    assert_eq!(from(&gateway, "192.0.2.1", &login, "").await.status, 302);
    let toolkit = "/api/v1/toolkit?extLmsId=moodle";
    assert_eq!(
        from(&gateway, "192.0.2.1", toolkit, API_TOKEN).await.status,
        200
    );
}
