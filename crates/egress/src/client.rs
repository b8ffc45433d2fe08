//! The client itself: one hop at a time, each judged anew.

use std::{error::Error as StdError, sync::Arc, time::Duration};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use reqwest::{
    Url,
    dns::{Addrs, Name, Resolve, Resolving},
    redirect::Policy,
};

use crate::{Config, Error, Result, Rules};

/// One outgoing request.
#[derive(Clone, Debug)]
pub struct Request {
    pub method: Method,
    pub url: String,
    pub headers: HeaderMap,
    pub body: Bytes,
    /// Whether redirects are followed; a webhook's are not.
    pub follow: bool,
    /// A smaller cap than the configured one, in bytes.
    pub max_body_bytes: Option<usize>,
    /// A shorter time than the configured one.
    pub timeout: Option<Duration>,
}

impl Request {
    /// Reads an address, following redirects.
    pub fn get(url: impl Into<String>) -> Self {
        Self::new(Method::GET, url, Bytes::new(), true)
    }

    /// Sends a body, following nothing.
    pub fn post(url: impl Into<String>, body: impl Into<Bytes>) -> Self {
        Self::new(Method::POST, url, body.into(), false)
    }

    fn new(method: Method, url: impl Into<String>, body: Bytes, follow: bool) -> Self {
        let (headers, max_body_bytes, timeout) = (HeaderMap::new(), None, None);
        Self { method, url: url.into(), headers, body, follow, max_body_bytes, timeout }
    }

    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }
}

/// A complete answer. Any status is an answer.
#[derive(Clone, Debug)]
pub struct Response {
    pub status: StatusCode,
    pub headers: HeaderMap,
    /// Where it came from after redirects.
    pub url: String,
    pub body: Bytes,
}

/// Makes outgoing requests. Cheap to clone; one per server.
#[derive(Clone, Debug)]
pub struct Client {
    inner: reqwest::Client,
    rules: Arc<Rules>,
    config: Arc<Config>,
}

impl Client {
    /// Where the system holds no certificates (an empty container), https fails
    /// request by request instead of keeping the server from starting.
    ///
    /// # Errors
    /// [`Error::Setup`] if TLS cannot be set up at all.
    pub fn new(config: Config) -> Result<Self> {
        // Refused where a provider was installed before, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let rules = Arc::new(Rules::new(&config));
        let inner = builder(&config, &rules)
            .build()
            .or_else(|error| {
                tracing::warn!(%error, "no certificates of the system can be read, outgoing https will fail");
                builder(&config, &rules).tls_certs_only([]).build()
            })
            .map_err(Error::Setup)?;
        Ok(Self { inner, rules, config: Arc::new(config) })
    }

    /// Makes a request and reads the whole answer.
    ///
    /// # Errors
    /// [`Error::Refused`] for an address that is not permitted, at any hop; the
    /// other kinds as their names say.
    pub async fn send(&self, request: Request) -> Result<Response> {
        let longest = Duration::from_millis(self.config.timeout_ms);
        let time = request.timeout.map_or(longest, |asked| asked.min(longest));
        let ms = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        tokio::time::timeout(time, self.hops(request)).await.unwrap_or(Err(Error::TimedOut { ms }))
    }

    async fn hops(&self, mut request: Request) -> Result<Response> {
        let mut url = parse(&request.url)?;
        let mut left = self.config.max_redirects;
        loop {
            let response = self.hop(&request, url.clone()).await?;
            let Some(next) = redirect(&request, &response) else {
                return self.read(&request, response).await;
            };
            if left == 0 {
                return Err(Error::TooManyRedirects(self.config.max_redirects));
            }
            left -= 1;
            let target = url.join(&next).map_err(|_| Error::BadUrl("a redirect that is no address"))?;
            let target = parse(target.as_str())?;
            if url.scheme() == "https" && target.scheme() != "https" {
                return Err(Error::BadUrl("a redirect from https to http"));
            }
            rewrite(&mut request, response.status(), same_origin(&url, &target));
            url = target;
        }
    }

