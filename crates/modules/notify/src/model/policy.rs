//! Who may do what with a ladder: its person, and nobody else.

use kernel::{Act, Principal, Resource};
use proto::{Code, PrincipalKind, Result, UserId};
use store::{Key, Tx};

/// The rungs of one person, as a thing that permission is asked for.
#[derive(Debug)]
pub(crate) struct Ladder {
    pub(crate) owner: UserId,
}

impl Resource for Ladder {
    type Id = UserId;
    const KIND: &'static str = "ladder";

    fn key(owner: UserId) -> Key {
        Key::advisory("notify", owner.0)
    }

    fn load(_: &mut Tx<'_>, actor: &Principal, owner: UserId) -> Result<Option<Self>> {
        // Everybody has a ladder, if one of no rungs; nothing needs to be read.
        let own = actor.kind == PrincipalKind::Person && actor.user() == owner;
        Ok(own.then_some(Self { owner }))
    }
}

/// Looking at one's own.
#[derive(Debug)]
pub(crate) struct See;

impl Act<Ladder> for See {
    const NAME: &'static str = "see";
    const WRITES: bool = false;
    fn decide(_: &Principal, _: &Ladder) -> Result<(), Code> {
        Ok(())
    }
}

/// Putting up, changing, trying, taking down.
#[derive(Debug)]
pub(crate) struct Change;

impl Act<Ladder> for Change {
    const NAME: &'static str = "change";
    const WRITES: bool = true;
    fn decide(_: &Principal, _: &Ladder) -> Result<(), Code> {
        Ok(())
    }
}
