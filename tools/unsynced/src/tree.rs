//! Files and folders, as they are and as they would be found again.

use std::{
    collections::BTreeMap,
    ffi::{OsStr, OsString},
    ops::Range,
    time::SystemTime,
};

use fuser::Errno;

pub type Ino = u64;
pub const ROOT: Ino = 1;

/// Which syncs are answered and not done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deaf {
    /// Those of folders: the names in them.
    Names,
    /// Those of files: their bytes.
    Bytes,
}

#[derive(Clone, Debug, Default)]
pub struct File {
    pub now: Vec<u8>,
    kept: Vec<u8>,
    /// What may differ between the two, besides their lengths.
    unsynced: Range<usize>,
}

#[derive(Clone, Debug, Default)]
pub struct Folder {
    pub now: BTreeMap<OsString, Ino>,
    kept: BTreeMap<OsString, Ino>,
    pub parent: Ino,
}

#[derive(Clone, Debug)]
pub enum Kind {
    File(File),
    Folder(Folder),
}

/// Whose it is, and what others may do with it.
#[derive(Clone, Copy, Debug)]
pub struct Rights {
    pub uid: u32,
    pub gid: u32,
    pub mode: u32,
}

#[derive(Clone, Debug)]
pub struct Node {
    pub kind: Kind,
    pub rights: Rights,
    pub changed: SystemTime,
}

#[derive(Debug)]
pub struct Tree {
    /// What no name leads to any more stays: somebody may have it open, or its
    /// name may come back.
    nodes: BTreeMap<Ino, Node>,
    /// A number is given once, also across a cut.
    next: Ino,
    pub deaf: Option<(OsString, Deaf)>,
}

pub type Done<T> = Result<T, Errno>;

#[expect(clippy::disallowed_methods, reason = "files have times; nothing here depends on them")]
fn now() -> SystemTime {
    SystemTime::now()
}

impl Default for Tree {
    fn default() -> Self {
        let kind = Kind::Folder(Folder { parent: ROOT, ..Folder::default() });
        // The mount is its owner's alone.
        let root = Node { kind, rights: Rights { uid: 0, gid: 0, mode: 0o777 }, changed: now() };
        Self { nodes: BTreeMap::from([(ROOT, root)]), next: ROOT + 1, deaf: None }
    }
}

impl File {
    fn touch(&mut self, range: Range<usize>) {
        self.unsynced = if self.unsynced.is_empty() {
            range
        } else {
            self.unsynced.start.min(range.start)..self.unsynced.end.max(range.end)
        };
    }

    pub fn write(&mut self, at: usize, bytes: &[u8]) {
        let (before, end) = (self.now.len(), at + bytes.len());
        if end > before {
            self.now.resize(end, 0);
        }
        self.now[at..end].copy_from_slice(bytes);
        // With the hole before it, if there is one.
        self.touch(at.min(before)..end);
    }

    pub fn resize(&mut self, to: usize) {
        let before = self.now.len();
        self.now.resize(to, 0);
        self.touch(before.min(to)..before.max(to));
    }

    fn sync(&mut self) {
        self.kept.resize(self.now.len(), 0);
        let end = self.unsynced.end.min(self.now.len());
        let range = self.unsynced.start.min(end)..end;
        self.kept[range.clone()].copy_from_slice(&self.now[range]);
        self.unsynced = 0..0;
    }
}

impl Tree {
    pub fn node(&self, ino: Ino) -> Done<&Node> {
        self.nodes.get(&ino).ok_or(Errno::ENOENT)
    }

    pub fn node_mut(&mut self, ino: Ino) -> Done<&mut Node> {
        self.nodes.get_mut(&ino).ok_or(Errno::ENOENT)
    }

    pub fn file(&self, ino: Ino) -> Done<&File> {
        if let Kind::File(file) = &self.node(ino)?.kind { Ok(file) } else { Err(Errno::EISDIR) }
    }

    /// A file that is about to change.
    pub fn changing(&mut self, ino: Ino) -> Done<&mut File> {
        let node = self.node_mut(ino)?;
        node.changed = now();
        if let Kind::File(file) = &mut node.kind { Ok(file) } else { Err(Errno::EISDIR) }
    }

    pub fn folder(&self, ino: Ino) -> Done<&Folder> {
        if let Kind::Folder(folder) = &self.node(ino)?.kind { Ok(folder) } else { Err(Errno::ENOTDIR) }
    }

    fn folder_mut(&mut self, ino: Ino) -> Done<&mut Folder> {
        if let Kind::Folder(folder) = &mut self.node_mut(ino)?.kind { Ok(folder) } else { Err(Errno::ENOTDIR) }
    }

    pub fn find(&self, parent: Ino, name: &OsStr) -> Done<Ino> {
        self.folder(parent)?.now.get(name).copied().ok_or(Errno::ENOENT)
    }

