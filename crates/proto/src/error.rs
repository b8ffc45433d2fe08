//! The one table of error codes. A code is stable for ever; the text beside
//! it is for developers, people read the client's translation of the code.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub type Result<T, E = Error> = std::result::Result<T, E>;

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $status:literal, $text:literal;)+) => {
        /// A stable error code with its HTTP status and default text.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[expect(clippy::enum_variant_names, reason = "some errors are about codes that people type")]
        pub enum Code { $($(#[$doc])* $name,)+ }

        impl Code {
            pub const ALL: &'static [Code] = &[$(Code::$name,)+];

            pub const fn as_str(self) -> &'static str {
                match self { $(Code::$name => $code,)+ }
            }
            pub const fn status(self) -> u16 {
                match self { $(Code::$name => $status,)+ }
            }
            pub const fn text(self) -> &'static str {
                match self { $(Code::$name => $text,)+ }
            }
        }
    };
}

codes! {
    // What was asked cannot be read.
    BadRequest = "bad_request", 400, "the request cannot be understood";
    UnknownField = "unknown_field", 400, "the request names a field this API level does not know";
    InvalidCursor = "invalid_cursor", 400, "the cursor was not given by this list";
    InvalidField = "invalid_field", 422, "a field does not have the form it must have";
    FieldRequired = "field_required", 422, "a required field is missing or empty";
    FieldTooLong = "field_too_long", 422, "a field is longer than its limit";
    TooManyItems = "too_many_items", 422, "a list has more items than its limit";
    NulCharacter = "nul_character", 422, "text may not contain U+0000";
    BodyTooLarge = "body_too_large", 413, "the body is larger than its limit";
    BinaryUnsupported = "binary_unsupported", 415, "streams of this kind take no binary messages";
    UnsupportedMediaType = "unsupported_media_type", 415, "the content type must be application/json";
    MethodNotAllowed = "method_not_allowed", 405, "this address does not take that method";
    IdempotencyMismatch = "idempotency_mismatch", 422, "this idempotency key was used for another request";
    ApiLevel = "api_level_unsupported", 400, "the server does not speak the API level the client named";

    // Who is asking.
    Unauthenticated = "unauthenticated", 401, "sign in first";
    InvalidCredentials = "invalid_credentials", 401, "the sign-in name or the password is wrong";
    SecondFactorRequired = "second_factor_required", 401, "a code of the authenticator is needed too";
    SecondFactorInvalid = "second_factor_invalid", 401, "the code is wrong, or was used already";
    PasskeyRefused = "passkey_refused", 401, "the passkey was not accepted";
    CsrfRequired = "csrf_required", 403, "the request lacks the header that proves it came from the client";
    OriginRefused = "origin_refused", 403, "the request comes from another site";
    PlainHttpRefused = "plain_http_refused", 403, "signing in over plain http works on private addresses only";
    Forbidden = "forbidden", 403, "this person may not do that";
    ProofRequired = "proof_required", 403, "prove again who you are";
    ScopeMissing = "scope_missing", 403, "the token lacks the scope for that";
    NotFound = "not_found", 404, "there is no such thing, or it cannot be seen";

    PinMustChange = "pin_must_change", 409, "choose a password in the place of the PIN";
    AccountMerged = "account_merged", 403, "another account of this person stands for this one";

    // What stands in the way.
    MergeCodeInvalid = "merge_code_invalid", 404, "the code does not exist, is used up or has expired";
    FoundingClosed = "founding_closed", 403, "only members of an organisation found another one on this server";
    SharedComputer = "shared_computer", 403, "on a shared computer nothing can be changed that opens the account";
    MergeOver = "merge_over", 409, "this account is not merged into another one";
    MergeRefused = "merge_refused", 409, "these two accounts cannot be merged or parted now";
    Conflict = "conflict", 409, "the thing has changed in the meantime";
    LoginTaken = "login_taken", 409, "the sign-in name is taken";
    PasskeysUnavailable = "passkeys_unavailable", 409, "passkeys need https and a host name";
    PasskeyTaken = "passkey_taken", 409, "the passkey belongs to an account already";
    CeremonyOver = "ceremony_over", 410, "this took too long or was done already, begin again";
    LastCredential = "last_credential", 409, "an account needs something that opens it";
    TotpOff = "totp_off", 409, "no authenticator is set up";
    SharedSession = "shared_session", 403, "that cannot be done on a shared computer";
    LinkExpired = "link_expired", 410, "the time of this code is over";
    LinkRefused = "link_refused", 410, "signing in was refused on the other device";
    LinkUsed = "link_used", 410, "this code was used already";
    PasswordTooShort = "password_too_short", 422, "the password is too short";
    PasswordTooCommon = "password_too_common", 422, "the password is one of the most common ones";
    CodeInvalid = "code_invalid", 422, "the code is wrong, used up or has expired";
    SecondProofRequired = "second_proof_required", 403, "a code to a phone is not enough for this account";
    AskOrganisation = "ask_organisation", 403, "this account is opened again by its organisation only";
    SetupTokenInvalid = "setup_token_invalid", 403, "the set-up link is used up or wrong";
    SignupClosed = "signup_closed", 403, "this server takes new people by invitation only";
    InvitationInvalid = "invitation_invalid", 404, "the invitation does not exist, has expired or was withdrawn";
    InvitationUsedUp = "invitation_used_up", 409, "the invitation was used as often as it may be";
    AlreadyMember = "already_member", 409, "this person is a member already";
    LastOwner = "last_owner", 409, "an organisation needs an owner";
    NotMember = "not_member", 422, "a person named is not a member of the organisation";
    MemberSuspended = "member_suspended", 403, "this membership is suspended";
    NumberTaken = "number_taken", 409, "another member of the organisation has this number";
    RequestDecided = "request_decided", 409, "the request was decided already";
    OrgSuspended = "org_suspended", 403, "the organisation is suspended";
    ConversationReadOnly = "conversation_read_only", 403, "this conversation takes no messages";
    GuestLinkInvalid = "guest_link_invalid", 404, "the link does not exist, has expired or was withdrawn";
    GuestLinkUsedUp = "guest_link_used_up", 409, "the link was used as often as it may be";
    GuestLinksFull = "guest_links_full", 409, "one has as many guest links as one may have";
    ConversationFull = "conversation_full", 409, "the conversation has as many members as it may have";
    MessageEmpty = "message_empty", 422, "a message needs some text";
    MessageRecalled = "message_recalled", 409, "the message was recalled";
    EditWindowClosed = "edit_window_closed", 409, "the time for editing this message is over";
    RecallWindowClosed = "recall_window_closed", 409, "the time for recalling this message is over";
    UndoWindowClosed = "undo_window_closed", 409, "the time for undoing this message is over";
    DraftConflict = "draft_conflict", 409, "the draft was changed elsewhere in the meantime";
    OutsideConfirmRequired = "outside_confirm_required", 409, "people from outside of the organisation would read this, confirm it";
    AckForbidden = "ack_forbidden", 403, "this person may not ask everyone here to acknowledge";
    AckNotAsked = "ack_not_asked", 409, "the message does not ask this person to acknowledge it";
    MentionInvalid = "mention_invalid", 422, "a mention names someone who is not in the conversation";
    MentionAllForbidden = "mention_all_forbidden", 403, "this person may not mention everyone here";
    ReactionInvalid = "reaction_invalid", 422, "a reaction is one emoji";
    ReactionsFull = "reactions_full", 409, "the message has as many different reactions as it may have";
    ImageUnsupported = "image_unsupported", 422, "a photo is a still png, jpeg or webp";
    ImageTooLarge = "image_too_large", 422, "the picture has more pixels than its limit";
    ImageBroken = "image_broken", 422, "the picture cannot be read";
    BlockedByYou = "blocked_by_you", 409, "this person is blocked by the one who asks";
    CardUnknown = "card_unknown", 422, "no module offers a card of that kind";
    UploadOffset = "upload_offset", 409, "the upload stands at another offset";
    UploadChecksum = "upload_checksum", 460, "the bytes do not have the checksum that was named";
    TusVersion = "tus_version", 412, "uploads speak tus 1.0.0";
    FileTooLarge = "file_too_large", 413, "the file is larger than its limit";
    FileNameInvalid = "file_name_invalid", 422, "a file cannot have that name";
    QuotaFull = "quota_full", 409, "there is no space left for this file";
    TooManyUploads = "too_many_uploads", 429, "too many uploads are unfinished";
    FileAttached = "file_attached", 409, "the file is part of a message";
    FileMissing = "file_missing", 410, "the file is lost or damaged on the server, its operator can look for it in a backup";
    FileUnknown = "file_unknown", 422, "there is no such file, or it cannot be sent on";
    ChannelUnavailable = "channel_unavailable", 409, "this server sends nothing by that way";
    ContactUnverified = "contact_unverified", 422, "the address is not verified as the person's own";
    NotAPicture = "not_a_picture", 422, "the file is not a picture that can be shown";

    CardUsed = "card_used", 409, "the first card was used; getting back in needs two administrators";
    CardUnused = "card_unused", 409, "whoever has not used their first card yet cannot lead";
    RecoveryNeedsTwo = "recovery_needs_two", 409, "recovery needs two who have led for seven days, one of them an owner, the second not made so by the first";
    RecoveryNotPossible = "recovery_not_possible", 409, "the organisation cannot open this account for its person";
    RecoveryOpen = "recovery_open", 409, "a recovery of this account is under way";
    RecoveryNotReady = "recovery_not_ready", 409, "the person still has time to refuse";

    // What the server cannot do now.
    RateLimited = "rate_limited", 429, "too many requests, try again later";
    StorageFull = "storage_full", 507, "the server's disk is full, nothing was saved";
    OutcomeUnknown = "outcome_unknown", 503, "the connection to the database broke; it is not known whether this was saved";
    StorageUnavailable = "storage_unavailable", 503, "the store of files does not answer, try again shortly";
    Overloaded = "overloaded", 503, "the server is busy, try again shortly";
    ShuttingDown = "shutting_down", 503, "the server is shutting down";
    ResyncRequired = "resync_required", 410, "too far behind, read the state anew";
    Internal = "internal", 500, "something went wrong in the server";
}

