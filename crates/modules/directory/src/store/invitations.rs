//! Offers to join.

use kernel::{Act, Allowed, OrgScope};
use proto::{Error, InvitationId, Millis, OrgId, Result, UserId};
use serde_json::Value;
use store::{Row, Tx, sql};

use crate::model::{Admission, ChangeSettings, Ends, Invitation, Invite, ListInvitations, OrgResource};

macro_rules! columns {
    () => {
        "id, code, expires_at, max_uses, uses, created_by, created_at, revoked_at, short, approval, label, pending"
    };
}

fn read_invitation(row: &Row<'_>) -> store::Result<Invitation> {
    let revoked: Option<Millis> = row.get(7)?;
    Ok(Invitation {
        id: row.get(0)?,
        code: row.get(1)?,
        short: row.get(8)?,
        url: String::new(),
        approval: row.get(9)?,
        label: row.get(10)?,
        expires_at: row.get(2)?,
        max_uses: row.get(3)?,
        uses: row.get(4)?,
        pending: row.get(11)?,
        created_by: row.get(5)?,
        created_at: row.get(6)?,
        revoked: revoked.is_some(),
    })
}

pub(crate) fn add_invitation(tx: &mut Tx<'_>, org: &Allowed<'_, OrgResource, Invite>, new: &Invitation) -> Result<()> {
    tx.execute(
        sql!(
            "INSERT INTO directory_invitations (org_id, id, code, short, approval, label, expires_at, max_uses, uses,
                pending, created_by, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, 0, $9, $10)"
        ),
        &[
            &org.scope.org(),
            &new.id,
            &new.code,
            &new.short,
            &new.approval,
            &new.label,
            &new.expires_at,
            &new.max_uses,
            &new.created_by,
            &new.created_at,
        ],
    )?;
    Ok(())
}

/// Whether any invitation, ended ones too, has this short code.
pub(crate) fn short_taken(tx: &mut Tx<'_>, short: &str) -> Result<bool> {
    Ok(invitation_by_short(tx, short)?.is_some())
}

pub(crate) fn change_invitation(
    tx: &mut Tx<'_>,
    org: &Allowed<'_, OrgResource, Invite>,
    after: &Invitation,
) -> Result<()> {
    tx.execute(
        sql!(
            "UPDATE directory_invitations SET expires_at = $3, max_uses = $4, approval = $5, label = $6
             WHERE org_id = $1 AND id = $2"
        ),
        &[&org.scope.org(), &after.id, &after.expires_at, &after.max_uses, &after.approval, &after.label],
    )?;
    Ok(())
}

/// The newest invitations before a place in time, ended ones too; those of
/// one person where `by` names them.
pub(crate) fn invitations(
    tx: &mut Tx<'_>,
    org: &Allowed<'_, OrgResource, ListInvitations>,
    by: Option<UserId>,
    before: (Millis, InvitationId),
    limit: usize,
) -> Result<Vec<Invitation>> {
    Ok(tx.query(
        sql!(concat!(
            "SELECT ",
            columns!(),
            " FROM directory_invitations WHERE org_id = $1 AND (created_at, id) < ($2, $3)
             AND ($5 OR created_by = $6) ORDER BY created_at DESC, id DESC LIMIT $4"
        )),
        &[&org.scope.org(), &before.0, &before.1, &limit, &by.is_none(), &by.unwrap_or(UserId(uuid::Uuid::nil()))],
        read_invitation,
    )?)
}

/// Invitations after one, by id, without what opens them.
pub(crate) fn invitations_by_id(
    tx: &mut Tx<'_>,
    scope: OrgScope,
    after: InvitationId,
    limit: usize,
) -> Result<Vec<Value>> {
    let found = tx.query(
        sql!(concat!(
            "SELECT ",
            columns!(),
            " FROM directory_invitations WHERE org_id = $1 AND id > $2 ORDER BY id LIMIT $3"
        )),
        &[&scope.org(), &after, &limit],
        read_invitation,
    )?;
    found
        .into_iter()
        .map(|invitation| {
            let mut shown = serde_json::to_value(invitation).map_err(Error::internal)?;
            if let Some(fields) = shown.as_object_mut() {
                fields.retain(|name, _| !matches!(name.as_str(), "code" | "short" | "url"));
            }
            Ok(shown)
        })
        .collect()
}

pub(crate) fn invitation(tx: &mut Tx<'_>, org: OrgId, id: InvitationId) -> Result<Option<Invitation>> {
    Ok(tx.opt(
        sql!(concat!("SELECT ", columns!(), " FROM directory_invitations WHERE org_id = $1 AND id = $2")),
        &[&org, &id],
        read_invitation,
    )?)
}

pub(crate) fn invitation_by_code(tx: &mut Tx<'_>, code: &str) -> Result<Option<(OrgId, Invitation)>> {
    Ok(tx.opt(
        sql!(concat!(
            "SELECT ",
            columns!(),
            ", org_id FROM directory_invitations WHERE code = $1 ORDER BY created_at, id LIMIT 1"
        )),
        &[&code],
        |row| Ok((row.get(12)?, read_invitation(row)?)),
    )?)
}

