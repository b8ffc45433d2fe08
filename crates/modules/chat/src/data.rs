//! What is kept about a person and about an organisation, to hand over and to
//! forget.

use kernel::{Ctx, ExportPage, OrgScope};
use proto::{Code, ConversationId, Cursor, Result, UserId};
use serde_json::{Value, json};
use store::Tx;
use uuid::Uuid;

use crate::{events, jobs, store as sql};

/// Most rows of each kind in a person's export; where there are more it says so.
const MOST: i64 = 10_000;

/// Memberships, settings, drafts, acknowledgements, rest hours, and all the person said.
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
        .collect::<Result<_>>()?;
    let memberships: Vec<Value> = memberships
        .into_iter()
        .map(|(id, role, seq, left)| json!({ "conversation": id, "role": role, "joined_seq": seq, "left_at": left }))
        .collect();
    let acks: Vec<Value> = sql::acks::of_person(tx, user, MOST)?
        .into_iter()
        .map(|(id, seq, at)| json!({ "conversation": id, "seq": seq, "at": at }))
        .collect();
    Ok(json!({
        "memberships": memberships, "preferences": preferences,
        "acks": acks, "rest_hours": sql::rest::of(tx, &[user])?.remove(&user),
        "drafts": sql::personal::drafts_since(tx, user.0, 0, MOST)?,
        "messages": messages, "more": left == 0,
    }))
}

/// What is only about the person goes, in slices; what they said stays.
pub(crate) fn erase_person(tx: &mut Tx<'_>, ctx: &Ctx, user: UserId) -> Result<()> {
    Ok(tx.job(jobs::erasure(user, ctx.now))?)
}

/// The stages of one conversation in an export, in order.
const STAGES: usize = 7;
/// The stage of forwarded records, which are large: so many at once.
const RECORDS: (usize, usize) = (5, 8);
/// Statements one page of an export runs at most, so that many small
/// conversations fit into one page and none takes long.
const STEPS: usize = 50;

/// Where an export stands: in a conversation, at a stage, after a row.
struct Place {
    id: ConversationId,
    stage: usize,
    after: Vec<String>,
}

impl Place {
    fn read(cursor: Option<&Cursor>) -> Result<Self> {
        let Some(Cursor(parts)) = cursor else {
            return Ok(Self { id: ConversationId(Uuid::nil()), stage: STAGES, after: Vec::new() });
        };
        let [id, stage, after @ ..] = parts.as_slice() else { return Err(Code::InvalidCursor.into()) };
        let id = id.parse().map_err(|_| Code::InvalidCursor)?;
        let stage = stage.parse().map_err(|_| Code::InvalidCursor)?;
        Ok(Self { id, stage, after: after.to_vec() })
    }

    fn cursor(self) -> Cursor {
        let mut parts = vec![self.id.to_string(), self.stage.to_string()];
        parts.extend(self.after);
        Cursor(parts)
    }
}

/// The conversations of an organisation with who took part, what was said,
/// how it read before it was edited, reactions, forwarded records and acknowledgements. What is only a person's
/// own (places read to, preferences, drafts) is in theirs.
pub(crate) fn export_org(tx: &mut Tx<'_>, _: &Ctx, org: OrgScope, after: Option<&Cursor>) -> Result<ExportPage> {
    let mut place = Place::read(after)?;
    let mut rows = Vec::new();
    for _ in 0..STEPS {
        if place.stage == STAGES {
            let Some(next) = sql::heads::of_org(tx, org.org(), place.id, 1)?.pop() else {
                return Ok(ExportPage { rows, next: None });
            };
            rows.push(("conversation", json!(events::shared(&next)?)));
            place = Place { id: next.id, stage: 1, after: Vec::new() };
        }
        let room = ExportPage::ROWS.saturating_sub(rows.len());
        if room == 0 {
            break;
        }
        let room = if place.stage == RECORDS.0 { room.min(RECORDS.1) } else { room };
        let page = sql::export::stage(tx, place.id, place.stage, &place.after, room)?;
        match page.last {
            Some(last) if page.rows.len() == room => place.after = last,
            _ => (place.stage, place.after) = (place.stage + 1, Vec::new()),
        }
        rows.extend(page.rows);
    }
    Ok(ExportPage { rows, next: Some(place.cursor()) })
}

pub(crate) fn purge_org(tx: &mut Tx<'_>, _: &Ctx, org: OrgScope) -> Result<bool> {
    sql::erase::org(tx, org.org())
}
