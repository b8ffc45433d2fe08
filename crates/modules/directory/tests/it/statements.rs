//! Every statement of this module is understood by the engine.

#[tokio::test]
async fn every_statement_is_understood() {
    let server = crate::server().await;
    store::testing::prepare_all(&server.db()).await.unwrap_or_else(|wrong| panic!("{wrong:#?}"));
}
