//! fsync fails. What the kernel then still has of the pages is unknown, so
//! the process ends at once and nobody hears a good word any more.

use std::{
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Command, Stdio},
    sync::mpsc,
    time::Duration,
};

use store::{Config, Db, Error};

use super::world::{MIGRATIONS, mark, marks};

const CHILD: &str = "MAGPIE_TEST_SYNC_CHILD";
const ROWS_BEFORE: i64 = 30;

/// The other process: writes and prints each answer, one at a time, so that
/// nothing acknowledged earlier is printed later. A test that does nothing
/// unless it was started by the one below.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn child() {
    let Ok(path) = std::env::var(CHILD) else { return };
    let db = Db::open(&Config::sqlite(path), MIGRATIONS, true).expect("opens");
    for id in 0..100_000 {
        let out: Result<(), Error> = db.write(move |tx| mark(tx, id)).await;
        let mut stdout = std::io::stdout().lock();
        let text = if out.is_ok() { format!("\nack {id}\n") } else { format!("\nerror {id}\n") };
        stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()).expect("a reader");
    }
}

fn compile_shim(folder: &Path) -> std::path::PathBuf {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/shim/fsync_fail.c");
    let shim = folder.join("fsync_fail.so");
    let out = Command::new("cc").args(["-shared", "-fPIC", "-O1", "-o"]).arg(&shim).arg(source).arg("-ldl").output();
    let out = out.expect("a C compiler is a prerequisite");
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    shim
}

/// Naive: report the error and go on, as with any other. Seen with the error
/// of COMMIT answered as `Error::Io` and the thread living on: later commits
/// "succeed", and are acknowledged on pages that never reached the disk.
#[tokio::test(flavor = "multi_thread")]
async fn a_failed_fsync_ends_the_process_before_anyone_is_told() {
    // A real disk: in memory there is no fsync to fail.
    let folder = tempfile::tempdir_in(std::env::temp_dir()).expect("a folder");
    let (shim, trigger, path) =
        (compile_shim(folder.path()), folder.path().join("trigger"), folder.path().join("magpie.db"));
    let mut child = Command::new(std::env::current_exe().expect("this program"))
        .args(["sync_failure::child", "--exact", "--nocapture"])
        .env(CHILD, &path)
        .env("LD_PRELOAD", &shim)
        .env("MAGPIE_SHIM_TRIGGER", &trigger)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("starts");
    let (lines, all) = mpsc::channel();
    let output = child.stdout.take().expect("piped");
    std::thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            if lines.send(line).is_err() {
                return;
            }
        }
    });
    let (mut acknowledged, mut failed) = (Vec::new(), false);
    loop {
        match all.recv_timeout(Duration::from_mins(1)) {
            Ok(line) => {
                if let Some(id) = line.strip_prefix("ack ") {
                    assert!(!failed, "acknowledged after the failure");
                    acknowledged.push(id.parse::<i64>().expect("a number"));
                    if acknowledged.len() as i64 == ROWS_BEFORE {
                        std::fs::write(&trigger, "").expect("the trigger");
                    }
                }
                failed |= line == "sync failed";
            }
            Err(mpsc::RecvTimeoutError::Disconnected) => break,
            Err(mpsc::RecvTimeoutError::Timeout) => {
                let _ = child.kill();
                panic!("the process lives on");
            }
        }
    }
    assert!(failed, "fsync never failed");
    assert_eq!(child.wait().expect("its end").code(), Some(70));
    let db = Db::open(&Config::sqlite(&path), MIGRATIONS, true).expect("a clean start");
    let kept = marks(&db).await;
    assert!(acknowledged.len() as i64 >= ROWS_BEFORE);
    assert!(acknowledged.iter().all(|id| kept.contains(id)), "an acknowledged row is gone");
}
