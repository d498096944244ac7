//! What a rule's two windows say, from REPORT lines and from outside the log.

use serde::Serialize;

use super::{Rule, Signal};
use crate::domain::latency::{Ladder, Sample, Samples};
use crate::domain::metrics::Recent;
use crate::domain::slo::Counts;

/// What one window says.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Reading {
    /// In the unit of the signal.
    pub value: f64,
    /// How many values are behind it.
    pub n: u64,
    /// Where they come from.
    pub source: &'static str,
}

impl Reading {
    /// A value with its n and source.
    pub fn new(value: f64, n: u64, source: &'static str) -> Self {
        Reading { value, n, source }
    }
}

/// Everything a rule may look at besides REPORT lines.
#[derive(Debug, Clone, Copy, Default)]
pub struct Outside<'a> {
    /// Requests and failures at the gateway.
    pub gateway: Option<&'a Recent>,
    /// Drift of the recent requests, whatever their age.
    pub drift: Option<Reading>,
    /// Nothing was logged since then at the latest, milliseconds since the epoch.
    pub silent_since_ms: Option<i64>,
}

impl Outside<'_> {
    /// The short and the long window's reading for a rule.
    pub(super) fn readings(
        &self,
        rule: &Rule,
        samples: &Samples,
        now_ms: i64,
    ) -> (Option<Reading>, Option<Reading>) {
        let both = |f: &dyn Fn(i64) -> Option<Reading>| (f(rule.short_s), f(rule.long_s));
        match rule.signal {
            Signal::ErrorRate => {
                let worst = |s, min_n| {
                    let gateway = self.gateway.and_then(|g| error_rate(&g.over(s)));
                    worse(gateway, failed_share(samples, s, now_ms), min_n)
                };
                let short = worst(rule.short_s, rule.short_n());
                (short, worst(rule.long_s, rule.min_n))
            }
            Signal::P99All => both(&|s| p99(samples.since(s, now_ms).map(Sample::total_ms))),
            Signal::P99Warm => both(&|s| {
                let warm = samples.since(s, now_ms).filter(|s| !s.is_cold());
                p99(warm.map(|s| s.duration_ms))
            }),
            Signal::Memory => both(&|s| memory(samples, s, now_ms)),
            Signal::Drift => (self.drift, self.drift),
            Signal::NoEvents => {
                let quiet = self.silent_since_ms.map(|at| {
                    let seconds = (now_ms - at).max(0) as f64 / 1000.0;
                    Reading::new(seconds, 1, "log lines")
                });
                (quiet, quiet)
            }
        }
    }
}

/// The worse of two sources, of those that have enough values; the fuller one when none has.
fn worse(one: Option<Reading>, other: Option<Reading>, min_n: u64) -> Option<Reading> {
    let readings = || [one, other].into_iter().flatten();
    let enough = readings().filter(|r| r.n >= min_n);
    enough
        .max_by(|a, b| a.value.total_cmp(&b.value))
        .or_else(|| readings().max_by_key(|r| r.n))
}

fn error_rate(counts: &Counts) -> Option<Reading> {
    let percent = counts.error_rate()? * 100.0;
    Some(Reading::new(percent, counts.valid as u64, "gateway 5xx"))
}

fn failed_share(samples: &Samples, seconds: i64, now_ms: i64) -> Option<Reading> {
    let (mut n, mut failed) = (0_u64, 0_u64);
    for sample in samples.since(seconds, now_ms) {
        n += 1;
        failed += u64::from(sample.failed);
    }
    let percent = failed as f64 * 100.0 / n as f64;
    (n > 0).then(|| Reading::new(percent, n, "log lines"))
}

fn p99(values: impl Iterator<Item = f64>) -> Option<Reading> {
    let ladder = Ladder::of(values)?;
    let value = ladder.p99.value().unwrap_or(ladder.max);
    Some(Reading::new(value, ladder.n as u64, "REPORT lines"))
}

fn memory(samples: &Samples, seconds: i64, now_ms: i64) -> Option<Reading> {
    let shares: Vec<f64> = samples
        .since(seconds, now_ms)
        .filter(|s| s.memory_mb > 0)
        .map(|s| f64::from(s.max_memory_mb) * 100.0 / f64::from(s.memory_mb))
        .collect();
    let highest = shares.iter().copied().max_by(f64::total_cmp)?;
    Some(Reading::new(highest, shares.len() as u64, "REPORT lines"))
}
