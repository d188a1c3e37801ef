//! What a gate against a revision measures: for each gated arm the revision's code, the work tree's, and the
//! revision's once more.

use anyhow::bail;

use crate::build::Artifact;
use crate::called::program;
use crate::experiment::artifacts::{self, Artifacts, Sources};
use crate::experiment::context::Locked;
use crate::experiment::gate::GateOptions;
use crate::experiment::revision::{Revision, short_hash};
use crate::experiment::session::{first_processes, listing};
use crate::experiment::trials::Trial;
use crate::judge::{GateRow, GateVerdict, Unmatched};
use crate::measure::{ArmFacts, FailureReason, Prepared, RunFailure};
use crate::plan::{Arm, Benchmark, Gated, Plan, Role, Source, Suite};
use crate::report::sentence;

/// The arm's place in a pair.
pub(crate) const CANDIDATE: usize = 1;
/// The control's place.
pub(crate) const CONTROL: usize = 2;

/// One gated arm, ready to be measured.
pub(crate) struct Pair {
    /// The gated arm's name in the suite.
    pub arm: String,
    /// What is measured; `None` where nothing has to be.
    pub trial: Option<Trial>,
    /// The artifacts, for the record.
    pub artifacts: Artifacts,
    /// Failures before the first launch, for the record.
    pub failures: Vec<RunFailure>,
    /// Rows that are decided without measuring.
    pub rows: Vec<GateRow>,
    /// The benchmarks that the candidate has.
    pub benchmarks: Vec<String>,
}

impl Pair {
    /// Whether nothing is measured because both sides are the same code.
    pub(crate) fn is_identical(&self) -> bool {
        self.artifacts.facts.get(CANDIDATE).is_some_and(|facts| facts.identical_to.is_some())
    }

    /// What is known of the candidate's artifact.
    pub(crate) fn candidate_facts(&self) -> ArmFacts {
        // A new arm is built alone.
        let facts = &self.artifacts.facts;
        facts.get(CANDIDATE).or(facts.first()).cloned().unwrap_or_default()
    }
}

/// The suite's arms that are gated: those that were asked for, or that the suite names; else the baseline of a
/// `kernel` suite, and every library of an `ffi` suite that Cargo builds.
pub(crate) fn gated<'a>(suite: &'a Suite, options: &GateOptions) -> anyhow::Result<Vec<&'a Arm>> {
    let traits = suite.traits();
    if traits.gated == Gated::None {
        bail!(
            "suite {} times builds: gate its sizes with --references, a revision's build time is not measured beside",
            suite.name
        );
    }
    let wanted = if options.arms.is_empty() { &suite.gate.arms } else { &options.arms };
    let known: Vec<&str> = suite.arms.iter().map(|arm| arm.name.as_str()).collect();
    if let Some(name) = wanted.iter().find(|name| !known.contains(&name.as_str())) {
        bail!("--flagsets: unknown arm \"{name}\"; known: {}", known.join(", "));
    }
    let by_cargo = |arm: &&Arm| arm.workload.by_cargo();
    let chosen: Vec<&Arm> = suite
        .arms
        .iter()
        .filter(|arm| match traits.gated {
            _ if !wanted.is_empty() => wanted.contains(&arm.name),
            Gated::EveryArm => by_cargo(arm),
            Gated::Baseline | Gated::None => arm.role == Role::Baseline,
        })
        .collect();
    match chosen.iter().find(|arm| !by_cargo(arm)) {
        Some(arm) => {
            bail!("arm \"{}\" is not built by Cargo: it has no older form to compare with", arm.name)
        }
        None => Ok(chosen),
    }
}

