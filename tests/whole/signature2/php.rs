//! A PHP server whose one page asks the verifier of docs/examples.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use toolgate::domain::signature2::{self, NO_BODY, Request};

/// A request as somebody sends it.
#[derive(Debug, Clone)]
pub struct Sent {
    pub method: String,
    /// Path and query.
    pub address: String,
    pub content_type: Option<String>,
    pub body: Vec<u8>,
    /// The server's id and key, as the page knows them.
    pub server: (&'static str, &'static str),
}

impl Sent {
    pub fn get(address: impl Into<String>) -> Self {
        Self {
            method: "GET".to_owned(),
            address: address.into(),
            content_type: None,
            body: Vec::new(),
            server: ("moodle", "S3cretKey"),
        }
    }

    /// A GET of a path and query, signed as the gateway does at this time.
    pub fn signed(path: &str, query: &str, at: chrono::DateTime<chrono::Utc>) -> Self {
        let mut query = query.to_owned();
        for (name, value) in signature2::stamp(at, *uuid::Uuid::new_v4().as_bytes()) {
            query.push_str(&format!("&{name}={value}"));
        }
        let request = Request {
            method: "GET",
            path,
            query: &query,
            body: NO_BODY,
        };
        let sig = signature2::signature("S3cretKey", "moodle", request);
        Self::get(format!("{path}?{query}&sig={sig}"))
    }

    /// The same under another address.
    pub fn at(&self, address: impl Into<String>) -> Self {
        Self {
            address: address.into(),
            ..self.clone()
        }
    }

    /// The pieces of the query.
    pub fn pieces(&self) -> Vec<String> {
        let query = self.address.split_once('?').unwrap().1;
        query.split('&').map(str::to_owned).collect()
    }

    /// The same with other pieces in the query.
    pub fn with_pieces(&self, pieces: &[String]) -> Self {
        let path = self.address.split_once('?').unwrap().0;
        self.at(format!("{path}?{}", pieces.join("&")))
    }
}

/// The page: what it found right comes as JSON, what it refuses with 401 and why.
const PAGE: &str = r#"<?php
require getenv('VERIFIER');
try {
    [$server, $key] = [$_SERVER['HTTP_X_SERVER'], $_SERVER['HTTP_X_KEY']];
    $call = toolgate_verified($server, $key, toolgate_once_in(getenv('NONCES')));
    $hex = [];
    foreach ($call as $name => $value) {
        $hex[] = [bin2hex((string) $name), bin2hex($value)];
    }
    echo json_encode($hex);
} catch (RuntimeException $refused) {
    http_response_code(401);
    echo $refused->getMessage();
}
"#;

pub struct Php {
    process: Child,
    address: String,
    _folder: TempDir,
}

impl Php {
    /// Starts one that answers several at once.
    pub fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let nonces = folder.path().join("nonces");
        std::fs::create_dir(&nonces).unwrap();
        let page = folder.path().join("page.php");
        std::fs::write(&page, PAGE).unwrap();
        let verifier = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/examples/signature2.php");
        loop {
            // It cannot choose a port by itself; where another takes this one first, it ends.
            let free = TcpListener::bind(("127.0.0.1", 0)).unwrap();
            let address = free.local_addr().unwrap().to_string();
            drop(free);
            let mut process = Command::new("php")
                .args(["-n", "-d", "display_errors=stderr", "-S", &address])
                .arg(&page)
                .env("VERIFIER", verifier)
                .env("NONCES", &nonces)
                .env("PHP_CLI_SERVER_WORKERS", "4")
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::piped())
                .process_group(0)
                .spawn()
                .expect("php is installed");
            let mut lines = BufReader::new(process.stderr.take().unwrap()).lines();
            let started = lines.any(|line| line.unwrap_or_default().contains("started"));
            if started {
                // Nobody may have to wait because nobody reads.
                std::thread::spawn(move || lines.for_each(drop));
                return Self {
                    process,
                    address,
                    _folder: folder,
                };
            }
            process.wait().unwrap();
        }
    }

    /// What the page says to a request: status and words.
    pub async fn asks(&self, sent: &Sent) -> (u16, String) {
        let mut stream = TcpStream::connect(&self.address).await.unwrap();
        let (server, key) = sent.server;
        let mut head = format!(
            "{} {} HTTP/1.1\r\nHost: lms.example.org\r\nX-Server: {server}\r\nX-Key: {key}\r\nConnection: close\r\n",
            sent.method, sent.address
        );
        if let Some(kind) = &sent.content_type {
            head.push_str(&format!("Content-Type: {kind}\r\n"));
        }
        if !sent.body.is_empty() {
            head.push_str(&format!("Content-Length: {}\r\n", sent.body.len()));
        }
        head.push_str("\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.write_all(&sent.body).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, body.to_owned())
    }

    /// Why it refuses a request.
    pub async fn refuses(&self, sent: &Sent) -> String {
        let (status, words) = self.asks(sent).await;
        assert_eq!(status, 401, "{words}: {sent:?}");
        words
    }

    /// The parameters that it takes from a request, which has to be right.
    pub async fn takes(&self, sent: &Sent) -> Vec<(Vec<u8>, Vec<u8>)> {
        let (status, words) = self.asks(sent).await;
        assert_eq!(status, 200, "{words}: {sent:?}");
        let pairs: Vec<(String, String)> = serde_json::from_str(&words).unwrap();
        let plain = |text: String| hex::decode(text).unwrap();
        let pairs = pairs.into_iter();
        pairs
            .map(|(name, value)| (plain(name), plain(value)))
            .collect()
    }
}

impl Drop for Php {
    fn drop(&mut self) {
        // Its workers do not end with it by themselves.
        let group = format!("-{}", self.process.id());
        let _ = Command::new("kill").args(["-KILL", "--", &group]).status();
        let _ = self.process.wait();
    }
}