/// An error of an action. Either part of the API, or internal with its source
/// kept for the log and hidden from the caller.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{}{}", code.as_str(), detail.as_ref().map(|d| format!(": {d}")).unwrap_or_default())]
    Api {
        code: Code,
        /// The field at fault, as a JSON pointer without the leading slash.
        field: Option<String>,
        /// Numbers and names the client's text needs: `limit`, `retry_after_ms`…
        context: Option<serde_json::Value>,
        /// For developers; never shown to people.
        detail: Option<String>,
    },
    #[error("internal: {0}")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl Error {
    pub fn api(code: Code) -> Self {
        Self::Api { code, field: None, context: None, detail: None }
    }

    /// An error of one field.
    pub fn field(code: Code, field: impl Into<String>) -> Self {
        Self::Api { code, field: Some(field.into()), context: None, detail: None }
    }

    /// A field longer than `limit`.
    pub fn too_long(field: impl Into<String>, limit: usize) -> Self {
        Self::field(Code::FieldTooLong, field).with("limit", limit)
    }

    pub fn internal(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Internal(source.into())
    }

    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<serde_json::Value>) -> Self {
        if let Self::Api { context, .. } = &mut self {
            let map = context.get_or_insert_with(|| serde_json::Value::Object(serde_json::Map::new()));
            map[name] = value.into();
        }
        self
    }

    #[must_use]
    pub fn detail(mut self, text: impl Into<String>) -> Self {
        if let Self::Api { detail, .. } = &mut self {
            *detail = Some(text.into());
        }
        self
    }

    pub fn code(&self) -> Code {
        match self {
            Self::Api { code, .. } => *code,
            Self::Internal(_) => Code::Internal,
        }
    }
}

