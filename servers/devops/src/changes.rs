//! Change points: when a series began to be different for good.
//!
//! The values are replaced by their ranks, so that neither spikes nor the unit matter (Lung-Yut-Fong, Lévy-Leduc and
//! Cappé, "Homogeneity and Change-point Detection Tests for Multivariate Data Using Rank Statistics", 2015), and the best
//! division into parts of constant mean rank is searched exactly by PELT (Killick, Fearnhead and Eckley, "Optimal Detection
//! of Changepoints with a Linear Computational Cost", 2012).

mod settled;

use crate::season::seasons;
use crate::series::Series;
use crate::stats::{MAD_TO_SD, median};
use settled::settled;

/// Longer series are joined to so many values.
pub const MOST_VALUES: usize = 2_000;
/// The fewest values that are searched.
pub const FEWEST: usize = 20;
/// The fewest values of a part.
const SHORTEST_PART: usize = 5;
/// What one more part has to gain, in units of σ² log n: three parameters, a place and a level, with room for the
/// dependence of neighbours that is not estimated (twice the criterion of Yao, "Estimating the Number of Change-points
/// via Schwarz' Criterion", 1988).
const PENALTY: f64 = 4.0;
/// The largest dependence of neighbours that is believed.
const MOST_DEPENDENCE: f64 = 0.95;

/// A change.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Change {
    /// The time of the first value after it, in milliseconds since 1970.
    pub time_ms: i64,
    /// The median of the part before.
    pub before: f64,
    /// The median of the part after.
    pub after: f64,
    /// The change of the median in deviations of the values around their medians.
    pub size: f64,
    /// How far to either side it may lie: moving it so far costs no more than two units of likelihood. Milliseconds.
    pub give_or_take_ms: i64,
}

/// All changes of a series.
#[derive(Clone, Debug, PartialEq)]
pub struct Changes {
    /// The changes in order of time.
    pub found: Vec<Change>,
    /// The step of what was searched, in milliseconds.
    pub step_ms: i64,
    /// The season that was taken off before, if any.
    pub season: Option<&'static str>,
}

/// There are too few values to search.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{found} points are too few to search for changes: give at least {FEWEST}")]
pub struct TooShort {
    /// How many there are.
    pub found: usize,
}

/// Searches a series for changes.
///
/// # Errors
/// There are too few values.
pub fn changes(series: &Series) -> Result<Changes, TooShort> {
    let grid = series.grid(MOST_VALUES);
    let filled = grid.filled();
    if series.len() < FEWEST || filled.len() < FEWEST {
        return Err(TooShort { found: series.len().min(filled.len()) });
    }
    let season = seasons(&grid, &filled).last().copied();
    let level = season.map_or_else(|| filled.clone(), |season| without(&filled, season.steps));
    // What was not measured is not searched: a change lies before the first value that shows it.
    let measured: Vec<usize> = (0..level.len()).filter(|at| !grid.values[*at].is_nan()).collect();
    let known: Vec<f64> = measured.iter().map(|at| level[*at]).collect();
    let places: Vec<usize> = search(&known).into_iter().map(|place| measured[place]).collect();
    let deviation = deviation(&level, &places);
    let ends: Vec<usize> = places.iter().copied().chain([level.len()]).collect();
    let mut start = 0;
    let ranks = ranks(&level);
    let found = places
        .iter()
        .enumerate()
        .map(|(number, place)| {
            let end = ends[number + 1];
            let change = Change {
                time_ms: grid.time(*place),
                before: median(&mut filled[start..*place].to_vec()).unwrap_or(f64::NAN),
                after: median(&mut filled[*place..end].to_vec()).unwrap_or(f64::NAN),
                size: {
                    let of = |part: &[f64]| median(&mut part.to_vec()).unwrap_or(f64::NAN);
                    (of(&level[*place..end]) - of(&level[start..*place])) / deviation
                },
                give_or_take_ms: grid.step_ms * uncertainty(&ranks[start..end], *place - start) as i64,
            };
            start = *place;
            change
        })
        .collect();
    Ok(Changes { found, step_ms: grid.step_ms, season: season.map(|season| season.name()) })
}

