//! Backups that are made by themselves, and objects that they hold.

use std::collections::HashSet;

use bytes::Bytes;
use kernel::{Clock as _, Principal, backups, blobs};
use magpie::backup::{
    Archive, Keep, Place, Plan, Refused, Source,
    keep::{self, Line},
    mark, run,
};
use proto::{BlobId, Error};
use sha2::{Digest, Sha256};
use store::{Blobs, Engine};
use uuid::Uuid;

use super::world::{World, restore};

const DAY: i64 = 86_400_000;

/// On a folder, as most have it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_is_made_each_day_and_old_ones_go_with_what_only_they_needed() {
    let world = World::new().await;
    let folder = tempfile::tempdir().unwrap();
    let place = Place::folder(&folder.path().join("backups")).unwrap();
    let keep = Keep { daily: 2, weekly: 0, monthly: 0 };
    let plan = Plan { place: place.clone(), every_hours: 24, hour: 19, keep };
    let source = world.source();
    let step = || run::step(&world.server.kernel, &source, &plan);
    assert!(step().await.unwrap());
    assert!(!step().await.unwrap());
    let objects = || async { place.blobs.list("objects").await.unwrap().len() };
    assert_eq!(objects().await, 1);
    // The file goes; so does its object, once no backup needs it any more.
    world.alice.delete(&format!("/api/v1/files/{}", world.file)).await.ok();
    for day in 1..=4 {
        world.server.clock.advance(DAY);
        world.server.run_jobs().await;
        assert!(step().await.unwrap() && !step().await.unwrap());
        assert_eq!(place.names().await.unwrap().len(), 2.min(day + 1));
    }
    world.server.clock.advance(8 * DAY);
    world.server.run_jobs().await;
    for _ in 0..3 {
        world.server.clock.advance(DAY);
        assert!(step().await.unwrap());
    }
    assert_eq!(world.blobs.list("blobs").await.unwrap(), []);
    assert_eq!(objects().await, 0);
    // Nothing lies about, and what is left is good.
    let names: HashSet<String> = std::fs::read_dir(folder.path().join("backups"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name != "objects" && name != mark::MARK)
        .collect();
    assert_eq!(names, place.names().await.unwrap().into_iter().collect());
    let archive = Archive::newest(place).await.unwrap();
    assert!(restore(&archive, Engine::Sqlite).await.2.is_ok());
    let latest = run::latest(&world.server.db(), world.server.kernel.now()).await.unwrap();
    assert_eq!(plan.trouble(&latest, world.server.clock.now()), None);
    assert!(plan.trouble(&latest, world.server.clock.now() + 3 * DAY).unwrap().text.contains("3 days"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_place_belongs_to_one_server() {
    let (one, other) = (World::new().await, World::new().await);
    let place = super::world::place();
    one.backup(&place).await.unwrap();
    other.server.clock.advance(60_000);
    let error = format!("{:#}", other.backup(&place).await.unwrap_err());
    assert!(error.contains("another server"), "{error}");
    assert_eq!(place.names().await.unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sweep_takes_nothing_of_another_server_and_no_object_of_today() {
    let (world, place) = (World::new().await, super::world::place());
    world.backup(&place).await.unwrap();
    let loose = format!("objects/ab/ab{}", "0".repeat(62));
    place.blobs.put(&loose, Bytes::from_static(b"x")).await.unwrap();
    let (none, now) = (Keep { daily: 0, weekly: 0, monthly: 0 }, kernel::SystemClock.now());
    let own = Line::of(&world.server.db(), now).await.unwrap();
    let other = Line { server: Uuid::from_u128(9), ..own };
    let objects = || async { place.blobs.list("objects").await.unwrap().len() };
    let before = objects().await;
    // A server that has none there believes no list, and takes nothing at all.
    assert!(keep::sweep(&place, &none, &other, now + 2 * DAY).await.is_err());
    assert_eq!(objects().await, before);
    let swept = keep::sweep(&place, &none, &own, now).await.unwrap();
    assert_eq!((swept.backups, swept.objects, objects().await), (0, 0, before));
    let swept = keep::sweep(&place, &none, &own, now + 2 * DAY).await.unwrap();
    assert_eq!((swept.backups, swept.objects, objects().await), (0, 1, before - 1));
    assert!(Archive::newest(place).await.is_ok());
}

/// Naive: the newest of a day takes the place of the others of it, whoever made
/// them; a restored server that is wrong then destroys what could put it right.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_backups_after_a_restore_take_nothing_from_before_it() {
    let world = World::new().await;
    let (place, keep) = (super::world::place(), Keep { daily: 1, weekly: 1, monthly: 1 });
    let plan = Plan { place: place.clone(), every_hours: 1, hour: 0, keep };
    assert!(run::step(&world.server.kernel, &world.source(), &plan).await.unwrap());
    let before = place.names().await.unwrap();
    let archive = Archive::newest(place.clone()).await.unwrap();
    let (at, blobs, restored) = restore(&archive, world.server.db().engine()).await;
    restored.unwrap();
    let (engine, source) = (at.config().engine.clone(), world.source());
    let given = blobs.clone();
    let server = testkit::TestServer::over(at, magpie::wiring::modules(), move |config| config.blobs = given).await;
    let source = Source { engine, blobs, ..source };
    let step = || run::step(&server.kernel, &source, &plan);
    for hour in 1..=3 {
        server.clock.advance(DAY / 24);
        assert!(step().await.unwrap());
        let names = place.names().await.unwrap();
        assert!(names.len() == 2 && names[0] == before[0], "{hour} hours after the restore: {names:?}");
    }
    assert!(Archive::named(place.clone(), &before[0]).await.unwrap().manifest.epoch != server.db().epoch());
    // A month later it is one of many.
    server.clock.advance(keep::APART_MS);
    server.run_jobs().await;
    assert!(step().await.unwrap());
    assert!(!place.names().await.unwrap().contains(&before[0]));
}

/// Naive: the folder under the mount point is made, and taken for the place.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_place_that_has_lost_its_mark_is_written_only_once_somebody_says_that_it_is_the_new_one() {
    let world = World::new().await;
    let (db, now) = (world.server.db(), world.server.kernel.now());
    let folder = tempfile::tempdir().unwrap();
    let (at, moved) = (folder.path().join("backups"), folder.path().join("moved"));
    let open = || Place::folder(&at).unwrap();
    world.backup(&open()).await.unwrap();
    let refused = |error: anyhow::Error| matches!(Refused::of(&error), Some(Refused::Away(_)));
    std::fs::rename(&at, &moved).unwrap();
    world.server.clock.advance(60_000);
    // An empty folder, as the disk leaves it.
    assert!(refused(world.backup(&open()).await.unwrap_err()));
    assert!(refused(mark::look(&db, &open()).await.unwrap_err()));
    assert_eq!(std::fs::read_dir(&at).unwrap().count(), 0);
    // It was no backup that failed.
    assert_eq!(run::latest(&db, now).await.unwrap().failed, None);
    std::fs::remove_dir(&at).unwrap();
    std::fs::rename(&moved, &at).unwrap();
    world.backup(&open()).await.unwrap();
    assert_eq!(open().names().await.unwrap().len(), 2);
    // Taken away while one is made: nothing is written beside it.
    let claimed = mark::claim(&db, &open(), now).await.unwrap();
    std::fs::rename(&at, &moved).unwrap();
    assert!(claimed.blobs.put("magpie-x/part", Bytes::from_static(b"x")).await.is_err());
    assert!(!at.exists());
    // Another disk, which takes turns with the first from now on.
    mark::renew(&db, &open(), now).await.unwrap();
    world.server.clock.advance(60_000);
    world.backup(&open()).await.unwrap();
    std::fs::rename(&at, folder.path().join("second")).unwrap();
    std::fs::rename(&moved, &at).unwrap();
    world.server.clock.advance(60_000);
    world.backup(&open()).await.unwrap();
    // One that another server has marked is nobody else's, whatever is said.
    std::fs::write(at.join(mark::MARK), format!("{{\"server_id\":\"{}\"}}", Uuid::from_u128(7))).unwrap();
    assert!(matches!(Refused::of(&mark::renew(&db, &open(), now).await.unwrap_err()), Some(Refused::Others(_))));
}

/// Of before there were marks: the backups that lie there stand for one, once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_place_of_before_there_were_marks_gets_one_where_its_backups_are() {
    let world = World::new().await;
    let (db, now, place) = (world.server.db(), world.server.kernel.now(), super::world::place());
    world.backup(&place).await.unwrap();
    let unmark = || async {
        db.write(|tx| {
            tx.execute(store::sql!("UPDATE kernel_backup_places SET marked = FALSE"), &[]).map(drop)?;
            Ok::<_, Error>(())
        })
        .await
        .unwrap();
    };
    unmark().await;
    let bare = Place::over(Blobs::memory(), &place.words);
    assert!(Refused::of(&mark::look(&db, &bare).await.unwrap_err()).is_some());
    place.blobs.delete(mark::MARK).await.unwrap();
    mark::look(&db, &place).await.unwrap();
    mark::claim(&db, &place, now).await.unwrap();
    assert!(place.blobs.read_all(mark::MARK).await.is_ok());
    // From then on it has to have it: a bucket that was emptied in part, say.
    place.blobs.delete(mark::MARK).await.unwrap();
    assert!(Refused::of(&mark::look(&db, &place).await.unwrap_err()).is_some());
}

/// Naive: the collector takes an object between the rows and the files.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_collected_while_a_backup_is_made() {
    let world = World::new().await;
    let (kernel, at) = (&world.server.kernel, world.blobs.clone());
    let id = loose(&world, &at).await;
    world.server.clock.advance(blobs::LOOSE_MS);
    let (run, now) = (Uuid::from_u128(8), kernel.now());
    let begin = move |tx: &mut store::Tx<'_>| backups::begin(tx, run, "magpie-x", "here", now);
    assert!(kernel.db.write(begin).await.unwrap());
    let other = Uuid::from_u128(9);
    let again = kernel.db.write(move |tx| backups::begin(tx, other, "magpie-y", "here", now)).await;
    assert!(!again.unwrap());
    assert!(!blobs::collect(&kernel.ctx(Principal::SYSTEM), &mut blobs::Sweep::default()).await.unwrap());
    assert!(at.read_all(&blobs::name(id)).await.is_ok());
    // It renews its lease, so that time alone does not end the hold.
    world.server.clock.advance(backups::LEASE_MS - 1);
    let now = kernel.now();
    assert!(kernel.db.write(move |tx| backups::renew(tx, run, now)).await.unwrap());
    world.server.clock.advance(backups::LEASE_MS - 1);
    assert!(!blobs::collect(&kernel.ctx(Principal::SYSTEM), &mut blobs::Sweep::default()).await.unwrap());
    assert!(at.read_all(&blobs::name(id)).await.is_ok());
    world.server.clock.advance(1);
    blobs::collect(&kernel.ctx(Principal::SYSTEM), &mut blobs::Sweep::default()).await.unwrap();
    assert!(at.read_all(&blobs::name(id)).await.is_err());
}

/// An object that nothing holds any more.
async fn loose(world: &World, at: &Blobs) -> BlobId {
    let ctx = world.server.kernel.ctx(Principal::SYSTEM);
    let bytes = Bytes::from_static(b"loose");
    let work = ctx.clone();
    let id = ctx.db().write(move |tx| blobs::begin(tx, &work, None, 5)).await.unwrap();
    let written = blobs::Written { id, org: None, sha256: Sha256::digest(&bytes).into() };
    blobs::write(at, id, bytes).await.unwrap();
    let work = ctx.clone();
    ctx.db()
        .write(move |tx| {
            tx.lock(&[written.key()])?;
            blobs::settle(tx, &work, &written, "test", Uuid::nil())?;
            blobs::let_go(tx, "test", Uuid::nil(), work.now)?;
            Ok::<_, Error>(())
        })
        .await
        .unwrap();
    id
}
