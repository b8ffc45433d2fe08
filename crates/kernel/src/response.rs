//! Errors become responses in one place.

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use proto::{Code, Error, Problem};

/// What a handler returns: the JSON of a success, or a problem document.
pub type Reply<T, E = Failure> = Result<Json<T>, E>;

/// An [`Error`] on its way out.
#[derive(Debug)]
pub struct Failure(pub Error);

impl<E: Into<Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        if let Error::Internal(source) = &self.0 {
            tracing::error!(error = %source, cause = ?source.source().map(ToString::to_string), "internal error");
        }
        let problem = Problem::of(&self.0, None);
        let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let retry_after = match &self.0 {
            Error::Api { code: Code::RateLimited | Code::Overloaded | Code::ShuttingDown, context, .. } => {
                let ms = context.as_ref().and_then(|c| c["retry_after_ms"].as_u64()).unwrap_or(1_000);
                Some(ms.div_ceil(1_000).max(1))
            }
            _ => None,
        };
        let mut response = (status, Json(&problem)).into_response();
        // The layer that knows the request's id writes the body once more with it.
        response.extensions_mut().insert(Box::new(problem));
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}
