//! What the sweep does where something is lost, stuck, or comes in crowds.
//!
//! Seen to fail: with the sweep ended by the first object that cannot be
//! deleted, with a file checked for ever, and (on PostgreSQL) with the rows of
//! files not held while their holders let go.

use std::{sync::mpsc, time::Duration};

use kernel::attachments::{Detach, Holder};
use object_store::{ObjectStoreExt as _, path::Path};
use proto::{Code, FileId};
use serde_json::json;
use store::{Engine, Tx, dialect, sql};

use crate::world::{AWAY, DAY, NO_WHOLE, WORKS, World, append, at, begin, begun, file, offset, original, say, sent};

#[tokio::test(flavor = "multi_thread")]
async fn one_object_that_cannot_be_deleted_keeps_no_other() {
    let mut w = World::new().await;
    // An upload, a file and an object of each kind, the stuck one first.
    let (first, second) = (begun(&w.alice, "1.txt", 4, None).await, begun(&w.alice, "2.txt", 4, None).await);
    for id in [&first, &second] {
        append(&w.alice, id, 0, b"ab", &[]).await;
    }
    let (third, fourth) = (sent(&w.alice, "3.txt", b"3", None).await, sent(&w.alice, "4.txt", b"4", None).await);
    // What is looked at first: of one moment, the smaller id.
    let simple = first.min(second).replace('-', "");
    *w.store.stuck.lock().unwrap() = Some(simple.clone());
    w.later(DAY).await;
    let left = w.store.names("uploads").await;
    assert!(left.len() == 1 && left[0].contains(&simple), "{left:?}");
    *w.store.stuck.lock().unwrap() = None;

    let blobs = w.store.names("blobs").await;
    let stuck = blobs.iter().map(|name| name.rsplit('/').next().unwrap()).min().unwrap().to_owned();
    *w.store.stuck.lock().unwrap() = Some(stuck.clone());
    for id in [&third, &fourth] {
        w.alice.delete(&at(id, "")).await.ok();
    }
    w.later(20 * 60_000).await;
    let left = w.store.names("blobs").await;
    assert!(left.len() == 1 && left[0].contains(&stuck), "{left:?}");
    *w.store.stuck.lock().unwrap() = None;
    w.later(DAY).await;
    assert!(w.store.names("blobs").await.is_empty() && w.store.names("uploads").await.is_empty());
    w.server.forgive_jobs();
    w.server.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_cannot_be_finished_is_given_up_and_its_owner_is_told() {
    let w = World::new().await;
    let space = async || w.alice.get("/api/v1/file-space").await.ok()["used"].as_i64().unwrap();
    let id = begun(&w.alice, "a.bin", 9_000, None).await;
    append(&w.alice, &id, 0, &[1; 4_000], &[]).await;
    w.store.set(NO_WHOLE);
    append(&w.alice, &id, 4_000, &[2; 5_000], &[]).await;
    assert_eq!(file(&w.alice, &id).await["state"], "checking");
    // A part of it is lost.
    let parts = w.store.names("uploads").await;
    w.store.inner.delete(&Path::from(parts[0].as_str())).await.unwrap();
    w.store.set(WORKS);
    w.later(DAY / 2).await;
    assert_eq!((file(&w.alice, &id).await["state"].as_str(), space().await), (Some("checking"), 9_000));
    w.later(DAY).await;
    assert_eq!((file(&w.alice, &id).await["state"].as_str(), space().await), (Some("failed"), 0));
    w.bob.get(&at(&id, "")).await.fails(Code::NotFound);
    let group = w.group().await;
    say(&w.alice, &group, json!([{ "type": "file", "file": id }])).await.fails(Code::FileUnknown);
    assert_eq!(offset(&w.alice, &id).await, Ok(9_000));
    w.later(20 * 60_000).await;
    assert!(w.store.names("uploads").await.is_empty());
    w.later(7 * DAY).await;
    w.alice.get(&at(&id, "")).await.fails(Code::NotFound);
    assert_eq!(space().await, 0);
    w.server.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_is_away_for_days_costs_nobody_a_file() {
    let w = World::new().await;
    let id = begun(&w.alice, "a.txt", 4, None).await;
    w.store.set(NO_WHOLE);
    append(&w.alice, &id, 0, b"text", &[]).await;
    w.store.set(AWAY);
    for _ in 0..3 {
        w.later(DAY).await;
    }
    assert_eq!(file(&w.alice, &id).await["state"], "checking");
    w.store.set(WORKS);
    w.later(20 * 60_000).await;
    assert_eq!(original(&w, &w.alice, &id).await, b"text");
    w.server.finish().await;
}

/// So many more of an upload, each with its piece.
fn copies(tx: &mut Tx<'_>, id: FileId, count: i64) -> store::Result<u64> {
    let copies = dialect!(
        sqlite: "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $2)
            INSERT INTO files_files (id, owner_id, org_id, name, size, received, parts, state, mime, animated,
                created_at, touched_at, charged)
            SELECT randomblob(16), f.owner_id, f.org_id, f.name, f.size, f.received, f.parts, f.state, f.mime,
                f.animated, f.created_at, f.touched_at, f.charged FROM files_files f, n WHERE f.id = $1",
        postgres: "INSERT INTO files_files (id, owner_id, org_id, name, size, received, parts, state, mime, animated,
                created_at, touched_at, charged)
            SELECT gen_random_uuid(), f.owner_id, f.org_id, f.name, f.size, f.received, f.parts, f.state, f.mime,
                f.animated, f.created_at, f.touched_at, f.charged FROM files_files f, generate_series(1, $2)
            WHERE f.id = $1",
    );
    tx.execute(copies, &[&id, &count])?;
    let parts = sql!(
        "INSERT INTO files_parts (file_id, start, size, object)
         SELECT f.id, p.start, p.size, p.object FROM files_files f, files_parts p WHERE p.file_id = $1
         AND NOT EXISTS (SELECT 1 FROM files_parts q WHERE q.file_id = f.id)"
    );
    tx.execute(parts, &[&id])?;
    let used = sql!("UPDATE files_usage SET bytes = bytes + 4096 * $1, files = files + $1, uploads = uploads + $1");
    tx.execute(used, &[&count])
}

/// Ten thousand that each have a piece in a real folder, of somebody who is far
/// beyond the ceiling.
#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_abandoned_uploads_are_swept_and_the_disk_has_its_space_back() {
    const CROWD: i64 = 10_000;
    /// Of what one write may touch.
    const SLICES: i64 = 33;
    let folder = tempfile::tempdir().unwrap();
    let blobs = store::Blobs::folder(&folder.path().join("files")).unwrap();
    let w = World::with(|config| config.blobs = blobs).await;
    let id: FileId = begun(&w.alice, "a.txt", 5, None).await.parse().unwrap();
    append(&w.alice, &id.to_string(), 0, b"abc", &[]).await;
    for _ in 0..SLICES {
        w.server.db().write(move |tx| copies(tx, id, (CROWD - 1) / SLICES)).await.unwrap();
    }
    let all =
        |tx: &mut Tx<'_>| tx.query(sql!("SELECT id FROM files_files ORDER BY id"), &[], |row| row.get::<FileId>(0));
    let ids = w.server.db().read(all).await.unwrap();
    assert_eq!(ids.len() as i64, CROWD);
    let uploads = folder.path().join("files/uploads");
    for id in &ids {
        let own = uploads.join(id.0.simple().to_string());
        std::fs::create_dir_all(&own).unwrap();
        std::fs::write(own.join("000000000000-0000000000000000"), [7; 4_096]).unwrap();
    }
    begin(&w.alice, "b.txt", 5, None, b"").await.answer().fails(Code::TooManyUploads);
    // Others are not kept from beginning theirs.
    let bobs = begun(&w.bob, "b.txt", 5, None).await;
    w.later(DAY - 60_000).await;
    assert_eq!(std::fs::read_dir(&uploads).unwrap().count() as i64, CROWD, "none before its time");
    append(&w.bob, &bobs, 0, b"abc", &[]).await;
    w.later(16 * 60_000).await;
    let left = |tx: &mut Tx<'_>| {
        let files = tx.one(sql!("SELECT COUNT(*) FROM files_files"), &[], |row| row.get::<i64>(0))?;
        let parts = tx.one(sql!("SELECT COUNT(*) FROM files_parts"), &[], |row| row.get::<i64>(0))?;
        let used = sql!("SELECT bytes, files, uploads FROM files_usage ORDER BY bytes LIMIT 1");
        Ok::<_, store::Error>(((files, parts), tx.one(used, &[], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?))
    };
    assert_eq!(w.server.db().read(left).await.unwrap(), ((1, 1), (0_i64, 0_i64, 0_i64)));
    let names: Vec<_> = std::fs::read_dir(&uploads).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(names, [bobs.replace('-', "").as_str()], "the one that went on is all there is");
    begun(&w.alice, "b.txt", 5, None).await;
    w.server.finish().await;
}

