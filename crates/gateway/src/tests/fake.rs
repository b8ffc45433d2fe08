//! A module that has what the gateway needs and nothing else: conversations
//! with messages and members, cursors, people's own rows, sessions.

use std::{
    collections::{BTreeMap, BTreeSet},
    future::Future,
    pin::Pin,
    sync::Arc,
};

use kernel::{
    CallFuture, Clock, Ctx, Duty, Ephemeral, EphemeralSink, Kernel, KernelConfig, ManualClock, Module, OrgData, Peer,
    PersonData, Principal, Registry,
    extract::Authenticator,
    streams::{self, Access, Change, Event, Followed, RECEIPTS, Sent, Since, StreamSource},
};
use proto::{Code, Error, Header, PrincipalKind, Result, SessionId, StreamKey, UserId};
use rand::SeedableRng;
use serde_json::{Value, json, value::RawValue};
use store::{Db, Key, Migration, Tx, sql, testing::TestDb};
use uuid::Uuid;

pub(super) const START: i64 = 1_800_000_000_000;

const MIGRATION: Migration = Migration {
    module: "fake",
    version: 20_261_122_100_000,
    name: "20261122_100000_fake",
    sql: "
CREATE TABLE fake_heads (id ID NOT NULL PRIMARY KEY, rev INT NOT NULL, seq INT NOT NULL, changed_at INT NOT NULL);
CREATE TABLE fake_messages (conversation ID NOT NULL, seq INT NOT NULL, rev INT NOT NULL, body TEXT NOT NULL,
    carried BYTES NOT NULL, PRIMARY KEY (conversation, seq));
CREATE TABLE fake_members (conversation ID NOT NULL, user_id ID NOT NULL, min_seq INT NOT NULL, gone BOOL NOT NULL,
    rev INT NOT NULL, PRIMARY KEY (conversation, user_id));
CREATE TABLE fake_cursors (conversation ID NOT NULL, user_id ID NOT NULL, read_seq INT NOT NULL,
    moved_at INT NOT NULL, PRIMARY KEY (conversation, user_id));
CREATE TABLE fake_own (user_id ID NOT NULL, name TEXT NOT NULL, rev INT NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (user_id, name));
CREATE TABLE fake_sessions (id ID NOT NULL PRIMARY KEY, user_id ID NOT NULL);
",
};

pub(super) fn conversation(id: Uuid) -> StreamKey {
    StreamKey::new(StreamKey::CONVERSATION, id)
}

struct Conversations;

