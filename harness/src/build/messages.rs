//! Cargo's messages: what it built or found, one JSON object a line.

use std::path::{Path, PathBuf};

use serde::Deserialize;

/// Which target of a package Cargo builds, and what is taken from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Product {
    /// The executable of a binary target.
    Executable,
    /// The executable of a bench target.
    Bench,
    /// The shared library of the library target.
    Cdylib,
}

impl Product {
    /// Its name in a sentence.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Executable => "executable",
            Self::Bench => "bench",
            Self::Cdylib => "shared library",
        }
    }

    /// What Cargo calls the target.
    fn kind(self) -> &'static str {
        if self == Self::Bench { "bench" } else { self.crate_type() }
    }

    /// rustc's name for it.
    pub(crate) fn crate_type(self) -> &'static str {
        match self {
            Self::Executable | Self::Bench => "bin",
            Self::Cdylib => "cdylib",
        }
    }
}

/// One message; those of other kinds have none of the fields.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Message {
    reason: String,
    /// The package, as Cargo names it in `--package`.
    #[serde(default)]
    pub package_id: String,
    #[serde(default)]
    executable: Option<PathBuf>,
    /// What came out.
    #[serde(default)]
    pub filenames: Vec<PathBuf>,
    /// Whether it was there before.
    #[serde(default)]
    pub fresh: bool,
    /// The profile that it was compiled with.
    #[serde(default)]
    pub profile: Option<UnitProfile>,
    #[serde(default)]
    target: Option<Target>,
    /// What a build script may write to.
    #[serde(default)]
    pub out_dir: Option<PathBuf>,
}

#[derive(Clone, Debug, Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
}

/// The part of a profile that Cargo tells of every crate, fresh or not.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct UnitProfile {
    /// `0` to `3`, `s`, `z`.
    pub opt_level: String,
    /// Whether `debug_assert!` is on.
    pub debug_assertions: bool,
    /// Whether overflow panics.
    pub overflow_checks: bool,
}

impl Message {
    /// The messages in Cargo's stdout. What else is printed there is none of its.
    pub(crate) fn all(stdout: &str) -> Vec<Self> {
        stdout.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    /// Whether it tells of a compiled crate.
    pub(crate) fn is_artifact(&self) -> bool {
        self.reason == "compiler-artifact"
    }

    /// Whether it tells of a build script that was run.
    pub(crate) fn is_script_run(&self) -> bool {
        self.reason == "build-script-executed"
    }

    /// Whether what was compiled is a build script.
    pub(crate) fn is_build_script(&self) -> bool {
        self.target.as_ref().is_some_and(|target| target.kind.iter().any(|kind| kind == "custom-build"))
    }

    /// Whether the package lies in a directory that anybody may edit.
    pub(crate) fn is_local(&self) -> bool {
        self.package_id.starts_with("path+file:")
    }

    /// Whether it is for the target, and not for what runs while building.
    pub(crate) fn is_for(&self, triple: &str) -> bool {
        let below = |path: &PathBuf| path.components().any(|part| part.as_os_str() == triple);
        self.filenames.first().is_some_and(below)
    }

    /// The package's name: `registry+…#serde@1.0.0`, `path+file:///w/serde#1.0.0`.
    pub(crate) fn package(&self) -> &str {
        let (place, fragment) = self.package_id.rsplit_once('#').unwrap_or(("", &self.package_id));
        match fragment.split_once('@') {
            Some((name, _)) => name,
            None => place.rsplit('/').next().unwrap_or(place),
        }
    }

    /// The file that was asked for, where this is the message about it.
    pub(crate) fn product(&self, product: Product, name: &str) -> Option<PathBuf> {
        let target = self.target.as_ref().filter(|target| target.name == name)?;
        if !target.kind.iter().any(|kind| kind == product.kind()) {
            return None;
        }
        let is_shared = |path: &&PathBuf| path.extension().is_some_and(|kind| kind == "so");
        match product {
            Product::Executable | Product::Bench => self.executable.clone(),
            Product::Cdylib => self.filenames.iter().find(is_shared).cloned(),
        }
    }

    /// rustc's list of the files that the crate was compiled from.
    pub(crate) fn dep_info(&self) -> Option<PathBuf> {
        self.filenames.iter().find_map(|file| dep_info_of(file))
    }
}

/// The list beside a library (`libNAME-HASH.rlib`), or in the directory of a build script.
fn dep_info_of(file: &Path) -> Option<PathBuf> {
    let stem = file.file_stem()?.to_str()?;
    let beside = file.with_file_name(format!("{}.d", stem.strip_prefix("lib").unwrap_or(stem)));
    if beside.is_file() {
        return Some(beside);
    }
    let script = stem == "build-script-build" || stem.starts_with("build-script-");
    let mut entries = std::fs::read_dir(file.parent().filter(|_| script)?).ok()?.filter_map(Result::ok);
    entries
        .find_map(|entry| Some(entry.path()).filter(|path| path.extension().is_some_and(|kind| kind == "d")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(json: &str) -> Message {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn packages_of_both_spellings_have_their_names() {
        let named = |id: &str| message(&format!("{{\"reason\":\"x\",\"package_id\":\"{id}\"}}"));
        let registry = named("registry+https://github.com/rust-lang/crates.io-index#serde@1.0.2");
        assert_eq!((registry.package(), registry.is_local()), ("serde", false));
        let path = named("path+file:///w/bare#0.1.0");
        assert_eq!((path.package(), path.is_local()), ("bare", true));
        assert_eq!(named("path+file:///w/dir#bare@0.1.0").package(), "bare");
    }

    #[test]
    fn a_library_of_the_binarys_name_is_not_taken_for_it() {
        let of = |kind: &str| {
            message(&format!(
                "{{\"reason\":\"compiler-artifact\",\"target\":{{\"name\":\"a\",\"kind\":[\"{kind}\"]}},\
                 \"executable\":\"/t/a\",\"filenames\":[\"/t/x86_64-unknown-linux-gnu/release/a\"]}}"
            ))
        };
        assert_eq!(of("bin").product(Product::Executable, "a"), Some("/t/a".into()));
        assert_eq!(of("bin").product(Product::Executable, "b"), None);
        assert_eq!(of("lib").product(Product::Executable, "a"), None);
        assert!(of("bin").is_for("x86_64-unknown-linux-gnu") && !of("bin").is_for("x86_64"));
    }

    #[test]
    fn other_lines_are_no_messages() {
        let all = Message::all("hello\n{\"reason\":\"build-finished\",\"success\":true}\n{}\n");
        assert_eq!(all.len(), 1);
        assert!(!all[0].is_artifact() && !all[0].is_script_run());
    }
}
