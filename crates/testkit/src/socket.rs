use std::sync::Arc;

use futures_util::{SinkExt, StreamExt};
use gateway::testing::Contract;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Message, client::IntoClientRequest},
};

use crate::{CUT_OFF, Nobody};

/// A client of the realtime protocol, as dumb as can be.
#[derive(Debug)]
pub struct TestSocket {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    contract: Arc<Contract>,
}

impl TestSocket {
    pub async fn connect(nobody: &Nobody, token: &str) -> Self {
        Self::try_connect(nobody, &[("authorization", &format!("Bearer {token}"))])
            .await
            .expect("the upgrade is accepted")
    }

    /// The status with which the upgrade was refused, if it was.
    pub async fn try_connect(nobody: &Nobody, headers: &[(&'static str, &str)]) -> Result<Self, u16> {
        use tokio_tungstenite::tungstenite::Error;
        let address = format!("{}/api/v1/realtime", nobody.base.replacen("http", "ws", 1));
        let mut request = address.into_client_request().unwrap();
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        match connect_async(request).await {
            Ok((socket, _)) => Ok(Self { socket, contract: nobody.contract.clone() }),
            Err(Error::Http(response)) => Err(response.status().as_u16()),
            Err(other) => panic!("the socket could not be opened: {other}"),
        }
    }

    pub async fn send(&mut self, frame: Value) {
        self.socket.send(Message::text(frame.to_string())).await.expect("the socket is open");
    }

    /// The next frame, or the close code and reason. Fails where
    /// `docs/events.json` does not tell of it.
    pub async fn next(&mut self) -> Result<Value, (u16, String)> {
        loop {
            let message = tokio::time::timeout(CUT_OFF, self.socket.next()).await.expect("a frame arrives in time");
            match message {
                Some(Ok(Message::Text(text))) => {
                    let frame = serde_json::from_str(&text).expect("frames are JSON");
                    self.contract.holds(&frame);
                    return Ok(frame);
                }
                Some(Ok(Message::Binary(bytes))) => {
                    let (header, _) = proto::binary::decode(&bytes, usize::MAX).expect("a binary message has a header");
                    self.contract.holds(&serde_json::from_str(header).expect("headers are JSON"));
                }
                Some(Ok(Message::Close(Some(close)))) => return Err((close.code.into(), close.reason.to_string())),
                Some(Ok(Message::Close(None))) | None => return Err((1005, String::new())),
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err((1006, error.to_string())),
            }
        }
    }

    /// Skips frames until one fits.
    #[track_caller]
    pub fn until(&mut self, mut fits: impl FnMut(&Value) -> bool) -> impl Future<Output = Value> {
        let at = std::panic::Location::caller();
        async move {
            let mut seen = Vec::new();
            loop {
                match self.next().await {
                    Ok(frame) if fits(&frame) => return frame,
                    Ok(frame) => seen.push(frame),
                    Err(closed) => panic!("{at}: closed with {closed:?} after {seen:#?}"),
                }
            }
        }
    }

    /// Waits for the server to close the socket; its code.
    pub async fn closed(&mut self) -> u16 {
        loop {
            if let Err((code, _)) = self.next().await {
                return code;
            }
        }
    }

    /// Makes a call and waits for its result.
    pub async fn call(&mut self, id: u64, op: &str, params: Value) -> Value {
        self.send(serde_json::json!({ "t": "call", "id": id, "op": op, "params": params })).await;
        self.until(|v| v["t"] == "result" && v["id"] == id).await
    }
}
