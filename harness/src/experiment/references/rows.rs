//! The rows of a record: everything in it that a reference can hold.

use crate::analyse::launch_medians;
use crate::judge::{Measured, Reference, ReferenceArm};
use crate::measure::{ArmFacts, Launch, Run};
use crate::plan::{Arm, Built, Measure, Plan, Role};
use crate::stats::mean_interval;

/// What sizes are rows of.
pub(crate) const EXECUTABLE: &str = "executable";
/// What the memory of an arm's process is a row of.
pub(crate) const PROCESS: &str = "process";

/// How the arms were built.
pub(crate) fn arms(plan: &Plan, facts: &[ArmFacts]) -> Vec<ReferenceArm> {
    let of = |arm: &Arm| {
        let facts = facts.iter().find(|facts| facts.arm == arm.name);
        ReferenceArm {
            name: arm.name.clone(),
            profile: arm.profile().to_owned(),
            flags: facts.map_or_else(Vec::new, |facts| facts.flags.clone()),
        }
    };
    plan.arms.iter().filter(|arm| arm.role != Role::Control).map(of).collect()
}

/// Every row of a record, in the order of its plan: times, sizes, memory.
pub(crate) fn rows(plan: &Plan, run: &Run) -> Vec<Reference> {
    let mut rows = Vec::new();
    for (index, arm) in plan.arms.iter().enumerate().filter(|(_, arm)| arm.role != Role::Control) {
        let facts = run.facts.iter().find(|facts| facts.arm == arm.name);
        let twin = facts.and_then(|facts| facts.identical_to.as_ref());
        let source = twin.and_then(|name| plan.arms.iter().position(|other| &other.name == name));
        rows.extend(times(plan, &run.launches, &arm.name, source.unwrap_or(index)));
        if plan.traits().built == Built::EveryTurn {
            continue;
        }
        rows.extend(facts.into_iter().flat_map(sizes));
        rows.extend(memory(&run.launches, &arm.name, source.unwrap_or(index)));
    }
    rows
}

fn times(plan: &Plan, launches: &[Launch], arm: &str, index: usize) -> Vec<Reference> {
    let of = |at: usize| {
        let benchmark = &plan.benchmarks[at];
        let medians = launch_medians(launches, at, index);
        reference(&benchmark.name, arm, benchmark.measure, &medians)
    };
    (0..plan.benchmarks.len()).filter_map(of).collect()
}

/// A row over launches; `None` without any.
pub(crate) fn reference(benchmark: &str, arm: &str, measure: Measure, values: &[f64]) -> Option<Reference> {
    let Measured { value, spread, launches } = measured(values)?;
    let logs: Vec<f64> = values.iter().map(|value| value.ln()).collect();
    let interval = mean_interval(&logs, 0.95).map(|log| log.interval.map(f64::exp));
    Some(Reference {
        benchmark: benchmark.to_owned(),
        arm: arm.to_owned(),
        measure,
        value: rounded(value),
        lo: rounded(interval.map_or(value, |interval| interval.lo)),
        hi: rounded(interval.map_or(value, |interval| interval.hi)),
        spread: (spread * 1e6).round() / 1e6,
        launches,
    })
}

/// The geometric mean and spread of values over launches; `None` without any, or where one is not above zero.
pub(crate) fn measured(values: &[f64]) -> Option<Measured> {
    let logs: Vec<f64> = values.iter().map(|value| value.ln()).collect();
    let mean = crate::stats::mean(&logs)?;
    Some(Measured {
        value: mean.exp(),
        spread: crate::stats::sd(&logs).unwrap_or(0.0),
        launches: u32::try_from(values.len()).unwrap_or(u32::MAX),
    })
}

/// Sizes of an arm's artifact.
pub(crate) fn sizes(facts: &ArmFacts) -> Vec<Reference> {
    let row = |measure, bytes: u64| {
        let value = bytes as f64;
        Reference {
            benchmark: EXECUTABLE.to_owned(),
            arm: facts.arm.clone(),
            measure,
            value,
            lo: value,
            hi: value,
            spread: 0.0,
            launches: 1,
        }
    };
    let rows = [row(Measure::FileSize, facts.file_bytes), row(Measure::CodeSize, facts.text_bytes)];
    rows.into_iter().filter(|row| row.value > 0.0).collect()
}

/// The most memory that an arm's process held.
pub(crate) fn memory(launches: &[Launch], arm: &str, index: usize) -> Option<Reference> {
    let of = |launch: &Launch| {
        let process = launch.arms.iter().find(|process| process.arm == index)?;
        Some(process.peak_rss? as f64)
    };
    let values: Vec<f64> = launches.iter().filter_map(of).collect();
    reference(PROCESS, arm, Measure::Memory, &values)
}

/// To seven digits: a thousandth of the spread of the calmest row.
fn rounded(value: f64) -> f64 {
    if !value.is_normal() {
        return value;
    }
    let digits = (6 - value.abs().log10().floor() as i32).clamp(-300, 300);
    let step = 10f64.powi(digits.abs());
    if digits >= 0 { (value * step).round() / step } else { (value / step).round() * step }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Budget, fixture};

    #[test]
    fn a_value_keeps_seven_digits() {
        assert_eq!(rounded(5_160.254_321_9), 5_160.254);
        assert_eq!(rounded(123_456_789.0), 123_456_800.0);
        assert_eq!(rounded(0.0), 0.0);
    }

    #[test]
    fn a_row_is_the_mean_over_launches() {
        let row = reference("b", "a", Measure::Time, &[90.0, 100.0, 1000.0 / 9.0]).unwrap();
        assert!((row.value - 100.0).abs() < 1e-4 && row.lo < 90.0 && row.hi > 110.0, "{row:?}");
        assert_eq!((row.launches, row.spread > 0.1), (3, true));
        assert_eq!(reference("b", "a", Measure::Time, &[]), None);
        assert_eq!(reference("b", "a", Measure::Time, &[1.0, 0.0]), None, "no time is zero");
    }

    #[test]
    fn controls_are_no_rows() {
        let arms = vec![fixture::arm("a", Role::Baseline), fixture::arm("a (A/A)", Role::Control)];
        let plan = fixture::plan(Budget::of(1).launches, arms, &["b"]);
        let facts = |arm: &str| ArmFacts { arm: arm.into(), file_bytes: 7, ..ArmFacts::default() };
        let run = Run { facts: vec![facts("a"), facts("a (A/A)")], ..Run::default() };
        let rows = rows(&plan, &run);
        assert_eq!(rows.len(), 1);
        assert_eq!((rows[0].arm.as_str(), rows[0].measure), ("a", Measure::FileSize));
        assert_eq!(super::arms(&plan, &run.facts).len(), 1);
    }
}
