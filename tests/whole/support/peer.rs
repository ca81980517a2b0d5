//! A stand-in for an adapter page that answers as it is told, also badly, and remembers what it was
//! asked.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::Notify;

/// How it answers.
#[derive(Debug, Clone)]
pub enum Answer {
    /// Status and body.
    Says(u16, String),
    /// 200, nothing, and this time in its head.
    SaysItIs(String),
    /// To each `method` its own status and body; to others nothing, with 200.
    ByMethod(HashMap<&'static str, (u16, Vec<u8>)>),
    /// A new id for each request, from this one on.
    Ids(i64),
    /// The same, each after so long.
    IdsAfter(Duration, i64),
    /// As an adapter page that works: an id for what is to be made, from this one on, and something fit for
    /// what is asked.
    Works(i64),
    /// Nothing until it is let go, then this id.
    Waits(i64, Arc<Notify>),
    /// The connection ends without an answer.
    HangsUp,
    /// A redirect to this address.
    Sends(u16, String),
    /// 200, and then a byte now and then, for ever.
    Drips,
    /// 200 and the beginning of an answer, and then the connection ends.
    Breaks(Vec<u8>),
    /// 200 and so many zero bytes.
    Zeros(u64),
}

/// What it was asked.
#[derive(Debug, Clone)]
pub struct Asked {
    pub verb: String,
    /// Path and query.
    pub address: String,
    pub headers: String,
    pub body: Vec<u8>,
}

pub struct Peer {
    pub url: String,
    requests: Arc<Mutex<Vec<Asked>>>,
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
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, seen.clone(), told.clone()));
            }
        });
        Self {
            url,
            requests,
            answer,
        }
    }

    /// The address of a machine that takes no connections: its queue of those that wait is full. Good for as
    /// long as what comes with it lives.
    pub fn unreachable() -> (String, impl Sized) {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let listener = socket.listen(0).unwrap();
        let address = listener.local_addr().unwrap();
        let waiting = std::net::TcpStream::connect(address).unwrap();
        (format!("http://{address}/adapter"), (listener, waiting))
    }

    pub fn answers(&self, answer: Answer) {
        *self.answer.lock().unwrap() = answer;
    }

    /// Everything it was asked so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.requests.lock().unwrap().clone()
    }

    /// The requests so far, as addresses; all of them GET.
    pub fn requests(&self) -> Vec<String> {
        let address = |asked: &Asked| {
            assert_eq!(asked.verb, "GET");
            format!("http://peer{}", asked.address)
        };
        self.requests.lock().unwrap().iter().map(address).collect()
    }
}

async fn serve(stream: TcpStream, seen: Arc<Mutex<Vec<Asked>>>, told: Arc<Mutex<Answer>>) {
    let mut stream = BufReader::new(stream);
    let Some(asked) = read(&mut stream).await else {
        return;
    };
    // A form has its method within.
    let method = match asked.verb.as_str() {
        "POST" => Some("import".to_owned()),
        _ => super::parameter(&format!("http://peer{}", asked.address), "method"),
    };
    let address = asked.address.clone();
    seen.lock().unwrap().push(asked);
    let answer = {
        let mut told = told.lock().unwrap();
        let now = told.clone();
        if let Answer::Ids(next) | Answer::Works(next) | Answer::IdsAfter(_, next) = &mut *told {
            *next += 1;
        }
        now
    };
    // Whoever asked may have gone.
    let _ = respond(stream.get_mut(), answer, method, &address).await;
}

async fn read(stream: &mut BufReader<TcpStream>) -> Option<Asked> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let (line, headers) = head.split_once("\r\n").unwrap();
    let length = headers.lines().find_map(|header| {
        let (name, value) = header.split_once(':')?;
        name.eq_ignore_ascii_case("content-length")
            .then(|| value.trim().parse().unwrap())
    });
    let mut body = vec![0; length.unwrap_or(0)];
    stream.read_exact(&mut body).await.ok()?;
    let mut words = line.split(' ').map(str::to_owned);
    Some(Asked {
        verb: words.next()?,
        address: words.next()?,
        headers: headers.to_owned(),
        body,
    })
}

async fn respond(
    stream: &mut TcpStream,
    answer: Answer,
    method: Option<String>,
    address: &str,
) -> std::io::Result<()> {
    let head = |status: u16, length: u64, more: &str| {
        format!(
            "HTTP/1.1 {status} X\r\nContent-Length: {length}\r\n{more}Connection: close\r\n\r\n"
        )
        .into_bytes()
    };
    let whole =
        |status: u16, body: &[u8]| [head(status, body.len() as u64, ""), body.to_vec()].concat();
    let bytes = match answer {
        Answer::Says(status, body) => whole(status, body.as_bytes()),
        Answer::SaysItIs(time) => head(200, 0, &format!("Date: {time}\r\n")),
        Answer::ByMethod(answers) => {
            let answer = method.and_then(|method| answers.get(method.as_str()).cloned());
            let (status, body) = answer.unwrap_or((200, Vec::new()));
            whole(status, &body)
        }
        Answer::Ids(id) => whole(200, id.to_string().as_bytes()),
        Answer::Works(id) => whole(200, fitting(method.as_deref(), address, id).as_bytes()),
        Answer::IdsAfter(pause, id) => {
            tokio::time::sleep(pause).await;
            whole(200, id.to_string().as_bytes())
        }
        Answer::Waits(id, go) => {
            go.notified().await;
            whole(200, id.to_string().as_bytes())
        }
        Answer::HangsUp => return Ok(()),
        Answer::Sends(status, to) => head(status, 0, &format!("Location: {to}\r\n")),
        Answer::Breaks(beginning) => {
            [head(200, beginning.len() as u64 + 1000, ""), beginning].concat()
        }
        Answer::Drips => {
            stream.write_all(&head(200, 1_000_000, "")).await?;
            loop {
                stream.write_all(b"7").await?;
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
        Answer::Zeros(length) => {
            stream.write_all(&head(200, length, "")).await?;
            let piece = vec![0; 1 << 20];
            for _ in 0..length >> 20 {
                stream.write_all(&piece).await?;
            }
            return Ok(());
        }
    };
    stream.write_all(&bytes).await
}

/// What a working page answers.
fn fitting(method: Option<&str>, address: &str, id: i64) -> String {
    match method {
        Some("getoptions") => {
            r#"<choices><choice option="Tea" optionID="17"/></choices>"#.to_owned()
        }
        Some("output") if address.contains("optionID=17") => "true".to_owned(),
        Some("output") => "85".to_owned(),
        Some("export" | "export_portfolio") => "what it has".to_owned(),
        _ => id.to_string(),
    }
}
