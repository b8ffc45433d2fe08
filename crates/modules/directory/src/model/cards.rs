//! Accounts an organisation issues, and getting people back into theirs.

use identity::Card;
use proto::{Code, Error, Millis, OrgId, Result, UserId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::Role;
use crate::store::Leader;

const DAY: Millis = 24 * 3_600_000;
/// How long a person may refuse.
pub(crate) const REFUSE_MS: Millis = DAY;
/// How long somebody must have led an organisation before they count as one
/// of two.
pub(crate) const TRUST_MS: Millis = 7 * DAY;
/// How long a recovery waits for the second.
pub(crate) const ASKED_MS: Millis = 7 * DAY;
/// How long the card can be taken once it is ready.
const CARD_MS: Millis = 3 * DAY;
/// Whoever was seen as lately as this may well still get in.
pub(crate) const SEEN_MS: Millis = 3 * DAY;
/// People in one request.
pub(crate) const ISSUED_AT_ONCE: usize = 50;
/// Longest number of a member, in characters.
const NUMBER_CHARS: usize = 24;
/// Longest reason, in characters.
const REASON_CHARS: usize = 200;

/// Somebody to be given an account.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = directory::NewAccount)]
pub struct NewAccount {
    /// 1–50 characters of any script.
    pub name: String,
    /// The organisation's own: letters, digits and hyphens, 1–24; unique in it
    /// without regard to case.
    pub number: String,
}

#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = directory::NewAccounts)]
pub struct NewAccounts {
    /// 1 to 50.
    pub people: Vec<NewAccount>,
}

impl NewAccounts {
    /// What is wrong is named by its place: `people/3/number`.
    pub(crate) fn checked(&self) -> Result<()> {
        if self.people.len() > ISSUED_AT_ONCE {
            return Err(Error::field(Code::TooManyItems, "people").with("limit", ISSUED_AT_ONCE));
        }
        if self.people.is_empty() {
            return Err(Error::field(Code::FieldRequired, "people"));
        }
        let mut seen = std::collections::HashSet::new();
        for (i, person) in self.people.iter().enumerate() {
            kernel::text::name(&format!("people/{i}/name"), &person.name)?;
            let field = format!("people/{i}/number");
            let plain = |c: char| c.is_alphanumeric() || c == '-';
            let number = person.number.as_str();
            if number.chars().count() > NUMBER_CHARS {
                return Err(Error::too_long(field, NUMBER_CHARS));
            }
            if number.is_empty() || !number.chars().all(plain) {
                return Err(Error::field(Code::InvalidField, field));
            }
            if !seen.insert(kernel::text::fold(number)) {
                return Err(Error::field(Code::NumberTaken, field));
            }
        }
        Ok(())
    }
}

/// The sign-in name of a member: their number, and letters that stand for the
/// organisation. `tries` more letters where another organisation's are equal.
pub(crate) fn login(org: OrgId, number: &str, tries: usize) -> String {
    const LETTERS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
    let bits = Uuid::new_v5(&org.0, b"sign-in-name").as_u128();
    let letters = (0..5 + tries).map(|i| char::from(LETTERS[(bits >> (i * 5) & 31) as usize]));
    format!("{number}@{}", letters.collect::<String>())
}

/// Cards to print. Each PIN is shown this once.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = directory::Cards)]
pub struct Cards {
    pub cards: Vec<Card>,
}

#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = directory::NewRecovery)]
pub struct NewRecovery {
    /// For the other administrator and the person, 1–200 characters.
    pub reason: String,
}

impl NewRecovery {
    pub(crate) fn checked(&self) -> Result<String> {
        kernel::text::line("reason", &self.reason, REASON_CHARS)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = directory::RecoveryState)]
pub enum RecoveryState {
    /// Waits for a second administrator.
    Asked,
    /// Waits for the person to refuse, until `ready_at`.
    Approved,
    /// The second administrator may take the card.
    Ready,
    Refused,
    Done,
    /// Nobody acted in time, or the person has signed in since.
    Expired,
}

impl RecoveryState {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Approved | Self::Ready => "approved",
            Self::Refused => "refused",
            Self::Done => "done",
            Self::Expired => "expired",
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        [Self::Asked, Self::Approved, Self::Refused, Self::Done, Self::Expired].into_iter().find(|s| s.as_str() == text)
    }
}

