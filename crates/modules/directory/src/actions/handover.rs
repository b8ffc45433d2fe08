//! Giving the ownership to somebody else: also the last owner's way out.

use identity::{NoticeKind, notify};
use kernel::{Ctx, allow, audit};
use proto::{Code, Error, OrgId, Result};
use serde_json::json;

use super::{
    joined_locks, keys, left_locks,
    members::{changed_event, leave, was_there, write_change},
};
use crate::{
    model::{HandOver, Handover, Member, MemberState, Org, OrgResource, Role},
    store as sql,
};

/// Makes somebody an owner and steps down or goes, in one transaction: at no
/// time is there no owner, and nobody is left with half of it.
pub(crate) async fn hand_over(ctx: Ctx, id: OrgId, input: Handover) -> Result<Option<Org>> {
    let me = ctx.user();
    if input.user == me {
        return Err(Error::field(Code::InvalidField, "user"));
    }
    ctx.clone()
        .db()
        .write(move |tx| {
            let mut locks = [keys(id, me), keys(id, input.user)].concat();
            locks.push(audit::key(Some(id)));
            for user in [me, input.user] {
                locks.extend(ctx.hooks().locks(&changed_event(id, user)));
                locks.extend(joined_locks(&ctx, id, user));
                locks.extend(left_locks(&ctx, id, user));
            }
            tx.lock(&locks)?;
            let org = allow::<OrgResource, HandOver>(tx, &ctx, id)?;
            let to = sql::member(tx, org.scope, input.user)?.filter(|m| m.state == MemberState::Active);
            let to = to.ok_or_else(|| Error::field(Code::NotMember, "user"))?;
            if to.role != Role::Owner {
                was_there(tx, to.user)?;
                write_change(tx, &ctx, &org, &to, &Member { role: Role::Owner, ..to.clone() })?;
            }
            if let Some(role) = input.then.role() {
                let own = sql::member(tx, org.scope, me)?.ok_or(Code::NotFound)?;
                write_change(tx, &ctx, &org, &own, &Member { role, ..own.clone() })?;
            } else {
                leave(tx, &ctx, &org, me)?;
            }
            let told = json!({ "org": id, "org_name": org.org.name, "role": Role::Owner });
            notify(tx, &ctx, input.user, NoticeKind::RoleChanged, told)?;
            let detail = json!({ "then": input.then.as_str() });
            let object = format!("user:{}", input.user);
            audit::append(tx, &ctx, Some(org.scope), "directory.handed_over", &object, &detail)?;
            let now = sql::org(tx, id)?.map(|(org, _)| Org { role: input.then.role(), ..org });
            Ok(now.filter(|_| input.then.role().is_some()))
        })
        .await
}
