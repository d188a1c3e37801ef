//! How large a number gets where nothing is wrong: the tail of the maxima of blocks of the past.

use crate::stats::median;

/// The fewest blocks that a threshold is taken from.
pub const FEWEST_BLOCKS: usize = 24;
/// The most blocks that are remembered; the oldest go first. At an hour each these are 85 days.
const MOST_BLOCKS: usize = 2_048;
/// The share of the largest maxima that the tail is fitted to.
const TAIL_SHARE: f64 = 0.07;
/// The fewest maxima that it is fitted to.
const FEWEST_IN_TAIL: usize = 10;
/// The shape that is assumed where the data say little: a little heavier than exponential.
const PRIOR_SHAPE: f64 = 0.15;
/// How many maxima that assumption counts as.
const PRIOR_WEIGHT: f64 = 20.0;
/// The shapes that are believed; 0 is exponential, 0.5 a tail without variance.
const SHAPES: (f64, f64) = (0.0, 0.5);
/// Of what lies beyond the threshold so many scales, or this share where that is more, are remembered: one event does not
/// hide the next, and what comes again and again is learned.
const BEYOND: f64 = 3.0;
const REMEMBERED: f64 = 0.5;
/// The score of what is out by any measure: the past is constant.
const FURTHEST: f64 = 1e3;
/// What is not beyond the threshold scores less than one.
const BELOW_ONE: f64 = 1.0 - f64::EPSILON;
/// Between two fits the past grows by this share.
const REFIT: f64 = 0.02;

/// The maxima of one number over blocks of time, and the threshold that follows from them.
#[derive(Clone, Debug)]
pub struct Tail {
    maxima: Vec<f64>,
    next: usize,
    seen: usize,
    refit_at: usize,
    current: f64,
    threshold: f64,
    centre: f64,
    scale: f64,
    largest: f64,
}

impl Default for Tail {
    fn default() -> Self {
        Self {
            maxima: Vec::new(),
            next: 0,
            seen: 0,
            refit_at: FEWEST_BLOCKS,
            current: f64::NEG_INFINITY,
            threshold: f64::INFINITY,
            centre: 0.0,
            scale: 0.0,
            largest: f64::NEG_INFINITY,
        }
    }
}

impl Tail {
    /// A number of the current block.
    #[inline]
    pub fn observe(&mut self, number: f64) {
        // NaN is not larger than anything.
        if number > self.current {
            self.current = number;
        }
    }

    /// The block ends; the threshold is to be exceeded in `share` of all blocks.
    pub fn close(&mut self, share: f64) {
        let largest = std::mem::replace(&mut self.current, f64::NEG_INFINITY);
        if largest == f64::NEG_INFINITY {
            return;
        }
        let is_beyond = largest > self.threshold;
        let room = (BEYOND * self.scale).max(REMEMBERED * (largest - self.threshold));
        let kept = if is_beyond { largest.min(self.threshold + room) } else { largest };
        if self.maxima.len() < MOST_BLOCKS {
            self.maxima.push(kept);
        } else {
            self.maxima[self.next] = kept;
            self.next = (self.next + 1) % MOST_BLOCKS;
        }
        self.seen += 1;
        if self.seen >= self.refit_at || (is_beyond && self.seen >= FEWEST_BLOCKS) {
            self.fit(share);
            self.refit_at = self.seen + ((self.seen as f64 * REFIT) as usize).max(1);
        }
    }

    /// The value that `share` of all blocks exceed.
    fn fit(&mut self, share: f64) {
        let count = self.maxima.len();
        let in_tail = ((count as f64 * TAIL_SHARE) as usize).max(FEWEST_IN_TAIL).min(count - 1);
        let mut sorted = self.maxima.clone();
        let (above, base, _) = sorted.select_nth_unstable_by(in_tail, |a, b| b.total_cmp(a));
        let base = *base;
        above.sort_unstable_by(f64::total_cmp);
        let exceedances: Vec<f64> = above.iter().map(|value| value - base).collect();
        self.largest = base + exceedances.last().copied().unwrap_or(0.0);
        let (scale, shape) = pareto(&exceedances);
        let ratio = (in_tail as f64 / (count as f64 * share)).max(1.0);
        let beyond = if shape.abs() < 1e-6 { ratio.ln() } else { (ratio.powf(shape) - 1.0) / shape };
        self.centre = median(&mut sorted).unwrap_or(base);
        self.scale = scale;
        // What differs in the last digits of a float is the same.
        self.threshold = base + scale * beyond + 1e-9 * base.abs().max(f64::MIN_POSITIVE);
    }

