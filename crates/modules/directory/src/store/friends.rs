//! The SQL of friends and of people's codes.
//!
//! A row with `rev` 0 is on no list and in no stream: a block of an account
//! that stands behind one that was blocked, of which its owner need not know.

use kernel::Allowed;
use proto::{Result, UserId};
use store::{Row, Tx, dialect, sql};

use super::ids;
use crate::model::friends::{FriendRow, Pair, Relate, Side, Ties};

fn read(row: &Row<'_>) -> store::Result<FriendRow> {
    Ok(FriendRow {
        user: row.get(0)?,
        side: Side { bond: row.get(1)?, blocked: row.get(2)? },
        remark: row.get(3)?,
        hello: row.get(4)?,
        since: row.get(5)?,
        rev: row.get(6)?,
    })
}

/// What `owner`'s list says of `other`.
pub(crate) fn row(tx: &mut Tx<'_>, owner: UserId, other: UserId) -> Result<Option<FriendRow>> {
    Ok(tx.opt(
        sql!(
            "SELECT friend_id, state, blocked, remark, hello, since, rev FROM directory_friends
             WHERE user_id = $1 AND friend_id = $2"
        ),
        &[&owner, &other],
        read,
    )?)
}

/// Which of the two lists a row stands on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Of {
    Mine,
    Theirs,
}

/// Writes one side of a pair.
pub(crate) fn put(tx: &mut Tx<'_>, pair: &Allowed<'_, Pair, Relate>, of: Of, row: &FriendRow) -> Result<()> {
    let owner = match of {
        Of::Mine => pair.me,
        Of::Theirs => pair.mine.user,
    };
    tx.execute(
        sql!(
            "INSERT INTO directory_friends (user_id, friend_id, state, blocked, remark, hello, since, rev)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
             ON CONFLICT (user_id, friend_id) DO UPDATE SET state = excluded.state, blocked = excluded.blocked,
                remark = excluded.remark, hello = excluded.hello, since = excluded.since, rev = excluded.rev"
        ),
        &[&owner, &row.user, &row.side.bond, &row.side.blocked, &row.remark, &row.hello, &row.since, &row.rev],
    )?;
    Ok(())
}

/// Writes one side of a pair of one of two accounts that are merged.
pub(crate) fn put_merged(tx: &mut Tx<'_>, _: &kernel::merge::Pair, owner: UserId, row: &FriendRow) -> Result<()> {
    tx.execute(
        sql!(
            "INSERT INTO directory_friends (user_id, friend_id, state, blocked, remark, hello, since, rev)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
             ON CONFLICT (user_id, friend_id) DO UPDATE SET state = excluded.state, blocked = excluded.blocked,
                remark = excluded.remark, hello = excluded.hello, since = excluded.since, rev = excluded.rev"
        ),
        &[&owner, &row.user, &row.side.bond, &row.side.blocked, &row.remark, &row.hello, &row.since, &row.rev],
    )?;
    Ok(())
}

/// The first of the people after `after` on somebody's list, or on whose list
/// they stand.
pub(crate) fn next_either(tx: &mut Tx<'_>, user: UserId, after: UserId) -> Result<Option<UserId>> {
    Ok(tx.opt(
        sql!(
            "SELECT friend_id FROM directory_friends
             WHERE user_id = $1 AND friend_id > $2 AND (state <> 'none' OR blocked)
             UNION SELECT user_id FROM directory_friends
             WHERE friend_id = $1 AND user_id > $2 AND (state <> 'none' OR blocked) ORDER BY 1 LIMIT 1"
        ),
        &[&user, &after],
        |row| row.get(0),
    )?)
}

/// Somebody's list after `after`, by id.
pub(crate) fn page(tx: &mut Tx<'_>, owner: UserId, after: UserId, limit: usize) -> Result<Vec<FriendRow>> {
    Ok(tx.query(
        sql!(
            "SELECT friend_id, state, blocked, remark, hello, since, rev FROM directory_friends
             WHERE user_id = $1 AND friend_id > $2 AND (state <> 'none' OR blocked) AND rev > 0
             ORDER BY friend_id LIMIT $3"
        ),
        &[&owner, &after, &limit],
        read,
    )?)
}

/// How many stand on somebody's list.
pub(crate) fn count(tx: &mut Tx<'_>, owner: UserId) -> Result<i64> {
    Ok(tx.one(
        sql!("SELECT COUNT(*) FROM directory_friends WHERE user_id = $1 AND (state <> 'none' OR blocked) AND rev > 0"),
        &[&owner],
        |row| row.get(0),
    )?)
}

