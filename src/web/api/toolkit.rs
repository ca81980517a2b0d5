//! `GET /api/v1/toolkit`

use actix_web::{HttpRequest, HttpResponse, web};

use super::caller::Caller;
use crate::domain::query::Query;
use crate::flows::toolkit::{self, ToolkitTool};
use crate::flows::{Gateway, Refusal};
use crate::web::problem::Problem;

#[derive(serde::Serialize)]
struct Toolkit {
    tools: Vec<ToolkitTool>,
}

/// The tools of the server named by `extLmsId`; none without one that is known and enabled.
pub(super) async fn get(
    request: HttpRequest,
    caller: Caller,
    gateway: web::Data<Gateway>,
) -> Result<HttpResponse, Problem> {
    let query = Query::parse(request.query_string());
    query.check().map_err(Refusal::from)?;
    let tools = toolkit::of_server(&gateway, &caller.platform, query.get("extLmsId"));
    super::json(HttpResponse::Ok(), &Toolkit { tools })
}
