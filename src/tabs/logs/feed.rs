//! What comes in: the tail's batches and states, and everything that is counted from them.

use std::sync::Arc;

use super::errors::Errors;
use super::figures::WINDOWS;
use super::prompt::{Ask, Prompt};
use super::source::Source;
use super::strip::Strip;
use super::{COUNT_EVERY, COUNT_LARGE_EVERY, LARGE, Logs, Replaced, SINCE_MS, View};
use crate::client::tail::{Patience, Phase, Span, Status, TailRequest, TailUpdate};
use crate::domain::line::LogEvent;
use crate::effects::logs::Effect;
use crate::store::{Arrival, DEFAULT_CAP_BYTES, Store};
use crate::tabs::{Cx, Now};

impl Logs {
    /// Begins again with an empty store: another target.
    pub(super) fn restart(&mut self, cx: &mut Cx) {
        self.replaces = None;
        self.since = cx.now.wall.as_millisecond() - SINCE_MS;
        self.empty(cx);
        self.start_tail(cx);
    }

    /// Reads all anew with another server-side pattern; what is there stays until the first answer.
    pub(super) fn read_with(&mut self, pattern: Option<Arc<str>>, cx: &mut Cx) {
        self.replaces = Some(Replaced(std::mem::replace(&mut self.pattern, pattern)));
        self.start_tail(cx);
    }

    /// Looks at once; a tail that has ended begins again.
    pub(super) fn look_again(&mut self, cx: &mut Cx) {
        if self.ended.is_some() || !self.source.is_tail() {
            return self.restart(cx);
        }
        self.wishes.looks += 1;
        cx.effect(Effect::Wish(self.wishes));
    }

    /// The tail ended by itself. A pattern that the service rejects goes back to the prompt, and the one before it is read.
    pub(super) fn on_tail_ended(&mut self, why: Option<&String>, cx: &mut Cx) {
        if let (Source::Replay { is_over, .. }, None) = (&mut self.source, why) {
            *is_over = true;
        }
        let before = self
            .replaces
            .take()
            .filter(|before| before.0 != self.pattern);
        let (Some(Replaced(before)), Some(why)) = (before, why) else {
            self.ended = why.cloned();
            return;
        };
        let rejected = std::mem::replace(&mut self.pattern, before);
        let mut prompt = Prompt::new(Ask::Pattern, rejected.as_deref().unwrap_or_default());
        prompt.error = Some(why.clone());
        self.prompt = Some(prompt);
        self.read_with(self.pattern.clone(), cx);
    }

    pub(super) fn empty(&mut self, cx: &mut Cx) {
        self.store = Store::new(&cx.env.settings.dirs.state, DEFAULT_CAP_BYTES);
        self.lines.clear();
        self.sieve.forget_lines();
        self.requests.clear();
        self.errors = Errors::default();
        self.came_from = None;
        self.resift(cx);
        self.count(cx.now, true);
    }

    fn start_tail(&mut self, cx: &mut Cx) {
        (self.status, self.ended) = (Status::Connecting, None);
        self.tail += 1;
        if !self.source.is_tail() {
            self.status = Status::Complete;
            return self.start_file(cx);
        }
        if self.groups.is_empty() {
            self.ended =
                Some("this target names no log group: give --log-group or --function".to_owned());
            cx.effect(Effect::StopTail);
        } else {
            cx.effect(self.tail_effect());
        }
    }

    fn tail_effect(&self) -> Effect {
        let request = TailRequest {
            groups: self.groups.clone(),
            pattern: self.pattern.clone(),
            span: Span {
                since: self.since,
                until: None,
                follow: true,
                newest_first: true,
            },
            patience: Patience::Endless,
        };
        Effect::Tail(self.tail, request, self.wishes)
    }

    pub(super) fn append(&mut self, events: &[LogEvent], arrival: Arrival, cx: &mut Cx) {
        let errors = self.errors();
        let appended = self.store.append(events, arrival);
        self.sieve.appended(&appended, &self.store);
        if arrival == Arrival::Live {
            self.unread_errors += self.errors() - errors;
        }
        self.has_adopted |= appended.adopted;
        if self.count(cx.now, false)
            && std::mem::take(&mut self.has_adopted)
            && self.sieve.depends_on_requests()
        {
            self.resift(cx);
        }
    }

    /// How many errors the lines tell of.
    fn errors(&self) -> usize {
        let templates = self.store.templates().rows();
        templates.iter().map(|row| row.count).sum()
    }

    /// Counts figures, strip and tables anew, unless that was done a moment ago. Says whether it was done.
    pub(super) fn count(&mut self, now: Now, at_once: bool) -> bool {
        let pause = if self.store.len() < LARGE {
            COUNT_EVERY
        } else {
            COUNT_LARGE_EVERY
        };
        let len = self.store.len();
        let has_grown = len > self.counted_len + self.counted_len / 10;
        let is_fresh = self.counted_at.is_some_and(|at| now.mono < at + pause);
        if is_fresh && !at_once && !has_grown {
            return false;
        }
        self.counted_len = len;
        self.counted_at = Some(now.mono);
        // A file's last minutes are those before its end.
        let newest = self.store.newest_time().filter(|_| !self.source.is_tail());
        let wall = newest.unwrap_or(now.wall.as_millisecond());
        self.figures_end = wall;
        self.figures = self.store.figures_over(wall, WINDOWS);
        self.strip = Strip::of(&self.store);
        match self.view {
            View::Lines | View::Insights => {}
            View::Requests => self.requests.refresh(&self.store),
            View::Errors => self.errors.refresh(&self.store),
        }
        true
    }

    pub(super) fn on_tail(&mut self, update: &TailUpdate, cx: &mut Cx) {
        let is_good = matches!(
            update,
            TailUpdate::Events(_) | TailUpdate::Status(Status::Live(_))
        );
        if is_good && self.replaces.take().is_some() {
            self.empty(cx);
        }
        match update {
            TailUpdate::Events(batch) => {
                let arrival = if batch.phase == Phase::Live {
                    Arrival::Live
                } else {
                    Arrival::Backfill
                };
                self.append(&batch.events, arrival, cx);
            }
            TailUpdate::Status(status) => {
                self.status = status.clone();
                self.count(cx.now, false);
            }
        }
        self.arrive(cx);
    }

    pub(super) fn resift(&mut self, cx: &mut Cx) {
        let effect = self.sieve.sift(&self.store);
        cx.effect(effect);
    }

    /// The filter changed: keep the line under the cursor if it can still be seen.
    pub(super) fn refilter(&mut self, cx: &mut Cx) {
        if !self.lines.follow {
            self.lines.cursor = self
                .lines
                .current(&self.sieve, &self.store)
                .or(self.lines.cursor);
        }
        self.resift(cx);
    }
}
