//! The tree as the kernel asks for it. Nothing is remembered by the kernel
//! (every time to live is zero): after a cut it finds other files.

use std::{ffi::OsStr, sync::Arc, time::Duration};

use fuser::{
    BsdFileFlags, FileAttr, FileHandle, FileType, Filesystem, FopenFlags, Generation, INodeNo, LockOwner, OpenFlags,
    RenameFlags, ReplyAttr, ReplyCreate, ReplyData, ReplyDirectory, ReplyEmpty, ReplyEntry, ReplyStatfs, ReplyWrite,
    Request, TimeOrNow, WriteFlags,
};
use parking_lot::Mutex;

use crate::tree::{Done, Ino, Kind, Node, Rights, Tree};

const TTL: Duration = Duration::ZERO;
const BLOCK: u32 = 4_096;
/// Blocks the disk says to have, all free: 64 GiB.
const BLOCKS: u64 = 1 << 24;

pub struct Mounted(pub Arc<Mutex<Tree>>);

fn attributes(ino: Ino, node: &Node) -> FileAttr {
    let (kind, size) = match &node.kind {
        Kind::File(file) => (FileType::RegularFile, file.now.len() as u64),
        Kind::Folder(_) => (FileType::Directory, 0),
    };
    FileAttr {
        ino: INodeNo(ino),
        size,
        blocks: size.div_ceil(512),
        atime: node.changed,
        mtime: node.changed,
        ctime: node.changed,
        crtime: node.changed,
        kind,
        perm: (node.rights.mode & 0o7777) as u16,
        nlink: 1,
        uid: node.rights.uid,
        gid: node.rights.gid,
        rdev: 0,
        blksize: BLOCK,
        flags: 0,
    }
}

impl Mounted {
    fn attributes(&self, ino: Ino) -> Done<FileAttr> {
        self.0.lock().node(ino).map(|node| attributes(ino, node))
    }

    fn make(&self, request: &Request, parent: INodeNo, name: &OsStr, mode: u32, folder: bool) -> Done<FileAttr> {
        let rights = Rights { uid: request.uid(), gid: request.gid(), mode };
        let mut tree = self.0.lock();
        let ino = tree.make(parent.0, name, rights, folder)?;
        tree.node(ino).map(|node| attributes(ino, node))
    }
}

fn entry(reply: ReplyEntry, found: Done<FileAttr>) {
    match found {
        Ok(attributes) => reply.entry(&TTL, &attributes, Generation(0)),
        Err(error) => reply.error(error),
    }
}

fn empty(reply: ReplyEmpty, done: Done<()>) {
    match done {
        Ok(()) => reply.ok(),
        Err(error) => reply.error(error),
    }
}

impl Filesystem for Mounted {
    fn lookup(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEntry) {
        let tree = self.0.lock();
        let found = tree.find(parent.0, name).and_then(|ino| tree.node(ino).map(|node| attributes(ino, node)));
        entry(reply, found);
    }

    fn getattr(&self, _: &Request, ino: INodeNo, _: Option<FileHandle>, reply: ReplyAttr) {
        match self.attributes(ino.0) {
            Ok(attributes) => reply.attr(&TTL, &attributes),
            Err(error) => reply.error(error),
        }
    }

    fn setattr(
        &self,
        _: &Request,
        ino: INodeNo,
        mode: Option<u32>,
        uid: Option<u32>,
        gid: Option<u32>,
        size: Option<u64>,
        _atime: Option<TimeOrNow>,
        _mtime: Option<TimeOrNow>,
        _ctime: Option<std::time::SystemTime>,
        _fh: Option<FileHandle>,
        _crtime: Option<std::time::SystemTime>,
        _chgtime: Option<std::time::SystemTime>,
        _bkuptime: Option<std::time::SystemTime>,
        _flags: Option<BsdFileFlags>,
        reply: ReplyAttr,
    ) {
        let mut tree = self.0.lock();
        let changed = size.map_or(Ok(()), |size| {
            let size = usize::try_from(size).map_err(|_| fuser::Errno::EFBIG)?;
            tree.changing(ino.0).map(|file| file.resize(size))
        });
        let changed = changed.and_then(|()| tree.node_mut(ino.0)).map(|node| {
            let now = node.rights;
            node.rights =
                Rights { uid: uid.unwrap_or(now.uid), gid: gid.unwrap_or(now.gid), mode: mode.unwrap_or(now.mode) };
            attributes(ino.0, node)
        });
        match changed {
            Ok(attributes) => reply.attr(&TTL, &attributes),
            Err(error) => reply.error(error),
        }
    }

