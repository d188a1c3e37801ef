//! What a benchmark's function times its futures with.

use std::future::Future;
use std::hint::black_box;

use perflab_subject::calls::Stopwatch;

use crate::async_executor::AsyncExecutor;
use crate::bencher::NOT_A_TIME;
use crate::measurement::{Measurement, WallTime};
use crate::{BatchSize, Bencher};

/// Times futures within one run of an executor: starting it is not timed.
pub struct AsyncBencher<'a, 'b, A: AsyncExecutor, M: Measurement = WallTime> {
    bencher: &'b mut Bencher<'a, M>,
    runner: A,
}

impl<'a, 'b, A: AsyncExecutor, M: Measurement> AsyncBencher<'a, 'b, A, M> {
    pub(crate) fn new(bencher: &'b mut Bencher<'a, M>, runner: A) -> Self {
        Self { bencher, runner }
    }

    /// Times the futures that `routine` returns; their outputs are dropped within the time.
    #[inline(never)]
    pub fn iter<O, R, F>(&mut self, mut routine: R)
    where
        R: FnMut() -> F,
        F: Future<Output = O>,
    {
        let runner = &self.runner;
        self.bencher.visit().serve(&mut |calls: u64, watch: &mut Stopwatch| {
            watch.elsewhere();
            runner.block_on(async {
                let started = watch.start();
                for _ in 0..calls {
                    black_box(routine().await);
                }
                watch.stop(started, calls);
            });
        });
    }

    /// Has the future of `routine` make so many calls and time them itself.
    #[inline(never)]
    pub fn iter_custom<R, F>(&mut self, mut routine: R)
    where
        R: FnMut(u64) -> F,
        F: Future<Output = M::Value>,
    {
        let (runner, measurement) = (&self.runner, self.bencher.measurement());
        if measurement.__as_time(&measurement.zero()).is_none() {
            return self.bencher.visit().cannot(NOT_A_TIME);
        }
        self.bencher.visit().serve(&mut |calls: u64, watch: &mut Stopwatch| {
            let value = runner.block_on(async { routine(calls).await });
            watch.add(measurement.__as_time(&value).unwrap_or_default(), calls);
        });
    }

    /// Times the futures that `routine` returns, each on an input that `setup` makes outside of the time.
    pub fn iter_with_setup<I, O, S, R, F>(&mut self, setup: S, routine: R)
    where
        S: FnMut() -> I,
        R: FnMut(I) -> F,
        F: Future<Output = O>,
    {
        self.iter_batched(setup, routine, BatchSize::PerIteration);
    }

    /// The same, with all inputs of a slice made ahead.
    pub fn iter_with_large_setup<I, O, S, R, F>(&mut self, setup: S, routine: R)
    where
        S: FnMut() -> I,
        R: FnMut(I) -> F,
        F: Future<Output = O>,
    {
        self.iter_batched(setup, routine, BatchSize::NumBatches(1));
    }

    /// Times the futures that `routine` returns; their outputs are dropped outside of the time.
    pub fn iter_with_large_drop<O, R, F>(&mut self, mut routine: R)
    where
        R: FnMut() -> F,
        F: Future<Output = O>,
    {
        self.iter_batched(|| (), |()| routine(), BatchSize::SmallInput);
    }

    /// Times the futures that `routine` returns, each on an input that `setup` makes outside of the time, `size` of
    /// them ahead. Outputs are dropped outside of the time.
    #[inline(never)]
    pub fn iter_batched<I, O, S, R, F>(&mut self, mut setup: S, mut routine: R, size: BatchSize)
    where
        S: FnMut() -> I,
        R: FnMut(I) -> F,
        F: Future<Output = O>,
    {
        let runner = &self.runner;
        self.bencher.visit().serve(&mut |calls: u64, watch: &mut Stopwatch| {
            watch.elsewhere();
            runner.block_on(async {
                let ahead = size.inputs(calls);
                let mut left = calls;
                while left > 0 {
                    let batch = ahead.min(left);
                    let inputs: Vec<I> = black_box((0..batch).map(|_| setup()).collect());
                    let mut outputs = Vec::with_capacity(inputs.len());
                    let started = watch.start();
                    for input in inputs {
                        outputs.push(routine(input).await);
                    }
                    watch.stop(started, batch);
                    drop(black_box(outputs));
                    left -= batch;
                }
            });
        });
    }

    /// The same with a routine that borrows its input until it has returned its future.
    #[inline(never)]
    pub fn iter_batched_ref<I, O, S, R, F>(&mut self, mut setup: S, mut routine: R, size: BatchSize)
    where
        S: FnMut() -> I,
        R: FnMut(&mut I) -> F,
        F: Future<Output = O>,
    {
        let runner = &self.runner;
        self.bencher.visit().serve(&mut |calls: u64, watch: &mut Stopwatch| {
            watch.elsewhere();
            runner.block_on(async {
                let ahead = size.inputs(calls);
                let mut left = calls;
                while left > 0 {
                    let batch = ahead.min(left);
                    let mut inputs: Vec<I> = black_box((0..batch).map(|_| setup()).collect());
                    let mut outputs = Vec::with_capacity(inputs.len());
                    let started = watch.start();
                    for input in &mut inputs {
                        outputs.push(routine(input).await);
                    }
                    watch.stop(started, batch);
                    drop(black_box(outputs));
                    drop(black_box(inputs));
                    left -= batch;
                }
            });
        });
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crate::BatchSize;
    use crate::async_executor::FuturesExecutor;
    use crate::bencher::tests::{CALL, DROP_OUTPUT, Input, SIZES, call, set_up, tried};

    #[test]
    fn futures_are_timed_as_calls_are() {
        let run = |b: &mut crate::Bencher<'_>| b.to_async(FuturesExecutor).iter(|| async { call() });
        assert_eq!(tried(30, run), (30 * (CALL + DROP_OUTPUT), 0, 30));
        for size in SIZES {
            let owned = tried(30, |b| {
                b.to_async(FuturesExecutor).iter_batched(set_up, |input| async { (input, call()) }, size);
            });
            assert_eq!(owned, (30 * CALL, 30, 30), "{size:?}");
            let borrowed = tried(30, |b| {
                let routine = |_: &mut Input| async { call() };
                b.to_async(FuturesExecutor).iter_batched_ref(set_up, routine, size);
            });
            assert_eq!(borrowed, (30 * CALL, 30, 30), "{size:?}");
        }
        let single = tried(30, |b| {
            b.to_async(FuturesExecutor).iter_with_setup(set_up, |input| async { (input, call()) });
        });
        assert_eq!(single, (30 * CALL, 30, 30));
        let large = tried(30, |b| {
            b.to_async(FuturesExecutor).iter_with_large_setup(set_up, |input| async { (input, call()) });
        });
        assert_eq!(large, (30 * CALL, 30, 30));
        let dropped = tried(30, |b| b.to_async(FuturesExecutor).iter_with_large_drop(|| async { call() }));
        assert_eq!(dropped, (30 * CALL, 0, 30));
        let custom = |calls: u64| async move { Duration::from_nanos(5 * calls) };
        assert_eq!(tried(30, |b| b.to_async(FuturesExecutor).iter_custom(custom)), (150, 0, 0));
        assert_eq!(BatchSize::SmallInput.inputs(30), 3);
    }
}
