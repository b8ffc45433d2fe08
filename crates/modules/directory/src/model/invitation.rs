//! Offers to join, and their codes.

use proto::{Code, ConversationId, Error, InvitationId, Millis, OrgId, Result, UserId, limits};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{JoinRequest, Org};

/// An offer to join.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = directory::Invitation)]
pub struct Invitation {
    pub id: InvitationId,
    /// 16 characters without look-alikes; hyphens, case, and `o i l` for
    /// `0 1 1` do not matter when it is typed.
    pub code: String,
    /// Eight such characters, to be read aloud; opens the same. Shown as
    /// `XXXX-XXXX`. Guesses are limited.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub short: Option<String>,
    pub url: String,
    /// Whoever accepts waits until somebody approves.
    pub approval: bool,
    /// The organisation's own words for it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub label: Option<String>,
    pub expires_at: Millis,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub max_uses: Option<i64>,
    pub uses: i64,
    /// Requests that wait for approval; each holds one of `max_uses`.
    pub pending: i64,
    pub created_by: UserId,
    pub created_at: Millis,
    pub revoked: bool,
}

impl Invitation {
    /// Whether somebody new may accept it at `now`.
    pub(crate) fn check(&self, now: Millis) -> Result<(), Code> {
        if self.revoked || self.expires_at <= now {
            Err(Code::InvitationInvalid)
        } else if self.max_uses.is_some_and(|most| self.uses + self.pending >= most) {
            Err(Code::InvitationUsedUp)
        } else {
            Ok(())
        }
    }
}

#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = directory::NewInvitation)]
pub struct NewInvitation {
    /// 60 s to 1 year; 7 days if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_in_s: Option<i64>,
    /// 1 to 100,000; any number if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_uses: Option<i64>,
    /// Whoever accepts waits until somebody approves; no if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<bool>,
    /// At most 50 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
}

/// What to change of an invitation; what is left out stays.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = directory::InvitationChange)]
pub struct InvitationChange {
    /// From now; 60 s to 1 year.
    #[serde(default)]
    pub expires_in_s: Option<i64>,
    /// 1 to 100,000; 0 for any number.
    #[serde(default)]
    pub max_uses: Option<i64>,
    #[serde(default)]
    pub approval: Option<bool>,
    /// At most 50 characters; empty takes it away.
    #[serde(default)]
    pub label: Option<String>,
}

const DAY_S: i64 = 24 * 3_600;

/// A lifetime in milliseconds within its bounds.
fn lifetime(seconds: i64) -> Result<Millis> {
    if (60..=366 * DAY_S).contains(&seconds) {
        Ok(seconds * 1_000)
    } else {
        Err(Error::field(Code::InvalidField, "expires_in_s").with("min", 60).with("max", 366 * DAY_S))
    }
}

fn uses(most: i64) -> Result<i64> {
    if (1..=100_000).contains(&most) {
        Ok(most)
    } else {
        Err(Error::field(Code::InvalidField, "max_uses").with("min", 1).with("max", 100_000))
    }
}

fn label(text: &str) -> Result<Option<String>> {
    if text.is_empty() { Ok(None) } else { kernel::text::line("label", text, limits::LABEL_CHARS).map(Some) }
}

impl NewInvitation {
    /// `(lifetime in ms, most uses, label)` within their bounds.
    pub(crate) fn checked(&self) -> Result<(Millis, Option<i64>, Option<String>)> {
        let lifetime = lifetime(self.expires_in_s.unwrap_or(7 * DAY_S))?;
        let label = self.label.as_deref().map_or(Ok(None), label)?;
        Ok((lifetime, self.max_uses.map(uses).transpose()?, label))
    }
}

impl InvitationChange {
    /// The invitation as it is after this change.
    pub(crate) fn applied(&self, before: &Invitation, now: Millis) -> Result<Invitation> {
        let mut after = before.clone();
        if let Some(seconds) = self.expires_in_s {
            after.expires_at = now + lifetime(seconds)?;
        }
        if let Some(most) = self.max_uses {
            after.max_uses = if most == 0 { None } else { Some(uses(most)?) };
        }
        if let Some(approval) = self.approval {
            after.approval = approval;
        }
        if let Some(text) = &self.label {
            after.label = label(text)?;
        }
        Ok(after)
    }
}

