//! Something between a client and a server that carries bytes, and does to
//! them what networks and tired servers do.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use parking_lot::Mutex;
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::AbortHandle,
};

/// What happens to the bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mood {
    Carries,
    /// Each connection is closed at once.
    Away,
    /// A connection is taken, and nothing more.
    Silent,
    /// After so many bytes of answers the connection is reset.
    Resets(usize),
    /// After so many bytes of answers none come any more.
    Stalls(usize),
    /// A byte at a time, with so long between two.
    Drips(Duration),
    /// Every request has this answer: a head with its status line, and a body.
    Answers(String),
}

pub struct Between {
    pub at: SocketAddr,
    mood: watch::Sender<Mood>,
    open: Arc<Mutex<usize>>,
    most: Arc<Mutex<usize>>,
    task: AbortHandle,
}

impl Between {
    /// In front of what listens at a port of this machine.
    pub async fn start(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        let (mood, moods) = watch::channel(Mood::Carries);
        let (open, most) = (Arc::new(Mutex::new(0)), Arc::new(Mutex::new(0)));
        let counts = (open.clone(), most.clone());
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (mut moods, counts) = (moods.clone(), counts.clone());
                tokio::spawn(async move {
                    let _counted = Counted::new(&counts);
                    let mood = moods.borrow_and_update().clone();
                    // A change of mood ends what was begun in the one before.
                    tokio::select! {
                        biased;
                        _ = moods.changed() => {}
                        () = carry(stream, port, mood) => {}
                    }
                });
            }
        });
        Self { at, mood, open, most, task: task.abort_handle() }
    }

    /// From now on; what is under way breaks off.
    pub fn set(&self, mood: Mood) {
        self.mood.send_replace(mood);
    }

    /// Connections that are open now, and the most there were since asked last.
    pub fn connections(&self) -> (usize, usize) {
        let open = *self.open.lock();
        (open, std::mem::replace(&mut *self.most.lock(), open))
    }

    /// An answer of S3's kind that is no.
    pub fn refusal(status: &str, code: &str) -> Mood {
        let body = format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>no</Message></Error>");
        Mood::Answers(format!(
            "HTTP/1.1 {status}\r\ncontent-type: application/xml\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        ))
    }
}

impl Drop for Between {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Counted(Arc<Mutex<usize>>);

impl Counted {
    fn new((open, most): &(Arc<Mutex<usize>>, Arc<Mutex<usize>>)) -> Self {
        let now = {
            let mut open = open.lock();
            *open += 1;
            *open
        };
        let mut most = most.lock();
        *most = now.max(*most);
        Self(open.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        *self.0.lock() -= 1;
    }
}

async fn carry(mut client: TcpStream, port: u16, mood: Mood) {
    match mood {
        Mood::Away => return,
        Mood::Silent => return std::future::pending().await,
        Mood::Answers(answer) => return answer_all(&mut client, &answer).await,
        _ => {}
    }
    let Ok(mut server) = TcpStream::connect(("127.0.0.1", port)).await else { return };
    let (mut from_server, to_server) = server.split();
    let (from_client, mut to_client) = client.split();
    let drip = if let Mood::Drips(pause) = mood { Some(pause) } else { None };
    let answers = async {
        match mood {
            Mood::Resets(most) | Mood::Stalls(most) => {
                let mut first = (&mut from_server).take(most as u64);
                let _ = tokio::io::copy(&mut first, &mut to_client).await;
                if first.limit() == 0 && matches!(mood, Mood::Stalls(_)) {
                    std::future::pending::<()>().await;
                }
            }
            _ => pump(from_server, to_client, drip).await,
        }
    };
    let asked = async {
        pump(from_client, to_server, drip).await;
        std::future::pending::<()>().await;
    };
    tokio::select! {
        () = answers => {}
        () = asked => {}
    }
    if matches!(mood, Mood::Resets(_)) {
        let _ = client.set_zero_linger();
    }
}

async fn pump(mut from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin, drip: Option<Duration>) {
    let mut held = vec![0; if drip.is_some() { 1 } else { 65_536 }];
    while let Ok(count @ 1..) = from.read(&mut held).await {
        if to.write_all(&held[..count]).await.is_err() {
            return;
        }
        if let Some(pause) = drip {
            tokio::time::sleep(pause).await;
        }
    }
}

/// Reads requests and gives each the same answer.
async fn answer_all(client: &mut TcpStream, answer: &str) {
    let mut held = Vec::new();
    loop {
        let Some(end) = held.windows(4).position(|at| at == b"\r\n\r\n") else {
            if client.read_buf(&mut held).await.unwrap_or(0) == 0 {
                return;
            }
            continue;
        };
        let head = String::from_utf8_lossy(&held[..end]).to_ascii_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
        let whole = end + 4 + length.unwrap_or(0);
        while held.len() < whole {
            if client.read_buf(&mut held).await.unwrap_or(0) == 0 {
                return;
            }
        }
        held.drain(..whole);
        if client.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}
