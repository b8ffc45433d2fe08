//! Why a request had no answer.

use crate::Refusal;

pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why an outgoing request failed. Texts name hosts and numbers, never whole
/// addresses: paths and queries of others may hold secrets.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Not an http or https address, or one that carries credentials.
    #[error("the address cannot be requested: {0}")]
    BadUrl(&'static str),
    /// The address, or one that it redirects to, is not permitted.
    #[error("{0}")]
    Refused(#[from] Refusal),
    #[error("more than {0} redirects")]
    TooManyRedirects(u8),
    #[error("the body is larger than {limit} bytes")]
    BodyTooLarge { limit: usize },
    #[error("no complete answer in {ms} ms")]
    TimedOut { ms: u64 },
    /// Anything the network or the other side did.
    #[error("the request failed: {}", cause(.0))]
    Failed(#[source] reqwest::Error),
    #[error("the client cannot be made: {0}")]
    Setup(#[source] reqwest::Error),
}

/// What lies at the bottom: "error sending request" helps nobody.
fn cause(error: &reqwest::Error) -> &dyn std::error::Error {
    let mut cause: &dyn std::error::Error = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause
}

impl Error {
    /// A refusal of the resolver arrives wrapped by the connector; found again here.
    pub(crate) fn from_reqwest(error: reqwest::Error) -> Self {
        let mut source: Option<&(dyn std::error::Error + 'static)> = Some(&error);
        while let Some(inner) = source {
            if let Some(refusal) = inner.downcast_ref::<Refusal>() {
                return Self::Refused(refusal.clone());
            }
            source = inner.source();
        }
        Self::Failed(error.without_url())
    }

    /// Which of them it is, for traces.
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Self::BadUrl(_) | Self::Setup(_) => "unusable",
            Self::Refused(_) => "refused",
            Self::TooManyRedirects(_) => "redirects",
            Self::BodyTooLarge { .. } => "too_large",
            Self::TimedOut { .. } => "timed_out",
            Self::Failed(_) => "failed",
        }
    }

    /// Whether trying again later can help.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::TimedOut { .. } | Self::Failed(_))
    }
}
