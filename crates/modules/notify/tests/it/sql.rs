//! The statements themselves, on the engine of this run.

use store::lint::{check, check_schema};

use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn every_statement_can_be_prepared() {
    let w = World::new().await;
    store::testing::prepare_all(&w.server.db()).await.unwrap();
}

#[test]
fn statements_keep_to_both_engines() {
    let modules = [identity::module(), directory::module(), chat::module(), notify::module()];
    let migrations: Vec<_> =
        modules.iter().flat_map(|m| m.migrations).copied().chain(kernel::MIGRATIONS.to_vec()).collect();
    if let Err(findings) = check(&migrations, &[], &["notify::"]) {
        panic!("{}", findings.join("\n"));
    }
    assert_eq!(check_schema(notify::module().migrations), Vec::<String>::new());
}
