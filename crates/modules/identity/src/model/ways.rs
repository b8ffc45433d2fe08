//! What lets somebody in.

use serde::Serialize;
use utoipa::ToSchema;

/// Which credentials an account has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = identity::Credentials)]
#[expect(clippy::struct_excessive_bools, reason = "each is one way in, as the client shows it")]
pub struct Ways {
    pub password: bool,
    pub passkeys: i64,
    /// Codes of an authenticator are asked for beside the password.
    pub totp: bool,
    /// They are asked for and cannot be checked: the server lacks the key to
    /// the secret. Until it is back or another app is set up, a recovery code
    /// is taken.
    pub totp_unreadable: bool,
    /// How many recovery codes are left.
    pub recovery_codes: i64,
    /// A printed card that was not used yet.
    pub pin: bool,
}

impl Ways {
    /// Whether one of them lets the person in.
    pub const fn any(&self) -> bool {
        self.password || self.passkeys > 0 || self.pin
    }
}
