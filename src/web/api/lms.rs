//! `GET /api/v1/lms`, `POST …/select`, `GET` and `PUT …/enrollment`, `GET …/grades`

use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::caller::Caller;
use super::refusals::{Enrolling, Grading, OfLms, Refused, WithBody};
use crate::domain::lms::Lms;
use crate::domain::object;
use crate::domain::query::Query;
use crate::flows::lms::{self, Asked};
use crate::flows::{Gateway, Refusal};
use crate::web::limits::Limits;
use crate::web::problem::Problem;

/// An LMS that links may belong to.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Lms, examples(json!({
    "id": "moodle",
    "backend": "moodle",
    "baseUrl": "https://moodle.example.org/webservice/rest/server.php",
    "selectorRegex": "^.*/course/view.php\\?id=.*$",
    "courseRegex": null,
})))]
struct LmsAnswer {
    /// The server that it is configured with.
    id: String,
    /// How it is spoken to: `openedx`, `moodle`, `dummy`; `failing` and `base` for trying.
    backend: &'static str,
    /// Where it is.
    base_url: String,
    /// The links that belong to it, from their beginning on.
    selector_regex: String,
    /// What finds the course in a link; null where nothing is needed for that.
    #[schema(required)]
    course_regex: Option<String>,
}

/// All LMSs.
#[derive(Serialize, ToSchema)]
struct AllLms {
    /// In the order in which links are tried.
    lms: Vec<LmsAnswer>,
}

/// The link of a course.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = LmsLink, examples(json!({"resourceLink": "https://moodle.example.org/course/view.php?id=2"})))]
struct LinkBody {
    /// As people open it in a browser.
    resource_link: String,
}

/// The LMS of a link.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = SelectedLms)]
struct SelectedAnswer {
    /// Null where the link belongs to none.
    #[schema(required)]
    lms: Option<LmsAnswer>,
    /// The course in the link; null where none is found.
    #[schema(required)]
    course_id: Option<String>,
    /// Why this LMS and no other, or why none.
    why: String,
}

/// Whether somebody is enrolled.
#[derive(Serialize, ToSchema)]
#[schema(as = Enrollment, examples(json!({"status": "not_enrolled", "enrollment": null})))]
struct EnrollmentAnswer {
    /// `enrolled` or `not_enrolled`.
    status: &'static str,
    /// The LMS's own answer; null where it has none.
    #[schema(required, value_type = Option<Object>)]
    enrollment: Option<Value>,
}

/// An enrollment that is wanted.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = WantedEnrollment, examples(json!({
    "username": "bill",
    "resourceLink": "https://moodle.example.org/course/view.php?id=2",
    "active": true,
    "user": {"firstName": "Bill", "lastName": "Smith", "email": "bill@example.org"},
})))]
pub(super) struct WantedEnrollment {
    /// The person's login on the LMS.
    #[schema(min_length = 1, max_length = 255)]
    username: String,
    /// The link of the course.
    resource_link: String,
    /// Whether the person is to be enrolled, or not to be.
    #[serde(default = "yes")]
    #[schema(default = true)]
    active: bool,
    /// How, such as `honor`; left out, the LMS decides. Where `active` is false, the current one is sent.
    #[serde(default)]
    #[schema(max_length = 255)]
    mode: Option<String>,
    /// Who it is, where an account may have to be made.
    #[serde(default, deserialize_with = "object::maybe_one")]
    user: Option<WantedUser>,
}

/// Somebody, for an account that is made.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct WantedUser {
    #[serde(default)]
    first_name: String,
    #[serde(default)]
    last_name: String,
    #[serde(default)]
    email: String,
}

fn yes() -> bool {
    true
}

/// What came of it.
#[derive(Serialize, ToSchema)]
#[schema(as = SetEnrollment, examples(json!({"status": "enrolled", "changed": true})))]
struct SetAnswer {
    /// `enrolled` or `not_enrolled`: what is so now.
    status: &'static str,
    /// Whether that was changed now, as far as the LMS says.
    changed: bool,
    /// `mode_mismatch`: the LMS answered with another mode. `account_by_email`: the person has an account of
    /// another login, found by the e-mail address, and that one was enrolled.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    warning: Option<&'static str>,
}

/// get_all_lms: the LMSs that links may belong to
///
/// Those of enabled servers.
#[utoipa::path(
    get,
    path = "/api/v1/lms",
    operation_id = "getAllLms",
    tag = "lms",
    responses(
        (status = 200, description = "The LMSs, maybe none.", body = AllLms),
        Refused<()>,
    )
)]
pub(super) async fn all(
    _caller: Caller,
    gateway: web::Data<Gateway>,
) -> Result<HttpResponse, Problem> {
    let lms = lms::all(&gateway).iter().map(LmsAnswer::of).collect();
    super::json(HttpResponse::Ok(), &AllLms { lms })
}

