//! Where commands are looked at and run: the roots, the home of the user, the policy.

use std::path::{Component, Path, PathBuf};

use crate::analysis::{self, Analysis, Context};
use crate::policy::{self, Policy};

/// The folders that commands may work in, and the rules that hold there.
#[derive(Clone, Debug)]
pub struct Workspace {
    roots: Vec<PathBuf>,
    names: Vec<String>,
    home: String,
    policy: Policy,
}

impl Workspace {
    /// A workspace over folders that exist.
    ///
    /// # Errors
    /// One sentence: a root is no folder, or its name is not UTF-8.
    pub fn new(roots: &[PathBuf], home: &Path, policy: Policy) -> Result<Self, String> {
        let mut found = Vec::new();
        for root in roots {
            let shown = root.display();
            let path =
                root.canonicalize().map_err(|error| format!("the root {shown} cannot be used: {error}"))?;
            if !path.is_dir() {
                return Err(format!("the root {shown} is no folder: name one that is"));
            }
            found.push(path);
        }
        let name = |path: &PathBuf| {
            let name = path.to_str().map(str::to_owned);
            name.ok_or_else(|| format!("the name of the root {} is not UTF-8", path.display()))
        };
        let names = found.iter().map(name).collect::<Result<_, _>>()?;
        Ok(Self { roots: found, names, home: home.to_string_lossy().into_owned(), policy })
    }

    /// The roots, absolute and without links.
    #[must_use]
    pub fn roots(&self) -> &[PathBuf] {
        &self.roots
    }

    /// The working folder that is meant: relative to the first root, or absolute below one of them. Whether it is
    /// there, and whether links lead out of its root, is for the kernel to say when a command starts in it.
    ///
    /// # Errors
    /// One sentence: it lies outside of the roots, or is no path.
    pub fn folder(&self, asked: Option<&str>) -> Result<PathBuf, String> {
        let asked = asked.unwrap_or_default();
        if asked.contains('\0') {
            return Err("cwd holds a NUL: give the path of a folder".to_owned());
        }
        let mut folder = PathBuf::new();
        for part in self.roots[0].join(asked).components() {
            match part {
                Component::ParentDir => drop(folder.pop()),
                Component::CurDir => {}
                Component::Prefix(_) | Component::RootDir | Component::Normal(_) => folder.push(part),
            }
        }
        if self.roots.iter().any(|root| folder.starts_with(root)) {
            return Ok(folder);
        }
        Err(format!(
            "cwd {asked} lies below none of the roots ({}): name a folder below one",
            self.names.join(", ")
        ))
    }

    /// What a line would do in a folder, and what the policy says about it.
    #[must_use]
    pub fn look(&self, line: &str, folder: &Path) -> Analysis {
        let context = Context::new(folder.to_string_lossy(), self.home.as_str());
        let mut analysis = analysis::inspect(line, &context);
        let verdict = policy::decide(&analysis, &self.policy, &self.names);
        analysis.decision = verdict.decision;
        for reason in verdict.reasons {
            if !analysis.reasons.contains(&reason) {
                analysis.reasons.push(reason);
            }
        }
        analysis
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::Decision;

    fn workspace(folder: &Path) -> Workspace {
        Workspace::new(&[folder.to_owned()], Path::new("/home/user"), Policy::built_in().clone()).unwrap()
    }

    #[test]
    fn folders_stay_below_the_roots() {
        let base = tempfile::tempdir().unwrap();
        let workspace = workspace(base.path());
        let root = &workspace.roots()[0];
        let absolute = root.join("x");
        for (asked, expected) in [
            (None, root.clone()),
            (Some("a/./b/../c"), root.join("a/c")),
            (absolute.to_str(), absolute.clone()),
        ] {
            assert_eq!(workspace.folder(asked).unwrap(), expected);
        }
        for asked in ["..", "a/../..", "/etc", "/", "a\0b", &format!("{}x", root.display())] {
            assert!(workspace.folder(Some(asked)).is_err(), "{asked:?}");
        }
    }

    #[test]
    fn the_policy_decides_by_the_roots_and_not_by_the_working_folder() {
        let base = tempfile::tempdir().unwrap();
        let workspace = workspace(base.path());
        let below = workspace.roots()[0].join("deep/er");
        assert_eq!(workspace.look("cat ../../notes", &below).decision, Decision::Allow);
        assert_eq!(workspace.look("cat ../../../notes", &below).decision, Decision::Prompt);
    }

    #[test]
    fn a_root_that_is_not_there_is_told() {
        let error =
            Workspace::new(&["/none".into()], Path::new("/"), Policy::built_in().clone()).unwrap_err();
        assert!(error.starts_with("the root /none cannot be used"), "{error}");
    }
}
