//! Live Tail beside the polls: what it pushes, what it leaves out, whether it can be relied on.

use super::{BUSY_PACE_MS, GroupTail};
use crate::client::tail::status::LiveTail;
use crate::client::tail::{Batch, Phase};
use crate::domain::line::LogEvent;

/// Live Tail counts as healthy this long after its last frame.
const LIVE_FRESH_MS: i64 = 3_000;

impl GroupTail {
    /// Live Tail is wanted: from now on polled events are also known by their text.
    pub fn expect_live_tail(&mut self) {
        self.seen.counts_text = true;
        self.live_tail = LiveTail::Opening;
    }

    /// Live Tail does not open: why.
    pub fn live_refused(&mut self, why: String) {
        self.live_tail = LiveTail::Refused(why);
    }

    /// A Live Tail frame came. Returns the events to show.
    pub fn live(&mut self, now: i64, events: Vec<LogEvent>, sampled: bool) -> Option<Batch> {
        self.set_clock(now);
        self.live_frame_at = Some(now);
        if self.live_tail != LiveTail::Off {
            self.live_tail = LiveTail::Open;
        }
        if sampled {
            self.sampled += 1;
            self.next_poll = now;
            self.pace = BUSY_PACE_MS;
        }
        let mut fresh = Vec::new();
        for event in events {
            if self.span.contains(event.timestamp) && self.seen.live(&event) {
                self.lags.note(now - event.timestamp);
                fresh.push(event);
            }
        }
        self.batch(Phase::Live, fresh)
    }

    /// Live Tail skipped something or ended: the poller reads it at once.
    pub fn live_gap(&mut self, now: i64) {
        self.live_frame_at = None;
        if self.live_tail == LiveTail::Open {
            self.live_tail = LiveTail::Opening;
        }
        self.gaps.push_back(now);
        self.next_poll = now;
        self.pace = BUSY_PACE_MS;
    }

    /// Up to where everything is here: the last complete search, or the last frame while Live Tail is healthy.
    pub(super) fn covered_to(&self) -> i64 {
        let searched = self.searched_to.unwrap_or(self.began);
        match self.live_frame_at {
            Some(at) if self.live_is_healthy(self.clock) => searched.max(at),
            _ => searched,
        }
    }

    pub(super) fn live_is_healthy(&self, now: i64) -> bool {
        self.gaps.is_empty()
            && self
                .live_frame_at
                .is_some_and(|at| now - at < LIVE_FRESH_MS)
    }
}
