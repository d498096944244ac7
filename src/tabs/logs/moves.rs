//! Moving through the lines, requests and errors, and from one view to another.

use ratatui::layout::Rect;

use super::head::{Areas, areas};
use super::{Logs, Origin, View};
use crate::client::tail::Status;
use crate::domain::invocation::Wanted;
use crate::effects::logs::Effect;
use crate::store::{Layer, Want};
use crate::tabs::Cx;
use crate::ui::text::plural;
use crate::ui::theme::Tone;

/// A jump reads from so much before the time on, so that what led there is seen too.
const JUMP_MARGIN_MS: i64 = 60_000;

impl Logs {
    pub(super) fn step(&mut self, by: isize, cx: &Cx) {
        match self.view {
            View::Lines => self
                .lines
                .step(by, self.height(cx), &self.sieve, &self.store),
            View::Requests => self.requests.step(by),
            View::Errors => self.errors.step(by),
            View::Insights => self.insights.step(by),
        }
    }

    pub(super) fn sideways(&mut self, right: bool, cx: &mut Cx) {
        match self.view {
            View::Lines => {
                let half = usize::from(cx.body.width / 2).max(8);
                let shift = self.lines.shift;
                self.lines.shift = if right {
                    let list = self.areas(cx.body).list;
                    let most = self.lines.overhang(list, &self.sieve, &self.store);
                    (shift + half).min(most).max(shift)
                } else {
                    shift.saturating_sub(half)
                };
            }
            View::Requests => {
                self.requests.sort = self.requests.sort.step(right);
                self.count(cx.now, true);
            }
            View::Errors => {}
            View::Insights => self.insights.sideways(right),
        }
    }

    /// Enter: open the line, or go to the lines of the request or error under the cursor.
    pub(super) fn submit(&mut self, cx: &mut Cx) {
        if let Some(place) = self.focus {
            return self.open_behind(place, cx);
        }
        let (label, want) = match self.view {
            View::Lines => return self.lines.toggle_expanded(&self.sieve, &self.store),
            View::Requests => {
                let Some(at) = self.requests.current() else {
                    return;
                };
                let id = self.store.invocations().rows()[at as usize].id;
                (
                    format!("request {}", &id.to_string()[..8]),
                    Want::Request(id),
                )
            }
            View::Insights => return self.insights.toggle(),
            View::Errors => {
                let Some(at) = self.errors.current() else {
                    return;
                };
                let text = self.store.templates().rows()[at].text.clone();
                (text.clone(), Want::Template(text))
            }
        };
        self.leave_origin(cx);
        self.came_from = Some(Origin {
            view: self.view,
            layer: self.sieve.entries().len(),
            level: self.sieve.level(),
        });
        self.view = View::Lines;
        self.sieve.push_layer(
            label,
            Layer {
                exclude: false,
                want,
            },
        );
        self.lines
            .set_follow(true, self.height(cx), &self.sieve, &self.store);
        self.resift(cx);
    }

    /// Escape: one step out.
    pub(super) fn back(&mut self, cx: &mut Cx) {
        if self.view == View::Insights
            && let Some(stop) = self.insights.stop()
        {
            return cx.effect(stop);
        }
        if self.focus.take().is_some() {
            return;
        }
        if self.view == View::Requests && !self.requests.wanted().is_all() {
            return self.want(Wanted::default());
        }
        if self.view != View::Lines {
            return self.open(View::Lines, cx);
        }
        if self.pending_jump.take().is_some() {
            return;
        }
        if self.sieve.search().is_some() {
            let _ = self.sieve.look_for("");
            return self.resift(cx);
        }
        match &self.came_from {
            Some(origin) if self.sieve.entries().len() > origin.layer + 1 => {
                self.sieve.pop();
            }
            Some(origin) if self.sieve.level() != origin.level => {
                self.sieve.set_level(origin.level);
            }
            Some(origin) => {
                let view = origin.view;
                return self.open(view, cx);
            }
            None if self.sieve.pop() => {}
            None => return,
        }
        self.refilter(cx);
    }

    /// Takes off the filter that a request or an error put on, wherever it lies in the stack.
    fn leave_origin(&mut self, cx: &mut Cx) {
        if let Some(origin) = self.came_from.take() {
            self.sieve.remove(origin.layer);
            self.refilter(cx);
        }
    }

    /// Follows, or stops; among requests: back to the newest.
    pub(super) fn toggle_follow(&mut self, cx: &Cx) {
        match self.view {
            View::Lines => self.follow(!self.lines.follow, cx),
            View::Requests => {
                self.requests.follow();
                self.requests.refresh(&self.store);
            }
            View::Errors | View::Insights => {}
        }
    }

    pub(super) fn follow(&mut self, follow: bool, cx: &Cx) {
        self.lines
            .set_follow(follow, self.height(cx), &self.sieve, &self.store);
    }

