//! Column lists and how their rows are read, each written once.

use proto::UserId;
use store::{Error, Result, Row as Cells};

use crate::model::{
    Kind, Role,
    rows::{AskRow, BLOCKS, MemberRow, MessageRow, Row, SYSTEM, SumRow, ids_of},
    wire::{Head, Sender},
};

/// Of `conversations c`.
macro_rules! head_columns {
    () => {
        "c.id, c.kind, c.org_id, c.title, c.direct_key, c.created_by, c.created_at, c.seq, c.n, c.rev, c.row_rev, \
         c.mention_all_n, c.changed_at, c.last_at, c.member_count, c.preview, c.guests"
    };
}
pub(super) const HEAD: usize = 17;

/// Of `chat_members m`.
macro_rules! member_columns {
    () => {
        "m.user_id, m.role, m.acting_org, m.joined_seq, m.joined_n, m.joined_rev, m.visible_from, m.left_at, m.rev, \
         m.guest, m.let_in_by, m.link_id, m.left_seq"
    };
}
pub(super) const MEMBER: usize = 13;

/// Of `chat_messages l`.
macro_rules! message_columns {
    () => {
        "l.seq, l.n, l.rev, l.sent_rev, l.sender_kind, l.sender_id, l.client_id, l.sent_at, l.body_kind, l.body, \
         l.mentions, l.mention_all, l.reply_to, l.edited_at, l.recalled_at, l.countable, l.undone, l.forwarded, l.ack"
    };
}
pub(super) const MESSAGE: usize = 19;

/// Of `chat_reaction_sums s`.
macro_rules! sum_columns {
    () => {
        "s.seq, s.emoji, s.count, s.users, s.last_user, s.last_on, s.rev"
    };
}

fn known<T>(value: Option<T>, what: &'static str) -> Result<T> {
    value.ok_or(Error::OutOfRange(what))
}

pub(super) fn ids(json: Option<String>) -> Result<Vec<UserId>> {
    json.map_or(Ok(Vec::new()), |json| known(ids_of(&json).ok(), "a list of ids"))
}

pub(super) fn head(row: &Cells<'_>, at: usize) -> Result<Row> {
    Ok(Row {
        id: row.get(at)?,
        kind: known(Kind::parse(&row.get::<Box<str>>(at + 1)?), "kind of a conversation")?,
        org: row.get(at + 2)?,
        title: row.get(at + 3)?,
        direct_key: row.get(at + 4)?,
        created_by: row.get(at + 5)?,
        created_at: row.get(at + 6)?,
        head: Head {
            seq: row.get(at + 7)?,
            n: row.get(at + 8)?,
            rev: row.get(at + 9)?,
            mention_all_n: row.get(at + 11)?,
            changed_at: row.get(at + 12)?,
        },
        row_rev: row.get(at + 10)?,
        last_at: row.get(at + 13)?,
        member_count: row.get(at + 14)?,
        preview: row.get(at + 15)?,
        guests: row.get::<Option<i64>>(at + 16)?.unwrap_or(0),
    })
}

/// `None` where an outer join found nobody.
pub(super) fn member(row: &Cells<'_>, at: usize) -> Result<Option<MemberRow>> {
    let Some(user) = row.get(at)? else { return Ok(None) };
    Ok(Some(MemberRow {
        user,
        role: known(Role::parse(&row.get::<Box<str>>(at + 1)?), "role of a member")?,
        acting_org: row.get(at + 2)?,
        joined_seq: row.get(at + 3)?,
        joined_n: row.get(at + 4)?,
        joined_rev: row.get(at + 5)?,
        visible_from: row.get(at + 6)?,
        left_at: row.get(at + 7)?,
        rev: row.get(at + 8)?,
        guest: row.get::<Option<bool>>(at + 9)?.unwrap_or(false),
        let_in_by: row.get(at + 10)?,
        link: row.get(at + 11)?,
        left_seq: row.get(at + 12)?,
    }))
}

/// `None` where an outer join found nothing.
pub(super) fn message(row: &Cells<'_>, at: usize) -> Result<Option<MessageRow>> {
    let Some(seq) = row.get(at)? else { return Ok(None) };
    let kind: Box<str> = row.get(at + 8)?;
    Ok(Some(MessageRow {
        seq,
        n: row.get(at + 1)?,
        rev: row.get(at + 2)?,
        sent_rev: row.get(at + 3)?,
        sender: Sender {
            kind: known(row.get::<Box<str>>(at + 4)?.parse().ok(), "kind of a sender")?,
            id: row.get(at + 5)?,
        },
        client_id: row.get(at + 6)?,
        sent_at: row.get(at + 7)?,
        body_kind: known([BLOCKS, SYSTEM].into_iter().find(|k| **k == *kind), "kind of a body")?,
        body: row.get(at + 9)?,
        mentions: ids(row.get(at + 10)?)?,
        mention_all: row.get(at + 11)?,
        reply_to: row.get(at + 12)?,
        edited_at: row.get(at + 13)?,
        recalled_at: row.get(at + 14)?,
        countable: row.get(at + 15)?,
        undone: row.get::<Option<bool>>(at + 16)?.unwrap_or(false),
        forwarded: row.get(at + 17)?,
        ack: row.get::<Option<bool>>(at + 18)?.unwrap_or(false),
    }))
}

pub(super) fn sum(row: &Cells<'_>) -> Result<SumRow> {
    Ok(SumRow {
        seq: row.get(0)?,
        emoji: row.get(1)?,
        count: row.get(2)?,
        users: ids(Some(row.get(3)?))?,
        last_user: row.get(4)?,
        last_on: row.get(5)?,
        rev: row.get(6)?,
    })
}

/// Of `seq, count, last_user, last_on, rev` of `chat_asks`.
pub(super) fn ask(row: &Cells<'_>) -> Result<AskRow> {
    Ok(AskRow { seq: row.get(0)?, count: row.get(1)?, last_user: row.get(2)?, last_on: row.get(3)?, rev: row.get(4)? })
}

/// The ids of a JSON array parameter, as a subquery.
macro_rules! ids_sqlite {
    ($param:literal) => {
        concat!("(SELECT unhex(value) FROM json_each(", $param, "))")
    };
}
macro_rules! ids_postgres {
    ($param:literal) => {
        concat!(
            "(SELECT CAST(value AS UUID) FROM jsonb_array_elements_text(CAST(CAST(",
            $param,
            " AS TEXT) AS JSONB)) AS t(value))"
        )
    };
}
