//! CloudWatch's figures for one window: totals, and the same over time.

use serde::Serialize;

use crate::domain::doctor::facts::Metrics;
use crate::domain::slo::Counts;

/// Requests and failures at the gateway over the windows that an SLO and its alerts look at.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Budget {
    /// Five minutes: the short window of the fast alert.
    pub five_minutes: Counts,
    /// Half an hour: the short window of the slow alert.
    pub half_hour: Counts,
    /// One hour.
    pub hour: Counts,
    /// Six hours.
    pub six_hours: Counts,
    /// The objective's whole window, 30 days.
    pub month: Counts,
    /// The last six hours period by period, for rules with windows of their own.
    #[serde(skip)]
    pub recent: Recent,
}

/// Requests and failures by period, oldest first.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Recent {
    /// End of the newest period, seconds since the epoch.
    pub end_s: i64,
    /// (start of the period in seconds since the epoch, what was counted in it).
    pub periods: Vec<(i64, Counts)>,
}

impl Recent {
    /// How far back the periods reach, seconds: no rule may look further.
    pub const REACH_S: i64 = 21_600;

    /// What was counted in the newest `seconds`.
    pub fn over(&self, seconds: i64) -> Counts {
        let from = self.end_s - seconds;
        let periods = self.periods.iter().filter(|(start, _)| *start >= from);
        periods.fold(Counts::default(), |sum, (_, counts)| Counts {
            valid: sum.valid + counts.valid,
            bad: sum.bad + counts.bad,
        })
    }
}

/// One point of the time axis. `None` means that CloudWatch has no data point there.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Point {
    /// Start of the period, milliseconds since the epoch.
    pub at_ms: i64,
    /// Gateway requests.
    pub count: Option<f64>,
    /// Gateway 4xx.
    pub client_errors: Option<f64>,
    /// Gateway 5xx.
    pub server_errors: Option<f64>,
    /// Gateway latency, p50, milliseconds.
    pub latency_p50: Option<f64>,
    /// Gateway latency, p99, milliseconds.
    pub latency_p99: Option<f64>,
}

/// A window as CloudWatch can answer it: in whole periods, none of which begins before the window. Seconds since the epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Where it begins.
    pub start_s: i64,
    /// Where it ends: at the end of the period that is running.
    pub end_s: i64,
    /// Its length.
    pub window_s: i64,
    /// Period of what is counted.
    pub fine_s: i64,
    /// Period of a chart's points.
    pub step_s: i64,
}

impl Span {
    /// The window before now.
    pub fn before(now_ms: i64, window_s: i64) -> Span {
        let window_s = window_s.max(60).div_euclid(60) * 60;
        // Six hours by the minute, then coarser: at most 4000 points even for a week.
        let fine_s = if window_s <= 21_600 { 60 } else { 300 };
        let end_s = now_ms.div_euclid(fine_s * 1000).saturating_add(1) * fine_s;
        Span {
            start_s: end_s - window_s,
            end_s,
            window_s,
            fine_s,
            step_s: period(window_s).max(fine_s),
        }
    }

    /// Where a request must start to see `at_least_s` seconds, on a boundary of the window's own period: then it does
    /// not matter whether periods are counted from the request's start or from the epoch.
    pub fn request_start_s(&self, at_least_s: i64) -> i64 {
        let start = self.end_s - self.window_s.max(at_least_s);
        start - start.rem_euclid(self.window_s)
    }

    /// Does a period that begins then (milliseconds since the epoch) belong to the window?
    pub fn contains(&self, at_ms: i64) -> bool {
        (self.start_s * 1000..self.end_s * 1000).contains(&at_ms)
    }

    /// Of the periods as long as the window that begin at `starts`, the part until now of the one that covers most of the
    /// window: (from, to), milliseconds since the epoch.
    pub fn covering(&self, starts: impl Iterator<Item = i64>, now_ms: i64) -> Option<(i64, i64)> {
        let end = |start: i64| (start + self.window_s * 1000).min(now_ms);
        let overlap = |start: i64| end(start) - start.max(self.start_s * 1000);
        starts
            .filter(|start| overlap(*start) > 0)
            .max_by_key(|start| overlap(*start))
            .map(|start| (start, end(start)))
    }
}

/// What one GetMetricData call brought.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Snapshot {
    /// Over the whole window.
    pub totals: Metrics,
    /// Seconds per point.
    pub period_s: i64,
    /// Oldest first; only periods with data.
    pub points: Vec<Point>,
}

/// A window's period: at most 100 points, a multiple of a minute, and no finer than CloudWatch keeps.
pub fn period(window_s: i64) -> i64 {
    let wanted = window_s.max(60) / 100;
    let steps = [60, 300, 900, 3600, 21_600];
    steps
        .into_iter()
        .find(|step| *step >= wanted)
        .unwrap_or(86_400)
}

#[cfg(test)]
mod tests {
    use super::period;

    #[test]
    fn periods_keep_the_points_few() {
        for window in [60, 300, 900, 3600, 21_600, 86_400, 604_800] {
            let period = period(window);
            assert!(
                period % 60 == 0 && window / period <= 100,
                "{window} {period}"
            );
        }
        assert_eq!(
            (period(900), period(86_400), period(604_800)),
            (60, 900, 21_600)
        );
    }
}
