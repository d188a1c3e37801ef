//! Every form of the API once, each with what it has to do: the tests beside it start this target as the lab would.

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use criterion::async_executor::{AsyncStdExecutor, FuturesExecutor};
use criterion::measurement::{Measurement, ValueFormatter, WallTime};
use criterion::profiler::Profiler;
use criterion::{
    AxisScale, BatchSize, Bencher, Benchmark, BenchmarkFilter, BenchmarkGroup, BenchmarkId, Criterion, Fun,
    ParameterizedBenchmark, PlotConfiguration, PlottingBackend, SamplingMode, Throughput, black_box,
    criterion_group, criterion_main,
};

fn sum(numbers: &[u64]) -> u64 {
    black_box(numbers).iter().sum()
}

fn iterations(c: &mut Criterion) {
    let numbers: Vec<u64> = (0..100).collect();
    c.bench_function("iter", |b| b.iter(|| sum(&numbers)));
    let borrowed = Cell::new(0_u64);
    c.bench_function("iter/borrowing", |b| b.iter(|| borrowed.set(borrowed.get() + sum(&numbers))));
    c.bench_with_input(BenchmarkId::new("with input", numbers.len()), &numbers, |b, numbers| {
        b.iter(|| sum(numbers));
    });
    c.bench_function("iter_custom", |b| b.iter_custom(|calls| Duration::from_nanos(1_000 * calls)));
    c.bench_function("iter_with_large_drop", |b| b.iter_with_large_drop(|| numbers.clone()));
}

fn batches(c: &mut Criterion) {
    let sizes = [
        ("SmallInput", BatchSize::SmallInput),
        ("LargeInput", BatchSize::LargeInput),
        ("PerIteration", BatchSize::PerIteration),
        ("NumBatches", BatchSize::NumBatches(3)),
        ("NumIterations", BatchSize::NumIterations(7)),
    ];
    let mut group = c.benchmark_group("batched");
    for (name, size) in sizes {
        group.bench_function(BenchmarkId::new("owned", name), |b| {
            b.iter_batched(|| vec![3_u64; 50], |numbers| sum(&numbers), size);
        });
        group.bench_function(BenchmarkId::new("ref", name), |b| {
            b.iter_batched_ref(|| vec![3_u64; 50], |numbers| numbers.push(1), size);
        });
    }
    group.bench_function("with_setup", |b| b.iter_with_setup(|| vec![1_u64; 50], |numbers| sum(&numbers)));
    group.bench_function("with_large_setup", |b| {
        b.iter_with_large_setup(|| vec![1_u64; 50], |numbers| sum(&numbers));
    });
    group.finish();
}

fn configured(group: &mut BenchmarkGroup<'_, WallTime>) {
    group
        .sample_size(10)
        .warm_up_time(Duration::from_millis(1))
        .measurement_time(Duration::from_millis(1))
        .nresamples(1_000)
        .noise_threshold(0.1)
        .confidence_level(0.9)
        .significance_level(0.1)
        .sampling_mode(SamplingMode::Flat)
        .plot_config(PlotConfiguration::default().summary_scale(AxisScale::Logarithmic));
}

fn groups(c: &mut Criterion) {
    let mut group = c.benchmark_group("group");
    configured(&mut group);
    let throughputs = [
        Throughput::Bits(800),
        Throughput::Bytes(100),
        Throughput::BytesDecimal(100),
        Throughput::Elements(100),
        Throughput::ElementsAndBytes { elements: 100, bytes: 800 },
    ];
    for throughput in throughputs {
        group.throughput(throughput);
        // One name for all: they are numbered.
        group.bench_with_input(BenchmarkId::from_parameter(100), &[2_u64; 100][..], |b, numbers| {
            b.iter(|| sum(numbers));
        });
    }
    group.finish();
}

fn earlier(c: &mut Criterion) {
    c.bench("one", Benchmark::new("one", |b| b.iter(|| black_box(1))).sample_size(10));
    let several = Benchmark::new("first", |b: &mut Bencher<'_>| b.iter(|| black_box(1)))
        .with_function("second", |b| b.iter(|| black_box(2)))
        .throughput(Throughput::Bytes(7));
    c.bench("several", several);
    let inputs = ParameterizedBenchmark::new("double", |b, n| b.iter(|| black_box(n * 2)), vec![1_u64, 2])
        .with_function("triple", |b, n| b.iter(|| black_box(n * 3)))
        .throughput(|n| Throughput::Elements(*n));
    c.bench("inputs", inputs);
    c.bench_function_over_inputs("over", |b, n| b.iter(|| black_box(n + 1)), [5_u8, 6]);
    let functions = vec![
        Fun::new("up", |b: &mut Bencher<'_>, n: &u64| b.iter(|| black_box(n + 1))),
        Fun::new("down", |b: &mut Bencher<'_>, n: &u64| b.iter(|| black_box(n - 1))),
    ];
    c.bench_functions("functions", functions, 7);
}

/// What a process can set up once: a logger, a pool of threads.
fn once(c: &mut Criterion) {
    static DONE: AtomicBool = AtomicBool::new(false);
    assert!(!DONE.swap(true, Ordering::Relaxed), "set up twice in one process");
    c.bench_function("set up once", |b| b.iter(|| black_box(1)));
}

/// Ways in which benchmarks cannot be measured, between some that can.
fn faults(c: &mut Criterion) {
    let mut group = c.benchmark_group("fault");
    group.bench_function("panics", |_| panic!("its data is missing"));
    group.bench_function("panics later", |b| {
        let mut calls = 0_u32;
        b.iter(|| {
            calls += 1;
            assert!(calls < 5, "the fifth call");
        });
    });
    group.bench_function("never iterates", |_| ());
    group.bench_function("prints", |b| b.iter(writeln_stdout));
    group.bench_function("empty", |b| b.iter(|| ()));
    group.finish();
}

#[expect(clippy::print_stdout, reason = "whatever a benchmark prints must not reach the lab")]
fn writeln_stdout() {
    println!("{{\"checksum\":7}}");
}

fn broken_target(_: &mut Criterion) {
    panic!("before its first benchmark");
}

/// A measurement of its own: the types have to be accepted.
struct Ticks;

impl Measurement for Ticks {
    type Intermediate = u64;
    type Value = u64;

    fn start(&self) -> u64 {
        0
    }

    fn end(&self, _: u64) -> u64 {
        1
    }

    fn add(&self, v1: &u64, v2: &u64) -> u64 {
        v1 + v2
    }

    fn zero(&self) -> u64 {
        0
    }

    fn to_f64(&self, value: &u64) -> f64 {
        *value as f64
    }

    fn formatter(&self) -> &dyn ValueFormatter {
        &TickFormatter
    }
}

struct TickFormatter;

impl ValueFormatter for TickFormatter {
    fn scale_values(&self, _: f64, _: &mut [f64]) -> &'static str {
        "ticks"
    }

    fn scale_throughputs(&self, _: f64, _: &Throughput, _: &mut [f64]) -> &'static str {
        "ticks"
    }

    fn scale_for_machines(&self, _: &mut [f64]) -> &'static str {
        "ticks"
    }
}

