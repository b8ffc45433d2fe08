//! Which addresses may be connected to.
//!
//! Source of the ranges: the IANA special-purpose address registries for IPv4
//! and IPv6 (RFC 6890 and its successors), and the metadata services of clouds.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use crate::Config;

const fn v4(a: u8, b: u8, c: u8, d: u8, bits: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), bits)
}

const fn v6(a: u16, b: u16, c: u16, bits: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0), bits)
}

const REFUSED_V4: &[(Ipv4Net, &str)] = &[
    (v4(0, 0, 0, 0, 8), "this host"),
    (v4(10, 0, 0, 0, 8), "private"),
    (v4(100, 64, 0, 0, 10), "carrier-grade NAT"),
    (v4(127, 0, 0, 0, 8), "loopback"),
    (v4(168, 63, 129, 16, 32), "cloud metadata"),
    (v4(169, 254, 0, 0, 16), "link-local"),
    (v4(172, 16, 0, 0, 12), "private"),
    (v4(192, 0, 0, 0, 24), "protocol assignment"),
    (v4(192, 0, 2, 0, 24), "documentation"),
    (v4(192, 88, 99, 0, 24), "6to4 relay"),
    (v4(192, 168, 0, 0, 16), "private"),
    (v4(198, 18, 0, 0, 15), "benchmark"),
    (v4(198, 51, 100, 0, 24), "documentation"),
    (v4(203, 0, 113, 0, 24), "documentation"),
    (v4(224, 0, 0, 0, 4), "multicast"),
    (v4(240, 0, 0, 0, 4), "reserved"),
];

/// All of IPv6 that is routed publicly. Everything else (loopback, ULA,
/// link-local, multicast, IPv4-mapped, NAT64…) is refused without being listed.
const PUBLIC_V6: Ipv6Net = v6(0x2000, 0, 0, 3);

const REFUSED_V6: &[(Ipv6Net, &str)] = &[
    (v6(0x2001, 0, 0, 23), "protocol assignment"),
    (v6(0x2001, 0xdb8, 0, 32), "documentation"),
    (v6(0x2002, 0, 0, 16), "6to4"),
    (v6(0x3fff, 0, 0, 20), "documentation"),
];

/// An address that is not permitted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{host} may not be reached: {why} address")]
pub struct Refusal {
    /// The host name or literal address that was asked for.
    pub host: String,
    /// Which kind of address it is or resolves to.
    pub why: &'static str,
}

/// Which addresses may be connected to: the public ones and those listed.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    networks: Vec<IpNet>,
    hosts: Vec<String>,
}

impl Rules {
    pub fn new(config: &Config) -> Self {
        Self {
            networks: config.allow_networks.clone(),
            hosts: config.allow_hosts.iter().map(|host| normal(host)).collect(),
        }
    }

