//! The toolkit: which tools an author may choose, filtered here and not in a browser (protocol 7).

use super::{Gateway, Refusal};
use crate::domain::own_address::tool_page;
use crate::domain::platform::Platform;

/// One tool of a toolkit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToolkitTool {
    /// Its signature.
    pub signature: String,
    /// What people call it.
    pub title: String,
    /// Where authors are sent.
    pub author_url: String,
    /// The enabled servers that it is mapped to.
    pub servers: Vec<String>,
}

/// The server that somebody of a platform last came from by a LoginRequest.
pub async fn server_of_user(
    gateway: &Gateway,
    platform: &Platform,
    user: &str,
) -> Result<Option<String>, Refusal> {
    Ok(gateway.store.last_server_of(&platform.id, user).await?)
}

/// The tools of a server for a platform; none without a known, enabled server.
pub fn of_server(
    gateway: &Gateway,
    platform: &Platform,
    ext_lms_id: Option<&str>,
) -> Vec<ToolkitTool> {
    let configuration = gateway.configuration();
    let server = ext_lms_id
        .and_then(|id| configuration.server(id))
        .filter(|server| server.enabled);
    let Some(server) = server else {
        return Vec::new();
    };
    let shown = configuration
        .tools()
        .filter(|tool| server.tools.contains(&tool.signature));
    shown
        .map(|tool| ToolkitTool {
            signature: tool.signature.to_string(),
            title: tool.title.clone(),
            author_url: tool_page(
                gateway.public_url(),
                &platform.id,
                &tool.signature,
                "authoring.do",
            ),
            servers: configuration
                .servers_of(&tool.signature)
                .filter(|server| server.enabled)
                .map(|server| server.id.to_string())
                .collect(),
        })
        .collect()
}
