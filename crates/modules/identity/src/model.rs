//! What identity knows, and its pure rules.

pub mod contacts;
pub mod credentials;
pub mod links;
pub(crate) mod merges;
pub mod notices;
pub mod pins;
pub mod resets;
pub mod ways;

use std::str::FromStr;

use kernel::{
    Act, Principal, Resource,
    text::{fold, line},
};
use proto::{Code, Error, Millis, PrincipalKind, Result, SessionId, UserId, limits};
use serde::{Deserialize, Serialize};
use store::{Key, Tx};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use self::{contacts::Contact, ways::Ways};
use crate::store as sql;

/// A person who did nothing for so long may have given up their number: a code
/// to a phone alone does not open their account.
pub(crate) const SILENT_MS: Millis = 60 * 24 * 3_600_000;
/// Longest description of a device, in characters.
pub const DEVICE_CHARS: usize = 100;
/// Longest language tag (RFC 5646 §4.4.1), in bytes.
const LOCALE_BYTES: usize = 35;

/// What kind of account it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = identity::UserKind)]
pub enum UserKind {
    Person,
    Guest,
    Bot,
}

impl UserKind {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Guest => "guest",
            Self::Bot => "bot",
        }
    }

    pub(crate) const fn principal(self) -> PrincipalKind {
        match self {
            Self::Person => PrincipalKind::Person,
            Self::Guest => PrincipalKind::Guest,
            Self::Bot => PrincipalKind::Bot,
        }
    }
}

impl FromStr for UserKind {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        match text {
            "person" => Ok(Self::Person),
            "guest" => Ok(Self::Guest),
            "bot" => Ok(Self::Bot),
            other => Err(Error::internal(format!("a user of kind {other}"))),
        }
    }
}

/// A person, as others see them; `login` and `locale` only for oneself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = identity::User)]
pub struct User {
    pub id: UserId,
    /// 1–50 characters of any script, never split.
    pub name: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(nullable = false)]
    pub login: Option<String>,
    pub kind: UserKind,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(nullable = false)]
    pub locale: Option<String>,
    /// The account was erased; its name is empty.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub deleted: bool,
    /// Another account of the same person stands for this one and gives it its
    /// name. Only told to whoever may see that one too.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub merged_into: Option<UserId>,
    /// 0 where a guest asks.
    pub created_at: Millis,
    /// What they say of themselves, at most 200 characters; not for guests.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub bio: Option<String>,
    /// The version of their photo, for `GET /users/{id}/photo/{version}`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub photo: Option<i64>,
}

/// A person as somebody else sees them, with the marks relative to what the
/// two share.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = identity::SeenUser)]
pub struct SeenUser {
    #[serde(flatten)]
    pub user: User,
    #[serde(flatten)]
    pub marks: kernel::Marks,
}

impl User {
    /// Without what only the person sees.
    #[must_use]
    pub fn public(self) -> Self {
        Self { login: None, locale: None, ..self }
    }
}

/// How a session's secret travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = identity::SessionKind)]
pub enum SessionKind {
    Cookie,
    Bearer,
}

impl SessionKind {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Cookie => "cookie",
            Self::Bearer => "bearer",
        }
    }

    /// On a shared computer: unused for so long, and open for so long at all.
    pub(crate) const SHARED_IDLE_MS: Millis = 30 * 60_000;
    pub(crate) const SHARED_MOST_MS: Millis = 12 * 3_600_000;

    /// A session that is not used for so long ends.
    pub const fn idle_ms(self) -> Millis {
        const DAY: Millis = 24 * 3_600_000;
        match self {
            Self::Cookie => 90 * DAY,
            Self::Bearer => 365 * DAY,
        }
    }
}

impl FromStr for SessionKind {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        match text {
            "cookie" => Ok(Self::Cookie),
            "bearer" => Ok(Self::Bearer),
            other => Err(Error::internal(format!("a session of kind {other}"))),
        }
    }
}

