//! Turns that people take on this node: to send, and to be given bytes. There
//! are so many in all, so many for each person, fewer for guests, and the last
//! ones are kept for organisations that have few.

use std::{
    collections::HashMap,
    sync::{Arc, LazyLock},
};

use kernel::Ctx;
use parking_lot::Mutex;
use proto::{OrgId, PrincipalKind, UserId};

/// Who has turns. By the server too: several may run in one process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Whose {
    All(usize),
    Person(usize, UserId),
    /// Of an organisation, or of those outside of any.
    Org(usize, Option<OrgId>),
    /// All guests.
    Guests(usize),
    /// The guests of an organisation.
    GuestsOf(usize, Option<OrgId>),
}

/// How many turns there are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Most {
    pub(crate) all: usize,
    /// Of one person.
    pub(crate) each: usize,
    /// The last turns, for organisations that have fewer than these.
    pub(crate) kept: usize,
    /// Of all guests together.
    pub(crate) guests: usize,
    /// Of one guest.
    pub(crate) guest: usize,
}

pub(crate) struct Turns {
    most: Most,
    taken: LazyLock<Mutex<HashMap<Whose, usize>>>,
}

/// Why there is no turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Full {
    /// The person has as many as one may have.
    Own(usize),
    All,
}

/// Given back when it is dropped.
pub(crate) struct Turn {
    from: &'static Turns,
    whose: Vec<Whose>,
}

impl Turns {
    pub(crate) const fn new(most: Most) -> Self {
        Self { most, taken: LazyLock::new(Mutex::default) }
    }

    /// A turn of the actor's, for a file of this organisation.
    pub(crate) fn take(&'static self, ctx: &Ctx, org: Option<OrgId>) -> Result<Turn, Full> {
        let guest = ctx.actor.kind == PrincipalKind::Guest;
        self.take_of(Arc::as_ptr(&ctx.kernel).addr(), ctx.user(), org, guest)
    }

    fn take_of(&'static self, server: usize, user: UserId, org: Option<OrgId>, guest: bool) -> Result<Turn, Full> {
        let Most { all: most, kept, guests, .. } = self.most;
        let each = if guest { self.most.guest } else { self.most.each };
        let mut whose = vec![Whose::All(server), Whose::Person(server, user), Whose::Org(server, org)];
        let mut taken = self.taken.lock();
        let has = |who| taken.get(&who).copied().unwrap_or(0);
        let [all, own, theirs] = [whose[0], whose[1], whose[2]].map(has);
        if own >= each {
            return Err(Full::Own(each));
        }
        if all >= most || (all >= most - kept && theirs >= kept) {
            return Err(Full::All);
        }
        if guest {
            let (strangers, here) = (has(Whose::Guests(server)), has(Whose::GuestsOf(server, org)));
            // The last quarter is for those of organisations that have fewer.
            if strangers >= guests || (strangers >= guests - guests / 4 && here >= guests / 4) {
                return Err(Full::All);
            }
            whose.extend([Whose::Guests(server), Whose::GuestsOf(server, org)]);
        }
        for who in &whose {
            *taken.entry(*who).or_default() += 1;
        }
        Ok(Turn { from: self, whose })
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut taken = self.from.taken.lock();
        for who in &self.whose {
            if let Some(count) = taken.get_mut(who) {
                *count -= 1;
                if *count == 0 {
                    taken.remove(who);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    /// Seen to fail with the kept turns given to whoever comes.
    #[test]
    fn nobody_takes_all_turns_and_no_organisation_the_last_ones() {
        static TURNS: Turns = Turns::new(Most { all: 8, each: 3, kept: 2, guests: 0, guest: 0 });
        let (user, org) = (|n| UserId(Uuid::from_u128(n)), |n| Some(OrgId(Uuid::from_u128(n))));
        let take = |of, at| TURNS.take_of(1, user(of), at, false);
        let mut held: Vec<Turn> = (0..3).map(|_| take(1, org(1)).unwrap()).collect();
        assert_eq!(take(1, org(1)).err(), Some(Full::Own(3)));
        held.extend((0..3).map(|_| take(2, org(1)).unwrap()));
        assert_eq!(take(3, org(1)).err(), Some(Full::All), "the last two are kept");
        held.extend([take(4, org(2)).unwrap(), take(5, None).unwrap()]);
        assert_eq!(take(6, org(3)).err(), Some(Full::All));
        // Another server in this process has its own.
        drop(TURNS.take_of(2, user(1), org(1), false).unwrap());
        held.clear();
        assert!(TURNS.taken.lock().is_empty());
    }

    /// Seen to fail with guests counted as others are.
    #[test]
    fn guests_take_few_turns_each_and_leave_most_to_others() {
        static TURNS: Turns = Turns::new(Most { all: 8, each: 3, kept: 0, guests: 3, guest: 2 });
        let (user, org) = (|n| UserId(Uuid::from_u128(n)), Some(OrgId(Uuid::from_u128(1))));
        let take = |of, guest| TURNS.take_of(1, user(of), org, guest);
        let mut held: Vec<Turn> = (0..2).map(|_| take(1, true).unwrap()).collect();
        assert_eq!(take(1, true).err(), Some(Full::Own(2)));
        held.push(take(2, true).unwrap());
        assert_eq!(take(3, true).err(), Some(Full::All), "of all guests");
        held.extend((0..3).map(|_| take(4, false).unwrap()));
        held.extend((0..2).map(|_| take(5, false).unwrap()));
        assert_eq!(take(6, false).err(), Some(Full::All));
        held.remove(0);
        held.push(take(3, true).unwrap());
        held.clear();
        assert!(TURNS.taken.lock().is_empty());
    }

    /// Seen to fail with all guests in one pot.
    #[test]
    fn guests_of_one_organisation_leave_some_turns_to_those_of_others() {
        static TURNS: Turns = Turns::new(Most { all: 20, each: 9, kept: 0, guests: 8, guest: 9 });
        let take = |of, org| TURNS.take_of(1, UserId(Uuid::from_u128(of)), Some(OrgId(Uuid::from_u128(org))), true);
        let mut held: Vec<Turn> = (0..6).map(|n| take(n, 1).unwrap()).collect();
        assert_eq!(take(9, 1).err(), Some(Full::All), "the last two are kept");
        held.extend((10..12).map(|n| take(n, 2).unwrap()));
        assert_eq!(take(12, 3).err(), Some(Full::All));
        held.clear();
        assert!(TURNS.taken.lock().is_empty());
    }
}
