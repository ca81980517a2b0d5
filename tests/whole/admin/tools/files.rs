//! Definitions as files: downloaded, and brought into the editor.

use super::LIST;
use crate::support::{ADA, Gateway, Kind, Page, Setup, Visitor};

const QUIZ: &str = include_str!("../../../../src/domain/tool/builtin/mdquiz10.toml");

/// Sends a file to the editor.
async fn upload(ada: &Visitor<'_>, name: &str, content: &[u8]) -> Page {
    let token = ada.form_token(LIST).await;
    let boundary = "the-boundary-of-this-form";
    let mut body = format!(
        "--{boundary}\r\nContent-Disposition: form-data; name=\"form_token\"\r\n\r\n{token}\r\n\
         --{boundary}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\
         Content-Type: application/octet-stream\r\n\r\n"
    )
    .into_bytes();
    body.extend_from_slice(content);
    body.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
    let kind = format!("multipart/form-data; boundary={boundary}");
    ada.post_body("/admin/tools/upload", &kind, body).await
}

#[actix_web::test]
async fn a_definition_goes_out_as_a_file_and_comes_in_again() {
    let gateway = Gateway::start(Kind::Sqlite, Setup::default()).await;
    let ada = Visitor::signed_in(&gateway, ADA).await;
    let file = ada.get("/admin/tools/file?signature=mdquiz10").await;
    assert_eq!((file.status, file.body.as_str()), (200, QUIZ));
    assert_eq!(
        file.headers["content-disposition"],
        "attachment; filename=\"mdquiz10.toml\""
    );
    assert_eq!(
        file.headers["content-type"],
        "application/toml; charset=utf-8"
    );
    assert_eq!(file.headers["cache-control"], "no-store");

    // The very file is a built-in tool; with a signature of its own it is right.
    let same = upload(&ada, "mdquiz10.toml", QUIZ.as_bytes()).await;
    assert_eq!(same.status, 422);
    assert!(
        same.text("#definition-error")
            .unwrap()
            .contains("is built in")
    );
    let own = format!(
        "\u{feff}{}",
        QUIZ.replace("\"mdquiz10\"", "\"quiz-of-ours\"")
            .replace('\n', "\r\n")
    );
    let page = upload(&ada, "../../etc/passwd", own.as_bytes()).await;
    assert_eq!((page.status, page.text("#definition-error")), (200, None));
    assert!(
        page.attributes("form[action$='/tools/new']", "action")
            .len()
            == 1
    );
    let definition = page.text("textarea").unwrap();
    assert!(!definition.contains('\r') && definition.starts_with("signature"));
    assert_eq!(
        gateway.database.number("select count(*) from tools").await,
        0
    );
    ada.post_form(LIST, "/admin/tools/new", &[("definition", &definition)])
        .await
        .see_other();
    let file = ada.get("/admin/tools/file?signature=quiz-of-ours").await;
    assert_eq!(file.body, definition);

    // A file of a tool that is there changes that one, once it is saved.
    let newer = definition.replace("Moodle Quiz", "Our quiz");
    let page = upload(&ada, "x", newer.as_bytes()).await;
    assert_eq!(
        page.attributes("form [name=signature][type=hidden]", "value"),
        ["quiz-of-ours"]
    );
    let made_from = page.attributes("[name=made_from]", "value").remove(0);
    let fields = [
        ("signature", "quiz-of-ours"),
        ("made_from", made_from.as_str()),
        ("definition", newer.as_str()),
    ];
    ada.post_form(LIST, "/admin/tools/edit", &fields)
        .await
        .see_other();
    let file = ada.get("/admin/tools/file?signature=quiz-of-ours").await;
    assert!(file.body.contains("Our quiz"));
}

#[actix_web::test]
async fn files_that_are_no_definitions_are_refused_in_words() {
    let gateway = Gateway::start(Kind::Sqlite, Setup::default()).await;
    let ada = Visitor::signed_in(&gateway, ADA).await;
    let page = upload(&ada, "x", b"signature = \"a\"\ntitle = \"\xff\xfe\"\n").await;
    assert_eq!(page.status, 422);
    assert_eq!(page.attributes("#definition-error", "data-line"), ["2"]);
    assert!(page.text("#definition-error").unwrap().contains("UTF-8"));
    let zip = [b"PK\x03\x04".as_slice(), &[0; 4096]].concat();
    assert_eq!(upload(&ada, "x.zip", &zip).await.status, 422);
    let long = vec![b'#'; 17 * 1024];
    let page = upload(&ada, "x", &long).await;
    assert_eq!(page.status, 422);
    assert!(
        page.text("#definition-error")
            .unwrap()
            .contains("16384 are the most")
    );
    upload(&ada, "x", b"").await.refused(422);
    upload(&ada, "x", &vec![b'#'; 200_000]).await.refused(413);
    let broken = ada
        .post_body(
            "/admin/tools/upload",
            "multipart/form-data",
            b"--x".to_vec(),
        )
        .await;
    broken.refused(400);
    let empty_parts = "--x\r\nContent-Disposition: form-data; name=\"\"\r\n\r\n\r\n".repeat(3000);
    ada.post_body(
        "/admin/tools/upload",
        "multipart/form-data; boundary=x",
        empty_parts.into_bytes(),
    )
    .await
    .refused(413);
    // Without the token of this session a file is as nothing.
    let body = "--x\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\na\r\n--x--\r\n";
    let kind = "multipart/form-data; boundary=x";
    ada.post_body("/admin/tools/upload", kind, body.into())
        .await
        .refused(403);
    let nobody = Visitor::new(&gateway);
    nobody
        .post_body("/admin/tools/upload", kind, body.into())
        .await
        .refused(401);
    assert_eq!(
        gateway.database.number("select count(*) from tools").await,
        0
    );
}
