//! Which class a text belongs to: multinomial logistic regression over its features.
//!
//! Fitted by stochastic gradient descent in an order drawn from a fixed seed, so that the same pairs give
//! the same weights (Bishop, "Pattern Recognition and Machine Learning", section 4.3.4).

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use rustc_hash::FxHashMap;

use crate::ranking::features::Feature;
use crate::ranking::index::Index;

/// How often the fit goes over all texts.
const EPOCHS: usize = 10;
/// The first step along the gradient; texts have length one.
const FIRST_STEP: f32 = 4.0;
/// The step falls as 1 / (1 + share of the fit done times this).
const STEP_DECAY: f32 = 20.0;
/// Gradients below this change nothing that shows, and are skipped.
const LEAST_GRADIENT: f32 = 1e-3;
/// Only features of at least this many texts are learned from.
const LEAST_TEXTS: u32 = 2;
const SEED: u64 = 0x5eed_ba54;

/// Learned weights, one row for each feature and one column for each class.
#[derive(Clone, Debug)]
pub struct Classifier {
    rows: FxHashMap<u64, u32>,
    weights: Vec<f32>,
    classes: usize,
}

/// A text as numbers: rows of the weights, with values of length one together.
type Values = Vec<(u32, f32)>;

impl Classifier {
    /// Fits to `texts` with their classes, each below `classes`; `index` holds the same texts and knows how
    /// rare a feature is.
    pub fn fit(texts: &[Vec<Feature>], labels: &[usize], classes: usize, index: &Index) -> Self {
        let mut counts: FxHashMap<u64, u32> = FxHashMap::default();
        texts.iter().flatten().for_each(|feature| *counts.entry(feature.key).or_insert(0) += 1);
        let mut keys: Vec<u64> =
            counts.into_iter().filter(|(_, count)| *count >= LEAST_TEXTS).map(|(key, _)| key).collect();
        keys.sort_unstable();
        let rows: FxHashMap<u64, u32> = keys.into_iter().zip(1..).collect();
        // Row 0 is the bias.
        let weights = vec![0.0; (rows.len() + 1) * classes];
        let mut classifier = Self { rows, weights, classes };
        let values: Vec<Values> = texts.iter().map(|text| classifier.values(text, index)).collect();
        classifier.descend(&values, labels);
        classifier
    }

    fn values(&self, text: &[Feature], index: &Index) -> Values {
        let known = text.iter().filter_map(|feature| {
            let row = self.rows.get(&feature.key)?;
            Some((*row, feature.weight * index.rarity(feature.key)))
        });
        let mut values: Values = known.collect();
        let length = values.iter().map(|(_, value)| value * value).sum::<f32>().sqrt();
        values.iter_mut().for_each(|(_, value)| *value /= length);
        // The bias must not outweigh a whole text.
        values.push((0, 0.2));
        values
    }

    fn descend(&mut self, texts: &[Values], labels: &[usize]) {
        let mut order: Vec<usize> = (0..texts.len()).collect();
        let mut random = ChaCha8Rng::seed_from_u64(SEED);
        let steps = (EPOCHS * texts.len()).max(1) as f32;
        let mut chances = vec![0.0; self.classes];
        let mut done = 0_u32;
        for _ in 0..EPOCHS {
            order.shuffle(&mut random);
            for &at in &order {
                let step = FIRST_STEP / (1.0 + STEP_DECAY * done as f32 / steps);
                self.chances_of(&texts[at], &mut chances);
                self.step(&texts[at], labels[at], &chances, step);
                done += 1;
            }
        }
    }

    fn step(&mut self, text: &Values, label: usize, chances: &[f32], step: f32) {
        for (class, chance) in chances.iter().enumerate() {
            let gradient = if class == label { chance - 1.0 } else { *chance };
            if gradient.abs() < LEAST_GRADIENT {
                continue;
            }
            for (row, value) in text {
                self.weights[*row as usize * self.classes + class] -= step * gradient * value;
            }
        }
    }

    fn chances_of(&self, text: &Values, chances: &mut [f32]) {
        chances.fill(0.0);
        for (row, value) in text {
            let start = *row as usize * self.classes;
            let weights = &self.weights[start..start + self.classes];
            for (chance, weight) in chances.iter_mut().zip(weights) {
                *chance += value * weight;
            }
        }
        let most = chances.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        chances.iter_mut().for_each(|chance| *chance = (*chance - most).exp());
        let sum: f32 = chances.iter().sum();
        chances.iter_mut().for_each(|chance| *chance /= sum);
    }

    /// The probability of each class for a text.
    pub fn chances(&self, text: &[Feature], index: &Index) -> Vec<f32> {
        let mut chances = vec![0.0; self.classes];
        self.chances_of(&self.values(text, index), &mut chances);
        chances
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ranking::features::{Detail, features};

    fn fitted(texts: &[(&str, usize)]) -> (Classifier, Index) {
        let labels: Vec<usize> = texts.iter().map(|(_, label)| *label).collect();
        let texts: Vec<Vec<Feature>> = texts.iter().map(|(text, _)| features(text, Detail::Full)).collect();
        let index = Index::new(texts.iter().map(Vec::as_slice));
        (Classifier::fit(&texts, &labels, 3, &index), index)
    }

    const TEXTS: &[(&str, usize)] = &[
        ("show all files", 0),
        ("show hidden files", 0),
        ("count lines", 1),
        ("count words of a file", 1),
        ("kill a process", 2),
        ("kill processes of a user", 2),
    ];

    #[test]
    fn separable_texts_are_learned() {
        let (classifier, index) = fitted(TEXTS);
        for (text, label) in TEXTS.iter().chain(&[("kill", 2), ("counting things", 1)]) {
            let chances = classifier.chances(&features(text, Detail::Full), &index);
            assert!((chances.iter().sum::<f32>() - 1.0).abs() < 1e-5);
            assert!(
                chances.iter().enumerate().all(|(class, c)| class == *label || *c < chances[*label]),
                "{text}"
            );
        }
    }

    #[test]
    fn the_same_texts_give_the_same_weights() {
        assert_eq!(fitted(TEXTS).0.weights, fitted(TEXTS).0.weights);
    }

    #[test]
    fn strange_text_has_a_chance_for_every_class() {
        let (classifier, index) = fitted(TEXTS);
        let chances = classifier.chances(&features("zzz", Detail::Full), &index);
        assert!(chances.iter().all(|chance| chance.is_finite() && *chance > 0.1), "{chances:?}");
    }
}
