//! Merges of accounts, and who stands for whom.

use kernel::{Allowed, merge::Pair};
use proto::{Millis, OrgId, Result, SessionId, UserId};
use store::{Error, Row, Tx, ahead::To, dialect, sql};
use uuid::Uuid;

use super::ids;
use crate::model::{
    Account, Change,
    merges::{Merge, MergeFrom, MergePreview, MergeState, OFFER_MS},
};

store::ahead!("identity_merge_offers", "code_hash", "expires_at", To::Within(OFFER_MS));

/// What the rules of merging ask of an account.
#[derive(Clone, Debug)]
pub(crate) struct Standing {
    pub(crate) id: UserId,
    pub(crate) kind: String,
    pub(crate) managed_by: Option<OrgId>,
    pub(crate) merged_into: Option<UserId>,
    pub(crate) linked_to: Option<UserId>,
}

/// An account that was not erased. Held: its row.
pub(crate) fn standing(tx: &mut Tx<'_>, id: UserId) -> Result<Option<Standing>> {
    Ok(tx.opt(
        sql!("SELECT id, kind, managed_by, merged_into, linked_to FROM users WHERE id = $1 AND erased_at IS NULL"),
        &[&id],
        |row| {
            Ok(Standing {
                id: row.get(0)?,
                kind: row.get(1)?,
                managed_by: row.get(2)?,
                merged_into: row.get(3)?,
                linked_to: row.get(4)?,
            })
        },
    )?)
}

/// The accounts that stand behind this one, by id.
pub(crate) fn behind(tx: &mut Tx<'_>, id: UserId) -> Result<Vec<UserId>> {
    Ok(tx.query(
        sql!(
            "SELECT id FROM users WHERE merged_into = $1
             UNION SELECT id FROM users WHERE linked_to = $1 ORDER BY 1"
        ),
        &[&id],
        |row| row.get(0),
    )?)
}

