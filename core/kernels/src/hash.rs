//! Hashes of whole texts: XXH3 for cache keys and deduplication, SipHash for tables that strangers fill.

use std::hash::{DefaultHasher, Hasher};

use xxhash_rust::xxh3::xxh3_64;

/// The 64-bit XXH3 hash of `bytes` with seed 0, from the `xxhash-rust` crate, which chooses its vector
/// width when it is compiled.
#[inline(never)]
pub fn xxh3(bytes: &[u8]) -> u64 {
    xxh3_64(bytes)
}

/// The SipHash-1-3 of `bytes` with an all-zero key, as the standard library computes it.
#[inline(never)]
pub fn sip(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(bytes);
    hasher.finish()
}

/// [`sip`] from its definition (Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012), with
/// one round for each word and three at the end.
pub fn sip_plain(bytes: &[u8]) -> u64 {
    let mut state =
        [0x736F_6D65_7073_6575_u64, 0x646F_7261_6E64_6F6D, 0x6C79_6765_6E65_7261, 0x7465_6462_7974_6573];
    let (words, rest) = bytes.as_chunks::<8>();
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    last[7] = bytes.len() as u8;
    for word in words.iter().chain([&last]).map(|word| u64::from_le_bytes(*word)) {
        state[3] ^= word;
        sip_round(&mut state);
        state[0] ^= word;
    }
    state[2] ^= 0xFF;
    for _ in 0..3 {
        sip_round(&mut state);
    }
    state[0] ^ state[1] ^ state[2] ^ state[3]
}

fn sip_round(v: &mut [u64; 4]) {
    v[0] = v[0].wrapping_add(v[1]);
    v[1] = v[1].rotate_left(13) ^ v[0];
    v[0] = v[0].rotate_left(32);
    v[2] = v[2].wrapping_add(v[3]);
    v[3] = v[3].rotate_left(16) ^ v[2];
    v[0] = v[0].wrapping_add(v[3]);
    v[3] = v[3].rotate_left(21) ^ v[0];
    v[2] = v[2].wrapping_add(v[1]);
    v[1] = v[1].rotate_left(17) ^ v[2];
    v[2] = v[2].rotate_left(32);
}

/// The secret of the XXH3 specification, which keys the default hash.
const SECRET: [u8; 192] = [
    0xb8, 0xfe, 0x6c, 0x39, 0x23, 0xa4, 0x4b, 0xbe, 0x7c, 0x01, 0x81, 0x2c, 0xf7, 0x21, 0xad, 0x1c, 0xde,
    0xd4, 0x6d, 0xe9, 0x83, 0x90, 0x97, 0xdb, 0x72, 0x40, 0xa4, 0xa4, 0xb7, 0xb3, 0x67, 0x1f, 0xcb, 0x79,
    0xe6, 0x4e, 0xcc, 0xc0, 0xe5, 0x78, 0x82, 0x5a, 0xd0, 0x7d, 0xcc, 0xff, 0x72, 0x21, 0xb8, 0x08, 0x46,
    0x74, 0xf7, 0x43, 0x24, 0x8e, 0xe0, 0x35, 0x90, 0xe6, 0x81, 0x3a, 0x26, 0x4c, 0x3c, 0x28, 0x52, 0xbb,
    0x91, 0xc3, 0x00, 0xcb, 0x88, 0xd0, 0x65, 0x8b, 0x1b, 0x53, 0x2e, 0xa3, 0x71, 0x64, 0x48, 0x97, 0xa2,
    0x0d, 0xf9, 0x4e, 0x38, 0x19, 0xef, 0x46, 0xa9, 0xde, 0xac, 0xd8, 0xa8, 0xfa, 0x76, 0x3f, 0xe3, 0x9c,
    0x34, 0x3f, 0xf9, 0xdc, 0xbb, 0xc7, 0xc7, 0x0b, 0x4f, 0x1d, 0x8a, 0x51, 0xe0, 0x4b, 0xcd, 0xb4, 0x59,
    0x31, 0xc8, 0x9f, 0x7e, 0xc9, 0xd9, 0x78, 0x73, 0x64, 0xea, 0xc5, 0xac, 0x83, 0x34, 0xd3, 0xeb, 0xc3,
    0xc5, 0x81, 0xa0, 0xff, 0xfa, 0x13, 0x63, 0xeb, 0x17, 0x0d, 0xdd, 0x51, 0xb7, 0xf0, 0xda, 0x49, 0xd3,
    0x16, 0x55, 0x26, 0x29, 0xd4, 0x68, 0x9e, 0x2b, 0x16, 0xbe, 0x58, 0x7d, 0x47, 0xa1, 0xfc, 0x8f, 0xf8,
    0xb8, 0xd1, 0x7a, 0xd0, 0x31, 0xce, 0x45, 0xcb, 0x3a, 0x8f, 0x95, 0x16, 0x04, 0x28, 0xaf, 0xd7, 0xfb,
    0xca, 0xbb, 0x4b, 0x40, 0x7e,
];

