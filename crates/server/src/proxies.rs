//! Who asks, when a proxy stands in front. What its headers say is believed
//! only of those that the configuration trusts, and of a chain only the part
//! that they wrote: what stands further left a client may have made up.

use std::net::{IpAddr, SocketAddr};

use http::HeaderMap;
use ipnet::IpNet;
use kernel::Arrival;

use crate::config::{Config, ProxyHeaders};

/// More hops than anybody has proxies.
const HOPS: usize = 32;

/// What is believed of headers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proxies {
    trusted: Vec<IpNet>,
    headers: ProxyHeaders,
    /// Whether plain http that nobody says more about counts as https: behind
    /// a proxy of which the configuration only tells the public address.
    presumed_https: bool,
}

/// One element of a chain.
struct Hop {
    /// `None` where it cannot be read, or hides itself.
    ip: Option<IpAddr>,
    https: Option<bool>,
}

impl Proxies {
    pub fn new(config: &Config, own_tls: bool) -> Self {
        let public_https = config.public_url().is_some_and(|url| url.starts_with("https://"));
        Self {
            trusted: config.trusted_proxies.clone(),
            headers: config.proxy_headers,
            presumed_https: public_https && !own_tls && config.trusted_proxies.is_empty(),
        }
    }

    /// Whether it is a proxy of ours.
    pub fn trusts(&self, ip: IpAddr) -> bool {
        self.trusted.iter().any(|net| net.contains(&ip))
    }

    /// How a request arrived on a connection from `peer` to `to`.
    pub fn arrival(&self, peer: SocketAddr, to: Option<IpAddr>, tls: bool, headers: &HeaderMap) -> Arrival {
        let peer = peer.ip().to_canonical();
        if !self.trusts(peer) {
            return Arrival { peer: Some(peer), to, https: tls || self.presumed_https };
        }
        let hops = match self.headers {
            ProxyHeaders::XForwarded => x_forwarded(headers),
            ProxyHeaders::Forwarded => forwarded(headers),
        };
        // From the right: what our own proxies saw, until one that is not ours.
        let (mut at, mut https) = (Some(peer), None);
        for hop in hops.into_iter().rev().take(HOPS) {
            at = hop.ip;
            https = hop.https.or(https);
            if !at.is_some_and(|ip| self.trusts(ip)) {
                break;
            }
        }
        if self.headers == ProxyHeaders::XForwarded {
            https = last(headers, "x-forwarded-proto").map(|proto| proto.eq_ignore_ascii_case("https"));
        }
        Arrival { peer: at, to: None, https: https.unwrap_or(tls) }
    }
}

/// All elements of a header that may be a list, over all of its lines.
fn elements<'h>(headers: &'h HeaderMap, name: &'static str) -> impl Iterator<Item = &'h str> {
    let lines = headers.get_all(name).iter().map(|v| v.to_str().unwrap_or_default());
    lines.flat_map(|line| line.split(',')).map(str::trim).filter(|part| !part.is_empty())
}

fn last<'h>(headers: &'h HeaderMap, name: &'static str) -> Option<&'h str> {
    elements(headers, name).last()
}

fn x_forwarded(headers: &HeaderMap) -> Vec<Hop> {
    elements(headers, "x-forwarded-for").map(|text| Hop { ip: node(text), https: None }).collect()
}

/// RFC 7239. A comma inside quotation marks is none of an address, so an
/// element that holds one cannot be read, which is what it deserves.
fn forwarded(headers: &HeaderMap) -> Vec<Hop> {
    let hop = |element: &str| {
        let mut hop = Hop { ip: None, https: None };
        for pair in element.split(';') {
            let Some((name, value)) = pair.trim().split_once('=') else { continue };
            let value = value.trim_matches('"');
            if name.eq_ignore_ascii_case("for") {
                hop.ip = node(value);
            } else if name.eq_ignore_ascii_case("proto") {
                hop.https = Some(value.eq_ignore_ascii_case("https"));
            }
        }
        hop
    };
    elements(headers, "forwarded").map(hop).collect()
}

