//! Proof that what Cargo found built was built from the files that are there now.
//!
//! Cargo goes by times, and calls a crate by its place in the workspace: of two checkouts that share a target directory,
//! or of files that came with times of their own, it takes the older code for the newer. So for every crate of a path the
//! lab keeps what was compiled, and has Cargo compile again what does not fit.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::build::BuildError;
use crate::build::kept::replace;
use crate::build::messages::Message;

/// What one crate was compiled from, and to what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Proof {
    /// The workspace.
    root: PathBuf,
    /// The flags, where they reach it.
    flags: Vec<String>,
    /// The digest of its files.
    sources: String,
    /// The digest of what came out: a library whose name has no hash is replaced by that of another flag set.
    output: String,
}

/// The proofs of a target directory, by the file that came out.
pub(crate) struct Proofs {
    file: PathBuf,
    units: BTreeMap<PathBuf, Proof>,
}

/// What was found about a build.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Checked {
    /// Packages of crates that Cargo found built, and of which nothing shows that they were built from these files.
    pub unproven: BTreeSet<String>,
    /// The files of all crates of paths.
    pub files: BTreeSet<PathBuf>,
}

/// Where the files of a crate lie.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'a> {
    /// The workspace, from which rustc's paths lead on.
    pub root: &'a Path,
    /// The target directory, whose files are made and not written.
    pub target: &'a Path,
}

impl Proofs {
    /// The proofs that lie in a target directory.
    pub(crate) fn open(target: &Path) -> Self {
        let file = target.join("proofs.json");
        let units = fs::read_to_string(&file).ok().and_then(|text| serde_json::from_str(&text).ok());
        Self { file, units: units.unwrap_or_default() }
    }

    /// Holds what Cargo found built against the files, and keeps what it built: of these crates, which `all` messages
    /// tell more of. The flags are for this target.
    ///
    /// # Errors
    /// [`BuildError::Files`] when the proofs cannot be written.
    pub(crate) fn check<'a>(
        &mut self,
        crates: impl Iterator<Item = &'a Message>,
        all: &[Message],
        place: Place<'_>,
        (triple, flags): (&str, &[String]),
    ) -> Result<Checked, BuildError> {
        let mut checked = Checked::default();
        let before = self.units.clone();
        for message in crates.filter(|message| message.is_artifact() && message.is_local()) {
            let (Some(output), Some(list)) = (message.filenames.first(), message.dep_info()) else {
                continue;
            };
            let mut files = place.files(&list);
            // What it watches makes Cargo run a build script again, and not compile it.
            if !message.is_build_script() {
                files.extend(watched_by_script(all, &message.package_id, place));
            }
            let proof = Proof {
                root: place.root.to_owned(),
                flags: if message.is_for(triple) { flags.to_vec() } else { Vec::new() },
                sources: digest(&files, place.root),
                output: fs::read(output).map(|bytes| hex(&bytes)).unwrap_or_default(),
            };
            checked.files.extend(files);
            if !message.fresh {
                self.units.insert(output.clone(), proof);
            } else if self.units.get(output) != Some(&proof) {
                checked.unproven.insert(message.package_id.clone());
            }
        }
        if self.units != before {
            let text = serde_json::to_string(&self.units).unwrap_or_default();
            replace(&self.file, text.as_bytes())
                .map_err(|error| BuildError::Files { path: self.file.clone(), error })?;
        }
        Ok(checked)
    }
}

impl Place<'_> {
    /// The files in one of rustc's lists that a person wrote.
    pub(crate) fn files(self, list: &Path) -> BTreeSet<PathBuf> {
        let text = fs::read_to_string(list).unwrap_or_default();
        let files = listed(&text).into_iter().map(|file| self.root.join(file));
        files.filter(|file| !file.starts_with(self.target)).collect()
    }
}

/// The files of the first rule of a make file as rustc writes it: a space in a name follows a backslash.
fn listed(text: &str) -> Vec<String> {
    let Some((_, files)) = text.lines().find_map(|line| line.split_once(": ")) else { return Vec::new() };
    let marked = files.replace("\\ ", "\0");
    marked.split_whitespace().map(|file| file.replace('\0', " ")).collect()
}

/// What the build script of a package watches besides its own sources.
pub(crate) fn watched_by_script(
    messages: &[Message],
    package_id: &str,
    place: Place<'_>,
) -> BTreeSet<PathBuf> {
    let mut watched = BTreeSet::new();
    let Some(directory) = directory_of(package_id) else { return watched };
    for message in
        messages.iter().filter(|message| message.is_script_run() && message.package_id == package_id)
    {
        let said =
            message.out_dir.as_ref().and_then(|out| fs::read_to_string(out.parent()?.join("output")).ok());
        for line in said.iter().flat_map(|said| said.lines()) {
            let line = line.strip_prefix("cargo::").or(line.strip_prefix("cargo:"));
            if let Some(path) = line.and_then(|line| line.strip_prefix("rerun-if-changed=")) {
                below(&directory.join(path), place.target, &mut watched);
            }
        }
    }
    watched
}

/// The directory of a package of a path: `path+file:///w/a#0.1.0`.
pub(crate) fn directory_of(package_id: &str) -> Option<PathBuf> {
    let (url, _) = package_id.strip_prefix("path+file://")?.rsplit_once('#')?;
    Some(PathBuf::from(decoded(url)))
}

