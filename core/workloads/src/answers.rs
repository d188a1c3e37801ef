//! The answers that every benchmark must give, whichever map is measured.

/// The answers of one benchmark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The benchmark's name.
    pub name: &'static str,
    /// The answer on the input whose time is measured.
    pub measure: u64,
    /// The answer on the input whose instructions are counted.
    pub count: u64,
}

const fn answer(name: &'static str, measure: u64, count: u64) -> Answer {
    Answer { name, measure, count }
}

/// Every benchmark's answers, computed with ordered standard collections; a test does so again.
#[rustfmt::skip]
pub const ANSWERS: &[Answer] = &[
];

/// The part of an answer that a value that was found gives: its length, its first and its last bytes.
pub fn found(value: &[u8]) -> u64 {
    let first = value.first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes));
    let last = value.last_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes));
    mix(mix(value.len() as u64, first), last)
}

/// Joins two answers into one, in order: a multiplication by the golden ratio's odd 64-bit fraction (Knuth,
/// TAOCP 3, section 6.4) after a rotation.
pub fn mix(first: u64, second: u64) -> u64 {
    (first.rotate_left(23) ^ second).wrapping_mul(0x9E37_79B9_7F4A_7C15)
}
