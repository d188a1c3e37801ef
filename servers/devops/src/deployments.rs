//! Deployments: what was deployed, how it went, and what that says of the next one.
//!
//! The odds of the next one come from those that resemble it, each counting by how much it does. Where few do, the rate of
//! all of them counts as one more case, and the interval says how little is known.

use mcp_state::{Limits, Numbered, Schema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::odds::{Odds, odds};

/// How much is kept.
pub const LIMITS: Limits = Limits { records: 10_000, bytes: 8 << 20 };
/// The confidence of intervals.
pub const LEVEL: f64 = 0.9;
/// The longest text of a field, in bytes.
const LONGEST: usize = 200;
/// So much a deployment counts that is alike but for this.
const OTHER_SERVICE: f64 = 0.1;
const OTHER_ENVIRONMENT: f64 = 0.4;
const OTHER_STRATEGY: f64 = 0.5;
/// A size that differs by this factor halves what it counts.
const HALVING_FACTOR: f64 = 8.0;
/// What is so old counts half, in milliseconds: half a year.
const HALF_LIFE_MS: f64 = 182.0 * 86_400_000.0;
/// The rate of all deployments counts as so many cases.
const BASE_CASES: f64 = 1.0;
/// A group has to have so many records to be compared.
const FEWEST_OF_GROUP: usize = 5;

/// How a deployment went.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It serves.
    Success,
    /// It did harm, or did not come up.
    Failure,
    /// It was withdrawn.
    RolledBack,
}

/// A deployment.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Deployment {
    /// When it was recorded, in milliseconds since 1970.
    pub at_ms: u64,
    /// What was deployed.
    pub service: String,
    /// Where to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// How: rolling, canary, blue-green, all at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strategy: Option<String>,
    /// Which version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// How large the change was, such as changed lines.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<f64>,
    /// How it went; nothing where that is not known yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
}

impl mcp_state::Record for Deployment {
    const SCHEMA: Schema = Schema { name: "deployments", format: "devops deployments", version: 1 };

    fn checked(self) -> Result<Self, String> {
        let texts = [
            ("service", Some(&self.service)),
            ("environment", self.environment.as_ref()),
            ("strategy", self.strategy.as_ref()),
            ("version", self.version.as_ref()),
        ];
        for (name, text) in texts {
            let Some(text) = text else { continue };
            if text.trim().is_empty() {
                return Err(format!("{name} is empty: give a name"));
            }
            if text.len() > LONGEST || text.chars().any(char::is_control) {
                return Err(format!("{name} is not a name: give at most {LONGEST} bytes on one line"));
            }
        }
        if self.size.is_some_and(|size| !(size.is_finite() && size >= 0.0)) {
            return Err("size is not a size: give a number from 0 on".to_owned());
        }
        Ok(self)
    }
}

/// What is to be deployed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// What.
    pub service: String,
    /// Where to.
    pub environment: Option<String>,
    /// How.
    pub strategy: Option<String>,
    /// How large the change is.
    pub size: Option<f64>,
}

/// Something about a plan that went worse than the rest did.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Factor {
    /// What it is.
    pub what: String,
    /// The rate of success with it.
    pub with: f64,
    /// The rate of success without it.
    pub without: f64,
    /// How many deployments had it.
    pub cases: usize,
}

/// What the history says of a plan.
#[derive(Clone, Debug, PartialEq)]
pub struct Risk {
    /// The odds of success.
    pub odds: Odds,
    /// How many deployments with a known outcome there are.
    pub known: usize,
    /// Those that resemble the plan most, with how much each counts.
    pub similar: Vec<(u64, f64)>,
    /// What about it went worse than the rest.
    pub factors: Vec<Factor>,
}

fn same(a: Option<&String>, b: Option<&String>, otherwise: f64) -> f64 {
    match (a, b) {
        (Some(a), Some(b)) if a.eq_ignore_ascii_case(b) => 1.0,
        // What is not said may be anything.
        (None, _) => 1.0,
        _ => otherwise,
    }
}

/// How much a deployment counts for a plan, from 0 to 1.
#[must_use]
pub fn similarity(plan: &Plan, past: &Deployment, now_ms: u64) -> f64 {
    let size = match (plan.size, past.size) {
        (Some(a), Some(b)) => {
            let ratio = ((a + 1.0) / (b + 1.0)).ln().abs() / HALVING_FACTOR.ln();
            0.5_f64.powf(ratio)
        }
        (None, _) => 1.0,
        (Some(_), None) => 0.7,
    };
    let age = now_ms.saturating_sub(past.at_ms) as f64 / HALF_LIFE_MS;
    same(Some(&plan.service), Some(&past.service), OTHER_SERVICE)
        * same(plan.environment.as_ref(), past.environment.as_ref(), OTHER_ENVIRONMENT)
        * same(plan.strategy.as_ref(), past.strategy.as_ref(), OTHER_STRATEGY)
        * size
        * 0.5_f64.powf(age)
}

