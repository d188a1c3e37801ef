//! Hashes, sorting and tables.

use mcp_kernels::input;
use mcp_kernels::{hash, map, sort};
use perflab_subject::Benchmark;

use crate::answers::fold;
use crate::benchmarks::benchmark;

/// The benchmarks of `mcp_kernels::{hash, sort, map}`.
pub fn benchmarks() -> Vec<Benchmark> {
    vec![
        benchmark("hash/xxh3", &["mcp_kernels::hash::xxh3", "xxhash_rust::"], |size| {
            move || hash::xxh3(input::source(size).as_bytes())
        }),
        benchmark("hash/sip", &["mcp_kernels::hash::sip"], |size| {
            move || hash::sip(input::file(size).as_bytes())
        }),
        benchmark(
            "sort/u32",
            &["mcp_kernels::sort::ascending", "core::slice::sort::unstable", "core::slice::sort::shared"],
            |size| {
                let ids = input::ids(size);
                let mut sorted = ids.clone();
                move || {
                    sorted.copy_from_slice(&ids);
                    sort::ascending(&mut sorted);
                    fold(&sorted)
                }
            },
        ),
        benchmark("map/lookup", &["mcp_kernels::map::lookup", "hashbrown::"], |size| {
            let names = input::names(size);
            let words = input::words(size);
            let mut numbers = vec![0; words.len()];
            let mut table = map::Table::default();
            move || {
                map::lookup(&mut table, &names, &words, &mut numbers);
                fold(&numbers)
            }
        }),
    ]
}

#[cfg(test)]
pub mod plain {
    //! The same answers by the plain forms.

    use crate::benchmarks::Plain;
    use crate::collections::*;

    pub const ALL: &[Plain] = &[
        ("hash/xxh3", |size| hash::xxh3_plain(input::source(size).as_bytes())),
        ("hash/sip", |size| hash::sip_plain(input::file(size).as_bytes())),
        ("sort/u32", |size| {
            let mut ids = input::ids(size);
            sort::plain(&mut ids);
            fold(&ids)
        }),
        ("map/lookup", |size| {
            let words = input::words(size);
            let mut numbers = vec![0; words.len()];
            map::plain(&input::names(size), &words, &mut numbers);
            fold(&numbers)
        }),
    ];
}
