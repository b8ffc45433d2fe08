//! The bus over a NATS server: core publish and subscribe, no `JetStream`.
//!
//! The client library buffers and waits where it cannot send; here nobody
//! waits. So a pump of our own stands between: a bounded queue in front, and
//! while the server is away what comes out of it is dropped and counted.

use std::{
    sync::{Arc, OnceLock, atomic::Ordering::Relaxed},
    time::Duration,
};

use async_nats::{Client, ConnectOptions, Event, Statistics};
use bytes::Bytes;
use futures_util::StreamExt as _;
use percent_encoding::percent_decode_str;
use tokio::sync::{mpsc, oneshot, watch};

use crate::{BusState, Counters, Error, OUTGOING, Received, SUBSCRIPTION, Subject, Subscription, Topic};

/// Longest wait between two tries to connect.
const RETRY: Duration = Duration::from_secs(1);

enum Order {
    Publish(Subject, Bytes),
    Subscribe(Topic, mpsc::Sender<Received>),
    Flush(oneshot::Sender<bool>),
}

pub struct Nats {
    orders: mpsc::Sender<Order>,
    /// Set before the first connection.
    totals: Arc<OnceLock<Arc<Statistics>>>,
    state: Arc<watch::Sender<BusState>>,
    pub(crate) counters: Arc<Counters>,
}

impl Nats {
    pub(crate) fn start(url: &str, prefix: &str) -> Result<Self, Error> {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if prefix.is_empty() || !prefix.chars().all(plain) {
            return Err(Error::Prefix);
        }
        let servers: Result<Vec<async_nats::ServerAddr>, _> = url.split(',').map(|one| one.trim().parse()).collect();
        let servers = servers.map_err(|e| Error::Address(e.to_string()))?;
        let state = Arc::new(watch::Sender::new(BusState { connected: false, generation: 0 }));
        let counters = Arc::<Counters>::default();
        let (orders, incoming) = mpsc::channel(OUTGOING);
        let totals = Arc::<OnceLock<_>>::default();
        let pump = Pump {
            prefix: prefix.to_owned(),
            state: Arc::clone(&state),
            counters: Arc::clone(&counters),
            totals: Arc::clone(&totals),
            servers,
        };
        tokio::spawn(pump.run(incoming));
        Ok(Self { orders, totals, state, counters })
    }

    pub(crate) fn publish(&self, subject: Subject, payload: Bytes) -> bool {
        self.state.borrow().connected && self.orders.try_send(Order::Publish(subject, payload)).is_ok()
    }

    pub(crate) fn subscribe(&self, topic: Topic) -> Subscription {
        let (to, incoming) = mpsc::channel(SUBSCRIPTION);
        if let Err(e) = self.orders.try_send(Order::Subscribe(topic, to)) {
            // A subscription that is never served would go unnoticed; one that
            // ends at once does not.
            tracing::error!(error = %e, "the bus took no subscription");
        }
        Subscription { incoming }
    }

    pub(crate) fn state(&self) -> watch::Receiver<BusState> {
        self.state.subscribe()
    }

    /// Number of the connection, counted by the library before it writes the
    /// first byte to it. Our own `generation` follows an event, so somewhat later.
    pub(crate) fn connection(&self) -> u64 {
        self.totals.get().map_or(0, |totals| totals.connects.load(Relaxed))
    }

    pub(crate) async fn flush(&self, patience: Duration) -> bool {
        let (done, wait) = oneshot::channel();
        let asked = async {
            self.orders.send(Order::Flush(done)).await.ok()?;
            wait.await.ok()
        };
        tokio::time::timeout(patience, asked).await.ok().flatten().unwrap_or(false)
    }
}

struct Pump {
    prefix: String,
    state: Arc<watch::Sender<BusState>>,
    counters: Arc<Counters>,
    totals: Arc<OnceLock<Arc<Statistics>>>,
    servers: Vec<async_nats::ServerAddr>,
}

/// The user and the password, or the token, of the first address that has them:
/// the library reads neither from an address.
fn credentials(servers: &[async_nats::ServerAddr]) -> ConnectOptions {
    let plain = |part: &str| percent_decode_str(part).decode_utf8_lossy().into_owned();
    let options = ConnectOptions::new();
    let Some(server) = servers.iter().find(|server| server.has_user_pass()) else { return options };
    match (server.username(), server.password()) {
        (Some(user), Some(password)) => options.user_and_password(plain(user), plain(password)),
        (Some(token), None) => options.token(plain(token)),
        _ => options,
    }
}

