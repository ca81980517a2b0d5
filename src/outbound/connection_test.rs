//! Single steps of a call to a server, one at a time, for a sysadmin who wants to know which of them fails:
//! name, connection, TLS, a page. Under the policy of all calls (where they may go, how long they may take),
//! but past the lane: a test works while the breaker is open, and teaches it nothing. Called by
//! `flows::connection_test`.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use rustls::pki_types::ServerName;
use rustls::{CertificateError, ClientConfig, Error as TlsError};
use tokio::net::TcpStream;
use url::{Host, Url};

use super::excerpt::is_web_page;
use super::lane::{self, Way};
use super::network::may_be_called;
use super::request::{Page, clock_of, sent};
use super::{Failure, Outbound};
use crate::domain::content::Place;
use crate::domain::server::{Server, Signing};
use crate::domain::tool::Tool;

/// The user and method of a call that is for trying alone: no adapter page has such a method, and one that
/// it does not know is answered with nothing (protocol 12).
const PROBE: &str = "toolgate";

/// An address that a name leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// The address.
    pub ip: IpAddr,
    /// Whether it may be called.
    pub allowed: bool,
}

/// Why a name or connection came to nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreached {
    /// It took too long.
    #[error("nothing answered within {} s", .0.as_secs_f32())]
    Late(Duration),
    /// The system's own words.
    #[error("{0}")]
    Refused(String),
}

/// Why TLS did not come about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Insecure {
    /// The certificate is over, or not valid yet.
    Expired,
    /// It is for another name.
    WrongName,
    /// Nobody who is trusted here signed it.
    UnknownAuthority,
    /// What answers does not speak TLS.
    NoTls,
    /// Anything else, in the library's words.
    Other(String),
}

/// A connection that came about.
#[derive(Debug)]
pub struct Connection(TcpStream);

/// A page that answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    /// Its status.
    pub status: u16,
    /// How far the server's clock is before ours, in seconds, where it says its time.
    pub clock: Option<i64>,
    /// The origin that it sends to, if that is another.
    pub elsewhere: Option<String>,
}

/// How a call is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trial {
    /// As every call is made.
    Right,
    /// Signed with a key that nobody has.
    WrongKey,
    /// With the legacy hash of the right key.
    LegacyHash,
    /// The same call twice; the second counts.
    Twice,
}

impl Outbound {
    /// The addresses behind the host of a URL.
    pub async fn resolve(&self, url: &Url, server: &Server) -> Result<Vec<Found>, Unreached> {
        let found = |ip| Found {
            ip,
            allowed: may_be_called(ip, server.private_network),
        };
        match url.host() {
            Some(Host::Ipv4(ip)) => Ok(vec![found(ip.into())]),
            Some(Host::Ipv6(ip)) => Ok(vec![found(ip.into())]),
            Some(Host::Domain(name)) => {
                let looked_up = within(tokio::net::lookup_host((name, 0))).await?;
                let mut all: Vec<_> = looked_up.map(|address| found(address.ip())).collect();
                all.sort_by_key(|found| found.ip);
                all.dedup();
                Ok(all)
            }
            None => Err(Unreached::Refused("the address names no host".to_owned())),
        }
    }

    /// Connects to the first of these addresses that may be called and takes the connection.
    pub async fn connect(&self, url: &Url, found: &[Found]) -> Result<Connection, Unreached> {
        let port = url.port_or_known_default().unwrap_or(80);
        let addresses: Vec<_> = found
            .iter()
            .filter(|found| found.allowed)
            .map(|found| SocketAddr::new(found.ip, port))
            .collect();
        let stream = within(TcpStream::connect(addresses.as_slice())).await?;
        Ok(Connection(stream))
    }

    /// Begins TLS on a connection, and looks at the certificate as every call does.
    pub async fn secure(&self, url: &Url, connection: Connection) -> Result<(), Insecure> {
        let other = |error: &dyn std::fmt::Display| Insecure::Other(error.to_string());
        let host = url.host_str().unwrap_or_default();
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let name = ServerName::try_from(host.to_owned()).map_err(|error| other(&error))?;
        let config = tls().map_err(|error| other(&error))?;
        let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
        match within(connector.connect(name, connection.0)).await {
            Ok(_) => Ok(()),
            Err(Within::Late) => Err(Insecure::Other(Unreached::Late(lane::CONNECT).to_string())),
            Err(Within::Failed(error)) => Err(insecure(&error)),
        }
    }

