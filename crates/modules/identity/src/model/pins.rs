//! Cards with a PIN.

use proto::{Millis, UserId};
use serde::Serialize;
use utoipa::ToSchema;

const DAY: Millis = 24 * 3_600_000;

/// Why there is a card.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PinReason {
    /// The first one of an account that was issued.
    First,
    /// To get back into an account.
    Recovery,
}

impl PinReason {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Recovery => "recovery",
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        [Self::First, Self::Recovery].into_iter().find(|reason| reason.as_str() == text)
    }

    /// How long the card is good: a printed one may wait for a term to begin.
    pub const fn lifetime(self) -> Millis {
        match self {
            Self::First => 180 * DAY,
            Self::Recovery => 3 * DAY,
        }
    }
}

/// What is printed on a card. The PIN is shown this once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = identity::Card)]
pub struct Card {
    pub user: UserId,
    pub name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub number: Option<String>,
    pub login: String,
    /// Eight digits.
    pub pin: String,
    /// Where it is used; the QR code of the card.
    pub url: String,
    pub expires_at: Millis,
}

/// How often the PIN of one card may be tried in all: a hundred million of
/// them bear that, also where cards were printed by the thousand.
pub(crate) const PIN_TRIES: i64 = 100;

/// Digits of a PIN.
pub(crate) const PIN_DIGITS: usize = 8;

/// Whether something typed as a password has the form of a PIN: only then is
/// it compared with one, so that signing in costs one comparison.
pub(crate) fn is_pin(text: &str) -> bool {
    text.len() == PIN_DIGITS && text.bytes().all(|b| b.is_ascii_digit())
}

/// Eight random digits; every one equally likely to one part in 10^11.
pub(crate) fn pin(random: [u8; 8]) -> String {
    format!("{:08}", u64::from_be_bytes(random) % 100_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pin_is_eight_digits_and_nothing_else_is() {
        assert!(is_pin(&pin([0; 8])) && is_pin(&pin([0xff; 8])));
        for other in ["", "1234567", "123456789", "1234567a", "１２３４５６７８"] {
            assert!(!is_pin(other), "{other}");
        }
    }
}