    async fn hop(&self, request: &Request, url: Url) -> Result<reqwest::Response> {
        self.rules.check_literal(url.host_str().unwrap_or_default())?;
        self.inner
            .request(request.method.clone(), url)
            .headers(request.headers.clone())
            .body(request.body.clone())
            .send()
            .await
            .map_err(Error::from_reqwest)
    }

    async fn read(&self, request: &Request, mut response: reqwest::Response) -> Result<Response> {
        let cap = self.config.max_body_bytes;
        let limit = request.max_body_bytes.map_or(cap, |asked| asked.min(cap));
        let declared = response.content_length().unwrap_or(0);
        if request.method != Method::HEAD && usize::try_from(declared).map_or(true, |size| size > limit) {
            return Err(Error::BodyTooLarge { limit });
        }
        let mut body = BytesMut::new();
        while let Some(part) = response.chunk().await.map_err(Error::from_reqwest)? {
            if body.len() + part.len() > limit {
                return Err(Error::BodyTooLarge { limit });
            }
            body.extend_from_slice(&part);
        }
        Ok(Response {
            status: response.status(),
            headers: response.headers().clone(),
            url: response.url().to_string(),
            body: body.freeze(),
        })
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the egress client")]
fn builder(config: &Config, rules: &Arc<Rules>) -> reqwest::ClientBuilder {
    let authority = config.authority.as_ref().and_then(|pem| reqwest::Certificate::from_pem(pem.as_bytes()).ok());
    reqwest::Client::builder()
        .tls_certs_merge(authority)
        .no_proxy()
        .redirect(Policy::none())
        .referer(false)
        .connect_timeout(Duration::from_millis(config.connect_timeout_ms))
        .pool_idle_timeout(Duration::from_secs(30))
        .pool_max_idle_per_host(4)
        .user_agent(concat!("magpie/", env!("CARGO_PKG_VERSION")))
        .dns_resolver(Resolver(rules.clone()))
}

/// Hands to the connector only what may be connected to, so that the address
/// checked and the address connected to are the same.
struct Resolver(Arc<Rules>);

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let rules = self.0.clone();
        Box::pin(async move {
            let host = name.as_str().to_owned();
            let found = tokio::net::lookup_host((host.as_str(), 0)).await?.collect();
            let kept = rules.permitted(&host, found).map_err(Box::<dyn StdError + Send + Sync>::from)?;
            Ok(Box::new(kept.into_iter()) as Addrs)
        })
    }
}

/// Reads an address. The URL standard turns `0x7f.1` and `2130706433` into
/// `127.0.0.1` here, so that judging the host afterwards sees what is meant.
fn parse(url: &str) -> Result<Url> {
    let url = Url::parse(url).map_err(|_| Error::BadUrl("not an address"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(Error::BadUrl("neither http nor https"));
    }
    if url.host_str().is_none_or(str::is_empty) {
        return Err(Error::BadUrl("no host"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Error::BadUrl("credentials in the address"));
    }
    Ok(url)
}

fn redirect(request: &Request, response: &reqwest::Response) -> Option<String> {
    if !request.follow || !matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    response.headers().get(header::LOCATION)?.to_str().ok().map(str::to_owned)
}

/// What the next hop sends: credentials stay at home, and a body only goes
/// where 307 or 308 ask for it (RFC 9110 §15.4).
fn rewrite(request: &mut Request, status: StatusCode, same_origin: bool) {
    let keeps = matches!(status.as_u16(), 307 | 308) || matches!(request.method, Method::GET | Method::HEAD);
    if !keeps {
        request.method = Method::GET;
        request.body = Bytes::new();
        request.headers.remove(header::CONTENT_TYPE);
    }
    if !same_origin {
        for name in [header::AUTHORIZATION, header::COOKIE, header::PROXY_AUTHORIZATION] {
            request.headers.remove(name);
        }
    }
}

fn same_origin(a: &Url, b: &Url) -> bool {
    a.scheme() == b.scheme() && a.host_str() == b.host_str() && a.port_or_known_default() == b.port_or_known_default()
}
