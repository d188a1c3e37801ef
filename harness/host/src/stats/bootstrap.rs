//! Resampling whole units: everything that runs over several rows of one launch resamples launches, because
//! rows of one launch share a process and are not independent.

use crate::stats::Interval;
use crate::stats::quantile::sorted_quantile;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// The percentile bootstrap interval of a statistic over resampled units (Efron & Tibshirani, *An
/// Introduction to the Bootstrap*, 1993, chapter 13).
///
/// Each of `replicates` calls of `statistic` gets as many indices below `units` as there are units, drawn
/// with replacement; a unit is whatever is independent of the others, as a rule a launch with all its rows.
/// The same `seed` yields the same interval on every machine. A percentile interval is too narrow by about
/// √((n − 1) / n) and by the difference of normal and t: for a mean of 16 launches it covers some 92 %
/// instead of 95 %.
///
/// `None` for fewer than two units, a `confidence` that is not strictly between 0 and 1, fewer replicates
/// than leave one in each tail (40 at 95 %), or a statistic that is not finite.
pub fn bootstrap(
    replicates: u32,
    seed: u64,
    units: usize,
    confidence: f64,
    mut statistic: impl FnMut(&[usize]) -> f64,
) -> Option<Interval> {
    if units < 2 {
        return None;
    }
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut drawn = vec![0; units];
    percentiles(replicates, confidence, || {
        draw(&mut random, &mut drawn);
        statistic(&drawn)
    })
}

/// The percentile bootstrap interval of the grand mean of a complete table, `rows[benchmark][launch]`, with
/// benchmarks and launches both drawn with replacement and independently of each other (the "pigeonhole"
/// bootstrap: Owen, *Annals of Applied Statistics* 1, 2007). It speaks of code like these benchmarks, not only
/// of these benchmarks, and is slightly too wide rather than too narrow for large tables.
///
/// `None` as for [`bootstrap`], for fewer than two benchmarks or launches, and for rows of different length.
pub fn bootstrap_two_way(replicates: u32, seed: u64, rows: &[Vec<f64>], confidence: f64) -> Option<Interval> {
    let launches = rows.first()?.len();
    if rows.len() < 2 || launches < 2 || rows.iter().any(|row| row.len() != launches) {
        return None;
    }
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let (mut drawn_rows, mut drawn_launches) = (vec![0; rows.len()], vec![0; launches]);
    let cells = (rows.len() * launches) as f64;
    percentiles(replicates, confidence, || {
        draw(&mut random, &mut drawn_rows);
        draw(&mut random, &mut drawn_launches);
        let row_sum = |row: &Vec<f64>| drawn_launches.iter().map(|&launch| row[launch]).sum::<f64>();
        drawn_rows.iter().map(|&row| row_sum(&rows[row])).sum::<f64>() / cells
    })
}

fn draw(random: &mut ChaCha8Rng, drawn: &mut [usize]) {
    let units = drawn.len();
    for index in drawn {
        *index = random.random_range(0..units);
    }
}

