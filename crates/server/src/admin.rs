//! `magpie admin`: work on the data of a server that is not running.

use std::sync::Arc;

use anyhow::{Result, anyhow, bail};
use clap::Subcommand;
use identity::Card;
use kernel::{
    Kernel, Principal, operators,
    seals::{By, KeyName},
};

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
    /// Gives up what a key (seal.key) seals that is lost for good: browsers
    /// subscribe to push anew, and authenticators are put up anew by their
    /// people, who are told. Without a name it says what there is to give up,
    /// by which key, and changes nothing.
    ForgetSealed {
        /// The name of the lost key, as this command and the doctor say it.
        key: Option<KeyName>,
    },
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

/// So many people are named who need a card.
const NAMED: u16 = 100;

/// What there is to give up, or that it was; in lines.
pub async fn forget_sealed(kernel: &Arc<Kernel>, key: Option<KeyName>) -> Result<String> {
    let seals = &kernel.config.seals;
    let kept = kernel.db.read(seal::Kept::read).await?;
    let lost = kept.lost(seals);
    let Some(key) = key else {
        if lost.is_empty() {
            return Ok("nothing was lost".into());
        }
        let lines = lost.iter().map(|(name, authenticators, others)| {
            format!(
                "the key {name} is not here: it seals {authenticators} authenticators and {others} other secrets\n\
                 to give them up, where it is lost for good: magpie admin forget-sealed {name}\n"
            )
        });
        return Ok(lines.collect::<String>() + "nothing was changed");
    };
    if seals.opens(By::Key(key)) {
        bail!("the key {key} is here: nothing that it seals is lost");
    }
    if seals.current().is_none() {
        bail!("there is no key to seal anything new with: write one to {} first (docs/backup.md)", seal::FILE);
    }
    if !lost.iter().any(|(name, ..)| *name == key) {
        return Ok(format!("nothing is sealed by the key {key}"));
    }
    let push = kernel.db.write(move |tx| notify::give_up(tx, key)).await?;
    let people = identity::give_up(kernel, key).await?;
    let mut said = format!("{people} authenticators were given up");
    if people > 0 {
        said += "; their people are told";
    }
    if push {
        said += "\nbrowsers that are told by push subscribe anew";
    }
    let stranded = identity::stranded(kernel, NAMED).await?;
    if !stranded.is_empty() {
        said += "\nneither a recovery code nor a passkey have, and need a card (magpie admin recover --login NAME) when signed out:";
        let named = kernel.db.read(move |tx| identity::users::names(tx, &stranded)).await?;
        said.extend(named.into_iter().map(|(user, name)| format!("\n{user}  {name}")));
    }
    Ok(said)
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
        Admin::ForgetSealed { key } => println!("{}", forget_sealed(&running.kernel, key).await?),
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
