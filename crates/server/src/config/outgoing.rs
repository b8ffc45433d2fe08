//! Where requests may go whose address somebody named.

use ipnet::IpNet;

use super::setting::settings;

settings! {
    /// Notices are sent to addresses that people name (ntfy, Bark, robots of
    /// groups). Those may lead to what is public, and to nothing else.
    Outgoing at "outgoing" {
        /// What lies in your own network and may be reached all the same:
        /// networks as "10.0.0.0/8", addresses, names of hosts.
        allow: Vec<String> = default "[]" where reachable, live;
    }
}

/// Networks, addresses and names: what is written as an address with a scheme
/// or a port would be taken for a name that no request has.
fn reachable(allowed: &[String]) -> Result<(), String> {
    let name = |text: &str| {
        text.chars().any(char::is_alphabetic) && text.chars().all(|c| c.is_alphanumeric() || "-._".contains(c))
    };
    let address = |text: &str| text.parse::<std::net::IpAddr>().is_ok() || text.parse::<IpNet>().is_ok();
    match allowed.iter().find(|text| !address(text) && !name(text)) {
        Some(text) => Err(format!("holds {text:?}, which is no address, no ADDRESS/BITS and no host's name")),
        None => Ok(()),
    }
}
