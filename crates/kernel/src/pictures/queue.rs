//! Whose picture is decoded next: each person has one place in the queue, so
//! that however many somebody sends, the next one of anybody else comes before
//! their second.

use std::{
    collections::HashMap,
    sync::{Arc, LazyLock},
};

use parking_lot::Mutex;
use proto::{Error, Result};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};
use uuid::Uuid;

/// Those whose pictures are decoded or wait.
static PEOPLE: LazyLock<Mutex<HashMap<Uuid, Arc<Semaphore>>>> = LazyLock::new(Mutex::default);

/// A person's turn to have a picture decoded. Wait for it with nothing in
/// hand, and read the bytes then: many may wait.
#[derive(Debug)]
pub struct Turn {
    // In this order: the person's next one stands behind others who wait.
    _all: SemaphorePermit<'static>,
    own: Own,
}

/// A person's place.
#[derive(Debug)]
struct Own {
    who: Uuid,
    place: Option<OwnedSemaphorePermit>,
}

impl Drop for Own {
    fn drop(&mut self) {
        let mut people = PEOPLE.lock();
        self.place = None;
        // Whoever waits has a handle of their own.
        if people.get(&self.who).is_some_and(|place| Arc::strong_count(place) == 1) {
            people.remove(&self.who);
        }
    }
}

/// Waits for a turn as long as it takes.
pub async fn turn(who: Uuid) -> Result<Turn> {
    let place = PEOPLE.lock().entry(who).or_insert_with(|| Arc::new(Semaphore::new(1))).clone();
    let place = place.acquire_owned().await.map_err(Error::internal)?;
    let own = Own { who, place: Some(place) };
    Ok(Turn { _all: super::decoding().await?, own })
}

impl Turn {
    /// Whose it is.
    pub fn who(&self) -> Uuid {
        self.own.who
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Seen to fail with the person's own place left out.
    #[tokio::test]
    async fn the_next_turn_is_somebody_elses() {
        let (eve, bob) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let first = turn(eve).await.unwrap();
        let order = Arc::new(Mutex::new(Vec::new()));
        let mut waiting = Vec::new();
        for who in [eve, eve, eve, bob] {
            let order = order.clone();
            waiting.push(tokio::spawn(async move {
                let turn = turn(who).await.unwrap();
                order.lock().push(turn.who());
            }));
            // On one thread: each stands in the queue before the next one comes.
            tokio::task::yield_now().await;
        }
        drop(first);
        for task in waiting {
            task.await.unwrap();
        }
        assert_eq!(*order.lock(), [bob, eve, eve, eve]);
        let people = PEOPLE.lock();
        assert!(!people.contains_key(&eve) && !people.contains_key(&bob));
    }
}
