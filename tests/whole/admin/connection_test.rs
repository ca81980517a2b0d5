//! The test of a server's connection, against servers that misbehave.

use rstest::rstest;
use secrecy::SecretString;
use tokio::net::TcpListener;
use toolgate::domain::server::Signing;
use toolgate::sample::external_lms::{ExternalLms, ExternalLmsConfig};

use crate::support::{ADA, Answer, Gateway, Kind, Peer, Setup, Visitor};

const PAGE: &str = "/admin/servers/peer/test";

/// A server at `url` with two tools on one adapter page.
fn server(url: &str, more: &str) -> Setup {
    let server = format!(
        "[[servers]]\nid = \"peer\"\nurl = \"{url}\"\nkey = \"PeerKey\"\nprefix = \"pr\"\n\
         tools = [\"mdquiz10\", \"mdfrum10\"]\n{more}\n\
         [servers.settings.mdquiz10]\nadapter_page = \"adapter\"\n\
         [servers.settings.mdfrum10]\nadapter_page = \"adapter\"\n"
    );
    Setup {
        more: server,
        ..Setup::default()
    }
}

/// What the test of a server says: code and verdict of each row.
async fn tested(setup: Setup) -> (Vec<(String, String)>, String) {
    let gateway = Gateway::start(Kind::Sqlite, setup).await;
    let ada = Visitor::signed_in(&gateway, ADA).await;
    let page = ada.post_form(PAGE, PAGE, &[]).await;
    assert_eq!(page.status, 200, "{}", page.body);
    let codes = page.attributes("[data-code]", "data-code");
    let verdicts = page.attributes("[data-code]", "data-verdict");
    (codes.into_iter().zip(verdicts).collect(), page.body)
}

fn verdict<'a>(rows: &'a [(String, String)], code: &str) -> &'a str {
    let row = rows.iter().find(|(of, _)| of == code);
    &row.unwrap_or_else(|| panic!("no {code} in {rows:?}")).1
}

#[rstest]
#[case(Answer::Says(401, String::new()), "ok", "failed", "skipped")]
#[case(Answer::Says(404, String::new()), "failed", "skipped", "skipped")]
#[case(Answer::Says(500, String::new()), "failed", "skipped", "skipped")]
#[case(Answer::Says(200, String::new()), "ok", "ok", "warning")]
#[case(Answer::HangsUp, "failed", "skipped", "skipped")]
#[actix_web::test]
async fn each_step_says_how_it_came_out(
    #[case] answer: Answer,
    #[case] page: &str,
    #[case] hash: &str,
    #[case] wrong_hash: &str,
) {
    let peer = Peer::start(answer).await;
    let (rows, body) = tested(server(peer.url.trim_end_matches("adapter"), "")).await;
    let codes: Vec<_> = rows.iter().map(|(code, _)| code.as_str()).collect();
    let expected = [
        "address",
        "name",
        "tcp",
        "tls",
        "server-page",
        "adapter-page",
        "hash",
        "wrong-hash",
        "clock",
    ];
    assert_eq!(codes, expected);
    for (code, expected) in [
        ("tcp", "ok"),
        ("tls", "skipped"),
        ("adapter-page", page),
        ("hash", hash),
        ("wrong-hash", wrong_hash),
    ] {
        assert_eq!(verdict(&rows, code), expected, "{code}: {body}");
    }
    let words = "The server refused the hash: compare the key and the server id on both sides.";
    assert_eq!(body.contains(words), hash == "failed");
    for asked in peer.asked().iter().filter(|asked| asked.address != "/") {
        assert!(
            asked.address.contains("method=toolgate"),
            "{}",
            asked.address
        );
    }
}

/// What is said of a sample LMS that takes one signature, by a gateway that makes one.
async fn tested_sample(takes: Signing, makes: Signing) -> (Vec<(String, String)>, String) {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let config = ExternalLmsConfig {
        signing: takes,
        ..ExternalLmsConfig::new("peer", SecretString::from("PeerKey"))
    };
    let lms = ExternalLms::start(listener, config).unwrap();
    let page = "mod/lamstwo/tooladapter_quiz.php";
    let more = format!("signature = {}", makes.number());
    let mut setup = server(lms.base_url(), &more);
    setup.more = setup.more.replace("\"adapter\"", &format!("{page:?}"));
    let said = tested(setup).await;
    lms.stop().await;
    said
}

