//! What is kept about a person and about an organisation, to hand over and to
//! forget.

use kernel::{Ctx, OrgScope};
use proto::{ConversationId, Result, UserId};
use serde_json::{Value, json};
use store::Tx;
use uuid::Uuid;

use crate::{events, jobs, store as sql};

/// Most rows of each kind in one export; where there are more it says so.
const MOST: i64 = 10_000;

/// Memberships, settings, drafts, and all the person said.
pub(crate) fn export_person(tx: &mut Tx<'_>, _: &Ctx, user: UserId) -> Result<Value> {
    let memberships = sql::erase::memberships(tx, user, MOST)?;
    let orgs = crate::people::orgs(tx, user)?;
    let mut ids: Vec<ConversationId> = memberships.iter().map(|(id, ..)| *id).collect();
    ids.extend(orgs.into_iter().map(|org| crate::people::all_staff(org.org())));
    let (mut messages, mut left) = (Vec::new(), MOST);
    for id in ids {
        let said = sql::erase::said(tx, id, user, left)?;
        left -= said.len() as i64;
        messages.extend(said.into_iter().map(|(seq, at, body)| {
            let body: Option<Value> = body.and_then(|text| serde_json::from_str(&text).ok());
            json!({ "conversation": id, "seq": seq, "sent_at": at, "body": body })
        }));
        if left == 0 {
            break;
        }
    }
    let preferences: Vec<Value> = sql::personal::preferences_since(tx, user.0, 0, MOST)?
        .into_iter()
        .map(|(_, id, p)| events::preferences(id, p))
        .collect();
    let memberships: Vec<Value> = memberships
        .into_iter()
        .map(|(id, role, seq, left)| json!({ "conversation": id, "role": role, "joined_seq": seq, "left_at": left }))
        .collect();
    Ok(json!({
        "memberships": memberships, "preferences": preferences,
        "drafts": sql::personal::drafts_since(tx, user.0, 0, MOST)?,
        "messages": messages, "more": left == 0,
    }))
}

/// What is only about the person goes, in slices; what they said stays.
pub(crate) fn erase_person(tx: &mut Tx<'_>, ctx: &Ctx, user: UserId) -> Result<()> {
    Ok(tx.job(jobs::erasure(user, ctx.now))?)
}

/// The organisation's conversations, without what was said in them: bodies
/// are exported conversation by conversation.
pub(crate) fn export_org(tx: &mut Tx<'_>, _: &Ctx, org: OrgScope) -> Result<Value> {
    let rows = sql::heads::of_org(tx, org.org(), ConversationId(Uuid::nil()), MOST)?;
    let shown = rows.iter().map(events::shared).collect::<Result<Vec<_>>>()?;
    Ok(json!({ "more": rows.len() as i64 == MOST, "conversations": shown }))
}

pub(crate) fn purge_org(tx: &mut Tx<'_>, ctx: &Ctx, org: OrgScope) -> Result<()> {
    Ok(tx.job(jobs::purging(org.org(), ctx.now))?)
}
