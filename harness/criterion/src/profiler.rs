//! What criterion profiles with; accepted, and never started.

use std::path::Path;

/// A profiler around a benchmark.
pub trait Profiler {
    /// Begins.
    fn start_profiling(&mut self, benchmark_id: &str, benchmark_dir: &Path);
    /// Ends.
    fn stop_profiling(&mut self, benchmark_id: &str, benchmark_dir: &Path);
}

/// Stands for a profiler outside of the process.
#[derive(Clone, Copy, Debug, Default)]
pub struct ExternalProfiler;

impl Profiler for ExternalProfiler {
    fn start_profiling(&mut self, _benchmark_id: &str, _benchmark_dir: &Path) {}

    fn stop_profiling(&mut self, _benchmark_id: &str, _benchmark_dir: &Path) {}
}
