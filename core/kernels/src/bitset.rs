//! How many elements a set shares with each of many others, all as bits: ranking files by the trigrams
//! they share with a query.
#![expect(unsafe_code, reason = "calls functions compiled for the detected level of the CPU")]

use crate::level::dispatched;

/// Writes to `counts[i]` how many bits `query` has in common with set `i`; `sets` holds sets of
/// `query.len()` words one after another.
///
/// # Panics
/// If `query` is empty or `sets` does not hold `counts.len()` sets.
#[inline(never)]
pub fn intersect(query: &[u64], sets: &[u64], counts: &mut [u32]) {
    count_shared(query, sets, counts);
}

dispatched! {
    /// [`intersect`], compiled for the level of the running CPU.
    ///
    /// # Panics
    /// If `query` is empty or `sets` does not hold `counts.len()` sets.
    pub fn dispatched(query: &[u64], sets: &[u64], counts: &mut [u32]) = count_shared;
}

/// [`intersect`], one bit after another.
///
/// # Panics
/// If `query` is empty or `sets` does not hold `counts.len()` sets.
pub fn plain(query: &[u64], sets: &[u64], counts: &mut [u32]) {
    check(query, sets, counts);
    for (set, count) in sets.chunks_exact(query.len()).zip(counts) {
        *count = 0;
        for element in 0..query.len() * 64 {
            let holds = |words: &[u64]| words[element / 64] >> (element % 64) & 1 == 1;
            if holds(query) && holds(set) {
                *count += 1;
            }
        }
    }
}

fn check(query: &[u64], sets: &[u64], counts: &[u32]) {
    assert!(!query.is_empty(), "a set has at least one word");
    assert_eq!(sets.len(), query.len() * counts.len(), "whole sets, one count each");
}

#[inline(always)]
fn count_shared(query: &[u64], sets: &[u64], counts: &mut [u32]) {
    check(query, sets, counts);
    for (set, count) in sets.chunks_exact(query.len()).zip(counts) {
        *count = query.iter().zip(set).map(|(query, set)| (query & set).count_ones()).sum();
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::level::Level;

    fn run(form: impl Fn(&[u64], &[u64], &mut [u32]), query: &[u64], sets: &[u64]) -> Vec<u32> {
        let mut counts = vec![u32::MAX; sets.len() / query.len()];
        form(query, sets, &mut counts);
        counts
    }

    #[test]
    fn known_counts() {
        for form in [intersect, plain] {
            assert_eq!(run(form, &[0b1011, !0], &[0b0110, 0, 0, 1 << 63]), [1, 1]);
            assert_eq!(run(form, &[!0], &[!0, 0, 0xFF]), [64, 0, 8]);
            assert!(run(form, &[1], &[]).is_empty());
        }
    }

    #[test]
    #[should_panic(expected = "whole sets")]
    fn half_a_set_is_refused() {
        intersect(&[1, 2], &[1, 2, 3], &mut [0]);
    }

    proptest! {
        #[test]
        fn every_form_counts_alike(
            (query, sets) in (1..20_usize, 0..5_usize).prop_flat_map(|(words, count)| (
                prop::collection::vec(any::<u64>(), words),
                prop::collection::vec(any::<u64>(), words * count),
            ))
        ) {
            let expected = run(plain, &query, &sets);
            prop_assert_eq!(&run(intersect, &query, &sets), &expected);
            for level in Level::available() {
                let found = run(|q, s, c| dispatched(level, q, s, c), &query, &sets);
                prop_assert_eq!(&found, &expected, "{}", level.name());
            }
        }
    }
}
