//! The journal on the pages: what is unsettled is looked at and settled, and what was left behind is cleared.

use rstest::rstest;
use serde_json::json;

use crate::support::{
    ADA, Answer, Gateway, Kind, Page, Peer, Setup, Visitor, binary, environment, parameter,
};

const LIST: &str = "/admin/journal";

async fn ask(gateway: &Gateway) -> Page {
    let body = json!({"toolContentID": 1});
    gateway
        .call("PUT", "/tools/mdquiz10/sessions/2", Some(body))
        .await
}

/// A gateway whose server hung up when it was to make session 2; the entry of that.
async fn unsettled(kind: Kind) -> (Gateway, Peer, String) {
    let (gateway, peer) = Gateway::with_content(kind, Setup::default(), Answer::HangsUp).await;
    ask(&gateway).await.refused(502);
    let page = ask(&gateway).await;
    assert_eq!(page.refused(409), "unsettled");
    let entry = page.json()["journalEntry"].as_str().unwrap().to_owned();
    (gateway, peer, entry)
}

/// Sends a form about an entry.
async fn settle(ada: &Visitor<'_>, act: &str, fields: &[(&str, &str)]) -> Page {
    ada.post_form("/admin/account", &format!("{LIST}/{act}"), fields)
        .await
}

/// What the audit was told of the journal, the newest first.
async fn audit(ada: &Visitor<'_>) -> Vec<String> {
    let page = ada.get("/admin/audit").await;
    let mut actions = page.attributes("[data-action]", "data-action");
    actions.retain(|action| action.starts_with("journal.") || action.starts_with("left-behind."));
    actions
}

#[rstest]
#[actix_web::test]
async fn an_unsettled_call_is_shown_and_sent_again(
    #[values(Kind::Postgres, Kind::Sqlite)] kind: Kind,
) {
    let (gateway, peer, entry) = unsettled(kind).await;
    let ada = Visitor::signed_in(&gateway, ADA).await;
    assert_eq!(
        ada.get("/admin/").await.text("#unsettled").as_deref(),
        Some("1")
    );
    let list = ada.get(LIST).await;
    let row = list.text(&format!("[data-entry='{entry}']")).unwrap();
    for told in ["Session 2", "a copy of 555", "moodle", "sent once", "Retry"] {
        assert!(row.contains(told), "{row}");
    }
    let shown = ada.get(&format!("{LIST}/entry?id={entry}")).await;
    assert!(shown.text("#error").unwrap().len() > 20, "{}", shown.body);
    assert!(shown.body.contains(&entry), "its rid");

    // It fails again: the server's words, and it stays.
    peer.answers(Answer::Says(500, "the course is gone".into()));
    let again = settle(&ada, "retry", &[("id", &entry)]).await;
    assert_eq!(again.status, 409, "{}", again.body);
    let words = again.text("#wrong").unwrap();
    assert!(
        words.contains("500") && words.contains("the course is gone"),
        "{words}"
    );
    assert_eq!(again.attributes("#state", "data-state"), ["unsettled"]);

    peer.answers(Answer::Says(200, "701".into()));
    let done = settle(&ada, "retry", &[("id", &entry)]).await.see_other();
    let shown = ada.get(&done).await;
    assert_eq!(shown.text("#ext-id").as_deref(), Some("701"));
    assert!(shown.text("#done").is_some());
    assert_eq!(ask(&gateway).await.json()["extSessionID"], "701");
    let rids: Vec<_> = peer
        .requests()
        .iter()
        .map(|sent| parameter(sent, "rid"))
        .collect();
    assert_eq!(rids, vec![Some(entry.clone()); 3]);
    assert_eq!(
        ada.get(LIST)
            .await
            .text("#none-open")
            .as_deref()
            .map(str::trim),
        Some("None Every call is settled.")
    );
    assert_eq!(
        audit(&ada).await,
        ["journal.sent-again", "journal.sent-again"]
    );

    // Late, it is said how it is.
    let late = settle(&ada, "retry", &[("id", &entry)]).await;
    assert_eq!(late.status, 409);
    assert!(
        late.text("#wrong").unwrap().contains("done"),
        "{}",
        late.body
    );
    assert_eq!(peer.requests().len(), 3);
}

