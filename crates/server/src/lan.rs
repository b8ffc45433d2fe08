//! Where this machine can be reached, and how that is shown to whoever
//! started the server: as addresses, and as codes for a phone's camera.

use std::{
    fs,
    io::IsTerminal as _,
    net::{IpAddr, Ipv4Addr, SocketAddr},
};

use kernel::Peer;
use qrcode::{EcLevel, QrCode, render::unicode::Dense1x2};

/// Bridges and pairs that containers and virtual machines make: people are
/// rarely behind them.
const INNER_INTERFACES: [&str; 6] = ["docker", "br-", "veth", "virbr", "cni", "podman"];

/// This machine's private addresses but the loopback ones; those of interfaces
/// that people use first.
pub fn private_addresses() -> Vec<IpAddr> {
    let mut found: Vec<_> = if_addrs::get_if_addrs()
        .unwrap_or_default()
        .into_iter()
        .map(|interface| (INNER_INTERFACES.iter().any(|p| interface.name.starts_with(p)), interface.ip()))
        .filter(|(_, ip)| match ip {
            IpAddr::V4(v4) => !v4.is_loopback() && !v4.is_link_local() && Peer(Some(*ip)).is_private(),
            IpAddr::V6(v6) => v6.is_unique_local(),
        })
        .collect();
    found.sort_by_key(|(inner, ip)| (*inner, ip.is_ipv6()));
    found.dedup();
    found.into_iter().map(|(_, ip)| ip).collect()
}

/// This machine's own names, as a certificate of ours may have them.
pub fn own_names() -> Vec<String> {
    let read = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default().trim().to_ascii_lowercase();
    let good =
        |name: &str| (1..=63).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    let own = Some(read).filter(|name| good(name) && name != "localhost");
    let with_mdns = own.into_iter().flat_map(|name| [format!("{name}.local"), name]);
    with_mdns.chain(["localhost".to_owned()]).collect()
}

/// Where people reach a listener: this machine first, then its private
/// addresses.
pub fn addresses(scheme: &str, listen: SocketAddr) -> Vec<String> {
    let (ip, port) = (listen.ip(), listen.port());
    if !ip.is_unspecified() {
        let host = if ip.is_loopback() { "localhost".to_owned() } else { bracketed(ip) };
        return vec![url(scheme, &host, port)];
    }
    // A listener at 0.0.0.0 hears no IPv6.
    let heard =
        private_addresses().into_iter().filter(|found| ip != IpAddr::V4(Ipv4Addr::UNSPECIFIED) || found.is_ipv4());
    let hosts = ["localhost".to_owned()].into_iter().chain(heard.map(bracketed));
    hosts.map(|host| url(scheme, &host, port)).collect()
}

/// An address without the port that its scheme has anyway.
pub fn url(scheme: &str, host: &str, port: u16) -> String {
    match (scheme, port) {
        ("http", 80) | ("https", 443) => format!("{scheme}://{host}"),
        _ => format!("{scheme}://{host}:{port}"),
    }
}

fn bracketed(ip: IpAddr) -> String {
    match ip {
        IpAddr::V4(v4) => v4.to_string(),
        IpAddr::V6(v6) => format!("[{v6}]"),
    }
}

/// Prints a code that opens `text`: dark on light where there are colours,
/// else as most terminals are, light on dark.
pub fn print_code(text: &str) {
    let Ok(code) = QrCode::with_error_correction_level(text, EcLevel::L) else { return };
    let mut renderer = code.render::<Dense1x2>();
    if std::io::stdout().is_terminal() {
        for line in renderer.build().lines() {
            println!("    \x1b[30;47m{line}\x1b[0m");
        }
    } else {
        let drawn = renderer.dark_color(Dense1x2::Light).light_color(Dense1x2::Dark).build();
        for line in drawn.lines() {
            println!("    {line}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_written_as_a_browser_takes_it() {
        let at = |scheme, listen: &str| addresses(scheme, listen.parse().unwrap());
        assert_eq!(at("http", "127.0.0.1:8080"), ["http://localhost:8080"]);
        assert_eq!(at("http", "192.168.1.7:80"), ["http://192.168.1.7"]);
        assert_eq!(at("https", "[fd00::7]:8443"), ["https://[fd00::7]:8443"]);
        assert_eq!(at("https", "0.0.0.0:443")[0], "https://localhost");
        assert!(!at("http", "0.0.0.0:8080").iter().any(|a| a.contains('[')));
        assert!(own_names().contains(&"localhost".to_owned()));
    }
}
