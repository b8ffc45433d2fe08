//! Identity through HTTP and WebSocket, on the engine `MAGPIE_TEST_ENGINE` names.

#![expect(clippy::unwrap_used, reason = "what a test needs must be there")]

mod accounts;
mod contacts;
mod entrances;
mod links;
mod notices;
mod passkeys;
mod passwords;
mod people;
mod photos;
mod pruning;
mod resets;
mod sealed;
mod sessions;
mod setup;
mod statements;
mod totp;
mod tries;

use testkit::TestServer;

async fn server() -> TestServer {
    TestServer::with(vec![identity::module()]).await
}
