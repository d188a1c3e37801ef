//! A view of the system in which only what the command may see exists.

use std::fs;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, FileType, Mode, OFlags};
use rustix::mount::{
    MountFlags, MountPropagationFlags, MoveMountFlags, OpenTreeFlags, UnmountFlags, mount, mount_change,
    move_mount, open_tree, unmount,
};

use crate::sys::mount_attributes;
use crate::view::{DEVICES, SYSTEM};
use crate::wire::{Failure, Spec};

/// The namespaces of a run.
pub(crate) fn flags(network: bool) -> libc::c_int {
    let net = if network { 0 } else { libc::CLONE_NEWNET };
    libc::CLONE_NEWUSER | libc::CLONE_NEWNS | libc::CLONE_NEWPID | libc::CLONE_NEWIPC | net
}

/// A process namespace hands out numbers below 300 only once; beyond them this many are in use at a time.
const RESERVED_PIDS: u64 = 300;

/// A tree that is to be seen, opened before the view changes.
struct Bound {
    target: PathBuf,
    tree: OwnedFd,
    directory: bool,
}

/// Makes the caller's user and group the only ones of its new user namespace.
pub(crate) fn map_identity(user: u32, group: u32) -> Result<(), Failure> {
    let write = |file: &str, text: String| {
        fs::write(format!("/proc/self/{file}"), text).map_err(Failure::at(format!("user namespace, {file}")))
    };
    // Without this a process could leave a group that keeps it out of files.
    write("setgroups", "deny".to_owned())?;
    write("uid_map", format!("{user} {user} 1"))?;
    write("gid_map", format!("{group} {group} 1"))
}

/// Opens `path` and checks that it still is what `known` was opened as.
pub(crate) fn reopen(path: &Path, known: BorrowedFd<'_>) -> Result<OwnedFd, Failure> {
    let step = || format!("root {}", path.display());
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let opened = rustix::fs::openat(CWD, path, flags, Mode::empty()).map_err(Failure::at(step()))?;
    same(opened.as_fd(), known, step())?;
    Ok(opened)
}

/// Checks that two descriptors are of one file.
pub(crate) fn same(one: BorrowedFd<'_>, other: BorrowedFd<'_>, step: String) -> Result<(), Failure> {
    let identity = |descriptor: BorrowedFd<'_>| {
        rustix::fs::fstat(descriptor)
            .map(|status| (status.st_dev, status.st_ino))
            .map_err(Failure::at(step.clone()))
    };
    if identity(one)? == identity(other)? {
        return Ok(());
    }
    Err(Failure::Refused { step, message: "another directory has taken this path meanwhile".to_owned() })
}

/// A detached copy of the mounts at `source`, with what is forbidden on them.
fn detached(source: &Path, known: Option<BorrowedFd<'_>>, set: u64) -> Result<Option<Bound>, Failure> {
    let step = || format!("mount {}", source.display());
    let opened = match known {
        Some(known) => reopen(source, known)?,
        None => match rustix::fs::openat(CWD, source, OFlags::PATH | OFlags::CLOEXEC, Mode::empty()) {
            Ok(opened) => opened,
            Err(rustix::io::Errno::NOENT) => return Ok(None),
            Err(error) => return Err(Failure::at(step())(error)),
        },
    };
    let status = rustix::fs::fstat(&opened).map_err(Failure::at(step()))?;
    let directory = FileType::from_raw_mode(status.st_mode) == FileType::Directory;
    let flags = OpenTreeFlags::OPEN_TREE_CLONE
        | OpenTreeFlags::OPEN_TREE_CLOEXEC
        | OpenTreeFlags::AT_RECURSIVE
        | OpenTreeFlags::AT_EMPTY_PATH;
    let tree = open_tree(&opened, "", flags).map_err(Failure::at(step()))?;
    mount_attributes(&tree, set, true).map_err(Failure::at(step()))?;
    Ok(Some(Bound { target: source.to_owned(), tree, directory }))
}

