//! Where requests may go. Names are resolved and filtered in one step, for each new connection, so that what was
//! checked is what is connected to; literal addresses are filtered too. [`execute`] is the one way to send.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use futures_util::future::BoxFuture;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

use super::Failure;

/// What a name leads to.
type Found = std::io::Result<Vec<SocketAddr>>;

/// Resolves names to addresses that may be called.
pub(super) struct Filter {
    private_network: bool,
    look_up: Arc<dyn Fn(String) -> BoxFuture<'static, Found> + Send + Sync>,
}

impl Filter {
    /// The system's resolver, filtered.
    pub(super) fn of_system(private_network: bool) -> Self {
        let look_up = |name: String| -> BoxFuture<'static, Found> {
            Box::pin(async move { Ok(tokio::net::lookup_host((name, 0)).await?.collect()) })
        };
        Self {
            private_network,
            look_up: Arc::new(look_up),
        }
    }
}

impl Resolve for Filter {
    fn resolve(&self, name: Name) -> Resolving {
        let private_network = self.private_network;
        let found = (self.look_up)(name.as_str().to_owned());
        Box::pin(async move {
            let mut allowed = found.await?;
            allowed.retain(|address| may_be_called(address.ip(), private_network));
            if allowed.is_empty() {
                return Err("its name leads only to addresses that must not be called".into());
            }
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}

/// Sends a request, if its address may be called. A name is the resolver's to judge; a literal address, which no
/// resolver sees, is judged here.
pub(super) async fn execute(
    client: &reqwest::Client,
    request: reqwest::Request,
    private_network: bool,
) -> Result<reqwest::Result<reqwest::Response>, Failure> {
    if literal_may_be_called(request.url(), private_network) {
        Ok(client.execute(request).await)
    } else {
        let words = "its address is one that must not be called";
        Err(Failure::NotCallable(words.to_owned()))
    }
}

/// Whether an address with a literal IP in place of a name may be called; names are the resolver's.
fn literal_may_be_called(url: &Url, private_network: bool) -> bool {
    match url.host() {
        Some(Host::Ipv4(ip)) => may_be_called(ip.into(), private_network),
        Some(Host::Ipv6(ip)) => may_be_called(ip.into(), private_network),
        Some(Host::Domain(_)) => true,
        None => false,
    }
}

/// Where clouds tell machines who they are and give them keys, as far as that is not link-local: Alibaba, Azure.
const METADATA_V4: [Ipv4Addr; 2] = [
    Ipv4Addr::new(100, 100, 100, 200),
    Ipv4Addr::new(168, 63, 129, 16),
];
/// The same of AWS and Google, by their first two groups.
const METADATA_V6: [[u16; 2]; 2] = [[0xfd00, 0xec2], [0xfd20, 0xce]];

/// Link-local, metadata and reserved addresses never; private and loopback ones where the server is set so.
pub(super) fn may_be_called(ip: IpAddr, private_network: bool) -> bool {
    match plain(ip) {
        IpAddr::V4(ip) => {
            let [a, b, c, _] = ip.octets();
            let shared = a == 100 && (64..128).contains(&b);
            let benchmarks = a == 198 && (b == 18 || b == 19);
            // 192.0.0.0/24 is for protocols; Oracle's metadata is in it.
            let reserved = a == 0 || a >= 224 || (a, b, c) == (192, 0, 0);
            let never = ip.is_link_local() || reserved || METADATA_V4.contains(&ip);
            let private = ip.is_private() || ip.is_loopback() || shared || benchmarks;
            !never && (private_network || !private)
        }
        IpAddr::V6(ip) => {
            let [a, b, ..] = ip.segments();
            // What leads to an IPv4 address that cannot be read off it: Teredo, and networks' own NAT64.
            let hidden = (a, b) == (0x2001, 0) || (a, b) == (0x64, 0xff9b);
            let never = ip.is_unicast_link_local()
                || ip.is_unspecified()
                || ip.is_multicast()
                || METADATA_V6.contains(&[a, b])
                || hidden;
            // fec0::/10 is what fc00::/7 was before.
            let private = ip.is_unique_local() || ip.is_loopback() || a & 0xffc0 == 0xfec0;
            !never && (private_network || !private)
        }
    }
}

/// An IPv4 address in whichever way IPv6 wraps it: mapped, translated, compatible, NAT64, 6to4, ISATAP.
fn plain(ip: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = ip.to_canonical() else {
        return ip.to_canonical();
    };
    let wrapped = match v6.segments() {
        [0, 0, 0, 0, 0, 0, high, low] if high != 0 => Some((high, low)),
        [0, 0, 0, 0, 0xffff, 0, high, low] => Some((high, low)),
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => Some((high, low)),
        [0x2002, high, low, ..] => Some((high, low)),
        [_, _, _, _, 0 | 0x200, 0x5efe, high, low] if !is_local(v6) => Some((high, low)),
        _ => None,
    };
    wrapped.map_or(IpAddr::V6(v6), |(high, low)| {
        Ipv4Addr::from(u32::from(high) << 16 | u32::from(low)).into()
    })
}

/// What is not to be called by itself needs no unwrapping.
fn is_local(ip: Ipv6Addr) -> bool {
    ip.is_unicast_link_local() || ip.is_unique_local()
}

#[cfg(test)]
mod tests;
