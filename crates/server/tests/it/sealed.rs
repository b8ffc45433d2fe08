//! The key that seals secrets, as an operator meets it: made at the first
//! start, in no backup, brought to another machine by hand.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::{Command, Output, Stdio},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use kernel::seals::Seals;
use serde_json::{Value, json};
use testkit::App;

use crate::program::{PASSWORD, Server, until};

const RUNGS: &str = "/api/v1/me/notifications/rungs";
/// Discard, where nobody listens.
const AWAY: &str = "http://127.0.0.1:9";
const ENV: [(&str, &str); 2] = [("MAGPIE_LOG", "debug"), ("MAGPIE_OUTGOING_ALLOW", "127.0.0.1")];

fn ask(server: &Server, token: &str, method: &str, path: &str, body: &Value) -> (u16, Value) {
    server.ask(method, path, &format!("authorization: Bearer {token}\r\n"), &body.to_string())
}

/// Why the first rung failed last.
fn fault(server: &Server, token: &str) -> Value {
    ask(server, token, "GET", "/api/v1/me/notifications", &Value::Null).1["rungs"][0]["fault"].clone()
}

fn put_up(server: &Server, token: &str) -> (u16, Value) {
    let new = json!({ "kind": "ntfy", "address": format!("{AWAY}/canary-topic"), "secret": "canary-token" });
    ask(server, token, "POST", RUNGS, &new)
}

/// Turns an authenticator on: its secret, the app and the recovery codes.
fn turn_on(server: &Server, token: &str) -> (String, App, Value) {
    let shown = ask(server, token, "POST", "/api/v1/me/totp/start", &json!({})).1;
    let secret = shown["secret"].as_str().unwrap_or_else(|| panic!("{shown}")).to_owned();
    let app = App::new(&secret, kernel::Clock::now(&kernel::SystemClock));
    let (status, on) = ask(server, token, "POST", "/api/v1/me/totp", &json!({ "code": app.code(0) }));
    assert_eq!(status, 200, "{on}");
    (secret, app, on["recovery_codes"].clone())
}

/// Signs in by the password and something beside it.
fn sign_in(server: &Server, login: &Value, more: &Value) -> (u16, Value) {
    let mut body = json!({ "login": login, "password": PASSWORD, "bearer": true });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    server.ask("POST", "/api/v1/sessions", "", &body.to_string())
}

/// The bytes that are shown as base 32 (RFC 4648).
fn bytes(base32: &str) -> Vec<u8> {
    let (mut all, mut bits, mut count) = (Vec::new(), 0_u32, 0);
    for letter in base32.bytes() {
        let value = if letter.is_ascii_digit() { letter - b'2' + 26 } else { letter - b'A' };
        (bits, count) = (bits << 5 | u32::from(value), count + 5);
        if count >= 8 {
            count -= 8;
            all.push(u8::try_from((bits >> count) & 0xff).unwrap());
        }
    }
    all
}

/// What a command says, however it ends.
fn done(data: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_magpie"));
    command.env_clear().arg("--data-dir").arg(data).args(args).stdin(Stdio::null()).output().unwrap()
}

