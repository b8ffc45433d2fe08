//! The server's database and objects on a disk whose power is cut.

use bytes::Bytes;
use store::{Blobs, Config, Db, Error, sql};
use unsynced::Deaf;

use crate::Mounted;

const ROWS: i64 = 40;
const PART: usize = 9 * 1_048_576;

const MIGRATIONS: &[store::Migration] =
    &[store::migration!("20260102_000000_marks", "CREATE TABLE marks (id INT PRIMARY KEY);")];

fn noise(size: usize) -> Bytes {
    (0..size).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect()
}

/// Writes objects in both ways, cuts the power when all were acknowledged, and
/// says which came back as they were.
async fn objects_after_a_cut(m: &Mounted) -> [bool; 3] {
    let folder = m.at("files");
    let blobs = Blobs::folder(&folder).unwrap();
    let (small, large) = (noise(3_000), noise(PART));
    blobs.put("uploads/a/0", small.clone()).await.unwrap();
    blobs.put("uploads/a/1", large.clone()).await.unwrap();
    let parts = [("uploads/a/0".to_owned(), 3_000), ("uploads/a/1".to_owned(), PART as u64)];
    blobs.join(&parts, "blobs/ab/whole", |_| {}).await.unwrap();
    m.disk.cut();
    let blobs = Blobs::folder(&folder).unwrap();
    let is = async |name: &str, wanted: &[u8]| blobs.read_all(name).await.is_ok_and(|found| found == wanted);
    let whole = [&small[..], &large[..]].concat();
    [is("uploads/a/0", &small).await, is("uploads/a/1", &large).await, is("blobs/ab/whole", &whole).await]
}

#[tokio::test]
async fn an_object_that_was_acknowledged_is_there_after_a_cut() {
    let Some(m) = Mounted::new() else { return };
    assert_eq!(objects_after_a_cut(&m).await, [true; 3]);
    // And once more, in folders that are there.
    assert_eq!(objects_after_a_cut(&m).await, [true; 3]);
}

#[tokio::test]
async fn a_folder_that_is_not_synced_and_a_file_that_is_not_synced_are_both_found() {
    for deaf in [Deaf::Names, Deaf::Bytes] {
        let Some(m) = Mounted::new() else { return };
        m.disk.deafen("files", deaf);
        assert_eq!(objects_after_a_cut(&m).await, [false; 3], "{deaf:?}");
    }
}

/// Rows that were acknowledged, and rows that are there after a cut.
async fn rows_after_a_cut(m: &Mounted, deaf: bool) -> (Vec<i64>, Vec<i64>) {
    std::fs::create_dir(m.at("db")).unwrap();
    let mut config = Config::sqlite(m.at("db/magpie.db"));
    // The one that lost its disk ends in its own time, and takes no process with it.
    config.on_fatal = std::sync::Arc::new(|_| {});
    let db = Db::open(&config, MIGRATIONS, true).unwrap();
    if deaf {
        m.disk.deafen("db", Deaf::Bytes);
    }
    let mut acknowledged = Vec::new();
    for id in 0..ROWS {
        let put = db.write(move |tx| tx.execute(sql!("INSERT INTO marks (id) VALUES ($1)"), &[&id]).map(drop)).await;
        let put: Result<(), Error> = put;
        put.unwrap();
        acknowledged.push(id);
    }
    m.disk.cut();
    // As if it had been killed: what it still does reaches nothing.
    drop(db);
    let db = Db::open(&config, MIGRATIONS, true).unwrap();
    let read = db.read(|tx| tx.query(sql!("SELECT id FROM marks ORDER BY id"), &[], |row| row.get(0))).await;
    let read: Result<Vec<i64>, Error> = read;
    (acknowledged, read.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_was_acknowledged_is_there_after_a_cut() {
    let Some(m) = Mounted::new() else { return };
    let (acknowledged, kept) = rows_after_a_cut(&m, false).await;
    assert_eq!(kept, acknowledged);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_does_not_sync_is_found() {
    let Some(m) = Mounted::new() else { return };
    let (acknowledged, kept) = rows_after_a_cut(&m, true).await;
    assert!(kept.len() < acknowledged.len(), "{kept:?}");
}
