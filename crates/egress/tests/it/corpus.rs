//! Addresses and answers of whoever would look into the server's network.
//!
//! Seen to fail: with the literal host not judged before it is connected to, with the answers of names let through as
//! they are, with redirects followed by the library, with credentials or any scheme let through, with shared addresses of
//! providers (100.64.0.0/10) reachable, without the time limit.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use egress::{Client, Config, Error, Lookup, Request};
use http::{HeaderValue, header};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::listener::{Listener, moved, ok};

/// Spellings of an address of this machine or its network, by the scheme and host alone.
const INSIDE: &[&str] = &[
    "127.0.0.1",
    "127.1",
    "127.0.1",
    "2130706433",
    "017700000001",
    "0x7f000001",
    "0x7f.0x0.0x0.0x1",
    "0177.0.0.1",
    "0177.0.0x0.1",
    "0x7F.1",
    "127.0.0.1.",
    "127.255.255.254",
    "0",
    "0.0.0.0",
    "0x0",
    "00000000000000",
    "[::]",
    "[::1]",
    "[0:0:0:0:0:0:0:1]",
    "[::127.0.0.1]",
    "[::7f00:1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::FFFF:0:127.0.0.1]",
    "[64:ff9b::127.0.0.1]",
    "[64:ff9b::7f00:1]",
    "[64:ff9b:1::a00:1]",
    "[2002:7f00:1::]",
    "[2002:a9fe:a9fe::1]",
    "[2001:0:7f00:1::80ff:fffe]",
    "[fe80::1]",
    "[fec0::1]",
    "[fc00::1]",
    "[fd00:ec2::254]",
    "[ff02::1]",
    "[100::1]",
    "[2a00:1450::5efe:7f00:1]",
    "169.254.169.254",
    "169.254.170.2",
    "2852039166",
    "0xA9FEA9FE",
    "0251.0376.0251.0376",
    "[::ffff:169.254.169.254]",
    "100.64.0.1",
    "100.100.100.200",
    "100.127.255.255",
    "168.63.129.16",
    "10.0.0.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "192.0.0.192",
    "192.88.99.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    // Digits and dots of other scripts, which names are folded by (UTS 46).
    "\u{ff11}\u{ff12}\u{ff17}.0.0.1",
    "127\u{3002}0\u{3002}0\u{3002}1",
    "127\u{ff0e}0\u{ff0e}0\u{ff61}1",
    "\u{2460}\u{2461}\u{2466}.\u{2070}.0.1",
    "%31%32%37.0.0.1",
    "127.0.0.1%2e",
];

/// What is no address to be asked.
const NONE: &[&str] = &[
    "",
    "http://",
    "//127.0.0.1/",
    "127.0.0.1",
    "file:///etc/passwd",
    "ftp://8.8.8.8/",
    "gopher://8.8.8.8/",
    "ldap://8.8.8.8/",
    "dict://8.8.8.8:11211/",
    "unix:/run/docker.sock",
    "data:text/plain,x",
    "javascript:alert(1)",
    "http://user@8.8.8.8/",
    "http://user:word@8.8.8.8/",
    "http://8.8.8.8@127.0.0.1/",
    "http://[fe80::1%25eth0]/",
    "http://[::1",
    "http://256.256.256.256/",
    "http://1.2.3.4.5/",
    "http://0x100000000/",
    "http://a b/",
];

fn config(networks: &[&str]) -> Config {
    Config {
        allow_networks: networks.iter().map(|n| n.parse().unwrap()).collect(),
        max_body_bytes: 1_000,
        ..Config::default()
    }
}

/// Each look at a name gets the next answer, the last one again and again.
fn answering(answers: &'static [&'static [&'static str]]) -> (Lookup, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    let lookup: Lookup = Arc::new(move |_| {
        let n = count.fetch_add(1, Ordering::SeqCst).min(answers.len() - 1);
        let found = answers[n].iter().map(|ip| SocketAddr::new(ip.parse().unwrap(), 0)).collect();
        Box::pin(std::future::ready(Ok(found)))
    });
    (lookup, asked)
}

#[tokio::test]
async fn no_spelling_of_an_inner_address_is_connected_to() {
    let target = Listener::answering(ok("secret")).await;
    // No name leads anywhere: what is refused is refused by what it spells.
    let (lookup, asked) = answering(&[&["8.8.8.8"]]);
    let client = Client::asking(config(&[]), &lookup).unwrap();
    for host in INSIDE {
        for scheme in ["http", "https"] {
            let url = format!("{scheme}://{host}:{}/x", target.address.port());
            let answer = client.send(Request::get(&url)).await;
            assert!(matches!(answer, Err(Error::Refused(_))), "{url}: {answer:?}");
        }
    }
    assert_eq!((target.taken.load(Ordering::SeqCst), asked.load(Ordering::SeqCst)), (0, 0));
}