/// Two messages let go of a file at the same moment: one of them knows that it
/// was the last. SQLite has one writer, so there it is never a question.
#[tokio::test(flavor = "multi_thread")]
async fn the_last_two_to_let_go_know_that_nothing_holds_the_file() {
    let w = World::new().await;
    if w.server.db().engine() == Engine::Sqlite {
        return;
    }
    let id: FileId = sent(&w.alice, "a.txt", b"text", None).await.parse().unwrap();
    let hold = move |tx: &mut Tx<'_>| {
        let held = sql!(
            "INSERT INTO files_attachments (file_id, kind, place, item, org_id, at) VALUES ($1, 'test', $1, $2, NULL, 0)"
        );
        tx.execute(held, &[&id, &1_i64])?;
        tx.execute(held, &[&id, &2_i64])?;
        tx.execute(sql!("UPDATE files_files SET loose_at = NULL WHERE id = $1"), &[&id])
    };
    w.server.db().write(hold).await.unwrap();
    let let_go = |item: i64| {
        let ctx = w.server.kernel.ctx(kernel::Principal::SYSTEM);
        move |tx: &mut Tx<'_>| {
            let holder = Holder { kind: "test".into(), place: id.0, item };
            ctx.hooks().run(tx, &ctx, &Detach { holder, files: vec![id] })
        }
    };
    let ((done, first_done), (go_on, may_go_on)) = (mpsc::channel::<()>(), mpsc::channel::<()>());
    let (db, first) = (w.server.db(), let_go(1));
    // The closure may be run again; the second time nobody waits.
    let first = tokio::spawn(async move {
        let may_go_on = std::sync::Mutex::new(may_go_on);
        db.write(move |tx| {
            first(tx)?;
            let _ = done.send(());
            let _ = may_go_on.lock().unwrap().recv_timeout(Duration::from_secs(5));
            Ok::<_, proto::Error>(())
        })
        .await
    });
    tokio::task::spawn_blocking(move || first_done.recv().unwrap()).await.unwrap();
    let (db, second) = (w.server.db(), let_go(2));
    let second = tokio::spawn(async move { db.write(move |tx| second(tx)).await });
    // Without the row held it comes through now, and sees the other one still there.
    tokio::time::sleep(Duration::from_millis(300)).await;
    go_on.send(()).unwrap();
    first.await.unwrap().unwrap();
    second.await.unwrap().unwrap();
    let loose = move |tx: &mut Tx<'_>| {
        tx.one(sql!("SELECT loose_at FROM files_files WHERE id = $1"), &[&id], |row| row.get::<Option<i64>>(0))
    };
    assert!(w.server.db().read(loose).await.unwrap().is_some());
    w.server.finish().await;
}

