//! The only SQL of the directory.
//!
//! Statements on a table with `org_id` say `org_id = $n`, but for these,
//! which answer for one person over all their organisations: [`org_ids_of`],
//! [`orgs_of`], [`memberships_since`], [`shared_org`], [`colleagues_among`],
//! [`memberships_of`]; and [`invitation_by_code`], where the code is all that
//! is known.

pub(crate) mod friends;

use kernel::{Allowed, OrgScope, streams};
use proto::{Id as _, InvitationId, Millis, OrgId, Result, StreamKey, UserId};
use store::{Row, Tx, dialect, sql};

use crate::model::{
    Admission, Ends, Invitation, Invite, ListInvitations, ListMembers, ManageMembers, Member, MemberState, Membership,
    Org, OrgResource, Rename, Role, all_staff_conversation,
};

fn read_org(row: &Row<'_>) -> store::Result<Org> {
    let id = row.get(0)?;
    Ok(Org {
        id,
        name: row.get(1)?,
        kind: row.get(2)?,
        role: None,
        member_count: row.get(3)?,
        rev: row.get(4)?,
        created_at: row.get(5)?,
        all_staff: all_staff_conversation(id),
    })
}

fn read_member(row: &Row<'_>) -> store::Result<Member> {
    Ok(Member {
        user: row.get(0)?,
        name: row.get(1)?,
        role: row.get(2)?,
        state: row.get(3)?,
        joined_at: row.get(4)?,
        rev: row.get(5)?,
    })
}

fn head(tx: &mut Tx<'_>, org: OrgId) -> Result<i64> {
    streams::head(tx, StreamKey::new(StreamKey::ORG, org.0))
}

/// An organisation at the rev of its stream, and whether it is suspended.
pub(crate) fn org(tx: &mut Tx<'_>, id: OrgId) -> Result<Option<(Org, bool)>> {
    let rev = head(tx, id)?;
    let found = tx.opt(
        sql!("SELECT id, name, kind, member_count, rev, created_at, state FROM orgs WHERE id = $1"),
        &[&id],
        |row| Ok((read_org(row)?, row.get::<String>(6)? != "active")),
    )?;
    Ok(found.map(|(org, suspended)| (Org { rev, ..org }, suspended)))
}

/// The organisations somebody is active in, with their role, by name.
pub(crate) fn orgs_of(tx: &mut Tx<'_>, user: UserId) -> Result<Vec<Org>> {
    let mut found = tx.query(
        sql!(
            "SELECT o.id, o.name, o.kind, o.member_count, o.rev, o.created_at, m.role
             FROM directory_members m JOIN orgs o ON o.id = m.org_id
             WHERE m.user_id = $1 AND m.state = 'active' ORDER BY o.name, o.id"
        ),
        &[&user],
        |row| Ok(Org { role: Some(row.get(6)?), ..read_org(row)? }),
    )?;
    for org in &mut found {
        org.rev = head(tx, org.id)?;
    }
    Ok(found)
}

/// The organisations somebody is active in.
pub(crate) fn org_ids_of(tx: &mut Tx<'_>, user: UserId) -> Result<Vec<OrgId>> {
    Ok(tx.query(
        sql!("SELECT org_id FROM directory_members WHERE user_id = $1 AND state = 'active' ORDER BY org_id"),
        &[&user],
        |row| row.get(0),
    )?)
}

/// How many organisations somebody has founded.
pub(crate) fn founded(tx: &mut Tx<'_>, user: UserId) -> Result<i64> {
    Ok(tx.one(sql!("SELECT count(*) FROM orgs WHERE created_by = $1"), &[&user], |row| row.get(0))?)
}

/// Adds an organisation without members.
pub(crate) fn add_org(tx: &mut Tx<'_>, org: &Org, by: UserId) -> Result<()> {
    tx.execute(
        sql!(
            "INSERT INTO orgs (id, name, kind, state, time_zone, member_count, rev, created_at, created_by)
             VALUES ($1, $2, $3, 'active', 'Asia/Shanghai', 0, $4, $5, $6)"
        ),
        &[&org.id, &org.name, &org.kind, &org.rev, &org.created_at, &by],
    )?;
    Ok(())
}

pub(crate) fn rename(tx: &mut Tx<'_>, org: &Allowed<'_, OrgResource, Rename>, name: &str, rev: i64) -> Result<()> {
    tx.execute(sql!("UPDATE orgs SET name = $2, rev = $3 WHERE id = $1"), &[&org.scope.org(), &name, &rev])?;
    Ok(())
}

