//! Instructions of one call of each benchmark, on its count input.

use std::time::Duration;

use crate::counter::{CountError, Limits, Means};
use crate::measure::arm::{Arm, Uncounted};
use crate::measure::{ArmProgram, FailureReason};

/// How calls are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counting {
    /// By what.
    pub means: Means,
    /// Where a call is given up.
    pub limits: Limits,
    /// In how many processes each call is counted: counts that differ are not exact.
    pub processes: u32,
}

/// A benchmark that can be counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Countable {
    /// Its name.
    pub name: String,
    /// What a call returns on the count input.
    pub answer: u64,
}

/// The instructions of one call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallCount {
    /// In each process, in order; equal for code that does the same every time.
    pub instructions: Vec<u64>,
    /// What marking costs, already subtracted.
    pub empty: u64,
    /// Further rounds of `rep`-prefixed instructions, which count once.
    pub rounds: u64,
}

/// Asks a subject for its benchmarks.
///
/// # Errors
/// Why it is not a subject.
pub fn countable(program: &ArmProgram, patience: Duration) -> Result<Vec<Countable>, FailureReason> {
    let listing = Arm::start(program)?.list(patience)?;
    let of = |info: &crate::measure::wire::Listed| Countable {
        name: info.common.name.clone(),
        answer: info.common.count_answer,
    };
    Ok(listing.benchmarks.iter().map(of).collect())
}

/// Counts one call of every benchmark in every process; a benchmark that fails gives its reason. `each` is called
/// after each of them; when it says no, the rest is left out.
///
/// # Errors
/// [`CountError::NotAllowed`] where this system lets nobody count.
pub fn count_calls(
    program: &ArmProgram,
    benchmarks: &[Countable],
    counting: Counting,
    each: &mut dyn FnMut() -> bool,
) -> Result<Vec<Result<CallCount, FailureReason>>, CountError> {
    let mut counts: Vec<Option<Result<CallCount, FailureReason>>> = vec![None; benchmarks.len()];
    for _ in 0..counting.processes {
        let mut process = Process { program, arm: None, counting };
        for (count, benchmark) in counts.iter_mut().zip(benchmarks) {
            // What has failed once is not tried again.
            if !matches!(count, Some(Err(_))) {
                *count = Some(process.add(benchmark, count.take().and_then(Result::ok))?);
            }
            if !each() {
                return Ok(counts.into_iter().flatten().collect());
            }
        }
    }
    Ok(counts.into_iter().flatten().collect())
}

struct Process<'a> {
    program: &'a ArmProgram,
    /// The process; `None` before the first benchmark, and after one that has ended it or left it in the middle.
    arm: Option<Arm>,
    counting: Counting,
}

impl Process<'_> {
    /// Counts a benchmark, and adds it to what earlier processes counted.
    fn add(
        &mut self,
        benchmark: &Countable,
        earlier: Option<CallCount>,
    ) -> Result<Result<CallCount, FailureReason>, CountError> {
        let started = match self.arm.take() {
            Some(arm) => Ok(arm),
            None => Arm::start(self.program).and_then(|mut arm| {
                // What starts it becomes it only in between: an answer comes from the subject itself.
                arm.list(self.counting.limits.patience).map(|_| arm)
            }),
        };
        let mut arm = match started {
            Ok(arm) => arm,
            Err(reason) => return Ok(Err(reason)),
        };
        let Counting { means, limits, .. } = self.counting;
        let (answer, tally) = match arm.count(&benchmark.name, means, limits) {
            Ok(counted) => counted,
            Err(Uncounted::NotAllowed(why)) => return Err(CountError::NotAllowed(why)),
            Err(Uncounted::Failed(reason)) => return Ok(Err(reason)),
        };
        self.arm = Some(arm);
        if answer != benchmark.answer {
            return Ok(Err(FailureReason::WrongAnswer { expected: benchmark.answer, found: answer }));
        }
        let mut count = earlier.unwrap_or(CallCount {
            instructions: Vec::new(),
            empty: tally.empty,
            rounds: tally.rounds,
        });
        count.instructions.push(tally.instructions);
        Ok(Ok(count))
    }
}
