//! Signature 2 from end to end: what the gateway sends is what the verifier of docs/examples believes, run by a real
//! PHP; and what anybody changes of it is not.

mod php;

use std::collections::{HashMap, HashSet};

use chrono::{TimeDelta, Utc};
use futures_util::future::join_all;
use rstest::rstest;
use serde_json::json;
use url::Url;

use crate::support::{Answer, Asked, Gateway, Kind, PUBLIC_URL, Peer, Setup, apply, parameter};
use php::{Php, Sent};

fn two() -> Setup {
    Setup {
        signature: 2,
        ..Setup::default()
    }
}

/// A browser's request for where it is sent.
fn opened(location: &str) -> Sent {
    let url = Url::parse(location).unwrap();
    let server = match url.host_str() {
        Some("lrn.example.org") => ("dotLRN", "L3rnKey"),
        _ => ("moodle", "S3cretKey"),
    };
    let address = format!("{}?{}", url.path(), url.query().unwrap());
    Sent {
        server,
        ..Sent::get(address)
    }
}

/// A call of the gateway, as it came.
fn called(asked: &Asked) -> Sent {
    let kind = asked.headers.lines().find_map(|line| {
        let (name, value) = line.split_once(": ")?;
        name.eq_ignore_ascii_case("content-type").then_some(value)
    });
    Sent {
        method: asked.verb.clone(),
        content_type: kind.map(str::to_owned),
        body: asked.body.clone(),
        ..Sent::get(asked.address.clone())
    }
}

/// Everything that can be done to a request without the key, but sending it as it is.
fn tampered(sent: &Sent) -> Vec<Sent> {
    let mut all = Vec::new();
    let pieces = sent.pieces();
    for at in 0..pieces.len() {
        let mut change = |change: &dyn Fn(&mut Vec<String>)| {
            let mut pieces = pieces.clone();
            change(&mut pieces);
            all.push(sent.with_pieces(&pieces));
        };
        if pieces[at].is_empty() {
            continue;
        }
        change(&|pieces| pieces[at].push('0'));
        change(&|pieces| pieces[at].insert(0, 'x'));
        change(&|pieces| drop(pieces.remove(at)));
        change(&|pieces| pieces.insert(at, "method=delete".to_owned()));
        change(&|pieces| pieces[at] = pieces[at].replacen('=', "=9", 1));
        if at > 0 && !pieces[at - 1].is_empty() {
            change(&|pieces| pieces.swap(at - 1, at));
        }
    }
    all.push(sent.at(format!("{}&un=root", sent.address)));
    all.push(sent.at(sent.address.replace("&sig=", "&un=root&sig=")));
    all.push(sent.at(sent.address.replacen('?', "/?", 1)));
    all.push(sent.at(sent.address.replacen('?', "x?", 1)));
    all.push(sent.at(format!("/{}", sent.address)));
    let upper = sent.address.rsplit_once("&sig=").unwrap();
    let upper = format!("{}&sig={}", upper.0, upper.1.to_uppercase());
    if upper != sent.address {
        all.push(sent.at(upper));
    }
    for method in ["GET", "POST", "PUT", "DELETE"] {
        if method != sent.method {
            all.push(Sent {
                method: method.to_owned(),
                ..sent.clone()
            });
        }
    }
    for server in [(sent.server.0, "s3cretkey"), ("another", sent.server.1)] {
        all.push(Sent {
            server,
            ..sent.clone()
        });
    }
    if sent.body.is_empty() {
        all.push(Sent {
            body: b"more".to_vec(),
            content_type: Some("text/plain".to_owned()),
            ..sent.clone()
        });
    }
    all
}

/// A request is believed once as it is, and never otherwise; answers its parameters.
async fn holds(php: &Php, sent: &Sent) -> HashMap<String, String> {
    for changed in tampered(sent) {
        php.refuses(&changed).await;
    }
    let taken = php.takes(sent).await;
    assert_eq!(php.refuses(sent).await, "it came before");
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let taken: HashMap<_, _> = taken
        .into_iter()
        .map(|(name, value)| (text(name), text(value)))
        .collect();
    let url = Url::parse(&format!("http://h{}", sent.address)).unwrap();
    let given: HashMap<_, _> = url.query_pairs().into_owned().collect();
    let but_sig = given.into_iter().filter(|(name, _)| name != "sig");
    assert_eq!(taken, but_sig.collect());
    assert!(!taken.contains_key("hs"), "{taken:?}");
    taken
}

