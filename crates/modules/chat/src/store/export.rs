//! What was said, in pages for an export.

use proto::{ConversationId, Error, Result, UserId};
use serde_json::{Value, json};
use store::{Tx, sql};
use uuid::Uuid;

use super::columns;

/// Rows of one kind and the place after the last of them.
pub(crate) struct Stage {
    pub(crate) rows: Vec<(&'static str, Value)>,
    pub(crate) last: Option<Vec<String>>,
}

fn number(after: &[String], at: usize) -> i64 {
    after.get(at).and_then(|text| text.parse().ok()).unwrap_or(0)
}

fn person(after: &[String], at: usize) -> UserId {
    UserId(after.get(at).and_then(|text| text.parse().ok()).unwrap_or(Uuid::nil()))
}

/// Rows of stage 1 to 6 of a conversation after a place, at most `limit`.
pub(crate) fn stage(
    tx: &mut Tx<'_>,
    id: ConversationId,
    stage: usize,
    after: &[String],
    limit: usize,
) -> Result<Stage> {
    let found: Vec<(Value, Vec<String>)> = match stage {
        1 => participants(tx, id, person(after, 0), limit)?,
        2 => messages(tx, id, number(after, 0), limit)?,
        3 => edits(tx, id, (number(after, 0), number(after, 1)), limit)?,
        4 => reactions(tx, id, after, limit)?,
        5 => records(tx, id, number(after, 0), limit)?,
        _ => acks(tx, id, (number(after, 0), person(after, 1)), limit)?,
    };
    let kind = ["participant", "message", "edit", "reaction", "record", "ack"][stage.clamp(1, 6) - 1];
    let last = found.last().map(|(_, place)| place.clone());
    Ok(Stage { rows: found.into_iter().map(|(row, _)| (kind, row)).collect(), last })
}

type Rows = Vec<(Value, Vec<String>)>;

fn participants(tx: &mut Tx<'_>, id: ConversationId, after: UserId, limit: usize) -> Result<Rows> {
    Ok(tx.query(
        sql!(
            "SELECT user_id, role, joined_seq, left_at FROM chat_members
             WHERE conversation_id = $1 AND user_id > $2 ORDER BY user_id LIMIT $3"
        ),
        &[&id, &after, &limit],
        |row| {
            let user: UserId = row.get(0)?;
            let (role, seq, left): (String, i64, Option<i64>) = (row.get(1)?, row.get(2)?, row.get(3)?);
            let shown = json!({ "conversation": id, "user": user, "role": role, "joined_seq": seq, "left_at": left });
            Ok((shown, vec![user.to_string()]))
        },
    )?)
}

fn messages(tx: &mut Tx<'_>, id: ConversationId, after: i64, limit: usize) -> Result<Rows> {
    let rows = tx.query(
        sql!(concat!(
            "SELECT ",
            message_columns!(),
            " FROM chat_messages l WHERE l.conversation_id = $1 AND l.seq > $2 ORDER BY l.seq LIMIT $3"
        )),
        &[&id, &after, &limit],
        |row| columns::message(row, 0),
    )?;
    rows.into_iter()
        .flatten()
        .map(|row| {
            let mut shown = serde_json::to_value(row.wire()?).map_err(Error::internal)?;
            shown["conversation"] = json!(id);
            Ok((shown, vec![row.seq.to_string()]))
        })
        .collect()
}

fn edits(tx: &mut Tx<'_>, id: ConversationId, after: (i64, i64), limit: usize) -> Result<Rows> {
    let rows: Vec<(i64, i64, String, i64)> = tx.query(
        sql!(
            "SELECT seq, edit, body, at FROM chat_edits
             WHERE conversation_id = $1 AND (seq, edit) > ($2, $3) ORDER BY seq, edit LIMIT $4"
        ),
        &[&id, &after.0, &after.1, &limit],
        |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)),
    )?;
    rows.into_iter()
        .map(|(seq, edit, body, at)| {
            let body: Value = serde_json::from_str(&body).map_err(Error::internal)?;
            let shown = json!({ "conversation": id, "seq": seq, "edit": edit, "body": body, "at": at });
            Ok((shown, vec![seq.to_string(), edit.to_string()]))
        })
        .collect()
}

fn reactions(tx: &mut Tx<'_>, id: ConversationId, after: &[String], limit: usize) -> Result<Rows> {
    let emoji = after.get(1).map(String::as_str).unwrap_or_default();
    Ok(tx.query(
        sql!(
            "SELECT seq, emoji, user_id FROM chat_reactions
             WHERE conversation_id = $1 AND (seq, emoji, user_id) > ($2, $3, $4)
             ORDER BY seq, emoji, user_id LIMIT $5"
        ),
        &[&id, &number(after, 0), &emoji, &person(after, 2), &limit],
        |row| {
            let (seq, emoji, user): (i64, String, UserId) = (row.get(0)?, row.get(1)?, row.get(2)?);
            let place = vec![seq.to_string(), emoji.clone(), user.to_string()];
            Ok((json!({ "conversation": id, "seq": seq, "emoji": emoji, "user": user }), place))
        },
    )?)
}

fn records(tx: &mut Tx<'_>, id: ConversationId, after: i64, limit: usize) -> Result<Rows> {
    let rows: Vec<(i64, String)> = tx.query(
        sql!("SELECT seq, items FROM chat_records WHERE conversation_id = $1 AND seq > $2 ORDER BY seq LIMIT $3"),
        &[&id, &after, &limit],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    rows.into_iter()
        .map(|(seq, items)| {
            let items: Value = serde_json::from_str(&items).map_err(Error::internal)?;
            Ok((json!({ "conversation": id, "seq": seq, "items": items }), vec![seq.to_string()]))
        })
        .collect()
}

fn acks(tx: &mut Tx<'_>, id: ConversationId, after: (i64, UserId), limit: usize) -> Result<Rows> {
    Ok(tx.query(
        sql!(
            "SELECT seq, user_id, at FROM chat_acks
             WHERE conversation_id = $1 AND via IS NULL AND (seq, user_id) > ($2, $3) ORDER BY seq, user_id LIMIT $4"
        ),
        &[&id, &after.0, &after.1, &limit],
        |row| {
            let (seq, user, at): (i64, UserId, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
            let shown = json!({ "conversation": id, "seq": seq, "user": user, "at": at });
            Ok((shown, vec![seq.to_string(), user.to_string()]))
        },
    )?)
}
