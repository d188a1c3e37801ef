//! How long a suggestion, an index and a training take.

use std::hint::black_box;

use bash_god::catalogue::Catalogue;
use bash_god::ranking::model::{Model, Pair, Ranker};
use bash_god::ranking::suggest::{Experience, HostPrograms, Past, Suggester};
use criterion::{Criterion, criterion_group, criterion_main};

const TASKS: &[&str] = &[
    "find files larger than 100 MB in /var/log changed in the last 7 days",
    "which process listens on port 8080",
    "replace \"foo\" with \"bar\" in config.txt",
    "undo the last commit but keep my work",
];

fn host() -> HostPrograms {
    HostPrograms::of(
        Catalogue::shipped().entries().iter().flat_map(|e| e.programs().iter().map(String::as_str)),
    )
}

/// The catalogue's own phrases as a training set.
fn pairs() -> Vec<Pair> {
    let entries = Catalogue::shipped().entries().iter();
    let pair = |says: &String, command: String| Pair { request: says.clone(), command };
    entries.flat_map(|entry| entry.says.iter().map(move |says| pair(says, entry.example()))).collect()
}

fn suggest(c: &mut Criterion) {
    let suggester = Suggester::new(Catalogue::shipped());
    let host = host();
    let pasts: Vec<Past> = pairs()
        .into_iter()
        .map(|pair| Past { task: pair.request, command: pair.command, good: Some(true) })
        .collect();
    let experience = Experience::new(&pasts);
    let mut tasks = TASKS.iter().cycle();
    c.bench_function("suggest/catalogue", |b| {
        b.iter(|| suggester.suggest(black_box(tasks.next().unwrap_or(&"")), 10, &host, None));
    });
    c.bench_function("suggest/with_history", |b| {
        b.iter(|| suggester.suggest(black_box(tasks.next().unwrap_or(&"")), 10, &host, Some(&experience)));
    });
    c.bench_function("suggest/index_catalogue", |b| {
        b.iter(|| Suggester::new(black_box(Catalogue::shipped())))
    });
}

fn train(c: &mut Criterion) {
    let pairs = pairs();
    let mut group = c.benchmark_group("train");
    group.sample_size(10);
    group.bench_function("catalogue_phrases", |b| b.iter(|| Model::train(black_box(&pairs))));
    group.finish();
    let model = Model::train(&pairs);
    c.bench_function("model/programs", |b| b.iter(|| model.programs(black_box(TASKS[0]))));
}

criterion_group!(benches, suggest, train);
criterion_main!(benches);