/// The plan of one gated arm: the revision's code is the baseline and its own control.
fn plan_of(suite: &Suite, arm: &Arm, revision: &Revision, seed: u64) -> anyhow::Result<Plan> {
    let mut plan = suite.plan(&[], suite.quick, seed)?;
    let mut older = Arm { role: Role::Baseline, ..arm.clone() };
    if let Some(variant) = older.workload.variant_mut() {
        variant.source = Source::Commit(revision.commit.clone());
    }
    older.name = format!("{} @ {}", arm.name, short_hash(&revision.commit));
    let control = Arm { name: format!("{} (A/A)", older.name), role: Role::Control, ..older.clone() };
    plan.arms = vec![older, Arm { role: Role::Candidate, ..arm.clone() }, control];
    plan.claims.clear();
    Ok(plan)
}

/// Builds both sides, checks every answer of both, and finds what cannot be compared.
pub(crate) fn pair(
    context: &Locked<'_>,
    suite: &Suite,
    arm: &Arm,
    revision: &Revision,
    options: &GateOptions,
    seed: u64,
) -> anyhow::Result<Pair> {
    let mut plan = plan_of(suite, arm, revision, seed)?;
    if let Some(profile) = &options.profile {
        plan.set_profile(profile);
    }
    if let Some(python) = &options.python {
        plan.call_from(python);
    }
    let sources = Sources { revision: Some(revision), identity: options.identity, deadline: None };
    let mut artifacts = artifacts::build_from(context, &plan, sources)
        .map_err(|error| error.context(format!("revision {}", short_hash(&revision.commit))))?;
    let identical = artifacts.facts[CANDIDATE].identical_to.is_some();
    if !identical {
        whole(&plan, &artifacts)?;
    }
    let asked = if options.benchmarks.is_empty() { &suite.benchmarks } else { &options.benchmarks };
    let wanted = filtered(union(context, &artifacts.arms, &plan, asked)?, options)?;
    let mut prepared = first_processes(context, &plan, &artifacts.arms, &wanted)?;
    unknown(options, suite, &plan, &prepared, identical)?;
    plan.benchmarks.clone_from(&prepared.benchmarks);
    artifacts.census_of(&plan.benchmarks);
    let failures = std::mem::take(&mut prepared.failures);
    let bounds: Vec<_> = plan
        .benchmarks
        .iter()
        .map(|benchmark| suite.gate.bounds(&benchmark.name, plan.noise_threshold))
        .collect();
    let row = |at: usize| GateRow {
        benchmark: plan.benchmarks[at].name.clone(),
        arm: arm.name.clone(),
        measure: plan.benchmarks[at].measure,
        reference: None,
        value: None,
        bounds: bounds[at],
        screening: None,
        confirmation: None,
        verdict: GateVerdict::Identical,
        why: "identical code: not measured".to_owned(),
    };
    // Of identical code one side alone was started, and speaks for both.
    let candidate = if identical { 0 } else { CANDIDATE };
    let decided = (0..plan.benchmarks.len()).filter_map(|at| {
        match before(&plan, &prepared, &failures, candidate, at) {
            Some((verdict, why)) => Some(GateRow { verdict, why, ..row(at) }),
            None => identical.then(|| row(at)),
        }
    });
    let rows = decided.collect();
    let trial = (!identical).then(|| Trial {
        artifacts: artifacts.arms.clone(),
        plan: plan.clone(),
        prepared,
        judged: vec![CANDIDATE],
        control: Some(CONTROL),
        bounds: bounds.clone(),
    });
    let benchmarks = rows_of(&plan, identical, trial.as_ref());
    Ok(Pair { arm: arm.name.clone(), trial, artifacts, failures, rows, benchmarks })
}

