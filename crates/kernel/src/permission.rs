//! Permission by proof. Looking a thing up *for an action* yields the value
//! that the module's store demands, so a check cannot be forgotten, cannot
//! serve another action, and cannot outlive its transaction.

use std::{marker::PhantomData, ops::Deref};

use proto::{Code, Error, Result};
use store::{Key, Tx};

use crate::Principal;

/// A thing that permission is asked for. Implemented by the crate that owns it.
pub trait Resource: Sized + 'static {
    type Id: Copy;
    /// The name used in `x-authz`.
    const KIND: &'static str;

    /// What must be locked before a mutating action may be allowed.
    fn key(id: Self::Id) -> Key;
    /// Reads it together with what the policy needs to know of the actor;
    /// `None` where it does not exist *or the actor may not know that it does*.
    /// Both cases run the same statements.
    fn load(tx: &mut Tx<'_>, actor: &Principal, id: Self::Id) -> Result<Option<Self>>;
}

/// An action on a resource: a pure policy.
pub trait Act<R: Resource>: 'static {
    /// The name used in `x-authz`.
    const NAME: &'static str;
    /// Whether it writes, and so needs the resource locked.
    const WRITES: bool;
    fn decide(actor: &Principal, resource: &R) -> Result<(), Code>;
    /// How fresh a proof of the person this wants here, in milliseconds
    /// ([`crate::proof`]); asked only of whom [`Act::decide`] lets.
    fn proof(_resource: &R) -> Option<proto::Millis> {
        None
    }
}

/// The proof that `A` on this resource was allowed in the transaction `'t`.
#[derive(Debug)]
pub struct Allowed<'t, R, A> {
    resource: R,
    brand: PhantomData<(fn(&'t ()) -> &'t (), fn(A))>,
}

impl<R, A> Deref for Allowed<'_, R, A> {
    type Target = R;
    fn deref(&self) -> &R {
        &self.resource
    }
}

impl<R, A> Allowed<'_, R, A> {
    /// Gives up the proof and keeps the resource.
    pub fn into_inner(self) -> R {
        self.resource
    }

    /// For an action that changed what it holds and goes on with it.
    pub fn get_mut(&mut self) -> &mut R {
        &mut self.resource
    }
}

/// Asks for `A` on the resource `id`. 404 for what the actor cannot see, the
/// policy's own code for what it can see but not do.
pub fn allow<'t, R: Resource, A: Act<R>>(tx: &mut Tx<'t>, ctx: &crate::Ctx, id: R::Id) -> Result<Allowed<'t, R, A>> {
    if A::WRITES && !tx.holds(&R::key(id)) {
        return Err(Error::internal(format!("{} {} asked for without its lock", R::KIND, A::NAME)));
    }
    tx.acts(R::KIND, A::NAME);
    let resource = R::load(tx, &ctx.actor, id)?.ok_or(Code::NotFound)?;
    A::decide(&ctx.actor, &resource)?;
    if let Some(age) = A::proof(&resource) {
        crate::proof::recent(ctx, age)?;
    }
    Ok(Allowed { resource, brand: PhantomData })
}

/// Looks a resource up only to read it, with the permission `A`.
pub fn see<'t, R: Resource, A: Act<R>>(tx: &mut Tx<'t>, ctx: &crate::Ctx, id: R::Id) -> Result<Allowed<'t, R, A>> {
    const { assert!(!A::WRITES) };
    allow(tx, ctx, id)
}

/// What a list of `R` may show the actor: the owner crate writes an SQL
/// predicate once beside the policy, and its store binds it to this value.
#[derive(Clone, Debug)]
pub struct Visible<R> {
    actor: Principal,
    kind: PhantomData<fn() -> R>,
}

impl<R: Resource> Visible<R> {
    pub fn to(ctx: &crate::Ctx) -> Self {
        Self { actor: ctx.actor.clone(), kind: PhantomData }
    }

    pub fn actor(&self) -> &Principal {
        &self.actor
    }

    pub fn user(&self) -> proto::UserId {
        self.actor.user()
    }
}
