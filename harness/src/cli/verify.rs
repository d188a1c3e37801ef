//! `verify`: answers only.

use crate::cli::args::{Format, RunArgs, Shared};
use crate::cli::context::Context;
use crate::cli::run::is_broken;
use crate::cli::{Exit, artifacts, run, session};
use crate::measure::RunFailure;
use crate::report::sentence;

/// One call of every benchmark in every arm that runs here.
pub(crate) fn verify(shared: &Shared, args: &RunArgs) -> anyhow::Result<Exit> {
    let context = Context::open()?;
    context.tell_foreign();
    let (suite, plan) = context.plan(args)?;
    let _alone = context.alone()?;
    let artifacts = artifacts::build(&context, &plan)?;
    let wanted = run::wanted(args, &suite.benchmarks);
    let prepared = session::first_processes(&context, &plan, &artifacts.arms, &wanted)?;
    let failures: Vec<&RunFailure> = artifacts.failures.iter().chain(&prepared.failures).collect();
    let broken = failures.iter().filter(|failure| is_broken(failure)).count();
    match shared.format {
        Format::Json => {
            let rows: Vec<_> = plan
                .arms
                .iter()
                .zip(&prepared.paces)
                .map(|(arm, paces)| {
                    let right = paces.iter().filter(|pace| pace.is_some()).count();
                    serde_json::json!({ "arm": arm.name, "right": right, "of": paces.len() })
                })
                .collect();
            let value =
                serde_json::json!({ "benchmarks": prepared.benchmarks, "arms": rows, "failures": failures });
            outln!("{}", serde_json::to_string_pretty(&value)?);
        }
        Format::Table => {
            for ((arm, paces), facts) in plan.arms.iter().zip(&prepared.paces).zip(&artifacts.facts) {
                let right = paces.iter().filter(|pace| pace.is_some()).count();
                match &facts.identical_to {
                    Some(twin) => outln!("{:<18} identical code to {twin}", arm.name),
                    None => {
                        outln!("{:<18} {right} of {} answers are right", arm.name, prepared.benchmarks.len())
                    }
                }
            }
            for failure in &failures {
                let benchmark = failure.benchmark.as_ref().map_or(String::new(), |name| format!(", {name}"));
                outln!("{}{benchmark}: {}", failure.arm, sentence(&failure.reason));
            }
            let names: Vec<_> = prepared.benchmarks.iter().map(|benchmark| benchmark.name.as_str()).collect();
            outln!("benchmarks: {}", names.join(" "));
        }
    }
    let nothing = run::lacks_baseline(&plan, &artifacts.failures);
    Ok(if broken > 0 || nothing { Exit::Failed } else { Exit::Fine })
}
