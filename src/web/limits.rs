//! Slowing down those who guess: an address with more than a hundred refused requests a minute is told
//! to wait. Asked only when a request is refused, so a correctly signed launch is never limited: a
//! school is one address.

use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use actix_web::HttpRequest;
use ipnet::IpNet;
use moka::sync::Cache;

/// So many refused requests a minute from one address.
const REFUSED_A_MINUTE: u32 = 100;
const MINUTE: Duration = Duration::from_secs(60);
/// So many addresses are remembered at most, those that come most.
const REMEMBERED: u64 = 100_000;

/// Counts refused requests by address.
pub(super) struct Limits {
    /// Since when, and how many. Forgotten after a minute.
    refused: Cache<IpAddr, Arc<(Instant, AtomicU32)>>,
    trusted_proxies: Vec<IpNet>,
}

impl Limits {
    pub(super) fn new(trusted_proxies: Vec<IpNet>) -> Self {
        let refused = Cache::builder()
            .max_capacity(REMEMBERED)
            .time_to_live(MINUTE)
            .build();
        Self {
            refused,
            trusted_proxies,
        }
    }

    /// Counts a refused request; seconds to wait where there were too many. An address's minute begins
    /// with its first refused request.
    pub(super) fn refused(&self, address: IpAddr) -> Result<(), u64> {
        let begin = || Arc::new((Instant::now(), AtomicU32::new(0)));
        let entry = self.refused.get_with(network_of(address), begin);
        let (since, count) = entry.as_ref();
        if count.fetch_add(1, Ordering::Relaxed) < REFUSED_A_MINUTE {
            return Ok(());
        }
        Err(MINUTE.saturating_sub(since.elapsed()).as_secs() + 1)
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
        let refused = |address: &str| limits.refused(address.parse().unwrap());
        for _ in 0..100 {
            assert_eq!(refused("2001:db8::1"), Ok(()));
        }
        assert!(refused("2001:db8::2").is_err_and(|wait| (1..=61).contains(&wait)));
        assert_eq!(refused("2001:db8:0:1::1"), Ok(()));
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