/// A signed-in device of oneself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = identity::Session)]
pub struct Session {
    pub id: SessionId,
    /// What the client said it is, at most 100 characters.
    pub device: String,
    pub created_at: Millis,
    /// Exact to about a minute.
    pub last_seen_at: Millis,
    /// The session of this request.
    pub current: bool,
    pub kind: SessionKind,
    /// On a computer of many: ends after 30 minutes without use and after 12
    /// hours in any case; the client keeps nothing.
    #[serde(default)]
    pub shared: bool,
    /// The network address it was opened from or last used from.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub address: Option<String>,
    /// When it last proved a credential; signing in is a proof.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub proven_at: Option<Millis>,
}

/// A new account.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = identity::SignUp)]
pub struct SignUp {
    /// 1–50 characters of any script.
    pub name: String,
    /// 8–256 characters, none of the most common ones. May be left out with a
    /// good `invitation`: such an account lives by its session until something
    /// is added that lets one in again.
    #[serde(default)]
    pub password: Option<String>,
    /// 1–64 characters; left out, the server makes one from the name.
    #[serde(default)]
    pub login: Option<String>,
    /// Code of an invitation, needed where `signup` is `invitation`.
    #[serde(default)]
    pub invitation: Option<String>,
    /// From the link the server shows at its first start.
    #[serde(default)]
    pub setup_token: Option<String>,
    /// A token in the answer instead of a cookie.
    #[serde(default)]
    pub bearer: bool,
    /// At most 100 characters; left out, the `User-Agent` is used.
    #[serde(default)]
    pub device: Option<String>,
    /// This is a computer of many: see `shared` of a session.
    #[serde(default)]
    pub shared: bool,
}

/// Who signs in.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = identity::SignIn)]
pub struct SignIn {
    pub login: String,
    /// The password, or the PIN of a card.
    pub password: String,
    /// Six digits of the authenticator app, asked for with
    /// `second_factor_required` after the right password.
    #[serde(default)]
    pub totp: Option<String>,
    /// Where the app is lost: one of the recovery codes.
    #[serde(default)]
    pub recovery_code: Option<String>,
    /// Takes the place of the PIN; needed to sign in with one.
    #[serde(default)]
    pub new_password: Option<String>,
    /// A token in the answer instead of a cookie.
    #[serde(default)]
    pub bearer: bool,
    /// At most 100 characters; left out, the `User-Agent` is used.
    #[serde(default)]
    pub device: Option<String>,
    /// This is a computer of many: see `shared` of a session.
    #[serde(default)]
    pub shared: bool,
}

/// Somebody has signed in. Without `token` the session is in the cookie.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = identity::SignedIn)]
pub struct SignedIn {
    pub user: User,
    pub session: Session,
    /// For `Authorization: Bearer`; shown this once.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub token: Option<String>,
    /// By which the browser is known again; for its cookie only.
    #[serde(skip)]
    pub(crate) known_by: Option<String>,
}

/// Oneself.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = identity::Me)]
pub struct Me {
    pub user: User,
    pub session: Session,
    /// What lets one in again.
    pub credentials: Ways,
    pub contacts: Vec<Contact>,
    /// Whether one runs this server: may see how it does, under `/admin`.
    pub operator: bool,
}

/// What one may change of oneself; what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = identity::MeChange)]
pub struct MeChange {
    #[serde(default)]
    pub name: Option<String>,
    /// A language tag such as `zh-CN`.
    #[serde(default)]
    pub locale: Option<String>,
    /// At most 200 characters; empty takes it away.
    #[serde(default)]
    pub bio: Option<String>,
}

/// Which square of a photo.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PhotoQuery {
    /// 512 or 96 pixels; 512 if left out.
    #[serde(default)]
    pub size: Option<u32>,
}

/// What somebody says of themselves: `None` where it is empty.
pub(crate) fn bio(text: &str) -> Result<Option<String>> {
    kernel::text::paragraph("bio", text, limits::BIO_CHARS)?;
    let text = text.trim();
    Ok((!text.is_empty()).then(|| text.to_owned()))
}

