//! Every statement is understood by both engines' test runs.

use crate::world::server;

#[tokio::test(flavor = "multi_thread")]
async fn every_statement_can_be_prepared() {
    let server = server().await;
    store::testing::prepare_all(&server.db()).await.unwrap();
}
