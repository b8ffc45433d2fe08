//! `magpie admin`: work on the data of a server that is not running.

use std::sync::Arc;

use anyhow::{Result, anyhow, bail};
use clap::Subcommand;
use identity::Card;
use kernel::{Kernel, Principal, operators};

use crate::{config::Config, seal, seed, verify, wiring};

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
    /// Lets somebody see how the server does, under /admin of the client.
    /// Whoever used the set-up link may already.
    Grant(Named),
    /// Takes that away again.
    Revoke(Named),
    /// Names those who may.
    Operators,
    /// Gives up the server's key for browser push where the key it is sealed
    /// by (seal.key) is lost for good: browsers subscribe anew.
    ForgetSealed,
    /// Reads every stored file and compares it with what the database knows; also
    /// while the server runs. Fails where one is missing or damaged.
    VerifyFiles(verify::Verify),
}

/// Somebody, by their sign-in name.
#[derive(Debug, clap::Args)]
pub struct Named {
    login: String,
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

/// Makes somebody an operator of the server, or one no longer; whether that
/// changed anything.
pub async fn set_operator(kernel: &Arc<Kernel>, login: &str, operator: bool) -> Result<bool> {
    let (login, ctx) = (login.to_owned(), kernel.ctx(Principal::SYSTEM));
    let found = kernel
        .db
        .write(move |tx| {
            tx.lock(&operators::keys())?;
            let Some(user) = identity::by_login(tx, &login)? else { return Ok::<_, proto::Error>(None) };
            let changed = if operator { operators::grant(tx, &ctx, user) } else { operators::revoke(tx, &ctx, user) };
            changed.map(Some)
        })
        .await?;
    found.ok_or_else(|| anyhow!("there is no such person"))
}

async fn list_operators(kernel: &Arc<Kernel>) -> Result<()> {
    let named = |tx: &mut store::Tx<'_>| {
        let all = operators::list(tx)?;
        identity::users::names(tx, &all)
    };
    for (user, name) in kernel.db.read(named).await? {
        println!("{user}  {name}");
    }
    Ok(())
}

async fn forget_sealed(kernel: &Arc<Kernel>) -> Result<&'static str> {
    let seals = kernel.config.seals.clone();
    if seals.current().is_none() {
        bail!("there is no key to seal a new one with: write one to {} first (docs/backup.md)", seal::FILE);
    }
    let given_up = kernel.db.write(move |tx| notify::give_up(tx, &seals)).await?;
    Ok(if given_up { "browsers that are told by push subscribe anew" } else { "nothing was lost" })
}

pub async fn run(config: Config, admin: Admin) -> Result<()> {
    // It takes hours, and needs nothing of a server but its folder.
    if let Admin::VerifyFiles(wanted) = &admin {
        return verify::run(&config, wanted).await;
    }
    let base = config.public_url().map_or_else(|| format!("http://localhost:{}", config.listen.port()), str::to_owned);
    let running = wiring::assemble(&config, base.clone(), false).await?;
    match admin {
        Admin::Seed(plan) => seed::run(&running.kernel, &plan).await?,
        Admin::Recover(whose) => {
            let card = recover(&running.kernel, &whose).await?;
            println!("{}\nsign-in name: {}\nPIN:          {}", card.name, card.login, card.pin);
            println!("\nGood once, for three days, at {}", card.url);
        }
        Admin::Grant(Named { login }) => {
            let new = set_operator(&running.kernel, &login, true).await?;
            println!("{login} {} an operator of this server", if new { "is now" } else { "was already" });
        }
        Admin::Revoke(Named { login }) => {
            let gone = set_operator(&running.kernel, &login, false).await?;
            println!("{login} {} an operator of this server", if gone { "is no longer" } else { "was not" });
        }
        Admin::ForgetSealed => println!("{}", forget_sealed(&running.kernel).await?),
        Admin::VerifyFiles(_) => {}
        Admin::Operators => list_operators(&running.kernel).await?,
        Admin::SetupLink => match identity::setup_token(&running.kernel).await? {
            Some(token) => println!("{base}/setup/{token}"),
            None => println!("the server is set up already"),
        },
    }
    running.kernel.db.clone().close().await;
    Ok(())
}
