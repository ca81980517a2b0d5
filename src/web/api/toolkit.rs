//! `GET /api/v1/toolkit`

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;
use utoipa::ToSchema;

use super::caller::Caller;
use super::refusals::{Refused, Stored};
use crate::domain::query::Query;
use crate::flows::Gateway;
use crate::flows::toolkit::{self, ToolkitTool};
use crate::web::problem::Problem;

/// The tools that an author may choose.
#[derive(Serialize, ToSchema)]
#[schema(examples(json!({"tools": [{
    "signature": "mdquiz10",
    "title": "Moodle Quiz",
    "authorUrl": "https://gate.example.org/lams/tool/mdquiz10/authoring.do",
    "servers": ["moodle"],
}]})))]
struct Toolkit {
    /// In the order in which they are shown.
    tools: Vec<ToolAnswer>,
}

/// A tool of the toolkit.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Tool)]
struct ToolAnswer {
    /// Its id in LAMS.
    signature: String,
    /// What people call it.
    title: String,
    /// Where authors are sent, before parameters are added.
    author_url: String,
    /// The enabled servers that it is on.
    servers: Vec<String>,
}

/// The tools of a server
///
/// None without a server that is known and enabled.
#[utoipa::path(
    get,
    path = "/api/v1/toolkit",
    operation_id = "getToolkit",
    tag = "toolkit",
    params(
        ("extLmsId" = Option<String>, Query, description = "The server.", example = "moodle"),
        (
            "user" = Option<String>,
            Query,
            description = "A LAMS login, in place of a server: that from which this user last came into LAMS.",
            example = "mdl_Bill",
        ),
    ),
    responses(
        (status = 200, description = "The tools, maybe none.", body = Toolkit),
        Refused<Stored>,
    )
)]
pub(super) async fn get(
    request: HttpRequest,
    caller: Caller,
    gateway: web::Data<Gateway>,
) -> Result<HttpResponse, Problem> {
    let query = Query::parse(request.query_string());
    let last_server;
    let server = match (query.get("extLmsId"), query.get("user")) {
        (None, Some(user)) => {
            last_server = toolkit::server_of_user(&gateway, &caller.platform, user).await?;
            last_server.as_deref()
        }
        (server, _) => server,
    };
    let tools = toolkit::of_server(&gateway, &caller.platform, server);
    let tools = tools.into_iter().map(ToolAnswer::of).collect();
    super::json(HttpResponse::Ok(), &Toolkit { tools })
}

impl ToolAnswer {
    fn of(tool: ToolkitTool) -> Self {
        Self {
            signature: tool.signature,
            title: tool.title,
            author_url: tool.author_url,
            servers: tool.servers,
        }
    }
}