#[rstest]
#[actix_web::test]
async fn a_server_in_order_takes_the_right_signature_and_refuses_a_wrong_one(
    #[values(Signing::Legacy, Signing::Two)] signing: Signing,
) {
    let (rows, body) = tested_sample(signing, signing).await;
    let not_ok: Vec<_> = rows.iter().filter(|(_, verdict)| verdict != "ok").collect();
    assert_eq!(
        not_ok,
        [&("tls".to_owned(), "skipped".to_owned())],
        "{body}"
    );
    let codes: Vec<_> = rows.iter().map(|(code, _)| code.as_str()).collect();
    let of_two = ["signature", "wrong-signature", "legacy-hash", "replay"];
    assert_eq!(
        of_two.iter().all(|code| codes.contains(code)),
        signing == Signing::Two
    );
    assert_eq!(codes.contains(&"hash"), signing == Signing::Legacy);
}

#[actix_web::test]
async fn a_server_that_does_not_know_signature_2_is_said_so() {
    let (rows, body) = tested_sample(Signing::Legacy, Signing::Two).await;
    assert_eq!(verdict(&rows, "signature"), "failed", "{body}");
    assert_eq!(verdict(&rows, "replay"), "skipped");
    assert!(
        body.contains("see whether its pages check signature 2"),
        "{body}"
    );
    let (rows, _) = tested_sample(Signing::Two, Signing::Legacy).await;
    assert_eq!(verdict(&rows, "hash"), "failed");
}

#[actix_web::test]
async fn a_server_that_takes_anything_is_warned_of_each_that_it_should_refuse() {
    let peer = Peer::start(Answer::Says(200, String::new())).await;
    let (rows, body) = tested(server(
        peer.url.trim_end_matches("adapter"),
        "signature = 2",
    ))
    .await;
    assert_eq!(verdict(&rows, "signature"), "ok");
    for code in ["wrong-signature", "legacy-hash", "replay"] {
        assert_eq!(verdict(&rows, code), "warning", "{code}: {body}");
    }
    assert!(body.contains("accepts the legacy hash, too, at"), "{body}");
    let all: Vec<_> = peer
        .asked()
        .into_iter()
        .filter(|asked| asked.address != "/")
        .collect();
    assert!(
        all.iter()
            .all(|asked| asked.address.contains("method=toolgate"))
    );
    // Two are the same, and all others differ.
    let different: std::collections::HashSet<_> = all.iter().map(|asked| &asked.address).collect();
    assert_eq!((all.len(), different.len()), (5, 4));
}

#[actix_web::test]
async fn what_may_not_be_called_is_not_called() {
    let peer = Peer::start(Answer::Says(200, String::new())).await;
    let setup = server(
        peer.url.trim_end_matches("adapter"),
        "private_network = false",
    );
    let (rows, body) = tested(setup).await;
    assert_eq!(verdict(&rows, "name"), "failed", "{body}");
    assert_eq!(verdict(&rows, "adapter-page"), "skipped");
    assert_eq!(peer.asked().len(), 0);
}

#[actix_web::test]
async fn nobody_who_listens_is_said_so() {
    let (rows, _) = tested(server("http://127.0.0.1:1/", "")).await;
    assert_eq!(verdict(&rows, "tcp"), "failed");
    assert_eq!(verdict(&rows, "hash"), "skipped");
}

/// A server with a certificate of an authority of its own, until the test ends.
struct Tls {
    port: u16,
    authority: rcgen::Certificate,
}