#[rstest]
#[actix_web::test]
async fn every_request_of_a_lesson_is_believed_once_and_nothing_that_is_made_of_it(
    #[values(Kind::Postgres, Kind::Sqlite)] kind: Kind,
    #[values("mdquiz10", "mdchce10", "dlfrum10")] tool: &str,
) {
    let php = Php::start();
    let peer = Peer::start(Answer::Works(700)).await;
    let setup = Setup {
        adapter_page: peer.url.clone(),
        ..two()
    };
    let gateway = Gateway::start(kind, setup).await;
    let (bill, anna) = match tool {
        "dlfrum10" => ("lrn_bill", "lrn_Änne & Co"),
        _ => ("mdl_bill", "mdl_Änne & Co"),
    };
    let mut redirects = vec![gateway.author(tool, 1).await.location()];
    gateway.saved_content(tool, 1, "555").await;
    let (content, session) = (
        format!("/tools/{tool}/contents/1"),
        format!("/tools/{tool}/sessions/2"),
    );
    let csv = match tool {
        "dlfrum10" => "zoë b,8,http://lrn.example.org/x",
        _ => "zoë b,8,a+b&c=d,moodle",
    };
    let body = json!({"from": 1, "customCSV": csv});
    let copied = gateway
        .call(
            "POST",
            &format!("/tools/{tool}/contents/3/copy"),
            Some(body),
        )
        .await;
    assert_eq!(copied.status, 201, "{}", copied.body);
    gateway.session(tool, 2, 1).await;
    for (page, uid) in [
        ("authoring.do?toolContentID=1&contentFolderID=f", bill),
        ("learning.do?mode=learner&toolSessionID=2", anna),
        ("learning.do?mode=author&toolSessionID=2", bill),
        ("learning.do?mode=teacher&toolSessionID=2", bill),
    ] {
        let path = format!("/lams/tool/{tool}/{page}");
        redirects.push(gateway.get_signed(&path, uid).await.location());
    }
    let monitor = format!("/lams/tool/{tool}/monitoring.do?toolContentID=1&contentFolderID=f");
    let page = gateway.get_signed(&monitor, bill).await;
    let link = page.attributes("a[data-monitor]", "href").remove(0);
    redirects.push(gateway.get_public(&link).await.location());
    for location in &redirects {
        let taken = holds(&php, &opened(location)).await;
        assert!(bill.ends_with(&taken["un"]) || anna.ends_with(&taken["un"]));
    }

    let user = urlencoding::encode(anna);
    for path in [
        format!("{content}/export"),
        format!("{content}/output-definitions"),
        format!("{session}/outputs?user={user}"),
        format!("{session}/portfolio?user={user}"),
    ] {
        let page = gateway.call("GET", &path, None).await;
        assert_eq!(page.status, 200, "{path}: {}", page.body);
    }
    let file = b"PK\x00 not quite\r\n--a zip".to_vec();
    let copy = format!("/tools/{tool}/contents/50");
    let imported = gateway.import(&copy, Some(csv), Some(file.clone())).await;
    assert_eq!(imported.status, 201, "{}", imported.body);

    let mut methods = HashSet::new();
    let calls = peer.asked();
    for asked in &calls {
        let mut sent = called(asked);
        if tool == "dlfrum10" {
            sent.server = ("dotLRN", "L3rnKey");
        }
        if sent.method == "POST" {
            for changed in tampered_forms(&sent, &file) {
                php.refuses(&changed).await;
            }
        }
        methods.insert(holds(&php, &sent).await.remove("method").unwrap());
    }
    let mut expected = HashSet::from(["clone", "export", "export_portfolio", "import", "output"]);
    if tool == "mdchce10" {
        expected.insert("getoptions");
    }
    assert_eq!(methods, expected.into_iter().map(str::to_owned).collect());
    // No two requests share a nonce.
    let called = calls
        .iter()
        .map(|asked| format!("http://peer{}", asked.address));
    let all: Vec<_> = redirects.into_iter().chain(called).collect();
    let nonces: HashSet<_> = all
        .iter()
        .map(|address| parameter(address, "nonce").unwrap())
        .collect();
    assert_eq!(nonces.len(), all.len());
}

/// Other forms under the same address: another file, more fields, more files, none.
fn tampered_forms(sent: &Sent, file: &[u8]) -> Vec<Sent> {
    let kind = sent.content_type.clone().unwrap();
    let boundary = kind.split_once("boundary=").unwrap().1.to_owned();
    let text = |body: &[u8]| {
        body.iter()
            .map(|byte| char::from(*byte))
            .collect::<String>()
    };
    let body = text(&sent.body);
    assert!(body.contains(&text(file)) && body.matches("Content-Disposition").count() == 1);
    let with = |body: String| Sent {
        body: body.chars().map(|c| c as u8).collect(),
        ..sent.clone()
    };
    let part = |disposition: &str| {
        format!("--{boundary}\r\nContent-Disposition: form-data; {disposition}\r\n\r\nx\r\n{body}")
    };
    let mut all: Vec<Sent> = (0..file.len())
        .map(|at| {
            let mut changed = file.to_vec();
            changed[at] ^= 1;
            with(body.replace(&text(file), &text(&changed)))
        })
        .collect();
    all.extend([
        with(part("name=\"method\"")),
        with(part("name=\"un\"")),
        with(part("name=\"second\"; filename=\"b\"")),
        with(part("name=\"upload_file\"; filename=\"b\"")).at(sent.address.clone() + "0"),
        with(body.replace("upload_file", "upload_files")),
        with(body.replace("upload_file", "upload_file[]")),
        with(String::new()),
        Sent {
            content_type: Some("application/octet-stream".to_owned()),
            body: file.to_vec(),
            ..sent.clone()
        },
        Sent {
            content_type: Some("application/x-www-form-urlencoded".to_owned()),
            body: b"method=delete".to_vec(),
            ..sent.clone()
        },
    ]);
    all
}

