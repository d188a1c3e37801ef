//! Verbs in any Cargo project: with a suite they measure that, without one every bench target that there is.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::Args;

use crate::called::program;
use crate::cli::Exit;
use crate::cli::context::{current, watcher};
use crate::cli::typed::Typed;
use crate::experiment::artifacts::NotBuilt;
use crate::experiment::context::Context;
use crate::experiment::private::{self, Opening};
use crate::experiment::store;
use crate::foreign::{Project, Selection, Target, suite_text};
use crate::machine::features::Features;
use crate::plan::{Bench, Suite};

/// Which bench targets and benchmarks of a project are meant.
#[derive(Args, Clone, Default)]
#[command(next_help_heading = "Bench targets of a project without a suite")]
pub(crate) struct ProjectArgs {
    /// The manifest of the project [default: Cargo.toml here or above].
    #[arg(long, value_name = "PATH")]
    pub manifest_path: Option<PathBuf>,
    /// Only this package. May be repeated.
    #[arg(short, long = "package", value_name = "NAME")]
    pub packages: Vec<String>,
    /// Only this bench target. May be repeated.
    #[arg(long = "bench", value_name = "NAME")]
    pub benches: Vec<String>,
    /// Only benchmarks whose name holds this text. May be repeated.
    #[arg(long = "filter", value_name = "TEXT")]
    pub filters: Vec<String>,
}

impl ProjectArgs {
    /// Adds what was given to a command as a person would type it again.
    pub(crate) fn typed(&self, mut command: Typed) -> Typed {
        command = command.path("--manifest-path", self.manifest_path.as_ref());
        for (option, values) in
            [("--package", &self.packages), ("--bench", &self.benches), ("--filter", &self.filters)]
        {
            for value in values {
                command = command.option(option, Some(value));
            }
        }
        command
    }

    /// The same for what one of several experiments works on.
    pub(crate) fn narrowed(&self, work: &Work) -> Self {
        let mut own = self.clone();
        if let Some((target, _)) = &work.target {
            own.packages = vec![target.package.clone()];
            own.benches = vec![target.name.clone()];
        }
        own
    }

    /// Which bench targets are meant.
    pub(crate) fn selection(&self) -> Selection {
        Selection {
            manifest: self.manifest_path.clone(),
            packages: self.packages.clone(),
            benches: self.benches.clone(),
        }
    }

    /// Whether bench targets are meant, whatever suite there is.
    fn names_targets(&self) -> bool {
        !self.packages.is_empty() || !self.benches.is_empty()
    }

    /// Where the workspace is looked for.
    fn directory(&self) -> anyhow::Result<PathBuf> {
        let here = current()?;
        let Some(manifest) = &self.manifest_path else { return Ok(here) };
        if !here.join(manifest).is_file() {
            bail!("--manifest-path {}: there is no such file; expected a Cargo.toml", manifest.display());
        }
        Ok(here.join(manifest).parent().map_or(here, Path::to_owned))
    }
}

/// One experiment of a verb.
pub(crate) struct Work {
    /// Where it is made.
    pub context: Context,
    /// Its suite's file; `None` is the workspace's default.
    pub suite: Option<PathBuf>,
    /// How many experiments are still to come with this one.
    pub to_come: u32,
    /// The bench target, and the way that it is measured; `None` where somebody wrote the suite.
    pub target: Option<(Target, Bench)>,
}

/// What a verb works on.
pub(crate) enum Works {
    /// A suite.
    Suite(Box<Work>),
    /// Bench targets, found.
    Project {
        /// The project.
        project: Project,
        /// Whether the work tree is compared with a commit.
        for_gate: bool,
    },
}

impl Works {
    /// A suite that is named or the workspace's default; else the bench targets of the project.
    pub(crate) fn find(args: &ProjectArgs, suite: Option<&Path>, for_gate: bool) -> anyhow::Result<Self> {
        let directory = args.directory()?;
        let suite = suite.map(Path::to_owned);
        if suite.is_some() || !args.names_targets() {
            let context = Context::open(&directory, watcher()?)?;
            if suite.is_some() || context.default_suite().is_some() {
                return Ok(Self::Suite(Box::new(of_suite(context, suite, for_gate)?)));
            }
        }
        let project = Project::find(&current()?, &args.selection())?;
        if project.targets.is_empty() {
            bail!("{}", nothing_to_measure(&project));
        }
        Ok(Self::Project { project, for_gate })
    }

