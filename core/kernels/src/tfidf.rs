//! TF-IDF scores of every document for a query.
//!
//! The weight of a term in a document is its share of the document's tokens times
//! ln((1 + documents) / (1 + documents with the term)) + 1, the smoothed inverse document frequency of
//! Manning, Raghavan and Schütze, "Introduction to Information Retrieval", section 6.2, with one added so
//! that a term of every document still counts.

use rustc_hash::FxHashMap;

use crate::tokens::tokens;

/// An inverted index: for each term the documents that hold it, with weights.
#[derive(Clone, Debug)]
pub struct Index {
    terms: FxHashMap<String, Vec<Posting>>,
    documents: usize,
}

#[derive(Clone, Copy, Debug)]
struct Posting {
    document: u32,
    weight: f32,
}

impl Index {
    /// Indexes the tokens of `documents`.
    pub fn new(documents: &[&str]) -> Self {
        let mut counts: FxHashMap<&str, Vec<(u32, u32)>> = FxHashMap::default();
        let mut lengths = Vec::with_capacity(documents.len());
        for (document, text) in (0_u32..).zip(documents) {
            let mut length = 0_u32;
            for token in tokens(text) {
                length += 1;
                let postings = counts.entry(token).or_default();
                match postings.last_mut() {
                    Some((last, count)) if *last == document => *count += 1,
                    Some(_) | None => postings.push((document, 1)),
                }
            }
            lengths.push(length);
        }
        let weigh = |postings: Vec<(u32, u32)>| {
            let rarity = rarity(documents.len(), postings.len());
            postings
                .iter()
                .map(|&(document, count)| Posting {
                    document,
                    weight: weight(count, lengths[document as usize], rarity),
                })
                .collect()
        };
        Self {
            terms: counts.into_iter().map(|(term, postings)| (term.to_owned(), weigh(postings))).collect(),
            documents: documents.len(),
        }
    }

    /// How many documents are indexed.
    pub fn documents(&self) -> usize {
        self.documents
    }
}

/// Writes the score of each document for the tokens of `query` to `scores`; a token counts as often as
/// it occurs in the query.
///
/// # Panics
/// If `scores` is not as long as there are documents.
#[inline(never)]
pub fn score(index: &Index, query: &str, scores: &mut [f32]) {
    assert_eq!(scores.len(), index.documents, "a score for each document");
    scores.fill(0.0);
    for token in tokens(query) {
        for posting in index.terms.get(token).map_or(&[][..], Vec::as_slice) {
            scores[posting.document as usize] += posting.weight;
        }
    }
}

/// [`score`] without an index: counts each token of the query in each document.
///
/// # Panics
/// If `scores` is not as long as `documents`.
pub fn plain(documents: &[&str], query: &str, scores: &mut [f32]) {
    assert_eq!(scores.len(), documents.len(), "a score for each document");
    let documents: Vec<Vec<&str>> = documents.iter().map(|text| tokens(text).collect()).collect();
    scores.fill(0.0);
    for token in tokens(query) {
        let holding = documents.iter().filter(|words| words.contains(&token)).count();
        for (words, score) in documents.iter().zip(&mut *scores) {
            let count = words.iter().filter(|word| **word == token).count();
            if count > 0 {
                *score += weight(count as u32, words.len() as u32, rarity(documents.len(), holding));
            }
        }
    }
}

/// The inverse document frequency, rounded to `f32` so that the last digit of the C library's logarithm
/// does not matter.
fn rarity(documents: usize, holding: usize) -> f32 {
    (((1 + documents) as f64 / (1 + holding) as f64).ln() + 1.0) as f32
}

fn weight(count: u32, length: u32, rarity: f32) -> f32 {
    count as f32 / length as f32 * rarity
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn indexed(documents: &[&str], query: &str) -> Vec<f32> {
        let mut scores = vec![f32::NAN; documents.len()];
        score(&Index::new(documents), query, &mut scores);
        scores
    }

    fn counted(documents: &[&str], query: &str) -> Vec<f32> {
        let mut scores = vec![f32::NAN; documents.len()];
        plain(documents, query, &mut scores);
        scores
    }

    #[test]
    fn known_scores() {
        let documents = ["read file", "read read line", "write file file file"];
        for form in [indexed, counted] {
            let rare = 1.0 + (4.0_f32 / 2.0).ln();
            let common = 1.0 + (4.0_f32 / 3.0).ln();
            let close = |scores: Vec<f32>, expected: [f32; 3]| {
                assert!(
                    scores.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-6),
                    "{scores:?} {expected:?}"
                );
            };
            close(form(&documents, "line"), [0.0, rare / 3.0, 0.0]);
            close(form(&documents, "read"), [common / 2.0, common * 2.0 / 3.0, 0.0]);
            close(form(&documents, "file, file"), [common, 0.0, common * 1.5]);
            close(form(&documents, "unknown"), [0.0; 3]);
        }
    }

    proptest! {
        #[test]
        fn the_index_scores_like_counting(
            documents in prop::collection::vec("([a-e]{1,2}[ .]){0,12}", 0..8),
            query in "([a-f]{1,2} ){0,6}",
        ) {
            let documents: Vec<&str> = documents.iter().map(String::as_str).collect();
            let expected = counted(&documents, &query);
            prop_assert_eq!(&indexed(&documents, &query), &expected);
            for (text, score) in documents.iter().zip(expected) {
                let shares = tokens(&query).any(|token| tokens(text).any(|word| word == token));
                prop_assert_eq!(score > 0.0, shares);
            }
        }
    }
}
