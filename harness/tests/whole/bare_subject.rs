//! A subject without any library: it answers the few requests that the lab makes by looking for words.

use std::hint::black_box;
use std::io::{BufRead, Write};
use std::time::Instant;

/// Bits below and at the lowest zero: single instructions under BMI and TBM, shifts under BMI2, and wide
/// vectors under AVX-512.
#[inline(never)]
fn bits(numbers: &[u32]) -> u64 {
    let mut sum = 0_u64;
    for &number in numbers {
        let number = black_box(number);
        let filled = number & number.wrapping_add(1);
        sum = sum.wrapping_add(u64::from(filled << (number & 7)));
    }
    let squares = numbers.iter().fold(0_u32, |sum, &number| sum.wrapping_add(number.wrapping_mul(number)));
    sum.wrapping_add(u64::from(squares))
}

fn batch(numbers: &[u32], iters: u64) -> u64 {
    (0..iters).fold(0, |sum, _| sum.wrapping_add(bits(black_box(numbers))))
}

fn field(line: &str, name: &str) -> u64 {
    let after = line.split_once(&format!("\"{name}\":")).map_or("", |(_, after)| after);
    let digits: String = after.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().unwrap_or(0)
}

fn main() {
    let numbers: Vec<u32> = (0..2000).collect();
    let answer = bits(&numbers);
    for line in std::io::stdin().lock().lines().map_while(Result::ok) {
        let reply = if line.contains("\"list\"") {
            format!(
                "{{\"protocol\":1,\"subject\":\"bare\",\"benchmarks\":[{{\"name\":\"bits\",\"answer\":{answer},\"count_answer\":{answer}}}]}}"
            )
        } else if line.contains("\"prepare\"") {
            let start = Instant::now();
            let checksum = batch(&numbers, 1);
            format!("{{\"checksum\":{checksum},\"call_ns\":{}}}", start.elapsed().as_nanos().max(1))
        } else {
            let iters = field(&line, "iters");
            let slice = |_| {
                let start = Instant::now();
                let checksum = batch(&numbers, iters);
                let wall = start.elapsed().as_nanos();
                format!("{{\"iters\":{iters},\"wall_ns\":{wall},\"cpu_ns\":{wall},\"checksum\":{checksum}}}")
            };
            let slices: Vec<String> = (0..field(&line, "slices")).map(slice).collect();
            format!("{{\"slices\":[{}]}}", slices.join(","))
        };
        if writeln!(std::io::stdout(), "{reply}").is_err() {
            return;
        }
    }
}