/// Naive: what was stamped by a clock that was ahead is not old before that
/// time comes. Seen.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_clock_that_was_ahead_stamped_is_swept_all_the_same() {
    let w = World::new().await;
    w.later(1_000).await;
    w.server.clock.advance(30 * DAY);
    let upload = begun(&w.alice, "1.txt", 4, None).await;
    append(&w.alice, &upload, 0, b"ab", &[]).await;
    let loose = sent(&w.alice, "2.txt", b"2", None).await;
    let gone = sent(&w.alice, "3.txt", b"3", None).await;
    w.alice.delete(&at(&gone, "")).await.ok();
    w.later(1_000).await;
    w.server.clock.advance(-30 * DAY);
    w.later(1_000).await;
    assert_eq!(offset(&w.alice, &upload).await, Ok(2), "nothing is swept early");
    w.later(DAY + 20 * 60_000).await;
    assert_eq!(w.store.names("uploads").await, Vec::<String>::new());
    w.alice.get(&at(&loose, "")).await.ok();
    w.later(6 * DAY + 20 * 60_000).await;
    w.alice.get(&at(&loose, "")).await.fails(Code::NotFound);
    w.later(20 * 60_000).await;
    assert_eq!(w.store.names("blobs").await, Vec::<String>::new());
    w.server.finish().await;
}
