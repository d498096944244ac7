//! One reading of a time range, page by page.

use super::seen::Reading;

/// So often an empty page may come with the token that was just used.
const EMPTY_REPEATS: u32 = 8;

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
    /// The newest timestamp read.
    pub newest: i64,
    /// New events found.
    pub fresh: usize,
    /// Pages read.
    pub pages: usize,
    /// Counts equal events without id.
    pub reading: Reading,
    repeats: u32,
}

impl Pass {
    /// A reading of `start..=end` that begins at `now`.
    pub fn new(start: i64, end: Option<i64>, now: i64) -> Self {
        Self {
            start,
            end,
            newest_first: false,
            token: None,
            started: now,
            newest: i64::MIN,
            fresh: 0,
            pages: 0,
            reading: Reading::default(),
            repeats: 0,
        }
    }

    /// Goes on to the page `next`; true at the end. The token that was just used, given again, is the end too: some servers
    /// answer so instead of with none. With an empty page it may also mean "not yet", so that is asked a few times more.
    pub fn turn(&mut self, next: Option<String>, was_empty: bool) -> bool {
        self.pages += 1;
        let is_repeated = next.is_some() && next == self.token;
        self.repeats = if is_repeated { self.repeats + 1 } else { 0 };
        let patience = if was_empty { EMPTY_REPEATS } else { 0 };
        let ended = next.is_none() || self.repeats > patience;
        self.token = next;
        ended
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repeated_token_ends_a_pass_at_once_after_events_and_at_last_without() {
        let token = || Some("t".to_owned());
        let mut pass = Pass::new(0, None, 0);
        assert!(!pass.turn(token(), false));
        assert!(pass.turn(token(), false));
        let mut pass = Pass::new(0, None, 0);
        let turns = (0..100).take_while(|_| !pass.turn(token(), true)).count();
        assert_eq!(turns, 1 + EMPTY_REPEATS as usize);
        assert!(pass.turn(None, true));
    }
}
