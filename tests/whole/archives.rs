//! Export and import through the binary: archives go out whole or not at all, come in once, and hold what
//! went out.

use std::collections::HashMap;
use std::io::Read;
use std::sync::Arc;

use futures_util::future::join_all;
use rstest::rstest;
use serde_json::json;
use tokio::sync::Notify;
use toolgate::domain::hash::external_hash;

use crate::support::{Answer, Asked, Gateway, Kind, Peer, Setup, binary, environment, parameter};

const CONTENT: &str = "/tools/mdquiz10/contents/1";
const PAYLOAD: &[u8] = b"O:8:\"stdClass\":1:{s:4:\"name\";s:5:\"\xff\x00quiz\";}";

fn exports(payload: &[u8]) -> Answer {
    Answer::ByMethod(HashMap::from([
        ("export", (200, payload.to_vec())),
        ("import", (200, b"900".to_vec())),
    ]))
}

/// A file of a ZIP.
fn unzipped(archive: &[u8], name: &str) -> Option<Vec<u8>> {
    let mut zip = zip::ZipArchive::new(std::io::Cursor::new(archive)).unwrap();
    let mut bytes = Vec::new();
    zip.by_name(name).ok()?.read_to_end(&mut bytes).unwrap();
    Some(bytes)
}

/// The fields of a multipart form, in order, as a strict reader takes them.
async fn fields(asked: &Asked) -> Vec<(String, Option<String>, Vec<u8>)> {
    use futures_util::TryStreamExt;
    let kind = asked.headers.lines().find_map(|line| {
        line.split_once(": ")
            .filter(|(name, _)| name.eq_ignore_ascii_case("content-type"))
    });
    let mut headers = actix_web::http::header::HeaderMap::new();
    headers.insert(
        actix_web::http::header::CONTENT_TYPE,
        kind.unwrap().1.parse().unwrap(),
    );
    let body = actix_web::web::Bytes::from(asked.body.clone());
    let stream =
        futures_util::stream::once(async { Ok::<_, actix_web::error::PayloadError>(body) });
    let mut form = actix_multipart::Multipart::new(&headers, Box::pin(stream));
    let mut fields = Vec::new();
    while let Some(mut field) = form.try_next().await.unwrap() {
        let file = field
            .content_disposition()
            .unwrap()
            .get_filename()
            .map(str::to_owned);
        let name = field.name().unwrap().to_owned();
        let mut bytes = Vec::new();
        while let Some(piece) = field.try_next().await.unwrap() {
            bytes.extend_from_slice(&piece);
        }
        fields.push((name, file, bytes));
    }
    fields
}

