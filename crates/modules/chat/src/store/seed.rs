//! Many rows at once, from one JSON parameter.

use std::collections::BTreeMap;

use proto::{ConversationId, Error, Result, UserId};
use serde_json::json;
use store::{Tx, dialect};

use super::Turn;
use crate::model::rows::{MessageRow, ids_json};

fn hex(id: uuid::Uuid) -> String {
    id.simple().to_string()
}

pub(crate) fn messages(tx: &mut Tx<'_>, turn: &Turn<'_>, rows: &[MessageRow]) -> Result<()> {
    let rows_json: Vec<_> = rows
        .iter()
        .map(|m| {
            json!({
                "seq": m.seq, "n": m.n, "rev": m.rev, "sender": hex(m.sender.id),
                "client": m.client_id.map(|c| hex(c.0)), "at": m.sent_at, "body": m.body.as_deref(),
                "mentions": (!m.mentions.is_empty()).then(|| ids_json(&m.mentions)),
                "all": i64::from(m.mention_all), "reply": m.reply_to,
            })
        })
        .collect();
    let inserted = tx.execute(
        dialect!(
            sqlite: "INSERT INTO chat_messages (conversation_id, seq, n, rev, sent_rev, sender_kind, sender_id, client_id,
                    sent_at, body_kind, body, mentions, mention_all, reply_to, countable)
                SELECT $1, value ->> 'seq', value ->> 'n', value ->> 'rev', value ->> 'rev', 'person',
                    unhex(value ->> 'sender'), unhex(value ->> 'client'), value ->> 'at', 'blocks', value ->> 'body',
                    value ->> 'mentions', value ->> 'all', value ->> 'reply', TRUE
                FROM json_each($2)",
            postgres: "INSERT INTO chat_messages (conversation_id, seq, n, rev, sent_rev, sender_kind, sender_id,
                    client_id, sent_at, body_kind, body, mentions, mention_all, reply_to, countable)
                SELECT CAST($1 AS UUID), CAST(value ->> 'seq' AS BIGINT), CAST(value ->> 'n' AS BIGINT),
                    CAST(value ->> 'rev' AS BIGINT), CAST(value ->> 'rev' AS BIGINT), 'person',
                    CAST(value ->> 'sender' AS UUID), CAST(value ->> 'client' AS UUID),
                    CAST(value ->> 'at' AS BIGINT), 'blocks', value ->> 'body', value ->> 'mentions',
                    (value ->> 'all') = '1', CAST(value ->> 'reply' AS BIGINT), TRUE
                FROM jsonb_array_elements(CAST(CAST($2 AS TEXT) AS JSONB)) AS t(value)",
        ),
        &[&turn.id(), &serde_json::to_string(&rows_json).map_err(Error::internal)?],
    )?;
    if inserted == rows.len() as u64 { Ok(()) } else { Err(Error::internal("messages of a batch are missing")) }
}

pub(crate) fn mentions(tx: &mut Tx<'_>, turn: &Turn<'_>, rows: &[MessageRow]) -> Result<()> {
    let notes: Vec<_> = rows
        .iter()
        .flat_map(|m| m.mentions.iter().map(move |user| json!([hex(user.0), m.seq, hex(m.sender.id), m.sent_at])))
        .collect();
    if notes.is_empty() {
        return Ok(());
    }
    tx.execute(
        dialect!(
            sqlite: "INSERT INTO chat_mentions (user_id, conversation_id, seq, sender_id, at)
                SELECT unhex(value ->> 0), $1, value ->> 1, unhex(value ->> 2), value ->> 3 FROM json_each($2)",
            postgres: "INSERT INTO chat_mentions (user_id, conversation_id, seq, sender_id, at)
                SELECT CAST(value ->> 0 AS UUID), CAST($1 AS UUID), CAST(value ->> 1 AS BIGINT),
                    CAST(value ->> 2 AS UUID), CAST(value ->> 3 AS BIGINT)
                FROM jsonb_array_elements(CAST(CAST($2 AS TEXT) AS JSONB)) AS t(value)",
        ),
        &[&turn.id(), &json!(notes).to_string()],
    )?;
    Ok(())
}

/// The senders' places, at the last message of each.
pub(crate) fn cursors(tx: &mut Tx<'_>, turn: &Turn<'_>, rows: &[MessageRow]) -> Result<()> {
    let last: BTreeMap<_, _> = rows.iter().map(|m| (m.sender.id, (m.seq, m.n, m.sent_at))).collect();
    let places: Vec<_> = last.into_iter().map(|(user, (seq, n, at))| json!([hex(user), seq, n, at])).collect();
    write_cursors(tx, turn.id(), &json!(places).to_string())
}

pub(crate) fn cursor(tx: &mut Tx<'_>, id: ConversationId, user: UserId, seq: i64, n: i64, at: i64) -> Result<()> {
    write_cursors(tx, id, &json!([[hex(user.0), seq, n, at]]).to_string())
}

fn write_cursors(tx: &mut Tx<'_>, id: ConversationId, places: &str) -> Result<()> {
    tx.execute(
        dialect!(
            sqlite: "INSERT INTO chat_cursors (conversation_id, user_id, read_seq, n, delivered_seq, moved_at, rev, gone)
                SELECT $1, unhex(value ->> 0), value ->> 1, value ->> 2, value ->> 1, value ->> 3, 0, FALSE
                FROM json_each($2) WHERE TRUE
                ON CONFLICT (conversation_id, user_id) DO UPDATE SET read_seq = excluded.read_seq, n = excluded.n,
                    delivered_seq = excluded.delivered_seq, moved_at = excluded.moved_at
                WHERE excluded.read_seq > chat_cursors.read_seq",
            postgres: "INSERT INTO chat_cursors (conversation_id, user_id, read_seq, n, delivered_seq, moved_at, rev, gone)
                SELECT CAST($1 AS UUID), CAST(value ->> 0 AS UUID), CAST(value ->> 1 AS BIGINT),
                    CAST(value ->> 2 AS BIGINT), CAST(value ->> 1 AS BIGINT), CAST(value ->> 3 AS BIGINT), 0, FALSE
                FROM jsonb_array_elements(CAST(CAST($2 AS TEXT) AS JSONB)) AS t(value)
                ON CONFLICT (conversation_id, user_id) DO UPDATE SET read_seq = excluded.read_seq, n = excluded.n,
                    delivered_seq = excluded.delivered_seq, moved_at = excluded.moved_at
                WHERE excluded.read_seq > chat_cursors.read_seq",
        ),
        &[&id, &places],
    )?;
    Ok(())
}
