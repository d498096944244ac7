//! The tail of one log group as a plain state machine: it is asked what to do next, and told what came of it.
//!
//! No network and no clock: `now` is given, so that hours of tailing are tested in milliseconds.

use std::collections::VecDeque;
use std::ops::RangeInclusive;
use std::sync::Arc;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::history::History;
use super::pace::Lags;
use super::pass::Pass;
use super::seen::Seen;
use super::status::{LiveTail, Progress, Status};
use super::sweep::Sweep;
use super::trouble::Trouble;
use super::{Batch, Patience, Phase, Span, Wishes};
use crate::client::errors::AwsError;
use crate::client::logs::{Page, PageRequest};
use crate::domain::line::LogEvent;

/// Pace of the polls while events flow, and the slowest when none do, milliseconds.
const BUSY_PACE_MS: i64 = 1_000;
const IDLE_PACE_MS: i64 = 5_000;
/// Idle polls slow down by this factor.
const PACE_GROWTH: (i64, i64) = (3, 2);
/// Remembered beyond what the next sweep reads.
const MEMORY_MARGIN_MS: i64 = 5_000;
/// Live Tail counts as healthy this long after its last frame.
const LIVE_FRESH_MS: i64 = 3_000;

/// What the machine wants.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// This page; answer with [`GroupTail::page`] or [`GroupTail::failed`].
    Ask(PageRequest),
    /// Nothing before this instant.
    Wait(i64),
    /// All that was wanted has been read.
    Done,
    /// Repeating cannot help.
    GiveUp(AwsError),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    Nothing,
    History,
    Poll,
    Sweep,
}

/// The tail of one group.
#[derive(Debug)]
pub struct GroupTail {
    group: Arc<str>,
    pattern: Option<Arc<str>>,
    span: Span,
    trouble: Trouble,
    seen: Seen,
    lags: Lags,
    dice: StdRng,

    /// The last `now`: the server's clock is known only from its answers, and may turn out to be behind ours.
    clock: i64,
    began: i64,
    /// All before it minus the overlap has been searched.
    high_water: i64,
    searched_to: Option<i64>,

    history: Option<History>,
    first_paint: bool,
    poll: Option<Pass>,
    sweep: Option<(usize, Pass)>,
    sweeps: [Sweep; 2],
    asked: Asked,
    background_turn: bool,
    next_poll: i64,
    last_poll: i64,
    pace: i64,

    live_tail: LiveTail,
    live_frame_at: Option<i64>,
    gaps: VecDeque<i64>,
    sampled: u64,
}

impl GroupTail {
    /// A tail of `group` that begins at `now`. `seed` makes its jitter repeatable.
    pub fn new(
        group: Arc<str>,
        pattern: Option<Arc<str>>,
        span: Span,
        patience: Patience,
        now: i64,
        seed: u64,
    ) -> Self {
        let to = span.until.unwrap_or(now);
        Self {
            history: Some(History::new(span.since, to, span.newest_first, now)),
            first_paint: true,
            group,
            pattern,
            span,
            trouble: Trouble::none(patience, span),
            seen: Seen::default(),
            lags: Lags::default(),
            dice: StdRng::seed_from_u64(seed),
            clock: now,
            began: now,
            high_water: now,
            searched_to: None,
            poll: None,
            sweep: None,
            sweeps: Sweep::both(now),
            asked: Asked::Nothing,
            background_turn: false,
            next_poll: now,
            last_poll: now,
            pace: BUSY_PACE_MS,
            live_tail: LiveTail::Off,
            live_frame_at: None,
            gaps: VecDeque::new(),
            sampled: 0,
        }
    }

    /// What to do at `now`.
    pub fn next(&mut self, now: i64) -> Step {
        self.set_clock(now);
        if let Some(error) = self.trouble.fatal() {
            return Step::GiveUp(error.clone());
        }
        if now < self.trouble.blocked_until() {
            return Step::Wait(self.trouble.blocked_until());
        }
        let history_only = self.first_paint || !self.span.newest_first || !self.span.follow;
        if self.history.is_some() && history_only {
            return self.ask(Asked::History);
        }
        if !self.span.follow {
            return Step::Done;
        }
        self.begin_due_passes(now);
        let background = match (&self.sweep, &self.history) {
            (Some(_), _) => Some(Asked::Sweep),
            (None, Some(_)) => Some(Asked::History),
            (None, None) => None,
        };
        match background {
            Some(background) if self.background_turn || self.poll.is_none() => {
                self.background_turn = false;
                self.ask(background)
            }
            _ if self.poll.is_some() => self.ask(Asked::Poll),
            _ => Step::Wait(self.next_due()),
        }
    }

    /// A page came. Returns the events to show, oldest first.
    pub fn page(&mut self, now: i64, page: Page) -> Option<Batch> {
        self.set_clock(now);
        self.trouble.over();
        match std::mem::replace(&mut self.asked, Asked::Nothing) {
            Asked::Nothing => None,
            Asked::History => self.history_page(page),
            Asked::Poll => self.poll_page(now, page),
            Asked::Sweep => self.sweep_page(now, page),
        }
    }

    /// The call failed. The cursor stays.
    pub fn failed(&mut self, now: i64, error: &AwsError) {
        let asked = std::mem::replace(&mut self.asked, Asked::Nothing);
        if matches!(error, AwsError::Invalid { .. }) && self.restart_without_token(asked) {
            return;
        }
        self.trouble.failed(now, error, &self.group, &mut self.dice);
    }

