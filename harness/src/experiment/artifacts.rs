//! Every arm's artifact, with what is known of its code: built, disassembled, compared.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context as _, bail};

use crate::build::{Artifact, BuildError, Builder};
use crate::census::{CodeDigest, Disassembly, Width, dispatched, identity, refusal};
use crate::experiment::context::Locked;
use crate::experiment::progress::Stage;
use crate::experiment::revision::{Revision, short_hash};
use crate::experiment::store;
use crate::experiment::surroundings::{empty_submodules, within};
use crate::machine::features::Features;
use crate::machine::{bundled_lld, rustc_cfg, rustc_sysroot};
use crate::measure::{ArmFacts, FailureReason, RunFailure};
use crate::plan::{Arm, Benchmark, Built, Ffi, Plan, Role, Server, Source, Workload};
use crate::process::RunError;
use crate::report::number_of;

/// What is known of the arms before measuring, in the plan's order.
#[derive(Default)]
pub struct Artifacts {
    /// The executables; `None` where an arm has none or sits out.
    pub arms: Vec<Option<Artifact>>,
    /// What is known of each.
    pub facts: Vec<ArmFacts>,
    /// Why arms sit out.
    pub failures: Vec<RunFailure>,
    /// The commands that were run.
    pub commands: Vec<String>,
    disassemblies: Vec<Option<Disassembly>>,
}

/// That the arm which all others are compared with does not compile.
#[derive(Debug, thiserror::Error)]
#[error("the baseline cannot be built: {0}")]
pub struct NotBuilt(String);

/// Where variants come from.
#[derive(Clone, Copy)]
pub(crate) struct Sources<'a> {
    /// The commit that arms of [`Source::Commit`] are built from.
    pub revision: Option<&'a Revision>,
    /// Whether arms of identical code are measured once.
    pub identity: bool,
    /// When no further candidate's build is begun.
    pub deadline: Option<Instant>,
}

/// Builds every variant of a plan, refuses what this CPU cannot run, and finds identical code.
pub(crate) fn build(context: &Locked<'_>, plan: &Plan) -> anyhow::Result<Artifacts> {
    build_within(context, plan, None)
}

/// The same, where no build of a candidate begins after `deadline`.
pub(crate) fn build_within(
    context: &Locked<'_>,
    plan: &Plan,
    deadline: Option<Instant>,
) -> anyhow::Result<Artifacts> {
    build_from(context, plan, Sources { revision: None, identity: true, deadline })
}

/// The same, with variants of another commit among them.
pub(crate) fn build_from(
    context: &Locked<'_>,
    plan: &Plan,
    sources: Sources<'_>,
) -> anyhow::Result<Artifacts> {
    let mut artifacts = Artifacts::default();
    let builder = match context.builder_for(plan)? {
        Ok(builder) => builder,
        Err(wrong) => return Ok(Artifacts::without_python(plan, &wrong)),
    };
    let built = build_variants(context, &builder, sources, plan, &mut artifacts)?;
    let calls = plan.baseline().workload.server();
    let calls = calls.map(|server| write_calls(&builder, server, &plan.digest)).transpose()?;
    let what = "what each flag set did to the code";
    let stage = context.progress().stage("census", what, built.0.len() as u64);
    let host = Features::host();
    let mut codes: Vec<(Identity, &Arm)> = Vec::new();
    for arm in &plan.arms {
        let fail = |reason| RunFailure { arm: arm.name.clone(), benchmark: None, launch: None, reason };
        let artifact = match built.of(&arm.workload)? {
            Ok(artifact) => match (&calls, arm.workload.server()) {
                (Some(calls), Some(server)) => builder.served(artifact.clone(), calls, &server.args)?,
                _ => artifact.clone(),
            },
            Err(reason) => {
                artifacts.failures.push(fail(reason.clone()));
                artifacts.push(None, ArmFacts { arm: arm.name.clone(), ..ArmFacts::default() }, None);
                continue;
            }
        };
        stage.doing(&arm.name);
        let (mut facts, refused, disassembly) = examine(context, &artifact, arm, &host)?;
        if arm.role != Role::Control {
            stage.step();
        }
        if arm.role != Role::Control
            && sources.identity
            && plan.traits().built == Built::Once
            && let Some(digest) = code_of(&artifact, arm, &*stage)
        {
            let twin =
                |(code, other): &&(Identity, &Arm)| *code == digest && other.workload.same_use(&arm.workload);
            facts.identical_to = codes.iter().find(twin).map(|(_, other)| other.name.clone());
            codes.push((digest, arm));
        }
        if let Some(twin) = &facts.identical_to {
            stage.say(&format!("{} is identical code to {twin}: measured once", arm.name));
        }
        let sits_out = facts.identical_to.is_some() || !refused.is_empty();
        if !refused.is_empty() {
            stage.say(&format!("{} needs {}; this CPU lacks it → not run", arm.name, refused.join(" ")));
            artifacts.failures.push(fail(FailureReason::MissingFeatures { features: refused }));
        }
        artifacts.push((!sits_out).then_some(artifact), facts, disassembly);
    }
    stage.end();
    Ok(artifacts)
}