#[rstest]
#[actix_web::test]
async fn what_is_exported_can_be_imported_with_the_same_content(
    #[values(Kind::Postgres, Kind::Sqlite)] kind: Kind,
    #[values("mdfrum10", "mdquiz10", "dlfrum10")] tool: &str,
) {
    let peer = Peer::start(exports(PAYLOAD)).await;
    let setup = Setup {
        adapter_page: peer.url.clone(),
        ..Setup::default()
    };
    let gateway = Gateway::start(kind, setup).await;
    gateway.saved_content(tool, 1, "555").await;
    let content = format!("/tools/{tool}/contents/1");
    let flags = json!({"defineLater": true, "runOffline": true});
    gateway.call("PATCH", &content, Some(flags)).await;

    let (archive, headers) = gateway.download(&format!("{content}/export")).await;
    assert_eq!(headers["content-type"], "application/zip");
    assert_eq!(
        headers["content-disposition"],
        format!("attachment; filename=\"{tool}-1.zip\"").as_str()
    );
    assert_eq!(unzipped(&archive, "ext_tool.txt").as_deref(), Some(PAYLOAD));
    let manifest: serde_json::Value =
        serde_json::from_slice(&unzipped(&archive, "manifest.json").unwrap()).unwrap();
    assert_eq!(manifest["signature"], tool);
    assert_eq!(
        manifest["flags"],
        json!({"defineLater": true, "runOffline": true})
    );
    assert_eq!(manifest["origin"]["extToolContentID"], "555");
    assert_eq!(manifest["payload"]["bytes"], PAYLOAD.len());

    let sent = peer.requests().remove(0);
    let server = if tool == "dlfrum10" {
        ("dotLRN", "L3rnKey")
    } else {
        ("moodle", "S3cretKey")
    };
    let ts = parameter(&sent, "ts").unwrap();
    assert_eq!(
        parameter(&sent, "hs"),
        Some(external_hash(&ts, "authUser", server.0, server.1))
    );
    for (name, value) in [
        ("method", "export"),
        ("extToolContentID", "555"),
        ("un", "authUser"),
        ("cs", "extCourse"),
    ] {
        assert_eq!(parameter(&sent, name).as_deref(), Some(value), "{name}");
    }

    let csv = match tool {
        "dlfrum10" => "zoë b,8,http://lrn.example.org/x",
        _ => "zoë b,8,4,moodle",
    };
    let copy = format!("/tools/{tool}/contents/50");
    let made = gateway
        .import(&copy, Some(csv), Some(archive.clone()))
        .await;
    assert_eq!(made.status, 201, "{}", made.body);
    let (one, other) = (
        gateway.call("GET", &content, None).await.json(),
        made.json(),
    );
    for field in ["signature", "extLmsId", "defineLater", "runOffline"] {
        assert_eq!(one[field], other[field], "{field}");
    }
    assert_eq!(
        (&other["user"], &other["course"]),
        (&json!("zoë b"), &json!("8"))
    );
    assert_eq!(other["extToolContentID"], "900");
    // Saved is the one who saved it: LAMS's export overwrote that.
    assert_eq!(
        (&one["user"], &one["course"]),
        (&json!("bill"), &json!("7"))
    );

    let sent = peer.asked().pop().unwrap();
    assert_eq!(
        (sent.verb.as_str(), sent.address.as_str()),
        ("POST", "/adapter")
    );
    let fields = fields(&sent).await;
    let text = |name: &str| {
        let field = fields.iter().find(|(own, ..)| own == name);
        field.map(|(_, _, bytes)| String::from_utf8(bytes.clone()).unwrap())
    };
    let ts = text("ts").unwrap();
    assert_eq!(
        text("hs"),
        Some(external_hash(&ts, "zoë b", server.0, server.1))
    );
    for (name, value) in [
        ("un", Some("zoë b")),
        ("cs", Some("8")),
        ("method", Some("import")),
    ] {
        assert_eq!(text(name).as_deref(), value, "{name}");
    }
    let gen2 = (tool != "dlfrum10").then_some("moodle");
    assert_eq!(text("extlmsid").as_deref(), gen2);
    assert!(text("rid").is_some());
    let last = fields.last().unwrap();
    assert_eq!(
        (last.0.as_str(), last.1.as_deref(), last.2.as_slice()),
        ("upload_file", Some("ext_tool.txt"), PAYLOAD)
    );

    // The same call again makes nothing; another file or customCSV is another call.
    let again = gateway
        .import(&copy, Some(csv), Some(archive.clone()))
        .await;
    assert_eq!((again.status, again.json()), (200, other));
    let bare = gateway
        .import(&copy, Some(csv), Some(b"another".to_vec()))
        .await;
    assert_eq!(bare.refused(409), "there-already");
    let taken = gateway.import(&content, Some(csv), Some(archive)).await;
    assert_eq!(taken.refused(409), "there-already");
    assert_eq!(peer.asked().len(), 2);
}

#[actix_web::test]
async fn what_can_be_exported_can_be_imported_however_long_it_is() {
    let small = [("TOOLGATE_ARCHIVE_MAX_MIB", "1".to_owned())];
    let setup = Setup {
        environment: small.to_vec(),
        ..Setup::default()
    };
    // Bytes that cannot be packed.
    let mut number = 1_u32;
    let payload: Vec<u8> = std::iter::repeat_with(|| {
        number = number.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (number >> 24) as u8
    })
    .take(1 << 20)
    .collect();
    let (gateway, _peer) = Gateway::with_content(Kind::Sqlite, setup, exports(&payload)).await;
    let (archive, _) = gateway.download(&format!("{CONTENT}/export")).await;
    assert!(archive.len() > 1 << 20);
    let copy = "/tools/mdquiz10/contents/50";
    let csv = Some("anna,8,4,moodle");
    let made = gateway.import(copy, csv, Some(archive)).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let bare = gateway
        .import(copy, csv, Some(vec![7; (1 << 20) + 1]))
        .await;
    assert_eq!(bare.refused(413), "archive-too-long");
}