#[rstest]
#[actix_web::test]
async fn what_a_server_made_is_adopted(#[values(Kind::Postgres, Kind::Sqlite)] kind: Kind) {
    let (gateway, peer, entry) = unsettled(kind).await;
    let ada = Visitor::signed_in(&gateway, ADA).await;
    let form = ada.get(&format!("{LIST}/adopt?id={entry}")).await;
    assert_eq!(form.attributes("input[name=id]", "value"), [entry.as_str()]);
    for wrong in [
        "",
        "zero",
        "-1",
        "7 0",
        "<b>",
        "99999999999999999999",
        "7\0",
    ] {
        let page = settle(&ada, "adopt", &[("id", &entry), ("ext_id", wrong)]).await;
        assert_eq!(page.status, 422, "{wrong}: {}", page.body);
        assert!(page.text("#ext_id-error").is_some(), "{wrong}");
        let described = page.attributes("#ext_id", "aria-describedby").remove(0);
        assert!(described.contains("ext_id-error"), "{described}");
        assert!(!page.body.contains("<b>"), "{}", page.body);
    }
    let page = settle(&ada, "adopt", &[("id", &entry), ("ext_id", "zero")]).await;
    assert_eq!(page.attributes("#ext_id", "value"), ["zero"]);
    assert!(audit(&ada).await.is_empty());

    let done = settle(&ada, "adopt", &[("id", &entry), ("ext_id", " 700 ")]).await;
    let shown = ada.get(&done.see_other()).await;
    assert_eq!(shown.text("#ext-id").as_deref(), Some("700"));
    assert_eq!(ask(&gateway).await.json()["extSessionID"], "700");
    assert_eq!(audit(&ada).await, ["journal.adopted"]);
    assert_eq!(peer.requests().len(), 1, "nothing was sent for it");
    for late in ["adopt", "give-up"] {
        let page = settle(&ada, late, &[("id", &entry), ("ext_id", "702")]).await;
        assert_eq!(page.status, 409);
        assert!(
            page.text("#wrong").unwrap().contains("done"),
            "{}",
            page.body
        );
        let page = ada.get(&format!("{LIST}/{late}?id={entry}")).await;
        assert_eq!(page.status, 409, "there is nothing to ask any more");
    }
}

#[rstest]
#[actix_web::test]
async fn a_call_is_given_up_and_stands_among_those_that_failed(
    #[values(Kind::Postgres, Kind::Sqlite)] kind: Kind,
) {
    let (gateway, peer, entry) = unsettled(kind).await;
    let ada = Visitor::signed_in(&gateway, ADA).await;
    let ask_first = ada.get(&format!("{LIST}/give-up?id={entry}")).await;
    assert_eq!(ask_first.text("h1").as_deref(), Some("Give up Session 2?"));
    let done = settle(&ada, "give-up", &[("id", &entry)]).await.see_other();
    let list = ada.get(&done).await;
    assert!(list.text("#done").unwrap().starts_with("Given up."));
    assert_eq!(
        list.attributes("[data-failed]", "data-failed"),
        [entry.as_str()]
    );
    assert_eq!(audit(&ada).await, ["journal.given-up"]);
    peer.answers(Answer::Ids(800));
    assert_eq!(ask(&gateway).await.json()["extSessionID"], "800");

    // As many as there may be, page by page.
    for n in 0..60 {
        let row = format!(
            "insert into journal (id, platform_id, server_id, signature, operation, local_id, request, payload, state,
                owner, lease_until, tries, error, created_at, updated_at)
             select '{n:04x}', platform_id, server_id, signature, operation, local_id, request, payload, state,
                owner, lease_until, tries, error, created_at, '2026-01-01T00:00:{n:02}+00:00'
             from journal where id = '{entry}'"
        );
        gateway.database.execute(&row).await;
    }
    let first = ada.get(LIST).await;
    let older = first.attributes("#older", "href").remove(0);
    let second = ada.get(&older).await;
    let pages = [first, second].map(|page| page.attributes("[data-failed]", "data-failed").len());
    assert_eq!(pages, [50, 11]);
    let odd = ada.get(&format!("{LIST}?before='or'1")).await;
    assert_eq!(odd.attributes("[data-failed]", "data-failed")[0], entry);
}