const PRIMES_32: [u64; 3] = [0x9E37_79B1, 0x85EB_CA77, 0xC2B2_AE3D];

const PRIMES_64: [u64; 5] = [
    0x9E37_79B1_85EB_CA87,
    0xC2B2_AE3D_27D4_EB4F,
    0x1656_67B1_9E37_79F9,
    0x85EB_CA77_C2B2_AE63,
    0x27D4_EB2F_1656_67C5,
];

/// [`xxh3`] from its specification (the xxHash project's "XXH3 specification", version 0.2.0), a word at
/// a time.
pub fn xxh3_plain(bytes: &[u8]) -> u64 {
    match bytes.len() {
        0..=16 => xxh3_short(bytes),
        17..=240 => xxh3_medium(bytes),
        241.. => xxh3_long(bytes),
    }
}

fn xxh3_short(bytes: &[u8]) -> u64 {
    let len = bytes.len() as u64;
    match bytes {
        [] => avalanche_64(secret(56) ^ secret(64)),
        [first, .., last] if len <= 3 => xxh3_few(*first, bytes[bytes.len() / 2], *last, len),
        [only] => xxh3_few(*only, *only, *only, len),
        [..] if len <= 8 => {
            let low = u64::from(half(bytes, 0)) << 32;
            let high = u64::from(half(bytes, bytes.len() - 4));
            let mut hash = (low + high) ^ secret(8) ^ secret(16);
            hash ^= hash.rotate_left(49) ^ hash.rotate_left(24);
            hash = hash.wrapping_mul(0x9FB2_1C65_1E98_DF25);
            hash ^= (hash >> 35) + len;
            hash = hash.wrapping_mul(0x9FB2_1C65_1E98_DF25);
            hash ^ (hash >> 28)
        }
        [..] => {
            let low = word(bytes, 0) ^ secret(24) ^ secret(32);
            let high = word(bytes, bytes.len() - 8) ^ secret(40) ^ secret(48);
            let sum =
                len.wrapping_add(low.swap_bytes()).wrapping_add(high).wrapping_add(folded_product(low, high));
            avalanche(sum)
        }
    }
}

fn xxh3_few(first: u8, middle: u8, last: u8, len: u64) -> u64 {
    let combined = u64::from(first) << 16 | u64::from(middle) << 24 | u64::from(last) | len << 8;
    avalanche_64(combined ^ u64::from(half(&SECRET, 0) ^ half(&SECRET, 4)))
}

fn xxh3_medium(bytes: &[u8]) -> u64 {
    let len = bytes.len();
    let start = (len as u64).wrapping_mul(PRIMES_64[0]);
    if len <= 128 {
        let pairs = len.div_ceil(32);
        let sum = (0..pairs).fold(start, |sum, pair| {
            sum.wrapping_add(mix_16(bytes, 16 * pair, 32 * pair)).wrapping_add(mix_16(
                bytes,
                len - 16 * (pair + 1),
                32 * pair + 16,
            ))
        });
        return avalanche(sum);
    }
    let sum = (0..8).fold(start, |sum, part| sum.wrapping_add(mix_16(bytes, 16 * part, 16 * part)));
    let sum = (8..len / 16)
        .fold(avalanche(sum), |sum, part| sum.wrapping_add(mix_16(bytes, 16 * part, 16 * (part - 8) + 3)));
    avalanche(sum.wrapping_add(mix_16(bytes, len - 16, 136 - 17)))
}

