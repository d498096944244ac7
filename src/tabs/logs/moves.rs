//! Moving through the lines, requests and errors, and from one view to another.

use super::head::areas;
use super::{Logs, View};
use crate::effects::logs::Effect;
use crate::store::{Layer, Want};
use crate::tabs::Cx;
use crate::ui::theme::Tone;

impl Logs {
    pub(super) fn step(&mut self, by: isize, cx: &Cx) {
        match self.view {
            View::Lines => self
                .lines
                .step(by, Self::height(cx), &self.sieve, &self.store),
            View::Requests => self.requests.step(by),
            View::Errors => self.errors.step(by),
            View::Insights => self.insights.step(by),
        }
    }

    pub(super) fn sideways(&mut self, right: bool, cx: &mut Cx) {
        match self.view {
            View::Lines => {
                let half = usize::from(cx.body.width / 2).max(8);
                self.lines.shift = if right {
                    self.lines.shift + half
                } else {
                    self.lines.shift.saturating_sub(half)
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
        self.came_from = Some(self.view);
        self.view = View::Lines;
        self.sieve.push_layer(
            label,
            Layer {
                exclude: false,
                want,
            },
        );
        self.lines
            .set_follow(true, Self::height(cx), &self.sieve, &self.store);
        self.resift(cx);
    }

    /// Escape: one step out.
    pub(super) fn back(&mut self, cx: &mut Cx) {
        if self.view == View::Insights
            && let Some(id) = self.insights.stop()
        {
            return cx.effect(Effect::StopQuery { id });
        }
        if self.view != View::Lines {
            return self.open(View::Lines, cx);
        }
        if self.sieve.search().is_some() && self.came_from.is_none() {
            let _ = self.sieve.look_for("");
            return self.resift(cx);
        }
        if self.sieve.pop() {
            self.refilter(cx);
        }
        if let Some(view) = self.came_from.take() {
            self.open(view, cx);
        }
    }

    pub(super) fn follow(&mut self, follow: bool, cx: &Cx) {
        self.lines
            .set_follow(follow, Self::height(cx), &self.sieve, &self.store);
    }

    pub(super) fn find(&mut self, forward: bool, cx: &mut Cx) {
        let here = self.lines.index(&self.sieve, &self.store);
        match self.sieve.next_found(here, forward, &self.store) {
            Some(index) => {
                self.follow(false, cx);
                self.lines
                    .go(index, Self::height(cx), &self.sieve, &self.store);
            }
            None => cx.toast(Tone::Muted, "no match"),
        }
    }

    pub(super) fn jump(&mut self, time: i64, cx: &Cx) {
        self.view = View::Lines;
        let index = self.sieve.index_at_time(time, &self.store);
        self.follow(false, cx);
        self.lines
            .go(index, Self::height(cx), &self.sieve, &self.store);
    }

    pub(super) fn step_level(&mut self, up: bool, cx: &mut Cx) {
        if self.view == View::Requests {
            self.requests.only_failures = up;
            self.count(cx.now, true);
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
        self.sieve.rebuild_visible(&self.store);
        if !self.sieve.is_filtering() {
            cx.toast(
                Tone::Muted,
                format!(
                    "{} lines around matches, once there is a filter",
                    self.sieve.context
                ),
            );
        }
    }

    pub(super) fn open(&mut self, view: View, cx: &mut Cx) {
        (self.view, self.came_from) = (view, None);
        self.count(cx.now, true);
    }

    pub(super) fn height(cx: &Cx) -> usize {
        usize::from(areas(cx.body).list.height).max(1)
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
