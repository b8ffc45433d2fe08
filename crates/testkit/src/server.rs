use std::{net::SocketAddr, sync::Arc};

use axum::Router;
use gateway::Gateway;
use kernel::{Clock, Delivery, Kernel, KernelConfig, Listener, ManualClock, Module, Registry};
use proto::Millis;
use rand::SeedableRng;
use store::testing::TestDb;
use tokio::{net::TcpListener, task::JoinHandle};

use crate::{Nobody, Outbox, Person};

/// 2026-11-22T08:00:00Z, a Sunday.
pub const START: Millis = 1_795_334_400_000;

/// A running server. Dropping it stops it, and fails the test if a job that
/// was due has been left undone.
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

    async fn assembled(
        modules: Vec<Module>,
        change: impl FnOnce(&mut KernelConfig),
        delivery: Arc<dyn Delivery>,
    ) -> Self {
        let registry = Registry::new(modules).unwrap_or_else(|e| panic!("{e}"));
        let db = TestDb::open(registry.migrations()).await;
        let clock = Arc::new(ManualClock::new(START));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let mut config = KernelConfig::for_tests(base.clone());
        change(&mut config);
        let gateway = Gateway::new(bus::Bus::local(), gateway::GatewayConfig::default());
        let kernel = Kernel::new(
            db.db(),
            clock.clone() as Arc<dyn Clock>,
            registry,
            config,
            gateway.sink(),
            delivery,
            rand::rngs::StdRng::seed_from_u64(7),
        );
        gateway.start(kernel.clone());
        let (routes, _) = kernel::http::api(&kernel, Listener::Web).split_for_parts();
        let routes: Router<Arc<Kernel>> = routes.merge(gateway.routes()).fallback(kernel::http::not_found);
        let app = kernel::http::layered(routes, kernel.clone()).into_make_service_with_connect_info::<SocketAddr>();
        let serve = tokio::spawn(async move {
            axum::serve(listener, app).await.unwrap();
        });
        let nobody = Nobody { base: base.clone(), http: http() };
        Self {
            kernel,
            clock,
            gateway,
            base,
            outbox: Arc::default(),
            nobody,
            tasks: vec![serve],
            db,
            forgives_jobs: false,
        }
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
            let due = self.kernel.db.read(move |tx| store::jobs::due_count(tx, now)).await.unwrap();
            assert_eq!(due, 0, "due jobs were left undone");
        }
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
