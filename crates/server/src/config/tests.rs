use std::{fs, path::Path};

use super::*;

fn loaded(flags: &Flags, file: &str, env: &[(&str, &str)]) -> Result<Loaded, Vec<String>> {
    let find = |name: &str| env.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned());
    read::merge(flags, Some((Path::new("magpie.toml"), Ok(file.to_owned()))), &find)
}

fn config(file: &str, env: &[(&str, &str)]) -> Config {
    loaded(&Flags::default(), file, env).unwrap().config
}

fn faults(file: &str, env: &[(&str, &str)]) -> Vec<String> {
    loaded(&Flags::default(), file, env).unwrap_err()
}

#[test]
fn an_empty_file_is_valid_and_flags_win_over_environment_over_file() {
    assert_eq!(config("", &[]).listen.port(), 8080);
    let file = "listen = '127.0.0.1:1'\n[mail]\nurl = 'smtp://localhost'\nfrom = 'file@x.example'";
    assert_eq!(config(file, &[]).listen.port(), 1);
    let env = [("MAGPIE_LISTEN", "127.0.0.1:2"), ("MAGPIE_MAIL_FROM", "env@x.example")];
    assert_eq!(config(file, &env).listen.port(), 2);
    let flags =
        Flags { listen: Some("127.0.0.1:3".into()), set: vec!["mail.from=flag@x.example".into()], ..Flags::default() };
    let all = loaded(&flags, file, &env).unwrap();
    assert_eq!(all.config.listen.port(), 3);
    assert_eq!(all.config.mail.from.as_deref(), Some("flag@x.example"));
    let told: Vec<_> = all.given.iter().map(|g| format!("{} {} {}", g.name, g.source, g.shown)).collect();
    assert_eq!(told, [r#"listen --listen "127.0.0.1:3""#, "mail.url file …", r#"mail.from --set "flag@x.example""#]);
}

#[test]
fn every_fault_is_told_at_once_by_name_with_what_is_valid() {
    let file = "listen = 'here'\nsignup = 'maybe'\ndatabase_url = 'mysql://pw@x'\npublic_url = 'ftp://x'\n\
        database_pool = 0\nname = 3\nlog = 'gateway=loud'\nunlimited = 'perhaps'\nlistn = 'x'\nurl = 'x'\nblue = 1\n\
        mail = 1\n[smss]\nurl = ''\n[files]\nbucket = 'b'\nendpoint = 'here'\nsecret_key_file = '/nowhere'\nregin = 'r'";
    let told = faults(file, &[("MAGPIE_LOG_FORMAT", "xml"), ("MAGPIE_SMS_METHOD", "PUT")]);
    let expected = [
        "listen (file): \"here\" is not ADDRESS:PORT",
        "signup (file): \"maybe\" is none of \"open\", \"invitation\"",
        "database_url (file): does not begin with postgres://",
        "public_url (file): \"ftp://x\" does not begin with https:// or http://",
        "database_pool (file): 0 is not a number from 1 to 256",
        "name (file): 3 is not a text in quotation marks",
        "log (file): \"gateway=loud\" cannot be read",
        "unlimited (file): \"perhaps\" is not true or false",
        "listn: there is no such setting; did you mean listen?",
        "url: there is no such setting; did you mean mail.url?",
        "blue: there is no such setting",
        "mail: is a table, [mail]",
        "smss: there is no such setting; did you mean sms?",
        "files.endpoint (file): \"here\" does not begin with https:// or http://",
        "files.access_key: is needed with files.bucket",
        "files.secret_key (files.secret_key_file): /nowhere: No such file",
        "files.regin: there is no such setting; did you mean files.region?",
        "log_format (MAGPIE_LOG_FORMAT): \"xml\" is none of \"text\", \"json\"",
        "sms.url: is needed with sms.method",
    ];
    for text in expected {
        assert!(told.iter().any(|f| f.starts_with(text)), "{text} is not in {told:#?}");
    }
    // A file that cannot be read is a fault like the others, of which one more is told.
    assert!(!told.iter().any(|f| f.contains("pw@x")), "{told:#?}");
    assert_eq!(told.len(), expected.len() + 1, "{told:#?}");
    let told = faults("listen = ", &[("MAGPIE_SIGNUP", "x")]);
    assert!(told.len() == 2 && told[0].starts_with("magpie.toml: TOML parse error at line 1"), "{told:#?}");
}

#[test]
fn rules_between_settings_hold() {
    for (file, told) in [
        ("[mail]\nfrom = 'm@example.org'", "mail.url: is needed with mail.from"),
        ("[mail]\nurl = 'smtp://localhost'", "mail.from: is needed with mail.url"),
        ("[mail]\nurl = 'smtp://u:p@mail.example.org'\nfrom = 'm@example.org'", "mail.url: a password would cross"),
        ("[files]\nbucket = 'b'\naccess_key = 'a'", "files.secret_key: is needed with files.bucket"),
        (
            "[files]\nbucket = 'b'\naccess_key = 'a'\nsecret_key = 's'\nendpoint = 'http://8.8.8.8:9000'",
            "files.endpoint: files would cross the network in plain",
        ),
        ("[backup]\nendpoint = 'http://s3.example.org'", "backup.endpoint: files would cross"),
        ("[tls]\nmode = 'files'\ncert = 'x'", "tls.key: is needed with \"files\""),
        ("[tls]\nmode = 'acme'", "tls.names: is needed with \"acme\""),
        ("[tls]\nmode = 'acme'\nnames = ['*.example.org']", "tls.names: a name with * needs"),
        ("[tls]\nnames = ['a b']", "tls.names (file): [\"a b\"] holds \"a b\", which is not a name of a host"),
    ] {
        let faults = faults(file, &[]);
        assert!(faults.len() == 1 && faults[0].starts_with(told), "{faults:?}");
    }
}

#[test]
fn files_go_in_plain_within_ones_own_network_or_where_it_is_said() {
    let file = "[files]\nbucket = 'b'\naccess_key = 'a'\nsecret_key = 's'\nendpoint = ";
    for inside in ["127.0.0.1:9000", "10.0.0.1", "[fd00::1]:9000", "[::1]", "minio:9000", "s3.home.arpa", "a.svc"] {
        assert!(config(&format!("{file}'http://{inside}'"), &[]).files.bucket().is_some(), "{inside}");
    }
    for outside in ["8.8.8.8", "[2001:db8::1]:9000", "s3.example.org", "10.0.0.1.example.org"] {
        assert_eq!(faults(&format!("{file}'http://{outside}'"), &[]).len(), 1, "{outside}");
        config(&format!("{file}'http://{outside}'\nplain_http = true"), &[]);
    }
}

#[test]
fn a_secret_stands_in_a_file_or_the_environment_in_one_place_and_in_no_message() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("key");
    fs::write(&path, "s3cret\n").unwrap();
    let path = path.to_str().unwrap();
    let key = |c: &Config| c.files.secret_key.clone().map(|s| s.0);
    let file = format!("[files]\nbucket = 'b'\naccess_key = 'a'\nsecret_key_file = {path:?}");
    let read = loaded(&Flags::default(), &file, &[]).unwrap();
    assert_eq!(key(&read.config).as_deref(), Some("s3cret"));
    assert!(!format!("{read:?}").contains("s3cret"));
    let bare = "[files]\nbucket = 'b'\naccess_key = 'a'";
    assert_eq!(key(&config(bare, &[("MAGPIE_FILES_SECRET_KEY_FILE", path)])).as_deref(), Some("s3cret"));
    assert_eq!(key(&config(&file, &[("MAGPIE_FILES_SECRET_KEY", "other")])).as_deref(), Some("other"));

    let both = faults(&format!("{file}\nsecret_key = 'x'"), &[]);
    assert_eq!(both, ["files.secret_key: files.secret_key and files.secret_key_file are both there; give one"]);
    let both = faults(bare, &[("MAGPIE_FILES_SECRET_KEY_FILE", path), ("MAGPIE_FILES_SECRET_KEY", "x")]);
    assert!(both.len() == 1 && both[0].contains("MAGPIE_FILES_SECRET_KEY_FILE are both there"), "{both:?}");
    let flags = Flags { set: vec!["files.secret_key=x".into(), "nme=x".into(), "x".into()], ..Flags::default() };
    let told = loaded(&flags, bare, &[]).unwrap_err();
    assert_eq!(told[0], "--set files.secret_key: is a secret; give it by MAGPIE_FILES_SECRET_KEY_FILE");
    assert_eq!(told[1], "--set nme: there is no such setting; did you mean name?");
    assert_eq!(told[2], "--set x: is not NAME=VALUE");
}

#[test]
fn the_documented_file_is_made_from_the_settings_and_is_the_default() {
    let text = include_str!("../../../../docs/config.toml");
    assert_eq!(text, document(), "docs/config.toml is stale: run make gen");
    assert_eq!(config(text, &[]), config("", &[]));
    // With the marks taken away every line is understood, and every setting is there.
    let all = text.lines().filter_map(|l| l.strip_prefix("#: ")).collect::<Vec<_>>().join("\n");
    let settings: Vec<_> = Config::sections().iter().flat_map(|s| s.settings).collect();
    let read = loaded(&Flags::default(), &all, &[]).unwrap_or_else(|faults| panic!("{faults:#?}"));
    let given: Vec<_> = read.given.iter().map(|g| g.name.clone()).collect();
    assert_eq!(given, settings.iter().map(|s| s.name()).collect::<Vec<_>>());
    // What is shown as the default is the default.
    let default = config("", &[]);
    for setting in default.differs(&read.config) {
        assert!(!setting.has_default, "{}", setting.name());
    }
    let mut variables: Vec<_> = settings.iter().map(|s| s.env()).collect();
    variables.sort();
    variables.dedup();
    assert_eq!(variables.len(), settings.len(), "two settings share a variable");
}

#[test]
fn lists_and_tables_come_from_the_environment_too() {
    let env = [("MAGPIE_SMS_URL", "https://sms.example"), ("MAGPIE_SMS_HEADERS", "{ a = \"b\" }")];
    assert_eq!(config("", &env).sms.headers["a"], "b");
    assert!(faults("", &[env[0], ("MAGPIE_SMS_HEADERS", "a=b")])[0].ends_with("is not a table of texts"));
    assert!(config("", &[("MAGPIE_UNLIMITED", "1")]).unlimited);
    let nets = |text: &str| config("", &[("MAGPIE_TRUSTED_PROXIES", text)]).trusted_proxies;
    assert_eq!(nets("10.0.0.0/8, ::1"), ["10.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()]);
    let told = faults("trusted_proxies = ['10.0.0.0/99', 'all']", &[]);
    assert!(told[0].ends_with("holds \"10.0.0.0/99\", which is no address and no ADDRESS/BITS"), "{told:?}");
    let allow = |text: &str| config("", &[("MAGPIE_OUTGOING_ALLOW", text)]).outgoing.allow;
    assert_eq!(allow("10.0.0.0/8, ::1,ntfy.internal"), ["10.0.0.0/8", "::1", "ntfy.internal"]);
    for wrong in ["10.0.0.0/99", "http://ntfy.internal", "ntfy.internal:8080", "12"] {
        let told = faults("", &[("MAGPIE_OUTGOING_ALLOW", wrong)]);
        assert!(told[0].ends_with("which is no address, no ADDRESS/BITS and no host's name"), "{told:?}");
    }
}
