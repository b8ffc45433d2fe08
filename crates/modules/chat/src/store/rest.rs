//! When people rest.

use std::collections::HashMap;

use proto::{Error, Result, UserId};
use store::{Tx, dialect, sql};

use crate::model::{rest::RestHours, rows::ids_json};

/// The rest hours of those who have said some.
pub(crate) fn of(tx: &mut Tx<'_>, users: &[UserId]) -> Result<HashMap<UserId, RestHours>> {
    let rows: Vec<(UserId, String, String)> = tx.query(
        dialect!(
            sqlite: concat!("SELECT user_id, zone, hours FROM chat_rest_hours WHERE user_id IN ", ids_sqlite!("$1")),
            postgres: concat!("SELECT user_id, zone, hours FROM chat_rest_hours WHERE user_id IN ", ids_postgres!("$1")),
        ),
        &[&ids_json(users)],
        |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
    )?;
    rows.into_iter()
        .map(|(user, zone, hours)| {
            let hours = serde_json::from_str(&hours).map_err(Error::internal)?;
            Ok((user, RestHours { zone, hours }))
        })
        .collect()
}

/// Says when somebody rests; `user` is the actor themselves.
pub(crate) fn set(tx: &mut Tx<'_>, user: UserId, rest: &RestHours, now: i64) -> Result<()> {
    let hours = serde_json::to_string(&rest.hours).map_err(Error::internal)?;
    tx.execute(
        sql!(
            "INSERT INTO chat_rest_hours (user_id, zone, hours, changed_at) VALUES ($1, $2, $3, $4)
             ON CONFLICT (user_id) DO UPDATE SET zone = excluded.zone, hours = excluded.hours,
                changed_at = excluded.changed_at"
        ),
        &[&user, &rest.zone, &hours, &now],
    )?;
    Ok(())
}

pub(crate) fn forget(tx: &mut Tx<'_>, user: UserId) -> Result<u64> {
    Ok(tx.execute(sql!("DELETE FROM chat_rest_hours WHERE user_id = $1"), &[&user])?)
}
