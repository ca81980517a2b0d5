//! The given vectors, byte for byte, through the binary.

use std::collections::BTreeSet;

use serde::Deserialize;

use crate::support::{Answer, Gateway, Kind, Peer, Setup};

#[derive(Deserialize)]
struct File {
    vectors: Vec<Vector>,
}

#[derive(Deserialize)]
struct Vector {
    name: String,
    setup: State,
    request: Option<String>,
    location: String,
}

#[derive(Deserialize)]
struct State {
    signature: String,
    ext_tool_content_id: Option<i64>,
    tool_session_id: Option<i64>,
}

#[actix_web::test]
async fn every_given_vector_is_answered_to_the_byte() {
    let file: File = serde_json::from_str(include_str!("../vectors/launch.json")).unwrap();
    assert!(file.vectors.len() >= 20);
    // One gateway for each vector would be slow: each has content of its own, by tool and kind.
    let peer = Peer::start(Answer::Says(200, "556".into())).await;
    let setup = Setup {
        adapter_page: peer.url.clone(),
        ..Setup::open()
    };
    let gateway = Gateway::start(Kind::Sqlite, setup).await;
    let mut made = BTreeSet::new();
    for vector in file.vectors {
        let tool = &vector.setup.signature;
        if let Some(session) = vector.setup.tool_session_id {
            // Content of a number that no vector of authoring uses.
            let content = session + 100_000;
            if made.insert(session) {
                gateway.saved_content(tool, content, "555").await;
                gateway.session(tool, session, content).await;
            }
            let got = match &vector.request {
                Some(request) => gateway.get(request).await.location(),
                None => {
                    let path = format!(
                        "/lams/tool/{tool}/monitoring.do?toolContentID={content}&contentFolderID=f1"
                    );
                    let links = gateway
                        .get(&path)
                        .await
                        .attributes("a[data-monitor]", "href");
                    links[0].clone()
                }
            };
            assert_eq!(got, vector.location, "{}", vector.name);
            continue;
        }
        let request = vector.request.as_deref().unwrap();
        if let Some(ext_id) = vector.setup.ext_tool_content_id {
            let id: i64 = crate::support::parameter(&format!("http://g{request}"), "toolContentID")
                .unwrap()
                .parse()
                .unwrap();
            gateway.saved_content(tool, id, &ext_id.to_string()).await;
        }
        assert_eq!(
            gateway.get(request).await.location(),
            vector.location,
            "{}",
            vector.name
        );
    }
}
