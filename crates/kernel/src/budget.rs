//! Budgets: token buckets per person and purpose, in memory of each node.
//! An exhausted one answers 429 with the time at which asking makes sense.

use std::{collections::HashMap, sync::Arc};

use parking_lot::Mutex;
use proto::{Code, Error, Millis, Result};
use uuid::Uuid;

use crate::{Clock, Meters};

/// A purpose with its burst and its rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Budget {
    /// Requests of one person.
    Requests,
    /// Messages of one person.
    Messages,
    /// Sign-in tries for one name.
    SignIn,
    /// Sign-in tries from one address, all names together.
    SignInAddress,
    /// Passkey ceremonies and sign-in links begun from one address.
    Ceremony,
    /// Tries of one person to prove themselves again.
    Proof,
    /// Asking from one address whether a second device was let in.
    LinkClaim,
    /// Looking up codes of sign-in links by one person.
    LinkLook,
    /// New accounts from one address.
    SignUp,
    /// Asking for and trying reset codes from one address.
    Reset,
    /// Codes of accounts to be merged, tried by one person.
    MergeCode,
    /// Looking at invitations from one address.
    InvitationLook,
    /// Looking up the codes of people, for one person.
    PersonLook,
    /// Photos one person sends.
    Photos,
    /// Uploads one person begins.
    Uploads,
    /// Short codes that opened nothing, from one address.
    CodeGuess,
    /// Short codes that opened nothing, on the whole server.
    CodeGuessServer,
    /// Exports of one organisation.
    Export,
    /// Looking at guest links from one address.
    GuestLook,
    /// Guests who come in from one address.
    GuestEnter,
    /// Guests who come in by one link.
    GuestLink,
    /// Messages of one guest: a stranger writes as people do, not as a program.
    GuestMessages,
    /// Uploads one guest begins.
    GuestUploads,
    /// Pictures one guest is shown: each is half a megabyte for a line of asking.
    GuestPictures,
    /// Uploads all guests of one conversation begin.
    GuestsUploads,
    /// Searches in conversations by one person: each reads a piece of a history.
    MessageSearch,
    /// Messages of all guests of one conversation.
    GuestsTogether,
    /// Trying how a part of the server does, for one operator.
    HealthTest,
}

impl Budget {
    pub const ALL: &'static [Self] = &[
        Self::Requests,
        Self::Messages,
        Self::SignIn,
        Self::SignInAddress,
        Self::Ceremony,
        Self::Proof,
        Self::LinkClaim,
        Self::LinkLook,
        Self::MergeCode,
        Self::SignUp,
        Self::Reset,
        Self::InvitationLook,
        Self::PersonLook,
        Self::Photos,
        Self::Uploads,
        Self::CodeGuess,
        Self::CodeGuessServer,
        Self::Export,
        Self::GuestLook,
        Self::GuestEnter,
        Self::GuestLink,
        Self::GuestMessages,
        Self::GuestUploads,
        Self::GuestPictures,
        Self::GuestsUploads,
        Self::MessageSearch,
        Self::GuestsTogether,
        Self::HealthTest,
    ];

    /// As it stands in the metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Requests => "requests",
            Self::Messages => "messages",
            Self::SignIn => "sign_in",
            Self::SignInAddress => "sign_in_address",
            Self::Ceremony => "ceremony",
            Self::Proof => "proof",
            Self::LinkClaim => "link_claim",
            Self::LinkLook => "link_look",
            Self::MergeCode => "merge_code",
            Self::SignUp => "sign_up",
            Self::Reset => "reset",
            Self::InvitationLook => "invitation_look",
            Self::PersonLook => "person_look",
            Self::Photos => "photos",
            Self::Uploads => "uploads",
            Self::CodeGuess => "code_guess",
            Self::CodeGuessServer => "code_guess_server",
            Self::Export => "export",
            Self::GuestLook => "guest_look",
            Self::GuestEnter => "guest_enter",
            Self::GuestLink => "guest_link",
            Self::GuestMessages => "guest_messages",
            Self::GuestUploads => "guest_uploads",
            Self::GuestPictures => "guest_pictures",
            Self::GuestsUploads => "guests_uploads",
            Self::MessageSearch => "message_search",
            Self::GuestsTogether => "guests_together",
            Self::HealthTest => "health_test",
        }
    }

    /// `(burst, milliseconds until one is regained)`.
    #[expect(clippy::match_same_arms, reason = "one line a purpose, in their order")]
    const fn rate(self) -> (i64, i64) {
        match self {
            Self::Requests => (2_000, 2),
            Self::Messages => (1_000, 5),
            Self::SignIn => (10, 6_000),
            Self::SignInAddress => (100, 1_000),
            Self::Ceremony => (100, 1_000),
            Self::Proof => (10, 30_000),
            Self::LinkClaim => (300, 50),
            Self::LinkLook => (20, 6_000),
            Self::MergeCode => (10, 60_000),
            Self::SignUp => (1_000, 3_600),
            Self::Reset => (60, 10_000),
            Self::InvitationLook => (60, 1_000),
            Self::PersonLook => (60, 1_000),
            Self::Photos => (20, 30_000),
            Self::Uploads => (300, 1_000),
            Self::CodeGuess => (20, 30_000),
            Self::CodeGuessServer => (1_000, 100),
            Self::Export => (5, 10 * 60_000),
            Self::GuestLook => (120, 1_000),
            Self::GuestEnter => (30, 20_000),
            Self::GuestLink => (200, 2_000),
            Self::GuestMessages => (30, 2_000),
            Self::GuestUploads => (20, 5_000),
            Self::GuestPictures => (300, 100),
            Self::GuestsUploads => (60, 2_000),
            Self::MessageSearch => (100, 200),
            Self::GuestsTogether => (60, 1_000),
            Self::HealthTest => (6, 10_000),
        }
    }
}

