//! Gates in repositories that are not alone in the world, or that git does not hand out.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Output};

use crate::lab::{command, json, lab_in, stderr, stdout, target};
use crate::repository::{Repository, verdict};

/// Runs a gate under an environment of its own.
fn gate_under(repository: &Repository, code: i32, args: &[&str], set: &[(&str, &str)]) -> Output {
    let mut command = command(repository.0.root());
    command.args(["gate", "--suite", "s.toml", "--format", "json"]).args(args);
    command.envs(set.iter().copied());
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(code), "{}", stderr(&output));
    output
}

/// A package in a directory that stands for a registry.
fn vendored(repository: &Repository, version: &str, body: &str) {
    let folder = format!("../../vendored/versions-{version}");
    let manifest = format!("[package]\nname = \"versions\"\nversion = {version:?}\nedition = \"2024\"\n");
    repository.0.write(&format!("{folder}/Cargo.toml"), &manifest);
    repository.0.write(&format!("{folder}/src/lib.rs"), body);
    repository.0.write(&format!("{folder}/.cargo-checksum.json"), "{\"files\":{}}");
}

#[test]
fn what_lies_around_a_repository_lies_around_the_tree_of_its_commit() {
    let repository = Repository::below("deep/repo");
    let Repository(workspace) = &repository;
    // The workspace is a directory of the repository, beside a package that belongs to no workspace.
    fs::rename(workspace.root().join(".git"), workspace.root().join("../.git")).unwrap();
    // A package and a file outside, and settings above that say where crates come from.
    for (name, below) in [("beside", ".."), ("outside", "../..")] {
        let manifest = format!("[package]\nname = {name:?}\nversion = \"0.0.0\"\n");
        workspace.write(&format!("{below}/{name}/Cargo.toml"), &manifest);
        let body = "pub fn at(numbers: &[u32], at: usize) -> u32 { numbers[at] }\n";
        workspace.write(&format!("{below}/{name}/src/lib.rs"), body);
    }
    workspace.write("../../note.txt", "note");
    let source = "[source.crates-io]\nreplace-with = \"here\"\n[source.here]\ndirectory = \"vendored\"\n";
    workspace.write("../../.cargo/config.toml", source);
    vendored(&repository, "1.0.0", "pub fn at() -> usize { 0 }\n");
    let manifest = fs::read_to_string(workspace.root().join("Cargo.toml")).unwrap();
    let dependencies = "[dependencies]\noutside = { path = \"../../outside\" }\n\
                        beside = { path = \"../beside\" }\nversions = \"1\"\n";
    workspace.write("Cargo.toml", &format!("{manifest}{dependencies}"));
    repository.edit(
        "fn main() {",
        "fn main() {\n    black_box(outside::at(&[1, 2, 3], black_box(versions::at())));\n    \
         black_box(beside::at(&[1, 2], black_box(1)));\n    \
         black_box(include_str!(\"../../../note.txt\"));\n",
    );
    let commit = repository.commit("subject");
    // The work tree was built before the newest version was there.
    let mut cargo = Command::new("cargo");
    cargo.args(["generate-lockfile", "--offline"]).current_dir(workspace.root());
    assert!(cargo.output().unwrap().status.success());
    vendored(&repository, "1.0.1", "pub fn at() -> usize { 1 }\n");
    // What a lab that was killed in mid checkout left.
    let state = target().join("perflab/against/git");
    fs::create_dir_all(&state).unwrap();
    fs::write(state.join("index.lock"), "").unwrap();

    // As git's hooks set it.
    let hook = [("GIT_DIR", ".git"), ("GIT_INDEX_FILE", ".git/index"), ("GIT_PREFIX", "repo/")];
    let output = gate_under(&repository, 0, &["--against", "HEAD"], &hook);
    assert_eq!(verdict(&json(&output), "bits"), "identical", "{}", stderr(&output));
    let said = stderr(&output);
    let outside = workspace.root().join("../../outside").canonicalize().unwrap();
    assert!(
        said.contains(&format!(
            "in no commit of the repository, and as it is now on both sides: {}",
            outside.display()
        )),
        "{said}"
    );
    let note = workspace.root().join("../../note.txt").canonicalize().unwrap();
    let note = format!("outside of the repository, and as it is now on both sides: {}\n", note.display());
    assert!(said.contains(&note), "{said}");
    assert!(said.contains(&format!("{} has no Cargo.lock", &commit[..10])), "{said}");
    for line in said.lines() {
        assert_eq!(said.lines().filter(|other| *other == line).count(), 1, "said twice: {line}");
    }
    assert_eq!(repository.git(&["worktree", "list"]).lines().count(), 1);
    assert_eq!(repository.git(&["status", "--porcelain"]), "");
}

