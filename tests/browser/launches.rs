//! What happened, as a sysadmin finds it out: the list, a search, a story, the list as it goes on, charts; and
//! calls that nobody knows the outcome of.

use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;

use crate::support::Lesson;

/// Ada, and a lesson in which Anna took a quiz; the activity and its session.
async fn after_a_quiz() -> (Lesson, String, String) {
    let lesson = Lesson::signed_in().await;
    lesson.open(&lesson.demo.lams).await;
    let activity = lesson.add("mdquiz10").await;
    lesson
        .click_to_new_tab(&format!("#author-{activity}"))
        .await;
    lesson.write_a_quiz().await;
    lesson.close_tab("#close").await;
    lesson.shows(&activity, "saved").await;
    let session = lesson.start(&activity).await;
    lesson.click(&format!("#learn-anna-{session}")).await;
    lesson.click("#q1_option1").await;
    lesson.click("#answer").await;
    lesson.sees("#grade").await;
    lesson.click("#next-activity").await;
    lesson.return_as_finished("Anna").await;
    (lesson, activity, session)
}

#[actix_web::test]
async fn a_launch_is_found_read_as_its_story_and_seen_as_it_happens() {
    let (lesson, _, session) = after_a_quiz().await;
    let gateway = lesson.demo.gateway.clone();
    // Somebody tries it without LAMS.
    let alone =
        format!("{gateway}lams/tool/mdquiz10/learning.do?mode=learner&toolSessionID={session}");
    lesson.open(&alone).await;
    let request = lesson.text("#request-id").await;

    lesson.open(&format!("{gateway}admin/")).await;
    lesson.sees("#overview").await;
    lesson.picture("home").await;
    lesson.click("nav a[href$=launches]").await;
    lesson.sees("[data-outcome=refused]").await;
    lesson.picture("launches").await;
    // What was read from the page of the refusal is found.
    lesson.click("#more").await;
    lesson.fill("#request", &request).await;
    lesson.click("#search").await;
    lesson.sees("#clear").await;
    assert_eq!(
        lesson.attributes("[data-kind]", "data-outcome").await,
        ["refused"]
    );
    assert_eq!(lesson.value("#request").await, request);
    lesson.picture("launches-found").await;
    lesson.click("[data-kind] a").await;
    lesson.sees("#reason").await;
    lesson.picture("launch-refused").await;
    lesson.go_back().await;
    lesson.click("#clear").await;
    lesson
        .click("[data-kind=learner][data-outcome=redirected] a")
        .await;
    lesson.sees("#timeline [data-moment=return]").await;
    lesson.picture("launch").await;
    lesson.click("#all-of-user").await;
    let user = lesson.value("#user").await;
    assert!(user.ends_with("Anna") || user.ends_with("anna"), "{user}");
    lesson.click("#clear").await;
    lesson.click("[data-kind=author] a").await;
    lesson.sees("#csv").await;
    lesson.picture("launch-author").await;
    lesson.go_back().await;
    lesson.fill("#user", "nobody of this name").await;
    lesson.click("#search").await;
    lesson.sees("#empty").await;
    lesson.picture("launches-none").await;
    lesson.click("#clear").await;
    lesson.click("#charts").await;
    lesson.sees("#hours svg").await;
    lesson.click("#hours summary").await;
    lesson.picture("charts").await;

    // Live: what Ben does in another tab appears by itself.
    lesson
        .open(&format!(
            "{gateway}admin/launches?live=1&outcome=redirected"
        ))
        .await;
    let there = lesson.attributes("[data-kind]", "id").await;
    let watching = lesson.tab().await;
    lesson.open_tab(&lesson.demo.lams).await;
    lesson.click(&format!("#learn-ben-{session}")).await;
    lesson.sees("#q1_option1").await;
    lesson.switch_to(&watching).await;
    lesson.sees("tr.fresh[data-kind=learner] time[title]").await;
    let now = lesson.attributes("[data-kind]", "id").await;
    assert_eq!(now.len(), there.len() + 1, "{now:?}");
    assert_eq!(now[1..], there);
    let words = lesson.text("#live").await;
    assert!(words.starts_with("Live: 1 new"), "{words}");
    let time = lesson.text("tr.fresh time").await;
    assert!(!time.contains("UTC"), "in the browser's own zone: {time}");
    lesson.picture("launches-live").await;

    // Who is signed out elsewhere is told so.
    lesson.open_tab(&format!("{gateway}admin/")).await;
    lesson.click("#sign-out").await;
    lesson.sees("#done").await;
    lesson.switch_to(&watching).await;
    lesson.sees_text("#live", "You are signed out.").await;
}

/// A server that takes a call and hangs up, so that nobody knows what became of it.
async fn hangs_up() -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = format!("http://{}/", listener.local_addr().unwrap());
    actix_web::rt::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.read(&mut [0; 4096]).await;
        }
    });
    address
}

/// Sets the address of the quiz's adapter page.
async fn set_adapter_page(lesson: &Lesson, address: &str) {
    let edit = format!("{}admin/servers/edit?id=sample", lesson.demo.gateway);
    lesson.open(&edit).await;
    lesson.sees("#save").await;
    let set = format!(
        "document.getElementsByName('settings.mdquiz10.adapter_page')[0].value = '{address}'"
    );
    lesson.script(&set).await;
    lesson.click("#save").await;
    lesson.sees("#done").await;
}

#[actix_web::test]
async fn calls_of_unknown_outcome_are_retried_adopted_and_given_up() {
    let (lesson, activity, _) = after_a_quiz().await;
    let journal = format!("{}admin/journal", lesson.demo.gateway);
    lesson.open(&journal).await;
    lesson.sees("#none-open").await;
    lesson.picture("journal-empty").await;
    set_adapter_page(&lesson, &hangs_up().await).await;
    lesson.open(&lesson.demo.lams).await;
    lesson.click(&format!("#start-{activity}")).await;
    lesson.sees("[role=alert], .notice").await;

    lesson.open(&journal).await;
    let row = "[data-entry][data-state=unsettled]";
    let entry = lesson.attribute(row, "data-entry").await;
    lesson.picture("journal").await;
    // The server still hangs up: its entry stays, and says why.
    lesson.click(&format!("{row} form button")).await;
    lesson.sees("#wrong").await;
    assert_eq!(lesson.attribute("#state", "data-state").await, "unsettled");
    lesson.picture("journal-entry").await;
    lesson.click("#adopt").await;
    lesson.fill("#ext_id", "nothing").await;
    lesson.click("#adopt").await;
    lesson.sees("#ext_id-error").await;
    lesson.picture("journal-adopt").await;
    lesson.click("#keep").await;
    lesson.click("#give-up").await;
    lesson.sees("button#give-up").await;
    lesson.picture("journal-give-up").await;
    lesson.click("#keep").await;

    // It answers again: the call makes what it was to make.
    set_adapter_page(&lesson, "").await;
    lesson.open(&format!("{journal}/entry?id={entry}")).await;
    lesson.click("#retry").await;
    lesson.sees("#state[data-state=done]").await;
    lesson.sees("#ext-id").await;
    lesson.picture("journal-done").await;
    lesson.click("nav a[href$=audit]").await;
    lesson.sees("[data-action='journal.sent-again']").await;
}
