//! The gateway as a process.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use chrono::Utc;
use serde_json::{Value, json};
use toolgate::domain::launch_signature::LaunchKey;

use super::{Answer, Database, Kind, Page, Peer};

/// How the platform `lams` and the servers `moodle` and `dotLRN` are configured. Tests change what they
/// are about.
#[derive(Debug, Clone)]
pub struct Setup {
    pub launch_auth: &'static str,
    pub callback_state: &'static str,
    pub custom_csv: &'static str,
    pub sign_redirects: bool,
    /// Which signature requests to the servers carry.
    pub signature: u8,
    pub finish_url: Option<&'static str>,
    /// Where the adapter pages of all tools are.
    pub adapter_page: String,
    /// More of the file.
    pub more: String,
    /// More settings.
    pub environment: Vec<(&'static str, String)>,
}

pub const LAUNCH_SECRET: &str = "launch-secret-of-the-tests";
pub const API_TOKEN: &str = "api-token-of-the-tests";
const SECRET_KEY: &str = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=";
pub const PUBLIC_URL: &str = "http://gate.example.org:8080";

impl Default for Setup {
    /// As strict as the defaults of the product.
    fn default() -> Self {
        Self {
            launch_auth: "signed",
            callback_state: "required",
            custom_csv: "accepted",
            sign_redirects: true,
            signature: 1,
            finish_url: None,
            adapter_page: "http://127.0.0.1:1/nobody".to_owned(),
            more: String::new(),
            environment: Vec::new(),
        }
    }
}

impl Setup {
    /// As the given vectors have it: nothing is signed, nothing carries a state.
    pub fn open() -> Self {
        Self {
            launch_auth: "open",
            callback_state: "off",
            sign_redirects: false,
            ..Self::default()
        }
    }

    pub fn file(&self) -> String {
        let moodle = [
            "mdfrum10", "mdchat10", "mdasgm10", "mdscrm10", "mdquiz10", "mdlesn10", "mdchce10",
            "mdwiki10", "mdglos10",
        ];
        let pages = |tools: &[&str]| -> String {
            let page = |tool: &&str| {
                format!(
                    "[servers.settings.{tool}]\nadapter_page = \"{}\"\n",
                    self.adapter_page
                )
            };
            tools.iter().map(page).collect()
        };
        let signature = self.signature;
        let finish_url = self
            .finish_url
            .map(|url| format!("finish_url = \"{url}\"\n"))
            .unwrap_or_default();
        format!(
            r#"
[[platforms]]
id = "lams"
url = "http://lams.example.org:8080/lams/"
launch_auth = "{}"
launch_secret = "{LAUNCH_SECRET}"
callback_state = "{}"
custom_csv = "{}"
api_token = "{API_TOKEN}"
{finish_url}
[[servers]]
id = "moodle"
url = "http://moodle.example.org/moodle/"
key = "S3cretKey"
prefix = "mdl"
sign_redirects = {}
signature = {signature}
tools = {moodle:?}
{}
[[servers]]
id = "dotLRN"
url = "http://lrn.example.org/"
key = "L3rnKey"
prefix = "lrn"
sign_redirects = {}
signature = {signature}
tools = ["dlfrum10"]
{}
{}
"#,
            self.launch_auth,
            self.callback_state,
            self.custom_csv,
            self.sign_redirects,
            pages(&moodle),
            self.sign_redirects,
            pages(&["dlfrum10"]),
            self.more,
        )
    }
}

/// The built binary with nothing of this process's environment but what it needs.
pub fn binary() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_toolgate"));
    command
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.stdin(Stdio::null());
    command
}

