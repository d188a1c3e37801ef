//! The programs that commands can run: those in the directories of the sandbox's `PATH`.

use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use parking_lot::Mutex;

use crate::ranking::suggest::HostPrograms;

/// The directories of programs, read again when one of them was changed.
pub struct Programs {
    folders: Vec<PathBuf>,
    known: Mutex<Option<Known>>,
}

/// What was found, and when each directory was changed last.
type Known = (Vec<Option<SystemTime>>, Arc<HostPrograms>);

impl Programs {
    /// The operator's directories, then those that every sandbox has.
    #[must_use]
    pub fn new(own: &[PathBuf]) -> Self {
        let folders = own.iter().cloned().chain(mcp_sandbox::PATH.iter().map(PathBuf::from)).collect();
        Self { folders, known: Mutex::default() }
    }

    /// All of them.
    pub fn all(&self) -> Arc<HostPrograms> {
        let changed: Vec<Option<SystemTime>> = self.folders.iter().map(|folder| changed(folder)).collect();
        let mut known = self.known.lock();
        if let Some((then, programs)) = &*known
            && *then == changed
        {
            return Arc::clone(programs);
        }
        let path = std::env::join_paths(&self.folders).unwrap_or_else(|_| OsString::new());
        let programs = Arc::new(HostPrograms::on_path(&path));
        *known = Some((changed, Arc::clone(&programs)));
        programs
    }

    /// Where a program is.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<PathBuf> {
        if name.is_empty() || name.contains(['/', '\0']) {
            return None;
        }
        self.folders.iter().map(|folder| folder.join(name)).find(|path| {
            path.metadata()
                .is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
        })
    }
}

fn changed(folder: &Path) -> Option<SystemTime> {
    folder.metadata().and_then(|metadata| metadata.modified()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_is_added_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let programs = Programs::new(&[folder.path().to_owned()]);
        let new = ["a-program-of-this-test".to_owned()];
        assert!(programs.find("sh").is_some() && programs.all().has_all(&["sh".to_owned()]));
        assert!(programs.find(&new[0]).is_none() && !programs.all().has_all(&new));
        let path = folder.path().join(&new[0]);
        std::fs::write(&path, "#!/bin/sh\n").unwrap();
        assert!(programs.find(&new[0]).is_none(), "it cannot be executed");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        // The clock of the file system may not have moved on between two changes.
        std::fs::File::open(folder.path()).unwrap().set_modified(SystemTime::UNIX_EPOCH).unwrap();
        assert!(programs.all().has_all(&new));
        assert_eq!(programs.find(&new[0]), Some(path));
    }
}
