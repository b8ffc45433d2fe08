//! The folder of files fills up, becomes read-only or is gone while the program
//! runs, and comes back: each is told, holds up nobody who sends no file, and is
//! over without a restart.
//!
//! The folder is a small file system of its own where mounting is permitted;
//! elsewhere it is only moved away and back, and that is said.
//!
//! Without the mark of the folder, what is sent while the disk is away is
//! acknowledged, written beside it, and hidden when it is back.

use std::{
    fs,
    io::{Read as _, Write as _},
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::{Value, json};
use store::testing::free_port;

use crate::program::{Server, until};

const UPLOADS: &str = "/api/v1/files/uploads";
const PIECE: usize = 200_000;

/// What an answer is, with its head.
struct Told {
    status: u16,
    head: String,
    body: Vec<u8>,
}

impl Told {
    fn header(&self, name: &str) -> Option<&str> {
        let named = |line: &&str| line.split_once(':').is_some_and(|(found, _)| found.eq_ignore_ascii_case(name));
        self.head.lines().find(named)?.split_once(':').map(|(_, value)| value.trim())
    }

    fn code(&self) -> (u16, String) {
        let body: Value = serde_json::from_slice(&self.body).unwrap_or_default();
        (self.status, body["code"].as_str().unwrap_or_default().to_owned())
    }
}

struct World {
    server: Server,
    metrics: String,
    mine: String,
    own: String,
    sent: u64,
}

impl World {
    fn start(data: &Path) -> Self {
        let metrics = format!("127.0.0.1:{}", free_port());
        let server = Server::start(data, &Self::env(&metrics));
        let mine = format!("authorization: Bearer {}\r\n", server.first_account());
        let (_, list) = server.ask("GET", "/api/v1/conversations", &mine, "");
        let own = list["items"][0]["id"].as_str().unwrap().to_owned();
        Self { server, metrics, mine, own, sent: 0 }
    }

    fn env(metrics: &str) -> [(&str, &str); 2] {
        [("MAGPIE_METRICS_LISTEN", metrics), ("MAGPIE_UNLIMITED", "1")]
    }

    fn tus(&self, method: &str, path: &str, headers: &str, body: &[u8]) -> Told {
        let mut stream = self.server.connect();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ntus-resumable: 1.0.0\r\n{}{headers}\
             content-length: {}\r\n\r\n",
            self.mine,
            body.len()
        );
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(body).unwrap();
        let mut all = Vec::new();
        stream.read_to_end(&mut all).unwrap();
        let end = all.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
        let head = String::from_utf8(all[..end].to_vec()).unwrap();
        Told { status: head.split(' ').nth(1).unwrap().parse().unwrap(), head, body: all[end + 4..].to_vec() }
    }

    fn begin(&self, size: usize) -> String {
        let headers = format!("upload-length: {size}\r\nupload-metadata: filename YS50eHQ=\r\n");
        let told = self.tus("POST", UPLOADS, &headers, b"");
        assert_eq!(told.status, 201, "{}", told.head);
        told.header("magpie-file").unwrap().to_owned()
    }

    fn append(&self, id: &str, at: usize, bytes: &[u8]) -> Told {
        let headers = format!("upload-offset: {at}\r\ncontent-type: application/offset+octet-stream\r\n");
        self.tus("PATCH", &format!("{UPLOADS}/{id}"), &headers, bytes)
    }

    fn offset(&self, id: &str) -> usize {
        self.tus("HEAD", &format!("{UPLOADS}/{id}"), "", b"").header("upload-offset").unwrap().parse().unwrap()
    }

    fn say(&mut self, file: Option<&str>) {
        self.sent += 1;
        let mut blocks = vec![json!({ "type": "text", "text": "x" })];
        blocks.extend(file.map(|file| json!({ "type": "file", "file": file })));
        let body = json!({ "client_id": uuid::Uuid::from_u128(self.sent.into()),
            "body": { "kind": "blocks", "blocks": blocks }, "mentions": [], "mention_all": false });
        let path = format!("/api/v1/conversations/{}/messages", self.own);
        let (status, said) = self.server.ask("POST", &path, &self.mine, &body.to_string());
        assert!(matches!(status, 200 | 201), "{status} {said}");
    }

    fn link(&self, id: &str) -> String {
        let (status, link) = self.server.ask("POST", &format!("/api/v1/files/{id}/link"), &self.mine, "{}");
        assert_eq!(status, 200, "{link}");
        link["url"].as_str().unwrap().to_owned()
    }

    /// Whether each of those that watch says that files fail, or that they work.
    fn told(&self, failing: bool) {
        let wanted = if failing { json!(["files"]) } else { json!([]) };
        until("what is watched says so", || {
            let (status, ready) = self.server.ask("GET", "/readyz", "", "");
            assert_eq!(status, 200, "{ready}");
            (ready["degraded"] == wanted).then_some(())
        });
        let (_, health) = self.server.ask("POST", "/api/v1/admin/health/files/test", &self.mine, "{}");
        assert_eq!(health["state"], if failing { "bad" } else { "ok" }, "{health}");
        let mut page = String::new();
        let mut stream = std::net::TcpStream::connect(&self.metrics).unwrap();
        stream.write_all(b"GET /metrics HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").unwrap();
        stream.read_to_string(&mut page).unwrap();
        let line = format!("magpie_degraded{{part=\"files\"}} {}.0", u8::from(failing));
        assert!(page.contains(&line), "no {line} in {page}");
    }
}

