//! One's contact points: adding, showing, asking for codes.

use kernel::{Ctx, Ephemeral, allow, audit};
use proto::{Code, Error, Result, StreamKey, limits};
use serde_json::json;
use uuid::Uuid;

use super::{
    codes::{self, Purpose},
    notices::notice_key,
    throttle,
};
use crate::{
    events::CONTACTS,
    model::{
        Account, Change,
        contacts::{Address, Contact, ContactChange, ContactList, Manage, NewContact, OwnContact},
        credentials::refuse_shared,
    },
    store::contacts as sql,
};
use ::store::{Key, Tx};

/// One's contact points, in the order in which they came.
pub(crate) async fn list_contacts(ctx: Ctx) -> Result<ContactList> {
    let items = ctx.clone().db().read(move |tx| sql::of(tx, ctx.user())).await?;
    Ok(ContactList { items: items.into_iter().map(|kept| kept.contact).collect() })
}

/// Tells one's open clients to read the contact points anew.
pub(super) fn touched(ctx: &Ctx, user: proto::UserId, id: Uuid) {
    ctx.kernel.ephemeral.send(Ephemeral::Touched { stream: StreamKey::person(user), touch: CONTACTS, id });
}

/// Counts a send to an address for a person, if one more is allowed.
fn take_send(tx: &mut Tx<'_>, ctx: &Ctx, address: Uuid) -> Result<()> {
    throttle::SEND_FOR.take(tx, ctx.user().0, ctx.now)?.map_err(throttle::wait)?;
    throttle::SEND.take(tx, address, ctx.now)?.map_err(throttle::wait).map(drop)
}

/// Adds an address and sends a code to it. Whether it is somebody else's is
/// not told: whoever receives the code has it.
pub(crate) async fn add_contact(ctx: Ctx, input: NewContact) -> Result<Contact> {
    let address = Address::read("address", input.kind, &input.address)?;
    let key = Address::key(address.kind, &address.folded);
    let (user, context, fresh) = (ctx.user(), ctx.clone(), ctx.id::<proto::JobId>().0);
    let contact = ctx
        .db()
        .write(move |tx| {
            let ctx = &context;
            tx.lock(&[Key::row("users", user.0), throttle::SEND.key(key), throttle::SEND_FOR.key(user.0)])?;
            allow::<Account, Change>(tx, ctx, user)?;
            refuse_shared(tx, &ctx.actor)?;
            let all = sql::of(tx, user)?;
            let known = all.iter().find(|k| k.contact.kind == address.kind && k.folded == address.folded);
            if let Some(known) = known.filter(|k| k.contact.verified || k.contact.pending_until.is_some()) {
                return Ok(known.contact.clone());
            }
            take_send(tx, ctx, key)?;
            let id = known.map_or(fresh, |k| k.contact.id);
            if known.is_none() {
                if all.len() >= limits::CONTACTS_PER_PERSON {
                    return Err(Error::field(Code::TooManyItems, "address").with("limit", limits::CONTACTS_PER_PERSON));
                }
                sql::add(tx, user, id, &address, ctx.now)?;
                audit::log_access(tx, ctx, user, "add", &format!("contact:{id}"), &json!({ "kind": address.kind }))?;
            }
            codes::request(tx, ctx, (Purpose::Verify, id), Some(user), (address.kind, &address.folded), true)?;
            let kept = sql::contact(tx, id)?.ok_or(Code::NotFound)?;
            Ok(kept.contact)
        })
        .await?;
    touched(&ctx, user, contact.id);
    Ok(contact)
}

/// Sends another code: to an address that is not verified, to prove it; to one
/// that is, so that it may be replaced or removed at once.
pub(crate) async fn send_contact_code(ctx: Ctx, id: Uuid) -> Result<Contact> {
    let (user, context) = (ctx.user(), ctx.clone());
    let found =
        ctx.db().read(move |tx| sql::contact(tx, id)).await?.filter(|k| k.user == user).ok_or(Code::NotFound)?;
    let key = Address::key(found.contact.kind, &found.folded);
    // To their own address nobody else uses up what is sent.
    let key = if found.contact.verified { Uuid::new_v5(&key, user.0.as_bytes()) } else { key };
    ctx.db()
        .write(move |tx| {
            let ctx = &context;
            tx.lock(&[
                Key::row("users", user.0),
                Key::row("identity_contacts", id),
                throttle::SEND.key(key),
                throttle::SEND_FOR.key(user.0),
            ])?;
            let own = allow::<OwnContact, Manage>(tx, ctx, id)?;
            let kept = &own.kept;
            let purpose = if kept.contact.verified { Purpose::Release } else { Purpose::Verify };
            take_send(tx, ctx, key)?;
            codes::request(tx, ctx, (purpose, id), Some(user), (kept.contact.kind, &kept.folded), true)?;
            Ok(own.into_inner().kept.contact)
        })
        .await
}

/// Changes who sees it.
pub(crate) async fn show_contact(ctx: Ctx, id: Uuid, input: ContactChange) -> Result<Contact> {
    let (user, context) = (ctx.user(), ctx.clone());
    let contact = ctx
        .db()
        .write(move |tx| {
            let ctx = &context;
            tx.lock(&[Key::row("users", user.0), Key::row("identity_contacts", id), notice_key(user)])?;
            let mut own = allow::<OwnContact, Manage>(tx, ctx, id)?;
            if own.kept.contact.visible_to != input.visible_to {
                own.get_mut().kept.contact.visible_to = input.visible_to;
                sql::show(tx, &own)?;
                let detail = json!({ "visible_to": input.visible_to });
                audit::log_access(tx, ctx, user, "show", &format!("contact:{id}"), &detail)?;
            }
            Ok::<_, Error>(own.into_inner().kept.contact)
        })
        .await?;
    touched(&ctx, user, id);
    Ok(contact)
}
