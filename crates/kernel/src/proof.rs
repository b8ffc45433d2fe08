//! Step-up: some acts want a proof of the person that is fresh, not only a
//! session that was opened once. Signing in is a proof; after that the person
//! proves again by a password, a passkey or a code of their authenticator.
//!
//! [`crate::allow`] asks here for every act that names an age
//! ([`crate::Act::proof`]); actions without such a resource ask themselves.

use proto::{Code, Error, Millis, PrincipalKind, Result};
use serde_json::json;

use crate::{Ctx, Principal};

/// How old a proof may be where nobody says otherwise.
pub const PROOF_MS: Millis = 10 * 60_000;

/// `proof_required` unless the actor's session proved a credential within the
/// last `max_age_ms`. The server itself proves nothing: nobody sits before it.
pub fn recent(ctx: &Ctx, max_age_ms: Millis) -> Result<(), Error> {
    if is_recent(&ctx.actor, ctx.now, max_age_ms) {
        return Ok(());
    }
    Err(Error::api(Code::ProofRequired)
        .with("methods", json!(["password", "passkey", "totp"]))
        .with("max_age_ms", max_age_ms))
}

fn is_recent(actor: &Principal, now: Millis, max_age_ms: Millis) -> bool {
    // A proof from the future is one of a node whose clock is ahead; it is
    // believed as far ahead as it would be believed back.
    actor.kind == PrincipalKind::System || actor.proven_at.is_some_and(|at| (now - at).abs() <= max_age_ms)
}

#[cfg(test)]
mod tests {
    use proto::{SessionId, UserId};
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_proof_is_good_for_its_age_and_no_longer_and_the_server_needs_none() {
        let person =
            |proven_at| Principal { proven_at, ..Principal::person(UserId(Uuid::nil()), SessionId(Uuid::nil())) };
        assert!(is_recent(&person(Some(1_000)), 1_000 + PROOF_MS, PROOF_MS));
        assert!(!is_recent(&person(Some(1_000)), 1_001 + PROOF_MS, PROOF_MS));
        // A clock that is ahead makes nothing good for longer.
        assert!(is_recent(&person(Some(1_000 + PROOF_MS)), 1_000, PROOF_MS));
        assert!(!is_recent(&person(Some(1_001 + PROOF_MS)), 1_000, PROOF_MS));
        assert!(!is_recent(&person(None), 1_000, PROOF_MS));
        assert!(is_recent(&Principal::SYSTEM, 1_000, PROOF_MS));
    }
}