    /// Why an address is refused; `None` if it may be connected to.
    pub fn refuses(&self, address: IpAddr) -> Option<&'static str> {
        let listed = self.networks.iter().any(|network| network.contains(&address));
        match address {
            IpAddr::V4(address) => special_v4(address).filter(|_| !listed),
            IpAddr::V6(address) => match embedded(address) {
                // Listing ::ffff:0:0/96 or 64:ff9b::/96 opens the way, not what lies behind it.
                Some((inner, "IPv4-mapped")) if self.lists(inner.into()) => None,
                Some((inner, _)) if listed => self.refuses(inner.into()),
                Some((_, why)) => Some(why),
                None => special_v6(address).filter(|_| !listed),
            },
        }
    }

    fn lists(&self, address: IpAddr) -> bool {
        self.networks.iter().any(|network| network.contains(&address))
    }

    /// Whether a host name may be reached wherever it resolves to.
    pub fn trusts(&self, host: &str) -> bool {
        let host = normal(host);
        self.hosts.contains(&host)
    }

    /// Judges the host of an address before anything is resolved. Names pass:
    /// what they resolve to is judged by [`Rules::permitted`].
    pub fn check_literal(&self, host: &str) -> Result<(), Refusal> {
        let bare = host.strip_prefix('[').and_then(|h| h.strip_suffix(']')).unwrap_or(host);
        let Ok(address) = bare.parse::<IpAddr>() else { return Ok(()) };
        if self.trusts(bare) {
            return Ok(());
        }
        self.refuses(address).map_or(Ok(()), |why| Err(Refusal { host: host.to_owned(), why }))
    }

    /// Keeps of a resolved name what may be connected to; refused if nothing is left.
    pub fn permitted(&self, host: &str, found: Vec<SocketAddr>) -> Result<Vec<SocketAddr>, Refusal> {
        if self.trusts(host) {
            return Ok(found);
        }
        let mut why = None;
        let kept: Vec<SocketAddr> = found
            .into_iter()
            .filter(|address| {
                let refused = self.refuses(address.ip());
                why = why.or(refused);
                refused.is_none()
            })
            .collect();
        match why {
            Some(why) if kept.is_empty() => Err(Refusal { host: host.to_owned(), why }),
            _ => Ok(kept),
        }
    }
}

fn normal(host: &str) -> String {
    host.trim_end_matches('.').to_ascii_lowercase()
}

fn special_v4(address: Ipv4Addr) -> Option<&'static str> {
    REFUSED_V4.iter().find(|(network, _)| network.contains(&address)).map(|(_, why)| *why)
}

fn special_v6(address: Ipv6Addr) -> Option<&'static str> {
    if address.is_loopback() {
        return Some("loopback");
    }
    if address.is_unique_local() {
        return Some("private");
    }
    if address.is_unicast_link_local() {
        return Some("link-local");
    }
    if !PUBLIC_V6.contains(&address) {
        return Some("reserved");
    }
    REFUSED_V6.iter().find(|(network, _)| network.contains(&address)).map(|(_, why)| *why)
}

