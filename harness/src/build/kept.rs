//! What is kept beside an artifact, so that one that Cargo finds built is known as well as one that it builds.

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::build::BuildError;
use crate::build::bundle::Bundle;

/// What was known when an artifact was compiled.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Kept {
    /// Its digest.
    pub digest: String,
    /// Seconds that everything took, where everything was compiled.
    pub build_seconds: Option<f64>,
    /// How rustc was called.
    pub rustc_command: String,
    /// Which rustc that was.
    #[serde(default)]
    pub compiler: String,
    /// The digest of the files that its own crate was compiled from.
    #[serde(default)]
    pub sources: String,
    /// What was linked, in bytes; `None` where no linker inputs are kept.
    #[serde(default)]
    pub bundle: Option<u64>,
}

impl Kept {
    /// Reads what lies in a directory; `None` where that was torn, or is of another version of the lab.
    pub(crate) fn read(folder: &Path) -> Option<Self> {
        let kept: Self = serde_json::from_str(&fs::read_to_string(file(folder)).ok()?).ok()?;
        (!kept.rustc_command.is_empty()).then_some(kept)
    }

    /// Writes it whole or not at all.
    pub(crate) fn write(&self, folder: &Path) -> Result<(), BuildError> {
        let path = file(folder);
        let text = serde_json::to_string(self).unwrap_or_default();
        replace(&path, text.as_bytes()).map_err(|error| BuildError::Files { path, error })
    }

    /// Whether the linker inputs are all there, where there were some.
    pub(crate) fn is_whole(&self, folder: &Path, lld: Option<&Path>) -> bool {
        let Some(lld) = lld.filter(|_| self.bundle.is_some()) else { return true };
        Bundle::open(folder, lld).is_some_and(|bundle| bundle.size() == self.bundle)
    }
}

fn file(folder: &Path) -> PathBuf {
    folder.join("built.json")
}

/// Replaces a file in one step: a lab that is killed leaves the old one.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let partial = path.with_extension("partial");
    fs::write(&partial, bytes)?;
    fs::rename(&partial, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_torn_is_not_there() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Kept::read(folder.path()), None);
        let kept = Kept { rustc_command: "rustc".to_owned(), ..Kept::default() };
        kept.write(folder.path()).unwrap();
        assert_eq!(Kept::read(folder.path()), Some(kept.clone()));
        assert!(kept.is_whole(folder.path(), Some(Path::new("ld.lld"))), "nothing was to be there");
        let bundled = Kept { bundle: Some(7), ..kept };
        assert!(!bundled.is_whole(folder.path(), Some(Path::new("ld.lld"))));
        assert!(bundled.is_whole(folder.path(), None), "without a linker nothing is linked again");
        let text = fs::read_to_string(file(folder.path())).unwrap();
        fs::write(file(folder.path()), &text[..text.len() / 2]).unwrap();
        assert_eq!(Kept::read(folder.path()), None);
        Kept::default().write(folder.path()).unwrap();
        assert_eq!(Kept::read(folder.path()), None, "flags that nobody saw prove nothing");
    }
}
