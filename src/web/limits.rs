//! Slowing down those who guess and those who ask for too much. Refused requests are counted by address, and only when
//! they are refused: a correctly signed launch is never limited, since a school is one address. Tries to sign in are
//! counted by address before they are looked at, since each costs a password hash; calls that have a server asked, by
//! platform, so that one does not take all turns.
//!
//! What trusted proxies say of a request is read here, and nowhere else.

mod window;

use std::net::{IpAddr, Ipv6Addr};

use actix_web::{HttpRequest, web};
use ipnet::IpNet;

use super::problem::Problem;
use crate::domain::id::PlatformId;
use crate::flows::Gateway;
use crate::settings::Settings;
use window::Window;

/// So many refused requests a minute from one address.
const REFUSED_A_MINUTE: u32 = 100;
/// So many tries to sign in a minute from one address, by browsers that are not known.
const SIGN_INS_A_MINUTE: u32 = 60;

/// Counts by address and by platform.
pub(super) struct Limits {
    refused: Window<IpAddr>,
    sign_ins: Window<IpAddr>,
    calls: Window<PlatformId>,
    files: Window<PlatformId>,
    trusted_proxies: Vec<IpNet>,
}

impl Limits {
    pub(super) fn of(settings: &Settings) -> Self {
        let trusted_proxies = settings.trusted_proxies.clone();
        Self::new(
            trusted_proxies,
            settings.calls_a_minute,
            settings.files_a_minute,
        )
    }

    fn new(trusted_proxies: Vec<IpNet>, calls: u32, files: u32) -> Self {
        Self {
            refused: Window::of(REFUSED_A_MINUTE),
            sign_ins: Window::of(SIGN_INS_A_MINUTE),
            calls: Window::of(calls),
            files: Window::of(files),
            trusted_proxies,
        }
    }

    /// Counts a refused request; seconds to wait where there were too many.
    pub(super) fn refused(&self, address: IpAddr) -> Result<(), u64> {
        self.refused.count(network_of(address))
    }

    /// Counts a try to sign in; seconds to wait where there were too many.
    pub(super) fn sign_in(&self, request: &HttpRequest) -> Result<(), u64> {
        let address = self.address_of(request);
        address.map_or(Ok(()), |address| self.sign_ins.count(network_of(address)))
    }

    /// Counts a call of a platform that has a server asked.
    pub(super) fn call(&self, platform: &PlatformId) -> Result<(), Problem> {
        let counted = self.calls.count(platform.clone());
        counted.map_err(|retry_after| Problem::TooFast { retry_after })
    }

    /// Counts one that moves a file.
    pub(super) fn file(&self, platform: &PlatformId) -> Result<(), Problem> {
        let counted = self.files.count(platform.clone());
        counted.map_err(|retry_after| Problem::TooFast { retry_after })
    }

    /// The address that a request comes from: the peer's, or, where that is a trusted proxy, the last one
    /// in `X-Forwarded-For` that is not.
    pub(super) fn address_of(&self, request: &HttpRequest) -> Option<IpAddr> {
        let peer = request.peer_addr()?.ip().to_canonical();
        if !self.trusts(&peer) {
            return Some(peer);
        }
        let headers = request.headers().get_all("x-forwarded-for");
        let mut hops: Vec<&str> = headers
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .collect();
        // From the nearest on, as far as it is a proxy of ours that speaks.
        let mut nearest = peer;
        while let Some(hop) = hops.pop().and_then(|hop| hop.trim().parse::<IpAddr>().ok()) {
            nearest = hop.to_canonical();
            if !self.trusts(&nearest) {
                break;
            }
        }
        Some(nearest)
    }

    /// Whether a trusted proxy says that a request came to it over https. Of several words in `X-Forwarded-Proto` the
    /// last is that of the proxy which speaks to the gateway.
    fn came_over_https(&self, request: &HttpRequest) -> bool {
        let peer = request.peer_addr().map(|peer| peer.ip().to_canonical());
        if !peer.is_some_and(|peer| self.trusts(&peer)) {
            return false;
        }
        let said = request.headers().get_all("x-forwarded-proto").last();
        let said = said.and_then(|said| said.to_str().ok()?.rsplit(',').next());
        said.is_some_and(|said| said.trim().eq_ignore_ascii_case("https"))
    }

