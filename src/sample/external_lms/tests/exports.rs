//! What an activity is exported as.

use super::*;
use reqwest::header::{CONTENT_LENGTH, CONTENT_TYPE};

#[actix_web::test]
async fn an_export_is_plain_text_of_a_said_length() {
    let site = site();
    site.author_forum(&enc(UPDATE)).await;
    let answer = site
        .call("forum", "export&extToolContentID=501", "authUser")
        .await;
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()[CONTENT_TYPE], "text/plain; charset=utf-8");
    let length = answer.headers()[CONTENT_LENGTH].clone();
    let file = answer.text().await.unwrap();
    assert_eq!(length, file.len().to_string().as_str());
    assert_eq!(
        file,
        r#"{"kind":"forum","settings":{"title":"Plants","intro":"Which one is yours?","questions":[]}}"#
    );
}

#[actix_web::test]
async fn what_is_not_there_or_of_the_other_kind_is_not_exported() {
    let site = site();
    site.author_forum(&enc(UPDATE)).await;
    for (module, id) in [("forum", "77"), ("forum", ""), ("quiz", "501")] {
        let method = format!("export&extToolContentID={id}");
        let answer = site.call(module, &method, "authUser").await;
        assert_eq!(answer.status(), 500, "{module} {id}");
        assert_eq!(answer.text().await.unwrap(), "");
    }
}
