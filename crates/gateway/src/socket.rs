//! The WebSocket around a session: one task for each, which reads, writes
//! and runs what the session asks for.

use std::{
    collections::{HashSet, VecDeque},
    future::{Future, pending, poll_fn},
    pin::{Pin, pin},
    sync::{Arc, atomic::Ordering::Relaxed},
    task::Poll,
    time::Duration,
};

use axum::{
    Router,
    extract::{
        State, WebSocketUpgrade,
        ws::{CloseFrame, Message, WebSocket, rejection::WebSocketUpgradeRejection},
    },
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
    routing::get,
};
use bytes::Bytes;
use futures_util::{SinkExt as _, StreamExt as _, stream::FuturesUnordered};
use kernel::{
    Arrival, Failure, Kernel, Known, Principal, Registry,
    extract::{Secret, secret},
    streams::Followed,
};
use proto::{Code, Error, Millis, PrincipalKind, SessionId, StreamKey, UserId, limits};
use serde_json::Value;
use tokio::sync::OwnedSemaphorePermit;
use uuid::Uuid;

use crate::{
    Shared,
    calls::{Calling, Entry, acquainted, call, receive},
    hub::{Follow, Hub},
    nodes,
    outbox::{Item, Note, Outbox, Packet},
    reader,
    session::{Found, Output, Session, Want},
};

/// Bytes read at a time: what clients send is small, and every idle socket
/// holds a buffer of this size.
const READ_BUFFER: usize = 1_024;
/// Bytes joined into one write. The buffer grows to this only when needed.
const WRITE_BUFFER: usize = 8 * 1_024;
/// Largest message that is read at all.
pub(crate) const LARGEST: usize = limits::SOCKET_SEND_BYTES + limits::SOCKET_FRAME_BYTES;
/// Named by clients that offer a secret as a protocol: one must be chosen.
const PROTOCOL: &str = "magpie";
/// A client that takes nothing for so long is gone.
const STUCK: Duration = Duration::from_secs(30);
/// For the last words, and for the client to say goodbye.
const LAST: Duration = Duration::from_secs(1);

pub(crate) fn routes(shared: Arc<Shared>) -> Router<Arc<Kernel>> {
    Router::new().route(
        "/api/v1/realtime",
        get(move |State(kernel): State<Arc<Kernel>>, arrival: Arrival, headers: HeaderMap, upgrade| {
            let shared = Arc::clone(&shared);
            async move {
                connect(shared, kernel, arrival, headers, upgrade).await.unwrap_or_else(IntoResponse::into_response)
            }
        }),
    )
}

/// Whether a browser's `Origin` is the server's own: the public address, or
/// the host the request was made to. A cookie of ours is sent to our own host
/// only, so the latter is no way in for a page of another site.
fn own_origin(headers: &HeaderMap, public_url: &str) -> bool {
    let text = |name| headers.get(name).and_then(|v: &header::HeaderValue| v.to_str().ok());
    let Some(origin) = text(header::ORIGIN) else { return false };
    let Some((scheme, authority)) = origin.split_once("://").filter(|(s, _)| *s == "http" || *s == "https") else {
        return false;
    };
    let public = public_url.split_once("://").map(|(s, rest)| (s, rest.split('/').next().unwrap_or("")));
    public.is_some_and(|(s, host)| s == scheme && host.eq_ignore_ascii_case(authority))
        || text(header::HOST).is_some_and(|host| host.eq_ignore_ascii_case(authority))
}

/// What a browser's page offers beside our protocol as its own, `bearer.` and
/// the secret: a page can set no header of a socket, and an address stands in
/// logs. It wins over the cookie, which comes by itself.
fn offered_secret(headers: &HeaderMap) -> Option<&str> {
    let offers = headers.get_all(header::SEC_WEBSOCKET_PROTOCOL).iter().filter_map(|value| value.to_str().ok());
    offers.flat_map(|value| value.split(',')).find_map(|offer| offer.trim().strip_prefix("bearer."))
}