/// The IPv4 address that a gateway or tunnel would take out of an IPv6 one.
fn embedded(address: Ipv6Addr) -> Option<(Ipv4Addr, &'static str)> {
    let parts = address.segments();
    let from = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        Ipv4Addr::new(a, b, c, d)
    };
    let last = from(parts[6], parts[7]);
    match parts {
        [0, 0, 0, 0, 0, 0xffff, ..] => Some((last, "IPv4-mapped")),
        [0, 0, 0, 0, 0, 0, high, _] if high != 0 => Some((last, "IPv4-compatible")),
        [0, 0, 0, 0, 0xffff, 0, ..] => Some((last, "IPv4-translated")),
        [0x64, 0xff9b, ..] => Some((last, "NAT64")),
        [0x2002, high, low, ..] => Some((from(high, low), "6to4")),
        // Teredo keeps the client's address inverted.
        [0x2001, 0, ..] => Some((from(!parts[6], !parts[7]), "Teredo")),
        [_, _, _, _, 0 | 0x200, 0x5efe, ..] => Some((last, "ISATAP")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(networks: &[&str], hosts: &[&str]) -> Rules {
        Rules::new(&Config {
            allow_networks: networks.iter().map(|n| n.parse().unwrap()).collect(),
            allow_hosts: hosts.iter().map(|&h| h.to_owned()).collect(),
            ..Config::default()
        })
    }

    const PRIVATE: &[&str] = &[
        "0.0.0.0",
        "0.1.2.3",
        "10.0.0.1",
        "10.255.255.255",
        "100.64.0.1",
        "100.100.100.200",
        "100.127.255.255",
        "127.0.0.1",
        "127.255.255.254",
        "168.63.129.16",
        "169.254.0.1",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.192",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.0.1",
        "198.18.0.1",
        "198.19.255.255",
        "198.51.100.7",
        "203.0.113.9",
        "224.0.0.1",
        "239.255.255.255",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::127.0.0.1",
        "::ffff:127.0.0.1",
        "::ffff:8.8.8.8",
        "::ffff:0:10.0.0.1",
        "64:ff9b::10.0.0.1",
        "64:ff9b::8.8.8.8",
        "64:ff9b:1::1",
        "100::1",
        "2001::1",
        "2001:0:4136:e378:8000:63bf:3fff:fdd2",
        "2001:10::1",
        "2001:db8::1",
        "2002:7f00:1::",
        "2002:808:808::1",
        "3fff::1",
        "5f00::1",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "fec0::1",
        "ff02::1",
        "2a00:1450::5efe:a00:1",
        "2a00:1450::200:5efe:a00:1",
    ];

    const PUBLIC: &[&str] = &[
        "1.1.1.1",
        "8.8.8.8",
        "9.255.255.255",
        "11.0.0.0",
        "100.63.255.255",
        "100.128.0.0",
        "126.255.255.255",
        "128.0.0.0",
        "168.63.129.15",
        "169.253.255.255",
        "172.15.255.255",
        "172.32.0.0",
        "192.0.1.1",
        "192.167.255.255",
        "192.169.0.0",
        "198.17.255.255",
        "198.20.0.0",
        "223.255.255.255",
        "2001:200::1",
        "2001:4860:4860::8888",
        "2400:3200::1",
        "2606:4700:4700::1111",
        "3ffe::1",
    ];

    #[test]
    fn only_public_addresses_are_reached_by_default() {
        let rules = Rules::default();
        for text in PRIVATE {
            assert!(rules.refuses(text.parse().unwrap()).is_some(), "{text} was let through");
        }
        for text in PUBLIC {
            assert_eq!(rules.refuses(text.parse().unwrap()), None, "{text} was refused");
        }
    }

    #[test]
    fn a_listed_network_is_reached_and_its_neighbours_are_not() {
        let rules = rules(&["10.1.0.0/16", "fd12::/16"], &[]);
        for good in ["10.1.2.3", "fd12::1", "::ffff:10.1.2.3"] {
            assert_eq!(rules.refuses(good.parse().unwrap()), None, "{good}");
        }
        for bad in ["10.2.0.1", "fd13::1", "::ffff:10.2.0.1", "64:ff9b::10.1.2.3", "127.0.0.1"] {
            assert!(rules.refuses(bad.parse().unwrap()).is_some(), "{bad}");
        }
    }

    #[test]
    fn listing_a_translated_network_does_not_open_private_addresses_behind_it() {
        let rules = rules(&["64:ff9b::/96", "::ffff:0:0/96"], &[]);
        assert_eq!(rules.refuses("64:ff9b::8.8.8.8".parse().unwrap()), None);
        for bad in ["64:ff9b::10.0.0.1", "64:ff9b::169.254.169.254", "::ffff:127.0.0.1"] {
            assert!(rules.refuses(bad.parse().unwrap()).is_some(), "{bad}");
        }
    }

    #[test]
    fn a_listed_host_is_found_whatever_its_case_and_closing_dot() {
        let rules = rules(&[], &["Git.Corp.Example"]);
        assert!(rules.trusts("git.corp.example."));
        for other in ["x.git.corp.example", "corp.example", "git.corp.example.evil.test"] {
            assert!(!rules.trusts(other), "{other}");
        }
    }

    #[test]
    fn of_a_name_with_public_and_private_addresses_only_the_public_stay() {
        let found = vec!["10.0.0.1:0".parse().unwrap(), "8.8.8.8:0".parse().unwrap()];
        let kept = Rules::default().permitted("mixed.test", found).unwrap();
        assert_eq!(kept, ["8.8.8.8:0".parse().unwrap()]);
        let refused = Rules::default().permitted("inner.test", vec!["10.0.0.1:0".parse().unwrap()]);
        assert_eq!(refused, Err(Refusal { host: "inner.test".into(), why: "private" }));
    }
}