#[tokio::test]
async fn what_is_no_address_is_refused_without_a_connection() {
    let client = Client::new(config(&["0.0.0.0/0", "::/0"])).unwrap();
    for url in NONE {
        let answer = client.send(Request::get(*url)).await;
        assert!(matches!(answer, Err(Error::BadUrl(_))), "{url}: {answer:?}");
    }
}

#[tokio::test]
async fn names_are_as_good_as_what_they_lead_to_at_that_moment() {
    let target = Listener::answering(ok("secret")).await;
    let inner: [&'static [&'static [&'static str]]; 8] = [
        &[&["127.0.0.1"]],
        &[&["::1"]],
        &[&["::ffff:127.0.0.1"]],
        &[&["10.0.0.1", "fd00::1", "169.254.169.254"]],
        &[&["64:ff9b::7f00:1"]],
        &[&["2002:7f00:1::"]],
        &[&["100.64.0.1"]],
        &[&["0.0.0.0"]],
    ];
    for answers in inner {
        for host in
            ["inner.test", "localhost", "localhost.", "LOCALHOST", "127.0.0.1.nip.io", "metadata.google.internal"]
        {
            let client = Client::asking(config(&[]), &answering(answers).0).unwrap();
            let answer = client.send(Request::get(target.url(host))).await;
            assert!(matches!(answer, Err(Error::Refused(_))), "{host} {answers:?}: {answer:?}");
        }
    }
    assert_eq!(target.taken.load(Ordering::SeqCst), 0);
    // A name that leads outside once, and inside when it is asked again (here 127.0.0.1 is outside).
    let (lookup, asked) = answering(&[&["127.0.0.1"], &["127.0.0.2"]]);
    let client = Client::asking(config(&["127.0.0.1/32"]), &lookup).unwrap();
    assert_eq!(&client.send(Request::get(target.url("turns.test"))).await.unwrap().body[..], b"secret");
    let answer = client.send(Request::get(target.url("turns.test"))).await;
    assert!(matches!(answer, Err(Error::Refused(_))), "{answer:?}");
    // One look for each connection: nothing is looked up, judged, and looked up again.
    assert_eq!((asked.load(Ordering::SeqCst), target.taken.load(Ordering::SeqCst)), (2, 1));
    // Of both at once only the one outside is tried.
    let (lookup, _) = answering(&[&["127.0.0.2", "127.0.0.1"]]);
    let client = Client::asking(config(&["127.0.0.1/32"]), &lookup).unwrap();
    assert_eq!(&client.send(Request::get(target.url("both.test"))).await.unwrap().body[..], b"secret");
}

#[tokio::test]
async fn redirects_lead_to_no_inner_address_and_to_no_other_scheme() {
    let client = Client::new(config(&["127.0.0.1/32"])).unwrap();
    let inner = Listener::answering(ok("secret")).await;
    let port = inner.address.port();
    for host in ["127.0.0.2", "[::ffff:127.0.0.2]", "2130706434", "169.254.169.254", "[::1]", "0x7f.2", "10.0.0.1"] {
        for to in [format!("http://{host}:{port}/"), format!("//{host}:{port}/"), format!("https://{host}:{port}/")] {
            let outer = Listener::answering(moved(&to)).await;
            let answer = client.send(Request::get(outer.url("127.0.0.1"))).await;
            assert!(matches!(answer, Err(Error::Refused(_))), "{to}: {answer:?}");
        }
    }
    for to in
        ["file:///etc/passwd", "gopher://127.0.0.1/", "http://a:b@127.0.0.1/", "data:,x", "http://", "http://[::1"]
    {
        let outer = Listener::answering(moved(to)).await;
        let answer = client.send(Request::get(outer.url("127.0.0.1"))).await;
        assert!(matches!(answer, Err(Error::BadUrl(_))), "{to}: {answer:?}");
    }
    assert_eq!(inner.taken.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn no_line_can_be_slipped_into_a_request() {
    let client = Client::new(config(&["127.0.0.1/32"])).unwrap();
    let echo = Listener::with(|mut stream: TcpStream| async move {
        let mut seen = vec![0; 4096];
        let read = stream.read(&mut seen).await.unwrap_or(0);
        let head = String::from_utf8_lossy(&seen[..read]).into_owned();
        let _ = stream.write_all(ok(&head).as_bytes()).await;
    })
    .await;
    let base = echo.url("127.0.0.1");
    for path in [
        "a\r\nX-Evil: 1",
        "a\nX-Evil: 1",
        "a%0d%0aX-Evil: 1",
        "a HTTP/1.1\r\nX-Evil: 1\r\n\r\n",
        "?q=\r\n\r\nX-Evil: 1",
    ] {
        let answer = client.send(Request::get(format!("{base}{path}"))).await.unwrap();
        let head = String::from_utf8(answer.body.to_vec()).unwrap();
        assert!(!head.lines().any(|line| line.to_lowercase().starts_with("x-evil")), "{path:?}: {head}");
        assert_eq!(head.lines().filter(|line| line.starts_with("GET ")).count(), 1, "{path:?}: one request");
    }
    assert!(HeaderValue::from_str("a\r\nX-Evil: 1").is_err());
}

#[tokio::test]
async fn answers_without_end_are_cut_off_whatever_part_of_them_it_is() {
    let client = Client::new(config(&["127.0.0.1/32"])).unwrap();
    let endless = |head: &'static str, more: &'static str| {
        Listener::with(move |mut stream: TcpStream| async move {
            let _ = stream.read(&mut [0; 4096]).await;
            let _ = stream.write_all(head.as_bytes()).await;
            while stream.write_all(more.as_bytes()).await.is_ok() {}
        })
    };
    for (what, head, more) in [
        ("a header", "HTTP/1.1 200 OK\r\nx: ", "xxxxxxxxxxxxxxxx"),
        ("headers", "HTTP/1.1 200 OK\r\n", "x: xxxxxxxxxxxxx\r\n"),
        ("a reason", "HTTP/1.1 200 ", "OOOOOOOOOOOOOOOO"),
        ("chunks", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", "8\r\nxxxxxxxx\r\n"),
        ("the size of a chunk", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", "0000000000000000"),
        ("words of a chunk", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1;", "xxxxxxxxxxxxxxxx"),
        ("no HTTP", "", "SSH-2.0-OpenSSH\r\n"),
    ] {
        let target = endless(head, more).await;
        let request = Request { timeout: Some(Duration::from_secs(2)), ..Request::get(target.url("127.0.0.1")) };
        let answer = tokio::time::timeout(Duration::from_secs(30), client.send(request)).await;
        let answer = answer.unwrap_or_else(|_| panic!("{what}: it reads for ever"));
        // Zeros in front of a number are nothing too much, until the time is over.
        assert!(answer.is_err(), "{what}: {answer:?}");
    }
    // Drop by drop, it ends with the time of the whole request and not of each drop.
    let drops = Listener::with(|mut stream: TcpStream| async move {
        let _ = stream.read(&mut [0; 4096]).await;
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\n").await;
        while stream.write_all(b"x").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
    let request = Request { timeout: Some(Duration::from_millis(200)), ..Request::get(drops.url("127.0.0.1")) };
    assert!(matches!(client.send(request).await, Err(Error::TimedOut { ms: 200 })));
}

/// What the machine's other programs are told of a proxy is nothing to this server: the proxy would look up the names.
/// Seen to fail without `no_proxy`. The environment is another process's.
#[tokio::test]
async fn a_proxy_of_the_environment_is_not_used() {
    let proxy = Listener::answering(ok("by the proxy")).await;
    let at = proxy.url("127.0.0.1");
    let mut child = tokio::process::Command::new(std::env::current_exe().unwrap());
    child
        .args(["--exact", "a_listed_network_and_a_listed_host_are_reached"])
        .env_remove("NO_PROXY")
        .env_remove("no_proxy");
    for name in ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
        child.env(name, &at);
    }
    let ended = tokio::time::timeout(Duration::from_mins(1), child.output()).await.unwrap().unwrap();
    let said = String::from_utf8_lossy(&ended.stdout);
    assert!(ended.status.success() && said.contains("1 passed"), "{said}");
    assert_eq!(proxy.taken.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn what_is_packed_is_never_unpacked() {
    let client = Client::new(config(&["127.0.0.1/32"])).unwrap();
    // Twenty bytes that would be ten megabytes, were they believed.
    let bomb = Listener::with(|mut stream: TcpStream| async move {
        let mut seen = vec![0; 4096];
        let read = stream.read(&mut seen).await.unwrap_or(0);
        let asked = String::from_utf8_lossy(&seen[..read]).to_lowercase().contains("accept-encoding");
        let _ = stream
            .write_all(b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 20\r\nconnection: close\r\n\r\n")
            .await;
        let _ = stream.write_all(if asked { &[0; 20] } else { b"\x1f\x8b\x08\0\0\0\0\0\0\x03aaaaaaaaaa" }).await;
    })
    .await;
    let answer = client.send(Request::get(bomb.url("127.0.0.1"))).await.unwrap();
    assert_eq!(answer.headers[header::CONTENT_ENCODING], "gzip");
    assert_eq!(&answer.body[..], b"\x1f\x8b\x08\0\0\0\0\0\0\x03aaaaaaaaaa");
}