/// Writes the calls of a server for the lab's client, under the name of the suite's digest.
fn write_calls(builder: &Builder, server: &Server, digest: &str) -> anyhow::Result<PathBuf> {
    let folder = builder.target.join("calls");
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let file = folder.join(format!("{}.json", digest.get(..16).unwrap_or("calls")));
    store::replace(&file, serde_json::to_string_pretty(&server.calls)?.as_bytes())?;
    Ok(file)
}

impl Artifacts {
    /// What is known of a plan whose interpreter cannot be used: nothing, and why.
    fn without_python(plan: &Plan, wrong: &str) -> Self {
        let remedy = "install CPython 3.9 or later (apt-get install python3-dev), or name one with --python";
        let mut artifacts = Self::default();
        for arm in &plan.arms {
            let reason = FailureReason::MissingTool { what: wrong.to_owned(), remedy: remedy.to_owned() };
            artifacts.push(None, ArmFacts { arm: arm.name.clone(), ..ArmFacts::default() }, None);
            artifacts.failures.push(RunFailure {
                arm: arm.name.clone(),
                benchmark: None,
                launch: None,
                reason,
            });
        }
        artifacts
    }

    fn push(&mut self, artifact: Option<Artifact>, facts: ArmFacts, disassembly: Option<Disassembly>) {
        self.arms.push(artifact);
        self.facts.push(facts);
        self.disassemblies.push(disassembly);
    }

    /// Adds the census of each benchmark's own functions, once the benchmarks are known.
    pub(crate) fn census_of(&mut self, benchmarks: &[Benchmark]) {
        for (facts, disassembly) in self.facts.iter_mut().zip(&self.disassemblies) {
            let Some(disassembly) = disassembly else { continue };
            for benchmark in benchmarks.iter().filter(|benchmark| !benchmark.code.is_empty()) {
                let paths: Vec<&str> = benchmark.code.iter().map(String::as_str).collect();
                let widths = widths(&disassembly.of_functions(&paths).width);
                facts.benchmark_widths.insert(benchmark.name.clone(), widths);
            }
        }
    }
}

/// What came of everything that arms run, each built once.
#[derive(Default)]
struct Variants<'a>(Vec<(&'a Workload, Result<Artifact, FailureReason>)>);

impl Variants<'_> {
    fn of(&self, workload: &Workload) -> anyhow::Result<&Result<Artifact, FailureReason>> {
        let found = self.0.iter().find(|(built, _)| built.same_build(workload));
        found.map(|(_, outcome)| outcome).context("an arm was not built")
    }
}

