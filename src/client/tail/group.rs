//! The tail of one log group as a plain state machine: it is asked what to do next, and told what came of it.
//!
//! No network and no clock: `now` is given, so that hours of tailing are tested in milliseconds.

mod live;
mod pages;

use std::collections::VecDeque;
use std::sync::Arc;

use rand::SeedableRng;
use rand::rngs::StdRng;

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

    /// Somebody wants to know now: polls at once and sweeps wide.
    fn look_now(&mut self, now: i64) {
        self.next_poll = now;
        self.pace = BUSY_PACE_MS;
        self.trouble.look_now(now);
        for sweep in &mut self.sweeps {
            sweep.look_now(now);
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
}

#[cfg(test)]
mod tests;
