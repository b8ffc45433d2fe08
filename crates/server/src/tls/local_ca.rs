//! An authority of this server's own, for networks that no public authority
//! knows. It may sign for private addresses and for the names it was made
//! with, nothing else: whoever trusts it trusts it with no other site.

use std::{collections::BTreeSet, fs, net::IpAddr, path::Path};

use anyhow::{Context as _, Result};
use kernel::Peer;
use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DnType, ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, NameConstraints,
};
use rustls::{
    pki_types::{CertificateDer, pem::PemObject as _},
    sign::CertifiedKey,
};
use sha2::{Digest as _, Sha256};
use x509_parser::prelude::{FromDer as _, GeneralName, X509Certificate};

use super::{DAY, at, certified, keep_secret};

/// As long as devices are expected to be in use.
const AUTHORITY_DAYS: i64 = 3_650;
/// Apple's devices refuse more than 398 days.
const LEAF_DAYS: i64 = 396;
/// A new one is made when less is left.
const RENEW_DAYS: i64 = 60;
/// Zones that are nobody's on the open internet (RFC 6762, RFC 8375, and what
/// routers and ICANN keep for inner networks).
const INNER_ZONES: [&str; 5] = ["local", "localhost", "lan", "home.arpa", "internal"];
/// The addresses it may sign for: those that `Peer::is_private` knows.
const INNER_NETS: [(&str, u8); 9] = [
    ("127.0.0.0", 8),
    ("10.0.0.0", 8),
    ("172.16.0.0", 12),
    ("192.168.0.0", 16),
    ("169.254.0.0", 16),
    ("100.64.0.0", 10),
    ("::1", 128),
    ("fc00::", 7),
    ("fe80::", 10),
];

/// The authority, kept in the data folder.
pub struct LocalCa {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
    der: CertificateDer<'static>,
    /// Zones it may sign for.
    zones: Vec<String>,
}

/// A certificate of the server, as far as renewing it needs to know.
pub struct Leaf {
    addresses: BTreeSet<IpAddr>,
    until: i64,
}

impl Leaf {
    /// Whether it is for all these addresses and has time left.
    pub fn serves(&self, addresses: &[IpAddr], now: i64) -> bool {
        addresses.iter().all(|ip| self.addresses.contains(ip)) && self.until - now > RENEW_DAYS * DAY
    }
}

impl LocalCa {
    /// Reads the authority, or makes one that may sign for `names`.
    pub fn open(folder: &Path, server: &str, names: &[String], now: i64) -> Result<Self> {
        let (cert, key) = (folder.join("ca.crt"), folder.join("ca.key"));
        if !cert.exists() || !key.exists() {
            let (cert_pem, key_pem) = make(server, names, now)?;
            // The certificate last: it says that both are there.
            keep_secret(&key, key_pem.as_bytes())?;
            keep_secret(&cert, cert_pem.as_bytes())?;
        }
        let read = |path: &Path| fs::read_to_string(path).with_context(|| path.display().to_string());
        let (pem, key_pem) = (read(&cert)?, read(&key)?);
        let key = KeyPair::from_pem(&key_pem).with_context(|| key.display().to_string())?;
        let der = CertificateDer::from_pem_slice(pem.as_bytes()).with_context(|| cert.display().to_string())?;
        let issuer = Issuer::from_ca_cert_der(&der, key).with_context(|| cert.display().to_string())?;
        let zones = zones(&der).with_context(|| cert.display().to_string())?;
        let authority = Self { issuer, pem, der, zones };
        for name in names.iter().filter(|name| !authority.may_sign(name)) {
            tracing::warn!(
                %name,
                "the local authority may not sign for this name; remove tls/ca.crt and tls/ca.key of the data folder \
                 to have a new one, which everybody must trust anew"
            );
        }
        Ok(authority)
    }

    fn may_sign(&self, name: &str) -> bool {
        let name = name.trim_start_matches("*.").to_ascii_lowercase();
        self.zones.iter().any(|zone| name == *zone || name.ends_with(&format!(".{zone}")))
    }

    /// A certificate for those of the names and addresses that it may sign for.
    pub fn leaf(&self, names: &[String], addresses: &[IpAddr], now: i64) -> Result<(Leaf, CertifiedKey)> {
        let addresses: BTreeSet<_> = addresses.iter().copied().filter(|ip| Peer(Some(*ip)).is_private()).collect();
        let mut all: Vec<_> = names.iter().filter(|name| self.may_sign(name)).cloned().collect();
        all.extend(addresses.iter().map(ToString::to_string));
        let until = now + LEAF_DAYS * DAY;
        let mut params = CertificateParams::new(all)?;
        params.not_before = at(now - DAY)?;
        params.not_after = at(until)?;
        params.distinguished_name.push(DnType::CommonName, "Magpie");
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        let key = KeyPair::generate()?;
        let leaf = params.signed_by(&key, &self.issuer)?;
        let chain = format!("{}{}", leaf.pem(), self.pem);
        Ok((Leaf { addresses, until }, certified(chain.as_bytes(), key.serialize_pem().as_bytes())?))
    }

    pub fn pem(&self) -> &str {
        &self.pem
    }

    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// SHA-256 of the certificate, as devices show it.
    pub fn fingerprint(&self) -> String {
        let hex: Vec<_> = Sha256::digest(&self.der).iter().map(|byte| format!("{byte:02X}")).collect();
        hex.join(":")
    }
}

