//! `toolgate apply`.

use rstest::rstest;

use crate::support::{Database, Gateway, Kind, Setup, apply, parameter};

fn said(output: &std::process::Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

const FILE: &str = r#"[[platforms]]
id = "lams"
url = "http://lams.example.org/lams"
launch_secret = "a-launch-secret-long-enough"
api_token = "an-api-token-long-enough"

[[servers]]
id = "moodle"
url = "http://moodle.example.org"
key = "a-server-key-long-enough"
prefix = "mdl"
tools = ["mdquiz10"]
"#;

#[rstest]
#[actix_web::test]
async fn it_says_what_it_created_changed_and_left(
    #[values(Kind::Postgres, Kind::Sqlite)] kind: Kind,
) {
    let database = Database::new(kind).await;
    assert!(apply(&database, "", &[]).status.success());
    let dry = apply(&database, FILE, &["--dry-run"]);
    assert_eq!(
        said(&dry),
        "would create platform lams\nwould create server moodle\n"
    );
    assert_eq!(database.number("select count(*) from platforms").await, 0);

    assert_eq!(
        said(&apply(&database, FILE, &[])),
        "created platform lams\ncreated server moodle\n"
    );
    let version = database
        .number("select version from configuration_version")
        .await;
    let same = "left platform lams: as the file says already\nleft server moodle: as the file says already\n";
    assert_eq!(said(&apply(&database, FILE, &[])), same);
    assert_eq!(
        database
            .number("select version from configuration_version")
            .await,
        version
    );

    let changed = "[[servers]]\nid = \"moodle\"\nurl = \"http://moodle.example.org/m/\"\nprefix = \"mdl\"\nenabled = false\n";
    assert_eq!(
        said(&apply(&database, changed, &[])),
        "left platform lams: not in the file\nchanged server moodle: url, enabled\n"
    );
    // Secrets and mapping that were left out have stayed.
    assert_eq!(
        database
            .number("select count(*) from servers where server_key is not null")
            .await,
        1
    );
    assert_eq!(
        database.number("select count(*) from server_tools").await,
        1
    );
    let changed = "[[servers]]\nid = \"moodle\"\nurl = \"http://moodle.example.org/m/\"\nprefix = \"mdl\"\nkey = \"another-key-long-enough\"\ntools = []\n";
    assert_eq!(
        said(&apply(&database, changed, &[])),
        "left platform lams: not in the file\nchanged server moodle: key, enabled, tools\n"
    );
}

#[actix_web::test]
async fn secrets_are_not_stored_as_they_are() {
    let database = Database::new(Kind::Sqlite).await;
    assert!(apply(&database, FILE, &[]).status.success());
    let stored: Vec<u8> = ["test.db", "test.db-wal"]
        .iter()
        .filter_map(|name| std::fs::read(database.folder.path().join(name)).ok())
        .flatten()
        .collect();
    for secret in [
        "a-launch-secret-long",
        "an-api-token-long",
        "a-server-key-long",
    ] {
        assert!(
            !stored
                .windows(secret.len())
                .any(|window| window == secret.as_bytes()),
            "{secret}"
        );
    }
}

#[actix_web::test]
async fn a_secret_may_come_from_a_file_or_the_environment() {
    let database = Database::new(Kind::Sqlite).await;
    assert!(apply(&database, FILE, &[]).status.success());
    let path = database.folder.path().join("key");
    std::fs::write(&path, "a-server-key-long-enough\n").unwrap();
    let from_file = FILE.replace(
        "\"a-server-key-long-enough\"",
        &format!("{{ file = {path:?} }}"),
    );
    let output = apply(&database, &from_file, &[]);
    assert!(
        said(&output).contains("left server moodle: as the file says already"),
        "{}",
        said(&output)
    );
    let missing = FILE.replace(
        "\"a-server-key-long-enough\"",
        "{ env = \"NOT_SET_ANYWHERE\" }",
    );
    let output = apply(&database, &missing, &[]);
    assert!(
        said(&output)
            .contains("line 10, key: the environment variable NOT_SET_ANYWHERE is not set"),
        "{}",
        said(&output)
    );
}

#[rstest]
#[case::lines(
    "[\"mdquiz10\"]",
    "[\n\"mdquiz10\",\n\"nope\",\n]",
    "line 14, tools: there is no tool nope"
)]
#[case::no_toml("url = ", "url == ", "line 3")]
#[case::unknown_key("prefix", "prefiks", "line 11, prefiks: unknown field `prefiks`")]
#[case::bad_url(
    "http://moodle.example.org",
    "moodle",
    "line 9, url: must be an address that begins with http://"
)]
#[case::user_in_url(
    "http://moodle.",
    "http://me:pw@moodle.",
    "line 9, url: must hold no user name"
)]
#[case::bad_platform_id("\"lams\"", "\"admin\"", "line 2, id: platform id must be")]
#[case::no_url("url = \"http://lams.example.org/lams\"\n", "", "missing field `url`")]
#[case::no_key(
    "key = \"a-server-key-long-enough\"\n",
    "",
    "line 8, id: a server with tools needs a key"
)]
#[case::no_prefix(
    "prefix = \"mdl\"\n",
    "",
    "line 8, id: a server with tools needs a prefix"
)]
#[case::bad_prefix("\"mdl\"", "\"m d\"", "line 11, prefix: a prefix is 1 to 32 letters")]
#[case::unknown_tool("mdquiz10", "mdquiz11", "line 12, tools: there is no tool mdquiz11")]
#[case::empty_secret(
    "\"an-api-token-long-enough\"",
    "\"\"",
    "line 5, api_token: a secret must not be empty"
)]
#[case::not_a_secret(
    "\"an-api-token-long-enough\"",
    "7",
    "line 5, api_token: a secret is a text"
)]
#[case::secret_in_a_list(
    "\"an-api-token-long-enough\"",
    "[\"an-api-token-long-enough\"]",
    "line 5, api_token: a secret is a text"
)]
#[case::bad_auth(
    "launch_secret = ",
    "launch_auth = \"none\"\nlaunch_secret = ",
    "line 4, launch_auth: unknown variant `none`"
)]
#[case::bad_finish_url(
    "launch_secret = ",
    "finish_url = \"javascript:x\"\nlaunch_secret = ",
    "line 4, finish_url: finish_url must be"
)]
#[case::custom_csv(
    "launch_secret = ",
    "custom_csv = \"forgotten\"\nlaunch_secret = ",
    "line 4, custom_csv: unknown variant `forgotten`"
)]
#[case::window(
    "prefix = ",
    "login_window_minutes = -1\nprefix = ",
    "line 11, login_window_minutes: login_window_minutes must be 0 to"
)]
#[case::zone(
    "prefix = ",
    "time_zone = \"Atlantis\"\nprefix = ",
    "line 11, time_zone: time_zone must be a name"
)]
#[case::signature(
    "prefix = ",
    "signature = 3\nprefix = ",
    "line 11, signature: signature must be 1 (SHA-1, legacy) or 2 (HMAC-SHA-256)"
)]
#[case::timeout(
    "prefix = ",
    "timeout_ms = 0\nprefix = ",
    "line 11, timeout_ms: timeout_ms must be 1 to"
)]
#[case::unknown_item(
    "prefix = \"mdl\"",
    "prefix = \"mdl\"\nsettings.mdquiz10.colour = \"red\"",
    "mdquiz10 has no item \"colour\""
)]
#[case::bad_adapter_page(
    "prefix = \"mdl\"",
    "prefix = \"mdl\"\nsettings.mdquiz10.adapter_page = \"ftp://h/\"",
    "adapter_page must be an http(s) address"
)]
#[case::twice(
    "[[servers]]",
    "[[platforms]]\nid = \"lams\"\nurl = \"http://l/\"\n[[servers]]",
    "the file names this platform twice"
)]
#[case::same_token(
    "[[servers]]",
    "[[platforms]]\nid = \"two\"\nurl = \"http://l/\"\napi_token = \"an-api-token-long-enough\"\n[[servers]]",
    "the same api_token"
)]
#[case::same_prefix(
    "[[servers]]",
    "[[servers]]\nid = \"two\"\nurl = \"http://l/\"\nprefix = \"mdl\"\n[[servers]]",
    "the same prefix"
)]
#[case::built_in(
    "[[servers]]",
    "[[tools]]\nsignature = \"mdquiz10\"\n[[servers]]",
    "missing field"
)]
#[actix_web::test]
async fn a_mistake_is_named_by_line_and_key_and_changes_nothing(
    #[case] right: &str,
    #[case] wrong: &str,
    #[case] words: &str,
) {
    let database = Database::new(Kind::Sqlite).await;
    assert!(FILE.contains(right), "{right}");
    let output = apply(&database, &FILE.replacen(right, wrong, 1), &[]);
    assert_eq!(output.status.code(), Some(1));
    let said = said(&output);
    assert!(said.contains(words), "{said}");
    for secret in ["a-launch-secret", "an-api-token", "a-server-key"] {
        assert!(!said.contains(secret), "{said}");
    }
    // The file with the mistake may be refused before there are tables at all.
    if database
        .number("select count(*) from sqlite_master where name = 'platforms'")
        .await
        == 1
    {
        assert_eq!(database.number("select count(*) from platforms").await, 0);
        assert_eq!(database.number("select count(*) from servers").await, 0);
    }
}

