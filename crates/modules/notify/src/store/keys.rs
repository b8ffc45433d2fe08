//! The server's own keys.

use proto::Result;
use store::{Tx, sql};

use super::{open, seal};

pub(crate) fn get(tx: &mut Tx<'_>, name: &str) -> Result<Option<Vec<u8>>> {
    let sealed: Option<Vec<u8>> =
        tx.opt(sql!("SELECT sealed FROM notify_keys WHERE name = $1"), &[&name], |row| row.get(0))?;
    sealed.map(|sealed| open(&sealed).map(<[u8]>::to_vec)).transpose()
}

/// Keeps a key unless there is one; another node may have been first.
pub(crate) fn keep(tx: &mut Tx<'_>, name: &str, key: &[u8]) -> Result<()> {
    tx.execute(
        sql!("INSERT INTO notify_keys (name, sealed) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING"),
        &[&name, &seal(key)],
    )?;
    Ok(())
}
