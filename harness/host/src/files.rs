//! Files that are replaced whole, so that a kill at any moment leaves the old one or the new one.

use std::fs::{self, Metadata, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _, chown};
use std::path::{Path, PathBuf};

/// Links that are followed to a file that is not there yet, as many as Linux follows.
const MOST_LINKS: usize = 40;

/// Replaces a file by a whole new one: written beside it, synced, renamed over it. A kill before that leaves a file
/// whose name begins with `.partial-`, which git ignores.
///
/// Links are followed, and mode and owner stay those of the file that was there (a new one can be read by everybody). What is
/// not a file on a disk (a device, a pipe, an open descriptor in `/dev/fd`) is written to as it stands.
///
/// # Errors
/// What the system refuses: a directory that cannot be made, a full disk.
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let there = match fs::metadata(path) {
        Ok(there) => Some(there),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    if there.as_ref().is_some_and(is_stream) || is_descriptor(path) {
        return OpenOptions::new().append(true).open(path)?.write_all(bytes);
    }
    let path = match &there {
        Some(_) => fs::canonicalize(path)?,
        None => pointed_at(path)?,
    };
    renamed_over(&path, bytes, there.as_ref())
}

fn is_stream(there: &Metadata) -> bool {
    let kind = there.file_type();
    kind.is_fifo() || kind.is_char_device() || kind.is_block_device() || kind.is_socket()
}

/// Whether a path names what a process has open, which a rename would not reach.
fn is_descriptor(path: &Path) -> bool {
    let names = |path: &Path| path.starts_with("/proc") || path.starts_with("/dev/fd");
    // `/dev/stdout` is a link to one.
    names(path) || fs::read_link(path).is_ok_and(|target| names(&target))
}

/// The path at the end of links that lead to nothing yet.
fn pointed_at(path: &Path) -> io::Result<PathBuf> {
    let mut path = path.to_owned();
    for _ in 0..MOST_LINKS {
        let Ok(target) = fs::read_link(&path) else { return Ok(path) };
        path = path.parent().unwrap_or(Path::new(".")).join(target);
    }
    Err(io::Error::other("too many links, one after the other"))
}

fn renamed_over(path: &Path, bytes: &[u8], there: Option<&Metadata>) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let mut partial = tempfile::Builder::new().prefix(".partial-").tempfile_in(folder)?;
    partial.write_all(bytes)?;
    partial.as_file().sync_data()?;
    if let Some(there) = there {
        let own = partial.as_file().metadata()?;
        if (own.uid(), own.gid()) != (there.uid(), there.gid()) {
            // Only root can give a file away; the new one is the caller's then.
            chown(partial.path(), Some(there.uid()), Some(there.gid())).ok();
        }
    }
    // After the owner, whose change takes bits away.
    let mode = there.map_or(0o644, |there| there.permissions().mode() & 0o7777);
    partial.as_file().set_permissions(fs::Permissions::from_mode(mode))?;
    partial.persist(path).map_err(|error| error.error)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_replaced_file_is_whole_and_leaves_nothing_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/file");
        replace(&path, b"one").unwrap();
        replace(&path, b"two").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o644);
    }

    #[test]
    fn links_stay_links_and_modes_and_owners_stay() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("real"), "old").unwrap();
        fs::set_permissions(at("real"), fs::Permissions::from_mode(0o600)).unwrap();
        // Only root can make a file of somebody else.
        let owner = if chown(at("real"), Some(65534), Some(65534)).is_ok() {
            65534
        } else {
            fs::metadata(at("real")).unwrap().uid()
        };
        symlink("real", at("link")).unwrap();
        symlink("link", at("again")).unwrap();
        replace(&at("again"), b"new").unwrap();
        assert!(at("again").is_symlink() && at("link").is_symlink());
        let real = fs::symlink_metadata(at("real")).unwrap();
        assert_eq!(
            (fs::read(at("real")).unwrap(), real.mode() & 0o7777, real.uid()),
            (b"new".to_vec(), 0o600, owner)
        );
        // A link to what is not there yet.
        symlink("sub/not-yet", at("dangling")).unwrap();
        replace(&at("dangling"), b"made").unwrap();
        assert_eq!(fs::read(at("sub/not-yet")).unwrap(), b"made");
        assert!(at("dangling").is_symlink());
        symlink("round", at("round")).unwrap();
        assert!(replace(&at("round"), b"x").is_err());
    }

    #[test]
    fn what_is_not_a_file_is_written_to_and_stays_what_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
        let reader = std::thread::spawn({
            let pipe = pipe.clone();
            move || fs::read(pipe).unwrap()
        });
        replace(&pipe, b"said").unwrap();
        assert_eq!(reader.join().unwrap(), b"said");
        assert!(fs::symlink_metadata(&pipe).unwrap().file_type().is_fifo());
        // A link to the null device: had it been renamed over, the link would be a file.
        let null = folder.path().join("null");
        symlink("/dev/null", &null).unwrap();
        replace(&null, b"nothing").unwrap();
        assert!(null.is_symlink() && fs::metadata("/dev/null").unwrap().file_type().is_char_device());
        // An open descriptor.
        let file = folder.path().join("out");
        let open = fs::File::create(&file).unwrap();
        let by_number = PathBuf::from(format!("/dev/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&open)));
        replace(&by_number, b"by number").unwrap();
        assert_eq!(fs::read(&file).unwrap(), b"by number");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3);
    }
}
