//! The first process of each arm: it checks every answer, sizes the slices, and is thrown away.

use std::collections::BTreeSet;
use std::time::Instant;

use perflab_subject::protocol::Prepared as SizedCall;

use crate::measure::arm::Arm;
use crate::measure::wire::{Listed, Listing};
use crate::measure::{ArmProgram, FailureReason, Pace, RunFailure};
use crate::plan::{Benchmark, Budget};

/// A single call may take this long unless its benchmark is `long`: three of them still fit a slice.
const LONGEST_CALL_NS: u64 = 100_000;

/// A slice may take so many times its length with the set-up of its calls, which is not timed.
const SET_UP_SHARE: u64 = 10;

/// What the first processes found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Prepared {
    /// The rows: what the subject has, in the order of the suite.
    pub benchmarks: Vec<Benchmark>,
    /// Calls a slice, by arm and benchmark; `None` where that arm or benchmark has failed.
    pub paces: Vec<Vec<Option<Pace>>>,
    /// How long the longest slice of each benchmark took in any arm, by the lab's own clock, in ns; empty where nobody
    /// tried.
    pub slice_ns: Vec<u64>,
    /// What went wrong.
    pub failures: Vec<RunFailure>,
}

/// Starts each arm once, checks every benchmark's answer, and sizes the slices. `programs` holds `None` for
/// arms that are not to be started. `wanted` names the benchmarks; empty means all that the first arm that
/// answers has. `row` makes the row of a name. `each` is called before each arm.
#[must_use]
pub fn prepare(
    names: &[String],
    programs: &[Option<ArmProgram>],
    wanted: &[String],
    row: &dyn Fn(&str) -> Benchmark,
    budget: &Budget,
    each: &mut dyn FnMut(usize),
) -> Prepared {
    let mut prepared = Prepared::default();
    let mut answered = BTreeSet::new();
    let mut known = !wanted.is_empty();
    if known {
        prepared.benchmarks = wanted.iter().map(|name| row(name)).collect();
    }
    for (index, program) in programs.iter().enumerate() {
        each(index);
        let mut paces = Vec::new();
        if let Some(program) = program {
            let fail =
                |benchmark, reason| RunFailure { arm: names[index].clone(), benchmark, launch: None, reason };
            match Arm::start(program)
                .and_then(|mut arm| arm.list(budget.patience()).map(|listing| (arm, listing)))
            {
                Ok((arm, listing)) => {
                    if !known {
                        prepared.benchmarks = listing.names().map(row).collect();
                        known = true;
                    }
                    let mut sizes = fill(&mut prepared.benchmarks, &mut answered, &listing);
                    let mut first = FirstProcess { program, arm: Some(arm), budget };
                    prepared.slice_ns.resize(prepared.benchmarks.len(), 0);
                    for (benchmark, longest) in prepared.benchmarks.iter_mut().zip(&mut prepared.slice_ns) {
                        let checked = match listing.named(&benchmark.name) {
                            Ok(listed) => first.check(benchmark, listed),
                            Err(reason) => Err(reason),
                        };
                        if let Ok((pace, slice)) = &checked {
                            *longest = (*longest).max(*slice);
                            if sizes.remove(&benchmark.name) {
                                benchmark.long = pace.long;
                            }
                        }
                        paces.push(checked.as_ref().ok().map(|(pace, _)| *pace));
                        let failure = checked.err().map(|reason| fail(Some(benchmark.name.clone()), reason));
                        prepared.failures.extend(failure);
                    }
                }
                Err(reason) => prepared.failures.push(fail(None, reason)),
            }
        }
        prepared.paces.push(paces);
    }
    for paces in &mut prepared.paces {
        paces.resize(prepared.benchmarks.len(), None);
    }
    prepared
}

/// The names of the benchmarks that an executable has, or says that it cannot offer.
///
/// # Errors
/// It cannot be started, or does not list.
pub fn list(program: &ArmProgram, budget: &Budget) -> Result<Vec<String>, FailureReason> {
    let listing = Arm::start(program)?.list(budget.patience())?;
    Ok(listing.names().map(str::to_owned).collect())
}

