//! Alert rules: a threshold that must hold over a short and a long window before it fires, and a lower one before it clears.

pub mod alarm;

use serde::{Deserialize, Serialize};

use crate::domain::drift::FEWEST;
use crate::domain::latency::{Ladder, Samples};
use crate::domain::slo::Counts;

/// What a rule watches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Signal {
    /// 5xx per valid request at the gateway, percent.
    ErrorRate,
    /// p99 of warm invocations, milliseconds.
    P99Warm,
    /// p99 of all invocations, init included, milliseconds.
    P99All,
    /// The most drifted column's population stability index over the limit that its window has.
    Drift,
    /// Seconds since the last event.
    NoEvents,
    /// Max Memory Used per configured memory, percent.
    Memory,
}

impl Signal {
    /// All signals, in the order of the list on screen.
    pub const ALL: [Signal; 6] = [
        Signal::ErrorRate,
        Signal::P99All,
        Signal::P99Warm,
        Signal::Drift,
        Signal::NoEvents,
        Signal::Memory,
    ];

    /// The name in sentences.
    pub const fn title(self) -> &'static str {
        match self {
            Signal::ErrorRate => "error rate",
            Signal::P99Warm => "p99 of warm calls",
            Signal::P99All => "p99 of all calls",
            Signal::Drift => "drift (PSI / limit)",
            Signal::NoEvents => "no events",
            Signal::Memory => "memory used",
        }
    }

    /// A value with its unit: `1.4 %`, `512 ms`.
    pub fn show(self, value: f64) -> String {
        match self {
            Signal::ErrorRate => format!("{value:.2} %"),
            Signal::Memory => format!("{value:.0} %"),
            Signal::P99Warm | Signal::P99All => crate::domain::latency::millis(value),
            Signal::Drift => format!("{value:.2}"),
            Signal::NoEvents => format!("{value:.0} s"),
        }
    }
}

/// One rule. Thresholds in the unit of its signal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// What is watched.
    pub signal: Signal,
    /// Fires above this.
    pub above: f64,
    /// Clears at or below this; between the two nothing changes.
    pub clear: f64,
    /// The short window, seconds: proves that it is still so.
    pub short_s: i64,
    /// The long window, seconds: proves that it is not a blip.
    pub long_s: i64,
    /// Below this many values a window says nothing.
    pub min_n: u64,
}

const DRIFT_ROWS: u64 = FEWEST as u64;

/// The rules the owner asked for (error rate > 1 %, p99 > 500 ms warm and all, drift) and two that catch silence and memory.
pub fn default_rules() -> Vec<Rule> {
    let rule = |signal, above, clear, short_s, long_s, min_n| Rule {
        signal,
        above,
        clear,
        short_s,
        long_s,
        min_n,
    };
    vec![
        rule(Signal::ErrorRate, 1.0, 0.5, 300, 3600, 50),
        rule(Signal::P99All, 500.0, 450.0, 300, 3600, 100),
        rule(Signal::P99Warm, 500.0, 450.0, 300, 3600, 100),
        rule(Signal::Drift, 1.0, 0.5, 3600, 21_600, DRIFT_ROWS),
        rule(Signal::NoEvents, 900.0, 60.0, 900, 900, 0),
        rule(Signal::Memory, 90.0, 85.0, 300, 3600, 1),
    ]
}

/// What one window says.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Reading {
    /// In the unit of the signal.
    pub value: f64,
    /// How many values are behind it.
    pub n: u64,
}

/// Where a rule stands.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Standing {
    /// Too few values to say.
    #[default]
    NoData,
    /// Below the threshold.
    Ok {
        /// The long window's reading.
        reading: Reading,
    },
    /// Above the threshold in both windows.
    Firing {
        /// When it began, milliseconds since the epoch.
        since_ms: i64,
        /// The short window's latest reading.
        reading: Reading,
    },
}

impl Standing {
    /// True while firing.
    pub fn is_firing(&self) -> bool {
        matches!(self, Standing::Firing { .. })
    }
}

/// A change worth telling.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// The rule began to fire.
    Fired(Reading),
    /// The rule stopped firing.
    Cleared,
}

impl Rule {
    /// The next standing from the readings of both windows, and the change if there is one.
    /// Pure, so that a recorded session replays to the same alerts.
    pub fn step(
        &self,
        standing: Standing,
        short: Option<Reading>,
        long: Option<Reading>,
        now_ms: i64,
    ) -> (Standing, Option<Change>) {
        let enough = |r: Option<Reading>| r.filter(|r| r.n >= self.min_n && r.value.is_finite());
        match (standing, enough(short), enough(long)) {
            (Standing::Firing { since_ms, reading }, short, _) => match short {
                // Silence does not clear an alert: the trouble may be why nothing comes.
                None => (Standing::Firing { since_ms, reading }, None),
                Some(r) if r.value > self.clear => (
                    Standing::Firing {
                        since_ms,
                        reading: r,
                    },
                    None,
                ),
                Some(reading) => (Standing::Ok { reading }, Some(Change::Cleared)),
            },
            (_, Some(s), Some(l)) if s.value > self.above && l.value > self.above => (
                Standing::Firing {
                    since_ms: now_ms,
                    reading: s,
                },
                Some(Change::Fired(s)),
            ),
            (_, _, Some(reading)) | (_, Some(reading), None) => (Standing::Ok { reading }, None),
            (_, None, None) => (Standing::NoData, None),
        }
    }