async fn connect(
    shared: Arc<Shared>,
    kernel: Arc<Kernel>,
    arrival: Arrival,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Failure> {
    if shared.draining.load(Relaxed) || shared.env.get().is_none() {
        return Err(Failure(Code::ShuttingDown.into()));
    }
    let offered = offered_secret(&headers);
    let found = offered.map(Secret::Bearer).or_else(|| secret(&headers, arrival.https));
    if matches!(found, Some(Secret::Cookie(_))) && !own_origin(&headers, &kernel.config.public_url) {
        return Err(Failure(Code::OriginRefused.into()));
    }
    let Some(Secret::Bearer(secret) | Secret::Cookie(secret)) = found else {
        return Err(Failure(Code::Unauthenticated.into()));
    };
    let entry = Arc::new(Entry { secret: secret.into(), peer: arrival.peer() });
    let principal = entry.principal(&kernel).await?.ok_or(Code::Unauthenticated)?;
    let upgrade = match upgrade {
        Ok(upgrade) => upgrade,
        Err(rejection) => return Ok(rejection.into_response()),
    };
    Ok(upgrade
        .protocols([PROTOCOL])
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(WRITE_BUFFER)
        // A little above ours, which are refused with a code of their own.
        .max_message_size(LARGEST)
        .max_frame_size(LARGEST)
        .on_upgrade(move |socket| run(shared, kernel, principal, entry, socket)))
}

/// Takes the socket out of everything, however its task ends.
struct Registered {
    shared: Arc<Shared>,
    outbox: Arc<Outbox>,
}

impl Drop for Registered {
    fn drop(&mut self) {
        leave(&self.shared, &self.outbox);
    }
}

fn leave(shared: &Shared, outbox: &Arc<Outbox>) {
    if shared.hub.unregister(outbox) {
        shared.presence.moved(outbox.user);
    }
    shared.presence.unwatch(outbox);
}

async fn run(shared: Arc<Shared>, kernel: Arc<Kernel>, principal: Principal, entry: Arc<Entry>, mut ws: WebSocket) {
    let Some(env) = shared.env.get().cloned() else { return };
    let session = principal.session.unwrap_or(SessionId(Uuid::nil()));
    let outbox = Outbox::new(shared.hub.next_id(), principal.user(), session);
    match shared.hub.register(&outbox) {
        None => return goodbye(&mut ws, 4429, "too many sockets").await,
        Some(true) => shared.presence.moved(outbox.user),
        Some(false) => {}
    }
    let _registered = Registered { shared: Arc::clone(&shared), outbox: Arc::clone(&outbox) };
    let mut shell = Box::new(Shell {
        session: Session::new(env, outbox.user, session, kernel.now()),
        ws,
        outbox,
        shared,
        kernel,
        principal,
        entry,
        items: VecDeque::new(),
        reading: None,
        calls: FuturesUnordered::new(),
        sending: None,
        watching: None,
        watched: Box::default(),
        admission: None,
        listen_first: false,
    });
    // Asked again now that it would be told: between the first answer and the
    // registration the session may have ended.
    let end = match shell.recheck().await {
        Err(end) => end,
        Ok(()) => shell.serve().await,
    };
    shell.finish(end).await;
}

/// Why a socket's task comes to its end.
#[derive(Debug)]
enum End {
    /// The client is gone.
    Gone,
    /// To be closed with this.
    Close(u16, String),
}

type Reading = Pin<Box<dyn Future<Output = Option<Vec<Found>>> + Send>>;

struct Shell {
    ws: WebSocket,
    session: Session,
    outbox: Arc<Outbox>,
    shared: Arc<Shared>,
    kernel: Arc<Kernel>,
    principal: Principal,
    entry: Arc<Entry>,
    items: VecDeque<Item>,
    reading: Option<Reading>,
    calls: FuturesUnordered<Calling>,
    sending: Option<Calling>,
    watching: Option<Pin<Box<dyn Future<Output = (Vec<UserId>, Known)> + Send>>>,
    /// Whom the client named, known or not.
    watched: Box<[UserId]>,
    admission: Option<OwnedSemaphorePermit>,
    listen_first: bool,
}

enum Woken {
    Message(Option<Result<Message, axum::Error>>),
    Outbox,
    Read(Option<Vec<Found>>),
    Acquainted(Vec<UserId>, Known),
    Called(i64, Result<Value, Error>),
    Received(i64, Result<Value, Error>),
}

impl Shell {
    async fn serve(&mut self) -> End {
        loop {
            match self.round().await {
                Ok(()) => {}
                Err(end) => return end,
            }
        }
    }

    /// Waits for one thing, and does all it leads to.
    async fn round(&mut self) -> Result<(), End> {
        self.outbox.set_deadline(self.session.deadline());
        let woken = self.wait().await;
        let now = self.kernel.now();
        match woken {
            Woken::Message(message) => self.heard(now, message)?,
            Woken::Outbox => self.empty(now).await?,
            Woken::Read(found) => {
                self.reading = None;
                self.session.read(found);
                self.outputs().await?;
                if self.reading.is_none() {
                    self.outbox.settle(false);
                }
            }
            Woken::Acquainted(users, known) => {
                self.watching = None;
                self.shared.presence.watch(&self.shared.hub, &self.outbox, users, |user| known.shows_presence(user));
            }
            Woken::Called(id, outcome) => {
                self.session.called(id, &outcome);
                if self.calls.is_empty() {
                    self.calls = FuturesUnordered::new();
                }
            }
            Woken::Received(id, outcome) => {
                self.sending = None;
                self.session.received(id, &outcome);
            }
        }
        self.outputs().await?;
        self.flush().await
    }

    fn wait(&mut self) -> impl Future<Output = Woken> {
        // Whoever was served last comes last: neither a busy stream nor a busy
        // client may keep the other waiting for ever.
        self.listen_first = !self.listen_first;
        poll_fn(|cx| {
            if self.listen_first
                && let Poll::Ready(message) = self.ws.poll_next_unpin(cx)
            {
                return Poll::Ready(Woken::Message(message));
            }
            if self.outbox.poll(cx).is_ready() {
                return Poll::Ready(Woken::Outbox);
            }
            if let Some(reading) = &mut self.reading
                && let Poll::Ready(found) = reading.as_mut().poll(cx)
            {
                return Poll::Ready(Woken::Read(found));
            }
            if !self.calls.is_empty()
                && let Poll::Ready(Some((id, outcome))) = self.calls.poll_next_unpin(cx)
            {
                return Poll::Ready(Woken::Called(id, outcome));
            }
            if let Some(sending) = &mut self.sending
                && let Poll::Ready((id, outcome)) = sending.as_mut().poll(cx)
            {
                return Poll::Ready(Woken::Received(id, outcome));
            }
            if let Some(watching) = &mut self.watching
                && let Poll::Ready((users, known)) = watching.as_mut().poll(cx)
            {
                return Poll::Ready(Woken::Acquainted(users, known));
            }
            if self.listen_first {
                return Poll::Pending;
            }
            self.ws.poll_next_unpin(cx).map(Woken::Message)
        })
    }

    fn heard(&mut self, now: Millis, message: Option<Result<Message, axum::Error>>) -> Result<(), End> {
        match message {
            Some(Ok(Message::Text(text))) => self.session.text(now, &text),
            Some(Ok(Message::Binary(bytes))) => self.session.binary(now, &bytes),
            // The library answers; then the stream ends.
            Some(Ok(Message::Close(_))) => {}
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => self.session.alive(now),
            // The library names no code of ours; its words are all there is.
            Some(Err(error)) if error.to_string().contains("too long") => {
                return Err(End::Close(4413, "the frame is too large".into()));
            }
            Some(Err(_)) | None => return Err(End::Gone),
        }
        Ok(())
    }

    /// Writes and does what waits in the outbox.
    async fn empty(&mut self, now: Millis) -> Result<(), End> {
        if self.outbox.take_due() {
            self.session.tick(now);
        }
        let mut items = std::mem::take(&mut self.items);
        if let Some((code, reason)) = self.outbox.take(&mut items) {
            return Err(End::Close(code, reason.into()));
        }
        while let Some(item) = items.pop_front() {
            match item {
                Item::Frame(wire) => {
                    self.session.passing(&wire);
                    self.write(wire.packet()).await?;
                }
                Item::Blank(wire) => {
                    self.session.passing(&wire);
                    self.write(wire.blank()).await?;
                }
                Item::Fleeting(packet) => self.write(packet).await?,
                Item::Note(note) if *note == Note::Recheck => self.recheck().await?,
                Item::Note(note) if *note == Note::Follows => {
                    // Whom one no longer shares anything with, or who does
                    // not want to be watched any more, is not.
                    if !self.watched.is_empty() {
                        self.watch();
                    }
                    note_to(&self.shared.hub, &self.outbox, &mut self.session, *note);
                    self.outputs().await?;
                }
                Item::Note(note) => {
                    note_to(&self.shared.hub, &self.outbox, &mut self.session, *note);
                    self.outputs().await?;
                }
            }
        }
        // A short queue is kept for the next time, a long one given back.
        if items.capacity() <= 8 {
            self.items = items;
        }
        Ok(())
    }

    async fn recheck(&mut self) -> Result<(), End> {
        match self.entry.principal(&self.kernel).await {
            Ok(Some(again)) if again.id == self.principal.id && again.session == self.principal.session => Ok(()),
            Ok(_) => Err(End::Close(4401, "the session ended".into())),
            Err(_) => Err(End::Close(4503, r#"{"retry_after_ms":2000}"#.into())),
        }
    }

    /// Asks anew who of those named may be watched. Guests watch nobody.
    fn watch(&mut self) {
        if self.principal.kind == PrincipalKind::Guest {
            return;
        }
        let ctx = self.kernel.ctx(self.principal.clone());
        self.watching = Some(Box::pin(acquainted(ctx, self.watched.to_vec())));
    }

    async fn outputs(&mut self) -> Result<(), End> {
        while let Some(output) = self.session.poll() {
            match output {
                Output::Send(packet) => self.write(packet).await?,
                Output::Close(code, reason) => return Err(End::Close(code, reason)),
                other => self.act(other),
            }
        }
        Ok(())
    }

    fn act(&mut self, output: Output) {
        let hub = &self.shared.hub;
        let Some(output) = follow(hub, &self.kernel.registry, &self.outbox, &mut self.session, output) else { return };
        match output {
            Output::Admit => self.admit(),
            Output::Resumed => self.admission = None,
            Output::Read(wants) => self.begin_read(wants),
            Output::Typing(stream) if hub.follows(&self.outbox, stream) => {
                nodes::typing(&self.shared, stream, self.outbox.user);
            }
            Output::Receive(send) => {
                let follows = hub.follows(&self.outbox, send.stream);
                self.sending = Some(receive(Arc::clone(&self.kernel), self.principal.clone(), follows, *send));
            }
            Output::Pass(stream, bytes) => self.pass(stream, &bytes),
            Output::Open(conversation) => {
                let follows = hub.follows(&self.outbox, StreamKey::new(StreamKey::CONVERSATION, conversation));
                if follows {
                    self.shared.opens.open(&self.outbox, conversation);
                }
                self.session.opened(conversation, follows);
            }
            Output::Shut(conversation) => self.shared.opens.shut(&self.outbox, conversation),
            // A newer question takes the place of one not answered yet.
            Output::Watch(users) => {
                self.watched = users.into();
                self.watch();
            }
            Output::Call { id, op, params } => {
                self.calls.push(call(Arc::clone(&self.kernel), Arc::clone(&self.entry), id, op, params));
            }
            _ => {}
        }
    }

    fn pass(&mut self, stream: StreamKey, bytes: &Bytes) {
        let follows = self.shared.hub.follows(&self.outbox, stream);
        match self.kernel.registry.stream(stream.kind).filter(|_| follows) {
            Some(_) if self.principal.kind == PrincipalKind::Guest => self.session.fault(&Code::Forbidden.into()),
            Some(source) if source.passes() => nodes::pass(&self.shared, stream, &self.outbox, bytes),
            Some(_) => self.session.fault(&Error::field(Code::BinaryUnsupported, "stream")),
            None => self.session.fault(&Error::field(Code::NotFound, "stream")),
        }
    }

    fn admit(&mut self) {
        let now = self.kernel.now();
        if let Ok(permit) = Arc::clone(&self.shared.resuming).try_acquire_owned() {
            self.admission = Some(permit);
            self.session.admitted(now, Ok(()));
        } else {
            self.shared.refused.fetch_add(1, Relaxed);
            let spread = i64::from(u16::from_be_bytes(self.kernel.random())) % 4_000;
            self.session.admitted(now, Err(1_000 + spread));
        }
    }

    fn begin_read(&mut self, wants: Vec<Want>) {
        // From here until what was read is acted upon, accesses that end are
        // remembered: the list may be older than their end.
        self.outbox.settle(true);
        let (kernel, user) = (Arc::clone(&self.kernel), self.outbox.user);
        self.reading = Some(Box::pin(async move {
            let reads = Arc::clone(&kernel);
            let found = kernel.db.read(move |tx| reader::answer(tx, &reads.registry, user, &wants)).await;
            found.inspect_err(|error: &Error| tracing::warn!(%error, "a session could not be read for")).ok()
        }));
    }

    /// Puts a message into the buffer of the socket, which is written when it is
    /// full or flushed.
    async fn write(&mut self, packet: Packet) -> Result<(), End> {
        let outbox = &self.outbox;
        unless_stuck(outbox, self.ws.feed(packet.into())).await
    }

    async fn flush(&mut self) -> Result<(), End> {
        let outbox = &self.outbox;
        unless_stuck(outbox, self.ws.flush()).await
    }

    async fn finish(&mut self, end: End) {
        for conversation in self.session.opens() {
            self.shared.opens.shut(&self.outbox, *conversation);
        }
        if let End::Close(code, reason) = end {
            if code == 4509 {
                self.shared.slow.fetch_add(1, Relaxed);
            }
            // No more frames: whoever closes it may have ended the access.
            leave(&self.shared, &self.outbox);
            goodbye(&mut self.ws, code, &reason).await;
        }
    }
}

/// Gives a session what its outbox had for it to act on.
pub(crate) fn note_to(hub: &Hub, outbox: &Outbox, session: &mut Session, note: Note) {
    // Only the socket itself follows, so this access is newer than the one
    // that ended: the client has been told of it, and must not be told of the
    // end after that.
    if matches!(note, Note::Left { stream, .. } if hub.follows(outbox, stream)) {
        return;
    }
    session.note(note);
}

/// Does what a session wants followed; gives other outputs back.
pub(crate) fn follow(
    hub: &Hub,
    registry: &Registry,
    outbox: &Arc<Outbox>,
    session: &mut Session,
    output: Output,
) -> Option<Output> {
    match output {
        Output::Follow(followed) => {
            for Followed { stream, rev, access, .. } in followed {
                match hub.follow(outbox, stream, rev, access.min_seq) {
                    Follow::Whole => {}
                    // Also where the list said that the client knew all.
                    Follow::Missed => session.missed(stream, rev),
                    Follow::Refused => session.refused(stream, rev),
                }
            }
            outbox.streams.lock().shrink_to_fit();
        }
        Output::Subscribe { stream, rev, min_seq, event } => {
            let follow = hub.follow(outbox, stream, rev, min_seq);
            session.subscribed(stream, rev, event.as_deref(), follow);
        }
        // It began again after that was read.
        Output::Unfollow(stream) if outbox.has_joined(stream) => session.note(Note::Joined(stream)),
        Output::Unfollow(stream) => hub.unfollow(outbox, stream),
        Output::Reconcile(followed) => {
            let now: HashSet<StreamKey> = outbox.streams.lock().iter().map(|c| c.key).collect();
            let then: HashSet<StreamKey> = followed.iter().map(|f| f.stream).collect();
            let gone: Vec<_> = now
                .difference(&then)
                .filter(|stream| !outbox.has_joined(**stream))
                .map(|stream| {
                    hub.unfollow(outbox, *stream);
                    (*stream, reader::dismissal(registry, *stream))
                })
                .collect();
            session.reconciled(gone, then.difference(&now).copied().collect());
        }
        other => return Some(other),
    }
    None
}

/// Writes, but gives up when the socket is to be closed or takes nothing.
async fn unless_stuck(outbox: &Outbox, write: impl Future<Output = Result<(), axum::Error>>) -> Result<(), End> {
    let write = pin!(write);
    // Nearly always ready at once; the rest is for a full buffer.
    let stuck = async {
        tokio::select! {
            () = tokio::time::sleep(STUCK) => {}
            () = poll_fn(|cx| outbox.poll_closing(cx)) => {}
        }
    };
    tokio::select! {
        biased;
        written = write => written.map_err(|_| End::Gone),
        () = stuck => Err(match outbox.take(&mut VecDeque::new()) {
            Some((code, reason)) => End::Close(code, reason.into()),
            None => End::Close(4509, "the client reads too slowly".into()),
        }),
    }
}

/// Says why, and waits a moment for the client to have heard it: closing at
/// once could overtake the words.
async fn goodbye(ws: &mut WebSocket, code: u16, reason: &str) {
    let close = Message::Close(Some(CloseFrame { code, reason: reason.into() }));
    let said = async {
        if ws.send(close).await.is_ok() {
            while let Some(Ok(_)) = ws.next().await {}
            // The rest of what is too large is never read, so hanging up is a
            // reset: it breaks off a client that still writes, and some systems
            // then throw away what was not read yet.
            if code == 4413 {
                pending::<()>().await;
            }
        }
    };
    drop(tokio::time::timeout(LAST, said).await);
}
