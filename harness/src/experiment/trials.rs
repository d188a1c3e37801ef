//! Measuring rows until each is decided: screening, then a fresh experiment of those that look regressed.

use std::time::{Duration, Instant};

use crate::analyse::{launch_log_ratios, typical_value};
use crate::build::Artifact;
use crate::experiment::context::Locked;
use crate::experiment::session::{Event, launches};
use crate::judge::{Confirming, GateRule, LOOKS, Paired, Standing};
use crate::measure::{Launch, Pace, Prepared, RunFailure};
use crate::plan::{Bounds, Plan};

/// Added to a plan's seed for its confirmation: other orders, layouts and pads than those of the screening.
const FRESH: u64 = 0x9E37_79B9_7F4A_7C15;

/// The share of the time left that screening may take; the rest is kept for confirming.
const SCREENING_SHARE: f64 = 0.6;

/// Arms that are measured together, the reference first.
pub(crate) struct Trial {
    /// What is measured.
    pub plan: Plan,
    /// The executables, by arm.
    pub artifacts: Vec<Option<Artifact>>,
    /// Calls a slice.
    pub prepared: Prepared,
    /// The arms whose rows are judged.
    pub judged: Vec<usize>,
    /// The reference against itself, measured wherever a row is.
    pub control: Option<usize>,
    /// The bounds of each benchmark.
    pub bounds: Vec<Bounds>,
}

/// What is measured for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Every row, to find those that look regressed.
    Screening,
    /// Those, afresh.
    Confirmation,
}

/// The launches of a row in one phase.
#[derive(Clone, Debug, Default)]
pub(crate) struct Phased {
    /// One log ratio a launch.
    pub values: Vec<f64>,
    /// Where the row stands; `None` before its first look.
    pub standing: Option<Standing>,
    /// Seconds of measuring that the row and its reference took.
    pub seconds: f64,
}

impl Phased {
    fn is_open(&self) -> bool {
        self.standing.is_none_or(|standing| standing == Standing::Open)
    }

    /// What it says, when `rows` rows were looked at together; `None` before its first look.
    pub(crate) fn paired(&self, rows: usize) -> Option<Paired<'_>> {
        Some(Paired {
            values: &self.values,
            standing: self.standing?,
            rows,
            launch_seconds: self.seconds / self.values.len().max(1) as f64,
        })
    }
}

/// One row that is measured.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    /// Index of its trial.
    pub trial: usize,
    /// Index of its arm.
    pub arm: usize,
    /// Index of its benchmark.
    pub benchmark: usize,
    /// The first experiment.
    pub screening: Phased,
    /// The reference against itself in the first, where there is a control.
    pub control: Vec<f64>,
    /// The median time of a call, or what the suite counts: the reference's and the row's own.
    pub values: Option<(f64, f64)>,
    /// The second, of rows that looked regressed and for which there was time.
    pub confirmation: Option<Phased>,
    /// Why it could not be measured to the end.
    pub failure: Option<RunFailure>,
}

/// What measuring found.
pub(crate) struct Measured {
    /// Every row.
    pub rows: Vec<Row>,
    /// The control rows that differ from themselves: trial and benchmark.
    pub void: Vec<(usize, usize)>,
    /// The user stopped it.
    pub stopped: bool,
}

impl Measured {
    /// How many rows were confirmed together.
    pub(crate) fn confirmed(&self) -> usize {
        self.rows.iter().filter(|row| row.confirmation.is_some()).count()
    }
}

/// What is handed over as soon as it has it.
pub(crate) type Sink<'a> = dyn FnMut(usize, Phase, Event) -> anyhow::Result<()> + 'a;

/// Measures trials by one rule until every row is decided, or the time is over.
pub(crate) struct Trials<'a> {
    pub context: &'a Locked<'a>,
    pub trials: &'a mut [Trial],
    pub rule: &'a mut GateRule,
    /// When measuring has to end; `None` lets every row have all of its launches.
    pub deadline: Option<Instant>,
    /// Whether each look has a line of progress.
    pub tells: bool,
}

