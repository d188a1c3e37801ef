//! The commit of the work tree, and which files differ from it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::experiment::context::Context;
use crate::experiment::revision::git::{Git, Repository};
use crate::record::Commit;

/// Directories below the root that the lab writes to itself: what is new there is no change of anybody.
const WRITTEN: [&str; 2] = ["results", "baselines"];

/// Changed files that a commit keeps the names of: enough to find them, few enough to read.
const NAMED: usize = 3;

/// The commit of the work tree, and the files in it that differ from that; `None` outside of a repository. New files in
/// the lab's own directories and in `out`, where the record goes, do not count. What git refuses is noted: a measurement
/// does not depend on it.
pub(crate) fn head(context: &Context, out: &Path) -> Option<Commit> {
    let (root, stop) = (&context.root, || context.stopped());
    let repository = match Repository::of(root, &stop) {
        Ok(repository) => repository?,
        Err(error) => {
            // Without git, only a repository has a commit to miss.
            if root.ancestors().any(|above| above.join(".git").exists()) && !context.stopped() {
                context.progress().note(&format!("the record names no commit: {error:#}"));
            }
            return None;
        }
    };
    let git = repository.git(root, &stop).ok()?;
    let hash = git.asked(&["rev-parse", "--verify", "--quiet", "HEAD^{commit}"]).ok()??;
    let changed = changed(&git, &written(root, out)).ok()??;
    let files = changed.iter().take(NAMED).cloned().collect();
    Some(Commit { hash, changed: changed.len(), files })
}

/// The directories that the lab writes to, relative to `root`.
fn written(root: &Path, out: &Path) -> Vec<PathBuf> {
    let whole = |path: &Path| path.canonicalize().or_else(|_| std::path::absolute(path));
    let below = whole(out).ok().zip(whole(root).ok());
    let out = below.and_then(|(out, root)| Some(out.strip_prefix(root).ok()?.to_owned()));
    // The root itself holds everything.
    let out = out.filter(|out| !out.as_os_str().is_empty());
    WRITTEN.iter().map(PathBuf::from).chain(out).collect()
}

/// The files that differ from the commit, and those that no commit holds, except in `written`. A directory in which
/// everything is new counts once, and ends with `/`. `None` where git fails.
fn changed(git: &Git<'_>, written: &[PathBuf]) -> anyhow::Result<Option<BTreeSet<String>>> {
    let listed = |args: &[&str]| -> anyhow::Result<Option<Vec<String>>> {
        let text = git.asked(args)?;
        let names =
            |text: String| text.split('\0').filter(|name| !name.is_empty()).map(str::to_owned).collect();
        Ok(text.map(names))
    };
    let differ = listed(&["diff", "--name-only", "--relative", "-z", "HEAD", "--", "."])?;
    let new =
        listed(&["ls-files", "--others", "--exclude-standard", "--directory", "--no-empty-directory", "-z"])?;
    let (Some(differ), Some(new)) = (differ, new) else { return Ok(None) };
    let mut changed = BTreeSet::from_iter(differ);
    for name in new {
        if written.iter().any(|own| Path::new(&name).starts_with(own)) {
            continue;
        }
        // A new directory may hold one of the lab's, and nothing else.
        let own = written.iter().filter(|own| own.starts_with(&name));
        let excluded: Vec<String> = own.map(|own| format!(":(exclude,literal){}", own.display())).collect();
        let inside = format!(":(literal){name}");
        let mut args = vec!["ls-files", "--others", "--exclude-standard", "-z", "--", &inside];
        args.extend(excluded.iter().map(String::as_str));
        if excluded.is_empty() || listed(&args)?.is_none_or(|files| !files.is_empty()) {
            changed.insert(name);
        }
    }
    Ok(Some(changed))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn what_the_lab_writes_is_no_change_and_what_a_person_changes_is_one_wherever_it_lies() {
        let scratch = tempfile::tempdir().unwrap();
        let root = scratch.path().canonicalize().unwrap();
        let write = |name: &str| {
            let path = root.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, name).unwrap();
        };
        let git = Git::within(&root, &|| false)
            .with("GIT_AUTHOR_NAME", "t")
            .with("GIT_AUTHOR_EMAIL", "t@example.org")
            .with("GIT_COMMITTER_NAME", "t")
            .with("GIT_COMMITTER_EMAIL", "t@example.org");
        ["a", "results/shown/report.md"].iter().for_each(|name| write(name));
        for args in [["init", "--quiet"].as_slice(), &["add", "--all"], &["commit", "--quiet", "-m", "a"]] {
            assert!(git.run(args).unwrap().success(), "{args:?}");
        }
        let changed = |out: &str| -> Vec<String> {
            changed(&git, &written(&root, &root.join(out))).unwrap().unwrap().into_iter().collect()
        };
        ["results/r/run.json", "baselines/references/m/s.toml", "mine/out [1]/r/run.json"]
            .iter()
            .for_each(|name| write(name));
        assert_eq!(changed("mine/out [1]"), [""; 0]);
        assert_eq!(changed("results"), ["mine/"], "not the lab's");
        assert_eq!(changed("."), ["mine/"], "all would be the lab's");
        ["mine/note", "results.txt"].iter().for_each(|name| write(name));
        fs::write(root.join("a"), "other").unwrap();
        fs::write(root.join("results/shown/report.md"), "edited").unwrap();
        assert_eq!(changed("mine/out [1]"), ["a", "mine/", "results.txt", "results/shown/report.md"]);
    }
}