/// All buckets of this node. A full bucket is not kept.
pub struct Budgets {
    clock: Arc<dyn Clock>,
    /// The moment each bucket will be full again (GCRA).
    full_at: Mutex<HashMap<(Budget, Uuid), Millis>>,
    /// Load measurements switch budgets off.
    unlimited: std::sync::atomic::AtomicBool,
    meters: Meters,
}

impl Budgets {
    /// Beyond this many buckets, those that are full are forgotten.
    const SWEEP_AT: usize = 100_000;

    pub fn new(clock: Arc<dyn Clock>, meters: Meters) -> Self {
        Self { clock, full_at: Mutex::default(), unlimited: false.into(), meters }
    }

    /// Switches budgets off, or on again.
    pub fn lift(&self, unlimited: bool) {
        self.unlimited.store(unlimited, std::sync::atomic::Ordering::Relaxed);
    }

    /// Takes one from the bucket of `who`.
    pub fn spend(&self, budget: Budget, who: Uuid) -> Result<()> {
        if self.unlimited.load(std::sync::atomic::Ordering::Relaxed) {
            return Ok(());
        }
        let now = self.clock.now();
        let (burst, each) = budget.rate();
        let mut buckets = self.full_at.lock();
        if buckets.len() > Self::SWEEP_AT {
            buckets.retain(|_, full_at| *full_at > now);
        }
        let full_at = buckets.entry((budget, who)).or_insert(now);
        if *full_at > now + burst * each {
            // Later than an empty one is: the clock was set back. Nobody waits for it.
            *full_at = now;
        }
        let next = (*full_at).max(now) + each;
        let wait = next - now - burst * each;
        if wait > 0 {
            drop(buckets);
            self.meters.refused(budget.as_str());
            return Err(Error::api(Code::RateLimited).with("retry_after_ms", wait));
        }
        *full_at = next;
        Ok(())
    }

    /// Gives back one: what was asked turned out not to count.
    pub fn give_back(&self, budget: Budget, who: Uuid) {
        let (_, each) = budget.rate();
        if let Some(full_at) = self.full_at.lock().get_mut(&(budget, who)) {
            *full_at -= each;
        }
    }

    /// Gives back all that `who` spent, after a success.
    pub fn refill(&self, budget: Budget, who: Uuid) {
        self.full_at.lock().remove(&(budget, who));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ManualClock;

    #[test]
    fn nobody_waits_for_a_clock_that_is_set_back() {
        let clock = Arc::new(ManualClock::new(100_000_000_000));
        let budgets = Budgets::new(clock.clone(), Meters::default());
        let who = Uuid::nil();
        budgets.spend(Budget::SignIn, who).unwrap();
        for _ in 0..3 {
            clock.advance(-86_400_000);
            budgets.spend(Budget::SignIn, who).unwrap();
        }
    }

    #[test]
    fn a_burst_is_allowed_then_the_wait_is_named_and_true() {
        let clock = Arc::new(ManualClock::new(1_000));
        let budgets = Budgets::new(clock.clone(), Meters::default());
        let who = Uuid::nil();
        for _ in 0..10 {
            budgets.spend(Budget::SignIn, who).unwrap();
        }
        let Error::Api { code, context, .. } = budgets.spend(Budget::SignIn, who).unwrap_err() else { panic!() };
        assert_eq!(code, Code::RateLimited);
        let wait = context.unwrap()["retry_after_ms"].as_i64().unwrap();
        clock.advance(wait - 1);
        assert!(budgets.spend(Budget::SignIn, who).is_err());
        clock.advance(1);
        budgets.spend(Budget::SignIn, who).unwrap();
        assert!(budgets.spend(Budget::SignIn, who).is_err());
    }
}