#[test]
fn files_that_no_commit_holds_are_named_by_gates_and_runs() {
    let repository = Repository::below("repo");
    let Repository(workspace) = &repository;
    for name in ["compiled", "linked", "unused"] {
        workspace.write(&format!("../{name}.txt"), name);
    }
    let beside =
        |name: &str| workspace.root().join("..").canonicalize().unwrap().join(name).display().to_string();
    symlink("../linked.txt", workspace.root().join("linked.txt")).unwrap();
    symlink("src/main.rs", workspace.root().join("within.rs")).unwrap();
    let compiled = beside("compiled.txt");
    repository.edit("fn main() {", &format!("fn main() {{\n    black_box(include_str!({compiled:?}));\n"));
    repository.commit("subject");
    let files = format!("{compiled}, {}\n", beside("linked.txt"));
    let (says, said) = repository.gate(0, &["--against", "HEAD"]);
    assert_eq!(verdict(&says, "bits"), "identical", "{said}");
    let note = format!("outside of the repository, and as it is now on both sides: {files}");
    assert!(said.contains(&note), "{said}");
    let said = stderr(&lab_in(workspace.root(), 0, &["run", "--suite", "s.toml", "--launches", "2"]));
    let note = format!("outside of the repository, and in no commit that the record names: {files}");
    assert!(said.contains(&note), "{said}");
}

#[test]
fn what_git_refuses_is_told_in_its_own_words_and_with_its_remedy() {
    let repository = Repository::new();
    let refused = |args: &[&str], set: &[(&str, &str)]| stderr(&gate_under(&repository, 2, args, set));
    // As for a repository that belongs to somebody else.
    let said = refused(&["--against", "HEAD"], &[("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")]);
    assert!(said.contains("detected dubious ownership") && said.contains("--add safe.directory "), "{said}");
    assert!(!said.contains("is not a git repository"), "{said}");

    // A measurement goes on without the commit, and says so.
    let mut run = command(repository.0.root());
    run.args(["run", "--suite", "s.toml", "--launches", "2"]).env("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1");
    let output = run.output().unwrap();
    let said = stderr(&output);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("the record names no commit: git refuses the repository of "), "{said}");
    let record = crate::lab::only_folder(&repository.0.root().join("results"));
    let mut accept = command(repository.0.root());
    accept.args(["baseline", "accept"]).arg(&record).env("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1");
    let output = accept.output().unwrap();
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(
        said.contains("it names no commit, and git gives none") && said.contains("--add safe.directory "),
        "{said}"
    );
    assert!(!said.contains("inside of a git repository"), "{said}");

    // Neither is a commit.
    for set in ["^HEAD", "HEAD..HEAD", "^HEAD^0"] {
        let said = refused(&["--against", set], &[]);
        assert!(
            said.ends_with(&format!(
                "\"{set}\" names a set of commits: name one, as a commit, branch or tag\n"
            )),
            "{said}"
        );
    }
    let said = refused(&["--against", "HEAD", "--out", "/proc/records"], &[]);
    assert!(
        said.contains("records cannot be written to /proc/records: ") && !said.contains(" build "),
        "{said}"
    );

    repository.git(&["tag", "twice"]);
    repository.commit("another");
    repository.git(&["branch", "twice"]);
    let said = refused(&["--against", "twice"], &[]);
    assert!(said.contains("\"twice\" is ambiguous") && said.contains("refs/tags/NAME"), "{said}");

    let programs = tempfile::tempdir().unwrap();
    let path = std::env::var_os("PATH").unwrap();
    for name in ["cargo", "rustc"] {
        let found = std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file());
        symlink(found.unwrap(), programs.path().join(name)).unwrap();
    }
    let said = refused(&["--against", "HEAD"], &[("PATH", programs.path().to_str().unwrap())]);
    assert!(said.contains("git cannot be run: cannot start git"), "{said}");

    // A repository that only the environment names.
    let away = repository.0.root().join("target/away");
    fs::create_dir_all(away.parent().unwrap()).unwrap();
    fs::rename(repository.0.root().join(".git"), &away).unwrap();
    assert!(refused(&["--against", "none"], &[]).contains("is not a git repository"));
    let named = [("GIT_DIR", "target/away"), ("GIT_WORK_TREE", ".")];
    assert!(refused(&["--against", "none"], &named).contains("unknown revision \"none\""));
    let said = refused(&["--against", "none"], &[("GIT_DIR", "target/none")]);
    assert!(said.contains("target/none") && said.contains("not a git repository"), "{said}");
}

