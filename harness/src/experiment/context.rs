//! The workspace that experiments are made in: its flag sets and suites, this machine, and the one who waits.
//!
//! A [`Context`] reads. What builds or measures takes a `Locked` one, which is the only way to its [`Builder`]: no
//! experiment can disturb another that works in the same target directory.

use std::ffi::OsString;
use std::io::ErrorKind;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::{Once, OnceLock};

use anyhow::Context as _;

use crate::build::{Artifact, Builder, Foreign, PythonHome, Workspace, foreign_settings};
use crate::experiment::lock::Lock;
use crate::experiment::progress::{Progress, Stage, Watcher};
use crate::experiment::scratch;
use crate::experiment::surroundings::{environment_to_measure, target_directory, within, workspace};
use crate::machine::{Environment, Interpreter, bundled_lld, probe_python, rustc_sysroot, toolchain};
use crate::measure::ArmProgram;
use crate::plan::{Defaults, FlagSet, FlagSets, Plan, Suite, Variant, parse_suite};
use crate::process::RunError;

/// The subject that calls libraries from Python.
const FFI_SUBJECT: &str = include_str!("../../ffi/ffi_subject.py");

/// The suite of a workspace whose manifest names none.
pub const SUITE: &str = "perflab.toml";

/// The lab's own directory in a target directory.
const LAB_DIRECTORY: &str = "perflab";

/// A workspace, this machine, and the one who waits.
pub struct Context {
    /// The Cargo workspace.
    pub root: PathBuf,
    /// What its manifest says of options that are left out.
    pub defaults: Defaults,
    /// Its flag sets.
    pub flagsets: FlagSets,
    /// This machine.
    pub environment: Environment,
    /// Settings outside the flag sets that would change code.
    pub foreign: Vec<Foreign>,
    /// Where records go if nobody says.
    pub results: PathBuf,
    /// The private copy that the workspace is built in, where nothing may be written into it.
    pub(crate) copied: Option<Copied>,
    builder: Builder,
    watcher: Watcher,
    /// Whether [`Self::foreign`] was reported.
    foreign_noted: Once,
    /// What the interpreter of an `ffi` suite said, once it was asked.
    python: OnceLock<Result<Interpreter, String>>,
}

/// A private copy of a project, which is built and run in its place.
#[derive(Clone, Debug)]
pub struct Copied {
    /// The copy of everything that the workspace's repository holds; the workspace's own where it is in none.
    pub files: PathBuf,
    /// The workspace's root in it.
    pub root: PathBuf,
    /// What stands for `/` above it.
    pub stands_for_root: PathBuf,
    /// The lab's directory for this project, outside of it.
    pub lab: PathBuf,
    /// Where the lab's own form of criterion lies, in a directory for each version.
    pub packages: PathBuf,
    /// Options of Cargo's for every call that builds.
    pub options: Vec<OsString>,
    /// Whether the project's criterion is replaced by the lab's own form of it.
    pub replaces_criterion: bool,
}

impl Context {
    /// The same with a copy of the workspace in its place: nothing is written into the workspace itself. Both sides of a
    /// gate are copies, whose places have to stand for one.
    #[must_use]
    pub fn in_copy(mut self, copied: Copied, for_gate: bool) -> Self {
        self.results = copied.lab.join("results");
        self.builder.root.clone_from(&copied.root);
        self.builder.target = copied.lab.join("target");
        self.builder.options.clone_from(&copied.options);
        self.builder.stands_for_root = for_gate.then(|| copied.stands_for_root.clone());
        self.copied = Some(copied);
        self
    }

    /// Seconds that a variant took when everything of it was compiled; `None` where that is not known.
    #[must_use]
    pub fn seconds_to_build(&self, variant: &Variant) -> Option<f64> {
        self.builder.seconds_of(variant)
    }

    /// How many packages the lock file has; `None` where there is none.
    #[must_use]
    pub fn locked_packages(&self) -> Option<usize> {
        let text = std::fs::read_to_string(self.built_in().join("Cargo.lock")).ok()?;
        Some(text.lines().filter(|line| line.trim() == "[[package]]").count())
    }

    /// The directory that the workspace is built in: its own, or a copy.
    #[must_use]
    pub fn built_in(&self) -> &Path {
        &self.builder.root
    }

