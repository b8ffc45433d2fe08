//! Who is connected, who is in which conversation, and the fan-out.

use std::{
    collections::HashMap,
    io,
    sync::{
        Arc, Weak,
        atomic::{AtomicU64, Ordering},
    },
};

use anyhow::{Context, Result, bail};
use parking_lot::{Mutex, RwLock};
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::{net::TcpStream, sync::Notify};

use crate::{
    store::{Post, Posted, Store},
    wire,
};

/// The form of an id; the number stands in its last twelve digits.
pub fn user_id(index: usize) -> String {
    format!("00000000-0000-7000-8000-{index:012x}")
}

pub fn number(id: &str) -> Result<u64> {
    u64::from_str_radix(id.rsplit('-').next().context("not an id")?, 16).context("not an id")
}

/// An open socket.
pub struct Peer {
    stream: TcpStream,
    /// What the kernel did not take; the socket's own task writes it.
    waiting: Mutex<Vec<u8>>,
    wake: Notify,
}

impl Peer {
    /// Writes at once if nothing waits; never blocks.
    fn push(&self, bytes: &[u8]) {
        let mut waiting = self.waiting.lock();
        let written = if waiting.is_empty() { self.stream.try_write(bytes).unwrap_or(0) } else { 0 };
        if written < bytes.len() {
            waiting.extend_from_slice(&bytes[written..]);
            self.wake.notify_one();
        }
    }