/// An arm that the commit lacks, in the clause `why`: the work tree's code is built, and every benchmark of it is new.
pub(crate) fn new_arm(
    context: &Locked<'_>,
    suite: &Suite,
    arm: &Arm,
    options: &GateOptions,
    seed: u64,
    why: &str,
) -> anyhow::Result<Pair> {
    let mut plan = suite.plan(&[], suite.quick, seed)?;
    plan.arms = vec![Arm { role: Role::Baseline, ..arm.clone() }];
    plan.claims.clear();
    if let Some(profile) = &options.profile {
        plan.set_profile(profile);
    }
    if let Some(python) = &options.python {
        plan.call_from(python);
    }
    let artifacts = artifacts::build(context, &plan)?;
    let asked = if options.benchmarks.is_empty() { &suite.benchmarks } else { &options.benchmarks };
    let benchmarks = filtered(union(context, &artifacts.arms, &plan, asked)?, options)?;
    let prepared = first_processes(context, &plan, &artifacts.arms, &benchmarks)?;
    let wrong = |name: &String| {
        let of = |failure: &&RunFailure| failure.benchmark.as_ref() == Some(name) && failure.is_broken();
        prepared.failures.iter().find(of).map(|failure| sentence(&failure.reason))
    };
    let verdict = |name: &String| match wrong(name) {
        Some(wrong) => (GateVerdict::Failed, wrong),
        None => (GateVerdict::Unmatched { how: Unmatched::New }, why.to_owned()),
    };
    let row = |name: &String, (verdict, why): (GateVerdict, String)| GateRow {
        benchmark: name.clone(),
        arm: arm.name.clone(),
        measure: plan.row(name).measure,
        reference: None,
        value: None,
        bounds: suite.gate.bounds(name, plan.noise_threshold),
        screening: None,
        confirmation: None,
        verdict,
        why,
    };
    let rows = benchmarks.iter().map(|name| row(name, verdict(name))).collect();
    Ok(Pair {
        arm: arm.name.clone(),
        trial: None,
        failures: artifacts.failures.iter().chain(&prepared.failures).cloned().collect(),
        artifacts,
        rows,
        benchmarks,
    })
}

/// The benchmarks that the candidate has: all of the reference's, where their code is the same.
fn rows_of(plan: &Plan, identical: bool, trial: Option<&Trial>) -> Vec<String> {
    let has =
        |at: usize| identical || trial.is_some_and(|trial| trial.prepared.paces[CANDIDATE][at].is_some());
    (0..plan.benchmarks.len()).filter(|&at| has(at)).map(|at| plan.benchmarks[at].name.clone()).collect()
}

/// Both sides have an executable that runs here.
fn whole(plan: &Plan, artifacts: &Artifacts) -> anyhow::Result<()> {
    for (arm, artifact) in plan.arms.iter().zip(&artifacts.arms) {
        if artifact.is_some() {
            continue;
        }
        let reason = artifacts.failures.iter().find(|failure| failure.arm == arm.name);
        let why = reason.map_or_else(|| "no artifact".to_owned(), |failure| sentence(&failure.reason));
        bail!("{} cannot be measured: {why}", arm.name);
    }
    Ok(())
}

/// The benchmarks of both sides, the reference's first; or those that were asked for.
fn union(
    context: &Locked<'_>,
    artifacts: &[Option<Artifact>],
    plan: &Plan,
    asked: &[String],
) -> anyhow::Result<Vec<String>> {
    if !asked.is_empty() {
        return Ok(asked.to_vec());
    }
    let mut names: Vec<String> = Vec::new();
    for (arm, artifact) in plan.arms.iter().zip(artifacts).take(CONTROL) {
        let Some(artifact) = artifact else { continue };
        match listing(context, artifact, &plan.budget) {
            Ok(listed) => {
                let new: Vec<String> = listed.into_iter().filter(|name| !names.contains(name)).collect();
                names.extend(new);
            }
            Err(reason) => bail!("{} cannot be measured: {}", arm.name, sentence(&reason)),
        }
    }
    if names.is_empty() {
        bail!("neither side has a benchmark");
    }
    Ok(names)
}

/// Those whose names pass the filters.
fn filtered(mut names: Vec<String>, options: &GateOptions) -> anyhow::Result<Vec<String>> {
    let known = names.len();
    names.retain(|name| options.filters.is_empty() || options.filters.iter().any(|text| name.contains(text)));
    if names.is_empty() {
        bail!("no name of the {known} benchmarks holds {}", options.filters.join(" or "));
    }
    Ok(names)
}

