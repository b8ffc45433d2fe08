//! Two accounts of one person.

use kernel::merge::Conflict;
use proto::{Millis, UserId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// How long a code lives by which an account offers itself.
pub(crate) const OFFER_MS: Millis = 10 * 60_000;
/// How long a preview waits for the person to agree.
pub(crate) const PREVIEW_MS: Millis = 30 * 60_000;
/// How long a merge can be undone.
pub(crate) const UNDO_MS: Millis = 7 * 24 * 3_600_000;

/// The letters of a code: Crockford's base 32, which has no look-alikes.
const LETTERS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// Sixty random bits as twelve letters.
pub(crate) fn code(random: [u8; 8]) -> String {
    let bits = u64::from_be_bytes(random);
    (0..12).map(|i| char::from(LETTERS[(bits >> (i * 5) & 31) as usize])).collect()
}

/// A code as somebody typed it, in its one form; `None` where it cannot be one.
pub(crate) fn read_code(text: &str) -> Option<String> {
    if text.len() > 64 {
        return None;
    }
    let letters = text.chars().filter(|c| !matches!(c, '-' | ' ')).map(|c| match c.to_ascii_uppercase() {
        'O' => '0',
        'I' | 'L' => '1',
        c => c,
    });
    let code: String = letters.collect();
    (code.len() == 12 && code.bytes().all(|b| LETTERS.contains(&b))).then_some(code)
}

/// A code by which this account may be merged into the one that shows it.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = identity::MergeOffer)]
pub struct MergeOffer {
    /// 12 letters; hyphens, case, and `O I L` for `0 1 1` do not matter.
    pub code: String,
    pub expires_at: Millis,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = identity::NewMerge)]
pub struct NewMerge {
    /// Shown to the account that is to stand behind this one.
    pub code: String,
}

/// Where a merge has got to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = identity::MergeState)]
pub enum MergeState {
    /// Shown, and waiting to be confirmed for half an hour.
    Preview,
    Running,
    /// Can be undone until `undo_until`.
    Done,
    Undoing,
    Undone,
}

impl MergeState {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Preview => "preview",
            Self::Running => "running",
            Self::Done => "done",
            Self::Undoing => "undoing",
            Self::Undone => "undone",
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        [Self::Preview, Self::Running, Self::Done, Self::Undoing, Self::Undone].into_iter().find(|s| s.as_str() == text)
    }
}

/// The account that stands behind, as it is called.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = identity::MergeFrom)]
pub struct MergeFrom {
    pub id: UserId,
    pub name: String,
}

/// What the account brings.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
#[schema(as = identity::MergePreview)]
pub struct MergePreview {
    /// Organisations it is a member of.
    pub orgs: i64,
    pub conversations: i64,
    /// Messages it sent in them.
    pub messages: i64,
    pub friends: i64,
    /// Verified e-mail addresses and phone numbers.
    pub contacts: i64,
    pub passkeys: i64,
    /// 1 where it runs this server: the account that is kept will.
    #[serde(default)]
    pub operator: i64,
    #[schema(value_type = Vec<Conflict>)]
    pub conflicts: Vec<KeptConflict>,
}

/// A [`Conflict`] that can be read back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptConflict {
    pub kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Uuid>,
    pub blocks: bool,
}

impl From<Conflict> for KeptConflict {
    fn from(Conflict { kind, id, blocks }: Conflict) -> Self {
        Self { kind, id, blocks }
    }
}

impl MergePreview {
    pub(crate) fn count(&mut self, what: &str, n: i64) {
        let field = match what {
            "orgs" => &mut self.orgs,
            "conversations" => &mut self.conversations,
            "messages" => &mut self.messages,
            "friends" => &mut self.friends,
            "contacts" => &mut self.contacts,
            "passkeys" => &mut self.passkeys,
            "operator" => &mut self.operator,
            _ => return,
        };
        *field += n;
    }
}

/// Another account of one's own that stands, or is to stand, behind this one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = identity::Merge)]
pub struct Merge {
    pub id: Uuid,
    pub from: MergeFrom,
    pub state: MergeState,
    pub preview: MergePreview,
    pub created_at: Millis,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub done_at: Option<Millis>,
    /// It can be undone until then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub undo_until: Option<Millis>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub undone_at: Option<Millis>,
}

/// How an account that was merged is made one of its own again: by its own
/// sign-in name and password.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = identity::MergePart)]
pub struct MergePart {
    pub login: String,
    pub password: String,
    /// Six digits of the authenticator app, where one is asked for.
    #[serde(default)]
    pub totp: Option<String>,
    #[serde(default)]
    pub recovery_code: Option<String>,
}

/// It is being taken apart; a moment later the account can be signed in to.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = identity::MergeParting)]
pub struct MergeParting {
    pub state: MergeState,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = identity::Merges)]
pub struct MergeList {
    pub items: Vec<Merge>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_read_as_people_type_it() {
        let made = code([0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc, 0xde, 0xf0]);
        assert_eq!(made.len(), 12);
        let typed = made.to_lowercase().replace('0', "o").replace('1', "l");
        assert_eq!(read_code(&format!("{}-{} {}", &typed[..4], &typed[4..8], &typed[8..])), Some(made.clone()));
        for bad in ["", &made[1..], &format!("{made}0"), &"U".repeat(12), &"0".repeat(65)] {
            assert_eq!(read_code(bad), None, "{bad}");
        }
    }
}
