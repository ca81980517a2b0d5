//! ChromeDriver, and one headless Chromium under it. Neither outlives the test: ChromeDriver is asked to
//! end Chromium before it is ended itself; and Chromium, which is spoken to over a pipe, ends when the
//! other end of that does.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::time::Duration;

use fantoccini::error::CmdError;
use fantoccini::wd::{Capabilities, WebDriverCompatibleCommand};
use fantoccini::{Client, ClientBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use reqwest::Method;
use serde_json::{Value, json};
use url::{ParseError, Url};

use super::process::{Process, program};

pub struct Driver {
    pub client: Client,
    port: u16,
    session: String,
    _process: Process,
    _folder: tempfile::TempDir,
}

const MISSING: &str = "run ./test, which installs Chromium";

const ARGUMENTS: [&str; 12] = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--remote-debugging-pipe",
    "--window-size=1200,900",
    "--hide-scrollbars",
];

impl Driver {
    pub async fn start() -> Self {
        let chromium = on_path("chromium");
        let folder = tempfile::tempdir().unwrap();
        let mut command = program(on_path("chromedriver").to_str().unwrap());
        // Whatever either writes goes there.
        for name in ["HOME", "TMPDIR"] {
            command.env(name, folder.path());
        }
        let mut process = Process::start(command.arg("--port=0")).expect(MISSING);
        let port = process.says("started successfully on port ");
        let port = port.trim_end_matches('.').parse().unwrap();

        let profile = format!(
            "--user-data-dir={}",
            folder.path().join("profile").display()
        );
        let arguments: Vec<_> = ARGUMENTS.into_iter().chain([profile.as_str()]).collect();
        let capabilities = json!({
            "goog:chromeOptions": {"binary": chromium, "args": arguments},
            "goog:loggingPrefs": {"browser": "ALL"},
        });
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(serde_json::from_value::<Capabilities>(capabilities).unwrap())
            .connect(&format!("http://127.0.0.1:{port}"))
            .await
            .unwrap();
        let session = client.session_id().await.unwrap().unwrap();
        Self {
            client,
            port,
            session,
            _process: process,
            _folder: folder,
        }
    }

    /// What the browser complained of since it was last asked: whatever a policy blocked, what did not
    /// load, errors of scripts.
    pub async fn complaints(&self) -> Vec<String> {
        let log = self
            .post("se/log", json!({"type": "browser"}))
            .await
            .unwrap();
        log.as_array()
            .unwrap()
            .iter()
            .filter(|entry| entry["level"] == "SEVERE")
            .map(|entry| entry["message"].as_str().unwrap().to_owned())
            .collect()
    }

    /// A command of the browser's own protocol.
    pub async fn devtools(&self, command: &str, parameters: Value) {
        let body = json!({"cmd": command, "params": parameters});
        self.post("goog/cdp/execute", body).await.unwrap();
    }

    async fn post(&self, path: &'static str, body: Value) -> Result<Value, CmdError> {
        self.client.issue_cmd(Post { path, body }).await
    }
}

impl Drop for Driver {
    /// Ends Chromium, so that nothing writes into the folder when that is removed. Not by the client:
    /// a drop cannot wait on the test's own runtime.
    fn drop(&mut self) {
        let Ok(mut driver) = TcpStream::connect(("127.0.0.1", self.port)) else {
            return;
        };
        let _ = driver.set_read_timeout(Some(Duration::from_secs(20)));
        let request = format!(
            "DELETE /session/{} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nConnection: close\r\n\r\n",
            self.session, self.port
        );
        if driver.write_all(request.as_bytes()).is_ok() {
            let _ = driver.read(&mut [0; 64]);
        }
    }
}

/// A command that ChromeDriver knows beyond the standard.
#[derive(Debug)]
struct Post {
    path: &'static str,
    body: Value,
}

impl WebDriverCompatibleCommand for Post {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, ParseError> {
        base.join(&format!("session/{}/{}", session.unwrap(), self.path))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        (Method::POST, Some(self.body.to_string()))
    }
}

fn on_path(name: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
        .unwrap_or_else(|| panic!("no {name} here: {MISSING}"))
}