/// Rows of a person's stream after `rev`, ended ones too. No two share a rev.
pub(crate) fn since(tx: &mut Tx<'_>, owner: UserId, rev: i64, limit: usize) -> Result<Vec<FriendRow>> {
    Ok(tx.query(
        sql!(
            "SELECT friend_id, state, blocked, remark, hello, since, rev FROM directory_friends
             WHERE user_id = $1 AND rev > $2 ORDER BY rev LIMIT $3"
        ),
        &[&owner, &rev, &limit],
        read,
    )?)
}

/// On whose lists somebody stands, after `after`, by id.
pub(crate) fn listed_by(tx: &mut Tx<'_>, user: UserId, after: UserId, limit: usize) -> Result<Vec<UserId>> {
    Ok(tx.query(
        sql!(
            "SELECT user_id FROM directory_friends
             WHERE friend_id = $1 AND user_id > $2 AND (state <> 'none' OR blocked) AND rev > 0
             ORDER BY user_id LIMIT $3"
        ),
        &[&user, &after, &limit],
        |row| row.get(0),
    )?)
}

/// Whom of `of` a person knows as a friend or because they asked, and who of
/// them blocked the person.
pub(crate) fn known(tx: &mut Tx<'_>, by: UserId, of: &[UserId]) -> Result<(Vec<UserId>, Vec<UserId>)> {
    let found: Vec<(UserId, bool)> = tx.query(
        dialect!(
            sqlite: "SELECT friend_id, FALSE FROM directory_friends
                 WHERE user_id = $1 AND state IN ('friend', 'asked_me')
                 AND friend_id IN (SELECT unhex(replace(value, '-', '')) FROM json_each($2))
                 UNION ALL SELECT user_id, TRUE FROM directory_friends
                 WHERE friend_id = $1 AND blocked
                 AND user_id IN (SELECT unhex(replace(value, '-', '')) FROM json_each($2))",
            postgres: "SELECT friend_id, FALSE FROM directory_friends
                 WHERE user_id = $1 AND state IN ('friend', 'asked_me') AND friend_id IN
                 (SELECT CAST(jsonb_array_elements_text(CAST(CAST($2 AS TEXT) AS JSONB)) AS UUID))
                 UNION ALL SELECT user_id, TRUE FROM directory_friends
                 WHERE friend_id = $1 AND blocked AND user_id IN
                 (SELECT CAST(jsonb_array_elements_text(CAST(CAST($2 AS TEXT) AS JSONB)) AS UUID))",
        ),
        &[&by, &ids(of)],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    let (hidden, known): (Vec<_>, Vec<_>) = found.into_iter().partition(|(_, hides)| *hides);
    let users = |rows: Vec<(UserId, bool)>| rows.into_iter().map(|(user, _)| user).collect();
    Ok((users(known), users(hidden)))
}

/// With whom of `of` somebody may talk.
pub(crate) fn may_talk(tx: &mut Tx<'_>, user: UserId, of: &[UserId]) -> Result<Vec<UserId>> {
    macro_rules! text {
        ($ids:literal) => {
            concat!(
                "SELECT y.user_id FROM directory_members x JOIN directory_members y ON y.org_id = x.org_id
                 WHERE x.user_id = $1 AND x.state = 'active' AND y.state = 'active' AND y.user_id IN ",
                $ids,
                " UNION SELECT friend_id FROM directory_friends WHERE user_id = $1 AND state = 'friend' AND friend_id IN ",
                $ids,
                " EXCEPT SELECT friend_id FROM directory_friends WHERE user_id = $1 AND blocked
                 EXCEPT SELECT user_id FROM directory_friends WHERE friend_id = $1 AND blocked"
            )
        };
    }
    if of.is_empty() {
        return Ok(Vec::new());
    }
    Ok(tx.query(
        dialect!(
            sqlite: text!("(SELECT unhex(replace(value, '-', '')) FROM json_each($2))"),
            postgres: text!("(SELECT CAST(jsonb_array_elements_text(CAST(CAST($2 AS TEXT) AS JSONB)) AS UUID))"),
        ),
        &[&user, &ids(of)],
        |row| row.get(0),
    )?)
}

/// What two people are to each other.
pub(crate) fn ties(tx: &mut Tx<'_>, a: UserId, b: UserId) -> Result<Ties> {
    Ok(tx.one(
        sql!(
            "SELECT EXISTS (SELECT 1 FROM directory_members x JOIN directory_members y ON y.org_id = x.org_id
                    WHERE x.user_id = $1 AND x.state = 'active' AND y.user_id = $2 AND y.state = 'active'),
                EXISTS (SELECT 1 FROM directory_friends WHERE user_id = $1 AND friend_id = $2 AND state = 'friend'),
                EXISTS (SELECT 1 FROM directory_friends WHERE user_id = $1 AND friend_id = $2 AND blocked),
                EXISTS (SELECT 1 FROM directory_friends WHERE user_id = $2 AND friend_id = $1 AND blocked)"
        ),
        &[&a, &b],
        |row| Ok(Ties { colleagues: row.get(0)?, friends: row.get(1)?, blocks: row.get(2)?, blocked: row.get(3)? }),
    )?)
}

