//! Accepts connections: slow handshakes are cut, who does not take what they
//! asked for is cut off, headers are bounded, and a shutdown lets what runs
//! come to its end.

use std::{net::SocketAddr, time::Duration};

use axum::{Router, body::Body, extract::ConnectInfo, http::Request};
use hyper::body::Incoming;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    net::TcpListener,
    sync::{mpsc, watch},
};
use tower::ServiceExt;

use crate::patience::{LATE, Patient};

/// A client that has not sent its headers by then is cut off.
const HEADER_TIME: Duration = Duration::from_secs(10);
/// How long running requests may take to end.
const DRAIN: Duration = Duration::from_secs(10);

/// Serves `app` until `stop` turns true, then drains.
pub async fn serve(listener: TcpListener, app: Router, mut stop: watch::Receiver<bool>) {
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
        let app = app.clone();
        let service = tower::service_fn(move |request: Request<Incoming>| {
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(ConnectInfo::<SocketAddr>(peer));
            app.clone().oneshot(request)
        });
        let connection = hyper::server::conn::http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEADER_TIME)
            .max_buf_size(proto::limits::HEADER_BYTES)
            .serve_connection(TokioIo::new(Patient::new(stream, LATE)), TowerToHyperService::new(service))
            .with_upgrades();
        let (alive, mut stop) = (alive.clone(), stop.clone());
        tokio::spawn(async move {
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
            drop(alive);
        });
    }
    drop(listener);
    drop(alive);
    if tokio::time::timeout(DRAIN, all_gone.recv()).await.is_err() {
        tracing::warn!("some requests were cut off");
    }
}

async fn stopped(stop: &mut watch::Receiver<bool>) {
    // A sender that is gone has stopped too.
    let _ = stop.wait_for(|stop| *stop).await;
}
