//! Latency histograms: record every call, read a few quantiles (the `hdrhistogram` crate).

use hdrhistogram::Histogram;

/// The longest latency that is told apart, in µs: a minute.
pub const LONGEST: u64 = 60_000_000;

/// How many significant decimal digits a latency keeps.
pub const DIGITS: u8 = 2;

/// The quantiles that are read.
pub const QUANTILES: [f64; 4] = [0.5, 0.9, 0.99, 1.0];

/// An empty histogram of latencies in µs.
pub fn latencies() -> Histogram<u32> {
    Histogram::new_with_max(LONGEST, DIGITS).expect("the bounds are constants that the crate accepts")
}

/// Clears `histogram`, records `values` in µs and returns the [`QUANTILES`]; values beyond [`LONGEST`]
/// count as the longest. All zero where there are no values.
#[inline(never)]
pub fn record(histogram: &mut Histogram<u32>, values: &[u64]) -> [u64; 4] {
    histogram.reset();
    for value in values {
        histogram.saturating_record(*value);
    }
    QUANTILES.map(|quantile| histogram.value_at_quantile(quantile))
}

/// [`record`] by sorting: the value at a quantile, rounded up to the end of its bucket.
///
/// A bucket of the histogram holds all values that agree in their first eight bits, the least power of
/// two that tells two decimal digits apart everywhere.
pub fn plain(values: &[u64]) -> [u64; 4] {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    QUANTILES.map(|quantile| {
        let rank = (quantile * sorted.len() as f64).ceil() as usize;
        let Some(value) = sorted.get(rank.max(1) - 1) else {
            return 0;
        };
        let bucket = 1 << (64 - 8_u32).saturating_sub((value | 1).leading_zeros());
        let last: u64 = value / bucket * bucket + bucket - 1;
        last
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn recorded(values: &[u64]) -> [u64; 4] {
        let mut histogram = latencies();
        histogram.saturating_record(123_456);
        record(&mut histogram, values)
    }

    #[test]
    fn known_quantiles() {
        let hundred: Vec<u64> = (1..=100).collect();
        for form in [recorded, plain] {
            assert_eq!(form(&hundred), [50, 90, 99, 100]);
            assert_eq!(form(&[5, 1, 3]), [3, 5, 5, 5]);
            assert_eq!(form(&[]), [0; 4]);
            // 1000 is 1111101000 in binary: eight bits are kept, so its bucket ends at 1003.
            assert_eq!(form(&[1000]), [1003; 4]);
        }
    }

    proptest! {
        #[test]
        fn the_histogram_and_sorting_agree(
            values in prop::collection::vec(prop_oneof![0..300_u64, 0..LONGEST], 0..200)
        ) {
            let found = recorded(&values);
            prop_assert_eq!(found, plain(&values));
            let most = values.iter().copied().max().unwrap_or(0);
            prop_assert!(found[3] >= most && found[3] as f64 <= most as f64 * 1.01 + 1.0);
        }
    }
}