const READ_ONLY: u64 = libc::MOUNT_ATTR_RDONLY | libc::MOUNT_ATTR_NOSUID | libc::MOUNT_ATTR_NODEV;
const DEVICE: u64 = libc::MOUNT_ATTR_RDONLY | libc::MOUNT_ATTR_NOSUID | libc::MOUNT_ATTR_NOEXEC;
const WRITABLE: u64 = libc::MOUNT_ATTR_NOSUID | libc::MOUNT_ATTR_NODEV;

/// What will be seen: (links, trees of the system, trees of the job).
struct Sources {
    links: Vec<(PathBuf, PathBuf)>,
    system: Vec<Bound>,
    job: Vec<Bound>,
}

fn sources(spec: &Spec, roots: &[OwnedFd]) -> Result<Sources, Failure> {
    let mut found = Sources { links: Vec::new(), system: Vec::new(), job: Vec::new() };
    for path in SYSTEM.map(Path::new).into_iter().chain([Path::new("/etc")]) {
        if let Ok(target) = fs::read_link(path) {
            found.links.push((path.to_owned(), target));
        } else {
            found.system.extend(detached(path, None, READ_ONLY)?);
        }
    }
    for device in DEVICES {
        // A device can be written on a mount that is read-only; its mode, owner and times cannot be changed there.
        found.system.extend(detached(Path::new(device), None, DEVICE)?);
    }
    if spec.profile.network()
        && let Ok(resolver) = fs::canonicalize("/etc/resolv.conf")
        && !resolver.starts_with("/etc")
    {
        found.system.extend(detached(&resolver, None, READ_ONLY)?);
    }
    let kind = if spec.profile.writes() { WRITABLE } else { READ_ONLY };
    for (path, known) in spec.roots.iter().zip(roots) {
        found.job.extend(detached(path, Some(known.as_fd()), kind)?);
    }
    for path in &spec.reads {
        found.job.extend(detached(path, None, READ_ONLY)?);
    }
    // What lies above is put in place first.
    found.job.sort_by(|one, other| one.target.cmp(&other.target));
    Ok(found)
}

/// Builds the view below a temporary file system.
struct Builder {
    base: PathBuf,
    placed: Vec<PathBuf>,
}

impl Builder {
    fn below(&self, path: &Path) -> PathBuf {
        self.base.join(path.strip_prefix("/").unwrap_or(path))
    }

    fn folder(&self, path: &Path) -> Result<PathBuf, Failure> {
        let place = self.below(path);
        // Inside a tree of the host nothing is made: it would be made on the host.
        if !self.placed.iter().any(|parent| path.starts_with(parent)) {
            fs::create_dir_all(&place).map_err(Failure::at(format!("directory {}", path.display())))?;
        }
        Ok(place)
    }

    fn place(&mut self, bound: &Bound) -> Result<(), Failure> {
        let step = || format!("mount {}", bound.target.display());
        let place = if bound.directory {
            self.folder(&bound.target)?
        } else {
            let parent = self.folder(bound.target.parent().unwrap_or(Path::new("/")))?;
            let place = parent.join(bound.target.file_name().unwrap_or_default());
            if !self.placed.iter().any(|parent| bound.target.starts_with(parent)) {
                fs::write(&place, "").map_err(Failure::at(step()))?;
            }
            place
        };
        move_mount(&bound.tree, "", CWD, &place, MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH)
            .map_err(Failure::at(step()))?;
        self.placed.push(bound.target.clone());
        Ok(())
    }

    fn tmpfs(&self, path: &str, size: u64) -> Result<(), Failure> {
        let place = self.folder(Path::new(path))?;
        mount_tmpfs(&place, size).map_err(Failure::at(format!("mount {path}")))
    }

    fn link(&self, path: &str, target: &Path) -> Result<(), Failure> {
        let place = self.below(Path::new(path));
        std::os::unix::fs::symlink(target, place).map_err(Failure::at(format!("link {path}")))
    }
}