impl StreamSource for Conversations {
    fn kind(&self) -> &'static str {
        StreamKey::CONVERSATION
    }

    fn head(&self, tx: &mut Tx<'_>, id: Uuid) -> Result<Option<i64>> {
        Ok(tx.opt(sql!("SELECT rev FROM fake_heads WHERE id = $1"), &[&id], |r| r.get(0))?)
    }

    fn authorize(&self, tx: &mut Tx<'_>, user: UserId, id: Uuid) -> Result<Option<Access>> {
        Ok(tx.opt(
            sql!("SELECT min_seq FROM fake_members WHERE conversation = $1 AND user_id = $2 AND gone = false"),
            &[&id, &user],
            |r| Ok(Access { min_seq: r.get(0)? }),
        )?)
    }

    fn since(&self, tx: &mut Tx<'_>, id: Uuid, rev: i64, limit: usize) -> Result<Since> {
        // One more of each, to see whether there is more.
        let most = i64::try_from(limit).unwrap() + 1;
        let mut rows = tx.query(
            sql!(
                "SELECT rev, seq, body, carried FROM fake_messages WHERE conversation = $1 AND rev > $2
                 ORDER BY rev LIMIT $3"
            ),
            &[&id, &rev, &most],
            |r| Ok(message(r.get(0)?, r.get(1)?, &r.get::<String>(2)?, r.get(3)?)),
        )?;
        rows.extend(tx.query(
            sql!(
                "SELECT rev, user_id, min_seq, gone FROM fake_members WHERE conversation = $1 AND rev > $2
                 ORDER BY rev LIMIT $3"
            ),
            &[&id, &rev, &most],
            |r| Ok(member(r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?)),
        )?);
        let head = self.head(tx, id)?.unwrap_or(0);
        rows.sort_by_key(|(rev, ..)| *rev);
        let more = rows.len() > limit;
        rows.truncate(limit);
        let upto = if more { rows.last().map_or(head, |(rev, ..)| *rev) } else { head };
        Ok(Since::group(rows, upto, more))
    }

    fn followed(&self, tx: &mut Tx<'_>, user: UserId, changed_since: i64) -> Result<Vec<Followed>> {
        Ok(tx.query(
            sql!(
                "SELECT h.id, h.rev, h.changed_at, m.min_seq FROM fake_members m
                 JOIN fake_heads h ON h.id = m.conversation
                 WHERE m.user_id = $1 AND m.gone = false AND h.changed_at >= $2 ORDER BY h.id"
            ),
            &[&user, &changed_since],
            |r| {
                Ok(Followed {
                    stream: conversation(r.get(0)?),
                    rev: r.get(1)?,
                    changed_at: r.get(2)?,
                    access: Access { min_seq: r.get(3)? },
                })
            },
        )?)
    }

    fn unfollowed(&self, tx: &mut Tx<'_>, user: UserId, changed_since: i64) -> Result<Vec<Uuid>> {
        Ok(tx.query(
            sql!(
                "SELECT h.id FROM fake_members m JOIN fake_heads h ON h.id = m.conversation
                 WHERE m.user_id = $1 AND m.gone = true AND h.changed_at >= $2 ORDER BY h.id"
            ),
            &[&user, &changed_since],
            |r| r.get(0),
        )?)
    }

    fn introduce(&self, tx: &mut Tx<'_>, _: UserId, id: Uuid) -> Result<Option<Value>> {
        let head = self.head(tx, id)?;
        Ok(head.map(|rev| json!({"kind": "followed", "conversation": {"id": id, "head": {"rev": rev}}})))
    }

    fn dismiss(&self, id: Uuid) -> Option<Value> {
        Some(json!({"kind": "unfollowed", "conversation": id, "reason": "left"}))
    }

    /// Says the bytes, `params` being the text beside them.
    fn receive(&self, ctx: Ctx, id: Uuid, sent: Sent) -> Option<CallFuture> {
        Some(Box::pin(async move {
            let body = sent.params.map(|p| p.get().to_owned()).unwrap_or_default();
            assert!(!body.contains("panic"), "on purpose");
            let (user, now) = (ctx.user(), ctx.now);
            let said = ctx.db().write(move |tx| {
                tx.lock(&[Key::row("fake_heads", id)])?;
                if Conversations.authorize(tx, user, id)?.is_none() {
                    return Err(Error::api(Code::NotFound));
                }
                say_with(tx, id, &body, &sent.bytes, now)
            });
            said.await.map(|rev| json!({"rev": rev}))
        }))
    }

    fn passes(&self) -> bool {
        true
    }
}

struct Receipts;

impl StreamSource for Receipts {
    fn kind(&self) -> &'static str {
        RECEIPTS
    }

    fn head(&self, _: &mut Tx<'_>, _: Uuid) -> Result<Option<i64>> {
        Ok(None)
    }

    fn authorize(&self, tx: &mut Tx<'_>, user: UserId, id: Uuid) -> Result<Option<Access>> {
        Conversations.authorize(tx, user, id)
    }

    fn since(&self, tx: &mut Tx<'_>, id: Uuid, rev: i64, limit: usize) -> Result<Since> {
        let rows = tx.query(
            sql!(
                "SELECT moved_at, user_id, read_seq FROM fake_cursors WHERE conversation = $1 AND moved_at >= $2
                 ORDER BY moved_at LIMIT $3"
            ),
            &[&id, &rev, &i64::try_from(limit).unwrap()],
            |r| {
                let (user, read): (UserId, i64) = (r.get(1)?, r.get(2)?);
                Ok((r.get(0)?, Header::default(), json!({"user": user, "read_seq": read, "delivered_seq": read})))
            },
        )?;
        let to = rows.iter().map(|(at, ..)| *at).max().unwrap_or(0);
        Ok(Since::group(rows, to, false))
    }

    fn followed(&self, _: &mut Tx<'_>, _: UserId, _: i64) -> Result<Vec<Followed>> {
        Ok(Vec::new())
    }

    fn ephemeral(&self) -> bool {
        true
    }
}

