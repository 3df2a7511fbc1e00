//! Who a request comes from when proxies stand between.
//!
//! The peer of the socket is believed. Only if it is a trusted proxy, `X-Forwarded-For` is walked from
//! the right, over further trusted proxies, to the first hop that is none: whatever stands left of that
//! one was written by the client itself.
//!
//! Invariant: a client behind no trusted proxy cannot change its address by any header. A header that
//! cannot be read in the part that matters counts as absent.

use std::net::{IpAddr, Ipv6Addr};

use axum::http::{HeaderMap, HeaderName};

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Bits of an IPv6 address that name a customer; the rest is theirs to choose.
const IPV6_BITS: u32 = 64;

/// Hops of a header that are looked at; a longer chain counts as broken.
const HOPS_MAX: usize = 32;

/// The proxies whose word counts.
#[derive(Clone, Debug, Default)]
pub struct Proxies(Vec<Network>);

/// An address range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Network {
    address: u128,
    bits: u32,
}

/// An entry of `http.trusted_proxies` is neither an address nor a network.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{found}` is neither an address nor a network; write `10.0.0.7`, `10.0.0.0/8` or `fd00::/8`")]
pub struct NetworkError {
    found: String,
}

impl Proxies {
    /// Reads addresses and networks as the settings hold them.
    pub fn parse(entries: &[String]) -> Result<Self, NetworkError> {
        let networks = entries
            .iter()
            .map(|entry| Network::parse(entry.trim()).ok_or_else(|| NetworkError { found: entry.clone() }));
        networks.collect::<Result<_, _>>().map(Self)
    }

    /// Returns the client's address: the peer, or what a trusted proxy says (F8).
    pub fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let peer = plain(peer);
        if !self.trusts(peer) {
            return peer;
        }
        self.walk(headers).unwrap_or(peer)
    }

    /// Walks to the right-most hop that is no proxy of ours, or to the left end if all are.
    fn walk(&self, headers: &HeaderMap) -> Option<IpAddr> {
        let mut last = None;
        let values: Vec<_> = headers.get_all(FORWARDED_FOR).iter().collect();
        let mut left = HOPS_MAX;
        for value in values.into_iter().rev() {
            for hop in value.to_str().ok()?.split(',').rev() {
                left = left.checked_sub(1)?;
                let hop = plain(parse_hop(hop.trim())?);
                last = Some(hop);
                if !self.trusts(hop) {
                    return last;
                }
            }
        }
        last
    }

    fn trusts(&self, address: IpAddr) -> bool {
        let address = wide(address);
        self.0.iter().any(|network| network.holds(address))
    }
}

impl Network {
    fn parse(text: &str) -> Option<Self> {
        let (address, bits) = text.split_once('/').map_or((text, None), |(a, b)| (a, Some(b)));
        let address: IpAddr = address.parse().ok()?;
        let width = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.map_or(Some(width), |bits| bits.parse().ok()).filter(|bits| *bits <= width)?;
        // A network of v4 addresses is one of v4-mapped v6 addresses.
        Some(Self { address: wide(address), bits: bits + 128 - width })
    }

    const fn holds(&self, address: u128) -> bool {
        mask(address, self.bits) == mask(self.address, self.bits)
    }
}

/// Returns the address that a bucket counts by: v4 whole, v6 by its /64.
pub fn group(address: IpAddr) -> IpAddr {
    match plain(address) {
        IpAddr::V4(v4) => IpAddr::V4(v4),
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(mask(v6.to_bits(), IPV6_BITS))),
    }
}

/// Turns a v4 address in v6 clothes back into what it is.
fn plain(address: IpAddr) -> IpAddr {
    address.to_canonical()
}

fn wide(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().to_bits(),
        IpAddr::V6(v6) => v6.to_bits(),
    }
}

const fn mask(address: u128, bits: u32) -> u128 {
    match u128::MAX.checked_shl(128 - bits) {
        Some(mask) => address & mask,
        None => 0,
    }
}

