//! Whom a list of proxies trusts: the list on a line, then the address of the connection, then what `X-Forwarded-For` says,
//! a line each.

use std::net::IpAddr;

use axum::http::{HeaderMap, HeaderValue};
use platform::http::{Peer, Proxies};

use super::super::{Read, head, text};

pub fn proxies(bytes: &[u8]) -> Read {
    let (list, rest) = head(bytes);
    let (peer, mut rest) = head(rest);
    let Some(list) = text(list) else { return Read::Refused };
    let trusted = match list.parse::<Proxies>() {
        Ok(trusted) => trusted,
        Err(fault) => {
            assert!(!fault.is_empty());
            return Read::Refused;
        }
    };
    let peer = text(peer).and_then(|peer| peer.parse::<IpAddr>().ok());
    let Some(peer) = peer.map(Peer) else { return Read::Refused };
    let mut headers = HeaderMap::new();
    while !rest.is_empty() {
        let (line, after) = head(rest);
        rest = after;
        if let Ok(value) = HeaderValue::from_bytes(line) {
            headers.append("x-forwarded-for", value);
        }
    }
    let alone = trusted.origin(peer, &HeaderMap::new());
    let origin = trusted.origin(peer, &headers);
    let nobody = Proxies::default().origin(peer, &headers);
    assert_eq!(nobody, alone, "who is trusted by nobody cannot say who they are");
    // It is the peer, or an address that somebody trusted has named.
    let told = |address: &IpAddr| Proxies::default().origin(Peer(*address), &HeaderMap::new());
    let named = headers.get_all("x-forwarded-for").iter().filter_map(|line| line.to_str().ok());
    let mut named =
        named.flat_map(|line| line.split(',')).filter_map(|one| one.trim().parse::<IpAddr>().ok());
    assert!(origin == alone || named.any(|address| told(&address) == origin), "{origin}");
    (origin != alone || trusted != Proxies::default()).into()
}
