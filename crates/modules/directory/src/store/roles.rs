//! Roles of an organisation's own.

use kernel::{Allowed, OrgScope};
use proto::{Result, RoleId};
use store::{Tx, sql};
use uuid::Uuid;

use crate::model::{ListRoles, OrgResource, RolePermission};

/// What a person's own roles there permit: `(object, action)`.
pub(crate) fn own_permissions(tx: &mut Tx<'_>, scope: OrgScope, user: proto::UserId) -> Result<Vec<(String, String)>> {
    Ok(tx.query(
        sql!(
            "SELECT DISTINCT p.object, p.action FROM directory_member_roles m
             JOIN directory_role_permissions p ON p.org_id = m.org_id AND p.role_id = m.role_id
             WHERE m.org_id = $1 AND m.user_id = $2 ORDER BY p.object, p.action"
        ),
        &[&scope.org(), &user],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?)
}

/// The organisation's own roles by name, each with what it permits.
pub(crate) fn own_roles(
    tx: &mut Tx<'_>,
    org: &Allowed<'_, OrgResource, ListRoles>,
) -> Result<Vec<(RoleId, String, Vec<RolePermission>)>> {
    roles_of(tx, org.scope)
}

/// The same, for an export that was allowed.
pub(crate) fn roles_of(tx: &mut Tx<'_>, scope: OrgScope) -> Result<Vec<(RoleId, String, Vec<RolePermission>)>> {
    let roles: Vec<(RoleId, String)> = tx.query(
        sql!("SELECT id, name FROM directory_roles WHERE org_id = $1 ORDER BY name, id LIMIT 200"),
        &[&scope.org()],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    let permissions: Vec<(Uuid, RolePermission)> = tx.query(
        sql!(
            "SELECT role_id, object, action FROM directory_role_permissions WHERE org_id = $1
             ORDER BY role_id, object, action LIMIT 20000"
        ),
        &[&scope.org()],
        |row| Ok((row.get(0)?, RolePermission { object: row.get(1)?, action: row.get(2)? })),
    )?;
    Ok(roles
        .into_iter()
        .map(|(id, name)| {
            let of = permissions.iter().filter(|(role, _)| *role == id.0).map(|(_, p)| p.clone()).collect();
            (id, name, of)
        })
        .collect())
}
