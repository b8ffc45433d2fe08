//! Originals, at `/f/…`. What people uploaded is served so that a browser
//! runs nothing of it: no cookie is read, the page it would make may load
//! nothing and is sandboxed, its type is not guessed, and only pictures, sound
//! and film are shown in place; all else is saved, as bytes without a type.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use futures_util::{StreamExt as _, stream};
use kernel::{At, Failure, Kernel};

use crate::{
    actions::{self, Served},
    model::{
        name,
        range::{Asked, asked},
        types,
    },
};

const APART: [(HeaderName, &str); 4] = [
    (header::CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (header::CACHE_CONTROL, "private, no-cache"),
    (header::ACCEPT_RANGES, "bytes"),
];

/// Serves a file, or a part of it, to whom its address was given.
pub(super) async fn serve(
    State(kernel): State<Arc<Kernel>>,
    At(token): At<String>,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    reply(actions::serve(kernel, token).await?, &method, &headers).await
}

async fn reply(served: Served, method: &Method, headers: &HeaderMap) -> Result<Response, Failure> {
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let (size, etag) = (served.row.size.unsigned_abs(), served.row.etag());
    let mut own = vec![(header::ETAG, etag.clone())];
    if text(header::IF_NONE_MATCH).is_some_and(|have| have.split(',').any(|one| one.trim() == etag || one == "*")) {
        return Ok(with(StatusCode::NOT_MODIFIED.into_response(), own));
    }
    let shown = types::shown_in_place(&served.row.mime);
    let place = if shown && !served.download { "inline" } else { "attachment" };
    let kind = if shown { served.row.mime.clone() } else { types::UNKNOWN.to_owned() };
    own.push((header::CONTENT_TYPE, kind));
    own.push((header::CONTENT_DISPOSITION, name::disposition(place, &served.row.name)));
    // A range of an older version would be none of this; there is no older one.
    // HEAD tells of the whole (RFC 9110 §14.2).
    let fresh = method == Method::GET && text(header::IF_RANGE).is_none_or(|have| have == etag);
    let range = if fresh { asked(text(header::RANGE), size) } else { Asked::Whole };
    let (status, from, to) = match range {
        Asked::Whole => (StatusCode::OK, 0, size),
        Asked::Part(from, to) => {
            own.push((header::CONTENT_RANGE, format!("bytes {from}-{}/{size}", to - 1)));
            (StatusCode::PARTIAL_CONTENT, from, to)
        }
        Asked::Outside => {
            own.push((header::CONTENT_RANGE, format!("bytes */{size}")));
            return Ok(with(StatusCode::RANGE_NOT_SATISFIABLE.into_response(), own));
        }
    };
    own.push((header::CONTENT_LENGTH, (to - from).to_string()));
    let mut bytes = Box::pin(served.bytes(from, to));
    // Read before the head is sent: that the store is away can still be said.
    let first = if method == Method::HEAD { None } else { bytes.next().await.transpose()? };
    let bytes = stream::iter(first.map(Ok)).chain(bytes);
    Ok(with((status, Body::from_stream(bytes)).into_response(), own))
}

fn with(mut response: Response, own: Vec<(HeaderName, String)>) -> Response {
    let headers = response.headers_mut();
    for (name, value) in APART {
        headers.insert(name, HeaderValue::from_static(value));
    }
    for (name, value) in own {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(name, value);
        }
    }
    response
}
