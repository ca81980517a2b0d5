//! Slowing down those who guess: an address with more than a hundred refused requests a minute is told
//! to wait. Asked only when a request is refused, so a correctly signed launch is never limited: a
//! school is one address.

use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;

use actix_web::HttpRequest;
use governor::clock::{Clock, DefaultClock};
use governor::{Quota, RateLimiter};
use ipnet::IpNet;

/// So many refused requests a minute from one address.
const REFUSED_A_MINUTE: NonZeroU32 = NonZeroU32::new(100).expect("a hundred is not zero");
/// When so many addresses are remembered, those that have been quiet are forgotten.
const REMEMBERED: usize = 10_000;

/// Counts refused requests by address.
pub(super) struct Limits {
    refused: governor::DefaultKeyedRateLimiter<IpAddr>,
    clock: DefaultClock,
    trusted_proxies: Vec<IpNet>,
}

impl Limits {
    pub(super) fn new(trusted_proxies: Vec<IpNet>) -> Self {
        Self {
            refused: RateLimiter::keyed(Quota::per_minute(REFUSED_A_MINUTE)),
            clock: DefaultClock::default(),
            trusted_proxies,
        }
    }

    /// Counts a refused request; seconds to wait where there were too many.
    pub(super) fn refused(&self, address: IpAddr) -> Result<(), u64> {
        if self.refused.len() > REMEMBERED {
            self.refused.retain_recent();
        }
        let key = network_of(address);
        self.refused
            .check_key(&key)
            .map_err(|wait| wait.wait_time_from(self.clock.now()).as_secs().max(1))
    }

    /// The address that a request comes from: the peer's, or, where that is a trusted proxy, the last one
    /// in `X-Forwarded-For` that is not.
    pub(super) fn address_of(&self, request: &HttpRequest) -> Option<IpAddr> {
        let peer = request.peer_addr()?.ip().to_canonical();
        let trusted = |ip: &IpAddr| {
            self.trusted_proxies
                .iter()
                .any(|network| network.contains(ip))
        };
        if self.trusted_proxies.is_empty() || !trusted(&peer) {
            return Some(peer);
        }
        let headers = request.headers().get_all("x-forwarded-for");
        let hops: Vec<IpAddr> = headers
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .map_while(|hop| {
                hop.trim()
                    .parse::<IpAddr>()
                    .ok()
                    .map(|ip| ip.to_canonical())
            })
            .collect();
        Some(
            hops.into_iter()
                .rev()
                .find(|hop| !trusted(hop))
                .unwrap_or(peer),
        )
    }
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
    fn the_hundred_and_first_refused_request_has_to_wait() {
        let limits = Limits::new(Vec::new());
        let address: IpAddr = "2001:db8::1".parse().unwrap();
        for _ in 0..100 {
            assert_eq!(limits.refused(address), Ok(()));
        }
        assert!(limits.refused("2001:db8::2".parse().unwrap()).is_err());
        assert_eq!(limits.refused("2001:db8:0:1::1".parse().unwrap()), Ok(()));
    }

    #[test]
    fn only_a_trusted_proxy_is_believed() {
        let from = |peer: &str, forwarded: &str, trusted: &[&str]| {
            let request = TestRequest::default()
                .peer_addr(format!("{peer}:1").parse().unwrap())
                .insert_header(("x-forwarded-for", forwarded))
                .to_http_request();
            let limits = Limits::new(trusted.iter().map(|t| t.parse().unwrap()).collect());
            limits.address_of(&request).unwrap().to_string()
        };
        assert_eq!(from("10.0.0.1", "1.2.3.4", &[]), "10.0.0.1");
        assert_eq!(from("10.0.0.1", "1.2.3.4", &["10.0.0.0/8"]), "1.2.3.4");
        assert_eq!(
            from("10.0.0.1", "9.9.9.9, 1.2.3.4, 10.0.0.2", &["10.0.0.0/8"]),
            "1.2.3.4"
        );
        assert_eq!(from("10.0.0.1", "10.0.0.3", &["10.0.0.0/8"]), "10.0.0.1");
        assert_eq!(from("11.0.0.1", "1.2.3.4", &["10.0.0.0/8"]), "11.0.0.1");
    }
}
