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