    /// Gets the page at a server's own address, as a browser would that is not signed in.
    pub async fn front_page(&self, server: &Server) -> Result<Answered, Failure> {
        let way = self.own_way(server)?;
        let url = Url::parse(server.url.as_str())
            .map_err(|error| Failure::NotCallable(error.to_string()))?;
        let patience = self.patience(server);
        let request = way.client.get(url.clone());
        let response = sent(&way, request, way.begun + patience.total, patience).await?;
        let status = response.status().as_u16();
        let to = super::request::location(&response).filter(|_| (300..400).contains(&status));
        Ok(Answered {
            status,
            clock: clock_of(response.headers(), Utc::now()),
            elsewhere: to
                .filter(|to| to.origin() != url.origin())
                .map(|to| to.origin().ascii_serialization()),
        })
    }

    /// Calls an adapter page with a method that makes nothing. Answers the server's clock.
    pub async fn try_page(
        &self,
        tool: &Tool,
        server: &Server,
        trial: Trial,
    ) -> Result<Option<i64>, Failure> {
        let mut changed = server.clone();
        match trial {
            Trial::Right | Trial::Twice => {}
            Trial::WrongKey => {
                let another = uuid::Uuid::new_v4().simple().to_string();
                changed.key = Some(another.into());
            }
            Trial::LegacyHash => changed.signing = Signing::Legacy,
        }
        let server = &changed;
        let place = &Place {
            server: server.id.clone(),
            user: PROBE.to_owned(),
            course: "0".to_owned(),
            section: Some("0".to_owned()),
            course_url: None,
        };
        let page = Page {
            tool,
            server,
            place,
            about: None,
        };
        let way = self.own_way(server)?;
        let (parameters, patience) = ([("method", PROBE)], self.patience(server));
        let mut reply = match trial {
            Trial::Twice => page.get_twice(&way, &parameters, patience).await?,
            _ => page.get(&way, &parameters, None, patience).await?,
        };
        let clock = reply.clock(Utc::now());
        let answer = reply.beginning().await?;
        // A login page takes any hash.
        if is_web_page(&answer) {
            return Err(page.unexpected(reply.status(), "adapter page", &answer));
        }
        Ok(clock)
    }

    /// Connections of a test's own.
    fn own_way(&self, server: &Server) -> Result<Way, Failure> {
        let client = lane::client(server.private_network, server.timeout)
            .map_err(|error| Failure::NotCallable(error.to_string()))?;
        Ok(Way {
            client,
            private_network: server.private_network,
            begun: Instant::now(),
        })
    }
}

/// What can happen to what has to be done in the time that a connection has.
enum Within {
    Late,
    Failed(std::io::Error),
}

impl From<Within> for Unreached {
    fn from(within: Within) -> Self {
        match within {
            Within::Late => Unreached::Late(lane::CONNECT),
            Within::Failed(error) => Unreached::Refused(error.to_string()),
        }
    }
}

async fn within<T>(work: impl Future<Output = std::io::Result<T>>) -> Result<T, Within> {
    match tokio::time::timeout(lane::CONNECT, work).await {
        Ok(outcome) => outcome.map_err(Within::Failed),
        Err(_) => Err(Within::Late),
    }
}

/// Who is trusted: the same as in every call, the system's authorities.
fn tls() -> Result<ClientConfig, TlsError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = rustls_platform_verifier::Verifier::new(provider.clone())?;
    let config =
        ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(config
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth())
}

fn insecure(error: &std::io::Error) -> Insecure {
    let tls = error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<TlsError>());
    match tls {
        Some(TlsError::InvalidCertificate(certificate)) => match certificate {
            CertificateError::Expired
            | CertificateError::ExpiredContext { .. }
            | CertificateError::NotValidYet
            | CertificateError::NotValidYetContext { .. } => Insecure::Expired,
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                Insecure::WrongName
            }
            CertificateError::UnknownIssuer => Insecure::UnknownAuthority,
            other => Insecure::Other(other.to_string()),
        },
        Some(TlsError::InvalidMessage(_)) => Insecure::NoTls,
        Some(other) => Insecure::Other(other.to_string()),
        None if error.kind() == std::io::ErrorKind::UnexpectedEof => Insecure::NoTls,
        None => Insecure::Other(error.to_string()),
    }
}

/// How far a time that a server said is before ours, in seconds.
pub(super) fn seconds_before(there: &str, now: DateTime<Utc>) -> Option<i64> {
    let there = DateTime::parse_from_rfc2822(there).ok()?;
    Some(there.timestamp() - now.timestamp())
}
