//! Who vouches for whom.

use kernel::OrgScope;
use proto::{Result, UserId};
use store::{Row, Tx, dialect};

use super::ids;

/// A membership that vouches for somebody.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Vouched {
    pub(crate) user: UserId,
    pub(crate) verified: bool,
    pub(crate) lookalike: bool,
}

fn read(row: &Row<'_>) -> store::Result<Vouched> {
    Ok(Vouched { user: row.get(0)?, verified: row.get(1)?, lookalike: row.get(2)? })
}

macro_rules! columns {
    () => {
        "y.user_id, y.verified, y.role <> 'owner' AND EXISTS (SELECT 1 FROM directory_members l
            WHERE l.org_id = y.org_id AND l.state = 'active' AND l.name_folded = y.name_folded
            AND (l.role = 'owner' OR l.role = 'admin' AND y.role = 'member'))"
    };
}

macro_rules! ids_sqlite {
    () => {
        "(SELECT unhex(replace(value, '-', '')) FROM json_each($2))"
    };
}

macro_rules! ids_postgres {
    () => {
        "(SELECT CAST(jsonb_array_elements_text(CAST(CAST($2 AS TEXT) AS JSONB)) AS UUID))"
    };
}

/// Those who are active in an organisation.
pub(crate) fn in_org(tx: &mut Tx<'_>, scope: OrgScope, users: &[UserId]) -> Result<Vec<Vouched>> {
    macro_rules! text {
        ($ids:expr) => {
            concat!(
                "SELECT ",
                columns!(),
                " FROM directory_members y
                 WHERE y.org_id = $1 AND y.state = 'active' AND y.user_id IN ",
                $ids
            )
        };
    }
    Ok(tx.query(
        dialect!(sqlite: text!(ids_sqlite!()), postgres: text!(ids_postgres!())),
        &[&scope.org(), &ids(users)],
        read,
    )?)
}

/// Those who are active where somebody is, for each organisation they share.
pub(crate) fn shared(tx: &mut Tx<'_>, by: UserId, users: &[UserId]) -> Result<Vec<Vouched>> {
    macro_rules! text {
        ($ids:expr) => {
            concat!(
                "SELECT ",
                columns!(),
                " FROM directory_members x JOIN directory_members y ON y.org_id = x.org_id
                 WHERE x.user_id = $1 AND x.state = 'active' AND y.state = 'active' AND y.user_id IN ",
                $ids
            )
        };
    }
    Ok(tx.query(dialect!(sqlite: text!(ids_sqlite!()), postgres: text!(ids_postgres!())), &[&by, &ids(users)], read)?)
}