fn message(rev: i64, seq: i64, body: &str, bytes: Vec<u8>) -> (i64, Header, Event) {
    let header = Header { seq, ..Header::default() };
    let json = json!({"kind": "message", "seq": seq, "rev": rev, "body": body});
    (rev, header, Event { json, bytes })
}

fn member(rev: i64, user: UserId, min_seq: i64, gone: bool) -> (i64, Header, Event) {
    let header = Header {
        leaves: gone.then_some(user).into_iter().collect(),
        joins: (!gone).then_some((user, min_seq)).into_iter().collect(),
        ..Header::default()
    };
    (rev, header, json!({"kind": "member", "user": user, "left": gone}).into())
}

fn own_rows(tx: &mut Tx<'_>, user: Uuid, rev: i64, limit: usize) -> Result<Vec<(i64, Value)>> {
    Ok(tx.query(
        sql!("SELECT rev, name, body FROM fake_own WHERE user_id = $1 AND rev > $2 ORDER BY rev LIMIT $3"),
        &[&user, &rev, &i64::try_from(limit).unwrap()],
        |r| {
            let (name, body): (String, String) = (r.get(1)?, r.get(2)?);
            Ok((r.get(0)?, json!({"kind": "draft", "name": name, "body": body})))
        },
    )?)
}

/// Moves a conversation on by one change; `(rev, seq)` after it.
fn step(tx: &mut Tx<'_>, id: Uuid, seqs: i64, at: i64) -> Result<(i64, i64)> {
    let head = Key::row("fake_heads", id);
    if !tx.holds(&head) {
        tx.lock(&[head])?;
    }
    Ok(tx.one(
        sql!(
            "INSERT INTO fake_heads (id, rev, seq, changed_at) VALUES ($1, 1, $2, $3)
             ON CONFLICT (id) DO UPDATE SET rev = fake_heads.rev + 1, seq = fake_heads.seq + $2, changed_at = $3
             RETURNING rev, seq"
        ),
        &[&id, &seqs, &at],
        |r| Ok((r.get(0)?, r.get(1)?)),
    )?)
}

fn tell(tx: &mut Tx<'_>, id: Uuid, row: (i64, Header, Event)) -> Result<i64> {
    let rev = row.0;
    let change: Option<Change> = Since::group(vec![row], rev, false).changes.pop();
    change.unwrap().emit(tx, conversation(id))?;
    Ok(rev)
}

/// Says something new.
pub(super) fn say(tx: &mut Tx<'_>, id: Uuid, body: &str, at: i64) -> Result<i64> {
    say_with(tx, id, body, &[], at)
}

/// Says something new that carries bytes.
pub(super) fn say_with(tx: &mut Tx<'_>, id: Uuid, body: &str, bytes: &[u8], at: i64) -> Result<i64> {
    let (rev, seq) = step(tx, id, 1, at)?;
    tx.execute(
        sql!("INSERT INTO fake_messages (conversation, seq, rev, body, carried) VALUES ($1, $2, $3, $4, $5)"),
        &[&id, &seq, &rev, &body, &bytes],
    )?;
    tell(tx, id, message(rev, seq, body, bytes.to_vec()))
}

/// Changes what was said first.
pub(super) fn edit_first(tx: &mut Tx<'_>, id: Uuid, body: &str, bytes: &[u8], at: i64) -> Result<i64> {
    let (rev, _) = step(tx, id, 0, at)?;
    tx.execute(
        sql!("UPDATE fake_messages SET rev = $2, body = $3, carried = $4 WHERE conversation = $1 AND seq = 1"),
        &[&id, &rev, &body, &bytes],
    )?;
    tell(tx, id, message(rev, 1, body, bytes.to_vec()))
}