#[rstest]
#[actix_web::test]
async fn what_was_left_behind_is_struck_from_the_list(
    #[values(Kind::Postgres, Kind::Sqlite)] kind: Kind,
) {
    let (gateway, _peer) = Gateway::with_session(kind, Setup::default()).await;
    let removed = gateway
        .call("DELETE", "/tools/mdquiz10/sessions/2", None)
        .await;
    assert_eq!(removed.status, 204);
    let ada = Visitor::signed_in(&gateway, ADA).await;
    let list = ada.get(LIST).await;
    let left = list.attributes("[data-left]", "data-left");
    let [id] = left.as_slice() else {
        panic!("{}", list.body)
    };
    let page = ada.get(&format!("{LIST}/left-behind?id={id}")).await;
    assert!(
        page.text("#not-deletable").is_some(),
        "no built-in tool can delete"
    );
    let tried = settle(&ada, "left-behind/delete", &[("id", id)]).await;
    assert_eq!(tried.status, 409);
    assert!(
        tried
            .text("#wrong")
            .unwrap()
            .contains("cannot be deleted from here")
    );
    let done = settle(&ada, "left-behind/strike", &[("id", id)])
        .await
        .see_other();
    assert!(ada.get(&done).await.text("#none-left").is_some());
    assert_eq!(audit(&ada).await, ["left-behind.struck"]);
    for late in ["left-behind/strike", "left-behind/delete"] {
        let page = settle(&ada, late, &[("id", id)]).await;
        assert_eq!(page.status, 404);
        assert!(
            page.text("#wrong").unwrap().contains("no such entry"),
            "{}",
            page.body
        );
    }
}

#[rstest]
#[actix_web::test]
async fn of_more_than_a_thousand_the_rest_is_counted(
    #[values(Kind::Postgres, Kind::Sqlite)] kind: Kind,
) {
    let gateway = Gateway::start(kind, Setup::default()).await;
    let many = "with recursive n(n) as (select 1 union all select n + 1 from n where n < 1203)
        insert into left_behind (id, platform_id, server_id, signature, ext_id, why, created_at)
        select 'left-' || n, 'lams', 'moodle', 'mdquiz10', '' || n, 'removed', '2026-01-01T00:00:00+00:00' from n";
    gateway.database.execute(many).await;
    let ada = Visitor::signed_in(&gateway, ADA).await;
    let page = ada.get(LIST).await;
    assert_eq!(page.attributes("[data-left]", "data-left").len(), 1000);
    assert!(
        page.text("#more-left")
            .unwrap()
            .starts_with("And 203 that came later")
    );
    assert!(page.text("#more-open").is_none());
    let mut list = binary();
    let list = list.args(["journal", "list"]);
    let output = list.envs(environment(&gateway.database)).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(said.lines().count(), 1001);
    assert_eq!(
        said.lines().last(),
        Some("(and 0 unsettled and 203 left behind that came later)")
    );
}

#[rstest]
#[actix_web::test]
async fn an_id_of_nothing_is_said_in_words(#[values(Kind::Postgres, Kind::Sqlite)] kind: Kind) {
    let gateway = Gateway::start(kind, Setup::default()).await;
    let ada = Visitor::signed_in(&gateway, ADA).await;
    let long = "a".repeat(500);
    for id in [
        "",
        "x",
        "..",
        "\0",
        "'or'1",
        "<b>",
        &long,
        "5f0c5f0c-0000-0000-0000-000000000000",
    ] {
        let encoded = urlencoding::encode(id);
        for page in ["entry", "adopt", "give-up", "left-behind"] {
            let page = ada.get(&format!("{LIST}/{page}?id={encoded}")).await;
            assert_eq!(page.status, 404, "{id:?}: {}", page.body);
            assert!(
                page.text("#wrong").unwrap().contains("no such entry"),
                "{}",
                page.body
            );
            assert!(!page.body.contains("<b>"));
        }
        for act in [
            "retry",
            "adopt",
            "give-up",
            "left-behind/delete",
            "left-behind/strike",
        ] {
            let page = settle(&ada, act, &[("id", id), ("ext_id", "7")]).await;
            assert_eq!(page.status, 404, "{act} {id:?}: {}", page.body);
        }
    }
    assert_eq!(ada.get(&format!("{LIST}/entry")).await.status, 404);
    ada.get(&format!("{LIST}/retry?id=x")).await.refused(405);
    assert!(audit(&ada).await.is_empty());
}