#[actix_web::test]
async fn a_request_is_good_for_five_minutes_and_for_one_of_many_who_send_it_at_once() {
    let php = Php::start();
    for seconds in [-330, 330] {
        let sent = Sent::signed(
            "/a.php",
            "un=bill",
            Utc::now() + TimeDelta::seconds(seconds),
        );
        let words = php.refuses(&sent).await;
        assert!(words.contains("five minutes"), "{words}");
    }
    for seconds in [-270, 270] {
        let sent = Sent::signed(
            "/a.php",
            "un=bill",
            Utc::now() + TimeDelta::seconds(seconds),
        );
        php.takes(&sent).await;
    }
    for _ in 0..10 {
        let sent = Sent::signed("/a.php", "un=bill", Utc::now());
        let answers = join_all((0..20).map(|_| php.asks(&sent))).await;
        let taken = answers.iter().filter(|(status, _)| *status == 200).count();
        assert_eq!(taken, 1, "{answers:?}");
    }
    // What is refused for its signature uses up no nonce.
    let sent = Sent::signed("/a.php", "un=bill", Utc::now());
    php.refuses(&sent.at(sent.address.replace("bill", "root")))
        .await;
    php.takes(&sent).await;
}

#[actix_web::test]
async fn an_address_is_read_alike_by_both_however_odd_it_is() {
    let php = Php::start();
    for (path, query, plain) in [
        (
            "/a.php",
            "?&a=b&&=c&d",
            vec![("?", ""), ("a", "b"), ("", "c"), ("d", "")],
        ),
        (
            "/a%2Fb/%C3%BC+.php",
            "a.b=1&a_b=2&a[]=3",
            vec![("a.b", "1"), ("a_b", "2"), ("a[]", "3")],
        ),
        (
            "/a.php",
            "a=1=2&b=%3D&a%3D1=2",
            vec![("a", "1=2"), ("b", "="), ("a=1", "2")],
        ),
        (
            "/a.php",
            "a=x+y%2Bz%20&b=%&c=%4&d=%zz&e=%%41",
            vec![
                ("a", "x y+z "),
                ("b", "%"),
                ("c", "%4"),
                ("d", "%zz"),
                ("e", "%A"),
            ],
        ),
        (
            "//a.php//",
            "a=;b=1&a;b=2&c=~'()*!",
            vec![("a", ";b=1"), ("a;b", "2"), ("c", "~'()*!")],
        ),
        (
            "/a.php",
            "%20a=1&0=x&sig=no&ts=1&sv=3&nonce=x",
            vec![(" a", "1"), ("0", "x"), ("sig", "no")],
        ),
        (
            "/a.php",
            "a=%00%0A%0D%22%F0%9F%8C%B1",
            vec![("a", "\0\n\r\"🌱")],
        ),
        ("/a.php", "un=first&un=last", vec![("un", "last")]),
    ] {
        let sent = Sent::signed(path, query, Utc::now());
        let taken = php.takes(&sent).await;
        for (name, value) in plain {
            let pair = (name.as_bytes().to_vec(), value.as_bytes().to_vec());
            assert!(taken.contains(&pair), "{pair:?} is not in {taken:?}");
        }
    }
    // As a proxy may encode it.
    let sent = Sent::signed("/mod/x.php", "un=Zo%C3%AB+B.", Utc::now());
    let other = sent
        .address
        .replace("/mod/", "/%6dod/")
        .replace("%C3%AB+B.", "%c3%ab%20%42%2e");
    assert_ne!(other, sent.address);
    php.takes(&sent.at(other)).await;
}

#[actix_web::test]
async fn a_call_that_is_made_again_is_signed_again() {
    let (gateway, peer) = Gateway::with_session(Kind::Sqlite, two()).await;
    let before = peer.asked().len();
    peer.answers(Answer::Says(503, String::new()));
    let path = "/tools/mdquiz10/sessions/2/outputs?user=mdl_Anna";
    gateway.call("GET", path, None).await.refused(502);
    let again: HashSet<_> = peer.requests()[before..]
        .iter()
        .map(|address| (parameter(address, "nonce"), parameter(address, "sig")))
        .collect();
    assert_eq!(again.len(), 3);
}

