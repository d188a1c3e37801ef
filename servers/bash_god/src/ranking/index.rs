//! Documents that are like a query: the cosine of weighted, rarity-scaled features.
//!
//! The weight of a feature in a text is (1 + ln count) times its kind's weight times
//! ln((1 + documents) / (1 + documents with it)) + 1: the sublinear variant of TF-IDF of Manning, Raghavan
//! and Schütze, "Introduction to Information Retrieval", sections 6.2 and 6.4.

use rustc_hash::FxHashMap;

use crate::ranking::features::Feature;

/// An inverted index over the features of documents.
#[derive(Clone, Debug, Default)]
pub struct Index {
    postings: FxHashMap<u64, Vec<Posting>>,
    documents: usize,
}

#[derive(Clone, Copy, Debug)]
struct Posting {
    document: u32,
    weight: f32,
}

impl Index {
    /// Indexes documents by their features; a document's number is its place.
    pub fn new<'a>(documents: impl IntoIterator<Item = &'a [Feature]>) -> Self {
        let mut postings: FxHashMap<u64, Vec<Posting>> = FxHashMap::default();
        let mut count = 0_u32;
        for features in documents {
            for feature in features {
                postings
                    .entry(feature.key)
                    .or_default()
                    .push(Posting { document: count, weight: feature.weight });
            }
            count += 1;
        }
        let mut index = Self { postings, documents: count as usize };
        index.normalise();
        index
    }

    /// Scales each document's weights by rarity and to length one.
    fn normalise(&mut self) {
        let mut squares = vec![0.0_f64; self.documents];
        let mut keys: Vec<u64> = self.postings.keys().copied().collect();
        // The sums below depend on their order in the last bit, and that of a hash map may change.
        keys.sort_unstable();
        for key in keys {
            let rarity = self.rarity(key);
            for posting in self.postings.get_mut(&key).into_iter().flatten() {
                posting.weight *= rarity;
                squares[posting.document as usize] += f64::from(posting.weight).powi(2);
            }
        }
        for posting in self.postings.values_mut().flatten() {
            posting.weight /= squares[posting.document as usize].sqrt() as f32;
        }
    }

    /// How many documents are indexed.
    pub fn documents(&self) -> usize {
        self.documents
    }

    /// The inverse document frequency of a feature, 0 of an unknown one.
    pub fn rarity(&self, key: u64) -> f32 {
        let holding = self.postings.get(&key).map_or(0, Vec::len);
        if holding == 0 {
            0.0
        } else {
            (((1 + self.documents) as f64 / (1 + holding) as f64).ln() + 1.0) as f32
        }
    }

    /// The cosine of `query` with every document, 0 to 1. Features that no document has still count in the
    /// query's length, as if one document had them: a query of strange words is like nothing.
    pub fn cosines(&self, query: &[Feature]) -> Vec<f32> {
        let unknown = (((1 + self.documents) as f64 / 2.0).ln() + 1.0) as f32;
        let mut scores = vec![0.0_f32; self.documents];
        let mut square = 0.0_f64;
        for feature in query {
            let Some(postings) = self.postings.get(&feature.key) else {
                square += f64::from(feature.weight * unknown).powi(2);
                continue;
            };
            let weight = feature.weight * self.rarity(feature.key);
            square += f64::from(weight).powi(2);
            for posting in postings {
                scores[posting.document as usize] += weight * posting.weight;
            }
        }
        let length = square.sqrt() as f32;
        if length > 0.0 {
            scores.iter_mut().for_each(|score| *score /= length);
        }
        scores
    }

    /// The `limit` documents that are most like `query`, best first, without those that share nothing.
    pub fn nearest(&self, query: &[Feature], limit: usize) -> Vec<(usize, f32)> {
        let mut found: Vec<(usize, f32)> =
            self.cosines(query).into_iter().enumerate().filter(|(_, score)| *score > 0.0).collect();
        found.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        found.truncate(limit);
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ranking::features::{Detail, features};

    fn index(texts: &[&str]) -> Index {
        let documents: Vec<Vec<Feature>> = texts.iter().map(|text| features(text, Detail::Words)).collect();
        Index::new(documents.iter().map(Vec::as_slice))
    }

    #[test]
    fn a_document_is_most_like_itself() {
        let texts = ["read a file", "write a file", "read a a line"];
        let index = index(&texts);
        for (at, text) in texts.iter().enumerate() {
            let scores = index.cosines(&features(text, Detail::Words));
            assert!((scores[at] - 1.0).abs() < 1e-5, "{scores:?}");
            assert!(scores.iter().enumerate().all(|(other, score)| other == at || *score < 0.999));
        }
    }

    #[test]
    fn a_rare_word_says_more_than_a_common_one() {
        let index = index(&["file line", "file word", "file page"]);
        let nearest = index.nearest(&features("file word", Detail::Words), 3);
        assert_eq!(nearest[0].0, 1);
        let shared = index.cosines(&features("file strange", Detail::Words))[0];
        assert!(shared > 0.0 && shared < index.cosines(&features("file", Detail::Words))[0]);
    }

    #[test]
    fn known_cosine() {
        let index = index(&["a b", "a"]);
        let rare = 1.0 + (3.0_f32 / 2.0).ln();
        let expected = rare / (rare * rare + 1.0).sqrt();
        let scores = index.cosines(&features("b", Detail::Words));
        assert!((scores[0] - expected).abs() < 1e-6 && scores[1] == 0.0, "{scores:?} {expected}");
    }

    #[test]
    fn nothing_is_like_nothing() {
        assert!(index(&["a"]).nearest(&[], 5).is_empty());
        assert!(index(&[]).nearest(&features("a", Detail::Words), 5).is_empty());
        assert!(index(&["", "a"]).nearest(&features("x", Detail::Words), 5).is_empty());
    }
}
