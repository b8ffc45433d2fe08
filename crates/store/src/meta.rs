//! Who this installation is.

use uuid::Uuid;

use crate::{Result, Row, Tx, sql};

#[derive(Clone, Copy, Debug)]
pub(crate) struct Meta {
    pub(crate) server_id: Uuid,
    pub(crate) epoch: Uuid,
}

/// Makes the one row at the first start; later starts find it.
#[expect(clippy::disallowed_methods, reason = "names this installation, which no test repeats")]
pub(crate) fn load(tx: &mut Tx<'_>) -> Result<Meta> {
    let select = sql!("SELECT server_id, epoch FROM meta WHERE one = 1");
    let read = |row: &Row<'_>| Ok(Meta { server_id: row.get(0)?, epoch: row.get(1)? });
    if let Some(meta) = tx.opt(select, &[], read)? {
        return Ok(meta);
    }
    tx.execute(
        sql!("INSERT INTO meta (one, server_id, epoch) VALUES (1, $1, $2) ON CONFLICT (one) DO NOTHING"),
        &[&Uuid::new_v4(), &Uuid::new_v4()],
    )?;
    tx.one(select, &[], read)
}

/// A restore begins a new epoch: every cursor and cache key given out before
/// is void. Takes effect when the database is opened next.
pub fn set_epoch(tx: &mut Tx<'_>, epoch: Uuid) -> Result<()> {
    tx.execute(sql!("UPDATE meta SET epoch = $1 WHERE one = 1"), &[&epoch]).map(drop)
}
