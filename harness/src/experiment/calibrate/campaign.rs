//! The gate's own rule on comparisons whose truth is known: each experiment is one gate, on layouts of its own,
//! that is measured and decided as a gate is. What is kept are the launches, so that another rule can be tried on
//! them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::experiment::calibrate::Sitting;
use crate::experiment::calibrate::comparison::Comparison;
use crate::experiment::calibrations::{GateLine, SCALE, append};
use crate::experiment::surroundings::clock_seed;
use crate::experiment::trials::{Row, Trial, Trials};
use crate::judge::{
    CONFIRM_ALPHA, DetectableRow, Experiments, GateCalibration, GateRule, LOOKS, Launches, PowerRow,
    Replayed, replay,
};
use crate::measure::Prepared;
use crate::plan::{Bounds, Plan};
use crate::stats::{Interval, mean, mean_interval, median, minimum_detectable, quantile, sd};

/// The classes of launch spread that power is given for.
const CLASSES: [f64; 3] = [0.0075, 0.033, f64::INFINITY];

/// The times, in seconds, that detectable slow-downs are given for.
const TIMES: [f64; 3] = [3.0, 15.0, 60.0];
/// How often a detectable slow-down is found.
const POWER: f64 = 0.95;

/// Runs experiments until their number or the deadline is reached: A/A and each injected slow-down in turn.
pub(crate) fn experiments(sitting: &Sitting<'_>, bounds: Bounds, log: &Path) -> anyhow::Result<()> {
    let Sitting { context, plan, experiments, .. } = *sitting;
    let what = format!("{experiments} gates of {} benchmarks", plan.benchmarks.len());
    let stage = context.progress().stage("calibrate", &what, u64::from(experiments));
    let arms = plan.arms.len() - 1;
    for turn in 0..experiments as usize {
        if sitting.is_over() {
            break;
        }
        let lines = experiment(sitting, bounds, 1 + turn % arms)?;
        append(log, &lines)?;
        stage.step();
    }
    stage.end();
    Ok(())
}

/// One gate: the baseline against one arm.
fn experiment(sitting: &Sitting<'_>, bounds: Bounds, arm: usize) -> anyhow::Result<Vec<GateLine>> {
    let Sitting { context, plan, artifacts, prepared, .. } = *sitting;
    let two =
        Plan { seed: clock_seed(), arms: vec![plan.arms[0].clone(), plan.arms[arm].clone()], ..plan.clone() };
    let seed = two.seed;
    let paces = vec![prepared.paces[0].clone(), prepared.paces[arm].clone()];
    let mut trials = [Trial {
        artifacts: vec![artifacts.arms[0].clone(), artifacts.arms[arm].clone()],
        prepared: Prepared { paces, ..prepared.clone() },
        judged: vec![1],
        control: None,
        bounds: vec![bounds; two.benchmarks.len()],
        plan: two,
    }];
    let mut rule = GateRule::new(0);
    let mut measuring =
        Trials { context, trials: &mut trials, rule: &mut rule, deadline: None, tells: false };
    let measured = measuring.run(&mut |_, _, _| Ok(()))?;
    if measured.stopped || measured.rows.iter().any(|row| row.failure.is_some()) {
        // Half an experiment is none.
        return Ok(Vec::new());
    }
    let line = |row: &Row| GateLine {
        seed,
        benchmark: plan.benchmarks[row.benchmark].name.clone(),
        injected: plan.arms[arm].injected,
        extra: prepared.paces[arm][row.benchmark].map_or(0, |pace| pace.extra),
        noise_threshold: bounds.noise_threshold,
        tolerance: bounds.tolerance,
        load: context.environment.load.unwrap_or(f64::NAN),
        seconds: row.screening.seconds + row.confirmation.as_ref().map_or(0.0, |phased| phased.seconds),
        baseline_ns: row.values.map_or(f64::NAN, |(baseline, _)| (baseline * 1e3).round() / 1e3),
        screening: row.screening.values.clone(),
        confirmation: row.confirmation.as_ref().map_or_else(Vec::new, |phased| phased.values.clone()),
    };
    Ok(measured.rows.iter().map(line).collect())
}