/// An address, perhaps with a port: `1.2.3.4`, `1.2.3.4:5`, `::1`, `[::1]:5`.
fn node(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|t| t.strip_suffix(']')).unwrap_or(text);
    let with_port = || text.parse::<SocketAddr>().ok().map(|at| at.ip());
    bare.parse().ok().or_else(with_port).map(|ip: IpAddr| ip.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxies(headers: ProxyHeaders) -> Proxies {
        let trusted = ["127.0.0.0/8", "10.0.0.0/8", "fd00::/8"].iter().map(|n| n.parse().unwrap()).collect();
        Proxies { trusted, headers, presumed_https: false }
    }

    fn ask(headers: ProxyHeaders, from: &str, lines: &[(&'static str, &str)]) -> (Option<String>, bool) {
        let mut map = HeaderMap::new();
        for (name, value) in lines {
            map.append(*name, value.parse().unwrap());
        }
        let peer = SocketAddr::new(from.parse().unwrap(), 9);
        let arrival = proxies(headers).arrival(peer, None, false, &map);
        (arrival.peer.map(|ip| ip.to_string()), arrival.https)
    }

    fn x(from: &str, chain: &str) -> Option<String> {
        ask(ProxyHeaders::XForwarded, from, &[("x-forwarded-for", chain)]).0
    }

    #[expect(clippy::unnecessary_wraps, reason = "it is compared with what may be none")]
    fn some(ip: &str) -> Option<String> {
        Some(ip.to_owned())
    }

    #[test]
    fn headers_of_whoever_is_no_proxy_of_ours_are_ignored() {
        let lies = [("x-forwarded-for", "192.168.0.1"), ("x-forwarded-proto", "https"), ("forwarded", "for=10.0.0.9")];
        for headers in [ProxyHeaders::XForwarded, ProxyHeaders::Forwarded] {
            assert_eq!(ask(headers, "203.0.113.9", &lies), (some("203.0.113.9"), false));
            assert_eq!(ask(headers, "192.168.0.7", &lies), (some("192.168.0.7"), false));
        }
    }

    #[test]
    fn of_a_chain_the_rightmost_hop_that_is_not_ours_counts() {
        assert_eq!(x("127.0.0.1", "198.51.100.7"), some("198.51.100.7"));
        // The client's own lines come first; the proxy adds to the right.
        assert_eq!(x("127.0.0.1", "192.168.0.1, 10.0.0.1, 198.51.100.7"), some("198.51.100.7"));
        assert_eq!(x("10.0.0.2", "198.51.100.7, 10.0.0.3, 127.0.0.1"), some("198.51.100.7"));
        // Within our own walls.
        assert_eq!(x("10.0.0.2", "10.0.0.9, 10.0.0.3"), some("10.0.0.9"));
        let lines = [("x-forwarded-for", "192.168.0.1"), ("x-forwarded-for", "198.51.100.7")];
        assert_eq!(ask(ProxyHeaders::XForwarded, "127.0.0.1", &lines).0, some("198.51.100.7"));
    }

    #[test]
    fn ports_brackets_and_ipv6_are_read() {
        for (text, ip) in [
            ("198.51.100.7:4711", "198.51.100.7"),
            ("2001:db8::7", "2001:db8::7"),
            ("[2001:db8::7]", "2001:db8::7"),
            ("[2001:db8::7]:4711", "2001:db8::7"),
            ("::ffff:198.51.100.7", "198.51.100.7"),
        ] {
            assert_eq!(x("::ffff:127.0.0.1", text), some(ip), "{text}");
        }
        assert_eq!(x("fd00::1", "2001:db8::7, fd00::2"), some("2001:db8::7"));
    }

    #[test]
    fn what_cannot_be_read_is_nobodys_address_and_not_a_private_one() {
        for garbage in ["unknown", "_hidden", "1.2.3", "198.51.100.7:x", "198.51.100.999", "10.0.0.1 evil", "[::1"] {
            assert_eq!(x("127.0.0.1", garbage), None, "{garbage}");
            assert_eq!(x("127.0.0.1", &format!("198.51.100.7, {garbage}")), None, "{garbage}");
        }
        // Nothing said: the proxy itself asks.
        assert_eq!(x("127.0.0.1", " , "), some("127.0.0.1"));
        assert_eq!(x("127.0.0.1", &vec!["10.0.0.1"; 1_000].join(",")), some("10.0.0.1"));
    }

    #[test]
    fn the_scheme_is_the_nearest_proxys_word() {
        let proto = |value: &str| {
            let lines = [("x-forwarded-for", "198.51.100.7"), ("x-forwarded-proto", value)];
            ask(ProxyHeaders::XForwarded, "127.0.0.1", &lines).1
        };
        assert!(proto("https") && proto("HTTPS") && proto("http, https"));
        assert!(!proto("http") && !proto("https, http") && !proto("httpsx") && !proto(""));
    }

    #[test]
    fn forwarded_is_read_where_the_configuration_says_so_and_there_only() {
        let f = |value: &str| ask(ProxyHeaders::Forwarded, "127.0.0.1", &[("forwarded", value)]);
        assert_eq!(f("for=198.51.100.7;proto=https;by=10.0.0.1"), (some("198.51.100.7"), true));
        assert_eq!(f("For=\"[2001:db8::7]:47\"; Proto=http"), (some("2001:db8::7"), false));
        let chain = "for=192.168.0.1;proto=http, for=198.51.100.7;proto=https, for=10.0.0.4;proto=http";
        assert_eq!(f(chain), (some("198.51.100.7"), true));
        assert_eq!(f("for=_secret"), (None, false));
        assert_eq!(f("proto=https"), (None, true));
        // The other kind passes through a proxy unread, so it is the client's.
        let other = ask(ProxyHeaders::Forwarded, "127.0.0.1", &[("x-forwarded-for", "192.168.0.1")]);
        assert_eq!(other.0, some("127.0.0.1"));
        let other = ask(ProxyHeaders::XForwarded, "127.0.0.1", &[("forwarded", "for=192.168.0.1;proto=https")]);
        assert_eq!(other, (some("127.0.0.1"), false));
    }
}
