//! Slowing down those who guess: an address with more than a hundred refused requests a minute is told
//! to wait. Asked only when a request is refused, so a correctly signed launch is never limited: a
//! school is one address.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use actix_web::HttpRequest;
use ipnet::IpNet;

/// So many refused requests a minute from one address.
const REFUSED_A_MINUTE: u32 = 100;
const MINUTE: Duration = Duration::from_secs(60);
/// When so many addresses are remembered, those whose minute is over are forgotten; should that not
/// help, all are.
const REMEMBERED: usize = 100_000;

/// Counts refused requests by address.
pub(super) struct Limits {
    /// Since when, and how many.
    refused: Mutex<HashMap<IpAddr, (Instant, u32)>>,
    trusted_proxies: Vec<IpNet>,
}

impl Limits {
    pub(super) fn new(trusted_proxies: Vec<IpNet>) -> Self {
        Self {
            refused: Mutex::default(),
            trusted_proxies,
        }
    }

    /// Counts a refused request; seconds to wait where there were too many. An address's minute begins
    /// with its first refused request.
    pub(super) fn refused(&self, address: IpAddr, now: Instant) -> Result<(), u64> {
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        let over = |since: &Instant| now.duration_since(*since) >= MINUTE;
        if refused.len() >= REMEMBERED {
            refused.retain(|_, (since, _)| !over(since));
            if refused.len() >= REMEMBERED {
                refused.clear();
            }
        }
        let (since, count) = refused.entry(network_of(address)).or_insert((now, 0));
        if over(since) {
            (*since, *count) = (now, 0);
        }
        *count = count.saturating_add(1);
        if *count <= REFUSED_A_MINUTE {
            return Ok(());
        }
        let left = MINUTE.saturating_sub(now.duration_since(*since));
        Err(left.as_secs() + 1)
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
        let mut hops: Vec<&str> = headers
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .collect();
        // From the nearest on, as far as it is a proxy of ours that speaks.
        let mut nearest = peer;
        while let Some(hop) = hops.pop().and_then(|hop| hop.trim().parse::<IpAddr>().ok()) {
            nearest = hop.to_canonical();
            if !trusted(&nearest) {
                break;
            }
        }
        Some(nearest)
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
    fn the_hundred_and_first_refused_request_of_a_minute_has_to_wait() {
        let limits = Limits::new(Vec::new());
        let (begun, late) = (Instant::now(), Duration::from_secs(59));
        let refused =
            |address: &str, after| limits.refused(address.parse().unwrap(), begun + after);
        assert_eq!(refused("2001:db8::1", Duration::ZERO), Ok(()));
        for _ in 1..100 {
            assert_eq!(refused("2001:db8::1", late), Ok(()));
        }
        assert_eq!(refused("2001:db8::2", late), Err(2));
        assert_eq!(refused("2001:db8:0:1::1", late), Ok(()));
        assert_eq!(refused("2001:db8::1", MINUTE), Ok(()));
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
}