/// The first look of every row as a comparison at a fixed number of launches.
pub(crate) fn first_looks(lines: &[GateLine], noise_threshold: f64) -> Vec<Comparison> {
    let comparison = |line: &GateLine| {
        let values = line.launches().screening;
        let first = values.get(..LOOKS[0])?;
        let log = mean_interval(first, crate::analyse::CONFIDENCE)?;
        Some(Comparison {
            seed: line.seed,
            benchmark: line.benchmark.clone(),
            injected: line.injected,
            extra: line.extra,
            launches: first.len(),
            mean_log: log.mean,
            sd_log: log.sd,
            lo: log.interval.lo.exp(),
            hi: log.interval.hi.exp(),
            seconds: line.seconds * LOOKS[0] as f64 / values.len() as f64,
            called: 0,
        })
    };
    let same = |line: &&GateLine| (line.noise_threshold - noise_threshold).abs() < 1e-12;
    lines.iter().filter(same).filter_map(comparison).collect()
}

/// What the rule of the day says of all of them; `None` without any.
pub(crate) fn summary(lines: &[GateLine]) -> Option<GateCalibration> {
    let judged = judged(lines);
    let same: Vec<&Judged<'_>> = judged.iter().filter(|row| row.line.injected == 0.0).collect();
    if same.is_empty() {
        return None;
    }
    let count = |of: &dyn Fn(&Judged<'_>) -> bool| same.iter().filter(|row| of(row)).count() as u64;
    let seeds = |of: &dyn Fn(&Judged<'_>) -> bool| {
        let seeds: BTreeSet<u64> = same.iter().filter(|row| of(row)).map(|row| row.line.seed).collect();
        seeds.len() as u64
    };
    let loads = || lines.iter().map(|line| line.load).filter(|load| load.is_finite());
    Some(GateCalibration {
        comparisons: same.len() as u64,
        failed: count(&|row| row.said.fails()),
        suspected: count(&|row| row.said.confirmation.is_some()),
        undecided: count(&|row| !row.said.fails() && !row.said.passes()),
        experiments: Experiments { count: seeds(&|_| true), alarmed: seeds(&|row| row.said.fails()) },
        benchmarks: benchmarks(&same),
        load: loads().reduce(f64::min).zip(loads().reduce(f64::max)).map(|(lo, hi)| Interval { lo, hi }),
        seconds: lines.iter().map(|line| line.seconds).sum(),
        power: power(&judged),
        detectable: detectable(&same),
    })
}

/// What the confirmation of each benchmark finds, by the time that it has.
fn detectable(same: &[&Judged<'_>]) -> Vec<DetectableRow> {
    let of = |benchmark: String| {
        let noise_threshold = same.iter().find(|row| row.line.benchmark == benchmark)?.line.noise_threshold;
        let rows = || {
            same.iter().filter(|row| {
                row.line.benchmark == benchmark && (row.line.noise_threshold - noise_threshold).abs() < 1e-12
            })
        };
        let spreads: Vec<f64> =
            rows().filter_map(|row| sd(row.launches.screening.get(..LOOKS[0])?)).collect();
        let seconds: Vec<f64> = rows()
            .map(|row| {
                let taken = row.launches.screening.len() + row.launches.confirmation.len();
                row.line.seconds / taken.max(1) as f64
            })
            .collect();
        let (launch_sd, launch_seconds) = (median(&spreads)?, median(&seconds)?);
        let within = TIMES.map(|time| {
            let launches = time / launch_seconds - LOOKS[0] as f64;
            let look = LOOKS.iter().rev().find(|&&look| look as f64 <= launches);
            let log = look.and_then(|&look| {
                minimum_detectable(launch_sd, look, noise_threshold.ln_1p(), 2.0 * CONFIRM_ALPHA, POWER)
            });
            (time, log.map(f64::exp_m1))
        });
        Some(DetectableRow { benchmark, noise_threshold, launch_sd, launch_seconds, within: within.into() })
    };
    benchmarks(same).into_iter().filter_map(of).collect()
}

struct Judged<'a> {
    line: &'a GateLine,
    launches: Launches,
    said: Replayed,
}

/// Judges the rows of each experiment together, as those of a gate are.
fn judged(lines: &[GateLine]) -> Vec<Judged<'_>> {
    let mut experiments: BTreeMap<u64, Vec<&GateLine>> = BTreeMap::new();
    for line in lines {
        experiments.entry(line.seed).or_default().push(line);
    }
    let mut rule = GateRule::new(0);
    let mut judged = Vec::with_capacity(lines.len());
    for members in experiments.values() {
        let launches: Vec<Launches> = members.iter().map(|line| line.launches()).collect();
        let said = replay(&mut rule, &launches);
        let rows = members.iter().zip(launches).zip(said);
        judged.extend(rows.map(|((&line, launches), said)| Judged { line, launches, said }));
    }
    judged
}

