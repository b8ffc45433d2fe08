//! Changing one's password.

use kernel::{Ctx, audit, proof};
use proto::{Code, Error, Result, SessionId};
use serde_json::json;
use store::Key;
use uuid::Uuid;

use super::{
    notices::notify,
    session,
    throttle::{self, SIGN_IN},
};
use crate::{
    entrance::Caller,
    model::{notices::NoticeKind, resets::PasswordChange},
    password::{self, Checked, Hashed, Password},
    store as sql,
};

/// Sets another password, by the present one; the first one by a fresh proof,
/// or by the session alone where there is nothing to prove by. Wrong ones are
/// counted for each session.
pub(crate) async fn change_password(ctx: Ctx, caller: &Caller, input: PasswordChange) -> Result<()> {
    caller.refuse_plain_http()?;
    let (kernel, user) = (ctx.kernel.clone(), ctx.user());
    let (who, known, ways) = ctx
        .db()
        .read(move |tx| Ok::<_, Error>((sql::user(tx, user)?, sql::own_password(tx, user)?, sql::ways(tx, user)?)))
        .await?;
    let (who, (login, present)) = who.zip(known).ok_or(Code::NotFound)?;
    let chosen = Password::chosen(&input.new_password, &who.name, who.login.as_deref())?;
    // Apart from those of whoever knows no more than the sign-in name.
    let tries = Uuid::new_v5(&throttle::login_key(&login), ctx.actor.session.unwrap_or(SessionId(user.0)).0.as_bytes());
    match (&present, &input.password) {
        (Some(present), Some(given)) => {
            let (given, now) = (Password::given(given)?, ctx.now);
            kernel
                .db
                .write(move |tx| {
                    tx.lock(&[SIGN_IN.key(tries)])?;
                    SIGN_IN.take(tx, tries, now)?.map_err(throttle::wait).map(drop)
                })
                .await?;
            if matches!(password::check(&kernel, &given, Some(present.clone())).await?, Checked::Wrong) {
                return Err(Error::field(Code::InvalidCredentials, "password"));
            }
        }
        (Some(_), None) => return Err(Error::field(Code::FieldRequired, "password")),
        (None, _) if ways.any() || ways.totp => proof::recent(&ctx, proof::PROOF_MS)?,
        (None, _) => {}
    }
    let hashed = password::hash(&kernel, &chosen).await?;
    kernel
        .db
        .write(move |tx| {
            let mut locks = session::keys(user);
            locks.extend([Key::row("users", user.0), SIGN_IN.key(tries)]);
            tx.lock(&locks)?;
            let now = sql::own_password(tx, user)?.ok_or(Code::NotFound)?.1;
            if now.as_ref().map(Hashed::as_str) != present.as_ref().map(Hashed::as_str) {
                return Err(Code::Conflict.into());
            }
            sql::set_password(tx, user, &hashed, ctx.now)?;
            SIGN_IN.clear(tx, tries)?;
            if input.end_other_sessions {
                session::end_all_but(tx, &ctx, user, ctx.actor.session)?;
            }
            let detail = json!({ "by": "self", "session": ctx.actor.session });
            notify(tx, &ctx, user, NoticeKind::PasswordChanged, detail)?;
            audit::log_access(tx, &ctx, user, "change", "password", &json!({ "ended": input.end_other_sessions }))
        })
        .await?;
    session::forget(&kernel, user);
    Ok(())
}