/// select_lms: the LMS that a link belongs to
///
/// The first whose `selectorRegex` matches from the link's beginning on. Of several with the very same one, that
/// whose `baseUrl` has the link's origin.
#[utoipa::path(
    post,
    path = "/api/v1/lms/select",
    operation_id = "selectLms",
    tag = "lms",
    request_body = LinkBody,
    responses(
        (status = 200, description = "The LMS, or none, and why.", body = SelectedAnswer),
        Refused<WithBody>,
    )
)]
pub(super) async fn select(
    _caller: Caller,
    gateway: web::Data<Gateway>,
    body: web::Bytes,
) -> Result<HttpResponse, Problem> {
    let LinkBody { resource_link } = super::read(&body)?;
    let selected = lms::select(&gateway, &resource_link);
    let answer = SelectedAnswer {
        lms: selected.lms.as_ref().map(LmsAnswer::of),
        course_id: selected.course,
        why: selected.why,
    };
    super::json(HttpResponse::Ok(), &answer)
}

/// get_enrollment: whether somebody is enrolled
#[utoipa::path(
    get,
    path = "/api/v1/lms/enrollment",
    operation_id = "getEnrollment",
    tag = "lms",
    params(
        ("username" = String, Query, description = "The person's login on the LMS.", example = "bill"),
        ("resourceLink" = String, Query, description = "The link of the course.",
            example = "https://moodle.example.org/course/view.php?id=2"),
    ),
    responses(
        (status = 200, description = "What the LMS says.", body = EnrollmentAnswer),
        Refused<OfLms>,
    )
)]
pub(super) async fn enrollment(
    request: HttpRequest,
    caller: Caller,
    limits: web::Data<Limits>,
    gateway: web::Data<Gateway>,
) -> Result<HttpResponse, Problem> {
    let query = Query::parse(request.query_string());
    let (username, link) = of_query(&query)?;
    caller.asks(&limits)?;
    let found = lms::enrollment(&gateway, username, link).await?;
    let answer = EnrollmentAnswer {
        status: status(found.is_enrolled),
        enrollment: found.said,
    };
    super::json(HttpResponse::Ok(), &answer)
}

/// set_enrollment: enroll somebody, or end that
///
/// It is safe to repeat. What is so already is not changed; where the LMS cannot say so before, it is asked to
/// set it again.
#[utoipa::path(
    put,
    path = "/api/v1/lms/enrollment",
    operation_id = "setEnrollment",
    tag = "lms",
    request_body = WantedEnrollment,
    responses(
        (status = 200, description = "It is so now.", body = SetAnswer),
        Refused<(WithBody, OfLms, Enrolling)>,
    )
)]
pub(super) async fn set(
    caller: Caller,
    limits: web::Data<Limits>,
    gateway: web::Data<Gateway>,
    body: web::Bytes,
) -> Result<HttpResponse, Problem> {
    let wanted: WantedEnrollment = super::read(&body)?;
    caller.asks(&limits)?;
    let set = lms::set_enrollment(&gateway, wanted.into()).await?;
    let answer = SetAnswer {
        status: status(set.is_enrolled),
        changed: set.changed,
        warning: set.warning,
    };
    super::json(HttpResponse::Ok(), &answer)
}

/// get_grades: what somebody has reached in a course
///
/// An object with a boolean `passed`, and whatever the LMS adds.
#[utoipa::path(
    get,
    path = "/api/v1/lms/grades",
    operation_id = "getGrades",
    tag = "lms",
    params(
        ("username" = String, Query, description = "The person's login on the LMS.", example = "bill"),
        ("resourceLink" = String, Query, description = "The link of the course.",
            example = "https://moodle.example.org/course/view.php?id=2"),
    ),
    responses(
        (status = 200, description = "What the LMS says.", body = Object),
        Refused<(OfLms, Grading)>,
    )
)]
pub(super) async fn grades(
    request: HttpRequest,
    caller: Caller,
    limits: web::Data<Limits>,
    gateway: web::Data<Gateway>,
) -> Result<HttpResponse, Problem> {
    let query = Query::parse(request.query_string());
    let (username, link) = of_query(&query)?;
    caller.asks(&limits)?;
    let grades = lms::grades(&gateway, username, link).await?;
    super::json(HttpResponse::Ok(), &grades)
}

fn of_query<'a>(query: &'a Query<'_>) -> Result<(&'a str, &'a str), Refusal> {
    Ok((query.required("username")?, query.required("resourceLink")?))
}

fn status(is_enrolled: bool) -> &'static str {
    if is_enrolled {
        "enrolled"
    } else {
        "not_enrolled"
    }
}

impl LmsAnswer {
    fn of(lms: &Lms) -> Self {
        Self {
            id: lms.server.to_string(),
            backend: lms.backend.as_str(),
            base_url: lms.address.to_string(),
            selector_regex: lms.selector.as_str().to_owned(),
            course_regex: lms.course.as_ref().map(|course| course.as_str().to_owned()),
        }
    }
}

impl From<WantedEnrollment> for Asked {
    fn from(wanted: WantedEnrollment) -> Self {
        let user = wanted.user;
        Self {
            username: wanted.username,
            link: wanted.resource_link,
            active: wanted.active,
            mode: wanted.mode.filter(|mode| !mode.is_empty()),
            account: user.map(|user| [user.first_name, user.last_name, user.email]),
        }
    }
}