#[actix_web::test]
async fn a_dry_run_makes_nothing_at_all() {
    let database = Database::new(Kind::Sqlite).await;
    let dry = apply(&database, FILE, &["--dry-run"]);
    assert_eq!(
        said(&dry),
        "would create platform lams\nwould create server moodle\n"
    );
    let wrong = apply(
        &database,
        &FILE.replace("mdquiz10", "mdquiz11"),
        &["--dry-run"],
    );
    assert_eq!(wrong.status.code(), Some(1));
    assert_eq!(
        std::fs::read_dir(database.folder.path()).unwrap().count(),
        0
    );
}

#[rstest]
#[actix_web::test]
async fn a_running_gateway_serves_the_change(#[values(Kind::Postgres, Kind::Sqlite)] kind: Kind) {
    let gateway = Gateway::start(kind, Setup::open()).await;
    let other = Gateway::start_on(gateway.database.clone(), gateway.setup.clone());
    let path = "/lams/tool/mdquiz10/authoring.do?toolContentID=1&contentFolderID=f1&customCSV=bill,7,3,moodle";
    assert_eq!(parameter(&gateway.get(path).await.location(), "un"), None);
    let signing = gateway
        .setup
        .file()
        .replace("sign_redirects = false", "sign_redirects = true");
    assert!(apply(&gateway.database, &signing, &[]).status.success());
    for instance in [&gateway, &other] {
        Gateway::until("redirects are signed", || async {
            parameter(&instance.get(path).await.location(), "un").is_some()
        })
        .await;
    }
    let off = signing.replace("prefix = \"mdl\"", "prefix = \"mdl\"\nenabled = false");
    assert!(apply(&gateway.database, &off, &[]).status.success());
    Gateway::until("the server is off", || async {
        other.get(path).await.status == 403
    })
    .await;
}