/// The interval between the percentiles of the replicates which leave (1 − confidence) / 2 on either side.
fn percentiles(replicates: u32, confidence: f64, mut replicate: impl FnMut() -> f64) -> Option<Interval> {
    let tail = (1.0 - confidence) / 2.0;
    // The margin absorbs the rounding of 1 − confidence, so that 40 replicates do at 95 %.
    if !(tail > 0.0 && tail < 0.5) || f64::from(replicates) * tail < 1.0 - 1e-9 {
        return None;
    }
    let mut results: Vec<f64> = (0..replicates).map(|_| replicate()).collect();
    if results.iter().any(|result| !result.is_finite()) {
        return None;
    }
    results.sort_unstable_by(f64::total_cmp);
    Some(Interval { lo: sorted_quantile(&results, tail)?, hi: sorted_quantile(&results, 1.0 - tail)? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn mean_of<'a>(values: &'a [f64]) -> impl FnMut(&[usize]) -> f64 + 'a {
        |drawn| drawn.iter().map(|&i| values[i]).sum::<f64>() / drawn.len() as f64
    }

    /// A table whose cells are the sum of a row effect and a launch effect.
    fn additive(row_effects: &[f64], launch_effects: &[f64]) -> Vec<Vec<f64>> {
        row_effects.iter().map(|row| launch_effects.iter().map(|launch| row + launch).collect()).collect()
    }

    const EFFECTS: [f64; 8] = [-3.5, -2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 3.5];

    #[test]
    fn the_mean_of_a_large_sample_matches_the_normal_interval() {
        let values: Vec<f64> = (0..200).map(|i| f64::from(i) / 200.0).collect();
        let interval = bootstrap(2000, 7, values.len(), 0.95, mean_of(&values)).unwrap();
        // The sd of this sample with divisor n is 0.288671.
        let half = 1.959_964 * 0.288_671 / 200f64.sqrt();
        assert!((interval.lo - (0.497_5 - half)).abs() < 0.1 * half, "{interval:?}");
        assert!((interval.hi - (0.497_5 + half)).abs() < 0.1 * half, "{interval:?}");
    }

    #[test]
    fn the_seed_decides() {
        let interval = |seed| bootstrap(200, seed, 8, 0.9, mean_of(&EFFECTS));
        assert_eq!(interval(1), interval(1));
        assert_ne!(interval(1), interval(2));
        let table = additive(&EFFECTS, &EFFECTS);
        assert_eq!(bootstrap_two_way(100, 3, &table, 0.9), bootstrap_two_way(100, 3, &table, 0.9));
        assert_ne!(bootstrap_two_way(100, 3, &table, 0.9), bootstrap_two_way(100, 4, &table, 0.9));
    }

    #[test]
    fn every_unit_can_be_drawn_and_none_beyond() {
        let mut seen = [0u32; 5];
        let interval = bootstrap(400, 11, 5, 0.95, |drawn| {
            assert_eq!(drawn.len(), 5);
            drawn.iter().for_each(|&unit| seen[unit] += 1);
            drawn[0] as f64
        });
        assert_eq!(interval, Some(Interval { lo: 0.0, hi: 4.0 }));
        assert!(seen.iter().all(|&count| (330..470).contains(&count)), "{seen:?}");
    }

    #[test]
    fn both_ways_of_a_table_count() {
        let half = |rows: &[f64], launches: &[f64]| {
            bootstrap_two_way(2000, 5, &additive(rows, launches), 0.95).unwrap().width() / 2.0
        };
        let (none, one) = ([0.0; 8], 1.959_964 * (5.25f64 / 8.0).sqrt());
        assert!(half(&none, &none) < 1e-15);
        assert!((half(&EFFECTS, &none) / one - 1.0).abs() < 0.08);
        assert!((half(&none, &EFFECTS) / one - 1.0).abs() < 0.08);
        assert!((half(&EFFECTS, &EFFECTS) / (one * 2f64.sqrt()) - 1.0).abs() < 0.08);
    }

    #[test]
    fn too_little_has_no_interval() {
        let constant = |_: &[usize]| 1.0;
        assert_eq!(bootstrap(200, 1, 1, 0.95, constant), None);
        assert_eq!(bootstrap(39, 1, 5, 0.95, constant), None);
        assert_eq!(bootstrap(40, 1, 5, 0.95, constant), Some(Interval { lo: 1.0, hi: 1.0 }));
        assert_eq!(bootstrap(200, 1, 5, 1.0, constant), None);
        assert_eq!(bootstrap(200, 1, 5, 0.0, constant), None);
        assert_eq!(bootstrap(200, 1, 5, 0.95, |_| f64::NAN), None);
        assert_eq!(bootstrap_two_way(200, 1, &[], 0.95), None);
        assert_eq!(bootstrap_two_way(200, 1, &[vec![1.0, 2.0]], 0.95), None);
        assert_eq!(bootstrap_two_way(200, 1, &[vec![1.0], vec![2.0]], 0.95), None);
        assert_eq!(bootstrap_two_way(200, 1, &[vec![1.0, 2.0], vec![1.0]], 0.95), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn intervals_are_ordered_and_inside_the_data(
            values in prop::collection::vec(-10f64..10.0, 2..20), seed: u64,
        ) {
            let interval = bootstrap(60, seed, values.len(), 0.95, mean_of(&values)).unwrap();
            let least = values.iter().copied().fold(f64::INFINITY, f64::min);
            let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            prop_assert!(least - 1e-9 <= interval.lo && interval.hi <= most + 1e-9);
            prop_assert!(interval.lo <= interval.hi);
        }
    }
}
