//! Every statement of every module, on the engine under test.

use store::{
    lint::{Allow, check, check_schema},
    testing::{TestDb, prepare_all},
};

#[tokio::test]
async fn every_statement_can_be_prepared() {
    let registry = magpie::wiring::registry().unwrap();
    let db = TestDb::open(registry.migrations()).await;
    prepare_all(&db.db()).await.unwrap();
    assert!(store::registered().count() > 80);
}

/// Statements that answer for one person over all their organisations, or
/// that know no more than a secret. (Chat's are in its own tests.)
const ALLOWED: &[Allow] = &[
    person("WHERE m.user_id = $1 AND m.state <> 'left'"),
    person("SELECT org_id FROM directory_members WHERE user_id = $1"),
    person("WHERE x.user_id = $1 AND x.state = 'active'"),
    person("WHERE user_id = $1 ORDER BY org_id"),
    person("WHERE user_id = $1 AND person_rev > $2"),
    person("FROM directory_join_requests WHERE user_id = $1"),
    person("WHERE user_id = $1 AND org_id > $2"),
    person("WHERE user_id = $1 AND state <> 'left'"),
    person("WHERE x.user_id = $1 AND y.user_id = $2"),
    person("FROM directory_recoveries r WHERE r.user_id = $1 AND r.id = $2"),
    person("WHERE me.user_id = $1 AND me.state = 'active'"),
    Allow {
        module: "kernel::blobs",
        contains: "",
        reason: "one object, by id; or the collector's, over all organisations",
    },
    Allow { module: "kernel::scrub", contains: "", reason: "looks at objects of all organisations" },
    Allow {
        module: "directory::",
        contains: "WHERE code = $1",
        reason: "the code of an invitation is all that is known",
    },
    Allow {
        module: "directory::",
        contains: "WHERE short = $1",
        reason: "the code of an invitation is all that is known",
    },
];

const fn person(contains: &'static str) -> Allow {
    Allow { module: "directory::", contains, reason: "one person, over all their organisations" }
}

#[test]
fn statements_keep_to_their_organisation_and_to_both_engines() {
    let registry = magpie::wiring::registry().unwrap();
    if let Err(findings) = check(registry.migrations(), ALLOWED, &["kernel::", "identity::", "directory::"]) {
        panic!("{}", findings.join("\n"));
    }
    assert_eq!(check_schema(registry.migrations()), Vec::<String>::new());
}