#[rstest]
#[actix_web::test]
async fn what_the_way_in_needs_is_set_and_set_back(
    #[values(Kind::Postgres, Kind::Sqlite)] kind: Kind,
) {
    let database = Database::new(kind).await;
    let file = |csv: &str, server: &str| {
        format!(
            "[[platforms]]\nid = \"lams\"\nurl = \"http://lams.test/\"\n{csv}\n\
             [[servers]]\nid = \"campus\"\nurl = \"http://campus.test/\"\n{server}\n"
        )
    };
    let row = "select p.custom_csv || ' ' || coalesce(cast(s.login_window_minutes as text), '-') || ' ' ||
        coalesce(s.time_zone, '-') from platforms p, servers s";
    for (csv, server, expected, changed) in [
        (
            "custom_csv = \"remembered\"",
            "login_window_minutes = 0\ntime_zone = \"Europe/Berlin\"",
            "remembered 0 Europe/Berlin",
            "",
        ),
        (
            "custom_csv = \"accepted\"",
            "login_window_minutes = 525600\ntime_zone = \"UTC\"",
            "accepted 525600 UTC",
            "changed server campus: login_window_minutes, time_zone",
        ),
        (
            "",
            "",
            "accepted - -",
            "changed server campus: login_window_minutes, time_zone",
        ),
    ] {
        let applied = apply(&database, &file(csv, server), &[]);
        assert!(
            applied.status.success(),
            "{}",
            String::from_utf8_lossy(&applied.stderr)
        );
        assert_eq!(database.text(row).await.as_deref(), Some(expected));
        let said = said(&applied);
        assert!(said.contains(changed), "{said}");
    }
}
