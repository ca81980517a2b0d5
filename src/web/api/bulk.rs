//! `POST /api/v1/lms/enrollments` and `GET …/{id}`

use actix_web::http::header;
use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::caller::Caller;
use super::lms::WantedEnrollment;
use super::refusals::{OfBulk, Refused, Stored, WithBody};
use crate::domain::object;
use crate::flows::Gateway;
use crate::flows::lms::bulk::{self, Bulk, Outcome, Row};
use crate::web::problem::Problem;

/// The body of a list is at most so long, in bytes.
pub(super) const LONGEST_LIST: usize = 8 << 20;

/// Many enrollments.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = WantedEnrollments)]
struct WantedList {
    /// Each as for `setEnrollment`.
    #[serde(deserialize_with = "object::many")]
    #[schema(min_items = 1, max_items = 10000)]
    rows: Vec<WantedEnrollment>,
    /// Whether it is only to be said what would be called.
    #[serde(default)]
    #[schema(default = false)]
    dry_run: bool,
}

/// The list that was taken.
#[derive(Serialize, ToSchema)]
#[schema(as = TakenEnrollments, examples(json!({"id": "4c9f2f5e-2a4b-4d0c-9a57-6a1d1f4e8b21"})))]
struct Taken {
    /// Its id, for asking how it stands.
    id: String,
}

/// How a list stands.
#[derive(Serialize, ToSchema)]
#[schema(as = Enrollments)]
struct ListAnswer {
    /// `waiting`, `running` or `done`.
    state: String,
    /// How many rows it has.
    total: i64,
    /// How many were done as they were wanted.
    done: usize,
    /// How many failed for good.
    failed: usize,
    /// All rows, in their order.
    rows: Vec<RowAnswer>,
}

/// How a row stands.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = EnrollmentRow)]
struct RowAnswer {
    /// From 1.
    number: i64,
    /// The person's login on the LMS.
    username: String,
    /// The link of the course.
    resource_link: String,
    /// Whether the person is to be enrolled.
    active: bool,
    /// `waiting`, `done` or `failed`.
    state: String,
    /// How often it was tried.
    tries: i64,
    /// `enrolled` or `not_enrolled`: what was so in the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    status: Option<String>,
    /// Whether that was changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    changed: Option<bool>,
    /// As for `setEnrollment`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    warning: Option<String>,
    /// Why it failed, by the code that `setEnrollment` would answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    code: Option<String>,
    /// Why it failed, in words; of a dry run, where the row goes.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    detail: Option<String>,
    /// Whether it may succeed later.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    retryable: Option<bool>,
    /// The LMS's own words.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    lms_message: Option<String>,
    /// The LMS's own code.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    lms_code: Option<String>,
    /// Of a dry run: what would be called, secrets left out.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    calls: Vec<String>,
}

/// Enroll many people, or end that
///
/// The rows are worked through in the background, within what the LMSs take, also when the gateway is started anew.
/// What fails in a way that may pass is tried again.
#[utoipa::path(
    post,
    path = "/api/v1/lms/enrollments",
    operation_id = "setEnrollments",
    tag = "lms",
    request_body = WantedList,
    responses(
        (status = 202, description = "The list is taken.", body = Taken),
        Refused<(WithBody, Stored)>,
    )
)]
pub(super) async fn post(
    caller: Caller,
    gateway: web::Data<Gateway>,
    body: web::Bytes,
) -> Result<HttpResponse, Problem> {
    let WantedList { rows, dry_run } = super::read(&body)?;
    let rows = rows.into_iter().map(Into::into).collect();
    let id = bulk::take(&gateway, Some(&caller.platform.id), rows, dry_run).await?;
    let mut response = HttpResponse::Accepted();
    response.insert_header((
        header::LOCATION,
        format!("{}/api/v1/lms/enrollments/{id}", gateway.public_url()),
    ));
    super::json(response, &Taken { id })
}

/// How a list of enrollments stands
#[utoipa::path(
    get,
    path = "/api/v1/lms/enrollments/{id}",
    operation_id = "getEnrollments",
    tag = "lms",
    params(
        ("id" = String, Path, description = "The list's id.", example = "4c9f2f5e-2a4b-4d0c-9a57-6a1d1f4e8b21"),
    ),
    responses(
        (status = 200, description = "How it stands, row by row.", body = ListAnswer),
        Refused<(OfBulk, Stored)>,
    )
)]
pub(super) async fn get(
    path: web::Path<String>,
    caller: Caller,
    gateway: web::Data<Gateway>,
) -> Result<HttpResponse, Problem> {
    let bulk = bulk::find(&gateway, Some(&caller.platform.id), &path).await?;
    super::json(HttpResponse::Ok(), &ListAnswer::of(bulk))
}

impl ListAnswer {
    fn of(bulk: Bulk) -> Self {
        Self {
            state: bulk.state,
            total: bulk.total,
            done: bulk.done,
            failed: bulk.failed,
            rows: bulk.rows.into_iter().map(RowAnswer::of).collect(),
        }
    }
}

impl RowAnswer {
    fn of(row: Row) -> Self {
        let Outcome {
            status,
            changed,
            warning,
            code,
            detail,
            retryable,
            lms_message,
            lms_code,
            calls,
        } = row.outcome;
        Self {
            number: row.number,
            username: row.asked.username,
            resource_link: row.asked.link,
            active: row.asked.active,
            state: row.state,
            tries: row.tries,
            status,
            changed,
            warning,
            code,
            detail,
            retryable,
            lms_message,
            lms_code,
            calls,
        }
    }
}
