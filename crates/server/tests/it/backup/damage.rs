//! Damage, a place that is full, and an end in the middle.

use std::sync::{Arc, atomic::Ordering::SeqCst};

use bytes::Bytes;
use magpie::backup::{Archive, Manifest, Place, archive::hex, run};
use sha2::{Digest, Sha256};
use store::Engine;

use super::world::{ENGINES, Tight, World, is_there, place, restore};

async fn flip(place: &Place, object: &str) {
    let mut bytes = place.blobs.read_all(object).await.unwrap().to_vec();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    place.blobs.put(object, bytes.into()).await.unwrap();
}

/// Refused with this text, and nothing is there.
async fn refused(place: &Place, engine: Engine, text: &str) {
    let told = match Archive::newest(place.clone()).await {
        Err(error) => format!("{error:#}"),
        Ok(archive) => {
            let (at, _, restored) = restore(&archive, engine).await;
            assert!(!is_there(&at.config().engine).await);
            format!("{:#}", restored.unwrap_err())
        }
    };
    assert!(told.contains(text), "{told} does not tell of {text}");
}

/// Naive: trust the manifest. Seen to fail for each digest left unchecked.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn damage_is_refused_by_name_and_nothing_is_restored() {
    let world = World::new().await;
    let place = place();
    let manifest = world.backup(&place).await.unwrap().manifest;
    let part = |table: &str| {
        let rows = manifest.tables.iter().find(|t| t.name == table).unwrap();
        format!("{}/{}", manifest.name, rows.parts[0].object)
    };
    let object = {
        let folders = place.blobs.list("objects").await.unwrap();
        folders[0].name.clone()
    };
    let sealed = format!("{}/manifest.json", manifest.name);
    let list = format!("{}/{}", manifest.name, manifest.objects.parts[0].object);
    for engine in ENGINES {
        for (name, told) in [
            (part("users"), "users.0001.gz"),
            (part("chat_members"), "chat_members.0001.gz"),
            (list.clone(), "objects.0001.gz"),
            (object.clone(), object.as_str()),
            (sealed.clone(), "manifest"),
        ] {
            let good = place.blobs.read_all(&name).await.unwrap();
            flip(&place, &name).await;
            refused(&place, engine, told).await;
            if name != sealed {
                place.blobs.delete(&name).await.unwrap();
                refused(&place, engine, told).await;
            }
            place.blobs.put(&name, good).await.unwrap();
        }
        // A manifest that was changed by somebody who knows how to seal it.
        let mut other = manifest.clone();
        let users = other.tables.iter_mut().find(|t| t.name == "users").unwrap();
        users.sha256 = hex(&Sha256::digest(b"x"));
        put(&place, &sealed, &other).await;
        refused(&place, engine, "users").await;
        let mut other = manifest.clone();
        other.migrations.push(magpie::backup::archive::Step {
            version: 20_990_101_000_000,
            name: "20990101_000000_later".into(),
            checksum: String::new(),
        });
        put(&place, &sealed, &other).await;
        refused(&place, engine, "20990101_000000_later").await;
        let other = Manifest { format: 2, program: "9.0.0".into(), ..manifest.clone() };
        put(&place, &sealed, &other).await;
        refused(&place, engine, "9.0.0").await;
        put(&place, &sealed, &manifest).await;
        let archive = Archive::newest(place.clone()).await.unwrap();
        assert!(restore(&archive, engine).await.2.is_ok());
    }
}

async fn put(place: &Place, name: &str, manifest: &Manifest) {
    place.blobs.put(name, manifest.seal().unwrap().into()).await.unwrap();
}

/// A file that is damaged on the server does not keep the rest from being
/// kept, and is told.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_was_damaged_before_is_told_and_the_rest_is_kept() {
    let world = World::new().await;
    let listed = world.blobs.list("blobs").await.unwrap();
    world.blobs.put(&listed[0].name, Bytes::from_static(b"other")).await.unwrap();
    let place = place();
    let written = world.backup(&place).await.unwrap();
    assert_eq!(written.manifest.damaged, [listed[0].name.clone()]);
    assert_eq!(place.blobs.list("objects").await.unwrap(), []);
    let latest = run::latest(&world.server.db(), world.server.kernel.now()).await.unwrap();
    assert_eq!(latest.good.unwrap().damaged, 1);
    let archive = Archive::newest(place).await.unwrap();
    assert_eq!(restore(&archive, Engine::Sqlite).await.2.unwrap().damaged, 1);
}

/// Naive: half a backup is the newest one; or it takes the room that the next
/// one needs.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_place_that_is_full_is_told_keeps_nothing_half_and_works_again() {
    let world = World::new().await;
    let tight = Tight::new(i64::MAX);
    let place = tight.place();
    let good = world.backup(&place).await.unwrap().manifest;
    for room in [0, 900, 4_000] {
        world.server.clock.advance(60_000);
        tight.room.store(room, SeqCst);
        let error = format!("{:#}", world.backup(&place).await.unwrap_err());
        assert!(error.contains("no room in a tight place"), "{error}");
        let latest = run::latest(&world.server.db(), world.server.kernel.now()).await.unwrap();
        assert!(latest.failed.unwrap().error.unwrap().contains("no room"));
        assert_eq!(place.names().await.unwrap(), std::slice::from_ref(&good.name));
    }
    assert_eq!(Archive::newest(place.clone()).await.unwrap().manifest.name, good.name);
    tight.room.store(i64::MAX, SeqCst);
    world.server.clock.advance(60_000);
    let next = world.backup(&place).await.unwrap();
    // The files lie there already.
    assert!(next.new_bytes < 1_048_576 && next.manifest.object_bytes > 1_048_576);
    let archive = Archive::newest(place).await.unwrap();
    assert_eq!(archive.manifest.name, next.manifest.name);
    assert!(restore(&archive, Engine::Sqlite).await.2.is_ok());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_ends_in_the_middle_is_no_backup_and_is_swept() {
    let world = Arc::new(World::new().await);
    let tight = Tight::new(i64::MAX);
    let place = tight.place();
    let good = world.backup(&place).await.unwrap().manifest.name;
    world.server.clock.advance(60_000);
    // It stands still after some parts, and whoever makes it is gone.
    tight.waits.store(4, SeqCst);
    let (making, at) = (world.clone(), place.clone());
    let making = tokio::spawn(async move { making.backup(&at).await.map(drop) });
    while tight.waits.load(SeqCst) >= 0 {
        tokio::task::yield_now().await;
    }
    // Only one is made at a time.
    assert!(format!("{:#}", world.backup(&place).await.unwrap_err()).contains("another backup"));
    making.abort();
    let _ = making.await;
    assert_eq!(place.names().await.unwrap().len(), 2);
    assert_eq!(Archive::newest(place.clone()).await.unwrap().manifest.name, good);
    assert!(Archive::named(place.clone(), &place.names().await.unwrap()[1]).await.is_err());
    tight.still.close();
    tight.waits.store(i64::MAX, SeqCst);
    // Its lease ends, and the next one takes away what it left.
    world.server.clock.advance(kernel::backups::LEASE_MS);
    let next = world.backup(&place).await.unwrap().manifest.name;
    assert_eq!(place.names().await.unwrap(), [good, next]);
    let failed = run::latest(&world.server.db(), world.server.kernel.now()).await.unwrap().failed.unwrap();
    assert_eq!(failed.error.as_deref(), Some("it was interrupted"));
}