/// Counts a member more or fewer; the organisation as its event shows it.
fn count(tx: &mut Tx<'_>, scope: OrgScope, by: i64, rev: i64) -> Result<Org> {
    Ok(tx.one(
        sql!(
            "UPDATE orgs SET member_count = member_count + $2, rev = $3 WHERE id = $1
             RETURNING id, name, kind, member_count, rev, created_at"
        ),
        &[&scope.org(), &by, &rev],
        read_org,
    )?)
}

pub(crate) fn active_membership(tx: &mut Tx<'_>, org: OrgId, user: UserId) -> Result<Option<Membership>> {
    Ok(tx.opt(
        sql!(
            "SELECT name, role, joined_at, generation FROM directory_members
             WHERE org_id = $1 AND user_id = $2 AND state = 'active'"
        ),
        &[&org, &user],
        |row| {
            Ok(Membership {
                scope: OrgScope::mint(org),
                user,
                name: row.get(0)?,
                role: row.get(1)?,
                joined_at: row.get(2)?,
                generation: row.get(3)?,
            })
        },
    )?)
}

/// Somebody who is or was there.
pub(crate) fn member(tx: &mut Tx<'_>, scope: OrgScope, user: UserId) -> Result<Option<Member>> {
    Ok(tx.opt(
        sql!(
            "SELECT user_id, name, role, state, joined_at, rev FROM directory_members
             WHERE org_id = $1 AND user_id = $2"
        ),
        &[&scope.org(), &user],
        read_member,
    )?)
}

/// A row of the directory together with its organisation, after a change.
pub(crate) struct Changed {
    pub(crate) member: Member,
    pub(crate) org: Org,
}

/// Where a change stands on the two streams it is told on.
#[derive(Clone, Copy)]
pub(crate) struct Revs {
    pub(crate) org: i64,
    pub(crate) person: i64,
}

/// Makes somebody an active member. Whoever was one before has the same row
/// again, with the day they first came.
pub(crate) fn admit(
    tx: &mut Tx<'_>,
    admission: Admission,
    user: UserId,
    name: &str,
    revs: Revs,
    now: Millis,
) -> Result<Changed> {
    let org = count(tx, admission.scope, 1, revs.org)?;
    let member = tx.one(
        sql!(
            "INSERT INTO directory_members
             (org_id, user_id, name, name_folded, role, state, joined_at, generation, rev, person_rev)
             VALUES ($1, $2, $3, $4, $5, 'active', $6, 1, $7, $8)
             ON CONFLICT (org_id, user_id) DO UPDATE SET name = excluded.name, name_folded = excluded.name_folded,
             role = excluded.role, state = 'active', left_at = NULL, rev = excluded.rev,
             person_rev = excluded.person_rev
             RETURNING user_id, name, role, state, joined_at, rev"
        ),
        &[
            &admission.scope.org(),
            &user,
            &name,
            &kernel::text::fold(name),
            &admission.role,
            &now,
            &revs.org,
            &revs.person,
        ],
        read_member,
    )?;
    Ok(Changed { member, org })
}

/// Ends a membership; the row stays as a tombstone. The one who asked holds
/// the proof, for themselves or for the members they manage.
pub(crate) fn end_membership<A: Ends>(
    tx: &mut Tx<'_>,
    by: &Allowed<'_, OrgResource, A>,
    user: UserId,
    revs: Revs,
    now: Millis,
) -> Result<Changed> {
    let org = count(tx, by.scope, -1, revs.org)?;
    let member = tx.one(
        sql!(
            "UPDATE directory_members SET state = 'left', left_at = $3, generation = generation + 1, rev = $4,
             person_rev = $5 WHERE org_id = $1 AND user_id = $2 AND state = 'active'
             RETURNING user_id, name, role, state, joined_at, rev"
        ),
        &[&by.scope.org(), &user, &now, &revs.org, &revs.person],
        read_member,
    )?;
    Ok(Changed { member, org })
}

pub(crate) fn set_role(
    tx: &mut Tx<'_>,
    by: &Allowed<'_, OrgResource, ManageMembers>,
    user: UserId,
    role: Role,
    revs: Revs,
) -> Result<Member> {
    Ok(tx.one(
        sql!(
            "UPDATE directory_members SET role = $3, rev = $4, person_rev = $5
             WHERE org_id = $1 AND user_id = $2 AND state = 'active'
             RETURNING user_id, name, role, state, joined_at, rev"
        ),
        &[&by.scope.org(), &user, &role, &revs.org, &revs.person],
        read_member,
    )?)
}

