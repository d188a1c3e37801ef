//! A variant's linker inputs, kept so that it can be linked again in another order without compiling.

use std::ffi::OsString;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::build::BuildError;
use crate::build::response::{Line, readable};
use crate::process::{Invocation, Limits, run};

/// What lld calls the file that holds its arguments.
const RESPONSE: &str = "response.txt";
/// The same in the lab's own writing: every word as lld reads it.
const ARGUMENTS: &str = "arguments.txt";
/// Like [`ARGUMENTS`], but with the symbols kept.
const WITH_SYMBOLS: &str = "symbols.txt";

/// Everything that one link needs: lld's own `--reproduce` archive, unpacked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bundle {
    /// The directory that holds `response.txt`.
    folder: PathBuf,
    /// The linker.
    lld: PathBuf,
}

impl Bundle {
    /// Unpacks lld's archive into `folder`, replacing what was there.
    ///
    /// # Errors
    /// [`BuildError::Files`] when the archive cannot be read or the disk is full.
    pub(crate) fn unpack(archive: &Path, folder: &Path, lld: &Path) -> Result<Self, BuildError> {
        let files = |error| BuildError::Files { path: folder.to_owned(), error };
        let partial = folder.with_extension("partial");
        for stale in [folder, &partial] {
            if stale.exists() {
                fs::remove_dir_all(stale).map_err(files)?;
            }
        }
        tar::Archive::new(File::open(archive).map_err(files)?).unpack(&partial).map_err(files)?;
        let no_bundle = || BuildError::NoBundle { archive: archive.to_owned() };
        let inner = with_response(&partial).ok_or_else(no_bundle)?;
        let response = fs::read_to_string(inner.join(RESPONSE)).map_err(files)?;
        fs::write(inner.join(ARGUMENTS), readable(&response)).map_err(files)?;
        fs::rename(&partial, folder).map_err(files)?;
        Self::open(folder, lld).ok_or_else(no_bundle)
    }

    /// The bundle that lies in `folder`, where there is one.
    pub(crate) fn open(folder: &Path, lld: &Path) -> Option<Self> {
        let folder = with_response(folder).filter(|inner| inner.join(ARGUMENTS).is_file())?;
        Some(Self { folder, lld: lld.to_owned() })
    }

    /// The bytes of everything in it that is linked; `None` where a file is not there.
    pub(crate) fn size(&self) -> Option<u64> {
        let response = fs::read_to_string(self.folder.join(RESPONSE)).ok()?;
        let lines = response.lines().map(Line::read).filter(Line::is_input);
        let inputs = lines.map(|line| fs::metadata(self.folder.join(line.value)).map(|file| file.len()).ok());
        inputs.sum::<Option<u64>>().map(|inputs| inputs + response.len() as u64)
    }

    /// Links the same sections in the order that `seed` shuffles them into.
    ///
    /// # Errors
    /// [`BuildError::Link`] with the linker's words, [`BuildError::Run`] when it does not end.
    pub fn link(&self, seed: u64, output: &Path) -> Result<(), BuildError> {
        // lld reads the seed as 32 bits, and 0 would leave the order as it is.
        let seed = (seed % 0xFFFF_FFFE) + 1;
        self.run_linker(ARGUMENTS, &[format!("--shuffle-sections=.text.*={seed}")], output)
    }

    /// Links it as Cargo did, but with the symbols kept, so that code can be assigned to functions.
    ///
    /// # Errors
    /// As [`Bundle::link`].
    pub fn link_with_symbols(&self, output: &Path) -> Result<(), BuildError> {
        let files = |error| BuildError::Files { path: self.folder.clone(), error };
        let arguments = fs::read_to_string(self.folder.join(ARGUMENTS)).map_err(files)?;
        let kept: Vec<_> = arguments.lines().filter(|line| !line.starts_with("--strip")).collect();
        fs::write(self.folder.join(WITH_SYMBOLS), kept.join("\n")).map_err(files)?;
        self.run_linker(WITH_SYMBOLS, &[], output)
    }

    fn run_linker(&self, arguments: &str, options: &[String], output: &Path) -> Result<(), BuildError> {
        let mut args: Vec<OsString> = vec![format!("@{arguments}").into()];
        args.extend(options.iter().map(OsString::from));
        args.extend(["-o".into(), output.into()]);
        let limits = Limits { timeout: Duration::from_secs(120), output: 16 << 10 };
        let invocation = Invocation::new(&self.lld, args).in_folder(&self.folder);
        let result = run(&invocation, limits, &|| false).map_err(BuildError::Run)?;
        if result.success() {
            return Ok(());
        }
        let said = result.stderr.lines().next().unwrap_or("nothing was said").to_owned();
        Err(BuildError::Link { error: said })
    }

    /// The files that are linked, with their names inside the bundle, but for the toolchain's own, which
    /// are the same in every variant.
    ///
    /// # Errors
    /// [`BuildError::Files`] when one cannot be read.
    pub fn inputs(&self) -> Result<Vec<(String, Vec<u8>)>, BuildError> {
        let files = |error| BuildError::Files { path: self.folder.clone(), error };
        let response = fs::read_to_string(self.folder.join(RESPONSE)).map_err(files)?;
        let ours = |line: &Line| {
            let path = Path::new(&line.value);
            let object = path.extension().is_some_and(|kind| kind == "o" || kind == "rlib" || kind == "a");
            object && line.is_input() && !line.value.contains("/rustlib/") && !is_system(path)
        };
        let inputs = response.lines().map(Line::read).filter(ours);
        inputs
            .map(|line| Ok((line.value.clone(), fs::read(self.folder.join(line.value)).map_err(files)?)))
            .collect()
    }
}

/// The directory within an unpacked archive that holds lld's arguments.
fn with_response(folder: &Path) -> Option<PathBuf> {
    let inner = fs::read_dir(folder).ok()?.filter_map(Result::ok).map(|entry| entry.path());
    inner.into_iter().find(|path| path.join(RESPONSE).is_file())
}

/// Start-up objects and libraries of the C toolchain.
fn is_system(path: &Path) -> bool {
    path.starts_with("usr/lib") || path.starts_with("lib") || path.starts_with("lib64")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A bundle of one object file, whose path holds everything that is special to somebody.
    fn bundle(folder: &Path) -> Bundle {
        let inner = folder.join("it's");
        fs::create_dir_all(inner.join("tmp/a b")).unwrap();
        fs::write(inner.join("tmp/a b/x.o"), "12345").unwrap();
        fs::write(inner.join(RESPONSE), "--chroot .\n\"tmp/a b/x.o\"\n-o x\n").unwrap();
        fs::write(inner.join(ARGUMENTS), "").unwrap();
        Bundle::open(folder, Path::new("ld.lld")).unwrap()
    }

    #[test]
    fn a_bundle_without_one_of_its_files_is_torn() {
        let folder = tempfile::tempdir().unwrap();
        let bundle = bundle(folder.path());
        let whole = bundle.size().unwrap();
        assert_eq!(whole, 5 + 30);
        assert_eq!(bundle.inputs().unwrap(), [("tmp/a b/x.o".to_owned(), b"12345".to_vec())]);
        fs::write(folder.path().join("it's/tmp/a b/x.o"), "1").unwrap();
        assert_ne!(bundle.size(), Some(whole));
        fs::remove_file(folder.path().join("it's/tmp/a b/x.o")).unwrap();
        assert_eq!(bundle.size(), None);
        fs::remove_file(folder.path().join("it's").join(ARGUMENTS)).unwrap();
        assert_eq!(Bundle::open(folder.path(), Path::new("ld.lld")), None);
    }
}
