//! Codes of an authenticator app beside the password, and recovery codes for
//! when it is lost.

use kernel::{Ctx, allow, audit, proof::PROOF_MS};
use proto::{Code, Error, Result, UserId};
use serde_json::json;
use sha2::{Digest, Sha256};
use store::{Key, Tx};
use uuid::Uuid;

use super::{
    notices::{notice_key, notify},
    throttle::{self, SECOND},
};
use crate::{
    model::{
        credentials::{
            Credentials, Finish, RECOVERY_CODES, RecoveryCodes, Second, Secure, TOTP_PENDING_MS, TotpSecret,
            totp_digits,
        },
        notices::NoticeKind,
    },
    store::{self as sql, KeptTotp},
    totp::{self, Column},
};

fn keys(user: UserId) -> [Key; 2] {
    [Key::row("users", user.0), notice_key(user)]
}

/// Makes a secret for an app, not in force before it is confirmed.
pub(crate) async fn begin_totp(ctx: Ctx) -> Result<TotpSecret> {
    ctx.clone()
        .db()
        .write(move |tx| {
            let user = ctx.user();
            tx.lock(&keys(user))?;
            let own = allow::<Credentials, Secure>(tx, &ctx, user)?;
            let secret = totp::new_secret(&ctx.kernel);
            let sealed = totp::seal(&ctx.kernel, Column::Pending, user, &secret)?;
            sql::begin_totp(tx, &own, &sealed, ctx.now)?;
            totp::shown(&secret, &ctx.kernel.live().name, &own.login)
        })
        .await
}

/// Takes the secret into force, by a code of the app; with a first set of
/// recovery codes.
pub(crate) async fn confirm_totp(ctx: Ctx, code: &str) -> Result<RecoveryCodes> {
    let digits = totp_digits(code).ok_or_else(|| Error::api(Code::SecondFactorInvalid))?;
    let (codes, hashes) = new_codes(&ctx);
    ctx.kernel.budgets.spend(kernel::Budget::Proof, ctx.actor.id)?;
    ctx.clone()
        .db()
        .write(move |tx| {
            let user = ctx.user();
            tx.lock(&keys(user))?;
            let own = allow::<Credentials, Finish>(tx, &ctx, user)?;
            let pending = sql::pending_totp(tx, user, ctx.now - TOTP_PENDING_MS)?.ok_or(Code::CeremonyOver)?;
            // One that cannot be read any more is begun anew.
            let secret = totp::open(&ctx.kernel, Column::Pending, user, &pending).ok_or(Code::CeremonyOver)?;
            let step = totp::step(&secret, &digits, 0, ctx.now)?;
            let sealed = totp::seal(&ctx.kernel, Column::Secret, user, &secret)?;
            sql::confirm_totp(tx, &own, &sealed, step, ctx.now)?;
            sql::set_recovery_codes(tx, &own, &hashes, ctx.now)?;
            changed(tx, &ctx, user, "totp_on")?;
            Ok(RecoveryCodes { recovery_codes: codes.clone() })
        })
        .await
}

/// No codes are asked for any more. Nothing happens where none were.
pub(crate) async fn drop_totp(ctx: Ctx) -> Result<()> {
    ctx.clone()
        .db()
        .write(move |tx| {
            let user = ctx.user();
            tx.lock(&keys(user))?;
            let own = allow::<Credentials, Secure>(tx, &ctx, user)?;
            let was_on = own.totp;
            sql::drop_totp(tx, &own)?;
            if was_on { changed(tx, &ctx, user, "totp_off") } else { Ok(()) }
        })
        .await
}

/// A new set of recovery codes; those of the old one are void.
pub(crate) async fn renew_codes(ctx: Ctx) -> Result<RecoveryCodes> {
    let (codes, hashes) = new_codes(&ctx);
    ctx.clone()
        .db()
        .write(move |tx| {
            let user = ctx.user();
            tx.lock(&keys(user))?;
            let own = allow::<Credentials, Secure>(tx, &ctx, user)?;
            if !own.totp {
                return Err(Code::TotpOff.into());
            }
            sql::set_recovery_codes(tx, &own, &hashes, ctx.now)?;
            changed(tx, &ctx, user, "recovery_codes_new")?;
            Ok(RecoveryCodes { recovery_codes: codes.clone() })
        })
        .await
}

fn changed(tx: &mut Tx<'_>, ctx: &Ctx, user: UserId, what: &str) -> Result<()> {
    audit::log_access(tx, ctx, user, what, "totp", &json!({}))?;
    notify(tx, ctx, user, NoticeKind::TotpChanged, json!({ "change": what }))
}

/// The letters of a recovery code: Crockford's base 32, without look-alikes.
const LETTERS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
/// Twelve letters are sixty bits: beyond guessing, even by whoever has the
/// hashes of a few.
const LETTERS_OF_A_CODE: usize = 12;

fn new_codes(ctx: &Ctx) -> (Vec<String>, Vec<[u8; 32]>) {
    let user = ctx.user();
    (0..RECOVERY_CODES)
        .map(|_| {
            let letters: String = ctx
                .kernel
                .random::<LETTERS_OF_A_CODE>()
                .iter()
                .map(|byte| char::from(LETTERS[usize::from(byte % 32)]))
                .collect();
            let hash = code_hash(user, &letters);
            (format!("{}-{}-{}", &letters[..4], &letters[4..8], &letters[8..]), hash)
        })
        .unzip()
}

fn code_hash(user: UserId, letters: &str) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(user.0.as_bytes());
    hash.update(letters.as_bytes());
    hash.finalize().into()
}

