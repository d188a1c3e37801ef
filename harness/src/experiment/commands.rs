//! Two commands compared: started anew in every launch, in random order, with A against itself beside.

mod once;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use sha2::{Digest as _, Sha256};

use crate::experiment::commands::once::Starter;
use crate::experiment::context::lock_place;
use crate::experiment::judged::Judged;
use crate::experiment::progress::{Stage, Watcher};
use crate::experiment::store::{Store, record_name};
use crate::experiment::surroundings::{clock_seed, system_to_measure, timestamp};
use crate::machine::Environment;
use crate::measure::{ArmFacts, FailureReason, Launch, LaunchArm, RunFailure, Sample, Slice, Turn, order};
use crate::plan::{
    Arm, Benchmark, Budget, Built, Command, Measure, Plan, Role, SCHEMA_VERSION, Workload, hex,
};
use crate::process::Timed;
use crate::record::{RunFile, State};
use crate::report::sentence_for;

/// How long launches go on where neither their number nor a budget is given.
pub const BUDGET: Duration = Duration::from_secs(10);
/// The fewest and the most launches that a budget makes.
const LAUNCHES: std::ops::RangeInclusive<u32> = 6..=1_000;
/// The names of the arms.
const ARMS: [(&str, Role); 3] = [("A", Role::Baseline), ("B", Role::Candidate), ("A/A", Role::Control)];
/// A command whose peak memory is within this many bytes of its stand-in's may have held less: starting a command
/// takes some itself, and Linux counts pages per CPU since 6.2, some hundred KiB at a time.
const AT_FLOOR: u64 = 1 << 20;

/// One run of one arm: what it took, or why it does not count.
type Outcome = Result<Timed, FailureReason>;

/// A command as it was written, and its words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandLine {
    /// As it was written.
    pub text: String,
    /// Its words, the program first.
    pub words: Vec<String>,
}

/// Two commands, and how they are compared.
#[derive(Clone, Debug, PartialEq)]
pub struct CommandsOptions {
    /// A and B.
    pub commands: [CommandLine; 2],
    /// Launches, each of which runs A, B and A again in random order; `None` takes as many as fit the budget.
    pub launches: Option<u32>,
    /// How long launches go on where their number is not given.
    pub budget: Duration,
    /// Untimed runs of each command before the first launch; at least one shows how long it takes.
    pub warmup: u32,
    /// Whether runs count that end with another exit code than 0, or by a signal.
    pub ignore_failure: bool,
    /// Whether a command fails whose output is not that of A's first run.
    pub check_output: bool,
    /// The longest that one run may take.
    pub patience: Duration,
    /// The smallest change worth a name, as a share (0.01 is 1 %).
    pub noise_threshold: f64,
    /// The seed of the orders; `None` takes one from the clock.
    pub seed: Option<u64>,
    /// Where the record is kept; `None` keeps none.
    pub out: Option<PathBuf>,
}

impl CommandsOptions {
    /// Whether the options make sense by themselves.
    ///
    /// # Errors
    /// A sentence about the first that does not.
    pub fn check(&self) -> Result<(), String> {
        for (name, command) in ["A", "B"].iter().zip(&self.commands) {
            if command.words.is_empty() {
                return Err(format!("{name}: the command is empty"));
            }
        }
        match self.noise_threshold {
            share if (0.0..=0.5).contains(&share) => Ok(()),
            share => Err(format!("a noise threshold of {share}: expected a share from 0 to 0.5")),
        }
    }
}

/// Compares two commands. `workspace` is the one that it is done in, where it is: no other lab works in its target
/// directory meanwhile. `command` is what a person would type again, for a number of launches.
///
/// # Errors
/// A command cannot be started at all, or the record cannot be written.
pub fn compare(
    options: &CommandsOptions,
    workspace: Option<&Path>,
    watcher: &Watcher,
    command: &dyn Fn(u32) -> String,
) -> anyhow::Result<Judged> {
    options.check().map_err(anyhow::Error::msg)?;
    let environment = system_to_measure();
    let _lock = lock_place(workspace, watcher)?;
    let scratch = tempfile::tempdir().context("cannot make a temporary directory")?;
    let bench = Bench {
        starter: Starter::new(options, &environment, scratch.path().join("stdout"), watcher)?,
        options,
        watcher,
    };
    let out = options.out.clone().unwrap_or_else(|| scratch.path().join("record"));
    let store = bench.measure(&out, bench.plan(), environment, command)?;
    let mut judged = Judged::read(workspace.unwrap_or(&store.folder), &store.folder)?;
    if options.out.is_none() {
        judged.meta.name.clear();
    }
    Ok(judged)
}

struct Bench<'a> {
    starter: Starter<'a>,
    options: &'a CommandsOptions,
    watcher: &'a Watcher,
}