    fn trusts(&self, address: &IpAddr) -> bool {
        let mut proxies = self.trusted_proxies.iter();
        proxies.any(|network| network.contains(address))
    }
}

/// Whether a browser reaches the gateway over https: where that is its public address, or a trusted proxy says so.
pub(super) fn over_https(request: &HttpRequest, gateway: &Gateway) -> bool {
    gateway.public_url().starts_with("https://")
        || request
            .app_data::<web::Data<Limits>>()
            .is_some_and(|limits| limits.came_over_https(request))
}

/// One household has a /64 of IPv6.
fn network_of(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(ip) => {
            let [a, b, c, d, ..] = ip.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    #[test]
    fn the_hundred_and_first_refused_request_of_a_minute_has_to_wait() {
        let limits = Limits::new(Vec::new(), 2, 0);
        let refused = |address: &str| limits.refused(address.parse().unwrap());
        for _ in 0..100 {
            assert_eq!(refused("2001:db8::1"), Ok(()));
        }
        assert!(refused("2001:db8::2").is_err_and(|wait| (1..=61).contains(&wait)));
        assert_eq!(refused("2001:db8:0:1::1"), Ok(()));
    }

    #[test]
    fn platforms_are_counted_each_by_itself_and_0_is_no_limit() {
        let limits = Limits::new(Vec::new(), 2, 0);
        let [one, other] = ["one", "other"].map(|id| id.parse::<PlatformId>().unwrap());
        for _ in 0..2 {
            assert!(limits.call(&one).is_ok());
        }
        assert!(matches!(
            limits.call(&one),
            Err(Problem::TooFast {
                retry_after: 1..=61
            })
        ));
        assert!(limits.call(&other).is_ok());
        for _ in 0..10_000 {
            assert!(limits.file(&one).is_ok());
        }
    }

    #[test]
    fn only_a_trusted_proxy_is_believed() {
        let from = |peer: &str, forwarded: &str, trusted: &[&str]| {
            let request = TestRequest::default()
                .peer_addr(format!("{peer}:1").parse().unwrap())
                .insert_header(("x-forwarded-for", forwarded))
                .to_http_request();
            let limits = Limits::new(trusted.iter().map(|t| t.parse().unwrap()).collect(), 0, 0);
            limits.address_of(&request).unwrap().to_string()
        };
        assert_eq!(from("10.0.0.1", "1.2.3.4", &[]), "10.0.0.1");
        assert_eq!(from("10.0.0.1", "1.2.3.4", &["10.0.0.0/8"]), "1.2.3.4");
        assert_eq!(
            from("10.0.0.1", "9.9.9.9, 1.2.3.4, 10.0.0.2", &["10.0.0.0/8"]),
            "1.2.3.4"
        );
        assert_eq!(
            from("10.0.0.1", "forged, 1.2.3.4", &["10.0.0.0/8"]),
            "1.2.3.4"
        );
        assert_eq!(
            from("10.0.0.1", "1.2.3.4, forged", &["10.0.0.0/8"]),
            "10.0.0.1"
        );
        assert_eq!(from("11.0.0.1", "1.2.3.4", &["10.0.0.0/8"]), "11.0.0.1");
    }

    #[test]
    fn only_a_trusted_proxy_is_believed_that_it_is_https() {
        let over_https = |peer: &str, forwarded: &[&str], trusted: &[&str]| {
            let mut request =
                TestRequest::default().peer_addr(format!("{peer}:1").parse().unwrap());
            for word in forwarded {
                request = request.append_header(("x-forwarded-proto", *word));
            }
            let limits = Limits::new(trusted.iter().map(|t| t.parse().unwrap()).collect(), 0, 0);
            limits.came_over_https(&request.to_http_request())
        };
        let proxies = &["10.0.0.0/8"];
        for forwarded in [
            &["https"][..],
            &["HTTPS"],
            &["http, https"],
            &["http", "https"],
        ] {
            assert!(over_https("10.0.0.1", forwarded, proxies), "{forwarded:?}");
            assert!(!over_https("10.0.0.1", forwarded, &[]), "{forwarded:?}");
            assert!(!over_https("11.0.0.1", forwarded, proxies), "{forwarded:?}");
        }
        for forwarded in [
            &[][..],
            &["http"],
            &["https,http"],
            &["https", "http"],
            &["https, "],
        ] {
            assert!(!over_https("10.0.0.1", forwarded, proxies), "{forwarded:?}");
        }
    }
}