/// A recovery code as somebody typed it.
fn read_code(text: &str) -> Option<String> {
    if text.len() > 64 {
        return None;
    }
    let letters: String = text
        .chars()
        .filter(|c| !matches!(c, '-' | ' '))
        .map(|c| match c.to_ascii_lowercase() {
            'o' => '0',
            'i' | 'l' => '1',
            c => c,
        })
        .collect();
    (letters.len() == LETTERS_OF_A_CODE && letters.bytes().all(|b| LETTERS.contains(&b))).then_some(letters)
}

/// Whether codes of the app can be checked here.
pub(super) fn opens(ctx: &Ctx, user: UserId, kept: &KeptTotp) -> bool {
    totp::open(&ctx.kernel, Column::Secret, user, &kept.secret).is_some()
}

/// Asks for the second factor of a person who has one, in the transaction in
/// which the first was found good. `second_factor_required` names what there
/// is to show; a code that is taken here is taken for ever. Where the secret
/// cannot be read, the factor stays asked for and the app is none of what there
/// is to show: `second_factor_locked` where that is nothing, or a code of the
/// app was shown all the same.
/// Held: the person's row ([`crate::users::key`]).
pub(super) fn pass(tx: &mut Tx<'_>, ctx: &Ctx, user: UserId, second: &Second) -> Result<()> {
    let Some(kept) = sql::totp(tx, user)? else { return Ok(()) };
    match (&second.totp, &second.recovery_code) {
        (Some(code), _) => take(tx, ctx, user, &kept, code),
        (None, Some(code)) => {
            let letters = read_code(code).ok_or_else(|| Error::api(Code::SecondFactorInvalid))?;
            let left = sql::take_recovery_code(tx, user, &code_hash(user, &letters))?
                .ok_or_else(|| Error::api(Code::SecondFactorInvalid))?;
            audit::log_access(tx, ctx, user, "recovery_code_used", "totp", &json!({ "left": left }))
        }
        (None, None) => {
            let shows = [("totp", opens(ctx, user, &kept)), ("recovery_code", sql::recovery_codes_left(tx, user)? > 0)];
            let methods: Vec<&str> = shows.into_iter().filter(|(_, has)| *has).map(|(name, _)| name).collect();
            if methods.is_empty() {
                return Err(Code::SecondFactorLocked.into());
            }
            Err(Error::api(Code::SecondFactorRequired).with("methods", json!(methods)))
        }
    }
}

/// As [`pass`], and counts what is wrong, for all ways of showing it together:
/// the person is told that somebody was so far. `tries` is what it is counted
/// by. An `Err` inside is to be answered after a commit, so nothing else may
/// have been written. Held: as for [`pass`], and the key of [`SECOND`].
pub(super) fn counted(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    (user, tries): (UserId, Uuid),
    second: &Second,
    by: &'static str,
) -> Result<Result<()>> {
    if second.totp.is_none() && second.recovery_code.is_none() || sql::totp(tx, user)?.is_none() {
        return pass(tx, ctx, user, second).map(Ok);
    }
    count(tx, ctx, (user, tries), by, |tx| pass(tx, ctx, user, second))
}

fn count(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    (user, tries): (UserId, Uuid),
    by: &'static str,
    show: impl FnOnce(&mut Tx<'_>) -> Result<()>,
) -> Result<Result<()>> {
    let nth = match SECOND.take(tx, tries, ctx.now)? {
        Ok(nth) => nth,
        Err(ms) => return Ok(Err(throttle::wait(ms))),
    };
    match show(tx) {
        Ok(()) => SECOND.clear(tx, tries).map(Ok),
        Err(error) if error.code() == Code::SecondFactorInvalid => {
            if nth == 1 || nth % TOLD_EVERY == 0 {
                notify(tx, ctx, user, NoticeKind::SecondFactorWrong, json!({ "by": by, "times": nth }))?;
            }
            Ok(Err(error))
        }
        Err(error) => Err(error),
    }
}

fn take(tx: &mut Tx<'_>, ctx: &Ctx, user: UserId, kept: &KeptTotp, code: &str) -> Result<()> {
    let secret = totp::open(&ctx.kernel, Column::Secret, user, &kept.secret).ok_or(Code::SecondFactorLocked)?;
    let digits = totp_digits(code).ok_or_else(|| Error::api(Code::SecondFactorInvalid))?;
    let step = totp::step(&secret, &digits, kept.last_step, ctx.now)?;
    sql::take_step(tx, user, step)
}

/// A code as a proof of a person who is signed in, counted as in [`counted`].
pub(super) fn prove(tx: &mut Tx<'_>, ctx: &Ctx, of: (UserId, Uuid), code: &str) -> Result<Result<()>> {
    let kept = sql::totp(tx, of.0)?.ok_or(Code::TotpOff)?;
    count(tx, ctx, of, "session", |tx| take(tx, ctx, of.0, &kept, code))
}

/// The first wrong one is told, and every so many after it.
const TOLD_EVERY: i64 = 5;

/// Proofs are fresh for so long; here for the documents of what asks for one.
const _: () = assert!(TOTP_PENDING_MS > PROOF_MS);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recovery_code_is_read_as_people_type_it() {
        for good in ["01ab-cdef-ghjk", "O1AB CDEF GHJK", "oLabcdefghjk"] {
            assert_eq!(read_code(good).as_deref(), Some("01abcdefghjk"), "{good}");
        }
        for bad in ["", "01ab-cdef-ghj", "01ab-cdef-ghju", "０１ab-cdef-ghjk", &"0".repeat(65)] {
            assert_eq!(read_code(bad), None, "{bad}");
        }
    }
}
