//! The two cookies of the sysadmin pages: the session's, and the one by which a browser is known again.
//! Launch pages set none and read none.

use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpRequest, HttpResponse};

use crate::domain::sysadmin::DEVICE;
use crate::domain::ticket::Ticket;
use crate::flows::Gateway;
use crate::web::limits::over_https;

/// Which cookie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cookie {
    /// The session; the browser forgets it when it is closed.
    Session,
    /// The device; kept for a year.
    Device,
}

impl Cookie {
    /// Over https the name promises that no other host and no plain connection set it, which demands that
    /// it is for the whole host, whatever path the public address has. A browser that comes another way next
    /// time is asked to sign in again.
    fn name(self, https: bool) -> &'static str {
        match (self, https) {
            (Cookie::Session, true) => "__Host-toolgate",
            (Cookie::Session, false) => "toolgate",
            (Cookie::Device, true) => "__Host-toolgate-device",
            (Cookie::Device, false) => "toolgate-device",
        }
    }

    /// What the browser holds.
    pub(super) fn of(self, request: &HttpRequest, gateway: &Gateway) -> Option<Ticket> {
        let name = self.name(over_https(request, gateway));
        request
            .headers()
            .get_all(header::COOKIE)
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .filter(|(given, _)| *given == name)
            .find_map(|(_, value)| Ticket::parse(value))
    }

    /// Gives it to the browser.
    pub(super) fn give(
        self,
        response: &mut HttpResponse,
        (request, gateway): (&HttpRequest, &Gateway),
        ticket: &Ticket,
    ) {
        let kept = match self {
            Cookie::Session => String::new(),
            Cookie::Device => format!("; Max-Age={}", DEVICE.num_seconds()),
        };
        let https = over_https(request, gateway);
        self.set(response, https, &ticket.text(), &kept);
    }

    /// Takes it away.
    pub(super) fn take(
        self,
        response: &mut HttpResponse,
        (request, gateway): (&HttpRequest, &Gateway),
    ) {
        let https = over_https(request, gateway);
        self.set(response, https, "", "; Max-Age=0");
    }

    fn set(self, response: &mut HttpResponse, https: bool, value: &str, kept: &str) {
        let secure = if https { "; Secure" } else { "" };
        let name = self.name(https);
        let cookie = format!("{name}={value}; Path=/; HttpOnly; SameSite=Strict{secure}{kept}");
        let cookie = HeaderValue::from_str(&cookie);
        response.headers_mut().append(
            header::SET_COOKIE,
            cookie.expect("names, digits and attributes make a header"),
        );
    }
}
