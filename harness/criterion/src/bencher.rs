//! What a benchmark's function times its code with.

use std::hint::black_box;

use perflab_subject::calls::Stopwatch;

use crate::BatchSize;
use crate::async_executor::AsyncExecutor;
use crate::bencher_async::AsyncBencher;
use crate::measurement::{Measurement, WallTime};
use crate::visit::Visit;

/// Times code. What a method times is the routine alone; inputs are made, and large outputs dropped, outside of it.
pub struct Bencher<'a, M: Measurement = WallTime> {
    visit: &'a mut Visit,
    measurement: &'a M,
}

impl<'a, M: Measurement> Bencher<'a, M> {
    pub(crate) fn new(visit: &'a mut Visit, measurement: &'a M) -> Self {
        Self { visit, measurement }
    }

    pub(crate) fn visit(&mut self) -> &mut Visit {
        self.visit
    }

    pub(crate) fn measurement(&self) -> &'a M {
        self.measurement
    }

    /// Times calls of `routine`; its outputs are dropped within the time.
    #[inline(never)]
    pub fn iter<O, R>(&mut self, mut routine: R)
    where
        R: FnMut() -> O,
    {
        self.visit.serve(&mut |calls: u64, watch: &mut Stopwatch| {
            let started = watch.start();
            for _ in 0..calls {
                black_box(routine());
            }
            watch.stop(started, calls);
        });
    }

    /// Has `routine` make so many calls and time them itself.
    #[inline(never)]
    pub fn iter_custom<R>(&mut self, mut routine: R)
    where
        R: FnMut(u64) -> M::Value,
    {
        let measurement = self.measurement;
        if measurement.__as_time(&measurement.zero()).is_none() {
            return self.visit.cannot(NOT_A_TIME);
        }
        self.visit.serve(&mut |calls: u64, watch: &mut Stopwatch| {
            let value = routine(calls);
            watch.add(measurement.__as_time(&value).unwrap_or_default(), calls);
        });
    }

    /// Times calls of `routine`, each on an input that `setup` makes outside of the time.
    pub fn iter_with_setup<I, O, S, R>(&mut self, setup: S, routine: R)
    where
        S: FnMut() -> I,
        R: FnMut(I) -> O,
    {
        self.iter_batched(setup, routine, BatchSize::PerIteration);
    }

    /// The same, with all inputs of a slice made ahead.
    pub fn iter_with_large_setup<I, O, S, R>(&mut self, setup: S, routine: R)
    where
        S: FnMut() -> I,
        R: FnMut(I) -> O,
    {
        self.iter_batched(setup, routine, BatchSize::NumBatches(1));
    }

    /// Times calls of `routine`; its outputs are dropped outside of the time.
    pub fn iter_with_large_drop<O, R>(&mut self, mut routine: R)
    where
        R: FnMut() -> O,
    {
        self.iter_batched(|| (), |()| routine(), BatchSize::SmallInput);
    }

    /// Times calls of `routine`, each on an input that `setup` makes outside of the time, `size` of them ahead.
    /// Outputs are dropped outside of the time.
    #[inline(never)]
    pub fn iter_batched<I, O, S, R>(&mut self, mut setup: S, mut routine: R, size: BatchSize)
    where
        S: FnMut() -> I,
        R: FnMut(I) -> O,
    {
        self.visit.serve(&mut |calls: u64, watch: &mut Stopwatch| {
            batches(calls, size, |batch| {
                if batch == 1 {
                    let input = black_box(setup());
                    let started = watch.start();
                    let output = routine(input);
                    watch.stop(started, 1);
                    drop(black_box(output));
                    return;
                }
                let inputs: Vec<I> = black_box((0..batch).map(|_| setup()).collect());
                let mut outputs = Vec::with_capacity(inputs.len());
                let started = watch.start();
                outputs.extend(inputs.into_iter().map(&mut routine));
                watch.stop(started, batch);
                drop(black_box(outputs));
            });
        });
    }

    /// The same with a routine that borrows its input; inputs are dropped outside of the time, too.
    #[inline(never)]
    pub fn iter_batched_ref<I, O, S, R>(&mut self, mut setup: S, mut routine: R, size: BatchSize)
    where
        S: FnMut() -> I,
        R: FnMut(&mut I) -> O,
    {
        self.visit.serve(&mut |calls: u64, watch: &mut Stopwatch| {
            batches(calls, size, |batch| {
                if batch == 1 {
                    let mut input = black_box(setup());
                    let started = watch.start();
                    let output = routine(&mut input);
                    watch.stop(started, 1);
                    drop(black_box(output));
                    drop(black_box(input));
                    return;
                }
                let mut inputs: Vec<I> = black_box((0..batch).map(|_| setup()).collect());
                let mut outputs = Vec::with_capacity(inputs.len());
                let started = watch.start();
                outputs.extend(inputs.iter_mut().map(&mut routine));
                watch.stop(started, batch);
                drop(black_box(outputs));
                drop(black_box(inputs));
            });
        });
    }

    /// Times futures that `runner` runs.
    pub fn to_async<'b, A: AsyncExecutor>(&'b mut self, runner: A) -> AsyncBencher<'a, 'b, A, M> {
        AsyncBencher::new(self, runner)
    }
}