    /// Live Tail is wanted: from now on polled events are also known by their text.
    pub fn expect_live_tail(&mut self) {
        self.seen.counts_text = true;
        self.live_tail = LiveTail::Opening;
    }

    /// What is wanted has changed.
    pub fn wish(&mut self, now: i64, before: Wishes, wishes: Wishes) {
        match (before.live_tail, wishes.live_tail) {
            (false, true) => self.expect_live_tail(),
            (true, false) => {
                // What the session had not delivered yet is polled at once.
                self.live_gap(now);
                self.live_tail = LiveTail::Off;
            }
            _ => {}
        }
        if before.looks != wishes.looks {
            self.look_now(now);
        }
    }

    /// Live Tail does not open: why.
    pub fn live_refused(&mut self, why: String) {
        self.live_tail = LiveTail::Refused(why);
    }

    /// Somebody wants to know now: polls at once and sweeps wide.
    fn look_now(&mut self, now: i64) {
        self.next_poll = now;
        self.pace = BUSY_PACE_MS;
        self.trouble.look_now(now);
        for sweep in &mut self.sweeps {
            sweep.look_now(now);
        }
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
    fn covered_to(&self) -> i64 {
        let searched = self.searched_to.unwrap_or(self.began);
        match self.live_frame_at {
            Some(at) if self.live_is_healthy(self.clock) => searched.max(at),
            _ => searched,
        }
    }

    /// The truth about this group.
    pub fn status(&self) -> Status {
        if let Some(status) = self.trouble.status() {
            return status.clone();
        }
        if !self.trouble.has_answered() {
            return Status::Connecting;
        }
        if !self.span.follow && self.history.is_none() {
            return Status::Complete;
        }
        Status::Live(Progress {
            searched_to: self.covered_to(),
            pace: self.pace,
            trouble: None,
            gaps: self.gaps.len() as u32,
            late: 0,
            sampled: self.sampled,
            live_tail: self.live_tail.clone(),
            history_from: self
                .history
                .as_ref()
                .map(|history| history.complete_from().unwrap_or(self.began)),
        })
    }

    /// When the clock was set back, nothing lies ahead of it: waiting for an instant that passed once would be silence, and
    /// what was searched in the future is searched again.
    fn set_clock(&mut self, now: i64) {
        if now < self.clock {
            for instant in [
                &mut self.began,
                &mut self.high_water,
                &mut self.next_poll,
                &mut self.last_poll,
            ] {
                *instant = now.min(*instant);
            }
            let sweep = self.sweep.as_mut().map(|(_, pass)| pass);
            for pass in self.poll.iter_mut().chain(sweep) {
                pass.started = now.min(pass.started);
            }
            self.searched_to = self.searched_to.map(|at| at.min(now));
            self.live_frame_at = self.live_frame_at.map(|at| at.min(now));
            self.gaps.iter_mut().for_each(|gap| *gap = now.min(*gap));
            self.sweeps
                .iter_mut()
                .for_each(|sweep| sweep.set_clock(now));
            self.trouble.set_clock(now);
        }
        self.clock = now;
    }

    fn begin_due_passes(&mut self, now: i64) {
        if self.poll.is_none() && now >= self.next_poll {
            let start = (self.high_water - self.lags.overlap()).max(self.span.since);
            self.poll = Some(Pass::new(start, None, now));
        }
        if self.sweep.is_some() {
            return;
        }
        // The wider one first: it makes the narrower one needless.
        for (which, sweep) in self.sweeps.iter().enumerate().rev() {
            if now >= sweep.due() {
                let start = sweep.start(now).max(self.span.since);
                self.sweep = Some((which, Pass::new(start, None, now)));
                return;
            }
        }
    }

    fn next_due(&self) -> i64 {
        let sweeps = self.sweeps.iter().map(Sweep::due);
        sweeps.fold(self.next_poll, i64::min)
    }

    fn ask(&mut self, asked: Asked) -> Step {
        let pass = match asked {
            Asked::History => self.history.as_ref().map(|history| &history.pass),
            Asked::Poll => self.poll.as_ref(),
            Asked::Sweep => self.sweep.as_ref().map(|(_, pass)| pass),
            Asked::Nothing => None,
        };
        let Some(pass) = pass else { return Step::Done };
        self.asked = asked;
        Step::Ask(PageRequest {
            group: Arc::clone(&self.group),
            pattern: self.pattern.clone(),
            start: pass.start,
            end: pass.end,
            newest_first: pass.newest_first,
            token: pass.token.clone(),
        })
    }

    fn history_page(&mut self, page: Page) -> Option<Batch> {
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

    fn poll_page(&mut self, now: i64, page: Page) -> Option<Batch> {
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

    fn sweep_page(&mut self, now: i64, page: Page) -> Option<Batch> {
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

    fn live_is_healthy(&self, now: i64) -> bool {
        self.gaps.is_empty()
            && self
                .live_frame_at
                .is_some_and(|at| now - at < LIVE_FRESH_MS)
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

    fn batch(&self, phase: Phase, mut events: Vec<LogEvent>) -> Option<Batch> {
        if events.is_empty() {
            return None;
        }
        events.sort_by(|a, b| a.order_key().cmp(&b.order_key()));
        Some(Batch {
            group: Arc::clone(&self.group),
            phase,
            events,
        })
    }

    /// A refused request that carried a token is asked again without it: tokens expire.
    fn restart_without_token(&mut self, asked: Asked) -> bool {
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

#[cfg(test)]
mod tests;
