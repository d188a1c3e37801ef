//! The same operation by several threads at once.

use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion, Throughput};

/// How many threads work at the same time.
const THREADS: [usize; 3] = [1, 2, 4];

/// Benchmarks `operation(thread, number)` under 1, 2 and 4 threads. The time is that of one operation by
/// each of the threads: where they do not disturb each other and have a core each, it stays the same.
pub fn bench(criterion: &mut Criterion, name: &str, operation: impl Fn(usize, u64) + Sync) {
    let mut group = criterion.benchmark_group(name);
    for threads in THREADS {
        group.throughput(Throughput::Elements(threads as u64));
        group.bench_function(BenchmarkId::from_parameter(threads), |bencher| {
            bencher.iter_custom(|iters| time(threads, iters, &operation));
        });
    }
    group.finish();
}

/// How long the slowest of the threads takes for `iters` operations each, all started together.
fn time(threads: usize, iters: u64, operation: &(impl Fn(usize, u64) + Sync)) -> Duration {
    let barrier = Barrier::new(threads);
    thread::scope(|scope| {
        let spawn = |thread| {
            let barrier = &barrier;
            scope.spawn(move || {
                barrier.wait();
                let start = Instant::now();
                (0..iters).for_each(|number| operation(thread, number));
                start.elapsed()
            })
        };
        let workers: Vec<_> = (0..threads).map(spawn).collect();
        workers
            .into_iter()
            .map(|worker| worker.join().expect("no operation panics"))
            .max()
            .unwrap_or_default()
    })
}
