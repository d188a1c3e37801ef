//! The subject that measures `mcp-store`: the store, or a bare concurrent map in its place, the queue and
//! the latencies.

mod answers;
mod benchmarks;
mod input;
mod map;
mod pool;

use std::process::ExitCode;

#[cfg(all(feature = "mimalloc", feature = "jemalloc"))]
compile_error!("choose one allocator: mimalloc or jemalloc");

#[cfg(feature = "mimalloc")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[cfg(all(feature = "jemalloc", not(feature = "mimalloc")))]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    perflab_subject::serve("mcp-core-workloads", benchmarks::all())
}
