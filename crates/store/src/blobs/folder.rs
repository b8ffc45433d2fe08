//! The folder of a disk that objects lie in.
//!
//! A disk that is not mounted leaves an empty folder, and a folder that is
//! missing is quickly made: what is written there then would be hidden by the
//! disk when it comes back. So the folder of a server holds a mark, and where
//! the mark is not, the folder is away: nothing is written, and nothing that
//! is missing counts as deleted.

use std::{
    fs, io,
    path::{Path as FsPath, PathBuf},
    sync::Arc,
    time::Duration,
};

use tokio::sync::Semaphore;

use crate::{Error, Result};

/// Of a disk, what is left to others: so many bytes, or a fiftieth of it where
/// that is less.
const RESERVE: u64 = 1 << 30;
const RESERVE_SHARE: u64 = 50;
/// Threads that look at the folder at a time.
const LOOKS: usize = 16;
/// Says that the folder is there. No listing of objects shows it.
const MARK: &str = ".magpie-files";

/// Where objects lie on a disk of this machine.
#[derive(Clone)]
pub(super) struct Folder {
    path: Arc<FsPath>,
    /// Bytes that stay free; `None`: by the size of the disk.
    pub(super) reserve: Option<u64>,
    /// What is looked for at each write.
    mark: Option<&'static str>,
    /// As many threads may look at it at a time.
    pub(super) looks: Arc<Semaphore>,
}

impl Folder {
    /// One that is made if it is not there.
    pub(super) fn make(path: &FsPath) -> io::Result<Self> {
        make(path)?;
        Ok(Self { path: path.into(), reserve: None, mark: None, looks: Arc::new(Semaphore::new(LOOKS)) })
    }

    /// Marks it where it may be marked: it holds objects, or need not hold any.
    /// From now on it has to have its mark.
    pub(super) fn mark(&mut self, may_be_empty: bool) -> io::Result<()> {
        self.mark = Some(MARK);
        let mark = self.path.join(MARK);
        if mark.exists() || !may_be_empty && !self.path.join("blobs").is_dir() {
            return Ok(());
        }
        fs::File::create(&mark)?.sync_all()?;
        fs::File::open(&self.path)?.sync_all()
    }

    /// From now on it has to have this mark, which somebody else made.
    pub(super) fn expect(&mut self, mark: &'static str) {
        self.mark = Some(mark);
    }

    /// Whether it is the one that was marked.
    pub(super) fn is_here(&self) -> Result<()> {
        let Some(mark) = self.mark else { return Ok(()) };
        if self.path.join(mark).exists() {
            return Ok(());
        }
        let text = format!("{} has no {mark}: the folder is missing, or its disk is not mounted", self.path.display());
        Err(Error::Blobs(io::Error::new(io::ErrorKind::NotFound, text).into()))
    }

    /// Where the system does not tell, there is room until a write fails.
    #[cfg(unix)]
    pub(super) fn has_room(&self, bytes: u64) -> bool {
        let Ok(disk) = rustix::fs::statvfs(&*self.path) else { return true };
        let (all, free) = (disk.f_blocks.saturating_mul(disk.f_frsize), disk.f_bavail.saturating_mul(disk.f_frsize));
        free.saturating_sub(bytes) >= self.reserve.unwrap_or(RESERVE.min(all / RESERVE_SHARE))
    }

    #[cfg(not(unix))]
    pub(super) fn has_room(&self, _: u64) -> bool {
        true
    }

    /// Takes away what writes left half done, older than this; how many.
    pub(super) fn clear_staged(&self, age: Duration) -> u64 {
        clear_staged(&self.path, age)
    }
}

/// Makes a folder that nobody else of this machine looks into; one that is
/// there stays as its owner wants it.
fn make(path: &FsPath) -> std::io::Result<()> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    let mut folder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut folder, 0o700);
    match folder.create(path) {
        Err(error) if !path.is_dir() => Err(error),
        _ => Ok(()),
    }
}

fn clear_staged(folder: &FsPath, age: Duration) -> u64 {
    let mut open: Vec<PathBuf> = vec![folder.to_owned()];
    let mut cleared = 0;
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                open.push(entry.path());
                continue;
            }
            let name = entry.file_name();
            let staged = name
                .to_str()
                .and_then(|name| name.rsplit_once('#'))
                .is_some_and(|(_, number)| !number.is_empty() && number.bytes().all(|digit| digit.is_ascii_digit()));
            let old = || entry.metadata().and_then(|m| m.modified()).ok()?.elapsed().ok();
            if staged && old().is_some_and(|for_how_long| for_how_long >= age) {
                cleared += u64::from(fs::remove_file(entry.path()).is_ok());
            }
        }
    }
    cleared
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_dead_server_left_half_written_is_taken_away_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let below = folder.path().join("blobs/ab");
        fs::create_dir_all(&below).unwrap();
        for name in ["00ab", "00ab#1", "00ab#12", "00ab#", "00ab#x", "#1a"] {
            fs::write(below.join(name), b"x").unwrap();
        }
        assert_eq!(clear_staged(folder.path(), Duration::from_hours(24)), 0, "one that is being written stays");
        assert_eq!(clear_staged(folder.path(), Duration::ZERO), 2);
        let mut left: Vec<_> = fs::read_dir(&below).unwrap().map(|e| e.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, ["#1a", "00ab", "00ab#", "00ab#x"]);
    }
}