#[actix_web::test]
async fn content_that_is_not_outside_travels_without_a_call() {
    let peer = Peer::start(exports(PAYLOAD)).await;
    let setup = Setup {
        adapter_page: peer.url.clone(),
        ..Setup::default()
    };
    let gateway = Gateway::start(Kind::Sqlite, setup).await;
    gateway.author("mdquiz10", 1).await;
    let (archive, _) = gateway.download(&format!("{CONTENT}/export")).await;
    assert_eq!(unzipped(&archive, "ext_tool.txt"), None);
    let copy = "/tools/mdquiz10/contents/50";
    for status in [201, 200] {
        let made = gateway
            .import(copy, Some("anna,8,4,moodle"), Some(archive.clone()))
            .await;
        assert_eq!(made.status, status, "{}", made.body);
        let made = made.json();
        assert_eq!(
            (&made["user"], &made["extToolContentID"]),
            (&json!("anna"), &json!(null))
        );
    }
    // Once removed, its number is free.
    assert_eq!(gateway.call("DELETE", copy, None).await.status, 204);
    let made = gateway
        .import(copy, Some("anna,8,4,moodle"), Some(archive))
        .await;
    assert_eq!(made.status, 201);
    assert!(peer.asked().is_empty());
}

#[actix_web::test]
async fn a_failed_export_is_an_error_and_never_a_shorter_file() {
    let (gateway, peer) =
        Gateway::with_content(Kind::Sqlite, Setup::default(), exports(PAYLOAD)).await;
    for (answer, status, words) in [
        (
            Answer::Breaks(b"O:8:\"stdCl".to_vec()),
            502,
            "the connection broke",
        ),
        (Answer::Says(500, "oops".into()), 502, "status 500: “oops”"),
        (
            Answer::Says(200, String::new()),
            502,
            "no export: an empty answer",
        ),
        (
            Answer::Says(200, " <!DOCTYPE html><title>Log in".into()),
            502,
            "no export: “<!DOCTYPE html>",
        ),
        (Answer::Says(401, String::new()), 502, "refused the hash"),
        (
            Answer::Sends(302, "http://127.0.0.1:1/login".into()),
            502,
            "sends the call elsewhere (302), to http://127.0.0.1:1",
        ),
        (Answer::Zeros(65 << 20), 502, "more than 64 MiB"),
    ] {
        peer.answers(answer);
        let page = gateway
            .call("GET", &format!("{CONTENT}/export"), None)
            .await;
        page.refused(status);
        assert!(
            page.body.contains(words),
            "{} does not say {words}",
            page.body
        );
    }
}

#[actix_web::test]
async fn what_cannot_be_imported_is_refused_and_stores_nothing() {
    let small = [("TOOLGATE_ARCHIVE_MAX_MIB", "1".to_owned())];
    let setup = Setup {
        environment: small.to_vec(),
        ..Setup::default()
    };
    let (gateway, peer) = Gateway::with_content(Kind::Sqlite, setup, exports(PAYLOAD)).await;
    let before = gateway.rows().await;
    let csv = Some("anna,8,4,moodle");
    let copy = "/tools/mdquiz10/contents/50";
    for (csv, file, status, code) in [
        (None, Some(b"x".to_vec()), 400, "body"),
        (csv, None, 400, "body"),
        (Some("anna,8"), Some(b"x".to_vec()), 400, "custom-csv"),
        (
            Some("anna,8,4,nobody"),
            Some(b"x".to_vec()),
            403,
            "server-unknown",
        ),
        (csv, Some(Vec::new()), 400, "archive"),
        (csv, Some(b"PK\x03\x04rest".to_vec()), 400, "archive"),
        (csv, Some(vec![7; (1 << 20) + 1]), 413, "archive-too-long"),
        (csv, Some(vec![7; 3 << 20]), 413, "archive-too-long"),
    ] {
        let page = gateway.import(copy, csv, file).await;
        assert_eq!(page.refused(status), code);
    }
    let long = "a,".repeat(1_000_000);
    let page = gateway.import(copy, Some(&long), Some(b"x".to_vec())).await;
    page.refused(413);
    let page = gateway
        .call("POST", &format!("{copy}/import"), Some(json!({})))
        .await;
    assert_eq!(page.refused(400), "body");
    // What the server refuses is told with its words, and frees the number.
    for (answer, words) in [
        ("0", "no id: “0”"),
        ("-1", "no id: “-1”"),
        ("<html>", "no id: “<html>”"),
    ] {
        peer.answers(Answer::Says(200, answer.to_owned()));
        let page = gateway.import(copy, csv, Some(b"x".to_vec())).await;
        page.refused(502);
        assert!(page.body.contains(words), "{}", page.body);
    }
    assert_eq!(gateway.rows().await, before);
    assert_eq!(
        gateway
            .database
            .number("select count(*) from journal where state <> 'failed'")
            .await,
        0
    );
    // What failed keeps no file.
    let files = "select count(*) from journal_files";
    assert_eq!(gateway.database.number(files).await, 0);
    peer.answers(exports(PAYLOAD));
    assert_eq!(
        gateway.import(copy, csv, Some(b"x".to_vec())).await.status,
        201
    );
}

