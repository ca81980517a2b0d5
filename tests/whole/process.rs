//! The process: how it starts, what it logs, how it ends.

use std::sync::Arc;

use rstest::rstest;
use serde_json::json;
use tokio::sync::Notify;

use crate::support::{Answer, Database, Gateway, Kind, Peer, Setup, binary, environment};

#[actix_web::test]
async fn a_wrong_setting_stops_the_start_with_its_name() {
    for (name, value, words) in [
        (
            "TOOLGATE_LISTEN",
            "everywhere",
            "TOOLGATE_LISTEN: expected an address and port",
        ),
        (
            "TOOLGATE_LISTENS",
            "127.0.0.1:0",
            "TOOLGATE_LISTENS: there is no such setting",
        ),
        (
            "TOOLGATE_DATABASE_URL",
            "mysql://h/",
            "TOOLGATE_DATABASE_URL: expected sqlite://",
        ),
        (
            "TOOLGATE_DATABASE_URL",
            "postgres://nobody@127.0.0.1:1/x",
            "TOOLGATE_SECRET_KEY is required",
        ),
        (
            "TOOLGATE_SECRET_KEY",
            "c2hvcnQ=",
            "TOOLGATE_SECRET_KEY: expected 32 bytes",
        ),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let output = binary()
            .arg("serve")
            .current_dir(&folder)
            .env(name, value)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains(words) && !said.contains("c2hvcnQ="), "{said}");
    }
    assert_eq!(
        binary().arg("dance").output().unwrap().status.code(),
        Some(2)
    );
    for command in ["serve", "apply", "sign", "demo", "admin"] {
        assert_eq!(
            binary()
                .args([command, "--help"])
                .output()
                .unwrap()
                .status
                .code(),
            Some(0)
        );
    }
}

#[actix_web::test]
async fn the_first_start_makes_database_and_key_for_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("settings.toml"),
        "database_url = \"sqlite://own.db\"",
    )
    .unwrap();
    std::fs::write(folder.path().join("empty.toml"), "").unwrap();
    let run = || {
        let output = binary()
            .args(["--config", "settings.toml", "apply", "empty.toml"])
            .current_dir(&folder)
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        std::fs::read_to_string(folder.path().join("own.db.key")).unwrap()
    };
    let key = run();
    assert_eq!(run(), key);
    for file in ["own.db", "own.db.key"] {
        let mode = std::fs::metadata(folder.path().join(file))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
}

#[rstest]
#[case(None, &["mmap_threshold=131072", "trim_threshold=131072", "arena_max="])]
#[case(Some("glibc.rtld.nns=5"), &["mmap_threshold=131072", "trim_threshold=131072", "arena_max="])]
#[case(Some("glibc.malloc.arena_max=9"), &["arena_max=9"])]
#[actix_web::test]
async fn what_glibc_keeps_is_limited_unless_somebody_has_set_that(
    #[case] set: Option<&str>,
    #[case] limits: &[&str],
) {
    let environment = set.map(|set| ("GLIBC_TUNABLES", set.to_owned()));
    let setup = Setup {
        environment: environment.into_iter().collect(),
        ..Setup::default()
    };
    let gateway = Gateway::start(Kind::Sqlite, setup).await;
    let found = gateway.environment();
    // glibc takes the text apart where it lies.
    assert_eq!(found.matches("glibc.malloc.").count(), limits.len());
    for limit in limits {
        assert!(found.contains(&format!("glibc.malloc.{limit}")), "{limit}");
    }
    assert!(set.is_none_or(|set| found.contains(set)));
}

#[rstest]
#[actix_web::test]
async fn every_line_of_the_log_can_be_read_by_a_machine_and_holds_no_secret(
    #[values(Kind::Postgres, Kind::Sqlite)] kind: Kind,
) {
    let environment = vec![
        ("TOOLGATE_LOG_FORMAT", "json".to_owned()),
        ("TOOLGATE_LOG", "debug".to_owned()),
    ];
    let (mut gateway, _peer) = Gateway::with_session(
        kind,
        Setup {
            environment,
            ..Setup::default()
        },
    )
    .await;
    let learn = "/lams/tool/mdquiz10/learning.do?mode=learner&toolSessionID=2";
    let sent = gateway.sign(learn, "mdl_Anna");
    gateway.get(&sent).await.location();
    let refused = gateway
        .get("/lams/tool/mdquiz10/learning.do?mode=learner")
        .await;
    let id = refused.headers["x-request-id"].clone();
    assert!(gateway.stop().success());
    Gateway::until("the log is read to its end", || async {
        gateway.log().contains("\"stopped\"")
    })
    .await;

    let log = gateway.log();
    let lines: Vec<serde_json::Value> = log
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}")))
        .collect();
    let line = lines
        .iter()
        .find(|line| line["request_id"] == id.as_str())
        .unwrap();
    assert_eq!(
        (&line["status"], &line["level"]),
        (&json!(401), &json!("WARN"))
    );
    assert_eq!(line["path"], "/lams/tool/mdquiz10/learning.do");
    let signature = sent.rsplit_once("&sig=").unwrap().1;
    for secret in [
        crate::support::LAUNCH_SECRET,
        crate::support::API_TOKEN,
        "S3cretKey",
        signature,
        "state=",
    ] {
        assert!(!log.contains(secret), "{secret} in {log}");
    }
}

