//! How the server does: things that are looked at one by one, each with what
//! was seen and what to do about it. `magpie doctor` prints them, operators see
//! them in the client.
//!
//! Whoever owns a part adds a [`Check`] for it to [`Health`]; the kernel knows
//! none but runs them all.

use std::{collections::BTreeMap, future::Future, pin::Pin, sync::Arc, time::Duration};

use axum::Json;
use parking_lot::Mutex;
use proto::{Code, Error, Millis, Problem, Result};
use serde::{Deserialize, Serialize};
use store::{Tx, sql};
use tracing::Instrument as _;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    At, Body, Ctx, Kernel, Reply,
    operators::{Operate, Server},
    see,
};

/// No check takes longer than this; one that does is bad for it.
pub const PATIENCE: Duration = Duration::from_secs(20);
/// What was found is told again for so long before everything is looked at anew.
const FRESH_MS: Millis = 60_000;

/// What came of looking at something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = kernel::HealthState)]
pub enum State {
    Ok,
    /// Not in use, or nothing can be known of it from here.
    Skipped,
    /// It works, and wants attention.
    Warn,
    /// It does not work.
    Bad,
}

/// What a check found.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = kernel::Finding)]
pub struct Finding {
    pub state: State,
    /// Stable; the client's words are found by it, under the check's name.
    pub reason: String,
    /// What the words speak of: numbers, folders, addresses. Never a secret.
    pub values: BTreeMap<String, String>,
    /// What was seen, in English.
    pub seen: String,
    /// What to do about it, in English; empty where nothing is to be done.
    pub fix: String,
}

impl Finding {
    /// The words are written with `{name}` where a value is to stand.
    pub fn new(state: State, reason: &str, values: &[(&str, String)], seen: &str, fix: &str) -> Self {
        let values: BTreeMap<_, _> = values.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        // In one pass: what is filled in is not looked at again.
        let fill = |text: &str| {
            let mut parts = text.split('{');
            let first = parts.next().unwrap_or_default().to_owned();
            parts.fold(first, |out, part| match part.split_once('}') {
                Some((name, rest)) => out + values.get(name).map_or("", String::as_str) + rest,
                None => out + "{" + part,
            })
        };
        let (seen, fix) = (fill(seen), fill(fix));
        Self { state, reason: reason.to_owned(), values, seen, fix }
    }
}

pub type Looking<'a> = Pin<Box<dyn Future<Output = Finding> + Send + 'a>>;

/// Something that can be looked at. Looking changes nothing but what the check
/// itself made.
pub trait Check: Send + Sync + 'static {
    /// One lower-case word, stable.
    fn name(&self) -> &'static str;

    fn look(&self) -> Looking<'_>;

    /// As [`Check::look`], and sends something to `to`. `None` where there is
    /// nothing to be sent.
    fn send<'a>(&'a self, _to: &'a str) -> Option<Looking<'a>> {
        None
    }
}

/// All checks of this server, in the order they are shown, and what was found.
#[derive(Default)]
pub struct Health {
    checks: Mutex<Vec<Arc<dyn Check>>>,
    found: Mutex<BTreeMap<&'static str, Item>>,
}

/// One check and what it found.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = kernel::HealthItem)]
pub struct Item {
    /// `database`, `disk`, `mail`, …
    pub check: String,
    pub at: Millis,
    #[serde(flatten)]
    pub finding: Finding,
    /// Whether its test can send something to an address (`to`).
    pub sends: bool,
}

/// How the server does.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = kernel::Health)]
pub struct HealthList {
    pub items: Vec<Item>,
}

/// What a test is to do beside looking.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = kernel::HealthTest)]
pub struct HealthTest {
    /// Sends something to this address, where the check can.
    #[serde(default)]
    pub to: Option<String>,
}

impl Health {
    /// Adds a check; the last one added under a name holds.
    pub fn add(&self, check: Arc<dyn Check>) {
        let mut checks = self.checks.lock();
        match checks.iter_mut().find(|c| c.name() == check.name()) {
            Some(same) => *same = check,
            None => checks.push(check),
        }
    }

    fn all(&self) -> Vec<Arc<dyn Check>> {
        self.checks.lock().clone()
    }

    /// Looks at everything that was not looked at within the last minute, all
    /// at once.
    pub async fn list(&self, now: Millis) -> Vec<Item> {
        let all = self.all();
        let mut looking = tokio::task::JoinSet::new();
        for check in &all {
            let known = self.found.lock().get(check.name()).is_some_and(|item| (now - item.at).abs() < FRESH_MS);
            if !known {
                let check = check.clone();
                let look = async move { (check.name(), run(&*check, None, now, PATIENCE).await) };
                looking.spawn(look.in_current_span());
            }
        }
        while let Some(done) = looking.join_next().await {
            if let Ok((name, item)) = done {
                self.found.lock().insert(name, item);
            }
        }
        let found = self.found.lock();
        all.iter().filter_map(|check| found.get(check.name()).cloned()).collect()
    }