/// Getting somebody back into their account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = directory::Recovery)]
pub struct Recovery {
    pub id: Uuid,
    pub user: UserId,
    pub reason: String,
    pub state: RecoveryState,
    /// The organisation keeps the account. The person has a day to refuse all
    /// the same where they have a place elsewhere, another way in, or were
    /// seen within three days.
    pub managed: bool,
    pub asked_by: UserId,
    pub asked_at: Millis,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approved_by: Option<UserId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approved_at: Option<Millis>,
    /// The card can be taken then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ready_at: Option<Millis>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closed_at: Option<Millis>,
}

impl Recovery {
    /// As it stands now: it becomes ready, and ends, with time; and it ends
    /// when the person signs in by themselves.
    pub(crate) fn at(self, now: Millis, signed_in: Option<Millis>) -> Self {
        let ready = self.ready_at.unwrap_or(Millis::MAX);
        let asked = self.state == RecoveryState::Asked;
        let until = if asked { self.asked_at + ASKED_MS } else { ready.saturating_add(CARD_MS) };
        let inside = signed_in.filter(|at| *at > self.asked_at);
        if !self.is_open() {
            self
        } else if inside.is_some() || now >= until {
            let ended = inside.map_or(until, |at| at.min(until));
            Self { state: RecoveryState::Expired, closed_at: Some(ended), ..self }
        } else if !asked && ready <= now {
            Self { state: RecoveryState::Ready, ..self }
        } else {
            self
        }
    }

    pub(crate) const fn is_open(&self) -> bool {
        matches!(self.state, RecoveryState::Asked | RecoveryState::Approved | RecoveryState::Ready)
    }
}

/// What decides whether two people are two: the second was not made by the
/// first, one of them owns, and both have led for long enough.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Two<'a> {
    /// The role of whom they let back in.
    pub(crate) target: Role,
    pub(crate) org_created_at: Millis,
    pub(crate) asked_at: Millis,
    pub(crate) asker: &'a Leader,
}

impl Two<'_> {
    /// Whether somebody may be the second at a time.
    pub(crate) fn with(&self, second: &Leader, now: Millis) -> bool {
        let asker = self.asker;
        // Where nobody can have led that long yet, the owner's word counts.
        let young = |at: Millis| at < self.org_created_at + TRUST_MS;
        let led = |who: &Leader, at: Millis| who.since + TRUST_MS <= at;
        let owners = [asker, second].iter().filter(|who| who.role == Role::Owner).count();
        second.user != asker.user
            && second.by != Some(asker.user)
            && second.since <= self.asked_at
            && owners >= if self.target == Role::Owner { 2 } else { 1 }
            && (led(asker, self.asked_at) || young(self.asked_at))
            && (led(second, now) || young(now) && second.role == Role::Owner)
    }
}

/// Approved; with the card where the organisation keeps the account.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = directory::Approved)]
pub struct Approved {
    pub recovery: Recovery,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub card: Option<Card>,
}

/// Recoveries, the newest first.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = directory::Recoveries)]
pub struct RecoveryPage {
    pub items: Vec<Recovery>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

#[cfg(test)]
mod tests {
    use proto::limits;

    use super::*;

    #[test]
    fn a_sign_in_name_is_the_number_and_letters_of_the_organisation() {
        let org = OrgId(Uuid::from_u128(7));
        let short = login(org, "2026-001", 0);
        assert_eq!(short.len(), "2026-001@".len() + 5);
        assert!(login(org, "2026-001", 3).starts_with(&short));
        assert_ne!(short, login(OrgId(Uuid::from_u128(8)), "2026-001", 0));
        const { assert!(limits::LOGIN_CHARS >= NUMBER_CHARS + 1 + 25) };
    }

