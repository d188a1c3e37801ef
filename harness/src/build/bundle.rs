//! A variant's linker inputs, kept so that it can be linked again in another order without compiling.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::build::BuildError;
use crate::process::{Invocation, Limits, run};

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
        fs::rename(&partial, folder).map_err(files)?;
        Self::open(folder, lld).ok_or_else(|| BuildError::NoBundle { archive: archive.to_owned() })
    }

    /// The bundle that lies in `folder`, where there is a whole one.
    pub(crate) fn open(folder: &Path, lld: &Path) -> Option<Self> {
        let inner = fs::read_dir(folder).ok()?.filter_map(Result::ok).map(|entry| entry.path());
        let folder = inner.into_iter().find(|path| path.join("response.txt").is_file())?;
        Some(Self { folder, lld: lld.to_owned() })
    }

    /// Links the same sections in the order that `seed` shuffles them into.
    ///
    /// # Errors
    /// [`BuildError::Link`] with the linker's words, [`BuildError::Run`] when it does not end.
    pub fn link(&self, seed: u64, output: &Path) -> Result<(), BuildError> {
        // lld reads the seed as 32 bits, and 0 would leave the order as it is.
        let seed = (seed % 0xFFFF_FFFE) + 1;
        self.run_linker("response.txt", &[format!("--shuffle-sections=.text.*={seed}")], output)
    }

    /// Links it as Cargo did, but with the symbols kept, so that code can be assigned to functions.
    ///
    /// # Errors
    /// As [`Bundle::link`].
    pub fn link_with_symbols(&self, output: &Path) -> Result<(), BuildError> {
        let files = |error| BuildError::Files { path: self.folder.clone(), error };
        let response = fs::read_to_string(self.folder.join("response.txt")).map_err(files)?;
        let kept: Vec<_> = response.lines().filter(|line| !line.starts_with("--strip")).collect();
        fs::write(self.folder.join("symbols.txt"), kept.join("\n")).map_err(files)?;
        self.run_linker("symbols.txt", &[], output)
    }

    fn run_linker(&self, response: &str, options: &[String], output: &Path) -> Result<(), BuildError> {
        let mut args = vec![format!("@{response}")];
        args.extend(options.iter().cloned());
        args.extend(["-o".to_owned(), output.display().to_string()]);
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
        let response = fs::read_to_string(self.folder.join("response.txt")).map_err(files)?;
        let ours = |line: &&str| {
            let path = Path::new(line);
            let object = path.extension().is_some_and(|kind| kind == "o" || kind == "rlib" || kind == "a");
            object && !line.starts_with('-') && !line.contains("/rustlib/") && !is_system(path)
        };
        response
            .lines()
            .map(|line| line.trim().trim_matches('"'))
            .filter(ours)
            .map(|line| Ok((line.to_owned(), fs::read(self.folder.join(line)).map_err(files)?)))
            .collect()
    }
}

/// Start-up objects and libraries of the C toolchain.
fn is_system(path: &Path) -> bool {
    path.starts_with("usr/lib") || path.starts_with("lib") || path.starts_with("lib64")
}
