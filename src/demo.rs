//! `toolgate demo`: the gateway between a sample LAMS and a sample external LMS, connected already, on
//! an embedded database: what newcomers see first. Everything on loopback, on free ports, with secrets
//! made for this one run.

use std::net::TcpListener;
use std::path::{Path, PathBuf};

use crate::domain::audit::Actor;
use crate::domain::server::Signing;
use crate::flows::apply::{self, ApplyError};
use crate::opening::{self, OpenError};
use crate::sample::Running;
use crate::sample::external_lms::{ExternalLms, ExternalLmsConfig};
use crate::sample::lams::{self, Lams, LamsConfig};
use crate::settings::{DatabaseUrl, Settings};
use crate::store::StoreError;
use crate::web::{Application, StartError};

/// Why the demo does not start.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum DemoError {
    #[error("{path}: {error}")]
    Folder { path: String, error: std::io::Error },
    #[error("cannot listen on a free port: {0}")]
    Listen(#[from] std::io::Error),
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error(transparent)]
    Apply(#[from] ApplyError),
    #[error(transparent)]
    Start(#[from] StartError),
}

/// The three servers, running or about to.
pub struct Demo {
    application: Application,
    lams: Running<Lams>,
    lms: Running<ExternalLms>,
    folder: PathBuf,
}

const PLATFORM: &str = "lams";
const SERVER: &str = "sample";
const SERVER_NAME: &str = "Sample LMS";
const PREFIX: &str = "smp";

impl Demo {
    /// Connects and starts all three. Without a folder a new one is made under the system's temporary
    /// files.
    pub async fn start(settings: Settings, folder: Option<PathBuf>) -> Result<Self, DemoError> {
        let folder = folder.unwrap_or_else(|| {
            std::env::temp_dir().join(format!("toolgate-demo-{}", uuid::Uuid::new_v4().simple()))
        });
        make_folder(&folder).map_err(|error| DemoError::Folder {
            path: folder.display().to_string(),
            error,
        })?;
        let settings = Settings {
            database: DatabaseUrl::Sqlite(folder.join("toolgate.db")),
            listen: ([127, 0, 0, 1], 0).into(),
            public_url: None,
            ..settings
        };
        let free_port = || TcpListener::bind(("127.0.0.1", 0));
        let (lams_listener, lms_listener) = (free_port()?, free_port()?);
        let [launch_secret, api_token, server_key] = std::array::from_fn(|_| secret());

        let opened = opening::open(&settings).await?;
        let configuration = configuration(
            &format!("http://{}/", lams_listener.local_addr()?),
            &format!("http://{}/", lms_listener.local_addr()?),
            [&launch_secret, &api_token, &server_key],
        );
        apply::apply(
            &opened.store,
            &opened.secret_keys.vault(),
            &Actor::CommandLine,
            &configuration,
            false,
        )
        .await?;
        opened.store.close().await;
        let application = Application::build(&settings).await?;

        let lms = ExternalLms::start(
            lms_listener,
            ExternalLmsConfig {
                return_base: Some(application.public_url().to_owned()),
                login_request: Some(format!(
                    "{}/{PLATFORM}/LoginRequest",
                    application.public_url()
                )),
                first_id: ExternalLmsConfig::fresh_first_id(),
                signing: Signing::Two,
                ..ExternalLmsConfig::new(SERVER, server_key.clone())
            },
        )?;
        let lams = lams::start(
            lams_listener,
            LamsConfig {
                gateway_url: application.public_url().to_owned(),
                platform_id: PLATFORM.to_owned(),
                launch_secret: launch_secret.into(),
                api_token: api_token.into(),
                server_id: SERVER.to_owned(),
                server_key: server_key.into(),
                server_name: SERVER_NAME.to_owned(),
                prefix: PREFIX.to_owned(),
                external_lms_url: lms.base_url().to_owned(),
                first_id: LamsConfig::fresh_first_id(),
            },
        )?;
        Ok(Self {
            application,
            lams,
            lms,
            folder,
        })
    }

    /// Where a newcomer begins: in the external LMS, as its teacher.
    pub fn address(&self) -> &str {
        self.lms.base_url()
    }

    /// A one-time address with which the first sysadmin is made, where there is none yet.
    pub async fn first_start(&self) -> Result<Option<String>, StoreError> {
        self.application.first_start().await
    }

    /// Where the three servers and the database are.
    pub fn places(&self) -> String {
        format!(
            "sample LAMS          {}\nToolgate             {}/\nsample external LMS  {}\ndatabase             {}",
            self.lams.base_url(),
            self.application.public_url(),
            self.lms.base_url(),
            self.folder.join("toolgate.db").display(),
        )
    }

    /// Serves until `stop` is ready.
    pub async fn run_until(self, stop: impl Future<Output = ()>) -> std::io::Result<()> {
        let outcome = self.application.run_until(stop).await;
        self.lams.stop().await;
        self.lms.stop().await;
        outcome
    }
}

fn make_folder(folder: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

fn secret() -> String {
    uuid::Uuid::new_v4().simple().to_string() + &uuid::Uuid::new_v4().simple().to_string()
}

fn configuration(lams: &str, lms: &str, [launch_secret, api_token, key]: [&String; 3]) -> String {
    format!(
        r#"
[[platforms]]
id = "{PLATFORM}"
name = "Sample LAMS"
url = "{lams}"
launch_secret = "{launch_secret}"
api_token = "{api_token}"
finish_url = "finished?toolSessionID={{toolSessionID}}&uid={{uid}}"

[[servers]]
id = "{SERVER}"
name = "{SERVER_NAME}"
url = "{lms}"
key = "{key}"
prefix = "{PREFIX}"
signature = 2
tools = ["mdfrum10", "mdquiz10"]
"#
    )
}