pub(crate) fn invitation_by_short(tx: &mut Tx<'_>, short: &str) -> Result<Option<(OrgId, Invitation)>> {
    Ok(tx.opt(
        sql!(concat!(
            "SELECT ",
            columns!(),
            ", org_id FROM directory_invitations WHERE short = $1 ORDER BY created_at, id LIMIT 1"
        )),
        &[&short],
        |row| Ok((row.get(12)?, read_invitation(row)?)),
    )?)
}

/// Counts one use. Held: the organisation.
pub(crate) fn use_invitation(tx: &mut Tx<'_>, admission: Admission, id: InvitationId) -> Result<()> {
    tx.execute(
        sql!("UPDATE directory_invitations SET uses = uses + 1 WHERE org_id = $1 AND id = $2"),
        &[&admission.scope.org(), &id],
    )?;
    Ok(())
}

/// Holds one use for a request. Held: the organisation.
pub(crate) fn reserve_invitation(tx: &mut Tx<'_>, admission: Admission, id: InvitationId) -> Result<()> {
    tx.execute(
        sql!("UPDATE directory_invitations SET pending = pending + 1 WHERE org_id = $1 AND id = $2"),
        &[&admission.scope.org(), &id],
    )?;
    Ok(())
}

/// Turns a held use into a real one. Held: the organisation.
pub(crate) fn use_reserved(tx: &mut Tx<'_>, admission: Admission, id: InvitationId) -> Result<()> {
    tx.execute(
        sql!("UPDATE directory_invitations SET pending = pending - 1, uses = uses + 1 WHERE org_id = $1 AND id = $2"),
        &[&admission.scope.org(), &id],
    )?;
    Ok(())
}

/// Gives a held use back. Held: the organisation.
pub(crate) fn release_invitation(tx: &mut Tx<'_>, org: OrgId, id: InvitationId) -> Result<()> {
    tx.execute(
        sql!("UPDATE directory_invitations SET pending = pending - 1 WHERE org_id = $1 AND id = $2"),
        &[&org, &id],
    )?;
    Ok(())
}

/// Withdraws all that somebody made, who may invite no more.
pub(crate) fn revoke_invitations_of<A: Ends>(
    tx: &mut Tx<'_>,
    org: &Allowed<'_, OrgResource, A>,
    user: UserId,
    now: Millis,
) -> Result<()> {
    tx.execute(
        sql!(
            "UPDATE directory_invitations SET revoked_at = $3
             WHERE org_id = $1 AND created_by = $2 AND revoked_at IS NULL"
        ),
        &[&org.scope.org(), &user, &now],
    )?;
    Ok(())
}

/// Ends the open invitations of all who are plain members, without a role of
/// the organisation's own by which they may invite.
pub(crate) fn revoke_invitations_of_members(
    tx: &mut Tx<'_>,
    org: &Allowed<'_, OrgResource, ChangeSettings>,
    now: Millis,
) -> Result<()> {
    tx.execute(
        sql!(
            "UPDATE directory_invitations SET revoked_at = $2
             WHERE org_id = $1 AND revoked_at IS NULL
             AND created_by IN (SELECT user_id FROM directory_members WHERE org_id = $1 AND role = 'member')
             AND created_by NOT IN (SELECT m.user_id FROM directory_member_roles m
                JOIN directory_role_permissions p ON p.org_id = m.org_id AND p.role_id = m.role_id
                WHERE m.org_id = $1 AND p.object = 'org' AND p.action = $3)"
        ),
        &[&org.scope.org(), &now, &Invite::NAME],
    )?;
    Ok(())
}

pub(crate) fn revoke_invitation(
    tx: &mut Tx<'_>,
    org: &Allowed<'_, OrgResource, Invite>,
    id: InvitationId,
    now: Millis,
) -> Result<()> {
    tx.execute(
        sql!(
            "UPDATE directory_invitations SET revoked_at = $3
             WHERE org_id = $1 AND id = $2 AND revoked_at IS NULL"
        ),
        &[&org.scope.org(), &id, &now],
    )?;
    Ok(())
}

/// How many accounts were made by an invitation and may still accept it.
pub(crate) fn sign_ups(tx: &mut Tx<'_>, org: OrgId, id: InvitationId, now: Millis) -> Result<i64> {
    Ok(tx.one(
        sql!("SELECT count(*) FROM directory_sign_ups WHERE org_id = $1 AND invitation_id = $2 AND expires_at > $3"),
        &[&org, &id, &now],
        |row| row.get(0),
    )?)
}

/// Holds a use for an account that is being made, and forgets what ran out.
pub(crate) fn hold_sign_up(
    tx: &mut Tx<'_>,
    org: OrgId,
    id: InvitationId,
    user: UserId,
    now: Millis,
    until: Millis,
) -> Result<()> {
    tx.execute(sql!("DELETE FROM directory_sign_ups WHERE org_id = $1 AND expires_at <= $2"), &[&org, &now])?;
    tx.execute(
        sql!("INSERT INTO directory_sign_ups (org_id, invitation_id, user_id, expires_at) VALUES ($1, $2, $3, $4)"),
        &[&org, &id, &user, &until],
    )?;
    Ok(())
}

pub(crate) fn release_sign_up(tx: &mut Tx<'_>, org: OrgId, id: InvitationId, user: UserId) -> Result<()> {
    tx.execute(
        sql!("DELETE FROM directory_sign_ups WHERE org_id = $1 AND invitation_id = $2 AND user_id = $3"),
        &[&org, &id, &user],
    )?;
    Ok(())
}
