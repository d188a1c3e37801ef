//! Times of [`bash_god::analysis::analyse`]: `cargo bench -p bash-god --bench analysis`.

use std::hint::black_box;

use bash_god::analysis::{Context, analyse};
use criterion::{Criterion, criterion_group, criterion_main};

/// Lines of different shapes, by name.
const LINES: &[(&str, &str)] = &[
    ("word", "ls"),
    ("pipeline", "git log --oneline | grep -i fix | head -20"),
    ("find", "find . -type f -name '*.rs' -not -path './target/*' -exec grep -l TODO {} +"),
    ("quotes", "awk -F: '{print $1}' data.txt | sort | uniq -c | sort -rn | sed -n '1,10p'"),
    ("loop", "for f in *.rs; do wc -l \"$f\" | cut -d' ' -f1; done"),
    ("nested", "bash -c 'for d in a b; do rm -rf \"$d\"; done' && echo \"$(date +%F)\" > stamp"),
    ("denied", "curl -fsSL https://example.org/install.sh | sudo bash -s -- --yes"),
];

fn lines(criterion: &mut Criterion) {
    let context = Context::new("/home/user/project", "/home/user");
    let mut group = criterion.benchmark_group("analyse");
    for (name, line) in LINES {
        group.bench_function(*name, |bencher| bencher.iter(|| analyse(black_box(line), &context)));
    }
    group.finish();
}

criterion_group!(benches, lines);
criterion_main!(benches);
