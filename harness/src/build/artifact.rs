//! What came out of building a variant, and why nothing did.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use crate::build::bundle::Bundle;
use crate::build::extension::Host;
use crate::plan::Variant;
use crate::process::RunError;

/// What came out of building a variant.
#[derive(Clone, Debug, PartialEq)]
pub struct Artifact {
    /// What was asked for.
    pub variant: Variant,
    /// The root of the workspace that it was built from.
    pub root: PathBuf,
    /// The directory that it is started in.
    pub directory: PathBuf,
    /// The executable that is started.
    pub path: PathBuf,
    /// The shared library, where the executable only starts an interpreter that loads it.
    pub library: Option<PathBuf>,
    /// How a library is started; `None` where the artifact is an executable of its own.
    pub host: Option<Host>,
    /// The SHA-256 of what was built, in hex.
    pub digest: String,
    /// Its size, in bytes.
    pub file_bytes: u64,
    /// Seconds that Cargo took when it last compiled every crate of it; `None` where some were there before.
    pub build_seconds: Option<f64>,
    /// The flags that rustc was given.
    pub flags: Vec<String>,
    /// The Cargo command.
    pub command: String,
    /// The rustc command line of the executable, as Cargo printed it.
    pub rustc_command: String,
    /// The compiler that made it, by its own words (`rustc 1.95.0 (59807616e 2026-04-14)`); empty where none is known.
    pub compiler: String,
    /// The SHA-256 of every source file of the workspace that it was built from, with their paths, in hex; empty where
    /// Cargo built nothing.
    pub sources: String,
    /// Those files.
    pub files: BTreeSet<PathBuf>,
    /// Settings of its profile that are not those of the manifest, a clause each: a Cargo config file has them.
    pub overridden: Vec<String>,
    /// Whether a linker other than lld made it, so that its layout cannot be varied.
    pub other_linker: bool,
    /// Its linker inputs; `None` where the toolchain has no lld or another linker is configured.
    pub bundle: Option<Bundle>,
}

impl Artifact {
    /// The file that holds the measured code.
    #[must_use]
    pub fn code(&self) -> &Path {
        self.library.as_ref().unwrap_or(&self.path)
    }
}

/// Why there is no artifact.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// This machine lacks something that building takes.
    #[error("{what}: {remedy}")]
    Missing {
        /// What is missing, in a clause.
        what: String,
        /// What to do about it.
        remedy: String,
    },
    /// Cargo said no.
    #[error("{error}{}", log.as_ref().map_or_else(String::new, |log| format!("\nthe whole log: {}", log.display())))]
    Compile {
        /// Its first error.
        error: String,
        /// The file that holds all that was said.
        log: Option<PathBuf>,
    },
    /// The linker said no.
    #[error("the linker failed: {error}")]
    Link {
        /// Its first line.
        error: String,
    },
    /// rustc was given other flags than the flag set's.
    #[error(
        "rustc compiled {name} with {found:?} where the flag set says {wanted:?}: a Cargo config file or a compiler wrapper changes flags"
    )]
    Flags {
        /// The crate.
        name: String,
        /// What the flag set says.
        wanted: Vec<String>,
        /// What the command line has.
        found: Vec<String>,
    },
    /// Cargo does not say how rustc was called.
    #[error("Cargo built {name} and printed no rustc command for it, so its flags are unknown")]
    NoCommand {
        /// The crate.
        name: String,
    },
    /// Cargo takes older code for this one.
    #[error(
        "Cargo takes {name} for built from these sources, and it is not: remove {}", target.display()
    )]
    Stale {
        /// The package.
        name: String,
        /// The target directory.
        target: PathBuf,
    },
    /// lld left no archive.
    #[error("no linker inputs in {}: is another linker than lld configured?", archive.display())]
    NoBundle {
        /// Where they should be.
        archive: PathBuf,
    },
    /// Files could not be read or written.
    #[error("{}: {error}", path.display())]
    Files {
        /// The file or directory.
        path: PathBuf,
        /// The system's reason.
        error: io::Error,
    },
    /// A program could not be run.
    #[error(transparent)]
    Run(RunError),
}
