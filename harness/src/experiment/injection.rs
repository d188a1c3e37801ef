//! Sizing injected work: a trial of a few launches with about twice the time, scaled down to each share.

use anyhow::{Context as _, bail};

use crate::analyse::analyse;
use crate::build::Artifact;
use crate::experiment::context::Locked;
use crate::experiment::session::{Event, launches};
use crate::experiment::surroundings::clock_seed;
use crate::measure::{Pace, Prepared, Run, call_ns, doubling_guess, steps_for};
use crate::plan::{Arm, Budget, Plan};

/// Launches of the trial: their noise, at most a few percent of a doubled time, is scaled down with the share.
const TRIAL_LAUNCHES: u32 = 16;

/// Gives every injected arm of the plan the steps that make its calls slower by its share. `stored` knows the
/// steps of earlier sittings, by benchmark and share, which are kept so that experiments add up.
pub(crate) fn size(
    context: &Locked<'_>,
    plan: &Plan,
    baseline: &Artifact,
    prepared: &mut Prepared,
    stored: &dyn Fn(&str, f64) -> Option<u64>,
) -> anyhow::Result<()> {
    let injected: Vec<usize> = (0..plan.arms.len()).filter(|&arm| plan.arms[arm].injected > 0.0).collect();
    let mut unknown: Vec<usize> = Vec::new();
    for (at, benchmark) in plan.benchmarks.iter().enumerate() {
        for &arm in &injected {
            match (stored(&benchmark.name, plan.arms[arm].injected), &mut prepared.paces[arm][at]) {
                (Some(steps), Some(pace)) => pace.extra = steps,
                (None, Some(_)) if !unknown.contains(&at) => unknown.push(at),
                _ => {}
            }
        }
    }
    if unknown.is_empty() {
        return Ok(());
    }
    let tried = trial_paces(prepared, &unknown, plan.budget.slice_ns);
    let found = trial(context, plan, baseline, prepared, &tried)?;
    for &at in &unknown {
        let name = &plan.benchmarks[at].name;
        let tried = tried[at].map_or(0, |pace| pace.extra);
        for &arm in &injected {
            let share = plan.arms[arm].injected;
            if let Some(pace) = prepared.paces[arm][at].as_mut().filter(|_| stored(name, share).is_none()) {
                let found =
                    found[at].with_context(|| format!("{name}: the trial of injected work failed"))?;
                let Some(steps) = steps_for(share, tried, found) else {
                    bail!(
                        "{name}: {tried} steps for 1,000 calls made it {:.1} % slower: too little",
                        found * 100.0
                    );
                };
                pace.extra = steps;
            }
        }
    }
    Ok(())
}

fn trial_paces(prepared: &Prepared, unknown: &[usize], slice_ns: u64) -> Vec<Option<Pace>> {
    let paces = prepared.paces[0].iter().enumerate();
    let doubled = |pace: Pace| Pace { extra: doubling_guess(call_ns(pace, slice_ns)), ..pace };
    paces.map(|(at, pace)| pace.filter(|_| unknown.contains(&at)).map(doubled)).collect()
}

/// The slow-down that each benchmark showed, as a fraction of its time.
fn trial(
    context: &Locked<'_>,
    plan: &Plan,
    baseline: &Artifact,
    prepared: &Prepared,
    tried: &[Option<Pace>],
) -> anyhow::Result<Vec<Option<f64>>> {
    let mut plan = Plan { seed: clock_seed(), ..plan.clone() };
    plan.budget = Budget { launches: TRIAL_LAUNCHES, ..plan.budget };
    let doubled = Arm { name: "twice".to_owned(), injected: 1.0, ..plan.arms[1].clone() };
    plan.arms = vec![plan.arms[0].clone(), doubled];
    let plain: Vec<Option<Pace>> =
        prepared.paces[0].iter().zip(tried).map(|(pace, tried)| tried.and(*pace)).collect();
    let mut prepared = Prepared { paces: vec![plain, tried.to_vec()], ..prepared.clone() };
    let artifacts = [Some(baseline.clone()), Some(baseline.clone())];
    let steps = u64::from(TRIAL_LAUNCHES) * plan.benchmarks.len() as u64;
    let stage = context.progress().stage("inject", "how much work is so many percent", steps);
    let mut run = Run::default();
    launches(context, &plan, &artifacts, &mut prepared, 0, &*stage, &mut |event| {
        match event {
            Event::Launch(launch) => run.launches.push(launch),
            Event::Failure(failure) => run.failures.push(failure),
        }
        Ok(())
    })?;
    stage.end();
    if context.stopped() {
        bail!("stopped while sizing the injected work; nothing was measured");
    }
    let analysis = analyse(&plan, &run);
    let of = |name: &String| {
        analysis.rows.iter().find(|row| &row.benchmark == name && row.arm == "twice")?.estimate
    };
    Ok(plan.benchmarks.iter().map(|benchmark| Some(of(&benchmark.name)?.ratio - 1.0)).collect())
}
