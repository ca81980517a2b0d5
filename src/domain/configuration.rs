//! The configuration as launches use it: platforms, servers, tools and their mapping in one immutable
//! snapshot, swapped whole when it changes. Looking things up in it costs no query.

use std::collections::HashMap;
use std::sync::Arc;

use super::custom_csv::{CustomCsv, NamedServer};
use super::id::{PlatformId, ServerId, Signature};
use super::lms::Lms;
use super::platform::Platform;
use super::server::Server;
use super::tool::{Tool, builtin_tools};

/// Everything that is configured.
#[derive(Debug, Default)]
pub struct Configuration {
    platforms: HashMap<PlatformId, Arc<Platform>>,
    by_token: HashMap<[u8; 32], PlatformId>,
    servers: Vec<Arc<Server>>,
    server_index: HashMap<ServerId, usize>,
    tools: Vec<Arc<Tool>>,
    tool_index: HashMap<Signature, usize>,
}

/// Why a request cannot be sent to the server that it is for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ServerChoiceError {
    /// No server has the id that was named.
    #[error("the server is not known here")]
    Unknown,
    /// A sysadmin disabled it.
    #[error("the server {0} is disabled")]
    Disabled(ServerId),
    /// It is not mapped to the tool.
    #[error("the server {0} is not connected to this tool")]
    NotMapped(ServerId),
    /// Nothing named a server, and there is not just one for the tool.
    #[error("no server was named, and this tool has {0} servers to choose from")]
    Ambiguous(usize),
}

impl Configuration {
    /// Makes a snapshot; the built-in tools come before `own_tools`, servers in the order given.
    pub fn new(platforms: Vec<Platform>, servers: Vec<Server>, own_tools: Vec<Tool>) -> Self {
        let by_token = platforms
            .iter()
            .filter_map(|platform| Some((platform.api_token_hash?, platform.id.clone())))
            .collect();
        let platforms = platforms
            .into_iter()
            .map(|p| (p.id.clone(), Arc::new(p)))
            .collect();
        let servers: Vec<_> = servers.into_iter().map(Arc::new).collect();
        let tools: Vec<_> = builtin_tools().chain(own_tools).map(Arc::new).collect();
        Self {
            platforms,
            by_token,
            server_index: servers
                .iter()
                .enumerate()
                .map(|(i, s)| (s.id.clone(), i))
                .collect(),
            tool_index: tools
                .iter()
                .enumerate()
                .map(|(i, t)| (t.signature.clone(), i))
                .collect(),
            servers,
            tools,
        }
    }

    /// The platform of an id.
    pub fn platform(&self, id: &str) -> Option<&Arc<Platform>> {
        self.platforms.get(id)
    }

    /// The platform whose API token has this SHA-256.
    pub fn platform_by_token(&self, hash: &[u8; 32]) -> Option<&Arc<Platform>> {
        self.platforms.get(self.by_token.get(hash)?)
    }

    /// All platforms.
    pub fn platforms(&self) -> impl Iterator<Item = &Arc<Platform>> {
        self.platforms.values()
    }

    /// The tool of a signature.
    pub fn tool(&self, signature: &str) -> Option<&Arc<Tool>> {
        self.tool_index.get(signature).map(|at| &self.tools[*at])
    }

    /// All tools, the built-in ones first.
    pub fn tools(&self) -> impl Iterator<Item = &Arc<Tool>> {
        self.tools.iter()
    }

    /// The server of an id, enabled or not.
    pub fn server(&self, id: &str) -> Option<&Arc<Server>> {
        self.server_index.get(id).map(|at| &self.servers[*at])
    }

    /// All servers, enabled or not.
    pub fn servers(&self) -> impl Iterator<Item = &Arc<Server>> {
        self.servers.iter()
    }

    /// The LMS connections of enabled servers, in the order in which links are tried.
    pub fn connections(&self) -> Vec<&Lms> {
        let enabled = self.servers.iter().filter(|server| server.enabled);
        let mut connections: Vec<&Lms> = enabled.filter_map(|server| server.lms.as_ref()).collect();
        connections.sort_by_key(|lms| lms.position);
        connections
    }

    /// The servers that are mapped to a tool, enabled or not.
    pub fn servers_of<'a>(&'a self, tool: &Signature) -> impl Iterator<Item = &'a Arc<Server>> {
        self.servers
            .iter()
            .filter(|server| server.tools.contains(tool))
    }

    /// The server of an id, if it may be used for a tool.
    pub fn usable_server(
        &self,
        id: &str,
        tool: &Signature,
    ) -> Result<&Arc<Server>, ServerChoiceError> {
        let server = self.server(id).ok_or(ServerChoiceError::Unknown)?;
        if !server.enabled {
            return Err(ServerChoiceError::Disabled(server.id.clone()));
        }
        if !server.tools.contains(tool) {
            return Err(ServerChoiceError::NotMapped(server.id.clone()));
        }
        Ok(server)
    }

    /// The server that new content goes to: named by customCSV, else by `extLmsId`, else the only one
    /// mapped to the tool.
    pub fn choose_server(
        &self,
        tool: &Signature,
        csv: &CustomCsv,
        ext_lms_id: Option<&str>,
    ) -> Result<&Arc<Server>, ServerChoiceError> {
        let named = match &csv.server {
            Some(NamedServer::Id(id)) => Some(id.as_str()),
            Some(NamedServer::Impossible) => return Err(ServerChoiceError::Unknown),
            None => ext_lms_id,
        };
        if let Some(id) = named {
            return self.usable_server(id, tool);
        }
        let mut mapped = self.servers_of(tool);
        match (mapped.next(), mapped.count()) {
            (Some(only), 0) => self.usable_server(only.id.as_str(), tool),
            (Some(_), others) => Err(ServerChoiceError::Ambiguous(others + 1)),
            (None, _) => Err(ServerChoiceError::Ambiguous(0)),
        }
    }
}

#[cfg(test)]
mod tests;
