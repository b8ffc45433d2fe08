//! Contact points: what they are, and in which form they are kept.

use kernel::{Act, Principal, Resource, text::is_invisible};
use proto::{Code, Error, Millis, Result, UserId, limits};
use serde::{Deserialize, Serialize};
use store::{Key, Tx};
use unicode_normalization::UnicodeNormalization as _;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::store::contacts as sql;

/// What a contact point is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = identity::ContactKind)]
pub enum ContactKind {
    Email,
    Phone,
}

impl ContactKind {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Phone => "phone",
        }
    }
}

impl std::str::FromStr for ContactKind {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        match text {
            "email" => Ok(Self::Email),
            "phone" => Ok(Self::Phone),
            other => Err(Error::internal(format!("a contact of kind {other}"))),
        }
    }
}

/// Who else sees a contact point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = identity::ContactVisibility)]
pub enum Visibility {
    Nobody,
    Colleagues,
    Friends,
    Both,
}

impl Visibility {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Nobody => "nobody",
            Self::Colleagues => "colleagues",
            Self::Friends => "friends",
            Self::Both => "both",
        }
    }
}

impl std::str::FromStr for Visibility {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        match text {
            "nobody" => Ok(Self::Nobody),
            "colleagues" => Ok(Self::Colleagues),
            "friends" => Ok(Self::Friends),
            "both" => Ok(Self::Both),
            other => Err(Error::internal(format!("a contact visible to {other}"))),
        }
    }
}

/// A contact point of a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = identity::Contact)]
pub struct Contact {
    pub id: Uuid,
    pub kind: ContactKind,
    /// A mailbox, or a number in E.164 form.
    pub address: String,
    pub verified: bool,
    pub visible_to: Visibility,
    /// When a change comes into force that was made without the old address:
    /// one that is not verified yet takes its place then, a verified one is
    /// removed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub pending_until: Option<Millis>,
}

/// A contact point as somebody else sees it: verified, and shown to them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = identity::SeenContact)]
pub struct SeenContact {
    pub kind: ContactKind,
    pub address: String,
}

impl Visibility {
    /// Whether somebody who is this to the person sees it.
    pub(crate) const fn shows(self, colleague: bool, friend: bool) -> bool {
        match self {
            Self::Nobody => false,
            Self::Colleagues => colleague,
            Self::Friends => friend,
            Self::Both => colleague || friend,
        }
    }
}

#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = identity::Contacts)]
pub struct ContactList {
    pub items: Vec<Contact>,
}

/// A contact point to be added.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = identity::NewContact)]
pub struct NewContact {
    pub kind: ContactKind,
    /// A mailbox; or a number with its country code (`+86 138 …`), a Chinese
    /// mobile number also without.
    pub address: String,
}

/// Who is to see it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = identity::ContactChange)]
pub struct ContactChange {
    pub visible_to: Visibility,
}

/// The code that was sent to a contact point.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = identity::ContactProof)]
pub struct ContactProof {
    pub code: String,
    /// Where another address of the kind is verified: the code sent to that
    /// one, so that the change holds at once.
    #[serde(default)]
    pub old_code: Option<String>,
}

/// The code that was sent to the contact point that is to go.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = identity::ContactRemoval)]
pub struct ContactRemoval {
    pub old_code: String,
}

/// An address as it is shown and as it is found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    pub kind: ContactKind,
    pub shown: String,
    pub folded: String,
}

impl Address {
    pub fn read(field: &str, kind: ContactKind, text: &str) -> Result<Self> {
        if text.contains('\0') {
            return Err(Error::field(Code::NulCharacter, field));
        }
        if text.len() > limits::CONTACT_CHARS * 4 || text.chars().count() > limits::CONTACT_CHARS {
            return Err(Error::too_long(field, limits::CONTACT_CHARS));
        }
        let plain: String = text.nfkc().filter(|c| !is_invisible(*c)).collect();
        let read = match kind {
            ContactKind::Email => email(plain.trim()),
            ContactKind::Phone => phone(&plain).map(|number| (number.clone(), number)),
        };
        let (shown, folded) = read.ok_or_else(|| Error::field(Code::InvalidField, field))?;
        Ok(Self { kind, shown, folded })
    }

    /// Reads what somebody typed where either may stand.
    pub fn either(field: &str, text: &str) -> Result<Self> {
        let mail = text.contains(['@', '＠']);
        Self::read(field, if mail { ContactKind::Email } else { ContactKind::Phone }, text)
    }

    /// What tries and sends are counted by.
    pub fn key(kind: ContactKind, folded: &str) -> Uuid {
        Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("{}:{folded}", kind.as_str()).as_bytes())
    }
}

