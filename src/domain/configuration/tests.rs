use std::collections::BTreeSet;

use super::*;
use crate::domain::base_url::BaseUrl;
use crate::domain::lms::Backend;
use crate::domain::platform::{CallbackState, CsvSource, LaunchAuth};

fn platform(id: &str, token: Option<[u8; 32]>) -> Platform {
    Platform {
        id: id.parse().unwrap(),
        name: id.to_uppercase(),
        url: BaseUrl::parse("http://lams.example.org/").unwrap(),
        launch_auth: LaunchAuth::Open,
        callback_state: CallbackState::Required,
        custom_csv: CsvSource::Accepted,
        finish_url: None,
        api_token_hash: token,
    }
}

fn server(id: &str, tools: &[&str]) -> Server {
    Server {
        id: id.parse().unwrap(),
        tools: tools.iter().map(|tool| tool.parse().unwrap()).collect(),
        ..Server::sample()
    }
}

/// A server with an LMS connection at a place.
fn connected(id: &str, position: i64) -> Server {
    let lms = crate::domain::lms::sample_lms(id, Backend::Dummy, "http://lms.test", ".*", "");
    Server {
        lms: Some(Lms { position, ..lms }),
        ..server(id, &[])
    }
}

fn names(servers: &[&Arc<Server>]) -> Vec<String> {
    servers.iter().map(|server| server.id.to_string()).collect()
}

#[test]
fn platforms_are_found_by_id_and_by_token() {
    let platforms = vec![platform("lams", Some([7; 32])), platform("other", None)];
    let configuration = Configuration::new(platforms, Vec::new(), Vec::new());
    let name = |found: Option<&Arc<Platform>>| found.map(|platform| platform.name.clone());
    assert_eq!(
        name(configuration.platform("other")).as_deref(),
        Some("OTHER")
    );
    assert_eq!(name(configuration.platform("LAMS")), None);
    let by_token = configuration.platform_by_token(&[7; 32]);
    assert_eq!(name(by_token).as_deref(), Some("LAMS"));
    assert_eq!(name(configuration.platform_by_token(&[8; 32])), None);
    assert_eq!(configuration.platforms().count(), 2);
}

#[test]
fn servers_and_tools_are_found_and_listed_in_their_order() {
    let own = Tool {
        signature: "own10".parse().unwrap(),
        ..builtin_tools().next().unwrap()
    };
    let servers = vec![server("b", &["own10"]), server("a", &["own10", "mdquiz10"])];
    let configuration = Configuration::new(Vec::new(), servers, vec![own]);
    assert_eq!(
        names(&configuration.servers().collect::<Vec<_>>()),
        ["b", "a"]
    );
    assert_eq!(configuration.server("a").unwrap().id.as_str(), "a");
    assert!(configuration.server("c").is_none());
    assert_eq!(configuration.tools().count(), 11);
    assert_eq!(
        configuration.tools().last().unwrap().signature.as_str(),
        "own10"
    );
    assert_eq!(
        configuration.tool("mdquiz10").unwrap().signature.as_str(),
        "mdquiz10"
    );
    assert!(configuration.tool("nothing").is_none());
    let of = |tool: &str| {
        names(
            &configuration
                .servers_of(&tool.parse().unwrap())
                .collect::<Vec<_>>(),
        )
    };
    assert_eq!(of("own10"), ["b", "a"]);
    assert_eq!(of("mdquiz10"), ["a"]);
    assert!(of("mdfrum10").is_empty());
}

#[test]
fn connections_of_enabled_servers_stand_in_their_order() {
    let off = Server {
        enabled: false,
        ..connected("off", 1)
    };
    let servers = vec![
        connected("third", 3),
        off,
        connected("second", 2),
        server("none", &[]),
    ];
    let configuration = Configuration::new(Vec::new(), servers, Vec::new());
    let order: Vec<_> = configuration
        .connections()
        .iter()
        .map(|lms| lms.server.as_str())
        .collect();
    assert_eq!(order, ["second", "third"]);
}

#[test]
fn a_server_is_usable_where_it_is_known_enabled_and_mapped() {
    let off = Server {
        enabled: false,
        ..server("off", &["mdquiz10"])
    };
    let servers = vec![
        server("on", &["mdquiz10"]),
        off,
        server("other", &["mdfrum10"]),
    ];
    let configuration = Configuration::new(Vec::new(), servers, Vec::new());
    let quiz = "mdquiz10".parse().unwrap();
    let usable = |id: &str| {
        configuration
            .usable_server(id, &quiz)
            .map(|server| server.id.to_string())
    };
    assert_eq!(usable("on"), Ok("on".to_owned()));
    assert_eq!(usable("nobody"), Err(ServerChoiceError::Unknown));
    assert_eq!(
        usable("off"),
        Err(ServerChoiceError::Disabled("off".parse().unwrap()))
    );
    assert_eq!(
        usable("other"),
        Err(ServerChoiceError::NotMapped("other".parse().unwrap()))
    );
}

#[test]
fn customcsv_chooses_the_server_then_the_name_beside_it_then_the_only_one() {
    let servers = vec![
        server("a", &["mdquiz10", "mdfrum10"]),
        server("b", &["mdquiz10"]),
        server("c", &["mdquiz10"]),
    ];
    let configuration = Configuration::new(Vec::new(), servers, Vec::new());
    let choose = |tool: &str, named: Option<&str>, beside: Option<&str>| {
        let csv = CustomCsv {
            server: named.map(|id| id.parse().map_or(NamedServer::Impossible, NamedServer::Id)),
            ..CustomCsv::default()
        };
        let chosen = configuration.choose_server(&tool.parse().unwrap(), &csv, beside);
        chosen.map(|server| server.id.to_string())
    };
    assert_eq!(choose("mdquiz10", Some("b"), Some("a")), Ok("b".to_owned()));
    assert_eq!(choose("mdquiz10", None, Some("a")), Ok("a".to_owned()));
    assert_eq!(
        choose("mdquiz10", Some("no server"), Some("a")),
        Err(ServerChoiceError::Unknown)
    );
    assert_eq!(
        choose("mdquiz10", None, None),
        Err(ServerChoiceError::Ambiguous(3))
    );
    assert_eq!(choose("mdfrum10", None, None), Ok("a".to_owned()));
    assert_eq!(
        choose("mdwiki10", None, None),
        Err(ServerChoiceError::Ambiguous(0))
    );
    let alone = Configuration::new(
        Vec::new(),
        vec![Server {
            enabled: false,
            tools: BTreeSet::from(["mdwiki10".parse().unwrap()]),
            ..Server::sample()
        }],
        Vec::new(),
    );
    let csv = CustomCsv::default();
    let only = alone.choose_server(&"mdwiki10".parse().unwrap(), &csv, None);
    assert_eq!(
        only.err(),
        Some(ServerChoiceError::Disabled("moodle".parse().unwrap()))
    );
}