    /// The threshold; infinite while too little is known.
    #[must_use]
    #[inline]
    pub fn threshold(&self) -> f64 {
        self.threshold
    }

    /// How unusual a number is: 1 at the threshold, 0 at the usual maximum of a block.
    #[must_use]
    #[inline]
    pub fn score(&self, number: f64) -> f64 {
        let width = self.threshold - self.centre;
        if number > self.threshold {
            return if width > 0.0 {
                ((number - self.centre) / width).clamp(1.0, FURTHEST)
            } else {
                FURTHEST
            };
        }
        if width > 0.0 { ((number - self.centre) / width).clamp(0.0, BELOW_ONE) } else { 0.0 }
    }

    /// How many blocks are known.
    #[must_use]
    pub fn blocks(&self) -> usize {
        self.maxima.len()
    }

    /// Whether the threshold lies beyond everything that was seen.
    #[must_use]
    pub fn is_extrapolated(&self) -> bool {
        self.threshold > self.largest
    }
}

/// Scale and shape of a generalised Pareto distribution by probability-weighted moments (Hosking and Wallis, "Parameter
/// and Quantile Estimation for the Generalized Pareto Distribution", 1987), the shape drawn towards [`PRIOR_SHAPE`].
/// A positive shape is a heavy tail; theirs has the other sign. `sorted` are exceedances in rising order.
fn pareto(sorted: &[f64]) -> (f64, f64) {
    let count = sorted.len() as f64;
    let mean = sorted.iter().sum::<f64>() / count;
    let weighted =
        sorted.iter().enumerate().map(|(at, value)| value * (1.0 - (at as f64 + 0.65) / count)).sum::<f64>()
            / count;
    let denominator = mean - 2.0 * weighted;
    let shape = if denominator > 0.0 { 2.0 - mean / denominator } else { PRIOR_SHAPE };
    let drawn = (count * shape.clamp(-1.0, 1.0) + PRIOR_WEIGHT * PRIOR_SHAPE) / (count + PRIOR_WEIGHT);
    let shape = drawn.clamp(SHAPES.0, SHAPES.1);
    (mean * (1.0 - shape), shape)
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    /// Quantiles of a generalised Pareto distribution, evenly spread: a sample without chance.
    fn sample(scale: f64, shape: f64, count: usize) -> Vec<f64> {
        (0..count)
            .map(|at| (at as f64 + 0.5) / count as f64)
            .map(|share| scale / shape * ((1.0 - share).powf(-shape) - 1.0))
            .collect()
    }

    #[test]
    fn a_long_sample_gives_back_its_distribution() {
        for (scale, shape) in [(2.0, 0.05), (1.0, 0.2), (5.0, 0.35)] {
            let (found_scale, found_shape) = pareto(&sample(scale, shape, 20_000));
            assert!((found_shape - shape).abs() < 0.02, "{found_shape} {shape}");
            assert!((found_scale / scale - 1.0).abs() < 0.03, "{found_scale} {scale}");
        }
        // Few values say little: the shape is near the one that is assumed.
        assert!((pareto(&[1.0, 2.0, 100.0]).1 - PRIOR_SHAPE).abs() < 0.12);
    }

    #[test]
    fn the_threshold_is_exceeded_as_often_as_it_says() {
        let mut random = ChaCha8Rng::seed_from_u64(7);
        let share = 0.01;
        let (mut exceeded, mut judged) = (0_u32, 0_u32);
        for _ in 0..400 {
            let mut tail = Tail::default();
            for block in 0..300 {
                // The largest of twelve values of an exponential distribution.
                let largest = (0..12).map(|_| -random.random::<f64>().ln()).fold(0.0, f64::max);
                if block >= 100 {
                    judged += 1;
                    exceeded += u32::from(largest > tail.threshold());
                }
                tail.observe(largest);
                tail.close(share);
            }
        }
        let found = f64::from(exceeded) / f64::from(judged) / share;
        assert!((0.6..1.3).contains(&found), "{found} of what was stated");
    }

    #[test]
    fn nothing_is_unusual_before_enough_was_seen_and_constants_have_a_tail_too() {
        let mut tail = Tail::default();
        for block in 0..FEWEST_BLOCKS {
            assert_eq!(tail.score(1e9), 0.0, "block {block}");
            tail.observe(5.0);
            tail.observe(f64::NAN);
            tail.close(0.001);
        }
        assert_eq!((tail.score(5.0), tail.score(6.0)), (0.0, FURTHEST));
        assert!(tail.is_extrapolated());
    }
}
