//! A subject with one benchmark.
use perflab_subject::{Benchmark, Input, serve};

fn main() -> std::process::ExitCode {
    // The answer of a call on the measured input, and on the small one for counting instructions.
    let squares = Benchmark::new("squares/sum", 332_833_500, 328_350, |input| {
        let numbers: Vec<u64> = (0..if matches!(input, Input::Measure) { 1_000 } else { 100 }).collect();
        move || std::hint::black_box(&numbers).iter().map(|number| number * number).sum()
    });
    serve("my-subject", vec![squares])
}
