//! The line to an authority: what it answers is bounded in time and size, and
//! how long it wants to be left alone is remembered.

use std::{path::Path, pin::Pin, sync::Arc, time::Duration};

use anyhow::{Context as _, Result};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Collected};
use instant_acme::{BodyWrapper, BytesResponse, Error, HttpClient};
use parking_lot::Mutex;
use reqwest::{Certificate, Client, header, redirect};

const CONNECT: Duration = Duration::from_secs(10);
/// No answer of an authority is larger, in bytes.
const LARGEST: usize = 1_048_576;

pub(super) struct Line {
    http: Client,
    asked_to_wait: Arc<Mutex<Option<Duration>>>,
}

impl Line {
    /// `root` is a file with the certificate that alone is trusted; without it
    /// those that the system trusts are. `patience` is for one exchange.
    #[expect(clippy::disallowed_methods, reason = "an authority may be inside, and be known by a root of its own")]
    pub(super) fn new(
        root: Option<&Path>,
        patience: Duration,
        asked_to_wait: Arc<Mutex<Option<Duration>>>,
    ) -> Result<Self> {
        let mut builder = Client::builder()
            .https_only(true)
            .redirect(redirect::Policy::none())
            .connect_timeout(CONNECT)
            .timeout(patience);
        if let Some(root) = root {
            let read = std::fs::read(root).map_err(anyhow::Error::from);
            let known = read.and_then(|pem| Ok(Certificate::from_pem_bundle(&pem)?));
            builder = builder.tls_certs_only(known.with_context(|| root.display().to_string())?);
        }
        Ok(Self { http: builder.build()?, asked_to_wait })
    }
}

impl HttpClient for Line {
    fn request(
        &self,
        request: http::Request<BodyWrapper<Bytes>>,
    ) -> Pin<Box<dyn Future<Output = Result<BytesResponse, Error>> + Send>> {
        let (http, asked_to_wait) = (self.http.clone(), self.asked_to_wait.clone());
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let body = body.collect().await.map_or_else(|never| match never {}, Collected::to_bytes);
            let sent = http.request(parts.method, parts.uri.to_string()).headers(parts.headers);
            let mut answer = sent.body(body).send().await.map_err(other)?;
            if matches!(answer.status().as_u16(), 429 | 503) {
                *asked_to_wait.lock() = wait(answer.headers());
            }
            let mut read = Vec::new();
            while let Some(bytes) = answer.chunk().await.map_err(other)? {
                if read.len() + bytes.len() > LARGEST {
                    return Err(Error::Other("its answer is too large".into()));
                }
                read.extend_from_slice(&bytes);
            }
            let mut head = http::Response::new(());
            *head.status_mut() = answer.status();
            *head.headers_mut() = std::mem::take(answer.headers_mut());
            Ok(BytesResponse { parts: head.into_parts().0, body: Box::new(Bytes::from(read)) })
        })
    }
}

/// With its causes: the outermost says little.
fn other(error: reqwest::Error) -> Error {
    Error::Other(format!("{:#}", anyhow::Error::from(error)).into())
}

/// Seconds, or a date (RFC 9110 §10.2.3).
fn wait(headers: &header::HeaderMap) -> Option<Duration> {
    let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let now = u64::try_from(kernel::Clock::now(&kernel::SystemClock)).ok()?;
    let until = httpdate::parse_http_date(text).ok()?.duration_since(std::time::UNIX_EPOCH).ok()?;
    Some(until.saturating_sub(Duration::from_millis(now)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_long_to_wait_is_said_in_seconds_or_by_a_date() {
        let of = |text: &str| wait(&header::HeaderMap::from_iter([(header::RETRY_AFTER, text.parse().unwrap())]));
        assert_eq!(of("7200"), Some(Duration::from_hours(2)));
        assert!(of("Tue, 31 Dec 2199 23:59:59 GMT").unwrap() > Duration::from_hours(24));
        assert_eq!(of("Fri, 31 Dec 1999 23:59:59 GMT"), Some(Duration::ZERO));
        assert_eq!(of("soon"), None);
    }
}