/// The same, not killed where a file may have no more bytes: it is told so, as it is of a full disk.
pub fn binary_on_a_small_disk() -> Command {
    let mut command = binary();
    let program = command.get_program().to_owned();
    let environment: Vec<_> = command
        .get_envs()
        .filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())))
        .collect();
    command = Command::new("sh");
    command
        .env_clear()
        .envs(environment)
        .args(["-c", r#"trap '' XFSZ; exec "$0" "$@""#])
        .arg(program)
        .stdin(Stdio::null());
    command
}

pub struct Gateway {
    pub database: Arc<Database>,
    pub setup: Setup,
    /// `http://127.0.0.1:PORT`
    pub base: String,
    process: Option<Child>,
    log: Arc<Mutex<String>>,
    said: Arc<Mutex<String>>,
    client: reqwest::Client,
}

impl Gateway {
    pub async fn start(kind: Kind, setup: Setup) -> Self {
        let database = Arc::new(Database::new(kind).await);
        let applied = apply(&database, &setup.file(), &[]);
        assert!(
            applied.status.success(),
            "{}",
            String::from_utf8_lossy(&applied.stderr)
        );
        Self::start_on(database, setup)
    }

    /// A gateway, the stand-in for its servers' adapter pages (copies are 700, 701, …), content 1 of
    /// mdquiz10, saved as 555, and session 2 of it.
    pub async fn with_session(kind: Kind, setup: Setup) -> (Self, Peer) {
        let (gateway, peer) = Self::with_content(kind, setup, Answer::Ids(700)).await;
        gateway.session("mdquiz10", 2, 1).await;
        (gateway, peer)
    }

    /// The same without the session.
    pub async fn with_content(kind: Kind, setup: Setup, answer: Answer) -> (Self, Peer) {
        let peer = Peer::start(answer).await;
        let adapter_page = peer.url.clone();
        let gateway = Self::start(
            kind,
            Setup {
                adapter_page,
                ..setup
            },
        )
        .await;
        gateway.saved_content("mdquiz10", 1, "555").await;
        (gateway, peer)
    }

    /// One more instance on a database that is configured already.
    pub fn start_on(database: Arc<Database>, setup: Setup) -> Self {
        Self::start_as(binary(), database, setup)
    }

    /// The same, run by a command of one's own.
    pub fn start_as(mut command: Command, database: Arc<Database>, setup: Setup) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        command.arg("serve").envs(environment(&database));
        command
            .env("TOOLGATE_LISTEN", "127.0.0.1:0")
            .env("TOOLGATE_PUBLIC_URL", PUBLIC_URL);
        command.envs(setup.environment.iter().map(|(name, value)| (name, value)));
        let mut process = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();

        let log = Arc::new(Mutex::new(String::new()));
        read_on(process.stderr.take().unwrap(), log.clone());
        let mut first = String::new();
        let mut output = BufReader::new(process.stdout.take().unwrap());
        output.read_line(&mut first).unwrap();
        let said = Arc::new(Mutex::new(String::new()));
        read_on(output, said.clone());
        let base = first.trim().strip_prefix("toolgate listens on ");
        let base =
            base.unwrap_or_else(|| panic!("it said {first:?}, and logged {}", log.lock().unwrap()));
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .unwrap();
        Self {
            base: base.to_owned(),
            database,
            setup,
            process: Some(process),
            log,
            said,
            client,
        }
    }

    /// What it logged so far.
    pub fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// Path and query of the address that it printed for the first sysadmin.
    pub async fn first_start(&self) -> String {
        let public_url = self.public_url();
        let printed = || {
            let said = self.said.lock().unwrap().clone();
            said.lines()
                .find_map(|line| line.trim().strip_prefix(public_url))
                .map(str::to_owned)
        };
        Self::until("an address for the first sysadmin is printed", || async {
            printed().is_some()
        })
        .await;
        printed().unwrap()
    }

    /// What it printed after its first line.
    pub fn said(&self) -> String {
        self.said.lock().unwrap().clone()
    }

    fn public_url(&self) -> &str {
        let mut environment = self.setup.environment.iter();
        environment
            .find(|(name, _)| *name == "TOOLGATE_PUBLIC_URL")
            .map_or(PUBLIC_URL, |(_, value)| value)
    }

    /// Gets an address, given by its path and query, as it is.
    pub async fn get(&self, path: &str) -> Page {
        let response = self
            .client
            .get(format!("{}{path}", self.base))
            .send()
            .await
            .unwrap();
        Page::read(response).await
    }

    /// Gets an address of the public URL, such as a callback, from where the gateway really listens.
    pub async fn get_public(&self, address: &str) -> Page {
        self.get(address.strip_prefix(self.public_url()).unwrap())
            .await
    }

    /// Gets an address, signed by the platform for `uid`.
    pub async fn get_signed(&self, path: &str, uid: &str) -> Page {
        self.get(&self.sign(path, uid)).await
    }

    pub fn sign(&self, path: &str, uid: &str) -> String {
        LaunchKey::new(LAUNCH_SECRET).sign(path, uid, Utc::now())
    }

    /// A call of the API with the platform's token.
    pub async fn call(&self, method: &str, path: &str, body: Option<Value>) -> Page {
        self.call_with(method, path, body, Some(API_TOKEN)).await
    }

    pub async fn call_with(
        &self,
        method: &str,
        path: &str,
        body: Option<Value>,
        token: Option<&str>,
    ) -> Page {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let mut request = self
            .client
            .request(method, format!("{}/api/v1{path}", self.base));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        if let Some(body) = body {
            request = request
                .header("Content-Type", "application/json")
                .body(body.to_string());
        }
        Page::read(request.send().await.unwrap()).await
    }

    /// Sends a browser's form.
    pub async fn post_form(&self, path: &str, form: &str) -> Page {
        let kind = "application/x-www-form-urlencoded";
        self.post_as(path, kind, form.as_bytes()).await
    }

    /// Sends a body of a kind.
    pub async fn post_as(&self, path: &str, kind: &str, body: &[u8]) -> Page {
        let request = self.client.post(format!("{}{path}", self.base));
        let request = request.header("Content-Type", kind).body(body.to_vec());
        Page::read(request.send().await.unwrap()).await
    }

    /// Asks for a page by a method.
    pub async fn call_page(&self, method: &str, path: &str) -> Page {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let request = self.client.request(method, format!("{}{path}", self.base));
        Page::read(request.send().await.unwrap()).await
    }

    /// Sends the fields of a form to a call of the API.
    pub async fn send_form(&self, path: &str, fields: &[(&str, &[u8])]) -> Page {
        let mut form = reqwest::multipart::Form::new();
        for (name, value) in fields {
            let part = reqwest::multipart::Part::bytes(value.to_vec());
            form = form.part((*name).to_owned(), part);
        }
        let request = self.client.post(format!("{}/api/v1{path}", self.base));
        let request = request.bearer_auth(API_TOKEN).multipart(form);
        Page::read(request.send().await.unwrap()).await
    }

    /// Sends a form to an import call: customCSV and a file, each where it is given.
    pub async fn import(&self, path: &str, csv: Option<&str>, file: Option<Vec<u8>>) -> Page {
        let mut form = reqwest::multipart::Form::new();
        if let Some(csv) = csv {
            form = form.text("customCSV", csv.to_owned());
        }
        if let Some(file) = file {
            form = form.part("file", reqwest::multipart::Part::bytes(file).file_name("x"));
        }
        let request = self
            .client
            .post(format!("{}/api/v1{path}/import", self.base))
            .bearer_auth(API_TOKEN)
            .multipart(form);
        Page::read(request.send().await.unwrap()).await
    }

    /// The body of an API call's answer, as bytes, with its headers.
    pub async fn download(&self, path: &str) -> (Vec<u8>, reqwest::header::HeaderMap) {
        let request = self.client.get(format!("{}/api/v1{path}", self.base));
        let response = request.bearer_auth(API_TOKEN).send().await.unwrap();
        assert_eq!(response.status(), 200);
        let headers = response.headers().clone();
        (response.bytes().await.unwrap().to_vec(), headers)
    }

    /// Its files can have so many bytes from now on; `unlimited` as many as they want.
    pub fn limit_files(&self, bytes: &str) {
        let id = self.process.as_ref().unwrap().id().to_string();
        let limited = Command::new("prlimit")
            .args(["--pid", &id, &format!("--fsize={bytes}:unlimited")])
            .status()
            .unwrap();
        assert!(limited.success());
    }

    /// The environment that the process was begun with, as it is in memory.
    pub fn environment(&self) -> String {
        let id = self.process.as_ref().unwrap().id();
        std::fs::read_to_string(format!("/proc/{id}/environ")).unwrap()
    }

    /// The most memory that the process has had, in MiB.
    pub fn peak_memory(&self) -> u64 {
        let id = self.process.as_ref().unwrap().id();
        let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap();
        let peak = status
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:"))
            .unwrap();
        peak.trim()
            .strip_suffix(" kB")
            .unwrap()
            .parse::<u64>()
            .unwrap()
            / 1024
    }

    /// How many rows each table of launches holds, once what is written behind the answers is.
    pub async fn rows(&self) -> Vec<(String, i64)> {
        // Reading content waits for what was recorded before.
        let unknown = self
            .call("GET", "/tools/mdquiz10/contents/999999999", None)
            .await;
        unknown.refused(404);
        self.database.rows().await
    }

    /// A request that no well-behaved client would send.
    pub fn client(&self) -> &reqwest::Client {
        &self.client
    }

    /// Content that was opened by its author and saved as `ext_id`, by bill in course 7, section 3.
    pub async fn saved_content(&self, tool: &str, id: i64, ext_id: &str) {
        let page = self.author(tool, id).await;
        let location = page.location();
        let callback = callback_of(&location);
        let added = if tool == "dlfrum10" {
            format!("&toolContentID={id}")
        } else {
            String::new()
        };
        let saved = self
            .get_public(&format!("{callback}{added}&extToolContentID={ext_id}"))
            .await;
        assert_eq!(saved.status, 200, "{}", saved.body);
    }

    /// An author opens new content.
    pub async fn author(&self, tool: &str, id: i64) -> Page {
        let csv = match tool {
            "dlfrum10" => "bill%2C7%2Chttp%3A%2F%2Flrn.example.org%2Fdotlrn%2Fclubs%2Flams",
            _ => "bill%2C7%2C3%2Cmoodle",
        };
        let uid = if tool == "dlfrum10" {
            "lrn_bill"
        } else {
            "mdl_bill"
        };
        let path = format!(
            "/lams/tool/{tool}/authoring.do?toolContentID={id}&contentFolderID=f1&customCSV={csv}"
        );
        let page = match self.setup.launch_auth {
            "signed" => self.get_signed(&path, uid).await,
            _ => self.get(&path).await,
        };
        assert_eq!(page.status, 302, "{}", page.body);
        page
    }

    /// A session of saved content, made by the platform.
    pub async fn session(&self, tool: &str, session: i64, content: i64) -> Page {
        let body = json!({"toolContentID": content, "name": "Group 1"});
        let page = self
            .call(
                "PUT",
                &format!("/tools/{tool}/sessions/{session}"),
                Some(body),
            )
            .await;
        assert_eq!(page.status, 201, "{}", page.body);
        page
    }

    /// Tells it to stop, and waits until it has.
    pub fn stop(&mut self) -> std::process::ExitStatus {
        let mut process = self.process.take().unwrap();
        let told = Command::new("kill")
            .args(["-TERM", &process.id().to_string()])
            .status()
            .unwrap();
        assert!(told.success());
        process.wait().unwrap()
    }

    /// Kills it, as a power cut would.
    pub fn kill(&mut self) {
        let mut process = self.process.take().unwrap();
        process.kill().unwrap();
        process.wait().unwrap();
    }

    /// Tells it to stop, without waiting.
    pub fn tell_to_stop(&self) {
        let id = self.process.as_ref().unwrap().id().to_string();
        assert!(
            Command::new("kill")
                .args(["-TERM", &id])
                .status()
                .unwrap()
                .success()
        );
    }

    /// Waits for a fact, half a minute at most.
    pub async fn until<F: Future<Output = bool>>(what: &str, fact: impl Fn() -> F) {
        let begun = Instant::now();
        while !fact().await {
            assert!(
                begun.elapsed() < Duration::from_secs(30),
                "it never came true: {what}"
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        if let Some(mut process) = self.process.take() {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

/// The callback address within an author redirect, whichever way the tool encodes it.
pub fn callback_of(location: &str) -> String {
    let once = super::parameter(location, "lamsUpdateURL").unwrap();
    match once.starts_with("http://") || once.starts_with("https://") {
        true => once,
        false => urlencoding::decode(&once).unwrap().into_owned(),
    }
}

/// The settings that commands on this database need.
pub fn environment(database: &Database) -> [(&'static str, String); 2] {
    [
        ("TOOLGATE_DATABASE_URL", database.url.clone()),
        ("TOOLGATE_SECRET_KEY", SECRET_KEY.to_owned()),
    ]
}

/// Nobody may have to wait because nobody reads.
fn read_on(output: impl std::io::Read + Send + 'static, written: Arc<Mutex<String>>) {
    std::thread::spawn(move || {
        let mut output = BufReader::new(output);
        let mut line = String::new();
        while output.read_line(&mut line).is_ok_and(|read| read > 0) {
            written.lock().unwrap().push_str(&line);
            line.clear();
        }
    });
}

/// `toolgate apply` of a text.
pub fn apply(database: &Database, file: &str, arguments: &[&str]) -> Output {
    run(database, &[&["apply", "-"], arguments].concat(), file)
}

/// `toolgate admin`, with a password on standard input.
pub fn admin(database: &Database, arguments: &[&str], password: &str) -> Output {
    let input = format!("{password}\n");
    run(database, &[&["admin"], arguments].concat(), &input)
}

fn run(database: &Database, arguments: &[&str], input: &str) -> Output {
    let mut command = binary();
    command.args(arguments).envs(environment(database));
    let mut process = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    process
        .stdin
        .take()
        .unwrap()
        .write_all(input.as_bytes())
        .unwrap();
    process.wait_with_output().unwrap()
}

/// Path and query of a LoginRequest into `lams`, hashed as the protocol says: by a server and its key, at a
/// time, of a user, for a method.
pub fn login_path(
    server: &str,
    key: &str,
    (ts, uid, method): (&str, &str, &str),
    more: &[(&str, &str)],
) -> String {
    use sha1::{Digest, Sha1};
    let lesson = more
        .iter()
        .find(|(name, _)| *name == "lsid" && method == "learnerStrictAuth")
        .map_or("", |(_, value)| value);
    let text: String = [ts, uid, method, lesson, server, key]
        .map(|part| part.trim().to_lowercase())
        .concat();
    let hash = hex::encode(Sha1::digest(text));
    let five = [
        ("uid", uid),
        ("method", method),
        ("ts", ts),
        ("sid", server),
        ("hash", &hash),
    ];
    let pair = |(name, value): &(&str, &str)| format!("{name}={}", urlencoding::encode(value));
    let query: Vec<_> = five.iter().chain(more).map(pair).collect();
    format!("/lams/LoginRequest?{}", query.join("&"))
}
