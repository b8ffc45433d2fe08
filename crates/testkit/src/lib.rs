//! A real server for tests: the real router on a loopback port, a real store
//! on the engine that `MAGPIE_TEST_ENGINE` names, a clock that moves when told
//! to, a local bus. Tests speak HTTP and WebSocket to it, as people.
//!
//! ```no_run
//! # async fn example(modules: Vec<kernel::Module>) {
//! let server = testkit::TestServer::with(modules).await;
//! let alice = server.person("张伟").await;
//! let org = alice.post("/api/v1/orgs", serde_json::json!({"name": "鹊桥"})).await.ok();
//! # }
//! ```
//!
//! Architecture invariant: knows no module. People sign up through the API.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod answer;
mod authenticator;
mod between;
mod outbox;
mod pebble;
mod person;
mod s3;
mod server;
mod socket;

pub use answer::{Answer, Raw};
pub use authenticator::{App, Device};
pub use between::{Between, Mood};
pub use outbox::{Outbox, Sent};
pub use pebble::{Names, Pebble};
pub use person::{Nobody, PASSWORD, Person};
pub use s3::S3Server;
pub use server::{Mould, TestServer};
pub use socket::TestSocket;

/// How long a test waits for something that must come. Generous: it only
/// decides how a failure looks.
pub const CUT_OFF: std::time::Duration = std::time::Duration::from_secs(20);