/// The first places of all parts but the first: the best division of the values.
#[must_use]
pub fn search(values: &[f64]) -> Vec<usize> {
    let ranks = ranks(values);
    let penalty = PENALTY * variance(&ranks) * (values.len() as f64).ln() * dependence(&ranks);
    if penalty <= 0.0 {
        return Vec::new();
    }
    settled(&ranks, pelt(&ranks, penalty), penalty)
}

/// The exact minimum of the sum of squared distances from the means of the parts, with a penalty for each part.
fn pelt(values: &[f64], penalty: f64) -> Vec<usize> {
    let sums = Sums::new(values);
    let count = values.len();
    let mut best = vec![0.0; count + 1];
    let mut from = vec![0_usize; count + 1];
    best[0] = -penalty;
    let mut candidates: Vec<usize> = vec![0];
    for end in SHORTEST_PART..=count {
        let total = |start: usize| best[start] + sums.cost(start, end) + penalty;
        let mut least = (f64::INFINITY, 0);
        for start in candidates.iter().copied().filter(|start| end - start >= SHORTEST_PART) {
            let total = total(start);
            if total < least.0 {
                least = (total, start);
            }
        }
        best[end] = least.0;
        from[end] = least.1;
        let next = end + 1 - SHORTEST_PART;
        // What is worse at `next` even without the penalty stays worse than a part that begins there: the heart of PELT.
        // Such a part is possible from the next end on, and no sooner.
        let is_kept = |start: &usize| {
            next < *start + SHORTEST_PART || best[*start] + sums.cost(*start, next) <= best[next]
        };
        candidates.retain(is_kept);
        if next >= SHORTEST_PART {
            candidates.push(next);
        }
    }
    let mut places = Vec::new();
    let mut end = count;
    while from[end] > 0 {
        end = from[end];
        places.push(end);
    }
    places.reverse();
    places
}

/// Sums up to each place, so that the cost of a part takes no loop.
struct Sums {
    values: Vec<f64>,
    squares: Vec<f64>,
}

impl Sums {
    fn new(values: &[f64]) -> Self {
        let mut sums = Self { values: vec![0.0], squares: vec![0.0] };
        let (mut sum, mut square) = (0.0, 0.0);
        for value in values {
            sum += value;
            square += value * value;
            sums.values.push(sum);
            sums.squares.push(square);
        }
        sums
    }

    fn cost(&self, start: usize, end: usize) -> f64 {
        let sum = self.values[end] - self.values[start];
        self.squares[end] - self.squares[start] - sum * sum / (end - start) as f64
    }
}

/// The ranks of values between −1 and 1; equal values share the mean of their ranks.
fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
    let mut ranks = vec![0.0; values.len()];
    let mut start = 0;
    while start < order.len() {
        let end = start + order[start..].iter().take_while(|at| values[**at] == values[order[start]]).count();
        let rank = (start + end - 1) as f64 / (values.len() - 1).max(1) as f64 - 1.0;
        for at in &order[start..end.max(start + 1)] {
            ranks[*at] = rank;
        }
        start = end.max(start + 1);
    }
    ranks
}

/// The variance of what neighbours do not share: half the mean square of their differences is that of the values, were
/// they independent, and knows nothing of changes.
fn variance(values: &[f64]) -> f64 {
    let mean = crate::stats::mean(values);
    let all = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / values.len() as f64;
    let squares: f64 = values.windows(2).map(|pair| (pair[1] - pair[0]).powi(2)).sum();
    (squares / (2.0 * (values.len() - 1) as f64)).max(1e-4 * all)
}

/// By how much the sums of dependent values scatter more: (1 + φ) / (1 − φ) for neighbours whose correlation is φ, over
/// the 1 − φ by which their differences hide their variance. φ is taken from differences over one and two steps, which a
/// few changes of level hardly touch (γ₂/γ₁ = 1 + φ).
fn dependence(values: &[f64]) -> f64 {
    let square = |distance: usize| {
        let mut squares: Vec<f64> =
            values.iter().zip(&values[distance..]).map(|(a, b)| (b - a).powi(2)).collect();
        let count = squares.len() as f64;
        // The largest differences are the changes themselves.
        squares.sort_unstable_by(f64::total_cmp);
        let kept = (squares.len() * 49 / 50).max(1);
        squares[..kept].iter().sum::<f64>() / count
    };
    let one = square(1);
    let phi = if one > 0.0 { (square(2) / one - 1.0).clamp(0.0, MOST_DEPENDENCE) } else { 0.0 };
    (1.0 + phi) / (1.0 - phi).powi(2)
}

