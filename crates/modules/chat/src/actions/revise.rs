//! Editing and recalling.

use kernel::{Ctx, Resource, allow, attachments::Detach};
use proto::{Code, ConversationId, Result, UserId};
use store::Tx;

use super::{
    send::{check_few, check_mentions, locks, text},
    undo,
};
use crate::{
    events::{self, Said},
    hooks::holder,
    model::{
        Conversation, Edit, Recall,
        body::{self, Checked},
        forward,
        rows::{BLOCKS, MessageRow},
        settings,
        wire::{Message, MessagePatch},
    },
    outside::MessageRecalled,
    people,
    store::{self as sql, Turn},
};

/// A message the actor may see.
pub(super) fn visible(tx: &mut Tx<'_>, c: &Conversation, seq: i64) -> Result<MessageRow> {
    let from = c.visible_from(tx)?;
    let found = sql::messages::get(tx, c.row.id, seq)?;
    found.filter(|m| m.seq >= from).ok_or_else(|| Code::NotFound.into())
}

/// As [`visible`], with its reactions.
pub(super) fn whole(tx: &mut Tx<'_>, c: &Conversation, row: &MessageRow) -> Result<Message> {
    let mut messages = super::read::with_reactions(tx, c, vec![row.clone()])?;
    messages.pop().ok_or_else(|| Code::NotFound.into())
}

/// Whether the actor sent it, or an account that stands behind theirs did.
pub(super) fn sent_by(tx: &mut Tx<'_>, c: &Conversation, row: &MessageRow) -> Result<bool> {
    let sender = UserId(row.sender.id);
    Ok(sender == c.me || people::behind(tx, c.me)?.contains(&sender))
}

/// Replaces what one's own message says. Who it mentions as a whole stays.
pub(crate) async fn edit(ctx: Ctx, id: ConversationId, seq: i64, patch: MessagePatch) -> Result<Message> {
    let db = ctx.db().clone();
    db.write(move |tx| {
        tx.lock(&locks(&ctx, id, &body::files_of(&patch.body)))?;
        let c = allow::<Conversation, Edit>(tx, &ctx, id)?;
        let row = visible(tx, &c, seq)?;
        // What somebody else said is theirs, also in one's own copy of it.
        if row.body_kind != BLOCKS || row.forwarded.is_some() || !sent_by(tx, &c, &row)? {
            return Err(Code::Forbidden.into());
        }
        if row.recalled_at.is_some() {
            return Err(Code::MessageRecalled.into());
        }
        if ctx.now - row.sent_at > settings::edit_ms(tx, c.row.org)? {
            return Err(Code::EditWindowClosed.into());
        }
        let known = |kind: &str| ctx.kernel.registry.card(kind).is_some();
        let mut checked = body::check(&patch.body, &patch.mentions, row.mention_all, known)?;
        checked.text = text(tx, &ctx, &c, seq, &patch.body, &checked)?;
        let changed = row.body.as_deref() != Some(&*checked.text) || row.mentions != checked.mentions;
        let row = if changed { edit_in(tx, &ctx, &Turn::of(&c, ctx.now), &c, &row, checked)? } else { row };
        whole(tx, &c, &row)
    })
    .await
}

fn edit_in<'t>(
    tx: &mut Tx<'t>,
    ctx: &Ctx,
    turn: &Turn<'t>,
    c: &Conversation,
    old: &MessageRow,
    checked: Checked,
) -> Result<MessageRow> {
    let added: Vec<UserId> = checked.mentions.iter().copied().filter(|u| !old.mentions.contains(u)).collect();
    let gone: Vec<UserId> = old.mentions.iter().copied().filter(|u| !checked.mentions.contains(u)).collect();
    check_few(c, &checked.mentions)?;
    check_mentions(tx, c, &added)?;
    let gone_files: Vec<_> =
        body::files_in(old.body.as_deref()).into_iter().filter(|file| !checked.files.contains(file)).collect();
    let_go(tx, ctx, turn, old.seq, gone_files)?;
    sql::messages::keep_former(tx, turn, old)?;
    let row = MessageRow {
        rev: turn.rev(),
        body: Some(checked.text),
        mentions: checked.mentions,
        edited_at: Some(ctx.now),
        ..old.clone()
    };
    sql::messages::update(tx, turn, &row)?;
    sql::personal::unmention(tx, turn, row.seq, &gone)?;
    sql::personal::mention(tx, turn, &MessageRow { mentions: added, ..row.clone() })?;
    let sums = sql::reactions::follow(tx, turn, row.seq)?;
    let asks = if row.ack { sql::acks::follow(tx, turn, row.seq)? } else { Vec::new() };
    turn.finish(tx)?;
    let messages = std::slice::from_ref(&row);
    events::tell(tx, turn, Said { messages, sums: &sums, asks: &asks, ..Said::default() })?;
    Ok(row)
}

