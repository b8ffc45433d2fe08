//! How people reach this server, as far as it can be known from inside.

use std::{sync::Arc, time::Duration};

use egress::Request;
use http::header;
use kernel::health::Finding;
use rustls::{ClientConfig, RootCertStore, pki_types::ServerName};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsConnector;

use crate::{config::TlsMode, tls};

use super::{Scene, bad, ok, skipped, told, warn};

const CONNECT: Duration = Duration::from_secs(5);
const DAY: i64 = 24 * 3_600;

fn unset() -> Finding {
    skipped(
        "unset",
        "no public address is configured: links and codes lead to this machine's address in its own network",
        "set public_url to the address people use, https://…",
    )
}

/// Host and port of an address, and whether it is https.
fn host(url: &str) -> Option<(String, u16, bool)> {
    let uri: http::Uri = url.parse().ok()?;
    let https = uri.scheme_str()? == "https";
    Some((uri.host()?.to_owned(), uri.port_u16().unwrap_or(if https { 443 } else { 80 }), https))
}

fn client(host: &str) -> egress::Result<egress::Client> {
    // Naming it in the configuration is permission to reach it, also inside.
    let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
    let rules = egress::Config { allow_hosts: vec![host], max_body_bytes: 64 << 10, ..Default::default() };
    egress::Client::new(rules)
}

async fn ask(url: &str, path: &str) -> Result<egress::Response, String> {
    let (host, ..) = host(url).ok_or("public_url is no address")?;
    let client = client(&host).map_err(|e| told(&e))?;
    client.send(Request::get(format!("{url}{path}"))).await.map_err(|e| told(&e))
}

/// Asks at the public address, and sees whether it is this server that answers.
pub(super) async fn public(scene: &Scene) -> Finding {
    let Some(url) = &scene.public_url else { return unset() };
    let answer = match ask(url, "/api/v1/server").await {
        Ok(answer) => answer,
        Err(error) if !scene.serving => {
            let values = [("url", url.clone()), ("error", error)];
            return warn("unknown", &values, "{url}: {error}", "look again while the server runs");
        }
        Err(error) => {
            return warn(
                "unreached",
                &[("url", url.clone()), ("error", error)],
                "{url} cannot be reached from this machine: {error}",
                "open it on a phone without Wi-Fi. If that fails too: the name must lead to your public address, and \
                 ports 80 and 443 of the router to this machine. Some routers only do not lead back inside; then all is well",
            );
        }
    };
    let body: serde_json::Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let ours = scene.db.as_ref().ok().map(|db| db.epoch().to_string());
    let values = [("url", url.clone()), ("status", answer.status.as_u16().to_string())];
    match body["epoch"].as_str() {
        Some(epoch) if Some(epoch) == ours.as_deref() => ok("works", &values, "{url} leads here"),
        Some(_) => {
            bad("other", &values, "another Magpie answers at {url}", "the name or the proxy leads to another server")
        }
        None => bad(
            "strange",
            &values,
            "something else answers at {url} ({status})",
            "the proxy must hand every path to this server (docs/operate.md)",
        ),
    }
}

/// How long the certificate at the public address is good for.
pub(super) async fn certificate(scene: &Scene) -> Finding {
    if scene.config.tls.mode != TlsMode::Off {
        return own_certificate(scene);
    }
    let Some(url) = &scene.public_url else { return unset() };
    let Some((host, port, https)) = host(url) else {
        return bad("address", &[], "public_url is no address", "write it as https://name");
    };
    if !https {
        return skipped(
            "plain",
            "served without TLS: right inside one's own network only",
            "put a proxy with a certificate before it, and set public_url to https://…",
        );
    }
    let renew = "renew it; most proxies do so by themselves: look at their log";
    let until = match presented(&host, port).await {
        Ok(until) => until,
        Err(error) => {
            let values = [("host", host), ("error", error)];
            return bad(
                "refused",
                &values,
                "{host}: {error}",
                "browsers will refuse it as well; look at the certificate of the proxy",
            );
        }
    };
    let days = (until - Scene::now() / 1_000) / DAY;
    let values = [("host", host), ("days", days.to_string())];
    match days {
        ..=3 => bad("ending", &values, "{host}: the certificate ends in {days} days", renew),
        4..=14 => warn("ending", &values, "{host}: the certificate ends in {days} days", renew),
        _ => ok("works", &values, "{host}: good for {days} days"),
    }
}

/// The same of the certificate that the server itself presents.
fn own_certificate(scene: &Scene) -> Finding {
    let standing = match tls::state(&scene.config, Scene::now() / 1_000) {
        Ok(Some(standing)) => standing,
        Ok(None) => return ok("first", &[], "an authority of its own is made at the first start"),
        Err(error) => {
            let values = [("error", told(&format!("{error:#}")))];
            return bad("unusable", &values, "{error}", "look at [tls] in the configuration, and at the log");
        }
    };
    let ours = scene.config.tls.mode == TlsMode::LocalCa;
    let values = [("host", standing.of), ("days", standing.days.to_string())];
    let renew = match scene.config.tls.mode {
        TlsMode::Acme => "the server renews it by itself; its log says why it could not",
        TlsMode::LocalCa => "remove tls/ca.crt and tls/ca.key to have a new authority, which everybody must trust anew",
        TlsMode::Off | TlsMode::Files => "put the renewed files in their place; they are read within a minute",
    };
    if let Some(why) = standing.trouble.filter(|_| standing.days > 3) {
        let values: Vec<_> = values.into_iter().chain([("error", told(&why))]).collect();
        return warn("renewal", &values, "{host}: ends in {days} days, and a new one was refused: {error}", renew);
    }
    match standing.days {
        ..=3 => bad("ends", &values, "{host}: ends in {days} days", renew),
        4..=14 => warn("ends", &values, "{host}: ends in {days} days", renew),
        _ if ours => ok("authority", &values, "the authority {host} is good for {days} days"),
        _ => ok("works", &values, "{host}: good for {days} days"),
    }
}

