//! What launches keep in memory of sessions: used without asking, and never longer than it is so.

use std::sync::Arc;

use rstest::rstest;
use serde_json::json;

use crate::support::{Gateway, Kind, Setup, parameter};

const CONTENT: &str = "/tools/mdquiz10/contents/1";
const SESSION: &str = "/tools/mdquiz10/sessions/2";
const LEARN: &str = "/lams/tool/mdquiz10/learning.do?mode=learner&toolSessionID=2";

const FINISH_BEN: &str =
    "insert into session_users (platform_id, signature, tool_session_id, name, finished_at)
    values ('lams', 'mdquiz10', 2, 'mdl_Ben', '2026-11-27T12:00:00+00:00')
    on conflict (platform_id, signature, tool_session_id, name) do update set finished_at = excluded.finished_at";

/// What a launch comes to: its status, and where it went to, whether the learner has finished.
async fn launch(gateway: &Gateway, uid: &str) -> (u16, Option<String>) {
    let page = gateway.get_signed(LEARN, uid).await;
    if page.status != 302 {
        return (page.status, None);
    }
    (302, parameter(&page.location(), "isFinished"))
}

fn finished(finished: bool) -> (u16, Option<String>) {
    (302, Some(finished.to_string()))
}

/// The session is in the memory of every worker and instance.
async fn known(instances: &[Arc<Gateway>]) {
    for gateway in instances {
        for _ in 0..20 {
            assert_eq!(launch(gateway, "mdl_Ben").await, finished(false));
        }
    }
}

/// Each change, told to one instance, counts at once there and soon on the other.
async fn each_change_counts(instances: &[Arc<Gateway>]) {
    let told = &instances[0];
    known(instances).await;
    let leave = Some(json!({"user": "mdl_Anna"}));
    let page = told.call("POST", &format!("{SESSION}/leave"), leave).await;
    assert_eq!(page.status, 200, "{}", page.body);
    soon(instances, "mdl_Anna", finished(true)).await;
    assert_eq!(launch(told, "mdl_Ben").await, finished(false));

    for (flags, expected) in [
        (json!({"defineLater": true}), "ready"),
        (json!({"defineLater": false, "runOffline": true}), "offline"),
    ] {
        known_pages(instances).await;
        assert_eq!(told.call("PATCH", CONTENT, Some(flags)).await.status, 200);
        let page = told.get_signed(LEARN, "mdl_Ben").await;
        assert!(page.body.contains(expected), "not at once: {expected}");
        for gateway in instances {
            Gateway::until(expected, || async {
                let page = gateway.get_signed(LEARN, "mdl_Ben").await;
                page.status == 200 && page.body.contains(expected)
            })
            .await;
        }
    }
    let flags = json!({"runOffline": false});
    assert_eq!(told.call("PATCH", CONTENT, Some(flags)).await.status, 200);
    soon(instances, "mdl_Ben", finished(false)).await;

    let teach = "/lams/tool/mdquiz10/authoring.do?mode=teacher&toolContentID=1&contentFolderID=f1";
    let path = format!("{teach}&customCSV=bill%2C7%2C3%2Cmoodle");
    assert_eq!(told.get_signed(&path, "mdl_bill").await.status, 302);
    soon(instances, "mdl_Ben", (200, None)).await;
}

async fn known_pages(instances: &[Arc<Gateway>]) {
    for gateway in instances {
        for _ in 0..20 {
            gateway.get_signed(LEARN, "mdl_Ben").await;
        }
    }
}

/// At once on the first instance, soon on the others.
async fn soon(instances: &[Arc<Gateway>], uid: &str, expected: (u16, Option<String>)) {
    assert_eq!(launch(&instances[0], uid).await, expected);
    for gateway in instances {
        Gateway::until("every instance knows it", || async {
            launch(gateway, uid).await == expected
        })
        .await;
    }
}

#[rstest]
#[actix_web::test]
async fn what_one_instance_changes_counts_there_at_once(
    #[values(Kind::Postgres, Kind::Sqlite)] kind: Kind,
) {
    let (gateway, _peer) = Gateway::with_session(kind, Setup::default()).await;
    each_change_counts(&[Arc::new(gateway)]).await;
}

#[rstest]
#[actix_web::test]
async fn what_one_instance_changes_counts_soon_on_others(
    #[values(Kind::Postgres, Kind::Sqlite)] kind: Kind,
) {
    let (one, _peer) = Gateway::with_session(kind, Setup::default()).await;
    let two = Gateway::start_on(one.database.clone(), one.setup.clone());
    each_change_counts(&[Arc::new(one), Arc::new(two)]).await;
}

#[rstest]
#[actix_web::test]
async fn what_somebody_changes_in_the_database_counts_soon(
    #[values(Kind::Postgres, Kind::Sqlite)] kind: Kind,
) {
    let (gateway, _peer) = Gateway::with_session(kind, Setup::default()).await;
    let gateway = Arc::new(gateway);
    known(std::slice::from_ref(&gateway)).await;
    for (sql, uid, expected) in [
        (
            "update contents set define_later = true",
            "mdl_Ben",
            (200, None),
        ),
        (
            "update contents set define_later = false",
            "mdl_Ben",
            finished(false),
        ),
        (FINISH_BEN, "mdl_Ben", finished(true)),
        ("delete from session_users", "mdl_Ben", finished(false)),
        ("delete from sessions", "mdl_Ben", (404, None)),
    ] {
        gateway.database.execute(sql).await;
        Gateway::until(sql, || async { launch(&gateway, uid).await == expected }).await;
    }
}

#[actix_web::test]
async fn sessions_that_were_finished_by_more_than_are_kept_are_asked_about() {
    let (gateway, _peer) = Gateway::with_session(Kind::Postgres, Setup::default()).await;
    gateway
        .database
        .execute(
            "insert into session_users (platform_id, signature, tool_session_id, name, finished_at)
             select 'lams', 'mdquiz10', 2, 'mdl_' || i, now() from generate_series(1, 1500) as i",
        )
        .await;
    for (uid, expected) in [("mdl_1499", true), ("mdl_7", true), ("mdl_Ben", false)] {
        for _ in 0..2 {
            assert_eq!(launch(&gateway, uid).await, finished(expected), "{uid}");
        }
    }
}
