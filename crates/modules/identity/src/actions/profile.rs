//! Oneself, others, and the server.

use std::{collections::HashMap, sync::Arc};

use kernel::{
    Allowed, Arrival, Channel, Ctx, Kernel, Known, allow, see,
    streams::{self, bump},
    text::{fold, name},
};
use proto::{API_LEVEL, Code, Header, PrincipalKind, Result, SessionId, StreamKey, UserId};

use super::totp;
use crate::{
    events::{ProfileChanged, profile},
    model::{
        Account, ApiLevels, Change, Me, MeChange, See, SeenUser, Sends, Server, SignupPolicy, User, UserList, bio,
        locale,
    },
    passkeys, store as sql,
};
use ::store::{Key, Tx};

/// Oneself and the session that asks.
pub(crate) async fn me(ctx: Ctx) -> Result<Me> {
    let session: SessionId = ctx.actor.session.ok_or(Code::NotFound)?;
    ctx.clone()
        .db()
        .read(move |tx| {
            let account = see::<Account, See>(tx, &ctx, ctx.user())?;
            let sessions = sql::sessions(tx, ctx.user(), ctx.now)?;
            let mut session = sessions.into_iter().find(|s| s.id == session).ok_or(Code::NotFound)?;
            session.current = true;
            let contacts = sql::contacts::of(tx, ctx.user())?.into_iter().map(|kept| kept.contact).collect();
            let mut credentials = sql::ways(tx, ctx.user())?;
            if let Some(kept) = sql::totp(tx, ctx.user())? {
                credentials.totp_unreadable = !totp::opens(&ctx, ctx.user(), &kept);
            }
            let operator = kernel::operators::is(tx, ctx.user())?;
            Ok(Me { user: account.into_inner().user, session, credentials, contacts, operator })
        })
        .await
}

/// Changes one's name, language or bio.
pub(crate) async fn change_me(ctx: Ctx, input: MeChange) -> Result<User> {
    let name = input.name.as_deref().map(|text| name("name", text)).transpose()?;
    let locale = input.locale.as_deref().map(locale).transpose()?;
    let bio = input.bio.as_deref().map(bio).transpose()?;
    ctx.clone()
        .db()
        .write(move |tx| {
            rewrite(tx, &ctx, |_, account, _| {
                let user = &mut account.get_mut().user;
                user.name = name.clone().unwrap_or_else(|| user.name.clone());
                user.locale = locale.clone().or_else(|| user.locale.clone());
                user.bio = bio.clone().unwrap_or_else(|| user.bio.clone());
                Ok(())
            })
        })
        .await
}

/// Lets `change` change the actor's own account, at the next rev of their
/// stream, and tells it. Nothing is written where nothing changes; others
/// hear by a hook of what they see of the person.
pub(super) fn rewrite<'t>(
    tx: &mut Tx<'t>,
    ctx: &Ctx,
    change: impl FnOnce(&mut Tx<'t>, &mut Allowed<'t, Account, Change>, i64) -> Result<()>,
) -> Result<User> {
    let (user, stream) = (ctx.user(), StreamKey::person(ctx.user()));
    let mut event = ProfileChanged { user, old_name: String::new(), name: String::new() };
    let mut locks = vec![Key::row("users", user.0), streams::key(stream)];
    locks.extend(ctx.hooks().locks(&event));
    tx.lock(&locks)?;
    let mut account = allow::<Account, Change>(tx, ctx, user)?;
    let before = account.user.clone();
    let rev = streams::head(tx, stream)? + 1;
    change(tx, &mut account, rev)?;
    if account.user == before {
        return Ok(before);
    }
    bump(tx, stream)?;
    sql::change_user(tx, &account, &fold(&account.user.name), rev)?;
    streams::emit(tx, stream, rev, Header::default(), &[profile(&account.user)])?;
    let seen = |user: &User| (user.name.clone(), user.bio.clone(), user.photo);
    if seen(&account.user) != seen(&before) {
        event.old_name = before.name;
        event.name.clone_from(&account.user.name);
        ctx.hooks().run(tx, ctx, &event)?;
    }
    Ok(account.into_inner().user)
}

