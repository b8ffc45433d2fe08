//! What is kept: the database, the disk, files, work that waits.

use std::{path::Path, time::Instant};

use bytes::Bytes;
use kernel::{
    OrgScope, audit,
    health::{self, Finding},
    scrub::Standing,
};
use proto::OrgId;
use store::{Db, Engine, Why};

use super::{Scene, bad, ok, size, skipped, told, warn};

/// A write that takes longer than this is felt by everybody.
const SLOW_MS: u128 = 100;

pub(super) fn closed(scene: &Scene) -> Result<&Db, Finding> {
    scene.db.as_ref().map_err(|_| skipped("no_database", "not looked at: the database cannot be opened", ""))
}

pub(super) async fn database(scene: &Scene) -> Finding {
    let db = match &scene.db {
        Ok(db) => db,
        Err(error) => {
            let values = [("error", told(error))];
            return bad("closed", &values, "{error}", "see the section on starting in docs/operate.md");
        }
    };
    let (now, began) = (Scene::now(), Instant::now());
    let written = db.write(move |tx| health::probe(tx, now)).await;
    let took = began.elapsed().as_millis();
    let facts = match written {
        Ok(()) => db.read(store::facts).await.map_err(proto::Error::from),
        Err(error) => Err(error),
    };
    let facts = match facts {
        Ok(facts) => facts,
        Err(error) => {
            let values = [("error", told(&error))];
            return bad("failed", &values, "it takes no writes: {error}", "look for a full disk and at the log");
        }
    };
    let engine = if db.engine() == Engine::Sqlite { "SQLite" } else { "PostgreSQL" };
    let values = [
        ("engine", engine.to_owned()),
        ("version", facts.version),
        ("size", size(facts.bytes.unsigned_abs())),
        ("ms", took.to_string()),
        ("locale", facts.locale.unwrap_or_default()),
    ];
    if took > SLOW_MS {
        return warn(
            "slow",
            &values,
            "{engine} {version}, {size}; a write took {ms} ms",
            "use a disk that syncs within a few milliseconds (an SSD, no network share), or look what else writes to it",
        );
    }
    ok("works", &values, "{engine} {version}, {size}; a write took {ms} ms")
}

pub(super) async fn integrity(scene: &Scene) -> Finding {
    let db = match closed(scene) {
        Ok(db) => db,
        Err(finding) => return finding,
    };
    if db.engine() != Engine::Sqlite {
        return skipped("engine", "PostgreSQL looks after its own files", "");
    }
    match db.read(store::quick_check).await {
        Ok(None) => ok("whole", &[], "every page of the database could be read"),
        Ok(Some(fault)) => {
            let values = [("error", told(&fault))];
            bad("damaged", &values, "the database is damaged: {error}", "stop the server and restore a backup")
        }
        Err(error) => {
            let values = [("error", told(&error))];
            warn("unread", &values, "the database could not be read to its end: {error}", "try again while it is quiet")
        }
    }
}

pub(super) fn disk(scene: &Scene) -> Finding {
    let found = scene.folders().into_iter().map(|folder| room(&folder));
    found.max_by_key(|finding| finding.state).unwrap_or_else(|| skipped("none", "there are no folders", ""))
}

/// How much room there is in a folder.
fn room(folder: &Path) -> Finding {
    let name = folder.display().to_string();
    let stat = match rustix::fs::statvfs(folder) {
        Ok(stat) => stat,
        Err(error) => {
            let values = [("folder", name), ("error", told(&error))];
            return bad("unread", &values, "{folder}: {error}", "make the folder, or choose another with data_dir");
        }
    };
    let (free, all) = (stat.f_bavail * stat.f_frsize, stat.f_blocks * stat.f_frsize);
    // Some file systems have as many inodes as they like, and say 0.
    let inodes = stat.f_favail.saturating_mul(100).checked_div(stat.f_files).unwrap_or(100);
    judged(name, free, all, inodes)
}

/// Bytes that are free, and that there are; free inodes in a hundred.
fn judged(name: String, free: u64, all: u64, inodes: u64) -> Finding {
    let share = free.saturating_mul(100).checked_div(all).unwrap_or(100);
    let values = [("folder", name), ("free", size(free)), ("share", share.to_string()), ("inodes", inodes.to_string())];
    let fix = "make room on that disk, or move the data folder to a larger one (docs/operate.md)";
    match () {
        () if free < 500_000_000 || share < 2 => bad("full", &values, "{folder}: {free} left, {share} %", fix),
        () if inodes < 2 => bad("inodes", &values, "{folder}: {inodes} % of the inodes are left", fix),
        () if free < 5_000_000_000 && share < 50 || share < 10 => {
            warn("low", &values, "{folder}: {free} left, {share} %", fix)
        }
        () if inodes < 10 => warn("inodes", &values, "{folder}: {inodes} % of the inodes are left", fix),
        () => ok("room", &values, "{folder}: {free} left, {share} %"),
    }
}

