//! What an experiment takes: said before it begins.

use std::fmt::Write as _;
use std::time::Duration;

use crate::experiment::context::Context;
use crate::foreign::{Harness, Target};
use crate::plan::{Bench, Plan};

/// How long something takes, in words.
fn words(seconds: f64) -> String {
    match seconds {
        _ if seconds < 1.0 => "under 1 s".to_owned(),
        _ if seconds < 100.0 => format!("{seconds:.0} s"),
        _ => format!("{:.0} min", seconds / 60.0),
    }
}

/// What would be built for a plan, and about how long building and measuring take.
pub(crate) fn text(
    context: &Context,
    plan: &Plan,
    target: Option<&(Target, Bench)>,
    budget: Option<Duration>,
) -> anyhow::Result<String> {
    let mut text = String::new();
    if let Some((target, way)) = target {
        writeln!(text, "way         {}", spelled(target, *way))?;
    }
    let mut variants: Vec<_> = Vec::new();
    for variant in plan.arms.iter().filter_map(|arm| arm.workload.variant()) {
        if !variants.contains(&variant) {
            variants.push(variant);
        }
    }
    let known: Vec<f64> = variants.iter().filter_map(|variant| context.seconds_to_build(variant)).collect();
    let crates = context.locked_packages();
    match (known.iter().copied().reduce(f64::max), crates) {
        (Some(longest), _) => {
            let (of, all) = (known.len(), variants.len());
            writeln!(
                text,
                "builds      {all}; {of} of them were built before, the longest from nothing in {}",
                words(longest)
            )?;
        }
        (None, Some(crates)) => {
            writeln!(
                text,
                "builds      {}, none of them built before; Cargo.lock has {crates} packages",
                variants.len()
            )?;
        }
        (None, None) => writeln!(text, "builds      {}, none of them built before", variants.len())?,
    }
    let arms = plan.arms.len() as f64;
    let launches = f64::from(plan.budget.launches);
    let bench = variants.first().and_then(|variant| variant.bench);
    let turn = match bench {
        // Its warm-up and its measurement.
        Some(Bench::Criterion | Bench::Divan) => 0.25,
        _ => {
            (plan.budget.settle_ns as f64 + f64::from(plan.budget.slices) * plan.budget.slice_ns as f64) / 1e9
        }
    };
    let each = launches * arms * f64::from(plan.budget.blocks) * turn;
    let rows = plan.benchmarks.len();
    let all =
        if rows == 0 { String::new() } else { format!(", {} for all {rows}", words(each * rows as f64)) };
    writeln!(
        text,
        "measuring   about {} for each benchmark{all}, and {} for layouts and processes",
        words(each),
        words(launches * arms * 0.12)
    )?;
    if let Some(budget) = budget {
        let budget = budget.as_secs();
        writeln!(
            text,
            "budget      {budget} s: launches are chosen to fit; what does not is left out, and said"
        )?;
    }
    writeln!(text, "record      in {}", context.results.display())?;
    Ok(text)
}

/// How a bench target is measured, in words.
fn spelled(target: &Target, way: Bench) -> &'static str {
    match (way, target.harness) {
        (Bench::Subject, Harness::Criterion) => {
            "its bench against the lab's criterion: arms take turns in one launch"
        }
        (Bench::Subject, _) => "a subject by itself: arms take turns in one launch",
        (Bench::Criterion, _) => "its own criterion, one process a turn",
        (Bench::Divan, _) => "its own divan, one process a turn",
    }
}
