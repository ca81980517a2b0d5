//! The adapter pages, which the gateway calls (protocol 5 and 12). A method that is not known is answered
//! with nothing and 200, as Moodle does; `delete` and `rid` are more than Moodle knows.

mod exported;
mod import;
mod output;
mod portfolio;

use actix_multipart::Multipart;
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, Resource, web};
use uuid::Uuid;

use super::ExternalLms;
use super::activity::Kind;
use super::entry::{course, get};
use crate::domain::query::Query;
use crate::sample::page;

/// `/mod/lamstwo/tooladapter_forum.php` or `tooladapter_quiz.php`.
pub(super) fn resource(kind: Kind) -> Resource {
    let get = move |request: HttpRequest, lms: web::Data<ExternalLms>| async move {
        answer(&request, &lms, kind)
    };
    let post = move |request: HttpRequest, form: Multipart, lms: web::Data<ExternalLms>| async move {
        import::answer(&request, form, &lms, kind).await
    };
    web::resource(format!("/mod/lamstwo/tooladapter_{}.php", kind.word()))
        .get(get)
        .post(post)
}

fn answer(request: &HttpRequest, lms: &ExternalLms, kind: Kind) -> HttpResponse {
    let call = &Query::parse(request.query_string());
    let Ok(user) = lms.signed_user(get(request), call) else {
        return nothing(StatusCode::UNAUTHORIZED);
    };
    // What is no number is 0 to PHP, which is nobody's id.
    let id = call.get("extToolContentID").unwrap_or_default();
    let id = id.trim().parse().unwrap_or_default();
    let activity = || lms.lock().activity_of(kind, id).cloned();
    match call.get("method") {
        Some("clone") => number(
            lms.lock()
                .once(rid(call), |state| state.clone_of(kind, id, &course(call))),
        ),
        Some("export") => match activity().and_then(exported::write) {
            Some(file) => page::text(StatusCode::OK, file),
            None => nothing(StatusCode::INTERNAL_SERVER_ERROR),
        },
        Some("output") => {
            let name = call.get("oname").unwrap_or_default();
            number(activity().map_or(0, |activity| output::of(&activity, user, name)))
        }
        Some("export_portfolio") => match activity() {
            Some(activity) => portfolio::page(&activity, user),
            None => nothing(StatusCode::NOT_FOUND),
        },
        Some("delete") => nothing(if lms.lock().delete(kind, id) {
            StatusCode::OK
        } else {
            StatusCode::NOT_FOUND
        }),
        _ => nothing(StatusCode::OK),
    }
}

/// What a call is known by when it is tried again. What is no UUID is none, as to a server that does
/// not know the parameter.
fn rid(call: &Query<'_>) -> Option<Uuid> {
    Uuid::try_parse(call.get("rid")?).ok()
}

fn number(number: impl ToString) -> HttpResponse {
    page::text(StatusCode::OK, number.to_string())
}

fn nothing(status: StatusCode) -> HttpResponse {
    page::text(status, String::new())
}