/// When the certificate that is presented there ends, in seconds since 1970;
/// an error where it is not accepted.
async fn presented(host: &str, port: u16) -> Result<i64, String> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let name = ServerName::try_from(bare.to_owned()).map_err(|e| e.to_string())?;
    let meet = async {
        let stream = TcpStream::connect((bare, port)).await?;
        TlsConnector::from(Arc::new(config)).connect(name, stream).await
    };
    let met = tokio::time::timeout(CONNECT, meet).await.map_err(|_| "no answer within five seconds".to_owned())?;
    let stream = met.map_err(|e| told(&e))?;
    let chain = stream.get_ref().1.peer_certificates().unwrap_or_default();
    let first = chain.first().ok_or("no certificate was presented")?;
    let (_, parsed) = x509_parser::parse_x509_certificate(first).map_err(|e| e.to_string())?;
    Ok(parsed.validity().not_after.timestamp())
}

/// Whether the ports are free, or this server's.
pub(super) async fn ports(scene: &Scene) -> Finding {
    let config = &scene.config;
    let plain = std::iter::once((config.listen, false)).chain(config.metrics.listen.map(|at| (at, false)));
    let secure = (config.tls.mode != TlsMode::Off).then_some((config.listen_tls, true));
    let mut all = Vec::new();
    for (at, https) in plain.chain(secure) {
        let values = [("address", at.to_string())];
        // What is behind a handshake, `certificate` sees.
        let there = if https { connects(at).await } else { answers(at).await };
        if there {
            all.push(at.to_string());
            continue;
        }
        if scene.serving {
            let fix = "a firewall on this machine may be in between";
            return bad("deaf", &values, "nobody answers at {address}", fix);
        }
        if let Err(error) = TcpListener::bind(at).await {
            let values = [("address", at.to_string()), ("error", told(&error))];
            return bad("taken", &values, "{address}: {error}", "choose another with --listen or --listen-tls");
        }
    }
    match all.as_slice() {
        [] => ok("free", &[("address", config.listen.to_string())], "{address} is free"),
        all => ok("works", &[("address", all.join(", "))], "a server answers at {address}"),
    }
}

async fn connects(at: std::net::SocketAddr) -> bool {
    tokio::time::timeout(CONNECT, TcpStream::connect(at)).await.is_ok_and(|stream| stream.is_ok())
}

async fn answers(at: std::net::SocketAddr) -> bool {
    crate::doctor::ask(at, "/healthz").await.is_ok_and(|status| status == 200)
}

/// The clock of this machine beside the database's and the public address's.
pub(super) async fn clock(scene: &Scene) -> Finding {
    let mut worst: Option<(i64, &str)> = None;
    if let Ok(db) = &scene.db
        && let Ok(facts) = db.read(store::facts).await
        && let Some(theirs) = facts.clock
    {
        worst = Some((theirs - Scene::now(), "database"));
    }
    if let Some(url) = scene.public_url.as_ref().filter(|url| url.starts_with("https://"))
        && let Ok(answer) = ask(url, "/healthz").await
        && let Some(date) = answer.headers.get(header::DATE).and_then(|date| date.to_str().ok())
        && let Ok(theirs) = httpdate::parse_http_date(date)
        && let Ok(theirs) = theirs.duration_since(std::time::UNIX_EPOCH)
    {
        // A date has whole seconds: half of one is its middle.
        let off = theirs.as_millis() as i64 + 500 - Scene::now();
        if worst.is_none_or(|(other, _)| other.abs() < off.abs()) {
            worst = Some((off, "public_url"));
        }
    }
    let Some((off, whose)) = worst else {
        return skipped("alone", "there is no other clock to compare with", "");
    };
    let values = [("seconds", (off.abs() / 1_000).to_string()), ("whose", whose.to_owned())];
    let fix = "let the system set the clock by itself (timedatectl set-ntp true)";
    match off.abs() {
        ..=2_000 => ok("works", &values, "right, beside that of {whose}"),
        2_001..=30_000 => warn("off", &values, "{seconds} s away from that of {whose}", fix),
        _ => bad("off", &values, "{seconds} s away from that of {whose}", fix),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_taken_apart() {
        assert_eq!(host("https://chat.example.org"), Some(("chat.example.org".into(), 443, true)));
        assert_eq!(host("http://192.168.1.2:8080"), Some(("192.168.1.2".into(), 8080, false)));
        assert_eq!(host("https://[2001:db8::1]:8443").map(|(_, port, _)| port), Some(8443));
        assert_eq!(host("nonsense"), None);
    }
}