/// Gives a member the name of their account.
pub(crate) fn set_name(
    tx: &mut Tx<'_>,
    by: &Allowed<'_, OrgResource, ManageMembers>,
    user: UserId,
    name: &str,
    rev: i64,
) -> Result<Member> {
    Ok(tx.one(
        sql!(
            "UPDATE directory_members SET name = $3, name_folded = $4, rev = $5
             WHERE org_id = $1 AND user_id = $2
             RETURNING user_id, name, role, state, joined_at, rev"
        ),
        &[&by.scope.org(), &user, &name, &kernel::text::fold(name), &rev],
        read_member,
    )?)
}

pub(crate) fn owners(tx: &mut Tx<'_>, scope: OrgScope) -> Result<i64> {
    Ok(tx.one(
        sql!("SELECT count(*) FROM directory_members WHERE org_id = $1 AND state = 'active' AND role = 'owner'"),
        &[&scope.org()],
        |row| row.get(0),
    )?)
}

/// Where a page of members begins: after this folded name and id.
pub(crate) type After = (String, UserId);

/// Active members by folded name; `needle` is a literal piece of it. Each with
/// the place after it. Code points order the same on both engines.
pub(crate) fn member_page(
    tx: &mut Tx<'_>,
    scope: OrgScope,
    needle: Option<&str>,
    after: Option<&After>,
    limit: usize,
) -> Result<Vec<(Member, After)>> {
    let (name, id) = after.cloned().unwrap_or_else(|| (String::new(), UserId::from_uuid(uuid::Uuid::nil())));
    Ok(tx.query(
        dialect!(
            sqlite: "SELECT user_id, name, role, state, joined_at, rev, name_folded FROM directory_members
                 WHERE org_id = $1 AND state = 'active' AND (name_folded, user_id) > ($2, $3)
                 AND ($4 = '' OR instr(name_folded, $4) > 0)
                 ORDER BY name_folded, user_id LIMIT $5",
            postgres: "SELECT user_id, name, role, state, joined_at, rev, name_folded FROM directory_members
                 WHERE org_id = $1 AND state = 'active' AND (name_folded, user_id) > ($2, $3)
                 AND (CAST($4 AS TEXT) = '' OR strpos(name_folded, $4) > 0)
                 ORDER BY name_folded, user_id LIMIT $5",
        ),
        &[&scope.org(), &name, &id, &needle.unwrap_or(""), &limit],
        |row| {
            let member = read_member(row)?;
            let after = (row.get(6)?, member.user);
            Ok((member, after))
        },
    )?)
}

/// The same, for whoever may list members.
pub(crate) fn list_members(
    tx: &mut Tx<'_>,
    org: &Allowed<'_, OrgResource, ListMembers>,
    needle: Option<&str>,
    after: Option<&After>,
    limit: usize,
) -> Result<Vec<(Member, After)>> {
    member_page(tx, org.scope, needle, after, limit)
}

/// The members who came first.
pub(crate) fn first_members(tx: &mut Tx<'_>, scope: OrgScope, limit: usize) -> Result<Vec<UserId>> {
    Ok(tx.query(
        sql!(
            "SELECT user_id FROM directory_members WHERE org_id = $1 AND state = 'active'
             ORDER BY joined_at, user_id LIMIT $2"
        ),
        &[&scope.org(), &limit],
        |row| row.get(0),
    )?)
}

pub(crate) fn member_count(tx: &mut Tx<'_>, scope: OrgScope) -> Result<i64> {
    Ok(tx.opt(sql!("SELECT member_count FROM orgs WHERE id = $1"), &[&scope.org()], |row| row.get(0))?.unwrap_or(0))
}

/// Which of these people are active members; in the order of ids.
pub(crate) fn active_among(tx: &mut Tx<'_>, scope: OrgScope, of: &[UserId]) -> Result<Vec<Member>> {
    Ok(tx.query(
        dialect!(
            sqlite: "SELECT user_id, name, role, state, joined_at, rev FROM directory_members
                 WHERE org_id = $1 AND state = 'active'
                 AND user_id IN (SELECT unhex(replace(value, '-', '')) FROM json_each($2)) ORDER BY user_id",
            postgres: "SELECT user_id, name, role, state, joined_at, rev FROM directory_members
                 WHERE org_id = $1 AND state = 'active' AND user_id IN
                 (SELECT CAST(jsonb_array_elements_text(CAST(CAST($2 AS TEXT) AS JSONB)) AS UUID)) ORDER BY user_id",
        ),
        &[&scope.org(), &ids(of)],
        read_member,
    )?)
}

