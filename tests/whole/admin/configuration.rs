//! The configuration as a file, on its page: downloaded, planned, applied.

use rstest::rstest;

use crate::support::{
    ADA, API_TOKEN, Gateway, Kind, LAUNCH_SECRET, Page, Setup, Visitor, apply, environment,
};

const PAGE: &str = "/admin/configuration";
const APPLY: &str = "/admin/configuration/apply";
const CANARY: &str = "canary-that-nobody-may-see";

fn canvas() -> String {
    format!(
        "[[platforms]]\nid = \"lams\"\nname = \"<i>Ours</i>\"\nurl = \"http://lams.example.org/\"\n\
         launch_secret = \"{CANARY}\"\n\n[[servers]]\nid = \"canvas\"\nurl = \"http://canvas.example.org/\"\n\
         key = \"short\"\nprefix = \"cnv\"\ntools = [\"mdquiz10\"]\n"
    )
}

/// What the page's form would send for its text.
async fn apply_planned(ada: &Visitor<'_>, plan: &Page, text: &str) -> Page {
    let of = |name: &str| {
        plan.attributes(&format!("[name={name}]"), "value")
            .remove(0)
    };
    let (version, digest) = (of("version"), of("digest"));
    let fields = [("text", text), ("version", &*version), ("digest", &*digest)];
    ada.post_form(PAGE, APPLY, &fields).await
}

async fn names(gateway: &Gateway) -> i64 {
    let named = "select count(*) from servers where id = 'canvas'";
    gateway.database.number(named).await
}

#[rstest]
#[actix_web::test]
async fn a_file_is_planned_and_then_applied_as_it_was_planned(
    #[values(Kind::Postgres, Kind::Sqlite)] kind: Kind,
) {
    let gateway = Gateway::start(kind, Setup::default()).await;
    let ada = Visitor::signed_in(&gateway, ADA).await;
    let plan = ada.post_form(PAGE, PAGE, &[("text", &canvas())]).await;
    assert_eq!(plan.status, 200, "{}", plan.body);
    let steps = |does: &str| plan.attributes(&format!("[data-does={does}]"), "data-id");
    assert_eq!(steps("create"), ["canvas"]);
    assert_eq!(steps("change"), ["lams"]);
    assert_eq!(steps("leave"), ["dotLRN", "moodle"]);
    assert!(
        plan.text("#warnings")
            .unwrap()
            .contains("key of server canvas is shorter")
    );
    assert_eq!(plan.text("#text").as_deref(), Some(canvas().trim()));
    assert_eq!(plan.body.matches(CANARY).count(), 1);
    assert!(!plan.body.contains("<i>Ours</i>"), "{}", plan.body);
    assert_eq!(names(&gateway).await, 0);

    // As a browser's text area sends it.
    let text = canvas().replace('\n', "\r\n");
    let applied = apply_planned(&ada, &plan, &text).await;
    assert_eq!(applied.see_other(), "/admin/configuration?done=applied");
    assert_eq!(names(&gateway).await, 1);
    let toolkit = gateway
        .call("GET", "/toolkit?extLmsId=canvas", None)
        .await
        .json();
    assert_eq!(toolkit["tools"][0]["signature"], "mdquiz10");
    for path in [PAGE, "/admin/audit", "/admin/platforms/edit?id=lams"] {
        assert!(!ada.get(path).await.body.contains(CANARY), "{path}");
    }
    let told = "select count(*) from audit where actor = 'Ada' and action in ('server.added', 'platform.changed')";
    assert_eq!(gateway.database.number(told).await, 2);
    assert!(!gateway.log().contains(CANARY));

    // The same once more would change nothing.
    let again = ada.post_form(PAGE, PAGE, &[("text", &canvas())]).await;
    assert!(again.text("#nothing").is_some(), "{}", again.body);
    assert_eq!(again.text("#apply"), None);
}

