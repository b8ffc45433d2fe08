//! Getting in again by a code to a contact point.
//!
//! A mailbox is given to one person. A number is given to the next one after
//! some months, so a code to a phone alone never opens an account that has
//! anything else to show, or that was silent for long.

use proto::{Code, Error, Result};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{contacts::ContactKind, credentials::Second, ways::Ways};

/// Whose account it may be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = identity::ResetStart)]
pub struct ResetStart {
    /// A mailbox or a phone number.
    pub contact: String,
}

/// What the code that was sent, if one was, belongs to.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = identity::Reset)]
pub struct Reset {
    pub id: Uuid,
}

/// The code that was sent.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = identity::ResetFinish)]
pub struct ResetFinish {
    pub code: String,
    /// 8–256 characters, none of the most common ones. May be left out where
    /// this contact point is the only way into the account.
    #[serde(default)]
    pub new_password: Option<String>,
    /// Where codes of an authenticator app are on.
    #[serde(default)]
    pub second: Option<Second>,
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

/// Another password.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = identity::PasswordChange)]
pub struct PasswordChange {
    /// The present one, where there is one.
    #[serde(default)]
    pub password: Option<String>,
    /// 8–256 characters, none of the most common ones.
    pub new_password: String,
    /// Whether all other devices are signed out; true if left out.
    #[serde(default = "yes")]
    pub end_other_sessions: bool,
}

const fn yes() -> bool {
    true
}

/// How an account stands when somebody shows the right code of a contact.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Standing {
    pub(crate) kind: ContactKind,
    pub(crate) ways: Ways,
    /// Another contact point of theirs is verified.
    pub(crate) other: Option<ContactKind>,
    /// Nothing was heard of them for sixty days.
    pub(crate) silent: bool,
    /// A second factor was shown and was right.
    pub(crate) second: bool,
    pub(crate) new_password: bool,
}

/// Whether the code opens the account. (Where a second factor is on, it is
/// asked for beside: by `totp::pass`.)
pub(crate) fn opens(standing: &Standing) -> Result<(), Error> {
    let Standing { kind, ways, other, silent, second, new_password } = *standing;
    let others = ways.any() || ways.totp || other.is_some();
    if kind == ContactKind::Phone && (others || silent) && !second {
        let shows = [
            ("password", ways.password),
            ("passkey", ways.passkeys > 0),
            ("totp", ways.totp),
            ("email", other == Some(ContactKind::Email)),
        ];
        let methods: Vec<&str> = shows.into_iter().filter(|(_, has)| *has).map(|(name, _)| name).collect();
        return Err(if methods.is_empty() {
            Code::AskOrganisation.into()
        } else {
            Error::api(Code::SecondProofRequired).with("methods", json!(methods))
        });
    }
    if !new_password && (ways.any() || other.is_some()) {
        return Err(Error::field(Code::FieldRequired, "new_password"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const BARE: Standing = Standing {
        kind: ContactKind::Phone,
        ways: Ways { password: false, passkeys: 0, totp: false, totp_unreadable: false, recovery_codes: 0, pin: false },
        other: None,
        silent: false,
        second: false,
        new_password: true,
    };

    fn refusal(standing: Standing) -> Option<(Code, String)> {
        match opens(&standing) {
            Ok(()) => None,
            Err(Error::Api { code, context, .. }) => {
                Some((code, context.map(|c| c["methods"].to_string()).unwrap_or_default()))
            }
            Err(other) => panic!("{other}"),
        }
    }

    #[test]
    fn a_code_to_a_phone_opens_only_an_account_that_has_nothing_else_and_is_in_use() {
        assert_eq!(refusal(BARE), None);
        assert_eq!(refusal(Standing { new_password: false, ..BARE }), None);
        assert_eq!(refusal(Standing { silent: true, ..BARE }), Some((Code::AskOrganisation, String::new())));
        let with = |ways: Ways| refusal(Standing { ways, ..BARE });
        let proof = |methods: &str| Some((Code::SecondProofRequired, methods.to_owned()));
        assert_eq!(with(Ways { password: true, ..BARE.ways }), proof(r#"["password"]"#));
        assert_eq!(with(Ways { passkeys: 1, ..BARE.ways }), proof(r#"["passkey"]"#));
        assert_eq!(with(Ways { totp: true, ..BARE.ways }), proof(r#"["totp"]"#));
        assert_eq!(with(Ways { pin: true, ..BARE.ways }), Some((Code::AskOrganisation, String::new())));
        assert_eq!(refusal(Standing { other: Some(ContactKind::Email), ..BARE }), proof(r#"["email"]"#));
        let locked = Standing { silent: true, ways: Ways { password: true, totp: true, ..BARE.ways }, ..BARE };
        assert_eq!(refusal(locked), proof(r#"["password","totp"]"#));
        assert_eq!(refusal(Standing { second: true, ..locked }), None);
    }

    #[test]
    fn a_code_to_a_mailbox_is_enough() {
        let mail = Standing { kind: ContactKind::Email, ..BARE };
        assert_eq!(refusal(Standing { silent: true, ..mail }), None);
        let password = Standing { ways: Ways { password: true, ..BARE.ways }, ..mail };
        assert_eq!(refusal(password), None);
        assert_eq!(refusal(Standing { new_password: false, ..password }), Some((Code::FieldRequired, String::new())));
        let unproven = Standing { other: Some(ContactKind::Phone), new_password: false, ..mail };
        assert_eq!(refusal(unproven).unwrap().0, Code::FieldRequired);
    }
}
