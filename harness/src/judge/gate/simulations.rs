//! Seeded simulations of the whole rule: looks, Holm's correction, confirmation. Each draws the same numbers every
//! time, so that a test always passes or always fails.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::f64::consts::PI;

use crate::judge::gate::{GateRule, LOOKS, Launches, Replayed, replay};
use crate::plan::Bounds;
use crate::stats::{clopper_pearson_upper, mean_interval};

const BOUNDS: Bounds = Bounds { noise_threshold: 0.01, tolerance: 0.05 };

/// A row of a simulated program: the true slow-down, and the spread between launches.
#[derive(Clone, Copy)]
struct Truth {
    slow_down: f64,
    sd: f64,
    /// The share of launches that fall into a second group, a tenth slower: layouts with a bad loop.
    second: f64,
}

impl Truth {
    fn of(slow_down: f64, sd: f64) -> Self {
        Self { slow_down, sd, second: 0.0 }
    }
}

struct Machine {
    random: ChaCha8Rng,
}

impl Machine {
    fn seeded(seed: u64) -> Self {
        Self { random: ChaCha8Rng::seed_from_u64(seed) }
    }

    fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.random.random::<f64>()).ln()).sqrt();
        radius * (2.0 * PI * self.random.random::<f64>()).cos()
    }

    /// One side's log time: the spread is that of a ratio, so each side has its half.
    fn side(&mut self, truth: Truth) -> f64 {
        let group = if self.random.random::<f64>() < truth.second { 0.1 } else { 0.0 };
        truth.sd / 2f64.sqrt() * self.normal() + group
    }

    fn launches(&mut self, truth: Truth) -> Vec<f64> {
        let most = LOOKS[LOOKS.len() - 1];
        (0..most).map(|_| truth.slow_down.ln_1p() + self.side(truth) - self.side(truth)).collect()
    }

    /// One gate over rows of these truths.
    fn gate(&mut self, rule: &mut GateRule, truths: &[Truth]) -> Vec<Replayed> {
        let row = |truth: &Truth| Launches {
            screening: self.launches(*truth),
            confirmation: self.launches(*truth),
            bounds: BOUNDS,
        };
        let rows: Vec<Launches> = truths.iter().map(row).collect();
        replay(rule, &rows)
    }
}

/// In how many of so many gates any row fails.
fn failing(gates: usize, seed: u64, truths: &[Truth]) -> usize {
    let (mut machine, mut rule) = (Machine::seeded(seed), GateRule::new(0));
    (0..gates).filter(|_| machine.gate(&mut rule, truths).iter().any(Replayed::fails)).count()
}

#[test]
fn unchanged_code_fails_no_gate() {
    // Spreads as kernels show them, heavy ones and two groups included.
    let mut rows = vec![Truth::of(0.0, 0.004); 6];
    rows.extend([Truth::of(0.0, 0.01), Truth::of(0.0, 0.02), Truth::of(0.0, 0.05), Truth::of(0.0, 0.19)]);
    rows.push(Truth { second: 0.1, ..Truth::of(0.0, 0.01) });
    let failed = failing(150, 11, &rows);
    assert_eq!(failed, 0, "of 150 gates of {} rows", rows.len());
}

#[test]
fn at_the_threshold_itself_gates_fail_as_seldom_as_promised() {
    // The worst unchanged case by definition: every row is slower by exactly what is not worth a name.
    let rows = vec![Truth::of(BOUNDS.noise_threshold, 0.01); 12];
    let failed = failing(250, 13, &rows);
    let bound = clopper_pearson_upper(failed, 250, 0.95).unwrap();
    // 5 % of rows are suspected, and 2.5 % of confirmations may be wrong: below 2.5 % of gates in any case.
    assert!(bound < 0.025, "{failed} of 250, at most {bound}");
}

#[test]
fn without_correction_and_confirmation_the_same_gates_cry_wolf() {
    // What a gate of plain 95 % intervals says, looked at each time and row by row.
    let rows = vec![Truth::of(BOUNDS.noise_threshold, 0.01); 12];
    let mut machine = Machine::seeded(13);
    let wrong = |machine: &mut Machine| {
        rows.iter().any(|truth| {
            let values = machine.launches(*truth);
            LOOKS.iter().any(|&look| {
                let log = mean_interval(&values[..look], 0.95).unwrap();
                log.interval.lo > BOUNDS.noise_threshold.ln_1p()
            })
        })
    };
    let failed = (0..200).filter(|_| wrong(&mut machine)).count();
    assert!(failed > 80, "{failed} of 200");
}

#[test]
fn slow_downs_are_found_with_the_stated_power() {
    for (slow_down, sd, gates, least) in
        [(0.02, 0.0075, 150, 0.95), (0.03, 0.0075, 100, 0.98), (0.02, 0.033, 200, 0.95)]
    {
        // Among rows that are unchanged, as in a real change.
        let mut rows = vec![Truth::of(0.0, 0.01); 3];
        rows.push(Truth::of(slow_down, sd));
        let (mut machine, mut rule) = (Machine::seeded(17), GateRule::new(0));
        let mut found = 0;
        for _ in 0..gates {
            let said = machine.gate(&mut rule, &rows);
            found += usize::from(said[3].fails());
            assert!(said[..3].iter().all(|row| !row.fails()));
        }
        let power = found as f64 / f64::from(gates);
        assert!(power >= least, "{slow_down} at sd {sd}: {power}");
    }
}

#[test]
fn a_slow_down_beyond_the_tolerance_passes_as_seldom_as_promised() {
    // At a spread that screening can hardly see through, so that passing is the error to fear.
    let (mut machine, mut rule) = (Machine::seeded(19), GateRule::new(0));
    let rows = [Truth::of(BOUNDS.tolerance + 0.0001, 0.12); 4];
    let passed: usize =
        (0..250).map(|_| machine.gate(&mut rule, &rows).iter().filter(|row| row.passes()).count()).sum();
    let bound = clopper_pearson_upper(passed, 1_000, 0.95).unwrap();
    // One per cent in screening, and one in a confirmation.
    assert!(bound < 0.02 + 0.01, "{passed} of 1000, at most {bound}");
}

#[test]
fn quiet_rows_take_one_look() {
    let (mut machine, mut rule) = (Machine::seeded(23), GateRule::new(0));
    let looks: Vec<usize> =
        (0..200).map(|_| machine.gate(&mut rule, &[Truth::of(0.0, 0.0075)])[0].screened_at).collect();
    let first = looks.iter().filter(|&&launches| launches == LOOKS[0]).count();
    assert!(first >= 190, "{first} of 200 left at the first look");
}
