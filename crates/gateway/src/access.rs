//! Ends what may no longer be: every node reads the changes of access every
//! two seconds, and at once when it hears of one. That reading alone is
//! enough; nothing here depends on the bus.

use std::{collections::HashMap, sync::Arc, time::Duration};

use kernel::{
    Kernel,
    access::{AccessChange, Ended, since},
};
use proto::{Error, Millis};
use uuid::Uuid;

use crate::{
    Shared,
    outbox::{Item, Note},
};

const EVERY: Duration = Duration::from_secs(2);
/// How far back is read again: clocks of nodes differ, and a row's time is
/// older than its commit.
const OVERLAP_MS: Millis = 10_000;

pub(crate) async fn watch(shared: Arc<Shared>, kernel: Arc<Kernel>) {
    let mut seen: HashMap<Uuid, Millis> = HashMap::new();
    let mut read_at = kernel.now();
    loop {
        let from = read_at - OVERLAP_MS;
        let asked = shared.access_asked();
        let now = kernel.now();
        match kernel.db.read(move |tx| since(tx, from)).await {
            Ok(changes) => {
                read_at = now;
                for change in changes {
                    if seen.insert(change.id, change.at).is_none() {
                        apply(&shared, &kernel, change);
                    }
                }
                seen.retain(|_, at| *at >= from - OVERLAP_MS);
                shared.access_read(asked);
            }
            Err(error) => {
                let error: Error = error;
                tracing::warn!(%error, "the changes of access could not be read");
            }
        }
        drop(tokio::time::timeout(EVERY, shared.access.notified()).await);
    }
}

fn apply(shared: &Shared, kernel: &Arc<Kernel>, change: AccessChange) {
    if let Some(authenticator) = kernel.registry.authenticator() {
        authenticator.forget(change.user);
    }
    for socket in shared.hub.sockets_of(change.user) {
        match change.ended {
            Ended::Session(session) if socket.session != session => {}
            Ended::Session(_) => socket.close(4401, "the session ended"),
            // A session that began after that is none of those that ended.
            Ended::AllSessions => socket.push(Item::Note(Box::new(Note::Recheck))),
            // Forgotten above; nothing that is open depends on it.
            Ended::Remembered => {}
            Ended::Follows => socket.push(Item::Note(Box::new(Note::Follows))),
        }
    }
}