/// A path out of a URL, where some characters stand as `%20`.
fn decoded(url: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = url.as_bytes();
    while let [first, after @ ..] = rest {
        let code = after
            .get(..2)
            .filter(|_| *first == b'%')
            .and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        bytes.push(code.unwrap_or(*first));
        rest = if code.is_some() { &after[2..] } else { after };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A file, or every file of a directory. Links are not followed: they may lead around in a circle.
fn below(path: &Path, target: &Path, files: &mut BTreeSet<PathBuf>) {
    if path.starts_with(target) || path.ends_with(".git") {
        return;
    }
    if !path.is_symlink() && path.is_dir() {
        for entry in fs::read_dir(path).into_iter().flatten().filter_map(Result::ok) {
            below(&entry.path(), target, files);
        }
    } else {
        files.insert(path.to_owned());
    }
}

/// The digest of files with their paths below a directory: equal trees have equal ones.
pub(crate) fn digest(files: &BTreeSet<PathBuf>, root: &Path) -> String {
    let mut whole = Sha256::new();
    for file in files {
        // A file that went away is another tree too.
        let content = fs::read(file).map(|bytes| hex(&bytes)).unwrap_or_default();
        whole.update(format!("{content} {}\n", file.strip_prefix(root).unwrap_or(file).display()));
    }
    crate::plan::hex(&whole.finalize())
}

fn hex(bytes: &[u8]) -> String {
    crate::plan::hex(&Sha256::digest(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRIPLE: &str = "x86_64-unknown-linux-gnu";

    /// A workspace with a library that was built: the messages say whether just now.
    struct Tree(tempfile::TempDir);

    impl Tree {
        fn new() -> Self {
            let tree = Self(tempfile::tempdir().unwrap());
            let deps = tree.target().join(TRIPLE).join("release/deps");
            fs::create_dir_all(&deps).unwrap();
            fs::create_dir_all(tree.0.path().join("src")).unwrap();
            fs::write(tree.0.path().join("src/lib.rs"), "1").unwrap();
            fs::write(tree.0.path().join("src/a b.rs"), "2").unwrap();
            fs::write(deps.join("libhelper-1.rlib"), "code").unwrap();
            let list =
                format!("{}/libhelper-1.rlib: src/lib.rs src/a\\ b.rs\n\nsrc/lib.rs:\n", deps.display());
            fs::write(deps.join("helper-1.d"), list).unwrap();
            tree
        }

        fn target(&self) -> PathBuf {
            self.0.path().join("target")
        }

        fn check(&self, fresh: bool, root: &Path, flags: &[&str]) -> Checked {
            let library = self.target().join(TRIPLE).join("release/deps/libhelper-1.rlib");
            let line = serde_json::json!({
                "reason": "compiler-artifact",
                "package_id": "path+file:///w/helper#0.1.0",
                "fresh": fresh,
                "filenames": [library],
            });
            let place = Place { root, target: &self.target() };
            let flags: Vec<String> = flags.iter().map(|flag| (*flag).to_owned()).collect();
            let messages = Message::all(&line.to_string());
            let mut proofs = Proofs::open(&self.target());
            proofs.check(messages.iter(), &messages, place, (TRIPLE, &flags)).unwrap()
        }
    }

    #[test]
    fn what_cargo_found_built_is_proven_by_what_was_built() {
        let tree = Tree::new();
        let root = tree.0.path();
        let unproven = |flags: &[&str]| !tree.check(true, root, flags).unproven.is_empty();
        assert!(unproven(&[]), "nobody saw it being built");
        let built = tree.check(false, root, &[]);
        assert!(built.unproven.is_empty());
        assert_eq!(built.files.len(), 2);
        assert!(!unproven(&[]));
        assert!(unproven(&["-O"]), "of another flag set");
        assert!(!tree.check(true, Path::new("/elsewhere"), &[]).unproven.is_empty(), "of another checkout");
        fs::write(root.join("src/a b.rs"), "3").unwrap();
        assert!(unproven(&[]), "edited, whatever its time says");
        fs::write(root.join("src/a b.rs"), "2").unwrap();
        assert!(!unproven(&[]));
        fs::write(tree.target().join(TRIPLE).join("release/deps/libhelper-1.rlib"), "other").unwrap();
        assert!(unproven(&[]), "replaced");
        fs::write(tree.target().join("proofs.json"), "{").unwrap();
        assert!(unproven(&[]), "torn");
    }

    #[test]
    fn equal_trees_have_equal_digests() {
        let (one, other) = (Tree::new(), Tree::new());
        let of = |tree: &Tree| digest(&tree.check(false, tree.0.path(), &[]).files, tree.0.path());
        assert_eq!(of(&one), of(&other));
        fs::write(other.0.path().join("src/lib.rs"), "x").unwrap();
        assert_ne!(of(&one), of(&other));
    }

    #[test]
    fn what_a_build_script_watches_belongs_to_its_package() {
        let folder = tempfile::tempdir().unwrap();
        let package = folder.path().join("a b");
        let out = folder.path().join("target/build/a-1/out");
        fs::create_dir_all(&out).unwrap();
        fs::create_dir_all(package.join("data/deep")).unwrap();
        fs::write(package.join("data/deep/x"), "1").unwrap();
        fs::write(out.with_file_name("output"), "cargo::rerun-if-changed=data\ncargo:rustc-cfg=x\n").unwrap();
        let id = format!("path+file://{}#0.1.0", package.display()).replace(' ', "%20");
        let line = serde_json::json!({"reason": "build-script-executed", "package_id": id, "out_dir": out});
        let messages = Message::all(&line.to_string());
        let place = Place { root: folder.path(), target: &folder.path().join("target") };
        let watched = watched_by_script(&messages, &id, place);
        assert_eq!(watched, BTreeSet::from([package.join("data/deep/x")]));
        assert!(watched_by_script(&messages, "path+file:///other#0.1.0", place).is_empty());
    }
}
