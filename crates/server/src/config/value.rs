//! The kinds of value that settings have. Each says what is valid.

use std::{
    collections::BTreeMap,
    fmt::Debug,
    net::{IpAddr, SocketAddr},
    path::PathBuf,
};

use ipnet::IpNet;
use toml::Value as Toml;

use crate::delivery::Secret;

/// A kind of value, read from the file or from the text of the environment
/// and of flags. An error says what it "is not"; it never repeats the value.
pub trait Value: Sized + Debug + PartialEq {
    /// What a check looks at: the value itself, also of an optional one.
    type Checked: ?Sized;
    const SECRET: bool = false;

    fn from_toml(value: &Toml) -> Result<Self, String> {
        match value {
            Toml::String(text) => Self::from_text(text),
            _ => Err("is not a text in quotation marks".into()),
        }
    }

    fn from_text(text: &str) -> Result<Self, String>;

    /// What holds where nothing is given and there is no default.
    fn absent() -> Option<Self> {
        None
    }

    fn checked(&self) -> Option<&Self::Checked>;
}

/// A check of a value: an error says what it is not.
pub type Check<T> = dyn Fn(&T) -> Result<(), String>;

macro_rules! text {
    ($($type:ty, $secret:literal, |$text:ident| $read:expr;)*) => {$(
        impl Value for $type {
            type Checked = Self;
            const SECRET: bool = $secret;

            fn from_text($text: &str) -> Result<Self, String> {
                $read
            }

            fn checked(&self) -> Option<&Self> {
                Some(self)
            }
        }
    )*};
}

text! {
    PathBuf, false, |text| Ok(text.into());
    Secret, true, |text| Ok(Self(text.to_owned()));
    IpNet, false, |text| {
        let alone = || text.parse::<IpAddr>().map(IpNet::from);
        text.parse().or_else(|_| alone()).map_err(|_| "is no address and no ADDRESS/BITS".to_owned())
    };
    SocketAddr, false, |text| text.parse().map_err(|_| "is not ADDRESS:PORT".to_owned());
}

impl Value for String {
    type Checked = str;

    fn from_text(text: &str) -> Result<Self, String> {
        Ok(text.to_owned())
    }

    fn checked(&self) -> Option<&str> {
        Some(self)
    }
}

impl Value for bool {
    type Checked = Self;

    fn from_toml(value: &Toml) -> Result<Self, String> {
        value.as_bool().ok_or_else(|| "is not true or false".into())
    }

    fn from_text(text: &str) -> Result<Self, String> {
        match text {
            "1" | "true" => Ok(true),
            "0" | "false" => Ok(false),
            _ => Err("is not true or false".into()),
        }
    }

    fn checked(&self) -> Option<&Self> {
        Some(self)
    }
}

impl Value for i64 {
    type Checked = Self;

    fn from_toml(value: &Toml) -> Result<Self, String> {
        value.as_integer().ok_or_else(|| "is not a whole number".into())
    }

    fn from_text(text: &str) -> Result<Self, String> {
        text.trim().parse().map_err(|_| "is not a whole number".into())
    }

    fn checked(&self) -> Option<&Self> {
        Some(self)
    }
}

/// A part of a whole, from 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Share(pub f64);

impl Value for Share {
    type Checked = Self;

    fn from_toml(value: &Toml) -> Result<Self, String> {
        match value {
            Toml::Float(_) | Toml::Integer(_) => Self::from_text(&value.to_string()),
            _ => Err("is not a number from 0 to 1".into()),
        }
    }

    fn from_text(text: &str) -> Result<Self, String> {
        let read = text.trim().parse().ok().filter(|n| (0.0..=1.0).contains(n));
        read.map(Self).ok_or_else(|| "is not a number from 0 to 1".into())
    }

    fn checked(&self) -> Option<&Self> {
        Some(self)
    }
}

impl<T: Value> Value for Option<T> {
    type Checked = T::Checked;
    const SECRET: bool = T::SECRET;

    fn from_toml(value: &Toml) -> Result<Self, String> {
        T::from_toml(value).map(Some)
    }

    fn from_text(text: &str) -> Result<Self, String> {
        T::from_text(text).map(Some)
    }

    fn absent() -> Option<Self> {
        Some(None)
    }

    fn checked(&self) -> Option<&T::Checked> {
        self.as_ref().and_then(T::checked)
    }
}

/// In the environment the parts stand between commas.
impl<T: Value> Value for Vec<T> {
    type Checked = [T];
    const SECRET: bool = T::SECRET;

    fn from_toml(value: &Toml) -> Result<Self, String> {
        let list = value.as_array().ok_or("is not a list")?;
        list.iter().map(|part| T::from_toml(part).map_err(|e| format!("holds {part}, which {e}"))).collect()
    }

    fn from_text(text: &str) -> Result<Self, String> {
        let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
        parts.map(|part| T::from_text(part).map_err(|e| format!("holds {part:?}, which {e}"))).collect()
    }

    fn absent() -> Option<Self> {
        Some(Self::new())
    }

    fn checked(&self) -> Option<&[T]> {
        Some(self)
    }
}

/// In the environment as an inline table of TOML.
impl Value for BTreeMap<String, String> {
    type Checked = Self;

    fn from_toml(value: &Toml) -> Result<Self, String> {
        const WHAT: &str = "is not a table of texts";
        let table = value.as_table().ok_or(WHAT)?;
        table.iter().map(|(key, value)| Ok((key.clone(), value.as_str().ok_or(WHAT)?.to_owned()))).collect()
    }

    fn from_text(text: &str) -> Result<Self, String> {
        let parsed: toml::Table = toml::from_str(&format!("v = {text}")).map_err(|_| "is not a table of texts")?;
        parsed.get("v").map_or_else(|| Err("is not a table of texts".into()), Self::from_toml)
    }

    fn absent() -> Option<Self> {
        Some(Self::new())
    }

    fn checked(&self) -> Option<&Self> {
        Some(self)
    }
}

/// An enum of words.
macro_rules! words {
    ($(#[$meta:meta])* $name:ident { $($variant:ident = $word:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name { $($variant),+ }

        impl $crate::config::value::Value for $name {
            type Checked = Self;

            fn from_text(text: &str) -> Result<Self, String> {
                match text {
                    $($word => Ok(Self::$variant),)+
                    _ => Err(format!("is none of {}", [$(concat!("\"", $word, "\"")),+].join(", "))),
                }
            }

            fn checked(&self) -> Option<&Self> {
                Some(self)
            }
        }
    };
}
pub(crate) use words;

/// A number from `least` to `most`.
pub fn between(least: i64, most: i64) -> impl Fn(&i64) -> Result<(), String> {
    move |n| if (least..=most).contains(n) { Ok(()) } else { Err(format!("is not a number from {least} to {most}")) }
}

/// `http://` or `https://` with a host.
pub fn web_address(url: &str) -> Result<(), String> {
    let host = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    match host.map(|rest| rest.split(['/', '?', '#']).next().unwrap_or_default()) {
        None => Err("does not begin with https:// or http://".into()),
        Some("") => Err("names no host".into()),
        Some(_) => Ok(()),
    }
}

/// A text that is there.
pub fn filled(text: &str) -> Result<(), String> {
    if text.trim().is_empty() { Err("is empty".into()) } else { Ok(()) }
}
