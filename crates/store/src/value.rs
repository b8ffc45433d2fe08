//! Values that cross the border to an engine, and rows that come back.

use uuid::Uuid;

use crate::{Error, Result};

/// The six types both engines keep alike. Time is [`Value::Int`] milliseconds
/// UTC, a JSON document is [`Value::Text`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value<'a> {
    Null,
    Int(i64),
    Bool(bool),
    Real(f64),
    Text(&'a str),
    Bytes(&'a [u8]),
    Uuid(Uuid),
    /// Cannot be stored the same way on both engines; binding it is an error.
    Invalid(&'static str),
}

impl Value<'_> {
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Int(_) => "an integer",
            Self::Bool(_) => "a boolean",
            Self::Real(_) => "a real number",
            Self::Text(_) => "text",
            Self::Bytes(_) => "bytes",
            Self::Uuid(_) => "a uuid",
            Self::Invalid(what) => what,
        }
    }

    /// Refuses what one of the engines would change or refuse.
    pub(crate) fn check(&self) -> Result<()> {
        match self {
            // PostgreSQL refuses it, SQLite stores it and then cuts there.
            Self::Text(text) if text.as_bytes().contains(&0) => Err(Error::NulCharacter),
            // SQLite stores it as NULL.
            Self::Real(number) if number.is_nan() => Err(Error::OutOfRange("not a number")),
            Self::Invalid(what) => Err(Error::OutOfRange(what)),
            _ => Ok(()),
        }
    }
}

/// Can be a parameter.
pub trait ToValue {
    fn to_value(&self) -> Value<'_>;
}

/// Can be read from a column.
pub trait FromValue: Sized {
    const WANTED: &'static str;
    fn from_value(value: Value<'_>) -> Option<Self>;
}

macro_rules! integers {
    ($($type:ty)*) => {$(
        impl ToValue for $type {
            fn to_value(&self) -> Value<'_> {
                i64::try_from(*self).map_or(Value::Invalid(concat!("a ", stringify!($type), " beyond i64")), Value::Int)
            }
        }
        impl FromValue for $type {
            const WANTED: &'static str = stringify!($type);
            fn from_value(value: Value<'_>) -> Option<Self> {
                match value {
                    Value::Int(n) => n.try_into().ok(),
                    _ => None,
                }
            }
        }
    )*};
}

integers!(i64 i32 i16 u64 u32 u16 u8 usize);

impl ToValue for bool {
    fn to_value(&self) -> Value<'_> {
        Value::Bool(*self)
    }
}

impl FromValue for bool {
    const WANTED: &'static str = "a boolean";
    fn from_value(value: Value<'_>) -> Option<Self> {
        match value {
            // SQLite has no boolean of its own.
            Value::Int(0) => Some(false),
            Value::Int(1) => Some(true),
            Value::Bool(b) => Some(b),
            _ => None,
        }
    }
}

impl ToValue for f64 {
    fn to_value(&self) -> Value<'_> {
        Value::Real(*self)
    }
}

impl FromValue for f64 {
    const WANTED: &'static str = "a real number";
    fn from_value(value: Value<'_>) -> Option<Self> {
        match value {
            Value::Real(n) => Some(n),
            // `coalesce(real, 0)` is an integer to SQLite.
            #[expect(clippy::cast_precision_loss, reason = "the same loss as in the other engine")]
            Value::Int(n) => Some(n as Self),
            _ => None,
        }
    }
}

impl ToValue for str {
    fn to_value(&self) -> Value<'_> {
        Value::Text(self)
    }
}

impl ToValue for String {
    fn to_value(&self) -> Value<'_> {
        Value::Text(self)
    }
}

impl FromValue for String {
    const WANTED: &'static str = "text";
    fn from_value(value: Value<'_>) -> Option<Self> {
        match value {
            Value::Text(text) => Some(text.to_owned()),
            _ => None,
        }
    }
}

impl FromValue for Box<str> {
    const WANTED: &'static str = "text";
    fn from_value(value: Value<'_>) -> Option<Self> {
        match value {
            Value::Text(text) => Some(text.into()),
            _ => None,
        }
    }
}

impl ToValue for Box<str> {
    fn to_value(&self) -> Value<'_> {
        Value::Text(self)
    }
}

