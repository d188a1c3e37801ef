//! `verify`: answers only.

use crate::cli::args::{Format, Shared};
use crate::experiment::run::Verified;
use crate::measure::RunFailure;
use crate::report::sentence;

/// Prints which answers are right.
pub(crate) fn show(shared: &Shared, verified: &Verified) -> anyhow::Result<()> {
    match shared.format {
        Format::Json => outln!("{}", serde_json::to_string_pretty(&json(verified))?),
        Format::Table => print(verified),
    }
    Ok(())
}

fn json(verified: &Verified) -> serde_json::Value {
    let Verified { built, prepared } = verified;
    let rows: Vec<_> = built
        .plan
        .arms
        .iter()
        .zip(&prepared.paces)
        .map(|(arm, paces)| {
            let right = paces.iter().filter(|pace| pace.is_some()).count();
            serde_json::json!({ "arm": arm.name, "right": right, "of": paces.len() })
        })
        .collect();
    let failures: Vec<&RunFailure> = verified.failures().collect();
    serde_json::json!({ "benchmarks": prepared.benchmarks, "arms": rows, "failures": failures })
}

fn print(verified: &Verified) {
    let Verified { built, prepared } = verified;
    for ((arm, paces), facts) in built.plan.arms.iter().zip(&prepared.paces).zip(&built.artifacts.facts) {
        let right = paces.iter().filter(|pace| pace.is_some()).count();
        match &facts.identical_to {
            Some(twin) => outln!("{:<18} identical code to {twin}", arm.name),
            None => {
                outln!("{:<18} {right} of {} answers are right", arm.name, prepared.benchmarks.len())
            }
        }
    }
    for failure in verified.failures() {
        let benchmark = failure.benchmark.as_ref().map_or(String::new(), |name| format!(", {name}"));
        outln!("{}{benchmark}: {}", failure.arm, sentence(&failure.reason));
    }
    let names: Vec<_> = prepared.benchmarks.iter().map(|benchmark| benchmark.name.as_str()).collect();
    outln!("benchmarks: {}", names.join(" "));
}
