//! Giving out originals, by an address that needs no cookie.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::{Stream, stream};
use kernel::{Ctx, Kernel};
use proto::{Code, Error, Result};
use store::{BLOB_WINDOW, Tx};
use tokio::time::Instant;

use super::reading::{bearer, see};
use crate::{
    model::{
        link::Signed,
        rows::{FileRow, Stored},
    },
    store as sql,
};

/// How often a download asks whether it may go on.
const ASKS: Duration = Duration::from_secs(2);

/// A file that somebody may read now.
pub(crate) struct Served {
    pub(crate) row: FileRow,
    pub(crate) download: bool,
    ctx: Ctx,
    signed: Signed,
}

/// The file an address leads to. Whatever is wrong with the address, there is
/// nothing at it.
pub(crate) async fn serve(kernel: Arc<Kernel>, token: String) -> Result<Served> {
    let now = kernel.now();
    let db = kernel.db.clone();
    db.read(move |tx| {
        let secret = sql::files::secret(tx)?.unwrap_or_default();
        let signed = Signed::decode(&token, &secret).filter(|signed| now < signed.until).ok_or(Code::NotFound)?;
        let ctx = kernel.ctx(bearer(&signed));
        let row = again(tx, &ctx, &signed)?;
        Ok(Served { row, download: signed.download, ctx, signed })
    })
    .await
}

/// Whether the session is open and the person may read the file now.
fn again(tx: &mut Tx<'_>, ctx: &Ctx, signed: &Signed) -> Result<FileRow> {
    if !identity::users::session_open(tx, signed.user, signed.session, ctx.now)? {
        return Err(Code::NotFound.into());
    }
    let row = see(tx, ctx, signed.file)?;
    if row.state == Stored::Ready { Ok(row) } else { Err(Code::NotFound.into()) }
}

impl Served {
    /// The bytes `from..to`, a window at a time. Ends with an error once the
    /// person may no longer read it.
    pub(crate) fn bytes(self, from: u64, to: u64) -> impl Stream<Item = Result<Bytes>> + Send {
        let state = (self, from, Instant::now());
        stream::try_unfold(state, move |(served, at, asked)| async move {
            if at >= to {
                return Ok(None);
            }
            let mut asked = asked;
            if asked.elapsed() >= ASKS {
                served.ask().await?;
                asked = Instant::now();
            }
            let blob = served.row.blob.ok_or_else(|| Error::internal("a ready file without an object"))?;
            let end = to.min(at + BLOB_WINDOW);
            let bytes = served.ctx.kernel.config.blobs.read(&kernel::blobs::name(blob), at, end).await?;
            Ok(Some((bytes, (served, end, asked))))
        })
    }

    async fn ask(&self) -> Result<()> {
        let (ctx, signed) = (self.ctx.kernel.ctx(self.ctx.actor.clone()), self.signed);
        self.ctx.db().read(move |tx| again(tx, &ctx, &signed).map(drop)).await
    }
}
