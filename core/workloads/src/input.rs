//! Keys, values and orders: always the same.

use perflab_subject::Input;

/// How many bytes a value has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// 64 bytes: a counter, a token, a small record.
    Small,
    /// 4096 bytes: a page of text.
    Large,
}

impl Size {
    /// In bytes.
    pub fn bytes(self) -> usize {
        match self {
            Self::Small => 64,
            Self::Large => 4096,
        }
    }
}

/// The keys of a store and their values.
pub struct Entries {
    /// The keys.
    pub keys: Vec<String>,
    /// The value of each key.
    pub values: Vec<Vec<u8>>,
}

/// The entries of a store: as many as fit a core's own caches together with the store's tables.
pub fn entries(input: Input, size: Size) -> Entries {
    let count = match (input, size) {
        (Input::Measure, Size::Small) => 4096,
        (Input::Measure, Size::Large) => 128,
        (Input::Count, _) => 16,
    };
    Entries {
        keys: (0..count).map(|number| format!("session/{number:08}/state")).collect(),
        values: (0..count).map(|number| random(number, size.bytes())).collect(),
    }
}

/// `count` numbers below `below`, in an order that no prefetcher knows.
pub fn order(seed: u64, count: usize, below: usize) -> Vec<usize> {
    let mut state = seed;
    (0..count).map(|_| (step(&mut state) >> 33) as usize % below).collect()
}

fn random(seed: u64, count: usize) -> Vec<u8> {
    let mut state = seed;
    (0..count).map(|_| (step(&mut state) >> 56) as u8).collect()
}

/// The next state of a linear congruential generator modulo 2^64 with Knuth's MMIX constants (TAOCP 2,
/// section 3.3.4), mixed by the finaliser of SplitMix64 (Steele, Lea, Flood 2014).
fn step(state: &mut u64) -> u64 {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    let mixed = (*state ^ (*state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}
