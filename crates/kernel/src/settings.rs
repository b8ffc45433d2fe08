//! Settings and policy values. Every cap and time that an organisation may
//! choose is one of these, with a default and bounds, never a constant in a
//! module's code.

use proto::{Code, Error, OrgId, Result};
use serde_json::Value;
use store::{Tx, sql};
use uuid::Uuid;

/// Whose value it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    Server,
    Org,
    Person,
}

impl Scope {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Server => "server",
            Self::Org => "org",
            Self::Person => "person",
        }
    }
}

/// What a value may be.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    Number { default: i64, min: i64, max: i64 },
    Switch { default: bool },
    Choice { default: &'static str, of: &'static [&'static str] },
}

/// A setting as its module declares it.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// `module.name`.
    pub key: &'static str,
    pub scope: Scope,
    pub kind: Kind,
    pub doc: &'static str,
}

impl Setting {
    pub fn check(&self, value: &Value) -> Result<()> {
        let fits = match self.kind {
            Kind::Number { min, max, .. } => value.as_i64().is_some_and(|v| (min..=max).contains(&v)),
            Kind::Switch { .. } => value.is_boolean(),
            Kind::Choice { of, .. } => value.as_str().is_some_and(|v| of.contains(&v)),
        };
        if fits { Ok(()) } else { Err(Error::field(Code::InvalidField, self.key)) }
    }

    fn read(&self, tx: &mut Tx<'_>, owner: Uuid) -> Result<Option<Value>> {
        let text: Option<String> = tx.opt(
            sql!("SELECT value FROM kernel_settings WHERE scope = $1 AND owner_id = $2 AND key = $3"),
            &[&self.scope.as_str(), &owner, &self.key],
            |row| row.get(0),
        )?;
        text.map(|t| serde_json::from_str(&t).map_err(Error::internal)).transpose()
    }

    /// The organisation's number, or the default; conversations outside any
    /// organisation have the default.
    pub fn number(&self, tx: &mut Tx<'_>, org: Option<OrgId>) -> Result<i64> {
        let Kind::Number { default, .. } = self.kind else {
            return Err(Error::internal(format!("{} is not a number", self.key)));
        };
        let Some(org) = org else { return Ok(default) };
        Ok(self.read(tx, org.0)?.and_then(|v| v.as_i64()).unwrap_or(default))
    }

    pub fn switch(&self, tx: &mut Tx<'_>, owner: Uuid) -> Result<bool> {
        let Kind::Switch { default } = self.kind else {
            return Err(Error::internal(format!("{} is not a switch", self.key)));
        };
        Ok(self.read(tx, owner)?.and_then(|v| v.as_bool()).unwrap_or(default))
    }

    pub fn choice(&self, tx: &mut Tx<'_>, owner: Uuid) -> Result<String> {
        let Kind::Choice { default, .. } = self.kind else {
            return Err(Error::internal(format!("{} is not a choice", self.key)));
        };
        Ok(self.read(tx, owner)?.and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_else(|| default.to_owned()))
    }

    /// Sets it for `owner`; the caller has asked for permission.
    pub fn set(&self, tx: &mut Tx<'_>, owner: Uuid, value: &Value) -> Result<()> {
        self.check(value)?;
        tx.execute(
            sql!(
                "INSERT INTO kernel_settings (scope, owner_id, key, value) VALUES ($1, $2, $3, $4)
                 ON CONFLICT (scope, owner_id, key) DO UPDATE SET value = excluded.value"
            ),
            &[&self.scope.as_str(), &owner, &self.key, &value.to_string()],
        )?;
        Ok(())
    }
}
