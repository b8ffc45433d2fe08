//! A TCP link that can be broken: a proxy on the loopback interface.
//!
//! What a broken network does that a killed process does not: nobody is told.
//! Bytes wait for ever, pass one way only, or were taken and the answer is lost.

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::SeqCst},
    },
};

use anyhow::{Context, Result};
use futures_util::future::try_join;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{ReadHalf, WriteHalf},
    },
    sync::watch,
    task::AbortHandle,
};

/// How a link is broken. A client is who connects, a server who is connected to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Connections and bytes are taken, nothing is passed on, either way.
    Blackhole,
    /// Every connection is ended by RST, new ones at once.
    Reset,
    /// What clients say does not arrive; what the server says does.
    StallUp,
    /// What the server says does not arrive; what clients say does.
    StallDown,
    /// A request arrives and is served; instead of the answer comes RST.
    DropAnswer,
}

/// What becomes of bytes and connections that a fault held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Healing {
    /// They go on, late: a short break, and TCP tries again.
    Late,
    /// They are gone: a longer break, and one side gave up.
    Cut,
}

#[derive(Clone, Copy, Default)]
struct Rule {
    fault: Option<Fault>,
    /// Connections made before the last one do not live on.
    cuts: u64,
}

impl Rule {
    fn passes(self, way: Way) -> bool {
        match self.fault {
            Some(Fault::Blackhole) => false,
            Some(Fault::StallUp) => way == Way::Down,
            Some(Fault::StallDown) => way == Way::Up,
            _ => true,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Up,
    Down,
}

struct Shared {
    to: SocketAddr,
    /// Bytes of a request whose answer is worth losing; any if empty.
    worth: &'static [u8],
    rule: watch::Sender<Rule>,
    struck: AtomicU64,
}

/// A link to one server. Ends when dropped, with its connections.
pub struct Link {
    /// Where to connect instead of the server.
    pub address: String,
    shared: Arc<Shared>,
    accepting: AbortHandle,
}

impl Link {
    /// Opens a link to the server at `to`. Under [`Fault::DropAnswer`] answers
    /// to requests that contain `worth` are lost.
    pub async fn open(to: &str, worth: &'static [u8]) -> Result<Self> {
        let to = to.parse().with_context(|| format!("{to} is no address"))?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?.to_string();
        let rule = watch::Sender::new(Rule::default());
        let shared = Arc::new(Shared { to, worth, rule, struck: AtomicU64::new(0) });
        let accepting = tokio::spawn(accept(listener, Arc::clone(&shared))).abort_handle();
        Ok(Self { address, shared, accepting })
    }

    /// Breaks the link, in place of how it was broken before.
    pub fn strike(&self, fault: Fault) {
        self.shared.rule.send_modify(|rule| rule.fault = Some(fault));
    }

    pub fn heal(&self, healing: Healing) {
        self.shared.rule.send_modify(|rule| {
            rule.fault = None;
            rule.cuts += u64::from(healing == Healing::Cut);
        });
    }

    /// How often a fault met something: bytes that were held, a connection
    /// that was ended, an answer that was lost.
    pub fn struck(&self) -> u64 {
        self.shared.struck.load(SeqCst)
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.accepting.abort();
        self.heal(Healing::Cut);
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    loop {
        match listener.accept().await {
            Ok((client, _)) => drop(tokio::spawn(carry(client, Arc::clone(&shared)))),
            // Too many open files: those that are open go on.
            Err(_) => tokio::time::sleep(std::time::Duration::from_millis(10)).await,
        }
    }
}

/// One connection, until it ends.
async fn carry(mut client: TcpStream, shared: Arc<Shared>) {
    let mut torn = shared.rule.subscribe();
    let cuts = torn.borrow().cuts;
    let torn = async {
        let _ = torn.wait_for(|rule| rule.cuts != cuts || rule.fault == Some(Fault::Reset)).await;
    };
    tokio::pin!(torn);
    let server = tokio::select! {
        biased;
        () = &mut torn => None,
        server = shared.reach() => server.ok(),
    };
    let Some(mut server) = server else {
        shared.struck.fetch_add(1, SeqCst);
        let _ = client.set_zero_linger();
        return;
    };
    let _ = client.set_nodelay(true);
    let whole = {
        let ((mut asks, mut told), (mut answers, mut asked)) = (client.split(), server.split());
        let awaited = AtomicBool::new(false);
        let both = try_join(
            shared.pump(Way::Up, &mut asks, &mut asked, &awaited),
            shared.pump(Way::Down, &mut answers, &mut told, &awaited),
        );
        tokio::select! {
            biased;
            () = &mut torn => false,
            ended = both => ended.is_ok(),
        }
    };
    if !whole {
        shared.struck.fetch_add(1, SeqCst);
        let _ = client.set_zero_linger();
        let _ = server.set_zero_linger();
    }
}

impl Shared {
    async fn reach(&self) -> io::Result<TcpStream> {
        self.gate(Way::Up).await;
        let server = TcpStream::connect(self.to).await?;
        server.set_nodelay(true)?;
        Ok(server)
    }

    /// Waits until bytes pass that way.
    async fn gate(&self, way: Way) {
        let mut rule = self.rule.subscribe();
        if !rule.borrow().passes(way) {
            self.struck.fetch_add(1, SeqCst);
            // The sender lives as long as this.
            let _ = rule.wait_for(|rule| rule.passes(way)).await;
        }
    }

    async fn pump(
        &self,
        way: Way,
        from: &mut ReadHalf<'_>,
        to: &mut WriteHalf<'_>,
        awaited: &AtomicBool,
    ) -> io::Result<()> {
        let mut bytes = vec![0; 32 << 10];
        loop {
            // An end is held like bytes: the other side must not learn of it.
            let read = from.read(&mut bytes).await;
            self.gate(way).await;
            let chunk = &bytes[..read?];
            if chunk.is_empty() {
                return to.shutdown().await;
            }
            if self.rule.borrow().fault == Some(Fault::DropAnswer) {
                match way {
                    Way::Up if contains(chunk, self.worth) => awaited.store(true, SeqCst),
                    Way::Down if awaited.load(SeqCst) => return Err(io::ErrorKind::ConnectionReset.into()),
                    _ => {}
                }
            }
            to.write_all(chunk).await?;
        }
    }
}

fn contains(chunk: &[u8], part: &[u8]) -> bool {
    part.is_empty() || chunk.windows(part.len()).any(|window| window == part)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// A server that answers each line with itself and counts them.
    async fn echo() -> (String, Arc<AtomicU64>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, served) = (listener.local_addr().unwrap().to_string(), Arc::new(AtomicU64::new(0)));
        let count = Arc::clone(&served);
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let count = Arc::clone(&count);
                tokio::spawn(async move {
                    let mut bytes = [0; 64];
                    while let Ok(read @ 1..) = stream.read(&mut bytes).await {
                        count.fetch_add(1, SeqCst);
                        let _ = stream.write_all(&bytes[..read]).await;
                    }
                });
            }
        });
        (address, served)
    }

    async fn say(stream: &mut TcpStream, what: &str) {
        stream.write_all(what.as_bytes()).await.unwrap();
    }

    async fn hear(stream: &mut TcpStream) -> io::Result<String> {
        let mut bytes = [0; 64];
        let read = tokio::time::timeout(Duration::from_secs(10), stream.read(&mut bytes)).await.expect("in time")?;
        Ok(String::from_utf8_lossy(&bytes[..read]).into_owned())
    }

    async fn struck(link: &Link, times: u64) {
        while link.struck() < times {
            tokio::task::yield_now().await;
        }
    }

    async fn opened(worth: &'static [u8]) -> (Link, TcpStream, Arc<AtomicU64>) {
        let (address, served) = echo().await;
        let link = Link::open(&address, worth).await.unwrap();
        let mut stream = TcpStream::connect(&link.address).await.unwrap();
        say(&mut stream, "a").await;
        assert_eq!(hear(&mut stream).await.unwrap(), "a");
        (link, stream, served)
    }

    #[tokio::test]
    async fn what_a_blackhole_holds_arrives_late_or_never() {
        for healing in [Healing::Late, Healing::Cut] {
            let (link, mut stream, served) = opened(b"").await;
            link.strike(Fault::Blackhole);
            say(&mut stream, "b").await;
            struck(&link, 1).await;
            assert_eq!(served.load(SeqCst), 1);
            link.heal(healing);
            assert_eq!(hear(&mut stream).await.is_ok(), healing == Healing::Late);
            assert_eq!(served.load(SeqCst) == 2, healing == Healing::Late);
        }
    }

    #[tokio::test]
    async fn a_stall_is_one_way() {
        let (link, mut stream, served) = opened(b"").await;
        link.strike(Fault::StallUp);
        say(&mut stream, "b").await;
        struck(&link, 1).await;
        assert_eq!(served.load(SeqCst), 1);
        link.strike(Fault::StallDown);
        struck(&link, 2).await;
        assert_eq!(served.load(SeqCst), 2);
        link.heal(Healing::Late);
        assert_eq!(hear(&mut stream).await.unwrap(), "b");
    }

    #[tokio::test]
    async fn a_reset_ends_old_and_new_connections() {
        let (link, mut old, served) = opened(b"").await;
        link.strike(Fault::Reset);
        assert!(hear(&mut old).await.is_err());
        let mut new = TcpStream::connect(&link.address).await.unwrap();
        assert!(hear(&mut new).await.is_err());
        assert_eq!(served.load(SeqCst), 1);
    }

    #[tokio::test]
    async fn an_answer_is_lost_after_the_request_was_served() {
        let (link, mut stream, served) = opened(b"COMMIT").await;
        link.strike(Fault::DropAnswer);
        say(&mut stream, "b").await;
        assert_eq!(hear(&mut stream).await.unwrap(), "b");
        say(&mut stream, "COMMIT").await;
        assert!(hear(&mut stream).await.is_err());
        assert_eq!(served.load(SeqCst), 3);
    }
}
