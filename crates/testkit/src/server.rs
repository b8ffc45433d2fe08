use std::{net::SocketAddr, sync::Arc};

use axum::Router;
use gateway::{Gateway, testing::Contract};
use kernel::{Clock, Delivery, Kernel, KernelConfig, Listener, ManualClock, Module, Registry};
use proto::Millis;
use rand::SeedableRng;
use store::testing::{Place, TestDb};
use tokio::{net::TcpListener, task::JoinHandle};

use crate::{Nobody, Outbox, Person};

/// 2026-11-22T08:00:00Z, a Sunday.
pub const START: Millis = 1_795_334_400_000;

/// A running server. Dropping it stops it, and fails the test if a job that
/// was due has been left undone, or if it told its followers anything that
/// `docs/events.json` does not tell of.
pub struct TestServer {
    pub kernel: Arc<Kernel>,
    pub clock: Arc<ManualClock>,
    pub gateway: Gateway,
    pub base: String,
    /// What the server has sent.
    pub outbox: Arc<Outbox>,
    nobody: Nobody,
    tasks: Vec<JoinHandle<()>>,
    db: TestDb,
    /// Of other nodes: a gateway works as long as it is held.
    gateways: Vec<Gateway>,
    forgives_jobs: bool,
}

impl TestServer {
    pub async fn with(modules: Vec<Module>) -> Self {
        Self::configured(modules, |_| {}).await
    }

    /// As [`TestServer::with`], with changes to the configuration.
    pub async fn configured(modules: Vec<Module>, change: impl FnOnce(&mut KernelConfig)) -> Self {
        let outbox = Arc::new(Outbox::default());
        let mut server = Self::assembled(modules, change, outbox.clone()).await;
        server.outbox = outbox;
        server
    }

    /// As [`TestServer::with`], sending by something else than the outbox.
    pub async fn delivering(modules: Vec<Module>, delivery: Arc<dyn Delivery>) -> Self {
        Self::assembled(modules, |_| {}, delivery).await
    }

    /// Stops this server, so that others may begin with what it keeps.
    pub async fn into_mould(mut self) -> Mould {
        for task in self.tasks.drain(..) {
            task.abort();
        }
        self.db().close().await;
        Mould(self)
    }

    /// A server over a database that is there already, at this moment.
    pub async fn over(place: Place, modules: Vec<Module>, change: impl FnOnce(&mut KernelConfig)) -> Self {
        let outbox = Arc::new(Outbox::default());
        let mut server = Self::assembled_at(Some(place), modules, change, outbox.clone()).await;
        server.outbox = outbox;
        server
    }

    async fn assembled(
        modules: Vec<Module>,
        change: impl FnOnce(&mut KernelConfig),
        delivery: Arc<dyn Delivery>,
    ) -> Self {
        Self::assembled_at(None, modules, change, delivery).await
    }

    async fn assembled_at(
        place: Option<Place>,
        modules: Vec<Module>,
        change: impl FnOnce(&mut KernelConfig),
        delivery: Arc<dyn Delivery>,
    ) -> Self {
        let registry = Registry::new(modules).unwrap_or_else(|e| panic!("{e}"));
        let db = match place {
            Some(place) => TestDb::at(place, registry.migrations()),
            None => TestDb::open(registry.migrations()).await,
        };
        Self::on(db, registry, change, delivery, 7).await
    }

    async fn on(
        db: TestDb,
        registry: Registry,
        change: impl FnOnce(&mut KernelConfig),
        delivery: Arc<dyn Delivery>,
        seed: u64,
    ) -> Self {
        let contract = Contract::of(registry.events());
        let clock = Arc::new(ManualClock::new(START));
        let open = db.db();
        let running = Running::start(open, registry, clock.clone(), bus::Bus::local(), change, delivery, seed).await;
        let Running { kernel, gateway, base, task } = running;
        gateway.hold_to(contract.clone());
        let nobody = Nobody { base: base.clone(), http: http(), contract };
        Self {
            kernel,
            clock,
            gateway,
            base,
            outbox: Arc::default(),
            nobody,
            tasks: vec![task],
            db,
            gateways: Vec::new(),
            forgives_jobs: false,
        }
    }

    /// Another node over the same database, which no bus joins to the first;
    /// `None` on SQLite, which has one node. It lives as long as this server.
    pub async fn cut_off_node(&mut self, modules: Vec<Module>) -> Option<Nobody> {
        if self.db.db().engine() == store::Engine::Sqlite {
            return None;
        }
        let registry = Registry::new(modules).unwrap_or_else(|e| panic!("{e}"));
        let contract = Contract::of(registry.events());
        let mut config = self.db.config().clone();
        config.node = 2;
        let db = store::Db::open(&config, registry.migrations(), false).unwrap();
        // Discard, where nobody listens.
        let away = bus::Bus::nats("nats://127.0.0.1:9", "m").unwrap();
        let delivery = Arc::new(Outbox::default());
        let running = Running::start(db, registry, self.clock.clone(), away, |_| {}, delivery, 8).await;
        self.tasks.push(running.task);
        self.gateways.push(running.gateway);
        Some(Nobody { base: running.base, http: http(), contract })
    }

