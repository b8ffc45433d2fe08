//! The statements themselves, on the engine of this run.

use store::{
    Db, Tx,
    lint::{Allow, check, check_schema},
    sql,
    testing::{Place, engine},
};
use uuid::Uuid;

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
    Allow { module: "files::store::parts", contains: "f.state IN ('ready', 'failed')", reason: "the sweep's" },
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

/// Rows of before the second migration: Alice has two files in an organisation
/// and one outside of any, Bob one that is gone.
#[tokio::test(flavor = "multi_thread")]
async fn files_that_were_there_before_are_counted_once_and_for_their_size() {
    let modules = vec![identity::module(), directory::module(), files::module()];
    let registry = kernel::Registry::new(modules).unwrap();
    let new = "20261123_020000_files_space";
    let before: Vec<_> = registry.migrations().iter().copied().filter(|step| step.name != new).collect();
    assert_eq!(before.len() + 1, registry.migrations().len());
    let place = Place::new(engine());
    let db = Db::open(place.config(), &before, true).unwrap();
    let (org, nobody) = (Uuid::from_u128(1), Uuid::nil());
    let people = [Uuid::from_u128(2), Uuid::from_u128(3)];
    let fill = move |tx: &mut Tx<'_>| {
        for (n, id) in people.iter().enumerate() {
            tx.execute(
                sql!(
                    "INSERT INTO users (id, name, name_folded, login, login_folded, kind, profile_rev, created_at)
                     VALUES ($1, $2, $2, $2, $2, 'person', 0, 0)"
                ),
                &[id, &format!("person {n}")],
            )?;
        }
        let files = [
            (people[0], Some(org), 10_i64, "ready"),
            (people[0], Some(org), 20, "uploading"),
            (people[0], None, 30, "ready"),
            (people[1], Some(org), 40, "gone"),
        ];
        for (n, (owner, org, size, state)) in files.into_iter().enumerate() {
            tx.execute(
                sql!(
                    "INSERT INTO files_files (id, owner_id, org_id, name, size, received, parts, state, mime, animated,
                        created_at, touched_at)
                     VALUES ($1, $2, $3, 'a', $4, 0, 0, $5, 'a/a', FALSE, 0, 0)"
                ),
                &[&Uuid::from_u128(10 + n as u128), &owner, &org, &size, &state],
            )?;
        }
        for (org, user) in [(org, people[0]), (org, people[1]), (org, nobody), (nobody, people[0])] {
            let used = sql!("INSERT INTO files_usage (org_id, user_id, bytes, uploads) VALUES ($1, $2, 0, 0)");
            tx.execute(used, &[&org, &user])?;
        }
        Ok::<_, store::Error>(())
    };
    db.write(fill).await.unwrap();
    db.close().await;
    let db = Db::open(place.config(), registry.migrations(), true).unwrap();
    let counted = move |tx: &mut Tx<'_>| {
        let sql = sql!("SELECT files FROM files_usage WHERE org_id = $1 AND user_id = $2");
        let of = |tx: &mut Tx<'_>, org: Uuid, user: Uuid| tx.one(sql, &[&org, &user], |row| row.get::<i64>(0));
        Ok::<_, store::Error>([
            of(tx, org, people[0])?,
            of(tx, org, people[1])?,
            of(tx, org, nobody)?,
            of(tx, nobody, people[0])?,
        ])
    };
    assert_eq!(db.read(counted).await.unwrap(), [2, 0, 2, 1]);
    db.close().await;
}
