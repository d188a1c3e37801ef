//! Fingerprints of source text that survive moving and inserting code: hashes of token shingles, thinned
//! by winnowing (Schleimer, Wilkerson and Aiken, "Winnowing: Local Algorithms for Document
//! Fingerprinting", SIGMOD 2003).

use crate::tokens::tokens;

/// The base of the polynomial hash over token hashes, an odd number with well mixed bits.
const BASE: u64 = 0x9E37_79B9_7F4A_7C15;

/// The hash of a run of tokens, and where it starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fingerprint {
    /// The hash of the shingle.
    pub hash: u64,
    /// The index of its first token.
    pub token: u32,
}

/// How shingles are cut and thinned.
#[derive(Clone, Copy, Debug)]
pub struct Cut {
    /// How many tokens a shingle has, at least 1.
    pub shingle: usize,
    /// Of this many neighbouring shingles one is kept, at least 1.
    pub window: usize,
}

/// Working memory of [`winnow`], kept so that repeated calls allocate nothing.
#[derive(Clone, Debug, Default)]
pub struct Scratch {
    hashes: Vec<u64>,
}

/// Writes the fingerprints of `text` to `found`: of each window of shingles the one with the least hash,
/// the last of equal ones, each shingle once. A text with fewer shingles than a window is one window.
///
/// # Panics
/// If a shingle or a window of `cut` is empty.
#[inline(never)]
pub fn winnow(text: &str, cut: Cut, scratch: &mut Scratch, found: &mut Vec<Fingerprint>) {
    assert!(cut.shingle > 0 && cut.window > 0, "shingles and windows hold something");
    roll(text, cut.shingle, &mut scratch.hashes);
    let hashes = &scratch.hashes;
    found.clear();
    if hashes.is_empty() {
        return;
    }
    let window = cut.window.min(hashes.len());
    let mut least = last_least(&hashes[..window]);
    found.push(fingerprint(hashes, least));
    for end in window..hashes.len() {
        let start = end + 1 - window;
        let next = if least < start {
            start + last_least(&hashes[start..=end])
        } else if hashes[end] <= hashes[least] {
            end
        } else {
            continue;
        };
        least = next;
        found.push(fingerprint(hashes, least));
    }
}

/// [`winnow`] with each shingle hashed on its own and each window searched on its own.
///
/// # Panics
/// If a shingle or a window of `cut` is empty.
pub fn plain(text: &str, cut: Cut) -> Vec<Fingerprint> {
    let words: Vec<u64> = tokens(text).map(token_hash).collect();
    let hashes: Vec<u64> = words
        .windows(cut.shingle)
        .map(|shingle| {
            mix(shingle.iter().fold(0, |hash: u64, word| hash.wrapping_mul(BASE).wrapping_add(*word)))
        })
        .collect();
    let mut found: Vec<Fingerprint> = Vec::new();
    for (start, window) in hashes.windows(cut.window.min(hashes.len()).max(1)).enumerate() {
        let least = *window.iter().min().expect("a window holds at least one hash");
        let offset =
            window.iter().rposition(|hash| *hash == least).expect("the least hash is one of the window's");
        let next = fingerprint(&hashes, start + offset);
        if found.last() != Some(&next) {
            found.push(next);
        }
    }
    found
}

/// The hashes of all shingles: each from the one before, by dropping a token and adding one.
fn roll(text: &str, shingle: usize, hashes: &mut Vec<u64>) {
    hashes.clear();
    hashes.extend(tokens(text).map(token_hash));
    if hashes.len() < shingle {
        hashes.clear();
        return;
    }
    let top = (1..shingle).fold(1_u64, |power, _| power.wrapping_mul(BASE));
    let mut hash =
        hashes[..shingle - 1].iter().fold(0_u64, |hash, word| hash.wrapping_mul(BASE).wrapping_add(*word));
    let count = hashes.len() + 1 - shingle;
    for start in 0..count {
        let leaving = hashes[start];
        hash = hash.wrapping_mul(BASE).wrapping_add(hashes[start + shingle - 1]);
        hashes[start] = mix(hash);
        hash = hash.wrapping_sub(leaving.wrapping_mul(top));
    }
    hashes.truncate(count);
}

fn last_least(hashes: &[u64]) -> usize {
    let mut least = 0;
    for (index, hash) in hashes.iter().enumerate() {
        if *hash <= hashes[least] {
            least = index;
        }
    }
    least
}

fn fingerprint(hashes: &[u64], index: usize) -> Fingerprint {
    Fingerprint { hash: hashes[index], token: index as u32 }
}

/// FNV-1a, 64 bits.
fn token_hash(token: &str) -> u64 {
    token.bytes().fold(0xCBF2_9CE4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3)
    })
}

/// Spreads the high bits of a polynomial hash over all, so that the least hash favours no token
/// (a bijection: multiply by an odd number, fold the upper half in).
fn mix(hash: u64) -> u64 {
    let hash = (hash ^ (hash >> 32)).wrapping_mul(0xD6E8_FEB8_6659_FD93);
    hash ^ (hash >> 32)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    const CUT: Cut = Cut { shingle: 3, window: 4 };

    fn fast(text: &str, cut: Cut) -> Vec<Fingerprint> {
        let mut found = vec![Fingerprint { hash: 1, token: 1 }];
        winnow(text, cut, &mut Scratch::default(), &mut found);
        found
    }

    #[test]
    fn fnv_of_a_published_example() {
        assert_eq!(token_hash("a"), 0xAF63_DC4C_8601_EC8C);
        assert_eq!(token_hash("foobar"), 0x8594_4171_F739_67E8);
    }

    #[test]
    fn short_texts() {
        for form in [fast, plain] {
            assert!(form("", CUT).is_empty());
            assert!(form("a b", CUT).is_empty());
            let one = form("a b c", CUT);
            assert_eq!((one.len(), one[0].token), (1, 0));
            let same = form("x x x x x x x x", Cut { shingle: 1, window: 8 });
            assert_eq!((same.len(), same[0].token), (1, 7), "the last of equal hashes");
        }
    }

    #[test]
    fn layout_and_surroundings_leave_shared_fingerprints() {
        let copied = "let mut sums = [0.0; N]; for lane in 0..N { sums[lane] += values[lane]; }";
        let moved = format!("fn other() {{ {} }} // end", copied.replace(' ', "\n\t "));
        for form in [fast, plain] {
            let hashes =
                |text: &str| -> BTreeSet<u64> { form(text, CUT).iter().map(|print| print.hash).collect() };
            let shared = hashes(copied).intersection(&hashes(&moved)).count();
            assert!(shared + 1 >= hashes(copied).len(), "{shared}");
            assert!(hashes("while let Some(x) = y.next() { z.push(x) }").is_disjoint(&hashes(copied)));
        }
    }

    proptest! {
        #[test]
        fn rolling_and_hashing_anew_agree(
            text in "([ab]{1,2}[ ;]){0,40}",
            shingle in 1..5_usize,
            window in 1..8_usize,
        ) {
            let cut = Cut { shingle, window };
            let found = fast(&text, cut);
            prop_assert_eq!(&found, &plain(&text, cut));
            let shingles = (tokens(&text).count() + 1).saturating_sub(shingle);
            prop_assert_eq!(found.is_empty(), shingles == 0);
            // The guarantee of winnowing: no gap as long as a window.
            for pair in found.windows(2) {
                prop_assert!(pair[0].token < pair[1].token);
                prop_assert!((pair[1].token - pair[0].token) as usize <= window);
            }
        }
    }
}