/// The values less the median of their place in the period.
fn without(values: &[f64], period: usize) -> Vec<f64> {
    let mut profile = Vec::with_capacity(period);
    for place in 0..period {
        let mut same: Vec<f64> = values.iter().skip(place).step_by(period).copied().collect();
        profile.push(median(&mut same).unwrap_or(0.0));
    }
    let centre = crate::stats::mean(&profile);
    values.iter().enumerate().map(|(at, value)| value - profile[at % period] + centre).collect()
}

/// The deviation of values around the medians of their parts.
fn deviation(values: &[f64], places: &[usize]) -> f64 {
    let mut distances = Vec::with_capacity(values.len());
    let mut start = 0;
    for end in places.iter().copied().chain([values.len()]) {
        let centre = median(&mut values[start..end].to_vec()).unwrap_or(0.0);
        distances.extend(values[start..end].iter().map(|value| (value - centre).abs()));
        start = end;
    }
    let deviation = median(&mut distances).unwrap_or(0.0) * MAD_TO_SD;
    if deviation > 0.0 { deviation } else { f64::MIN_POSITIVE.sqrt() }
}

/// How many places a change between two parts can be moved at a cost of no more than two units of likelihood.
fn uncertainty(ranks: &[f64], place: usize) -> usize {
    let sums = Sums::new(ranks);
    let cost = |place: usize| sums.cost(0, place) + sums.cost(place, ranks.len());
    let allowed = cost(place) + 4.0 * variance(ranks) * dependence(ranks);
    let is_possible = |other: &usize| cost(*other) <= allowed;
    let left = (1..place).rev().take_while(is_possible).count();
    let right = (place + 1..ranks.len()).take_while(is_possible).count();
    left.max(right)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    fn noise(seed: u64, count: usize, memory: f64) -> Vec<f64> {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut level = 0.0;
        (0..count)
            .map(|_| {
                let new: f64 = (0..12).map(|_| random.random::<f64>()).sum::<f64>() - 6.0;
                level = memory * level + new;
                level
            })
            .collect()
    }

    fn series(values: &[f64]) -> Series {
        let points = values.iter().enumerate();
        Series::new("x", points.map(|(at, value)| (at as i64 * 60_000, *value)).collect(), None)
    }

    /// The best division by trying all of them: what PELT has to find.
    fn plain(values: &[f64], penalty: f64) -> f64 {
        let sums = Sums::new(values);
        let mut best = vec![f64::INFINITY; values.len() + 1];
        best[0] = -penalty;
        for end in SHORTEST_PART..=values.len() {
            for start in 0..=end - SHORTEST_PART {
                best[end] = best[end].min(best[start] + sums.cost(start, end) + penalty);
            }
        }
        best[values.len()]
    }

    fn total(values: &[f64], places: &[usize], penalty: f64) -> f64 {
        let sums = Sums::new(values);
        let (mut start, mut total) = (0, -penalty);
        for end in places.iter().copied().chain([values.len()]) {
            total += sums.cost(start, end) + penalty;
            start = end;
        }
        total
    }

    #[test]
    fn changes_of_level_are_found_where_they_are() {
        let mut values = noise(1, 600, 0.0);
        for value in &mut values[200..] {
            *value += 3.0;
        }
        for value in &mut values[450..] {
            *value -= 5.0;
        }
        // A spike is not a change.
        values[100] = 1e9;
        let found = changes(&series(&values)).unwrap();
        let places: Vec<i64> = found.found.iter().map(|change| change.time_ms / 60_000).collect();
        assert_eq!(places.len(), 2, "{found:?}");
        for (place, known) in places.iter().zip([200, 450]) {
            assert!((place - known).abs() <= 3, "{places:?}");
        }
        assert!(
            (found.found[0].size - 3.0).abs() < 0.6 && (found.found[1].size + 5.0).abs() < 0.8,
            "{found:?}"
        );
    }

    #[test]
    fn nothing_is_found_where_nothing_changes() {
        let mut wrong = 0;
        for seed in 0..60 {
            for memory in [0.0, 0.5, 0.8] {
                wrong += usize::from(!search(&noise(seed, 500, memory)).is_empty());
            }
        }
        assert!(wrong <= 9, "{wrong} of 180");
        assert!(search(&[3.0; 100]).is_empty());
        assert_eq!(changes(&series(&[1.0; 5])), Err(TooShort { found: 5 }));
    }

    #[test]
    fn a_day_is_not_a_change() {
        let values: Vec<f64> = (0..24 * 20)
            .map(|hour| f64::from(hour) / 24.0 * std::f64::consts::TAU)
            .map(|angle| 10.0 * angle.sin())
            .zip(noise(5, 480, 0.0))
            .map(|(day, noise)| day + noise)
            .collect();
        let points = values.iter().enumerate();
        let series = Series::new("x", points.map(|(at, v)| (at as i64 * 3_600_000, *v)).collect(), None);
        let found = changes(&series).unwrap();
        assert_eq!((found.found.len(), found.season), (0, Some("day")), "{found:?}");
    }

    #[test]
    fn what_moves_all_the_time_has_no_changes_of_level() {
        let found = |values: Vec<f64>| changes(&series(&values)).unwrap().found;
        let ramp =
            |count: usize| noise(3, count, 0.0).into_iter().enumerate().map(|(at, v)| 0.3 * at as f64 + v);
        assert_eq!(found(ramp(1000).collect()), []);
        assert_eq!(found((0..500).map(f64::from).collect()), []);
        let wave = noise(4, 1440, 0.0)
            .into_iter()
            .enumerate()
            .map(|(at, v)| 20.0 * (at as f64 / 1440.0 * std::f64::consts::TAU).sin() + v);
        assert_eq!(found(wave.collect()), []);
        // A disk that fills up and is cleaned once.
        let cleaned: Vec<f64> =
            ramp(600).enumerate().map(|(at, v)| if at < 400 { v } else { v - 90.0 }).collect();
        let places: Vec<i64> = found(cleaned).iter().map(|change| change.time_ms / 60_000).collect();
        assert_eq!(places, [400]);
        let spike: Vec<f64> = (0..20_000).map(|at| if at == 19_000 { 10.0 } else { 0.0 }).collect();
        assert_eq!(found(spike), [], "one value is not for good");
    }

    #[test]
    fn a_gap_is_not_a_level() {
        let points = (0..10_000_i64).filter(|at| !(4_000..7_000).contains(at));
        let saw: Vec<(i64, f64)> = points.map(|at| (at * 60_000, (at % 10) as f64)).collect();
        assert_eq!(changes(&Series::new("x", saw.clone(), None)).unwrap().found, []);
        let raised = saw.iter().map(|(at, v)| (*at, if *at < 7_000 * 60_000 { *v } else { v + 40.0 }));
        let found = changes(&Series::new("x", raised.collect(), None)).unwrap().found;
        assert_eq!(found.len(), 1, "{found:?}");
        assert!((found[0].time_ms / 60_000 - 7_000).abs() <= 5, "{found:?}");
    }

    proptest! {
        #[test]
        fn the_division_is_the_best_one(
            values in prop::collection::vec(-3_i32..4, 10..60), penalty in 0.5_f64..8.0
        ) {
            let values: Vec<f64> = values.into_iter().map(f64::from).collect();
            let places = pelt(&values, penalty);
            prop_assert!((total(&values, &places, penalty) - plain(&values, penalty)).abs() < 1e-9);
        }

        #[test]
        fn the_unit_does_not_matter(seed in 0_u64..50) {
            let mut values = noise(seed, 120, 0.3);
            values[60..].iter_mut().for_each(|value| *value += 4.0);
            let other: Vec<f64> = values.iter().map(|value| (value / 5.0).exp()).collect();
            prop_assert_eq!(search(&values), search(&other));
        }
    }
}
