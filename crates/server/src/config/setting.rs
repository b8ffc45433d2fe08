//! What a setting is: its one documented place. [`settings!`] makes of it the
//! field of the configuration, the line in `docs/config.toml`, the name of the
//! environment variable, and what is asked of a value.

use super::read::Reader;

/// One setting, as `docs/config.toml` and every message name it.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// The table of the file; empty at its top.
    pub section: &'static str,
    pub key: &'static str,
    pub doc: &'static [&'static str],
    /// TOML: the default, or an example where nothing holds by default.
    pub shown: &'static str,
    pub has_default: bool,
    /// No log and no message shows its value, and it may stand in a file of
    /// its own: `<key>_file`, `MAGPIE_<NAME>_FILE`.
    pub secret: bool,
    /// `live`: a change is applied on SIGHUP. `flag`: has a flag of its own.
    pub marks: &'static [&'static str],
}

impl Setting {
    /// `mail.url`.
    pub fn name(&self) -> String {
        if self.section.is_empty() { self.key.to_owned() } else { format!("{}.{}", self.section, self.key) }
    }

    /// `MAGPIE_MAIL_URL`.
    pub fn env(&self) -> String {
        format!("MAGPIE_{}", self.name().replace('.', "_").to_uppercase())
    }

    /// `--data-dir`, where it has one.
    pub fn flag(&self) -> Option<String> {
        self.marks.contains(&"flag").then(|| format!("--{}", self.name().replace(['.', '_'], "-")))
    }

    /// Whether a change is applied without a restart.
    pub fn live(&self) -> bool {
        self.marks.contains(&"live")
    }
}

/// A table of the file with its settings.
#[derive(Clone, Copy, Debug)]
pub struct Described {
    pub name: &'static str,
    pub about: &'static [&'static str],
    pub settings: &'static [Setting],
}

/// What [`settings!`] makes of a table.
pub trait Section: Sized {
    const SETTINGS: &'static [Setting];

    /// This table, then those below it.
    fn sections() -> Vec<Described>;
    /// Takes what was given; faults go to the reader.
    fn read(reader: &mut Reader<'_>) -> Self;
    /// The settings whose value differs.
    fn changed(&self, other: &Self) -> Vec<&'static Setting>;
}

/// Declares a table of settings and the struct that holds their values:
///
/// ```text
/// settings! {
///     /// What stands above the table.
///     Mail at "mail" {
///         /// What the setting is for.
///         url: Option<Secret> = example "\"smtp://localhost:25\"", live;
///         port: u16 = default "25" where between(1, 65_535), live;
///     }
/// }
/// ```
///
/// `default` and `example` are TOML. `where` names a check of the value;
/// `live` says that SIGHUP applies a change (`reload.rs` then does).
macro_rules! settings {
    (
        $(#[doc = $about:literal])*
        $name:ident at $section:literal {
            $(
                $(#[doc = $doc:literal])+
                $key:ident: $type:ty = $kind:ident $shown:literal $(where $check:expr)? $(, $mark:ident)*;
            )*
        }
        $( with { $( $sub:ident: $subtype:ty, )* } )?
    ) => {
        $(#[doc = $about])*
        #[derive(Clone, Debug, PartialEq)]
        pub struct $name {
            $( $(#[doc = $doc])+ pub $key: $type, )*
            $($( pub $sub: $subtype, )*)?
        }

        impl $crate::config::setting::Section for $name {
            const SETTINGS: &'static [$crate::config::setting::Setting] = &[$(
                $crate::config::setting::Setting {
                    section: $section,
                    key: stringify!($key),
                    doc: &[$($doc),+],
                    shown: $shown,
                    has_default: matches!(stringify!($kind).as_bytes(), b"default"),
                    secret: <$type as $crate::config::value::Value>::SECRET,
                    marks: &[$(stringify!($mark)),*],
                },
            )*];

            fn sections() -> Vec<$crate::config::setting::Described> {
                #[allow(unused_mut, clippy::allow_attributes, reason = "only the top has tables below it")]
                let mut all = vec![$crate::config::setting::Described {
                    name: $section,
                    about: &[$($about),*],
                    settings: Self::SETTINGS,
                }];
                $($( all.extend(<$subtype>::sections()); )*)?
                all
            }

            fn read(reader: &mut $crate::config::read::Reader<'_>) -> Self {
                let mut settings = Self::SETTINGS.iter();
                Self {
                    $( $key: reader.take(settings.next(), &[$(&$check)?]), )*
                    $($( $sub: <$subtype>::read(reader), )*)?
                }
            }

            fn changed(&self, other: &Self) -> Vec<&'static $crate::config::setting::Setting> {
                let mut changed = Vec::new();
                let mut settings = Self::SETTINGS.iter();
                $(
                    let setting = settings.next();
                    if self.$key != other.$key {
                        changed.extend(setting);
                    }
                )*
                $($( changed.extend(self.$sub.changed(&other.$sub)); )*)?
                changed
            }
        }
    };
}
pub(crate) use settings;