fn told(data: &Path, args: &[&str]) -> String {
    let output = done(data, args);
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

fn doctor(data: &Path) -> String {
    let output = done(data, &["--listen", "127.0.0.1:0", "doctor", "--json"]);
    let said: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    let item = said["items"].as_array().into_iter().flatten().find(|item| item["check"] == "sealing").cloned();
    let item = item.unwrap_or_else(|| panic!("{said}"));
    format!("{}/{}", item["state"].as_str().unwrap(), item["reason"].as_str().unwrap())
}

fn holds(path: &Path, what: &[u8]) -> bool {
    if path.is_dir() {
        return fs::read_dir(path).unwrap().any(|entry| holds(&entry.unwrap().path(), what));
    }
    fs::read(path).unwrap().windows(what.len()).any(|part| part == what)
}

/// Naive: the file is not looked at where the configuration names a key.
#[test]
fn a_key_of_the_configuration_seals_and_that_of_the_file_still_opens() {
    let data = tempfile::tempdir().unwrap();
    let (set, kept) = ([1; 32], [2; 32]);
    let mut config = crate::near::config(&[format!("data_dir={}", data.path().display())]);
    config.seal_key = Some(magpie::delivery::Secret(Seals::written(&set)));
    fs::write(data.path().join(magpie::seal::FILE), Seals::written(&kept) + "\n").unwrap();
    let here = magpie::seal::here(&config).unwrap();
    assert_eq!(here.names().collect::<Vec<_>>(), Seals::of(&[set, kept]).names().collect::<Vec<_>>());
    config.seal_key = None;
    assert_eq!(magpie::seal::here(&config).unwrap().current(), Seals::of(&[kept]).current());
}

#[test]
fn a_restored_server_says_what_key_it_lacks_and_delivers_once_it_has_it() {
    let folder = tempfile::tempdir().unwrap();
    let (data, backups, other) = (folder.path().join("a"), folder.path().join("backups"), folder.path().join("b"));
    let key = data.join("seal.key");
    let mut server = Server::start(&data, &ENV);
    let token = server.first_account();
    let text = fs::read_to_string(&key).unwrap();
    assert_eq!(fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
    let login = ask(&server, &token, "GET", "/api/v1/me", &Value::Null).1["user"]["login"].clone();
    let (secret, mut app, codes) = turn_on(&server, &token);
    let forms = [bytes(&secret), STANDARD.encode(bytes(&secret)).into_bytes(), secret.into_bytes()];
    assert_eq!(forms[0].len(), 20);
    let (status, rung) = put_up(&server, &token);
    assert_eq!(status, 201, "{rung}");
    let test = format!("{RUNGS}/{}/test", rung["id"].as_str().unwrap());
    ask(&server, &token, "POST", &test, &Value::Null);
    until("it was tried", || (fault(&server, &token) == "unreachable").then_some(()));
    let seen = server.log.lock().clone();
    server.terminate();
    server.ended();
    assert!(!seen.contains("canary-t") && !seen.contains(text.trim()), "{seen}");
    assert!(!holds(&data, b"canary-t"), "a secret stands in the data folder");
    assert!(forms.iter().all(|form| !holds(&data, form)), "the secret of an app stands in the data folder");
    assert_eq!(doctor(&data), "ok/works");

    let said = told(&data, &["backup", "--to", backups.to_str().unwrap()]);
    assert!(said.contains("not in it: the key"), "{said}");
    let from = backups.to_str().unwrap();
    for args in [&["restore", "--check", from][..], &["restore", from]] {
        let said = told(&other, args);
        assert!(said.contains("which is not here") && said.contains("Bring seal.key"), "{args:?}: {said}");
    }
    assert!(!holds(&backups, text.trim().as_bytes()));
    for folder in [&backups, &other] {
        assert!(forms.iter().all(|form| !holds(folder, form)), "the secret of an app stands in a backup");
    }
    assert_eq!(doctor(&other), "bad/missing");

    // It serves, tells by nothing that it cannot open, and takes nothing that it could not seal.
    let mut server = Server::again(&other, &ENV);
    assert!(server.log.lock().contains("which is not here"), "{}", server.log.lock());
    assert_eq!(fault(&server, &token), "locked");
    assert_eq!(put_up(&server, &token).1["code"], "channel_unavailable");
    let (status, problem) = sign_in(&server, &login, &json!({}));
    assert_eq!((status, &problem["context"]["methods"]), (401, &json!(["recovery_code"])), "{problem}");
    app.now = kernel::Clock::now(&kernel::SystemClock);
    assert_eq!(sign_in(&server, &login, &json!({ "totp": app.code(1) })).1["code"], "second_factor_locked");
    assert_eq!(sign_in(&server, &login, &json!({ "recovery_code": codes[0] })).0, 201);
    assert!(!other.join("seal.key").exists(), "one more key would hide that the right one is missing");
    server.terminate();
    server.ended();

    fs::copy(&key, other.join("seal.key")).unwrap();
    assert_eq!(doctor(&other), "ok/works");
    let mut server = Server::again(&other, &ENV);
    assert_eq!(fault(&server, &token), "unreachable", "it can be opened again");
    assert_eq!(sign_in(&server, &login, &json!({})).1["context"]["methods"], json!(["totp", "recovery_code"]));
    app.now = kernel::Clock::now(&kernel::SystemClock);
    assert_eq!(sign_in(&server, &login, &json!({ "totp": app.code(1) })).0, 201);
    server.terminate();
    server.ended();

    // A new key before the former one: what there is is sealed by it soon.
    let fresh = kernel::seals::Seals::written(&[5; 32]);
    fs::write(other.join("seal.key"), format!("{fresh}\n{text}")).unwrap();
    assert_eq!(doctor(&other), "warn/former");
    let mut server = Server::again(&other, &ENV);
    fs::write(other.join("seal.key"), fresh).unwrap();
    until("all is sealed by the new key", || (doctor(&other) == "ok/works").then_some(()));
    server.terminate();
    server.ended();
    let mut damaged = Command::new(env!("CARGO_BIN_EXE_magpie"));
    damaged.env_clear().env("MAGPIE_SEAL_KEY", "canary-no-key").arg("--data-dir").arg(&other).arg("serve");
    let output = damaged.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.contains("seal_key") && !said.contains("canary"), "{said}");
}

// Seen to fail: with the first key that is not here given up without its name.
#[test]
fn a_key_that_is_lost_for_good_is_given_up_by_its_name_alone() {
    let folder = tempfile::tempdir().unwrap();
    let (data, key) = (folder.path().join("a"), folder.path().join("a").join("seal.key"));
    let mut server = Server::start(&data, &ENV);
    let token = server.first_account();
    let login = ask(&server, &token, "GET", "/api/v1/me", &Value::Null).1["user"]["login"].clone();
    let codes = turn_on(&server, &token).2;
    server.terminate();
    server.ended();
    let forget =
        |name: &str| told(&data, &[&["admin", "forget-sealed"][..], &[name][usize::from(name.is_empty())..]].concat());
    assert!(forget("").contains("nothing was lost"));
    let named = |text: &str| Seals::read(text).unwrap().current().unwrap().to_string();
    let lost = named(&fs::read_to_string(&key).unwrap());
    let fresh = Seals::written(&[5; 32]);
    fs::write(&key, &fresh).unwrap();
    assert_eq!(doctor(&data), "bad/lost");

    let said = forget("");
    assert!(said.contains(&format!("the key {lost} is not here: it seals 1 authenticators")), "{said}");
    assert!(said.contains("nothing was changed"), "{said}");
    assert!(forget(&named(&fresh)).contains("is here"));
    assert!(forget("0123456789abcdef").contains("nothing is sealed by"));
    assert!(forget("lost").contains("sixteen digits"));
    assert_eq!(doctor(&data), "bad/lost", "nothing was given up yet");
    let said = forget(&lost);
    assert!(said.contains("1 authenticators were given up") && !said.contains("need a card"), "{said}");
    assert_eq!(doctor(&data), "ok/works");

    let mut server = Server::again(&data, &ENV);
    let (status, problem) = sign_in(&server, &login, &json!({}));
    assert_eq!((status, &problem["context"]["methods"]), (401, &json!(["recovery_code"])), "{problem}");
    assert_eq!(sign_in(&server, &login, &json!({ "recovery_code": codes[0] })).0, 201);
    server.terminate();
    server.ended();
}
