//! Uploads by tus in pieces, sends what was uploaded, and goes on after
//! whatever breaks, as a client does. What it was told is held against what is
//! there: an offset that was acknowledged stays, and a file that hangs on a
//! message is there with its bytes.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use anyhow::{Context, Result, bail};
use bench::http::{Answer, Http, Trouble};
use bytes::Bytes;
use http::Method;
use rand::{RngExt, rngs::StdRng};
use serde_json::{Value, json};

use crate::{
    record::Outcome,
    sender,
    world::{Sent, World, uuid},
};

const UPLOADS: &str = "/api/v1/files/uploads";
/// People who upload; the first ones.
pub const UPLOADERS: usize = 4;
/// Most attempts of one thing.
const TRIES: u32 = 300;
/// How often it is asked, every 20 ms, whether a file that is whole was looked at.
const LOOKED_AT: u32 = 100;

/// What was begun, and what was acknowledged of it.
#[derive(Clone, Debug)]
pub struct Upload {
    /// Of the file.
    pub id: String,
    person: usize,
    size: usize,
    /// All bytes follow from it.
    seed: u64,
    /// Bytes that the server said to have.
    acknowledged: usize,
    /// Where it was sent: conversation and seq.
    sent: Option<(usize, i64)>,
}

impl Upload {
    fn bytes(&self) -> Vec<u8> {
        let mut state = self.seed;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 56) as u8
        };
        // Text, so that nobody takes it for a picture.
        (0..self.size).map(|_| b'a' + next() % 26).collect()
    }
}

pub async fn run(world: Arc<World>, person: usize) {
    let process = format!("p{person}-files");
    let mut random = world.choices(500 + person as u64);
    let mut uploader = Uploader { http: world.http(person), world: world.clone(), person, turn: 0 };
    let mut count = 0;
    while !world.stopped() {
        world.turn().await;
        count += 1;
        let done = uploader.one(&mut random, &process, count).await;
        if let Err(what) = done {
            world.recorder.odd(&format!("an upload was given up: {what}"));
        }
        tokio::time::sleep(Duration::from_millis(random.random_range(10..80))).await;
    }
}

struct Uploader {
    world: Arc<World>,
    http: Http,
    person: usize,
    turn: usize,
}

/// What tus asks for with every request.
const TUS: (&str, &str) = ("tus-resumable", "1.0.0");

impl Uploader {
    async fn one(&mut self, random: &mut StdRng, process: &str, count: u32) -> Result<()> {
        // Mostly small; now and then more than one part of the server's.
        let size = if random.random_bool(0.03) { 5 << 20 } else { random.random_range(1..60_000) };
        let seed = random.random::<u64>();
        let Some(id) = self.begin(size).await? else { return Ok(()) };
        let upload = Upload { id: id.clone(), person: self.person, size, seed, acknowledged: 0, sent: None };
        let bytes = Bytes::from(upload.bytes());
        let index = {
            let mut all = self.world.uploads.lock();
            all.push(upload);
            all.len() - 1
        };
        let pieces = random.random_range(1..4);
        self.bring(index, &id, &bytes, size.div_ceil(pieces)).await?;
        if !self.ready(&id).await {
            // Looked at later by itself. That its bytes are there is seen in the end.
            return Ok(());
        }
        let sent = Sent {
            conversation: self.world.somewhere(random),
            seq: 0,
            sender: self.person,
            process: process.to_owned(),
            client_id: uuid(random),
            text: format!("{process} {count}"),
        };
        if let Some(seq) = self.send(&sent, &id).await {
            self.world.uploads.lock()[index].sent = Some((sent.conversation, seq));
        }
        Ok(())
    }

    async fn rest(&mut self) {
        self.turn += 1;
        self.http.turn_to(self.world.address(self.person, self.turn));
        tokio::time::sleep(Duration::from_millis(20 + 10 * (self.turn as u64 % 8))).await;
    }

    /// Begins one; `None` if the load ended before it could.
    async fn begin(&mut self, size: usize) -> Result<Option<String>> {
        let length = size.to_string();
        // `a.txt`, in base64.
        let headers = [TUS, ("upload-length", length.as_str()), ("upload-metadata", "filename YS50eHQ=")];
        for _ in 0..TRIES {
            if self.world.stopped() {
                return Ok(None);
            }
            // One whose answer was lost is nobody's, and expires.
            match self.http.send(Method::POST, UPLOADS, &headers, Bytes::new()).await {
                Ok(answer) if answer.is_ok() => {
                    let id = answer.headers.get("magpie-file").and_then(|id| id.to_str().ok());
                    return Ok(Some(id.context("an upload without id")?.to_owned()));
                }
                Ok(answer) if is_final(&answer) => bail!("begun, {}", answer.code()),
                _ => self.rest().await,
            }
        }
        bail!("it could not be begun")
    }