    /// Looks at one now.
    pub async fn test(&self, name: &str, to: Option<&str>, now: Millis) -> Result<Item> {
        let check = self.all().into_iter().find(|check| check.name() == name).ok_or(Code::NotFound)?;
        if to.is_some() && !sends(&*check) {
            return Err(Error::field(Code::InvalidField, "to"));
        }
        let item = run(&*check, to, now, PATIENCE).await;
        self.found.lock().insert(check.name(), item.clone());
        Ok(item)
    }
}

/// A future that is made and dropped does nothing.
fn sends(check: &dyn Check) -> bool {
    check.send("").is_some()
}

async fn run(check: &dyn Check, to: Option<&str>, now: Millis, patience: Duration) -> Item {
    let looking = to.and_then(|to| check.send(to)).unwrap_or_else(|| check.look());
    let late = || {
        let seconds = patience.as_secs().to_string();
        Finding::new(State::Bad, "late", &[("seconds", seconds)], "no answer within {seconds} seconds", "")
    };
    let finding = tokio::time::timeout(patience, looking).await.unwrap_or_else(|_| late());
    Item { check: check.name().to_owned(), at: now, finding, sends: sends(check) }
}

store::left_out!("kernel_probe", "holds when this server last tried to write");

/// Writes one row, to see whether the database takes writes.
pub fn probe(tx: &mut Tx<'_>, now: Millis) -> Result<()> {
    tx.execute(
        sql!("INSERT INTO kernel_probe (one, at) VALUES (1, $1) ON CONFLICT (one) DO UPDATE SET at = excluded.at"),
        &[&now],
    )?;
    Ok(())
}

pub fn routes() -> OpenApiRouter<Arc<Kernel>> {
    OpenApiRouter::new().routes(routes!(get_health)).routes(routes!(test_health))
}

async fn operated(ctx: &Ctx) -> Result<()> {
    let own = ctx.clone();
    ctx.db().read(move |tx| see::<Server, Operate>(tx, &own, ()).map(drop)).await
}

/// How the server and all it needs do. Looked at anew after a minute; it may
/// take up to 20 seconds then. For operators of the server: whoever used the
/// set-up link, and whoever was named by `magpie admin grant`.
#[utoipa::path(get, path = "/api/v1/admin/health", operation_id = "kernel.get_health", tag = "kernel",
    responses((status = 200, body = HealthList), (status = 401, body = Problem), (status = 403, body = Problem)),
    extensions(("x-authz" = json!({"object": "server", "action": "operate", "scope": "server", "roles": ["operator"]}))))]
async fn get_health(ctx: Ctx) -> Reply<HealthList> {
    operated(&ctx).await?;
    Ok(Json(HealthList { items: ctx.kernel.health.list(ctx.now).await }))
}

/// Looks at one thing now. With `to`, and where the check `sends`, something is
/// sent there. Six in a minute.
#[utoipa::path(post, path = "/api/v1/admin/health/{check}/test", operation_id = "kernel.test_health", tag = "kernel",
    params(("check" = String, Path, description = "Its name, as the list tells it")), request_body = HealthTest,
    responses((status = 200, body = Item), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 422, body = Problem), (status = 429, body = Problem)),
    extensions(("x-authz" = json!({"object": "server", "action": "operate", "scope": "server", "roles": ["operator"]}))))]
async fn test_health(ctx: Ctx, At(check): At<String>, Body(test): Body<HealthTest>) -> Reply<Item> {
    operated(&ctx).await?;
    ctx.kernel.budgets.spend(crate::Budget::HealthTest, ctx.actor.id)?;
    Ok(Json(ctx.kernel.health.test(&check, test.to.as_deref(), ctx.now).await?))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Never comes to an end.
    struct Stuck;

    impl Check for Stuck {
        fn name(&self) -> &'static str {
            "stuck"
        }

        fn look(&self) -> Looking<'_> {
            Box::pin(std::future::pending())
        }
    }

    #[tokio::test]
    async fn what_does_not_answer_is_told_to_be_bad() {
        let found = run(&Stuck, None, 7, Duration::from_millis(1)).await;
        assert_eq!((found.finding.state, found.finding.reason.as_str(), found.at), (State::Bad, "late", 7));
    }

    #[test]
    fn words_are_filled_in_once() {
        let values = [("folder", "{free}".to_owned()), ("free", "1 GB".to_owned())];
        let found = Finding::new(State::Warn, "low", &values, "{folder}: {free} left, {x}{", "");
        assert_eq!(found.seen, "{free}: 1 GB left, {");
    }
}