/// A mailbox as RFC 5321 §4.1.2 and RFC 6531 have it, without the quoted form
/// and without addresses in brackets, which nobody is given. Both sides fold:
/// no provider gives two people mailboxes that differ in case only.
fn email(text: &str) -> Option<(String, String)> {
    let (local, domain) = text.rsplit_once('@')?;
    let atom = |c: char| {
        c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c) || (!c.is_ascii() && c.is_alphanumeric())
    };
    let dots = local.starts_with('.') || local.ends_with('.') || local.contains("..");
    if local.is_empty() || local.len() > 64 || dots || !local.chars().all(atom) {
        return None;
    }
    let ascii = idna::domain_to_ascii(domain.trim_end_matches('.')).ok()?;
    let label = |l: &str| {
        (1..=63).contains(&l.len())
            && l.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !l.starts_with('-')
            && !l.ends_with('-')
    };
    // A number as the last label would be an IPv4 address.
    let last = ascii.rsplit('.').next().unwrap_or_default();
    if !ascii.split('.').all(label) || last.bytes().all(|b| b.is_ascii_digit()) || local.len() + ascii.len() > 253 {
        return None;
    }
    let folded = format!("{}@{ascii}", local.to_lowercase());
    Some((format!("{local}@{}", domain.trim_end_matches('.').to_lowercase()), folded))
}

/// What a message to a mailbox is addressed to: the domain as the network
/// knows it.
pub fn mailbox(shown: &str) -> String {
    shown
        .rsplit_once('@')
        .and_then(|(local, domain)| Some(format!("{local}@{}", idna::domain_to_ascii(domain).ok()?)))
        .unwrap_or_else(|| shown.to_owned())
}

/// A number in the form of ITU-T E.164: a plus, an assigned country code, at
/// most 15 digits. One telephone must have one spelling, or a number could be
/// proven twice: so a trunk zero is refused where numbers do not begin with
/// one, and the plans most of our people live in are checked whole (China's
/// mobile numbers, North America's ten digits).
fn phone(text: &str) -> Option<String> {
    let text = text.trim();
    let text = if text.starts_with('+') { text.replacen("(0)", "", 1) } else { text.to_owned() };
    let bare: String = text
        .chars()
        .filter(|c| !c.is_whitespace() && !matches!(c, '-' | '.' | '(' | ')' | '/' | '\u{2010}'..='\u{2015}'))
        .collect();
    let digits = match bare.strip_prefix('+').or_else(|| bare.strip_prefix("00")) {
        Some(digits) => digits.to_owned(),
        None if is_chinese_mobile(&bare) => format!("86{bare}"),
        None => return None,
    };
    if !(7..=15).contains(&digits.len()) || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let (country, national) = digits.split_at(country_code(&digits)?);
    let good = match country {
        "86" => is_chinese_mobile(national),
        "1" => national.len() == 10 && national.bytes().enumerate().all(|(i, b)| !matches!(i, 0 | 3) || b >= b'2'),
        // Their numbers begin with a zero that belongs to them.
        "39" | "225" | "241" | "242" | "378" => national.len() >= 4,
        _ => national.len() >= 4 && !national.starts_with('0'),
    };
    good.then(|| format!("+{digits}"))
}

/// 11 digits, 13 to 19 first (MIIT's numbering plan for mobile networks).
fn is_chinese_mobile(digits: &str) -> bool {
    let bytes = digits.as_bytes();
    bytes.len() == 11 && bytes.iter().all(u8::is_ascii_digit) && bytes[0] == b'1' && bytes[1] >= b'3'
}

/// How many digits of a number are its country code, by the ITU's list of
/// assigned codes (Operational Bulletin 1114, annex).
fn country_code(digits: &str) -> Option<usize> {
    let first = |n: usize| digits.get(..n).and_then(|d| d.parse::<u16>().ok()).unwrap_or(0);
    let two = matches!(
        first(2),
        20 | 27 | 30..=34 | 36 | 39..=41 | 43..=49 | 51..=58 | 60..=66 | 81 | 82 | 84 | 86 | 90..=95 | 98
    );
    let three = matches!(
        first(3),
        211..=213 | 216 | 218 | 220..=258 | 260..=269 | 290 | 291 | 297..=299 | 350..=359 | 370..=378 | 380..=383
            | 385..=387 | 389 | 420 | 421 | 423 | 500..=509 | 590..=599 | 670 | 672..=683 | 685..=692 | 850 | 852 | 853
            | 855 | 856 | 880 | 886 | 960..=968 | 970..=977 | 992..=996 | 998
    );
    match first(1) {
        1 | 7 => Some(1),
        _ if two => Some(2),
        _ if three => Some(3),
        _ => None,
    }
}

