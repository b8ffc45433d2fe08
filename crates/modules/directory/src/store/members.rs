//! Who is or was in an organisation.

use kernel::{Allowed, OrgScope};
use proto::{Id as _, Millis, OrgId, Result, UserId};
use store::{Row, Tx, dialect, sql};

use super::count;
use crate::model::{
    Admission, Ends, ListMembers, ManageMembers, Member, MemberState, Membership, Org, OrgResource, Role,
};

pub(super) fn read_member(row: &Row<'_>) -> store::Result<Member> {
    Ok(Member {
        user: row.get(0)?,
        name: row.get(1)?,
        role: row.get(2)?,
        state: row.get(3)?,
        joined_at: row.get(4)?,
        rev: row.get(5)?,
        number: row.get(6)?,
        verified: row.get(7)?,
    })
}

/// The person's active membership.
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

/// Whether a person may be there as a guest, by the word of somebody.
pub(crate) fn has_guest(
    tx: &mut Tx<'_>,
    org: OrgId,
    [guest, front]: [UserId; 2],
    by: Option<[UserId; 2]>,
) -> Result<bool> {
    let [host, host_front] = by.unwrap_or([guest, front]);
    Ok(tx.one(
        sql!(
            "SELECT EXISTS (SELECT 1 FROM orgs o WHERE o.id = $1 AND o.state <> 'closed')
             AND NOT EXISTS (SELECT 1 FROM directory_members g WHERE g.org_id = $1 AND g.user_id IN ($2, $3)
                AND (g.state = 'suspended' OR g.state = 'left' AND g.removed))
             AND ($4 OR EXISTS (SELECT 1 FROM directory_members b WHERE b.org_id = $1 AND b.user_id IN ($5, $6)
                AND b.state = 'active'))"
        ),
        &[&org, &guest, &front, &by.is_none(), &host, &host_front],
        |row| row.get(0),
    )?)
}

/// Somebody who is or was there.
pub(crate) fn member(tx: &mut Tx<'_>, scope: OrgScope, user: UserId) -> Result<Option<Member>> {
    Ok(tx.opt(
        sql!(concat!("SELECT ", member_columns!(), " FROM directory_members WHERE org_id = $1 AND user_id = $2")),
        &[&scope.org(), &user],
        read_member,
    )?)
}

/// Whether somebody was there and did not go by themselves.
pub(crate) fn removed(tx: &mut Tx<'_>, scope: OrgScope, user: UserId) -> Result<bool> {
    let found = tx.opt(
        sql!("SELECT removed FROM directory_members WHERE org_id = $1 AND user_id = $2 AND state = 'left'"),
        &[&scope.org(), &user],
        |row| row.get(0),
    )?;
    Ok(found.unwrap_or(false))
}

/// A row of the directory, with its organisation where that changed too.
pub(crate) struct Changed {
    pub(crate) member: Member,
    pub(crate) org: Option<Org>,
}

/// Where a change stands on the streams it is told on.
#[derive(Clone, Copy)]
pub(crate) struct Revs {
    pub(crate) org: i64,
    pub(crate) person: i64,
}

/// Makes somebody an active member. Whoever was one before has the same row
/// again, with the day they first came and what the organisation keeps of
/// them; a name it wrote itself stays.
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
        sql!(concat!(
            "INSERT INTO directory_members
             (org_id, user_id, name, name_folded, role, state, joined_at, generation, rev, person_rev, role_since)
             VALUES ($1, $2, $3, $4, $5, 'active', $6, 1, $7, $8, $6)
             ON CONFLICT (org_id, user_id) DO UPDATE SET
             name = CASE WHEN directory_members.name_own THEN directory_members.name ELSE excluded.name END,
             name_folded = CASE WHEN directory_members.name_own THEN directory_members.name_folded
                 ELSE excluded.name_folded END,
             role = excluded.role, state = 'active', left_at = NULL, removed = FALSE, rev = excluded.rev,
             person_rev = excluded.person_rev, role_since = excluded.role_since, role_by = NULL RETURNING ",
            member_columns!()
        )),
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
    Ok(Changed { member, org: Some(org) })
}

/// Somebody who leads an organisation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Leader {
    pub(crate) user: UserId,
    pub(crate) name: String,
    pub(crate) role: Role,
    /// Since when they lead it as they do.
    pub(crate) since: Millis,
    /// Who made them so.
    pub(crate) by: Option<UserId>,
}

/// Active owners and administrators after a person, by id.
pub(crate) fn leaders(tx: &mut Tx<'_>, scope: OrgScope, after: UserId, limit: usize) -> Result<Vec<Leader>> {
    Ok(tx.query(
        sql!(
            "SELECT user_id, name, role, role_since, role_by FROM directory_members
             WHERE org_id = $1 AND user_id > $2 AND role <> 'member' AND state = 'active' ORDER BY user_id LIMIT $3"
        ),
        &[&scope.org(), &after, &limit],
        |row| {
            Ok(Leader { user: row.get(0)?, name: row.get(1)?, role: row.get(2)?, since: row.get(3)?, by: row.get(4)? })
        },
    )?)
}

