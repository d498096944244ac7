//! From a live figure to the requests behind it, and the filter of the Requests view.

use super::figures::{self, Kind, Place, WINDOWS};
use super::requests::Sort;
use super::{Logs, View};
use crate::domain::invocation::Wanted;
use crate::tabs::Cx;

impl Logs {
    /// The next or previous figure hears Enter.
    pub(super) fn step_focus(&mut self, forward: bool, cx: &Cx) {
        let area = self.areas(cx.body).figures;
        let places = figures::places(&self.figures, self.pattern.is_some(), area);
        let at = self
            .focus
            .and_then(|focus| places.iter().position(|place| *place == focus));
        let next = match (at, forward) {
            (None, true) => places.first(),
            (None, false) => places.last(),
            (Some(at), true) => places.get(at + 1),
            (Some(at), false) => at.checked_sub(1).and_then(|at| places.get(at)),
        };
        self.focus = next.copied();
    }

    /// Lists the requests that make a figure what it is.
    pub(super) fn open_behind(&mut self, (window, kind): Place, cx: &mut Cx) {
        self.focus = None;
        let duration = self.figures[window].duration;
        let at_least = |of: fn(&crate::domain::latency::Ladder) -> _| {
            let estimate: Option<crate::domain::latency::Estimate> = duration.as_ref().map(of);
            estimate.and_then(crate::domain::latency::Estimate::value)
        };
        let mut wanted = Wanted {
            since: Some(self.figures_end - WINDOWS[window] * 60_000),
            ..Wanted::default()
        };
        let sort = match kind {
            Kind::N => Sort::Time,
            Kind::P50 | Kind::P95 | Kind::P99 => {
                wanted.at_least_ms = match kind {
                    Kind::P50 => at_least(|ladder| ladder.p50),
                    Kind::P95 => at_least(|ladder| ladder.p95),
                    _ => at_least(|ladder| ladder.p99),
                };
                Sort::Duration
            }
            Kind::Errors => {
                wanted.failed = true;
                Sort::Time
            }
            Kind::Cold => {
                wanted.cold = true;
                Sort::Init
            }
        };
        self.requests.list(wanted, sort);
        self.open(View::Requests, cx);
    }

    /// Lists the requests that another tab points at.
    pub(super) fn point_at(&mut self, wanted: &Wanted, cx: &mut Cx) {
        let sort = match wanted {
            Wanted { cold: true, .. } => Sort::Init,
            Wanted { failed: true, .. } => Sort::Time,
            _ => Sort::Duration,
        };
        self.requests.list(wanted.clone(), sort);
        self.open(View::Requests, cx);
    }

    /// Lists other requests.
    pub(super) fn want(&mut self, wanted: Wanted) {
        self.requests.list(wanted, self.requests.sort);
        self.requests.refresh(&self.store);
    }
}