impl Bench<'_> {
    fn plan(&self) -> Plan {
        let arm = |&(name, role): &(&str, Role)| {
            let workload = Workload::Command(Command { words: self.command(role).to_vec() });
            Arm { name: name.to_owned(), workload, role, injected: 0.0 }
        };
        let arms: Vec<Arm> = ARMS.iter().map(arm).collect();
        Plan {
            suite: "commands".to_owned(),
            digest: hex(&Sha256::digest(
                self.options.commands.each_ref().map(|command| &*command.text).join("\n"),
            )),
            benchmarks: arms[0].workload.rows(),
            arms,
            budget: Budget {
                blocks: 1,
                slices: 1,
                settle_ns: 0,
                ..Budget::of(self.options.launches.unwrap_or(0))
            },
            noise_threshold: self.options.noise_threshold,
            claims: Vec::new(),
            seed: self.options.seed.unwrap_or_else(clock_seed),
        }
    }

    fn command(&self, role: Role) -> &[String] {
        &self.options.commands[usize::from(role == Role::Candidate)].words
    }

    /// Warms up, decides how many launches there will be, and makes them.
    fn measure(
        &self,
        out: &Path,
        mut plan: Plan,
        environment: Environment,
        command: &dyn Fn(u32) -> String,
    ) -> anyhow::Result<Store> {
        let begun = Instant::now();
        let mut failures = Vec::new();
        let block = self.warm_up(&plan, &mut failures)?;
        if self.options.launches.is_none() {
            plan.budget.launches = launches_in(self.options.budget, block);
        }
        let facts = plan.arms.iter().map(|arm| ArmFacts { arm: arm.name.clone(), ..ArmFacts::default() });
        let file = RunFile {
            schema: SCHEMA_VERSION,
            perflab: env!("CARGO_PKG_VERSION").to_owned(),
            name: record_name(out),
            started: timestamp(),
            seconds: 0.0,
            command: command(plan.budget.launches),
            commit: None,
            state: State::Running,
            facts: facts.collect(),
            plan,
            environment,
            paces: Vec::new(),
            failures,
            launches: Vec::new(),
        };
        let mut store = Store::create(out, file)?;
        let measured = self.launches(&mut store);
        if self.options.out.is_some() {
            measured.with_context(|| format!("finished launches are kept in {}", store.folder.display()))?;
        } else {
            measured?;
        }
        store.file.seconds = begun.elapsed().as_secs_f64();
        store.save()?;
        Ok(store)
    }

    /// Runs every command some times untimed. Returns how long the arms of a launch take together.
    fn warm_up(&self, plan: &Plan, failures: &mut Vec<RunFailure>) -> anyhow::Result<Duration> {
        let runs = self.options.warmup.max(1);
        let stage = self.watcher.progress().stage(
            "warm-up",
            &format!("{runs} runs of each command"),
            u64::from(runs) * 2,
        );
        let mut last = [Duration::ZERO; 2];
        for _ in 0..runs {
            for (index, arm) in plan.arms.iter().enumerate().take(2) {
                if failures.iter().any(|failure: &RunFailure| failure.arm == arm.name) {
                    continue;
                }
                let begun = Instant::now();
                match self.starter.once(arm, &*stage)? {
                    Ok(_) => last[index] = begun.elapsed(),
                    Err(reason) => failures.extend(failed(&*stage, plan, arm, None, &reason)),
                }
                stage.step();
            }
        }
        stage.end();
        Ok(last[0] * 2 + last[1])
    }

    fn launches(&self, store: &mut Store) -> anyhow::Result<()> {
        let plan = store.file.plan.clone();
        let out = |failures: &[RunFailure], arm: usize| {
            failures.iter().any(|failure| failure.arm == plan.arms[arm].name && failure.benchmark.is_none())
        };
        let planned = plan.budget.launches;
        let what = format!("{planned} launches of A, B and A again");
        let stage = self.watcher.progress().stage("measure", &what, u64::from(planned));
        let mut low = [false; ARMS.len()];
        for launch in 0..planned {
            let arms: Vec<usize> = (0..ARMS.len()).filter(|&arm| !out(&store.file.failures, arm)).collect();
            if arms.first() != Some(&0) {
                break;
            }
            let (mut turns, mut processes) = (Vec::new(), Vec::new());
            for (position, arm) in (0..).zip(order(plan.seed, launch, 0, 0, &arms)) {
                match self.starter.once(&plan.arms[arm], &*stage) {
                    Ok(Ok(timed)) => {
                        let Timed { code, signal, .. } = timed;
                        processes.push(LaunchArm { arm, layout: None, pad: 0, peak_rss: None, code, signal });
                        low[arm] |= at_floor(&timed);
                        turns.extend(turns_of(&timed, &plan.benchmarks, position, arm));
                    }
                    Ok(Err(reason)) => {
                        let failures = failed(&*stage, &plan, &plan.arms[arm], Some(launch), &reason);
                        store.file.failures.extend(failures);
                    }
                    Err(_) if self.watcher.stopped() => {
                        store.file.state = State::Stopped;
                        stage.end();
                        return Self::leave_out_memory(store, &low);
                    }
                    Err(error) => return Err(error),
                }
            }
            turns.sort_by_key(|turn| (turn.benchmark, turn.position));
            processes.sort_by_key(|process| process.arm);
            store.add(&Launch { index: launch, arms: processes, turns })?;
            stage.step();
        }
        store.file.state = State::Finished;
        tell_failures(&*stage, store);
        stage.end();
        Self::leave_out_memory(store, &low)
    }

    /// Memory that looks the same as the stand-in's is a row that says so. The record is saved.
    fn leave_out_memory(store: &mut Store, low: &[bool; ARMS.len()]) -> anyhow::Result<()> {
        let reason = FailureReason::NotOffered {
            why: "it holds no more memory than the process that starts it, below which nothing is seen"
                .to_owned(),
        };
        let arms: Vec<&str> =
            ARMS.iter().zip(low).filter(|(_, low)| **low).map(|((name, _), _)| *name).collect();
        let rows = &store.file.plan.benchmarks;
        let memory = rows.iter().find(|row| row.measure == Measure::Memory).map(|row| row.name.clone());
        for name in &arms {
            store.file.failures.push(RunFailure {
                arm: (*name).to_owned(),
                benchmark: memory.clone(),
                launch: None,
                reason: reason.clone(),
            });
        }
        store.save()?;
        match memory {
            Some(memory) if !arms.is_empty() => store.drop_rows(&memory, &arms),
            _ => Ok(()),
        }
    }
}

