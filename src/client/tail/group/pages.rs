//! What a page of the history, of a poll, of a sweep brings: its new events, and where each reading goes on.

use std::ops::RangeInclusive;

use rand::Rng;

use super::{Asked, BUSY_PACE_MS, GroupTail, IDLE_PACE_MS};
use crate::client::logs::Page;
use crate::client::tail::pass::Pass;
use crate::client::tail::{Batch, Phase};
use crate::domain::line::LogEvent;

/// Idle polls slow down by this factor.
const PACE_GROWTH: (i64, i64) = (3, 2);
/// Remembered beyond what the next sweep reads.
const MEMORY_MARGIN_MS: i64 = 5_000;

impl GroupTail {
    pub(super) fn history_page(&mut self, page: Page) -> Option<Batch> {
        let mut history = self.history.take()?;
        self.first_paint = false;
        let ended = history.turn(&page.events, page.next);
        let mut fresh = Vec::new();
        for event in page.events {
            let wanted = self.span.contains(event.timestamp);
            if wanted && self.seen.polled(&event, &mut history.pass.reading) {
                fresh.push(event);
            }
        }
        if !ended {
            let kept: Vec<_> = history.kept().collect();
            let floor = self.began - self.sweeps[1].back() - MEMORY_MARGIN_MS;
            self.seen.forget_before(floor, &kept);
            self.history = Some(history);
        }
        self.batch(Phase::History, fresh)
    }

    pub(super) fn poll_page(&mut self, now: i64, page: Page) -> Option<Batch> {
        let mut pass = self.poll.take()?;
        // After an outage the age of an event says how long we were away, not how late it was delivered.
        let steady = pass.started - self.last_poll < 2 * IDLE_PACE_MS;
        let was_empty = page.events.is_empty();
        let fresh = self.absorb(&mut pass, page.events, steady.then_some(now));
        if pass.turn(page.next, was_empty) {
            self.end_poll(&pass);
        } else {
            self.poll = Some(pass);
        }
        self.batch(Phase::Live, fresh)
    }

    pub(super) fn sweep_page(&mut self, now: i64, page: Page) -> Option<Batch> {
        let (which, mut pass) = self.sweep.take()?;
        let was_empty = page.events.is_empty();
        let fresh = self.absorb(&mut pass, page.events, Some(now));
        if pass.turn(page.next, was_empty) {
            for sweep in &mut self.sweeps[..=which] {
                sweep.done(pass.started);
            }
            self.forget(pass.started);
        } else {
            self.sweep = Some((which, pass));
        }
        self.batch(Phase::Live, fresh)
    }

    fn absorb(
        &mut self,
        pass: &mut Pass,
        events: Vec<LogEvent>,
        seen_at: Option<i64>,
    ) -> Vec<LogEvent> {
        let mut fresh = Vec::new();
        for event in events {
            pass.newest = pass.newest.max(event.timestamp);
            // A server may ignore the bounds; what lies outside the memory would be shown twice.
            if event.timestamp < pass.start || !self.seen.polled(&event, &mut pass.reading) {
                continue;
            }
            if let Some(now) = seen_at {
                self.lags.note(now - event.timestamp);
            }
            fresh.push(event);
        }
        pass.fresh += fresh.len();
        fresh
    }

    fn end_poll(&mut self, pass: &Pass) {
        self.lags
            .end_poll(pass.fresh, pass.started - self.last_poll);
        // By searched time, never by the last match; an event from the future does not pull the cursor there.
        let searched = pass.started - self.lags.overlap();
        self.high_water = self
            .high_water
            .max(searched)
            .max(pass.newest.min(pass.started));
        self.searched_to = Some(pass.started);
        self.gaps.retain(|&gap| gap > pass.started);
        self.last_poll = pass.started;
        self.pace = if pass.fresh > 0 {
            BUSY_PACE_MS
        } else {
            (self.pace * PACE_GROWTH.0 / PACE_GROWTH.1).min(IDLE_PACE_MS)
        };
        if self.live_is_healthy(pass.started) {
            self.pace = IDLE_PACE_MS;
        }
        let jitter = self.dice.gen_range(0.8..1.2);
        self.next_poll = pass.started + (self.pace as f64 * jitter) as i64;
        self.background_turn = true;
    }

    /// The oldest instant that a poll or sweep may still read.
    fn memory_floor(&self, now: i64) -> i64 {
        let sweeps = self.sweeps.iter().map(|sweep| sweep.start(now));
        let oldest = sweeps.fold(self.high_water - self.lags.overlap(), i64::min);
        oldest - MEMORY_MARGIN_MS
    }

    fn forget(&mut self, now: i64) {
        let mut floor = self.memory_floor(now);
        let kept: Vec<RangeInclusive<i64>> = match &self.history {
            Some(history) => {
                floor = floor.min(self.began - self.sweeps[1].back() - MEMORY_MARGIN_MS);
                history.kept().collect()
            }
            None => Vec::new(),
        };
        self.seen.forget_before(floor, &kept);
    }

    /// A refused request that carried a token is asked again without it: tokens expire.
    pub(super) fn restart_without_token(&mut self, asked: Asked) -> bool {
        match asked {
            Asked::History => match &mut self.history {
                Some(history) if history.pass.token.is_some() => history.restart(),
                _ => return false,
            },
            Asked::Poll if self.poll.as_ref().is_some_and(|pass| pass.token.is_some()) => {
                self.poll = None;
            }
            Asked::Sweep
                if self
                    .sweep
                    .as_ref()
                    .is_some_and(|(_, pass)| pass.token.is_some()) =>
            {
                self.sweep = None;
            }
            _ => return false,
        }
        true
    }
}