impl Pump {
    async fn run(self, mut orders: mpsc::Receiver<Order>) {
        let Some(client) = self.connect().await else { return };
        let _ = self.totals.set(client.statistics());
        while let Some(order) = orders.recv().await {
            match order {
                Order::Publish(subject, payload) => self.publish(&client, subject, payload).await,
                Order::Subscribe(topic, to) => self.subscribe(&client, topic, to).await,
                Order::Flush(done) => {
                    let (client, prefix) = (client.clone(), self.prefix.clone());
                    let away = !self.state.borrow().connected;
                    tokio::spawn(async move {
                        let _ = done.send(!away && echo(&client, &prefix).await.is_some());
                    });
                }
            }
        }
        // Every handle is gone: the connection ends with its client.
        drop(client.drain().await);
    }

    async fn connect(&self) -> Option<Client> {
        let state = Arc::clone(&self.state);
        let counters = Arc::clone(&self.counters);
        let options = credentials(&self.servers)
            .name(format!("magpie {}", self.prefix))
            .retry_on_initial_connect()
            .max_reconnects(None)
            .ping_interval(Duration::from_secs(5))
            .connection_timeout(Duration::from_secs(3))
            .reconnect_delay_callback(|tries| RETRY.min(Duration::from_millis(50 << tries.min(5))))
            .client_capacity(OUTGOING)
            .subscription_capacity(SUBSCRIPTION)
            .event_callback(move |event| {
                let (state, counters) = (Arc::clone(&state), Arc::clone(&counters));
                async move { heard(&state, &counters, &event) }
            });
        match options.connect(self.servers.clone()).await {
            Ok(client) => Some(client),
            Err(e) => {
                tracing::error!(error = %e, "the bus cannot be used, nodes hear of each other by reading only");
                None
            }
        }
    }

    async fn publish(&self, client: &Client, subject: Subject, payload: Bytes) {
        let mut state = self.state.subscribe();
        if !state.borrow_and_update().connected {
            self.counters.dropped.fetch_add(1, Relaxed);
            return;
        }
        // The library waits when its buffer is full; that may not hold up the
        // pump once the server is away.
        let sending = client.publish(subject.name(&self.prefix), payload);
        tokio::select! {
            sent = sending => {
                if sent.is_err() {
                    self.counters.dropped.fetch_add(1, Relaxed);
                }
            }
            _ = state.wait_for(|s| !s.connected) => {
                self.counters.dropped.fetch_add(1, Relaxed);
            }
        }
    }

    async fn subscribe(&self, client: &Client, topic: Topic, to: mpsc::Sender<Received>) {
        // The library keeps subscriptions over reconnections, and takes them
        // while it is away.
        let mut messages = match client.subscribe(topic.name(&self.prefix)).await {
            Ok(messages) => messages,
            Err(e) => {
                tracing::error!(error = %e, "the bus took no subscription");
                return;
            }
        };
        let (prefix, counters) = (self.prefix.clone(), Arc::clone(&self.counters));
        tokio::spawn(async move {
            loop {
                let message = tokio::select! {
                    message = messages.next() => message,
                    () = to.closed() => None,
                };
                let Some(message) = message else { break };
                let Some(subject) = Subject::parse(&message.subject, &prefix) else { continue };
                if let Err(mpsc::error::TrySendError::Full(_)) =
                    to.try_send(Received { subject, payload: message.payload })
                {
                    counters.missed.fetch_add(1, Relaxed);
                }
            }
        });
    }
}

/// Waits for a message to ourselves: a server takes what one client says in
/// order, so it has taken all from before. Below the prefix, which may be all
/// that this client is allowed to use.
async fn echo(client: &Client, prefix: &str) -> Option<()> {
    let inbox = client.new_inbox();
    let subject = format!("{prefix}.echo.{}", inbox.rsplit('.').next().unwrap_or_default());
    let mut messages = client.subscribe(subject.clone()).await.ok()?;
    client.publish(subject, Bytes::new()).await.ok()?;
    messages.next().await.map(drop)
}

fn heard(state: &watch::Sender<BusState>, counters: &Counters, event: &Event) {
    match event {
        Event::Connected => {
            state.send_modify(|s| *s = BusState { connected: true, generation: s.generation + 1 });
            tracing::info!("the bus is connected");
        }
        Event::Disconnected | Event::Closed | Event::LameDuckMode => {
            state.send_modify(|s| s.connected = false);
            tracing::warn!("the bus is away");
        }
        Event::SlowConsumer(_) => {
            counters.missed.fetch_add(1, Relaxed);
        }
        Event::Draining => {}
        Event::ServerError(e) => tracing::warn!(error = %e, "the bus reports"),
        Event::ClientError(e) => tracing::warn!(error = %e, "the bus reports"),
    }
}