struct NoProfiler;

impl Profiler for NoProfiler {
    fn start_profiling(&mut self, _: &str, _: &std::path::Path) {}
    fn stop_profiling(&mut self, _: &str, _: &std::path::Path) {}
}

fn ticks(c: &mut Criterion<Ticks>) {
    c.bench_function("ticks", |b| b.iter(|| black_box(1)));
    c.bench_function("ticks/custom", |b| b.iter_custom(|calls| calls));
}

fn everything_set() -> Criterion<Ticks> {
    Criterion::default()
        .with_measurement(Ticks)
        .with_profiler(NoProfiler)
        .plotting_backend(PlottingBackend::Plotters)
        .sample_size(10)
        .warm_up_time(Duration::from_millis(1))
        .measurement_time(Duration::from_millis(1))
        .nresamples(1_000)
        .noise_threshold(0.1)
        .confidence_level(0.9)
        .significance_level(0.1)
        .with_plots()
        .without_plots()
        .save_baseline("a".to_owned())
        .retain_baseline("a".to_owned(), false)
        .with_filter("no effect")
        .with_benchmark_filter(BenchmarkFilter::RejectAll)
        .with_output_color(false)
        .output_directory(std::path::Path::new("nowhere"))
        .profile_time(None)
}

fn futures(c: &mut Criterion) {
    let mut group = c.benchmark_group("async");
    group.bench_function("iter", |b| b.to_async(FuturesExecutor).iter(|| async { black_box(1) }));
    group.bench_function("batched", |b| {
        let setup = || vec![1_u64; 9];
        b.to_async(FuturesExecutor).iter_batched(setup, |v| async move { sum(&v) }, BatchSize::SmallInput);
    });
    group.bench_function("batched_ref", |b| {
        let routine = |v: &mut Vec<u64>| std::future::ready(v.pop());
        b.to_async(FuturesExecutor).iter_batched_ref(|| vec![1_u64; 9], routine, BatchSize::PerIteration);
    });
    group.bench_function("custom", |b| {
        b.to_async(FuturesExecutor).iter_custom(|calls| async move { Duration::from_nanos(calls) });
    });
    group.bench_function("with_setup", |b| {
        b.to_async(FuturesExecutor).iter_with_setup(|| 1, |n| async move { n })
    });
    group.bench_function("with_large_setup", |b| {
        b.to_async(FuturesExecutor).iter_with_large_setup(|| 1, |n| async move { n });
    });
    group.bench_function("with_large_drop", |b| {
        b.to_async(FuturesExecutor).iter_with_large_drop(|| async { vec![1_u64; 9] });
    });
    group.finish();
}

fn async_std(c: &mut Criterion) {
    c.bench_function("async_std", |b| b.to_async(AsyncStdExecutor).iter(|| async { black_box(1) }));
}

#[cfg(feature = "async_smol")]
fn smol(c: &mut Criterion) {
    use criterion::async_executor::SmolExecutor;

    c.bench_function("smol", |b| b.to_async(SmolExecutor).iter(|| async { black_box(1) }));
}

#[cfg(not(feature = "async_smol"))]
fn smol(_: &mut Criterion) {}

#[cfg(feature = "async_tokio")]
fn tokio(c: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    c.bench_function("tokio/ref", |b| b.to_async(&runtime).iter(|| async { black_box(1) }));
    c.bench_function("tokio/handle", |b| b.to_async(runtime.handle()).iter(|| async { black_box(1) }));
    c.bench_function("tokio/own", |b| {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        b.to_async(runtime).iter(|| async { black_box(1) });
    });
}

#[cfg(not(feature = "async_tokio"))]
fn tokio(_: &mut Criterion) {}

criterion_group!(short, iterations, batches, groups, earlier,);
criterion_group!(executors, futures, async_std, smol, tokio);
criterion_group! {
    name = long;
    config = everything_set();
    targets = ticks
}
criterion_group!(wrong, faults, broken_target, once);
criterion_main!(short, executors, long, wrong);
