//! What a reader should know before believing a number.

use crate::analyse::{Analysis, Row, Warning, is_preempted, launch_medians};
use crate::measure::{ArmFacts, Run};
use crate::plan::{Plan, Role};

/// A share of preempted slices worth a word.
const MUCH_PREEMPTION: f64 = 0.05;
/// Below this many launches a t interval rests on the assumption of normality alone.
const FEW_LAUNCHES: u32 = 6;

pub(crate) fn warnings(plan: &Plan, run: &Run, analysis: &Analysis) -> Vec<Warning> {
    let mut warnings = Vec::new();
    let slices = || run.launches.iter().flat_map(|launch| &launch.turns).flat_map(|turn| &turn.slices);
    let all = slices().count();
    let preempted = slices().filter(|slice| is_preempted(slice)).count();
    if all > 0 && preempted as f64 / all as f64 > MUCH_PREEMPTION {
        warnings.push(Warning::Preempted { share: preempted as f64 / all as f64 });
    }
    // Nothing links Python code, or a library that somebody else built.
    let linked = |arm: usize| plan.arms[arm].workload.has_layouts();
    let without_layout = |launch: &crate::measure::Launch| {
        launch.arms.iter().any(|process| process.layout.is_none() && linked(process.arm))
    };
    if run.launches.iter().any(without_layout) {
        let arms = named(analysis, |facts| facts.other_linker);
        warnings.push(if arms.is_empty() { Warning::OneLayout } else { Warning::OtherLinker { arms } });
    }
    let mut told: Vec<&String> = analysis.arms.iter().flat_map(|arm| &arm.facts.overridden).collect();
    told.sort();
    told.dedup();
    warnings.extend(told.into_iter().map(|what| {
        let arms = named(analysis, |facts| facts.overridden.contains(what));
        Warning::Overridden { what: what.clone(), arms }
    }));
    let compilers = analysis.compilers();
    if compilers.len() > 1 {
        warnings.push(Warning::Compilers { compilers });
    }
    warnings.extend(unchecked(plan));
    let (finished, planned) = (analysis.launches, plan.budget.launches);
    if finished < planned {
        warnings.push(Warning::Interrupted { finished, planned });
    }
    if finished < FEW_LAUNCHES {
        warnings.push(Warning::FewLaunches { finished });
    }
    warnings.extend(without_numbers(plan, run));
    warnings.extend(
        analysis
            .rows
            .iter()
            .filter(|row| is_bimodal(row))
            .map(|row| Warning::Bimodal { benchmark: row.benchmark.clone(), arm: row.arm.clone() }),
    );
    warnings
}

/// The benchmarks whose answers nobody knows.
fn unchecked(plan: &Plan) -> Option<Warning> {
    let (unchecked, checked): (Vec<_>, Vec<_>) = plan.benchmarks.iter().partition(|row| row.unchecked);
    let names = unchecked.iter().map(|row| row.name.clone());
    let benchmarks = if checked.is_empty() { Vec::new() } else { names.collect() };
    (!unchecked.is_empty()).then_some(Warning::Unchecked { benchmarks })
}

/// The benchmarks that have turns of an arm and no value, but for controls, which are the baseline again.
fn without_numbers(plan: &Plan, run: &Run) -> Vec<Warning> {
    let arms = plan.arms.iter().enumerate().filter(|(_, arm)| arm.role != Role::Control);
    let cells = arms.flat_map(|(at, arm)| plan.benchmarks.iter().enumerate().map(move |row| (at, arm, row)));
    let measured = |benchmark, arm| {
        let mut turns = run.launches.iter().flat_map(|launch| &launch.turns);
        turns.any(|turn| turn.benchmark == benchmark && turn.arm == arm)
    };
    cells
        .filter(|&(arm, _, (row, _))| {
            measured(row, arm) && launch_medians(&run.launches, row, arm).is_empty()
        })
        .map(|(_, arm, (_, row))| Warning::NoNumbers { benchmark: row.name.clone(), arm: arm.name.clone() })
        .collect()
}

/// The arms of which this is so, but for controls, which are the baseline again.
fn named(analysis: &Analysis, is: impl Fn(&ArmFacts) -> bool) -> Vec<String> {
    let arms = analysis.arms.iter().filter(|arm| arm.role != Role::Control && is(&arm.facts));
    arms.map(|arm| arm.arm.clone()).collect()
}

/// Two groups: one gap between neighbouring launches holds more than half of the whole range, with at least
/// a quarter of the launches on either side, and is more than 5 % wide.
fn is_bimodal(row: &Row) -> bool {
    let mut sorted = row.launches.clone();
    sorted.sort_by(f64::total_cmp);
    let (Some(first), Some(last)) = (sorted.first(), sorted.last()) else {
        return false;
    };
    let range = last - first;
    let quarter = sorted.len().div_ceil(4);
    sorted.len() >= 8
        && sorted.windows(2).enumerate().any(|(index, pair)| {
            let gap = pair[1] - pair[0];
            gap > range / 2.0 && gap > 0.05 && index + 1 >= quarter && sorted.len() - index > quarter
        })
}