#[rstest]
#[actix_web::test]
async fn it_stops_when_told_and_finishes_what_is_under_way(
    #[values(Kind::Postgres, Kind::Sqlite)] kind: Kind,
) {
    let go = Arc::new(Notify::new());
    let (mut gateway, peer) =
        Gateway::with_content(kind, Setup::default(), Answer::Waits(700, go.clone())).await;
    {
        let under_way = gateway.call(
            "PUT",
            "/tools/mdquiz10/sessions/2",
            Some(json!({"toolContentID": 1})),
        );
        let told = async {
            Gateway::until("the clone call is sent", || async {
                !peer.requests().is_empty()
            })
            .await;
            gateway.tell_to_stop();
            Gateway::until("it is stopping", || async {
                gateway.log().contains("stopping")
            })
            .await;
            go.notify_one();
        };
        let (page, ()) = futures_util::future::join(under_way, told).await;
        assert_eq!(page.status, 201, "{}", page.body);
    }
    assert!(gateway.stop().success());
    let gateway = Gateway::start_on(gateway.database.clone(), gateway.setup.clone());
    let session = gateway
        .call("GET", "/tools/mdquiz10/sessions/2", None)
        .await;
    assert_eq!(session.json()["extSessionID"], "700");
}

#[rstest]
#[actix_web::test]
async fn what_was_recorded_is_stored_before_it_ends(
    #[values(Kind::Postgres, Kind::Sqlite)] kind: Kind,
) {
    let (mut gateway, _peer) = Gateway::with_session(kind, Setup::default()).await;
    let learn = "/lams/tool/mdquiz10/learning.do?mode=learner&toolSessionID=2";
    for learner in 0..50 {
        gateway
            .get_signed(learn, &format!("mdl_learner{learner}"))
            .await
            .location();
    }
    assert!(gateway.stop().success());
    let opened = "select count(*) from session_users where opened_at is not null";
    assert_eq!(gateway.database.number(opened).await, 50);
    assert_eq!(
        gateway
            .database
            .number("select count(*) from contents where content_in_use")
            .await,
        1
    );
}

#[rstest]
#[actix_web::test]
async fn two_instances_serve_one_database(#[values(Kind::Postgres, Kind::Sqlite)] kind: Kind) {
    let peer = Peer::start(Answer::Ids(700)).await;
    let one = Gateway::start(
        kind,
        Setup {
            adapter_page: peer.url.clone(),
            ..Setup::default()
        },
    )
    .await;
    let two = Gateway::start_on(one.database.clone(), one.setup.clone());
    // A state made by one counts on the other.
    let callback = crate::support::callback_of(&one.author("mdquiz10", 1).await.location());
    assert_eq!(
        two.get_public(&format!("{callback}&extToolContentID=555"))
            .await
            .status,
        200
    );
    assert_eq!(
        one.get_public(&format!("{callback}&extToolContentID=556"))
            .await
            .status,
        409
    );
    two.session("mdquiz10", 2, 1).await;
    let learn = "/lams/tool/mdquiz10/learning.do?mode=learner&toolSessionID=2";
    let location = one.get_signed(learn, "mdl_Anna").await.location();
    let back = crate::support::parameter(&location, "returnUrl").unwrap();
    assert_eq!(two.get_public(&back).await.status, 200);
    Gateway::until("the other knows that she has finished", || async {
        let again = one.get_signed(learn, "mdl_Anna").await.location();
        crate::support::parameter(&again, "isFinished").as_deref() == Some("true")
    })
    .await;
}

#[actix_web::test]
async fn another_secret_key_does_not_start_on_what_is_sealed() {
    let database = Database::new(Kind::Sqlite).await;
    assert!(
        crate::support::apply(&database, &Setup::default().file(), &[])
            .status
            .success()
    );
    let output = binary()
        .arg("serve")
        .envs(environment(&database))
        .env("TOOLGATE_LISTEN", "127.0.0.1:0")
        .env(
            "TOOLGATE_SECRET_KEY",
            "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
        )
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1));
    assert!(said.contains("another secret key was used"), "{said}");
}