fn build_variants<'a>(
    context: &Locked<'_>,
    builder: &Builder,
    sources: Sources<'_>,
    plan: &'a Plan,
    artifacts: &mut Artifacts,
) -> anyhow::Result<Variants<'a>> {
    let mut variants: Vec<&Workload> = Vec::new();
    for arm in &plan.arms {
        if !variants.iter().any(|known| known.same_build(&arm.workload)) {
            variants.push(&arm.workload);
        }
    }
    let what = number_of(variants.len(), "variant");
    let stage = context.progress().stage("build", &what, variants.len() as u64);
    let mut built = Variants::default();
    for variant in variants {
        stage.doing(&named(variant));
        let begun = Instant::now();
        let is_baseline = variant.same_build(&plan.baseline().workload);
        if !is_baseline && sources.deadline.is_some_and(|deadline| begun > deadline) {
            stage.say(&format!("{}: not built, to end in time", named(variant)));
            let why = "left out to end in time: what was built before it took most of that".to_owned();
            built.0.push((variant, Err(FailureReason::NotOffered { why })));
            continue;
        }
        let source = variant.variant().map(|variant| &variant.source);
        let (builder, flagsets) = &match (source, sources.revision) {
            (Some(Source::Commit(_)), Some(revision)) => (
                Builder {
                    root: revision.root.clone(),
                    target: revision.target.clone(),
                    // That of its own toolchain, which may be another.
                    lld: rustc_sysroot(&revision.root).ok().and_then(|sysroot| bundled_lld(&sysroot)),
                    stands_for_root: Some(revision.copy.clone()),
                    options: revision.options.clone(),
                    ..builder.clone()
                },
                &revision.flagsets,
            ),
            _ => (builder.clone(), &context.flagsets),
        };
        let by_cargo = variant.variant().filter(|_| variant.by_cargo());
        let flagset = by_cargo.map(|variant| flagsets.get(&variant.flagset)).transpose()?;
        match builder.build(variant, flagset, &|| context.stopped()) {
            Ok(artifact) => {
                // Relative to the workspace, so that a record reads the same wherever it was made.
                let roots = [&context.root, context.built_in()].map(|root| format!("{}/", root.display()));
                let command =
                    roots.iter().fold(artifact.command.clone(), |text, root| text.replace(root, ""));
                if !command.is_empty() && !artifacts.commands.contains(&command) {
                    artifacts.commands.push(command);
                }
                for what in &artifact.overridden {
                    stage.say(&format!("{}: {what}: a Cargo config file has it so", named(variant)));
                }
                built.0.push((variant, Ok(artifact)));
            }
            Err(BuildError::Run(stopped @ RunError::Stopped)) => {
                return Err(
                    anyhow::Error::new(stopped).context("stopped while building; nothing was measured")
                );
            }
            Err(error) => {
                // That the baseline cannot be built ends everything, and is said there.
                if !is_baseline {
                    stage.say(&format!("{}: {error}", named(variant)));
                }
                let mut reason = FailureReason::of_build(error);
                if let FailureReason::NotBuilt { log, .. } = &mut reason {
                    *log = within(&context.root, Path::new(log)).display().to_string();
                }
                built.0.push((variant, Err(reason)));
            }
        }
        stage.finished(&named(variant), begun.elapsed());
    }
    stage.end();
    match built.of(&plan.baseline().workload)? {
        Err(FailureReason::NotBuilt { error, log }) => {
            let log = Some(log).filter(|log| !log.is_empty()).map(|log| format!("the whole log: {log}"));
            let more = log.into_iter().chain(empty_submodules(&context.root));
            bail!(NotBuilt(std::iter::once(error.clone()).chain(more).collect::<Vec<_>>().join("\n")))
        }
        Err(reason) => bail!("the baseline cannot be built: {}", crate::report::sentence(reason)),
        Ok(_) => Ok(built),
    }
}

/// What is built, in a few words.
fn named(workload: &Workload) -> String {
    match (workload.variant().filter(|_| workload.by_cargo()), workload.ffi()) {
        (Some(variant), _) => match &variant.source {
            Source::Worktree => format!("{} ({})", variant.flagset, variant.profile),
            Source::Commit(hash) => {
                format!("{} ({}) of {}", variant.flagset, variant.profile, short_hash(hash))
            }
        },
        (None, ffi) => ffi.map_or_else(String::new, |ffi| ffi.shape.name().to_owned()),
    }
}

