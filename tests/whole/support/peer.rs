//! A stand-in for an adapter page that answers as it is told, also badly, and remembers what it was
//! asked.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::Notify;

/// How it answers.
#[derive(Debug, Clone)]
pub enum Answer {
    /// Status and body.
    Says(u16, String),
    /// A new id for each request, from this one on.
    Ids(i64),
    /// Nothing until it is let go, then this id.
    Waits(i64, Arc<Notify>),
    /// The connection ends without an answer.
    HangsUp,
}

pub struct Peer {
    pub url: String,
    requests: Arc<Mutex<Vec<String>>>,
    answer: Arc<Mutex<Answer>>,
}

impl Peer {
    pub async fn start(answer: Answer) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}/adapter", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let answer = Arc::new(Mutex::new(answer));
        let (seen, told) = (requests.clone(), answer.clone());
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let (seen, told) = (seen.clone(), told.clone());
                tokio::spawn(async move {
                    let mut head = Vec::new();
                    while !head.ends_with(b"\r\n\r\n") {
                        match stream.read_u8().await {
                            Ok(byte) => head.push(byte),
                            Err(_) => return,
                        }
                    }
                    let line = String::from_utf8_lossy(&head)
                        .lines()
                        .next()
                        .unwrap()
                        .to_owned();
                    seen.lock().unwrap().push(line);
                    let answer = {
                        let mut told = told.lock().unwrap();
                        let now = told.clone();
                        if let Answer::Ids(next) = &mut *told {
                            *next += 1;
                        }
                        now
                    };
                    let (status, body) = match answer {
                        Answer::Says(status, body) => (status, body),
                        Answer::Ids(id) => (200, id.to_string()),
                        Answer::Waits(id, go) => {
                            go.notified().await;
                            (200, id.to_string())
                        }
                        Answer::HangsUp => return,
                    };
                    let length = body.len();
                    let answer = format!(
                        "HTTP/1.1 {status} X\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
                    );
                    let _ = stream.write_all(answer.as_bytes()).await;
                });
            }
        });
        Self {
            url,
            requests,
            answer,
        }
    }

    pub fn answers(&self, answer: Answer) {
        *self.answer.lock().unwrap() = answer;
    }

    /// The request lines so far, as addresses.
    pub fn requests(&self) -> Vec<String> {
        let lines = self.requests.lock().unwrap();
        let address = |line: &String| {
            let mut words = line.split(' ');
            assert_eq!(words.next(), Some("GET"));
            format!("http://peer{}", words.next().unwrap())
        };
        lines.iter().map(address).collect()
    }
}
