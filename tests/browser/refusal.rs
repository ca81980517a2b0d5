//! What a person sees who comes to the gateway without LAMS's signature.

use crate::support::Lesson;

#[actix_web::test]
async fn an_address_without_a_signature_is_refused_on_a_page_that_looks_like_one() {
    let lesson = Lesson::open().await;
    let activity = lesson.add("mdquiz10").await;
    let gateway = &lesson.demo.gateway;
    let address = format!(
        "{gateway}lams/tool/mdquiz10/authoring.do?toolContentID={activity}&contentFolderID=f1"
    );
    lesson.open(&address).await;
    assert_eq!(lesson.text("h1").await, "This link was not signed by LAMS");
    let id = lesson.text("#request-id").await;
    assert!(
        id.len() == 16 && id.bytes().all(|b| b.is_ascii_hexdigit()),
        "{id}"
    );
    assert_eq!(
        lesson.text("#advice").await,
        "Go back to LAMS and open the activity again from there."
    );
    lesson.picture("refusal").await;

    // The policy let the style sheet and the script through.
    let card = lesson.sees("main").await;
    assert_eq!(
        card.css_value("background-color").await.unwrap(),
        "rgba(255, 255, 255, 1)"
    );
    let loaded =
        "return performance.getEntriesByType('resource').map(e => new URL(e.name).pathname)";
    let loaded = lesson.script(loaded).await;
    for file in ["/static/toolgate.css", "/static/toolgate.js"] {
        assert!(
            loaded.as_array().unwrap().contains(&file.into()),
            "{loaded}"
        );
    }
    // Only the refusal itself is worth a line in the browser's log.
    let complaints = lesson.complaints().await;
    assert_eq!(complaints.len(), 1, "{complaints:?}");
    assert!(complaints[0].contains("401"), "{complaints:?}");
}
