//! The bus of one process.

use std::sync::atomic::Ordering::Relaxed;

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::sync::{
    mpsc::{self, error::TrySendError},
    watch,
};

use crate::{BusState, Counters, Received, SUBSCRIPTION, Subject, Subscription, Topic};

pub struct Local {
    subscribers: Mutex<Vec<(Topic, mpsc::Sender<Received>)>>,
    state: watch::Sender<BusState>,
    pub(crate) counters: Counters,
}

impl Default for Local {
    fn default() -> Self {
        Self {
            subscribers: Mutex::default(),
            state: watch::Sender::new(BusState { connected: true, generation: 1 }),
            counters: Counters::default(),
        }
    }
}

impl Local {
    pub(crate) fn publish(&self, subject: Subject, payload: &Bytes) -> bool {
        // Under one lock, so that all subscribers see one order.
        self.subscribers.lock().retain(|(topic, to)| {
            if !topic.takes(subject) {
                return !to.is_closed();
            }
            match to.try_send(Received { subject, payload: payload.clone() }) {
                Ok(()) => true,
                Err(TrySendError::Full(_)) => {
                    self.counters.missed.fetch_add(1, Relaxed);
                    true
                }
                Err(TrySendError::Closed(_)) => false,
            }
        });
        true
    }

    pub(crate) fn subscribe(&self, topic: Topic) -> Subscription {
        let (to, incoming) = mpsc::channel(SUBSCRIPTION);
        self.subscribers.lock().push((topic, to));
        Subscription { incoming }
    }

    pub(crate) fn nodes(&self) -> usize {
        self.subscribers.lock().iter().filter(|(topic, to)| *topic == Topic::Node && !to.is_closed()).count()
    }

    pub(crate) fn state(&self) -> watch::Receiver<BusState> {
        self.state.subscribe()
    }
}