#[rstest]
#[actix_web::test]
async fn an_archive_is_imported_once_whoever_sends_it(
    #[values(Kind::Postgres, Kind::Sqlite)] kind: Kind,
) {
    let (one, peer) = Gateway::with_content(kind, Setup::default(), Answer::Ids(700)).await;
    let two = Gateway::start_on(one.database.clone(), one.setup.clone());
    let file = vec![7; 100_000];
    let send = |i: usize| {
        let gateway = [&one, &two][i % 2];
        gateway.import(
            "/tools/mdquiz10/contents/50",
            Some("anna,8,4,moodle"),
            Some(file.clone()),
        )
    };
    let answers = join_all((0..20).map(send)).await;
    let made = answers.iter().filter(|page| page.status == 201).count();
    let there = answers.iter().filter(|page| page.status == 200).count();
    assert_eq!((made, there), (1, 19));
    assert!(
        answers
            .iter()
            .all(|page| page.json()["extToolContentID"] == "700")
    );
    assert_eq!(peer.asked().len(), 1);
    assert_eq!(
        one.database
            .number("select count(*) from journal_files")
            .await,
        0
    );
}

#[rstest]
#[actix_web::test]
async fn an_import_that_a_dead_process_left_is_sent_again_with_its_file(
    #[values(Kind::Postgres, Kind::Sqlite)] kind: Kind,
) {
    let waits = Answer::Waits(700, Arc::new(Notify::new()));
    let (mut gateway, peer) = Gateway::with_content(kind, Setup::default(), waits).await;
    // More than one part in the journal.
    let file: Vec<u8> = (0..3_000_000_u32).map(|i| (i % 253) as u8).collect();
    let (copy, csv) = ("/tools/mdquiz10/contents/50", Some("anna,8,4,moodle"));
    {
        let caller = gateway.import(copy, csv, Some(file.clone()));
        let sent = Gateway::until("the call is sent", || async { !peer.asked().is_empty() });
        tokio::select! {
            _ = caller => panic!("it answered before the server did"),
            () = sent => {}
        }
    }
    gateway.kill();
    let gateway = Gateway::start_on(gateway.database.clone(), gateway.setup.clone());
    let page = gateway.import(copy, csv, Some(file.clone())).await;
    assert_eq!(page.refused(409), "unsettled");
    let entry = page.json()["journalEntry"].as_str().unwrap().to_owned();

    peer.answers(Answer::Says(200, "701".into()));
    let mut command = binary();
    command
        .args(["journal", "retry", &entry])
        .envs(environment(&gateway.database));
    let output = tokio::task::spawn_blocking(move || command.output())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "made 701\n");
    let asked = peer.asked();
    assert_eq!(asked.len(), 2);
    for asked in asked {
        let fields = fields(&asked).await;
        let rid = fields.iter().find(|(name, ..)| name == "rid").unwrap();
        assert_eq!(rid.2, entry.as_bytes());
        assert!(fields.last().unwrap().2 == file, "the file is another one");
    }
    let there = gateway.import(copy, csv, Some(file)).await;
    assert_eq!(
        (there.status, there.json()["extToolContentID"].as_str()),
        (200, Some("701"))
    );
    assert_eq!(
        gateway
            .database
            .number("select count(*) from journal_files")
            .await,
        0
    );
}
