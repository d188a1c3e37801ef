//! What experiments on comparisons of servers say of the comparison: how often it errs, and what it finds.

use std::collections::BTreeMap;

use crate::judge::{CalibrationRow, Experiments, InjectedRow, Policy, Verdict, judge_latency};
use crate::latency::{Comparison, Member, PairLine, Placement, Versus, quantile_name};
use crate::stats::{Interval, clopper_pearson, mean, median, sd};

/// What all experiments together say.
#[derive(Clone, Debug, PartialEq)]
pub struct PairsJudgement {
    /// Experiments with A/A pairs, and those in which one was called different.
    pub experiments: Experiments,
    /// The share of intervals that held the truth of A/A pairs, with its 95 % confidence interval.
    pub coverage: Option<Interval>,
    /// A row for each A/A pair, percentile and number of launches.
    pub aa: Vec<CalibrationRow>,
    /// The same for pairs whose candidate is slower.
    pub injected: Vec<InjectedRow>,
}

/// A line, and what the rows of its pair, judged together, say of it: below 0 improved, above 0 regressed. It is not
/// stored, so that a change of the rule is a change for all experiments.
struct Called<'a> {
    line: &'a PairLine,
    sign: i8,
}

/// Judges the lines of all experiments by the rule of today.
#[must_use]
pub fn judge_pairs(lines: &[PairLine], policy: Policy) -> PairsJudgement {
    let lines = call(lines, policy);
    // By pair, percentile and launches; quantiles in millionths, which order as floats do not.
    let mut groups: BTreeMap<(bool, &str, u64, usize), Vec<&Called<'_>>> = BTreeMap::new();
    for called in &lines {
        let line = called.line;
        let key = (line.slower > 0.0, line.pair.as_str(), (line.q * 1e6) as u64, line.launches);
        groups.entry(key).or_default().push(called);
    }
    let same = groups.iter().filter(|((slower, ..), _)| !slower);
    let aa: Vec<CalibrationRow> = same.map(|(_, group)| aa_row(group)).collect();
    let slower = groups.iter().filter(|((slower, ..), _)| *slower);
    let injected = slower.filter_map(|(_, group)| injected_row(group)).collect();
    let mut alarmed: BTreeMap<u64, bool> = BTreeMap::new();
    for Called { line, sign } in lines.iter().filter(|called| called.line.slower == 0.0) {
        *alarmed.entry(line.seed).or_default() |= *sign != 0;
    }
    let (covered, all) =
        aa.iter().fold((0, 0), |(covered, all), row| (covered + row.covered, all + row.comparisons));
    PairsJudgement {
        experiments: Experiments {
            count: alarmed.len() as u64,
            alarmed: alarmed.values().filter(|alarmed| **alarmed).count() as u64,
        },
        coverage: clopper_pearson(count(covered), count(all), 0.95),
        aa,
        injected,
    }
}

/// Judges the rows of each pair together, as those of a run are.
fn call(lines: &[PairLine], policy: Policy) -> Vec<Called<'_>> {
    let mut called: Vec<Called<'_>> = lines.iter().map(|line| Called { line, sign: 0 }).collect();
    let mut pairs: BTreeMap<(u64, String, bool), Vec<usize>> = BTreeMap::new();
    for (at, line) in lines.iter().enumerate() {
        pairs.entry((line.seed, line.pair.clone(), line.slower > 0.0)).or_default().push(at);
    }
    for members in pairs.values() {
        let row = |&at: &usize| {
            let PairLine { q, mean_log, sd_log, lo, hi, launches, .. } = lines[at];
            Comparison {
                q,
                // Judging looks at their number, mean and spread alone.
                launches: vec![mean_log; launches],
                ratio: mean_log.exp(),
                interval: Interval { lo, hi },
                launch_sd: sd_log,
                minimum_detectable: None,
                launches_to_decide: None,
            }
        };
        let rows = members.iter().map(row).collect();
        let versus =
            Versus { member: Member::Against, placement: Placement::Same, label: String::new(), rows };
        let judged = judge_latency(&[versus], policy);
        for (&at, verdict) in members.iter().zip(&judged.verdicts[0]) {
            called[at].sign = match verdict {
                Verdict::Improved => -1,
                Verdict::Regressed => 1,
                _ => 0,
            };
        }
    }
    called
}

fn count(value: u64) -> usize {
    usize::try_from(value).unwrap_or(usize::MAX)
}

fn row_name(lines: &[&Called<'_>]) -> String {
    format!("{} {}", lines[0].line.pair, quantile_name(lines[0].line.q))
}

fn launches_of(lines: &[&Called<'_>]) -> u32 {
    u32::try_from(lines[0].line.launches).unwrap_or(u32::MAX)
}

fn covers(lines: &[&Called<'_>], truth: f64) -> u64 {
    lines.iter().filter(|called| Interval { lo: called.line.lo, hi: called.line.hi }.contains(truth)).count()
        as u64
}

fn aa_row(lines: &[&Called<'_>]) -> CalibrationRow {
    let middle = |of: fn(&PairLine) -> f64| {
        median(&lines.iter().map(|called| of(called.line)).collect::<Vec<_>>()).unwrap_or(f64::NAN)
    };
    CalibrationRow {
        benchmark: row_name(lines),
        launches: launches_of(lines),
        comparisons: lines.len() as u64,
        alarms: lines.iter().filter(|called| called.sign != 0).count() as u64,
        covered: covers(lines, 1.0),
        median_error: middle(|line| line.mean_log.exp_m1().abs()),
        launch_sd: middle(|line| line.sd_log),
    }
}

fn injected_row(lines: &[&Called<'_>]) -> Option<InjectedRow> {
    let logs: Vec<f64> = lines.iter().map(|called| called.line.mean_log).collect();
    let truth = mean(&logs)?;
    Some(InjectedRow {
        benchmark: row_name(lines),
        nominal: lines[0].line.slower,
        truth: truth.exp_m1(),
        truth_error: sd(&logs).map_or(f64::NAN, |sd| sd / (logs.len() as f64).sqrt()),
        launches: launches_of(lines),
        trials: lines.len() as u64,
        found: lines.iter().filter(|called| called.sign > 0).count() as u64,
        covered: covers(lines, truth.exp()),
        seconds: median(&lines.iter().map(|called| called.line.seconds).collect::<Vec<_>>())?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(seed: u64, slower: f64, mean_log: f64) -> PairLine {
        let half = 0.004;
        PairLine {
            seed,
            pair: "work".to_owned(),
            q: 0.99,
            slower,
            launches: 12,
            mean_log,
            sd_log: 0.006,
            lo: (mean_log - half).exp(),
            hi: (mean_log + half).exp(),
            seconds: 4.0,
            own_ns: 2000.0,
        }
    }

    #[test]
    fn lines_are_judged_by_the_rule_of_the_day() {
        let lines = [line(1, 0.0, 0.001), line(1, 0.1, 0.09), line(2, 0.0, 0.05), line(2, 0.1, 0.012)];
        let policy = Policy { noise_threshold: 0.01 };
        let signs: Vec<i8> = call(&lines, policy).iter().map(|called| called.sign).collect();
        assert_eq!(signs, [0, 1, 1, 0]);
        let judged = judge_pairs(&lines, policy);
        let slower = &judged.injected[0];
        assert_eq!((slower.found, slower.trials, slower.covered), (1, 2, 0));
        let same = &judged.aa[0];
        assert_eq!((same.alarms, same.comparisons, same.covered), (1, 2, 1));
        assert_eq!(judged.experiments, Experiments { count: 2, alarmed: 1 });
    }
}
