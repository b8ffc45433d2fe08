//! The server's own keys, as they are kept: sealed.

use proto::Result;
use store::{Tx, sql};

pub(crate) fn get(tx: &mut Tx<'_>, name: &str) -> Result<Option<Vec<u8>>> {
    Ok(tx.opt(sql!("SELECT sealed FROM notify_keys WHERE name = $1"), &[&name], |row| row.get(0))?)
}

/// Keeps a key unless there is one; another node may have been first.
pub(crate) fn keep(tx: &mut Tx<'_>, name: &str, sealed: &[u8]) -> Result<()> {
    tx.execute(
        sql!("INSERT INTO notify_keys (name, sealed) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING"),
        &[&name, &sealed.to_vec()],
    )?;
    Ok(())
}

/// Seals it anew, unless somebody else did.
pub(crate) fn reseal(tx: &mut Tx<'_>, name: &str, before: &[u8], sealed: &[u8]) -> Result<()> {
    tx.execute(
        sql!("UPDATE notify_keys SET sealed = $3 WHERE name = $1 AND sealed = $2"),
        &[&name, &before.to_vec(), &sealed.to_vec()],
    )?;
    Ok(())
}

pub(crate) fn forget(tx: &mut Tx<'_>, name: &str) -> Result<()> {
    tx.execute(sql!("DELETE FROM notify_keys WHERE name = $1"), &[&name])?;
    Ok(())
}