fn make(server: &str, names: &[String], now: i64) -> Result<(String, String)> {
    let key = KeyPair::generate()?;
    let mark = Sha256::digest(key.public_key_raw());
    let mut params = CertificateParams::default();
    params.not_before = at(now - DAY)?;
    params.not_after = at(now + AUTHORITY_DAYS * DAY)?;
    // Two servers of one name are told apart in the lists of devices.
    let short: String = server.chars().take(40).collect();
    params.distinguished_name.push(DnType::CommonName, format!("{short} CA {:02x}{:02x}", mark[0], mark[1]));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let zones = INNER_ZONES.iter().map(ToString::to_string).chain(names.iter().cloned());
    let zones: BTreeSet<_> = zones.map(|name| name.trim_start_matches("*.").to_ascii_lowercase()).collect();
    let mut permitted: Vec<_> = zones.into_iter().map(GeneralSubtree::DnsName).collect();
    for (net, bits) in INNER_NETS {
        permitted.push(GeneralSubtree::IpAddress(CidrSubnet::from_addr_prefix(net.parse()?, bits)));
    }
    params.name_constraints = Some(NameConstraints { permitted_subtrees: permitted, excluded_subtrees: Vec::new() });
    let cert = params.self_signed(&key)?;
    Ok((cert.pem(), key.serialize_pem()))
}

/// The zones a certificate of an authority allows.
fn zones(der: &[u8]) -> Result<Vec<String>> {
    let (_, cert) = X509Certificate::from_der(der)?;
    let constraints = cert.name_constraints()?.context("it has no name constraints, so it is none of ours")?;
    let permitted = constraints.value.permitted_subtrees.iter().flatten();
    Ok(permitted
        .filter_map(|subtree| match &subtree.base {
            GeneralName::DNSName(name) => Some((*name).to_owned()),
            _ => None,
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use std::{os::unix::fs::PermissionsExt as _, sync::Arc};

    use rustls::{
        RootCertStore,
        client::{WebPkiServerVerifier, danger::ServerCertVerifier as _},
        crypto::ring,
        pki_types::{ServerName, UnixTime},
    };

    use super::*;

    const NOW: i64 = 1_795_000_000;

    /// Whether a device that trusts the authority takes the leaf for `name`.
    fn takes(ca: &LocalCa, key: &CertifiedKey, name: &str, at: i64) -> bool {
        let mut roots = RootCertStore::empty();
        roots.add(ca.der.clone()).unwrap();
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::new(ring::default_provider()));
        let name = ServerName::try_from(name.to_owned()).unwrap();
        let at = UnixTime::since_unix_epoch(std::time::Duration::from_secs(u64::try_from(at).unwrap()));
        verifier.build().unwrap().verify_server_cert(&key.cert[0], &key.cert[1..], &name, &[], at).is_ok()
    }

    #[test]
    fn a_device_that_trusts_it_takes_private_addresses_and_its_names_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let names = ["box".to_owned(), "box.local".to_owned(), "magpie.example".to_owned()];
        let ca = LocalCa::open(dir.path(), "鹊桥", &names, NOW).unwrap();
        let wanted: Vec<IpAddr> = ["192.168.1.7", "fd00::7", "8.8.8.8"].iter().map(|ip| ip.parse().unwrap()).collect();
        let asked = [names.to_vec(), vec!["evil.example".into()]].concat();
        let (leaf, key) = ca.leaf(&asked, &wanted, NOW).unwrap();
        for good in ["192.168.1.7", "fd00::7", "box", "box.local", "magpie.example"] {
            assert!(takes(&ca, &key, good, NOW), "{good}");
        }
        for bad in ["8.8.8.8", "evil.example", "192.168.1.8"] {
            assert!(!takes(&ca, &key, bad, NOW), "{bad}");
        }
        assert!(takes(&ca, &key, "box", NOW + 395 * DAY) && !takes(&ca, &key, "box", NOW + 397 * DAY));
        assert!(leaf.serves(&wanted[..2], NOW + 300 * DAY) && !leaf.serves(&wanted[..2], NOW + 340 * DAY));
        assert!(!leaf.serves(&["192.168.1.8".parse().unwrap()], NOW));

        // What it may not sign, devices do not take, even if it were signed.
        let mut params = CertificateParams::new(vec!["evil.example".into(), "8.8.8.8".into()]).unwrap();
        (params.not_before, params.not_after) = (at(NOW).unwrap(), at(NOW + DAY).unwrap());
        let key = KeyPair::generate().unwrap();
        let forged = params.signed_by(&key, &ca.issuer).unwrap();
        let forged = certified(forged.pem().as_bytes(), key.serialize_pem().as_bytes()).unwrap();
        assert!(!takes(&ca, &forged, "evil.example", NOW) && !takes(&ca, &forged, "8.8.8.8", NOW));
    }

    #[test]
    fn it_is_made_once_and_its_key_is_ours_alone() {
        let dir = tempfile::tempdir().unwrap();
        let first = LocalCa::open(dir.path(), "Magpie", &["box".into()], NOW).unwrap();
        let again = LocalCa::open(dir.path(), "Magpie", &["other.example".into()], NOW + DAY).unwrap();
        assert_eq!(first.fingerprint(), again.fingerprint());
        assert!(again.may_sign("box") && again.may_sign("x.box") && !again.may_sign("other.example"));
        let mode = fs::metadata(dir.path().join("ca.key")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        // What the second start signs, those who trusted the first take.
        let (_, key) = again.leaf(&["box".into()], &[], NOW).unwrap();
        assert!(takes(&first, &key, "box", NOW));
    }
}
