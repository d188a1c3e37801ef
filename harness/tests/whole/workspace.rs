//! A Cargo workspace made for one test: a subject without dependencies that speaks the protocol by hand,
//! and flag sets of its own.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::lab::{Alone, alone};

const MANIFEST: &str = "[workspace]\n[package]\nname = \"bare\"\nversion = \"0.0.0\"\nedition = \"2024\"\n";

/// A workspace that is removed at the end of its test. No other test builds or measures while there is one.
pub struct Workspace {
    root: PathBuf,
    _scratch: TempDir,
    _alone: Alone,
}

impl Workspace {
    /// The subject, and the flag set `plain`.
    pub fn new() -> Self {
        Self::below("")
    }

    /// The same in a directory of that name, with room beside it.
    pub fn below(below: &str) -> Self {
        let alone = alone();
        let scratch = tempfile::tempdir().unwrap();
        let workspace = Self { root: scratch.path().join(below), _scratch: scratch, _alone: alone };
        workspace.write("Cargo.toml", MANIFEST);
        workspace.write("src/main.rs", include_str!("bare_subject.rs"));
        workspace.flagset("plain", &["-C", "target-cpu=x86-64"]);
        workspace
    }

    /// Its directory.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Writes a file of it.
    pub fn write(&self, name: &str, text: &str) {
        let path = self.root().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Adds a flag set.
    pub fn flagset(&self, name: &str, flags: &[&str]) {
        let target = "x86_64-unknown-linux-gnu";
        let text = format!("[build]\ntarget = \"{target}\"\n[target.{target}]\nrustflags = {flags:?}\n");
        self.write(&format!(".cargo/flagsets/{name}.toml"), &text);
    }

    /// Adds a suite of three launches over these flag sets, the first of which is the baseline.
    pub fn suite(&self, name: &str, flagsets: &[&str]) {
        let baseline = flagsets[0];
        let text = format!(
            "name = {name:?}\npackage = \"bare\"\nbin = \"bare\"\nbaseline = {baseline:?}\nflagsets = {flagsets:?}\n\
             [budget]\nquick = {{ launches = 3 }}\nfull = {{ launches = 4 }}\n"
        );
        self.write(&format!("{name}.toml"), &text);
    }
}

/// A feature that this CPU lacks, that rustc accepts, and for which it has instructions of its own in
/// ordinary arithmetic.
pub fn lacking_feature() -> Option<&'static str> {
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap();
    let flags: Vec<&str> =
        cpu.lines().find(|line| line.starts_with("flags")).unwrap().split_whitespace().collect();
    ["tbm", "avx512f", "bmi2"].into_iter().find(|feature| !flags.contains(feature))
}