    pub(super) fn find(&mut self, forward: bool, cx: &mut Cx) {
        let here = self.lines.index(&self.sieve, &self.store);
        let found = self.sieve.next_found(here, forward, &self.store);
        self.go_to_found(found, cx);
    }

    /// The match at the cursor or the nearest above it: the newest one while following.
    pub(super) fn find_nearest(&mut self, cx: &mut Cx) {
        let here = self.lines.index(&self.sieve, &self.store);
        let found = self.sieve.nearest_found(here, &self.store);
        self.go_to_found(found, cx);
    }

    fn go_to_found(&mut self, found: Option<usize>, cx: &mut Cx) {
        match found {
            Some(index) => self.visit(index, cx),
            None => cx.toast(Tone::Muted, "no match"),
        }
    }

    /// Shows the line at an index, and stays there.
    pub(super) fn visit(&mut self, index: usize, cx: &Cx) {
        self.view = View::Lines;
        let height = self.height(cx);
        self.lines.visit(index, height, &self.sieve, &self.store);
    }

    /// Goes to a time; what lies before all that was read is read first.
    pub(super) fn jump(&mut self, time: i64, cx: &mut Cx) {
        self.pending_jump = None;
        if self.source.is_tail()
            && time < self.since
            && !self.groups.is_empty()
            && self.ended.is_none()
        {
            self.since = time - JUMP_MARGIN_MS;
            self.read_with(self.pattern.clone(), cx);
            self.pending_jump = Some(time);
        } else if self.read_back_to().is_some_and(|read| read > time) {
            self.pending_jump = Some(time);
        } else {
            self.visit(self.sieve.index_at_time(time, &self.store), cx);
            if self.store.newest_time().is_some_and(|newest| newest < time) {
                cx.toast(
                    Tone::Info,
                    "nothing is that new yet; this is the newest line",
                );
            } else if self.store.oldest_time().is_some_and(|oldest| time < oldest) {
                cx.toast(Tone::Info, "nothing is that old; this is the oldest line");
            }
        }
    }

    /// While history is still being read: from when on all is here.
    fn read_back_to(&self) -> Option<i64> {
        match &self.status {
            Status::Live(progress) => progress.history_from,
            Status::Connecting => Some(i64::MAX),
            _ => None,
        }
    }

    /// Goes where a jump wanted to go, once it has been read.
    pub(super) fn arrive(&mut self, cx: &Cx) {
        if let Some(time) = self.pending_jump
            && self.replaces.is_none()
            && self.read_back_to().is_none_or(|read| read <= time)
        {
            self.pending_jump = None;
            self.visit(self.sieve.index_at_time(time, &self.store), cx);
        }
    }

    /// One bar of the strip earlier or later.
    pub(super) fn step_time(&mut self, later: bool, cx: &Cx) {
        let index = self.lines.index(&self.sieve, &self.store);
        let here = self.sieve.at(index, &self.store);
        let Some(here) = here.and_then(|line| self.store.time(line)) else {
            return;
        };
        let bar = self.strip.bar_ms(self.areas(cx.body).strip);
        let time = if later { here + bar } else { here - bar };
        let to = self.sieve.index_at_time(time, &self.store);
        let to = if later {
            to.max(index + 1)
        } else {
            to.min(index.saturating_sub(1))
        };
        self.visit(to, cx);
    }

    pub(super) fn step_level(&mut self, up: bool, cx: &mut Cx) {
        if self.view == View::Requests {
            let wanted = Wanted {
                failed: up,
                ..self.requests.wanted().clone()
            };
            self.want(wanted);
        } else if self.sieve.step_level(up) {
            self.refilter(cx);
        }
    }

    pub(super) fn step_context(&mut self, cx: &mut Cx) {
        const STEPS: [usize; 5] = [0, 1, 3, 5, 10];
        let at = STEPS
            .iter()
            .position(|step| *step == self.sieve.context)
            .unwrap_or(0);
        self.sieve.context = STEPS[(at + 1) % STEPS.len()];
        self.resift(cx);
        if !self.sieve.is_filtering() {
            cx.toast(
                Tone::Muted,
                format!(
                    "{} around matches, once there is a filter",
                    plural(self.sieve.context, "line")
                ),
            );
        }
    }

    pub(super) fn open(&mut self, view: View, cx: &mut Cx) {
        self.leave_origin(cx);
        self.view = view;
        self.count(cx.now, true);
    }

    /// Where things are.
    pub(super) fn areas(&self, body: Rect) -> Areas {
        areas(body, self.store.trouble().is_some())
    }

    pub(super) fn height(&self, cx: &Cx) -> usize {
        usize::from(self.areas(cx.body).list.height).max(1)
    }

    pub(super) fn toggle_live_tail(&mut self, cx: &mut Cx) {
        self.wishes.live_tail = !self.wishes.live_tail;
        let text = if self.wishes.live_tail {
            "Live Tail on; AWS bills it by the minute"
        } else {
            "Live Tail off"
        };
        cx.toast(Tone::Info, text);
        cx.effect(Effect::Wish(self.wishes));
    }
}