/// Why a measurement of its own has no time.
pub(crate) const NOT_A_TIME: &str =
    "it times itself by a `Measurement` whose values are not times, and perflab measures time";

/// Divides calls into batches.
pub(crate) fn batches(calls: u64, size: BatchSize, mut each: impl FnMut(u64)) {
    let inputs = size.inputs(calls);
    let mut left = calls;
    while left > 0 {
        let batch = inputs.min(left);
        each(batch);
        left -= batch;
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::cell::Cell;
    use std::time::Duration;

    use super::*;

    thread_local! {
        static NOW: Cell<u64> = const { Cell::new(0) };
        static MADE: Cell<(u64, u64)> = const { Cell::new((0, 0)) };
    }

    fn pass(nanos: u64) {
        NOW.set(NOW.get() + nanos);
    }

    /// An input, whose making and dropping take time on the clock of the test.
    pub(crate) struct Input;

    /// An output likewise.
    pub(crate) struct Output;

    const SET_UP: u64 = 1_000;
    pub(crate) const CALL: u64 = 7;
    const DROP_INPUT: u64 = 1_000_000;
    pub(crate) const DROP_OUTPUT: u64 = 10_000;

    impl Drop for Input {
        fn drop(&mut self) {
            pass(DROP_INPUT);
        }
    }

    impl Drop for Output {
        fn drop(&mut self) {
            pass(DROP_OUTPUT);
        }
    }

    pub(crate) fn set_up() -> Input {
        pass(SET_UP);
        MADE.set((MADE.get().0 + 1, MADE.get().1));
        Input
    }

    pub(crate) fn call() -> Output {
        pass(CALL);
        MADE.set((MADE.get().0, MADE.get().1 + 1));
        Output
    }

    /// The time of so many calls on the clock of the test, the inputs that were made, and the calls.
    pub(crate) fn tried(calls: u64, bench: impl FnOnce(&mut Bencher<'_>)) -> (u64, u64, u64) {
        MADE.set((0, 0));
        let mut visit = Visit::tried(calls, || Duration::from_nanos(NOW.get()));
        bench(&mut Bencher::new(&mut visit, &WallTime));
        let spent = visit.spent().unwrap().as_nanos();
        (u64::try_from(spent).unwrap(), MADE.get().0, MADE.get().1)
    }

    pub(crate) const SIZES: [BatchSize; 6] = [
        BatchSize::SmallInput,
        BatchSize::LargeInput,
        BatchSize::PerIteration,
        BatchSize::NumBatches(4),
        BatchSize::NumIterations(8),
        BatchSize::NumIterations(1_000),
    ];

    #[test]
    fn iter_times_calls_and_what_drops_their_outputs() {
        assert_eq!(tried(30, |b| b.iter(call)), (30 * (CALL + DROP_OUTPUT), 0, 30));
        assert_eq!(tried(0, |b| b.iter(call)), (0, 0, 0));
    }

    #[test]
    fn batched_forms_time_calls_alone() {
        for size in SIZES {
            let owned = tried(30, |b| b.iter_batched(set_up, |input| (input, call()), size));
            assert_eq!(owned, (30 * CALL, 30, 30), "{size:?}");
            let borrowed = tried(30, |b| b.iter_batched_ref(set_up, |_: &mut Input| call(), size));
            assert_eq!(borrowed, (30 * CALL, 30, 30), "{size:?}");
        }
        let single = tried(30, |b| b.iter_with_setup(set_up, |input| (input, call())));
        assert_eq!(single, (30 * CALL, 30, 30));
        let large = tried(30, |b| b.iter_with_large_setup(set_up, |input| (input, call())));
        assert_eq!(large, (30 * CALL, 30, 30));
        assert_eq!(tried(30, |b| b.iter_with_large_drop(call)), (30 * CALL, 0, 30));
    }

    #[test]
    fn an_input_that_the_routine_drops_is_part_of_its_time() {
        let size = BatchSize::SmallInput;
        let spent = tried(30, |b| {
            b.iter_batched(
                set_up,
                |input| {
                    drop(input);
                    call()
                },
                size,
            )
        });
        assert_eq!(spent, (30 * (CALL + DROP_INPUT), 30, 30));
    }

    #[test]
    fn custom_times_are_taken_as_they_are() {
        let custom = |calls| {
            pass(99);
            Duration::from_nanos(5 * calls)
        };
        assert_eq!(tried(30, |b| b.iter_custom(custom)), (150, 0, 0));
    }
}
