//! Accounts an organisation issues, and getting people back into theirs.

use identity::Card;
use proto::{Code, Error, Millis, OrgId, Result, UserId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// How long a person may refuse, whose account is their own.
pub(crate) const REFUSE_MS: Millis = 24 * 3_600_000;
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
}

impl RecoveryState {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Approved | Self::Ready => "approved",
            Self::Refused => "refused",
            Self::Done => "done",
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        [Self::Asked, Self::Approved, Self::Refused, Self::Done].into_iter().find(|s| s.as_str() == text)
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
    /// The organisation keeps the account; else the person has a day to refuse.
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
    /// As it stands now: readiness comes with time.
    pub(crate) fn at(self, now: Millis) -> Self {
        match self.state {
            RecoveryState::Approved if self.ready_at.is_some_and(|at| at <= now) => {
                Self { state: RecoveryState::Ready, ..self }
            }
            _ => self,
        }
    }

    pub(crate) const fn is_open(&self) -> bool {
        matches!(self.state, RecoveryState::Asked | RecoveryState::Approved | RecoveryState::Ready)
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
