//! Latencies and handlers under 1, 2 and 4 threads, and what is asked once in a while:
//! `cargo bench -p mcp-store --bench calls`.

mod threads;

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use mcp_store::{LatencyHistogram, Router, host};

/// The names of a server's tools.
const METHODS: [&str; 4] = ["command_analyze", "command_run", "history", "system_info"];

fn calls(criterion: &mut Criterion) {
    let latencies = LatencyHistogram::new();
    threads::bench(criterion, "latency/record/own method", |thread, number| {
        latencies.record(METHODS[thread], number % 5_000_000);
    });
    threads::bench(criterion, "latency/record/one method", |_, number| {
        latencies.record(METHODS[0], number % 5_000_000);
    });
    let router = Router::new();
    for method in METHODS {
        router.register(method, method.len()).expect("the names differ");
    }
    threads::bench(criterion, "router/find", |thread, _| {
        black_box(router.find(METHODS[thread]).expect("every name is registered"));
    });
    criterion.bench_function("latency/summary", |bencher| bencher.iter(|| latencies.summary(METHODS[0])));
    criterion.bench_function("host/snapshot", |bencher| bencher.iter(host::snapshot));
}

criterion_group!(benches, calls);
criterion_main!(benches);