impl Trials<'_> {
    /// Screens and confirms.
    pub(crate) fn run(&mut self, sink: &mut Sink<'_>) -> anyhow::Result<Measured> {
        let mut measured = Measured { rows: self.rows(), void: Vec::new(), stopped: false };
        let now = Instant::now();
        let share = |end: Instant| now + end.saturating_duration_since(now).mul_f64(SCREENING_SHARE);
        self.phase(Phase::Screening, &mut measured, self.deadline.map(share), sink)?;
        for row in &mut measured.rows {
            let suspected = row.screening.standing == Some(Standing::Regressed) && row.failure.is_none();
            row.confirmation = suspected.then(Phased::default);
        }
        if measured.confirmed() > 0 && !measured.stopped {
            for trial in self.trials.iter_mut() {
                trial.plan.seed = trial.plan.seed.wrapping_add(FRESH);
            }
            self.phase(Phase::Confirmation, &mut measured, self.deadline, sink)?;
        }
        for row in &mut measured.rows {
            // What had no look was not confirmed.
            row.confirmation.take_if(|phased| phased.standing.is_none());
        }
        Ok(measured)
    }

    fn rows(&self) -> Vec<Row> {
        let mut rows = Vec::new();
        for (at, trial) in self.trials.iter().enumerate() {
            for benchmark in 0..trial.plan.benchmarks.len() {
                for &arm in &trial.judged {
                    let takes_part = |arm: usize| {
                        trial.artifacts[arm].is_some() && trial.prepared.paces[arm][benchmark].is_some()
                    };
                    if takes_part(0) && takes_part(arm) {
                        rows.push(Row {
                            trial: at,
                            arm,
                            benchmark,
                            screening: Phased::default(),
                            control: Vec::new(),
                            values: None,
                            confirmation: None,
                            failure: None,
                        });
                    }
                }
            }
        }
        rows
    }

    fn phase(
        &mut self,
        phase: Phase,
        measured: &mut Measured,
        end: Option<Instant>,
        sink: &mut Sink<'_>,
    ) -> anyhow::Result<()> {
        let mut taken: Vec<Vec<Launch>> = self.trials.iter().map(|_| Vec::new()).collect();
        let mut reached = 0;
        for (at, &look) in LOOKS.iter().enumerate() {
            let open = open(&measured.rows, phase);
            if open == 0 {
                break;
            }
            let began = Instant::now();
            self.measure_to(look, phase, &mut measured.rows, &mut taken, sink)?;
            if self.context.stopped() {
                measured.stopped = true;
                break;
            }
            self.look(phase, measured, &taken, false);
            let each = began.elapsed().div_f64((open * (look - reached)) as f64);
            reached = look;
            let next = LOOKS.get(at + 1).filter(|&&next| {
                let needed = each.mul_f64((self::open(&measured.rows, phase) * (next - look)) as f64);
                end.is_none_or(|end| Instant::now() + needed <= end)
            });
            if next.is_none() {
                self.look(phase, measured, &taken, true);
                break;
            }
        }
        Ok(())
    }

    /// Measures the open rows up to so many launches.
    fn measure_to(
        &mut self,
        look: usize,
        phase: Phase,
        rows: &mut [Row],
        taken: &mut [Vec<Launch>],
        sink: &mut Sink<'_>,
    ) -> anyhow::Result<()> {
        let open = open(rows, phase);
        let name = if phase == Phase::Screening { "screen" } else { "confirm" };
        let units: usize = (0..self.trials.len()).map(|at| self.active(at, rows, phase).0).sum();
        let from = taken.iter().map(Vec::len).min().unwrap_or(0);
        let stage = self.tells.then(|| {
            let left = (units * look.saturating_sub(from)) as u64;
            let what = format!("{open} row{} to {look} launches", plural(open));
            self.context.progress().stage(name, &what, left)
        });
        let quiet = self.context.quiet(name);
        for (at, taken) in taken.iter_mut().enumerate() {
            let (benchmarks, masked) = self.active(at, rows, phase);
            if benchmarks == 0 {
                continue;
            }
            let trial = &mut self.trials[at];
            let arms: usize = masked.iter().flatten().flatten().count();
            let plan = Plan {
                budget: crate::plan::Budget { launches: u32::try_from(look)?, ..trial.plan.budget },
                ..trial.plan.clone()
            };
            let mut prepared = Prepared { paces: masked.clone(), ..trial.prepared.clone() };
            let first = u32::try_from(taken.len())?;
            let mut failures = Vec::new();
            let began = Instant::now();
            launches(
                self.context,
                &plan,
                &trial.artifacts,
                &mut prepared,
                first,
                stage.as_deref().unwrap_or(&quiet),
                &mut |event| {
                    match &event {
                        Event::Launch(launch) => taken.push(launch.clone()),
                        Event::Failure(failure) => failures.push(failure.clone()),
                    }
                    sink(at, phase, event)
                },
            )?;
            let share = began.elapsed().div_f64(arms.max(1) as f64).mul_f64(2.0);
            add_seconds(rows, at, phase, share);
            for failure in failures {
                leave_out(trial, rows, at, &failure);
            }
        }
        if let Some(stage) = stage {
            stage.end();
        }
        Ok(())
    }

    /// How many benchmarks of a trial are still measured, and the paces with the others taken out.
    fn active(&self, at: usize, rows: &[Row], phase: Phase) -> (usize, Vec<Vec<Option<Pace>>>) {
        let trial = &self.trials[at];
        let mut paces: Vec<Vec<Option<Pace>>> =
            trial.prepared.paces.iter().map(|arm| vec![None; arm.len()]).collect();
        let mut benchmarks = 0;
        for benchmark in 0..trial.plan.benchmarks.len() {
            let open = rows
                .iter()
                .filter(|row| row.trial == at && row.benchmark == benchmark && is_open(row, phase));
            let mut arms: Vec<usize> = open.map(|row| row.arm).collect();
            if arms.is_empty() {
                continue;
            }
            benchmarks += 1;
            arms.push(0);
            arms.extend(trial.control);
            for arm in arms {
                if let (Some(pace), Some(known)) =
                    (paces[arm].get_mut(benchmark), trial.prepared.paces[arm].get(benchmark))
                {
                    *pace = *known;
                }
            }
        }
        (benchmarks, paces)
    }

    /// Looks at the rows that are open.
    fn look(&mut self, phase: Phase, measured: &mut Measured, taken: &[Vec<Launch>], last: bool) {
        self.look_at_controls(phase, measured, taken);
        for row in measured.rows.iter_mut().filter(|row| is_open(row, phase)) {
            let values = launch_log_ratios(&taken[row.trial], row.benchmark, row.arm);
            let bounds = self.trials[row.trial].bounds[row.benchmark];
            match phase {
                Phase::Screening => {
                    row.screening.standing = Some(self.rule.screen(&values, bounds, last));
                    row.screening.values = values;
                    row.values = typical(&taken[row.trial], row.benchmark, row.arm);
                    if let Some(control) = self.trials[row.trial].control {
                        row.control = launch_log_ratios(&taken[row.trial], row.benchmark, control);
                    }
                }
                Phase::Confirmation => {
                    if let Some(phased) = &mut row.confirmation {
                        phased.standing.get_or_insert(Standing::Open);
                        phased.values = values;
                    }
                }
            }
        }
        if phase == Phase::Confirmation {
            self.confirm(&mut measured.rows, last);
        }
    }

    fn confirm(&mut self, rows: &mut [Row], last: bool) {
        let trials = &self.trials;
        let mut confirming: Vec<Confirming<'_>> = rows
            .iter()
            .filter_map(|row| {
                let phased = row.confirmation.as_ref()?;
                let bounds = trials[row.trial].bounds[row.benchmark];
                let standing = phased.standing.unwrap_or(Standing::Open);
                // A row that failed has no more to say, and still counts among the rows.
                let standing = if row.failure.is_some() { Standing::Undecided } else { standing };
                Some(Confirming { values: &phased.values, bounds, standing })
            })
            .collect();
        self.rule.confirm(&mut confirming, last);
        let standings: Vec<Standing> = confirming.iter().map(|row| row.standing).collect();
        let confirmed = rows.iter_mut().filter_map(|row| row.confirmation.as_mut());
        for (phased, standing) in confirmed.zip(standings) {
            phased.standing = Some(standing);
        }
    }

    fn look_at_controls(&self, phase: Phase, measured: &mut Measured, taken: &[Vec<Launch>]) {
        for (at, trial) in self.trials.iter().enumerate() {
            let Some(control) = trial.control else { continue };
            for benchmark in 0..trial.plan.benchmarks.len() {
                let open = |row: &Row| row.trial == at && row.benchmark == benchmark && is_open(row, phase);
                if !measured.rows.iter().any(open) || measured.void.contains(&(at, benchmark)) {
                    continue;
                }
                let values = launch_log_ratios(&taken[at], benchmark, control);
                if self.rule.voids(&values, trial.bounds[benchmark]) {
                    measured.void.push((at, benchmark));
                }
            }
        }
    }
}