    /// A person with an account of their own.
    pub async fn person(&self, name: &str) -> Person {
        self.nobody.sign_up(name).await
    }

    pub fn nobody(&self) -> &Nobody {
        &self.nobody
    }

    /// Runs every job that is due, and those that they lead to.
    pub async fn run_jobs(&self) {
        kernel::worker::schedule(&self.kernel).await.unwrap();
        while kernel::worker::step(&self.kernel).await.unwrap() {}
    }

    /// For tests that leave due jobs on purpose.
    pub fn forgive_jobs(&mut self) {
        self.forgives_jobs = true;
    }

    /// Fails if a due job is left, then stops. Tests may call it; dropping
    /// without it only stops.
    pub async fn finish(self) {
        if !self.forgives_jobs {
            let now = self.clock.now();
            let due = store::sql!(
                "SELECT kind, run_at, attempt, failures, lease_until, error, key FROM jobs
                 WHERE dead_at IS NULL AND run_at <= $1 ORDER BY seq"
            );
            let left = self.kernel.db.read(move |tx| {
                tx.query(due, &[&now], |row| {
                    let (kind, key): (String, Option<String>) = (row.get(0)?, row.get(6)?);
                    let times: (i64, i64, i64, Option<i64>) = (row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?);
                    Ok(format!("{kind} {key:?} {times:?} {:?}", row.get::<Option<String>>(5)?))
                })
            });
            assert_eq!(left.await.unwrap(), Vec::<String>::new(), "due jobs were left undone at {now}");
        }
    }

    /// Where the database is.
    pub fn engine(&self) -> store::EngineConfig {
        self.db.config().engine.clone()
    }

    /// The database, to look behind the API.
    pub fn db(&self) -> store::Db {
        self.db.db()
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
        // What was committed just now may not have been seen.
        let untold = self.gateway.untold();
        assert!(untold.is_empty() || std::thread::panicking(), "{}", untold.join("\n"));
    }
}

/// A server that was stopped: any number of others begin with what it keeps
/// in its database. Objects and messages sent are not taken along.
pub struct Mould(TestServer);

impl Mould {
    /// A server like the one that was stopped, at the time at which that began.
    pub async fn cast(&self, modules: Vec<Module>, change: impl FnOnce(&mut KernelConfig)) -> TestServer {
        let registry = Registry::new(modules).unwrap_or_else(|e| panic!("{e}"));
        let outbox = Arc::new(Outbox::default());
        // Ids must not be those that the first server gave.
        let mut server = TestServer::on(self.0.db.copy(), registry, change, outbox.clone(), 9).await;
        server.outbox = outbox;
        server
    }
}

/// What answers on a port.
struct Running {
    kernel: Arc<Kernel>,
    gateway: Gateway,
    base: String,
    task: JoinHandle<()>,
}

impl Running {
    async fn start(
        db: store::Db,
        registry: Registry,
        clock: Arc<ManualClock>,
        bus: bus::Bus,
        change: impl FnOnce(&mut KernelConfig),
        delivery: Arc<dyn Delivery>,
        seed: u64,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let mut config = KernelConfig::for_tests(base.clone());
        change(&mut config);
        let gateway = Gateway::new(bus, gateway::GatewayConfig::default());
        let random = rand::rngs::StdRng::seed_from_u64(seed);
        let clock = clock as Arc<dyn Clock>;
        let kernel = Kernel::new(db, clock, registry, config, gateway.sink(), delivery, random);
        gateway.start(kernel.clone());
        let (routes, _) = kernel::http::api(&kernel, Listener::Web).split_for_parts();
        let routes: Router<Arc<Kernel>> = routes.merge(gateway.routes()).fallback(kernel::http::not_found);
        let app = kernel::http::layered(routes, kernel.clone()).into_make_service_with_connect_info::<SocketAddr>();
        let task = tokio::spawn(async move {
            axum::serve(listener, app).await.unwrap();
        });
        Self { kernel, gateway, base, task }
    }
}

fn http() -> reqwest::Client {
    // reqwest is built without a default provider; tests speak plain http.
    static PROVIDER: std::sync::Once = std::sync::Once::new();
    PROVIDER.call_once(|| {
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
    #[expect(clippy::disallowed_methods, reason = "the test's own client, to loopback")]
    reqwest::Client::builder().no_proxy().build().unwrap()
}