#[test]
fn a_commit_from_before_there_was_a_workspace_is_no_part_of_the_one_that_lies_above_its_tree() {
    let repository = Repository::below("");
    let manifest = fs::read_to_string(repository.0.root().join("Cargo.toml")).unwrap();
    repository.0.write("Cargo.toml", &manifest.replace("[workspace]\n", ""));
    // It kept a lock file, as no later one does.
    repository.0.write("Cargo.lock", "version = 4\n\n[[package]]\nname = \"bare\"\nversion = \"0.0.0\"\n");
    repository.git(&["add", "--force", "Cargo.lock"]);
    repository.commit("a package");
    repository.git(&["rm", "--quiet", "Cargo.lock"]);
    repository.0.write("Cargo.toml", &manifest.replace("name = \"bare\"", "name = \"renamed\""));
    repository.commit("another name");
    repository.0.write("Cargo.toml", &manifest);
    // As where nobody says where to build: the tree lies below the work tree.
    let inside = [("CARGO_TARGET_DIR", "target")];
    let output = gate_under(&repository, 0, &["--against", "HEAD^"], &inside);
    assert_eq!(verdict(&json(&output), "bits"), "identical", "{}", stderr(&output));
    assert!(stderr(&output).contains("the work tree's is not in git"), "{}", stderr(&output));
    // A profile that is new.
    let added = format!("{manifest}[profile.added]\ninherits = \"release\"\n");
    repository.0.write("Cargo.toml", &added);
    let args = ["--against", "HEAD^", "--profile", "added", "--allow-unmatched=new"];
    let says = json(&gate_under(&repository, 3, &args, &inside));
    let why = says["report"]["rows"][0]["why"].as_str().unwrap().to_owned();
    assert!(why.ends_with("has no profile \"added\""), "{why}");
    repository.0.write("Cargo.toml", &manifest);
    // A package that had another name has nothing to be compared with.
    let output = gate_under(&repository, 3, &["--against", "HEAD", "--allow-unmatched=new"], &inside);
    let says = json(&output);
    let row = &says["report"]["rows"][0];
    assert_eq!(row["how"], "new", "{row:#}");
    assert!(row["why"].as_str().unwrap().ends_with("has no package \"bare\"; it has renamed"), "{row:#}");
}

