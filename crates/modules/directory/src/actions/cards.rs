//! Accounts an organisation issues to its people, with a card for each.

use identity::{Card, Issued, NewPin, PinReason};
use kernel::{Ctx, allow, audit, idempotency::Once, see, streams};
use proto::{Code, Error, OrgId, Result, StreamKey, UserId};
use serde_json::json;
use store::{Key, Tx};

use super::{join, joined_locks, keys};
use crate::{
    model::{
        Admission, IssueAccounts, ListRecoveries, MemberState, OrgResource, Role,
        cards::{Cards, NewAccount, NewAccounts, login},
        may_manage,
    },
    store as sql,
};

/// People in one transaction: each takes about twenty statements.
const SLICE: usize = 6;
/// Longer letters tried where another organisation has a sign-in name.
const TRIES: usize = 4;

/// One person of a request: a chunk may be sent again after a break, so what
/// was made before is found by its sign-in name and given a new card.
struct Place {
    person: NewAccount,
    id: UserId,
    pin: NewPin,
}

/// Issues accounts. The same idempotency key gives cards for the same
/// accounts, with new PINs, as long as nobody has used them.
pub(crate) async fn issue(ctx: Ctx, org: OrgId, once: Once, input: NewAccounts) -> Result<Cards> {
    input.checked()?;
    // Before the costly hashes.
    let context = ctx.clone();
    ctx.db().read(move |tx| see::<OrgResource, ListRecoveries>(tx, &context, org).map(drop)).await?;
    let mut again = None;
    let mut cards = Vec::with_capacity(input.people.len());
    for people in input.people.chunks(SLICE) {
        let mut places = Vec::with_capacity(people.len());
        for person in people {
            let pin = identity::draw_pin(&ctx.kernel).await?;
            places.push(Place { person: person.clone(), id: ctx.id(), pin });
        }
        let (context, once, first) = (ctx.clone(), once.clone(), cards.len());
        let made = ctx.db().write(move |tx| issue_slice(tx, &context, org, &once, &places, (first, again))).await?;
        again = Some(made.0);
        cards.extend(made.1);
    }
    Ok(Cards { cards })
}

fn issue_slice(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    org: OrgId,
    once: &Once,
    places: &[Place],
    (first, again): (usize, Option<bool>),
) -> Result<(bool, Vec<Card>)> {
    let mut locks = vec![Key::row("orgs", org.0), audit::key(Some(org))];
    locks.extend(once.keys(ctx));
    for place in places {
        locks.extend(keys(org, place.id));
        locks.push(identity::users::key(place.id));
        locks.extend(joined_locks(ctx, org, place.id));
    }
    tx.lock(&locks)?;
    let proof = allow::<OrgResource, IssueAccounts>(tx, ctx, org)?;
    // Kept by the first slice: a repetition of the request finds it.
    let again = if let Some(known) = again {
        known
    } else {
        let found = once.result(tx, ctx)?.is_some();
        if !found {
            once.keep(tx, ctx, org.0)?;
        }
        found
    };
    let mut cards = Vec::with_capacity(places.len());
    let mut made = 0;
    for (i, place) in places.iter().enumerate() {
        let before = if again { unused(tx, ctx, &proof, place)? } else { None };
        let card = if let Some(card) = before {
            card
        } else {
            made += 1;
            let field = format!("people/{}/number", first + i);
            let number = &place.person.number;
            if sql::number_taken(tx, proof.scope, number, place.id)? {
                return Err(Error::field(Code::NumberTaken, field));
            }
            let card = new_account(tx, ctx, org, place, &field)?;
            sql::recovery::reserve_number(tx, &proof, place.id, &card.name, number, ctx.now)?;
            let admission = Admission { role: Role::Member, ..Admission::of_founder(org) };
            join(tx, ctx, admission, place.id)?;
            card
        };
        cards.push(Card { number: Some(place.person.number.clone()), ..card });
    }
    let detail = json!({ "made": made, "again": cards.len() - made });
    audit::append(tx, ctx, Some(proof.scope), "directory.accounts_issued", &format!("org:{org}"), &detail)?;
    Ok((again, cards))
}

/// The account this request made before, with a new PIN, if nobody used it.
fn unused(tx: &mut Tx<'_>, ctx: &Ctx, org: &OrgResource, place: &Place) -> Result<Option<Card>> {
    let (scope, grants, org) = (org.scope, &org.grants, org.scope.org());
    for tries in 0..=TRIES {
        let login = login(org, &place.person.number, tries);
        let Some(user) = identity::by_login(tx, &login)? else { continue };
        if identity::manager(tx, user)? != Some(org) {
            continue;
        }
        let same = identity::users::get(tx, user)?.is_some_and(|u| u.name == place.person.name.trim());
        // Only for those whom one may act on: the PIN opens what they may do.
        let below = sql::member(tx, scope, user)?.is_none_or(|m| may_manage(grants, m.role));
        if !same || !below || !identity::is_unused(tx, user)? {
            return Ok(None);
        }
        return identity::give_card(tx, ctx, user, PinReason::First, &place.pin).map(Some);
    }
    Ok(None)
}

fn new_account(tx: &mut Tx<'_>, ctx: &Ctx, org: OrgId, place: &Place, field: &str) -> Result<Card> {
    for tries in 0..=TRIES {
        let login = login(org, &place.person.number, tries);
        match identity::by_login(tx, &login)? {
            Some(user) if identity::manager(tx, user)? == Some(org) => break,
            // Another organisation's letters begin alike.
            Some(_) => {}
            None => {
                let new =
                    Issued { id: place.id, name: &place.person.name, login: &login, managed_by: org, pin: &place.pin };
                return identity::issue_account(tx, ctx, &new);
            }
        }
    }
    Err(Error::field(Code::NumberTaken, field))
}

/// A new card for an issued account that nobody has used yet.
pub(crate) async fn new_card(ctx: Ctx, org: OrgId, user: UserId) -> Result<Card> {
    let context = ctx.clone();
    ctx.db().read(move |tx| see::<OrgResource, ListRecoveries>(tx, &context, org).map(drop)).await?;
    let pin = identity::draw_pin(&ctx.kernel).await?;
    ctx.clone()
        .db()
        .write(move |tx| {
            let mut locks = vec![Key::row("orgs", org.0), audit::key(Some(org))];
            locks.push(streams::key(StreamKey::person(user)));
            locks.extend(identity::card_keys(user));
            tx.lock(&locks)?;
            let proof = allow::<OrgResource, IssueAccounts>(tx, &ctx, org)?;
            let member = sql::member(tx, proof.scope, user)?.filter(|m| m.state != MemberState::Left);
            let member = member.ok_or(Code::NotFound)?;
            if !may_manage(&proof.grants, member.role) {
                return Err(Code::Forbidden.into());
            }
            if identity::manager(tx, user)? != Some(org) || !identity::is_unused(tx, user)? {
                return Err(Code::CardUsed.into());
            }
            let card = identity::give_card(tx, &ctx, user, PinReason::First, &pin)?;
            let object = format!("user:{user}");
            audit::append(tx, &ctx, Some(proof.scope), "directory.card_given", &object, &json!({}))?;
            Ok(card)
        })
        .await
}
