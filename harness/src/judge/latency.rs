//! Verdicts on compared latencies: the rules of every other row, over launches.

use crate::judge::{Effect, LEVEL, Policy, Verdict, adjusted};
use crate::latency::{Comparison, Member, Versus};
use crate::stats::{Interval, mean_interval};

/// The level at which a control voids its run, before it is divided by the number of its rows.
const CONTROL_LEVEL: f64 = 0.001;

/// The level of percentiles beyond p99. Few calls of a launch decide them, launches differ with long tails, and
/// calibrations find that their 95 % intervals hold the truth less often than they say.
const TAIL_LEVEL: f64 = 0.01;

/// What is said of the percentiles of a run.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct LatencyJudgement {
    /// The verdicts, one list a comparison, in its rows' order. The control has verdicts too.
    pub verdicts: Vec<Vec<Verdict>>,
    /// Whether the baseline differs from itself, so that nothing can be said.
    pub void: bool,
}

/// Judges comparisons by the noise threshold. `improved` and `regressed` hold at 5 % for all rows of all
/// servers together (Holm), beyond p99 at 1 %; the control is left out of that correction, and judged alone.
#[must_use]
pub fn judge_latency(comparisons: &[Versus], policy: Policy) -> LatencyJudgement {
    let is_control = |versus: &Versus| versus.member == Member::Control;
    let controls = comparisons.iter().filter(|versus| is_control(versus)).count();
    let void = comparisons.iter().filter(|versus| is_control(versus)).any(|versus| {
        let level = CONTROL_LEVEL / (versus.rows.len() * controls).max(1) as f64;
        versus.rows.iter().any(|row| voids(row, level, policy))
    });
    let candidates: Vec<Effect> = comparisons
        .iter()
        .filter(|versus| !is_control(versus))
        .flat_map(|versus| &versus.rows)
        .map(effect)
        .collect();
    let mut corrected = adjusted(&candidates, policy).into_iter();
    let verdicts = comparisons.iter().map(|versus| {
        let alone = adjusted(&versus.rows.iter().map(effect).collect::<Vec<_>>(), policy);
        let of = |(row, alone): (&Comparison, f64)| {
            let p = if is_control(versus) { alone } else { corrected.next().unwrap_or(1.0) };
            if void && !is_control(versus) { spoiled() } else { verdict(row, p, policy) }
        };
        versus.rows.iter().zip(alone).map(of).collect()
    });
    LatencyJudgement { verdicts: verdicts.collect(), void }
}

fn effect(row: &Comparison) -> Effect {
    Effect { mean: row.ratio.ln(), sd: row.launch_sd, launches: row.launches.len() }
}

fn spoiled() -> Verdict {
    let reason = "the A/A control differs from itself: something else disturbs this machine".to_owned();
    Verdict::Inconclusive { reason }
}

fn verdict(row: &Comparison, p: f64, policy: Policy) -> Verdict {
    let threshold = policy.noise_threshold.ln_1p();
    let log = row.interval.map(f64::ln);
    if p < if row.q > 0.99 { TAIL_LEVEL } else { LEVEL } {
        return if row.ratio < 1.0 { Verdict::Improved } else { Verdict::Regressed };
    }
    if log.within(&Interval { lo: -threshold, hi: threshold }) {
        return Verdict::NoChange;
    }
    let reason = match row.launches_to_decide {
        _ if log.hi < -threshold || log.lo > threshold => {
            "beyond the noise threshold alone, but not among so many rows".to_owned()
        }
        Some(launches) => format!("about {launches} launches would decide"),
        None => "the effect is about as large as the noise threshold".to_owned(),
    };
    Verdict::Inconclusive { reason }
}

fn voids(row: &Comparison, level: f64, policy: Policy) -> bool {
    let Some(log) = mean_interval(&row.launches, 1.0 - level) else { return false };
    row.launches.len() > 3 && !log.interval.contains(0.0) && log.mean.abs() > policy.noise_threshold.ln_1p()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::latency::{Placement, compare};

    const POLICY: Policy = Policy { noise_threshold: 0.01 };

    fn versus(member: Member, ratio: f64, spread: f64) -> Versus {
        let pairs: Vec<(u64, u64)> = (0..12)
            .map(|launch| {
                let wobble = 1.0 + spread * (f64::from(launch) - 5.5) / 5.5;
                (1_000_000, (1_000_000.0 * ratio * wobble) as u64)
            })
            .collect();
        let rows = [0.5, 0.99].iter().filter_map(|&q| compare(q, &pairs, 0.01)).collect();
        Versus { member, placement: Placement::Same, label: String::new(), rows }
    }

    #[test]
    fn beyond_p99_more_is_asked_for() {
        let row = versus(Member::Against, 1.1, 0.1).rows.remove(0);
        let said = |q, p| verdict(&Comparison { q, ..row.clone() }, p, POLICY);
        assert_eq!(said(0.99, 0.03), Verdict::Regressed);
        assert!(matches!(said(0.999, 0.03), Verdict::Inconclusive { .. }));
        assert_eq!(said(0.999, 0.003), Verdict::Regressed);
    }

    fn words(comparisons: &[Versus]) -> Vec<String> {
        let judged = judge_latency(comparisons, POLICY);
        let word = |verdict: &Verdict| {
            serde_json::to_value(verdict).unwrap()["verdict"].as_str().unwrap().to_owned()
        };
        judged.verdicts.iter().map(|rows| word(&rows[0])).collect()
    }

    #[test]
    fn clear_effects_are_named_and_unclear_ones_are_not() {
        let control = versus(Member::Control, 1.0, 0.01);
        assert_eq!(words(&[versus(Member::Against, 1.1, 0.02), control.clone()])[0], "regressed");
        assert_eq!(words(&[versus(Member::Against, 0.9, 0.02), control.clone()])[0], "improved");
        assert_eq!(words(&[versus(Member::Against, 1.0, 0.005), control.clone()])[0], "no_change");
        assert_eq!(words(&[versus(Member::Against, 1.03, 0.2), control])[0], "inconclusive");
    }

    #[test]
    fn a_control_that_differs_from_itself_voids_the_others() {
        let comparisons = [versus(Member::Against, 1.2, 0.01), versus(Member::Control, 1.1, 0.01)];
        assert!(judge_latency(&comparisons, POLICY).void);
        assert_eq!(words(&comparisons), ["inconclusive", "regressed"]);
    }
}
