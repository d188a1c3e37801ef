//! Seeded simulations of the error rates that the lab promises. Every one draws the same numbers on each run,
//! so a test either always passes or always fails.

use crate::stats::{
    Beyond, Estimate, Interval, Search, Sequential, bootstrap_two_way, change_points, clopper_pearson, holm,
    mean, mean_interval, minimum_detectable, p_beyond, quantile_interval, sd, t_quantile,
};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::f64::consts::PI;

const LOOKS: [usize; 5] = [16, 32, 64, 128, 256];

/// Standard normal numbers by Box and Muller's method, which yields them in pairs.
struct Normals {
    random: ChaCha8Rng,
    spare: Option<f64>,
}

impl Normals {
    fn seeded(seed: u64) -> Self {
        Self { random: ChaCha8Rng::seed_from_u64(seed), spare: None }
    }

    fn next(&mut self) -> f64 {
        if let Some(spare) = self.spare.take() {
            return spare;
        }
        let radius = (-2.0 * (1.0 - self.random.random::<f64>()).ln()).sqrt();
        let (sine, cosine) = (2.0 * PI * self.random.random::<f64>()).sin_cos();
        self.spare = Some(radius * sine);
        radius * cosine
    }

    fn fill(&mut self, n: usize, shape: impl Fn(f64) -> f64) -> Vec<f64> {
        (0..n).map(|_| shape(self.next())).collect()
    }
}

/// The share of `experiments` for which `happens` is true.
fn share(experiments: usize, mut happens: impl FnMut() -> bool) -> f64 {
    (0..experiments).filter(|_| happens()).count() as f64 / experiments as f64
}

/// Coverage of `truth` by the 95 % t interval over `n` draws. The critical value is looked up once; one
/// experiment checks that it is the one which `mean_interval` uses.
fn t_coverage(experiments: usize, n: usize, truth: f64, shape: impl Fn(f64) -> f64) -> f64 {
    let mut normals = Normals::seeded(n as u64);
    let critical = t_quantile(0.975, (n - 1) as f64).unwrap();
    let half = |values: &[f64]| critical * sd(values).unwrap() / (n as f64).sqrt();
    let values = normals.fill(n, &shape);
    let width = mean_interval(&values, 0.95).unwrap().interval.width();
    assert!((width - 2.0 * half(&values)).abs() < 1e-9);
    share(experiments, || {
        let values = normals.fill(n, &shape);
        Interval::around(mean(&values).unwrap(), half(&values)).contains(truth)
    })
}

#[test]
fn the_t_interval_covers_normal_data() {
    for (n, experiments) in [(16, 16_000), (64, 6_000)] {
        let covered = t_coverage(experiments, n, 0.0, |z| z);
        assert!((0.945..=0.955).contains(&covered), "n {n}: {covered}");
    }
}

#[test]
fn the_t_interval_covers_mildly_skewed_data() {
    // A lognormal of skewness 0.78, about that of launch medians on a loaded machine.
    let truth = (0.25f64 * 0.25 / 2.0).exp();
    for (n, experiments) in [(16, 16_000), (64, 6_000)] {
        let covered = t_coverage(experiments, n, truth, |z| (0.25 * z).exp());
        assert!((0.94..=0.96).contains(&covered), "n {n}: {covered}");
    }
}

#[test]
fn a_strongly_skewed_sample_is_not_covered() {
    // The counter-example which shows that the coverage test can fail.
    let truth = 2f64.exp();
    let covered = t_coverage(4_000, 16, truth, |z| (2.0 * z).exp());
    assert!(covered < 0.90, "{covered}");
}

/// What an experiment with normal values around `truth` said when it stopped: it does so at the first look
/// whose interval lies wholly beyond or wholly inside ±`threshold`, else at the last look.
fn stopped(
    normals: &mut Normals,
    truth: f64,
    threshold: f64,
    look_up: impl Fn(&[f64], usize) -> Option<Estimate>,
) -> Interval {
    let mut values = Vec::with_capacity(256);
    let mut last = Interval { lo: f64::NEG_INFINITY, hi: f64::INFINITY };
    let inside = Interval { lo: -threshold, hi: threshold };
    for (look, n) in LOOKS.into_iter().enumerate() {
        while values.len() < n {
            values.push(truth + normals.next());
        }
        if let Some(estimate) = look_up(&values, look) {
            last = estimate.interval;
        }
        if last.lo > threshold || last.hi < -threshold || last.within(&inside) {
            break;
        }
    }
    last
}

