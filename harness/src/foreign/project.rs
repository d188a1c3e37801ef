//! A Cargo project: its bench targets, and by which harness each of them measures.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

use crate::plan::Bench;
use crate::process::{Invocation, Limits, run};

/// What measures in a bench target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Harness {
    /// It speaks the subject protocol itself.
    Subject,
    /// criterion, or something that stands for it.
    Criterion,
    /// divan.
    Divan,
    /// gungraun or its predecessor, which count instructions.
    Counting,
    /// The test harness of a nightly toolchain.
    Libtest,
    /// None that the lab knows.
    Custom,
}

/// A bench target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The package that it is of.
    pub package: String,
    /// Its name.
    pub name: String,
    /// Features that it needs besides the package's default ones.
    pub features: Vec<String>,
    /// What measures in it.
    pub harness: Harness,
    /// Why it cannot be measured, in a clause; `None` where it can be.
    pub refused: Option<String>,
}

impl Target {
    /// The way that it is measured at first; `None` where there is none.
    #[must_use]
    pub fn way(&self) -> Option<Bench> {
        match (&self.refused, self.harness) {
            (None, Harness::Criterion | Harness::Subject) => Some(Bench::Subject),
            (None, Harness::Divan) => Some(Bench::Divan),
            _ => None,
        }
    }
}

/// Which bench targets are meant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// A manifest; `None` is the one of the current directory, or above.
    pub manifest: Option<PathBuf>,
    /// Packages by name; empty is what `cargo bench` would take.
    pub packages: Vec<String>,
    /// Bench targets by name; empty is all.
    pub benches: Vec<String>,
}

/// A Cargo project, as far as measuring needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Project {
    /// The workspace's root.
    pub root: PathBuf,
    /// The bench targets that are meant, in Cargo's order.
    pub targets: Vec<Target>,
    /// Programs of the packages that are meant.
    pub programs: Vec<String>,
    /// Whether all of the packages that are meant are procedural macros.
    pub macros_alone: bool,
}

/// Why there is no project.
#[derive(Debug, thiserror::Error)]
pub enum ProjectError {
    /// Cargo refuses it.
    #[error("Cargo cannot read the project: {0}")]
    Refused(String),
    /// No package of this name.
    #[error("no package \"{name}\" in this workspace; it has {}", known.join(", "))]
    NoPackage {
        /// The name.
        name: String,
        /// Those that there are.
        known: Vec<String>,
    },
    /// No bench target of this name.
    #[error("no bench target \"{name}\"; known: {}", if known.is_empty() { "none".to_owned() } else { known.join(", ") })]
    NoBench {
        /// The name.
        name: String,
        /// Those that there are.
        known: Vec<String>,
    },
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    workspace_root: PathBuf,
    #[serde(default)]
    workspace_default_members: Vec<String>,
}

#[derive(Deserialize)]
struct Package {
    id: String,
    name: String,
    manifest_path: PathBuf,
    targets: Vec<CargoTarget>,
}

#[derive(Deserialize)]
struct CargoTarget {
    name: String,
    kind: Vec<String>,
    src_path: PathBuf,
    #[serde(default, rename = "required-features")]
    features: Vec<String>,
}

impl CargoTarget {
    fn is(&self, kind: &str) -> bool {
        self.kind.iter().any(|found| found == kind)
    }
}

impl Project {
    /// The project that a directory or a manifest belongs to.
    ///
    /// # Errors
    /// [`ProjectError`]: Cargo refuses it, or nothing of a name that was given is there.
    pub fn find(directory: &Path, selection: &Selection) -> Result<Self, ProjectError> {
        let metadata = metadata(directory, selection.manifest.as_deref())?;
        let here = match &selection.manifest {
            Some(manifest) => directory.join(manifest),
            None => directory.join("Cargo.toml"),
        };
        let packages = chosen(&metadata, &here, &selection.packages)?;
        let mut targets: Vec<Target> = packages.iter().flat_map(|package| targets(package)).collect();
        let known: Vec<String> = targets.iter().map(|target| target.name.clone()).collect();
        if let Some(name) = selection.benches.iter().find(|name| !known.contains(name)) {
            return Err(ProjectError::NoBench { name: name.clone(), known });
        }
        targets.retain(|target| selection.benches.is_empty() || selection.benches.contains(&target.name));
        let all = || packages.iter().flat_map(|package| &package.targets);
        Ok(Self {
            targets,
            programs: all().filter(|target| target.is("bin")).map(|target| target.name.clone()).collect(),
            macros_alone: !packages.is_empty()
                && packages
                    .iter()
                    .all(|package| package.targets.iter().any(|target| target.is("proc-macro"))),
            root: metadata.workspace_root,
        })
    }
}