/// Those of the accounts that stand behind another, each with that one: they
/// were merged into it or, as a guest, linked to it.
pub(crate) fn fronts(tx: &mut Tx<'_>, of: impl Iterator<Item = UserId>) -> Result<Vec<(UserId, UserId)>> {
    Ok(tx.query(
        dialect!(
            sqlite: "SELECT id, COALESCE(merged_into, linked_to) FROM users
                     WHERE (merged_into IS NOT NULL OR linked_to IS NOT NULL)
                     AND id IN (SELECT unhex(replace(value, '-', '')) FROM json_each($1)) ORDER BY id",
            postgres: "SELECT id, COALESCE(merged_into, linked_to) FROM users
                     WHERE (merged_into IS NOT NULL OR linked_to IS NOT NULL) AND id IN
                     (SELECT CAST(jsonb_array_elements_text(CAST(CAST($1 AS TEXT) AS JSONB)) AS UUID)) ORDER BY id",
        ),
        &[&ids(of)],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?)
}

/// Those of the accounts that were merged, each with the one that stands for it.
pub(crate) fn stand_ins(tx: &mut Tx<'_>, of: impl Iterator<Item = UserId>) -> Result<Vec<(UserId, UserId)>> {
    Ok(tx.query(
        dialect!(
            sqlite: "SELECT id, merged_into FROM users WHERE merged_into IS NOT NULL
                     AND id IN (SELECT unhex(replace(value, '-', '')) FROM json_each($1)) ORDER BY id",
            postgres: "SELECT id, merged_into FROM users WHERE merged_into IS NOT NULL AND id IN
                     (SELECT CAST(jsonb_array_elements_text(CAST(CAST($1 AS TEXT) AS JSONB)) AS UUID)) ORDER BY id",
        ),
        &[&ids(of)],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?)
}

pub(crate) fn add_offer(
    tx: &mut Tx<'_>,
    by: &Allowed<'_, Account, Change>,
    session: SessionId,
    hash: [u8; 32],
    until: Millis,
) -> Result<()> {
    // One at a time: a new code ends the one before.
    tx.execute(sql!("DELETE FROM identity_merge_offers WHERE user_id = $1"), &[&by.user.id])?;
    tx.execute(
        sql!("INSERT INTO identity_merge_offers (code_hash, user_id, session_id, expires_at) VALUES ($1, $2, $3, $4)"),
        &[&hash, &by.user.id, &session, &until],
    )?;
    Ok(())
}

/// Who made this offer, which is used up by it.
pub(crate) fn take_offer(tx: &mut Tx<'_>, hash: [u8; 32], now: Millis) -> Result<Option<(UserId, SessionId)>> {
    Ok(tx.opt(
        sql!(
            "DELETE FROM identity_merge_offers WHERE code_hash = $1 AND expires_at > $2
             RETURNING user_id, session_id"
        ),
        &[&hash, &now],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?)
}

pub(crate) fn offer(tx: &mut Tx<'_>, hash: [u8; 32], now: Millis) -> Result<Option<UserId>> {
    Ok(tx.opt(
        sql!("SELECT user_id FROM identity_merge_offers WHERE code_hash = $1 AND expires_at > $2"),
        &[&hash, &now],
        |row| row.get(0),
    )?)
}

pub(crate) fn prune_offers(tx: &mut Tx<'_>, now: Millis, limit: i64) -> Result<u64> {
    Ok(tx.execute(
        sql!(
            "DELETE FROM identity_merge_offers WHERE code_hash IN
             (SELECT code_hash FROM identity_merge_offers WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2)"
        ),
        &[&now, &limit],
    )?)
}

/// Forgets what undoing would have needed, once the time for it is over.
pub(crate) fn prune_pieces(tx: &mut Tx<'_>, now: Millis, limit: i64) -> Result<u64> {
    Ok(tx.execute(
        sql!(
            "DELETE FROM identity_merge_pieces WHERE (merge_id, ord) IN
             (SELECT p.merge_id, p.ord FROM identity_merges m JOIN identity_merge_pieces p ON p.merge_id = m.id
              WHERE m.state = 'done' AND m.undo_until < $1 ORDER BY p.merge_id, p.ord LIMIT $2)"
        ),
        &[&now, &limit],
    )?)
}

/// A merge as its runner sees it.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    pub(crate) pair: Pair,
    pub(crate) state: MergeState,
    /// The session by which the other account was offered.
    pub(crate) offered_by: SessionId,
    pub(crate) created_at: Millis,
    pub(crate) undo_until: Option<Millis>,
    /// The last piece that was moved.
    pub(crate) at: Option<(String, String)>,
    pub(crate) round: i64,
    pub(crate) moved: i64,
}

fn known(text: &str) -> store::Result<MergeState> {
    MergeState::parse(text).ok_or(Error::OutOfRange("state of a merge"))
}

pub(crate) fn run(tx: &mut Tx<'_>, id: Uuid) -> Result<Option<Run>> {
    Ok(tx.opt(
        sql!(
            "SELECT id, into_id, from_id, ends, state, offered_by, created_at, undo_until, module, piece, round, moved
             FROM identity_merges WHERE id = $1"
        ),
        &[&id],
        |row| {
            let at: (Option<String>, Option<String>) = (row.get(8)?, row.get(9)?);
            Ok(Run {
                pair: Pair { id: row.get(0)?, into: row.get(1)?, from: row.get(2)?, ends: row.get(3)? },
                state: known(&row.get::<String>(4)?)?,
                offered_by: row.get(5)?,
                created_at: row.get(6)?,
                undo_until: row.get(7)?,
                at: at.0.zip(at.1),
                round: row.get(10)?,
                moved: row.get(11)?,
            })
        },
    )?)
}

/// The merge by which another account stands for this one.
pub(crate) fn standing_merge(tx: &mut Tx<'_>, from: UserId) -> Result<Option<Run>> {
    let id: Option<Uuid> = tx.opt(
        sql!(
            "SELECT m.id FROM identity_merges m JOIN users u ON u.id = m.from_id
             WHERE m.from_id = $1 AND u.merged_into = m.into_id AND m.state IN ('running', 'done', 'undoing')
             ORDER BY m.created_at DESC, m.id DESC LIMIT 1"
        ),
        &[&from],
        |row| row.get(0),
    )?;
    id.map_or(Ok(None), |id| run(tx, id))
}

/// Whether a merge of one of the two is under way.
pub(crate) fn under_way(tx: &mut Tx<'_>, a: UserId, b: UserId) -> Result<bool> {
    let found = tx.opt(
        sql!(
            "SELECT 1 FROM identity_merges WHERE state IN ('running', 'undoing')
             AND (into_id = $1 OR from_id = $1 OR into_id = $2 OR from_id = $2) LIMIT 1"
        ),
        &[&a, &b],
        |row| row.get::<i64>(0),
    )?;
    Ok(found.is_some())
}

/// Whether another merge into the same account began after this one and was
/// not undone.
pub(crate) fn later(tx: &mut Tx<'_>, run: &Run) -> Result<bool> {
    let found = tx.opt(
        sql!(
            "SELECT 1 FROM identity_merges m JOIN identity_merges t ON t.id = $2
             WHERE m.into_id = $1 AND m.id <> t.id AND m.state IN ('running', 'done', 'undoing')
             AND (m.begun_at > t.begun_at OR (m.begun_at = t.begun_at AND m.id > t.id)) LIMIT 1"
        ),
        &[&run.pair.into, &run.pair.id],
        |row| row.get::<i64>(0),
    )?;
    Ok(found.is_some())
}

pub(crate) fn add(
    tx: &mut Tx<'_>,
    by: &Allowed<'_, Account, Change>,
    pair: &Pair,
    offered_by: SessionId,
    preview: &str,
    rev: i64,
    now: Millis,
) -> Result<()> {
    tx.execute(
        sql!(
            "INSERT INTO identity_merges (id, into_id, from_id, offered_by, ends, state, preview, created_at, round,
                moved, rev)
             VALUES ($1, $2, $3, $4, $5, 'preview', $6, $7, 1, 0, $8)"
        ),
        &[&pair.id, &by.user.id, &pair.from, &offered_by, &pair.ends, &preview, &now, &rev],
    )?;
    Ok(())
}

/// From now on `into` stands for `from`.
pub(crate) fn begin(tx: &mut Tx<'_>, pair: &Pair, rev: i64, now: Millis) -> Result<()> {
    tx.execute(
        sql!("UPDATE identity_merges SET state = 'running', begun_at = $2, rev = $3 WHERE id = $1"),
        &[&pair.id, &now, &rev],
    )?;
    if pair.ends {
        tx.execute(sql!("UPDATE users SET merged_into = $2 WHERE id = $1"), &[&pair.from, &pair.into])?;
        tx.execute(
            sql!(
                "UPDATE identity_sessions SET ended_at = $2, expires_at = $2, generation = generation + 1
                 WHERE user_id = $1 AND ended_at IS NULL"
            ),
            &[&pair.from, &now],
        )?;
    } else {
        tx.execute(sql!("UPDATE users SET linked_to = $2 WHERE id = $1"), &[&pair.from, &pair.into])?;
    }
    Ok(())
}

/// All was moved.
pub(crate) fn done(tx: &mut Tx<'_>, run: &Run, rev: i64, now: Millis, undo_until: Millis) -> Result<()> {
    tx.execute(
        sql!(
            "UPDATE identity_merges SET state = 'done', done_at = $2, undo_until = $3, rev = $4, round = 2,
                module = NULL, piece = NULL WHERE id = $1"
        ),
        &[&run.pair.id, &now, &undo_until, &rev],
    )?;
    Ok(())
}

/// The second round is over too.
pub(crate) fn settled(tx: &mut Tx<'_>, id: Uuid) -> Result<()> {
    tx.execute(sql!("UPDATE identity_merges SET round = 3 WHERE id = $1"), &[&id])?;
    Ok(())
}

pub(crate) fn begin_undo(tx: &mut Tx<'_>, id: Uuid, rev: i64) -> Result<()> {
    tx.execute(sql!("UPDATE identity_merges SET state = 'undoing', rev = $2 WHERE id = $1"), &[&id, &rev])?;
    Ok(())
}

/// All was moved back: both are two again.
pub(crate) fn undone(tx: &mut Tx<'_>, pair: &Pair, rev: i64, now: Millis) -> Result<()> {
    tx.execute(
        sql!("UPDATE identity_merges SET state = 'undone', undone_at = $2, rev = $3 WHERE id = $1"),
        &[&pair.id, &now, &rev],
    )?;
    tx.execute(sql!("UPDATE users SET merged_into = NULL, linked_to = NULL WHERE id = $1"), &[&pair.from])?;
    Ok(())
}

/// How many ways in an account has that will open the one that stands for it.
pub(crate) fn ways_in(tx: &mut Tx<'_>, user: UserId) -> Result<MergePreview> {
    Ok(tx.one(
        sql!(
            "SELECT (SELECT COUNT(*) FROM identity_passkeys WHERE user_id = $1),
             (SELECT COUNT(*) FROM identity_contacts WHERE user_id = $1 AND verified_at IS NOT NULL)"
        ),
        &[&user],
        |row| Ok(MergePreview { passkeys: row.get(0)?, contacts: row.get(1)?, ..MergePreview::default() }),
    )?)
}

/// Which of these pieces were moved.
pub(crate) fn was_moved(tx: &mut Tx<'_>, id: Uuid, module: &str, piece: &str) -> Result<bool> {
    let found = tx.opt(
        sql!("SELECT 1 FROM identity_merge_pieces WHERE merge_id = $1 AND module = $2 AND piece = $3"),
        &[&id, &module, &piece],
        |row| row.get::<i64>(0),
    )?;
    Ok(found.is_some())
}

/// Notes that a piece was moved, and what moving it back needs.
pub(crate) fn moved(tx: &mut Tx<'_>, run: &Run, module: &str, piece: &str, kept: &str) -> Result<()> {
    tx.execute(
        sql!("INSERT INTO identity_merge_pieces (merge_id, ord, module, piece, kept) VALUES ($1, $2, $3, $4, $5)"),
        &[&run.pair.id, &(run.moved + 1), &module, &piece, &kept],
    )?;
    tx.execute(
        sql!("UPDATE identity_merges SET module = $2, piece = $3, moved = moved + 1 WHERE id = $1"),
        &[&run.pair.id, &module, &piece],
    )?;
    Ok(())
}

/// The piece of a module that was moved last of those not moved back: `(ord,
/// piece, kept)`.
pub(crate) fn last_moved(tx: &mut Tx<'_>, id: Uuid, module: &str) -> Result<Option<(i64, String, String)>> {
    Ok(tx.opt(
        sql!(
            "SELECT ord, piece, kept FROM identity_merge_pieces
             WHERE merge_id = $1 AND module = $2 ORDER BY ord DESC LIMIT 1"
        ),
        &[&id, &module],
        |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
    )?)
}

/// A module of which something was moved and not moved back.
pub(crate) fn left_over(tx: &mut Tx<'_>, id: Uuid) -> Result<Option<String>> {
    Ok(tx.opt(sql!("SELECT module FROM identity_merge_pieces WHERE merge_id = $1 LIMIT 1"), &[&id], |row| row.get(0))?)
}

/// False if it was moved back already.
pub(crate) fn moved_back(tx: &mut Tx<'_>, id: Uuid, ord: i64) -> Result<bool> {
    let gone = tx.execute(sql!("DELETE FROM identity_merge_pieces WHERE merge_id = $1 AND ord = $2"), &[&id, &ord])?;
    Ok(gone == 1)
}

fn shown(row: &Row<'_>) -> store::Result<(Merge, String)> {
    let merge = Merge {
        id: row.get(0)?,
        from: MergeFrom { id: row.get(1)?, name: row.get(2)? },
        state: known(&row.get::<String>(3)?)?,
        preview: MergePreview::default(),
        created_at: row.get(5)?,
        done_at: row.get(6)?,
        undo_until: row.get(7)?,
        undone_at: row.get(8)?,
    };
    Ok((merge, row.get(4)?))
}

fn with_preview((merge, preview): (Merge, String)) -> Result<Merge> {
    Ok(Merge { preview: serde_json::from_str(&preview).map_err(proto::Error::internal)?, ..merge })
}

/// One merge into this account.
pub(crate) fn merge(tx: &mut Tx<'_>, into: UserId, id: Uuid) -> Result<Option<Merge>> {
    let found = tx.opt(
        sql!(
            "SELECT m.id, m.from_id, u.name, m.state, m.preview, m.created_at, m.done_at, m.undo_until, m.undone_at
             FROM identity_merges m JOIN users u ON u.id = m.from_id WHERE m.into_id = $1 AND m.id = $2"
        ),
        &[&into, &id],
        shown,
    )?;
    found.map(with_preview).transpose()
}

/// Merges into this account, the newest first.
pub(crate) fn list(tx: &mut Tx<'_>, into: UserId, limit: i64) -> Result<Vec<Merge>> {
    let found = tx.query(
        sql!(
            "SELECT m.id, m.from_id, u.name, m.state, m.preview, m.created_at, m.done_at, m.undo_until, m.undone_at
             FROM identity_merges m JOIN users u ON u.id = m.from_id WHERE m.into_id = $1
             ORDER BY m.created_at DESC, m.id DESC LIMIT $2"
        ),
        &[&into, &limit],
        shown,
    )?;
    found.into_iter().map(with_preview).collect()
}

/// `(rev, merge)` of those that changed after `rev`, ascending.
pub(crate) fn since(tx: &mut Tx<'_>, into: UserId, rev: i64, limit: usize) -> Result<Vec<(i64, Merge)>> {
    let found = tx.query(
        sql!(
            "SELECT m.id, m.from_id, u.name, m.state, m.preview, m.created_at, m.done_at, m.undo_until, m.undone_at,
                m.rev
             FROM identity_merges m JOIN users u ON u.id = m.from_id WHERE m.into_id = $1 AND m.rev > $2
             ORDER BY m.rev LIMIT $3"
        ),
        &[&into, &rev, &limit],
        |row| Ok((row.get::<i64>(9)?, shown(row)?)),
    )?;
    found.into_iter().map(|(rev, row)| Ok((rev, with_preview(row)?))).collect()
}
