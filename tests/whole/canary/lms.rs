//! LMSs that say back what they were sent.

use serde_json::json;

use super::{ACCESS_TOKEN, CLIENT_SECRET, MOODLE_TOKEN};
use crate::lms::stand_in::{Reply, Request, StandIn};

/// All that an LMS was sent.
fn echo(request: &Request) -> String {
    format!("{} {:?} {}", request.address, request.headers, request.body)
}

/// An LMS that says back what it was sent, in each way that it can fail; who asks says which by a name.
pub async fn lms() -> StandIn {
    StandIn::start(|request| {
        let echo = echo(request);
        let is = |way: &str| echo.contains(way);
        if request.address.starts_with("/oauth2/access_token") {
            let token = json!({"access_token": ACCESS_TOKEN, "expires_in": 3600, "token_type": "JWT"});
            return Reply::Says(200, token.to_string());
        }
        let said = json!({"message": echo, "exception": echo, "errorcode": "x", "debuginfo": echo, "detail": echo});
        match () {
            () if is("refused") => Reply::Says(401, said.to_string()),
            () if is("forbidden") => Reply::Says(403, echo),
            () if is("garbled") => Reply::Says(200, echo),
            () if is("excepted") => Reply::Says(200, said.to_string()),
            () if is("busy") => Reply::Later(429, 1),
            () => Reply::Says(500, said.to_string()),
        }
    })
    .await
}

/// A second LMS, which gives no token and says back what it was sent.
pub async fn lms_without_tokens() -> StandIn {
    StandIn::start(|request| {
        let said = json!({"error": "invalid_client", "error_description": echo(request)});
        Reply::Says(400, said.to_string())
    })
    .await
}

pub fn connections(lms: &str, other: &str) -> String {
    let edx = |id: &str, url: &str| {
        format!(
            "[[servers]]\nid = \"{id}\"\nurl = \"http://{id}.example.org/\"\n[servers.enrollment]\nbackend = \"openedx\"\n\
             base_url = \"{url}\"\nselector_regex = 'http://{id}\\.test/.*'\n\
             course_regex = '.*/courses/(?P<course_id>[^/]*)'\nclient_id = \"client\"\n\
             client_secret = \"{CLIENT_SECRET}\"\n"
        )
    };
    let moodle = format!(
        "[[servers]]\nid = \"campus\"\nurl = \"http://campus.example.org/\"\n[servers.enrollment]\nbackend = \"moodle\"\n\
         base_url = \"{lms}/webservice/rest/server.php\"\nselector_regex = 'http://campus\\.test/.*'\n\
         course_regex = '.*/courses/(?P<course_id>[^/]*)'\napi_token = \"{MOODLE_TOKEN}\"\n"
    );
    [moodle, edx("edx", lms), edx("none", other)].concat()
}