#[test]
fn with_a_linker_of_the_projects_own_the_gate_says_what_it_cannot_vary_and_knows_identical_files() {
    let repository = Repository::below("");
    repository.0.flagset("plain", &["-C", "link-arg=-fuse-ld=bfd"]);
    repository.commit("another linker");
    let (says, said) = repository.gate(0, &["--against", "HEAD"]);
    assert_eq!(verdict(&says, "bits"), "identical", "{said}");
    assert_eq!(says["warnings"], serde_json::Value::Null, "nothing was measured");
    repository.slow_down();
    let (says, _) = repository.gate(1, &["--against", "HEAD"]);
    let warning = says["warnings"][0].as_str().unwrap();
    assert!(warning.starts_with("layouts of plain @ ") && warning.contains(", plain could not be varied"));
    let record = repository.0.root().join("results").join(says["name"].as_str().unwrap());
    let page = fs::read_to_string(record.join("gate.md")).unwrap();
    assert!(page.contains(&format!("- **warning** {warning}")), "{page}");
    let table = stdout(&lab_in(repository.0.root(), 1, &["gate", record.to_str().unwrap()]));
    assert!(table.contains("warning") && table.contains("could not be varied"), "{table}");
}

fn set_back(file: &Path) {
    let file = fs::File::options().write(true).open(file).unwrap();
    file.set_modified(std::time::SystemTime::UNIX_EPOCH).unwrap();
}

#[test]
fn sources_that_look_older_than_what_was_built_of_others_are_measured_all_the_same() {
    let repository = Repository::new();
    repository.gate(0, &["--against", "HEAD"]);
    // As rsync, cp -p and tar leave it, and another clone on the same target directory.
    repository.edit("(0..2000)", "(0..2001)");
    set_back(&repository.0.root().join("src/main.rs"));
    let (says, said) = repository.gate(2, &["--against", "HEAD"]);
    assert_eq!(says["report"]["rows"][0]["how"], "another_task", "{said}");
}

#[test]
fn each_side_reads_the_files_of_its_own_tree_wherever_the_lab_is_started() {
    let repository = Repository::below("");
    let Repository(workspace) = &repository;
    workspace.write("rounds.txt", "1\n");
    let read = "static ROUNDS: std::sync::LazyLock<u32> = std::sync::LazyLock::new(|| {\n    \
                std::fs::read_to_string(\"rounds.txt\").unwrap().trim().parse().unwrap()\n});\n\nfn batch(";
    repository.edit("fn batch(", read);
    let more = "{ for _ in 1..*ROUNDS { black_box(bits(black_box(numbers))); } \
                sum.wrapping_add(bits(black_box(numbers))) }";
    repository.edit("sum.wrapping_add(bits(black_box(numbers)))", more);
    repository.commit("subject");
    workspace.write("rounds.txt", "2\n");
    let gate = |code: i32, options: &[&str]| {
        let args = ["gate", "--suite", "../s.toml", "--format", "json", "--against", "HEAD"];
        lab_in(&workspace.root().join("src"), code, &[&args, options].concat())
    };
    let identical = gate(0, &[]);
    assert_eq!(verdict(&json(&identical), "bits"), "identical");
    let said = stderr(&identical).split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains("identical code was not measured, although other files differ from "), "{said}");
    assert!(said.contains(": rounds.txt; --no-identity measures it"), "{said}");
    assert!(!said.contains("outside of the repository"), "{said}");
    let says = json(&gate(1, &["--no-identity"]));
    assert_eq!(verdict(&says, "bits"), "regressed");
    let ratio = says["report"]["rows"][0]["confirmation"]["shown"]["ratio"].as_f64();
    assert!(ratio > Some(1.5), "twice as many rounds: {ratio:?}");
    // Without a change beside the sources nothing is noted.
    repository.git(&["checkout", "--quiet", "--", "rounds.txt"]);
    let source = fs::read_to_string(workspace.root().join("src/main.rs")).unwrap();
    workspace.write("src/main.rs", &format!("{source}// The end.\n"));
    assert!(!stderr(&gate(0, &[])).contains("although other files differ"));
}
