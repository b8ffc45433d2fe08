//! `magpie admin`: work on the data of a server that is not running.

use std::sync::Arc;

use anyhow::{Result, bail};
use clap::Subcommand;
use identity::Card;
use kernel::Kernel;

use crate::{config::Config, seed, wiring};

#[derive(Debug, Subcommand)]
pub enum Admin {
    /// Makes a realistic organisation, the same for the same `--seed`.
    Seed(seed::Plan),
    /// Makes a new one-time set-up link, while nobody has an account.
    SetupLink,
    /// Prints a one-time card for somebody who cannot get in: the last owner
    /// of an organisation, say. It stands in the server's log of privileged
    /// acts, and the person's devices are told.
    Recover(Recover),
}

/// Whose account it is.
#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
pub struct Recover {
    /// By their sign-in name.
    #[arg(long)]
    login: Option<String>,
    /// The owner of this organisation, where it has just one.
    #[arg(long)]
    org: Option<proto::OrgId>,
}

/// Finds the person and gives them a card.
pub async fn recover(kernel: &Arc<Kernel>, whose: &Recover) -> Result<Card> {
    let (login, org) = (whose.login.clone(), whose.org);
    let found = kernel
        .db
        .read(move |tx| match (&login, org) {
            (Some(login), _) => Ok(identity::by_login(tx, login)?.into_iter().collect()),
            (None, Some(org)) => directory::owners(tx, org),
            (None, None) => Ok(Vec::new()),
        })
        .await?;
    match found.as_slice() {
        [user] => Ok(identity::recover(kernel, *user).await?),
        [] => bail!("there is no such person or organisation"),
        owners => bail!("the organisation has {} owners: name one with --login", owners.len()),
    }
}

pub async fn run(config: Config, admin: Admin) -> Result<()> {
    let base = config.public_url().map_or_else(|| format!("http://localhost:{}", config.listen.port()), str::to_owned);
    let running = wiring::assemble(&config, base.clone(), false)?;
    match admin {
        Admin::Seed(plan) => seed::run(&running.kernel, &plan).await?,
        Admin::Recover(whose) => {
            let card = recover(&running.kernel, &whose).await?;
            println!("{}\nsign-in name: {}\nPIN:          {}", card.name, card.login, card.pin);
            println!("\nGood once, for three days, at {}", card.url);
        }
        Admin::SetupLink => match identity::setup_token(&running.kernel).await? {
            Some(token) => println!("{base}/setup/{token}"),
            None => println!("the server is set up already"),
        },
    }
    running.kernel.db.clone().close().await;
    Ok(())
}
