//! A file system in memory that keeps, when its power is cut, what was synced,
//! and nothing else. A process that is killed loses nothing: the kernel has its
//! pages. This loses them, so that a missing fsync is seen.
//!
//! What it keeps is the least that POSIX and Linux promise:
//!
//! - of a file, its bytes and length as they were at its last `fsync` or
//!   `fdatasync`, whatever was written later or closed;
//! - of a folder, the names in it as they were at its last `fsync`. A new file
//!   that was synced, in a folder that was not, is gone; so is a renaming;
//! - that a folder that was synced is found again: each file system writes the
//!   making of a folder before what is in it.
//!
//! Real ones keep more, by chance. It is mounted by FUSE: as root, or by
//! `fusermount3` (Debian's package fuse3). Where neither may mount, whoever
//! uses it says so and shows nothing.
//!
//! Architecture invariant: knows no server and no database.
#![cfg(target_os = "linux")]

mod fuse;
mod tree;

use std::{
    io,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::Arc,
};

use fuser::{BackgroundSession, Config, MountOption};
use parking_lot::Mutex;

pub use tree::Deaf;
use tree::Tree;

/// A mounted disk. Unmounted when dropped.
#[derive(Debug)]
pub struct Disk {
    tree: Arc<Mutex<Tree>>,
    at: PathBuf,
    _session: BackgroundSession,
}

impl Disk {
    /// Mounts an empty one over a folder that is there. An error says why this
    /// machine does not let it.
    pub fn mount(at: &Path) -> io::Result<Self> {
        let tree = Arc::new(Mutex::new(Tree::default()));
        let mut config = Config::default();
        config.mount_options = vec![MountOption::FSName("unsynced".into()), MountOption::NoDev, MountOption::NoSuid];
        let session = fuser::spawn_mount(fuse::Mounted(tree.clone()), at, &config)?;
        Ok(Self { tree, at: at.to_owned(), _session: session })
    }

    /// Cuts the power: what was not synced is gone, and whoever still holds a
    /// file open can do nothing with it any more.
    pub fn cut(&self) {
        self.tree.lock().cut();
    }

    /// A seeded fault: below this folder of the topmost one, these syncs are
    /// answered and not done.
    pub fn deafen(&self, folder: &str, to: Deaf) {
        self.tree.lock().deaf = Some((folder.into(), to));
    }
}

impl Drop for Disk {
    /// Also where something on it is still open.
    fn drop(&mut self) {
        for (program, words) in [("umount", ["-l"]), ("fusermount3", ["-uz"])] {
            let mut command = Command::new(program);
            command.args(words).arg(&self.at).stdout(Stdio::null()).stderr(Stdio::null());
            if command.status().is_ok_and(|status| status.success()) {
                break;
            }
        }
    }
}
