//! The first sysadmin, by the address that the first start prints.

use rstest::rstest;

use crate::support::{ADA, Gateway, Kind, PASSWORD, Setup, Visitor, admin};

const FIELDS: [(&str, &str); 3] = [
    ("name", ADA),
    ("password", PASSWORD),
    ("repeated", PASSWORD),
];

fn token_of(address: &str) -> &str {
    address.strip_prefix("/admin/first?token=").unwrap()
}

#[rstest]
#[actix_web::test]
async fn the_address_makes_the_first_sysadmin_once(
    #[values(Kind::Postgres, Kind::Sqlite)] kind: Kind,
) {
    let gateway = Gateway::start(kind, Setup::default()).await;
    let address = gateway.first_start().await;
    let visitor = Visitor::new(&gateway);
    let form = visitor.get(&address).await;
    assert_eq!(form.status, 200, "{}", form.body);
    let token = form.attributes("[name=token]", "value")[0].clone();
    assert_eq!(token, token_of(&address));
    let made = visitor
        .post(
            "/admin/first",
            &[&FIELDS[..], &[("token", &token)]].concat(),
        )
        .await;
    assert_eq!(made.see_other(), "/admin/sign-in?done=first");
    let page = visitor.sign_in(ADA, PASSWORD).await;
    assert_eq!(page.see_other(), "/admin/");
    assert!(visitor.is_in().await);

    visitor.get(&address).await.refused(410);
    let again = [
        ("name", "Eve"),
        ("password", PASSWORD),
        ("repeated", PASSWORD),
    ];
    let again = [&again[..], &[("token", &token)]].concat();
    visitor.post("/admin/first", &again).await.refused(410);
    let sysadmins = gateway.database.number("select count(*) from sysadmins");
    assert_eq!(sysadmins.await, 1);
    let by =
        "select count(*) from audit where actor = '(first start)' and action = 'sysadmin.added'";
    assert_eq!(gateway.database.number(by).await, 1);
    // Nor does the next start print one.
    let next = Gateway::start_on(gateway.database.clone(), Setup::default());
    assert_eq!(next.get("/admin/").await.status, 303);
    assert_eq!(next.said(), "");
}

#[rstest]
#[actix_web::test]
async fn of_two_browsers_that_race_one_makes_a_sysadmin(
    #[values(Kind::Postgres, Kind::Sqlite)] kind: Kind,
    #[values(1, 2)] instances: usize,
) {
    // Each instance prints an address of its own.
    let one = Gateway::start(kind, Setup::default()).await;
    let two = Gateway::start_on(one.database.clone(), Setup::default());
    let addresses = [one.first_start().await, two.first_start().await];
    assert_ne!(addresses[0], addresses[1]);
    let tries = (0..6).map(|n| {
        let gateway = if n % 2 == 0 { &one } else { &two };
        let token = token_of(&addresses[n % instances]).to_owned();
        let name = format!("racer{n}");
        async move {
            let fields = [
                ("token", token.as_str()),
                ("name", name.as_str()),
                ("password", PASSWORD),
                ("repeated", PASSWORD),
            ];
            let visitor = Visitor::new(gateway);
            visitor.post("/admin/first", &fields).await.status
        }
    });
    let mut outcomes = futures_util::future::join_all(tries).await;
    outcomes.sort_unstable();
    assert_eq!(outcomes, [303, 410, 410, 410, 410, 410]);
    let sysadmins = one.database.number("select count(*) from sysadmins");
    assert_eq!(sysadmins.await, 1);
}

#[actix_web::test]
async fn a_mistake_uses_nothing_up_and_keeps_the_name() {
    let gateway = Gateway::start(Kind::Sqlite, Setup::default()).await;
    let address = gateway.first_start().await;
    let visitor = Visitor::new(&gateway);
    for (password, repeated, field) in [
        ("short", "short", "password"),
        (PASSWORD, "a few good word", "repeated"),
    ] {
        let fields = [
            ("token", token_of(&address)),
            ("name", ADA),
            ("password", password),
            ("repeated", repeated),
        ];
        let page = visitor.post("/admin/first", &fields).await;
        assert_eq!(page.status, 422);
        assert_eq!(page.attributes("#name", "value"), [ADA]);
        assert_eq!(page.attributes("[type=password]", "value"), ["", ""]);
        assert!(
            page.text(&format!("#{field}-error")).is_some(),
            "{}",
            page.body
        );
    }
    assert_eq!(visitor.get(&address).await.status, 200);
}

#[actix_web::test]
async fn an_address_that_ended_or_was_made_up_makes_nobody() {
    let gateway = Gateway::start(Kind::Sqlite, Setup::default()).await;
    let address = gateway.first_start().await;
    let visitor = Visitor::new(&gateway);
    let made_up = format!("/admin/first?token={}", "0".repeat(64));
    for wrong in ["/admin/first", "/admin/first?token=", &made_up] {
        visitor.get(wrong).await.refused(410);
    }
    let past = "update first_start_tokens set expires_at = '2020-01-01 00:00:00+00:00'";
    gateway.database.execute(past).await;
    visitor.get(&address).await.refused(410);
    let fields = [&FIELDS[..], &[("token", token_of(&address))]].concat();
    visitor.post("/admin/first", &fields).await.refused(410);
    let sysadmins = gateway.database.number("select count(*) from sysadmins");
    assert_eq!(sysadmins.await, 0);
}

#[actix_web::test]
async fn a_sysadmin_from_the_shell_ends_the_address() {
    let gateway = Gateway::start(Kind::Sqlite, Setup::default()).await;
    let address = gateway.first_start().await;
    assert!(
        admin(&gateway.database, &["add", ADA], PASSWORD)
            .status
            .success()
    );
    Visitor::new(&gateway).get(&address).await.refused(410);
}

#[actix_web::test]
async fn neither_the_address_nor_a_password_is_in_the_log_or_stored_as_it_is() {
    let environment = vec![("TOOLGATE_LOG", "debug".to_owned())];
    let setup = Setup {
        environment,
        ..Setup::default()
    };
    let gateway = Gateway::start(Kind::Sqlite, setup).await;
    let address = gateway.first_start().await;
    let visitor = Visitor::new(&gateway);
    visitor.get(&address).await;
    let fields = [&FIELDS[..], &[("token", token_of(&address))]].concat();
    visitor.post("/admin/first", &fields).await.see_other();
    visitor.sign_in(ADA, PASSWORD).await.see_other();
    let folder = gateway.database.folder.path();
    let mut kept = gateway.log().into_bytes();
    for file in std::fs::read_dir(folder).unwrap() {
        kept.extend(std::fs::read(file.unwrap().path()).unwrap());
    }
    let cookies = visitor.cookies();
    let secrets = [token_of(&address), PASSWORD];
    for secret in secrets
        .into_iter()
        .chain(cookies.values().map(String::as_str))
    {
        let bytes = secret.as_bytes();
        assert!(
            !kept.windows(bytes.len()).any(|part| part == bytes),
            "{secret}"
        );
    }
}
