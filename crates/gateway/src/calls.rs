//! What a socket has run for its person, beside the reading.

use std::{future::Future, panic::AssertUnwindSafe, pin::Pin, sync::Arc, time::Instant};

use futures_util::FutureExt as _;
use kernel::{Budget, CallFuture, Ctx, Kernel, Known, Peer, Principal};
use proto::{Code, Error, PrincipalKind, UserId};
use serde_json::{Value, value::RawValue};
use tracing::Instrument as _;

use crate::session::Send as Sending;

/// The client's own number of what it asked for, and the outcome.
pub(crate) type Calling = Pin<Box<dyn Future<Output = (i64, Result<Value, Error>)> + Send>>;

/// How the socket's session is asked for again.
pub(crate) struct Entry {
    pub(crate) secret: Box<str>,
    pub(crate) peer: Peer,
}

impl Entry {
    /// Who it is now, if the session has not ended.
    pub(crate) async fn principal(&self, kernel: &Arc<Kernel>) -> Result<Option<Principal>, Error> {
        match kernel.registry.authenticator() {
            Some(authenticator) => authenticator.authenticate(kernel, &self.secret, self.peer).await,
            None => Ok(None),
        }
    }
}

/// A call is a use of the session, and is made as who it is now: one that has
/// not been used for long has ended, and a proof may have come since.
pub(crate) fn call(kernel: Arc<Kernel>, entry: Arc<Entry>, id: i64, op: String, params: Box<RawValue>) -> Calling {
    Box::pin(async move {
        let (began, known) = (Instant::now(), kernel.registry.call(&op));
        let work = async {
            let principal = entry.principal(&kernel).await?.ok_or(Code::Unauthenticated)?;
            let call = known.ok_or_else(|| Error::field(Code::NotFound, "op"))?;
            if principal.kind == PrincipalKind::Guest && !call.guests {
                return Err(Code::Forbidden.into());
            }
            kernel.budgets.spend(Budget::Requests, principal.id)?;
            (call.run)(kernel.ctx(principal), params).await
        };
        let named = known.map_or("unknown", |call| call.op);
        let span = tracing::info_span!(target: store::SPANS, "call", op = named, code = tracing::field::Empty);
        let outcome = AssertUnwindSafe(work).catch_unwind().instrument(span.clone()).await;
        let outcome = outcome.unwrap_or_else(|_| Err(Error::internal(format!("{op} panicked"))));
        let code = outcome.as_ref().err().map(Error::code);
        if let Some(code) = code {
            span.record("code", code.as_str());
        }
        kernel.meters.called(named, code, began.elapsed());
        (id, outcome)
    })
}

/// Hands bytes to the owner of their stream, which the socket follows or not.
pub(crate) fn receive(kernel: Arc<Kernel>, principal: Principal, follows: bool, sending: Sending) -> Calling {
    let Sending { id, stream, sent } = sending;
    Box::pin(async move {
        let work = async {
            let source = kernel.registry.stream(stream.kind).filter(|_| follows);
            let source = source.ok_or_else(|| Error::field(Code::NotFound, "stream"))?;
            if principal.kind == PrincipalKind::Guest {
                return Err(Code::Forbidden.into());
            }
            kernel.budgets.spend(Budget::Requests, principal.id)?;
            let taken: Option<CallFuture> = source.receive(kernel.ctx(principal), stream.id, sent);
            taken.ok_or_else(|| Error::field(Code::BinaryUnsupported, "stream"))?.await
        };
        let outcome = AssertUnwindSafe(work).catch_unwind().await;
        (id, outcome.unwrap_or_else(|_| Err(Error::internal(format!("receiving for {stream} panicked")))))
    })
}

/// Whom of these the person may know of. A failed read is an answer of nobody:
/// the client asks again when it shows others.
pub(crate) async fn acquainted(ctx: Ctx, users: Vec<UserId>) -> (Vec<UserId>, Known) {
    let (asking, of) = (ctx.clone(), users.clone());
    let known = ctx.db().read(move |tx| Known::among(tx, &asking, of.clone())).await;
    (
        users,
        known.unwrap_or_else(|error| {
            tracing::warn!(%error, "who is known could not be read");
            Known::default()
        }),
    )
}
