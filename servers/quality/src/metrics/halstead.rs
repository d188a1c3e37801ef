//! Halstead's measures (Halstead, "Elements of Software Science", 1977) over the tokens of the syntax tree.

use rustc_hash::FxHashSet;
use serde::Serialize;

/// Operators and operands, counted.
#[derive(Clone, Debug, Default)]
pub(super) struct Words {
    operators: FxHashSet<u16>,
    operands: FxHashSet<u64>,
    total_operators: u32,
    total_operands: u32,
}

impl Words {
    pub(super) fn operator(&mut self, kind: u16) {
        self.operators.insert(kind);
        self.total_operators += 1;
    }

    pub(super) fn operand(&mut self, hash: u64) {
        self.operands.insert(hash);
        self.total_operands += 1;
    }

    /// Takes in those of a function inside.
    pub(super) fn merge(&mut self, other: &Self) {
        self.operators.extend(&other.operators);
        self.operands.extend(&other.operands);
        self.total_operators += other.total_operators;
        self.total_operands += other.total_operands;
    }

    pub(super) fn measures(&self) -> Halstead {
        let count = |set: usize| u32::try_from(set).unwrap_or(u32::MAX);
        let (operators, operands) = (count(self.operators.len()), count(self.operands.len()));
        Halstead::new(operators, operands, self.total_operators, self.total_operands)
    }
}

/// Halstead's measures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Halstead {
    /// Different operators.
    pub operators: u32,
    /// Different operands.
    pub operands: u32,
    /// Operators in all.
    pub total_operators: u32,
    /// Operands in all.
    pub total_operands: u32,
    /// Bits that it takes to write it down: length × log2(vocabulary).
    pub volume: f64,
    /// Half the different operators × how often an operand is used on average.
    pub difficulty: f64,
    /// Difficulty × volume.
    pub effort: f64,
}

impl Halstead {
    fn new(operators: u32, operands: u32, total_operators: u32, total_operands: u32) -> Self {
        let vocabulary = f64::from(operators) + f64::from(operands);
        let length = f64::from(total_operators) + f64::from(total_operands);
        let volume = if vocabulary > 0.0 { length * vocabulary.log2() } else { 0.0 };
        let difficulty = if operands > 0 {
            f64::from(operators) / 2.0 * f64::from(total_operands) / f64::from(operands)
        } else {
            0.0
        };
        Self {
            operators,
            operands,
            total_operators,
            total_operands,
            volume,
            difficulty,
            effort: difficulty * volume,
        }
    }
}

/// The maintainability index without comments (Oman and Hagemeister, 1992, as the SEI gives it, and as radon scales
/// it): 171 − 5.2 ln(volume) − 0.23 × cyclomatic − 16.2 ln(lines of code), as a share of 171, from 0 to 100.
#[must_use]
pub fn maintainability(volume: f64, cyclomatic: u32, code_lines: u32) -> f64 {
    if volume <= 0.0 || code_lines == 0 {
        return 100.0;
    }
    let index = 171.0 - 5.2 * volume.ln() - 0.23 * f64::from(cyclomatic) - 16.2 * f64::from(code_lines).ln();
    (index * 100.0 / 171.0).clamp(0.0, 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of Halstead's measures that text books compute by hand: 10 and 7 different, 25 and 15 in all.
    #[test]
    fn the_measures_are_those_of_the_books() {
        let halstead = Halstead::new(10, 7, 25, 15);
        assert!((halstead.volume - 40.0 * 17.0_f64.log2()).abs() < 1e-12);
        assert!((halstead.difficulty - 75.0 / 7.0).abs() < 1e-12);
        assert!((halstead.effort - halstead.volume * halstead.difficulty).abs() < 1e-9);
        assert_eq!(Halstead::new(0, 0, 0, 0), Halstead::default());
    }

    /// Computed with radon 6.0.1: `mi_compute(100, 5, 20, 0)`.
    #[test]
    fn maintainability_is_radons_without_comments() {
        let index = maintainability(100.0, 5, 20);
        assert!((index - 56.942_837_544_612_41).abs() < 1e-9, "{index}");
        assert!((maintainability(0.0, 1, 1) - 100.0).abs() < f64::EPSILON);
        assert!(maintainability(1e9, 500, 100_000).abs() < f64::EPSILON);
    }
}
