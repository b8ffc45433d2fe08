//! What is heard of chat.

use chat::{MessageRecalled, MessageSent, RestChanged};
use kernel::{Ctx, Hook};
use proto::Result;
use store::Tx;

use crate::{jobs, store as sql};

pub(crate) fn all() -> Vec<Hook> {
    // The conversation's own lock is held, and the row is the conversation's.
    vec![
        Hook::on::<MessageSent>(|_| Vec::new(), heard),
        Hook::on::<MessageRecalled>(|_| Vec::new(), recalled),
        Hook::on::<RestChanged>(|_| Vec::new(), |tx, ctx, event| Ok(tx.job(jobs::look_again(event.user, ctx.now))?)),
    ]
}

/// One row, and a job where there was none: a busy conversation costs a
/// message one statement, whatever its size.
fn heard(tx: &mut Tx<'_>, ctx: &Ctx, event: &MessageSent) -> Result<()> {
    if sql::people::hear(tx, event, ctx.now)? {
        tx.job(jobs::spread(event.conversation, ctx.now))?;
    }
    Ok(())
}

fn recalled(tx: &mut Tx<'_>, ctx: &Ctx, event: &MessageRecalled) -> Result<()> {
    Ok(tx.job(jobs::withdraw(event.conversation, event.seq, ctx.now))?)
}
