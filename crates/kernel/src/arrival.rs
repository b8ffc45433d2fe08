//! How a request came in: from where, and whether anybody could listen. Only
//! the listener knows; here is what it tells, and what follows from it.

use std::{
    convert::Infallible,
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use axum::{
    extract::{ConnectInfo, FromRequestParts},
    http::{Extensions, request::Parts},
};
use proto::{Code, Result};
use uuid::Uuid;

use crate::Kernel;

/// What the listener puts beside each request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// Whose request it is: of the other end of the connection, or of whom a
    /// trusted proxy names. `None` counts as a public address.
    pub peer: Option<IpAddr>,
    /// Our own end; `None` where a proxy is between.
    pub to: Option<IpAddr>,
    /// Whether the way here was encrypted.
    pub https: bool,
}

impl Arrival {
    /// Without a word of the listener: the connection's other end, and the
    /// scheme of the server's own address.
    pub fn of(extensions: &Extensions, kernel: &Kernel) -> Self {
        extensions.get::<Self>().copied().unwrap_or_else(|| Self {
            peer: Peer::of(extensions).0,
            to: None,
            https: kernel.config.https,
        })
    }

    pub fn peer(self) -> Peer {
        Peer(self.peer.map(|ip| ip.to_canonical()))
    }

    /// Secrets do not cross the open internet in clear text: on plain http
    /// both ends have private addresses.
    pub fn refuse_clear_text(self) -> Result<()> {
        let to = self.to.is_none_or(|ip| Peer(Some(ip.to_canonical())).is_private());
        if self.https || (self.peer().is_private() && to) { Ok(()) } else { Err(Code::PlainHttpRefused.into()) }
    }
}

impl FromRequestParts<Arc<Kernel>> for Arrival {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, kernel: &Arc<Kernel>) -> Result<Self, Infallible> {
        Ok(Self::of(&parts.extensions, kernel))
    }
}

/// The address a request came from; `None` where nobody tells it, which
/// counts as a public one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer(pub Option<IpAddr>);

impl<S: Send + Sync> FromRequestParts<S> for Peer {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::of(&parts.extensions))
    }
}

impl Peer {
    fn of(extensions: &Extensions) -> Self {
        if let Some(arrival) = extensions.get::<Arrival>() {
            return arrival.peer();
        }
        let peer = extensions.get::<ConnectInfo<SocketAddr>>();
        Self(peer.map(|ConnectInfo(at)| at.ip().to_canonical()))
    }

    /// Whether the connection cannot have crossed the open internet:
    /// loopback, RFC 1918, link-local, unique local (RFC 4193) and the shared
    /// space of RFC 6598.
    pub fn is_private(self) -> bool {
        match self.0 {
            None => false,
            Some(IpAddr::V4(ip)) => {
                let [a, b, ..] = ip.octets();
                ip.is_loopback() || ip.is_private() || ip.is_link_local() || (a == 100 && b & 0xc0 == 64)
            }
            Some(IpAddr::V6(ip)) => ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local(),
        }
    }

    /// Whose budget it spends: an IPv4 address, or a /64 of IPv6, which one
    /// customer has whole.
    pub fn who(self) -> Uuid {
        match self.0 {
            None => Uuid::nil(),
            Some(IpAddr::V4(ip)) => Uuid::new_v5(&Uuid::NAMESPACE_OID, &ip.octets()),
            Some(IpAddr::V6(ip)) => Uuid::new_v5(&Uuid::NAMESPACE_OID, &ip.octets()[..8]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_of_the_open_internet_is_not_private_and_a_missing_one_neither() {
        let peer = |ip: &str| Peer(Some(ip.parse::<IpAddr>().unwrap().to_canonical()));
        for ip in [
            "127.0.0.1",
            "10.1.2.3",
            "172.31.0.1",
            "192.168.1.1",
            "169.254.7.7",
            "100.64.0.1",
            "100.127.255.255",
            "::1",
            "fd00::1",
            "fe80::1",
            "::ffff:192.168.1.1",
        ] {
            assert!(peer(ip).is_private(), "{ip}");
        }
        for ip in
            ["8.8.8.8", "172.32.0.1", "100.63.0.1", "100.128.0.1", "2001:db8::1", "::ffff:8.8.8.8", "0.0.0.0", "::"]
        {
            assert!(!peer(ip).is_private(), "{ip}");
        }
        assert!(!Peer(None).is_private());
        assert_eq!(peer("2001:db8::1").who(), peer("2001:db8::ffff").who());
        assert_ne!(peer("2001:db8::1").who(), peer("2001:db8:0:1::1").who());
    }

    #[test]
    fn clear_text_goes_from_and_to_private_addresses_only() {
        let asks = |peer: &str, to: Option<&str>, https| {
            let (peer, to) = (peer.parse().ok(), to.map(|ip| ip.parse().unwrap()));
            Arrival { peer, to, https }.refuse_clear_text().is_ok()
        };
        assert!(asks("192.168.1.7", Some("192.168.1.1"), false));
        assert!(asks("192.168.1.7", None, false));
        assert!(!asks("192.168.1.7", Some("203.0.113.1"), false));
        assert!(!asks("203.0.113.9", Some("192.168.1.1"), false));
        assert!(!asks("nowhere", Some("192.168.1.1"), false));
        assert!(asks("203.0.113.9", Some("203.0.113.1"), true));
    }
}
