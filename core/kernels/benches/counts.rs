//! Instruction counts of every kernel on its count input, under Callgrind:
//! `cargo bench -p mcp-kernels --bench counts`. Needs Valgrind, and `gungraun-runner` of the version of
//! the library.
//!
//! Valgrind shows no AVX-512 to CPUID, so the dispatched forms are counted at x86-64-v3.
#![expect(missing_docs, reason = "the macros of gungraun make public modules")]

mod calls;

use gungraun::prelude::*;
use mcp_kernels::input::Size;

/// Makes one call that warms caches of the libraries, such as the automaton of a regular expression.
fn warmed(mut call: calls::Call) -> calls::Call {
    call();
    call
}

// The call is returned, so that freeing its input is not counted.
#[library_benchmark(setup = warmed)]
#[bench::json_rpc_parse(calls::json_rpc_parse(Size::Count))]
#[bench::json_rpc_write(calls::json_rpc_write(Size::Count))]
#[bench::dot_naive(calls::dot_naive(Size::Count))]
#[bench::dot_lanes(calls::dot_lanes(Size::Count))]
#[bench::dot_dispatched(calls::dot_dispatched(Size::Count))]
#[bench::cosine_top_k(calls::cosine_top_k(Size::Count))]
#[bench::cosine_dispatched(calls::cosine_dispatched(Size::Count))]
#[bench::cosine_top_k_10k(calls::cosine_top_k_10k(Size::Count))]
#[bench::bitset_intersect(calls::bitset_intersect(Size::Count))]
#[bench::bitset_dispatched(calls::bitset_dispatched(Size::Count))]
#[bench::robust_z_score(calls::robust_z_score(Size::Count))]
#[bench::moving_mean_sd(calls::moving_mean_sd(Size::Count))]
#[bench::moving_dispatched(calls::moving_dispatched(Size::Count))]
#[bench::smoothing_holt(calls::smoothing_holt(Size::Count))]
#[bench::smoothing_dispatched(calls::smoothing_dispatched(Size::Count))]
#[bench::histogram_record(calls::histogram_record(Size::Count))]
#[bench::tfidf_score(calls::tfidf_score(Size::Count))]
#[bench::shingles_winnow(calls::shingles_winnow(Size::Count))]
#[bench::edit_distance_levenshtein(calls::edit_distance_levenshtein(Size::Count))]
#[bench::regex_scan(calls::regex_scan(Size::Count))]
#[bench::substring_scan(calls::substring_scan(Size::Count))]
#[bench::bytes_histogram(calls::bytes_histogram(Size::Count))]
#[bench::bytes_classes(calls::bytes_classes(Size::Count))]
#[bench::bytes_dispatched(calls::bytes_dispatched(Size::Count))]
#[bench::hash_xxh3(calls::hash_xxh3(Size::Count))]
#[bench::hash_sip(calls::hash_sip(Size::Count))]
#[bench::sort_u32(calls::sort_u32(Size::Count))]
#[bench::map_lookup(calls::map_lookup(Size::Count))]
fn kernel(mut call: calls::Call) -> calls::Call {
    call();
    call
}

library_benchmark_group!(name = kernels, benchmarks = kernel);
main!(library_benchmark_groups = kernels);
