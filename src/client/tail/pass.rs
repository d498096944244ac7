//! One reading of a time range, page by page.

use super::seen::Reading;

/// A range being read. Times are milliseconds since the epoch, both ends included.
#[derive(Debug)]
pub struct Pass {
    /// First instant.
    pub start: i64,
    /// Last instant; `None` reads to the newest.
    pub end: Option<i64>,
    /// Whether the newest page is asked first.
    pub newest_first: bool,
    /// Where the next page begins.
    pub token: Option<String>,
    /// When the first page was asked for.
    pub started: i64,
    /// The newest event of the whole tail when this pass began: what is older arrives late.
    pub newest_before: i64,
    /// The newest timestamp read.
    pub newest: i64,
    /// New events found.
    pub fresh: usize,
    /// Pages read.
    pub pages: usize,
    /// Counts equal events without id.
    pub reading: Reading,
}

impl Pass {
    /// A reading of `start..=end` that begins at `now`.
    pub fn new(start: i64, end: Option<i64>, now: i64, newest_before: i64) -> Self {
        Self {
            start,
            end,
            newest_first: false,
            token: None,
            started: now,
            newest_before,
            newest: i64::MIN,
            fresh: 0,
            pages: 0,
            reading: Reading::default(),
        }
    }

    /// Goes on to the page `next`; true at the end. The token that was just used, given again, is the end too: some servers
    /// answer so instead of with none.
    pub fn turn(&mut self, next: Option<String>) -> bool {
        self.pages += 1;
        let ended = next.is_none() || next == self.token;
        self.token = next;
        ended
    }
}