#[actix_web::test]
async fn a_redirect_of_a_call_is_not_followed_since_the_signature_is_for_one_address() {
    let (gateway, peer) = Gateway::with_session(Kind::Sqlite, two()).await;
    let before = peer.asked().len();
    let to = format!("{}/?method=delete&un=root", peer.url);
    peer.answers(Answer::Sends(302, to));
    let path = "/tools/mdquiz10/contents/1/export";
    let page = gateway.call("GET", path, None).await;
    page.refused(502);
    assert!(page.body.contains("it is not followed"), "{}", page.body);
    assert_eq!(peer.asked().len(), before + 1);
    // What it refuses is not made again, and said to be the signature.
    peer.answers(Answer::Says(401, String::new()));
    let page = gateway.call("GET", path, None).await;
    page.refused(502);
    assert!(
        page.body.contains("it refused signature 2"),
        "{}",
        page.body
    );
    assert_eq!(peer.asked().len(), before + 2);
}

#[actix_web::test]
async fn a_monitors_link_is_signed_when_it_is_followed_and_names_the_monitor() {
    let (gateway, _peer) = Gateway::with_session(Kind::Sqlite, two()).await;
    gateway.session("mdquiz10", 3, 1).await;
    let monitor = "/lams/tool/mdquiz10/monitoring.do?toolContentID=1&contentFolderID=f";
    let page = gateway.get_signed(monitor, "mdl_Mona").await;
    let links = page.attributes("a[data-monitor]", "href");
    assert!(
        !page.body.contains("sig=") && !page.body.contains("nonce="),
        "{}",
        page.body
    );
    assert!(
        links.iter().all(|link| link.starts_with(PUBLIC_URL)),
        "{links:?}"
    );
    let mut nonces = HashSet::new();
    for _ in 0..2 {
        let location = gateway.get_public(&links[0]).await.location();
        assert_eq!(parameter(&location, "un").as_deref(), Some("Mona"));
        nonces.insert(parameter(&location, "nonce").unwrap());
    }
    assert_eq!(nonces.len(), 2);

    let state = parameter(&links[0], "state").unwrap();
    let link = |session: &str, state: &str| {
        format!(
            "/lams/tool/mdquiz10/monitoring.do?dispatch=openSession&toolSessionID={session}{state}"
        )
    };
    let learn = "/lams/tool/mdquiz10/learning.do?mode=teacher&toolSessionID=2";
    let location = gateway.get_signed(learn, "mdl_bill").await.location();
    let back = parameter(&location, "returnUrl").unwrap();
    let looks = parameter(&back, "state").unwrap();
    for (session, state) in [
        ("2", String::new()),
        ("2", "&state=".to_owned()),
        ("2", format!("&state={looks}")),
        ("3", format!("&state={state}")),
        ("2", format!("&state={state}A")),
        ("x", format!("&state={looks}")),
    ] {
        gateway.get(&link(session, &state)).await.refused(401);
    }
    gateway
        .get(&link("x", &format!("&state={state}")))
        .await
        .refused(400);
    // Nor does this state open anything else.
    let finish = "/lams/tool/mdquiz10/learning.do?dispatch=finishActivity&toolSessionID=2";
    gateway
        .get(&format!("{finish}&state={state}"))
        .await
        .refused(401);
    let gone = gateway
        .call("DELETE", "/tools/mdquiz10/sessions/2", None)
        .await;
    assert_eq!(gone.status, 204);
    gateway.get_public(&links[0]).await.refused(404);
}

#[rstest]
#[actix_web::test]
async fn a_server_is_switched_over_and_back_while_it_runs(
    #[values(Kind::Postgres, Kind::Sqlite)] kind: Kind,
) {
    let (gateway, _peer) = Gateway::with_session(kind, Setup::default()).await;
    let learn = "/lams/tool/mdquiz10/learning.do?mode=learner&toolSessionID=2";
    let has = async |name: &str| {
        let location = gateway.get_signed(learn, "mdl_Anna").await.location();
        parameter(&location, name).is_some()
    };
    assert!(has("hs").await && !has("sig").await);
    let file = gateway.setup.file();
    let over = file.replace("signature = 1", "signature = 2");
    assert!(apply(&gateway.database, &over, &[]).status.success());
    Gateway::until("signature 2 is made", || has("sig")).await;
    assert!(!has("hs").await);
    // What the file leaves out gets its default.
    let back = file.replace("signature = 1\n", "");
    assert!(apply(&gateway.database, &back, &[]).status.success());
    Gateway::until("signature 1 is made", || has("hs")).await;
}