/// What the history says of a plan.
#[must_use]
pub fn risk(plan: &Plan, history: &[Numbered<Deployment>], now_ms: u64) -> Risk {
    let known: Vec<(&Numbered<Deployment>, bool)> =
        history.iter().filter_map(|past| Some((past, past.entry.outcome? == Outcome::Success))).collect();
    let all_good = known.iter().filter(|(_, good)| *good).count() as f64;
    // The rate of all, itself not certain, as one more case.
    let base = odds(all_good, known.len() as f64 - all_good, LEVEL).rate;
    let weight = if known.is_empty() { 0.0 } else { BASE_CASES };
    let (mut good, mut bad) = (weight * base, weight * (1.0 - base));
    let mut similar = Vec::with_capacity(known.len());
    for (past, is_good) in &known {
        let weight = similarity(plan, &past.entry, now_ms);
        if *is_good {
            good += weight
        } else {
            bad += weight
        }
        similar.push((past.id, weight));
    }
    similar.sort_by(|a, b| b.1.total_cmp(&a.1).then(b.0.cmp(&a.0)));
    let mut odds = odds(good, bad, LEVEL);
    odds.cases -= weight;
    Risk { odds, known: known.len(), similar, factors: factors(plan, &known) }
}

/// What a factor is called, and which deployments have it.
type Candidate<'a> = (String, Box<dyn Fn(&Deployment) -> bool + 'a>);