/// How many of these people are active members.
pub(crate) fn active_count_among(tx: &mut Tx<'_>, scope: OrgScope, of: &[UserId]) -> Result<i64> {
    Ok(tx.one(
        dialect!(
            sqlite: "SELECT COUNT(*) FROM directory_members WHERE org_id = $1 AND state = 'active'
                 AND user_id IN (SELECT unhex(replace(value, '-', '')) FROM json_each($2))",
            postgres: "SELECT COUNT(*) FROM directory_members WHERE org_id = $1 AND state = 'active' AND user_id IN
                 (SELECT CAST(jsonb_array_elements_text(CAST(CAST($2 AS TEXT) AS JSONB)) AS UUID))",
        ),
        &[&scope.org(), &ids(of)],
        |row| row.get(0),
    )?)
}

/// How many active members were there at a time.
pub(crate) fn member_count_at(tx: &mut Tx<'_>, scope: OrgScope, at: Millis) -> Result<i64> {
    Ok(tx.one(
        sql!("SELECT COUNT(*) FROM directory_members WHERE org_id = $1 AND state = 'active' AND joined_at <= $2"),
        &[&scope.org(), &at],
        |row| row.get(0),
    )?)
}

/// A set of ids as one parameter.
fn ids(users: &[UserId]) -> String {
    serde_json::Value::from(users.iter().map(|id| id.uuid().to_string()).collect::<Vec<_>>()).to_string()
}

/// An organisation in which both are active.
pub(crate) fn shared_org(tx: &mut Tx<'_>, a: UserId, b: UserId) -> Result<Option<OrgScope>> {
    let found: Option<OrgId> = tx.opt(
        sql!(
            "SELECT x.org_id FROM directory_members x JOIN directory_members y ON y.org_id = x.org_id
             WHERE x.user_id = $1 AND x.state = 'active' AND y.user_id = $2 AND y.state = 'active'
             ORDER BY x.org_id LIMIT 1"
        ),
        &[&a, &b],
        |row| row.get(0),
    )?;
    Ok(found.map(OrgScope::mint))
}

/// Those who are, or were, in an organisation in which `by` is active now: a
/// leaver's name stays on what they wrote.
pub(crate) fn colleagues_among(tx: &mut Tx<'_>, by: UserId, of: &[UserId]) -> Result<Vec<UserId>> {
    Ok(tx.query(
        dialect!(
            sqlite: "SELECT DISTINCT y.user_id FROM directory_members x JOIN directory_members y ON y.org_id = x.org_id
                 WHERE x.user_id = $1 AND x.state = 'active'
                 AND y.user_id IN (SELECT unhex(replace(value, '-', '')) FROM json_each($2))",
            postgres: "SELECT DISTINCT y.user_id FROM directory_members x JOIN directory_members y
                 ON y.org_id = x.org_id WHERE x.user_id = $1 AND x.state = 'active' AND y.user_id IN
                 (SELECT CAST(jsonb_array_elements_text(CAST(CAST($2 AS TEXT) AS JSONB)) AS UUID))",
        ),
        &[&by, &ids(of)],
        |row| row.get(0),
    )?)
}

/// Every membership of a person, ended ones too, by organisation.
pub(crate) fn memberships_of(tx: &mut Tx<'_>, user: UserId) -> Result<Vec<(OrgId, Member)>> {
    Ok(tx.query(
        sql!(
            "SELECT user_id, name, role, state, joined_at, rev, org_id FROM directory_members
             WHERE user_id = $1 ORDER BY org_id"
        ),
        &[&user],
        |row| Ok((row.get(6)?, read_member(row)?)),
    )?)
}

/// Everyone who is or was in an organisation, after a person, by id.
pub(crate) fn members_by_id(
    tx: &mut Tx<'_>,
    scope: OrgScope,
    after: Option<UserId>,
    limit: usize,
) -> Result<Vec<Member>> {
    Ok(tx.query(
        sql!(
            "SELECT user_id, name, role, state, joined_at, rev FROM directory_members
             WHERE org_id = $1 AND user_id > $2 ORDER BY user_id LIMIT $3"
        ),
        &[&scope.org(), &after.unwrap_or(UserId(uuid::Uuid::nil())), &limit],
        read_member,
    )?)
}

