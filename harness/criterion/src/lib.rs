//! The API of criterion, 0.3 to 0.8, for bench targets that perflab measures.
//!
//! A bench target that is compiled against this crate instead of criterion is a *subject*: started by perflab, it takes
//! turns with other builds of itself, and perflab judges. It needs no change. Started by `cargo bench`, it measures
//! briefly and prints a time for each benchmark; started by `cargo test`, it calls each of them once.
//!
//! What configures criterion's own sampling, analysis and plots is accepted and has no effect.
//!
//! ```
//! use criterion::{BenchmarkId, Criterion, Throughput, black_box, criterion_group};
//!
//! fn sums(c: &mut Criterion) {
//!     let mut group = c.benchmark_group("sum");
//!     for length in [10_u64, 1_000] {
//!         let numbers: Vec<u64> = (0..length).collect();
//!         group.throughput(Throughput::Elements(length));
//!         group.bench_with_input(BenchmarkId::new("iter", length), &numbers, |b, numbers| {
//!             b.iter(|| black_box(numbers).iter().sum::<u64>());
//!         });
//!     }
//!     group.finish();
//! }
//!
//! criterion_group!(benches, sums);
//! # benches();
//! // criterion::criterion_main!(benches);
//! ```

pub mod async_executor;
mod bencher;
mod bencher_async;
mod configuration;
mod earlier;
mod group;
mod id;
mod macros;
pub mod measurement;
mod plain;
pub mod profiler;
mod session;
mod settings;
#[cfg(feature = "sources")]
pub mod sources;
mod visit;

pub use bencher::Bencher;
pub use bencher_async::AsyncBencher;
pub use configuration::{Criterion, runner};
pub use earlier::{Benchmark, BenchmarkDefinition, Fun, ParameterizedBenchmark};
pub use group::BenchmarkGroup;
pub use id::{BenchmarkId, IntoBenchmarkId};
#[doc(hidden)]
pub use session::{__begin, __guarded};
pub use settings::{
    AxisScale, Baseline, BatchSize, BenchmarkFilter, PlotConfiguration, PlottingBackend, SamplingMode,
    Throughput,
};

/// Hides a value from the optimiser: [`std::hint::black_box`].
#[inline]
pub fn black_box<T>(dummy: T) -> T {
    std::hint::black_box(dummy)
}
