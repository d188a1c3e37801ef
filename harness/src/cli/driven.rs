//! `__bench`: a bench of another harness as a subject, which is how such an arm is started.

use std::io::{BufRead as _, Write as _};

use anyhow::Context as _;
use serde_json::{Value, json};

use crate::cli::Exit;
use crate::cli::args::{BenchArgs, BenchHarness};
use crate::foreign::{Driven, DrivenError, slices};
use crate::plan::Bench;

/// What every call of a foreign bench answers: nobody knows what is right.
const ANSWER: u64 = 1;

/// Answers the lab on stdin and stdout until it closes its end.
pub(crate) fn bench(args: &BenchArgs) -> anyhow::Result<Exit> {
    let program = args.command.first().context("no bench")?.into();
    let scratch = tempfile::tempdir().context("cannot make a directory for what the bench writes")?;
    let driven = Driven {
        bench: match args.harness {
            BenchHarness::Criterion => Bench::Criterion,
            BenchHarness::Divan => Bench::Divan,
        },
        program,
        scratch: scratch.path().to_owned(),
        lab: std::env::current_exe().ok(),
    };
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let answer = match serde_json::from_str(&line?) {
            Ok(request) => {
                answer(&driven, &request).unwrap_or_else(|error| json!({"error": error.to_string()}))
            }
            Err(error) => json!({"error": format!("not a request: {error}")}),
        };
        writeln!(out, "{answer}").and_then(|()| out.flush())?;
    }
    Ok(Exit::Fine)
}

fn answer(driven: &Driven, request: &Value) -> Result<Value, DrivenError> {
    let name = request["benchmark"].as_str().unwrap_or_default();
    let number = |key: &str| request[key].as_u64().unwrap_or(1).max(1);
    match request["op"].as_str() {
        Some("list") => {
            // One call may be as slow as it likes: its harness decides how often it is made.
            let row = |name: &String| json!({"name": name, "answer": ANSWER, "count_answer": ANSWER, "slow": true, "unchecked": true});
            let rows: Vec<Value> = driven.list()?.iter().map(row).collect();
            Ok(json!({"protocol": 1, "subject": driven.bench.name(), "benchmarks": rows}))
        }
        Some("prepare") => {
            let call = slices(&driven.measure(name)?, 1, 1).first().copied().unwrap_or(1);
            Ok(json!({"checksum": ANSWER, "call_ns": call}))
        }
        Some("turn") => {
            let iters = number("iters");
            let wanted = u32::try_from(number("slices")).unwrap_or(u32::MAX);
            let checksum = ANSWER.wrapping_mul(iters);
            let slice = |ns: u64| json!({"iters": iters, "wall_ns": ns, "cpu_ns": 0, "checksum": checksum});
            let slices: Vec<Value> =
                slices(&driven.measure(name)?, wanted, iters).into_iter().map(slice).collect();
            Ok(json!({"slices": slices}))
        }
        _ => Err(DrivenError::Unreadable("only the lab's own form of a bench can be counted".to_owned())),
    }
}
