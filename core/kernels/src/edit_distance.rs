//! Levenshtein distance between byte strings, for "did you mean" suggestions.
//!
//! The fast form computes a column of the table with a few operations on machine words: Myers, "A Fast
//! Bit-Vector Algorithm for Approximate String Matching Based on Dynamic Programming", JACM 1999, in the
//! formulation with blocks of Hyyrö, "A Bit-Vector Algorithm for Computing Levenshtein and Damerau Edit
//! Distances", 2003.

/// A string that others are compared with, prepared once.
#[derive(Clone, Debug)]
pub struct Pattern {
    len: usize,
    /// For each block of 64 bytes, and each byte value, the positions where the pattern has that byte.
    positions: Vec<[u64; 256]>,
    columns: Vec<Column>,
}

/// The differences between neighbouring cells of a table column, one bit a row.
#[derive(Clone, Copy, Debug)]
struct Column {
    /// Rows where the distance is one more than in the row above.
    up: u64,
    /// Rows where it is one less.
    down: u64,
}

impl Pattern {
    /// Prepares `pattern`.
    pub fn new(pattern: &[u8]) -> Self {
        let blocks = pattern.chunks(64).map(|block| {
            let mut positions = [0; 256];
            for (bit, byte) in block.iter().enumerate() {
                positions[usize::from(*byte)] |= 1 << bit;
            }
            positions
        });
        let positions: Vec<_> = blocks.collect();
        Self { len: pattern.len(), columns: vec![Column { up: !0, down: 0 }; positions.len()], positions }
    }

    /// How many bytes of memory a pattern of so many bytes takes.
    #[must_use]
    pub fn memory(len: usize) -> usize {
        len.div_ceil(64).saturating_mul(size_of::<[u64; 256]>() + size_of::<Column>())
    }
}

/// A comparison with a text that comes in pieces.
#[derive(Debug)]
pub struct Comparison<'a> {
    pattern: &'a mut Pattern,
    distance: usize,
}

impl<'a> Comparison<'a> {
    /// With a text of which nothing has come yet.
    pub fn new(pattern: &'a mut Pattern) -> Self {
        pattern.columns.fill(Column { up: !0, down: 0 });
        Self { distance: pattern.len, pattern }
    }

    /// Takes the next piece of the text.
    pub fn add(&mut self, text: &[u8]) {
        self.distance = columns(self.pattern, text, self.distance);
    }

    /// The distance to the text so far.
    #[must_use]
    pub fn distance(&self) -> usize {
        self.distance
    }
}

/// The least number of inserted, removed and replaced bytes that turn the pattern into `text`.
///
/// Takes time in proportion to `text.len()` times the pattern's blocks of 64 bytes. The pattern is
/// borrowed mutably for its working memory.
#[inline(never)]
pub fn levenshtein(pattern: &mut Pattern, text: &[u8]) -> usize {
    pattern.columns.fill(Column { up: !0, down: 0 });
    columns(pattern, text, pattern.len)
}

/// The columns of further bytes of a text; from the distance to what came before them to the one with them.
#[inline(always)]
fn columns(pattern: &mut Pattern, text: &[u8], mut distance: usize) -> usize {
    let Some(rows) = pattern.len.checked_sub(1) else {
        return distance + text.len();
    };
    let last = 1_u64 << (rows % 64);
    for byte in text {
        // The top row of the table grows by one with each column.
        let mut carry = Carry { up: 1, down: 0 };
        let mut change = carry;
        for (positions, column) in pattern.positions.iter().zip(&mut pattern.columns) {
            (carry, change) = advance(column, positions[usize::from(*byte)], carry, last);
        }
        distance = distance + change.up as usize - change.down as usize;
    }
    distance
}

/// Whether the distance grows (`up`) or shrinks (`down`) from one column to the next, as 0 or 1.
#[derive(Clone, Copy)]
struct Carry {
    up: u64,
    down: u64,
}

/// Moves one block to the next column. Returns the change in its bottom row, for the block below, and
/// the change in row `last`.
#[inline(always)]
fn advance(column: &mut Column, matches: u64, above: Carry, last: u64) -> (Carry, Carry) {
    let vertical = matches | column.down;
    let matches = matches | above.down;
    let diagonal = (((matches & column.up).wrapping_add(column.up)) ^ column.up) | matches;
    let up = column.down | !(diagonal | column.up);
    let down = column.up & diagonal;
    let bottom = Carry { up: up >> 63, down: down >> 63 };
    let watched = Carry { up: u64::from(up & last != 0), down: u64::from(down & last != 0) };
    let up = up << 1 | above.up;
    let down = down << 1 | above.down;
    column.up = down | !(vertical | up);
    column.down = up & vertical;
    (bottom, watched)
}

/// [`levenshtein`] by the table that defines it, two rows at a time.
pub fn plain(pattern: &[u8], text: &[u8]) -> usize {
    let mut above: Vec<usize> = (0..=text.len()).collect();
    for (row, expected) in pattern.iter().enumerate() {
        let mut current = vec![row + 1];
        for (column, found) in text.iter().enumerate() {
            let replaced = above[column] + usize::from(expected != found);
            let removed = above[column + 1] + 1;
            let inserted = current[column] + 1;
            current.push(replaced.min(removed).min(inserted));
        }
        above = current;
    }
    above[text.len()]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fast(pattern: &[u8], text: &[u8]) -> usize {
        levenshtein(&mut Pattern::new(pattern), text)
    }

    #[test]
    fn known_distances() {
        for form in [fast, plain] {
            assert_eq!(form(b"kitten", b"sitting"), 3);
            assert_eq!(form(b"saturday", b"sunday"), 3);
            assert_eq!(form(b"", b"abc"), 3);
            assert_eq!(form(b"abc", b""), 3);
            assert_eq!(form(b"", b""), 0);
            assert_eq!(form(&[b'x'; 200], &[b'x'; 130]), 70);
            assert_eq!(form(&[b'x'; 64], &[b'y'; 64]), 64);
        }
    }

    #[test]
    fn a_pattern_can_be_used_again() {
        let mut pattern = Pattern::new(b"read_file");
        assert_eq!(levenshtein(&mut pattern, b"write"), plain(b"read_file", b"write"));
        assert_eq!(levenshtein(&mut pattern, b"read_fiel"), 2);
        assert_eq!(levenshtein(&mut pattern, b"read_file"), 0);
    }

    proptest! {
        #[test]
        fn a_text_may_come_in_pieces(
            pattern in prop::collection::vec(b'a'..=b'd', 0..200),
            text in prop::collection::vec(b'a'..=b'd', 0..80),
            piece in 1..30_usize,
        ) {
            let mut prepared = Pattern::new(&pattern);
            let mut comparison = Comparison::new(&mut prepared);
            let mut so_far = 0;
            for part in text.chunks(piece) {
                comparison.add(part);
                so_far += part.len();
                prop_assert_eq!(comparison.distance(), plain(&pattern, &text[..so_far]));
            }
        }

        #[test]
        fn bits_and_table_agree(
            pattern in prop::collection::vec(b'a'..=b'd', 0..200),
            text in prop::collection::vec(b'a'..=b'd', 0..80),
        ) {
            let distance = fast(&pattern, &text);
            prop_assert_eq!(distance, plain(&pattern, &text));
            prop_assert_eq!(distance, fast(&text, &pattern), "symmetric");
            prop_assert!(distance >= pattern.len().abs_diff(text.len()));
            prop_assert!(distance <= pattern.len().max(text.len()));
            prop_assert_eq!(distance == 0, pattern == text);
        }
    }
}