    /// Brings all bytes there, piece by piece.
    async fn bring(&mut self, index: usize, id: &str, bytes: &Bytes, piece: usize) -> Result<()> {
        let path = format!("{UPLOADS}/{id}");
        let (mut at, mut known) = (0, true);
        for _ in 0..TRIES {
            if !known {
                match ask(&mut self.http, &path).await {
                    Ok(offset) => {
                        self.world.held(index, offset);
                        (at, known) = (offset, true);
                    }
                    Err(None) => {
                        self.rest().await;
                        continue;
                    }
                    Err(Some(status)) => {
                        self.world.broken(format!("an upload that was begun is answered by {status}"));
                        bail!("it is gone");
                    }
                }
            }
            if at == bytes.len() {
                return Ok(());
            }
            let part = bytes.slice(at..bytes.len().min(at + piece));
            match append(&mut self.http, &path, at, part).await {
                Ok(answer) if answer.is_ok() => {
                    at = usize::try_from(answer.number("upload-offset").context("no offset")?)?;
                    self.world.acknowledge(index, at);
                }
                Ok(answer) if is_final(&answer) && answer.code() != "upload_offset" => {
                    bail!("a piece, {}", answer.code());
                }
                _ => {
                    known = false;
                    self.rest().await;
                }
            }
        }
        bail!("it did not come to its end")
    }

    /// Whether it was looked at within seconds. One whose node dies in that is
    /// left for later, and gone on with in the end.
    async fn ready(&mut self, id: &str) -> bool {
        for _ in 0..LOOKED_AT {
            match self.http.call(Method::GET, &format!("/api/v1/files/{id}"), None).await {
                Ok(answer) if answer.is_ok() && answer.json()["state"] == "ready" => return true,
                Ok(answer) if answer.is_ok() && !self.world.stopped() => {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                _ => {
                    self.rest().await;
                    return false;
                }
            }
        }
        false
    }

    async fn send(&mut self, sent: &Sent, id: &str) -> Option<i64> {
        let body = json!({"kind": "blocks", "blocks": [
            {"type": "text", "text": sent.text}, {"type": "file", "file": id}]});
        for _ in 0..TRIES {
            let invoked = self.world.recorder.now();
            let conversation = self.world.conversations[sent.conversation].clone();
            let (outcome, result) = sender::with_body(&mut self.http, &conversation, sent, body.clone()).await;
            sender::record(&self.world, sent, invoked, outcome, result.as_ref().ok().copied());
            match result {
                Ok(seq) => return Some(seq),
                Err(code) if outcome == Outcome::Fail && !matches!(code.as_str(), "unsent" | "rate_limited") => {
                    // It was ready before.
                    self.world.broken(format!("a message with a file was refused: {code}"));
                    return None;
                }
                Err(_) => self.rest().await,
            }
        }
        None
    }
}

impl World {
    fn acknowledge(&self, index: usize, offset: usize) {
        self.uploads.lock()[index].acknowledged = offset;
    }

    /// What the server says to have is not less than it said before.
    fn held(&self, index: usize, offset: usize) {
        let before = self.uploads.lock()[index].acknowledged;
        if offset < before {
            self.broken(format!("an upload went back from {before} bytes to {offset}"));
        }
        self.acknowledge(index, offset.max(before));
    }

