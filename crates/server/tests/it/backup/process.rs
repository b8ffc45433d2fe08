//! The commands themselves, beside a running server on the same folder.

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Output, Stdio},
};

/// A server that ends with the test.
struct Serving(Child);

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn command(data: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_magpie"));
    command.env_clear().arg("--data-dir").arg(data).args(args).stdin(Stdio::null());
    command
}

fn done(data: &Path, args: &[&str]) -> Output {
    let output = command(data, args).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{args:?}: {told}");
    output
}

fn told(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[test]
fn backups_are_made_beside_a_running_server_and_come_back_in_an_empty_folder() {
    let folder = tempfile::tempdir().unwrap();
    let (data, to) = (folder.path().join("data"), folder.path().join("backups"));
    let to = to.to_str().unwrap();
    done(&data, &["admin", "seed", "--people", "3", "--conversations", "2", "--messages", "300"]);
    let mut serving = command(&data, &["--listen", "127.0.0.1:0", "serve"]);
    let mut serving = Serving(serving.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap());
    let mut line = String::new();
    BufReader::new(serving.0.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    assert!(line.contains("is running"), "{line}");

    let made = told(&done(&data, &["backup", "--to", to]));
    assert!(made.contains("magpie-") && made.contains("rows"), "{made}");
    let checked = told(&done(&data, &["restore", "--check", to]));
    assert!(checked.contains("went well") && checked.contains("none changed"), "{checked}");
    // Under another name it would be taken for one of another day.
    let named = |name: &std::ffi::OsStr| Path::new(to).join(name);
    let all = std::fs::read_dir(to).unwrap().map(|e| e.unwrap().file_name());
    let name = all.into_iter().find(|name| name.to_string_lossy().starts_with("magpie-")).unwrap();
    let other = std::ffi::OsString::from("magpie-20200101T000000Z");
    std::fs::rename(named(&name), named(&other)).unwrap();
    let refused = command(&data, &["restore", "--check", to]).output().unwrap();
    assert!(!refused.status.success() && told(&refused).contains("give it its own name back"), "{}", told(&refused));
    std::fs::rename(named(&other), named(&name)).unwrap();
    let dry = told(&done(&data, &["--set", &format!("backup.to={to}"), "upgrade", "--dry-run"]));
    assert!(dry.contains("steps to run: none") && dry.contains("is fresh"), "{dry}");

    // Not over a server that runs, not over one that is there.
    let over = told(&command(&data, &["restore", to]).output().unwrap());
    assert!(over.contains("a server is running"), "{over}");
    drop(serving);
    let over = told(&command(&data, &["restore", to]).output().unwrap());
    assert!(over.contains("restore into an empty folder"), "{over}");

    let other = folder.path().join("other");
    let restored = told(&done(&other, &["restore", to]));
    assert!(restored.contains("all as the manifest says"), "{restored}");
    let doctor = told(&command(&other, &["--listen", "127.0.0.1:0", "doctor"]).output().unwrap());
    assert!(doctor.contains("none changed") && doctor.contains("none are made"), "{doctor}");
    let again = told(&done(&other, &["backup", "--to", folder.path().join("second").to_str().unwrap()]));
    let rows = |text: &str| text.split(": ").nth(1).unwrap().split(" rows").next().unwrap().to_owned();
    assert_eq!(rows(&made), rows(&again));
    // Nothing lies about.
    let left: Vec<_> = std::fs::read_dir(&other).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert!(left.iter().all(|name| !name.to_string_lossy().starts_with('.')), "{left:?}");
}

#[test]
fn an_upgrade_says_what_it_would_do_makes_a_backup_first_and_keeps_out_of_a_servers_way() {
    let folder = tempfile::tempdir().unwrap();
    let (data, to) = (folder.path().join("data"), folder.path().join("backups"));
    std::fs::create_dir_all(&data).unwrap();
    let engine = store::EngineConfig::Sqlite { path: data.join("magpie.db") };
    let registry = magpie::wiring::registry().unwrap();
    let all = registry.migrations();
    // As the release before `notify` left it.
    let earlier: Vec<_> = all.iter().filter(|step| step.module != "notify").copied().collect();
    drop(store::Db::open(&store::Config::new(engine.clone()), &earlier, true).unwrap());
    let missing = || store::snapshot::inspect(&engine, all, false).unwrap().missing.len();
    let lacks = missing();
    assert!(lacks > 0);
    let set = |place: &Path| format!("backup.to={}", place.display());
    let failed = |args: &[&str]| {
        let output = command(&data, args).output().unwrap();
        assert!(!output.status.success(), "{}", told(&output));
        told(&output)
    };

    let dry = told(&done(&data, &["upgrade", "--dry-run"]));
    assert!(dry.contains(&format!("steps to run: {lacks}")) && dry.contains("new tables only"), "{dry}");
    assert!(dry.contains("backup: none of the last hour"), "{dry}");
    assert_eq!(missing(), lacks);
    assert!(failed(&["upgrade"]).contains("there is no fresh backup"));
    // Of another day.
    let old = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let old = std::fs::read_dir(old).unwrap().map(|e| e.unwrap().path()).find(|path| path.is_dir()).unwrap();
    let dry = told(&done(&data, &["--set", &set(&old), "upgrade", "--dry-run"]));
    assert!(dry.contains("backup: none of the last hour"), "{dry}");
    {
        let flags = magpie::config::Flags { data_dir: Some(data.display().to_string()), ..Default::default() };
        let config = magpie::config::Config::load(&flags).unwrap();
        let _serves = magpie::wiring::claim(&config).unwrap();
        assert!(failed(&["--set", &set(&to), "upgrade"]).contains("a server is running"));
    }
    let made = || {
        let entries = std::fs::read_dir(&to).into_iter().flatten().map(|e| e.unwrap().file_name());
        entries.filter(|name| name.to_string_lossy().starts_with("magpie-")).count()
    };
    assert_eq!((missing(), made()), (lacks, 0));
    let done = told(&done(&data, &["--set", &set(&to), "upgrade"]));
    assert!(done.contains("backup: magpie-") && done.contains("up to date"), "{done}");
    assert_eq!(missing(), 0);
    assert_eq!(made(), 1);
}