fn xxh3_long(bytes: &[u8]) -> u64 {
    const STRIPE: usize = 64;
    const BLOCK: usize = 1024;
    let mut lanes = [
        PRIMES_32[2],
        PRIMES_64[0],
        PRIMES_64[1],
        PRIMES_64[2],
        PRIMES_64[3],
        PRIMES_32[1],
        PRIMES_64[4],
        PRIMES_32[0],
    ];
    let before_last = bytes.len() - 1;
    for stripe in 0..before_last / STRIPE {
        let in_block = stripe % (BLOCK / STRIPE);
        accumulate(&mut lanes, &bytes[stripe * STRIPE..], 8 * in_block);
        if in_block == BLOCK / STRIPE - 1 {
            for (lane, value) in lanes.iter_mut().enumerate() {
                *value = (*value ^ (*value >> 47) ^ secret(128 + 8 * lane)).wrapping_mul(PRIMES_32[0]);
            }
        }
    }
    accumulate(&mut lanes, &bytes[bytes.len() - STRIPE..], 128 - 7);
    let start = (bytes.len() as u64).wrapping_mul(PRIMES_64[0]);
    let sum = (0..4).fold(start, |sum, pair| {
        let low = lanes[2 * pair] ^ secret(11 + 16 * pair);
        let high = lanes[2 * pair + 1] ^ secret(11 + 16 * pair + 8);
        sum.wrapping_add(folded_product(low, high))
    });
    avalanche(sum)
}

fn accumulate(lanes: &mut [u64; 8], stripe: &[u8], key: usize) {
    for lane in 0..8 {
        let data = word(stripe, 8 * lane);
        let keyed = data ^ secret(key + 8 * lane);
        lanes[lane ^ 1] = lanes[lane ^ 1].wrapping_add(data);
        lanes[lane] = lanes[lane].wrapping_add((keyed & 0xFFFF_FFFF).wrapping_mul(keyed >> 32));
    }
}

fn mix_16(bytes: &[u8], at: usize, key: usize) -> u64 {
    folded_product(word(bytes, at) ^ secret(key), word(bytes, at + 8) ^ secret(key + 8))
}

fn folded_product(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    product as u64 ^ (product >> 64) as u64
}

fn avalanche(hash: u64) -> u64 {
    let hash = (hash ^ (hash >> 37)).wrapping_mul(0x1656_6791_9E37_79F9);
    hash ^ (hash >> 32)
}

fn avalanche_64(hash: u64) -> u64 {
    let hash = (hash ^ (hash >> 33)).wrapping_mul(PRIMES_64[1]);
    let hash = (hash ^ (hash >> 29)).wrapping_mul(PRIMES_64[2]);
    hash ^ (hash >> 32)
}

fn secret(at: usize) -> u64 {
    word(&SECRET, at)
}

fn word(bytes: &[u8], at: usize) -> u64 {
    let (words, _) = bytes[at..].as_chunks::<8>();
    u64::from_le_bytes(words[0])
}

fn half(bytes: &[u8], at: usize) -> u32 {
    let (halves, _) = bytes[at..].as_chunks::<4>();
    u32::from_le_bytes(halves[0])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn known_hashes() {
        for form in [xxh3, xxh3_plain] {
            // The empty hash is published in the specification's test vectors.
            assert_eq!(form(b""), 0x2D06_8005_38D3_94C2);
        }
        for form in [sip, sip_plain] {
            // SipHash-1-3 of nothing under a key of zeros.
            assert_eq!(form(b""), 0xD1FB_A762_150C_532C);
        }
    }

    #[test]
    fn every_length_class_of_xxh3_agrees() {
        let bytes: Vec<u8> = (0..3000_u32).map(|i| ((i * i) >> 3) as u8).collect();
        for len in (0..300).chain([1023, 1024, 1025, 1087, 1088, 1089, 2047, 2048, 2049, 3000]) {
            assert_eq!(xxh3(&bytes[..len]), xxh3_plain(&bytes[..len]), "{len} bytes");
        }
    }

    proptest! {
        #[test]
        fn crate_and_definition_agree(bytes in prop::collection::vec(any::<u8>(), 0..1500)) {
            prop_assert_eq!(xxh3(&bytes), xxh3_plain(&bytes));
            prop_assert_eq!(sip(&bytes), sip_plain(&bytes));
        }
    }
}
