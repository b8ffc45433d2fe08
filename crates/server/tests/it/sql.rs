//! Every statement of every module, on the engine under test.

use store::testing::{TestDb, prepare_all};

#[tokio::test]
async fn every_statement_can_be_prepared() {
    let registry = magpie::wiring::registry().unwrap();
    let db = TestDb::open(registry.migrations()).await;
    prepare_all(&db.db()).await.unwrap();
    assert!(store::registered().count() > 80);
}