    /// Takes one step after the other, and folds how they ended. A bench target that does not compile against the lab's
    /// criterion is measured by its own.
    pub(crate) fn each(self, step: &mut dyn FnMut(&Work) -> anyhow::Result<Exit>) -> anyhow::Result<Exit> {
        let (project, for_gate) = match self {
            Self::Suite(work) => return step(&work),
            Self::Project { project, for_gate } => (project, for_gate),
        };
        let mut exits = Vec::new();
        let mut to_come =
            u32::try_from(project.targets.iter().filter(|target| target.way().is_some()).count())?;
        for target in &project.targets {
            let Some(way) = target.way() else {
                let why = target.refused.as_deref().unwrap_or("it cannot be measured");
                errln!("bench {} of {}: not measured: {why}", target.name, target.package);
                continue;
            };
            let left = to_come;
            let opened = |way| of_target(&project, target, Opening { way, for_gate }, left);
            to_come -= 1;
            let mut outcome = opened(way).and_then(|work| step(&work));
            if let (Err(error), Bench::Subject) = (&outcome, way)
                && error.downcast_ref::<NotBuilt>().is_some()
            {
                errln!(
                    "bench {} of {}: measured by its own criterion, one process a turn: against the lab's, {error:#}",
                    target.name,
                    target.package
                );
                outcome = opened(Bench::Criterion).and_then(|work| step(&work));
            }
            match outcome {
                Err(error) if project.targets.len() > 1 && !stopped(&error) => {
                    errln!("error: bench {} of {}: {error:#}", target.name, target.package);
                    exits.push(Exit::Broken);
                }
                outcome => exits.push(outcome?),
            }
            if exits.last() == Some(&Exit::Stopped) {
                break;
            }
        }
        match Exit::worst(&exits) {
            Some(exit) => Ok(exit),
            None => bail!("none of the bench targets can be measured; {}", instead(&project)),
        }
    }
}

fn stopped(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref(), Some(crate::process::RunError::Stopped))
}

/// The work of a suite: in the workspace, or in a copy where it measures bench targets.
fn of_suite(context: Context, suite: Option<PathBuf>, for_gate: bool) -> anyhow::Result<Work> {
    let read = context.suite(suite.as_deref())?;
    let suite = suite.or_else(|| context.default_suite());
    let context = match way(&read) {
        Some(way) => private::opened(&context.root, Opening { way, for_gate }, context.watcher().clone())?,
        None => context,
    };
    Ok(Work { context, suite, to_come: 1, target: None })
}

/// How the bench target of a suite is measured; `None` where it has none.
fn way(suite: &Suite) -> Option<Bench> {
    suite.arms.iter().find_map(|arm| arm.workload.variant()?.bench)
}

/// The work of one bench target, with a suite that is written for it.
fn of_target(project: &Project, target: &Target, opening: Opening, to_come: u32) -> anyhow::Result<Work> {
    let context = private::opened(&project.root, opening, watcher()?)?;
    let host = Features::host();
    let text = suite_text(target, opening.way, &context.flagsets, &|feature| host.contains(feature));
    let lab = private::directory(&context.root.canonicalize()?)?;
    let file = lab.join("suites").join(format!("{}-{}.toml", target.package, target.name));
    store::replace(&file, text.as_bytes()).with_context(|| format!("cannot write {}", file.display()))?;
    Ok(Work { context, suite: Some(file), to_come, target: Some((target.clone(), opening.way)) })
}

fn nothing_to_measure(project: &Project) -> String {
    let why = if project.macros_alone {
        "a procedural macro runs inside of the compiler, and this one has no bench targets"
    } else {
        "there are no bench targets here, and no suite"
    };
    format!("{why}; {}", instead(project))
}

/// What can be done where no bench target can be measured.
fn instead(project: &Project) -> String {
    let name = project.programs.first().map_or("COMMAND", String::as_str);
    format!(
        "`{0} cmp commands 'target/release/{name} …' 'OTHER …'` compares whole programs, `{0} init` writes a suite to fill in",
        program()
    )
}
