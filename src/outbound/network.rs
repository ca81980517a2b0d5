//! Where requests may go. Names are resolved and filtered in one step, so that what was checked is what
//! is connected to; literal addresses are filtered too.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

/// Resolves names to addresses that may be called.
#[derive(Debug)]
pub(super) struct Filter {
    pub(super) private_network: bool,
}

impl Resolve for Filter {
    fn resolve(&self, name: Name) -> Resolving {
        let private_network = self.private_network;
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let allowed: Vec<SocketAddr> = found
                .filter(|address| may_be_called(address.ip(), private_network))
                .collect();
            if allowed.is_empty() {
                return Err("its name leads only to addresses that must not be called".into());
            }
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}

/// Whether an address with a literal IP in place of a name may be called; names are the resolver's.
pub(super) fn literal_may_be_called(url: &Url, private_network: bool) -> bool {
    match url.host() {
        Some(Host::Ipv4(ip)) => may_be_called(ip.into(), private_network),
        Some(Host::Ipv6(ip)) => may_be_called(ip.into(), private_network),
        Some(Host::Domain(_)) => true,
        None => false,
    }
}

/// Link-local and metadata addresses never; private and loopback ones where the server is set so.
pub(super) fn may_be_called(ip: IpAddr, private_network: bool) -> bool {
    match plain(ip) {
        IpAddr::V4(ip) => {
            let [a, b, ..] = ip.octets();
            let shared = a == 100 && (64..128).contains(&b);
            let never = ip.is_link_local()
                || ip.is_unspecified()
                || ip.is_multicast()
                || ip.is_broadcast()
                || ip == Ipv4Addr::new(100, 100, 100, 200)
                || a == 0;
            !never && (private_network || !(ip.is_private() || ip.is_loopback() || shared))
        }
        IpAddr::V6(ip) => {
            let metadata = ip.segments()[..2] == [0xfd00, 0xec2];
            let never =
                ip.is_unicast_link_local() || ip.is_unspecified() || ip.is_multicast() || metadata;
            !never && (private_network || !(ip.is_unique_local() || ip.is_loopback()))
        }
    }
}

/// An IPv4 address in whichever way IPv6 wraps it: mapped, compatible, NAT64, 6to4.
fn plain(ip: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = ip.to_canonical() else {
        return ip.to_canonical();
    };
    let wrapped = match v6.segments() {
        [0, 0, 0, 0, 0, 0, high, low] if high != 0 => Some((high, low)),
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => Some((high, low)),
        [0x2002, high, low, ..] => Some((high, low)),
        _ => None,
    };
    wrapped.map_or(IpAddr::V6(v6), |(high, low)| {
        Ipv4Addr::from(u32::from(high) << 16 | u32::from(low)).into()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_addresses_are_a_setting_and_metadata_never() {
        for (address, private, public) in [
            ("93.184.216.34", true, true),
            ("2606:4700::1", true, true),
            ("10.0.0.1", true, false),
            ("127.0.0.1", true, false),
            ("192.168.1.1", true, false),
            ("100.64.0.1", true, false),
            ("::1", true, false),
            ("fc00::1", true, false),
            ("::ffff:10.0.0.1", true, false),
            ("169.254.169.254", false, false),
            ("::ffff:169.254.169.254", false, false),
            ("::169.254.169.254", false, false),
            ("64:ff9b::169.254.169.254", false, false),
            ("2002:a9fe:a9fe::1", false, false),
            ("64:ff9b::10.0.0.1", true, false),
            ("fe80::1", false, false),
            ("fd00:ec2::254", false, false),
            ("100.100.100.200", false, false),
            ("0.0.0.0", false, false),
            ("::", false, false),
            ("224.0.0.1", false, false),
        ] {
            let ip: IpAddr = address.parse().unwrap();
            assert_eq!(
                may_be_called(ip, true),
                private,
                "{address} on a private network"
            );
            assert_eq!(
                may_be_called(ip, false),
                public,
                "{address} on the public one"
            );
        }
    }

    #[test]
    fn literal_addresses_are_filtered_in_every_spelling() {
        for text in [
            "http://169.254.169.254/",
            "http://0xa9fea9fe/",
            "http://2852039166/",
            "http://[fe80::1]/",
        ] {
            assert!(
                !literal_may_be_called(&Url::parse(text).unwrap(), true),
                "{text}"
            );
        }
        assert!(literal_may_be_called(
            &Url::parse("http://moodle.example.org/").unwrap(),
            false
        ));
    }
}
