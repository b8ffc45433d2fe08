//! Taking an organisation along: every module's rows, line by line.

use std::collections::VecDeque;

use axum::body::Bytes;
use futures_util::{Stream, stream::try_unfold};
use kernel::{Budget, Ctx, Duty, ExportPage, OrgData, access, allow, audit, see};
use proto::{Code, Cursor, Error, Millis, OrgId, Result};
use serde_json::{Value, json};
use store::Key;

use crate::model::{Export, OrgResource, ReadExport};

/// How far back the ends of access are looked at again with each page: nodes'
/// clocks differ by less.
const LOOK_BACK_MS: Millis = 10_000;

/// Where an export stands.
struct Progress {
    ctx: Ctx,
    org: OrgId,
    modules: VecDeque<(&'static str, OrgData)>,
    place: Option<Cursor>,
    rows: u64,
    looked_at: Millis,
    begun: bool,
    ended: bool,
}

/// Allows it, notes it down, and gives its lines. Memory holds one page; each
/// is read when the one before was taken, in a transaction of its own, and
/// only while the actor may still have it. The last line says how many rows
/// there were: without it, the export is not whole.
pub(crate) async fn export(ctx: Ctx, id: OrgId) -> Result<impl Stream<Item = Result<Bytes>> + Send + use<>> {
    let work = ctx.clone();
    ctx.db()
        .write(move |tx| {
            tx.lock(&[Key::row("orgs", id.0), audit::key(Some(id))])?;
            let org = allow::<OrgResource, Export>(tx, &work, id)?;
            work.kernel.budgets.spend(Budget::Export, id.0)?;
            audit::append(tx, &work, Some(org.scope), "directory.org_exported", &format!("org:{id}"), &json!({}))
        })
        .await?;
    let modules = ctx.kernel.registry.org_data().iter().copied().collect();
    let looked_at = ctx.now;
    let start = Progress { ctx, org: id, modules, place: None, rows: 0, looked_at, begun: false, ended: false };
    Ok(try_unfold(start, |mut progress: Progress| async move {
        let lines = progress.lines().await?;
        Ok(lines.map(|lines| (lines, progress)))
    }))
}

impl Progress {
    /// The next lines; `None` after the last.
    async fn lines(&mut self) -> Result<Option<Bytes>> {
        if !std::mem::replace(&mut self.begun, true) {
            let head = json!({ "kind": "export", "org": self.org, "at": self.ctx.now, "format": 1 });
            return Ok(Some(line(&head)));
        }
        loop {
            let Some((module, data)) = self.modules.front().copied() else {
                if std::mem::replace(&mut self.ended, true) {
                    return Ok(None);
                }
                return Ok(Some(line(&json!({ "kind": "end", "rows": self.rows }))));
            };
            let page = match data.export {
                Duty::Nothing(_) => ExportPage::default(),
                Duty::Does(export) => self.page(export).await?,
            };
            self.rows += page.rows.len() as u64;
            self.place = page.next;
            if self.place.is_none() {
                self.modules.pop_front();
            }
            if !page.rows.is_empty() {
                let lines =
                    page.rows.into_iter().map(|(kind, row)| json!({ "module": module, "kind": kind, "row": row }));
                return Ok(Some(lines.map(|row| line(&row)).collect::<Vec<_>>().concat().into()));
            }
        }
    }

    async fn page(
        &mut self,
        export: for<'t, 'a> fn(
            &'a mut store::Tx<'t>,
            &'a Ctx,
            kernel::OrgScope,
            Option<&'a Cursor>,
        ) -> Result<ExportPage>,
    ) -> Result<ExportPage> {
        let (ctx, org, place, since) = (self.ctx.clone(), self.org, self.place.clone(), self.looked_at);
        self.looked_at = self.ctx.kernel.now();
        self.ctx
            .db()
            .read(move |tx| {
                // Neither the role nor the session may have ended meanwhile.
                let org = see::<OrgResource, ReadExport>(tx, &ctx, org)?;
                let ended = access::since(tx, since - LOOK_BACK_MS)?;
                let of_session = |change: &access::AccessChange| match change.ended {
                    access::Ended::AllSessions => change.at >= ctx.now,
                    access::Ended::Session(session) => ctx.actor.session == Some(session),
                    access::Ended::Follows | access::Ended::Remembered => false,
                };
                if ended.iter().any(|change| change.user == ctx.user() && of_session(change)) {
                    return Err(Error::from(Code::Unauthenticated));
                }
                export(tx, &ctx, org.scope, place.as_ref())
            })
            .await
    }
}

fn line(row: &Value) -> Bytes {
    format!("{row}\n").into()
}
