//! The answers that every benchmark must give, and how results are folded into one.

use perflab_subject::answer::{Answer, mix};

/// Every benchmark's answers, computed with the plain form of each kernel; a test does so again.
#[rustfmt::skip]
pub const ANSWERS: &[Answer] = &[
    Answer::new("json_rpc/parse", 0xF2EEDB5C138E1B57, 0xF5BC3A155FF69E87),
    Answer::new("json_rpc/write", 0xA98187DA3016649E, 0x7C588C2ACA85242A),
    Answer::new("dot/naive", 0xF8A902543C7CF264, 0x1CCF35F7F5B4D6C9),
    Answer::new("dot/lanes", 0x92DA783317D8702F, 0x363F422FEEA1CA4E),
    Answer::new("cosine/top_k", 0xBEFEB05F65286FBF, 0x2EBDFEEDDE675A68),
    Answer::new("cosine/top_k_10k", 0x943513551B55ED56, 0x5D89142F17EA907F),
    Answer::new("bitset/intersect", 0x3C31815D8AC2F928, 0x519C23889BD29023),
    Answer::new("robust/z_score", 0x1945A9B679087500, 0xAED005BBBC76B71A),
    Answer::new("moving/mean_sd", 0x8966C00A5075CBE8, 0xA82AFFDF3B0443C0),
    Answer::new("smoothing/holt", 0x0A8061BB924B1CB2, 0x89F01A6C8790B3C8),
    Answer::new("histogram/record", 0x806E0B1AC701BAC6, 0x424BA0D643EBB80D),
    Answer::new("tfidf/score", 0xC2F71D535AA7D587, 0x9BDC0A16CC001CA7),
    Answer::new("shingles/winnow", 0x0425C8935613B374, 0x12BCF8E89ECDD6EA),
    Answer::new("edit_distance/levenshtein", 0x914E3DDFCF2E2394, 0x9626149EE8757AC8),
    Answer::new("regex/scan", 0x56CC4746E9E57959, 0x27D5FF4C58001EF7),
    Answer::new("substring/scan", 0x73EC51A7EF6F135A, 0xB3C2790F8B8587E6),
    Answer::new("bytes/histogram", 0x7FBF98F5C2FCF188, 0x594C44E1C2B1B06F),
    Answer::new("bytes/classes", 0xC7D3B898726B4D3E, 0x46564CAE74A3B0E2),
    Answer::new("hash/xxh3", 0x27D9D0E8E518FBBE, 0xB29AD2ED5A66788C),
    Answer::new("hash/sip", 0xC99804D94688A6AC, 0x725806D5B073A2B4),
    Answer::new("sort/u32", 0x2AB5EFAC47452EC1, 0xFE9DAE692C161A16),
    Answer::new("map/lookup", 0x97570D371B3A09DD, 0x77B944B9F6452F5D),
];

/// A number that can be part of an answer with all its bits.
pub trait Bits: Copy {
    /// The number's bits.
    fn bits(self) -> u64;
}

impl Bits for u64 {
    fn bits(self) -> u64 {
        self
    }
}

impl Bits for u32 {
    fn bits(self) -> u64 {
        u64::from(self)
    }
}

impl Bits for u8 {
    fn bits(self) -> u64 {
        u64::from(self)
    }
}

impl Bits for f32 {
    fn bits(self) -> u64 {
        u64::from(self.to_bits())
    }
}

impl Bits for f64 {
    fn bits(self) -> u64 {
        self.to_bits()
    }
}

/// An answer that depends on every bit of `values` and on their order.
///
/// Four chains take turns, so that folding costs about a cycle a value: each step is a bijection of the
/// chain and of the value, as in FNV, so no single difference is lost.
pub fn fold<T: Bits>(values: &[T]) -> u64 {
    const PRIME: u64 = 0x0000_0100_0000_01B3;
    let mut chains = [values.len() as u64, 1, 2, 3];
    let (blocks, rest) = values.as_chunks::<4>();
    for block in blocks {
        for (chain, value) in chains.iter_mut().zip(block) {
            *chain = (*chain ^ value.bits()).wrapping_mul(PRIME);
        }
    }
    for (chain, value) in chains.iter_mut().zip(rest) {
        *chain = (*chain ^ value.bits()).wrapping_mul(PRIME);
    }
    chains.into_iter().fold(0, mix)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_change_of_the_values_changes_the_answer() {
        let values: Vec<u32> = (0..11).collect();
        let answer = fold(&values);
        for index in 0..values.len() {
            for bit in 0..32 {
                let mut changed = values.clone();
                changed[index] ^= 1 << bit;
                assert_ne!(fold(&changed), answer);
            }
        }
        let mut swapped = values.clone();
        swapped.swap(2, 6);
        assert_ne!(fold(&swapped), answer, "order counts within a chain");
        assert_ne!(fold(&values[..10]), answer);
        assert_ne!(fold(&[0.0_f64]), fold(&[-0.0_f64]));
    }
}
