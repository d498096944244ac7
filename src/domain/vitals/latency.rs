//! The latency table: from the client inwards, every row with its n, window and source.

use serde::Serialize;

use super::Readings;
use crate::domain::alerts::Limits;
use crate::domain::doctor::Fact;
use crate::domain::doctor::facts::Metrics;
use crate::domain::latency::{Estimate, Ladder, Sample, Window};

/// One line of the latency table.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LatencyRow {
    /// What is measured.
    pub what: &'static str,
    /// How many calls.
    pub n: usize,
    /// Median.
    pub p50: Option<Estimate>,
    /// 99th percentile.
    pub p99: Option<Estimate>,
    /// Largest.
    pub max_ms: Option<f64>,
    /// The time looked at: the window, or what of it one of CloudWatch's periods covers.
    pub window: String,
    /// Where it comes from.
    pub source: &'static str,
    /// Until when it looks, or when its newest value was made, milliseconds since the epoch.
    pub newest_ms: Option<i64>,
    /// Above this the alert rule of such a figure fires; `None` where there is no rule for it.
    pub limit_ms: Option<f64>,
    /// Why there is no figure, where there is none.
    pub absent: Option<String>,
}

impl LatencyRow {
    /// Its p99 is above what the alert rule allows.
    pub fn is_slow(&self) -> bool {
        let p99 = self.p99.and_then(Estimate::value);
        p99.zip(self.limit_ms)
            .is_some_and(|(p99, limit)| p99 > limit)
    }
}

pub(super) fn latency(readings: &Readings<'_>, samples: &[&Sample]) -> Vec<LatencyRow> {
    let window = readings.window.label();
    let from = readings.now_ms - readings.window.seconds() * 1000;
    let own: Vec<(i64, f64)> = readings
        .own_calls
        .iter()
        .copied()
        .filter(|(at, _)| *at >= from)
        .collect();
    // What leaves init out is measured by the rule for warm calls.
    let Limits {
        warm_ms, all_ms, ..
    } = readings.limits;
    let measured = |what, source, limit_ms, values: Vec<f64>, newest_ms, none: &str| {
        let ladder = Ladder::of(values);
        LatencyRow {
            what,
            n: ladder.map_or(0, |l| l.n),
            p50: ladder.map(|l| l.p50),
            p99: ladder.map(|l| l.p99),
            max_ms: ladder.map(|l| l.max),
            window: window.to_owned(),
            source,
            newest_ms,
            limit_ms,
            absent: ladder.is_none().then(|| none.to_owned()),
        }
    };
    let totals = readings.snapshot.and_then(Fact::known).map(|s| &s.totals);
    let span = totals.and_then(|t| t.span_ms);
    let covered = span.map_or_else(
        || window.to_owned(),
        |(from, to)| covered(to - from, readings.window),
    );
    let cloudwatch = |what, limit_ms, ranks: fn(&Metrics) -> [Option<f64>; 3], gateway: bool| {
        let [n, p50, p99] = totals.map_or([None; 3], ranks);
        let n = n.unwrap_or(0.0) as usize;
        LatencyRow {
            what,
            n,
            p50: p50.map(Estimate::Measured),
            p99: p99.map(|v| qualified(v, n)),
            max_ms: None,
            window: covered.clone(),
            source: "CloudWatch",
            newest_ms: span.map(|(_, to)| to).filter(|_| n > 0),
            limit_ms: Some(limit_ms),
            absent: (n == 0).then(|| no_metric(readings, gateway)),
        }
    };
    let newest_report = samples.last().map(|s| s.at_ms);
    let none = readings.reports.unwrap_or("no REPORT line in the window");
    vec![
        measured(
            "client total",
            "our calls",
            Some(all_ms),
            own.iter().map(|(_, ms)| *ms).collect(),
            own.iter().map(|(at, _)| *at).max(),
            "no call of ours in the window",
        ),
        cloudwatch(
            "gateway Latency",
            all_ms,
            |t| [t.latency_n, t.latency_p50, t.latency_p99],
            true,
        ),
        cloudwatch(
            "IntegrationLatency",
            all_ms,
            |t| [t.integration_n, t.integration_p50, t.integration_p99],
            true,
        ),
        cloudwatch(
            "Lambda Duration",
            warm_ms,
            |t| [t.duration_n, t.duration_p50, t.duration_p99],
            false,
        ),
        measured(
            "Duration",
            "REPORT lines",
            Some(warm_ms),
            samples.iter().map(|s| s.duration_ms).collect(),
            newest_report,
            none,
        ),
        measured(
            "Init Duration",
            "REPORT lines",
            None,
            samples.iter().filter_map(|s| s.init_ms).collect(),
            samples.iter().rev().find(|s| s.is_cold()).map(|s| s.at_ms),
            if samples.is_empty() {
                none
            } else {
                "no cold start in the window"
            },
        ),
    ]
}

/// Why CloudWatch has no figure.
fn no_metric(readings: &Readings<'_>, gateway: bool) -> String {
    let api_id = readings.overview.map(|o| &o.api_id);
    match (api_id.and_then(Fact::absence), readings.snapshot) {
        (Some(why), _) if gateway => why,
        (_, None) => "not read yet".to_owned(),
        (_, Some(Fact::Known(_))) => format!("no data point in {}", readings.window.label()),
        (_, Some(absent)) => absent.absence().unwrap_or_default(),
    }
}

/// What of a window is covered: the window's own name when it is all of it, else minutes or hours.
fn covered(ms: i64, window: Window) -> String {
    let minutes = (ms + 30_000).div_euclid(60_000);
    match minutes {
        m if m >= window.seconds() / 60 => window.label().to_owned(),
        m if m >= 120 => format!("{}h", (m + 30) / 60),
        m => format!("{}m", m.max(1)),
    }
}

/// CloudWatch's percentile, qualified by its n as our own are.
fn qualified(value: f64, n: usize) -> Estimate {
    match n {
        0..100 => Estimate::TooFew,
        100..299 => Estimate::AtLeast(value),
        _ => Estimate::Measured(value),
    }
}