/// What anyone who has the code may know.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = directory::InvitationLook)]
pub struct InvitationLook {
    pub org: InvitedTo,
    pub inviter: Inviter,
    /// Whoever accepts waits until somebody approves.
    pub approval: bool,
    pub expires_at: Millis,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = directory::InvitedTo)]
pub struct InvitedTo {
    pub id: OrgId,
    pub name: String,
    pub member_count: i64,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = directory::Inviter)]
pub struct Inviter {
    pub name: String,
}

/// What came of accepting.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(tag = "state", rename_all = "snake_case")]
#[schema(as = directory::Accepted)]
pub enum Accepted {
    /// One is in.
    Joined {
        org: Box<Org>,
        /// The conversation of everyone in it.
        conversation: ConversationId,
    },
    /// Somebody has to approve.
    Pending { request: JoinRequest },
}

#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = directory::Invitations)]
pub struct InvitationPage {
    pub items: Vec<Invitation>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// The letters of a code: Crockford's base 32, which has no look-alikes.
const LETTERS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

fn letters<const BYTES: usize>(random: [u8; BYTES]) -> String {
    let bits = random.iter().fold(0_u128, |bits, byte| bits << 8 | u128::from(*byte));
    (0..BYTES * 8 / 5).rev().map(|i| char::from(LETTERS[(bits >> (i * 5) & 31) as usize])).collect()
}

/// Eighty random bits as sixteen letters.
pub fn code(random: [u8; 10]) -> String {
    letters(random)
}

/// Forty random bits as eight letters.
pub(crate) fn short_code(random: [u8; 5]) -> String {
    letters(random)
}

/// A code as somebody typed it, in its one form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Typed {
    Whole(String),
    Short(String),
}

/// `None` where it cannot be a code.
pub(crate) fn read_code(text: &str) -> Option<Typed> {
    if text.len() > 64 {
        return None;
    }
    let letters = text.chars().filter(|c| !matches!(c, '-' | ' ')).map(|c| match c.to_ascii_lowercase() {
        'o' => '0',
        'i' | 'l' => '1',
        c => c,
    });
    let code: String = letters.collect();
    match code.len() {
        _ if !code.bytes().all(|b| LETTERS.contains(&b)) => None,
        16 => Some(Typed::Whole(code)),
        8 => Some(Typed::Short(code)),
        _ => None,
    }
}

/// A code of sixteen letters as somebody typed it; `None` where it cannot be
/// one.
pub fn read_whole(text: &str) -> Option<String> {
    match read_code(text)? {
        Typed::Whole(code) => Some(code),
        Typed::Short(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_has_eighty_bits_and_is_read_as_people_type_it() {
        assert_eq!(code([0; 10]), "0".repeat(16));
        assert_eq!(code([0xff; 10]), "z".repeat(16));
        assert_eq!(short_code([0xff; 5]), "z".repeat(8));
        let (made, short) = (code(*b"0123456789"), short_code(*b"01234"));
        assert_eq!(read_code(&made), Some(Typed::Whole(made.clone())));
        let typed = made.to_uppercase().replace('0', "O").replace('1', "l");
        assert_eq!(read_code(&format!("{}-{}", &typed[..8], &typed[8..])), Some(Typed::Whole(made.clone())));
        let typed = short.to_uppercase().replace('0', "O").replace('1', "l");
        assert_eq!(read_code(&format!("{} - {}", &typed[..4], &typed[4..])), Some(Typed::Short(short.clone())));
        for bad in
            ["", "u", &made[1..], &short[1..], &format!("{made}0"), &"0".repeat(65), "００００００００００００００００"]
        {
            assert_eq!(read_code(bad), None, "{bad}");
        }
    }
}
