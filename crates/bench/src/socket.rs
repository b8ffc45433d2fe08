//! One WebSocket of `docs/realtime.md`.

use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    WebSocketStream, client_async_with_config,
    tungstenite::{
        Message, Utf8Bytes,
        client::IntoClientRequest,
        http::{HeaderValue, header},
        protocol::WebSocketConfig,
    },
};

use crate::{scan, text_body};

/// Longest wait for the first answers of a server.
const START: Duration = Duration::from_secs(20);

/// An open socket, past its `welcome`.
#[derive(Debug)]
pub struct Socket {
    inner: WebSocketStream<TcpStream>,
    /// From the `welcome`.
    pub epoch: String,
}

impl Socket {
    /// Connects and says hello. Frames after the `welcome`, `resumed` among
    /// them, are left to [`Socket::next`].
    pub async fn connect(address: &str, token: &str, resume: Option<Value>) -> Result<Self> {
        tokio::time::timeout(START, Self::start(address, token, resume)).await.context("no welcome in time")?
    }

    async fn start(address: &str, token: &str, resume: Option<Value>) -> Result<Self> {
        let mut request = format!("ws://{address}/api/v1/realtime").into_client_request()?;
        let bearer = HeaderValue::from_str(&format!("Bearer {token}"))?;
        request.headers_mut().insert(header::AUTHORIZATION, bearer);
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        // Thousands of sockets in one process: small buffers.
        let config = WebSocketConfig::default().read_buffer_size(8 << 10).write_buffer_size(0);
        let (inner, _) = client_async_with_config(request, stream, Some(config)).await?;
        let mut socket = Self { inner, epoch: String::new() };
        let mut hello = json!({"t": "hello", "api": 1, "client": "bench/1"});
        if let Some(resume) = resume {
            hello["resume"] = resume;
        }
        socket.send(hello.to_string()).await?;
        let first = socket.next().await?;
        ensure!(scan::kind(&first) == "welcome", "instead of a welcome: {first}");
        scan::string(&first, "epoch").unwrap_or_default().clone_into(&mut socket.epoch);
        Ok(socket)
    }

    /// Reads on until `resumed`, dropping what comes before.
    pub async fn resumed(&mut self) -> Result<()> {
        let wait = async {
            while scan::kind(&self.next().await?) != "resumed" {}
            Ok(())
        };
        tokio::time::timeout(START, wait).await.context("no resumed in time")?
    }

    pub async fn send(&mut self, text: impl Into<Utf8Bytes>) -> Result<()> {
        self.inner.send(Message::Text(text.into())).await.context("the socket broke")
    }

    /// Puts a frame into the buffer; it leaves with the next [`Socket::send`].
    pub async fn feed(&mut self, text: impl Into<Utf8Bytes>) -> Result<()> {
        self.inner.feed(Message::Text(text.into())).await.context("the socket broke")
    }

    pub async fn flush(&mut self) -> Result<()> {
        self.inner.flush().await.context("the socket broke")
    }

    /// The next text frame.
    ///
    /// # Errors
    /// The close code and reason, or what broke the connection.
    pub async fn next(&mut self) -> Result<Utf8Bytes> {
        loop {
            match self.inner.next().await {
                Some(Ok(Message::Text(text))) => return Ok(text),
                Some(Ok(Message::Close(Some(close)))) => bail!("closed: {} {}", u16::from(close.code), close.reason),
                Some(Ok(Message::Close(None))) | None => bail!("closed"),
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(error.into()),
            }
        }
    }
}

/// The frame that sends a message.
pub fn send_call(id: u64, conversation: &str, client_id: &str, text: &str) -> String {
    json!({"t": "call", "id": id, "op": "chat.message_send", "params": {
        "conversation": conversation, "client_id": client_id, "body": text_body(text),
        "mentions": [], "mention_all": false, "reply_to": null,
    }})
    .to_string()
}