    fn broken(&self, what: String) {
        self.broken.lock().push(what);
    }
}

/// Whether trying again is in vain. Not so where a node or its disk is away.
fn is_final(answer: &Answer) -> bool {
    answer.status < 500 && answer.code() != "rate_limited" && answer.code() != "overloaded"
}

/// How far an upload is; else the status that says there is none, or nothing.
async fn ask(http: &mut Http, path: &str) -> Result<usize, Option<u16>> {
    match http.send(Method::HEAD, path, &[TUS], Bytes::new()).await {
        Ok(answer) if answer.is_ok() => answer.number("upload-offset").map(|at| at as usize).ok_or(None),
        Ok(answer) if answer.status == 404 || answer.status == 410 => Err(Some(answer.status)),
        _ => Err(None),
    }
}

async fn append(http: &mut Http, path: &str, at: usize, part: Bytes) -> Result<Answer, Trouble> {
    let offset = at.to_string();
    let headers = [TUS, ("upload-offset", offset.as_str()), ("content-type", "application/offset+octet-stream")];
    http.send(Method::PATCH, path, &headers, part).await
}

/// Reads every message and every upload, and holds them against what was
/// acknowledged. Nobody else writes meanwhile. What is wrong is `broken`.
pub async fn verify(world: &World, when: &str) -> Result<()> {
    let uploads = world.uploads.lock().clone();
    let known: BTreeMap<&str, &Upload> = uploads.iter().map(|upload| (upload.id.as_str(), upload)).collect();
    let mut http = world.http(0).patience(Duration::from_secs(20));
    let mut found = BTreeMap::new();
    for (index, conversation) in world.conversations.iter().enumerate() {
        let mut after = 0;
        loop {
            let path = format!("/api/v1/conversations/{conversation}/messages?after={after}&limit=200");
            let page = http.get(&path).await?;
            let items = page["items"].as_array().context("no items")?;
            for item in items {
                after = item["seq"].as_i64().context("no seq")?;
                let blocks = item["body"]["blocks"].as_array().into_iter().flatten();
                for file in blocks.filter_map(|block| block["file"].as_str()) {
                    found.insert((index, after), file.to_owned());
                    match known.get(file) {
                        Some(upload) => downloaded(world, &mut http, upload, when).await,
                        None => world.broken(format!("{when}: a message has a file nobody uploaded")),
                    }
                }
            }
            if items.len() < 200 {
                break;
            }
        }
    }
    if found.is_empty() {
        world.broken(format!("{when}: no message has a file: nothing was shown"));
    }
    let mut unsent = 0;
    for upload in &uploads {
        match upload.sent {
            Some(place) if found.get(&place) == Some(&upload.id) => {}
            Some((_, seq)) => world.broken(format!("{when}: message {seq} was acknowledged with a file and has none")),
            None => {
                unsent += 1;
                unfinished(world, upload, when).await?;
            }
        }
    }
    println!("{when}: {} files on messages read, {unsent} unsent uploads gone on with", found.len());
    Ok(())
}

/// Whoever reads the message reads the file.
async fn downloaded(world: &World, http: &mut Http, upload: &Upload, when: &str) {
    let wrong = match download(http, &upload.id).await {
        Ok(bytes) if bytes == upload.bytes() => return,
        Ok(bytes) => format!("{} other bytes than the {} that were sent", bytes.len(), upload.size),
        Err(error) => format!("{error:#}"),
    };
    world.broken(format!("{when}: the file of a message cannot be read: {wrong}"));
}

async fn download(http: &mut Http, id: &str) -> Result<Bytes> {
    let link: Value = http.expect(Method::POST, &format!("/api/v1/files/{id}/link"), Some(&json!({}))).await?;
    let url = link["url"].as_str().context("no address")?;
    match http.send(Method::GET, url, &[], Bytes::new()).await {
        Ok(answer) if answer.is_ok() => Ok(answer.body),
        Ok(answer) => bail!("{} {}", answer.status, answer.code()),
        Err(trouble) => bail!("{trouble:?}"),
    }
}

/// What was acknowledged of an upload is there: the rest is brought to it, and
/// the whole is read.
async fn unfinished(world: &World, upload: &Upload, when: &str) -> Result<()> {
    let mut http = world.http(upload.person).patience(Duration::from_secs(20));
    let path = format!("{UPLOADS}/{}", upload.id);
    let at = match ask(&mut http, &path).await {
        Ok(at) if at >= upload.acknowledged => at,
        Ok(at) => {
            world.broken(format!("{when}: of {} bytes that were acknowledged {at} are there", upload.acknowledged));
            return Ok(());
        }
        Err(status) => {
            world.broken(format!("{when}: an upload cannot be asked for: {status:?}"));
            return Ok(());
        }
    };
    if at < upload.size {
        let rest = Bytes::from(upload.bytes()).slice(at..);
        let answer = append(&mut http, &path, at, rest).await.ok().filter(Answer::is_ok);
        if answer.and_then(|answer| answer.number("upload-offset")) != Some(upload.size as u64) {
            world.broken(format!("{when}: an upload cannot be gone on with"));
            return Ok(());
        }
    }
    // One whose node died is set going again by asking, after 15 s.
    for _ in 0..500 {
        let file = http.get(&format!("/api/v1/files/{}", upload.id)).await?;
        match file["state"].as_str() {
            Some("ready") => {
                downloaded(world, &mut http, upload, when).await;
                return Ok(());
            }
            Some("checking") => tokio::time::sleep(Duration::from_millis(50)).await,
            other => {
                world.broken(format!("{when}: an upload that is whole is {other:?}"));
                return Ok(());
            }
        }
    }
    world.broken(format!("{when}: a file that is whole is not finished"));
    Ok(())
}
