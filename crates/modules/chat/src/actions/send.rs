//! Sending: the path this product exists for. A plain message takes four
//! statements, five in a conversation of an organisation or of two people;
//! whoever hears of it (`MessageSent`) adds their own.

use kernel::{
    Budget, Ctx, Resource, allow,
    attachments::{Attach, FileNote},
};
use proto::{Code, ConversationId, Error, FileId, PrincipalKind, Result, limits};
use store::Tx;

use crate::{
    MessageSent, events,
    hooks::holder,
    model::{
        Conversation, Kind, Post,
        body::{self, Checked, Line, NewBody},
        may_ask_ack, may_attach, may_mention_all,
        rows::{BLOCKS, MessageRow, SYSTEM},
        settings,
        wire::{NewMessage, Sender, Sent},
    },
    people,
    store::{self as sql, Turn},
};

/// A call on the socket: as the request, with the conversation beside it.
#[derive(Clone, Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SendCall {
    conversation: ConversationId,
    client_id: proto::ClientId,
    body: body::NewBody,
    #[serde(default)]
    mentions: Vec<proto::UserId>,
    #[serde(default)]
    mention_all: bool,
    #[serde(default)]
    reply_to: Option<i64>,
    #[serde(default)]
    ack: bool,
}

impl SendCall {
    pub(crate) fn split(self) -> (ConversationId, NewMessage) {
        let Self { conversation, client_id, body, mentions, mention_all, reply_to, ack } = self;
        (conversation, NewMessage { client_id, body, mentions, mention_all, reply_to, ack })
    }
}

/// Sends a message, or answers as it did when the same was sent before.
pub(crate) async fn send(ctx: Ctx, id: ConversationId, message: NewMessage) -> Result<Sent> {
    let guest = ctx.actor.kind == PrincipalKind::Guest;
    let budget = if guest { Budget::GuestMessages } else { Budget::Messages };
    ctx.kernel.budgets.spend(budget, ctx.actor.id)?;
    let known = |kind: &str| ctx.kernel.registry.card(kind).is_some();
    let checked = body::check(&message.body, &message.mentions, message.mention_all, known)?;
    let kernel = ctx.kernel.clone();
    let sent = kernel.db.write(move |tx| send_in(tx, &ctx, id, &message, &checked)).await?;
    kernel.meters.messages.inc();
    Ok(sent)
}

fn send_in(tx: &mut Tx<'_>, ctx: &Ctx, id: ConversationId, message: &NewMessage, checked: &Checked) -> Result<Sent> {
    tx.lock(&locks(ctx, id, &checked.files))?;
    let c = allow::<Conversation, Post>(tx, ctx, id)?;
    if c.guest {
        // However many they are: the members can still follow.
        ctx.kernel.budgets.spend(Budget::GuestsTogether, id.0)?;
    }
    let sent_before = |tx: &mut Tx<'_>| -> Result<Option<Sent>> {
        Ok(sql::messages::sent_before(tx, id, ctx.actor.id, message.client_id)?.and_then(|m| m.sent()))
    };
    // What a message refers to may have gone since it was first sent; a
    // repetition is answered all the same. A plain one finds that out by the
    // insert itself.
    let refers = !checked.mentions.is_empty()
        || checked.mention_all
        || message.reply_to.is_some()
        || message.ack
        || !checked.files.is_empty();
    if refers {
        if let Some(sent) = sent_before(tx)? {
            return Ok(sent);
        }
        check_references(tx, &c, checked, message)?;
    }
    let mut turn = Turn::of(&c, ctx.now);
    let seq = turn.take_seq(true);
    let text = text(tx, ctx, &c, seq, &message.body, checked)?;
    if checked.mention_all {
        turn.row.head.mention_all_n = turn.row.head.n;
    }
    let row = MessageRow {
        seq,
        n: turn.row.head.n,
        rev: turn.rev(),
        sent_rev: turn.rev(),
        sender: Sender { kind: ctx.actor.kind, id: ctx.actor.id },
        client_id: Some(message.client_id),
        sent_at: turn.row.last_at,
        body_kind: BLOCKS,
        body: Some(text),
        mentions: checked.mentions.clone(),
        mention_all: checked.mention_all,
        reply_to: message.reply_to,
        edited_at: None,
        recalled_at: None,
        countable: true,
        undone: false,
        ack: message.ack,
        forwarded: None,
    };
    if !sql::messages::insert(tx, &turn, &row)? {
        return sent_before(tx)?.ok_or_else(|| Error::internal("a message that exists was not found"));
    }
    turn.finish(tx)?;
    let joined_seq = joined_seq_to_keep(tx, &c)?;
    sql::personal::follow_sender(tx, &turn, c.me, joined_seq)?;
    sql::personal::mention(tx, &turn, &row)?;
    if row.ack {
        sql::acks::ask(tx, &turn, &row)?;
    }
    let sent = row.sent();
    events::tell_message(tx, &turn, &row)?;
    heard(tx, ctx, &c, &[&row])?;
    sent.ok_or_else(|| Error::internal("a message without a client id"))
}

