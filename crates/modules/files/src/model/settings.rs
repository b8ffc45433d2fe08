//! How much space people have. Outside of any organisation the defaults hold;
//! above what an organisation sets stands what the operator gives.

use kernel::{
    Space,
    settings::{Kind, Scope, Setting},
};
use proto::{OrgId, Result, limits};
use store::Tx;

const MIB: i64 = 1_048_576;
const MOST_MIB: i64 = 1 << 30;

pub(crate) const FILE_MB: Setting = Setting {
    key: "files.file_mb",
    scope: Scope::Org,
    kind: Kind::Number { default: 2_048, min: 1, max: limits::FILE_BYTES as i64 / MIB },
    doc: "the largest file, in MiB",
};
pub(crate) const PERSON_MB: Setting = Setting {
    key: "files.person_mb",
    scope: Scope::Org,
    kind: Kind::Number { default: 20_480, min: 0, max: MOST_MIB },
    doc: "how much one member may keep, in MiB",
};
pub(crate) const ORG_MB: Setting = Setting {
    key: "files.org_mb",
    scope: Scope::Org,
    kind: Kind::Number { default: 1_048_576, min: 0, max: MOST_MIB },
    doc: "how much the organisation may keep, in MiB",
};

pub(crate) const ALL: &[Setting] = &[FILE_MB, PERSON_MB, ORG_MB];

/// Most bytes of one person, in an organisation or outside of any.
pub(crate) fn of_person(tx: &mut Tx<'_>, most: Space, org: Option<OrgId>) -> Result<i64> {
    Ok(bytes(&PERSON_MB, tx, org)?.min(most.person))
}

/// Most bytes of an organisation.
pub(crate) fn of_org(tx: &mut Tx<'_>, most: Space, org: OrgId) -> Result<i64> {
    Ok(bytes(&ORG_MB, tx, Some(org))?.min(most.org))
}

/// In bytes.
pub(crate) fn bytes(setting: &Setting, tx: &mut Tx<'_>, org: Option<OrgId>) -> Result<i64> {
    Ok(setting.number(tx, org)? * MIB)
}
