//! The examples of a signed launch: pasted as they stand, and taken by the gateway.

use std::path::Path;
use std::process::{Command, Output};

use rstest::rstest;
use url::Url;

use crate::support::{ADA, Gateway, Kind, LAUNCH_SECRET, PASSWORD, Page, Setup, Visitor, admin};

const EDIT: &str = "/admin/platforms/edit?id=lams";

/// Runs a program in a folder, with a secret in its environment where one is given.
async fn run(program: &[&str], folder: &Path, secret: Option<&str>) -> Output {
    let mut command = Command::new(program[0]);
    command.args(&program[1..]).current_dir(folder).env_clear();
    command.env("PATH", std::env::var_os("PATH").unwrap());
    if let Some(secret) = secret {
        command.env("LAUNCH_SECRET", secret);
    }
    // Java takes its time, in which connections that are kept may end.
    let run = move || command.output().unwrap();
    tokio::task::spawn_blocking(run).await.unwrap()
}

fn is_there(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

/// The languages that can be run here: the shell always.
fn languages() -> Vec<(&'static str, &'static str, Vec<&'static str>)> {
    let all = vec![
        ("shell", "launch.sh", vec!["sh", "launch.sh"]),
        ("java", "Launch.java", vec!["java", "Launch.java"]),
        ("php", "launch.php", vec!["php", "launch.php"]),
    ];
    let here = all.into_iter().filter(|(name, _, program)| {
        let here = *name == "shell" || is_there(program[0]);
        if !here {
            eprintln!(
                "skipped: the example in {name}, there is no {} here",
                program[0]
            );
        }
        here
    });
    here.collect()
}

/// Saves an example of a page and runs it.
async fn example(
    page: &Page,
    (name, file, program): &(&str, &str, Vec<&str>),
    secret: Option<&str>,
) -> Output {
    let text = page.text(&format!("#example-{name}")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join(file), text).unwrap();
    run(program, folder.path(), secret).await
}

fn printed(output: &Output) -> String {
    assert!(output.status.success(), "{output:?}");
    let printed = String::from_utf8(output.stdout.clone()).unwrap();
    assert_eq!(printed.lines().count(), 1, "{printed}");
    printed.trim().to_owned()
}

/// The path and query of an address, from where the gateway listens.
fn path_of(address: &str, public_url: &str) -> String {
    address
        .strip_prefix(public_url)
        .unwrap_or_else(|| panic!("{address}"))
        .to_owned()
}

#[rstest]
#[actix_web::test]
async fn what_an_example_prints_is_taken(
    #[values(
        "http://gate.example.org:8080",
        // Nothing in it breaks out of a literal.
        "http://gate.example.org:8080/it's/$(touch,x)/$x/u0022/é;{$x}"
    )]
    url: &str,
) {
    let setup = Setup {
        environment: vec![("TOOLGATE_PUBLIC_URL", url.to_owned())],
        ..Setup::default()
    };
    let gateway = Gateway::start(Kind::Sqlite, setup).await;
    let public_url = Url::parse(url).unwrap().to_string();
    let public_url = public_url.trim_end_matches('/');
    // The address has a path: this is where signing in leads.
    admin(&gateway.database, &["add", ADA], PASSWORD);
    let ada = Visitor::new(&gateway);
    ada.sign_in(ADA, PASSWORD).await.see_other();
    let page = ada.get(EDIT).await;
    assert_eq!(page.text("#made-up"), None);
    for language in languages() {
        let address = printed(&example(&page, &language, Some(LAUNCH_SECRET)).await);
        let launch = path_of(&address, public_url);
        assert!(launch.starts_with("/lams/tool/"), "{launch}");
        let location = gateway.get(&launch).await.location();
        assert!(
            location.contains("un=bill") || location.contains("un=Bill"),
            "{location}"
        );
        // Another secret is another signature.
        let wrong = printed(&example(&page, &language, Some("another")).await);
        gateway.get(&path_of(&wrong, public_url)).await.refused(401);
        // Without one it says what is missing, and prints no address.
        let missing = example(&page, &language, None).await;
        assert!(!missing.status.success(), "{missing:?}");
        assert!(
            String::from_utf8_lossy(&missing.stderr).contains("LAUNCH_SECRET"),
            "{missing:?}"
        );
        assert_eq!(missing.stdout, b"");
    }
}

#[actix_web::test]
async fn the_example_beside_a_new_secret_has_it_in_it() {
    let gateway = Gateway::start(Kind::Sqlite, Setup::default()).await;
    let ada = Visitor::signed_in(&gateway, ADA).await;
    let form = ada
        .get("/admin/platforms/secret?id=lams&which=launch_secret")
        .await;
    let made_from = form.attributes("[name=made_from]", "value").remove(0);
    let fields = [
        ("id", "lams"),
        ("which", "launch_secret"),
        ("made_from", &*made_from),
    ];
    let page = ada
        .post_form(EDIT, "/admin/platforms/secret", &fields)
        .await;
    for language in languages() {
        let address = printed(&example(&page, &language, None).await);
        gateway.get_public(&address).await.location();
    }
}

#[actix_web::test]
async fn without_a_server_the_example_says_that_it_is_made_up() {
    let gateway = Gateway::start(Kind::Sqlite, Setup::open()).await;
    gateway
        .database
        .execute("update servers set enabled = false")
        .await;
    gateway
        .database
        .execute("update configuration_version set version = version + 1")
        .await;
    let ada = Visitor::signed_in(&gateway, ADA).await;
    Gateway::until("the change is served", async || {
        ada.get(EDIT).await.text("#made-up").is_some()
    })
    .await;
    // Nothing is signed there: there is an address in place of code.
    let page = ada.get(EDIT).await;
    assert_eq!(page.text("#example-shell"), None);
    assert!(
        page.text("#example-address")
            .unwrap()
            .starts_with("http://gate.example.org:8080/lams/")
    );
}
