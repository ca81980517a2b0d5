//! Several sysadmins: who adds and removes whom.

use rstest::rstest;

use crate::support::{ADA, Gateway, Kind, PASSWORD, Setup, Visitor};

async fn gateway(kind: Kind) -> Gateway {
    Gateway::start(kind, Setup::default()).await
}

async fn add(who: &Visitor<'_>, name: &str, password: &str) -> crate::support::Page {
    let fields = [
        ("name", name),
        ("password", password),
        ("repeated", password),
    ];
    who.post_form("/admin/sysadmins", "/admin/sysadmins", &fields)
        .await
}

async fn address_to_remove(who: &Visitor<'_>, name: &str) -> String {
    let page = who.get("/admin/sysadmins").await;
    page.attributes(&format!("[data-sysadmin='{name}'] a"), "href")[0].clone()
}

#[rstest]
#[actix_web::test]
async fn sysadmins_add_and_remove_each_other(#[values(Kind::Postgres, Kind::Sqlite)] kind: Kind) {
    let gateway = gateway(kind).await;
    let ada = Visitor::signed_in(&gateway, ADA).await;
    assert_eq!(
        add(&ada, "Bob", PASSWORD).await.see_other(),
        "/admin/sysadmins?done=added"
    );
    let listed = ada.get("/admin/sysadmins?done=added").await;
    assert_eq!(
        listed.attributes("[data-sysadmin]", "data-sysadmin"),
        [ADA, "Bob"]
    );
    assert!(listed.text("#done").unwrap().starts_with("Added"));
    let bob = Visitor::new(&gateway);
    bob.sign_in("bob", PASSWORD).await.see_other();

    // It asks first.
    let address = address_to_remove(&ada, "Bob").await;
    let asked = ada.get(&address).await;
    assert_eq!(asked.text("h1").as_deref(), Some("Remove Bob?"));
    assert!(bob.is_in().await);
    let removed = ada.post_form(&address, &address, &[]).await;
    assert_eq!(removed.see_other(), "/admin/sysadmins?done=removed");
    assert!(!bob.is_in().await);
    assert_eq!(bob.sign_in("Bob", PASSWORD).await.status, 401);
    ada.get(&address).await.refused(404);

    let audit = ada.get("/admin/audit").await;
    assert_eq!(
        audit.attributes("[data-action]", "data-action")[..3],
        ["sysadmin.removed", "sysadmin.added", "sysadmin.added"]
    );
    assert_eq!(
        audit.attributes("[data-action]", "data-subject")[..3],
        ["Bob", "Bob", ADA]
    );
    assert_eq!(audit.text(".what strong").as_deref(), Some(ADA));
    assert!(!audit.body.contains("argon2"));
}

#[actix_web::test]
async fn nobody_removes_themselves_and_somebody_always_stays() {
    let gateway = gateway(Kind::Sqlite).await;
    let ada = Visitor::signed_in(&gateway, ADA).await;
    let bob = Visitor::signed_in(&gateway, "Bob").await;
    let ada_of_bob = address_to_remove(&bob, ADA).await;
    ada.get(&ada_of_bob).await.refused(409);
    let token = ada.form_token("/admin/").await;
    let form = [("form_token", token.as_str())];
    assert_eq!(
        ada.post(&ada_of_bob, &form).await.refused(409),
        "You cannot remove yourself"
    );

    // Both press the button at once.
    let bob_of_ada = address_to_remove(&ada, "Bob").await;
    let token_of_bob = bob.form_token("/admin/").await;
    let form_of_bob = [("form_token", token_of_bob.as_str())];
    let both = futures_util::future::join(
        ada.post(&bob_of_ada, &form),
        bob.post(&ada_of_bob, &form_of_bob),
    )
    .await;
    let statuses = [both.0.status, both.1.status];
    assert!(statuses.contains(&303), "{statuses:?}");
    let left = gateway.database.number("select count(*) from sysadmins");
    assert_eq!(left.await, 1);
}

#[actix_web::test]
async fn a_mistake_is_said_at_its_field_and_what_was_typed_stays() {
    let gateway = gateway(Kind::Sqlite).await;
    let ada = Visitor::signed_in(&gateway, ADA).await;
    for (name, password, field, words) in [
        (
            "ADA",
            PASSWORD,
            "name",
            "There is a sysadmin of this name already.",
        ),
        (
            "",
            PASSWORD,
            "name",
            "A name has 1 to 64 characters, begins with a letter or digit, and holds no control characters.",
        ),
        (
            "Bob",
            "short one",
            "password",
            "A password has at least 10 characters; a few words make a good one.",
        ),
        (
            "Bob the Builder",
            "bob the builder",
            "password",
            "The name itself is no password.",
        ),
    ] {
        let page = add(&ada, name, password).await;
        assert_eq!(page.status, 422, "{}", page.body);
        assert_eq!(
            page.text(&format!("#{field}-error")).as_deref(),
            Some(words)
        );
        let described = &page.attributes(&format!("#{field}"), "aria-describedby")[0];
        assert!(described.contains(&format!("{field}-error")), "{described}");
        assert_eq!(page.attributes("#name", "value"), [name]);
        assert_eq!(page.attributes("[type=password]", "value"), ["", ""]);
    }
    let left = gateway.database.number("select count(*) from sysadmins");
    assert_eq!(left.await, 1);
}
