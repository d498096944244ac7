//! Reading what was there before the tail began: newest page first for a screen, oldest first for a stream of text.

use std::ops::RangeInclusive;

use super::pass::Pass;
use super::seen::Reading;
use crate::domain::line::LogEvent;

/// The first window, where a server cannot answer newest first; windows grow while they fit a page.
const FIRST_WINDOW_MS: i64 = 60_000;
const WINDOW_GROWTH: i64 = 4;
/// Events this near to the place being read stay remembered, so that a page can be asked for again.
const MARGIN_MS: i64 = 2_000;

/// A history being read. It ends when [`History::turn`] says so.
#[derive(Debug)]
pub struct History {
    from: i64,
    way: Way,
    /// The pages in turn.
    pub pass: Pass,
    /// What has been shown around the place being read, oldest and newest instant.
    shown: Option<(i64, i64)>,
    /// Where windows must join what an unwilling server sent first.
    seam: Option<i64>,
}

/// How the range is walked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// `startFromHead=false` was asked; the pages so far do not tell whether the server understands it.
    Undecided,
    /// It does: each page is older than the one before.
    Backwards,
    /// It does not: windows newer to older, each read forwards.
    Windows { width: i64 },
    /// Forwards from the beginning, as wanted.
    Forwards,
}

impl History {
    /// A history of `from..=to`, to be read from `now` on.
    pub fn new(from: i64, to: i64, newest_first: bool, now: i64) -> Self {
        let mut pass = Pass::new(from, Some(to), now);
        pass.newest_first = newest_first;
        Self {
            from,
            way: if newest_first {
                Way::Undecided
            } else {
                Way::Forwards
            },
            pass,
            shown: None,
            seam: None,
        }
    }

    /// Notes what a page covered and goes on; true when the history is complete.
    pub fn turn(&mut self, events: &[LogEvent], next: Option<String>) -> bool {
        self.decide(events);
        self.note(events);
        if self.pass.turn(next, events.is_empty()) {
            return self.end_pass();
        }
        if self.way == (Way::Windows { width: 0 }) {
            self.leave_wrong_end();
        }
        false
    }

    /// The server no longer knows the token: reads on from the last place shown.
    pub fn restart(&mut self) {
        match (self.way, self.shown) {
            (Way::Backwards, Some((oldest, _))) => self.pass.end = Some(oldest),
            (Way::Forwards | Way::Windows { .. }, Some((_, newest))) => self.pass.start = newest,
            _ => {}
        }
        self.pass.token = None;
        self.pass.reading = Reading::default();
    }

    /// The instants whose events must stay remembered.
    pub fn kept(&self) -> impl Iterator<Item = RangeInclusive<i64>> {
        let around = self.shown.map(|(oldest, newest)| match self.way {
            Way::Undecided => oldest - MARGIN_MS..=newest + MARGIN_MS,
            Way::Backwards => oldest - MARGIN_MS..=oldest + MARGIN_MS,
            _ => newest - MARGIN_MS..=newest + MARGIN_MS,
        });
        let seam = self.seam.map(|at| at - MARGIN_MS..=at + MARGIN_MS);
        around.into_iter().chain(seam)
    }

    /// From when on everything has been shown; `None` while reading forwards.
    pub fn complete_from(&self) -> Option<i64> {
        match self.way {
            Way::Backwards => self.shown.map(|(oldest, _)| oldest),
            Way::Windows { .. } => self.pass.end.map(|end| end + 1),
            Way::Undecided | Way::Forwards => None,
        }
    }

    /// Looks at the order that came, within a page and from page to page.
    fn decide(&mut self, events: &[LogEvent]) {
        let (Way::Undecided, Some(first), Some(last)) = (self.way, events.first(), events.last())
        else {
            return;
        };
        let (page_oldest, page_newest) = extent(first.timestamp, last.timestamp);
        if first.timestamp > last.timestamp {
            self.way = Way::Backwards;
        } else if let Some((oldest, newest)) = self.shown {
            if page_newest <= oldest && page_oldest < newest {
                self.way = Way::Backwards;
            } else if page_oldest >= newest && page_newest > oldest {
                self.way = Way::Windows { width: 0 };
            }
        }
    }

    fn note(&mut self, events: &[LogEvent]) {
        for event in events {
            let (oldest, newest) = self.shown.unwrap_or((i64::MAX, i64::MIN));
            self.shown = Some((oldest.min(event.timestamp), newest.max(event.timestamp)));
        }
    }

    /// The server began at the old end. What it sent is shown; the rest is read in windows from the new end.
    fn leave_wrong_end(&mut self) {
        let (_, newest) = self.shown.unwrap_or((self.from, self.from));
        self.from = newest;
        self.seam = Some(newest);
        self.open_window(self.pass.end.unwrap_or(i64::MAX), FIRST_WINDOW_MS);
    }

    fn end_pass(&mut self) -> bool {
        let Way::Windows { width } = self.way else {
            return true;
        };
        if width == 0 || self.pass.start <= self.from {
            return true;
        }
        let growth = if self.pass.pages <= 1 {
            WINDOW_GROWTH
        } else {
            1
        };
        self.open_window(self.pass.start - 1, width.saturating_mul(growth));
        false
    }

    fn open_window(&mut self, to: i64, width: i64) {
        let start = to.saturating_sub(width).max(self.from);
        self.pass = Pass::new(start, Some(to), self.pass.started);
        self.way = Way::Windows { width };
        self.shown = None;
    }
}

fn extent(a: i64, b: i64) -> (i64, i64) {
    (a.min(b), a.max(b))
}
