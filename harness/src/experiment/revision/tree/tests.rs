use std::process::Command;
use std::sync::{Arc, Mutex};

use tempfile::TempDir;

use super::*;
use crate::experiment::progress::{Progress, Silent, Stage};

/// A repository, and a place for a tree of it.
struct Scratch {
    scratch: TempDir,
}

impl Scratch {
    fn new(options: &[&str]) -> Self {
        let scratch = Self { scratch: tempfile::tempdir().unwrap() };
        fs::create_dir(scratch.path("repo")).unwrap();
        scratch.git(&[&["init", "--quiet", "--initial-branch", "main"], options].concat());
        scratch
    }

    fn path(&self, below: &str) -> PathBuf {
        self.scratch.path().canonicalize().unwrap().join(below)
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path("repo").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn git(&self, args: &[&str]) -> String {
        git_in(&self.path("repo"), args)
    }

    fn commit(&self) -> String {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--allow-empty", "-m", "x"]);
        self.git(&["rev-parse", "HEAD"])
    }

    fn checked_out(&self, commit: &str) -> anyhow::Result<()> {
        self.checked_out_by(&Watcher::silent(), commit)
    }

    fn checked_out_by(&self, watcher: &Watcher, commit: &str) -> anyhow::Result<()> {
        let (repo, common) = (self.path("repo"), self.path("repo/.git"));
        let (files, state) = (self.path("lab/tree"), self.path("lab/git"));
        Tree { common: &common, files: &files, state: &state, beside: &repo }.check_out(watcher, commit)
    }

    fn has(&self, name: &str) -> Option<String> {
        fs::read_to_string(self.path("lab/tree").join(name)).ok()
    }
}

fn git_in(folder: &Path, args: &[&str]) -> String {
    let mut command = Command::new("git");
    command.args(["-c", "protocol.file.allow=always"]).args(args).current_dir(folder);
    for (name, value) in [("NAME", "t"), ("EMAIL", "t@example.org")] {
        command.env(format!("GIT_AUTHOR_{name}"), value).env(format!("GIT_COMMITTER_{name}"), value);
    }
    let output = command.output().unwrap();
    assert!(output.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// Keeps what is noted.
#[derive(Default)]
struct Notes(Mutex<Vec<String>>);

impl Progress for Notes {
    fn begins(&self, _: &str, _: &Path, _: &crate::machine::Environment) {}
    fn stage(&self, _: &'static str, _: &str, _: u64) -> Box<dyn Stage> {
        Box::new(Silent)
    }
    fn say(&self, _: &str, _: &str) {}
    fn note(&self, text: &str) {
        self.0.lock().unwrap().push(text.to_owned());
    }
}

#[test]
fn the_files_are_those_of_the_commit_and_the_repository_knows_of_no_tree() {
    let scratch = Scratch::new(&[]);
    scratch.write(".gitignore", "*.made\n");
    scratch.write("same", "same");
    scratch.write("other", "old");
    let old = scratch.commit();
    scratch.write("other", "new");
    scratch.write("deep/new", "new");
    let new = scratch.commit();
    let ran = scratch.path("ran");
    let hook = scratch.path("repo/.git/hooks/post-checkout");
    scratch.write(".git/hooks/post-checkout", &format!("#!/bin/sh\ntouch {}\n", ran.display()));
    fs::set_permissions(&hook, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    scratch.git(&["sparse-checkout", "set", "elsewhere"]);

    scratch.checked_out(&old).unwrap();
    assert_eq!((scratch.has("other").as_deref(), scratch.has("deep/new")), (Some("old"), None));
    let written = |name: &str| fs::metadata(scratch.path("lab/tree").join(name)).unwrap().modified().unwrap();
    let before = written("same");
    // What builds and a killed lab leave.
    fs::write(scratch.path("lab/tree/left.made"), "").unwrap();
    fs::write(scratch.path("lab/tree/other"), "edited").unwrap();
    fs::write(scratch.path("lab/git/index.lock"), "").unwrap();
    scratch.checked_out(&new).unwrap();
    assert_eq!(scratch.has("deep/new").as_deref(), Some("new"), "the whole commit, not the sparse part");
    assert_eq!((scratch.has("other").as_deref(), scratch.has("left.made")), (Some("new"), None));
    assert_eq!(written("same"), before, "what does not differ is not written again");
    fs::write(scratch.path("lab/tree/other"), "edited").unwrap();
    scratch.checked_out(&new).unwrap();
    assert_eq!(scratch.has("other").as_deref(), Some("new"));

    let tree = scratch.path("lab/tree");
    assert_eq!(git_in(&tree, &["rev-parse", "HEAD"]), new, "for build scripts");
    assert_eq!(git_in(&tree, &["status", "--porcelain"]), "");
    assert_eq!(scratch.git(&["worktree", "list"]).lines().count(), 1);
    assert_eq!(scratch.git(&["status", "--porcelain"]), "");
    assert!(!ran.exists(), "no hook ran");
}

#[test]
fn every_kind_of_repository_has_a_tree() {
    // Line ends as the work tree has them, a file that says how, and a name that is an option.
    let scratch = Scratch::new(&[]);
    scratch.git(&["config", "core.autocrlf", "true"]);
    scratch.write("text", "a\nb\n");
    scratch.write("--help", "x\n");
    let commit = scratch.commit();
    scratch.checked_out(&commit).unwrap();
    assert_eq!(scratch.has("text").as_deref(), Some("a\r\nb\r\n"));
    assert!(scratch.has("--help").is_some());

    // A work tree of a bare repository.
    let scratch = Scratch::new(&[]);
    scratch.write("a", "a");
    let commit = scratch.commit();
    git_in(&scratch.path(""), &["clone", "--quiet", "--bare", "repo", "bare"]);
    git_in(&scratch.path("bare"), &["worktree", "add", "--quiet", "--detach", "../linked"]);
    let found = Repository::of(&scratch.path("linked"), &|| false).unwrap().unwrap();
    assert_eq!((&found.top, &found.common), (&scratch.path("linked"), &scratch.path("bare")));
    let (files, state) = (scratch.path("lab/tree"), scratch.path("lab/git"));
    let tree = Tree { common: &found.common, files: &files, state: &state, beside: &found.top };
    tree.check_out(&Watcher::silent(), &commit).unwrap();
    assert_eq!(scratch.has("a").as_deref(), Some("a"));
    assert_eq!(git_in(&files, &["status", "--porcelain"]), "");

    // Where git keeps branches in tables, if this git can.
    let can = Command::new("git").args(["init", "--ref-format=reftable"]).arg(scratch.path("x")).output();
    if can.is_ok_and(|output| output.status.success()) {
        let scratch = Scratch::new(&["--ref-format=reftable"]);
        scratch.write("a", "a");
        let commit = scratch.commit();
        scratch.checked_out(&commit).unwrap();
        assert_eq!(scratch.has("a").as_deref(), Some("a"));
    }
}

#[test]
fn submodules_come_from_the_work_tree_and_what_is_missing_is_named() {
    let scratch = Scratch::new(&[]);
    let part = scratch.path("part");
    fs::create_dir(&part).unwrap();
    git_in(&part, &["init", "--quiet", "--initial-branch", "main"]);
    let grow = |text: &str| {
        fs::write(part.join("file"), text).unwrap();
        git_in(&part, &["add", "--all"]);
        git_in(&part, &["commit", "--quiet", "-m", text]);
    };
    grow("first");
    scratch.git(&["submodule", "--quiet", "add", part.to_str().unwrap(), "deep/part"]);
    let first = scratch.commit();
    grow("second");
    git_in(&scratch.path("repo/deep/part"), &["pull", "--quiet"]);
    let second = scratch.commit();
    for (commit, text) in [(&second, "second"), (&first, "first")] {
        scratch.checked_out(commit).unwrap();
        assert_eq!(scratch.has("deep/part/file").as_deref(), Some(text));
    }
    assert_eq!(scratch.git(&["status", "--porcelain"]), "");

    // A commit that was never fetched.
    grow("third");
    let third = git_in(&part, &["rev-parse", "HEAD"]);
    scratch.git(&["update-index", "--cacheinfo", &format!("160000,{third},deep/part")]);
    scratch.git(&["commit", "--quiet", "-m", "third"]);
    let error = scratch.checked_out(&scratch.git(&["rev-parse", "HEAD"])).unwrap_err().to_string();
    assert!(error.contains(&format!("git -C deep/part fetch origin {third}")), "{error}");

    // A clone without its submodules builds without them, on both sides.
    git_in(&scratch.path(""), &["clone", "--quiet", "repo", "clone"]);
    fs::remove_dir_all(scratch.path("repo")).unwrap();
    fs::rename(scratch.path("clone"), scratch.path("repo")).unwrap();
    let notes = Arc::new(Notes::default());
    let watcher = Watcher::new(Arc::default(), Arc::clone(&notes) as Arc<dyn Progress>);
    scratch.checked_out_by(&watcher, &first).unwrap();
    let notes = notes.0.lock().unwrap();
    assert!(notes[0].contains("git submodule update --init deep/part"), "{notes:?}");
}

#[test]
fn a_large_file_is_fetched_before_or_asked_for() {
    let scratch = Scratch::new(&[]);
    let digest = "4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393";
    let pointer = format!("{POINTER}oid sha256:{digest}\nsize 5\n");
    // As without Git LFS: nothing turns the pointer into the file.
    for (name, value) in [("smudge", "cat"), ("clean", "cat"), ("process", ""), ("required", "false")] {
        scratch.git(&["config", &format!("filter.lfs.{name}"), value]);
    }
    scratch.write(".gitattributes", "*.bin filter=lfs\n");
    scratch.write("data.bin", &pointer);
    let commit = scratch.commit();
    scratch.checked_out(&commit).unwrap();
    assert_eq!(scratch.has("data.bin").as_deref(), Some(pointer.as_str()), "as in the work tree");
    scratch.write("data.bin", "12345");
    let error = scratch.checked_out(&commit).unwrap_err().to_string();
    assert!(
        error.contains("data.bin") && error.contains(&format!("git lfs fetch origin {commit}")),
        "{error}"
    );
    scratch.write(&format!(".git/lfs/objects/4d/7a/{digest}"), "12345");
    scratch.checked_out(&commit).unwrap();
    assert_eq!(scratch.has("data.bin").as_deref(), Some("12345"));
}

#[test]
fn files_that_a_partial_clone_cannot_fetch_are_told_in_the_words_of_git() {
    let scratch = Scratch::new(&[]);
    scratch.write("a", "old");
    let old = scratch.commit();
    scratch.write("a", "new");
    scratch.commit();
    scratch.git(&["config", "uploadpack.allowFilter", "true"]);
    let origin = format!("file://{}", scratch.path("repo").display());
    git_in(&scratch.path(""), &["clone", "--quiet", "--filter=blob:none", &origin, "partial"]);
    fs::rename(scratch.path("repo"), scratch.path("gone")).unwrap();
    fs::rename(scratch.path("partial"), scratch.path("repo")).unwrap();
    scratch.git(&["config", "remote.origin.url", "file:///there/is/none"]);
    scratch.checked_out("HEAD").unwrap_or_else(|error| panic!("what was fetched is there: {error:#}"));
    let error = scratch.checked_out(&old).unwrap_err().to_string();
    assert!(error.contains(&old[..10]) && error.contains("from promisor remote"), "{error}");
}
