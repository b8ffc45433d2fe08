//! Not checks but numbers: run one by one with `--ignored --nocapture`, and
//! `CARGO_PROFILE_DEV_OPT_LEVEL=3` or in release.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use bus::Bus;
use proto::{Carried, Frame, Header, StreamKey};
use store::testing::TestDb;
use tokio::runtime::{Builder, Runtime};

use super::{
    fake::{self, START, user},
    wire::{Node, ROOM, session},
};
use crate::GatewayConfig;

/// A node on threads of its own, with `many` people in one room.
fn node(many: u128) -> (Runtime, TestDb, Node) {
    let runtime = Builder::new_multi_thread().worker_threads(2).thread_name("node").enable_all().build().unwrap();
    let (db, node) = runtime.block_on(async {
        let db = fake::database().await;
        let node = Node::start(db.db(), Bus::local(), GatewayConfig::default()).await;
        for n in 0..many {
            fake::sign_in(&node.kernel.db, user(n), session(n)).await;
            node.write(move |tx| fake::member_moves(tx, ROOM, user(n), false, false, START)).await;
        }
        (db, node)
    });
    (runtime, db, node)
}

/// A socket that is live, as cheap for this side as can be.
fn connect(address: &str, n: u128) -> TcpStream {
    let mut socket = TcpStream::connect(address).unwrap();
    write!(
        socket,
        "GET /api/v1/realtime HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         Authorization: Bearer {}\r\n\r\n",
        session(n)
    )
    .unwrap();
    // A masked text frame with a mask of zeros.
    let hello = br#"{"t":"hello","api":1}"#;
    let mut frame = vec![0x81, 0x80 | u8::try_from(hello.len()).unwrap(), 0, 0, 0, 0];
    frame.extend(hello);
    socket.write_all(&frame).unwrap();
    let (mut seen, mut buffer) = (Vec::new(), [0; 2048]);
    while !seen.windows(9).any(|w| w == b"\"resumed\"") {
        let read = socket.read(&mut buffer).unwrap();
        assert!(read > 0, "{}", String::from_utf8_lossy(&seen));
        seen.extend(&buffer[..read]);
    }
    socket
}

/// Nanoseconds of processor time of the threads of the node.
fn spent() -> u64 {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap().flatten();
    tasks
        .filter(|task| std::fs::read_to_string(task.path().join("comm")).is_ok_and(|name| name.trim() == "node"))
        .filter_map(|task| std::fs::read_to_string(task.path().join("schedstat")).ok())
        .filter_map(|stat| stat.split(' ').next()?.parse::<u64>().ok())
        .sum()
}

fn resident() -> u64 {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap();
    pages.split(' ').nth(1).unwrap().parse::<u64>().unwrap() * 4096
}

#[test]
#[ignore = "a measurement"]
fn of_a_message_in_a_group_of_five_hundred() {
    let many = 500;
    let (_runtime, _db, node) = node(many);
    let bytes = Arc::new(AtomicU64::new(0));
    let mut readers = Vec::new();
    for n in 0..many {
        let mut socket = connect(&node.address, n);
        let bytes = Arc::clone(&bytes);
        readers.push(std::thread::spawn(move || {
            let mut buffer = vec![0; 65_536];
            while let Ok(read @ 1..) = socket.read(&mut buffer) {
                bytes.fetch_add(read as u64, Relaxed);
            }
        }));
    }
    let key: StreamKey = fake::conversation(ROOM);
    let mut rev = i64::try_from(many).unwrap();
    let events: Box<str> = format!(r#"[{{"kind":"message","body":"{}"}}]"#, "x".repeat(300)).into();
    for burst in [1, 5, 20] {
        let (cpu, start) = (spent(), Instant::now());
        let rounds = 400 / burst;
        for _ in 0..rounds {
            for _ in 0..burst {
                rev += 1;
                let frame = Frame {
                    stream: key,
                    rev,
                    header: Header::default(),
                    events: events.clone(),
                    carried: Carried::default(),
                };
                node.gateway.shared.hub.publish(&frame, &|_| None);
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        let copies = rounds * burst * 500;
        println!(
            "{burst} at a time: {:.2} µs of the node's threads for each of {copies} copies, {:?} in all",
            Duration::from_nanos(spent() - cpu).as_secs_f64() * 1e6 / f64::from(copies),
            start.elapsed()
        );
    }
    println!("{} bytes arrived", bytes.load(Relaxed));
}

#[test]
#[ignore = "a measurement"]
fn of_an_idle_socket() {
    let (_runtime, _db, node) = node(50);
    let warm: Vec<_> = (0..50).map(|n| connect(&node.address, n)).collect();
    let before = resident();
    let more: Vec<_> = (0..1_000).map(|n| connect(&node.address, n % 50)).collect();
    std::thread::sleep(Duration::from_secs(1));
    println!("{} bytes for each of {} sockets", (resident() - before) / more.len() as u64, more.len() + warm.len());
}
