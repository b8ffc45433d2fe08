//! The web client, inside the binary. A development build reads the folder
//! `web/dist` instead, so a new build of the client needs none of the server.

use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use proto::Code;
use rust_embed::RustEmbed;

#[derive(RustEmbed)]
#[folder = "$CARGO_MANIFEST_DIR/../../web/dist"]
#[allow_missing = true]
struct Client;

/// Nothing inline, nothing from elsewhere. The hash is the one style that the
/// component library sets by itself. Text becomes script or markup only through
/// a Trusted Types policy, and the client has one, for the addresses of its
/// workers (`web/src/core/trusted.ts`).
const POLICY: &str = "default-src 'self'; script-src 'self'; \
    style-src 'self' 'sha256-38RhXrc7EdReTKsOm23ZPOCUgniTUUcjky8QOOrQx6o='; img-src 'self' data: blob:; \
    connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; \
    require-trusted-types-for 'script'; trusted-types magpie";

/// Answers what is not the API: a file of the client, or its first page for
/// any address that the client knows how to show.
pub async fn serve(method: Method, uri: Uri, headers: HeaderMap) -> Response {
    let path = uri.path().trim_start_matches('/');
    if path == "api" || path.starts_with("api/") {
        return kernel::Failure(Code::NotFound.into()).into_response();
    }
    if !matches!(method, Method::GET | Method::HEAD) {
        return kernel::Failure(Code::MethodNotAllowed.into()).into_response();
    }
    if let Some(found) = file(path, &headers) {
        return found;
    }
    // A missing file of an older build must not be answered by a page.
    let looks_like_file = path.starts_with("assets/") || path.rsplit('/').next().is_some_and(|n| n.contains('.'));
    if looks_like_file {
        return kernel::Failure(Code::NotFound.into()).into_response();
    }
    // Whoever was only sent a link gets a page of their own, which weighs little.
    let page = if path.starts_with("g/") { "visitor.html" } else { "index.html" };
    file(page, &headers).unwrap_or_else(|| {
        (StatusCode::SERVICE_UNAVAILABLE, "This build of Magpie holds no client. Build it with: make web\n")
            .into_response()
    })
}

fn file(path: &str, headers: &HeaderMap) -> Option<Response> {
    let plain = Client::get(path)?;
    let accepted = headers.get(header::ACCEPT_ENCODING).and_then(|v| v.to_str().ok()).unwrap_or("");
    let accepts = |coding: &str| accepted.split(',').any(|a| a.trim().split(';').next() == Some(coding));
    let packed = [("br", "br"), ("gzip", "gz")]
        .into_iter()
        .filter(|(coding, _)| accepts(coding))
        .find_map(|(coding, ending)| Some((coding, Client::get(&format!("{path}.{ending}"))?)));
    let (coding, content) = packed.map_or((None, plain), |(coding, file)| (Some(coding), file));
    let hash = content.metadata.sha256_hash();
    let etag = format!("\"{:032x}\"", u128::from_be_bytes(hash[..16].try_into().unwrap_or_default()));
    let immutable = path.starts_with("assets/");
    // A list, and weak where a proxy packed the answer (RFC 9110 §13.1.2).
    let unchanged = headers
        .get(header::IF_NONE_MATCH)
        .and_then(|v| v.to_str().ok())
        .is_some_and(|list| list.split(',').any(|tag| tag.trim().trim_start_matches("W/") == etag));
    let mut response = if unchanged {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        Body::from(content.data.into_owned()).into_response()
    };
    let out = response.headers_mut();
    out.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type(path)));
    out.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    out.insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static(if immutable { "public, max-age=31536000, immutable" } else { "no-cache" }),
    );
    if let Ok(value) = HeaderValue::from_str(&etag) {
        out.insert(header::ETAG, value);
    }
    if let Some(coding) = coding {
        out.insert(header::CONTENT_ENCODING, HeaderValue::from_static(coding));
    }
    out.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    Some(response)
}

fn media_type(path: &str) -> &'static str {
    match path.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("js" | "mjs") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("ico") => "image/x-icon",
        Some("json" | "map") => "application/json",
        Some("webmanifest") => "application/manifest+json",
        Some("woff2") => "font/woff2",
        Some("txt") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

/// Whether this binary holds a client.
pub fn present() -> bool {
    Client::get("index.html").is_some()
}
