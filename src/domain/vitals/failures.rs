//! How many calls failed, as each source counts them: callers see the gateway's answers, Lambda counts crashes, the log says why.

use serde::Serialize;

use super::Readings;
use crate::domain::doctor::Fact;
use crate::domain::latency::Sample;
use crate::domain::slo::Counts;

/// Failed calls in one source.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Failures {
    /// What is counted.
    pub what: &'static str,
    /// How many failed.
    pub failed: f64,
    /// Of how many.
    pub n: f64,
    /// The time looked at.
    pub window: &'static str,
    /// Where it comes from.
    pub source: &'static str,
}

impl Failures {
    /// failed / n; `None` without calls.
    pub fn share(&self) -> Option<f64> {
        (self.n > 0.0).then(|| self.failed / self.n)
    }

    /// `gateway 5xx 12 of 400`.
    pub fn sentence(&self) -> String {
        format!("{} {:.0} of {:.0}", self.what, self.failed, self.n)
    }
}

/// What every source that could be read says, from the caller inwards.
pub(super) fn failures(readings: &Readings<'_>, samples: &[&Sample]) -> Vec<Failures> {
    let row = |what, source, failed: f64, n: f64| Failures {
        what,
        failed,
        n,
        window: readings.window.label(),
        source,
    };
    let mut rows = Vec::new();
    if let Some(totals) = readings.snapshot.and_then(Fact::known).map(|s| &s.totals) {
        if let Some(count) = totals.gateway_count {
            let or_none = |n: Option<f64>| n.unwrap_or(0.0);
            let counts = Counts::at_gateway(
                count,
                or_none(totals.gateway_4xx),
                or_none(totals.gateway_5xx),
            );
            rows.push(row("gateway 5xx", "CloudWatch", counts.bad, counts.valid));
        }
        if let (Some(n), Some(errors)) = (totals.invocations, totals.errors) {
            rows.push(row("Lambda Errors", "CloudWatch", errors, n));
        }
    }
    if !samples.is_empty() {
        let failed = samples.iter().filter(|s| s.failed).count();
        rows.push(row(
            "in the log",
            "log lines",
            failed as f64,
            samples.len() as f64,
        ));
    }
    rows
}
