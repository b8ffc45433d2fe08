//! What a handler may ask for: who is asking, a checked body, a checked query.

use std::{future::Future, pin::Pin, sync::Arc};

use axum::{
    Json,
    body::to_bytes,
    extract::{FromRequest, FromRequestParts, MatchedPath, Request},
    http::{HeaderMap, Method, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use proto::{API_LEVEL, Code, Error, PrincipalKind, limits};
use serde::{Serialize, de::DeserializeOwned};

use crate::{Arrival, Ctx, Failure, Kernel, Peer, Principal};

/// The cookie on https.
pub const COOKIE: &str = "__Host-magpie";
/// The cookie on plain http, from and to private addresses only: a `__Host-`
/// name is refused there by browsers.
pub const LAN_COOKIE: &str = "magpie_lan";
/// By which a browser is known again as one that somebody signed in on, after
/// the session has ended. It opens nothing.
pub const DEVICE_COOKIE: &str = "__Host-magpie-device";
/// The same on plain http.
pub const LAN_DEVICE_COOKIE: &str = "magpie_lan_device";
/// Any value: a page of another site cannot set it without our consent.
pub const CSRF_HEADER: &str = "x-magpie-csrf";
pub const LEVEL_HEADER: &str = "magpie-api-level";

/// Finds who stands behind a secret. Given by the module that keeps sessions.
pub trait Authenticator: Send + Sync + 'static {
    /// `peer` is where the request came from, for the person's list of devices.
    fn authenticate<'a>(
        &'a self,
        kernel: &'a Arc<Kernel>,
        secret: &'a str,
        peer: Peer,
    ) -> Pin<Box<dyn Future<Output = Result<Option<Principal>, Error>> + Send + 'a>>;

    /// Drops what is remembered of a person's sessions: something of theirs
    /// ended, here or on another node (`access::AccessChange`).
    fn forget(&self, user: proto::UserId);
}

/// A session secret and how it came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Secret<'a> {
    Bearer(&'a str),
    Cookie(&'a str),
}

/// The session secret of a request. A bearer token wins over a cookie.
pub fn secret(headers: &HeaderMap, https: bool) -> Option<Secret<'_>> {
    if let Some(value) = headers.get(header::AUTHORIZATION) {
        // A header that is there but unreadable must not fall back to a cookie.
        let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
        return scheme.eq_ignore_ascii_case("bearer").then_some(Secret::Bearer(token));
    }
    cookie(headers, if https { COOKIE } else { LAN_COOKIE }).map(Secret::Cookie)
}

/// The value of a cookie; of the first, where there are several of one name.
pub fn cookie<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|v| v.to_str().ok())
        .flat_map(|v| v.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value)
}

/// Who is asking, where asking needs no session.
#[derive(Clone, Debug)]
pub struct Anyone {
    pub kernel: Arc<Kernel>,
    pub actor: Option<Principal>,
}

impl Anyone {
    /// The context of an action that nobody in particular asks for.
    pub fn ctx(&self) -> Ctx {
        self.kernel.ctx(self.actor.clone().unwrap_or(Principal::SYSTEM))
    }
}

fn check_level(headers: &HeaderMap) -> Result<(), Error> {
    let Some(level) = headers.get(LEVEL_HEADER) else { return Ok(()) };
    match level.to_str().ok().and_then(|v| v.parse::<u32>().ok()) {
        Some(level) if (1..=API_LEVEL).contains(&level) => Ok(()),
        _ => Err(Error::api(Code::ApiLevel).with("max", API_LEVEL)),
    }
}

impl FromRequestParts<Arc<Kernel>> for Anyone {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, kernel: &Arc<Kernel>) -> Result<Self, Failure> {
        check_level(&parts.headers)?;
        let arrival = Arrival::of(&parts.extensions, kernel);
        let found = secret(&parts.headers, arrival.https);
        if matches!(found, Some(Secret::Cookie(_)))
            && !matches!(parts.method, Method::GET | Method::HEAD)
            && !parts.headers.contains_key(CSRF_HEADER)
        {
            return Err(Failure(Code::CsrfRequired.into()));
        }
        let actor = match (found, kernel.registry.authenticator()) {
            (Some(Secret::Bearer(secret) | Secret::Cookie(secret)), Some(authenticator)) => {
                authenticator.authenticate(kernel, secret, arrival.peer()).await?
            }
            _ => None,
        };
        Ok(Self { kernel: kernel.clone(), actor })
    }
}

/// A guest may do only what an operation's `x-authz` says a guest may: what
/// nobody thought of is refused, whatever it is about.
fn guests_may(parts: &Parts, kernel: &Kernel) -> bool {
    let at = parts.extensions.get::<MatchedPath>();
    at.is_some_and(|at| kernel.registry.admits_guests(&parts.method, at.as_str()))
}

impl FromRequestParts<Arc<Kernel>> for Ctx {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, kernel: &Arc<Kernel>) -> Result<Self, Failure> {
        let anyone = Anyone::from_request_parts(parts, kernel).await?;
        let actor = anyone.actor.ok_or(Code::Unauthenticated)?;
        if actor.kind == PrincipalKind::Guest && !guests_may(parts, kernel) {
            return Err(Failure(Code::Forbidden.into()));
        }
        kernel.budgets.spend(crate::Budget::Requests, actor.id)?;
        Ok(kernel.ctx(actor))
    }
}

