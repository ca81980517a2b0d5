//! A sample server that runs: how it is started, where it is, and how it ends.

use std::io;
use std::net::TcpListener;

use actix_web::dev::ServerHandle;
use actix_web::middleware::DefaultHeaders;
use actix_web::{App, HttpServer, web};

/// A running sample server; `S` is what its pages share, so that a test can look inside.
#[derive(Debug)]
pub struct Running<S> {
    base_url: String,
    handle: ServerHandle,
    state: S,
}

impl<S: Clone + Send + 'static> Running<S> {
    /// Serves `routes` on `listener` with one worker, on the current runtime; signals are left to the
    /// caller.
    pub(super) fn serve(
        listener: TcpListener,
        state: S,
        routes: fn(&mut web::ServiceConfig),
    ) -> io::Result<Self> {
        let base_url = format!("http://{}/", listener.local_addr()?);
        let shared = state.clone();
        let server = HttpServer::new(move || {
            App::new()
                .app_data(web::Data::new(shared.clone()))
                .wrap(default_headers())
                .configure(routes)
        })
        .workers(1)
        .disable_signals()
        .shutdown_timeout(1)
        .listen(listener)?
        .run();
        let handle = server.handle();
        tokio::spawn(async move {
            if let Err(error) = server.await {
                tracing::error!(%error, "a sample server ended");
            }
        });
        Ok(Self {
            base_url,
            handle,
            state,
        })
    }

    /// Where it is: `http://127.0.0.1:PORT/`, with the slash.
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// What its pages share.
    pub fn state(&self) -> &S {
        &self.state
    }

    /// Stops it, and gives requests under way a second to end.
    pub async fn stop(&self) {
        self.handle.stop(true).await;
    }
}

/// What every answer carries. No `form-action`: browsers apply it to the redirect after a form, and the
/// author form's leads to the gateway.
fn default_headers() -> DefaultHeaders {
    DefaultHeaders::new()
        .add(("X-Content-Type-Options", "nosniff"))
        .add(("Referrer-Policy", "no-referrer"))
        .add((
            "Content-Security-Policy",
            "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'",
        ))
}
