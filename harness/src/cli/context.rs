//! Where the workspace is, which flag sets it has, and what the lab was started with.

use std::fs::{File, TryLockError};
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use anyhow::{Context as _, bail};

use crate::build::{Builder, Foreign, PythonHome, foreign_settings};
use crate::cli::args::{Color, RunArgs, Shared};
use crate::machine::{Environment, Interpreter, bundled_lld, last_core, probe, probe_python, rustc_sysroot};
pub(crate) use crate::machine::{cores, priority};
use crate::plan::{FlagSet, FlagSets, Plan, Suite, parse_suite};
use crate::process::RunError;
use crate::report::Style;

/// The flag sets that come with the lab, for workspaces that have none of their own.
const BUILT_IN: [(&str, &str); 9] = [
    ("native", include_str!("../../../.cargo/flagsets/native.toml")),
    ("seed", include_str!("../../../.cargo/flagsets/seed.toml")),
    ("x86-64", include_str!("../../../.cargo/flagsets/x86-64.toml")),
    ("x86-64-v2", include_str!("../../../.cargo/flagsets/x86-64-v2.toml")),
    ("x86-64-v3", include_str!("../../../.cargo/flagsets/x86-64-v3.toml")),
    ("x86-64-v4", include_str!("../../../.cargo/flagsets/x86-64-v4.toml")),
    ("x86-64-v4-512", include_str!("../../../.cargo/flagsets/x86-64-v4-512.toml")),
    ("znver4", include_str!("../../../.cargo/flagsets/znver4.toml")),
    ("znver4-no-sse4a", include_str!("../../../.cargo/flagsets/znver4-no-sse4a.toml")),
];

/// The subject that calls libraries from Python.
const FFI_SUBJECT: &str = include_str!("../../ffi/ffi_subject.py");

/// Everything that verbs share.
pub(crate) struct Context {
    /// The Cargo workspace.
    pub root: PathBuf,
    /// Its flag sets.
    pub flagsets: FlagSets,
    /// This machine.
    pub environment: Environment,
    /// Builds and links.
    pub builder: Builder,
    /// Settings outside the flag sets that would change code.
    pub foreign: Vec<Foreign>,
    /// Set by Ctrl-C and by a termination signal.
    stop: Arc<AtomicBool>,
    /// What the interpreter of an `ffi` suite said, once it was asked.
    python: OnceLock<Result<Interpreter, String>>,
}

impl Context {
    /// Looks around: the workspace, the machine, the environment.
    pub(crate) fn open() -> anyhow::Result<Self> {
        let root = workspace_root(&std::env::current_dir()?)?;
        let sysroot = rustc_sysroot().context("rustc cannot be run: install Rust with rustup")?;
        let environment = environment_to_measure()?;
        let stop = stop_flag()?;
        let lab = std::env::current_exe().context("cannot find the lab's own executable")?;
        let cargo_home = std::env::var_os("CARGO_HOME")
            .map(PathBuf::from)
            .or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cargo")));
        let variables = std::env::vars_os().filter_map(|(name, value)| {
            Some((name.into_string().ok()?, value.to_string_lossy().into_owned()))
        });
        Ok(Self {
            flagsets: flagsets(&root)?,
            foreign: foreign_settings(variables, &root, cargo_home.as_deref()),
            builder: Builder {
                target: target_folder(&root).join("perflab"),
                root: root.clone(),
                lld: bundled_lld(&sysroot),
                supervisor: Some(lab),
                python: None,
            },
            root,
            environment,
            stop,
            python: OnceLock::new(),
        })
    }

    /// Whether the user asked to stop.
    pub(crate) fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Reads the suite that was asked for.
    pub(crate) fn suite(&self, file: Option<&Path>) -> anyhow::Result<Suite> {
        let default = self.root.join("harness/suites/kernels.toml");
        let file = file.unwrap_or(&default);
        let text = std::fs::read_to_string(file).with_context(|| {
            format!("cannot read the suite {}: name one with --suite FILE", file.display())
        })?;
        let shown = file.strip_prefix(&self.root).unwrap_or(file).display().to_string();
        Ok(parse_suite(&shown, &text, &self.flagsets)?)
    }

    /// The plan that the options ask for.
    pub(crate) fn plan(&self, args: &RunArgs) -> anyhow::Result<(Suite, Plan)> {
        let suite = self.suite(args.suite.as_deref())?;
        let mut budget = if args.full { suite.full } else { suite.quick };
        budget.launches = args.launches.unwrap_or(budget.launches);
        let mut plan = suite.plan(&args.flagsets, budget, args.seed.unwrap_or_else(clock_seed))?;
        match &args.python {
            Some(program) if !plan.call_from(program) => {
                bail!("--python: suite {} calls from no interpreter; only ffi suites do", plan.suite)
            }
            Some(_) | None => {}
        }
        if let Some(profile) = &args.profile {
            plan.set_profile(profile);
        }
        Ok((suite, plan))
    }

    /// What the plan's interpreter says of itself, or what is wrong with it; `None` where it calls from none.
    fn interpreter(&self, plan: &Plan) -> Option<&Result<Interpreter, String>> {
        plan.python().map(|program| self.python.get_or_init(|| probe_python(program)))
    }

