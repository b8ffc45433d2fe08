//! Behaviour against real listeners on the loopback address.
#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

mod corpus;
mod listener;

use std::{sync::atomic::Ordering, time::Duration};

use egress::{Client, Config, Error, Request};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::listener::{Listener, moved, ok};

fn client(networks: &[&str], hosts: &[&str]) -> Client {
    Client::new(Config {
        allow_networks: networks.iter().map(|n| n.parse().unwrap()).collect(),
        allow_hosts: hosts.iter().map(|&h| h.to_owned()).collect(),
        max_body_bytes: 1000,
        ..Config::default()
    })
    .unwrap()
}

#[tokio::test]
async fn loopback_is_refused_by_default_in_every_spelling() {
    let target = Listener::answering(ok("secret")).await;
    let client = client(&[], &[]);
    for host in ["127.0.0.1", "localhost", "LOCALHOST", "2130706433", "0x7f.1", "127.1", "[::ffff:127.0.0.1]", "0"] {
        let answer = client.send(Request::get(target.url(host))).await;
        assert!(matches!(answer, Err(Error::Refused(_))), "{host}: {answer:?}");
    }
    assert_eq!(target.taken.load(Ordering::SeqCst), 0, "a refused address was connected to");
}

#[tokio::test]
async fn a_listed_network_and_a_listed_host_are_reached() {
    let target = Listener::answering(ok("hello")).await;
    let by_network = client(&["127.0.0.0/8"], &[]).send(Request::get(target.url("127.0.0.1"))).await.unwrap();
    assert_eq!((by_network.status.as_u16(), &by_network.body[..]), (200, &b"hello"[..]));
    let by_host = client(&[], &["localhost"]);
    assert!(by_host.send(Request::get(target.url("localhost"))).await.is_ok());
    assert!(matches!(by_host.send(Request::get(target.url("127.0.0.1"))).await, Err(Error::Refused(_))));
}

#[tokio::test]
async fn a_redirect_to_a_private_address_is_refused() {
    let inner = Listener::answering(ok("secret")).await;
    for to in [inner.url("127.0.0.1"), "http://169.254.169.254/latest/meta-data".into(), "http://10.0.0.1/".into()] {
        let outer = Listener::answering(moved(&to)).await;
        // Only the name is listed: the address that it redirects to is not.
        let answer = client(&[], &["localhost"]).send(Request::get(outer.url("localhost"))).await;
        assert!(matches!(answer, Err(Error::Refused(_))), "{to}: {answer:?}");
    }
    assert_eq!(inner.taken.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn permitted_redirects_are_followed_without_credentials_and_not_for_ever() {
    let inner = Listener::answering(ok("SECRET")).await;
    let outer = Listener::answering(moved(&inner.url("127.0.0.1"))).await;
    let client = client(&["127.0.0.0/8"], &[]);
    let token = http::HeaderValue::from_static("Bearer x");
    let request = Request::get(outer.url("127.0.0.1")).header(http::header::AUTHORIZATION, token.clone());
    let answer = client.send(request).await.unwrap();
    assert_eq!(&answer.body[..], b"with=0", "the credentials went to another origin");
    let direct = Request::get(inner.url("127.0.0.1")).header(http::header::AUTHORIZATION, token);
    assert_eq!(&client.send(direct).await.unwrap().body[..], b"with=1");

    let circle = Listener::answering(moved("/")).await;
    let answer = client.send(Request::get(circle.url("127.0.0.1"))).await;
    assert!(matches!(answer, Err(Error::TooManyRedirects(5))), "{answer:?}");
    assert_eq!(circle.taken.load(Ordering::SeqCst), 6);
    let post = client.send(Request::post(circle.url("127.0.0.1"), "x")).await.unwrap();
    assert_eq!(post.status.as_u16(), 302, "a webhook's redirect was followed");
}

#[tokio::test]
async fn redirects_to_other_schemes_and_credentials_in_addresses_are_refused() {
    let client = client(&["127.0.0.0/8"], &[]);
    for to in ["file:///etc/passwd", "ftp://127.0.0.1/", "http://user:word@127.0.0.1/"] {
        let outer = Listener::answering(moved(to)).await;
        let answer = client.send(Request::get(outer.url("127.0.0.1"))).await;
        assert!(matches!(answer, Err(Error::BadUrl(_))), "{to}: {answer:?}");
        assert!(matches!(client.send(Request::get(to)).await, Err(Error::BadUrl(_))), "{to}");
    }
}

#[tokio::test]
async fn a_body_over_the_cap_is_cut_with_an_error() {
    let client = client(&["127.0.0.0/8"], &[]);
    let fits = Listener::answering(ok(&"x".repeat(1000))).await;
    assert_eq!(client.send(Request::get(fits.url("127.0.0.1"))).await.unwrap().body.len(), 1000);
    let declared = Listener::answering(ok(&"x".repeat(1001))).await;
    let endless = Listener::with(|mut stream: TcpStream| async move {
        let _ = stream.read(&mut [0; 4096]).await;
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n").await;
        while stream.write_all(&[b'x'; 512]).await.is_ok() {}
    })
    .await;
    for target in [declared, endless] {
        let answer = client.send(Request::get(target.url("127.0.0.1"))).await;
        assert!(matches!(answer, Err(Error::BodyTooLarge { limit: 1000 })), "{answer:?}");
    }
    let small = Request { max_body_bytes: Some(10), ..Request::get(fits.url("127.0.0.1")) };
    assert!(matches!(client.send(small).await, Err(Error::BodyTooLarge { limit: 10 })));
}

#[tokio::test]
async fn a_server_that_never_finishes_is_given_up() {
    let client = client(&["127.0.0.0/8"], &[]);
    let silent = Listener::with(|stream: TcpStream| async move {
        std::future::pending::<()>().await;
        drop(stream);
    })
    .await;
    let halting = Listener::with(|mut stream: TcpStream| async move {
        let _ = stream.read(&mut [0; 4096]).await;
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf").await;
        std::future::pending::<()>().await;
    })
    .await;
    for target in [silent, halting] {
        let request = Request { timeout: Some(Duration::from_millis(150)), ..Request::get(target.url("127.0.0.1")) };
        let cut_off = Duration::from_secs(30);
        let answer = tokio::time::timeout(cut_off, client.send(request)).await.expect("it waits for ever");
        assert!(matches!(answer, Err(Error::TimedOut { ms: 150 })), "{answer:?}");
    }
}
