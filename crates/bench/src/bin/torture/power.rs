//! A disk that loses its power.

use std::{io, path::Path};

use clap::ValueEnum;

/// What a seeded fault forgets of uploaded files.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Forgets {
    /// Folders are not synced: a file that is renamed into its place is lost.
    Names,
    /// Files are not synced: what is found is empty.
    Bytes,
}

#[cfg(target_os = "linux")]
pub struct Power(unsynced::Disk);

#[cfg(target_os = "linux")]
impl Power {
    /// Puts the disk over a folder that is there.
    pub fn on(folder: &Path) -> io::Result<Self> {
        unsynced::Disk::mount(folder).map(Self)
    }

    /// Whoever used it has to be dead.
    pub fn cut(&self) {
        self.0.cut();
    }

    pub fn seed(&self, forgets: Forgets) {
        let deaf = match forgets {
            Forgets::Names => unsynced::Deaf::Names,
            Forgets::Bytes => unsynced::Deaf::Bytes,
        };
        self.0.deafen("files", deaf);
    }
}

#[cfg(not(target_os = "linux"))]
pub struct Power(std::convert::Infallible);

#[cfg(not(target_os = "linux"))]
impl Power {
    pub fn on(_: &Path) -> io::Result<Self> {
        Err(io::Error::from(io::ErrorKind::Unsupported))
    }

    pub fn cut(&self) {
        match self.0 {}
    }

    pub fn seed(&self, _: Forgets) {
        match self.0 {}
    }
}
