//! Founding, seeing and naming organisations.

use kernel::{
    Ctx, allow, audit,
    idempotency::Once,
    see,
    streams::{self, bump},
};
use proto::{Code, Error, Header, OrgId, PrincipalKind, Result, UserId, limits};
use serde_json::json;
use store::{Key, Tx};

use super::{join, joined_locks, keys};
use crate::{
    events::{self, OrgCreated, OrgRenamed, stream},
    model::{
        Admission, NewOrg, Org, OrgChange, OrgKind, OrgList, OrgResource, Rename, View, all_staff_conversation,
        org_name,
    },
    store as sql,
};

/// What founding an organisation with this id locks.
fn founding_keys(ctx: &Ctx, org: OrgId, name: &str, by: UserId) -> Vec<Key> {
    let event = OrgCreated { org: super::asked(org), name: name.to_owned(), by };
    let mut locks = keys(org, by);
    locks.extend([audit::key(Some(org)), identity::users::key(by)]);
    locks.extend(ctx.hooks().locks(&event));
    locks.extend(joined_locks(ctx, org, by));
    locks
}

/// Held: [`founding_keys`]. Whoever founds an organisation owns it.
fn found(tx: &mut Tx<'_>, ctx: &Ctx, id: OrgId, name: &str, kind: OrgKind, by: UserId) -> Result<Org> {
    let admission = Admission::of_founder(id);
    let rev = streams::head(tx, stream(id))?;
    let new = Org {
        id,
        name: name.to_owned(),
        kind,
        role: None,
        state: None,
        closing_at: None,
        member_count: 0,
        rev,
        created_at: ctx.now,
        all_staff: all_staff_conversation(id),
    };
    sql::add_org(tx, &new, by)?;
    ctx.hooks().run(tx, ctx, &OrgCreated { org: admission.scope, name: name.to_owned(), by })?;
    let org = join(tx, ctx, admission, by)?;
    let detail = json!({ "kind": kind.as_str() });
    audit::append(tx, ctx, Some(admission.scope), "directory.org_created", &format!("org:{id}"), &detail)?;
    Ok(org)
}

/// Founds an organisation. The same idempotency key gives the same one.
pub(crate) async fn create_org(ctx: Ctx, once: Once, input: NewOrg) -> Result<Org> {
    if ctx.actor.kind != PrincipalKind::Person {
        return Err(Code::Forbidden.into());
    }
    let (name, id, kind) = (org_name(&input.name)?, ctx.id::<OrgId>(), input.kind.unwrap_or(OrgKind::Company));
    ctx.clone()
        .db()
        .write(move |tx| {
            let by = ctx.user();
            let mut locks = founding_keys(&ctx, id, &name, by);
            locks.extend(once.keys(&ctx));
            tx.lock(&locks)?;
            if let Some(before) = once.result(tx, &ctx)? {
                return Ok(see::<OrgResource, View>(tx, &ctx, OrgId(before))?.into_inner().org);
            }
            // Where accounts are by invitation, so are organisations.
            if !ctx.kernel.live().signup_open && sql::org_ids_of(tx, by)?.is_empty() && sql::any_org(tx)? {
                return Err(Code::FoundingClosed.into());
            }
            if sql::founded(tx, by)? >= i64::try_from(limits::ORGS_PER_PERSON).unwrap_or(i64::MAX) {
                return Err(Error::api(Code::TooManyItems).with("limit", limits::ORGS_PER_PERSON));
            }
            let org = found(tx, &ctx, id, &name, kind, by)?;
            once.keep(tx, &ctx, id.0)?;
            Ok(org)
        })
        .await
}

/// A member a seed or an import adds; see [`add_member`].
#[derive(Clone, Copy, Debug)]
pub struct NewMember {
    pub user: UserId,
    pub role: crate::Role,
}

/// Founds an organisation inside a seed's transaction, which must not have
/// read or locked anything yet: this takes the locks. Owned by `by`.
pub fn found_org(tx: &mut Tx<'_>, ctx: &Ctx, name: &str, kind: OrgKind, by: UserId) -> Result<Org> {
    let (name, id) = (org_name(name)?, ctx.id());
    tx.lock(&founding_keys(ctx, id, &name, by))?;
    found(tx, ctx, id, &name, kind, by)
}

/// Adds people to an organisation inside a seed's or an import's transaction,
/// which must not have read or locked anything yet: this takes the locks.
/// Those who are members already stay as they are. Each is told on their own
/// stream, so at most about 30 in one transaction.
pub fn add_member(tx: &mut Tx<'_>, ctx: &Ctx, org: OrgId, new: &[NewMember]) -> Result<()> {
    if ctx.actor.kind != PrincipalKind::System {
        return Err(Error::internal("only the server itself adds members without an invitation"));
    }
    let mut locks = Vec::new();
    for member in new {
        locks.extend(keys(org, member.user));
        locks.push(identity::users::key(member.user));
        locks.extend(joined_locks(ctx, org, member.user));
    }
    tx.lock(&locks)?;
    for member in new {
        if sql::active_membership(tx, org, member.user)?.is_none() {
            let admission = Admission { role: member.role, ..Admission::of_founder(org) };
            join(tx, ctx, admission, member.user)?;
        }
    }
    Ok(())
}

/// The organisations one is in, by name.
pub(crate) async fn list_orgs(ctx: Ctx) -> Result<OrgList> {
    let items = ctx.clone().db().read(move |tx| sql::orgs_of(tx, ctx.user())).await?;
    Ok(OrgList { items })
}

pub(crate) async fn org(ctx: Ctx, id: OrgId) -> Result<Org> {
    ctx.clone().db().read(move |tx| Ok(see::<OrgResource, View>(tx, &ctx, id)?.into_inner().org)).await
}

/// Gives an organisation another name; the same one writes nothing.
pub(crate) async fn rename(ctx: Ctx, id: OrgId, input: OrgChange) -> Result<Org> {
    let name = org_name(&input.name)?;
    ctx.clone()
        .db()
        .write(move |tx| {
            let event = OrgRenamed { org: super::asked(id), name: name.clone() };
            let mut locks = vec![Key::row("orgs", id.0), streams::key(stream(id)), audit::key(Some(id))];
            locks.extend(ctx.hooks().locks(&event));
            tx.lock(&locks)?;
            let org = allow::<OrgResource, Rename>(tx, &ctx, id)?;
            if org.org.name == name {
                return Ok(org.into_inner().org);
            }
            let rev = bump(tx, stream(id))?;
            sql::rename(tx, &org, &name, rev)?;
            let after = Org { name: name.clone(), rev, ..org.org.clone() };
            streams::emit(tx, stream(id), rev, Header::default(), &[events::org(&after)])?;
            ctx.hooks().run(tx, &ctx, &event)?;
            audit::append(tx, &ctx, Some(org.scope), "directory.org_renamed", &format!("org:{id}"), &json!({}))?;
            Ok(after)
        })
        .await
}
