//! Accepts connections: slow handshakes are cut, who does not take what they
//! asked for is cut off, headers are bounded, and a shutdown lets what runs
//! come to its end.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::{Router, body::Body, http::Request, response::Response};
use hyper::body::Incoming;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::{mpsc, watch},
};
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt;

use crate::{
    doors::Doors,
    patience::{LATE, Patient},
};

/// A client that has not sent its headers by then is cut off.
const HEADER_TIME: Duration = Duration::from_secs(10);
/// Nor is a handshake waited for longer.
const HANDSHAKE_TIME: Duration = Duration::from_secs(10);
/// How long running requests may take to end: as long as a handler may take, so
/// that a part of an upload is never lost to a restart.
const DRAIN: Duration = kernel::http::HANDLER_TIME;

/// What is served, the same at every listener.
#[derive(Clone)]
pub struct Service {
    pub app: Router,
    pub doors: Arc<Doors>,
}

/// Where a connection comes from and where it goes.
#[derive(Clone, Copy)]
struct Ends {
    peer: SocketAddr,
    local: Option<SocketAddr>,
    encrypted: bool,
}

/// Serves until `stop` turns true, then drains; by https with an acceptor.
pub async fn serve(listener: TcpListener, service: Service, tls: Option<TlsAcceptor>, mut stop: watch::Receiver<bool>) {
    // Closed once the last connection has let go of its end.
    let (alive, mut all_gone) = mpsc::channel::<()>(1);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stopped(&mut stop) => break,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of file handles, most likely: give others time to close.
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let _ = stream.set_nodelay(true);
        let (service, tls, alive, stop) = (service.clone(), tls.clone(), alive.clone(), stop.clone());
        tokio::spawn(async move {
            connected(stream, peer, service, tls, stop).await;
            drop(alive);
        });
    }
    drop(listener);
    drop(alive);
    if tokio::time::timeout(DRAIN, all_gone.recv()).await.is_err() {
        tracing::warn!("some requests were cut off");
    }
}

async fn connected(
    stream: TcpStream,
    peer: SocketAddr,
    service: Service,
    tls: Option<TlsAcceptor>,
    stop: watch::Receiver<bool>,
) {
    let ends = Ends { peer, local: stream.local_addr().ok(), encrypted: tls.is_some() };
    let stream = Patient::new(stream, LATE);
    let Some(tls) = tls else { return speak(stream, ends, service, stop).await };
    match tokio::time::timeout(HANDSHAKE_TIME, tls.accept(stream)).await {
        Ok(Ok(stream)) => speak(stream, ends, service, stop).await,
        Ok(Err(error)) => tracing::debug!(%error, "a handshake failed"),
        Err(_) => tracing::debug!("a handshake took too long"),
    }
}

async fn speak<S>(stream: S, ends: Ends, service: Service, mut stop: watch::Receiver<bool>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = tower::service_fn(move |request: Request<Incoming>| {
        let service = service.clone();
        async move {
            match service.doors.enter(request.map(Body::new), (ends.peer, ends.local), ends.encrypted) {
                Ok(request) => service.app.oneshot(request).await,
                Err(answer) => Ok::<Response, std::convert::Infallible>(*answer),
            }
        }
    });
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIME)
        .max_buf_size(proto::limits::HEADER_BYTES)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(service))
        .with_upgrades();
    let mut connection = std::pin::pin!(connection);
    let outcome = tokio::select! {
        outcome = connection.as_mut() => outcome,
        () = stopped(&mut stop) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = outcome {
        tracing::debug!(%error, "a connection ended badly");
    }
}

async fn stopped(stop: &mut watch::Receiver<bool>) {
    // A sender that is gone has stopped too.
    let _ = stop.wait_for(|stop| *stop).await;
}
