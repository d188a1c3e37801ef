//! A budget of time: how many launches fit in it, and what is left out where not even a few do.

use std::time::{Duration, Instant};

use crate::experiment::artifacts::Artifacts;
use crate::experiment::context::Context;
use crate::measure::{FailureReason, Prepared, RunFailure};
use crate::plan::{Bench, Budget, Plan, Role};

/// The fewest launches that are worth measuring: an interval over launches needs some.
const FEWEST: u32 = 6;
/// The share of the time that may be planned: what one launch takes differs.
const PLANNED: f64 = 0.85;
/// What a launch takes besides its turns, for each arm: a layout is linked and a process is started.
const START: Duration = Duration::from_millis(120);

/// How long a run may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fit {
    begun: Instant,
    budget: Duration,
    most: u32,
}

impl Fit {
    /// A run that begins now, and is never longer than `most` launches.
    pub(crate) fn new(budget: Duration, most: u32) -> Self {
        Self { begun: Instant::now(), budget, most }
    }

    /// When no further arm's build is begun: as much again is for measuring.
    pub(crate) fn build_deadline(&self) -> Instant {
        self.begun + self.budget.mul_f64(0.6)
    }

    /// Chooses the launches. Where fewer than a few fit, candidates are left out from the last one on, then benchmarks,
    /// each as a row with this reason.
    pub(crate) fn apply(
        &self,
        context: &Context,
        plan: &mut Plan,
        artifacts: &mut Artifacts,
        prepared: &mut Prepared,
    ) {
        let left = self.budget.saturating_sub(self.begun.elapsed()).as_secs_f64() * PLANNED;
        let why =
            FailureReason::NotOffered { why: format!("left out to end within {} s", self.budget.as_secs()) };
        let mut out = Vec::new();
        while launches(left, plan, artifacts, prepared) < FEWEST {
            let Some(arm) = last_candidate(plan, artifacts) else { break };
            artifacts.arms[arm] = None;
            prepared.paces[arm].fill(None);
            artifacts.failures.push(failure(&plan.arms[arm].name, None, &why));
            out.push(format!("arm {}", plan.arms[arm].name));
        }
        while launches(left, plan, artifacts, prepared) < FEWEST {
            let Some(row) = longest_row(plan, prepared) else { break };
            for paces in &mut prepared.paces {
                paces[row] = None;
            }
            let name = plan.benchmarks[row].name.clone();
            prepared.failures.push(failure(&plan.arms[0].name, Some(&name), &why));
            out.push(name);
        }
        plan.budget.launches = launches(left, plan, artifacts, prepared).clamp(1, self.most);
        let chosen = plan.budget.launches;
        let mut said = format!("{chosen} launches fit into what is left of {} s", self.budget.as_secs());
        if !out.is_empty() {
            said.push_str(&format!("; left out: {}", out.join(", ")));
        }
        context.progress().say("budget", &said);
    }
}

fn failure(arm: &str, benchmark: Option<&str>, why: &FailureReason) -> RunFailure {
    RunFailure {
        arm: arm.to_owned(),
        benchmark: benchmark.map(str::to_owned),
        launch: None,
        reason: why.clone(),
    }
}

/// The last candidate that takes part, while there is another.
fn last_candidate(plan: &Plan, artifacts: &Artifacts) -> Option<usize> {
    let takes_part = |arm: &usize| plan.arms[*arm].role == Role::Candidate && artifacts.arms[*arm].is_some();
    let mut candidates = (0..plan.arms.len()).filter(takes_part);
    candidates.next()?;
    candidates.next_back()
}

/// The benchmark that takes longest, while there is another.
fn longest_row(plan: &Plan, prepared: &Prepared) -> Option<usize> {
    let takes_part = |row: &usize| prepared.paces.iter().any(|paces| paces[*row].is_some());
    let rows: Vec<usize> = (0..plan.benchmarks.len()).filter(takes_part).collect();
    let longest = rows.iter().copied().max_by_key(|&row| prepared.slice_ns.get(row).copied());
    longest.filter(|_| rows.len() > 1)
}

/// The launches that fit into so many seconds.
fn launches(left: f64, plan: &Plan, artifacts: &Artifacts, prepared: &Prepared) -> u32 {
    let mut each = 0.0;
    for (arm, artifact) in artifacts.arms.iter().enumerate() {
        if artifact.is_none() {
            continue;
        }
        let bench = plan.arms[arm].workload.variant().and_then(|variant| variant.bench);
        let rows = prepared.paces[arm].iter().enumerate().filter(|(_, pace)| pace.is_some());
        let turns = rows.map(|(row, _)| {
            let slice = prepared.slice_ns.get(row).copied().unwrap_or(plan.budget.slice_ns);
            turn_seconds(&plan.budget, slice, bench)
        });
        each += START.as_secs_f64() + turns.sum::<f64>() * f64::from(plan.budget.blocks);
    }
    let fit = (left / f64::max(each, 1e-6)).floor();
    // Beyond any limit of launches it does not matter how many.
    if fit >= f64::from(u32::MAX) { u32::MAX } else { fit as u32 }
}

/// How long a turn takes whose slice takes so long.
pub(crate) fn turn_seconds(budget: &Budget, slice_ns: u64, bench: Option<Bench>) -> f64 {
    let slices = match bench {
        // One process makes all slices of a turn.
        Some(Bench::Criterion | Bench::Divan) => 1.0,
        _ => f64::from(budget.slices),
    };
    (budget.settle_ns as f64 + slices * slice_ns as f64) / 1e9
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::Pace;
    use crate::plan::fixture;

    fn planned(rows: &[&str]) -> (Plan, Prepared) {
        let arms = vec![
            fixture::arm("a", Role::Baseline),
            fixture::arm("b", Role::Candidate),
            fixture::arm("c", Role::Candidate),
            fixture::arm("a (A/A)", Role::Control),
        ];
        let plan = fixture::plan(16, arms, rows);
        let pace = Some(Pace { iters: 1, extra: 0, long: false });
        let prepared = Prepared {
            paces: vec![vec![pace; rows.len()]; 4],
            slice_ns: (0..rows.len()).map(|at| 1_000_000 * (at as u64 + 1)).collect(),
            benchmarks: plan.benchmarks.clone(),
            failures: Vec::new(),
        };
        (plan, prepared)
    }

    #[test]
    fn a_turn_takes_its_slices_and_a_driven_one_takes_one_process() {
        let budget = Budget { slices: 4, settle_ns: 1_000_000, ..Budget::of(1) };
        let near = |a: f64, b: f64| assert!((a - b).abs() < 1e-12, "{a} {b}");
        near(turn_seconds(&budget, 2_000_000, Some(Bench::Subject)), 0.009);
        near(turn_seconds(&budget, 2_000_000, None), 0.009);
        near(turn_seconds(&budget, 2_000_000, Some(Bench::Criterion)), 0.003);
    }

    #[test]
    fn rows_go_from_the_longest_on_and_one_always_stays() {
        let (plan, mut prepared) = planned(&["short", "long"]);
        assert_eq!(longest_row(&plan, &prepared), Some(1));
        prepared.paces.iter_mut().for_each(|paces| paces[1] = None);
        assert_eq!(longest_row(&plan, &prepared), None);
    }
}
