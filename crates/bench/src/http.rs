//! One HTTP/1.1 connection, one request at a time, made again when it broke.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use bytes::Bytes;
use http::{HeaderMap, Method, Request, header};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

/// A complete answer.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Answer {
    pub fn is_ok(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The body as JSON; null where it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    /// A header that is a number.
    pub fn number(&self, name: &str) -> Option<u64> {
        self.headers.get(name)?.to_str().ok()?.parse().ok()
    }

    /// The code of a problem document, empty without one.
    pub fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }
}

/// Why there was no answer.
#[derive(Debug)]
pub enum Trouble {
    /// No connection could be made: certainly without effect.
    Unsent,
    /// Sent in whole or in part: it took effect or not.
    Unknown,
}

/// A client of one server as one person. Keeps one connection.
#[derive(Debug)]
pub struct Http {
    address: String,
    token: String,
    time: Duration,
    connection: Option<SendRequest<Full<Bytes>>>,
}

impl Http {
    pub fn new(address: &str, token: &str) -> Self {
        Self { address: address.into(), token: token.into(), time: Duration::from_secs(10), connection: None }
    }

    /// Gives up on an answer after `time` (10 s by default).
    #[must_use]
    pub fn patience(mut self, time: Duration) -> Self {
        self.time = time;
        self
    }

    /// From now on gives up on an answer after `time`.
    pub fn set_patience(&mut self, time: Duration) {
        self.time = time;
    }

    /// Goes on with another server.
    pub fn turn_to(&mut self, address: &str) {
        if self.address != address {
            address.clone_into(&mut self.address);
            self.connection = None;
        }
    }

    /// Makes one request. After [`Trouble`] the next one connects anew.
    pub async fn call(&mut self, method: Method, path: &str, body: Option<&Value>) -> Result<Answer, Trouble> {
        match body {
            Some(value) => {
                let json = [("content-type", "application/json")];
                self.send(method, path, &json, value.to_string().into()).await
            }
            None => self.send(method, path, &[], Bytes::new()).await,
        }
    }

    /// The same with any headers and bytes.
    pub async fn send(
        &mut self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Bytes,
    ) -> Result<Answer, Trouble> {
        let time = self.time;
        let mut connection = match self.connection.take().filter(|open| !open.is_closed()) {
            Some(open) => open,
            None => match tokio::time::timeout(time, self.connect()).await {
                Ok(Ok(open)) => open,
                _ => return Err(Trouble::Unsent),
            },
        };
        let request = self.request(method, path, headers, body).map_err(|_| Trouble::Unsent)?;
        let answer = tokio::time::timeout(time, exchange(&mut connection, request)).await;
        match answer {
            Ok(Ok(answer)) => {
                self.connection = Some(connection);
                Ok(answer)
            }
            _ => Err(Trouble::Unknown),
        }
    }

    /// Makes a request that has to succeed.
    pub async fn expect(&mut self, method: Method, path: &str, body: Option<&Value>) -> Result<Value> {
        let answer = self.call(method.clone(), path, body).await;
        match answer {
            Ok(answer) if answer.is_ok() => Ok(answer.json()),
            Ok(answer) => bail!("{method} {path}: {} {}", answer.status, String::from_utf8_lossy(&answer.body)),
            Err(trouble) => bail!("{method} {path}: {trouble:?}"),
        }
    }

    pub async fn get(&mut self, path: &str) -> Result<Value> {
        self.expect(Method::GET, path, None).await
    }

    fn request(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Bytes,
    ) -> Result<Request<Full<Bytes>>> {
        let mut request = Request::builder().method(method).uri(path).header(header::HOST, &self.address);
        if !self.token.is_empty() {
            request = request.header(header::AUTHORIZATION, format!("Bearer {}", self.token));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(Full::new(body)).context("a request cannot be made")
    }

    async fn connect(&self) -> Result<SendRequest<Full<Bytes>>> {
        let stream = TcpStream::connect(&self.address).await?;
        stream.set_nodelay(true)?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        sender.ready().await?;
        Ok(sender)
    }
}

async fn exchange(connection: &mut SendRequest<Full<Bytes>>, request: Request<Full<Bytes>>) -> Result<Answer> {
    connection.ready().await?;
    let response = connection.send_request(request).await?;
    let status = response.status().as_u16();
    let headers = response.headers().clone();
    let body = response.into_body().collect().await?.to_bytes();
    Ok(Answer { status, headers, body })
}
