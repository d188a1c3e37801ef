//! A subject with one benchmark, whose code the census finds.

use std::hint::black_box;
use std::process::ExitCode;

use perflab_subject::{Benchmark, Input, serve};

/// Stands for a function of your crate.
#[inline(never)]
fn sum_of_squares(numbers: &[u64]) -> u64 {
    numbers.iter().map(|number| number * number).sum()
}

fn main() -> ExitCode {
    // The answer of a call on the measured input, and on the small input for counting instructions.
    let squares = Benchmark::new("squares/sum", 332_833_500, 328_350, |input| {
        let end = match input {
            Input::Measure => 1_000,
            Input::Count => 100,
        };
        let numbers: Vec<u64> = (0..end).collect();
        move || sum_of_squares(black_box(&numbers))
    })
    // Where the measured code ends up, for the census of its instructions.
    .code(&["my_subject::sum_of_squares"]);
    serve("my-subject", vec![squares])
}
