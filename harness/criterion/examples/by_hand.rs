//! A target with a `main` of its own, as some projects have it: groups that are called one by one, and no
//! `criterion_main!`.

use criterion::{Criterion, black_box, criterion_group};

fn first(c: &mut Criterion) {
    c.bench_function("first", |b| b.iter(|| black_box(1)));
}

criterion_group!(group, first);

fn main() {
    group();
    let mut criterion = Criterion::default().configure_from_args();
    criterion.bench_function("second", |b| b.iter(|| black_box(2)));
    for parameter in 0..2 {
        let mut group = criterion.benchmark_group("third");
        group.bench_with_input("function", &parameter, |b, n| b.iter(|| black_box(n + 1)));
    }
    criterion.final_summary();
}