/// The median value of the reference and of the row.
fn typical(taken: &[Launch], benchmark: usize, arm: usize) -> Option<(f64, f64)> {
    Some((typical_value(taken, benchmark, 0)?, typical_value(taken, benchmark, arm)?))
}

fn plural(count: usize) -> &'static str {
    if count == 1 { "" } else { "s" }
}

fn is_open(row: &Row, phase: Phase) -> bool {
    row.failure.is_none()
        && match phase {
            Phase::Screening => row.screening.is_open(),
            Phase::Confirmation => row.confirmation.as_ref().is_some_and(Phased::is_open),
        }
}

fn open(rows: &[Row], phase: Phase) -> usize {
    rows.iter().filter(|row| is_open(row, phase)).count()
}

fn add_seconds(rows: &mut [Row], trial: usize, phase: Phase, share: Duration) {
    for row in rows.iter_mut().filter(|row| row.trial == trial && is_open(row, phase)) {
        match (phase, &mut row.confirmation) {
            (Phase::Screening, _) => row.screening.seconds += share.as_secs_f64(),
            (Phase::Confirmation, Some(phased)) => phased.seconds += share.as_secs_f64(),
            (Phase::Confirmation, None) => {}
        }
    }
}

/// Leaves out what failed, in this phase and in the next.
fn leave_out(trial: &mut Trial, rows: &mut [Row], at: usize, failure: &RunFailure) {
    let Some(arm) = trial.plan.arms.iter().position(|arm| arm.name == failure.arm) else { return };
    for (benchmark, known) in trial.plan.benchmarks.iter().enumerate() {
        if failure.benchmark.as_ref().is_some_and(|name| name != &known.name) {
            continue;
        }
        trial.prepared.paces[arm][benchmark] = None;
        let concerned =
            |row: &&mut Row| row.trial == at && row.benchmark == benchmark && (arm == 0 || row.arm == arm);
        for row in rows.iter_mut().filter(concerned) {
            row.failure = Some(failure.clone());
        }
    }
}