/// One person, if the actor may see them.
pub(crate) async fn user(ctx: Ctx, id: UserId) -> Result<SeenUser> {
    let mut found = seen(ctx, vec![id]).await?;
    found.pop().ok_or_else(|| Code::NotFound.into())
}

/// Those of the named people whom the actor may see, in the order of ids.
pub(crate) async fn users(ctx: Ctx, ids: Vec<UserId>) -> Result<UserList> {
    Ok(UserList { items: seen(ctx, ids).await? })
}

async fn seen(ctx: Ctx, ids: Vec<UserId>) -> Result<Vec<SeenUser>> {
    ctx.clone()
        .db()
        .read(move |tx| {
            let known = Known::among(tx, &ctx, ids.clone())?;
            let marks = known.marks(tx, &ctx)?;
            let mut found = sql::public_users(tx, &known)?;
            add_remembered(tx, &known, &mut found)?;
            let merged = sql::merges::stand_ins(tx, found.iter().map(|user| user.id))?;
            if !merged.is_empty() {
                show_stand_ins(tx, &ctx, &mut found, &merged)?;
            }
            let marks = |user: &User| marks.get(&user.id).copied().unwrap_or_default();
            let guest = ctx.actor.kind == PrincipalKind::Guest;
            let shown = |user: User| if guest && user.id != ctx.user() { slim(user) } else { user };
            Ok(found.into_iter().map(|user| SeenUser { marks: marks(&user), user: shown(user) }).collect())
        })
        .await
}

/// What a guest sees of others: a name and a face.
fn slim(user: User) -> User {
    User { bio: None, created_at: 0, ..user }
}

/// Adds those who are no more than a name to the actor, in their place.
fn add_remembered(tx: &mut Tx<'_>, known: &Known, found: &mut Vec<User>) -> Result<()> {
    let names: HashMap<_, _> = known.remembered().collect();
    if names.is_empty() {
        return Ok(());
    }
    for user in sql::users(tx, names.keys().copied())? {
        let name = names.get(&user.id).copied().flatten().filter(|_| !user.deleted).unwrap_or(&user.name).to_owned();
        found.push(User { name, bio: None, photo: None, ..user.public() });
    }
    found.sort_unstable_by_key(|user| user.id);
    Ok(())
}

/// Gives those who were merged the name of the account that stands for them,
/// where the actor may see that one: else it would tell that the two are one.
fn show_stand_ins(tx: &mut Tx<'_>, ctx: &Ctx, users: &mut [User], merged: &[(UserId, UserId)]) -> Result<()> {
    let known = Known::among(tx, ctx, merged.iter().map(|(_, into)| *into).collect())?;
    let shown = sql::public_users(tx, &known)?;
    for user in users {
        let into = merged.iter().find(|(from, _)| *from == user.id).map(|(_, into)| *into);
        if let Some(stands) = shown.iter().find(|u| Some(u.id) == into) {
            user.merged_into = Some(stands.id);
            user.name.clone_from(&stands.name);
        }
    }
    Ok(())
}

/// What anyone may know of the server.
pub(crate) async fn server(kernel: Arc<Kernel>, arrival: Arrival) -> Result<Server> {
    let (config, live) = (&kernel.config, kernel.live());
    let setup_required = config.setup_required && !kernel.db.read(sql::anybody).await?;
    Ok(Server {
        name: live.name.clone(),
        version: config.version.to_owned(),
        api: ApiLevels { min: 1, max: API_LEVEL },
        epoch: kernel.db.epoch(),
        setup_required,
        signup: if live.signup_open { SignupPolicy::Open } else { SignupPolicy::Invitation },
        server_time: kernel.now(),
        plain_http: !arrival.https,
        passkeys: passkeys::available(config),
        public_url: config.public_url.clone(),
        can: Sends { email: kernel.delivery.can(Channel::Email), sms: kernel.delivery.can(Channel::Sms) },
    })
}