/// What about a plan went worse than the rest, beyond what chance explains: the intervals of both rates do not meet.
fn factors(plan: &Plan, known: &[(&Numbered<Deployment>, bool)]) -> Vec<Factor> {
    let mut candidates: Vec<Candidate<'_>> = Vec::new();
    let named = |name: &str, value: &Option<String>| value.as_ref().map(|value| format!("{name} {value}"));
    let is = |a: &Option<String>, b: &Option<String>| match (a, b) {
        (Some(a), Some(b)) => a.eq_ignore_ascii_case(b),
        _ => false,
    };
    candidates.push((
        format!("service {}", plan.service),
        Box::new(|past| past.service.eq_ignore_ascii_case(&plan.service)),
    ));
    if let Some(what) = named("environment", &plan.environment) {
        candidates.push((what, Box::new(move |past| is(&plan.environment, &past.environment))));
    }
    if let Some(what) = named("strategy", &plan.strategy) {
        candidates.push((what, Box::new(move |past| is(&plan.strategy, &past.strategy))));
    }
    if let Some(size) = plan.size {
        let mut sizes: Vec<f64> = known.iter().filter_map(|(past, _)| past.entry.size).collect();
        if let Some(median) = crate::stats::median(&mut sizes).filter(|median| size > 2.0 * median) {
            let what = format!("a change larger than twice the usual ({median:.0})");
            candidates.push((what, Box::new(move |past| past.size.is_some_and(|size| size > 2.0 * median))));
        }
    }
    let compare = |(what, has): Candidate<'_>| {
        let count = |wanted: bool, good: bool| {
            known.iter().filter(|(past, is_good)| has(&past.entry) == wanted && *is_good == good).count()
        };
        let [with_good, with_bad, without_good, without_bad] =
            [(true, true), (true, false), (false, true), (false, false)]
                .map(|(with, good)| count(with, good));
        if with_good + with_bad < FEWEST_OF_GROUP || without_good + without_bad < FEWEST_OF_GROUP {
            return None;
        }
        let with = odds(with_good as f64, with_bad as f64, LEVEL);
        let without = odds(without_good as f64, without_bad as f64, LEVEL);
        let cases = with_good + with_bad;
        (with.high < without.low).then_some(Factor { what, with: with.rate, without: without.rate, cases })
    };
    candidates.into_iter().filter_map(compare).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    const NOW: u64 = 1_800_000_000_000;

    fn deployment(service: &str, strategy: &str, size: f64, good: bool) -> Deployment {
        Deployment {
            at_ms: NOW,
            service: service.to_owned(),
            environment: Some("production".to_owned()),
            strategy: Some(strategy.to_owned()),
            version: None,
            size: Some(size),
            outcome: Some(if good { Outcome::Success } else { Outcome::RolledBack }),
        }
    }

    fn numbered(all: Vec<Deployment>) -> Vec<Numbered<Deployment>> {
        all.into_iter().enumerate().map(|(id, entry)| Numbered { id: id as u64, entry }).collect()
    }

    fn plan(service: &str, strategy: &str, size: f64) -> Plan {
        Plan {
            service: service.to_owned(),
            environment: Some("production".to_owned()),
            strategy: Some(strategy.to_owned()),
            size: Some(size),
        }
    }

    #[test]
    fn three_records_say_little_and_it_is_said() {
        let history = numbered(vec![deployment("api", "rolling", 10.0, true); 3]);
        let found = risk(&plan("api", "rolling", 10.0), &history, NOW);
        assert!(found.odds.low < 0.65 && found.odds.high < 1.0, "{found:?}");
        assert!((found.odds.cases - 3.0).abs() < 1e-9 && found.known == 3);
        let nothing = risk(&plan("api", "rolling", 10.0), &[], NOW);
        assert!(
            nothing.odds.low < 0.05 && nothing.odds.high > 0.95 && nothing.odds.rate == 0.5,
            "{nothing:?}"
        );
    }

    #[test]
    fn what_resembles_counts_more() {
        let mut all = vec![deployment("api", "rolling", 10.0, true); 30];
        all.extend(vec![deployment("worker", "all at once", 5_000.0, false); 20]);
        let history = numbered(all);
        let api = risk(&plan("api", "rolling", 12.0), &history, NOW);
        let worker = risk(&plan("worker", "all at once", 5_000.0), &history, NOW);
        assert!(api.odds.low > 0.7 && worker.odds.high < 0.3, "{api:?} {worker:?}");
        assert!(api.factors.is_empty());
        let what: Vec<&str> = worker.factors.iter().map(|factor| factor.what.as_str()).collect();
        assert_eq!(what.len(), 3, "{what:?}");
        assert!(worker.similar[0].1 == 1.0 && worker.similar[49].1 < 0.01);
        assert!(
            similarity(
                &plan("api", "rolling", 10.0),
                &deployment("api", "rolling", 10.0, true),
                NOW + HALF_LIFE_MS as u64
            ) < 0.51
        );
    }

    #[test]
    fn records_that_are_none_are_refused() {
        use mcp_state::Record;
        let good = deployment("api", "rolling", 1.0, true);
        assert!(good.clone().checked().is_ok());
        for (bad, part) in [
            (Deployment { service: " ".to_owned(), ..good.clone() }, "service is empty"),
            (Deployment { version: Some("a\nb".to_owned()), ..good.clone() }, "version is not a name"),
            (Deployment { size: Some(f64::NAN), ..good.clone() }, "size"),
            (Deployment { size: Some(-1.0), ..good }, "size"),
        ] {
            let error = bad.checked().unwrap_err();
            assert!(error.contains(part), "{error}");
        }
    }

    /// Simulated histories: each service has its own rate, large changes and one strategy fail more often.
    fn reliability(histories: u64) -> Vec<(f64, f64, usize)> {
        let mut bins = vec![(0.0, 0.0, 0_usize); 10];
        for seed in 0..histories {
            let mut random = ChaCha8Rng::seed_from_u64(seed);
            let rates: Vec<f64> = (0..4).map(|_| 4.0 * random.random::<f64>()).collect();
            let draw = |random: &mut ChaCha8Rng| {
                let service = random.random_range(0..4_usize);
                let is_bold = random.random::<f64>() < 0.3;
                let size = (8.0 * random.random::<f64>()).exp();
                let logit = rates[service] - if is_bold { 1.0 } else { 0.0 } - 0.15 * size.ln();
                let good = random.random::<f64>() < 1.0 / (1.0 + (-logit).exp());
                deployment(
                    ["a", "b", "c", "d"][service],
                    if is_bold { "all at once" } else { "canary" },
                    size,
                    good,
                )
            };
            let history = numbered((0..5 + (seed % 8) * 15).map(|_| draw(&mut random)).collect());
            let next = draw(&mut random);
            let asked = plan(&next.service, next.strategy.as_deref().unwrap(), next.size.unwrap());
            let rate = risk(&asked, &history, NOW).odds.rate;
            let bin = &mut bins[((rate * 10.0) as usize).min(9)];
            bin.0 += rate;
            bin.1 += f64::from(u8::from(next.outcome == Some(Outcome::Success)));
            bin.2 += 1;
        }
        bins
    }

    #[test]
    fn what_is_said_to_succeed_so_often_does() {
        let mut judged = 0;
        for (said, seen, count) in reliability(4_000) {
            if count < 40 {
                continue;
            }
            judged += 1;
            let (said, seen) = (said / count as f64, seen / count as f64);
            let error = (said * (1.0 - said) / count as f64).sqrt();
            assert!((said - seen).abs() < 3.0 * error + 0.03, "said {said:.3}, seen {seen:.3} of {count}");
        }
        assert!(judged >= 5, "{judged} bins");
    }

    proptest! {
        #[test]
        fn it_is_never_certain(good in 0_usize..200, bad in 0_usize..200, size in 0.0_f64..1e12) {
            let mut all = vec![deployment("a", "x", 1.0, true); good];
            all.extend(vec![deployment("a", "x", 1.0, false); bad]);
            let found = risk(&plan("a", "y", size), &numbered(all), NOW).odds;
            prop_assert!(found.low > 0.0 && found.high < 1.0 && found.rate > 0.0 && found.rate < 1.0);
        }
    }
}