    /// The builder for a plan: with the interpreter that its libraries are built for.
    ///
    /// # Errors
    /// The subject's script cannot be written; within, a clause that says what is wrong with the interpreter.
    pub(crate) fn builder_for(&self, plan: &Plan) -> anyhow::Result<Result<Builder, String>> {
        let mut builder = self.builder.clone();
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

    /// This machine, with the plan's interpreter.
    pub(crate) fn environment_for(&self, plan: &Plan) -> Environment {
        let python = self.interpreter(plan).and_then(|interpreter| interpreter.as_ref().ok());
        Environment {
            python: python.map(|interpreter| interpreter.python.clone()),
            ..self.environment.clone()
        }
    }

    /// The flag set of an arm.
    pub(crate) fn flagset(&self, name: &str) -> anyhow::Result<&FlagSet> {
        Ok(self.flagsets.get(name)?)
    }

    /// Waits until no other lab works on this target folder, and keeps the next ones out while the file is held.
    /// Two labs at once would overwrite each other's artifacts and share the core that both measure on.
    pub(crate) fn alone(&self) -> anyhow::Result<File> {
        std::fs::create_dir_all(&self.builder.target)
            .with_context(|| format!("cannot make the folder {}", self.builder.target.display()))?;
        let lock = File::create(self.builder.target.join("lock"))?;
        if let Err(TryLockError::WouldBlock) = lock.try_lock() {
            eprintln!("another perflab works in {}: waiting for it", self.builder.target.display());
            while !self.stopped() {
                if lock.try_lock().is_ok() {
                    return Ok(lock);
                }
                std::thread::sleep(Duration::from_millis(100));
            }
            return Err(RunError::Stopped.into());
        }
        Ok(lock)
    }

    /// Tells, on stderr, which settings of the environment are switched off or cannot be.
    pub(crate) fn tell_foreign(&self) {
        for foreign in &self.foreign {
            let force = if foreign.in_force { "is in force in every arm" } else { "is switched off here" };
            eprintln!("note: {} ({}) {force}", foreign.place, foreign.setting);
        }
    }
}

/// This machine, with where and how arms will run on it.
pub(crate) fn environment_to_measure() -> anyhow::Result<Environment> {
    let environment = probe()?;
    Ok(Environment { pinned_to: last_core(), nice: Some(priority()), ..environment })
}

/// A flag that Ctrl-C and a termination signal set.
pub(crate) fn stop_flag() -> anyhow::Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        // The second signal ends the lab at once: the first may be waiting for a hung child.
        signal_hook::flag::register_conditional_shutdown(signal, 130, Arc::clone(&stop))?;
        signal_hook::flag::register(signal, Arc::clone(&stop))?;
    }
    Ok(stop)
}

/// How text is written for the stdout of this process.
pub(crate) fn style(shared: &Shared) -> Style {
    let terminal = std::io::stdout().is_terminal();
    let color = match shared.color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
    };
    let columns = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    let width = columns.or_else(|| terminal.then(terminal_width).flatten()).unwrap_or(100);
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
        .iter()
        .filter_map(|name| std::env::var(name).ok())
        .find(|value| !value.is_empty());
    let ascii = locale.is_some_and(|locale| !locale.to_ascii_lowercase().contains("utf") && terminal);
    Style { width: width.clamp(60, 200), color, unicode: !ascii }
}

fn terminal_width() -> Option<usize> {
    rustix::termios::tcgetwinsize(std::io::stdout())
        .ok()
        .map(|size| usize::from(size.ws_col))
        .filter(|&width| width > 0)
}

pub(crate) fn workspace_root(from: &Path) -> anyhow::Result<PathBuf> {
    let manifest = |folder: &&Path| folder.join("Cargo.toml").is_file();
    let is_workspace = |folder: &&Path| {
        std::fs::read_to_string(folder.join("Cargo.toml")).is_ok_and(|text| text.contains("[workspace]"))
    };
    let nearest =
        from.ancestors().filter(manifest).find(is_workspace).or_else(|| from.ancestors().find(manifest));
    match nearest {
        Some(root) => Ok(root.to_owned()),
        None => bail!("no Cargo.toml here or above: start perflab inside a Cargo workspace"),
    }
}

pub(crate) fn target_folder(root: &Path) -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR")
        .filter(|folder| !folder.is_empty())
        .map_or_else(|| root.join("target"), |folder| root.join(folder))
}

pub(crate) fn flagsets(root: &Path) -> anyhow::Result<FlagSets> {
    let folder = root.join(".cargo/flagsets");
    let mut sets = FlagSets::default();
    let mut add = |name: &str, file: &str, text: &str| -> anyhow::Result<()> {
        sets.0.insert(name.to_owned(), FlagSet::parse(name, file, text)?);
        Ok(())
    };
    let Ok(entries) = std::fs::read_dir(&folder) else {
        for (name, text) in BUILT_IN {
            add(name, name, text)?;
        }
        return Ok(sets);
    };
    for path in entries.filter_map(Result::ok).map(|entry| entry.path()) {
        let Some(name) = path.file_stem().and_then(|stem| stem.to_str()) else {
            continue;
        };
        if path.extension().is_some_and(|kind| kind == "toml") {
            let shown = path.strip_prefix(root).unwrap_or(&path).display().to_string();
            add(name, &shown, &std::fs::read_to_string(&path)?)?;
        }
    }
    Ok(sets)
}

/// A seed that differs from run to run; it is kept in the record.
pub(crate) fn clock_seed() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.map_or(1, |since| u64::try_from(since.as_nanos() & u128::from(u64::MAX)).unwrap_or(1))
}
