//! How what a call found becomes the number by which it is checked.
//!
//! `mix` and `digest` are `const`, so that a known answer can be computed where it is written, and inlined, so that they
//! cost a call the same wherever they are called from.

/// The answers that one benchmark has to give.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The benchmark's name.
    pub name: &'static str,
    /// The answer on the input whose time is measured.
    pub measure: u64,
    /// The answer on the input whose instructions are counted.
    pub count: u64,
}

impl Answer {
    /// The answers of the benchmark `name`.
    #[must_use]
    pub const fn new(name: &'static str, measure: u64, count: u64) -> Self {
        Self { name, measure, count }
    }
}

/// Joins two answers into one, in order: a multiplication by the golden ratio's odd 64-bit fraction (Knuth, TAOCP 3,
/// section 6.4) after a rotation.
#[inline]
#[must_use]
pub const fn mix(first: u64, second: u64) -> u64 {
    (first.rotate_left(23) ^ second).wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

/// A text as a number: FNV-1a (Fowler, Noll and Vo, 64 bits).
#[inline]
#[must_use]
pub const fn digest(text: &str) -> u64 {
    let bytes = text.as_bytes();
    let mut sum = 0xCBF2_9CE4_8422_2325_u64;
    let mut at = 0;
    while at < bytes.len() {
        sum = (sum ^ bytes[at] as u64).wrapping_mul(0x0000_0100_0000_01B3);
        at += 1;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_those_of_the_authors() {
        // From the test vectors of draft-eastlake-fnv, appendix C.
        assert_eq!(digest(""), 0xCBF2_9CE4_8422_2325);
        assert_eq!(digest("a"), 0xAF63_DC4C_8601_EC8C);
        assert_eq!(digest("foobar"), 0x8594_4171_F739_67E8);
    }
}