    fn mkdir(&self, request: &Request, parent: INodeNo, name: &OsStr, mode: u32, umask: u32, reply: ReplyEntry) {
        entry(reply, self.make(request, parent, name, mode & !umask, true));
    }

    fn create(
        &self,
        request: &Request,
        parent: INodeNo,
        name: &OsStr,
        mode: u32,
        umask: u32,
        _flags: i32,
        reply: ReplyCreate,
    ) {
        match self.make(request, parent, name, mode & !umask, false) {
            Ok(attributes) => {
                reply.created(&TTL, &attributes, Generation(0), FileHandle(0), FopenFlags::empty());
            }
            Err(error) => reply.error(error),
        }
    }

    fn unlink(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        empty(reply, self.0.lock().remove(parent.0, name, false));
    }

    fn rmdir(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        empty(reply, self.0.lock().remove(parent.0, name, true));
    }

    fn rename(
        &self,
        _: &Request,
        parent: INodeNo,
        name: &OsStr,
        newparent: INodeNo,
        newname: &OsStr,
        flags: RenameFlags,
        reply: ReplyEmpty,
    ) {
        if !(flags - RenameFlags::RENAME_NOREPLACE).is_empty() {
            return reply.error(fuser::Errno::EINVAL);
        }
        empty(reply, self.0.lock().rename(parent.0, name, newparent.0, newname, flags.is_empty()));
    }

    fn link(&self, _: &Request, ino: INodeNo, newparent: INodeNo, newname: &OsStr, reply: ReplyEntry) {
        let mut tree = self.0.lock();
        let linked = tree.link(ino.0, newparent.0, newname);
        entry(reply, linked.and_then(|()| tree.node(ino.0).map(|node| attributes(ino.0, node))));
    }

    fn read(
        &self,
        _: &Request,
        ino: INodeNo,
        _fh: FileHandle,
        offset: u64,
        size: u32,
        _flags: OpenFlags,
        _lock_owner: Option<LockOwner>,
        reply: ReplyData,
    ) {
        match self.0.lock().file(ino.0) {
            Ok(file) => {
                let from = usize::try_from(offset).unwrap_or(usize::MAX).min(file.now.len());
                reply.data(&file.now[from..file.now.len().min(from + size as usize)]);
            }
            Err(error) => reply.error(error),
        }
    }

    fn write(
        &self,
        _: &Request,
        ino: INodeNo,
        _fh: FileHandle,
        offset: u64,
        data: &[u8],
        _write_flags: WriteFlags,
        _flags: OpenFlags,
        _lock_owner: Option<LockOwner>,
        reply: ReplyWrite,
    ) {
        let Ok(offset) = usize::try_from(offset) else { return reply.error(fuser::Errno::EFBIG) };
        match self.0.lock().changing(ino.0).map(|file| file.write(offset, data)) {
            Ok(()) => reply.written(data.len() as u32),
            Err(error) => reply.error(error),
        }
    }

    fn fsync(&self, _: &Request, ino: INodeNo, _fh: FileHandle, _datasync: bool, reply: ReplyEmpty) {
        empty(reply, self.0.lock().sync_file(ino.0));
    }

    fn fsyncdir(&self, _: &Request, ino: INodeNo, _fh: FileHandle, _datasync: bool, reply: ReplyEmpty) {
        empty(reply, self.0.lock().sync_folder(ino.0));
    }

    fn readdir(&self, _: &Request, ino: INodeNo, _fh: FileHandle, offset: u64, mut reply: ReplyDirectory) {
        let tree = self.0.lock();
        let folder = match tree.folder(ino.0) {
            Ok(folder) => folder,
            Err(error) => return reply.error(error),
        };
        let dots = [(OsStr::new("."), ino.0), (OsStr::new(".."), folder.parent)];
        let names = folder.now.iter().map(|(name, ino)| (name.as_os_str(), *ino));
        let from = usize::try_from(offset).unwrap_or(usize::MAX);
        for (index, (name, ino)) in dots.into_iter().chain(names).enumerate().skip(from) {
            let kind = match tree.node(ino).map(|node| &node.kind) {
                Ok(Kind::File(_)) => FileType::RegularFile,
                _ => FileType::Directory,
            };
            if reply.add(INodeNo(ino), index as u64 + 1, kind, name) {
                break;
            }
        }
        reply.ok();
    }

    fn statfs(&self, _: &Request, _: INodeNo, reply: ReplyStatfs) {
        reply.statfs(BLOCKS, BLOCKS, BLOCKS, BLOCKS, BLOCKS, BLOCK, 255, BLOCK);
    }
}