/// Reads one hop: an address, in brackets or not, with a port or not.
fn parse_hop(hop: &str) -> Option<IpAddr> {
    if let Ok(address) = hop.parse() {
        return Some(address);
    }
    if let Ok(with_port) = hop.parse::<std::net::SocketAddr>() {
        return Some(with_port.ip());
    }
    hop.strip_prefix('[')?.strip_suffix(']')?.parse::<Ipv6Addr>().ok().map(IpAddr::V6)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PEER: &str = "192.0.2.1";

    fn proxies() -> Proxies {
        Proxies::parse(&["10.0.0.0/8".to_owned(), "fd00::/8".to_owned(), "203.0.113.9".to_owned()]).unwrap()
    }

    fn client(peer: &str, forwarded: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append(FORWARDED_FOR, value.parse().unwrap());
        }
        proxies().client(peer.parse().unwrap(), &headers).to_string()
    }

    #[test]
    fn an_untrusted_peer_gains_nothing_by_a_header() {
        assert_eq!(client(PEER, &["198.51.100.7"]), PEER);
        assert_eq!(client(PEER, &["198.51.100.8, 10.0.0.1"]), PEER);
    }

    #[test]
    fn the_right_most_hop_that_is_no_proxy_of_ours_is_the_client() {
        assert_eq!(client("10.0.0.1", &["198.51.100.7"]), "198.51.100.7");
        assert_eq!(client("10.0.0.1", &["1.1.1.1, 198.51.100.7"]), "198.51.100.7");
        assert_eq!(client("10.0.0.1", &["1.1.1.1, 198.51.100.7, 10.0.0.2"]), "198.51.100.7");
        assert_eq!(client("10.0.0.1", &["1.1.1.1", "198.51.100.7, 203.0.113.9", "10.0.0.2"]), "198.51.100.7");
        assert_eq!(client("fd00::1", &["2001:db8::7"]), "2001:db8::7");
        assert_eq!(client("10.0.0.1", &["10.0.0.3, 10.0.0.2"]), "10.0.0.3");
    }

    #[test]
    fn ports_brackets_and_mapped_addresses_are_read() {
        assert_eq!(client("10.0.0.1", &["198.51.100.7:4711"]), "198.51.100.7");
        assert_eq!(client("10.0.0.1", &["[2001:db8::7]:4711"]), "2001:db8::7");
        assert_eq!(client("10.0.0.1", &["[2001:db8::7]"]), "2001:db8::7");
        assert_eq!(client("::ffff:10.0.0.1", &["::ffff:198.51.100.7"]), "198.51.100.7");
        assert_eq!(client("::1", &["198.51.100.7"]), "::1");
    }

    #[test]
    fn a_broken_header_leaves_the_peer() {
        let chain = vec!["10.0.0.1"; HOPS_MAX + 1].join(",");
        let broken = [
            "",
            " ",
            ",",
            ",,",
            "unknown",
            "_hidden",
            "198.51.100",
            "198.51.100.256",
            "198.51.100.7.1",
            "198.51.100.7,",
            "198.51.100.7, ",
            "198.51.100.7,unknown",
            "198.51.100.7 1.1.1.1",
            "0x7f.1",
            "198.51.100.7;1.1.1.1",
            "\"198.51.100.7\"",
            "for=198.51.100.7",
            "198.51.100.7:",
            "198.51.100.7:99999",
            "198.51.100.7:http",
            "[198.51.100.7]",
            "[2001:db8::7",
            "2001:db8::7]",
            "[]",
            "[:",
            "2001:db8:::7",
            "2001:db8::g",
            "fe80::1%eth0",
            "10.0.0.0/8",
            "http://198.51.100.7",
            "localhost",
            "198.51.100.7\t1",
            "-1",
            "1",
            "1.1",
            "null",
            "undefined",
            "%31.1.1.1",
            "198.51.100.07",
            chain.as_str(),
        ];
        assert_eq!(broken.len(), 40);

        for header in broken {
            assert_eq!(client("10.0.0.1", &[header]), "10.0.0.1", "{header}");
        }
    }

    #[test]
    fn version_six_addresses_are_grouped_by_64_bits() {
        let group = |text: &str| super::group(text.parse().unwrap()).to_string();

        assert_eq!(group("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
        assert_eq!(group("::1"), "::");
        assert_eq!(group("198.51.100.7"), "198.51.100.7");
        assert_eq!(group("::ffff:198.51.100.7"), "198.51.100.7");
    }

    #[test]
    fn what_is_no_network_is_named() {
        let error = Proxies::parse(&["10.0.0.0/33".to_owned()]).unwrap_err();

        insta::assert_snapshot!(error, @"`10.0.0.0/33` is neither an address nor a network; write `10.0.0.7`, `10.0.0.0/8` or `fd00::/8`");
    }

    proptest! {
        #[test]
        fn what_a_client_writes_never_counts(forged in "[ -~]{0,80}", client_bits: u32) {
            let client = IpAddr::from(client_bits.to_be_bytes());
            prop_assume!(!proxies().trusts(client));
            let mut headers = HeaderMap::new();
            headers.append(FORWARDED_FOR, format!("{forged}, {client}").parse().unwrap());

            let seen = proxies().client("10.0.0.1".parse().unwrap(), &headers);

            prop_assert_eq!(seen, client);
        }
    }
}
