//! CloudWatch's figures for one window: totals, and the same over time.

use serde::Serialize;

use crate::domain::doctor::facts::Metrics;
use crate::domain::slo::Counts;

/// Requests and failures at the gateway over the windows that an SLO and its alerts look at.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
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
