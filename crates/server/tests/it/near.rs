//! A server behind its real listeners, on this machine, and a client that
//! writes its requests by hand.

use std::{net::SocketAddr, sync::Arc};

use magpie::{
    config::{Config, Flags},
    doors::Doors,
    listen::{self, Service},
    serve,
    tls::{Tls, trust},
};
use rustls::{ClientConfig, RootCertStore, crypto::ring, pki_types::ServerName};
use testkit::TestServer;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
};
use tokio_rustls::TlsConnector;

/// A configuration of flags alone.
pub fn config(settings: &[String]) -> Config {
    let flags = Flags { set: settings.to_vec(), ..Flags::default() };
    Config::load(&flags).unwrap_or_else(|faults| panic!("{faults:?}"))
}

/// Two listeners over the kernel of a `TestServer`.
pub struct Near {
    pub plain: SocketAddr,
    pub secure: SocketAddr,
    pub tls: Option<Arc<Tls>>,
    pub doors: Arc<Doors>,
    _stop: watch::Sender<bool>,
}

impl Near {
    pub async fn start(server: &TestServer, config: &Config) -> Self {
        let tls = Tls::open(config, &server.kernel).unwrap();
        let (plain, secure) = (bound().await, bound().await);
        let at = (plain.local_addr().unwrap(), secure.local_addr().unwrap());
        let doors = Arc::new(Doors::new(config, tls.clone(), at.1.port()));
        let app = serve::web(&server.kernel, trust::routes(tls.as_ref()));
        let service = Service { app, doors: doors.clone() };
        let (stop, stopped) = watch::channel(false);
        tokio::spawn(listen::serve(plain, service.clone(), None, stopped.clone()));
        if let Some(tls) = &tls {
            tokio::spawn(listen::serve(secure, service, Some(tls.acceptor()), stopped));
        }
        Self { plain: at.0, secure: at.1, tls, doors, _stop: stop }
    }

    /// Asks by http. `lines` are header lines; the host is `host`.
    pub async fn ask(&self, host: &str, request: &str, lines: &[&str], body: &str) -> Answer {
        let stream = TcpStream::connect(self.plain).await.unwrap();
        speak(stream, host, request, lines, body).await
    }

    /// Asks by https at a name; `None` where the certificate is not taken.
    pub async fn ask_securely(
        &self,
        root: &str,
        name: &str,
        request: &str,
        lines: &[&str],
        body: &str,
    ) -> Option<Answer> {
        let stream = TcpStream::connect(self.secure).await.unwrap();
        let known = ServerName::try_from(name.to_owned()).unwrap();
        let stream = connector(root).connect(known, stream).await.ok()?;
        Some(speak(stream, name, request, lines, body).await)
    }
}

pub async fn bound() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.unwrap()
}

/// A client that trusts one root (PEM).
pub fn connector(root: &str) -> TlsConnector {
    use rustls::pki_types::{CertificateDer, pem::PemObject as _};
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(root.as_bytes()).unwrap()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    TlsConnector::from(Arc::new(config))
}

pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Answer {
    /// All values of a header.
    pub fn header(&self, name: &str) -> Vec<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.filter(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value).collect()
    }
}

pub async fn speak<S>(mut stream: S, host: &str, request: &str, lines: &[&str], body: &str) -> Answer
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let lines = lines.iter().map(|line| format!("{line}\r\n")).collect::<Vec<_>>().concat();
    let length = body.len();
    let text = format!(
        "{request} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\ncontent-length: {length}\r\n{lines}\r\n{body}"
    );
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut read = Vec::new();
    // Some ends of TLS close without a goodbye.
    let _ = stream.read_to_end(&mut read).await;
    let text = String::from_utf8_lossy(&read).into_owned();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {text:?}"));
    let status = head.split(' ').nth(1).and_then(|s| s.parse().ok()).unwrap_or_else(|| panic!("{head}"));
    Answer { status, head: head.to_owned(), body: body.to_owned() }
}
