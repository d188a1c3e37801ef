//! Files that are replaced whole, so that a kill at any moment leaves the old one or the new one.

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

/// Replaces a file by a whole new one: written beside it, synced, renamed over it. A kill before that leaves a file
/// whose name begins with `.partial-`, which git ignores.
///
/// # Errors
/// What the system refuses: a directory that cannot be made, a full disk.
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let mut partial = tempfile::Builder::new().prefix(".partial-").tempfile_in(folder)?;
    partial.write_all(bytes)?;
    partial.as_file().sync_data()?;
    let readable = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    partial.as_file().set_permissions(readable)?;
    partial.persist(path).map_err(|error| error.error)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replaced_file_is_whole_and_leaves_nothing_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/file");
        replace(&path, b"one").unwrap();
        replace(&path, b"two").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }
}