/// So many launches as a time holds, decided before the first of them.
fn launches_in(budget: Duration, block: Duration) -> u32 {
    let fit = budget.as_secs_f64() / block.as_secs_f64().max(1e-6);
    (fit as u32).clamp(*LAUNCHES.start(), *LAUNCHES.end())
}

fn at_floor(timed: &Timed) -> bool {
    timed.rss_bytes <= timed.floor_bytes + AT_FLOOR
}

fn turns_of(timed: &Timed, rows: &[Benchmark], position: u32, arm: usize) -> Vec<Turn> {
    let value = |row: &Benchmark| match row.measure {
        // The log of nothing is not a number: a command of less than a microsecond of CPU time counts as one.
        Measure::CpuTime => timed.cpu_ns.max(1000),
        Measure::Memory => timed.rss_bytes,
        _ => timed.wall_ns,
    };
    let turn = |(benchmark, row): (usize, &Benchmark)| Turn {
        benchmark,
        block: 0,
        position,
        arm,
        slices: vec![Slice::once(Sample { value: value(row), unit: row.unit })],
    };
    rows.iter().enumerate().map(turn).collect()
}

/// Says which runs count though they failed: a command may fail for another reason than the one that was meant to be
/// ignored.
fn tell_failures(stage: &dyn Stage, store: &Store) {
    for (at, arm) in store.file.plan.arms.iter().enumerate().take(2) {
        let ends: Vec<&LaunchArm> =
            store.file.launches.iter().flat_map(|launch| &launch.arms).filter(|end| end.arm == at).collect();
        let mut told: Vec<(Option<i32>, Option<i32>)> = Vec::new();
        for end in ends.iter().filter(|end| end.code != Some(0)) {
            if told.contains(&(end.code, end.signal)) {
                continue;
            }
            told.push((end.code, end.signal));
            let same =
                ends.iter().filter(|other| (other.code, other.signal) == (end.code, end.signal)).count();
            let how = match (end.code, end.signal) {
                (Some(code), _) => format!("exited with code {code}"),
                (None, signal) => format!("were ended by signal {}", signal.unwrap_or(0)),
            };
            stage.say(&format!("{}: {same} of {} runs {how}; they count", arm.name, ends.len()));
        }
    }
}

/// The failure of an arm. What A cannot do, its control cannot either.
fn failed(
    stage: &dyn Stage,
    plan: &Plan,
    arm: &Arm,
    launch: Option<u32>,
    reason: &FailureReason,
) -> Vec<RunFailure> {
    stage.say(&format!("{}: {}", arm.name, sentence_for(Built::Never, reason)));
    let concerned = plan.arms.iter().filter(|other| {
        other.name == arm.name || (arm.role == Role::Baseline && other.role == Role::Control)
    });
    concerned
        .map(|other| RunFailure { arm: other.name.clone(), benchmark: None, launch, reason: reason.clone() })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Unit;

    #[test]
    fn a_budget_is_cut_into_launches_within_bounds() {
        assert_eq!(launches_in(Duration::from_secs(10), Duration::from_millis(100)), 100);
        assert_eq!(launches_in(Duration::from_secs(10), Duration::from_secs(30)), 6);
        assert_eq!(launches_in(Duration::from_secs(10), Duration::from_micros(10)), 1_000);
    }

    #[test]
    fn memory_below_the_stand_in_s_is_not_a_number() {
        let timed = |rss_bytes| Timed {
            wall_ns: 1,
            cpu_ns: 0,
            rss_bytes,
            floor_bytes: 5_000_000,
            code: Some(0),
            signal: None,
            left: false,
        };
        assert!(at_floor(&timed(5_000_000)) && at_floor(&timed(6_048_576)) && !at_floor(&timed(6_048_577)));
        let rows = Workload::Command(Command { words: Vec::new() }).rows();
        let turns = turns_of(&timed(6_000_000), &rows, 0, 1);
        assert_eq!(turns[1].slices[0].sample, Sample { value: 1000, unit: Unit::Nanos });
    }
}