/// Names of the command line and of the suite that no side has are slips of the pen.
fn unknown(
    options: &GateOptions,
    suite: &Suite,
    plan: &Plan,
    prepared: &Prepared,
    identical: bool,
) -> anyhow::Result<()> {
    let sides = if identical { 1 } else { CONTROL };
    let lacks = |arm: &Arm, name: &String| {
        prepared.failures.iter().any(|failure| {
            failure.arm == arm.name
                && failure.benchmark.as_ref() == Some(name)
                && failure.reason == FailureReason::UnknownBenchmark
        })
    };
    let mut names = prepared.benchmarks.iter().map(|benchmark| &benchmark.name);
    let absent = names.find(|name| plan.arms.iter().take(sides).all(|arm| lacks(arm, name)));
    let named = |name: &str| prepared.benchmarks.iter().any(|Benchmark { name: known, .. }| known == name);
    let listed = || prepared.benchmarks.iter().map(|benchmark| benchmark.name.as_str()).collect::<Vec<_>>();
    if let Some(name) = absent {
        bail!("unknown benchmark \"{name}\": {} verify lists them all", program());
    }
    if options.benchmarks.is_empty()
        && options.filters.is_empty()
        && let Some(name) = suite.gate.named().find(|name| !named(name))
    {
        bail!(
            "[gate] of suite {} names a benchmark \"{name}\" that nobody has; known: {}",
            suite.name,
            listed().join(", ")
        );
    }
    Ok(())
}

/// The verdict on a row that cannot be measured on both sides; `None` where it can.
fn before(
    plan: &Plan,
    prepared: &Prepared,
    failures: &[RunFailure],
    candidate: usize,
    at: usize,
) -> Option<(GateVerdict, String)> {
    let name = &plan.benchmarks[at].name;
    let of = |arm: usize| {
        let failure = failures.iter().find(|failure| {
            failure.arm == plan.arms[arm].name && failure.benchmark.as_ref().is_none_or(|b| b == name)
        });
        failure.map(|failure| &failure.reason)
    };
    let unmatched = |how| GateVerdict::Unmatched { how };
    match (of(0), of(candidate)) {
        (None, None) if prepared.paces[0][at].is_some() && prepared.paces[candidate][at].is_some() => None,
        (Some(FailureReason::NotOffered { .. }), Some(FailureReason::NotOffered { why })) => {
            Some((GateVerdict::Passed, format!("offered by neither side: {why}")))
        }
        (Some(FailureReason::CannotBeMeasured { .. }), Some(FailureReason::CannotBeMeasured { why })) => {
            Some((GateVerdict::Passed, format!("can be measured on neither side: {why}")))
        }
        (
            Some(FailureReason::UnknownBenchmark | FailureReason::NotOffered { .. }),
            None | Some(FailureReason::UnknownBenchmark | FailureReason::NotOffered { .. }),
        ) => Some((
            unmatched(Unmatched::New),
            format!("{} does not have it: it cannot be slower than nothing", plan.arms[0].name),
        )),
        // What is new and wrong by its own word is wrong all the same.
        (Some(FailureReason::UnknownBenchmark | FailureReason::NotOffered { .. }), Some(reason)) => {
            Some((GateVerdict::Failed, sentence(reason)))
        }
        (None, Some(FailureReason::UnknownBenchmark | FailureReason::NotOffered { .. })) => {
            Some((unmatched(Unmatched::Gone), "the work tree does not have it any more".to_owned()))
        }
        (None, Some(FailureReason::OtherTask { expected, declared })) => Some((
            unmatched(Unmatched::AnotherTask),
            format!(
                "it declares the answer {declared} where {} declares {expected}: not the same task",
                plan.arms[0].name
            ),
        )),
        (None, Some(reason)) => Some((GateVerdict::Failed, sentence(reason))),
        (Some(reason), _) => {
            Some((GateVerdict::Inconclusive, format!("{} fails: {}", plan.arms[0].name, sentence(reason))))
        }
        (None, None) => Some((GateVerdict::Inconclusive, "no process has it".to_owned())),
    }
}