    /// Looks around from a directory: the workspace, the machine, the environment.
    ///
    /// # Errors
    /// There is no workspace, no usable rustc, or a manifest or flag set that cannot be read.
    pub fn open(directory: &Path, watcher: Watcher) -> anyhow::Result<Self> {
        let Workspace { root, target } = workspace(directory)?;
        let sysroot = rustc_sysroot(&root).map_err(|error| match &error {
            RunError::NotStarted { error: cause, .. } if cause.kind() == ErrorKind::NotFound => {
                anyhow::Error::new(error).context("rustc cannot be run: install Rust with rustup")
            }
            _ => error.into(),
        })?;
        let mut environment = environment_to_measure()?;
        if directory != root {
            // A directory within may name another toolchain, and the workspace is built in its root.
            environment.toolchain = toolchain(&root)?;
        }
        let lab = std::env::current_exe().context("cannot find the lab's own executable")?;
        Ok(Self {
            defaults: defaults(&root)?,
            flagsets: flagsets(&root)?,
            foreign: foreign_here(&root),
            builder: Builder {
                target: target.join(LAB_DIRECTORY),
                root: root.clone(),
                lld: bundled_lld(&sysroot),
                supervisor: Some(lab),
                python: None,
                stands_for_root: None,
                options: Vec::new(),
            },
            results: root.join("results"),
            copied: None,
            root,
            environment,
            watcher,
            foreign_noted: Once::new(),
            python: OnceLock::new(),
        })
    }

    /// Whether the one who waits asked to stop.
    #[must_use]
    pub fn stopped(&self) -> bool {
        self.watcher.stopped()
    }

    /// Where the experiment reports how far it has come.
    #[must_use]
    pub fn progress(&self) -> &dyn Progress {
        self.watcher.progress()
    }

    /// Who waits.
    #[must_use]
    pub fn watcher(&self) -> &Watcher {
        &self.watcher
    }

    pub(crate) fn quiet(&self, name: &'static str) -> impl Stage + use<> {
        self.watcher.quiet(name)
    }

    /// The directory that the lab builds in.
    #[must_use]
    pub fn target(&self) -> &Path {
        &self.builder.target
    }

    /// Reads a suite; without a file, the workspace's default one.
    ///
    /// # Errors
    /// None is named, it cannot be read, or has a fault, which is named with its line.
    pub fn suite(&self, file: Option<&Path>) -> anyhow::Result<Suite> {
        let default = self.default_suite();
        let file = file.or(default.as_deref()).context(
            "no suite is named: name one with --suite FILE, or as suite under [workspace.metadata.perflab] in Cargo.toml",
        )?;
        let text = std::fs::read_to_string(file).with_context(|| {
            format!("cannot read the suite {}: name one with --suite FILE", file.display())
        })?;
        let shown = within(&self.root, file).display().to_string();
        Ok(parse_suite(&shown, &text, &self.flagsets)?)
    }

    /// The suite that is meant where none is named: the one that the manifest names, else `perflab.toml`.
    #[must_use]
    pub fn default_suite(&self) -> Option<PathBuf> {
        let named = self.defaults.suite.as_ref().map(|suite| self.root.join(suite));
        named.or_else(|| Some(self.root.join(SUITE)).filter(|file| file.is_file()))
    }

    /// What the plan's interpreter says of itself, or what is wrong with it; `None` where it calls from none.
    fn interpreter(&self, plan: &Plan) -> Option<&Result<Interpreter, String>> {
        plan.python().map(|program| self.python.get_or_init(|| probe_python(program)))
    }

    /// This machine, with the plan's interpreter.
    #[must_use]
    pub fn environment_for(&self, plan: &Plan) -> Environment {
        let python = self.interpreter(plan).and_then(|interpreter| interpreter.as_ref().ok());
        Environment {
            python: python.map(|interpreter| interpreter.python.clone()),
            ..self.environment.clone()
        }
    }

    /// The flag set of an arm.
    ///
    /// # Errors
    /// There is none of this name.
    pub fn flagset(&self, name: &str) -> anyhow::Result<&FlagSet> {
        Ok(self.flagsets.get(name)?)
    }

    /// Waits until no other lab works in this target directory, and keeps the next ones out until what is returned is
    /// dropped. Settings of the environment that change code are reported first.
    ///
    /// # Errors
    /// The directory cannot be made, or the one who waits asked to stop.
    pub(crate) fn lock(&self) -> anyhow::Result<Locked<'_>> {
        self.foreign_noted.call_once(|| self.note_foreign());
        Ok(Locked { context: self, _lock: Lock::take(self.target(), &self.watcher)? })
    }

    /// Reports which settings of the environment are switched off or cannot be.
    fn note_foreign(&self) {
        for foreign in &self.foreign {
            let force = if foreign.in_force { "is in force in every arm" } else { "is switched off here" };
            self.progress().note(&format!("{} ({}) {force}", foreign.place, foreign.setting));
        }
    }
}