/// A message no longer holds these files.
fn let_go(tx: &mut Tx<'_>, ctx: &Ctx, turn: &Turn<'_>, seq: i64, files: Vec<proto::FileId>) -> Result<()> {
    if files.is_empty() {
        return Ok(());
    }
    ctx.hooks().run(tx, ctx, &Detach { holder: holder(turn.id(), seq), files })
}

/// The files that hang on a message: of what it says, and of the record it
/// opens.
pub(super) fn files_held(tx: &mut Tx<'_>, id: ConversationId, row: &MessageRow) -> Result<Vec<proto::FileId>> {
    let mut files = body::files_in(row.body.as_deref());
    if row.forwarded.is_some()
        && let Some(record) = sql::records::get(tx, id, row.seq)?
    {
        files.extend(forward::files_of_record(&record)?);
    }
    Ok(files)
}

/// Takes a message back: its place stays, what it said goes. One's own for a
/// while; owners and admins of a group any, at any time.
pub(crate) async fn recall(ctx: Ctx, id: ConversationId, seq: i64) -> Result<Message> {
    let db = ctx.db().clone();
    db.write(move |tx| {
        tx.lock(&[Conversation::key(id)])?;
        let c = allow::<Conversation, Recall>(tx, &ctx, id)?;
        let row = visible(tx, &c, seq)?;
        let own = sent_by(tx, &c, &row)?;
        let leads = c.role.leads() && matches!(c.row.kind, crate::Kind::Group | crate::Kind::AllStaff);
        if row.body_kind != BLOCKS || !(own || leads) {
            return Err(Code::Forbidden.into());
        }
        if row.recalled_at.is_some() {
            return undo::with_restored(tx, &ctx, &c, &row);
        }
        if !leads && ctx.now - row.sent_at > settings::recall_ms(tx, c.row.org)? {
            return Err(Code::RecallWindowClosed.into());
        }
        let turn = Turn::of(&c, ctx.now);
        if own {
            undo::keep(tx, &turn, &c, &row)?;
        }
        let row = recall_in(tx, &ctx, turn, &row, false)?;
        undo::with_restored(tx, &ctx, &c, &row)
    })
    .await
}

/// Takes what a message says away; with `undone`, its place in the reading
/// too.
pub(super) fn recall_in<'t>(
    tx: &mut Tx<'t>,
    ctx: &Ctx,
    mut turn: Turn<'t>,
    old: &MessageRow,
    undone: bool,
) -> Result<MessageRow> {
    let row = MessageRow {
        rev: turn.rev(),
        body: None,
        mentions: Vec::new(),
        mention_all: false,
        recalled_at: Some(turn.now),
        undone,
        ack: false,
        forwarded: None,
        ..old.clone()
    };
    let files = files_held(tx, turn.id(), old)?;
    let_go(tx, ctx, &turn, row.seq, files)?;
    sql::messages::update(tx, &turn, &row)?;
    if old.forwarded.is_some() {
        sql::records::forget(tx, &turn, row.seq)?;
    }
    if old.ack {
        sql::acks::forget(tx, &turn, row.seq)?;
    }
    sql::personal::unmention(tx, &turn, row.seq, &old.mentions)?;
    if old.mention_all && turn.row.head.mention_all_n == old.n {
        // The one number of the head goes back, which no message event says.
        turn.row.head.mention_all_n = sql::messages::last_mention_all(tx, turn.id())?;
        turn.touch();
    }
    turn.finish(tx)?;
    events::tell(tx, &turn, Said { messages: std::slice::from_ref(&row), ..Said::default() })?;
    ctx.hooks().run(tx, ctx, &MessageRecalled { conversation: turn.id(), seq: row.seq })?;
    Ok(row)
}
