//! A stand-in for an LMS: answers each request as a function says, keeps connections, and remembers what it was
//! asked.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// A request.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    pub method: String,
    /// Path and query.
    pub address: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Request {
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers
            .find(|(header, _)| header.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// A field of the form in the body, or a parameter of the address.
    pub fn field(&self, name: &str) -> Option<String> {
        let query = self.address.split_once('?').map_or("", |(_, query)| query);
        [self.body.as_str(), query].into_iter().find_map(|text| {
            url::form_urlencoded::parse(text.as_bytes())
                .find(|(field, _)| field == name)
                .map(|(_, value)| value.into_owned())
        })
    }
}

/// What is answered.
#[derive(Debug, Clone)]
pub enum Reply {
    /// Status and body.
    Says(u16, String),
    /// The same, and how many seconds to wait.
    Later(u16, u64),
    /// The connection ends.
    HangsUp,
}

type Answering = Arc<dyn Fn(&Request) -> Reply + Send + Sync>;

pub struct StandIn {
    /// `http://127.0.0.1:PORT`
    pub url: String,
    asked: Arc<Mutex<Vec<Request>>>,
}

impl StandIn {
    pub async fn start(answer: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        Self::slow(Duration::ZERO, answer).await
    }

    /// One that takes so long for each answer.
    pub async fn slow(
        pause: Duration,
        answer: impl Fn(&Request) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (seen, answer): (_, Answering) = (asked.clone(), Arc::new(answer));
        // On a thread of its own: it answers also while a test waits for a process.
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async move {
                let listener = TcpListener::from_std(listener).unwrap();
                while let Ok((stream, _)) = listener.accept().await {
                    tokio::spawn(serve(stream, pause, seen.clone(), answer.clone()));
                }
            });
        });
        Self { url, asked }
    }

    /// Everything it was asked so far.
    pub fn asked(&self) -> Vec<Request> {
        self.asked.lock().unwrap().clone()
    }
}

async fn serve(
    stream: TcpStream,
    pause: Duration,
    seen: Arc<Mutex<Vec<Request>>>,
    answer: Answering,
) {
    let _ = stream.set_nodelay(true);
    let mut stream = BufReader::new(stream);
    while let Some(request) = read(&mut stream).await {
        seen.lock().unwrap().push(request.clone());
        tokio::time::sleep(pause).await;
        let (status, more, body) = match answer(&request) {
            Reply::HangsUp => return,
            Reply::Says(status, body) => (status, String::new(), body),
            Reply::Later(status, wait) => {
                (status, format!("Retry-After: {wait}\r\n"), String::new())
            }
        };
        let length = body.len();
        let bytes = format!("HTTP/1.1 {status} X\r\nContent-Length: {length}\r\n{more}\r\n{body}");
        if stream.get_mut().write_all(bytes.as_bytes()).await.is_err() {
            return;
        }
    }
}

async fn read(stream: &mut BufReader<TcpStream>) -> Option<Request> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let mut lines = head.lines();
    let mut words = lines.next()?.split(' ').map(str::to_owned);
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_lowercase(), value.trim().to_owned()))
        .collect();
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let length = length.map_or(0, |(_, length)| length.parse().unwrap());
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    Some(Request {
        method: words.next()?,
        address: words.next()?,
        headers,
        body: String::from_utf8(body).unwrap(),
    })
}