/// Rows of an organisation's stream after `rev`, ascending, at most `limit`.
pub(crate) fn members_since(tx: &mut Tx<'_>, org: OrgId, rev: i64, limit: usize) -> Result<Vec<Member>> {
    Ok(tx.query(
        sql!(
            "SELECT user_id, name, role, state, joined_at, rev FROM directory_members
             WHERE org_id = $1 AND rev > $2 ORDER BY rev LIMIT $3"
        ),
        &[&org, &rev, &limit],
        read_member,
    )?)
}

/// The organisation's own row, where it changed after `rev`.
pub(crate) fn org_since(tx: &mut Tx<'_>, org: OrgId, rev: i64) -> Result<Option<Org>> {
    Ok(tx.opt(
        sql!("SELECT id, name, kind, member_count, rev, created_at FROM orgs WHERE id = $1 AND rev > $2"),
        &[&org, &rev],
        read_org,
    )?)
}

/// What a person's own stream says of their memberships after `rev`.
pub(crate) fn memberships_since(
    tx: &mut Tx<'_>,
    user: UserId,
    rev: i64,
    limit: usize,
) -> Result<Vec<(i64, OrgId, MemberState, Role)>> {
    Ok(tx.query(
        sql!(
            "SELECT person_rev, org_id, state, role FROM directory_members
             WHERE user_id = $1 AND person_rev > $2 ORDER BY person_rev LIMIT $3"
        ),
        &[&user, &rev, &limit],
        |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)),
    )?)
}

fn read_invitation(row: &Row<'_>) -> store::Result<Invitation> {
    let revoked: Option<Millis> = row.get(7)?;
    Ok(Invitation {
        id: row.get(0)?,
        code: row.get(1)?,
        url: String::new(),
        expires_at: row.get(2)?,
        max_uses: row.get(3)?,
        uses: row.get(4)?,
        created_by: row.get(5)?,
        created_at: row.get(6)?,
        revoked: revoked.is_some(),
    })
}

pub(crate) fn add_invitation(tx: &mut Tx<'_>, org: &Allowed<'_, OrgResource, Invite>, new: &Invitation) -> Result<()> {
    tx.execute(
        sql!(
            "INSERT INTO directory_invitations
             (org_id, id, code, expires_at, max_uses, uses, created_by, created_at)
             VALUES ($1, $2, $3, $4, $5, 0, $6, $7)"
        ),
        &[&org.scope.org(), &new.id, &new.code, &new.expires_at, &new.max_uses, &new.created_by, &new.created_at],
    )?;
    Ok(())
}

/// The newest invitations before a place in time, ended ones too.
pub(crate) fn invitations(
    tx: &mut Tx<'_>,
    org: &Allowed<'_, OrgResource, ListInvitations>,
    before: (Millis, InvitationId),
    limit: usize,
) -> Result<Vec<Invitation>> {
    Ok(tx.query(
        sql!(
            "SELECT id, code, expires_at, max_uses, uses, created_by, created_at, revoked_at
             FROM directory_invitations WHERE org_id = $1 AND (created_at, id) < ($2, $3)
             ORDER BY created_at DESC, id DESC LIMIT $4"
        ),
        &[&org.scope.org(), &before.0, &before.1, &limit],
        read_invitation,
    )?)
}

pub(crate) fn invitation(tx: &mut Tx<'_>, org: OrgId, id: InvitationId) -> Result<Option<Invitation>> {
    Ok(tx.opt(
        sql!(
            "SELECT id, code, expires_at, max_uses, uses, created_by, created_at, revoked_at
             FROM directory_invitations WHERE org_id = $1 AND id = $2"
        ),
        &[&org, &id],
        read_invitation,
    )?)
}

pub(crate) fn invitation_by_code(tx: &mut Tx<'_>, code: &str) -> Result<Option<(OrgId, Invitation)>> {
    Ok(tx.opt(
        sql!(
            "SELECT id, code, expires_at, max_uses, uses, created_by, created_at, revoked_at, org_id
             FROM directory_invitations WHERE code = $1 ORDER BY created_at, id LIMIT 1"
        ),
        &[&code],
        |row| Ok((row.get(8)?, read_invitation(row)?)),
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
