//! Somebody's project, built and run in a private copy: nothing is written into the project itself.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail};
use sha2::{Digest as _, Sha256};

use crate::experiment::context::{Context, Copied};
use crate::experiment::lock::Lock;
use crate::experiment::progress::Watcher;
use crate::experiment::revision::work_copy;
use crate::foreign;
use crate::plan::{Bench, hex};
use crate::process::{Invocation, Limits, run};

/// The longest that making a lock file may take: the index of a registry may have to be fetched.
const LONGEST: Duration = Duration::from_secs(600);

/// How a project is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opening {
    /// How its bench targets are measured.
    pub way: Bench,
    /// Whether the work tree is built beside a commit.
    pub for_gate: bool,
}

/// The project whose workspace has this root, in a copy that is as the project is now.
///
/// # Errors
/// There is no usable rustc, the copy cannot be made, or Cargo makes no lock file.
pub fn opened(root: &Path, opening: Opening, watcher: Watcher) -> anyhow::Result<Context> {
    let context = Context::open(root, watcher)?;
    let root = root.canonicalize().with_context(|| format!("cannot find {}", root.display()))?;
    let lab = directory(&root)?;
    let watcher = context.watcher().clone();
    // Nobody builds while the copy changes.
    let _lock = Lock::take(&lab.join("target"), &watcher)?;
    let copy = work_copy(&lab.join("work"), &root, &watcher)?;
    make_lock(&copy.root, &lab, &watcher)?;
    let mut copied = Copied {
        files: copy.files,
        root: copy.root,
        stands_for_root: copy.stands_for_root,
        packages: lab.join("target/packages"),
        lab,
        options: Vec::new(),
        replaces_criterion: opening.way == Bench::Subject,
    };
    copied.options = copied.options_of(&copied.root)?;
    Ok(context.in_copy(copied, opening.for_gate))
}

impl Copied {
    /// The options of Cargo's for a tree of the project: its lock file says what is replaced.
    ///
    /// # Errors
    /// There is no lock file, or what replaces a package cannot be written.
    pub(crate) fn options_of(&self, root: &Path) -> anyhow::Result<Vec<std::ffi::OsString>> {
        let mut options = foreign::options();
        if self.replaces_criterion {
            options.extend(foreign::replaced(root, &self.packages)?);
        }
        Ok(options)
    }
}

/// The lab's directory for a project: in the user's cache, by the project's name and place.
///
/// # Errors
/// No directory of the user is known.
pub fn directory(root: &Path) -> anyhow::Result<PathBuf> {
    let absolute = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let cache = absolute("XDG_CACHE_HOME").or_else(|| Some(absolute("HOME")?.join(".cache")));
    let cache = cache.context("nothing says where to build: set HOME or XDG_CACHE_HOME to a directory")?;
    let name = root.file_name().map_or_else(|| "root".into(), |name| name.to_string_lossy());
    let place = hex(&Sha256::digest(root.as_os_str().as_encoded_bytes())[..4]);
    Ok(cache.join("perflab").join(format!("{name}-{place}")))
}

/// A project without a lock file gets one in its copy, the same every time.
fn make_lock(root: &Path, lab: &Path, watcher: &Watcher) -> anyhow::Result<()> {
    let (lock, kept) = (root.join("Cargo.lock"), lab.join("Cargo.lock"));
    if lock.is_file() {
        return Ok(());
    }
    if kept.is_file() {
        fs::copy(&kept, &lock).with_context(|| format!("cannot write {}", lock.display()))?;
    }
    let mut said = String::new();
    // What was fetched before may do where there is no network.
    for offline in [false, true] {
        let words =
            ["generate-lockfile", "--color", "never"].into_iter().chain(offline.then_some("--offline"));
        let words: Vec<&str> = match kept.is_file() {
            // Brought up to date with the manifests, and no further.
            true => ["update", "--workspace"].into_iter().chain(words.skip(1)).collect(),
            false => words.collect(),
        };
        let invocation = Invocation::new("cargo", words).in_folder(root);
        let limits = Limits { timeout: LONGEST, output: 1 << 20 };
        let output = run(&invocation, limits, &|| watcher.stopped())?;
        if output.success() {
            fs::copy(&lock, &kept).with_context(|| format!("cannot write {}", kept.display()))?;
            return Ok(());
        }
        if said.is_empty() {
            said = output.stderr.trim().trim_start_matches("error: ").to_owned();
        }
    }
    bail!("the project has no Cargo.lock, and Cargo makes none: {said}")
}
