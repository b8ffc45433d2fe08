//! The statements themselves, on the engine of this run.

use store::lint::{Allow, check, check_schema};

use crate::world::server;

#[tokio::test(flavor = "multi_thread")]
async fn every_statement_can_be_prepared() {
    let server = server().await;
    store::testing::prepare_all(&server.db()).await.unwrap();
}

/// Conversations are reached through their participants, who may be of
/// several organisations; the policy, which every access runs, asks for the
/// organisation. Whatever goes by the organisation itself says so.
const ALLOWED: &[Allow] = &[
    Allow {
        module: "chat::store::heads",
        contains: "WHERE c.id = $1",
        reason: "one conversation, by id; asked by the policy",
    },
    Allow {
        module: "chat::store::heads",
        contains: "WHERE direct_key = $1",
        reason: "pairs belong to no organisation",
    },
    Allow {
        module: "chat::store::heads",
        contains: "UPDATE conversations SET seq",
        reason: "one locked conversation, by id",
    },
    Allow {
        module: "chat::store::merges",
        contains: "c.kind = 'direct'",
        reason: "pairs belong to no organisation; one person's own",
    },
    Allow {
        module: "chat::store::guests",
        contains: "WHERE code = $1",
        reason: "the code of a link is all that is known",
    },
    Allow { module: "chat::store::visible", contains: "", reason: "lists over all organisations of one person" },
];

#[test]
fn statements_keep_to_their_organisation_and_to_both_engines() {
    let modules = [identity::module(), directory::module(), chat::module()];
    let migrations: Vec<_> =
        modules.iter().flat_map(|m| m.migrations).copied().chain(kernel::MIGRATIONS.to_vec()).collect();
    if let Err(findings) = check(&migrations, ALLOWED, &["chat::"]) {
        panic!("{}", findings.join("\n"));
    }
    assert_eq!(check_schema(chat::module().migrations), Vec::<String>::new());
}