    /// `error rate 1.44 % > 1.00 % (n = 120 in 5 min)`.
    pub fn sentence(&self, reading: &Reading) -> String {
        format!(
            "{} {} > {} (n = {} in {} min)",
            self.signal.title(),
            self.signal.show(reading.value),
            self.signal.show(self.above),
            reading.n,
            self.short_s / 60
        )
    }
}

/// A rule with where it stands.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Alert {
    /// The rule.
    pub rule: Rule,
    /// Its standing.
    pub standing: Standing,
}

/// Everything a rule may look at besides REPORT lines.
#[derive(Debug, Clone, Copy, Default)]
pub struct Outside {
    /// Gateway counts of the short and the long window of the error rule.
    pub gateway: Option<(Counts, Counts)>,
    /// Drift of the recent requests, whatever their age.
    pub drift: Option<Reading>,
    /// When the last log event was seen, milliseconds since the epoch.
    pub last_event_ms: Option<i64>,
}

/// All rules, stepped together.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Alerts {
    /// One per rule, in the rules' order.
    pub list: Vec<Alert>,
}

impl Default for Alerts {
    fn default() -> Self {
        Alerts::new(default_rules())
    }
}

impl Alerts {
    /// Rules that have seen nothing yet.
    pub fn new(rules: Vec<Rule>) -> Self {
        Alerts {
            list: rules
                .into_iter()
                .map(|rule| Alert {
                    rule,
                    standing: Standing::NoData,
                })
                .collect(),
        }
    }

    /// Steps every rule; the changes come with their rule.
    pub fn step(
        &mut self,
        samples: &Samples,
        outside: &Outside,
        now_ms: i64,
    ) -> Vec<(Rule, Change)> {
        let mut changes = Vec::new();
        for alert in &mut self.list {
            let (short, long) = readings(&alert.rule, samples, outside, now_ms);
            let (standing, change) = alert.rule.step(alert.standing, short, long, now_ms);
            alert.standing = standing;
            changes.extend(change.map(|c| (alert.rule.clone(), c)));
        }
        changes
    }

    /// Those that fire.
    pub fn firing(&self) -> impl Iterator<Item = &Alert> {
        self.list.iter().filter(|a| a.standing.is_firing())
    }
}

/// The short and the long window's reading for a rule.
pub fn readings(
    rule: &Rule,
    samples: &Samples,
    outside: &Outside,
    now_ms: i64,
) -> (Option<Reading>, Option<Reading>) {
    let both = |f: &dyn Fn(i64) -> Option<Reading>| (f(rule.short_s), f(rule.long_s));
    match rule.signal {
        Signal::ErrorRate => match outside.gateway {
            Some((short, long)) => (error_rate(&short), error_rate(&long)),
            None => both(&|s| failed_share(samples, s, now_ms)),
        },
        Signal::P99All => both(&|s| {
            p99(samples
                .since(s, now_ms)
                .map(super::latency::Sample::total_ms))
        }),
        Signal::P99Warm => both(&|s| {
            p99(samples
                .since(s, now_ms)
                .filter(|s| !s.is_cold())
                .map(|s| s.duration_ms))
        }),
        Signal::Memory => both(&|s| memory(samples, s, now_ms)),
        Signal::Drift => (outside.drift, outside.drift),
        Signal::NoEvents => {
            let quiet = outside.last_event_ms.map(|at| Reading {
                value: (now_ms - at).max(0) as f64 / 1000.0,
                n: 1,
            });
            (quiet, quiet)
        }
    }
}

fn error_rate(counts: &Counts) -> Option<Reading> {
    Some(Reading {
        value: counts.error_rate()? * 100.0,
        n: counts.valid as u64,
    })
}

fn failed_share(samples: &Samples, seconds: i64, now_ms: i64) -> Option<Reading> {
    let (n, failed) = samples
        .since(seconds, now_ms)
        .fold((0u64, 0u64), |(n, failed), s| {
            (n + 1, failed + u64::from(s.failed))
        });
    (n > 0).then(|| Reading {
        value: failed as f64 * 100.0 / n as f64,
        n,
    })
}

fn p99(values: impl Iterator<Item = f64>) -> Option<Reading> {
    let ladder = Ladder::of(values)?;
    Some(Reading {
        value: ladder.p99.value().unwrap_or(ladder.max),
        n: ladder.n as u64,
    })
}

