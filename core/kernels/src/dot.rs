//! Dot products of one query vector with every row of a tile: the inner loop of embedding search.
#![expect(unsafe_code, reason = "calls functions compiled for the detected level of the CPU")]

use crate::level::dispatched;

/// How many partial sums [`lanes`] keeps: four SSE2, two AVX or one AVX-512 register of `f32`.
pub const LANES: usize = 16;

/// Dot products summed from left to right, as a first version of the loop is written. The order of the
/// sum keeps every compiler from vectorising it.
///
/// `rows` holds rows of `query.len()` numbers one after another; `scores[i]` becomes the product with
/// row `i`.
///
/// # Panics
/// If `query` is empty or `rows` does not hold `scores.len()` rows.
#[inline(never)]
pub fn naive(query: &[f32], rows: &[f32], scores: &mut [f32]) {
    check(query, rows, scores);
    for (row, score) in rows.chunks_exact(query.len()).zip(scores) {
        *score = query.iter().zip(row).fold(0.0, |sum, (a, b)| sum + a * b);
    }
}

/// Dot products in [`LANES`] partial sums, which are added pairwise at the end. The order is part of the
/// definition, so the result is the same to the bit whatever the vector width.
///
/// `rows` holds rows of `query.len()` numbers one after another; `scores[i]` becomes the product with
/// row `i`.
///
/// # Panics
/// If `query` is empty or `rows` does not hold `scores.len()` rows.
#[inline(never)]
pub fn lanes(query: &[f32], rows: &[f32], scores: &mut [f32]) {
    score_rows(query, rows, scores);
}

dispatched! {
    /// [`lanes`], compiled for the level of the running CPU.
    ///
    /// # Panics
    /// If `query` is empty or `rows` does not hold `scores.len()` rows.
    pub fn dispatched(query: &[f32], rows: &[f32], scores: &mut [f32]) = score_rows;
}

/// [`lanes`] by its definition: element `i` belongs to partial sum `i % LANES`.
///
/// # Panics
/// If `query` is empty or `rows` does not hold `scores.len()` rows.
pub fn plain(query: &[f32], rows: &[f32], scores: &mut [f32]) {
    check(query, rows, scores);
    for (row, score) in rows.chunks_exact(query.len()).zip(scores) {
        let mut sums = [0.0; LANES];
        for index in 0..query.len() {
            sums[index % LANES] += query[index] * row[index];
        }
        let mut count = LANES;
        while count > 1 {
            count /= 2;
            for lane in 0..count {
                sums[lane] += sums[lane + count];
            }
        }
        *score = sums[0];
    }
}

fn check(query: &[f32], rows: &[f32], scores: &[f32]) {
    assert!(!query.is_empty(), "a query has at least one dimension");
    assert_eq!(rows.len(), query.len() * scores.len(), "whole rows, one score each");
}

#[inline(always)]
fn score_rows(query: &[f32], rows: &[f32], scores: &mut [f32]) {
    check(query, rows, scores);
    for (row, score) in rows.chunks_exact(query.len()).zip(scores) {
        *score = lane_dot(query, row);
    }
}

/// The dot product of two slices of equal length in [`LANES`] partial sums.
#[inline(always)]
pub(crate) fn lane_dot(a: &[f32], b: &[f32]) -> f32 {
    let (a_blocks, a_rest) = a.as_chunks::<LANES>();
    let (b_blocks, b_rest) = b.as_chunks::<LANES>();
    let mut sums = [0.0; LANES];
    for (a, b) in a_blocks.iter().zip(b_blocks) {
        for lane in 0..LANES {
            sums[lane] += a[lane] * b[lane];
        }
    }
    for (sum, (a, b)) in sums.iter_mut().zip(a_rest.iter().zip(b_rest)) {
        *sum += a * b;
    }
    let eight: [f32; 8] = std::array::from_fn(|lane| sums[lane] + sums[lane + 8]);
    let four: [f32; 4] = std::array::from_fn(|lane| eight[lane] + eight[lane + 4]);
    (four[0] + four[2]) + (four[1] + four[3])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::level::Level;

    type Form = fn(&[f32], &[f32], &mut [f32]);

    fn scores(form: impl Fn(&[f32], &[f32], &mut [f32]), query: &[f32], rows: &[f32]) -> Vec<f32> {
        let mut scores = vec![f32::NAN; rows.len() / query.len()];
        form(query, rows, &mut scores);
        scores
    }

    fn bits(scores: &[f32]) -> Vec<u32> {
        scores.iter().map(|score| score.to_bits()).collect()
    }

    #[test]
    fn known_products() {
        for form in [naive, lanes, plain] {
            assert_eq!(scores(form, &[2.0], &[3.0, -4.0]), [6.0, -8.0]);
            let query: Vec<f32> = (1..=40_u8).map(f32::from).collect();
            // The sum of the first forty squares, which f32 holds exactly.
            assert_eq!(scores(form, &query, &query), [22_140.0]);
        }
    }

    #[test]
    fn the_order_of_the_sum_is_the_documented_one() {
        let mut row = vec![0.0; 17];
        row[0] = 1e8;
        row[1] = 1.0;
        row[16] = -1e8;
        let ones = vec![1.0; 17];
        // 1e8 + 1 is 1e8 in f32: only a sum that keeps the lanes apart finds the 1.
        assert_eq!(scores(naive, &ones, &row), [0.0]);
        assert_eq!(scores(lanes, &ones, &row), [1.0]);
        assert_eq!(scores(plain, &ones, &row), [1.0]);
    }

    #[test]
    #[should_panic(expected = "whole rows")]
    fn a_row_that_is_cut_off_is_refused() {
        lanes(&[1.0, 2.0], &[1.0, 2.0, 3.0], &mut [0.0]);
    }

    proptest! {
        #[test]
        fn every_form_is_near_the_exact_product(
            (query, rows) in (1..80_usize, 0..5_usize).prop_flat_map(|(dims, count)| (
                prop::collection::vec(-1e3_f32..1e3, dims),
                prop::collection::vec(-1e3_f32..1e3, dims * count),
            ))
        ) {
            for form in [naive as Form, lanes, plain] {
                for (row, score) in rows.chunks(query.len()).zip(scores(form, &query, &rows)) {
                    let products = query.iter().zip(row).map(|(a, b)| f64::from(*a) * f64::from(*b));
                    let (exact, size) = products.fold((0.0, 0.0), |(sum, size), product| {
                        (sum + product, size + product.abs())
                    });
                    let bound = size * f64::from(f32::EPSILON) * query.len() as f64;
                    prop_assert!((f64::from(score) - exact).abs() <= bound);
                }
            }
            let expected = bits(&scores(plain, &query, &rows));
            prop_assert_eq!(&bits(&scores(lanes, &query, &rows)), &expected);
            for level in Level::available() {
                let found = scores(|q, r, s| dispatched(level, q, r, s), &query, &rows);
                prop_assert_eq!(&bits(&found), &expected, "{}", level.name());
            }
        }
    }
}
