//! From where somebody asks: the address of the connection, or the one a proxy of ours says it had.

use std::net::{IpAddr, Ipv6Addr};

use axum::http::HeaderMap;

/// The other end of a connection. The listener puts it beside each request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer(pub IpAddr);

/// Whose word is taken for where a request comes from: addresses, and networks as `10.0.0.0/8`.
/// Nobody's, where nobody is named: a header is written by whoever asks, also on this very machine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proxies(Vec<(IpAddr, u8)>);

impl std::str::FromStr for Proxies {
    type Err = String;

    /// Reads a list with commas; an empty one trusts nobody.
    fn from_str(text: &str) -> Result<Self, String> {
        text.split(',')
            .map(str::trim)
            .filter(|one| !one.is_empty())
            .map(network)
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

fn network(text: &str) -> Result<(IpAddr, u8), String> {
    let fault = || format!("`{text}` is neither an address nor a network like 10.0.0.0/8");
    let (address, bits) = text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
    let address: IpAddr = address.parse().map_err(|_| fault())?;
    let most = if address.is_ipv4() { 32 } else { 128 };
    let bits = bits.map_or(Ok(most), |bits| bits.parse().map_err(|_| fault()))?;
    if bits > most { Err(fault()) } else { Ok((address, bits)) }
}

impl Proxies {
    fn trust(&self, address: IpAddr) -> bool {
        self.0.iter().any(|(network, bits)| match (network, address.to_canonical()) {
            (IpAddr::V4(network), IpAddr::V4(address)) => {
                (u32::from(*network) ^ u32::from(address)).checked_shr(32 - u32::from(*bits)).unwrap_or(0)
                    == 0
            }
            (IpAddr::V6(network), IpAddr::V6(address)) => {
                (u128::from(*network) ^ u128::from(address)).checked_shr(128 - u32::from(*bits)).unwrap_or(0)
                    == 0
            }
            _ => false,
        })
    }

    /// Who asks, for counting: the last address on the way here that no proxy of ours vouches for. What stands before
    /// it in `X-Forwarded-For` anybody may have written. Of IPv6 the network of 64 bits: one house has all of it.
    pub fn origin(&self, peer: Peer, headers: &HeaderMap) -> IpAddr {
        let mut last = peer.0.to_canonical();
        let lines = headers.get_all("x-forwarded-for").iter().filter_map(|line| line.to_str().ok());
        let told: Vec<&str> = lines.flat_map(|line| line.split(',')).map(str::trim).collect();
        for before in told.into_iter().rev() {
            let Ok(before) = before.parse::<IpAddr>() else { break };
            if !self.trust(last) {
                break;
            }
            last = before.to_canonical();
        }
        match last {
            IpAddr::V4(_) => last,
            IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from(u128::from(address) & (u128::MAX << 64))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn origin(proxies: &str, peer: &str, told: &'static str) -> String {
        let mut headers = HeaderMap::new();
        headers.insert("x-forwarded-for", HeaderValue::from_static(told));
        let proxies: Proxies = proxies.parse().unwrap();
        proxies.origin(Peer(peer.parse().unwrap()), &headers).to_string()
    }

    #[test]
    fn only_a_proxy_of_ours_is_believed_and_only_about_whom_it_saw_itself() {
        assert_eq!(origin("", "127.0.0.1", "1.2.3.4"), "127.0.0.1");
        assert_eq!(origin("", "::1", "1.2.3.4"), "::");
        assert_eq!("".parse::<Proxies>(), Ok(Proxies::default()), "nobody is trusted unless named");
        assert_eq!(origin("127.0.0.1", "127.0.0.1", "1.2.3.4"), "1.2.3.4");
        assert_eq!(
            origin("127.0.0.1", "127.0.0.1", "9.9.9.9, 1.2.3.4"),
            "1.2.3.4",
            "what stands before is hearsay"
        );
        assert_eq!(origin("127.0.0.1, 10.0.0.0/8", "127.0.0.1", "1.2.3.4, 10.7.0.1"), "1.2.3.4");
        assert_eq!(origin("10.0.0.0/8", "11.0.0.1", "1.2.3.4"), "11.0.0.1");
        assert_eq!(origin("127.0.0.1", "127.0.0.1", "nonsense"), "127.0.0.1");
        assert_eq!(origin("127.0.0.1", "::ffff:127.0.0.1", "1.2.3.4"), "1.2.3.4");
    }

    #[test]
    fn a_house_is_one_network_of_ipv6() {
        assert_eq!(origin("", "2001:db8:1:2:3:4:5:6", ""), "2001:db8:1:2::");
    }

    #[test]
    fn what_is_no_address_is_named() {
        for wrong in ["here", "10.0.0.0/33", "10.0.0.0/x", "1.2.3"] {
            assert!(wrong.parse::<Proxies>().unwrap_err().contains(wrong), "{wrong}");
        }
        assert!("0.0.0.0/0".parse::<Proxies>().is_ok());
        assert_eq!(origin("0.0.0.0/0", "8.8.8.8", "1.2.3.4"), "1.2.3.4");
    }
}