/// What Cargo says of the workspace, without resolving what it depends on: that would write a lock file.
fn metadata(directory: &Path, manifest: Option<&Path>) -> Result<Metadata, ProjectError> {
    let words = ["metadata", "--no-deps", "--format-version", "1", "--color", "never"].map(Path::new);
    let named = manifest.map(|manifest| [Path::new("--manifest-path"), manifest]);
    let words = words.into_iter().chain(named.into_iter().flatten());
    let invocation = Invocation::new("cargo", words.map(Path::as_os_str)).in_folder(directory);
    let limits = Limits { timeout: Duration::from_secs(120), output: 256 << 20 };
    let refused = |said: String| ProjectError::Refused(said);
    let output = run(&invocation, limits, &|| false).map_err(|error| refused(error.to_string()))?;
    if !output.success() {
        let said = output.stderr.trim().trim_start_matches("error: ");
        return Err(refused(said.to_owned()));
    }
    serde_json::from_str(&output.stdout).map_err(|error| refused(error.to_string()))
}

/// The packages that are meant: those of these names, else the one whose manifest this is, else what the workspace
/// builds where nobody says.
fn chosen<'a>(
    metadata: &'a Metadata,
    manifest: &Path,
    names: &[String],
) -> Result<Vec<&'a Package>, ProjectError> {
    let packages = &metadata.packages;
    let known = || packages.iter().map(|package| package.name.clone()).collect();
    if !names.is_empty() {
        let named = |name: &String| {
            let found = packages.iter().find(|package| &package.name == name);
            found.ok_or_else(|| ProjectError::NoPackage { name: name.clone(), known: known() })
        };
        return names.iter().map(named).collect();
    }
    let here = manifest.canonicalize().unwrap_or_else(|_| manifest.to_owned());
    let directory = here.parent().unwrap_or(Path::new(""));
    let is_root = |path: &Path| path == metadata.workspace_root.join("Cargo.toml");
    // The nearest package above: `cargo bench` in a directory of a package takes that one.
    let own = packages
        .iter()
        .filter(|package| {
            let manifest = &package.manifest_path;
            !is_root(manifest) && manifest.parent().is_some_and(|folder| directory.starts_with(folder))
        })
        .max_by_key(|package| package.manifest_path.components().count());
    if let Some(own) = own {
        return Ok(vec![own]);
    }
    let members = &metadata.workspace_default_members;
    Ok(packages.iter().filter(|package| members.is_empty() || members.contains(&package.id)).collect())
}

fn targets(package: &Package) -> Vec<Target> {
    let manifest = fs::read_to_string(&package.manifest_path).unwrap_or_default();
    let benches = package.targets.iter().filter(|target| target.is("bench"));
    benches.map(|target| examined(package, target, by_tests(&manifest, &target.name))).collect()
}

/// Whether Cargo lets the test harness start a bench target: it does where the manifest does not say `harness = false`.
fn by_tests(manifest: &str, name: &str) -> bool {
    let table: toml::Table = manifest.parse().unwrap_or_default();
    let benches = table.get("bench").and_then(toml::Value::as_array).into_iter().flatten();
    let of_name = |bench: &&toml::Value| bench.get("name").and_then(toml::Value::as_str) == Some(name);
    let said = benches.filter(of_name).find_map(|bench| bench.get("harness")?.as_bool());
    said.unwrap_or(true)
}

fn examined(package: &Package, target: &CargoTarget, by_tests: bool) -> Target {
    let text = fs::read_to_string(&target.src_path);
    let harness = text.as_deref().map_or(Harness::Custom, harness);
    let refused = match (&text, harness) {
        (Err(_), _) => {
            let file = target.src_path.strip_prefix(package.manifest_path.parent().unwrap_or(Path::new("/")));
            let file = file.unwrap_or(&target.src_path).display();
            Some(format!("its file {file} is not there: published packages often leave benches out"))
        }
        (Ok(_), Harness::Libtest) => {
            Some("#[bench] needs a nightly toolchain and its test harness".to_owned())
        }
        (Ok(_), Harness::Counting) => {
            Some("it counts instructions under Valgrind: see the verb counts".to_owned())
        }
        (Ok(_), Harness::Custom) => {
            Some("a harness that the lab does not know: its program can be compared as a command".to_owned())
        }
        (Ok(_), _) if by_tests => {
            let right = "the manifest lacks harness = false under [[bench]]";
            Some(format!("Cargo builds it as tests, so that its benchmarks never run: {right}"))
        }
        _ => None,
    };
    Target {
        package: package.name.clone(),
        name: target.name.clone(),
        features: target.features.clone(),
        harness,
        refused,
    }
}

