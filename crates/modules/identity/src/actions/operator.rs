//! Running the server, when two accounts of one person become one: whoever ran
//! it goes on running it, by the account that is kept, and gets it back where
//! the two part. Both accounts were proven freshly, and an account that an
//! organisation manages takes in none but its own, so nobody comes to it who
//! could not open the other account (ADR 0009).

use kernel::{
    Ctx, Merge,
    merge::{Pair, Preview},
    operators,
};
use proto::Result;
use serde_json::{Value, json};
use store::{Key, Tx};

pub(crate) const MERGE: Merge = Merge { preview, next, locks, step, undo };
/// There is only one.
const PIECE: &str = "operator";

/// A guest goes on beside the account, and runs nothing.
fn runs(tx: &mut Tx<'_>, pair: &Pair) -> Result<bool> {
    Ok(pair.ends && operators::is(tx, pair.from)?)
}

fn preview(tx: &mut Tx<'_>, _: &Ctx, pair: &Pair) -> Result<Preview> {
    Ok(Preview { counts: vec![("operator", i64::from(runs(tx, pair)?))], conflicts: Vec::new() })
}

fn next(tx: &mut Tx<'_>, _: &Ctx, pair: &Pair, after: Option<&str>) -> Result<Option<String>> {
    Ok((after.is_none() && runs(tx, pair)?).then(|| PIECE.to_owned()))
}

#[expect(clippy::unnecessary_wraps, reason = "the kernel asks for this form")]
fn locks(_: &Ctx, _: &Pair, _: &str) -> Result<Vec<Key>> {
    Ok(operators::keys().to_vec())
}

fn step(tx: &mut Tx<'_>, ctx: &Ctx, pair: &Pair, _: &str) -> Result<Value> {
    if !runs(tx, pair)? {
        return Ok(Value::Null);
    }
    let had = operators::is(tx, pair.into)?;
    operators::hand_over(tx, ctx, pair.from, pair.into)?;
    Ok(json!({ "had": had }))
}

/// Whoever runs the server no longer does not come to it again by this.
fn undo(tx: &mut Tx<'_>, ctx: &Ctx, pair: &Pair, _: &str, kept: &Value) -> Result<()> {
    let Some(had) = kept["had"].as_bool() else { return Ok(()) };
    if !operators::is(tx, pair.into)? {
        return Ok(());
    }
    if had {
        operators::grant(tx, ctx, pair.from).map(drop)
    } else {
        operators::hand_over(tx, ctx, pair.into, pair.from)
    }
}
