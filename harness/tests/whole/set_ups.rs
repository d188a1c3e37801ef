//! Workspaces that are set up in ways of their own: what Cargo builds is what was asked for, or it is said what is not.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::{Duration, SystemTime};

use serde_json::Value;
use tempfile::TempDir;

use crate::lab::{alone, command, json, only_folder, run_file, stderr};

const SUBJECT: &str = include_str!("bare_subject.rs");
const MANIFEST: &str = "[package]\nname = \"bare\"\nversion = \"0.0.0\"\nedition = \"2024\"\n";
const TARGET: &str = "x86_64-unknown-linux-gnu";

/// Directories of one test, and the environment that its labs start in.
struct SetUp {
    directory: TempDir,
    variables: Vec<(&'static str, PathBuf)>,
}

impl SetUp {
    fn new() -> Self {
        Self { directory: tempfile::tempdir().unwrap(), variables: Vec::new() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn script(&self, name: &str, text: &str) {
        self.write(name, &format!("#!/bin/sh\n{text}\n"));
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// A flag set of a workspace.
    fn flagset(&self, workspace: &str, name: &str, flags: &[String]) {
        let text = format!("[build]\ntarget = \"{TARGET}\"\n[target.{TARGET}]\nrustflags = {flags:?}\n");
        self.write(&format!("{workspace}/.cargo/flagsets/{name}.toml"), &text);
    }

    /// The lab in a directory, with the variables of this set-up and no target directory but theirs.
    fn lab(&self, directory: &str, code: i32, args: &[&str]) -> Output {
        let mut command = command(&self.path(directory));
        command.env_remove("CARGO_TARGET_DIR").env_remove("RUSTUP_TOOLCHAIN");
        command.envs(self.variables.iter().map(|(name, value)| (name, value))).args(args);
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{args:?}: {}", stderr(&output));
        output
    }
}

fn facts<'a>(all: &'a Value, arm: &str) -> &'a Value {
    all.as_array().unwrap().iter().find(|facts| facts["arm"] == arm).unwrap()
}

fn suite(name: &str, flagsets: &[&str]) -> String {
    format!(
        "name = {name:?}\npackage = \"bare\"\nbin = \"bare\"\nbaseline = {:?}\nflagsets = {flagsets:?}\n\
         [budget]\nquick = {{ launches = 2 }}\nfull = {{ launches = 2 }}\n",
        flagsets[0]
    )
}

/// Every directory below one that is called `target`.
fn targets(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let below = entries.filter(|path| path.is_dir() && !path.is_symlink());
    below.flat_map(|path| if path.ends_with("target") { vec![path] } else { targets(&path) }).collect()
}

/// A package that its outer workspace leaves out, below a path that a linker and a shell read otherwise, under config
/// files that change whatever they can.
fn odd() -> SetUp {
    let mut odd = SetUp::new();
    odd.write("it's \"a\\b\", c/Cargo.toml", "[workspace]\r\nmembers = []\r\nexclude = [\"bench\"]\r\n");
    let root = "it's \"a\\b\", c/bench";
    odd.write(&format!("{root}/Cargo.toml"), &MANIFEST.replace('\n', "\r\n"));
    odd.write(&format!("{root}/src/main.rs"), SUBJECT);
    odd.write(
        &format!("{root}/build.rs"),
        "fn main() { println!(\"cargo::rustc-env=MADE_IN={}\", env!(\"CARGO_MANIFEST_DIR\")); }\n",
    );
    odd.flagset(root, "plain", &["-C".to_owned(), "target-cpu=x86-64".to_owned()]);
    let linker = odd.path("linker").display().to_string();
    odd.flagset(root, "linked", &["-C".to_owned(), format!("linker={linker}")]);
    odd.write(&format!("{root}/s.toml"), &suite("s", &["plain", "linked"]));
    // Not lld: it knows no more of lld's options than others do.
    odd.script(
        "linker",
        "for word; do case $word in --reproduce=*) echo \"other: fatal: unknown option $word\" >&2; exit 1;; esac; done\n\
         exec cc \"$@\"",
    );
    // Both would compile other code.
    odd.script("wrapper", "program=$1; shift; exec \"$program\" \"$@\" -C target-cpu=x86-64-v2");
    let wrapper = odd.path("wrapper").display().to_string();
    odd.write(
        ".cargo/config.toml",
        &format!(
            "include = [\"more.toml\"]\n[build]\nrustc-workspace-wrapper = {wrapper:?}\nincremental = true\n\
             target-dir = \"built\"\n[term]\ncolor = \"always\"\nquiet = true\n"
        ),
    );
    odd.write(".cargo/more.toml", "[profile.release]\nopt-level = 1\n");
    odd.variables.push(("CARGO_TERM_COLOR", "always".into()));
    odd
}

#[test]
fn settings_of_others_are_off_or_named_wherever_the_workspace_lies() {
    let _alone = alone();
    let mut odd = odd();
    let root = "it's \"a\\b\", c/bench";
    let out = odd.path("out").display().to_string();
    let output = odd.lab(root, 0, &["run", "--suite", "s.toml", "--out", &out, "--format", "json"]);
    let says = json(&output);
    let said = stderr(&output);
    let file = run_file(&only_folder(Path::new(&out))).unwrap();
    // What a config file that another includes has in force is said, and what is off is off.
    let plain = facts(&file["facts"], "plain");
    let overridden = "opt-level is 1 where the profile in Cargo.toml says 3";
    assert_eq!(plain["overridden"], serde_json::json!([overridden]), "{plain:#}");
    assert!(said.contains("profile.release = { opt-level = 1 }) is in force in every arm"), "{said}");
    assert!(said.contains("incremental = true) is switched off here"), "{said}");
    assert!(said.contains(&format!("plain (release): {overridden}")), "{said}");
    // Where there is no terminal a line tells of each variant.
    assert!(said.lines().any(|line| line.starts_with(" build    linked (release) ")), "{said}");
    // Layouts are linked below this path, but for the linker that cannot, which the advice names.
    let layouts = |arm: usize| {
        let launches = file["launches"].as_array().unwrap().iter();
        launches.map(|launch| launch["arms"].as_array().unwrap().iter().find(|process| process["arm"] == arm).unwrap()["layout"].is_u64()).collect::<Vec<_>>()
    };
    assert_eq!((layouts(0), layouts(1)), (vec![true; 2], vec![false; 2]));
    let warnings = says["analysis"]["warnings"].as_array().unwrap();
    let other = warnings.iter().find(|warning| warning["kind"] == "other_linker").expect("a warning");
    assert_eq!(other["arms"], serde_json::json!(["linked"]));
    assert!(warnings.iter().any(|warning| warning["kind"] == "overridden"), "{warnings:?}");
    // Everything lies where Cargo puts it, and what runs on the host was compiled once for both flag sets.
    let made = targets(odd.directory.path());
    assert!(made.is_empty(), "{made:?}");
    let scripts = odd.path("built/perflab/cargo/release/build");
    let compiled = fs::read_dir(scripts)
        .unwrap()
        .filter(|script| script.as_ref().unwrap().path().join("build-script-build").is_file());
    assert_eq!(compiled.count(), 1);
    torn_artifacts_are_linked_again(&odd, root);
    // A relative directory leads on from where the lab is started; a variable outranks the file.
    odd.variables.push(("CARGO_TARGET_DIR", "here".into()));
    odd.lab(&format!("{root}/src"), 2, &["verify", "--suite", "no.toml"]);
    odd.lab(&format!("{root}/src"), 0, &["verify", "--suite", "../s.toml", "--flagsets", "linked"]);
    assert!(odd.path(&format!("{root}/src/here/perflab/bundles")).is_dir());
}

/// What a lab leaves that is killed in the middle of a build, in three states.
fn torn_artifacts_are_linked_again(odd: &SetUp, root: &str) {
    let bundle = odd.path("built/perflab/bundles/bare-bare-plain-release");
    let record = bundle.join("built.json");
    let whole = fs::read_to_string(&record).unwrap();
    let names =
        || fs::read_dir(&bundle).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir());
    let arguments = names().map(|inner| inner.join("response.txt")).find(|file| file.is_file()).unwrap();
    let tears: [&dyn Fn(); 3] =
        [&|| fs::write(&record, &whole[..10]).unwrap(), &|| fs::write(&arguments, "").unwrap(), &|| {
            fs::remove_file(&record).unwrap();
            fs::write(bundle.with_extension("tar"), "half of an archive").unwrap();
        }];
    for tear in tears {
        tear();
        let output =
            odd.lab(root, 0, &["build", "--suite", "s.toml", "--flagsets", "plain", "--format", "json"]);
        assert_eq!(facts(&json(&output), "plain")["other_linker"], Value::Null);
        assert!(fs::metadata(&arguments).unwrap().len() > 0);
        assert!(!bundle.with_extension("tar").exists());
    }
}

/// Two checkouts of one workspace that are built into one directory. The files of the second are older than what was
/// built of the first, as those are that came out of an archive.
#[test]
fn older_code_is_not_taken_for_newer() {
    let _alone = alone();
    let mut both = SetUp::new();
    for (checkout, name) in [("one", "bits"), ("other", "bytes")] {
        both.write(&format!("{checkout}/Cargo.toml"), MANIFEST);
        both.write(&format!("{checkout}/src/main.rs"), "mod subject;\nfn main() { subject::main() }\n");
        let text = SUBJECT.replace("\\\"name\\\":\\\"bits\\\"", &format!("\\\"name\\\":\\\"{name}\\\""));
        both.write(&format!("{checkout}/src/subject.rs"), &text.replace("fn main()", "pub fn main()"));
        both.flagset(checkout, "plain", &[]);
        both.write(&format!("{checkout}/s.toml"), &suite("s", &["plain"]));
        for file in ["Cargo.toml", "src/main.rs", "src/subject.rs"] {
            let file = fs::File::options().append(true).open(both.path(checkout).join(file)).unwrap();
            file.set_modified(SystemTime::now() - Duration::from_secs(86_400)).unwrap();
        }
    }
    both.variables.push(("CARGO_TARGET_DIR", both.path("target")));
    let names = |checkout: &str| {
        let says = json(&both.lab(checkout, 0, &["verify", "--suite", "s.toml", "--format", "json"]));
        says["benchmarks"][0]["name"].as_str().unwrap().to_owned()
    };
    assert_eq!((names("one"), names("other"), names("one")), ("bits".into(), "bytes".into(), "bits".into()));
    let sources = |checkout: &str| {
        let built = json(&both.lab(checkout, 0, &["build", "--suite", "s.toml", "--format", "json"]));
        facts(&built, "plain")["sources"].as_str().unwrap().to_owned()
    };
    let one = sources("one");
    assert_eq!((one.len(), one == sources("one"), one == sources("other")), (64, true, false));
    // Files of a clock that was set back since: Cargo compiles them every time, and that is all.
    let file = fs::File::options().append(true).open(both.path("other/src/subject.rs")).unwrap();
    file.set_modified(SystemTime::now() + Duration::from_secs(86_400)).unwrap();
    assert_eq!(names("other"), "bytes");
}

#[test]
fn the_first_error_of_a_build_is_told_whole_and_the_log_is_kept() {
    let _alone = alone();
    let mut broken = SetUp::new();
    broken.variables.push(("CARGO_TARGET_DIR", broken.path("target")));
    broken.write("w/Cargo.toml", &format!("[workspace]\n{MANIFEST}"));
    // The notes about a trait follow ten lines after the error begins.
    let source = "fn shown<T>(_: T)\nwhere\n    T: std::fmt::Display\n        + Clone,\n{\n}\n\nstruct Bare;\n\n\
                  fn main() {\n    shown(\n        Bare,\n    );\n    absent();\n}\n";
    broken.write("w/src/main.rs", source);
    broken.flagset("w", "plain", &[]);
    broken.write("w/s.toml", &suite("s", &["plain"]));
    let said = stderr(&broken.lab("w", 2, &["build", "--suite", "s.toml"]));
    let log = broken.path("target/perflab/logs/bare-bare-plain-release.log");
    let whole = fs::read_to_string(&log).unwrap();
    let first =
        whole.lines().skip_while(|line| !line.starts_with("error")).take_while(|line| !line.is_empty());
    let first: Vec<&str> = first.collect();
    assert!(first.len() > 8, "{whole}");
    assert!(said.contains(&format!("error: the baseline cannot be built: {}\n", first.join("\n"))), "{said}");
    assert!(said.ends_with(&format!("\nthe whole log: {}\n", log.display())), "{said}");
    assert!(
        whole.contains("absent") && !said.contains("absent"),
        "of the second error the log alone tells: {said}"
    );
}

#[test]
fn what_rustup_says_of_a_toolchain_that_is_not_there_is_told_in_its_words() {
    let set_up = SetUp::new();
    if other_toolchain(&set_up).is_none() {
        println!("skipped: no rustup chooses toolchains here");
        return;
    }
    set_up.write("w/Cargo.toml", MANIFEST);
    set_up.write("w/src/main.rs", SUBJECT);
    let absent = set_up.path("no-such-toolchain").display().to_string();
    set_up.write("w/rust-toolchain.toml", &format!("[toolchain]\npath = {absent:?}\n"));
    let said = stderr(&set_up.lab("w", 2, &["build", "--suite", "s.toml"]));
    assert!(said.contains("invalid toolchain: ") && said.contains("no-such-toolchain"), "{said}");
    assert!(!said.contains("install Rust with rustup"), "{said}");
}

#[test]
fn what_a_clone_left_out_and_where_nothing_can_be_written_is_said_before_anything_is_built() {
    let _alone = alone();
    let mut clone = SetUp::new();
    clone.variables.push(("CARGO_TARGET_DIR", crate::lab::target()));
    clone.write("w/Cargo.toml", &format!("[workspace]\nmembers = [\"part\"]\n{MANIFEST}"));
    clone.write("w/src/main.rs", SUBJECT);
    clone.flagset("w", "plain", &[]);
    clone.write("w/s.toml", &suite("s", &["plain"]));
    clone.write("w/.gitmodules", "[submodule \"part\"]\n\tpath = part\n\turl = ../part\n");
    fs::create_dir_all(clone.path("w/part")).unwrap();
    fs::create_dir_all(clone.path("w/.git")).unwrap();
    let said = stderr(&clone.lab("w", 2, &["build", "--suite", "s.toml"]));
    assert!(
        said.contains("Cargo cannot read the workspace here: ") && said.contains("part/Cargo.toml"),
        "{said}"
    );
    let remedy = "\nthe submodule part is not checked out: git submodule update --init --recursive\n";
    assert!(said.ends_with(remedy), "{said}");

    clone.write("w/part/Cargo.toml", &MANIFEST.replace("bare", "part"));
    clone.write("w/part/src/lib.rs", "");
    fs::remove_dir_all(clone.path("w/.git")).unwrap();
    // Neither root may make a directory there.
    for verb in ["run", "measure"] {
        let said = stderr(&clone.lab("w", 2, &[verb, "--suite", "s.toml", "--out", "/proc/records"]));
        let errors: Vec<&str> = said.lines().filter(|line| line.starts_with("error: ")).collect();
        assert_eq!(errors.len(), 1, "{said}");
        assert!(errors[0].starts_with("error: records cannot be written to /proc/records: "), "{said}");
        assert!(!said.contains(" build "), "{said}");
    }
}

/// A toolchain of its own, which is the one of this machine under another name: `rust-toolchain.toml` names it by its
/// path. `None` where no rustup chooses toolchains.
fn other_toolchain(set_up: &SetUp) -> Option<String> {
    let asked = |args: &[&str]| {
        let output = std::process::Command::new("rustup").args(args).output().ok()?;
        output.status.success().then(|| String::from_utf8(output.stdout).unwrap().trim().to_owned())
    };
    let (rustc, cargo) = (asked(&["which", "rustc"])?, asked(&["which", "cargo"])?);
    // The commit in brackets alone is another one.
    set_up.script(
        "toolchain/bin/rustc",
        &format!(
            "case \" $* \" in\n*' -vV '* | *' --version '* | *' -V '*) {rustc} \"$@\" | sed 's/ (.*)/ (other 2020-01-01)/' ;;\n\
             *) exec {rustc} \"$@\" ;;\nesac"
        ),
    );
    std::os::unix::fs::symlink(cargo, set_up.path("toolchain/bin/cargo")).unwrap();
    Some(set_up.path("toolchain").display().to_string())
}

/// Both sides of a gate are compiled by what their own `rust-toolchain.toml` names, and the record says by what.
#[test]
fn two_compilers_are_another_experiment_and_the_headline_says_so() {
    let mut set_up = SetUp::new();
    let Some(toolchain) = other_toolchain(&set_up) else {
        println!("skipped: no rustup chooses toolchains here");
        return;
    };
    let _alone = alone();
    let directory = set_up.path("w");
    let git = |args: &[&str]| {
        let mut git = std::process::Command::new("git");
        git.current_dir(&directory).args(["-c", "user.name=t", "-c", "user.email=t@example.org"]).args(args);
        let output = git.output().unwrap();
        assert!(output.status.success(), "git {args:?}: {}", stderr(&output));
    };
    set_up.write("w/Cargo.toml", MANIFEST);
    set_up.write("w/src/main.rs", SUBJECT);
    set_up.write("w/.gitignore", "/target\n/results\n");
    set_up.flagset("w", "plain", &[]);
    set_up.write("w/s.toml", &suite("s", &["plain"]));
    set_up.write("w/rust-toolchain.toml", &format!("[toolchain]\npath = {toolchain:?}\n"));
    git(&["init", "--quiet"]);
    git(&["add", "--all"]);
    git(&["commit", "--quiet", "-m", "with a toolchain of its own"]);
    // Started in a directory that names no toolchain of its own.
    let built = json(&set_up.lab("w/src", 0, &["build", "--suite", "../s.toml", "--format", "json"]));
    let compiler = facts(&built, "plain")["compiler"].as_str().unwrap().to_owned();
    assert!(compiler.starts_with("rustc 1.") && compiler.ends_with(" (other 2020-01-01)"), "{compiler}");
    fs::remove_file(set_up.path("w/rust-toolchain.toml")).unwrap();
    let gate = ["gate", "--suite", "s.toml", "--against", "HEAD"];
    let said = String::from_utf8(set_up.lab("w", 0, &gate).stdout).unwrap();
    let flowing = said.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(flowing.contains("DIFFERENT COMPILERS: rustc 1."), "{said}");
    assert!(flowing.contains(&format!("against {compiler}")), "{said}");
    // A variable outranks both files, and then the headline names one compiler, which is the variable's.
    set_up.variables.push(("RUSTUP_TOOLCHAIN", toolchain.clone().into()));
    let output = set_up.lab("w", 0, &gate);
    let note = format!("RUSTUP_TOOLCHAIN={toolchain} compiles both sides, though");
    assert!(stderr(&output).contains(&note), "{}", stderr(&output));
    assert!(!String::from_utf8(output.stdout).unwrap().contains("DIFFERENT"));
}