#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = identity::Sessions)]
pub struct SessionList {
    pub items: Vec<Session>,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = identity::Users)]
pub struct UserList {
    pub items: Vec<SeenUser>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct UsersQuery {
    /// Ids with commas between, at most 200.
    pub ids: String,
}

impl UsersQuery {
    pub(crate) fn parse(&self) -> Result<Vec<UserId>> {
        let parts: Vec<&str> = self.ids.split(',').filter(|id| !id.is_empty()).collect();
        if parts.len() > limits::PAGE {
            return Err(Error::field(Code::TooManyItems, "ids").with("limit", limits::PAGE));
        }
        parts.iter().map(|id| id.parse().map_err(|_| Error::field(Code::InvalidField, "ids"))).collect()
    }
}

/// Which levels of this API the server speaks.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = identity::ApiLevels)]
pub struct ApiLevels {
    pub min: u32,
    pub max: u32,
}

/// Who may make an account.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = identity::SignupPolicy)]
pub enum SignupPolicy {
    Open,
    Invitation,
}

/// The server, as anyone may know it.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = identity::Server)]
#[expect(clippy::struct_field_names, reason = "the names of the contract")]
pub struct Server {
    pub name: String,
    pub version: String,
    pub api: ApiLevels,
    /// Changes when the server was restored from a backup: what is kept of it is void.
    pub epoch: Uuid,
    /// There is nobody yet: the set-up link makes the first account.
    pub setup_required: bool,
    pub signup: SignupPolicy,
    pub server_time: Millis,
    /// Served without TLS, to private addresses only.
    pub plain_http: bool,
    /// Whether passkeys can be used: over https or on `localhost`, and only at
    /// `public_url`.
    pub passkeys: bool,
    /// The address that links and passkeys are for.
    pub public_url: String,
    pub can: Sends,
}

/// What the server really sends; what it does not stands in its log.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[schema(as = identity::Sends)]
pub struct Sends {
    pub email: bool,
    pub sms: bool,
}

/// A sign-in name: as it is shown and as it is found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    pub shown: String,
    pub folded: String,
}

impl Login {
    /// Reads what somebody typed.
    pub fn read(text: &str) -> Result<Self> {
        let shown = line("login", text, limits::LOGIN_CHARS)?;
        let folded = fold(&shown);
        if folded.is_empty() {
            return Err(Error::field(Code::InvalidField, "login"));
        }
        Ok(Self { shown, folded })
    }

    /// What a name gives: itself.
    pub fn of_name(name: &str) -> Self {
        let folded = fold(name);
        // A name of dots alone folds to nothing.
        if folded.is_empty() {
            Self { shown: "user".into(), folded: "user".into() }
        } else {
            Self { shown: name.into(), folded }
        }
    }

    /// The `n`-th thing to try for a name that others have too: the name,
    /// then few digits while few have it, then ever more, drawn from `random`,
    /// so that the ten-thousandth 张伟 does not try ten thousand times.
    pub fn attempt(&self, n: usize, random: u64) -> Self {
        let digits = match n {
            0 => return self.clone(),
            1..=4 => (n as u64) + 1,
            _ => {
                let range = 10_u64.pow(u32::try_from(n - 2).unwrap_or(u32::MAX).min(9));
                range + random % (9 * range)
            }
        };
        Self { shown: format!("{}{digits}", self.shown), folded: format!("{}{digits}", self.folded) }
    }

    /// How many attempts are worth it: the last ones draw from ten digits.
    pub const ATTEMPTS: usize = 14;
}

/// A language tag: letters, digits and hyphens.
pub(crate) fn locale(text: &str) -> Result<String> {
    if text.len() > LOCALE_BYTES {
        return Err(Error::too_long("locale", LOCALE_BYTES));
    }
    let part = |part: &str| (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric());
    if !text.split('-').all(part) || !text.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return Err(Error::field(Code::InvalidField, "locale"));
    }
    Ok(text.to_owned())
}

