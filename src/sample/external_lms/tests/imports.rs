//! Forms with files, as the gateway and as LAMS itself send them.

use super::*;
use reqwest::header::CONTENT_TYPE;
use reqwest::multipart::{Form, Part};

const FORUM: &str = r#"{"kind":"forum","settings":{"title":"Plants","intro":"","questions":[]}}"#;

/// A form with the signature of Bill.
fn signed() -> Form {
    let hs = external_hash("1262304000000", "Bill", "campus", "S3cretKey");
    unsigned().text("hs", hs)
}

fn unsigned() -> Form {
    let fields = [
        ("un", "Bill"),
        ("cs", "7"),
        ("section", "3"),
        ("extlmsid", "campus"),
        ("ts", "1262304000000"),
        ("method", "import"),
    ];
    fields
        .into_iter()
        .fold(Form::new(), |form, (name, value)| form.text(name, value))
}

impl Site {
    async fn upload(&self, module: &str, form: Form, file: impl Into<Vec<u8>>) -> Response {
        let part = Part::bytes(file.into()).file_name("ext_tool.txt");
        self.client
            .post(self.adapter_page(module))
            .multipart(form.part("upload_file", part))
            .send()
            .await
            .unwrap()
    }

    /// Imports a file as Bill; answers the id that is answered.
    async fn import(&self, module: &str, form: Form, file: impl Into<Vec<u8>>) -> u64 {
        let answer = self.upload(module, form, file).await;
        assert_eq!(answer.status(), 200);
        answer.text().await.unwrap().parse().unwrap()
    }

    async fn export(&self, module: &str, id: u64) -> String {
        let method = format!("export&extToolContentID={id}");
        let answer = self.call(module, &method, "authUser").await;
        assert_eq!(answer.status(), 200);
        answer.text().await.unwrap()
    }

    fn adapter_page(&self, module: &str) -> String {
        format!(
            "{}mod/lamstwo/tooladapter_{module}.php",
            self.running.base_url()
        )
    }
}

#[actix_web::test]
async fn an_export_is_imported_as_it_was() {
    let site = site();
    let authored = site.author_quiz().await;
    let default = site.clone_of("quiz", "0").await;
    for id in [authored, default] {
        let file = site.export("quiz", id).await;
        let imported = site.import("quiz", signed(), file).await;
        let imported = site.lms().activity(imported).unwrap();
        let original = site.lms().activity(id).unwrap();
        assert_eq!(imported.settings, original.settings);
        assert_eq!((&*imported.course, imported.copied_from), ("7", None));
    }
    assert_eq!(site.lms().activities().len(), 4);
}

#[actix_web::test]
async fn a_form_as_lams_writes_it_is_read() {
    let site = site();
    let hs = external_hash("1262304000000", "Bill", "campus", "S3cretKey");
    let mut form = String::new();
    for (name, value) in [
        ("cs", "7"),
        ("method", "import"),
        ("extlmsid", "campus"),
        ("un", "Bill"),
        ("section", ""),
        ("hs", &*hs),
        ("ts", "1262304000000"),
    ] {
        form += &format!(
            "--*****\r\nContent-Disposition: form-data; name=\"{name}\";\r\n\r\n{value}\r\n"
        );
    }
    form += &format!(
        "--*****\r\nContent-Disposition: form-data; name=\"upload_file\"; filename=\"ext_tool.txt\"\r\n\r\n{FORUM}\r\n--*****--\r\n"
    );
    let answer = site
        .client
        .post(site.adapter_page("forum"))
        .header(CONTENT_TYPE, "multipart/form-data; boundary=*****")
        .body(form)
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.text().await.unwrap(), "501");
}

#[actix_web::test]
async fn a_file_that_cannot_be_read_is_answered_with_0() {
    let site = site();
    let quiz = site.author_quiz().await;
    let quiz = site.export("quiz", quiz).await;
    for file in [
        "",
        "a:2:{s:4:\"name\";s:5:\"Forum\";}",
        &FORUM[..FORUM.len() - 1],
        &FORUM.replace("Plants", ""),
        &quiz,
        &quiz.replace("quiz", "forum"),
    ] {
        assert_eq!(site.import("forum", signed(), file).await, 0, "{file}");
    }
    let no_such_answer = quiz.replace("\"right\":1", "\"right\":2");
    assert_ne!(no_such_answer, quiz);
    assert_eq!(site.import("quiz", signed(), no_such_answer).await, 0);
    assert_eq!(site.import("quiz", signed(), FORUM).await, 0);
    assert_eq!(site.lms().activities().len(), 1);
}

#[actix_web::test]
async fn an_import_tried_again_makes_one_activity() {
    let site = site();
    for _ in 0..2 {
        let form = signed().text("rid", "2f4c8a50-1b1f-4b7e-9d3a-6f0d1c2b3a49");
        assert_eq!(site.import("forum", form, FORUM).await, 501);
    }
    assert_eq!(site.import("forum", signed(), FORUM).await, 502);
    assert_eq!(site.lms().activities().len(), 2);
}

#[actix_web::test]
async fn no_file_is_taken_with_a_wrong_or_missing_hash() {
    let site = site();
    let anothers = external_hash("1262304000000", "Bill", "campus", "another key");
    for form in [unsigned(), unsigned().text("hs", anothers)] {
        let long = "x".repeat(LARGEST_UPLOAD);
        let answer = site.upload("forum", form, long).await;
        assert_eq!(answer.status(), 401);
        assert_eq!(answer.text().await.unwrap(), "");
    }
    assert!(site.lms().activities().is_empty());
}

#[actix_web::test]
async fn an_upload_of_more_than_1_mib_is_refused() {
    let site = site();
    let padded = |length| format!("{FORUM}{}", " ".repeat(length - FORUM.len()));
    let most = padded(LARGEST_UPLOAD - 200);
    assert_eq!(site.import("forum", signed(), most).await, 501);
    let answer = site
        .upload("forum", signed(), padded(3 * LARGEST_UPLOAD))
        .await;
    assert_eq!(answer.status(), 413);
    assert_eq!(site.lms().activities().len(), 1);
}

#[actix_web::test]
async fn a_form_that_is_cut_short_or_of_another_type_is_refused() {
    let site = site();
    for (content_type, body) in [
        ("application/x-www-form-urlencoded", "method=import"),
        ("multipart/form-data; boundary=b", "--b\r\nContent-Dis"),
    ] {
        let answer = site
            .client
            .post(site.adapter_page("forum"))
            .header(CONTENT_TYPE, content_type)
            .body(body)
            .send()
            .await
            .unwrap();
        assert!(answer.status().is_client_error(), "{content_type}");
    }
}