/// Mounted, unmounted when dropped.
struct Mount(PathBuf);

impl Mount {
    fn try_new(at: &Path, how: &[&str]) -> Option<Self> {
        let mounted = Command::new("mount").args(how).arg(at).output();
        mounted.is_ok_and(|out| out.status.success()).then(|| Self(at.to_owned()))
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

/// What is wrong with the folder, how uploads are answered meanwhile, and how
/// it is put right.
struct Trouble {
    name: &'static str,
    code: (u16, &'static str),
    strike: Box<dyn Fn()>,
    heal: Box<dyn Fn()>,
}

fn run(how: &[&str], at: &Path) {
    assert!(Command::new("mount").args(how).arg(at).status().unwrap().success(), "mount {how:?}");
}

fn troubles(files: &Path, mounted: bool) -> Vec<Trouble> {
    let at = || files.to_owned();
    let (here, there) = (at(), files.with_extension("moved"));
    let (back, from) = (at(), there.clone());
    let mut all = Vec::new();
    if !mounted {
        println!("mounting is not permitted here: the folder is moved away, and nothing else is tried");
        let strike = Box::new(move || fs::rename(&here, &there).unwrap());
        let heal = Box::new(move || {
            assert!(!back.exists(), "it was made anew");
            fs::rename(&from, &back).unwrap();
        });
        all.push(Trouble { name: "moved", code: (503, "storage_unavailable"), strike, heal });
        return all;
    }
    let (filler, filled) = (files.join("filler"), files.join("filler"));
    all.push(Trouble {
        name: "full",
        code: (507, "storage_full"),
        strike: Box::new(move || {
            // Until nothing goes into it any more.
            let mut file = fs::File::create(&filler).unwrap();
            while file.write_all(&[7; 4_096]).is_ok() {}
        }),
        heal: Box::new(move || fs::remove_file(&filled).unwrap()),
    });
    let (locked, open) = (at(), at());
    all.push(Trouble {
        name: "read-only",
        code: (503, "storage_unavailable"),
        strike: Box::new(move || run(&["-o", "remount,ro"], &locked)),
        heal: Box::new(move || run(&["-o", "remount,rw"], &open)),
    });
    // The folder as it is without its disk: there, and empty.
    let (covered, bare) = (at(), at());
    all.push(Trouble {
        name: "away",
        code: (503, "storage_unavailable"),
        strike: Box::new(move || run(&["-t", "tmpfs", "magpie-test"], &covered)),
        heal: Box::new(move || {
            assert_eq!(fs::read_dir(&bare).unwrap().count(), 0, "something was written beside the disk");
            assert!(Command::new("umount").arg(&bare).status().unwrap().success());
        }),
    });
    all
}

#[test]
fn a_folder_of_files_that_fails_is_told_of_holds_up_no_message_and_is_gone_on_with() {
    let folder = tempfile::tempdir().unwrap();
    let files = folder.path().join("data/files");
    fs::create_dir_all(&files).unwrap();
    let mount = Mount::try_new(&files, &["-t", "tmpfs", "-o", "size=8m", "magpie-test"]);
    let mut w = World::start(&folder.path().join("data"));
    w.told(false);
    let bytes: Vec<u8> = (0..3 * PIECE).map(|n| b'a' + (n.wrapping_mul(2_654_435_761) >> 20) as u8 % 26).collect();
    let old = w.begin(5);
    assert_eq!(w.append(&old, 0, b"hello").status, 204);
    w.say(Some(&old));
    for trouble in troubles(&files, mount.is_some()) {
        let id = w.begin(bytes.len());
        assert_eq!(w.append(&id, 0, &bytes[..PIECE]).status, 204, "{}", trouble.name);
        (trouble.strike)();
        let (status, code) = w.append(&id, PIECE, &bytes[PIECE..2 * PIECE]).code();
        assert_eq!((status, code.as_str()), trouble.code, "{}", trouble.name);
        w.told(true);
        w.say(None);
        assert_eq!(w.offset(&id), PIECE, "{}: what was acknowledged stays", trouble.name);
        if trouble.code.1 == "storage_unavailable" && trouble.name != "read-only" {
            // Not that there is no such file.
            assert_eq!(w.tus("GET", &w.link(&old), "", b"").code().0, 503, "{}", trouble.name);
        }
        (trouble.heal)();
        w.told(false);
        assert_eq!(w.append(&id, PIECE, &bytes[PIECE..]).status, 204, "{}", trouble.name);
        w.say(Some(&id));
        let read = w.tus("GET", &w.link(&id), "", b"");
        assert!(read.status == 200 && read.body == bytes, "{}: {}", trouble.name, read.head);
        assert_eq!(w.tus("GET", &w.link(&old), "", b"").body, b"hello");
    }
    drop(w);
    drop(mount);
}

/// A disk that is missing from the start: an empty folder in its place is not
/// taken for the files.
#[test]
fn an_empty_folder_is_not_taken_for_the_files_that_are_known() {
    let folder = tempfile::tempdir().unwrap();
    let (files, moved) = (folder.path().join("files"), folder.path().join("moved"));
    let mut w = World::start(folder.path());
    let id = w.begin(5);
    assert_eq!(w.append(&id, 0, b"hello").status, 204);
    w.server.terminate();
    assert_eq!(w.server.ended(), 0);
    fs::rename(&files, &moved).unwrap();
    let mut doctor = Command::new(env!("CARGO_BIN_EXE_magpie"));
    doctor.args(["doctor", "--json", "--listen", "127.0.0.1:0", "--data-dir"]).arg(folder.path()).env_clear();
    let said: Value = serde_json::from_slice(&doctor.output().unwrap().stdout).unwrap();
    let found = said["items"].as_array().unwrap().iter().find(|item| item["check"] == "files").unwrap();
    assert_eq!(found["state"], "bad", "{found}");
    let mine = w.mine.clone();
    w.server = Server::again(folder.path(), &World::env(&w.metrics));
    w.mine = mine;
    w.told(true);
    w.say(None);
    assert_eq!(fs::read_dir(&files).unwrap().count(), 0);
    fs::remove_dir(&files).unwrap();
    fs::rename(&moved, &files).unwrap();
    w.told(false);
    assert_eq!(w.tus("GET", &w.link(&id), "", b"").body, b"hello");
}

/// The program on a folder, with what it was told to say.
fn magpie(data: &Path, args: &[&str]) -> (bool, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_magpie"));
    let output = command.env_clear().arg("--data-dir").arg(data).args(args).output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    (output.status.success(), told)
}

/// A disk for backups that is not mounted when the server starts: neither the
/// folder that is missing nor the empty one in its place is written to.
#[test]
fn a_disk_of_backups_that_is_not_mounted_is_told_of_and_nothing_is_written_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    let (data, to, moved) = (folder.path().join("data"), folder.path().join("backups"), folder.path().join("moved"));
    let (metrics, place) = (format!("127.0.0.1:{}", free_port()), to.to_str().unwrap());
    let env = [("MAGPIE_METRICS_LISTEN", metrics.as_str()), ("MAGPIE_BACKUP_TO", place), ("MAGPIE_UNLIMITED", "1")];
    let mut server = Server::start(&data, &env);
    let mine = format!("authorization: Bearer {}\r\n", server.first_account());
    let finished = |to: &Path| {
        let names = fs::read_dir(to).into_iter().flatten().flatten().map(|entry| entry.path());
        names.filter(|path| path.join("manifest.json").exists()).count()
    };
    until("the first one is made", || (finished(&to) == 1).then_some(()));
    let card = |server: &Server| {
        let (status, health) = server.ask("POST", "/api/v1/admin/health/backup/test", &mine, "{}");
        assert_eq!(status, 200, "{health}");
        (health["state"].as_str().unwrap().to_owned(), health["reason"].as_str().unwrap().to_owned())
    };
    let is = |state: &str, reason: &str| (state.to_owned(), reason.to_owned());
    until("it is remembered", || card_is(&card(&server), "works").then_some(()));
    // While it runs, the card says it at once.
    fs::rename(&to, &moved).unwrap();
    assert_eq!(card(&server), is("bad", "away"));
    assert!(!to.exists(), "it was made anew");
    server.terminate();
    assert_eq!(server.ended(), 0);
    let place_is = format!("backup.to={place}");
    for bare in [false, true] {
        if bare {
            fs::create_dir(&to).unwrap();
        }
        let server = Server::again(&data, &env);
        assert_eq!(card(&server), is("bad", "away"));
        until("the metric says it", || page(&metrics).contains("magpie_backup_place_away 1\n").then_some(()));
        until("the log says it", || server.log.lock().contains("its disk is not mounted").then_some(()));
        let (done, told) = magpie(&data, &["--set", &place_is, "backup"]);
        assert!(!done && told.contains("--new-place"), "{told}");
        let (_, doctor) = magpie(&data, &["--set", &place_is, "--listen", "127.0.0.1:0", "doctor"]);
        assert!(doctor.contains("is not the place that backups were made to"), "{doctor}");
        assert_eq!(to.exists(), bare);
        assert_eq!(fs::read_dir(&to).map_or(0, Iterator::count), 0);
    }
    fs::remove_dir(&to).unwrap();
    fs::rename(&moved, &to).unwrap();
    let server = Server::again(&data, &env);
    assert_eq!(card(&server), is("ok", "works"));
    until("the metric is well", || page(&metrics).contains("magpie_backup_place_away 0\n").then_some(()));
    // The disk is lost for good, and another one is there.
    fs::rename(&to, &moved).unwrap();
    let (done, told) = magpie(&data, &["--set", &place_is, "backup", "--new-place"]);
    assert!(done, "{told}");
    assert_eq!((card(&server), finished(&to)), (is("ok", "works"), 1));
}

fn card_is((_, found): &(String, String), reason: &str) -> bool {
    found == reason
}

fn page(at: &str) -> String {
    let mut page = String::new();
    let Ok(mut stream) = std::net::TcpStream::connect(at) else { return page };
    stream.write_all(b"GET /metrics HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").unwrap();
    stream.read_to_string(&mut page).unwrap();
    page
}

/// Somebody deletes what they take for rubbish, and a disk forgets.
#[test]
fn files_that_were_deleted_or_damaged_under_our_feet_are_named_and_fetched_from_a_backup() {
    let folder = tempfile::tempdir().unwrap();
    let (data, to) = (folder.path().join("data"), folder.path().join("backups"));
    let to = to.to_str().unwrap();
    let w = World::start(&data);
    let sent: Vec<String> = [&b"first"[..], b"other"].map(|bytes| sent(&w, bytes)).into();
    assert!(magpie(&data, &["backup", "--to", to]).0);
    assert!(magpie(&data, &["admin", "verify-files"]).1.contains("2 objects"));
    for (id, bytes) in sent.iter().zip(["first", "other"]) {
        assert_eq!(w.tus("GET", &w.link(id), "", b"").body, bytes.as_bytes());
    }
    let objects = stored(&data.join("files/blobs"));
    let of = |bytes: &[u8]| objects.iter().find(|path| fs::read(path).unwrap() == bytes).unwrap().clone();
    let (first, other) = (of(b"first"), of(b"other"));
    fs::remove_file(&first).unwrap();
    fs::write(&other, b"OTHER").unwrap();
    let refused =
        w.tus("POST", &format!("/api/v1/files/{}/link", sent[0]), "content-type: application/json\r\n", b"{}");
    assert_eq!(refused.code(), (410, "file_missing".to_owned()));
    let card = || w.server.ask("POST", "/api/v1/admin/health/files/test", &w.mine, "{}").1;
    assert_eq!(
        (&card()["state"], &card()["reason"], &card()["values"]["missing"]),
        (&json!("bad"), &json!("lost"), &json!("1"))
    );
    assert!(page(&w.metrics).contains("magpie_files_faulty{fault=\"missing\"} 1.0"));
    // A size alone does not tell of the other one.
    let (done, told) = magpie(&data, &["admin", "verify-files", "--sizes"]);
    assert!(!done && told.contains("1 missing, 0 damaged"), "{told}");
    let (done, told) = magpie(&data, &["admin", "verify-files"]);
    assert!(!done && told.contains("1 missing, 1 damaged, 0 fetched"), "{told}");
    assert_eq!(card()["values"]["wrong"], "1");
    let (done, told) = magpie(&data, &["admin", "verify-files", "--from", to]);
    assert!(done && told.contains("2 fetched"), "{told}");
    assert_eq!((fs::read(first).unwrap(), fs::read(other).unwrap()), (b"first".to_vec(), b"other".to_vec()));
    assert_eq!(card()["state"], "ok");
    assert_eq!(w.tus("GET", &w.link(&sent[0]), "", b"").body, b"first");
    // A folder that is away has lost nothing.
    fs::rename(data.join("files"), data.join("moved")).unwrap();
    let (done, told) = magpie(&data, &["admin", "verify-files"]);
    assert!(!done && told.contains("not mounted"), "{told}");
    fs::remove_dir(data.join("files")).unwrap();
    fs::rename(data.join("moved"), data.join("files")).unwrap();
    assert!(magpie(&data, &["admin", "verify-files"]).0);
}

fn sent(w: &World, bytes: &[u8]) -> String {
    let id = w.begin(bytes.len());
    assert_eq!(w.append(&id, 0, bytes).status, 204);
    id
}

fn stored(at: &Path) -> Vec<PathBuf> {
    let folders = fs::read_dir(at).unwrap().map(|entry| entry.unwrap().path());
    folders.flat_map(|folder| fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path())).collect()
}
