//! A real link between the server and its clients: the server runs in a network
//! namespace of its own, and the pair of interfaces to it is taken down and up.
//! Nobody is told: packets are lost, and TCP tries again.

use std::{
    process::{Command, Stdio},
    time::Duration,
};

use anyhow::{Context, Result, ensure};

pub struct Wire {
    space: String,
    far: String,
    /// Where the server listens.
    pub address: String,
}

impl Wire {
    /// Needs root, and `ip` (Debian's package iproute2).
    pub fn new() -> Result<Self> {
        let number = std::process::id();
        let (space, near, far) = (format!("magpie-wire-{number}"), format!("mwn{number}"), format!("mwf{number}"));
        let net = format!("10.{}.{}", 64 + number / 250 % 128, number % 250);
        ip(&["netns", "add", &space])?;
        let wire = Self { space, far, address: format!("{net}.2:8080") };
        let (space, far) = (wire.space.as_str(), wire.far.as_str());
        ip(&["link", "add", &near, "type", "veth", "peer", "name", far, "netns", space])?;
        ip(&["addr", "add", &format!("{net}.1/30"), "dev", &near])?;
        ip(&["link", "set", &near, "up"])?;
        ip(&["-n", space, "addr", "add", &format!("{net}.2/30"), "dev", far])?;
        ip(&["-n", space, "link", "set", "lo", "up"])?;
        wire.set(true)?;
        Ok(wire)
    }

    /// What a program is started through to be at the other end.
    pub fn through(&self) -> Vec<String> {
        ["ip", "netns", "exec", &self.space].map(str::to_owned).to_vec()
    }

    fn set(&self, up: bool) -> Result<()> {
        ip(&["-n", &self.space, "link", "set", &self.far, if up { "up" } else { "down" }])
    }

    /// Takes it down for a time.
    pub async fn cut(&self, time: Duration) -> Result<()> {
        self.set(false)?;
        tokio::time::sleep(time).await;
        self.set(true)
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        // The interfaces go with it.
        let _ = ip(&["netns", "del", &self.space]);
    }
}

fn ip(words: &[&str]) -> Result<()> {
    let output = Command::new("ip").args(words).stdin(Stdio::null()).output().context("ip cannot be started")?;
    ensure!(output.status.success(), "ip {}: {}", words.join(" "), String::from_utf8_lossy(&output.stderr).trim());
    Ok(())
}
