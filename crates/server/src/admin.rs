//! `magpie admin`: work on the data of a server that is not running.

use anyhow::Result;
use clap::Subcommand;

use crate::{config::Config, seed, wiring};

#[derive(Debug, Subcommand)]
pub enum Admin {
    /// Makes a realistic organisation, the same for the same `--seed`.
    Seed(seed::Plan),
    /// Makes a new one-time set-up link, while nobody has an account.
    SetupLink,
}

pub async fn run(config: Config, admin: Admin) -> Result<()> {
    let base = config.public_url.clone().unwrap_or_else(|| format!("http://localhost:{}", config.listen.port()));
    let running = wiring::assemble(&config, base.clone(), false)?;
    match admin {
        Admin::Seed(plan) => seed::run(&running.kernel, &plan).await?,
        Admin::SetupLink => match identity::setup_token(&running.kernel).await? {
            Some(token) => println!("{base}/setup/{token}"),
            None => println!("the server is set up already"),
        },
    }
    running.kernel.db.clone().close().await;
    Ok(())
}
