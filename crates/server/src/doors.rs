//! What the listeners do with a request before the routes see it: whose it
//! is, and whether it should have come by https.

use std::{net::SocketAddr, sync::Arc};

use axum::{
    body::Body,
    extract::ConnectInfo,
    http::{HeaderValue, Method, Request, StatusCode, header, uri::Authority},
    response::{IntoResponse as _, Response},
};
use kernel::Arrival;
use parking_lot::RwLock;

use crate::{
    config::{Config, TlsMode},
    lan,
    proxies::Proxies,
    telemetry,
    tls::Tls,
};

const CHALLENGES: &str = "/.well-known/acme-challenge/";

/// Both listeners' common part.
pub struct Doors {
    proxies: RwLock<Arc<Proxies>>,
    tls: Option<Arc<Tls>>,
    mode: TlsMode,
    /// `public_url` where it is https.
    public: Option<String>,
    tls_port: u16,
}

impl Doors {
    /// `tls_port` is where https really listens.
    pub fn new(config: &Config, tls: Option<Arc<Tls>>, tls_port: u16) -> Self {
        let public = config.public_url().filter(|url| url.starts_with("https://")).map(str::to_owned);
        let proxies = RwLock::new(Arc::new(Proxies::new(config, tls.is_some())));
        Self { proxies, tls, mode: config.tls.mode, public, tls_port }
    }

    /// Trusts other proxies from now on.
    pub fn change(&self, config: &Config) {
        *self.proxies.write() = Arc::new(Proxies::new(config, self.tls.is_some()));
    }

    /// Says beside the request how it arrived. `Err` is the answer to one that
    /// goes no further.
    pub fn enter(
        &self,
        mut request: Request<Body>,
        (peer, local): (SocketAddr, Option<SocketAddr>),
        encrypted: bool,
    ) -> Result<Request<Body>, Box<Response>> {
        let proxies = self.proxies.read().clone();
        let arrival = proxies.arrival(peer, local.map(|at| at.ip()), encrypted, request.headers());
        if !encrypted && let Some(answer) = self.instead(arrival, &request) {
            return Err(Box::new(answer));
        }
        // Whoever begins a trace also says that it is kept, and what stands
        // above our spans: nobody but one's own proxies.
        if proxies.trusts(peer.ip().to_canonical())
            && let Some(parent) = telemetry::parent(request.headers())
        {
            request.extensions_mut().insert(parent);
        }
        request.extensions_mut().insert(ConnectInfo(peer));
        request.extensions_mut().insert(arrival);
        Ok(request)
    }

    /// What plain http is answered where the server has https.
    fn instead(&self, arrival: Arrival, request: &Request<Body>) -> Option<Response> {
        let tls = self.tls.as_ref()?;
        let path = request.uri().path();
        // Whoever balances load asks plainly, and takes a redirection for a fault.
        if matches!(path, "/healthz" | "/readyz") {
            return None;
        }
        if let Some(token) = path.strip_prefix(CHALLENGES) {
            return Some(match tls.challenge(token) {
                Some(text) => text.into_response(),
                None => StatusCode::NOT_FOUND.into_response(),
            });
        }
        let asks = matches!(*request.method(), Method::GET | Method::HEAD);
        let asked = request.headers().get(header::HOST).and_then(|v| v.to_str().ok())?.parse::<Authority>().ok()?;
        if arrival.https || !asks || self.serves_plainly(arrival, &asked) {
            return None;
        }
        let base = self.public.clone().unwrap_or_else(|| lan::url("https", asked.host(), self.tls_port));
        let rest = request.uri().path_and_query().map_or("/", |rest| rest.as_str());
        let mut answer = StatusCode::PERMANENT_REDIRECT.into_response();
        answer.headers_mut().insert(header::LOCATION, HeaderValue::from_str(&format!("{base}{rest}")).ok()?);
        // The way into the network may be another tomorrow.
        answer.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        Some(answer)
    }

    /// Within private addresses a name of a public authority has https, an
    /// address has none; and what our own authority signs not everybody trusts
    /// yet.
    fn serves_plainly(&self, arrival: Arrival, asked: &Authority) -> bool {
        let host = asked.host().trim_start_matches('[').trim_end_matches(']');
        let by_address = host == "localhost" || host.parse::<std::net::IpAddr>().is_ok();
        arrival.refuse_clear_text().is_ok() && (by_address || self.mode == TlsMode::LocalCa)
    }
}