/// Takes the answers from the first arm that has them: a later arm that declares another one has another task. Returns
/// the benchmarks of which this arm also decides whether they are long: its first process may find what the listing
/// could not know.
fn fill(
    benchmarks: &mut [Benchmark],
    answered: &mut BTreeSet<String>,
    listing: &Listing,
) -> BTreeSet<String> {
    let mut sizes = BTreeSet::new();
    for benchmark in benchmarks.iter_mut() {
        let info = listing.benchmarks.iter().find(|info| info.common.name == benchmark.name);
        if let Some(info) = info.filter(|info| answered.insert(info.common.name.clone())) {
            benchmark.answer = info.common.answer;
            benchmark.long = info.common.long;
            benchmark.code.clone_from(&info.common.code);
            benchmark.payload = info.common.payload;
            benchmark.elements = info.common.elements;
            benchmark.unchecked = info.common.unchecked;
            sizes.insert(benchmark.name.clone());
        }
    }
    sizes
}

/// How often a benchmark is sized that seems too long.
const SIZINGS: u32 = 4;

struct FirstProcess<'a> {
    program: &'a ArmProgram,
    /// The process; `None` after a benchmark has ended it. The next benchmark starts another.
    arm: Option<Arm>,
    budget: &'a Budget,
}

impl FirstProcess<'_> {
    /// Checks one benchmark by the answer that this arm declares itself: whoever breaks its own word is wrong, whatever
    /// the others say. One that keeps it and declares another answer than they do has another task.
    /// The answer is the pace, and how long one slice took with everything around it, in ns.
    fn check(&mut self, benchmark: &Benchmark, listed: &Listed) -> Result<(Pace, u64), FailureReason> {
        let declared = listed.common.answer;
        let same_task = declared == benchmark.answer;
        let long = if same_task { benchmark.long } else { listed.common.long };
        let mut arm = match self.arm.take() {
            Some(arm) => arm,
            None => Arm::start(self.program)?,
        };
        let mut prepared = arm.prepare(&benchmark.name, self.budget.patience())?;
        // A process that was interrupted takes its calls for longer than they are: only where sizing says so again and
        // again is it believed.
        for _ in 1..SIZINGS {
            if long
                || listed.common.slow
                || prepared.call_ns <= LONGEST_CALL_NS
                || prepared.checksum != declared
            {
                break;
            }
            let again = arm.prepare(&benchmark.name, self.budget.patience())?;
            prepared = if again.call_ns < prepared.call_ns { again } else { prepared };
        }
        if prepared.checksum != declared {
            self.arm = Some(arm);
            return Err(FailureReason::WrongAnswer { expected: declared, found: prepared.checksum });
        }
        if !long && !listed.common.slow && prepared.call_ns > LONGEST_CALL_NS {
            self.arm = Some(arm);
            return Err(FailureReason::TooLong { call_ns: prepared.call_ns });
        }
        let long = long || prepared.long && listed.common.slow;
        let iters = if long { 1 } else { calls(self.budget.slice_ns, &prepared) };
        let pace = Pace { iters, extra: 0, long };
        let begun = Instant::now();
        let slices = arm.turn(&benchmark.name, 0, 1, pace, self.budget.patience())?;
        let took = u64::try_from(begun.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.arm = Some(arm);
        let expected = declared.wrapping_mul(iters);
        match slices.iter().find(|slice| slice.checksum != expected) {
            Some(slice) => Err(FailureReason::WrongAnswer { expected, found: slice.checksum }),
            None if same_task => Ok((pace, took)),
            None => Err(FailureReason::OtherTask { expected: benchmark.answer, declared }),
        }
    }
}

/// How many calls fit a slice, with the set-up of each where that takes time of its own.
fn calls(slice_ns: u64, prepared: &SizedCall) -> u64 {
    let timed = slice_ns / prepared.call_ns.max(1);
    let whole = slice_ns.saturating_mul(SET_UP_SHARE) / prepared.whole_ns.max(1);
    timed.min(whole).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_hold_what_fits_with_its_set_up() {
        let sized = |call_ns, whole_ns| SizedCall { call_ns, whole_ns, ..SizedCall::default() };
        assert_eq!(calls(300_000, &sized(100, 0)), 3_000);
        assert_eq!(calls(300_000, &sized(100, 100)), 3_000);
        assert_eq!(calls(300_000, &sized(100, 100_000)), 30, "ten slices' time with set-up");
        assert_eq!(calls(300_000, &sized(0, 0)), 300_000);
        assert_eq!(calls(300_000, &sized(400_000, 0)), 1);
    }
}