/// Comes in (seeing only what is said from now on if `late`) or goes.
pub(super) fn member_moves(tx: &mut Tx<'_>, id: Uuid, user: UserId, gone: bool, late: bool, at: i64) -> Result<i64> {
    let (rev, seq) = step(tx, id, 0, at)?;
    let min_seq = if late { seq + 1 } else { 1 };
    tx.execute(
        sql!(
            "INSERT INTO fake_members (conversation, user_id, min_seq, gone, rev) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (conversation, user_id) DO UPDATE
             SET min_seq = excluded.min_seq, gone = excluded.gone, rev = excluded.rev"
        ),
        &[&id, &user, &min_seq, &gone, &rev],
    )?;
    tell(tx, id, member(rev, user, min_seq, gone))
}

/// Ends a membership without telling the stream, as what is derived may.
pub(super) fn vanish(tx: &mut Tx<'_>, id: Uuid, user: UserId) -> Result<()> {
    tx.execute(sql!("DELETE FROM fake_members WHERE conversation = $1 AND user_id = $2"), &[&id, &user])?;
    Ok(())
}

/// Writes a row of a person's own stream.
pub(super) fn own(tx: &mut Tx<'_>, user: UserId, name: &str, body: &str) -> Result<i64> {
    let stream = StreamKey::person(user);
    tx.lock(&[streams::key(stream)])?;
    let rev = streams::bump(tx, stream)?;
    tx.execute(
        sql!(
            "INSERT INTO fake_own (user_id, name, rev, body) VALUES ($1, $2, $3, $4)
             ON CONFLICT (user_id, name) DO UPDATE SET rev = excluded.rev, body = excluded.body"
        ),
        &[&user, &name, &rev, &body],
    )?;
    streams::emit(tx, stream, rev, Header::default(), &[json!({"kind": "draft", "name": name, "body": body})])?;
    Ok(rev)
}

pub(super) fn move_cursor(tx: &mut Tx<'_>, id: Uuid, user: UserId, read: i64, at: i64) -> Result<()> {
    tx.execute(
        sql!(
            "INSERT INTO fake_cursors (conversation, user_id, read_seq, moved_at) VALUES ($1, $2, $3, $4)
             ON CONFLICT (conversation, user_id) DO UPDATE
             SET read_seq = excluded.read_seq, moved_at = excluded.moved_at"
        ),
        &[&id, &user, &read, &at],
    )?;
    Ok(())
}

/// What a fetch of the conversation gives the person now: rev, time of the
/// last change, messages by seq, members. `None` if they may not see it.
pub(super) type State = (i64, i64, BTreeMap<i64, Message>, BTreeSet<UserId>);
/// Its text and what it carries.
pub(super) type Message = (String, Vec<u8>);

pub(super) fn fetch(tx: &mut Tx<'_>, id: Uuid, user: UserId) -> Result<Option<State>> {
    let Some(access) = Conversations.authorize(tx, user, id)? else { return Ok(None) };
    let (rev, changed_at) =
        tx.one(sql!("SELECT rev, changed_at FROM fake_heads WHERE id = $1"), &[&id], |r| Ok((r.get(0)?, r.get(1)?)))?;
    let messages = tx.query(
        sql!("SELECT seq, body, carried FROM fake_messages WHERE conversation = $1 AND seq >= $2 ORDER BY seq"),
        &[&id, &access.min_seq],
        |r| Ok((r.get(0)?, (r.get(1)?, r.get(2)?))),
    )?;
    let members = tx.query(
        sql!("SELECT user_id FROM fake_members WHERE conversation = $1 AND gone = false ORDER BY user_id"),
        &[&id],
        |r| r.get(0),
    )?;
    Ok(Some((rev, changed_at, messages.into_iter().collect(), members.into_iter().collect())))
}

/// The session of a guest; all others are of people.
pub(super) const GUEST: Uuid = Uuid::from_u128(0x6e57);

/// The secret of a session is its id.
struct Sessions;

