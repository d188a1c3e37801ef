//! Where commands are looked at and run: the roots, the home of the user, the policy.

use std::path::{Path, PathBuf};

use mcp_workspace::Roots;

use crate::analysis::{self, Analysis, Context};
use crate::policy::{self, Policy};

/// The directories that commands may work in, and the rules that hold there.
#[derive(Clone, Debug)]
pub struct Workspace {
    roots: Roots,
    home: String,
    policy: Policy,
}

impl Workspace {
    /// A workspace over roots.
    #[must_use]
    pub fn new(roots: Roots, home: &Path, policy: Policy) -> Self {
        Self { roots, home: home.to_string_lossy().into_owned(), policy }
    }

    /// The roots.
    #[must_use]
    pub fn roots(&self) -> &Roots {
        &self.roots
    }

    /// The working directory that is meant; see [`Roots::resolve`].
    ///
    /// # Errors
    /// One sentence: it lies outside of the roots, or is not a path.
    pub fn folder(&self, asked: Option<&str>) -> Result<PathBuf, String> {
        self.roots.resolve("cwd", asked)
    }

    /// What a line would do in a directory, and what the policy says about it; `network` says whether it is to have one.
    #[must_use]
    pub fn look(&self, line: &str, folder: &Path, network: bool) -> Analysis {
        let context = Context::new(folder.to_string_lossy(), self.home.as_str());
        let mut analysis = analysis::inspect(line, &context);
        let verdict = policy::decide(&analysis, &self.policy, self.roots.names(), network);
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
        let roots = Roots::new(&[folder.to_owned()]).unwrap();
        Workspace::new(roots, Path::new("/home/user"), Policy::built_in().clone())
    }

    #[test]
    fn the_policy_decides_by_the_roots_and_not_by_the_working_folder() {
        let base = tempfile::tempdir().unwrap();
        let workspace = workspace(base.path());
        let below = workspace.roots().paths()[0].join("deep/er");
        assert_eq!(workspace.look("cat ../../notes", &below, false).decision, Decision::Allow);
        assert_eq!(workspace.look("cat ../../../notes", &below, false).decision, Decision::Prompt);
    }
}
