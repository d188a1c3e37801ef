//! The text of Go's benchmarks (golang.org/design/14313-benchmark-format): a line a launch, so that `benchstat` has
//! samples. Arms are a key of the name, so that `benchstat -col /cpu` puts them side by side.

use std::fmt::Write as _;

use crate::report::export::{identical, names};
use crate::rows::{Measured, Rows, Unit, Work};

/// Rows as Go's benchmark text.
pub(crate) fn text(rows: &Rows) -> String {
    let mut text = String::new();
    for (key, value) in config(rows) {
        let _ = writeln!(text, "{key}: {}", one_line(&value));
    }
    for metric in [Unit::Nanos, Unit::Bytes, Unit::Instructions] {
        if rows.rows.iter().any(|row| row.measure.unit() == metric) {
            // Counts of one build are equal, or something is wrong: benchstat then warns instead of averaging.
            let assume = if metric == Unit::Instructions { "exact" } else { "nothing" };
            let _ = writeln!(text, "Unit {} better=lower assume={assume}", unit(metric));
        }
    }
    if rows.rows.iter().any(|row| row.rate().is_some_and(|(_, of)| of == Work::Elements)) {
        text.push_str("Unit elements/s better=higher assume=nothing\n");
    }
    if identical(rows).next().is_some() {
        text.push_str("Unit change-% better=lower assume=exact\n");
    }
    text.push('\n');
    for (row, name) in
        rows.rows.iter().zip(names(rows, &|row| named(&row.benchmark, &row.arm, &rows.arms_are)))
    {
        for &value in &row.launches {
            let done = Measured { value, ..row.clone() }.rate();
            let done = match done {
                // Go's own unit of `b.SetBytes`.
                Some((rate, Work::Bytes)) => format!("\t{} MB/s", rate / 1e6),
                Some((rate, Work::Elements)) => format!("\t{rate} elements/s"),
                None => String::new(),
            };
            let _ = writeln!(text, "{name}-1\t1\t{value} {}{done}", unit(row.measure.unit()));
        }
    }
    for (benchmark, arm) in identical(rows) {
        let _ = writeln!(text, "{}-1\t1\t0 change-%", named(benchmark, arm, &rows.arms_are));
    }
    text
}

fn config(rows: &Rows) -> Vec<(&'static str, String)> {
    let mut config = vec![
        ("suite", rows.suite.clone()),
        ("record", rows.name.clone()),
        ("measured", rows.started.clone()),
        ("by", rows.made_by.clone()),
    ];
    if let Some(environment) = &rows.environment {
        config.extend([
            ("cpu", environment.class()),
            ("kernel", environment.kernel.clone()),
            ("rustc", environment.compiler().unwrap_or_default().to_owned()),
        ]);
    }
    config.retain(|(_, value)| !value.is_empty());
    config
}

const fn unit(metric: Unit) -> &'static str {
    match metric {
        Unit::Nanos => "ns/op",
        // `B/op` is what Go calls bytes that an operation allocates.
        Unit::Bytes => "bytes",
        Unit::Instructions => "instructions/op",
    }
}

/// `BenchmarkJson_rpc/parse/cpu=x86-64-1`: a name begins with a capital, and its last `-N` is the number of threads.
/// Without that, `x86-64` would be read as 64 threads.
fn named(benchmark: &str, arm: &str, arms_are: &str) -> String {
    let mut letters = benchmark.chars();
    let first = letters.next().map(|letter| letter.to_uppercase().collect::<String>()).unwrap_or_default();
    let benchmark = word(&(first + letters.as_str()));
    let arm = word(arm).replace('/', "_");
    format!("Benchmark{benchmark}/{arms_are}={arm}")
}

fn word(text: &str) -> String {
    text.chars()
        .map(|letter| if letter.is_whitespace() || letter.is_control() { '_' } else { letter })
        .collect()
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