    #[test]
    fn two_are_two_who_led_before_and_the_second_not_by_the_first() {
        use Role::{Admin, Member, Owner};
        let id = |n: u128| UserId(Uuid::from_u128(n));
        let leader = |n: u128, role, since, by: Option<u128>| Leader {
            user: id(n),
            name: String::new(),
            role,
            since,
            by: by.map(id),
        };
        let (week, later) = (TRUST_MS, 100 * TRUST_MS);
        let two = |asker: &Leader, target, second: &Leader, at| {
            Two { target, org_created_at: 0, asked_at: at, asker }.with(second, at)
        };
        let (owner, admin) = (leader(1, Owner, 0, None), leader(2, Admin, 0, Some(1)));
        assert!(two(&admin, Member, &owner, later) && two(&admin, Admin, &owner, later));
        // The owner made them, so they say what the owner says.
        assert!(!two(&owner, Member, &admin, later));
        assert!(!two(&owner, Member, &owner, later), "oneself");
        let other = leader(3, Admin, 0, Some(2));
        assert!(two(&owner, Member, &other, later));
        assert!(!two(&leader(4, Admin, 0, None), Member, &other, later), "no owner");
        assert!(!two(&admin, Owner, &owner, later), "two owners for an owner");
        assert!(two(&leader(5, Owner, 0, None), Owner, &owner, later));
        // Raised for it: whoever asks, and whoever agrees.
        let fresh = |role| leader(6, role, later - week + 1, Some(9));
        assert!(!two(&owner, Member, &fresh(Admin), later) && !two(&fresh(Admin), Member, &owner, later));
        assert!(!two(&admin, Member, &fresh(Owner), later));
        // In its first week the owner's word counts, nobody else's.
        assert!(two(&leader(2, Admin, 5, Some(1)), Member, &owner, 10));
        assert!(!two(&owner, Member, &leader(2, Admin, 5, Some(3)), 10));
        // Not raised between asking and agreeing.
        let asked = Two { target: Member, org_created_at: 0, asked_at: later, asker: &owner };
        assert!(!asked.with(&leader(7, Admin, later + 1, Some(9)), later + 2 * week));
    }

    #[test]
    fn a_recovery_ends_with_time_or_when_the_person_signs_in() {
        use RecoveryState::{Approved, Asked, Done, Expired, Ready, Refused};
        let at = |state, ready_at, now, signed_in| {
            let id = UserId(Uuid::nil());
            let r = Recovery {
                id: Uuid::nil(),
                user: id,
                reason: String::new(),
                state,
                managed: false,
                asked_by: id,
                asked_at: 10,
                approved_by: None,
                approved_at: None,
                ready_at,
                closed_at: None,
            };
            r.at(now, signed_in).state
        };
        assert_eq!(at(Asked, None, 9 + ASKED_MS, Some(10)), Asked);
        assert_eq!(at(Asked, None, 10 + ASKED_MS, None), Expired);
        assert_eq!(at(Asked, None, 20, Some(11)), Expired);
        assert_eq!(at(Approved, Some(30), 29, None), Approved);
        assert_eq!(at(Approved, Some(30), 30, None), Ready);
        assert_eq!(at(Approved, Some(30), 29 + CARD_MS, None), Ready);
        assert_eq!(at(Approved, Some(30), 30 + CARD_MS, None), Expired);
        assert_eq!(at(Approved, Some(30), 29, Some(11)), Expired);
        for ended in [Done, Refused] {
            assert_eq!(at(ended, Some(30), 99 * CARD_MS, Some(11)), ended);
        }
    }

    #[test]
    fn numbers_are_told_apart_without_regard_to_case() {
        let person = |number: &str| NewAccount { name: "张伟".into(), number: number.into() };
        let check = |numbers: &[&str]| {
            NewAccounts { people: numbers.iter().map(|n| person(n)).collect() }.checked().map_err(|e| e.code())
        };
        assert_eq!(check(&["A-1", "A-2"]), Ok(()));
        assert_eq!(check(&["A-1", "a-1"]), Err(Code::NumberTaken));
        assert_eq!(check(&["A 1"]), Err(Code::InvalidField));
        assert_eq!(check(&[""]), Err(Code::InvalidField));
        assert_eq!(check(&[]), Err(Code::FieldRequired));
        assert_eq!(check(&["x"; 51]), Err(Code::TooManyItems));
    }
}
