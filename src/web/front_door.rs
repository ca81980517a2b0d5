//! What every request passes on its way in and out: it gets an id, slashes in its path are merged,
//! refusals get their words, responses their headers, and the log one line. The line holds the path
//! and never the query, which carries signatures and states.

use std::borrow::Cow;
use std::cell::Cell;
use std::fmt;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::error::InternalError;
use actix_web::http::header::{self, HeaderValue};
use actix_web::http::uri::{PathAndQuery, Uri};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, HttpRequest, HttpResponse, web};

use chrono::Utc;

use super::bodies::{self, Late};
use super::limits::{Limits, over_https};
use super::problem::Problem;
use super::problem_document::{PROBLEM_JSON, ProblemDocument};
use super::words::{self, Words};
use super::{admin, headers, launch, meters, pages, panics};
use crate::domain::hash::HexDigits;
use crate::domain::launch_record::{LaunchKind, LaunchOutcome, LaunchRecord, Noted, masked};
use crate::flows::Gateway;

/// An address is at most so long, path and query, in bytes.
pub(super) const LONGEST_ADDRESS: usize = 16 * 1024;

/// Names one request, on its page, in its headers and in the log.
#[derive(Clone, Copy)]
pub(super) struct RequestId(u64);

impl RequestId {
    /// A number never given before by this process, and by others only by a chance of 2^-64. Each thread counts by
    /// itself, 2^48 numbers apart: a count of all would go from processor to processor.
    fn next() -> Self {
        static FIRST: LazyLock<u64> = LazyLock::new(|| getrandom::u64().unwrap_or_default());
        static THREADS: AtomicU64 = AtomicU64::new(0);
        thread_local! {
            static COUNT: Cell<u64> = Cell::new(THREADS.fetch_add(1, Ordering::Relaxed) << 48);
        }
        let count = COUNT.replace(COUNT.get().wrapping_add(1));
        Self(FIRST.wrapping_add(count.wrapping_mul(0x9E37_79B9_7F4A_7C15)))
    }

    /// Sixteen hexadecimal digits.
    fn text(self) -> HexDigits<8> {
        HexDigits::of(self.0.to_be_bytes())
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text().as_str())
    }
}

/// Path and query exactly as they were sent, where merging slashes changed them.
struct AsSent(PathAndQuery);

/// Says that a signature or token vouches for the request: such a one is never limited.
struct Vouched;

/// What is known of a request for a page of a tool by its end. Others leave it in the request's extensions, for which
/// memory would be taken with each launch.
#[derive(Default)]
pub(super) struct Seen {
    /// Whether a signature or token vouches for it.
    pub(super) vouched: Cell<bool>,
    pub(super) launched: Cell<Option<Launched>>,
}

/// What a launch was, and what is known of it, once it was answered.
pub(super) struct Launched {
    pub(super) kind: LaunchKind,
    pub(super) platform: String,
    pub(super) signature: String,
    pub(super) noted: Noted,
}

/// Notes that a signature or token vouches for a request.
pub(super) fn vouch(request: &HttpRequest) {
    request.extensions_mut().insert(Vouched);
}

/// What is made of path and query exactly as they were sent.
pub(super) fn as_sent<T>(request: &HttpRequest, make: impl FnOnce(&str) -> T) -> T {
    if let Some(sent) = request.extensions().get::<AsSent>() {
        return make(sent.0.as_str());
    }
    let sent = request.uri().path_and_query();
    make(sent.map_or("", |sent| sent.as_str()))
}