#[rstest]
#[actix_web::test]
async fn nothing_but_what_was_planned_is_applied(
    #[values(Kind::Postgres, Kind::Sqlite)] kind: Kind,
) {
    let gateway = Gateway::start(kind, Setup::default()).await;
    let ada = Visitor::signed_in(&gateway, ADA).await;
    let plan = ada.post_form(PAGE, PAGE, &[("text", &canvas())]).await;
    // Another text.
    let other = canvas().replace("prefix = \"cnv\"", "prefix = \"cn\"");
    let page = apply_planned(&ada, &plan, &other).await;
    assert_eq!(page.status, 409);
    assert!(
        page.text("#note")
            .unwrap()
            .contains("not the text that was planned")
    );
    assert_eq!(page.text("#text").as_deref(), Some(other.trim()));
    // Somebody else was there.
    let renamed =
        "[[servers]]\nid = \"moodle\"\nurl = \"http://moodle.example.org/\"\nprefix = \"mdl\"\n";
    assert!(apply(&gateway.database, renamed, &[]).status.success());
    let page = apply_planned(&ada, &plan, &canvas()).await;
    assert_eq!(page.status, 409);
    assert!(
        page.text("#note")
            .unwrap()
            .contains("somebody changed the configuration")
    );
    assert_eq!(names(&gateway).await, 0);
    // No plan at all.
    for (version, digest) in [
        ("", ""),
        ("1", "x"),
        ("x", "0"),
        ("-9999999999999999999999", ""),
    ] {
        let text = canvas();
        let fields = [("text", &*text), ("version", version), ("digest", digest)];
        assert_eq!(ada.post_form(PAGE, APPLY, &fields).await.status, 409);
    }
    assert_eq!(names(&gateway).await, 0);
    // Seen anew, it may be.
    apply_planned(&ada, &page, &canvas()).await.see_other();
    assert_eq!(names(&gateway).await, 1);
}

#[actix_web::test]
async fn a_mistake_names_line_and_key_and_what_was_typed_stays() {
    let gateway = Gateway::start(Kind::Sqlite, Setup::default()).await;
    let ada = Visitor::signed_in(&gateway, ADA).await;
    let secret = format!("launch_secret = \"{CANARY}\"");
    let head = "[[platforms]]\nid = \"lams\"\n";
    let right = "url = \"http://lams.example.org/\"\n";
    for (text, words, line) in [
        (
            format!("{head}url = \"ftp://x\"\n{secret}\n"),
            "Line 3, url:",
            Some("url = \"ftp://x\""),
        ),
        (
            format!("{head}{right}launch_secret = [\"{CANARY}\"]\n"),
            "Line 4, launch_secret:",
            Some("launch_secret = …"),
        ),
        (
            format!("{head}{right}lunch_secret = \"{CANARY}\"\n"),
            "Line 4, lunch_secret:",
            Some("lunch_secret = …"),
        ),
        (
            format!("{head}{right}launch_secret \"{CANARY}\"\n"),
            "Line 4",
            None,
        ),
        (
            format!("{head}{right}launch_secret = {{ env = \"PATH\" }}\n"),
            "Line 4, launch_secret:",
            Some("launch_secret = …"),
        ),
        (
            format!("{head}{right}{secret}\napi_token = {{ file = \"/etc/passwd\" }}\n"),
            "Line 5, api_token:",
            Some("api_token = …"),
        ),
        (
            format!("{head}{right}name = \"a\\u0000b\"\n{secret}\n"),
            "Line 4, name:",
            Some("name = \"a\\u0000b\""),
        ),
        (
            format!("{head}{right}{secret}\n{head}{right}"),
            "Line 6, id:",
            Some("id = \"lams\""),
        ),
        ("<script>alert(1)</script>".to_owned(), "Line 1", None),
    ] {
        for path in [PAGE, APPLY] {
            let page = ada.post_form(PAGE, path, &[("text", &text)]).await;
            assert_eq!(page.status, 422, "{text}: {}", page.body);
            let told = page.text("#text-error").unwrap();
            assert!(told.starts_with(words), "{told}");
            assert_eq!(page.text("#line").as_deref(), line, "{text}");
            assert_eq!(page.text("#text").as_deref(), Some(text.trim()));
            assert_eq!(
                page.body.matches(CANARY).count(),
                text.matches(CANARY).count()
            );
            assert!(!page.body.contains("<script>alert"), "{}", page.body);
        }
    }
    for (text, words) in [
        (String::new(), "Paste a file"),
        (" \r\n".to_owned(), "Paste a file"),
        ("#".repeat(512 * 1024 + 1), "longer than 512 KiB"),
    ] {
        let page = ada.post_form(PAGE, PAGE, &[("text", &text)]).await;
        assert_eq!(page.status, 422);
        assert!(page.text("#text-error").unwrap().contains(words));
        assert_eq!(page.text("#text").as_deref(), Some(text.trim()));
    }
    let endless = "#".repeat(3 * 1024 * 1024);
    ada.post_form(PAGE, PAGE, &[("text", &endless)])
        .await
        .refused(413);
    assert!(!gateway.log().contains(CANARY), "{}", gateway.log());
}

