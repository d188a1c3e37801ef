//! Where a series changes: hierarchical division by energy distance, each division tested by permutation.
//!
//! Matteson & James, *A nonparametric approach for multiple change point analysis of multivariate data*, JASA 109,
//! 2014 (E-divisive), with divisions of a whole segment into two. A division counts when its energy statistic is
//! larger than almost all of those that the same values give in random order. Without a change every order is as
//! likely (as long as the values do not depend on those before them), so the p value is exact, whatever their
//! distribution.

use crate::stats::holm;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Values that stand on either side of a division at least: two look the same as an outlier and its neighbour.
pub const SHORTEST_SEGMENT: usize = 3;

/// A test ends early after so many permutations with a larger statistic: its p value is then clearly no small one
/// (Besag & Clifford, *Biometrika* 78, 1991: the p value stays valid).
const ENOUGH: u32 = 20;

/// How changes are looked for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Search {
    /// The rate of false alarms over all series that are searched together: the share of searches that report any
    /// change where nothing changed.
    pub false_alarms: f64,
    /// The seed of the permutations.
    pub seed: u64,
}

/// A place where a series changes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ChangePoint {
    /// The index of the first value after the change.
    pub at: usize,
    /// The p value of the division, not corrected.
    pub p: f64,
    /// The median of the segment before.
    pub before: f64,
    /// The median of the segment after.
    pub after: f64,
}

/// The change points of every series, in order.
///
/// The first division of each series is tested at a level that Holm's correction gives it among all series, so that
/// `search.false_alarms` holds for all of them together. Further divisions of a series that has one are tested at
/// the level of one series among all, halved with each. Series that are shorter than two segments, or that hold values that are not finite, have none.
#[must_use]
pub fn change_points(series: &[Vec<f64>], search: Search) -> Vec<Vec<ChangePoint>> {
    let level = search.false_alarms.clamp(0.0, 1.0);
    let count = series.iter().filter(|values| is_searchable(values)).count().max(1);
    // So many permutations that the least p value is a tenth of what the correction asks for at most.
    let most = (10.0 * count as f64 / level.max(1e-6)).min(1e6) as u32;
    let first: Vec<Option<Division>> = series
        .iter()
        .zip(0u64..)
        .map(|(values, index)| {
            is_searchable(values)
                .then(|| divided(values, 0, most, search.seed ^ index.wrapping_mul(0x9E37_79B9)))
                .flatten()
        })
        .collect();
    let tested: Vec<f64> = first.iter().flatten().map(|division| division.p).collect();
    let mut corrected = holm(&tested).into_iter();
    let mut found = Vec::new();
    for (values, division) in series.iter().zip(&first) {
        let Some(division) = division else {
            found.push(Vec::new());
            continue;
        };
        let p = corrected.next().unwrap_or(1.0);
        if p > level {
            found.push(Vec::new());
            continue;
        }
        // Shared by both sides, so that a series with one change reports a second no more often than stated either.
        let own = level / count as f64 / 2.0;
        let mut points = vec![(division.at, division.p)];
        further(values, 0..division.at, own, most, search.seed, &mut points);
        further(values, division.at..values.len(), own, most, search.seed, &mut points);
        points.sort_unstable_by_key(|(at, _)| *at);
        found.push(with_medians(values, &points));
    }
    found
}

fn is_searchable(values: &[f64]) -> bool {
    values.len() >= 2 * SHORTEST_SEGMENT && values.iter().all(|value| value.is_finite())
}

fn further(
    values: &[f64],
    range: std::ops::Range<usize>,
    level: f64,
    most: u32,
    seed: u64,
    points: &mut Vec<(usize, f64)>,
) {
    let segment = &values[range.clone()];
    if !is_searchable(segment) {
        return;
    }
    let Some(division) = divided(segment, range.start, most, seed.wrapping_add(range.start as u64 + 1))
    else {
        return;
    };
    if division.p > level {
        return;
    }
    points.push((division.at, division.p));
    further(values, range.start..division.at, level / 2.0, most, seed, points);
    further(values, division.at..range.end, level / 2.0, most, seed, points);
}

/// The best division of a segment.
#[derive(Clone, Copy, Debug)]
struct Division {
    /// The first index after it, in the whole series.
    at: usize,
    p: f64,
}

fn divided(segment: &[f64], start: usize, most: u32, seed: u64) -> Option<Division> {
    let total = distances(segment);
    let (at, statistic) = best(segment, total)?;
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut shuffled = segment.to_vec();
    let (mut tried, mut larger) = (0u32, 0u32);
    while tried < most && larger < ENOUGH {
        shuffle(&mut random, &mut shuffled);
        tried += 1;
        // The sums of equal values in another order may differ in their last bits.
        if best(&shuffled, total).is_some_and(|(_, other)| other >= statistic * (1.0 - 1e-12)) {
            larger += 1;
        }
    }
    let p = if larger == ENOUGH {
        f64::from(larger) / f64::from(tried)
    } else {
        f64::from(larger + 1) / f64::from(tried + 1)
    };
    Some(Division { at: start + at, p: p.min(1.0) })
}

