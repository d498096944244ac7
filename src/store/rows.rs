//! The index in memory: 24 bytes a line, in blocks that a background filter can share while the store grows.

use std::sync::Arc;

use crate::domain::line::{Facts, Kind, Level};

/// Lines per block; a filter works block by block.
pub const BLOCK: usize = 4096;
/// Longest text one row can name; longer lines are cut into several rows.
pub const MAX_LEN: usize = (1 << 24) - 1;
/// "Belongs to no request."
pub const NO_REQUEST: u32 = u32::MAX;

/// One line of the index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// Event time, milliseconds since the epoch; 0 when unknown.
    pub time: i64,
    /// Place of the text (48 bits) and stream number (16 bits).
    place: u64,
    /// Length of the text (24 bits), level and kind (4 bits each).
    size: u32,
    /// Position in the table of invocations, or [`NO_REQUEST`].
    pub request: u32,
}

const _: () = assert!(size_of::<Row>() == 24);

impl Row {
    /// Packs a row; `len` is cut at [`MAX_LEN`].
    pub fn new(time: i64, at: u64, len: usize, stream: u16, facts: &Facts) -> Self {
        let size = len.min(MAX_LEN) as u32;
        Self {
            time,
            place: at << 16 | u64::from(stream),
            size: size << 8 | (facts.level as u32) << 4 | facts.kind as u32,
            request: NO_REQUEST,
        }
    }

    /// Where the text starts.
    pub fn at(&self) -> u64 {
        self.place >> 16
    }

    /// Length of the text in bytes.
    pub fn len(&self) -> usize {
        (self.size >> 8) as usize
    }

    /// Whether the text is empty.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Where the text ends.
    pub fn end(&self) -> u64 {
        self.at() + self.len() as u64
    }

    /// Stream number.
    pub fn stream(&self) -> u16 {
        self.place as u16
    }

    /// Severity.
    pub fn level(&self) -> Level {
        Level::ALL[(self.size >> 4 & 0xf) as usize]
    }

    /// Sort of line.
    pub fn kind(&self) -> Kind {
        Kind::ALL[(self.size & 0xf) as usize]
    }

    /// The text goes on up to `end`: a continuation line.
    pub fn extend_to(&mut self, end: u64) {
        let len = (end.saturating_sub(self.at()) as usize).min(MAX_LEN) as u32;
        self.size = self.size & 0xff | len << 8;
    }
}

/// All rows in order of arrival.
#[derive(Debug, Clone, Default)]
pub struct Rows {
    full: Vec<Arc<Vec<Row>>>,
    last: Vec<Row>,
}

impl Rows {
    /// How many.
    pub fn len(&self) -> usize {
        self.full.len() * BLOCK + self.last.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.full.is_empty() && self.last.is_empty()
    }

    /// Adds one row and returns its line number.
    pub fn push(&mut self, row: Row) -> u32 {
        let line = self.len() as u32;
        if self.last.capacity() == 0 {
            self.last.reserve_exact(BLOCK);
        }
        self.last.push(row);
        if self.last.len() == BLOCK {
            self.full.push(Arc::new(std::mem::take(&mut self.last)));
        }
        line
    }

    /// Takes the last row away.
    pub fn pop(&mut self) -> Option<Row> {
        if self.last.is_empty() {
            self.last = Arc::unwrap_or_clone(self.full.pop()?);
        }
        self.last.pop()
    }

    /// One row; `None` beyond the end.
    pub fn get(&self, line: u32) -> Option<&Row> {
        let (block, at) = (line as usize / BLOCK, line as usize % BLOCK);
        match self.full.get(block) {
            Some(block) => block.get(at),
            None if block == self.full.len() => self.last.get(at),
            None => None,
        }
    }

    /// One row to change. A block that a filter is reading is copied first.
    pub fn get_mut(&mut self, line: u32) -> Option<&mut Row> {
        let (block, at) = (line as usize / BLOCK, line as usize % BLOCK);
        let blocks = self.full.len();
        match self.full.get_mut(block) {
            Some(block) => Arc::make_mut(block).get_mut(at),
            None if block == blocks => self.last.get_mut(at),
            None => None,
        }
    }

    /// The blocks from one on, the last one copied: a picture that does not change.
    pub fn share(&self, first: usize) -> Vec<Arc<Vec<Row>>> {
        let mut blocks = self.full.get(first..).unwrap_or_default().to_vec();
        if !self.last.is_empty() {
            blocks.push(Arc::new(self.last.clone()));
        }
        blocks
    }
}
