//! What an operator may set.

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

/// Settings of outgoing requests. The defaults reach the public internet only.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Networks that may be reached although they are not public, such as `10.1.2.0/24`.
    pub allow_networks: Vec<IpNet>,
    /// Host names that may be reached wherever they resolve to, such as `git.corp.example`. Names below them are not included.
    pub allow_hosts: Vec<String>,
    /// A certificate (PEM) of an authority that is believed beside the system's.
    pub authority: Option<String>,
    /// Largest body of a response, in bytes.
    pub max_body_bytes: usize,
    /// Longest time of a whole request, redirects and body included, in milliseconds.
    pub timeout_ms: u64,
    /// Longest time to connect to one address, in milliseconds.
    pub connect_timeout_ms: u64,
    /// Most redirects of one request.
    pub max_redirects: u8,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            allow_networks: Vec::new(),
            allow_hosts: Vec::new(),
            authority: None,
            max_body_bytes: 5 << 20,
            timeout_ms: 15_000,
            connect_timeout_ms: 5_000,
            max_redirects: 5,
        }
    }
}