    async fn flush(&self) -> io::Result<()> {
        loop {
            self.stream.writable().await?;
            let mut waiting = self.waiting.lock();
            match self.stream.try_write(&waiting) {
                Ok(written) => drop(waiting.drain(..written)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
            if waiting.is_empty() {
                waiting.shrink_to(0);
                return Ok(());
            }
        }
    }
}

pub struct Hub {
    /// Sockets by person.
    sockets: Vec<RwLock<Vec<Weak<Peer>>>>,
    /// Members by conversation.
    members: RwLock<HashMap<u64, Arc<[usize]>>>,
    made: AtomicU64,
}

#[derive(Deserialize)]
struct Group {
    members: Vec<String>,
}

#[derive(Deserialize)]
struct Direct {
    user: String,
}

impl Hub {
    pub fn new(people: usize) -> Self {
        let sockets = (0..people).map(|_| RwLock::new(Vec::new())).collect();
        Self { sockets, members: RwLock::new(HashMap::new()), made: AtomicU64::new(1) }
    }

    pub fn make_group(&self, who: usize, body: &[u8]) -> Result<String> {
        let group: Group = serde_json::from_slice(body)?;
        let others = group.members.iter().map(|id| Ok(usize::try_from(number(id)?)?));
        self.make([Ok(who)].into_iter().chain(others).collect::<Result<_>>()?)
    }

    pub fn make_direct(&self, who: usize, body: &[u8]) -> Result<String> {
        let direct: Direct = serde_json::from_slice(body)?;
        self.make(vec![who, usize::try_from(number(&direct.user)?)?])
    }

    fn make(&self, members: Vec<usize>) -> Result<String> {
        if members.iter().any(|member| *member >= self.sockets.len()) {
            bail!("unknown person");
        }
        let id = self.made.fetch_add(1, Ordering::Relaxed);
        self.members.write().insert(id, members.into());
        Ok(format!(r#"{{"id":"{}","head":{{"seq":0,"rev":0}}}}"#, user_id(usize::try_from(id)?)))
    }

    /// Answers the callers and hands the frames to everyone, each socket's
    /// share of a batch in one write.
    pub fn deliver(&self, batch: Vec<Posted>) {
        let mut results: HashMap<*const Peer, (Arc<Peer>, Vec<u8>)> = HashMap::new();
        let mut frames: HashMap<u64, Vec<u8>> = HashMap::new();
        for Posted { post, seq, message } in batch {
            let id = user_id(usize::try_from(post.conversation).unwrap_or_default());
            let frame = format!(r#"{{"t":"frame","stream":"conversation:{id}","rev":{seq},"events":[{message}]}}"#);
            wire::frame(frames.entry(post.conversation).or_default(), &frame);
            let Post { call, client_id, .. } = &post;
            let result = format!(
                r#"{{"t":"result","id":{call},"value":{{"seq":{seq},"n":{seq},"rev":{seq},"sent_at":0,"client_id":"{client_id}"}}}}"#
            );
            let entry = results.entry(Arc::as_ptr(&post.peer)).or_insert_with(|| (post.peer.clone(), Vec::new()));
            wire::frame(&mut entry.1, &result);
        }
        for (conversation, bytes) in frames {
            let Some(members) = self.members.read().get(&conversation).cloned() else { continue };
            for member in &*members {
                for peer in self.sockets[*member].read().iter().filter_map(Weak::upgrade) {
                    match results.remove(&Arc::as_ptr(&peer)) {
                        Some((_, mut all)) => {
                            all.extend_from_slice(&bytes);
                            peer.push(&all);
                        }
                        None => peer.push(&bytes),
                    }
                }
            }
        }
        for (peer, bytes) in results.into_values() {
            peer.push(&bytes);
        }
    }
}

#[derive(Deserialize)]
struct Inbound<'a> {
    t: &'a str,
    id: Option<u64>,
    #[serde(borrow)]
    params: Option<Params<'a>>,
}

#[derive(Deserialize)]
struct Params<'a> {
    conversation: &'a str,
    client_id: &'a str,
    #[serde(borrow)]
    body: &'a RawValue,
}

/// Serves one socket until it ends.
pub async fn follow(stream: TcpStream, who: usize, hub: Arc<Hub>, store: Arc<Store>) -> Result<()> {
    let peer = Arc::new(Peer { stream, waiting: Mutex::new(Vec::new()), wake: Notify::new() });
    let sockets = hub.sockets.get(who).context("unknown person")?;
    {
        let mut sockets = sockets.write();
        sockets.retain(|old| old.strong_count() > 0);
        sockets.push(Arc::downgrade(&peer));
    }
    let mut partial = Vec::new();
    loop {
        tokio::select! {
            ready = peer.stream.readable() => {
                ready?;
                if !wire::read(&peer.stream, &mut partial)? {
                    return Ok(());
                }
                take(&peer, who, &mut partial, &store)?;
            }
            () = peer.wake.notified() => peer.flush().await?,
        }
    }
}

/// Takes all whole frames out of what was read.
fn take(peer: &Arc<Peer>, who: usize, partial: &mut Vec<u8>, store: &Store) -> Result<()> {
    let mut used = 0;
    while let Some((opcode, from, to)) = wire::unmask(partial, used)? {
        used = to;
        match opcode {
            1 => {
                let inbound: Inbound = serde_json::from_slice(&partial[from..to])?;
                answer(peer, who, &inbound, store)?;
            }
            8 => bail!("closed"),
            _ => {}
        }
    }
    partial.drain(..used);
    if partial.is_empty() {
        // Nothing is kept for an idle socket.
        *partial = Vec::new();
    }
    Ok(())
}

fn answer(peer: &Arc<Peer>, who: usize, inbound: &Inbound, store: &Store) -> Result<()> {
    match (inbound.t, &inbound.params) {
        ("hello", _) => {
            let mut bytes = Vec::new();
            wire::frame(
                &mut bytes,
                r#"{"t":"welcome","api":1,"epoch":"floor","user":"","session":"","ping_ms":25000}"#,
            );
            wire::frame(&mut bytes, r#"{"t":"resumed","streams":0}"#);
            peer.push(&bytes);
            Ok(())
        }
        ("call", Some(params)) => store.post(Post {
            conversation: number(params.conversation)?,
            sender: who,
            client_id: params.client_id.to_owned(),
            body: params.body.get().to_owned(),
            call: inbound.id.unwrap_or(0),
            peer: peer.clone(),
        }),
        _ => Ok(()),
    }
}
