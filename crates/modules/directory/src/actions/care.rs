//! Reading what an organisation keeps about itself.

use kernel::{Ctx, audit, see};
use proto::{Code, OrgId, Result, UserId};
use serde_json::Value;

use crate::{
    model::{
        AuditActor, AuditEntry, AuditPage, BUILT_IN, ListRoles, OrgResource, PageQuery, ReadAudit, Role, RoleItem,
        RoleList, RolePermission, page_size,
    },
    store as sql,
};

/// The chain of privileged acts, the newest first.
pub(crate) async fn list_audit(ctx: Ctx, id: OrgId, query: PageQuery) -> Result<AuditPage> {
    let size = page_size(query.limit)?;
    let before = match query.cursor.as_deref().map(proto::Cursor::decode) {
        None => i64::MAX,
        Some(Some(proto::Cursor(place))) if place.len() == 1 => place[0].parse().map_err(|_| Code::InvalidCursor)?,
        Some(_) => return Err(Code::InvalidCursor.into()),
    };
    ctx.clone()
        .db()
        .read(move |tx| {
            let org = see::<OrgResource, ReadAudit>(tx, &ctx, id)?;
            let mut entries = audit::newest(tx, Some(org.scope), before, size as i64 + 1)?;
            let more = entries.len() > size;
            entries.truncate(size);
            let people: Vec<UserId> =
                entries.iter().filter(|e| e.actor_kind == "person").map(|e| UserId(e.actor_id)).collect();
            let names = identity::users::names(tx, &people)?;
            let next = entries.last().filter(|_| more).map(|last| proto::Cursor(vec![last.seq.to_string()]).encode());
            let items = entries
                .into_iter()
                .map(|entry| AuditEntry {
                    seq: entry.seq,
                    at: entry.at,
                    actor: AuditActor {
                        kind: entry.actor_kind.parse().unwrap_or(proto::PrincipalKind::System),
                        id: entry.actor_id,
                        name: names.get(&UserId(entry.actor_id)).cloned(),
                    },
                    action: entry.action,
                    object: entry.object,
                    detail: serde_json::from_str(&entry.detail).unwrap_or(Value::Null),
                })
                .collect();
            Ok(AuditPage { items, next })
        })
        .await
}

/// The built-in roles and the organisation's own, with what they permit.
pub(crate) async fn list_roles(ctx: Ctx, id: OrgId) -> Result<RoleList> {
    ctx.clone()
        .db()
        .read(move |tx| {
            let org = see::<OrgResource, ListRoles>(tx, &ctx, id)?;
            let mut items: Vec<RoleItem> = [Role::Owner, Role::Admin, Role::Member].map(built_in).into();
            items.extend(sql::own_roles(tx, &org)?.into_iter().map(|(id, name, permissions)| RoleItem {
                id: id.to_string(),
                name: Some(name),
                built_in: false,
                permissions,
            }));
            Ok(RoleList { items })
        })
        .await
}

fn built_in(role: Role) -> RoleItem {
    let of = BUILT_IN.iter().filter(|p| p.roles.contains(&role));
    let permissions = of.map(|p| RolePermission { object: p.object.into(), action: p.action.into() }).collect();
    RoleItem { id: role.as_str().into(), name: None, built_in: true, permissions }
}
