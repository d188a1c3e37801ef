//! Directories for one run's layouts and builds. What a killed lab left behind is removed by the next one.

use std::fs;
use std::io;
use std::path::Path;

use tempfile::TempDir;

/// Names the directories: `perflab-scratch-PID-…`.
const PREFIX: &str = "perflab-scratch-";

/// A new directory in `parent`, removed when it is dropped. Directories of labs that are gone are removed first.
pub(crate) fn directory(parent: &Path) -> io::Result<TempDir> {
    fs::create_dir_all(parent)?;
    for entry in fs::read_dir(parent)?.filter_map(Result::ok) {
        let name = entry.file_name();
        let owner =
            name.to_str().and_then(|name| name.strip_prefix(PREFIX)?.split('-').next()?.parse::<u32>().ok());
        if owner.is_some_and(|owner| !Path::new(&format!("/proc/{owner}")).exists()) {
            fs::remove_dir_all(entry.path())?;
        }
    }
    tempfile::Builder::new().prefix(&format!("{PREFIX}{}-", std::process::id())).tempdir_in(parent)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_dead_lab_left_is_removed_and_what_a_live_one_has_stays() {
        let parent = tempfile::tempdir().unwrap();
        // Process ids end far below this number (PID_MAX_LIMIT is 2^22).
        let dead = parent.path().join(format!("{PREFIX}99999999-x"));
        let other = parent.path().join("bundles");
        fs::create_dir_all(dead.join("deep")).unwrap();
        fs::create_dir_all(&other).unwrap();
        let mine = directory(parent.path()).unwrap();
        let again = directory(parent.path()).unwrap();
        assert!(!dead.exists() && other.exists() && mine.path().exists() && again.path().exists());
    }
}
