//! The context everything acts in. Time, ids and randomness come from here
//! and from nowhere else, so a test can move the clock and repeat a run.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{SystemTime, UNIX_EPOCH},
};

use parking_lot::{Mutex, RwLock};
use proto::{Id, Millis, PrincipalKind, SessionId, UserId};
use rand::{Rng, SeedableRng, rngs::StdRng};
use store::Db;
use uuid::Uuid;

use crate::{
    Budgets, Delivery, Meters, Registry,
    health::Health,
    seals::{By, Seals},
};

pub trait Clock: Send + Sync + 'static {
    fn now(&self) -> Millis;

    /// How far the machine's clock leapt ahead of this one, or back (less than
    /// 0), where that was noticed and is not followed.
    fn apart(&self) -> Option<Millis> {
        None
    }
}

pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Millis {
        #[expect(clippy::disallowed_methods, reason = "the one place that reads the system's clock")]
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
    }
}

/// A clock that moves only when told to.
#[derive(Debug)]
pub struct ManualClock(AtomicI64);

impl ManualClock {
    pub fn new(at: Millis) -> Self {
        Self(AtomicI64::new(at))
    }

    pub fn advance(&self, by: Millis) {
        self.0.fetch_add(by, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Millis {
        self.0.load(Ordering::SeqCst)
    }
}

/// Who acts. Every sender, actor and audit entry is one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    pub kind: PrincipalKind,
    pub id: Uuid,
    pub session: Option<SessionId>,
    /// What a bearer token may be used for; `None` is everything its owner may.
    pub scopes: Option<Arc<[String]>>,
    /// When the session last proved a credential; signing in is a proof
    /// ([`crate::proof`]).
    pub proven_at: Option<Millis>,
}

impl Principal {
    pub fn person(user: UserId, session: SessionId) -> Self {
        Self { kind: PrincipalKind::Person, id: user.0, session: Some(session), scopes: None, proven_at: None }
    }

    pub fn guest(user: UserId, session: SessionId) -> Self {
        Self { kind: PrincipalKind::Guest, ..Self::person(user, session) }
    }

    /// The server itself: jobs, seeds, imports.
    pub const SYSTEM: Self =
        Self { kind: PrincipalKind::System, id: Uuid::nil(), session: None, scopes: None, proven_at: None };

    pub fn user(&self) -> UserId {
        UserId(self.id)
    }
}

/// Where signals that do not last go: typing, presence, `touched`.
pub trait EphemeralSink: Send + Sync + 'static {
    fn send(&self, signal: Ephemeral);
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ephemeral {
    /// An answer of the API changed for the followers of `stream`.
    Touched { stream: proto::StreamKey, touch: crate::Touch, id: Uuid },
    /// `user`'s place in a conversation moved; joined and shown to whoever has it open.
    Receipt { conversation: Uuid, user: UserId, read_seq: i64, delivered_seq: i64 },
    /// Sessions or memberships of `user` ended: read `kernel_access_changes` now.
    AccessChanged { user: UserId },
}

/// Values of the configuration that modules may need.
#[derive(Clone, Debug)]
pub struct KernelConfig {
    /// At the start; what holds is [`Kernel::live`].
    pub name: String,
    pub version: &'static str,
    /// Goes into every link and QR code; never taken from a Host header.
    pub public_url: String,
    /// What a request counts as where no listener says how it arrived
    /// ([`crate::Arrival`]).
    pub https: bool,
    /// `open` or `invitation`: who may make an account. At the start; what
    /// holds is [`Kernel::live`].
    pub signup_open: bool,
    /// While there is nobody, only the set-up link makes an account: else
    /// whoever finds a fresh server first would own it. Off for tests and seeds.
    pub setup_required: bool,
    /// Argon2 memory in KiB; small in tests.
    pub password_kib: u32,
    /// Where files lie.
    pub blobs: store::Blobs,
    /// What the operator gives, whatever an organisation sets for itself.
    pub space: Space,
    /// What seals secrets in the database.
    pub seals: Seals,
}

/// Most bytes of files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Space {
    /// Of one organisation.
    pub org: i64,
    /// Of one person, in one organisation or outside of any.
    pub person: i64,
}

impl Space {
    pub const fn from_mib(org: i64, person: i64) -> Self {
        Self { org: org.saturating_mul(1_048_576), person: person.saturating_mul(1_048_576) }
    }
}

impl KernelConfig {
    /// Quick hashing, open sign-up, no set-up link, files in memory.
    pub fn for_tests(public_url: String) -> Self {
        Self {
            name: "Magpie".into(),
            version: env!("CARGO_PKG_VERSION"),
            public_url,
            https: false,
            signup_open: true,
            password_kib: 64,
            setup_required: false,
            blobs: store::Blobs::memory(),
            space: Space::from_mib(1 << 20, 1 << 20),
            seals: Seals::of(&[[7; 32]]),
        }
    }
}