pub(crate) fn code(tx: &mut Tx<'_>, user: UserId) -> Result<Option<String>> {
    let found: Option<Option<String>> =
        tx.opt(sql!("SELECT code FROM directory_people WHERE user_id = $1"), &[&user], |row| row.get(0))?;
    Ok(found.flatten())
}

pub(crate) fn set_code(tx: &mut Tx<'_>, user: UserId, code: &str) -> Result<()> {
    tx.execute(
        sql!(
            "INSERT INTO directory_people (user_id, code, asks_day, asks) VALUES ($1, $2, 0, 0)
             ON CONFLICT (user_id) DO UPDATE SET code = excluded.code"
        ),
        &[&user, &code],
    )?;
    Ok(())
}

pub(crate) fn by_code(tx: &mut Tx<'_>, code: &str) -> Result<Option<UserId>> {
    Ok(tx.opt(
        sql!("SELECT user_id FROM directory_people WHERE code = $1 ORDER BY user_id LIMIT 1"),
        &[&code],
        |row| row.get(0),
    )?)
}

/// Counts one more request; how many there are on that day.
pub(crate) fn count_ask(tx: &mut Tx<'_>, user: UserId, day: i64) -> Result<i64> {
    Ok(tx.one(
        sql!(
            "INSERT INTO directory_people (user_id, asks_day, asks) VALUES ($1, $2, 1)
             ON CONFLICT (user_id) DO UPDATE SET asks_day = excluded.asks_day,
                asks = CASE WHEN directory_people.asks_day = excluded.asks_day THEN directory_people.asks + 1 ELSE 1 END
             RETURNING asks"
        ),
        &[&user, &day],
        |row| row.get(0),
    )?)
}

/// Forgets the code of somebody whose account was erased.
pub(crate) fn forget_person(tx: &mut Tx<'_>, user: UserId) -> Result<()> {
    tx.execute(sql!("DELETE FROM directory_people WHERE user_id = $1"), &[&user])?;
    Ok(())
}

/// Tells a list's owner anew of somebody whose account changed; ends the pair
/// where it was erased. Held: both streams.
pub(crate) fn touch(tx: &mut Tx<'_>, owner: UserId, user: UserId, ended: bool, rev: i64) -> Result<Option<FriendRow>> {
    Ok(tx.opt(
        sql!(
            "UPDATE directory_friends SET rev = $4, state = CASE WHEN $3 THEN 'none' ELSE state END,
                blocked = CASE WHEN $3 THEN FALSE ELSE blocked END, remark = CASE WHEN $3 THEN NULL ELSE remark END,
                hello = CASE WHEN $3 THEN NULL ELSE hello END
             WHERE user_id = $1 AND friend_id = $2 AND (state <> 'none' OR blocked) AND rev > 0
             RETURNING friend_id, state, blocked, remark, hello, since, rev"
        ),
        &[&owner, &user, &ended, &rev],
        read,
    )?)
}

/// The list of somebody whose account was erased.
pub(crate) fn forget_list(tx: &mut Tx<'_>, owner: UserId, limit: usize) -> Result<u64> {
    Ok(tx.execute(
        sql!(
            "DELETE FROM directory_friends WHERE user_id = $1 AND friend_id IN
             (SELECT friend_id FROM directory_friends WHERE user_id = $1 ORDER BY friend_id LIMIT $2)"
        ),
        &[&owner, &limit],
    )?)
}