impl Tls {
    async fn start(name: &str, change: impl FnOnce(&mut rcgen::CertificateParams)) -> Self {
        use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
        use rustls::pki_types::PrivateKeyDer;
        let (own, authority_key) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
        let mut of_authority = CertificateParams::new(Vec::new()).unwrap();
        of_authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = of_authority.self_signed(&authority_key).unwrap();
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        change(&mut params);
        let issuer = Issuer::new(of_authority, authority_key);
        let certificate = params.signed_by(&own, &issuer).unwrap();
        let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(
                vec![certificate.der().clone()],
                PrivateKeyDer::try_from(own.serialize_der()).unwrap(),
            )
            .unwrap();
        let acceptor = tokio_rustls::TlsAcceptor::from(std::sync::Arc::new(config));
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let _ = acceptor.accept(stream).await;
            }
        });
        Self { port, authority }
    }

    fn setup(&self) -> Setup {
        server(&format!("https://localhost:{}/", self.port), "")
    }

    /// What the test of the server says of TLS, where its authority is one of the system's.
    async fn verdict_where_trusted(&self) -> (String, String) {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), self.authority.pem()).unwrap();
        let mut setup = self.setup();
        let path = file.path().to_str().unwrap().to_owned();
        setup.environment.push(("SSL_CERT_FILE", path));
        let (rows, body) = tested(setup).await;
        (verdict(&rows, "tls").to_owned(), body)
    }
}

#[actix_web::test]
async fn a_certificate_that_nobody_vouches_for_is_named_as_the_trouble() {
    let tls = Tls::start("localhost", |_| ()).await;
    let (rows, body) = tested(tls.setup()).await;
    assert_eq!(verdict(&rows, "tls"), "failed", "{body}");
    let words = "Nobody who is trusted here signed the certificate";
    assert!(body.contains(words), "{body}");
    // The same where its authority is trusted.
    let (tls, body) = tls.verdict_where_trusted().await;
    assert_eq!(tls, "ok", "{body}");
}

#[actix_web::test]
async fn a_certificate_of_another_name_is_named_as_the_trouble() {
    let tls = Tls::start("moodle.example.org", |_| ()).await;
    let (tls, body) = tls.verdict_where_trusted().await;
    assert_eq!(tls, "failed");
    assert!(body.contains("for another name than localhost"), "{body}");
}

#[rstest]
#[case(2000, 2020)]
#[case(2100, 2120)]
#[actix_web::test]
async fn a_certificate_outside_its_time_is_named_as_the_trouble(
    #[case] from: i32,
    #[case] until: i32,
) {
    let tls = Tls::start("localhost", |params| {
        params.not_before = rcgen::date_time_ymd(from, 1, 1);
        params.not_after = rcgen::date_time_ymd(until, 1, 1);
    });
    let (tls, body) = tls.await.verdict_where_trusted().await;
    assert_eq!(tls, "failed");
    assert!(body.contains("has expired, or is not valid yet"), "{body}");
}

#[rstest]
#[case(0, "ok")]
#[case(-600, "warning")]
#[case(600, "warning")]
#[actix_web::test]
async fn a_clock_that_is_off_is_said_so(#[case] off: i64, #[case] expected: &str) {
    let there = chrono::Utc::now() + chrono::TimeDelta::seconds(off);
    let peer = Peer::start(Answer::SaysItIs(there.to_rfc2822())).await;
    let (rows, body) = tested(server(peer.url.trim_end_matches("adapter"), "")).await;
    assert_eq!(verdict(&rows, "clock"), expected, "{body}");
}

#[actix_web::test]
async fn a_server_without_tls_on_https_is_named_as_the_trouble() {
    let peer = Peer::start(Answer::HangsUp).await;
    let url = peer.url.replace("http://", "https://");
    let (rows, body) = tested(server(url.trim_end_matches("adapter"), "")).await;
    assert_eq!(verdict(&rows, "tls"), "failed", "{body}");
}

#[actix_web::test]
async fn a_link_or_a_form_of_another_session_calls_nobody() {
    let peer = Peer::start(Answer::Says(200, String::new())).await;
    let setup = server(peer.url.trim_end_matches("adapter"), "");
    let gateway = Gateway::start(Kind::Sqlite, setup).await;
    let ada = Visitor::signed_in(&gateway, ADA).await;
    let mallory = Visitor::signed_in(&gateway, "Mallory").await;
    assert_eq!(ada.get(PAGE).await.status, 200);
    let token = mallory.form_token(PAGE).await;
    ada.post(PAGE, &[("form_token", &token)]).await.refused(403);
    ada.get("/admin/servers/nobody/test").await.refused(404);
    assert_eq!(peer.asked().len(), 0);
}