/// The middleware.
pub(super) async fn front_door<B: MessageBody + 'static>(
    mut request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let (id, begun) = (RequestId::next(), Instant::now());
    let seen = Seen::default();
    let length = request
        .uri()
        .path_and_query()
        .map_or(0, |sent| sent.as_str().len());
    let shared = request.app_data::<web::Data<Gateway>>().cloned();
    let gateway = shared.as_ref().map(web::Data::get_ref);
    let https = gateway.is_some_and(|gateway| over_https(request.request(), gateway));
    // Also where it is too long: how that is told depends on what is asked for.
    merge_slashes(&mut request);
    let mut response = if length > LONGEST_ADDRESS {
        request
            .into_response(HttpResponse::from_error(Problem::AddressTooLong))
            .map_into_boxed_body()
    } else {
        // A panic takes the request with it: these are references to its parts.
        let (method, uri) = (request.method().clone(), request.uri().clone());
        let answer = answer(request, shared.clone(), next, &seen);
        match panics::caught(answer).await {
            Ok(answered) => answered?,
            Err(reason) => {
                let mut answer = said(&words_at(uri.path(), &defect()), uri.path(), id, gateway);
                finish(&mut answer, id, gateway, https);
                meters::count(&uri, None, answer.status(), begun.elapsed());
                let (status, ms) = (answer.status().as_u16(), milliseconds(begun.elapsed()));
                let (method, path) = (method.as_str(), uri.path());
                tracing::error!(request_id = %id, method, path, status, ms, reason, "failed");
                return Err(InternalError::from_response(reason, answer).into());
            }
        }
    };
    let mut reason = None;
    let status = response.status();
    if status.is_client_error() || status.is_server_error() {
        (response, reason) = worded(response, id, seen.vouched.get());
    }
    let (reason, code) = reason.map_or((None, None), |(reason, code)| (Some(reason), Some(code)));
    let request = response.request().clone();
    finish(response.response_mut(), id, gateway, https);
    let elapsed = begun.elapsed();
    let launched = seen.launched.take();
    let launched = launched.or_else(|| request.extensions_mut().remove());
    let kind = launched.as_ref().map(|launched| launched.kind);
    meters::count(request.uri(), kind, response.status(), elapsed);
    if let Some(launched) = launched {
        record(
            launched,
            &response,
            id,
            elapsed,
            reason.as_deref().zip(code),
        );
    }
    log(&response, id, elapsed, reason.as_deref());
    Ok(response)
}

/// The answer: a tool's page at once, others by the router.
async fn answer<B: MessageBody + 'static>(
    request: ServiceRequest,
    gateway: Option<web::Data<Gateway>>,
    next: Next<B>,
    seen: &Seen,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let (request, payload) = request.into_parts();
    let Some((page, gateway)) = launch::Page::of(request.path()).zip(gateway) else {
        return passed_on(ServiceRequest::from_parts(request, payload), next).await;
    };
    let answered = launch::page(&request, page, &gateway, seen).await;
    let answer = answered.unwrap_or_else(HttpResponse::from_error);
    Ok(ServiceResponse::new(request, answer))
}

/// The router's answer, of a body that came in time. An import has a time of its own.
async fn passed_on<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let late = Late::default();
    let (request, mut payload) = request.into_parts();
    if !request.path().ends_with("/import") {
        payload = bodies::in_time(payload, bodies::IN_ALL, &late);
    }
    let request = ServiceRequest::from_parts(request, payload);
    let answer = next.call(request).await?.map_into_boxed_body();
    if late.get() {
        return Ok(answer.into_response(HttpResponse::from_error(Problem::BodyTooSlow)));
    }
    Ok(answer)
}

/// What every answer has at its end.
fn finish(answer: &mut HttpResponse, id: RequestId, gateway: Option<&Gateway>, https: bool) {
    let status = answer.status();
    headers::complete(answer.headers_mut(), status, id.text().as_str(), https);
    if gateway.is_some_and(Gateway::is_stopping) {
        let close = actix_web::http::ConnectionType::Close;
        answer.head_mut().set_connection_type(close);
    }
}

fn defect() -> Problem {
    Problem::Defect("it panicked".to_owned())
}

fn gateway_of(request: &HttpRequest) -> Option<&Gateway> {
    request
        .app_data::<web::Data<Gateway>>()
        .map(|gateway| gateway.as_ref())
}

/// Makes repeated slashes in the path one, and keeps what was sent for the signature.
fn merge_slashes(request: &mut ServiceRequest) {
    if !request.path().contains("//") {
        return;
    }
    let Some(sent) = request.uri().path_and_query().cloned() else {
        return;
    };
    let mut merged = String::with_capacity(sent.as_str().len());
    for character in sent.path().chars() {
        if !(character == '/' && merged.ends_with('/')) {
            merged.push(character);
        }
    }
    if let Some(query) = sent.query() {
        merged.push('?');
        merged.push_str(query);
    }
    // What was an address stays one with fewer slashes.
    if let Ok(uri) = merged.parse::<Uri>() {
        request.match_info_mut().get_mut().update(&uri);
        request.head_mut().uri = uri;
        request.extensions_mut().insert(AsSent(sent));
    }
}