/// A JSON body: of the right type, within its limit, without unknown fields.
#[derive(Debug)]
pub struct Body<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, _: &S) -> Result<Self, Failure> {
        let kind = request.headers().get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or("");
        if !kind.split(';').next().unwrap_or("").trim().eq_ignore_ascii_case("application/json") {
            return Err(Failure(Code::UnsupportedMediaType.into()));
        }
        let bytes = to_bytes(request.into_body(), limits::BODY_BYTES)
            .await
            .map_err(|_| Error::api(Code::BodyTooLarge).with("limit", limits::BODY_BYTES))?;
        Ok(Self(parse(&bytes)?))
    }
}

/// Reads JSON that came from outside: depth and form are checked, the field
/// at fault is named.
pub fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Error> {
    if too_deep(bytes) {
        return Err(Error::api(Code::BadRequest).detail("nested too deeply").with("limit", limits::JSON_DEPTH));
    }
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let path = error.path().to_string();
        let text = error.inner().to_string();
        let code = if text.starts_with("unknown field") {
            Code::UnknownField
        } else if text.starts_with("missing field") {
            Code::FieldRequired
        } else if error.inner().is_data() {
            Code::InvalidField
        } else {
            Code::BadRequest
        };
        // serde names a missing or unknown field in the text, not in the path.
        let named = text.split('`').nth(1).filter(|_| matches!(code, Code::UnknownField | Code::FieldRequired));
        let field = match (path.as_str(), named) {
            ("." | "", Some(name)) => name.to_owned(),
            (path, Some(name)) if !path.ends_with(name) => format!("{path}.{name}"),
            (path, _) => path.to_owned(),
        };
        Error::field(code, cut(field)).detail(cut(text))
    })?;
    deserializer.end().map_err(|e| Error::api(Code::BadRequest).detail(e.to_string()))?;
    Ok(value)
}

/// What came from outside is told back in part only.
fn cut(text: String) -> String {
    const MOST: usize = 200;
    if text.chars().count() <= MOST { text } else { text.chars().take(MOST).chain(['…']).collect() }
}

fn too_deep(bytes: &[u8]) -> bool {
    let (mut depth, mut text, mut escaped) = (0_usize, false, false);
    for byte in bytes {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if text => escaped = true,
            b'"' => text = !text,
            b'[' | b'{' if !text => {
                depth += 1;
                if depth > limits::JSON_DEPTH {
                    return true;
                }
            }
            b']' | b'}' if !text => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    false
}

/// A query string: of the right type, within its limit.
#[derive(Debug)]
pub struct Params<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Params<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        if parts.uri.query().unwrap_or("").len() > limits::QUERY_BYTES {
            return Err(Failure(Error::too_long("query", limits::QUERY_BYTES)));
        }
        let query = axum::extract::Query::<T>::from_request_parts(parts, state)
            .await
            .map_err(|e| Error::api(Code::BadRequest).detail(e.body_text()))?;
        Ok(Self(query.0))
    }
}

/// What the path names. A part that cannot be an id names nothing: 404.
#[derive(Debug)]
pub struct At<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for At<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        match axum::extract::Path::<T>::from_request_parts(parts, state).await {
            Ok(path) => Ok(Self(path.0)),
            Err(_) => Err(Failure(Code::NotFound.into())),
        }
    }
}

/// 201 with the thing made.
#[derive(Debug)]
pub struct Created<T>(pub T);

impl<T: Serialize> IntoResponse for Created<T> {
    fn into_response(self) -> Response {
        (StatusCode::CREATED, Json(self.0)).into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        #[expect(dead_code, reason = "only its parsing matters")]
        size: u8,
    }

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Outer {
        #[expect(dead_code, reason = "only its parsing matters")]
        inner: Inner,
    }

    fn fault(text: &str) -> (Code, String) {
        match parse::<Outer>(text.as_bytes()).unwrap_err() {
            Error::Api { code, field, .. } => (code, field.unwrap_or_default()),
            Error::Internal(e) => panic!("{e}"),
        }
    }

    #[test]
    fn the_field_at_fault_is_named() {
        assert_eq!(fault(r#"{"inner":{"size":1},"more":2}"#), (Code::UnknownField, "more".into()));
        assert_eq!(fault(r#"{"inner":{"size":1,"more":2}}"#), (Code::UnknownField, "inner.more".into()));
        assert_eq!(fault(r#"{"inner":{}}"#), (Code::FieldRequired, "inner.size".into()));
        assert_eq!(fault(r#"{"inner":{"size":700}}"#), (Code::InvalidField, "inner.size".into()));
        assert_eq!(fault(&format!(r#"{{"{}":1}}"#, "x".repeat(9_000))).1.chars().count(), 201);
        assert_eq!(fault("{").0, Code::BadRequest);
        assert_eq!(fault(&format!("{}{}", "[".repeat(40), "]".repeat(40))).0, Code::BadRequest);
    }

    #[test]
    fn a_bearer_token_wins_over_a_cookie_and_cookies_keep_to_their_scheme() {
        let mut headers = HeaderMap::new();
        headers.insert(header::COOKIE, "a=b; magpie_lan=lan; __Host-magpie=host".parse().unwrap());
        assert_eq!(secret(&headers, true), Some(Secret::Cookie("host")));
        assert_eq!(secret(&headers, false), Some(Secret::Cookie("lan")));
        headers.insert(header::AUTHORIZATION, "Bearer t".parse().unwrap());
        assert_eq!(secret(&headers, true), Some(Secret::Bearer("t")));
        headers.insert(header::AUTHORIZATION, "bearer t".parse().unwrap());
        assert_eq!(secret(&headers, true), Some(Secret::Bearer("t")));
        headers.insert(header::AUTHORIZATION, "Basic t".parse().unwrap());
        assert_eq!(secret(&headers, true), None);
    }
}
