//! Finding messages of a conversation by what they say, without an index: a
//! request looks at a bounded piece of the history, newest first, and tells
//! where to go on.

use kernel::{Budget, Ctx, see};
use proto::{ConversationId, Result, limits};
use store::Tx;

use super::{page_size, read::count};
use crate::{
    model::{
        Conversation, Read,
        rows::MessageRow,
        search::{FoundMessage, FoundMessages, Needle},
    },
    store as sql,
};

/// Bytes of bodies after which a request ends: what takes the time is folding.
const SCAN_BYTES: usize = 2 * 1_048_576;
/// Read at a time.
const ROWS: i64 = 200;

/// Messages before a place that hold a text, newest first.
pub(crate) async fn search(
    ctx: Ctx,
    id: ConversationId,
    typed: String,
    before: Option<i64>,
    limit: Option<i64>,
) -> Result<FoundMessages> {
    let (needle, limit) = (Needle::new(&typed)?, page_size(limit)?);
    ctx.kernel.budgets.spend(Budget::MessageSearch, ctx.actor.id)?;
    let db = ctx.db().clone();
    db.read(move |tx| {
        let c = see::<Conversation, Read>(tx, &ctx, id)?;
        scan(tx, &c, &needle, before.unwrap_or(i64::MAX), count(limit))
    })
    .await
}

fn scan(tx: &mut Tx<'_>, c: &Conversation, needle: &Needle, before: i64, limit: usize) -> Result<FoundMessages> {
    let from = c.visible_from(tx)?;
    let mut answer = FoundMessages { items: Vec::new(), next: Some(before), back_to: None };
    let (mut looked, mut bytes) = (0, 0);
    while let Some(to) = answer.next {
        let rows = sql::messages::newest(tx, c.row.id, from, to, ROWS)?;
        if rows.is_empty() {
            answer.next = None;
        }
        for row in rows {
            if looked >= limits::SEARCH_MESSAGES || bytes >= SCAN_BYTES || answer.items.len() >= limit {
                return Ok(answer);
            }
            looked += 1;
            bytes += row.body.as_ref().map_or(0, |body| body.len());
            answer.next = Some(row.seq).filter(|seq| *seq > from);
            answer.back_to = Some(row.sent_at);
            answer.items.extend(look(&row, needle));
        }
    }
    Ok(answer)
}

fn look(row: &MessageRow, needle: &Needle) -> Option<FoundMessage> {
    if row.recalled_at.is_some() || !row.countable {
        return None;
    }
    let body = serde_json::from_str(row.body.as_deref()?).ok()?;
    let excerpt = needle.in_body(&body)?;
    Some(FoundMessage { seq: row.seq, sender: row.sender, sent_at: row.sent_at, excerpt })
}