fn shuffle(random: &mut ChaCha8Rng, values: &mut [f64]) {
    for last in (1..values.len()).rev() {
        values.swap(last, random.random_range(0..=last));
    }
}

/// The sum of the distances of all pairs, which no order changes.
fn distances(segment: &[f64]) -> f64 {
    let to_earlier =
        |(at, value): (usize, &f64)| segment[..at].iter().map(|other| (other - value).abs()).sum::<f64>();
    segment.iter().enumerate().map(to_earlier).sum()
}

/// The division with the largest energy statistic, and that statistic; `None` where all values are equal.
///
/// Sums of distances are kept up to date while the border moves, so that a segment of n values takes n² steps.
fn best(segment: &[f64], total: f64) -> Option<(usize, f64)> {
    let n = segment.len();
    let from = |value: f64, others: &[f64]| others.iter().map(|other| (other - value).abs()).sum::<f64>();
    if total <= 0.0 {
        return None;
    }
    let (mut left, mut right) = (0.0, total);
    let mut found: Option<(usize, f64)> = None;
    for border in 1..n {
        let moved = border - 1;
        left += from(segment[moved], &segment[..moved]);
        right -= from(segment[moved], &segment[border..]);
        let (before, after) = (border, n - border);
        if before < SHORTEST_SEGMENT || after < SHORTEST_SEGMENT {
            continue;
        }
        let pairs = |count: usize| (count * (count - 1)) as f64 / 2.0;
        let (l, r) = (before as f64, after as f64);
        let between = (total - left - right) / (l * r);
        let statistic = l * r / (l + r) * (2.0 * between - left / pairs(before) - right / pairs(after));
        if found.is_none_or(|(_, most)| statistic > most) {
            found = Some((border, statistic));
        }
    }
    found.filter(|(_, statistic)| *statistic > 0.0)
}

fn with_medians(values: &[f64], points: &[(usize, f64)]) -> Vec<ChangePoint> {
    let ends: Vec<usize> = points.iter().map(|(at, _)| *at).chain([values.len()]).collect();
    let mut start = 0;
    let mut found = Vec::new();
    for (index, &(at, p)) in points.iter().enumerate() {
        let median = |range: std::ops::Range<usize>| crate::stats::median(&values[range]).unwrap_or(f64::NAN);
        found.push(ChangePoint { at, p, before: median(start..at), after: median(at..ends[index + 1]) });
        start = at;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEARCH: Search = Search { false_alarms: 0.05, seed: 7 };

    #[test]
    fn a_clean_step_is_found_at_its_place_with_its_sides() {
        let values: Vec<f64> = (0..24)
            .map(|at| if at < 10 { 100.0 + f64::from(at % 3) } else { 110.0 + f64::from(at % 3) })
            .collect();
        let found = &change_points(&[values], SEARCH)[0];
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!((found[0].at, found[0].before, found[0].after), (10, 101.0, 111.0));
        assert!(found[0].p < 0.01);
    }

    #[test]
    fn two_steps_are_found_both() {
        let values: Vec<f64> = (0..45).map(|at| [100.0, 108.0, 96.0][at / 15] + (at % 4) as f64).collect();
        let found = change_points(&[values], SEARCH);
        assert_eq!(found[0].iter().map(|point| point.at).collect::<Vec<_>>(), [15, 30]);
    }

    #[test]
    fn the_statistic_is_that_of_its_definition() {
        let values: [f64; 8] = [1.0, 4.0, 2.0, 8.0, 5.0, 7.0, 1.5, 9.0];
        let energy = |border: usize| {
            let (l, r) = values.split_at(border);
            let mean = |a: &[f64], b: &[f64]| {
                a.iter().flat_map(|x| b.iter().map(move |y| (x - y).abs())).sum::<f64>()
            };
            let (n, m) = (l.len() as f64, r.len() as f64);
            let within = |side: &[f64], count: f64| mean(side, side) / (count * (count - 1.0));
            n * m / (n + m) * (2.0 * mean(l, r) / (n * m) - within(l, n) - within(r, m))
        };
        let expected =
            (3..=5).map(|border| (border, energy(border))).max_by(|a, b| a.1.total_cmp(&b.1)).unwrap();
        let (at, statistic) = best(&values, distances(&values)).unwrap();
        assert_eq!(at, expected.0);
        assert!((statistic - expected.1).abs() < 1e-12, "{statistic} {expected:?}");
    }

    #[test]
    fn what_is_too_short_equal_or_no_number_has_no_change() {
        let series = [vec![1.0, 1.0, 9.0, 9.0, 9.0], vec![5.0; 30], vec![f64::NAN; 30], Vec::new()];
        assert!(change_points(&series, SEARCH).iter().all(Vec::is_empty));
    }
}
