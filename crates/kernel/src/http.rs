//! The layers around every route: request ids, limits, security headers,
//! and problems for what no handler answers.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    Json, Router,
    body::Body,
    extract::{DefaultBodyLimit, MatchedPath, Request},
    http::{HeaderName, HeaderValue, Method, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use proto::{Code, Error, Problem, limits};
use tower_http::catch_panic::CatchPanicLayer;
use tracing::{Instrument as _, Span, field};
use utoipa_axum::router::OpenApiRouter;

use crate::{Failure, Kernel, Listener, meters::Running};

/// Names a request in answers and in the log.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// No handler works longer than this.
pub const HANDLER_TIME: Duration = Duration::from_secs(30);

/// The routes of a listener and their API document, before any layer.
pub fn api(kernel: &Kernel, listener: Listener) -> OpenApiRouter<Arc<Kernel>> {
    kernel.registry.routes(listener)
}

/// Puts the common layers around the routes of the API.
pub fn layered(routes: Router<Arc<Kernel>>, kernel: Arc<Kernel>) -> Router {
    routes
        .method_not_allowed_fallback(async || Failure(Code::MethodNotAllowed.into()))
        .layer(DefaultBodyLimit::max(limits::BODY_BYTES))
        .layer(CatchPanicLayer::custom(|panic: Box<dyn std::any::Any + Send>| {
            let text = panic
                .downcast_ref::<&str>()
                .map(ToString::to_string)
                .or_else(|| panic.downcast_ref::<String>().cloned())
                .unwrap_or_default();
            Failure(Error::internal(format!("a handler panicked: {text}"))).into_response()
        }))
        .layer(middleware::from_fn_with_state(kernel.clone(), around))
        .with_state(kernel)
}

/// The answer to an address nobody serves.
#[expect(clippy::unused_async, reason = "a handler is async")]
pub async fn not_found() -> Failure {
    Failure(Code::NotFound.into())
}

async fn around(
    axum::extract::State(kernel): axum::extract::State<Arc<Kernel>>,
    request: Request,
    next: Next,
) -> Response {
    let id = format!("{:032x}", u128::from_be_bytes(kernel.random()));
    let (method, route) = (told(request.method()), request.extensions().get::<MatchedPath>().cloned());
    // The path as the program has it: a path as it was asked for may hold a secret.
    let route = route.as_ref().map_or(OTHER, MatchedPath::as_str);
    let span = tracing::info_span!("request", id, method, route, status = field::Empty, code = field::Empty);
    if let Some(parent) = request.extensions().get::<Parent>() {
        (parent.0)(&span);
    }
    let (began, running) = (Instant::now(), Running::of(&kernel.meters));
    let mut response = match tokio::time::timeout(HANDLER_TIME, next.run(request).instrument(span.clone())).await {
        Ok(response) => response,
        // Whether it was done is not known: a commit may still follow.
        Err(_) => Failure(Code::OutcomeUnknown.into()).into_response(),
    };
    if response.status().is_server_error() {
        span.in_scope(|| tracing::warn!(status = response.status().as_u16(), "failed"));
    }
    drop(running);
    kernel.meters.answered(method, route, response.status().as_u16(), began.elapsed());
    span.record("status", i64::from(response.status().as_u16()));
    if let Some(problem) = response.extensions_mut().remove::<Box<Problem>>() {
        kernel.meters.failed(&problem.code);
        span.record("code", &problem.code);
        response = with_request_id(response, *problem, &id);
    }
    let headers = response.headers_mut();
    if let Ok(value) = HeaderValue::from_str(&id) {
        headers.insert(REQUEST_ID, value);
    }
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    headers
        .entry(header::CONTENT_SECURITY_POLICY)
        .or_insert(HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"));
    response
}

/// Puts a request's span below one of whoever sent it. The listener puts this
/// beside a request where it believes who sent it.
#[derive(Clone)]
pub struct Parent(pub Arc<dyn Fn(&Span) + Send + Sync>);

/// What is no route of the API: the client's own files and pages.
pub const OTHER: &str = "client";

/// A method as logs and metrics have it: anybody can make up another.
fn told(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

fn with_request_id(response: Response, mut problem: Problem, id: &str) -> Response {
    problem.request_id = Some(id.to_owned());
    let (mut parts, _) = response.into_parts();
    let (_, body) = Json(problem).into_response().into_parts();
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, Body::new(body))
}
