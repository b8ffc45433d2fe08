//! Conversations that somebody here has open, and the receipts on their way
//! to them: joined to at most one frame a second for each conversation.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use proto::UserId;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    outbox::{Item, Outbox},
    session::receipts,
    signal::Receipt,
};

const PACE: Duration = Duration::from_secs(1);
/// Cursors in one frame; the others follow a second later.
const FRAME: usize = 500;
/// Cursors waiting for one conversation; more are lost, as they may be.
const WAITING: usize = 5_000;

#[derive(Default)]
struct Opened {
    sockets: Vec<Arc<Outbox>>,
    moved: HashMap<UserId, (i64, i64)>,
    sent: Option<Instant>,
    /// Time of the latest move read from the database, while the bus is away.
    read_to: i64,
}

#[derive(Default)]
pub(crate) struct Opens(Mutex<HashMap<Uuid, Opened>>);

impl Opens {
    pub(crate) fn open(&self, socket: &Arc<Outbox>, conversation: Uuid) {
        let mut all = self.0.lock();
        let opened = all.entry(conversation).or_default();
        if opened.sockets.iter().all(|s| s.id != socket.id) {
            opened.sockets.push(Arc::clone(socket));
        }
    }

    pub(crate) fn shut(&self, socket: &Outbox, conversation: Uuid) {
        let mut all = self.0.lock();
        if let Some(opened) = all.get_mut(&conversation) {
            opened.sockets.retain(|s| s.id != socket.id);
            if opened.sockets.is_empty() {
                all.remove(&conversation);
            }
        }
    }

    /// A cursor moved; of no interest unless somebody here looks.
    pub(crate) fn moved(&self, receipt: Receipt) {
        if let Some(opened) = self.0.lock().get_mut(&receipt.conversation) {
            merge(&mut opened.moved, receipt.user, receipt.read_seq, receipt.delivered_seq);
        }
    }

    /// Cursors as read from the database, up to the time `read_to`.
    pub(crate) fn read(&self, conversation: Uuid, cursors: &[Value], read_to: i64) {
        if let Some(opened) = self.0.lock().get_mut(&conversation) {
            opened.read_to = opened.read_to.max(read_to);
            for cursor in cursors {
                let user = cursor["user"].as_str().and_then(|u| u.parse().ok());
                if let (Some(user), Some(read)) = (user, cursor["read_seq"].as_i64()) {
                    merge(&mut opened.moved, user, read, cursor["delivered_seq"].as_i64().unwrap_or(0));
                }
            }
        }
    }

    /// All open conversations, each with the time up to which it was read.
    pub(crate) fn all(&self) -> Vec<(Uuid, i64)> {
        self.0.lock().iter().map(|(id, opened)| (*id, opened.read_to)).collect()
    }

    /// Sends what is due.
    pub(crate) fn flush(&self, now: Instant) {
        for (id, opened) in self.0.lock().iter_mut() {
            if opened.moved.is_empty() || opened.sent.is_some_and(|sent| now.duration_since(sent) < PACE) {
                continue;
            }
            opened.sent = Some(now);
            let some: Vec<UserId> = opened.moved.keys().take(FRAME).copied().collect();
            let cursors: Vec<Value> = some
                .into_iter()
                .filter_map(|user| opened.moved.remove(&user).map(|at| (user, at)))
                .map(|(user, (read, delivered))| json!({"user": user, "read_seq": read, "delivered_seq": delivered}))
                .collect();
            let text = receipts(*id, &Value::Array(cursors).to_string());
            for socket in &opened.sockets {
                socket.push(Item::Fleeting(text.clone().into()));
            }
        }
    }

    pub(crate) fn waiting(&self) -> bool {
        self.0.lock().values().any(|o| !o.moved.is_empty())
    }
}

/// Cursors only grow.
fn merge(moved: &mut HashMap<UserId, (i64, i64)>, user: UserId, read: i64, delivered: i64) {
    if moved.len() < WAITING || moved.contains_key(&user) {
        let at = moved.entry(user).or_default();
        *at = (at.0.max(read), at.1.max(delivered));
    }
}

#[cfg(test)]
mod tests {
    use proto::SessionId;

    use super::*;

    #[test]
    fn receipts_are_joined_by_the_larger_value_to_one_frame_a_second_for_those_who_look() {
        let opens = Opens::default();
        let user = UserId(Uuid::from_u128(7));
        let (looks, looked) =
            (Outbox::new(1, user, SessionId(Uuid::nil())), Outbox::new(2, user, SessionId(Uuid::nil())));
        let conversation = Uuid::from_u128(1);
        let move_to = |read_seq| opens.moved(Receipt { conversation, user, read_seq, delivered_seq: 9 });
        let taken = |socket: &Outbox| {
            let mut items = std::collections::VecDeque::new();
            socket.take(&mut items);
            items.into_iter().map(|i| format!("{i:?}")).collect::<Vec<_>>()
        };
        move_to(1); // nobody looks
        opens.open(&looks, conversation);
        opens.open(&looked, conversation);
        opens.shut(&looked, conversation);
        let start = Instant::now();
        move_to(5);
        move_to(3);
        opens.flush(start);
        let first = taken(&looks);
        assert!(first.len() == 1 && first[0].contains(r#"read_seq\":5"#), "{first:?}");
        move_to(6);
        move_to(8);
        // Seen failing without the pace.
        opens.flush(start + Duration::from_millis(999));
        assert_eq!(taken(&looks), Vec::<String>::new());
        opens.flush(start + PACE);
        let second = taken(&looks);
        assert!(second.len() == 1 && second[0].contains(r#"read_seq\":8"#), "{second:?}");
        assert_eq!(taken(&looked), Vec::<String>::new());
        opens.shut(&looks, conversation);
        assert!(opens.all().is_empty());
    }
}
