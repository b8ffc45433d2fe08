//! How much space people have. Outside of any organisation the defaults hold.

use kernel::settings::{Kind, Scope, Setting};
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

/// In bytes.
pub(crate) fn bytes(setting: &Setting, tx: &mut Tx<'_>, org: Option<OrgId>) -> Result<i64> {
    Ok(setting.number(tx, org)? * MIB)
}