fn mount_tmpfs(place: &Path, size: u64) -> rustix::io::Result<()> {
    let options = std::ffi::CString::new(format!("size={size},nr_inodes=65536,mode=755")).unwrap_or_default();
    mount("tmpfs", place, "tmpfs", MountFlags::NOSUID | MountFlags::NODEV, options.as_c_str())
}

fn seal(path: &str, set: u64) -> Result<(), Failure> {
    let step = || format!("seal {path}");
    let opened = rustix::fs::openat(CWD, path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty())
        .map_err(Failure::at(step()))?;
    mount_attributes(&opened, set, false).map_err(Failure::at(step()))
}

/// Puts the view in the place of the host's. The caller is the first process of new user, mount and process
/// namespaces.
pub(crate) fn enter_view(spec: &Spec, roots: &[OwnedFd], limit_processes: bool) -> Result<(), Failure> {
    mount_change("/", MountPropagationFlags::PRIVATE | MountPropagationFlags::REC)
        .map_err(Failure::at("private mounts"))?;
    let sources = sources(spec, roots)?;
    let base = ["/tmp", "/usr"].into_iter().find(|path| Path::new(path).is_dir()).unwrap_or("/proc");
    mount_tmpfs(Path::new(base), 4 << 20).map_err(Failure::at("mount /"))?;
    let mut builder = Builder { base: PathBuf::from(base), placed: Vec::new() };
    for (path, target) in &sources.links {
        if let Some(parent) = path.parent() {
            builder.folder(parent)?;
        }
        builder.link(&path.to_string_lossy(), target)?;
    }
    for folder in ["/dev", "/var", "/run"] {
        builder.folder(Path::new(folder))?;
    }
    for bound in &sources.system {
        builder.place(bound)?;
    }
    let fd = Path::new("/proc/self/fd");
    for (path, target) in [("/dev/fd", fd.to_owned()), ("/dev/stdin", fd.join("0"))] {
        builder.link(path, &target)?;
    }
    builder.link("/dev/stdout", &fd.join("1"))?;
    builder.link("/dev/stderr", &fd.join("2"))?;
    builder.link("/var/tmp", Path::new("/tmp"))?;
    builder.tmpfs("/tmp", spec.limits.scratch)?;
    builder.tmpfs("/dev/shm", spec.limits.scratch)?;
    let proc = builder.folder(Path::new("/proc"))?;
    let plain = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
    mount("proc", &proc, "proc", plain, None).map_err(Failure::at("mount /proc"))?;
    if limit_processes {
        let limit = RESERVED_PIDS + spec.limits.processes.max(1) + 2;
        fs::write(proc.join("sys/kernel/pid_max"), limit.to_string()).map_err(Failure::at("own pid_max"))?;
    }
    for bound in &sources.job {
        builder.place(bound)?;
    }
    rustix::process::chdir(base).map_err(Failure::at("chdir"))?;
    rustix::process::pivot_root(".", ".").map_err(Failure::at("pivot_root"))?;
    unmount(".", UnmountFlags::DETACH).map_err(Failure::at("leave the host's view"))?;
    rustix::process::chdir("/").map_err(Failure::at("chdir"))?;
    seal("/proc", READ_ONLY | libc::MOUNT_ATTR_NOEXEC)?;
    seal("/", READ_ONLY)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_took_the_place_of_another_is_noticed() {
        let base = tempfile::tempdir().unwrap();
        let (path, moved) = (base.path().join("root"), base.path().join("moved"));
        fs::create_dir(&path).unwrap();
        let known = rustix::fs::openat(CWD, &path, OFlags::PATH, Mode::empty()).unwrap();
        assert!(reopen(&path, known.as_fd()).is_ok());
        fs::rename(&path, &moved).unwrap();
        assert!(reopen(&path, known.as_fd()).is_err(), "nothing is there");
        fs::create_dir(&path).unwrap();
        assert!(reopen(&path, known.as_fd()).is_err(), "another directory is there");
        fs::remove_dir(&path).unwrap();
        std::os::unix::fs::symlink(&moved, &path).unwrap();
        assert!(reopen(&path, known.as_fd()).is_err(), "a link to it is there");
    }
}
