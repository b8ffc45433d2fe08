//! What answers on the loopback address.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// Listens and answers each request with `answer`; counts the connections.
pub struct Listener {
    pub address: SocketAddr,
    pub taken: Arc<AtomicUsize>,
}

impl Listener {
    pub async fn answering(answer: impl Into<String>) -> Self {
        let answer = answer.into();
        Self::with(move |mut stream: TcpStream| {
            let answer = answer.clone();
            async move {
                let mut seen = vec![0; 4096];
                let read = stream.read(&mut seen).await.unwrap_or(0);
                let head = String::from_utf8_lossy(&seen[..read]).to_lowercase();
                let secret = if head.contains("authorization:") { "with=1" } else { "with=0" };
                let _ = stream.write_all(answer.replace("SECRET", secret).as_bytes()).await;
            }
        })
        .await
    }

    pub async fn with<F: Future<Output = ()> + Send + 'static>(
        serve: impl Fn(TcpStream) -> F + Send + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let taken = Arc::new(AtomicUsize::new(0));
        let count = taken.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(serve(stream));
            }
        });
        Self { address, taken }
    }

    pub fn url(&self, host: &str) -> String {
        format!("http://{host}:{}/", self.address.port())
    }
}

pub fn ok(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len())
}

pub fn moved(to: &str) -> String {
    format!("HTTP/1.1 302 Found\r\nlocation: {to}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
}