/// Ends the membership of somebody active or suspended; the row stays as a
/// tombstone. The one who asked holds the proof, for themselves or for the
/// members they manage.
pub(crate) fn end_membership<A: Ends>(
    tx: &mut Tx<'_>,
    by: &Allowed<'_, OrgResource, A>,
    before: &Member,
    removed: bool,
    revs: Revs,
    now: Millis,
) -> Result<Changed> {
    let org = match before.state {
        MemberState::Active => Some(count(tx, by.scope, -1, revs.org)?),
        _ => None,
    };
    let member = tx.one(
        sql!(concat!(
            "UPDATE directory_members SET state = 'left', left_at = $3, generation = generation + 1, rev = $4,
             person_rev = $5, removed = $6 WHERE org_id = $1 AND user_id = $2 AND state <> 'left' RETURNING ",
            member_columns!()
        )),
        &[&by.scope.org(), &before.user, &now, &revs.org, &revs.person, &removed],
        read_member,
    )?;
    Ok(Changed { member, org })
}

/// A member as they are to be from now on.
pub(crate) struct Edit<'m> {
    pub(crate) before: &'m Member,
    pub(crate) after: &'m Member,
    /// The name is the organisation's from now on; `None` leaves that.
    pub(crate) name_own: bool,
    /// Who changes them, and when: kept where it raises them.
    pub(crate) by: UserId,
    pub(crate) now: Millis,
}

/// Writes what an organisation changed of a member. The person's own stream
/// tells of role and state, so `person` is its rev where one of them changed.
pub(crate) fn edit<A: Ends>(
    tx: &mut Tx<'_>,
    by: &Allowed<'_, OrgResource, A>,
    edit: &Edit<'_>,
    rev: i64,
    person: Option<i64>,
) -> Result<Changed> {
    let Edit { before, after, name_own, by: changer, now } = edit;
    let raised = after.role.rank() > before.role.rank();
    let moved = i64::from(after.state == MemberState::Active) - i64::from(before.state == MemberState::Active);
    let org = if moved == 0 { None } else { Some(count(tx, by.scope, moved, rev)?) };
    let ended = i64::from(moved < 0);
    let member = tx.one(
        sql!(concat!(
            "UPDATE directory_members SET role = $3, state = $4, name = $5, name_folded = $6, number = $7,
             verified = $8, name_own = name_own OR $9, generation = generation + $10, rev = $11,
             person_rev = COALESCE($12, person_rev), role_since = CASE WHEN $13 THEN $14 ELSE role_since END,
             role_by = CASE WHEN $13 THEN $15 ELSE role_by END WHERE org_id = $1 AND user_id = $2 RETURNING ",
            member_columns!()
        )),
        &[
            &by.scope.org(),
            &after.user,
            &after.role,
            &after.state,
            &after.name,
            &kernel::text::fold(&after.name),
            &after.number,
            &after.verified,
            name_own,
            &ended,
            &rev,
            &person,
            &raised,
            now,
            changer,
        ],
        read_member,
    )?;
    Ok(Changed { member, org })
}

/// Whether somebody else there, present or not, has this number.
pub(crate) fn number_taken(tx: &mut Tx<'_>, scope: OrgScope, number: &str, by_other_than: UserId) -> Result<bool> {
    let found: Option<UserId> = tx.opt(
        sql!("SELECT user_id FROM directory_members WHERE org_id = $1 AND number = $2"),
        &[&scope.org(), &number],
        |row| row.get(0),
    )?;
    Ok(found.is_some_and(|user| user != by_other_than))
}

