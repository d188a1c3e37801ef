//! The rows of an embedding table that are most like a query.
#![expect(unsafe_code, reason = "calls functions compiled for the detected level of the CPU")]

use crate::dot::{self, lane_dot};
use crate::level::dispatched;

/// Embedding vectors of equal length with the inverse of each one's norm.
#[derive(Clone, Debug)]
pub struct Embeddings {
    dims: usize,
    rows: Vec<f32>,
    inverse_norms: Vec<f32>,
}

impl Embeddings {
    /// A table of rows of `dims` numbers that follow each other in `rows`.
    ///
    /// # Panics
    /// If `dims` is zero or `rows` does not hold whole rows.
    pub fn new(dims: usize, rows: Vec<f32>) -> Self {
        assert!(dims > 0 && rows.len().is_multiple_of(dims), "whole rows of at least one dimension");
        let inverse_norms = rows.chunks_exact(dims).map(inverse_norm).collect();
        Self { dims, rows, inverse_norms }
    }

    /// How many numbers a row has.
    pub fn dims(&self) -> usize {
        self.dims
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.inverse_norms.len()
    }

    /// Whether the table has no rows.
    pub fn is_empty(&self) -> bool {
        self.inverse_norms.is_empty()
    }

    /// The rows, one after another.
    pub fn rows(&self) -> &[f32] {
        &self.rows
    }
}

/// A row and its cosine similarity to the query.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hit {
    /// The row's index.
    pub row: u32,
    /// Its cosine similarity, between -1 and 1 up to rounding; 0 where a vector is all zeros.
    pub score: f32,
}

/// The `count` rows with the highest cosine similarity to `query`, best first; of equal rows the one
/// with the lower index comes first. Scores are ordered by [`f32::total_cmp`].
///
/// # Panics
/// If `query` has another length than the rows.
#[inline(never)]
pub fn top_k(embeddings: &Embeddings, query: &[f32], count: usize) -> Vec<Hit> {
    best(embeddings, query, count)
}

dispatched! {
    /// [`top_k`], compiled for the level of the running CPU.
    ///
    /// # Panics
    /// If `query` has another length than the rows.
    pub fn dispatched(embeddings: &Embeddings, query: &[f32], count: usize) -> Vec<Hit> = best;
}

/// [`top_k`] in the obvious way: score every row, sort all, keep the first.
///
/// # Panics
/// If `query` has another length than the rows.
pub fn plain(embeddings: &Embeddings, query: &[f32], count: usize) -> Vec<Hit> {
    assert_eq!(query.len(), embeddings.dims, "a query as long as the rows");
    let mut products = vec![0.0; embeddings.len()];
    dot::plain(query, &embeddings.rows, &mut products);
    let scale = inverse_norm(query);
    let mut hits: Vec<Hit> = (0_u32..)
        .zip(products.iter().zip(&embeddings.inverse_norms))
        .map(|(row, (product, norm))| Hit { row, score: product * norm * scale })
        .collect();
    hits.sort_by(|a, b| b.score.total_cmp(&a.score));
    hits.truncate(count);
    hits
}

#[inline(always)]
fn best(embeddings: &Embeddings, query: &[f32], count: usize) -> Vec<Hit> {
    assert_eq!(query.len(), embeddings.dims, "a query as long as the rows");
    let scale = inverse_norm(query);
    let mut hits: Vec<Hit> = Vec::with_capacity(count.min(embeddings.len()) + 1);
    let rows = embeddings.rows.chunks_exact(embeddings.dims);
    for (row, (numbers, norm)) in (0_u32..).zip(rows.zip(&embeddings.inverse_norms)) {
        let score = lane_dot(query, numbers) * norm * scale;
        if hits.len() == count && hits.last().is_none_or(|last| score.total_cmp(&last.score).is_le()) {
            continue;
        }
        let place = hits.partition_point(|hit| hit.score.total_cmp(&score).is_ge());
        hits.insert(place, Hit { row, score });
        hits.truncate(count);
    }
    hits
}

#[inline(always)]
fn inverse_norm(vector: &[f32]) -> f32 {
    let square = lane_dot(vector, vector);
    if square > 0.0 { 1.0 / square.sqrt() } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::level::Level;

    type Form = fn(&Embeddings, &[f32], usize) -> Vec<Hit>;

    #[test]
    fn the_nearest_directions_come_first() {
        let rows = vec![1.0, 0.0, 0.0, 2.0, 3.0, 3.0, -1.0, 0.0, 0.0, 0.0, 5.0, 0.0];
        let embeddings = Embeddings::new(2, rows);
        for form in [top_k as Form, plain] {
            let hits = form(&embeddings, &[4.0, 0.0], 4);
            let order: Vec<_> = hits.iter().map(|hit| hit.row).collect();
            assert_eq!(order, [0, 5, 2, 1], "equal rows in the order of their index");
            assert_eq!(hits[0].score, 1.0);
            assert!((hits[2].score - std::f32::consts::FRAC_1_SQRT_2).abs() < 1e-6);
            assert_eq!(hits[3].score, 0.0);
            let all = form(&embeddings, &[4.0, 0.0], 99);
            assert_eq!(all.len(), 6);
            assert_eq!(all[5], Hit { row: 3, score: -1.0 });
            assert!(form(&embeddings, &[4.0, 0.0], 0).is_empty());
        }
    }

    #[test]
    fn a_vector_of_zeros_is_like_nothing() {
        let embeddings = Embeddings::new(1, vec![0.0, 1.0]);
        for form in [top_k as Form, plain] {
            assert!(form(&embeddings, &[0.0], 2).iter().all(|hit| hit.score == 0.0));
        }
    }

    proptest! {
        #[test]
        fn every_form_finds_the_same_rows(
            (query, rows) in (1..40_usize, 0..30_usize).prop_flat_map(|(dims, count)| (
                prop::collection::vec(-3_i8..=3, dims),
                prop::collection::vec(-3_i8..=3, dims * count),
            )),
            count in 0..12_usize,
        ) {
            // Small whole numbers make ties likely.
            let numbers = |values: &[i8]| -> Vec<f32> { values.iter().map(|&v| f32::from(v)).collect() };
            let query = numbers(&query);
            let embeddings = Embeddings::new(query.len(), numbers(&rows));
            let expected = plain(&embeddings, &query, count);
            prop_assert_eq!(&top_k(&embeddings, &query, count), &expected);
            for level in Level::available() {
                prop_assert_eq!(&dispatched(level, &embeddings, &query, count), &expected);
            }
        }
    }
}
