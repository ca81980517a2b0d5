use actix_web::middleware::from_fn;
use actix_web::{App, HttpServer};

use super::*;

async fn panics() -> HttpResponse {
    panic!("the key is S3cretKey");
}

/// A real server with the front door and a page that panics at each address; where it listens.
fn that_panics() -> (String, actix_web::dev::ServerHandle) {
    let server = HttpServer::new(|| {
        App::new()
            .wrap(from_fn(front_door))
            .default_service(web::to(panics))
    })
    .workers(1)
    .disable_signals()
    .bind("127.0.0.1:0")
    .unwrap();
    let base = format!("http://{}", server.addrs()[0]);
    let server = server.run();
    let handle = server.handle();
    tokio::spawn(server);
    (base, handle)
}

#[actix_web::test]
async fn a_panic_is_a_page_with_a_request_id_and_nothing_of_the_inside() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let (base, handle) = that_panics();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    // Again and again: the worker lives on.
    for (path, kind) in [
        (
            "/lams/tool/mdquiz10/learning.do?sig=S3cretKey",
            "text/html; charset=utf-8",
        ),
        ("/admin/servers", "text/html; charset=utf-8"),
        ("/api/v1/toolkit", PROBLEM_JSON),
        ("//lams//tool", "text/html; charset=utf-8"),
    ] {
        let answer = client.get(format!("{base}{path}")).send().await.unwrap();
        assert_eq!(answer.status(), 500, "{path}");
        let headers = answer.headers().clone();
        assert_eq!(headers["content-type"], kind, "{path}");
        assert_eq!(headers["x-content-type-options"], "nosniff");
        assert_eq!(headers["cache-control"], "no-store");
        assert!(headers.contains_key("content-security-policy"));
        let body = answer.text().await.unwrap();
        let id = headers["x-request-id"].to_str().unwrap();
        assert!(body.contains(id), "{body}");
        for inside in ["S3cretKey", "panic", ".rs"] {
            assert!(!body.contains(inside), "{body}");
        }
    }
    handle.stop(false).await;
}