/// Tells other modules of messages that were sent, where somebody else may be
/// there to hear of them.
pub(super) fn heard(tx: &mut Tx<'_>, ctx: &Ctx, c: &Conversation, rows: &[&MessageRow]) -> Result<()> {
    let (Some(first), Some(last)) = (rows.first(), rows.last()) else { return Ok(()) };
    if c.row.kind == Kind::Own {
        return Ok(());
    }
    let event = MessageSent {
        conversation: c.row.id,
        first: first.seq,
        last: last.seq,
        sender: ctx.actor.id,
        mention_all: rows.iter().any(|row| row.mention_all),
    };
    ctx.hooks().run(tx, ctx, &event)
}

/// The conversation, and what whoever keeps files wants for those of a body.
pub(super) fn locks(ctx: &Ctx, id: ConversationId, files: &[FileId]) -> Vec<store::Key> {
    let mut keys = vec![Conversation::key(id)];
    if !files.is_empty() {
        keys.extend(ctx.hooks().locks(&Attach::new(holder(id, 0), None, files.to_vec())));
    }
    keys
}

/// The body as it is stored: its files are attached to the message, and what
/// is told of them is written into it. Without files there is nothing to ask.
pub(super) fn text(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    c: &Conversation,
    seq: i64,
    body: &NewBody,
    checked: &Checked,
) -> Result<Box<str>> {
    if checked.files.is_empty() {
        return Ok(checked.text.clone());
    }
    let notes = hold(tx, ctx, c, seq, &checked.files)?;
    body::fill(body, &notes)
}

/// Hangs files on a message, and gives what is told of them.
pub(super) fn hold(tx: &mut Tx<'_>, ctx: &Ctx, c: &Conversation, seq: i64, files: &[FileId]) -> Result<Vec<FileNote>> {
    if !files.is_empty() {
        may_attach(tx, c)?;
    }
    let mut notes = Vec::with_capacity(files.len());
    for files in files.chunks(limits::MESSAGE_FILES) {
        notes.extend(Attach::new(holder(c.row.id, seq), c.row.org, files.to_vec()).run(tx, ctx)?);
    }
    Ok(notes)
}

/// Where somebody joined a derived conversation is found once and kept with
/// their cursor.
pub(super) fn joined_seq_to_keep(tx: &mut Tx<'_>, c: &Conversation) -> Result<Option<i64>> {
    if !c.row.kind.derived() {
        return Ok(None);
    }
    match sql::personal::place(tx, c.row.id, c.me)? {
        Some((_, Some(seq))) => Ok(Some(seq)),
        _ => Ok(Some(c.joined(tx)?.0)),
    }
}

fn check_references(tx: &mut Tx<'_>, c: &Conversation, checked: &Checked, message: &NewMessage) -> Result<()> {
    if let Some(seq) = message.reply_to
        && (seq > c.row.head.seq || seq < c.visible_from(tx)?.max(1))
    {
        return Err(Error::field(Code::InvalidField, "reply_to"));
    }
    if checked.mention_all {
        let up_to = settings::MENTION_ALL_UP_TO.number(tx, c.row.org)?;
        if c.guest || !may_mention_all(&c.row, c.role, up_to) {
            return Err(Error::field(Code::MentionAllForbidden, "mention_all"));
        }
    }
    if message.ack && (c.guest || !may_ask_ack(&c.row, c.role, settings::ACK_UP_TO.number(tx, c.row.org)?)) {
        return Err(Error::field(Code::AckForbidden, "ack"));
    }
    check_few(c, &checked.mentions)?;
    check_mentions(tx, c, &checked.mentions)
}

/// A guest mentions few.
pub(super) fn check_few(c: &Conversation, mentions: &[proto::UserId]) -> Result<()> {
    if c.guest && mentions.len() > limits::GUEST_MENTIONS {
        return Err(Error::field(Code::TooManyItems, "mentions").with("limit", limits::GUEST_MENTIONS));
    }
    Ok(())
}

/// Only who takes part can be mentioned.
pub(super) fn check_mentions(tx: &mut Tx<'_>, c: &Conversation, mentions: &[proto::UserId]) -> Result<()> {
    if mentions.is_empty() {
        return Ok(());
    }
    let here = match (c.row.kind, c.scope) {
        (Kind::AllStaff, Some(org)) => people::all_active(tx, org, mentions)?,
        _ => sql::members::present(tx, c.row.id, mentions)?.len() == mentions.len(),
    };
    if here { Ok(()) } else { Err(Error::field(Code::MentionInvalid, "mentions")) }
}

/// Adds a line of the conversation itself, in a turn that also changes what
/// the line tells of.
pub(crate) fn say(tx: &mut Tx<'_>, turn: &mut Turn<'_>, line: &Line) -> Result<MessageRow> {
    let seq = turn.take_seq(false);
    let row = MessageRow {
        seq,
        n: turn.row.head.n,
        rev: turn.rev(),
        sent_rev: turn.rev(),
        sender: Sender { kind: PrincipalKind::System, id: uuid::Uuid::nil() },
        client_id: None,
        sent_at: turn.row.last_at,
        body_kind: SYSTEM,
        body: Some(line.text()?.into()),
        mentions: Vec::new(),
        mention_all: false,
        reply_to: None,
        edited_at: None,
        recalled_at: None,
        countable: false,
        undone: false,
        ack: false,
        forwarded: None,
    };
    sql::messages::insert(tx, turn, &row)?;
    Ok(row)
}