/// Writes, reads and takes away a small object.
pub(super) async fn files(scene: &Scene) -> Finding {
    let config = scene.config();
    let place = config.files.bucket().map_or_else(
        || config.data_dir.join("files").display().to_string(),
        |s3| format!("{} ({})", s3.bucket, s3.endpoint.as_deref().unwrap_or("Amazon S3")),
    );
    let blobs = match &scene.blobs {
        Ok(blobs) => blobs,
        Err(error) => return failed(place, error, None),
    };
    let mut blobs = blobs.clone();
    // The server that runs has done so.
    if !scene.serving
        && let Ok(db) = &scene.db
        && db.read(kernel::blobs::any).await.unwrap_or(false)
        && let Err(error) = blobs.marked(false)
    {
        return failed(place, &error, error.blobs_why());
    }
    let began = Instant::now();
    let name = format!("health/{:016x}", rand::Rng::next_u64(&mut kernel::Kernel::system_rng()));
    let content = Bytes::from(name.clone());
    let trip = async {
        blobs.put(&name, content.clone()).await?;
        let back = blobs.read_all(&name).await;
        blobs.delete(&name).await?;
        back
    };
    match trip.await {
        Ok(back) if back == content => kept(scene, place, began.elapsed().as_millis()).await,
        Ok(_) => failed(place, &"what was read is not what was written", None),
        Err(store::Error::Full) => failed(place, &store::Error::Full, Some(Why::Full)),
        Err(error) => failed(place, &error, error.blobs_why()),
    }
}

/// The store works; whether what should lie in it does.
async fn kept(scene: &Scene, place: String, ms: u128) -> Finding {
    let standing = match &scene.db {
        Ok(db) => db.read(kernel::scrub::standing).await.unwrap_or_default(),
        Err(_) => Standing::default(),
    };
    let values = [
        ("place", place),
        ("ms", ms.to_string()),
        ("missing", standing.missing.to_string()),
        ("wrong", standing.wrong.to_string()),
        ("looked", standing.looked.to_string()),
    ];
    if standing.missing + standing.wrong > 0 {
        return bad(
            "lost",
            &values,
            "{place}: works, but of what is stored there {missing} objects are missing and {wrong} damaged",
            "find out what deletes or damages them, then fetch them from the backups: \
             magpie admin verify-files --from PLACE (docs/operate.md)",
        );
    }
    if standing.looked > 0 {
        return ok(
            "whole",
            &values,
            "{place}: written, read and deleted within {ms} ms; {looked} stored objects looked at lately, none lost",
        );
    }
    ok("works", &values, "{place}: written, read and deleted within {ms} ms")
}

fn failed(place: String, error: &dyn std::fmt::Display, why: Option<Why>) -> Finding {
    let values = [("place", place), ("error", told(error))];
    let (reason, fix) = match why {
        None => (
            "failed",
            "look at the address, the keys and the permissions of the bucket or folder (files.* in the configuration)",
        ),
        Some(Why::Keys) => {
            ("keys", "files.access_key or files.secret_key is wrong or has ended; make a new pair at the store")
        }
        Some(Why::Bucket) => {
            ("bucket", "there is no such bucket: make it, or set files.bucket to the one that is there")
        }
        Some(Why::Region) => ("region", "set files.region to the one that the store names"),
        Some(Why::Clock) => ("clock", "let the system set the clock by itself (timedatectl set-ntp true)"),
        Some(Why::Forbidden) => (
            "forbidden",
            "let these keys list the bucket, and read, write and delete its objects (docs/operate.md has the policy)",
        ),
        Some(Why::Full) => ("full", "make room in the store, or have its quota raised"),
        Some(Why::Busy) => {
            ("busy", "the store has too much to do: it goes on by itself; if it stays, ask whoever runs it")
        }
        Some(Why::Away) => {
            ("away", "look whether the store runs, at files.endpoint, and at the network between; it goes on by itself")
        }
    };
    bad(reason, &values, "{place}: {error}", fix)
}

