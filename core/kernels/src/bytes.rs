//! What a file consists of: how often each byte and each class of bytes occurs, which tells text from
//! binary data.
#![expect(unsafe_code, reason = "calls functions compiled for the detected level of the CPU")]

use crate::level::dispatched;

/// How many bytes are counted in 8-bit numbers before these could overflow; a multiple of every vector
/// length.
const BLOCK: usize = 192;

/// How often each byte occurs.
///
/// Four tables take turns, so that equal neighbours do not wait for each other's increment.
#[inline(never)]
pub fn histogram(bytes: &[u8]) -> [u32; 256] {
    let mut tables = [[0_u32; 256]; 4];
    let (blocks, rest) = bytes.as_chunks::<4>();
    for block in blocks {
        for (table, byte) in tables.iter_mut().zip(block) {
            table[usize::from(*byte)] += 1;
        }
    }
    for byte in rest {
        tables[0][usize::from(*byte)] += 1;
    }
    let [a, b, c, d] = tables;
    std::array::from_fn(|byte| a[byte] + b[byte] + c[byte] + d[byte])
}

/// [`histogram`] with one table.
pub fn histogram_plain(bytes: &[u8]) -> [u32; 256] {
    let mut table = [0; 256];
    for byte in bytes {
        table[usize::from(*byte)] += 1;
    }
    table
}

/// How many bytes are of each class; every byte is of exactly one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Classes {
    /// Space, tab, line feed and carriage return.
    pub white: u64,
    /// ASCII letters, digits and `_`.
    pub word: u64,
    /// Other printable ASCII.
    pub punctuation: u64,
    /// Other ASCII below 32, and 127.
    pub control: u64,
    /// 128 and above: parts of other characters in UTF-8.
    pub high: u64,
}

/// How many bytes are of each class.
#[inline(never)]
pub fn classes(bytes: &[u8]) -> Classes {
    count_blocks(bytes)
}

dispatched! {
    /// [`classes`], compiled for the level of the running CPU.
    pub fn dispatched(bytes: &[u8]) -> Classes = count_blocks;
}

/// [`classes`], one byte after another.
pub fn plain(bytes: &[u8]) -> Classes {
    let mut classes = Classes::default();
    for byte in bytes {
        match byte {
            b' ' | b'\t' | b'\n' | b'\r' => classes.white += 1,
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' => classes.word += 1,
            0..32 | 127 => classes.control += 1,
            128.. => classes.high += 1,
            32..127 => classes.punctuation += 1,
        }
    }
    classes
}

#[inline(always)]
fn count_blocks(bytes: &[u8]) -> Classes {
    let mut classes = Classes::default();
    for block in bytes.chunks(BLOCK) {
        classes.white += count(block, is_white);
        classes.word += count(block, is_word);
        classes.control += count(block, is_control);
        classes.high += count(block, |byte| byte >= 128);
    }
    let others = classes.white + classes.word + classes.control + classes.high;
    classes.punctuation = bytes.len() as u64 - others;
    classes
}

/// A count in bytes, which a vector unit adds up to sixty-four at a time; a block is short enough.
#[inline(always)]
fn count(block: &[u8], belongs: impl Fn(u8) -> bool) -> u64 {
    let sum = block.iter().fold(0_u8, |sum, byte| sum.wrapping_add(u8::from(belongs(*byte))));
    u64::from(sum)
}

#[inline(always)]
fn is_white(byte: u8) -> bool {
    (byte == b' ') | (byte == b'\n') | (byte == b'\t') | (byte == b'\r')
}

#[inline(always)]
fn is_word(byte: u8) -> bool {
    let letter = (byte | 0x20).wrapping_sub(b'a') < 26;
    let digit = byte.wrapping_sub(b'0') < 10;
    letter | digit | (byte == b'_')
}

#[inline(always)]
fn is_control(byte: u8) -> bool {
    ((byte < 32) & !is_white(byte)) | (byte == 127)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::level::Level;

    #[test]
    fn known_counts() {
        for form in [histogram, histogram_plain] {
            let table = form(b"mississippi");
            assert_eq!(table[usize::from(b's')], 4);
            assert_eq!(table[usize::from(b'm')], 1);
            assert_eq!(table.iter().sum::<u32>(), 11);
        }
    }

    #[test]
    fn every_byte_has_its_class() {
        let all: Vec<u8> = (0..=255).collect();
        for form in [classes, plain] {
            let expected =
                Classes { white: 4, word: 26 + 26 + 10 + 1, punctuation: 32 - 1, control: 33 - 3, high: 128 };
            assert_eq!(form(&all), expected);
            let one = |byte| form(&[byte]);
            assert_eq!(one(b'Z').word, 1);
            assert_eq!(one(b'[').punctuation, 1);
            assert_eq!(one(b'@').punctuation, 1);
            assert_eq!(one(0x7F).control, 1);
            assert_eq!(one(0x0B).control, 1);
        }
        assert_eq!(classes(&[b'a'; 100_000]).word, 100_000, "no count overflows");
    }

    proptest! {
        #[test]
        fn every_form_counts_alike(bytes in prop::collection::vec(any::<u8>(), 0..1000)) {
            prop_assert_eq!(histogram(&bytes), histogram_plain(&bytes));
            let expected = plain(&bytes);
            prop_assert_eq!(classes(&bytes), expected);
            for level in Level::available() {
                prop_assert_eq!(dispatched(level, &bytes), expected, "{}", level.name());
            }
        }
    }
}
