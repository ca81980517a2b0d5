//! The configuration as a file from a shell, and the secret keys that rotate.

use std::process::Output;

use rstest::rstest;

use crate::support::{
    API_TOKEN, Database, Gateway, Kind, LAUNCH_SECRET, Setup, apply, binary, environment,
};

const NEW: &str = "bmV3bmV3bmV3bmV3bmV3bmV3bmV3bmV3bmV3bmV3bmU=";

fn toolgate(database: &Database, arguments: &[&str], keys: Option<&str>) -> Output {
    let mut command = binary();
    command.args(arguments).envs(environment(database));
    if let Some(keys) = keys {
        command.env("TOOLGATE_SECRET_KEY", keys);
    }
    command.output().unwrap()
}

fn said(output: &Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

async fn configured(kind: Kind) -> Database {
    let database = Database::new(kind).await;
    said(&apply(&database, &Setup::default().file(), &[]));
    database
}

#[rstest]
#[actix_web::test]
async fn an_exported_configuration_changes_nothing_where_it_comes_from(
    #[values(Kind::Postgres, Kind::Sqlite)] kind: Kind,
) {
    let database = configured(kind).await;
    let file = said(&toolgate(&database, &["export-config"], None));
    for secret in [LAUNCH_SECRET, API_TOKEN, "S3cretKey", "L3rnKey"] {
        assert!(!file.contains(secret), "{file}");
    }
    let report = said(&apply(&database, &file, &[]));
    assert_eq!(report.lines().count(), 3, "{report}");
    for line in report.lines() {
        assert!(line.starts_with("left "), "{report}");
    }
    assert_eq!(said(&toolgate(&database, &["export-config"], None)), file);
    let references = said(&toolgate(
        &database,
        &["export-config", "--references"],
        None,
    ));
    for name in [
        "LAMS_LAUNCH_SECRET",
        "LAMS_API_TOKEN",
        "MOODLE_KEY",
        "DOTLRN_KEY",
    ] {
        assert!(references.contains(&format!("{{ env = \"{name}\" }}")));
    }
}

#[rstest]
#[actix_web::test]
async fn rotated_keys_need_the_older_one_no_more(
    #[values(Kind::Postgres, Kind::Sqlite)] kind: Kind,
) {
    let database = configured(kind).await;
    let old = environment(&database)[1].1.clone();
    let both = format!("new:{NEW},default:{old}");
    let only_new = format!("new:{NEW}");
    let path = "/lams/tool/mdquiz10/authoring.do";
    let sign = |keys: &str| toolgate(&database, &["sign", "lams", "a", path], Some(keys));
    assert!(!sign(&only_new).status.success());

    let looked = toolgate(&database, &["rotate-keys", "--dry-run"], Some(&both));
    assert!(said(&looked).starts_with("still sealed by the older key default: 3 secrets\n"));
    assert!(!sign(&only_new).status.success());

    let rotated = said(&toolgate(&database, &["rotate-keys"], Some(&both)));
    assert!(
        rotated.starts_with("sealed anew 3 secrets of the key default, now under new\n"),
        "{rotated}"
    );
    assert!(sign(&only_new).status.success());
    let again = said(&toolgate(&database, &["rotate-keys"], Some(&only_new)));
    assert!(
        again.starts_with("sealed by new before: 3 secrets\n"),
        "{again}"
    );

    // With the old key alone nothing opens, and nothing is changed.
    let refused = toolgate(&database, &["rotate-keys"], Some(&old));
    assert!(!refused.status.success());
    assert!(String::from_utf8_lossy(&refused.stderr).contains("the secret key \"new\""));
    let told = "select count(*) from audit where action = 'secrets.sealed-anew'";
    assert_eq!(database.number(told).await, 1);
}

#[rstest]
#[actix_web::test]
async fn a_running_gateway_that_lists_both_keys_goes_on_through_a_rotation(
    #[values(Kind::Postgres, Kind::Sqlite)] kind: Kind,
) {
    let database = std::sync::Arc::new(configured(kind).await);
    let both = format!("new:{NEW},default:{}", environment(&database)[1].1);
    let setup = Setup {
        environment: vec![("TOOLGATE_SECRET_KEY", both.clone())],
        ..Setup::default()
    };
    let gateway = Gateway::start_on(database.clone(), setup);
    gateway.author("mdquiz10", 1).await;
    said(&toolgate(&database, &["rotate-keys"], Some(&both)));
    Gateway::until("the rotation is noticed", || async {
        gateway.log().contains("the configuration changed")
    })
    .await;
    gateway.author("mdquiz10", 2).await;
}
