//! The disk keeps what it promises, and no more.

use std::{
    fs::{self, File},
    io::{Seek as _, SeekFrom, Write as _},
};

use crate::Mounted;

fn names(m: &Mounted, folder: &str) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(m.at(folder)).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_cut_takes_what_was_not_synced_and_leaves_what_was() {
    let Some(m) = Mounted::new() else { return };
    fs::create_dir(m.at("d")).unwrap();
    let mut file = File::create(m.at("d/kept")).unwrap();
    file.write_all(b"first").unwrap();
    file.sync_all().unwrap();
    fs::write(m.at("d/empty"), b"bytes that nobody synced").unwrap();
    File::open(m.at("d")).unwrap().sync_all().unwrap();
    // After its last sync: more bytes, another file, and another name.
    file.write_all(b" second").unwrap();
    let other = File::create(m.at("d/synced without its folder")).unwrap();
    other.sync_all().unwrap();
    fs::rename(m.at("d/empty"), m.at("d/renamed")).unwrap();
    assert_eq!(names(&m, "d"), ["kept", "renamed", "synced without its folder"]);

    m.disk.cut();
    assert_eq!(names(&m, ""), ["d"], "a folder that was synced is found again");
    assert_eq!(names(&m, "d"), ["empty", "kept"]);
    assert_eq!(fs::read(m.at("d/kept")).unwrap(), b"first");
    assert_eq!(fs::read(m.at("d/empty")).unwrap(), b"");
    // Whoever had a file open before has nothing of it now.
    assert!(file.write_all(b"x").and_then(|()| file.sync_all()).is_err());
}

#[test]
fn a_file_is_kept_as_it_was_at_its_last_sync_whatever_was_cut_off_it_and_put_back() {
    let Some(m) = Mounted::new() else { return };
    let mut file = File::create(m.at("a")).unwrap();
    file.write_all(b"0123456789").unwrap();
    File::open(m.at("")).unwrap().sync_all().unwrap();
    file.sync_all().unwrap();
    file.set_len(4).unwrap();
    file.seek(SeekFrom::Start(6)).unwrap();
    file.write_all(b"xy").unwrap();
    assert_eq!(fs::read(m.at("a")).unwrap(), b"0123\0\0xy");
    let before = fs::metadata(m.at("a")).unwrap().len();
    file.sync_data().unwrap();
    file.seek(SeekFrom::Start(0)).unwrap();
    file.write_all(b"not synced").unwrap();
    m.disk.cut();
    assert_eq!((before, fs::read(m.at("a")).unwrap().as_slice()), (8, &b"0123\0\0xy"[..]));
    fs::remove_file(m.at("a")).unwrap();
    assert_eq!(names(&m, ""), Vec::<String>::new());
    m.disk.cut();
    assert_eq!(names(&m, ""), ["a"], "that it was deleted was not synced either");
}
