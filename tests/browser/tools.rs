//! Tools on the sysadmin's pages: which servers have one, the preview that follows what is typed, and a tool of
//! one's own from its first mistake to its first launch.

use fantoccini::key::Key;

use crate::support::Lesson;

#[actix_web::test]
async fn a_tool_is_given_to_a_server_by_its_box() {
    let lesson = Lesson::signed_in().await;
    lesson.click("nav a[href$=tools]").await;
    lesson.sees("[data-tool=mdwiki10]").await;
    lesson.picture("tools").await;
    lesson.click("[data-tool=mdwiki10] th a").await;
    let name = lesson.text("[data-server=sample] label").await;
    assert_eq!(name, "Sample LMS");
    // By keyboard: to the box, and to the button.
    lesson
        .script("document.getElementById('server.sample').focus()")
        .await;
    lesson.press(&[Key::Space]).await;
    lesson.picture("tool").await;
    lesson.click("#save").await;
    assert!(lesson.text("#done").await.starts_with("Saved."));
    let ticked = lesson
        .script("return document.getElementById('server.sample').checked")
        .await;
    assert_eq!(ticked, true);
    lesson.click("nav a[href$=tools]").await;
    let servers = lesson
        .text("[data-tool=mdwiki10] [data-label=Servers]")
        .await;
    assert_eq!(servers, "1 enabled");
    assert_eq!(lesson.complaints().await, [""; 0]);
}

/// Waits until the outcome holds a text.
async fn comes(lesson: &Lesson, css: &str, text: &str) {
    let found = format!(
        "const one = document.querySelector(\"{css}\"); return one !== null && one.textContent.includes(\"{text}\")"
    );
    let begun = std::time::Instant::now();
    while lesson.script(&found).await != true {
        let shown = lesson.text("main").await;
        assert!(
            begun.elapsed().as_secs() < 30,
            "no {text:?} in {css}: {shown}"
        );
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

#[actix_web::test]
async fn the_preview_follows_what_is_typed_and_works_by_its_button_too() {
    let lesson = Lesson::signed_in().await;
    let page = format!("{}admin/tools/preview", lesson.demo.gateway);
    lesson.open(&format!("{page}?signature=mdquiz10")).await;
    lesson.sees("[data-page=learner]").await;
    lesson.click("[data-page=author_saved] summary").await;
    lesson.picture("tool-preview").await;
    // Each key is another question; the last one is answered, and what was unfolded stays so.
    lesson.fill("#customCSV", "anna,12,4,sample").await;
    comes(
        &lesson,
        "[data-page=author_saved] .whole",
        "&course=12&un=bill",
    )
    .await;
    comes(&lesson, "#remarks", "another user").await;
    let open = lesson
        .script("return document.querySelector('[data-of=author_saved]').open")
        .await;
    assert_eq!(open, true);
    lesson.fill("#customCSV", "anna,,4,sample").await;
    comes(
        &lesson,
        "#fields [data-wrong]",
        "The course in customCSV is empty.",
    )
    .await;
    comes(&lesson, "#said", "No launch comes through.").await;
    lesson.picture("tool-preview-wrong").await;
    // So by the button, which leads to an address that can be kept.
    lesson.fill("#customCSV", "bill,99,4,sample").await;
    lesson.click("#ask").await;
    lesson.sees("[data-page=monitor]").await;
    assert!(
        lesson
            .address()
            .await
            .contains("customCSV=bill%2C99%2C4%2Csample")
    );
    comes(&lesson, "[data-page=author_new] .whole", "course=99").await;
    // Where nobody is signed in any more, it says that it does not follow.
    let signed_out = lesson.script("return fetch('../sign-out', { method: 'POST', body: new URLSearchParams({ form_token: document.querySelector('[name=form_token]').value }) }).then((answer) => answer.ok)").await;
    assert_eq!(signed_out, true);
    lesson.fill("#customCSV", "bill,98,4,sample").await;
    lesson.sees("#stale:not([hidden])").await;
    assert_eq!(lesson.complaints().await, [""; 0]);
}

#[actix_web::test]
async fn a_tool_of_ones_own_is_written_mended_tried_saved_and_launched() {
    let lesson = Lesson::signed_in().await;
    let admin = format!("{}admin/", lesson.demo.gateway);
    lesson.open(&format!("{admin}tools")).await;
    lesson.click("[data-tool=mdquiz10] a[href*=like]").await;
    // A word that there is none of.
    edit(&lesson, "{return_url}", "{retrun_url}").await;
    comes(&lesson, "#outcome .error", "there is no value {retrun_url}").await;
    lesson.click("#save").await;
    let error = lesson.text("#definition-error .error").await;
    assert!(error.starts_with("Line 12: addresses.learner"), "{error}");
    // The cursor is at the mistake, whose line is chosen.
    let chosen = "const box = document.activeElement;
                  return box.value.slice(box.selectionStart, box.selectionEnd)";
    let chosen = lesson.script(chosen).await;
    assert!(
        chosen.as_str().unwrap().starts_with("learner = "),
        "{chosen}"
    );
    lesson.picture("tool-editor-wrong").await;
    edit(&lesson, "{retrun_url}", "{return_url}").await;
    edit(&lesson, "Moodle Quiz", "Our quiz").await;
    comes(&lesson, "[data-page=learner] .whole", "&un=bill&ts=").await;
    lesson.picture("tool-editor").await;
    lesson.click("#save").await;
    lesson.sees("#signature-of-it").await;
    assert_eq!(lesson.text("h1").await, "Our quiz");
    lesson.click("[id='server.sample']").await;
    lesson.click("#save").await;
    comes(&lesson, "#done", "Teachers are offered it").await;
    lesson.picture("tool-own").await;

    // LAMS offers it at once, and an author comes through.
    lesson.open(&lesson.demo.lams).await;
    let activity = lesson.add("mdquiz10-own").await;
    let author = format!("#author-{activity}");
    lesson.click_to_new_tab(&author).await;
    lesson.fill("#title", "Planets").await;
    lesson.picture("tool-launched").await;
    lesson
        .open(&format!("{admin}tools/delete?signature=mdquiz10-own"))
        .await;
    assert!(lesson.text("#in-use").await.contains("Sample LMS"));
    lesson.picture("tool-in-use").await;
    let complaints = lesson.complaints().await;
    assert!(
        complaints.iter().all(|line| line.contains("422")),
        "{complaints:?}"
    );
}

/// Changes the text in the editor as somebody who types there would.
async fn edit(lesson: &Lesson, from: &str, to: &str) {
    lesson.sees("#definition").await;
    let typed = format!(
        "const box = document.getElementById('definition');
         box.value = box.value.replace('{from}', '{to}');
         box.dispatchEvent(new InputEvent('input', {{ bubbles: true }}));"
    );
    lesson.script(&typed).await;
}