impl ToValue for [u8] {
    fn to_value(&self) -> Value<'_> {
        Value::Bytes(self)
    }
}

impl ToValue for Vec<u8> {
    fn to_value(&self) -> Value<'_> {
        Value::Bytes(self)
    }
}

impl<const N: usize> ToValue for [u8; N] {
    fn to_value(&self) -> Value<'_> {
        Value::Bytes(self)
    }
}

impl FromValue for Vec<u8> {
    const WANTED: &'static str = "bytes";
    fn from_value(value: Value<'_>) -> Option<Self> {
        match value {
            Value::Bytes(bytes) => Some(bytes.to_vec()),
            _ => None,
        }
    }
}

impl<const N: usize> FromValue for [u8; N] {
    const WANTED: &'static str = "bytes of a fixed length";
    fn from_value(value: Value<'_>) -> Option<Self> {
        match value {
            Value::Bytes(bytes) => bytes.try_into().ok(),
            _ => None,
        }
    }
}

impl ToValue for Uuid {
    fn to_value(&self) -> Value<'_> {
        Value::Uuid(*self)
    }
}

impl FromValue for Uuid {
    const WANTED: &'static str = "a uuid";
    fn from_value(value: Value<'_>) -> Option<Self> {
        match value {
            Value::Uuid(id) => Some(id),
            // SQLite keeps the 16 bytes.
            Value::Bytes(bytes) => Self::from_slice(bytes).ok(),
            _ => None,
        }
    }
}

impl<T: ToValue> ToValue for Option<T> {
    fn to_value(&self) -> Value<'_> {
        self.as_ref().map_or(Value::Null, ToValue::to_value)
    }
}

impl<T: FromValue> FromValue for Option<T> {
    const WANTED: &'static str = T::WANTED;
    fn from_value(value: Value<'_>) -> Option<Self> {
        match value {
            Value::Null => Some(None),
            value => T::from_value(value).map(Some),
        }
    }
}

impl<T: ToValue + ?Sized> ToValue for &T {
    fn to_value(&self) -> Value<'_> {
        (**self).to_value()
    }
}

impl ToValue for Value<'_> {
    fn to_value(&self) -> Value<'_> {
        *self
    }
}

/// Makes typed ids (`proto::Id`) usable as parameters and columns. A blanket
/// implementation is not possible: the compiler must assume that `i64` could
/// become an `Id` one day.
#[macro_export]
macro_rules! id_values {
    ($($id:ty),+ $(,)?) => {$(
        impl $crate::ToValue for $id {
            fn to_value(&self) -> $crate::Value<'_> {
                $crate::Value::Uuid(::proto::Id::uuid(*self))
            }
        }
        impl $crate::FromValue for $id {
            const WANTED: &'static str = ::core::stringify!($id);
            fn from_value(value: $crate::Value<'_>) -> ::core::option::Option<Self> {
                <::uuid::Uuid as $crate::FromValue>::from_value(value).map(<Self as ::proto::Id>::from_uuid)
            }
        }
    )+};
}

id_values!(
    proto::UserId,
    proto::OrgId,
    proto::MemberId,
    proto::SessionId,
    proto::FileId,
    proto::BlobId,
    proto::ConversationId,
    proto::InvitationId,
    proto::GuestLinkId,
    proto::JoinRequestId,
    proto::RoleId,
    proto::PasskeyId,
    proto::CeremonyId,
    proto::LinkId,
    proto::ClientId,
    proto::JobId,
);

pub(crate) enum Cells<'a> {
    Sqlite(&'a rusqlite::Row<'a>),
    Postgres(&'a ::postgres::Row),
}

/// One row of a result.
pub struct Row<'a>(pub(crate) Cells<'a>);

impl Row<'_> {
    /// Column `i`, counted from 0. Never converts silently: what does not fit
    /// the wanted type is [`Error::Decode`].
    pub fn get<T: FromValue>(&self, i: usize) -> Result<T> {
        let value = match &self.0 {
            Cells::Sqlite(row) => crate::sqlite::column(row, i),
            Cells::Postgres(row) => crate::postgres::column(row, i),
        }?;
        T::from_value(value).ok_or(Error::Decode { column: i, wanted: T::WANTED, found: value.kind() })
    }
}