    pub fn make(&mut self, parent: Ino, name: &OsStr, rights: Rights, folder: bool) -> Done<Ino> {
        let ino = self.next;
        let kind =
            if folder { Kind::Folder(Folder { parent, ..Folder::default() }) } else { Kind::File(File::default()) };
        let names = &mut self.folder_mut(parent)?.now;
        if names.contains_key(name) {
            return Err(Errno::EEXIST);
        }
        names.insert(name.to_owned(), ino);
        self.nodes.insert(ino, Node { kind, rights, changed: now() });
        self.next += 1;
        Ok(ino)
    }

    pub fn link(&mut self, ino: Ino, parent: Ino, name: &OsStr) -> Done<()> {
        self.file(ino)?;
        let names = &mut self.folder_mut(parent)?.now;
        if names.contains_key(name) {
            return Err(Errno::EEXIST);
        }
        names.insert(name.to_owned(), ino);
        Ok(())
    }

    pub fn remove(&mut self, parent: Ino, name: &OsStr, folder: bool) -> Done<()> {
        let ino = self.find(parent, name)?;
        match (&self.node(ino)?.kind, folder) {
            (Kind::Folder(inner), true) if !inner.now.is_empty() => return Err(Errno::ENOTEMPTY),
            (Kind::Folder(_), false) => return Err(Errno::EISDIR),
            (Kind::File(_), true) => return Err(Errno::ENOTDIR),
            _ => {}
        }
        self.folder_mut(parent)?.now.remove(name);
        Ok(())
    }

    pub fn rename(&mut self, parent: Ino, name: &OsStr, to: Ino, as_name: &OsStr, replace: bool) -> Done<()> {
        let ino = self.find(parent, name)?;
        if let Ok(there) = self.find(to, as_name) {
            match &self.node(there)?.kind {
                _ if !replace => return Err(Errno::EEXIST),
                Kind::Folder(inner) if !inner.now.is_empty() => return Err(Errno::ENOTEMPTY),
                _ => {}
            }
        }
        self.folder_mut(parent)?.now.remove(name);
        self.folder_mut(to)?.now.insert(as_name.to_owned(), ino);
        if let Kind::Folder(folder) = &mut self.node_mut(ino)?.kind {
            folder.parent = to;
        }
        Ok(())
    }

    pub fn sync_file(&mut self, ino: Ino) -> Done<()> {
        if self.is_deaf(self.folder_of(ino), Deaf::Bytes) {
            return Ok(());
        }
        if let Kind::File(file) = &mut self.node_mut(ino)?.kind {
            file.sync();
        }
        Ok(())
    }

    pub fn sync_folder(&mut self, ino: Ino) -> Done<()> {
        if self.is_deaf(ino, Deaf::Names) {
            return Ok(());
        }
        let folder = self.folder_mut(ino)?;
        folder.kept.clone_from(&folder.now);
        // And the way to it.
        let (mut below, mut parent) = (ino, folder.parent);
        while below != ROOT {
            let folder = self.folder_mut(parent)?;
            let Some((name, _)) = folder.now.iter().find(|(_, there)| **there == below) else { break };
            folder.kept.insert(name.clone(), below);
            (below, parent) = (parent, folder.parent);
        }
        Ok(())
    }

    /// Whether this kind of sync is answered and not done below a folder.
    fn is_deaf(&self, folder: Ino, to: Deaf) -> bool {
        let Some((name, _)) = self.deaf.as_ref().filter(|(_, which)| *which == to) else { return false };
        let Ok(top) = self.find(ROOT, name) else { return false };
        let mut at = folder;
        while at != ROOT && at != top {
            let Ok(folder) = self.folder(at) else { return false };
            at = folder.parent;
        }
        at == top
    }

    /// The folder a file lies in; the topmost one if in none.
    fn folder_of(&self, file: Ino) -> Ino {
        if self.deaf.is_none() {
            return ROOT;
        }
        let holds =
            |node: &Node| matches!(&node.kind, Kind::Folder(folder) if folder.now.values().any(|of| *of == file));
        self.nodes.iter().find(|(_, node)| holds(node)).map_or(ROOT, |(ino, _)| *ino)
    }

    /// What is found again. All get new numbers, but for the topmost folder:
    /// what the kernel still knows of the old ones leads nowhere.
    pub fn cut(&mut self) {
        let old = std::mem::take(&mut self.nodes);
        let Some(root) = old.get(&ROOT) else { return };
        let mut open = vec![(ROOT, ROOT, root.clone())];
        while let Some((ino, parent, mut node)) = open.pop() {
            match &mut node.kind {
                Kind::File(file) => {
                    file.now.clone_from(&file.kept);
                    file.unsynced = 0..0;
                }
                Kind::Folder(folder) => {
                    for below in folder.kept.values_mut() {
                        if let Some(node) = old.get(below) {
                            open.push((self.next, ino, node.clone()));
                        }
                        *below = self.next;
                        self.next += 1;
                    }
                    folder.now.clone_from(&folder.kept);
                    folder.parent = parent;
                }
            }
            self.nodes.insert(ino, node);
        }
    }
}