impl From<Code> for Error {
    fn from(code: Code) -> Self {
        Self::api(code)
    }
}

/// RFC 9457 problem document, `application/problem+json`.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = kernel::Problem)]
pub struct Problem {
    /// `about:blank`: the code says it all.
    #[serde(rename = "type")]
    pub kind: String,
    pub title: String,
    pub status: u16,
    /// Stable; the client's translation is found by it.
    pub code: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(nullable = false)]
    pub field: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(nullable = false)]
    pub detail: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Object, nullable = false)]
    pub context: Option<serde_json::Value>,
    /// Found again in the server's log.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(nullable = false)]
    pub request_id: Option<String>,
}

impl Problem {
    pub fn of(error: &Error, request_id: Option<String>) -> Self {
        let code = error.code();
        let (field, context, detail) = match error {
            Error::Api { field, context, detail, .. } => (field.clone(), context.clone(), detail.clone()),
            Error::Internal(_) => (None, None, None),
        };
        Self {
            kind: "about:blank".into(),
            title: code.text().into(),
            status: code.status(),
            code: code.as_str().into(),
            field,
            detail,
            context,
            request_id,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn codes_are_unique_and_their_statuses_are_errors() {
        let mut seen = HashSet::new();
        for code in Code::ALL {
            assert!(seen.insert(code.as_str()), "{} stands twice", code.as_str());
            assert!((400..600).contains(&code.status()));
            assert!(!code.text().ends_with('.'));
        }
    }
}