#[actix_web::test]
async fn a_file_that_is_chosen_counts_in_place_of_the_text() {
    let gateway = Gateway::start(Kind::Sqlite, Setup::default()).await;
    let ada = Visitor::signed_in(&gateway, ADA).await;
    let token = ada.form_token(PAGE).await;
    let fields = [("form_token", &*token), ("text", "pasted = 1")];
    let file = format!("\u{feff}{}", canvas().replace('\n', "\r\n"));
    let plan = ada.post_file(PAGE, &fields, file.into_bytes()).await;
    assert_eq!(plan.status, 200, "{}", plan.body);
    assert_eq!(plan.text("#text").as_deref(), Some(canvas().trim()));
    apply_planned(&ada, &plan, &canvas()).await.see_other();
    assert_eq!(names(&gateway).await, 1);
    // No file, as browsers say it, and no text at all.
    let page = ada.post_file(PAGE, &fields, Vec::new()).await;
    assert_eq!(page.text("#text").as_deref(), Some("pasted = 1"));
    let page = ada
        .post_file(PAGE, &fields, vec![0x50, 0x4b, 0xff, 0xfe])
        .await;
    assert_eq!(page.status, 422);
    assert!(
        page.text("#text-error")
            .unwrap()
            .contains("no text in UTF-8")
    );
    assert_eq!(page.text("#text").as_deref(), Some("pasted = 1"));
    // The token counts in such a form, too.
    let page = ada
        .post_file(PAGE, &fields[1..], canvas().into_bytes())
        .await;
    page.refused(403);
}

#[rstest]
#[actix_web::test]
async fn what_is_configured_is_downloaded_without_its_secrets_and_changes_nothing(
    #[values(Kind::Postgres, Kind::Sqlite)] kind: Kind,
) {
    // Nothing has its default, else what is not written would not be missed.
    let more = "[[servers]]\nid = \"other\"\nurl = \"http://other.example.org/\"\nkey = \"0therKey\"\nprefix = \"oth\"\n\
                enabled = false\nsign_redirects = false\nsignature = 2\ntimeout_ms = 5000\nprivate_network = false\n\
                login_window_minutes = 60\ntime_zone = \"Europe/Berlin\"\ntools = [\"mdquiz10\"]\n";
    let setup = Setup {
        custom_csv: "remembered",
        finish_url: Some("finished.do"),
        more: more.to_owned(),
        ..Setup::default()
    };
    let gateway = Gateway::start(kind, setup).await;
    let ada = Visitor::signed_in(&gateway, ADA).await;
    let file = ada.get("/admin/configuration/file").await;
    assert_eq!(file.status, 200);
    assert_eq!(file.headers["content-type"], "application/toml");
    assert_eq!(file.headers["cache-control"], "no-store");
    let name = &file.headers["content-disposition"];
    assert!(
        name.starts_with("attachment; filename=\"toolgate-20") && name.ends_with(".toml\""),
        "{name}"
    );
    let references = ada
        .get("/admin/configuration/file?secrets=references")
        .await;
    assert!(
        references.body.contains("{ env = \"LAMS_LAUNCH_SECRET\" }"),
        "{}",
        references.body
    );
    for secret in [
        LAUNCH_SECRET,
        API_TOKEN,
        "S3cretKey",
        "L3rnKey",
        "0therKey",
        &environment(&gateway.database)[1].1,
    ] {
        assert!(!file.body.contains(secret) && !references.body.contains(secret));
    }
    let plan = ada.post_form(PAGE, PAGE, &[("text", &file.body)]).await;
    assert!(plan.text("#nothing").is_some(), "{}", plan.body);
    // Nobody else gets it.
    let to = Visitor::new(&gateway)
        .get("/admin/configuration/file")
        .await
        .see_other();
    assert!(to.starts_with("/admin/sign-in"), "{to}");
}

#[actix_web::test]
async fn a_form_that_breaks_off_is_refused_in_words() {
    let gateway = Gateway::start(Kind::Sqlite, Setup::default()).await;
    let ada = Visitor::signed_in(&gateway, ADA).await;
    let part = "--x\r\nContent-Disposition: form-data; name=\"text\"\r\n\r\nabc";
    for (kind, body) in [
        ("multipart/form-data", part),
        ("multipart/form-data; boundary=x", part),
        ("multipart/form-data; boundary=x", ""),
        (
            "multipart/form-data; boundary=x",
            "--x\r\n\r\n\r\n--x--\r\n",
        ),
    ] {
        let request = gateway
            .client()
            .post(format!("{}{PAGE}", gateway.base))
            .header("Sec-Fetch-Site", "same-origin")
            .header("Cookie", format!("toolgate={}", ada.cookies()["toolgate"]))
            .header("Content-Type", kind)
            .body(body);
        Page::read(request.send().await.unwrap()).await.refused(400);
    }
}
