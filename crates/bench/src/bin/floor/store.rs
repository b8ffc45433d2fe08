//! One writer that commits whatever queued while the last commit ran, and
//! readers that hand out ready text.

use std::{
    cell::RefCell,
    collections::HashMap,
    path::{Path, PathBuf},
    sync::{Arc, mpsc},
    time::Instant,
};

use anyhow::{Context, Result};
use rusqlite::Connection;

use crate::hub::{Hub, Peer};

/// A message to be written.
pub struct Post {
    pub conversation: u64,
    pub sender: usize,
    pub client_id: String,
    /// As it came.
    pub body: String,
    pub call: u64,
    pub peer: Arc<Peer>,
}

/// A message that is on disk.
pub struct Posted {
    pub post: Post,
    pub seq: i64,
    /// As JSON.
    pub message: String,
}

pub struct Store {
    path: PathBuf,
    queue: mpsc::SyncSender<Post>,
}

/// Most messages of one commit.
const BATCH: usize = 512;

pub fn start(path: &Path, hub: Arc<Hub>) -> Result<Store> {
    let connection = open(path)?;
    connection.execute_batch(
        "CREATE TABLE IF NOT EXISTS messages (conversation INTEGER, seq INTEGER, message TEXT NOT NULL,
         PRIMARY KEY (conversation, seq)) STRICT, WITHOUT ROWID",
    )?;
    let (queue, waiting) = mpsc::sync_channel(1 << 16);
    let (done, finished) = mpsc::channel();
    std::thread::spawn(move || write(&connection, &waiting, &done));
    // Fan-out overlaps with the next commit.
    std::thread::spawn(move || {
        while let Ok(mut batch) = finished.recv() {
            // What was committed during the last fan-out leaves in one write too.
            batch.extend(finished.try_iter().flatten());
            hub.deliver(batch);
        }
    });
    Ok(Store { path: path.to_owned(), queue })
}

fn open(path: &Path) -> Result<Connection> {
    let connection = Connection::open(path)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    Ok(connection)
}

fn write(connection: &Connection, waiting: &mpsc::Receiver<Post>, done: &mpsc::Sender<Vec<Posted>>) -> Result<()> {
    let began = Instant::now();
    let mut heads: HashMap<u64, i64> = HashMap::new();
    while let Ok(first) = waiting.recv() {
        let mut batch = Vec::with_capacity(64);
        connection.execute_batch("BEGIN IMMEDIATE")?;
        let mut next = Some(first);
        while let Some(post) = next {
            let seq = heads.entry(post.conversation).or_default();
            *seq += 1;
            let sent_at = 1_795_000_000_000 + began.elapsed().as_millis();
            let message = message(&post, *seq, sent_at);
            let mut insert = connection.prepare_cached("INSERT INTO messages VALUES (?1, ?2, ?3)")?;
            insert.execute((i64::try_from(post.conversation)?, *seq, &message))?;
            batch.push(Posted { seq: *seq, message, post });
            next = if batch.len() < BATCH { waiting.try_recv().ok() } else { None };
        }
        connection.execute_batch("COMMIT")?;
        if done.send(batch).is_err() {
            break;
        }
    }
    Ok(())
}

fn message(post: &Post, seq: i64, sent_at: u128) -> String {
    let Post { sender, client_id, body, .. } = post;
    let sender = crate::hub::user_id(*sender);
    format!(
        r#"{{"kind":"message","seq":{seq},"n":{seq},"rev":{seq},"client_id":"{client_id}","sender":{{"kind":"person","id":"{sender}"}},"sent_at":{sent_at},"body":{body},"mentions":[],"mention_all":false,"reply_to":null,"edited_at":null,"recalled_at":null,"countable":true}}"#
    )
}

thread_local! {
    static READER: RefCell<Option<Connection>> = const { RefCell::new(None) };
}

impl Store {
    pub fn post(&self, post: Post) -> Result<()> {
        self.queue.send(post).ok().context("the writer has ended")
    }

    /// Messages before a seq, ascending.
    pub fn page(&self, conversation: u64, query: &str) -> Result<String> {
        let wanted = |name: &str| {
            let pair = query.split('&').find_map(|pair| pair.split_once('=').filter(|(key, _)| *key == name));
            pair.and_then(|(_, value)| value.parse::<i64>().ok())
        };
        let (before, limit) = (wanted("before").unwrap_or(i64::MAX), wanted("limit").unwrap_or(50));
        READER.with_borrow_mut(|reader| {
            if reader.is_none() {
                *reader = Some(open(&self.path)?);
            }
            let connection = reader.as_ref().context("no reader")?;
            let mut statement = connection.prepare_cached(
                "SELECT message FROM messages WHERE conversation = ?1 AND seq < ?2 ORDER BY seq DESC LIMIT ?3",
            )?;
            let rows =
                statement.query_map((i64::try_from(conversation)?, before, limit), |row| row.get::<_, String>(0))?;
            let mut items: Vec<String> = rows.collect::<Result<_, _>>()?;
            items.reverse();
            Ok(format!(r#"{{"items":[{}],"rev":0}}"#, items.join(",")))
        })
    }
}