/// Enough of an address to know which one it was: `m…@example.org`,
/// `+86 … 0000`.
pub(crate) fn masked(kind: ContactKind, shown: &str) -> String {
    match (kind, shown.rsplit_once('@')) {
        (ContactKind::Email, Some((local, domain))) => {
            format!("{}…@{domain}", local.chars().next().unwrap_or_default())
        }
        _ => format!(
            "{}…{}",
            shown.get(..3).unwrap_or_default(),
            shown.get(shown.len().saturating_sub(4)..).unwrap_or_default()
        ),
    }
}

/// A contact point as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    pub contact: Contact,
    pub user: UserId,
    pub folded: String,
    pub proven_at: Option<Millis>,
}

/// A contact point of oneself, as a thing one has permissions on.
#[derive(Debug)]
pub struct OwnContact {
    pub kept: Kept,
}

impl Resource for OwnContact {
    type Id = Uuid;
    const KIND: &'static str = "contact";

    fn key(id: Uuid) -> Key {
        Key::row("identity_contacts", id)
    }

    fn load(tx: &mut Tx<'_>, actor: &Principal, id: Uuid) -> Result<Option<Self>> {
        Ok(sql::contact(tx, id)?.filter(|kept| kept.user.0 == actor.id).map(|kept| Self { kept }))
    }
}

/// Adding, proving, changing and removing one's contact points.
#[derive(Debug)]
pub struct Manage;
impl Act<OwnContact> for Manage {
    const NAME: &'static str = "manage";
    const WRITES: bool = true;
    fn decide(_: &Principal, _: &OwnContact) -> Result<(), Code> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn phone(text: &str) -> Option<String> {
        Address::read("address", ContactKind::Phone, text).ok().map(|a| a.folded)
    }

    fn email(text: &str) -> Option<String> {
        Address::read("address", ContactKind::Email, text).ok().map(|a| a.folded)
    }

    #[test]
    fn one_telephone_has_one_spelling() {
        for text in [
            "13800138000",
            "+86 138 0013 8000",
            "0086-138-0013-8000",
            "＋８６ １３８００１３８０００",
            "+86(138)00138000",
            "138\u{200b}00138000",
        ] {
            assert_eq!(phone(text).as_deref(), Some("+8613800138000"), "{text}");
        }
        for (text, number) in [
            ("+1 (415) 555-2671", "+14155552671"),
            ("+44 (0)20 7946 0018", "+442079460018"),
            ("+852 6123 4567", "+85261234567"),
            ("+39 06 1234 5678", "+390612345678"),
            ("+998 90 123 45 67", "+998901234567"),
        ] {
            assert_eq!(phone(text).as_deref(), Some(number), "{text}");
        }
        for bad in [
            "",
            "+",
            "12345",
            "+8601380013800",
            "+86 013800138000",
            "+861380013800",
            "+86 010 12345678",
            "+4407911123456",
            "+14155",
            "+10005552671",
            "+210123456",
            "+3",
            "4155552671",
            "+8613800138000123456",
            "+86138001380a0",
            "13800138000;ext=1",
            "+86+13800138000",
            "+9991234567",
        ] {
            assert_eq!(phone(bad), None, "{bad}");
        }
    }

    #[test]
    fn one_mailbox_has_one_folded_form() {
        for text in ["Ann@Example.org", " ann@example.ORG ", "ａｎｎ＠example.org", "ann@example.org."] {
            assert_eq!(email(text).as_deref(), Some("ann@example.org"), "{text}");
        }
        assert_eq!(email("王@例子.中国").as_deref(), Some("王@xn--fsqu00a.xn--fiqs8s"));
        assert_eq!(mailbox("王@例子.中国"), "王@xn--fsqu00a.xn--fiqs8s");
        for bad in [
            "",
            "@",
            "a@",
            "@b.c",
            "a b@c.d",
            "a@b c",
            "a@b..c",
            ".a@b.c",
            "a.@b.c",
            "a..b@c.d",
            "a@-b.c",
            "a@[127.0.0.1]",
            "a@127.0.0.1",
            "a\r\nBcc: x@y.z@c.d",
            "a<b>@c.d",
            "\"a b\"@c.d",
            "a,b@c.d",
            "a@b@c,d",
        ] {
            assert_eq!(email(bad), None, "{bad}");
        }
        assert_eq!(email(&format!("{}@b.c", "a".repeat(65))), None);
    }
}