/// How a device is called in the list: as the client says, else by its
/// `User-Agent`, of which only what may stand in a line is kept.
pub(crate) fn device(given: Option<&str>, user_agent: Option<&str>) -> Result<String> {
    match given.filter(|d| !d.trim().is_empty()) {
        Some(given) => line("device", given, DEVICE_CHARS),
        None => Ok(user_agent.unwrap_or("").chars().filter(|c| !c.is_control()).take(DEVICE_CHARS).collect()),
    }
}

/// Oneself, as a thing one has permissions on.
#[derive(Debug)]
pub struct Account {
    pub user: User,
}

impl Resource for Account {
    type Id = UserId;
    const KIND: &'static str = "account";

    fn key(id: UserId) -> Key {
        Key::row("users", id.0)
    }

    fn load(tx: &mut Tx<'_>, actor: &Principal, id: UserId) -> Result<Option<Self>> {
        let found = sql::user(tx, id)?;
        Ok(found.filter(|user| user.id.0 == actor.id && !user.deleted).map(|user| Self { user }))
    }
}

/// Reading one's account.
#[derive(Debug)]
pub struct See;
impl Act<Account> for See {
    const NAME: &'static str = "see";
    const WRITES: bool = false;
    fn decide(_: &Principal, _: &Account) -> Result<(), Code> {
        Ok(())
    }
}

/// Changing one's name or language.
#[derive(Debug)]
pub struct Change;
impl Act<Account> for Change {
    const NAME: &'static str = "change";
    const WRITES: bool = true;
    fn decide(_: &Principal, _: &Account) -> Result<(), Code> {
        Ok(())
    }
}

/// A session of oneself, as a thing one has permissions on.
#[derive(Debug)]
pub struct OwnSession {
    pub id: SessionId,
    pub user: UserId,
}

impl Resource for OwnSession {
    type Id = SessionId;
    const KIND: &'static str = "session";

    fn key(id: SessionId) -> Key {
        Key::row("identity_sessions", id.0)
    }

    fn load(tx: &mut Tx<'_>, actor: &Principal, id: SessionId) -> Result<Option<Self>> {
        let found = sql::live_session(tx, actor.user(), id)?;
        Ok(found.then(|| Self { id, user: actor.user() }))
    }
}

/// Signing a device out.
#[derive(Debug)]
pub struct End;
impl Act<OwnSession> for End {
    const NAME: &'static str = "end";
    const WRITES: bool = true;
    fn decide(_: &Principal, _: &OwnSession) -> Result<(), Code> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_is_found_by_its_folded_form_and_a_name_gives_one() {
        assert_eq!(Login::read(" Alice.Chen ").unwrap().folded, "alicechen");
        assert_eq!(Login::of_name("阿卜杜拉·买买提").folded, "阿卜杜拉买买提");
        assert_eq!(Login::of_name("···").folded, "user");
        assert_eq!(Login::read("...").unwrap_err().code(), Code::InvalidField);
        assert_eq!(Login::read(&"a".repeat(65)).unwrap_err().code(), Code::FieldTooLong);
    }

    #[test]
    fn logins_for_equal_names_take_more_digits_the_more_often_they_are_taken() {
        let login = Login::of_name("张伟");
        let tries: Vec<String> = (0..Login::ATTEMPTS).map(|n| login.attempt(n, u64::MAX).folded).collect();
        assert_eq!(tries[..3], ["张伟", "张伟2", "张伟3"]);
        assert!(tries[5].chars().count() == 2 + 4, "{tries:?}");
        assert!(tries.iter().all(|t| t.chars().count() <= 12), "{tries:?}");
    }

    #[test]
    fn a_language_tag_has_its_form() {
        for good in ["zh", "zh-CN", "zh-Hant-HK", "ug-Arab-CN"] {
            assert_eq!(locale(good).unwrap(), good);
        }
        for bad in ["", "-", "zh_CN", "zh-", "1", "中文", "en-toolongpart"] {
            assert!(locale(bad).is_err(), "{bad}");
        }
    }
}
