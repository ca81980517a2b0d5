//! What sysadmins type, on pages and in a shell.

use super::search::Search;
use super::watched::Watched;
use super::{DATABASE_PASSWORD, SERVER_KEY, TYPED_IN_A_FORM};
use crate::support::{API_TOKEN, Answer, Gateway, PASSWORD, Peer, Visitor, binary, environment};

/// What sysadmins type, and do wrong.
pub async fn forms(watched: &Watched<'_>, ada: &Visitor<'_>, peer: &Peer) {
    let search = watched.search;
    peer.answers(Answer::Says(500, format!("key={SERVER_KEY}")));
    watched
        .sends(
            ada,
            "/admin/servers/moodle/test",
            "/admin/servers/moodle/test",
            &[],
            &[],
        )
        .await;
    let edit = "/admin/servers/edit?id=moodle";
    for url in ["http://moodle.example.org/", "no address"] {
        let fields = [
            ("id", "moodle"),
            ("url", url),
            ("key", TYPED_IN_A_FORM),
            ("prefix", "mdl"),
            ("made_from", "x"),
        ];
        watched
            .sends(ada, edit, "/admin/servers/edit", &fields, &[])
            .await;
    }
    let add = "/admin/platforms/add";
    let fields = [
        ("id", "north"),
        ("url", "no address"),
        ("launch_secret", TYPED_IN_A_FORM),
        ("api_token", API_TOKEN),
    ];
    watched.sends(ada, add, add, &fields, &[]).await;
    for which in ["launch_secret", "api_token"] {
        let ask = format!("/admin/platforms/secret?id=lams&which={which}");
        let asked = watched.by(ada, &ask, &["form token"]).await;
        let made_from = asked.attributes("[name=made_from]", "value").remove(0);
        let fields = [("id", "lams"), ("which", which), ("made_from", &made_from)];
        let name = format!("new {which}");
        let shown = watched
            .sends(ada, &ask, "/admin/platforms/secret", &fields, &[&name])
            .await;
        search.secret(&name, &shown.text("#secret").unwrap());
    }
    let text = format!(
        "[[servers]]\nid = \"x\"\nurl = \"http://x.example.org/\"\nkey = \"{TYPED_IN_A_FORM}\"\n"
    );
    let plan = "/admin/configuration";
    // What is planned stays in the text area until it is applied.
    watched
        .sends(
            ada,
            plan,
            plan,
            &[("text", &text)],
            &["key typed in a form"],
        )
        .await;
    for wrong in [
        text.replace("key =", "keys ="),
        text.replace("key = ", "key "),
        text.replace("[[servers]]", "[[platforms]]"),
    ] {
        let page = watched
            .sends(
                ada,
                plan,
                plan,
                &[("text", &wrong)],
                &["key typed in a form"],
            )
            .await;
        assert!(
            page.body.matches(TYPED_IN_A_FORM).count() <= 1,
            "{}",
            page.body
        );
    }
    for (current, new) in [("wrong words of Ada", PASSWORD), (PASSWORD, "short")] {
        let fields = [("current", current), ("password", new), ("repeated", new)];
        watched
            .sends(
                ada,
                "/admin/account",
                "/admin/account/password",
                &fields,
                &[],
            )
            .await;
    }
    watched.every_page(ada).await;
    let last = watched
        .sends(ada, "/admin/", "/admin/sign-out", &[], &[])
        .await;
    last.see_other();
}

/// The arguments of a command, and more of its environment.
type Line<'a> = (&'a [&'a str], &'a [(&'a str, &'a str)]);

pub fn commands(gateway: &Gateway, search: &Search) {
    let away = format!("postgres://postgres:{DATABASE_PASSWORD}@127.0.0.1:1/x");
    let wrong_url =
        format!("postgres://postgres:{DATABASE_PASSWORD}@localhost/x?sslmode=sometimes");
    let file = gateway.database.folder.path().join("toolgate.toml");
    let listed = format!("database_url = \"{away}\"\nsecret_key = \"{TYPED_IN_A_FORM}\"\n");
    std::fs::write(&file, format!("{listed}listen = {TYPED_IN_A_FORM}")).unwrap();
    let file = file.to_str().unwrap();
    let lines: [Line<'_>; 16] = [
        (&["check"], &[]),
        (&["check"], &[("TOOLGATE_DATABASE_URL", &away)]),
        (&["serve"], &[("TOOLGATE_DATABASE_URL", &away)]),
        (&["check"], &[("TOOLGATE_DATABASE_URL", &wrong_url)]),
        (&["check"], &[("TOOLGATE_SECRET_KEY", TYPED_IN_A_FORM)]),
        (&["check"], &[("TOOLGATE_LISTEN", TYPED_IN_A_FORM)]),
        (&["check", "--config", file], &[]),
        (&["journal", "list"], &[]),
        (&["journal", "retry", "none"], &[]),
        (&["export-config"], &[]),
        (&["export-config", "--references"], &[]),
        (&["rotate-keys", "--dry-run"], &[]),
        (
            &["rotate-keys"],
            &[(
                "TOOLGATE_SECRET_KEY",
                "other:b3RoZXJvdGhlcm90aGVyb3RoZXJvdGhlcm90aGVyMTI=",
            )],
        ),
        (&["admin", "list"], &[]),
        (&["lms", "select", "http://edx.test/courses/x"], &[]),
        (&["sign", "nobody", "mdl_Bill", "/lams/x"], &[]),
    ];
    for (arguments, more) in lines {
        let mut command = binary();
        command.args(arguments).envs(environment(&gateway.database));
        command
            .env("TOOLGATE_LOG", "trace")
            .envs(more.iter().copied());
        let output = command.output().unwrap();
        search.output(&arguments.join(" "), &output);
    }
}
