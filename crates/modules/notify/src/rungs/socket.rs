//! The lowest rung, which everybody has: the client, while it is open. It is
//! told by a signal, and acknowledges if somebody is at it.

use kernel::{Ephemeral, Kernel};
use proto::{Millis, StreamKey, UserId};
use uuid::Uuid;

use super::SECOND;
use crate::model::NOTICE;

/// A client in use answers within a moment; one on a train needs some.
pub(crate) const WAIT: Millis = 8 * SECOND;
pub(crate) const GAP: Millis = 5 * SECOND;

pub(crate) fn tell(kernel: &Kernel, user: UserId, notice: Uuid) {
    kernel.ephemeral.send(Ephemeral::Touched { stream: StreamKey::person(user), touch: NOTICE, id: notice });
}
