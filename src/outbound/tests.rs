//! The policy of outgoing calls, against a server that misbehaves.

use crate::domain::base_url::BaseUrl;
use crate::domain::server::Server;

/// A server as tests of this room configure it.
pub(super) fn server() -> Server {
    Server {
        id: "moodle".parse().unwrap(),
        name: "Moodle".into(),
        url: BaseUrl::parse("http://moodle.example.org/").unwrap(),
        key: Some("S3cretKey".to_owned().into()),
        prefix: None,
        enabled: true,
        sign_redirects: true,
        timeout: None,
        private_network: true,
        tools: Default::default(),
        settings: Default::default(),
    }
}
