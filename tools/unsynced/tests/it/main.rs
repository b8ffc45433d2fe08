//! What is left after a loss of power: of files by themselves, of the server's
//! store of objects, and of its database.
//!
//! Mounting needs `/dev/fuse` and the right to use it. Where that is not
//! given, each test says so and shows nothing.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod disk;
mod server;

use std::path::PathBuf;

use unsynced::Disk;

pub struct Mounted {
    // Unmounted before its folder goes.
    pub disk: Disk,
    folder: tempfile::TempDir,
}

impl Mounted {
    /// `None`, said aloud, where mounting is not permitted.
    pub fn new() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        match Disk::mount(folder.path()) {
            Ok(disk) => Some(Self { disk, folder }),
            Err(error) => {
                println!("a loss of power cannot be shown here: {error} (needs /dev/fuse, and root or fusermount3)");
                None
            }
        }
    }

    pub fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}
