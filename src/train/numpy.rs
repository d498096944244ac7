//! numpy's legacy random numbers, so that a split here is the split scikit-learn makes from the same seed.

/// `numpy.random.RandomState(seed)`: the Mersenne Twister MT19937 (Matsumoto, Nishimura 1998).
pub(super) struct RandomState {
    key: [u32; SIZE],
    used: usize,
}

const SIZE: usize = 624;
const SHIFT: usize = 397;

impl RandomState {
    /// numpy takes 32-bit seeds; longer ones are folded.
    pub(super) fn new(seed: u64) -> Self {
        let mut key = [0; SIZE];
        let mut word = (seed ^ (seed >> 32)) as u32;
        for (place, slot) in (1..).zip(&mut key) {
            *slot = word;
            word = 1_812_433_253u32
                .wrapping_mul(word ^ (word >> 30))
                .wrapping_add(place);
        }
        Self { key, used: SIZE }
    }

    fn next(&mut self) -> u32 {
        if self.used == SIZE {
            self.refill();
        }
        let mut word = self.key[self.used];
        self.used += 1;
        word ^= word >> 11;
        word ^= (word << 7) & 0x9d2c_5680;
        word ^= (word << 15) & 0xefc6_0000;
        word ^ (word >> 18)
    }

    fn refill(&mut self) {
        for at in 0..SIZE {
            let joined = (self.key[at] & 0x8000_0000) | (self.key[(at + 1) % SIZE] & 0x7fff_ffff);
            let twist = if joined & 1 == 1 { 0x9908_b0df } else { 0 };
            self.key[at] = self.key[(at + SHIFT) % SIZE] ^ (joined >> 1) ^ twist;
        }
        self.used = 0;
    }

    /// A number in `0..=max`, by rejection under the smallest mask.
    fn interval(&mut self, max: usize) -> usize {
        let max = max as u32;
        let mask = u32::MAX.checked_shr(max.leading_zeros()).unwrap_or(0);
        loop {
            let value = self.next() & mask;
            if value <= max {
                return value as usize;
            }
        }
    }

    /// `RandomState.shuffle`.
    pub(super) fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.interval(last));
        }
    }

    /// `RandomState.permutation(n)`.
    pub(super) fn permutation(&mut self, n: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..n).collect();
        self.shuffle(&mut order);
        order
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_numpys() {
        // numpy 2: RandomState(42).randint(0, 2**32, dtype=uint32) four times, RandomState(42).permutation(10).
        let mut random = RandomState::new(42);
        let words = [random.next(), random.next(), random.next(), random.next()];
        assert_eq!(
            words,
            [1_608_637_542, 3_421_126_067, 4_083_286_876, 787_846_414]
        );
        assert_eq!(
            RandomState::new(42).permutation(10),
            [8, 1, 5, 0, 7, 2, 9, 4, 3, 6]
        );
    }
}
