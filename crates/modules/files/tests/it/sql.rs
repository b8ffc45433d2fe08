//! The statements themselves, on the engine of this run.

use store::lint::{Allow, check, check_schema};

use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn every_statement_can_be_prepared() {
    let w = World::new().await;
    store::testing::prepare_all(&w.server.db()).await.unwrap();
}

/// Files are reached by id, and the policy, which every access runs, asks for
/// the organisation. Whatever goes by the organisation itself says so.
const ALLOWED: &[Allow] = &[
    Allow { module: "files::store::files", contains: "", reason: "one file by id, one person's, or the sweep's" },
    Allow { module: "files::store::attachments", contains: "WHERE file_id = $1", reason: "one file, by id" },
    Allow { module: "files::store::attachments", contains: "WHERE id = $1", reason: "one file, by id" },
    Allow { module: "files::store::attachments", contains: "INSERT INTO", reason: "of the holder's organisation" },
    Allow { module: "files::store::parts", contains: "f.state = 'ready'", reason: "the sweep's" },
    Allow { module: "files::store::parts", contains: "touched_at = 0", reason: "of all, once, after a restore" },
    Allow { module: "files::store::erase", contains: "owner_id = $1", reason: "one person, over all organisations" },
    Allow { module: "files::store::usage", contains: "INSERT INTO", reason: "names the organisation as a value" },
];

#[test]
fn statements_keep_to_their_organisation_and_to_both_engines() {
    let modules = [identity::module(), directory::module(), files::module()];
    let migrations: Vec<_> =
        modules.iter().flat_map(|m| m.migrations).copied().chain(kernel::MIGRATIONS.to_vec()).collect();
    if let Err(findings) = check(&migrations, ALLOWED, &["files::"]) {
        panic!("{}", findings.join("\n"));
    }
    assert_eq!(check_schema(files::module().migrations), Vec::<String>::new());
}