/// By which harness a bench measures, as its text has it.
fn harness(text: &str) -> Harness {
    let holds = |words: &[&str]| words.iter().any(|word| text.contains(word));
    if holds(&["perflab_subject"]) {
        Harness::Subject
    } else if holds(&["criterion_main!", "criterion_group!", "criterion::", "use criterion"]) {
        Harness::Criterion
    } else if holds(&["divan::"]) {
        Harness::Divan
    } else if holds(&["gungraun", "iai_callgrind", "iai::"]) {
        Harness::Counting
    } else if holds(&["#[bench]", "#![feature(test)]"]) {
        Harness::Libtest
    } else {
        Harness::Custom
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(root: &Path, name: &str, text: &str) {
        let path = root.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn package(name: &str, rest: &str) -> String {
        format!("[package]\nname = \"{name}\"\nversion = \"0.0.0\"\nedition = \"2021\"\n{rest}")
    }

    fn bench(name: &str) -> String {
        format!("[[bench]]\nname = \"{name}\"\nharness = false\n")
    }

    /// A virtual workspace with an excluded package beside.
    fn workspace() -> tempfile::TempDir {
        let scratch = tempfile::tempdir().unwrap();
        let root = scratch.path();
        write(
            root,
            "Cargo.toml",
            "[workspace]\nmembers = [\"a\", \"b\"]\nexclude = [\"out\"]\nresolver = \"2\"\n",
        );
        let features = "required-features = [\"extra\"]\n[features]\nextra = []\n";
        write(root, "a/Cargo.toml", &package("a", &format!("{}{}{features}", bench("one"), bench("two"))));
        write(root, "b/Cargo.toml", &package("b", &bench("three")));
        write(root, "out/Cargo.toml", &package("out", &bench("four")));
        for name in ["a", "b", "out"] {
            write(root, &format!("{name}/src/lib.rs"), "");
        }
        write(root, "a/benches/one.rs", "use criterion::*;");
        write(root, "a/benches/two.rs", "fn main() { divan::main(); }");
        write(root, "a/benches/untold.rs", "criterion_main!(x);");
        write(root, "b/benches/three.rs", "fn main() {}");
        write(root, "out/benches/four.rs", "criterion_group!(x);");
        scratch
    }

    fn found(root: &Path, below: &str, packages: &[&str], benches: &[&str]) -> Result<Project, ProjectError> {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let selection = Selection { manifest: None, packages: owned(packages), benches: owned(benches) };
        Project::find(&root.join(below), &selection)
    }

    fn named(project: &Project) -> Vec<&str> {
        project.targets.iter().map(|target| target.name.as_str()).collect()
    }

    #[test]
    fn what_cargo_bench_would_take_is_found_from_anywhere() {
        let scratch = workspace();
        let root = scratch.path().canonicalize().unwrap();
        let of = |below: &str, packages: &[&str], benches: &[&str]| {
            let project = found(&root, below, packages, benches).unwrap();
            named(&project).into_iter().map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(of("", &[], &[]), ["one", "two", "untold", "three"]);
        assert_eq!(of("a", &[], &[]), ["one", "two", "untold"]);
        assert_eq!(of("a/src", &["b"], &[]), ["three"]);
        assert_eq!(of("out", &[], &[]), ["four"]);
        assert_eq!(of("", &[], &["two"]), ["two"]);
        let manifest = Selection { manifest: Some("out/Cargo.toml".into()), ..Selection::default() };
        let project = Project::find(&root, &manifest).unwrap();
        assert_eq!((named(&project), &project.root), (vec!["four"], &root.join("out")));
        assert!(!root.join("Cargo.lock").exists());
    }

    #[test]
    fn each_target_says_how_it_can_be_measured_or_why_not() {
        let scratch = workspace();
        let project = found(scratch.path(), "a", &[], &[]).unwrap();
        let ways: Vec<_> = project.targets.iter().map(Target::way).collect();
        assert_eq!(ways, [Some(Bench::Subject), Some(Bench::Divan), None]);
        assert_eq!(project.targets[1].features, ["extra"]);
        assert!(project.targets[2].refused.as_deref().unwrap().contains("harness = false"));
        fs::remove_file(scratch.path().join("a/benches/one.rs")).unwrap();
        let custom = found(scratch.path(), "b", &[], &[]).unwrap();
        assert!(custom.targets[0].refused.as_deref().unwrap().contains("does not know"));
    }

    #[test]
    fn names_that_are_not_there_are_answered_with_those_that_are() {
        let scratch = workspace();
        let said = |packages: &[&str], benches: &[&str]| {
            found(scratch.path(), "", packages, benches).unwrap_err().to_string()
        };
        assert_eq!(said(&["c"], &[]), "no package \"c\" in this workspace; it has a, b");
        assert_eq!(said(&["b"], &["one"]), "no bench target \"one\"; known: three");
        write(scratch.path(), "a/Cargo.toml", "[package\n");
        assert!(said(&[], &[]).starts_with("Cargo cannot read the project: "), "{}", said(&[], &[]));
    }

    #[test]
    fn harnesses_are_known_by_what_a_bench_names() {
        for (text, expected) in [
            ("use criterion::{Criterion};", Harness::Criterion),
            ("#[divan::bench] fn a() {}", Harness::Divan),
            ("#![feature(test)]\nextern crate test;", Harness::Libtest),
            ("use gungraun::main;", Harness::Counting),
            ("use perflab_subject::serve;", Harness::Subject),
            ("fn main() {}", Harness::Custom),
        ] {
            assert_eq!(harness(text), expected, "{text}");
        }
    }
}