fn memory(samples: &Samples, seconds: i64, now_ms: i64) -> Option<Reading> {
    let shares: Vec<f64> = samples
        .since(seconds, now_ms)
        .filter(|s| s.memory_mb > 0)
        .map(|s| f64::from(s.max_memory_mb) * 100.0 / f64::from(s.memory_mb))
        .collect();
    let highest = shares.iter().copied().max_by(f64::total_cmp)?;
    Some(Reading {
        value: highest,
        n: shares.len() as u64,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::unnecessary_wraps)]
    use super::*;
    use crate::domain::latency::tests::warm;

    fn rule() -> Rule {
        default_rules().remove(0)
    }

    fn at(value: f64) -> Option<Reading> {
        Some(Reading { value, n: 100 })
    }

    #[test]
    fn both_windows_fire_and_only_the_lower_threshold_clears() {
        let rule = rule();
        let (standing, change) = rule.step(Standing::NoData, at(5.0), at(0.4), 0);
        assert_eq!(
            (standing.is_firing(), change),
            (false, None),
            "a blip is not an alert"
        );
        let (standing, change) = rule.step(standing, at(5.0), at(1.2), 10);
        assert_eq!(change, Some(Change::Fired(at(5.0).unwrap())));
        let (standing, change) = rule.step(standing, at(0.8), at(1.2), 20);
        assert_eq!(
            (standing.is_firing(), change),
            (true, None),
            "between the thresholds nothing changes"
        );
        let (standing, change) = rule.step(standing, None, at(1.2), 30);
        assert_eq!(
            (standing.is_firing(), change),
            (true, None),
            "silence does not clear"
        );
        let (standing, change) = rule.step(standing, at(0.1), at(1.2), 40);
        assert_eq!(
            (standing.is_firing(), change),
            (false, Some(Change::Cleared))
        );
        let (_, change) = rule.step(standing, at(0.9), at(1.2), 50);
        assert_eq!(change, None, "no flapping");
    }

    #[test]
    fn a_flapping_signal_fires_once() {
        let rule = rule();
        let (mut standing, mut fired) = (Standing::NoData, 0);
        for i in 0..100 {
            let value = if i % 2 == 0 { 1.1 } else { 0.9 };
            let (next, change) = rule.step(standing, at(value), at(1.1), i);
            standing = next;
            fired += i32::from(matches!(change, Some(Change::Fired(_))));
        }
        assert_eq!(fired, 1);
    }

    #[test]
    fn too_few_values_say_nothing() {
        let few = Some(Reading { value: 50.0, n: 2 });
        assert_eq!(
            rule().step(Standing::NoData, few, few, 0),
            (Standing::NoData, None)
        );
    }

    #[test]
    fn slow_calls_fire_the_p99_rules_and_the_session_replays_alike() {
        let mut samples = Samples::default();
        for i in 0..200 {
            samples.push(warm(i * 1000, 620.0));
        }
        let run = || {
            let mut alerts = Alerts::default();
            alerts.step(&samples, &Outside::default(), 200_000)
        };
        let signals: Vec<Signal> = run().into_iter().map(|(rule, _)| rule.signal).collect();
        assert_eq!(signals, [Signal::P99All, Signal::P99Warm]);
        assert_eq!(run().len(), 2);
    }

    #[test]
    fn the_gateways_counts_outrank_the_functions_own() {
        let outage = Counts {
            valid: 100.0,
            bad: 100.0,
        };
        let outside = Outside {
            gateway: Some((outage, outage)),
            ..Outside::default()
        };
        let changes = Alerts::default().step(&Samples::default(), &outside, 0);
        assert_eq!(changes[0].0.signal, Signal::ErrorRate);
        assert_eq!(
            changes[0].0.sentence(&Reading {
                value: 100.0,
                n: 100
            }),
            "error rate 100.00 % > 1.00 % (n = 100 in 5 min)"
        );
    }

    #[test]
    fn silence_and_memory_have_rules_of_their_own() {
        let mut samples = Samples::default();
        let mut full = warm(1000, 180.0);
        full.max_memory_mb = 1000;
        samples.push(full);
        let outside = Outside {
            last_event_ms: Some(1000),
            ..Outside::default()
        };
        let mut alerts = Alerts::default();
        let memory = alerts.step(&samples, &outside, 2000);
        assert_eq!(
            memory.iter().map(|(r, _)| r.signal).collect::<Vec<_>>(),
            [Signal::Memory]
        );
        let quiet = alerts.step(&samples, &outside, 2_000_000);
        assert_eq!(
            quiet.iter().map(|(r, _)| r.signal).collect::<Vec<_>>(),
            [Signal::NoEvents]
        );
        assert_eq!(alerts.firing().count(), 2);
    }
}
