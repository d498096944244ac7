//! Random numbers that are the same on every machine: ChaCha8, one stream per tree.

use rand::{RngCore, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// The random numbers of one tree (or fold, or resample), whatever thread grows it.
pub(super) struct TreeRng(ChaCha8Rng);

impl TreeRng {
    /// Stream `index` of `seed`. The two are mixed with SplitMix64, so neighbouring indices are unrelated.
    pub(super) fn new(seed: u64, index: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(split_mix(
            seed ^ split_mix(index),
        )))
    }

    /// A number in `0..n`; `n` must not be 0.
    pub(super) fn below(&mut self, n: usize) -> usize {
        ((u64::from(self.0.next_u32()) * n as u64) >> 32) as usize
    }

    /// A number in `[0, 1)` with 24 random bits.
    pub(super) fn unit(&mut self) -> f32 {
        (self.0.next_u32() >> 8) as f32 / (1u32 << 24) as f32
    }

    /// A standard normal number (Box and Muller).
    pub(super) fn normal(&mut self) -> f64 {
        let (radius, angle) = (1.0 - f64::from(self.unit()), f64::from(self.unit()));
        (-2.0 * radius.ln()).sqrt() * (std::f64::consts::TAU * angle).cos()
    }

    /// Fisher–Yates.
    pub(super) fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }
}

/// One step of SplitMix64 (Steele, Lea, Flood 2014).
fn split_mix(state: u64) -> u64 {
    let mut z = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn split_mix_gives_the_published_numbers() {
        // First outputs of the reference implementation (Vigna, splitmix64.c) for state 0.
        assert_eq!(split_mix(0), 0xE220_A839_7B1D_CDAF);
        assert_eq!(split_mix(0x9E37_79B9_7F4A_7C15), 0x6E78_9E6A_A1B9_65F4);
    }

    #[test]
    fn streams_repeat_and_differ() {
        let draw = |seed, index| {
            let mut rng = TreeRng::new(seed, index);
            [
                rng.below(1000),
                rng.below(1000),
                rng.below(1000),
                rng.below(1000),
            ]
        };
        assert_eq!(draw(42, 3), draw(42, 3));
        assert_ne!(draw(42, 3), draw(42, 4));
        assert_ne!(draw(42, 3), draw(43, 3));
    }
}