pub(super) async fn jobs(scene: &Scene) -> Finding {
    let db = match closed(scene) {
        Ok(db) => db,
        Err(finding) => return finding,
    };
    let now = Scene::now();
    let read = db.read(move |tx| Ok::<_, store::Error>((store::jobs::due(tx, now)?, store::jobs::dead_count(tx)?)));
    let (due, dead) = match read.await {
        Ok(read) => read,
        Err(error) => return bad("failed", &[("error", told(&error))], "{error}", ""),
    };
    let late = due.iter().map(|due| (now - due.since).max(0) / 60_000).max().unwrap_or(0);
    let waiting: i64 = due.iter().map(|due| due.count).sum();
    let values = [("dead", dead.to_string()), ("minutes", late.to_string()), ("waiting", waiting.to_string())];
    match () {
        () if late >= 5 && scene.serving => warn(
            "late",
            &values,
            "{waiting} pieces of work wait, the oldest for {minutes} minutes",
            "look at the log for jobs that fail, and at the load of the machine",
        ),
        () if dead > 0 => warn(
            "dead",
            &values,
            "{dead} pieces of work were given up after many tries",
            "the log says why each failed (“a job failed”)",
        ),
        () => ok("works", &values, "{waiting} pieces of work wait"),
    }
}

/// Reads every chain of privileged acts and sees that each entry carries the
/// one before it.
pub(super) async fn acts(scene: &Scene) -> Finding {
    let db = match closed(scene) {
        Ok(db) => db,
        Err(finding) => return finding,
    };
    match chains(db).await {
        Ok((chains, entries)) => {
            let values = [("chains", chains.to_string()), ("entries", entries.to_string())];
            ok("whole", &values, "{chains} chains with {entries} entries, none changed")
        }
        Err(error) => bad("broken", &[("error", error)], "{error}", "compare it with a backup"),
    }
}

/// How many chains and entries there are; an error names the first that does
/// not carry the one before it.
pub(crate) async fn chains(db: &Db) -> Result<(i64, i64), String> {
    const PAGE: i64 = 1_000;
    let (mut chains, mut entries, mut after) = (0, 0, None);
    let broken = |scope: uuid::Uuid, seq: i64| {
        let whose = if scope.is_nil() { "the server".into() } else { format!("organisation {scope}") };
        format!("the chain of {whose} was changed at entry {seq}")
    };
    while let Some(scope) = db.read(move |tx| audit::chains(tx, after, 1)).await.map_err(|e| e.to_string())?.pop() {
        let org = (!scope.is_nil()).then_some(OrgId(scope));
        let (mut seq, mut hash) = (0, Vec::new());
        loop {
            let from = seq;
            let read = db.read(move |tx| audit::list(tx, org.map(OrgScope::mint), from, PAGE)).await;
            let page = read.map_err(|e| e.to_string())?;
            audit::verify(org, seq, hash.clone(), &page).map_err(|seq| broken(scope, seq))?;
            let Some(last) = page.last() else { break };
            (seq, hash) = (last.seq, last.hash.clone());
        }
        (chains, entries, after) = (chains + 1, entries + seq, Some(scope));
    }
    Ok((chains, entries))
}

#[cfg(test)]
mod tests {
    use kernel::health::State;

    use super::*;

    #[test]
    fn a_folder_that_is_not_there_is_told_and_this_one_has_room_for_a_number() {
        let gone = room(Path::new("/nowhere/at/all"));
        assert_eq!((gone.state, gone.reason.as_str()), (State::Bad, "unread"));
        let here = room(Path::new("."));
        assert!(here.values["share"].parse::<u64>().unwrap() <= 100, "{here:?}");
    }

    #[test]
    fn a_disk_is_low_before_it_is_full() {
        const GB: u64 = 1_000_000_000;
        for (free, all, inodes, seen) in [
            (100 * GB, 200 * GB, 50, (State::Ok, "room")),
            // Small, and half of it free.
            (4 * GB, 8 * GB, 50, (State::Ok, "room")),
            (4 * GB, 20 * GB, 50, (State::Warn, "low")),
            (90 * GB, 1_000 * GB, 50, (State::Warn, "low")),
            (19 * GB, 1_000 * GB, 50, (State::Bad, "full")),
            (GB / 4, GB / 2, 50, (State::Bad, "full")),
            (100 * GB, 200 * GB, 9, (State::Warn, "inodes")),
            (100 * GB, 200 * GB, 1, (State::Bad, "inodes")),
        ] {
            let found = judged("x".into(), free, all, inodes);
            assert_eq!((found.state, found.reason.as_str()), seen, "{found:?}");
        }
    }
}
