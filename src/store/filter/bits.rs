//! Sets of lines, one bit each.

use super::BLOCK;

const WORDS: usize = BLOCK / 64;

/// Which lines of one block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockBits([u64; WORDS]);

impl BlockBits {
    /// No line.
    pub fn none() -> Self {
        Self([0; WORDS])
    }

    /// The first `len` lines.
    pub fn first(len: usize) -> Self {
        let mut bits = Self::none();
        for (at, word) in bits.0.iter_mut().enumerate() {
            *word = match len.saturating_sub(at * 64) {
                0 => 0,
                some @ 1..64 => (1 << some) - 1,
                _ => u64::MAX,
            };
        }
        bits
    }

    /// The lines for which the iterator says true.
    pub fn of(flags: impl Iterator<Item = bool>) -> Self {
        let mut bits = Self::none();
        for (at, flag) in flags.enumerate() {
            bits.0[at / 64] |= u64::from(flag) << (at % 64);
        }
        bits
    }

    /// Adds one line (its place in the block).
    pub fn set(&mut self, at: usize) {
        self.0[at / 64] |= 1 << (at % 64);
    }

    /// Whether a line is in.
    pub fn contains(&self, at: usize) -> bool {
        self.0[at / 64] >> (at % 64) & 1 == 1
    }

    /// Only lines that are also in `other`.
    pub fn keep(&mut self, other: &Self) {
        self.0.iter_mut().zip(&other.0).for_each(|(a, b)| *a &= b);
    }

    /// Without the lines of `other`.
    pub fn remove(&mut self, other: &Self) {
        self.0.iter_mut().zip(&other.0).for_each(|(a, b)| *a &= !b);
    }

    /// Whether no line is in.
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }

    /// How many lines.
    pub fn count(&self) -> usize {
        self.0.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// The lines, ascending, as places in the block.
    pub fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        self.0
            .iter()
            .enumerate()
            .flat_map(|(at, word)| ones(*word).map(move |bit| at * 64 + bit))
    }
}

fn ones(mut word: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let bit = (word != 0).then(|| word.trailing_zeros() as usize)?;
        word &= word - 1;
        Some(bit)
    })
}

/// Which lines of the store pass a filter; grows with the store.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Matches {
    words: Vec<u64>,
    len: usize,
    count: usize,
}

impl Matches {
    /// None of `len` lines.
    pub fn new(len: usize) -> Self {
        Self {
            words: vec![0; len.div_ceil(BLOCK) * WORDS],
            len,
            count: 0,
        }
    }

    /// How many lines have been decided or are being decided.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether no line has been looked at.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// How many pass.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Takes over one block's matches; lines decided one by one before ([`Matches::push`]) stay.
    pub fn set_block(&mut self, block: usize, bits: &BlockBits) {
        let start = block * WORDS;
        if self.words.len() < start + WORDS {
            self.words.resize(start + WORDS, 0);
        }
        for (word, new) in self.words[start..].iter_mut().zip(&bits.0) {
            self.count += (new & !*word).count_ones() as usize;
            *word |= new;
        }
    }

    /// Forgets the lines from `len` on: they are decided anew.
    pub fn truncate(&mut self, len: usize) {
        if len >= self.len {
            return;
        }
        self.words.truncate(len.div_ceil(64));
        if let Some(last) = self.words.get_mut(len / 64) {
            *last &= (1 << (len % 64)) - 1;
        }
        self.len = len;
        let ones = self.words.iter().map(|word| word.count_ones() as usize);
        self.count = ones.sum();
    }

    /// Decides the next line.
    pub fn push(&mut self, passes: bool) {
        if self.len.is_multiple_of(64) && self.words.len() <= self.len / 64 {
            self.words.resize(self.len / 64 + 1, 0);
        }
        self.words[self.len / 64] |= u64::from(passes) << (self.len % 64);
        self.len += 1;
        self.count += usize::from(passes);
    }

    /// Whether a line passes.
    pub fn contains(&self, line: u32) -> bool {
        let at = line as usize;
        self.words
            .get(at / 64)
            .is_some_and(|word| word >> (at % 64) & 1 == 1)
    }

    /// The passing lines, in order of arrival.
    pub fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        self.words
            .iter()
            .enumerate()
            .flat_map(|(at, word)| ones(*word).map(move |bit| (at * 64 + bit) as u32))
    }
}
