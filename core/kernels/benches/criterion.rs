//! Wall-clock times of every kernel: `cargo bench -p mcp-kernels --bench criterion`.

mod calls;

use criterion::{Criterion, criterion_group, criterion_main};
use mcp_kernels::input::Size;

type Prepare = fn(Size) -> calls::Call;

/// Every kernel, by module and form.
const KERNELS: &[(&str, Prepare)] = &[
    ("json_rpc/parse", calls::json_rpc_parse),
    ("json_rpc/write", calls::json_rpc_write),
    ("dot/naive", calls::dot_naive),
    ("dot/lanes", calls::dot_lanes),
    ("dot/dispatched", calls::dot_dispatched),
    ("cosine/top_k", calls::cosine_top_k),
    ("cosine/dispatched", calls::cosine_dispatched),
    ("cosine/top_k_10k", calls::cosine_top_k_10k),
    ("bitset/intersect", calls::bitset_intersect),
    ("bitset/dispatched", calls::bitset_dispatched),
    ("robust/z_score", calls::robust_z_score),
    ("moving/mean_sd", calls::moving_mean_sd),
    ("moving/dispatched", calls::moving_dispatched),
    ("smoothing/holt", calls::smoothing_holt),
    ("smoothing/dispatched", calls::smoothing_dispatched),
    ("histogram/record", calls::histogram_record),
    ("tfidf/score", calls::tfidf_score),
    ("shingles/winnow", calls::shingles_winnow),
    ("edit_distance/levenshtein", calls::edit_distance_levenshtein),
    ("regex/scan", calls::regex_scan),
    ("substring/scan", calls::substring_scan),
    ("bytes/histogram", calls::bytes_histogram),
    ("bytes/classes", calls::bytes_classes),
    ("bytes/dispatched", calls::bytes_dispatched),
    ("hash/xxh3", calls::hash_xxh3),
    ("hash/sip", calls::hash_sip),
    ("sort/u32", calls::sort_u32),
    ("map/lookup", calls::map_lookup),
];

fn kernels(criterion: &mut Criterion) {
    for (name, prepare) in KERNELS {
        // Prepared inside, so that a filter on names skips the input too.
        criterion.bench_function(name, |bencher| bencher.iter(prepare(Size::Measure)));
    }
}

criterion_group!(benches, kernels);
criterion_main!(benches);