impl Authenticator for Sessions {
    fn authenticate<'a>(
        &'a self,
        kernel: &'a Arc<Kernel>,
        secret: &'a str,
        _: Peer,
    ) -> Pin<Box<dyn Future<Output = Result<Option<Principal>, Error>> + Send + 'a>> {
        Box::pin(async move {
            let Ok(session) = secret.parse::<SessionId>() else { return Ok(None) };
            kernel
                .db
                .read(move |tx| {
                    Ok(tx.opt(sql!("SELECT user_id FROM fake_sessions WHERE id = $1"), &[&session], |r| {
                        let person = Principal::person(r.get(0)?, session);
                        Ok(if session.0 == GUEST { Principal { kind: PrincipalKind::Guest, ..person } } else { person })
                    })?)
                })
                .await
        })
    }

    fn forget(&self, _: UserId) {}
}

fn echo(ctx: Ctx, params: Box<RawValue>) -> kernel::CallFuture {
    Box::pin(async move { Ok(json!({"user": ctx.user(), "said": params})) })
}

fn panics(_: Ctx, _: Box<RawValue>) -> kernel::CallFuture {
    Box::pin(async { panic!("on purpose") })
}

pub(super) fn registry() -> Registry {
    let module = Module {
        name: "fake",
        needs: &[],
        migrations: &[MIGRATION],
        routes: Vec::new,
        calls: vec![
            kernel::Call { op: "fake.echo", guests: true, run: echo },
            kernel::Call { op: "fake.panic", guests: false, run: panics },
        ],
        streams: vec![Box::new(Conversations), Box::new(Receipts)],
        stream_parts: vec![streams::StreamPart { kind: StreamKey::PERSON, since: own_rows }],
        events: &[],
        org_follows: None,
        authenticator: Some(Arc::new(Sessions)),
        jobs: vec![],
        periodic: vec![],
        // Everybody here knows everybody.
        hooks: vec![kernel::Hook::on::<kernel::WhoIsKnown>(
            |_| Vec::new(),
            |_, _, ask| {
                ask.known(ask.of.clone());
                Ok(())
            },
        )],
        permissions: &[],
        settings: &[],
        limits: &[],
        search_sources: &[],
        cards: vec![],
        waiting: vec![],
        notifications: &[],
        merge: Duty::Nothing("a fake"),
        person_data: PersonData { export: Duty::Nothing("a fake"), erase: Duty::Nothing("a fake") },
        org_data: OrgData { export: Duty::Nothing("a fake"), purge: Duty::Nothing("a fake") },
        demo_seed: Duty::Nothing("a fake"),
    };
    Registry::new(vec![module]).unwrap()
}

pub(super) async fn database() -> TestDb {
    TestDb::open(registry().migrations()).await
}

pub(super) fn kernel(db: Db, sink: Arc<dyn EphemeralSink>) -> (Arc<Kernel>, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::new(START));
    let config = KernelConfig::for_tests("http://magpie.test:8080".into());
    let rng = rand::rngs::StdRng::from_rng(&mut Kernel::system_rng());
    (Kernel::new(db, clock.clone() as Arc<dyn Clock>, registry(), config, sink, Arc::new(kernel::LogOnly), rng), clock)
}

/// Hears nothing.
pub(super) struct Deaf;

impl EphemeralSink for Deaf {
    fn send(&self, _: Ephemeral) {}
}

pub(super) fn user(n: u128) -> UserId {
    UserId(Uuid::from_u128(n))
}

/// A session of the person, as its secret.
pub(super) async fn sign_in(db: &Db, user: UserId, session: Uuid) {
    db.write(move |tx| -> Result<()> {
        tx.execute(sql!("INSERT INTO fake_sessions (id, user_id) VALUES ($1, $2)"), &[&session, &user])?;
        Ok(())
    })
    .await
    .unwrap();
}

pub(super) fn sign_out(tx: &mut Tx<'_>, session: Uuid) -> Result<()> {
    tx.execute(sql!("DELETE FROM fake_sessions WHERE id = $1"), &[&session])?;
    Ok(())
}
