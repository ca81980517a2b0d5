//! What goes right and wrong between LAMS, the gateway and the systems outside.

use serde_json::json;

use super::watched::Watched;
use super::{AUTHOR, GUESSED_TOKEN, LEARN, SERVER_KEY, login};
use crate::support::{API_TOKEN, Answer, Gateway, PUBLIC_URL, Peer, callback_of, parameter};

/// The signature of a redirect, of either kind.
fn signature_in(address: &str) -> String {
    let of = |name| parameter(address, name);
    of("hs").or_else(|| of("sig")).unwrap()
}

pub async fn launches(watched: &Watched<'_>) {
    let (gateway, search) = (watched.gateway, watched.search);
    let signed = gateway.sign(AUTHOR, "mdl_bill");
    search.secret("launch signature", signed.rsplit_once("&sig=").unwrap().1);
    let location = watched.get(&signed, &["state", "hash"]).await.location();
    search.secret("hash", &signature_in(&location));
    let callback = callback_of(&location);
    let (bare, state) = callback
        .strip_prefix(PUBLIC_URL)
        .unwrap()
        .rsplit_once("&state=")
        .unwrap();
    search.secret("state", state);
    for (id, state) in [
        ("555", state),
        ("555", state),
        ("556", state),
        ("557", &state[1..]),
    ] {
        let address = format!("{bare}&state={state}&extToolContentID={id}");
        let saved = watched.get(&address, &["state to edit again"]).await;
        if let Some(again) = saved.attributes("#edit-again", "href").pop() {
            let (_, state) = again.rsplit_once("&state=").unwrap();
            search.secret("state to edit again", state);
        }
    }
    let made = watched
        .call(
            "PUT",
            "/tools/mdquiz10/sessions/2",
            Some(json!({"toolContentID": 1})),
        )
        .await;
    assert_eq!(made.status, 201, "{}", made.body);
    let learner = watched
        .get(
            &gateway.sign(LEARN, "mdl_Anna"),
            &["learner's state", "learner's hash"],
        )
        .await
        .location();
    search.secret("learner's hash", &signature_in(&learner));
    let back = parameter(&learner, "returnUrl").unwrap();
    search.secret("learner's state", back.rsplit_once("&state=").unwrap().1);
    let back = back.strip_prefix(PUBLIC_URL).unwrap();
    for address in [
        back.to_owned(),
        format!("{back}x"),
        back.replace("toolSessionID=2", "toolSessionID=3"),
    ] {
        watched.get(&address, &[]).await;
    }
    let tampered = signed.replace("mdl_bill", "mdl_ben");
    watched.get(&tampered, &[]).await.refused(401);
    let monitor = gateway.sign(
        "/lams/tool/mdquiz10/monitoring.do?toolContentID=1&contentFolderID=f",
        "mdl_bill",
    );
    let page = watched
        .get(
            &monitor,
            &["monitor's state", "monitor's hash", "monitor's way"],
        )
        .await;
    for mut link in page.attributes("a[data-monitor]", "href") {
        if let Some(path) = link.strip_prefix(PUBLIC_URL) {
            search.secret("monitor's way", link.rsplit_once("&state=").unwrap().1);
            let allowed = ["monitor's state", "monitor's hash"];
            watched.get(&format!("{path}x"), &[]).await.refused(401);
            link = watched.get(path, &allowed).await.location();
        }
        search.secret("monitor's hash", &signature_in(&link));
        let back = parameter(&link, "returnUrl").unwrap();
        search.secret("monitor's state", back.rsplit_once("&state=").unwrap().1);
    }
    let came = login("author");
    search.secret(
        "login hash",
        &parameter(&format!("http://x{came}"), "hash").unwrap(),
    );
    watched.get(&came, &["login hash"]).await.location();
    watched
        .get(&came.replace("Bill", "Bob"), &[])
        .await
        .refused(401);
    watched
        .get(
            &came.replace("method=author", "method=author&redirectURL=//x"),
            &[],
        )
        .await
        .refused(400);
    for token in [GUESSED_TOKEN, &format!("{API_TOKEN}x")] {
        let page = gateway
            .call_with("GET", "/toolkit", None, Some(token))
            .await;
        watched.saw("a guessed token", page, &[]).refused(401);
    }
    let in_address = format!("/api/v1/toolkit?token={API_TOKEN}&api_token={API_TOKEN}");
    watched.get(&in_address, &[]).await.refused(401);
}

/// A server that says back whatever it knows, in each way that it can fail.
pub async fn servers_that_fail(watched: &Watched<'_>, peer: &Peer) {
    let echo = format!(
        "hash of 1262304000000billmoodle{} is wrong: key={SERVER_KEY} ({}) hs=e71939e9deea3a58a02ac4c44c89be3b32105cc0",
        SERVER_KEY.to_lowercase(),
        SERVER_KEY.to_uppercase(),
    );
    let answers = [
        Answer::Says(401, echo.clone()),
        Answer::Says(404, echo.clone()),
        Answer::Says(200, echo.clone()),
        Answer::Says(200, format!("<html>{echo}")),
        Answer::Sends(
            302,
            format!("http://elsewhere.example.org/?key={SERVER_KEY}&x={echo}").replace(' ', "+"),
        ),
        Answer::Sends(302, format!("/adapter?key={SERVER_KEY}")),
        Answer::Breaks(echo.clone().into_bytes()),
        Answer::Says(500, echo),
        Answer::HangsUp,
    ];
    for (session, answer) in (10..).zip(answers) {
        peer.answers(answer);
        let path = format!("/tools/mdquiz10/sessions/{session}");
        watched
            .call("PUT", &path, Some(json!({"toolContentID": 1})))
            .await;
        for path in [
            "/tools/mdquiz10/sessions/2/outputs?user=mdl_Anna",
            "/tools/mdquiz10/contents/1/export",
        ] {
            watched.call("GET", path, None).await;
        }
    }
    peer.answers(Answer::Ids(900));
}

pub async fn lms_that_fail(watched: &Watched<'_>) {
    for campus in ["campus", "edx", "none"] {
        for way in [
            "refused",
            "forbidden",
            "garbled",
            "excepted",
            "busy",
            "broken",
        ] {
            let link = format!("http://{campus}.test/courses/7?id=7");
            let body = json!({"resourceLink": link, "username": way, "active": true});
            watched.call("PUT", "/lms/enrollment", Some(body)).await;
            let query = format!("resourceLink={}&username={way}", urlencoding::encode(&link));
            watched
                .call("GET", &format!("/lms/enrollment?{query}"), None)
                .await;
            watched
                .call("GET", &format!("/lms/grades?{query}"), None)
                .await;
        }
        let rows = json!({"rows": [{"username": "refused", "resourceLink": format!("http://{campus}.test/courses/7?id=7")}]});
        let list = watched
            .call("POST", "/lms/enrollments", Some(rows))
            .await
            .json();
        let path = format!("/lms/enrollments/{}", list["id"].as_str().unwrap());
        Gateway::until("the list is done", || async {
            watched.call("GET", &path, None).await.json()["state"] == "done"
        })
        .await;
    }
}