/// The interval of a look without any correction for the looks before it.
fn uncorrected() -> impl Fn(&[f64], usize) -> Option<Estimate> {
    let criticals = LOOKS.map(|n| t_quantile(0.975, (n - 1) as f64).unwrap());
    move |values, look| {
        let (mean, sd, n) = (mean(values)?, sd(values)?, values.len());
        let interval = Interval::around(mean, criticals[look] * sd / (n as f64).sqrt());
        Some(Estimate { mean, sd, n, interval })
    }
}

#[test]
fn repeated_intervals_cover_after_stopping() {
    let plan = Sequential::new(&LOOKS, 0.025).unwrap();
    // In units of the sd over launches: no effect, an effect at the threshold, and one beyond it. At the
    // threshold every miss stops the experiment, so that coverage is exactly nominal there; two standard
    // errors of the simulation are 0.44 %.
    for (truth, experiments, least) in [(0.0, 3_000, 0.95), (0.5, 10_000, 0.945_6), (0.8, 3_000, 0.95)] {
        let mut normals = Normals::seeded(41);
        let covered = share(experiments, || {
            stopped(&mut normals, truth, 0.5, |values, look| plan.repeated_interval(values, look))
                .contains(truth)
        });
        assert!(covered >= least, "truth {truth}: {covered}");
    }
}

#[test]
fn uncorrected_intervals_do_not_cover_after_stopping() {
    let plain = uncorrected();
    let mut normals = Normals::seeded(41);
    let covered = share(2_000, || stopped(&mut normals, 0.5, 0.5, &plain).contains(0.5));
    assert!(covered < 0.90, "{covered}");
}

#[test]
fn the_sequential_rule_keeps_its_error() {
    // The truth sits on the threshold: the hardest case of "the effect lies within the threshold".
    let plan = Sequential::new(&LOOKS, 0.025).unwrap();
    let mut normals = Normals::seeded(43);
    let wrong = share(10_000, || {
        stopped(&mut normals, 0.1, 0.1, |values, look| plan.repeated_interval(values, look)).lo > 0.1
    });
    // Two standard errors of the simulation are 0.31 %.
    assert!(wrong <= 0.028_1, "{wrong}");
    assert!(wrong >= 0.015, "a rule that never alarms is not a rule: {wrong}");
}

#[test]
fn peeking_without_correction_breaks_its_error() {
    let plain = uncorrected();
    let mut normals = Normals::seeded(43);
    let wrong = share(3_000, || stopped(&mut normals, 0.1, 0.1, &plain).lo > 0.1);
    assert!(wrong > 0.045, "{wrong}");
}

#[test]
fn the_order_statistic_interval_covers() {
    // The 90th percentile of a skewed distribution is known exactly: exp(z(0.9)).
    let truth = 1.281_551_565_544_6f64.exp();
    let mut normals = Normals::seeded(47);
    let covered = share(1_200, || {
        let mut values = normals.fill(100, f64::exp);
        values.sort_unstable_by(f64::total_cmp);
        quantile_interval(&values, 0.9, 0.95).unwrap().contains(truth)
    });
    // The exact coverage of these ranks is 0.955 or more; discreteness can only raise it.
    assert!((0.945..0.99).contains(&covered), "{covered}");
}

#[test]
fn the_two_way_bootstrap_covers_a_new_set_of_benchmarks() {
    let mut normals = Normals::seeded(53);
    let mut seed = 0;
    let covered = share(150, || {
        seed += 1;
        let benchmarks = normals.fill(16, |z| z);
        let launches = normals.fill(16, |z| z);
        let table: Vec<Vec<f64>> = benchmarks
            .iter()
            .map(|b| launches.iter().map(|l| b + l + 0.5 * normals.next()).collect())
            .collect();
        bootstrap_two_way(120, seed, &table, 0.95).unwrap().contains(0.0)
    });
    assert!((0.88..=0.98).contains(&covered), "{covered}");
}