/// Gives a refused request its words: a problem document under `/api/`, a page elsewhere. Also answers
/// what the log says of it, and its code.
fn worded(
    response: ServiceResponse,
    id: RequestId,
    vouched: bool,
) -> (ServiceResponse, Option<(String, &'static str)>) {
    let error = response.response().error();
    let unnamed;
    let mut problem = match error.and_then(|error| error.as_error::<Problem>()) {
        Some(problem) => problem,
        // An answer with a body of its own, such as that of /readyz, is not a refusal.
        None if error.is_none() && !is_empty(&response) => return (response, None),
        None => {
            unnamed = Problem::of_status(response.status());
            &unnamed
        }
    };
    let reason = problem.to_string();
    let request = response.request().clone();
    let limited = if response.status().is_client_error() && !vouched {
        too_many(&request)
    } else {
        None
    };
    let limited = limited.map(|retry_after| Problem::TooMany { retry_after });
    if let Some(limited) = &limited {
        problem = limited;
    }
    let words = words_at(request.path(), problem);
    let mut answer = said(&words, request.path(), id, gateway_of(&request));
    if let Some(seconds) = words.retry_after {
        answer
            .headers_mut()
            .insert(header::RETRY_AFTER, seconds.into());
    }
    if words.code == words::API_TOKEN {
        answer
            .headers_mut()
            .insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    // Such as the methods that an address takes.
    if let Some(allow) = response.headers().get(header::ALLOW) {
        answer.headers_mut().insert(header::ALLOW, allow.clone());
    }
    (
        ServiceResponse::new(request, answer),
        Some((reason, words.code)),
    )
}

/// The words for a problem, for whoever asks at an address.
fn words_at(path: &str, problem: &Problem) -> Words {
    if admin::is_admin(path) {
        words::for_sysadmins(problem)
    } else if path.starts_with("/api/") {
        words::for_programs(problem)
    } else {
        words::of(problem)
    }
}

/// A refusal in words: a problem document under `/api/`, a page elsewhere.
fn said(words: &Words, path: &str, id: RequestId, gateway: Option<&Gateway>) -> HttpResponse {
    if admin::is_admin(path) {
        admin::refusal(words, &id.to_string(), gateway)
    } else if path.starts_with("/api/") {
        problem_document(words, id)
    } else {
        pages::refusal(words, path, &id.to_string(), gateway)
    }
}

fn is_empty(response: &ServiceResponse) -> bool {
    matches!(
        response.response().body().size(),
        actix_web::body::BodySize::None | actix_web::body::BodySize::Sized(0)
    )
}

/// Counts a refused request that nothing vouches for; seconds to wait where there were too many.
fn too_many(request: &HttpRequest) -> Option<u64> {
    if request.extensions().get::<Vouched>().is_some() {
        return None;
    }
    let limits = request.app_data::<web::Data<Limits>>()?;
    limits.refused(limits.address_of(request)?).err()
}

fn problem_document(words: &Words, id: RequestId) -> HttpResponse {
    HttpResponse::build(words.status)
        .content_type(PROBLEM_JSON)
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(ProblemDocument::of(words, id.to_string()))
}

/// Writes a launch down. One that is told to wait is only counted: whoever guesses fills no table.
fn record(
    launched: Launched,
    response: &ServiceResponse,
    id: RequestId,
    elapsed: Duration,
    refused: Option<(&str, &'static str)>,
) {
    let (request, status) = (response.request(), response.status().as_u16());
    let Some(gateway) = gateway_of(request).filter(|_| status != 429) else {
        return;
    };
    let Launched {
        kind,
        platform,
        signature,
        mut noted,
    } = launched;
    let sent_to = response.headers().get(header::LOCATION);
    let sent_to = sent_to.and_then(|to| std::str::from_utf8(to.as_bytes()).ok());
    let not_enrolled = noted.not_enrolled.take();
    let (reason, code) = match refused {
        Some((reason, code)) => Some((reason.to_owned(), code)),
        None => not_enrolled.map(|not| (not.words, not.code)),
    }
    .unzip();
    gateway.record(&LaunchRecord {
        at: Utc::now(),
        kind,
        request_id: id.text().as_str().to_owned(),
        platform,
        signature,
        noted,
        outcome: LaunchOutcome::of_status(status),
        status,
        ms: milliseconds(elapsed),
        came_with: as_sent(request, masked),
        sent_to: sent_to.map(masked),
        reason,
        code: code.map(Cow::Borrowed),
    });
}

fn log(response: &ServiceResponse, id: RequestId, elapsed: Duration, reason: Option<&str>) {
    let request = response.request();
    let status = response.status().as_u16();
    let ms = milliseconds(elapsed);
    let (method, path) = (request.method().as_str(), request.path());
    match reason {
        None => tracing::info!(request_id = %id, method, path, status, ms, "answered"),
        Some(reason) if status >= 500 => {
            tracing::error!(request_id = %id, method, path, status, ms, reason, "failed");
        }
        Some(reason) => {
            tracing::warn!(request_id = %id, method, path, status, ms, reason, "refused")
        }
    }
}

/// To a hundredth.
fn milliseconds(elapsed: Duration) -> f64 {
    (elapsed.as_secs_f64() * 100_000.0).round() / 100.0
}

#[cfg(test)]
mod tests;
