//! What leaves the server, as a mail server and a gateway receive it.
//!
//! Seen to fail: with the word of success not looked for, and with the header
//! of the gateway left out.

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use magpie::delivery::{Carrier, Mail, Secret, Sms};
use parking_lot::Mutex;
use proto::Code;
use serde_json::{Value, json};
use testkit::{Person, TestServer};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpListener,
};

/// What a receiver took, whole, and how many it refuses first.
#[derive(Default)]
struct Received {
    messages: Mutex<Vec<String>>,
    refuse: Mutex<u32>,
}

impl Received {
    fn refuses(&self) -> bool {
        let mut left = self.refuse.lock();
        let refuses = *left > 0;
        *left = left.saturating_sub(1);
        refuses
    }
}

/// A mail server: enough of RFC 5321 to take a message.
async fn mail_server() -> (String, Arc<Received>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("smtp://{}", listener.local_addr().unwrap());
    let received = Arc::new(Received::default());
    let taken = received.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let taken = taken.clone();
            tokio::spawn(async move {
                let (read, mut write) = stream.into_split();
                let mut lines = BufReader::new(read).lines();
                let _ = write.write_all(b"220 test ESMTP\r\n").await;
                let mut envelope = String::new();
                while let Ok(Some(line)) = lines.next_line().await {
                    let verb = line.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
                    let answer = match verb.as_str() {
                        "EHLO" => "250-test\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n",
                        "RCPT" if taken.refuses() => "451 later\r\n",
                        "MAIL" | "RCPT" => {
                            envelope.push_str(&line);
                            envelope.push('\n');
                            "250 ok\r\n"
                        }
                        "DATA" => {
                            let _ = write.write_all(b"354 go on\r\n").await;
                            let mut whole = std::mem::take(&mut envelope);
                            while let Ok(Some(line)) = lines.next_line().await {
                                if line == "." {
                                    break;
                                }
                                whole.push_str(&line);
                                whole.push('\n');
                            }
                            taken.messages.lock().push(whole);
                            "250 taken\r\n"
                        }
                        "QUIT" => "221 bye\r\n",
                        _ => "250 ok\r\n",
                    };
                    let _ = write.write_all(answer.as_bytes()).await;
                }
            });
        }
    });
    (url, received)
}

/// A gateway for text messages; answers 200 with an error while it refuses,
/// as many of them do.
async fn gateway() -> (String, Arc<Received>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/send?for={{to}}", listener.local_addr().unwrap());
    let received = Arc::new(Received::default());
    let taken = received.clone();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let (mut seen, mut part) = (Vec::new(), [0; 4096]);
            let whole = loop {
                let n = stream.read(&mut part).await.unwrap_or(0);
                seen.extend_from_slice(&part[..n]);
                let text = String::from_utf8_lossy(&seen).into_owned();
                let length = text
                    .to_lowercase()
                    .split("content-length: ")
                    .nth(1)
                    .map(|rest| rest.split("\r\n").next().unwrap_or_default().parse::<usize>().unwrap_or(0));
                let body = text.split_once("\r\n\r\n").map(|(_, body)| body.len());
                if n == 0 || (body.is_some() && body >= length) {
                    break text;
                }
            };
            let answer = if taken.refuses() {
                r#"{"status":"failed"}"#
            } else {
                taken.messages.lock().push(whole);
                r#"{"status":"taken"}"#
            };
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", answer.len());
            let _ = stream.write_all((head + answer).as_bytes()).await;
        }
    });
    (url, received)
}

async fn server(mail: Option<String>, sms: Option<String>) -> TestServer {
    let mail = mail.map(|url| Mail { url: Secret(url), from: "Magpie <magpie@example.org>".into() });
    let sms = sms.map(|url| Sms {
        url,
        method: "POST".into(),
        headers: [("content-type", "application/json"), ("x-key", "Key {secret}")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
        body: r#"{"to":"{to}","text":"{text}"}"#.into(),
        secret: Secret("hidden".into()),
        success: Some("taken".into()),
    });
    let carrier = Carrier::new(mail.as_ref(), sms.as_ref(), &[]).unwrap();
    TestServer::delivering(vec![identity::module()], Arc::new(carrier)).await
}

async fn verify(person: &Person, contact: &Value, code: &str) -> testkit::Answer {
    let path = format!("/api/v1/me/contacts/{}/verify", contact["id"].as_str().unwrap());
    person.post(&path, json!({ "code": code })).await
}

fn six_digits(text: &str) -> String {
    text.split(|c: char| !c.is_ascii_digit()).find(|run| run.len() == 6).expect("a code").to_owned()
}

#[tokio::test]
async fn a_code_by_e_mail_arrives_and_proves_the_address() {
    let (url, received) = mail_server().await;
    let server = server(Some(url), None).await;
    let alice = server.person("张伟").await;
    *received.refuse.lock() = 1;
    let new = json!({ "kind": "email", "address": "Wei@例子.中国" });
    let contact = alice.post("/api/v1/me/contacts", new).await.ok();
    server.run_jobs().await;
    assert!(received.messages.lock().is_empty(), "the server said: later");
    server.clock.advance(2_000);
    server.run_jobs().await;
    let whole = received.messages.lock().last().cloned().expect("a message");
    assert!(whole.contains("RCPT TO:<Wei@xn--fsqu00a.xn--fiqs8s>"), "{whole}");
    assert!(whole.contains("From: Magpie <magpie@example.org>") && whole.contains("Auto-Submitted: auto-generated"));
    let (head, body) = whole.split_once("\n\n").unwrap();
    let text = if head.to_lowercase().contains("base64") {
        String::from_utf8(STANDARD.decode(body.replace('\n', "")).unwrap()).unwrap()
    } else {
        body.to_owned()
    };
    verify(&alice, &contact, &six_digits(&text)).await.ok();
    server.finish().await;
}

#[tokio::test]
async fn a_code_by_text_message_goes_through_the_gateway_as_it_is_described() {
    let (url, received) = gateway().await;
    let server = server(None, Some(url)).await;
    let alice = server.person("张伟").await;
    alice.patch("/api/v1/me", json!({ "locale": "en" })).await.ok();
    *received.refuse.lock() = 1;
    let contact = alice.post("/api/v1/me/contacts", json!({ "kind": "phone", "address": "13800138000" })).await.ok();
    server.run_jobs().await;
    assert!(received.messages.lock().is_empty(), "200 with an error is none taken");
    server.clock.advance(2_000);
    server.run_jobs().await;
    let whole = received.messages.lock().last().cloned().expect("a message");
    let (head, body) = whole.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("POST /send?for=%2B8613800138000 "), "{head}");
    assert!(head.contains("x-key: Key hidden"), "{head}");
    let body: Value = serde_json::from_str(body).unwrap();
    assert_eq!(body["to"], "+8613800138000");
    verify(&alice, &contact, "000000").await.fails(Code::CodeInvalid);
    verify(&alice, &contact, &six_digits(body["text"].as_str().unwrap())).await.ok();
    // No mail server: what would be sent is in the log, and the job is done.
    alice.post("/api/v1/me/contacts", json!({ "kind": "email", "address": "wei@example.org" })).await.ok();
    server.run_jobs().await;
    server.finish().await;
}