#[test]
fn the_detectable_effect_is_found_with_the_stated_power() {
    for (n, power) in [(16, 0.95), (64, 0.8)] {
        let (sd_over_launches, threshold) = (1.5, 1.0);
        let effect = minimum_detectable(sd_over_launches, n, threshold, 0.05, power).unwrap();
        let critical = t_quantile(0.975, (n - 1) as f64).unwrap();
        let mut normals = Normals::seeded(59);
        let found = share(4_000, || {
            let values = normals.fill(n, |z| effect + sd_over_launches * z);
            mean(&values).unwrap() - critical * sd(&values).unwrap() / (n as f64).sqrt() > threshold
        });
        // Two standard errors of the simulation are 0.7 % and 1.3 %.
        assert!((found - power).abs() < 0.013, "n {n}: {found} instead of {power}");
    }
}

#[test]
fn holm_keeps_the_error_of_a_family_where_plain_tests_do_not() {
    let mut normals = Normals::seeded(61);
    let (mut plain, mut corrected) = (0, 0);
    for _ in 0..400 {
        let test = |_| p_beyond(&normals.fill(8, |z| z), 0.0).map_or(1.0, |Beyond { above, .. }| above);
        let p: Vec<f64> = (0..10).map(test).collect();
        plain += usize::from(p.iter().any(|&p| p <= 0.05));
        corrected += usize::from(holm(&p).iter().any(|&p| p <= 0.05));
    }
    assert!(clopper_pearson(corrected, 400, 0.95).unwrap().lo <= 0.05, "{corrected} of 400");
    assert!(clopper_pearson(plain, 400, 0.95).unwrap().lo > 0.3, "{plain} of 400");
}

#[test]
fn searches_for_changes_report_one_no_more_often_than_stated_where_nothing_changed() {
    let (searches, stated) = (200, 0.05);
    // Three series at once, of several lengths and with tails as times have them: the rate is that of all together.
    let mut normals = Normals::seeded(97);
    let mut alarms = 0;
    for seed in 0..searches as u64 {
        let series: Vec<Vec<f64>> = [10, 14, 20]
            .map(|n| normals.fill(n, |normal| (0.02 * normal).exp() + 0.01 * normal.abs()))
            .into();
        let found = change_points(&series, Search { false_alarms: stated, seed });
        alarms += usize::from(found.iter().any(|points| !points.is_empty()));
    }
    let rate = clopper_pearson(alarms, searches, 0.99).unwrap();
    assert!(rate.lo <= stated, "{alarms} of {searches}: {rate:?}");
    // The uncorrected test of each series fails the same check, so that the check can fail.
    let mut alarms = 0;
    for seed in 0..searches as u64 {
        let alone = |values: &Vec<f64>| {
            !change_points(std::slice::from_ref(values), Search { false_alarms: stated, seed })[0].is_empty()
        };
        let series: Vec<Vec<f64>> = [10, 14, 20].map(|n| normals.fill(n, f64::exp)).into();
        alarms += usize::from(series.iter().any(alone));
    }
    assert!(clopper_pearson(alarms, searches, 0.99).unwrap().lo > stated, "{alarms} of {searches}");
}

#[test]
fn a_step_of_three_standard_deviations_is_found_at_its_place_and_seldom_anything_else() {
    let (trials, stated) = (100, 0.05);
    let mut normals = Normals::seeded(98);
    let (mut near, mut more) = (0, 0);
    for seed in 0..trials as u64 {
        let mut values = normals.fill(30, |normal| 100.0 + normal);
        values[18..].iter_mut().for_each(|value| *value += 3.0);
        let found = &change_points(&[values], Search { false_alarms: stated, seed })[0];
        near += usize::from(found.iter().any(|point| point.at.abs_diff(18) <= 1));
        more += usize::from(found.len() > 1);
    }
    assert!(near >= 90, "{near} of {trials}");
    assert!(clopper_pearson(more, trials, 0.99).unwrap().lo <= stated, "{more} of {trials}");
}