/// A context whose target directory no other lab works in.
pub(crate) struct Locked<'a> {
    context: &'a Context,
    _lock: Lock,
}

impl Deref for Locked<'_> {
    type Target = Context;

    fn deref(&self) -> &Context {
        self.context
    }
}

impl Locked<'_> {
    /// What builds and links.
    pub(crate) fn builder(&self) -> &Builder {
        &self.context.builder
    }

    /// The builder for a plan: with the interpreter that its libraries are built for.
    ///
    /// # Errors
    /// The subject's script cannot be written; within, a clause that says what is wrong with the interpreter.
    pub(crate) fn builder_for(&self, plan: &Plan) -> anyhow::Result<Result<Builder, String>> {
        let mut builder = self.builder().clone();
        match (self.interpreter(plan), plan.python()) {
            (Some(Err(wrong)), _) => return Ok(Err(wrong.clone())),
            (Some(Ok(interpreter)), Some(program)) => {
                let subject = builder.target.join("ffi_subject.py");
                std::fs::create_dir_all(&builder.target)?;
                std::fs::write(&subject, FFI_SUBJECT)
                    .with_context(|| format!("cannot write {}", subject.display()))?;
                builder.python = Some(PythonHome {
                    program: program.to_owned(),
                    executable: interpreter.executable.clone(),
                    include: interpreter.include.clone(),
                    headers: interpreter.headers,
                    subject,
                });
            }
            _ => {}
        }
        Ok(Ok(builder))
    }

    /// An executable as an arm: on the core and with the priority that this machine measures with, in the
    /// workspace that it was built from: a file that it reads by a relative path is that of its own side of a gate.
    pub(crate) fn program(&self, artifact: &Artifact) -> ArmProgram {
        ArmProgram {
            path: artifact.path.clone(),
            directory: Some(artifact.directory.clone()),
            starter: self.builder().supervisor.clone(),
            cpu: self.environment.pinned_to,
            priority: self.environment.nice.unwrap_or(0),
            pad: 0,
            still: false,
        }
    }

    /// A new directory in the target directory, removed when it is dropped.
    pub(crate) fn scratch(&self) -> std::io::Result<tempfile::TempDir> {
        scratch::directory(self.target())
    }
}

/// Settings of the environment and of Cargo's configuration that would change code in a directory.
pub(crate) fn foreign_here(root: &Path) -> Vec<Foreign> {
    let cargo_home = std::env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cargo")));
    let variables = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.to_string_lossy().into_owned())));
    foreign_settings(variables, root, cargo_home.as_deref())
}

/// The directory of a workspace that the lab builds in.
#[must_use]
pub fn lab_directory(root: &Path) -> PathBuf {
    target_directory(root).join(LAB_DIRECTORY)
}

/// Keeps other labs out of the place that a measurement without a [`Context`] is made in: the target directory of its
/// workspace, and this machine.
///
/// # Errors
/// The watcher asked to stop before both were free.
pub fn lock_place(workspace: Option<&Path>, watcher: &Watcher) -> anyhow::Result<Lock> {
    let Some(root) = workspace else { return Lock::of_machine(watcher) };
    match Lock::take(&lab_directory(root), watcher) {
        Err(error) if !watcher.stopped() => {
            // Nothing has to be written where nothing is built.
            watcher.progress().note(&format!("other labs are not kept out of this workspace: {error:#}"));
            Lock::of_machine(watcher)
        }
        lock => lock,
    }
}

/// The flag sets of a workspace; those of the lab where it has none.
///
/// # Errors
/// One cannot be read, or has a fault.
fn defaults(root: &Path) -> anyhow::Result<Defaults> {
    let manifest = std::fs::read_to_string(root.join("Cargo.toml")).context("cannot read Cargo.toml")?;
    Ok(Defaults::parse("Cargo.toml", &manifest)?)
}

pub(crate) fn flagsets(root: &Path) -> anyhow::Result<FlagSets> {
    let directory = root.join(".cargo/flagsets");
    let Ok(entries) = std::fs::read_dir(&directory) else { return Ok(FlagSets::built_in()?) };
    let mut sets = FlagSets::default();
    for path in entries.filter_map(Result::ok).map(|entry| entry.path()) {
        let Some(name) = path.file_stem().and_then(|stem| stem.to_str()) else {
            continue;
        };
        if path.extension().is_some_and(|kind| kind == "toml") {
            let shown = within(root, &path).display().to_string();
            sets.0.insert(name.to_owned(), FlagSet::parse(name, &shown, &std::fs::read_to_string(&path)?)?);
        }
    }
    Ok(sets)
}