/// Gives a member the name of their account, unless the organisation wrote
/// one itself; `erased` empties that too. `None` where nothing changed.
pub(crate) fn set_name(
    tx: &mut Tx<'_>,
    by: &Allowed<'_, OrgResource, ManageMembers>,
    user: UserId,
    name: &str,
    erased: bool,
    rev: i64,
) -> Result<Option<Member>> {
    Ok(tx.opt(
        sql!(concat!(
            "UPDATE directory_members SET name = $3, name_folded = $4, rev = $5
             WHERE org_id = $1 AND user_id = $2 AND name <> $3 AND ($6 OR NOT name_own) RETURNING ",
            member_columns!()
        )),
        &[&by.scope.org(), &user, &name, &kernel::text::fold(name), &rev, &erased],
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

/// Members in a state by folded name; `needle` is a literal piece of it. Each
/// with the place after it. Code points order the same on both engines.
pub(crate) fn member_page(
    tx: &mut Tx<'_>,
    scope: OrgScope,
    state: MemberState,
    needle: Option<&str>,
    after: Option<&After>,
    limit: usize,
) -> Result<Vec<(Member, After)>> {
    let (name, id) = after.cloned().unwrap_or_else(|| (String::new(), UserId::from_uuid(uuid::Uuid::nil())));
    Ok(tx.query(
        dialect!(
            sqlite: concat!(
                "SELECT ", member_columns!(), ", name_folded FROM directory_members
                 WHERE org_id = $1 AND state = $6 AND (name_folded, user_id) > ($2, $3)
                 AND ($4 = '' OR instr(name_folded, $4) > 0)
                 ORDER BY name_folded, user_id LIMIT $5"
            ),
            postgres: concat!(
                "SELECT ", member_columns!(), ", name_folded FROM directory_members
                 WHERE org_id = $1 AND state = $6 AND (name_folded, user_id) > ($2, $3)
                 AND (CAST($4 AS TEXT) = '' OR strpos(name_folded, $4) > 0)
                 ORDER BY name_folded, user_id LIMIT $5"
            ),
        ),
        &[&scope.org(), &name, &id, &needle.unwrap_or(""), &limit, &state],
        |row| {
            let member = read_member(row)?;
            let after = (row.get(8)?, member.user);
            Ok((member, after))
        },
    )?)
}

/// The same, for whoever may list members.
pub(crate) fn list_members(
    tx: &mut Tx<'_>,
    org: &Allowed<'_, OrgResource, ListMembers>,
    state: MemberState,
    needle: Option<&str>,
    after: Option<&After>,
    limit: usize,
) -> Result<Vec<(Member, After)>> {
    member_page(tx, org.scope, state, needle, after, limit)
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
            sqlite: concat!("SELECT ", member_columns!(), " FROM directory_members
                 WHERE org_id = $1 AND state = 'active'
                 AND user_id IN (SELECT unhex(replace(value, '-', '')) FROM json_each($2)) ORDER BY user_id"),
            postgres: concat!("SELECT ", member_columns!(), " FROM directory_members
                 WHERE org_id = $1 AND state = 'active' AND user_id IN
                 (SELECT CAST(jsonb_array_elements_text(CAST(CAST($2 AS TEXT) AS JSONB)) AS UUID)) ORDER BY user_id"),
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
pub(super) fn ids(users: &[UserId]) -> String {
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

/// Those who are in an organisation in which `by` is active now; and those
/// who were there in the time of `by`, with the name they had: a leaver's name
/// stays on what they wrote.
pub(crate) fn colleagues_among(
    tx: &mut Tx<'_>,
    by: UserId,
    of: &[UserId],
) -> Result<(Vec<UserId>, Vec<(UserId, Option<String>)>)> {
    let found: Vec<(UserId, MemberState, String)> = tx.query(
        dialect!(
            sqlite: "SELECT y.user_id, y.state, y.name FROM directory_members x
                 JOIN directory_members y ON y.org_id = x.org_id
                 WHERE x.user_id = $1 AND x.state = 'active' AND (y.state <> 'left' OR x.joined_at <= y.left_at)
                 AND y.user_id IN (SELECT unhex(replace(value, '-', '')) FROM json_each($2)) ORDER BY y.org_id",
            postgres: "SELECT y.user_id, y.state, y.name FROM directory_members x
                 JOIN directory_members y ON y.org_id = x.org_id
                 WHERE x.user_id = $1 AND x.state = 'active' AND (y.state <> 'left' OR x.joined_at <= y.left_at)
                 AND y.user_id IN (SELECT CAST(jsonb_array_elements_text(CAST(CAST($2 AS TEXT) AS JSONB)) AS UUID))
                 ORDER BY y.org_id",
        ),
        &[&by, &ids(of)],
        |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
    )?;
    let (left, there): (Vec<_>, Vec<_>) = found.into_iter().partition(|(_, state, _)| *state == MemberState::Left);
    let there = there.into_iter().map(|(user, ..)| user).collect();
    Ok((there, left.into_iter().map(|(user, _, name)| (user, Some(name))).collect()))
}

/// Every membership of a person, ended ones too, by organisation.
pub(crate) fn memberships_of(tx: &mut Tx<'_>, user: UserId) -> Result<Vec<(OrgId, Member)>> {
    Ok(tx.query(
        sql!(concat!(
            "SELECT ",
            member_columns!(),
            ", org_id FROM directory_members WHERE user_id = $1 ORDER BY org_id"
        )),
        &[&user],
        |row| Ok((row.get(8)?, read_member(row)?)),
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
        sql!(concat!(
            "SELECT ",
            member_columns!(),
            " FROM directory_members WHERE org_id = $1 AND user_id > $2 ORDER BY user_id LIMIT $3"
        )),
        &[&scope.org(), &after.unwrap_or(UserId(uuid::Uuid::nil())), &limit],
        read_member,
    )?)
}

/// Rows of an organisation's stream after `rev`, ascending, at most `limit`.
pub(crate) fn members_since(tx: &mut Tx<'_>, org: OrgId, rev: i64, limit: usize) -> Result<Vec<Member>> {
    Ok(tx.query(
        sql!(concat!(
            "SELECT ",
            member_columns!(),
            " FROM directory_members WHERE org_id = $1 AND rev > $2 ORDER BY rev LIMIT $3"
        )),
        &[&org, &rev, &limit],
        read_member,
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
