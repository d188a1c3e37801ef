//! Every random choice of an experiment, from its seed alone: a record can be replayed.

use rand::SeedableRng as _;
use rand::seq::SliceRandom as _;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::Rng as _;

/// What a random number is for; keeps the streams apart.
#[derive(Clone, Copy)]
enum Purpose {
    Layout = 1,
    Pad = 2,
    Order = 3,
}

fn generator(seed: u64, purpose: Purpose, launch: u32, index: u64) -> ChaCha8Rng {
    let mut bytes = [0_u8; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    bytes[8..12].copy_from_slice(&(purpose as u32).to_le_bytes());
    bytes[12..16].copy_from_slice(&launch.to_le_bytes());
    bytes[16..24].copy_from_slice(&index.to_le_bytes());
    ChaCha8Rng::from_seed(bytes)
}

/// The seed of an arm's layout in a launch: never used before in the experiment.
#[must_use]
pub fn layout_seed(seed: u64, launch: u32, arm: usize) -> u64 {
    generator(seed, Purpose::Layout, launch, arm as u64).next_u64()
}

/// Bytes of padding for an arm's environment, up to a page: they shift its stack.
#[must_use]
pub fn pad(seed: u64, launch: u32, arm: usize) -> u32 {
    generator(seed, Purpose::Pad, launch, arm as u64).next_u32() % 4096
}

/// The order of `arms` in one block of one benchmark.
#[must_use]
pub fn order(seed: u64, launch: u32, benchmark: usize, block: u32, arms: &[usize]) -> Vec<usize> {
    let mut order = arms.to_vec();
    let index = (benchmark as u64) << 32 | u64::from(block);
    order.shuffle(&mut generator(seed, Purpose::Order, launch, index));
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_is_a_permutation_that_depends_on_all_of_its_names() {
        let arms: Vec<usize> = (0..8).collect();
        let first = order(1, 0, 0, 0, &arms);
        let mut sorted = first.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, arms);
        assert_eq!(first, order(1, 0, 0, 0, &arms), "the same names give the same order");
        for other in [
            order(2, 0, 0, 0, &arms),
            order(1, 1, 0, 0, &arms),
            order(1, 0, 1, 0, &arms),
            order(1, 0, 0, 1, &arms),
        ] {
            assert_ne!(first, other);
        }
    }

    #[test]
    fn each_arm_comes_first_about_equally_often() {
        let mut first = [0_u32; 4];
        for launch in 0..400 {
            first[order(9, launch, 3, 2, &[0, 1, 2, 3])[0]] += 1;
        }
        assert!(first.iter().all(|&times| (60..140).contains(&times)), "{first:?}");
    }

    #[test]
    fn layouts_do_not_repeat() {
        let mut seeds: Vec<_> =
            (0..100).flat_map(|launch| (0..10).map(move |arm| layout_seed(5, launch, arm))).collect();
        seeds.sort_unstable();
        seeds.dedup();
        assert_eq!(seeds.len(), 1000);
    }
}
