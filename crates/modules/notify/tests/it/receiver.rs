//! A small HTTP server on loopback that takes whatever is posted to it, and
//! what carries messages to it as the real server does: through `egress`.

use std::{collections::HashMap, sync::Arc};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, Method, StatusCode, Uri},
};
use egress::{Client, Config, Error, Request};
use http::{HeaderName, HeaderValue};
use kernel::{Answered, Channel, Delivery, NoAnswer, Outgoing, Posting, Sending, Verb};
use parking_lot::Mutex;
use testkit::Outbox;
use tokio::{net::TcpListener, sync::watch};

/// What was posted.
#[derive(Clone, Debug)]
pub(crate) struct Posted {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Posted {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

#[derive(Default)]
struct Inner {
    posted: Vec<Posted>,
    /// Answers of a path, the next first; 200 and `{}` where there is none.
    answers: HashMap<String, Vec<(u16, String)>>,
    /// Paths that answer nothing until they are let go.
    held: HashMap<String, watch::Receiver<bool>>,
}

#[derive(Clone)]
pub(crate) struct Receiver {
    pub(crate) base: String,
    inner: Arc<Mutex<Inner>>,
}

impl Receiver {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let inner = Arc::new(Mutex::new(Inner::default()));
        let app = Router::new().fallback(take).with_state(inner.clone());
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { base, inner }
    }

    pub(crate) fn at(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// The next answers of a path.
    pub(crate) fn answers(&self, path: &str, answers: &[(u16, &str)]) {
        let answers = answers.iter().rev().map(|(status, body)| (*status, (*body).to_owned())).collect();
        self.inner.lock().answers.insert(path.to_owned(), answers);
    }

    /// Takes what comes to a path, and answers once that is let go.
    pub(crate) fn hold(&self, path: &str) -> watch::Sender<bool> {
        let (let_go, held) = watch::channel(false);
        self.inner.lock().held.insert(path.to_owned(), held);
        let_go
    }

    /// Waits until something comes to a path.
    pub(crate) async fn comes(&self, path: &str) {
        let come = async {
            while self.to(path).is_empty() {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(std::time::Duration::from_mins(2), come).await.unwrap();
    }

    /// All that was posted to paths that begin so, oldest first.
    pub(crate) fn to_prefix(&self, prefix: &str) -> Vec<Posted> {
        self.inner.lock().posted.iter().filter(|p| p.path.starts_with(prefix)).cloned().collect()
    }

    /// All that was posted to a path, oldest first.
    pub(crate) fn to(&self, path: &str) -> Vec<Posted> {
        self.inner.lock().posted.iter().filter(|p| p.path == path).cloned().collect()
    }
}

async fn take(
    State(inner): State<Arc<Mutex<Inner>>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, String) {
    let path = uri.path().to_owned();
    let (answer, held) = {
        let mut inner = inner.lock();
        let answer = inner.answers.get_mut(&path).and_then(Vec::pop);
        inner.posted.push(Posted { method, path: uri.to_string(), headers, body: body.to_vec() });
        (answer.unwrap_or((200, r#"{"code":0,"errcode":0}"#.into())), inner.held.get(&path).cloned())
    };
    if let Some(mut held) = held {
        // An error: whoever held it is gone.
        let _ = held.wait_for(|let_go| *let_go).await;
    }
    (StatusCode::from_u16(answer.0).unwrap(), answer.1)
}

/// E-mail and text messages go to the outbox, requests over the network.
pub(crate) struct Wire {
    pub(crate) outbox: Arc<Outbox>,
    client: Client,
}

impl Wire {
    pub(crate) fn new(loopback: bool) -> Self {
        let mut config = Config::default();
        if loopback {
            config.allow_networks.push("127.0.0.0/8".parse().unwrap());
        }
        Self { outbox: Arc::default(), client: Client::new(config).unwrap() }
    }

    async fn posted(&self, out: Outgoing) -> Result<Answered, NoAnswer> {
        let mut request = Request::post(out.url, out.body);
        if out.verb == Verb::Delete {
            request.method = Method::DELETE;
        }
        request.timeout = Some(out.within);
        for (name, value) in out.headers {
            request = request.header(HeaderName::from_static(name), HeaderValue::from_str(&value).unwrap());
        }
        match self.client.send(request).await {
            Ok(answer) => Ok(Answered { status: answer.status.as_u16(), body: answer.body.to_vec() }),
            Err(Error::Refused(_)) => Err(NoAnswer::Refused),
            Err(Error::TimedOut { .. }) => Err(NoAnswer::TimedOut),
            Err(_) => Err(NoAnswer::Unreachable),
        }
    }
}

impl Delivery for Wire {
    fn can(&self, channel: Channel) -> bool {
        self.outbox.can(channel)
    }

    fn email<'a>(&'a self, to: &'a str, subject: &'a str, text: &'a str) -> Sending<'a> {
        self.outbox.email(to, subject, text)
    }

    fn sms<'a>(&'a self, to: &'a str, text: &'a str) -> Sending<'a> {
        self.outbox.sms(to, text)
    }

    fn post(&self, out: Outgoing) -> Posting<'_> {
        Box::pin(self.posted(out))
    }
}
