//! An event type lives in the crate where it happens; whoever wants to hear
//! of it depends on that crate, so no cycle is possible. Hooks run inside the
//! transaction, in the order of `needs`.

use std::{
    any::{Any, TypeId},
    collections::HashMap,
};

use proto::Result;
use store::{Key, Tx};

use crate::Ctx;

/// Something that happened inside a transaction.
pub trait Event: Any + Send + Sync {
    /// Whether a hook may refuse it.
    const VETOABLE: bool;
}

type Run<E> = for<'t, 'a> fn(&'a mut Tx<'t>, &'a Ctx, &'a E) -> Result<()>;

/// One module's ear for one kind of event.
pub struct Hook {
    event: TypeId,
    body: Box<dyn Any + Send + Sync>,
}

struct Typed<E: Event> {
    locks: fn(&E) -> Vec<Key>,
    run: Run<E>,
}

impl Hook {
    /// `locks` names what `run` will write, from the event alone: the action
    /// that raises it takes all locks at once, before its first read.
    pub fn on<E: Event>(locks: fn(&E) -> Vec<Key>, run: Run<E>) -> Self {
        Self { event: TypeId::of::<E>(), body: Box::new(Typed { locks, run }) }
    }
}

/// All hooks of all modules, in order.
#[derive(Default)]
pub struct Hooks(HashMap<TypeId, Vec<Box<dyn Any + Send + Sync>>>);

impl Hooks {
    pub fn add(&mut self, hook: Hook) {
        self.0.entry(hook.event).or_default().push(hook.body);
    }

    fn of<E: Event>(&self) -> impl Iterator<Item = &Typed<E>> {
        self.0.get(&TypeId::of::<E>()).into_iter().flatten().filter_map(|h| h.downcast_ref())
    }

    /// What the hooks of `event` will write.
    pub fn locks<E: Event>(&self, event: &E) -> Vec<Key> {
        self.of::<E>().flat_map(|h| (h.locks)(event)).collect()
    }

    pub fn run<E: Event>(&self, tx: &mut Tx<'_>, ctx: &Ctx, event: &E) -> Result<()> {
        for hook in self.of::<E>() {
            let outcome = (hook.run)(tx, ctx, event);
            if let Err(error) = outcome {
                return Err(match error {
                    refusal @ proto::Error::Api { .. } if !E::VETOABLE => {
                        proto::Error::internal(format!("a hook refused what cannot be refused: {refusal}"))
                    }
                    other => other,
                });
            }
        }
        Ok(())
    }
}
