//! Embeddings and bit sets.

use mcp_kernels::cosine::{self, Embeddings, Hit};
use mcp_kernels::input;
use mcp_kernels::level::Level;
use mcp_kernels::{bitset, dot};
use perflab_subject::Benchmark;
use perflab_subject::answer::mix;

use crate::answers::fold;
use crate::benchmarks::{benchmark, form};

/// How many rows a search returns.
const BEST: usize = 10;

/// The benchmarks of `mcp_kernels::{dot, cosine, bitset}`.
pub fn benchmarks() -> Vec<Benchmark> {
    vec![
        benchmark("dot/naive", &["mcp_kernels::dot::naive"], |size| {
            let tile = input::narrow_tile(size);
            let mut scores = vec![0.0; tile.count()];
            move || {
                dot::naive(&tile.query, &tile.rows, &mut scores);
                fold(&scores)
            }
        }),
        benchmark("dot/lanes", &[form("mcp_kernels::dot::lanes", "mcp_kernels::dot::dispatched")], |size| {
            let tile = input::wide_tile(size);
            let mut scores = vec![0.0; tile.count()];
            move || {
                if cfg!(feature = "dispatch") {
                    dot::dispatched(Level::detected(), &tile.query, &tile.rows, &mut scores);
                } else {
                    dot::lanes(&tile.query, &tile.rows, &mut scores);
                }
                fold(&scores)
            }
        }),
        benchmark(
            "cosine/top_k",
            &[form("mcp_kernels::cosine::top_k", "mcp_kernels::cosine::dispatched")],
            |size| top_k(input::embeddings(size)),
        ),
        benchmark(
            "cosine/top_k_10k",
            &[form("mcp_kernels::cosine::top_k", "mcp_kernels::cosine::dispatched")],
            |size| top_k(input::many_embeddings(size)),
        )
        .long(),
        benchmark(
            "bitset/intersect",
            &[form("mcp_kernels::bitset::intersect", "mcp_kernels::bitset::dispatched")],
            |size| {
                let sets = input::bit_sets(size);
                let mut counts = vec![0; sets.count()];
                move || {
                    if cfg!(feature = "dispatch") {
                        bitset::dispatched(Level::detected(), &sets.query, &sets.sets, &mut counts);
                    } else {
                        bitset::intersect(&sets.query, &sets.sets, &mut counts);
                    }
                    fold(&counts)
                }
            },
        ),
    ]
}

fn top_k((embeddings, query): (Embeddings, Vec<f32>)) -> impl FnMut() -> u64 {
    move || {
        let hits = if cfg!(feature = "dispatch") {
            cosine::dispatched(Level::detected(), &embeddings, &query, BEST)
        } else {
            cosine::top_k(&embeddings, &query, BEST)
        };
        ranking(&hits)
    }
}

fn ranking(hits: &[Hit]) -> u64 {
    hits.iter().fold(hits.len() as u64, |sum, hit| {
        mix(sum, u64::from(hit.row) << 32 | u64::from(hit.score.to_bits()))
    })
}

#[cfg(test)]
pub mod plain {
    //! The same answers by the plain forms.

    use crate::benchmarks::Plain;
    use crate::vectors::*;

    pub const ALL: &[Plain] = &[
        ("dot/naive", |size| {
            let tile = input::narrow_tile(size);
            let mut scores = Vec::new();
            for row in tile.rows.chunks(tile.query.len()) {
                let mut sum = 0.0;
                for (a, b) in tile.query.iter().zip(row) {
                    sum += a * b;
                }
                scores.push(sum);
            }
            fold::<f32>(&scores)
        }),
        ("dot/lanes", |size| {
            let tile = input::wide_tile(size);
            let mut scores = vec![0.0; tile.count()];
            dot::plain(&tile.query, &tile.rows, &mut scores);
            fold(&scores)
        }),
        ("cosine/top_k", |size| best(input::embeddings(size))),
        ("cosine/top_k_10k", |size| best(input::many_embeddings(size))),
        ("bitset/intersect", |size| {
            let sets = input::bit_sets(size);
            let mut counts = vec![0; sets.count()];
            bitset::plain(&sets.query, &sets.sets, &mut counts);
            fold(&counts)
        }),
    ];

    fn best((embeddings, query): (Embeddings, Vec<f32>)) -> u64 {
        ranking(&cosine::plain(&embeddings, &query, BEST))
    }
}