fn benchmarks(same: &[&Judged<'_>]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for row in same {
        if !names.contains(&row.line.benchmark) {
            names.push(row.line.benchmark.clone());
        }
    }
    names
}

/// The class of each benchmark: by the median of its spread over the first looks of A/A experiments.
fn classes(judged: &[Judged<'_>]) -> BTreeMap<String, usize> {
    let mut spreads: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for row in judged.iter().filter(|row| row.line.injected == 0.0) {
        let first = row.launches.screening.get(..LOOKS[0]).and_then(sd);
        spreads.entry(&row.line.benchmark).or_default().extend(first);
    }
    let class = |spread: f64| CLASSES.iter().position(|&most| spread <= most).unwrap_or(CLASSES.len() - 1);
    spreads
        .into_iter()
        .filter_map(|(name, spreads)| Some((name.to_owned(), class(median(&spreads)?))))
        .collect()
}

fn power(judged: &[Judged<'_>]) -> Vec<PowerRow> {
    let classes = classes(judged);
    let millionths = |share: f64| (share * SCALE).round() as u64;
    let mut groups: BTreeMap<(usize, u64, u64), Vec<&Judged<'_>>> = BTreeMap::new();
    for row in judged {
        let Some(&class) = classes.get(&row.line.benchmark) else { continue };
        let key = (class, millionths(row.line.noise_threshold), millionths(row.line.injected));
        groups.entry(key).or_default().push(row);
    }
    let row = |(&(class, ..), rows): (&(usize, u64, u64), &Vec<&Judged<'_>>)| {
        let count = |of: &dyn Fn(&Replayed) -> bool| rows.iter().filter(|row| of(&row.said)).count() as u64;
        let seconds: Vec<f64> = rows.iter().map(|row| row.line.seconds).collect();
        PowerRow {
            most_sd: Some(CLASSES[class]).filter(|most| most.is_finite()),
            noise_threshold: rows[0].line.noise_threshold,
            nominal: rows[0].line.injected,
            truth: median(&truths(rows)).unwrap_or(f64::NAN),
            trials: rows.len() as u64,
            suspected: count(&|said| said.screening == crate::judge::Standing::Regressed),
            failed: count(&Replayed::fails),
            passed: count(&Replayed::passes),
            seconds: median(&seconds).unwrap_or(f64::NAN),
            seconds_p95: quantile(&seconds, 0.95).unwrap_or(f64::NAN),
        }
    };
    groups.iter().map(row).collect()
}

/// What the slow-down of each benchmark truly was: pooled over the first looks and the confirmations of all of its
/// experiments. Launches between those were only made where the first look had not decided, and would lean to
/// that side.
fn truths(rows: &[&Judged<'_>]) -> Vec<f64> {
    let mut pooled: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for row in rows {
        let values = pooled.entry(&row.line.benchmark).or_default();
        values.extend(row.launches.screening.iter().take(LOOKS[0]));
        values.extend(row.launches.confirmation.iter().take(LOOKS[0]));
    }
    pooled.values().filter_map(|values| Some(mean(values)?.exp_m1())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A row whose launches lie evenly around a slow-down.
    fn line(seed: u64, benchmark: &str, injected: f64, sd: f64, confirmed: bool) -> GateLine {
        let values = |n: usize| -> Vec<f64> {
            let place = |i: usize| ((i * 37) % n) as f64 / (n - 1) as f64 - 0.5;
            (0..n).map(|i| injected.ln_1p() + place(i) * sd * 12f64.sqrt()).collect()
        };
        GateLine {
            seed,
            benchmark: benchmark.to_owned(),
            injected,
            extra: 0,
            noise_threshold: 0.01,
            tolerance: 0.05,
            load: 0.25,
            seconds: 1.0 + seed as f64,
            baseline_ns: 100.0,
            screening: values(16),
            confirmation: if confirmed { values(64) } else { Vec::new() },
        }
    }

    #[test]
    fn a_campaign_counts_experiments_and_comparisons_apart() {
        let mut lines = Vec::new();
        for seed in 0..20 {
            lines.push(line(seed, "quiet", 0.0, 0.005, false));
            lines.push(line(seed, "loud", 0.0, 0.025, false));
        }
        for seed in 20..30 {
            lines.push(line(seed, "quiet", 0.03, 0.005, true));
        }
        let gate = summary(&lines).unwrap();
        assert_eq!((gate.comparisons, gate.failed, gate.experiments.count), (40, 0, 20));
        assert_eq!(gate.benchmarks, ["quiet", "loud"]);
        let power: Vec<_> =
            gate.power.iter().map(|row| (row.most_sd, row.nominal, row.trials, row.failed)).collect();
        assert_eq!(
            power,
            [(Some(0.0075), 0.0, 20, 0), (Some(0.0075), 0.03, 10, 10), (Some(0.033), 0.0, 20, 0)]
        );
        assert!((gate.power[1].truth - 0.03).abs() < 1e-3 && gate.power[1].seconds > 20.0, "{gate:?}");
        assert_eq!(summary(&lines[40..]), None, "without A/A there is nothing to bound");
    }

    #[test]
    fn more_time_finds_less_and_no_time_finds_nothing() {
        let lines: Vec<GateLine> = (0..3)
            .flat_map(|seed| {
                // A launch takes 0.05 s, and 0.5 s.
                let quick = GateLine { seconds: 0.8, ..line(seed, "quick", 0.0, 0.005, false) };
                [quick, GateLine { seconds: 8.0, ..line(seed, "slow", 0.0, 0.02, false) }]
            })
            .collect();
        let rows = summary(&lines).unwrap().detectable;
        let told = |row: &DetectableRow| row.within.iter().map(|(_, effect)| *effect).collect::<Vec<_>>();
        let quick = told(&rows[0]);
        // Within 3 s: 32 launches, of which 2.04 standard errors are the interval's half and 1.70 the power's.
        let excess = (2.04 + 1.70) * rows[0].launch_sd / 32f64.sqrt();
        assert!((quick[0].unwrap() - 0.01 - excess).abs() < 1e-4, "{quick:?}");
        assert!(quick[0] > quick[1] && quick[1] >= quick[2] && quick[2] > Some(0.01), "{quick:?}");
        let slow = told(&rows[1]);
        assert_eq!(slow[..2], [None, None], "a look and its confirmation take 16 s");
        assert!(slow[2] > Some(0.02), "{slow:?}");
    }

    #[test]
    fn a_suspicion_without_its_confirmation_is_not_found() {
        let mut lines: Vec<GateLine> = (0..3).map(|seed| line(seed, "quiet", 0.0, 0.005, false)).collect();
        lines.push(line(9, "quiet", 0.03, 0.005, false));
        let gate = summary(&lines).unwrap();
        let slower = gate.power.iter().find(|row| row.nominal > 0.0).unwrap();
        assert_eq!((slower.suspected, slower.failed, slower.passed), (1, 0, 0));
    }

    #[test]
    fn first_looks_are_comparisons_of_a_fixed_number_of_launches() {
        let lines = [line(1, "quiet", 0.0, 0.005, false), line(2, "quiet", 0.02, 0.005, true)];
        let looks = first_looks(&lines, 0.01);
        assert_eq!(looks.len(), 2);
        assert_eq!((looks[0].launches, looks[0].seed, looks[1].injected), (16, 1, 0.02));
        assert!(looks[0].lo < 1.0 && looks[0].hi > 1.0 && looks[1].lo > 1.01, "{looks:?}");
        assert!(first_looks(&lines, 0.0025).is_empty(), "gates of another threshold are apart");
    }
}