/// The census of one artifact: of a link with symbols where there is one, so that functions have names.
fn examine(
    context: &Locked<'_>,
    artifact: &Artifact,
    arm: &Arm,
    host: &Features,
) -> anyhow::Result<(ArmFacts, Vec<String>, Option<Disassembly>)> {
    let symbols = context.target().join("symbols");
    let with_symbols = artifact.bundle.as_ref().filter(|bundle| bundle.link_with_symbols(&symbols).is_ok());
    let bytes = fs::read(if with_symbols.is_some() { symbols.as_path() } else { artifact.code() })?;
    fs::remove_file(&symbols).ok();
    let disassembly = Disassembly::of(&bytes);
    let ours = arm.workload.ffi().is_none_or(Ffi::has_layouts);
    if disassembly.is_err() && !ours {
        // A script has no instructions. A file that only calls itself a library fails when it is loaded.
        let facts = ArmFacts {
            arm: arm.name.clone(),
            digest: artifact.digest.clone(),
            file_bytes: artifact.file_bytes,
            ..ArmFacts::default()
        };
        return Ok((facts, Vec::new(), None));
    }
    let disassembly = disassembly?;
    let census = disassembly.census();
    let enabled = Features::from_rustc_cfg(&rustc_cfg(&context.root, &artifact.flags)?);
    let refused = refusal(&census, &enabled, host);
    let beyond = dispatched(&census, &enabled);
    let facts = ArmFacts {
        arm: arm.name.clone(),
        flags: artifact.flags.clone(),
        digest: artifact.digest.clone(),
        file_bytes: artifact.file_bytes,
        text_bytes: census.text_bytes,
        build_seconds: artifact.build_seconds,
        required: census.features.keys().map(ToString::to_string).collect(),
        dispatched: beyond.keys().map(ToString::to_string).collect(),
        widths: widths(&census.width),
        benchmark_widths: BTreeMap::new(),
        identical_to: None,
        foreign_code: census.producers.iter().filter(|producer| !is_rust(producer)).cloned().collect(),
        compiler: artifact.compiler.clone(),
        sources: artifact.sources.clone(),
        overridden: artifact.overridden.clone(),
        other_linker: artifact.other_linker,
    };
    Ok((facts, refused.iter().map(|missing| missing.feature.to_string()).collect(), Some(disassembly)))
}

fn is_rust(producer: &str) -> bool {
    producer.starts_with("rustc") || producer.starts_with("Linker:")
}

fn widths(width: &Width) -> BTreeMap<String, u64> {
    let Width { scalar, xmm, ymm, zmm, mask } = *width;
    [("scalar", scalar), ("xmm", xmm), ("ymm", ymm), ("zmm", zmm), ("mask", mask)]
        .map(|(name, count)| (name.to_owned(), count))
        .into()
}

/// What two artifacts of the same code have in common.
#[derive(PartialEq, Eq)]
enum Identity {
    /// The code that goes into the link.
    Code(CodeDigest),
    /// The whole file, in hex: all that is known where another linker than lld made it.
    File(String),
}

/// What an artifact's code is known by; without it, nothing is called identical.
fn code_of(artifact: &Artifact, arm: &Arm, stage: &dyn Stage) -> Option<Identity> {
    let Some(bundle) = &artifact.bundle else {
        let by_linker = arm.workload.by_cargo() && arm.workload.has_layouts();
        return by_linker.then(|| Identity::File(artifact.digest.clone()));
    };
    let inputs = bundle.inputs().map_err(|error| stage.say(&error.to_string())).ok()?;
    let digest = identity(inputs).map_err(|error| stage.say(&format!("identity unknown: {error}"))).ok()?;
    Some(Identity::Code(digest))
}