/// What an operator may change while the server runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Live {
    /// What the server calls itself.
    pub name: String,
    /// Whether an account needs no invitation.
    pub signup_open: bool,
}

/// The running server, shared by every request.
pub struct Kernel {
    pub db: Db,
    pub clock: Arc<dyn Clock>,
    pub registry: Registry,
    pub budgets: Budgets,
    pub config: KernelConfig,
    pub ephemeral: Arc<dyn EphemeralSink>,
    pub delivery: Arc<dyn Delivery>,
    live: RwLock<Arc<Live>>,
    pub meters: Meters,
    /// What can be looked at to see how the server does.
    pub health: Health,
    rng: Mutex<StdRng>,
}

impl fmt::Debug for Kernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kernel").field("config", &self.config).finish_non_exhaustive()
    }
}

impl Kernel {
    pub fn new(
        db: Db,
        clock: Arc<dyn Clock>,
        registry: Registry,
        config: KernelConfig,
        ephemeral: Arc<dyn EphemeralSink>,
        delivery: Arc<dyn Delivery>,
        rng: StdRng,
    ) -> Arc<Self> {
        let live = Live { name: config.name.clone(), signup_open: config.signup_open };
        let live = RwLock::new(Arc::new(live));
        let meters = Meters::default();
        let budgets = Budgets::new(clock.clone(), meters.clone());
        let (health, rng) = (Health::default(), Mutex::new(rng));
        Arc::new(Self { db, clock, registry, budgets, config, ephemeral, delivery, live, meters, health, rng })
    }

    /// A generator seeded by the operating system.
    pub fn system_rng() -> StdRng {
        StdRng::try_from_rng(&mut rand::rngs::SysRng).expect("the operating system gives no randomness")
    }

    pub fn now(&self) -> Millis {
        self.clock.now()
    }

    /// What holds now of what may change.
    pub fn live(&self) -> Arc<Live> {
        self.live.read().clone()
    }

    /// Takes a changed configuration into force.
    pub fn change(&self, live: Live) {
        *self.live.write() = Arc::new(live);
    }

    /// A new UUIDv7 of the kernel's clock and randomness.
    pub fn id<T: Id>(&self) -> T {
        let millis = u64::try_from(self.now()).unwrap_or(0);
        let mut random = [0; 10];
        self.rng.lock().fill_bytes(&mut random);
        T::from_uuid(uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid())
    }

    /// Random bytes for secrets.
    pub fn random<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.rng.lock().fill_bytes(&mut bytes);
        bytes
    }

    /// Seals a value for its place in the database ([`Seals::seal`]).
    pub fn seal(&self, place: &str, bytes: &[u8]) -> proto::Result<Vec<u8>> {
        self.config.seals.seal(self.random(), place, bytes)
    }

    /// What was sealed for a place, to be read; `None` where its key is not
    /// here, a later release sealed it, or it was tampered with (which the log
    /// tells): nobody gets anywhere by it, and nothing else stops for it.
    pub fn unseal(&self, place: &str, sealed: &[u8]) -> Option<Vec<u8>> {
        if By::of(sealed) == By::Unknown {
            return None;
        }
        self.config.seals.open(place, sealed).unwrap_or_else(|error| {
            tracing::error!(error = %proto::Error::internal(error), place, "a sealed value does not open");
            None
        })
    }

    /// The same value sealed by the present key. `None` where it cannot be
    /// opened: it stays as it is, for the day on which its key is back.
    pub fn seal_anew(&self, place: &str, before: &[u8]) -> proto::Result<Option<Vec<u8>>> {
        self.unseal(place, before).map(|bytes| self.seal(place, &bytes)).transpose()
    }

    pub fn ctx(self: &Arc<Self>, actor: Principal) -> Ctx {
        Ctx { kernel: self.clone(), actor, now: self.now() }
    }
}

/// One request, call or job: who acts and when. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Ctx {
    pub kernel: Arc<Kernel>,
    pub actor: Principal,
    /// The moment of the request; the same for all it writes.
    pub now: Millis,
}

impl Ctx {
    pub fn db(&self) -> &Db {
        &self.kernel.db
    }

    pub fn id<T: Id>(&self) -> T {
        self.kernel.id()
    }

    pub fn user(&self) -> UserId {
        self.actor.user()
    }

    pub fn hooks(&self) -> &crate::Hooks {
        self.kernel.registry.hooks()
    }
}
